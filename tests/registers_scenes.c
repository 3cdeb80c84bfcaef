/* Every scene lets a coroutine and its resumer fill all registers that a function must keep, each with patterns of its
 * own, calls through registers_around, and compares. registers_scenes.h says why there is no cmocka here. */
#include "registers_scenes.h"

#include "registers.h"

#define ROUNDS 20
#define PRESENT_ERROR 7

/* A side of the switch: the resumer or the coroutine. */
struct side {
    struct registers before, after;
};

/* A coroutine and what it shares with its resumer. */
struct play {
    struct scene *scene;
    co_t *co;
    struct side resumer, yielder;
    int resumed_again; /* counts the yields that came back */
};

/* Bits of each row that keep what is written to them: an emulator, or valgrind, may ignore some control bits. */
static struct registers effective;

static void find_effective_control(void) {
    struct registers ambient = {{0}}, all = {{0}}, none = {{0}}, read_all = {{0}}, read_none = {{0}};
    registers_store_control(&ambient);
    for (uint64_t i = 0; i < registers_count; i++) {
        all.word[i] = registers_rows[i].mask | registers_rows[i].set;
        none.word[i] = registers_rows[i].set;
    }
    registers_load_control(&all);
    registers_store_control(&read_all);
    registers_load_control(&none);
    registers_store_control(&read_none);
    registers_load_control(&ambient);
    for (uint64_t i = 0; i < registers_count; i++) {
        effective.word[i] = registers_rows[i].mask;
        if (registers_rows[i].kind == REGISTERS_CONTROL)
            effective.word[i] &= read_all.word[i] & ~read_none.word[i];
    }
}

