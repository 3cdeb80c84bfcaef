/* The interpreter of program.h: operations, and a program from its beginning to its end. */
#include "world.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#define TEXT_OF(...) #__VA_ARGS__
#define EXPANDED_TEXT_OF(...) TEXT_OF(__VA_ARGS__)
const char sight_names[] = EXPANDED_TEXT_OF(SIGHTS);
unsigned long sights[SIGHT_COUNT];

static const char *const state_names[] = {"fresh", "suspended", "executing", "done"};

struct world world;

/* The library's calls of these, by the linker's --wrap. */
co_t *__real_co_create_at(const char *site, co_fn fn, void *arg);
int __real_co_destroy(co_t *co);
co_t *__wrap_co_create_at(const char *site, co_fn fn, void *arg);
int __wrap_co_destroy(co_t *co);

co_t *__wrap_co_create_at(const char *site, co_fn fn, void *arg) {
    world.created++;
    return __real_co_create_at(site, fn, arg);
}

int __wrap_co_destroy(co_t *co) {
    world.destroyed += co != NULL;
    return __real_co_destroy(co);
}

void program_trace(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(world.trace + world.trace_bytes, sizeof world.trace - world.trace_bytes, format, arguments);
    va_end(arguments);
    world.trace_bytes += (size_t)length;
    CHECK(world.trace_bytes < sizeof world.trace);
    world.emitted_last = false;
}

struct operation program_fetch(void) {
    if (world.tape_left == 0)
        return (struct operation){'r', 0, 0};
    world.tape_left--;
    return *world.tape++;
}

int program_error_of(struct operation operation, int which) {
    static const int errors[] = {EIO, ENOENT, EBUSY, EPERM, EINVAL};
    return errors[(operation.value + which) % 5];
}

enum handling program_handling_of(struct operation operation) {
    static const enum handling by_last_values[] = {PROPAGATE, RETURN, REPLACE};
    if (operation.letter == 'e' || operation.letter == 'E')
        return (enum handling)operation.slot;
    return operation.value < 7 ? IGNORE : by_last_values[operation.value - 7];
}

/* ---- Who waits for whom ---------------------------------------------------------------------------------------- */

co_gen_state_t program_state_of(const struct record *record) {
    return record == NULL ? CO_GEN_DONE : co_gen_state(record->generator);
}

int program_number_of(const struct record *record) { return record == NULL ? 0 : record->number; }

/* `record` waits for nobody any more; nor does whom it has waited for, which has ended. */
void program_stop_waiting(struct record *record) {
    struct record *next;
    for (; record != NULL; record = next) {
        next = record->waits_for;
        record->waits_for = NULL;
    }
}

int program_waiting_for(const struct record *record) {
    int count = 0;
    for (int i = 1; i < world.record_count; i++)
        count += world.records[i].waits_for == record;
    return count;
}

/* ---- Operations ------------------------------------------------------------------------------------------------ */

static int create(struct record *me, struct operation operation) {
    CHECK(world.record_count < MOST_GENERATORS);
    struct record *record = &world.records[world.record_count];
    memset(record, 0, sizeof *record);
    record->number = world.record_count++;
    record->generator = world.items->create(record, operation.value);
    CHECK(record->generator != NULL && program_state_of(record) == CO_GEN_FRESH);
    world.slots[operation.slot] = record;
    program_trace("%d create %d\n", me->number, record->number);
    return 0;
}

/* What must be true of any step. */
static void check_step(const struct record *target, char letter, int value, co_gen_state_t before, int status,
                       long item, int result) {
    co_gen_state_t after = program_state_of(target);
    if (target == NULL) {
        CHECK(status == -EINVAL);
    } else if (before == CO_GEN_EXECUTING) {
        CHECK(status == -EBUSY && after == CO_GEN_EXECUTING);
    } else if (before == CO_GEN_DONE) {
        CHECK(status == (letter == 't' ? -value : 0) && result == 0 && after == CO_GEN_DONE);
    } else if (before == CO_GEN_FRESH && letter == 's' && value != 0) {
        CHECK(status == -EINVAL && after == CO_GEN_FRESH);
    } else if (before == CO_GEN_FRESH && letter == 't') {
        CHECK(status == -value && after == CO_GEN_DONE);
    } else if (status == 1) {
        CHECK(after == CO_GEN_SUSPENDED && world.emitted_last && item == world.emitted);
    } else {
        CHECK(after == CO_GEN_DONE && target->ended && target->waits_for == NULL);
        CHECK(status == -target->error && result == (status == 0 ? target->result : 0));
        CHECK(target->top == 0 && target->run == target->registered);
    }
    CHECK(status == 1 || item < 0);
}