/* xorshift64 (Marsaglia). */
static uint64_t next_random(uint64_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void fill(struct registers *registers, uint64_t *seed) {
    for (uint64_t i = 0; i < registers_count; i++)
        registers->word[i] = (next_random(seed) & registers_rows[i].mask) | registers_rows[i].set;
}

static void note(struct scene *scene, const char *fault, const char *register_name, uint64_t expected, uint64_t found) {
    if (scene->fault != NULL)
        return;
    scene->fault = fault;
    scene->register_name = register_name;
    scene->expected = expected;
    scene->found = found;
}

static void expect(struct scene *scene, const char *what, uintptr_t expected, uintptr_t found) {
    if (expected != found)
        note(scene, what, "its result", expected, found);
}

/* `control` is where the control state must come from: this side's own `before`, the other side's, or NULL where the C
 * code around the switch decides. */
static void compare(struct scene *scene, const char *where, const struct side *side, const struct registers *control) {
    for (uint64_t i = 0; i < registers_count; i++) {
        const struct registers *from = registers_rows[i].kind == REGISTERS_CONTROL ? control : &side->before;
        if (from != NULL && ((from->word[i] ^ side->after.word[i]) & effective.word[i]) != 0)
            note(scene, where, registers_rows[i].name, from->word[i], side->after.word[i]);
    }
}

static void begin(struct play *play, struct scene *scene, co_fn body) {
    find_effective_control();
    *play = (struct play){.scene = scene};
    play->co = co_create_with(&scene->options, body, play);
    if (play->co == NULL)
        note(scene, "co_create_with", "its result", 1, 0);
}

static void end(struct play *play) { expect(play->scene, "co_destroy", 0, (uintptr_t)co_destroy(play->co)); }

/* One call by the resumer. Control state is its own with CO_FPENV; else what the coroutine left, if it has yielded. */
static int call(struct play *play, const char *where, registers_function function, void *b, void *c, int yields) {
    struct scene *scene = play->scene;
    struct side *mine = &play->resumer;
    fill(&mine->before, &scene->seed);
    uintptr_t result =
        registers_around(&mine->before, &mine->after, function, (uintptr_t)play->co, (uintptr_t)b, (uintptr_t)c);
    const struct registers *control = (scene->options.flags & CO_FPENV) != 0 ? &mine->before
                                      : yields                               ? &play->yielder.before
                                                                             : NULL;
    compare(scene, where, mine, control);
    return (int)result;
}

/* One yield by the coroutine, which is resumed by call(). */
static void *yield(struct play *play, const char *where, void *value) {
    struct scene *scene = play->scene;
    struct side *mine = &play->yielder;
    uintptr_t result;
    fill(&mine->before, &scene->seed);
    if (scene->by_handle)
        result = registers_around(&mine->before, &mine->after, (registers_function)scene->yielder->yield_from,
                                  (uintptr_t)play->co, (uintptr_t)value, 0);
    else
        result = registers_around(&mine->before, &mine->after, (registers_function)scene->yielder->yield,
                                  (uintptr_t)value, 0, 0);
    play->resumed_again++;
    compare(scene, where, mine, (scene->options.flags & CO_FPENV) != 0 ? &mine->before : &play->resumer.before);
    return (void *)result;
}

static int resume(struct play *play, const char *where, void *in, void **out, int yields) {
    return call(play, where, (registers_function)play->scene->resumer->resume, in, (void *)out, yields);
}

/* ---- The scenes ---------------------------------------------------------------------------------------------- */

static void *yield_in_a_loop(void *argument) {
    struct play *play = argument;
    for (uintptr_t i = 1; i <= ROUNDS; i++) {
        void *in = yield(play, "the coroutine, over a yield", (void *)i);
        expect(play->scene, "what the yield returned", i * 2, (uintptr_t)in);
    }
    return play;
}

void scene_resume_and_yield(struct scene *scene) {
    struct play play;
    void *out = NULL;
    begin(&play, scene, yield_in_a_loop);
    if (play.co == NULL)
        return;
    expect(scene, "the first resume", CO_YIELDED, (uintptr_t)resume(&play, "the resumer, first resume", NULL, &out, 1));
    for (uintptr_t i = 1; i < ROUNDS; i++) {
        expect(scene, "what was yielded", i, (uintptr_t)out);
        int status = resume(&play, "the resumer, over a resume", (void *)(i * 2), &out, 1);
        expect(scene, "a resume", CO_YIELDED, (uintptr_t)status);
    }
    int status = resume(&play, "the resumer, over the return of the body", (void *)(uintptr_t)(ROUNDS * 2), &out, 0);
    expect(scene, "the last resume", CO_RETURNED, (uintptr_t)status);
    expect(scene, "what was returned", (uintptr_t)&play, (uintptr_t)out);
    end(&play);
}

static void *yield_twice(void *argument) {
    struct play *play = argument;
    yield(play, "the coroutine, over a yield that is thrown into", NULL);
    expect(play->scene, "co_error", PRESENT_ERROR, (uintptr_t)co_error());
    yield(play, "the coroutine, over a second yield that is thrown into", NULL);
    return co_fail(PRESENT_ERROR);
}

void scene_throw(struct scene *scene) {
    struct play play;
    begin(&play, scene, yield_twice);
    if (play.co == NULL)
        return;
    resume(&play, "the resumer, first resume", NULL, NULL, 1);
    const registers_function throw = (registers_function)co_throw;
    void *error = (void *)(uintptr_t)PRESENT_ERROR;
    expect(scene, "co_throw", CO_YIELDED, (uintptr_t)call(&play, "the resumer, over co_throw", throw, error, NULL, 1));
    int status = call(&play, "the resumer, over co_throw into a body that fails", throw, error, NULL, 0);
    expect(scene, "co_throw", (uintptr_t)-PRESENT_ERROR, (uintptr_t)status);
    expect(scene, "yields that came back", 2, (uintptr_t)play.resumed_again);
    end(&play);
}

/* A deferred call, in which yields are refused: the refusal comes straight back to it, and the resumer has no part. */
static void yield_while_closing(void *argument) {
    struct play *play = argument;
    struct scene *scene = play->scene;
    struct side *mine = &play->yielder;
    fill(&mine->before, &scene->seed);
    uintptr_t result =
        registers_around(&mine->before, &mine->after, (registers_function)scene->yielder->yield, 1, 0, 0);
    compare(scene, "a deferred call, over a refused yield", mine, &mine->before);
    expect(scene, "a refused yield", 0, result);
    fill(&mine->before, &scene->seed);
    result = registers_around(&mine->before, &mine->after, (registers_function)scene->yielder->yield_from,
                              (uintptr_t)play->co, 1, 0);
    compare(scene, "a deferred call, over a refused yield by handle", mine, &mine->before);
    expect(scene, "a refused yield by handle", 0, result);
    play->resumed_again += 10;
}

static void *defer_and_yield(void *argument) {
    struct play *play = argument;
    expect(play->scene, "co_defer", 0, (uintptr_t)co_defer(yield_while_closing, play));
    yield(play, "the coroutine, over a yield that is closed", NULL);
    return NULL;
}

static void close_by(struct scene *scene, const char *where, registers_function function) {
    struct play play;
    begin(&play, scene, defer_and_yield);
    if (play.co == NULL)
        return;
    resume(&play, "the resumer, first resume", NULL, NULL, 1);
    /* A refused yield in a deferred call is reported as EPERM, whose number is 1. */
    expect(scene, "closing", (uintptr_t)-1, (uintptr_t)call(&play, where, function, NULL, NULL, 0));
    expect(scene, "deferred calls", 10, (uintptr_t)play.resumed_again);
    if (function != (registers_function)co_destroy)
        end(&play);
}

void scene_close(struct scene *scene) { close_by(scene, "the resumer, over co_close", (registers_function)co_close); }

void scene_destroy(struct scene *scene) {
    close_by(scene, "the resumer, over co_destroy", (registers_function)co_destroy);
}

static void *return_at_once(void *argument) {
    struct play *play = argument;
    play->resumed_again++;
    return play;
}

void scene_no_yield(struct scene *scene) {
    struct play play;
    void *out = NULL;
    begin(&play, scene, return_at_once);
    if (play.co == NULL)
        return;
    int status = resume(&play, "the resumer, over a body that returns at once", NULL, &out, 0);
    expect(scene, "the only resume", CO_RETURNED, (uintptr_t)status);
    expect(scene, "what was returned", (uintptr_t)&play, (uintptr_t)out);
    expect(scene, "the body's runs", 1, (uintptr_t)play.resumed_again);
    end(&play);
}

void scene_refused(struct scene *scene) {
    struct play play;
    begin(&play, scene, return_at_once);
    if (play.co == NULL)
        return;
    struct side *mine = &play.resumer;
    /* A value for a fresh coroutine, which has no pending yield; EINVAL and ESRCH have the same number everywhere. */
    fill(&mine->before, &scene->seed);
    uintptr_t result = registers_around(&mine->before, &mine->after, (registers_function)scene->resumer->resume,
                                        (uintptr_t)play.co, 1, 0);
    compare(scene, "the resumer, over a resume with a value too early", mine, &mine->before);
    expect(scene, "a resume with a value too early", (unsigned)-22, (unsigned)result);
    resume(&play, "the resumer, over a body that returns at once", NULL, NULL, 0);
    fill(&mine->before, &scene->seed);
    result = registers_around(&mine->before, &mine->after, (registers_function)scene->resumer->resume,
                              (uintptr_t)play.co, 0, 0);
    compare(scene, "the resumer, over a resume of a dead coroutine", mine, &mine->before);
    expect(scene, "a resume of a dead coroutine", (unsigned)-3, (unsigned)result);
    fill(&mine->before, &scene->seed);
    result = registers_around(&mine->before, &mine->after, (registers_function)scene->yielder->yield, 1, 0, 0);
    compare(scene, "a yield outside any coroutine", mine, &mine->before);
    expect(scene, "a yield outside any coroutine", 0, result);
    end(&play);
}