static int step(struct record *me, struct record *target, struct operation operation) {
    char letter = operation.letter;
    bool send = letter == 's', throw = letter == 't';
    const char *name = send ? "send" : throw ? "throw" : "next";
    int base = send ? send_item : throw ? throw_item : next_item;
    co_gen_state_t before = program_state_of(target);
    bool fresh_send = before == CO_GEN_FRESH && send && operation.value != 0;
    if (before == CO_GEN_SUSPENDED && target->waits_for != NULL)
        SEEN(step_through_chain);
    if (throw)
        operation.value = program_error_of(operation, 0);

    co_gen_t *generator = target == NULL ? NULL : target->generator;
    long item = -1;
    int status = world.items->step(generator, operation, &item);
    int result = status == 0 ? (int)(uintptr_t)co_gen_result(generator) : 0;
    CHECK(co_gen_result(generator) == NULL);
    check_step(target, letter, operation.value, before, status, item, result);

    program_trace("%d %s %d %d = ", me->number, name, program_number_of(target),
                  operation.letter == 'n' ? 0 : operation.value);
    if (status == 1)
        program_trace("item %ld %s\n", item, state_names[program_state_of(target)]);
    else if (status == 0)
        program_trace("end %d %s\n", result, state_names[program_state_of(target)]);
    else
        program_trace("error %d %s\n", -status, state_names[program_state_of(target)]);

    if (fresh_send)
        SEEN(send_to_fresh);
    else if (throw &&(before == CO_GEN_FRESH || (target != NULL && before == CO_GEN_DONE)))
        sights[before == CO_GEN_FRESH ? throw_at_fresh : throw_at_done]++;
    else
        sights[base + (status == 1                  ? 0
                       : status == 0                ? result == 0 ? 1 : 2
                       : target == NULL             ? 5
                       : before == CO_GEN_EXECUTING ? 4
                                                    : 3)]++;
    return status < 0 ? -status : 0;
}

/* `record` is about to be closed, with all that it waits for. */
static void mark_closing(struct record *record) {
    for (; record != NULL; record = record->waits_for)
        record->closing = true;
}

/* What a close of `target` that was not refused must leave. Whoever emits while it is closed changes the answer.
 */
static void check_closed(struct record *target, co_gen_state_t before, unsigned long emits_before, int status) {
    program_stop_waiting(target);
    CHECK(target->top == 0 && target->run == target->registered);
    if (before == CO_GEN_FRESH || before == CO_GEN_DONE)
        CHECK(status == 0);
    else if (world.emits == emits_before)
        CHECK(status == -target->error);
    sights[before == CO_GEN_FRESH ? close_fresh : before == CO_GEN_DONE ? close_done : close_suspended]++;
}

static int close_or_destroy(struct record *me, struct record *target, struct operation operation) {
    bool destroys = operation.letter == 'd';
    co_gen_state_t before = program_state_of(target);
    bool waited_for = target != NULL && destroys && program_waiting_for(target) > 0;
    co_gen_t *generator = target == NULL ? NULL : target->generator;
    bool refused = target == NULL || before == CO_GEN_EXECUTING || waited_for;
    unsigned long emits_before = world.emits;
    if (!refused) {
        mark_closing(target);
        for (int i = 0; destroys && i < SLOTS; i++)
            if (world.slots[i] == target)
                world.slots[i] = NULL;
    }
    int status = destroys ? co_gen_destroy(generator) : co_gen_close(generator);
    if (refused) {
        CHECK(status == (target != NULL ? -EBUSY : destroys ? 0 : -EINVAL));
        CHECK(program_state_of(target) == before);
        if (target == NULL)
            sights[destroys ? destroy_null : close_null]++;
        else
            sights[destroys ? before == CO_GEN_EXECUTING ? destroy_executing : destroy_waited_for : close_busy]++;
    } else {
        bool busy = destroys && status == -EINVAL && target->error == EBUSY;
        if (busy)
            SEEN(destroy_busy_as_invalid);
        check_closed(target, before, emits_before, busy ? -EBUSY : status);
        if (destroys)
            sights[before == CO_GEN_FRESH ? destroy_fresh : before == CO_GEN_DONE ? destroy_done : destroy_suspended]++;
        else
            CHECK(co_gen_state(generator) == CO_GEN_DONE);
        if (status < 0)
            sights[destroys ? destroy_error : status == -EPERM ? close_refused_emit : close_error]++;
    }
    if (!refused && !destroys)
        (void)co_gen_result(generator); /* of a body that has gone on and returned */
    program_trace("%d %s %d = %d\n", me->number, destroys ? "destroy" : "close", program_number_of(target), -status);
    return -status;
}

static int loop(struct record *me, struct operation operation) {
    struct record *target = world.slots[operation.slot];
    bool owns = operation.letter == 'l';
    int most = operation.value % 4, status = 0;
    if (target == NULL || (owns && (program_state_of(target) == CO_GEN_EXECUTING || program_waiting_for(target) > 0))) {
        program_trace("%d loop %d refused\n", me->number, program_number_of(target));
        return 0;
    }
    long got[MOST_OPERATIONS + 1];
    if (owns)
        world.slots[operation.slot] = NULL;
    int count = world.items->loop(target->generator, owns, most, got, &status);
    bool left = most != 0 && count == most;
    if (owns) {
        program_stop_waiting(target);
        CHECK(target->top == 0 && target->run == target->registered);
        sights[left ? loop_left : loop_to_end]++;
        if (status != 0)
            SEEN(loop_error);
    } else {
        sights[left ? loop_borrowed_left : loop_borrowed_to_end]++;
        if (program_state_of(target) == CO_GEN_DONE)
            (void)co_gen_result(target->generator);
    }
    program_trace("%d loop %d =", me->number, target->number);
    for (int i = 0; i < count; i++)
        program_trace(" %ld", got[i]);
    program_trace(" error %d\n", -status);
    return -status;
}

static void tell_states(struct record *me) {
    program_trace("%d states", me->number);
    for (int i = 0; i < SLOTS; i++) {
        co_gen_state_t state = program_state_of(world.slots[i]);
        if (world.slots[i] != NULL)
            sights[state_fresh + (int)state]++;
        program_trace(" %s", state_names[state]);
    }
    program_trace("\n");
}

/* Creates in an empty slot, and in place of one that is done; steps what goes on. */
static int renew(struct record *me, struct record *target, struct operation operation) {
    if (target != NULL && program_state_of(target) == CO_GEN_DONE) {
        operation.letter = 'd';
        close_or_destroy(me, target, operation);
        target = world.slots[operation.slot];
    }
    if (target == NULL)
        return create(me, operation);
    operation.letter = 'n';
    return step(me, target, operation);
}

int program_operate(struct record *me, struct operation operation) {
    struct record *target = world.slots[operation.slot];
    switch (operation.letter) {
    case 'n':
        return step(me, target, operation);
    case 'z': /* to itself */
        if (me->number != 0) {
            operation.letter = "nstxd"[operation.value % 5];
            if (operation.letter == 'x' || operation.letter == 'd') {
                SEEN(itself_ended);
                return close_or_destroy(me, me, operation);
            }
            SEEN(itself_stepped);
            return step(me, me, operation);
        }
        break;
    case 's':
    case 't':
        return step(me, target, operation);
    case 'x':
    case 'd':
        return close_or_destroy(me, target, operation);
    case 'l':
    case 'b':
        return loop(me, operation);
    case 'q':
        tell_states(me);
        return 0;
    default:
        break;
    }
    return renew(me, target, operation); /* also what only a body does, in main */
}

/* ---- A program ------------------------------------------------------------------------------------------------- */

const char *program_run(const struct operation *operations, size_t count, bool wide) {
    struct record *self = &world.records[0];
    memset(self, 0, sizeof *self);
    world.tape = operations;
    world.tape_left = count;
    world.items = wide ? &items_wide : &items_word;
    world.record_count = 1;
    world.cleanup_count = 0;
    world.created = world.destroyed = 0;
    world.trace_bytes = 0;
    world.trace[0] = '\0';
    world.emits = 0;
    while (world.tape_left > 0)
        program_operate(self, program_fetch());

    /* Whoever waits for another is destroyed before it, or with it. */
    int left = SLOTS;
    while (left > 0) {
        int before = left;
        left = 0;
        for (int i = 0; i < SLOTS; i++) {
            if (world.slots[i] != NULL)
                program_operate(self, (struct operation){'d', i, 0});
            left += world.slots[i] != NULL;
        }
        CHECK(left == 0 || left < before);
    }
    for (int i = 1; i < world.record_count; i++)
        CHECK(world.records[i].top == 0 && world.records[i].run == world.records[i].registered &&
              world.records[i].waits_for == NULL);
    CHECK(world.created == world.destroyed && world.created == world.record_count - 1);
    return world.trace;
}
