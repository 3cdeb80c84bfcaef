/* Random programs against a model of the contract. A program is a tree of decisions: main and every coroutine, also in
 * deferred calls, create, resume, throw into, close and destroy any of a few coroutines, in any state, and the model
 * says what each call must answer. A failure names its seed; CO_TEST_SEED=N runs that program alone. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <inttypes.h>
#include <time.h>

enum {
    SLOTS = 8,
    MAIN = SLOTS, /* the thread itself, where a slot's number is asked for */
    DEFERS = 16,
    OPERATIONS = 80, /* in one program, after which every body returns */
    PROGRAMS = 20000
};
static const double most_seconds = 2;

/* ---- The model ------------------------------------------------------------------------------------------------- */

enum state { EMPTY, FRESH, SUSPENDED, RUNNING, NORMAL, DEAD };

struct slot {
    co_t *co;
    enum state state;
    int resumer; /* a slot, or MAIN; while RUNNING or NORMAL */
    void *sent;  /* by the last resume */
    int error;   /* that co_error must tell */
    bool yielded, ending;
    void *value;          /* that the body yielded or returned */
    int failure, outcome; /* of the body; of its deferred calls: the first */
    bool refused;         /* the deferred call that runs has tried to yield */
    int deferred[DEFERS]; /* numbers, the last first to run */
    int deferreds;
    unsigned char stack[16 * 1024];
};

static struct slot slots[SLOTS];
static int current;
static int operations;
static int next_number;
static uint64_t seed, random_state;

static uint64_t random_word(void) {
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 0x2545f4914f6cdd1d;
}

static int below(int limit) { return (int)(random_word() >> 33) % limit; }

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            FAIL("seed %" PRIu64 ", operation %d: %s", seed, operations, #condition);                                  \
    } while (0)

/* `slot` runs now, and who ran before waits for it. */
static void model_enter(struct slot *slot) {
    slot->resumer = current;
    if (current != MAIN)
        slots[current].state = NORMAL;
    slot->state = RUNNING;
    current = (int)(slot - slots);
}

static void model_leave(struct slot *slot, enum state state) {
    current = slot->resumer;
    if (current != MAIN)
        slots[current].state = RUNNING;
    slot->state = state;
}

/* What must be true at any time, seen from who runs. */
static void check_everything(void) {
    static const co_status_t statuses[] = {[EMPTY] = CO_DEAD,      [FRESH] = CO_SUSPENDED, [SUSPENDED] = CO_SUSPENDED,
                                           [RUNNING] = CO_RUNNING, [NORMAL] = CO_NORMAL,   [DEAD] = CO_DEAD};
    CHECK(co_self() == (current == MAIN ? NULL : slots[current].co));
    CHECK(co_error() == (current == MAIN ? 0 : slots[current].error));
    for (int i = 0; i < SLOTS; i++) {
        CHECK(co_status(slots[i].co) == statuses[slots[i].state]);
        CHECK(co_data(slots[i].co) == (slots[i].co != NULL ? &slots[i] : NULL));
    }
}

/* ---- Bodies and deferred calls ---------------------------------------------------------------------------------- */

static void act(int most);

static int random_error(void) { return below(4) != 0 ? 1 + below(130) : -below(3); }

static void fail_at_random(struct slot *slot) {
    int error = random_error();
    CHECK(co_fail(error) == NULL);
    slot->failure = error > 0 ? error : EINVAL;
}

static void *yield(struct slot *slot, void *value) {
    return below(2) != 0 ? co_yield(value) : co_yield_from(slot->co, value);
}

static void deferred_call(void *arg) {
    struct slot *slot = &slots[current];
    CHECK(slot->deferreds > 0);
    CHECK(number_of(arg) == slot->deferred[--slot->deferreds]);
    slot->failure = 0;
    slot->refused = false;
    if (below(3) == 0)
        act(2);
    if (below(4) == 0) {
        CHECK(yield(slot, value_of(1)) == NULL);
        slot->error = EPERM;
        slot->refused = true;
    }
    if (below(4) == 0)
        fail_at_random(slot);
    check_everything();
    if (slot->outcome == 0)
        slot->outcome = slot->failure != 0 ? slot->failure : slot->refused ? EPERM : 0;
}

static void defer_at_random(struct slot *slot) {
    if (slot->deferreds == DEFERS)
        return;
    if (below(8) == 0) {
        CHECK(co_defer(NULL, NULL) == -EINVAL);
        return;
    }
    int number = ++next_number;
    CHECK(co_defer(deferred_call, value_of(number)) == 0);
    slot->deferred[slot->deferreds++] = number;
}

static void yield_at_random(struct slot *slot) {
    volatile uint64_t kept = random_word();
    const uint64_t expected = kept;
    void *value = value_of(below(1000));
    slot->value = value;
    slot->yielded = true;
    model_leave(slot, SUSPENDED);
    void *in = yield(slot, value);
    CHECK(kept == expected);
    CHECK(in == slot->sent);
    check_everything();
}

static void *body(void *arg) {
    struct slot *slot = (struct slot *)arg;
    CHECK(slot == &slots[current]);
    slot->failure = 0;
    check_everything();
    while (operations < OPERATIONS && below(6) != 0) {
        act(3);
        switch (below(6)) {
        case 0:
            fail_at_random(slot);
            break;
        case 1:
            defer_at_random(slot);
            break;
        default:
            yield_at_random(slot);
        }
    }
    slot->yielded = false;
    slot->value = value_of(below(1000));
    slot->outcome = slot->failure;
    slot->ending = true;
    return slot->value;
}

/* ---- Operations -------------------------------------------------------------------------------------------------- */

static void *model_allocate(size_t bytes, void *context) {
    *(long *)context += 1;
    return malloc(bytes);
}

static void model_release(void *memory, size_t bytes, void *context) {
    (void)bytes;
    *(long *)context -= 1;
    free(memory);
}

static long allocated;

static void create(struct slot *slot) {
    static const co_allocator_t allocator = {model_allocate, model_release, &allocated};
    if (slot->state != EMPTY)
        return;
    co_options_t options = {.data = slot, .flags = below(3) == 0 ? CO_FPENV : 0};
    if (below(3) != 0)
        options.allocator = &allocator;
    if (below(3) != 0) {
        options.stack = slot->stack + below(200);
        options.stack_bytes = sizeof slot->stack - 200;
    }
    slot->co = co_create_with(&options, body, slot);
    CHECK(slot->co != NULL);
    slot->state = FRESH;
    slot->yielded = slot->ending = false;
    slot->error = slot->failure = slot->outcome = slot->deferreds = 0;
}

/* The resumer's side of a run that has come back with `status` and `out`. */
static void check_run(struct slot *slot, int status, void *out) {
    if (slot->yielded) {
        CHECK(status == CO_YIELDED && out == slot->value);
        CHECK(slot->state == SUSPENDED);
    } else {
        model_leave(slot, DEAD);
        CHECK(slot->deferreds == 0);
        CHECK(status == (slot->outcome != 0 ? -slot->outcome : CO_RETURNED));
        CHECK(out == (slot->outcome != 0 ? NULL : slot->value));
    }
    slot->error = 0;
}

static void resume(struct slot *slot) {
    void *out = UNTOUCHED, *in = below(2) != 0 ? value_of(1 + below(1000)) : NULL;
    if (slot->state == SUSPENDED || (slot->state == FRESH && in == NULL)) {
        slot->sent = in;
        slot->error = 0;
        model_enter(slot);
        int status = co_resume(slot->co, in, &out);
        check_run(slot, status, out);
        return;
    }
    static const int refused[] = {-EINVAL, -EINVAL, 0, -EBUSY, -EBUSY, -ESRCH};
    CHECK(co_resume(slot->co, in, &out) == refused[slot->state]);
    CHECK(out == UNTOUCHED);
}

static void throw_into(struct slot *slot) {
    void *out = UNTOUCHED;
    int error = random_error();
    if (slot->state == EMPTY || error <= 0) {
        CHECK(co_throw(slot->co, error, &out) == -EINVAL && out == UNTOUCHED);
    } else if (slot->state == RUNNING || slot->state == NORMAL) {
        CHECK(co_throw(slot->co, error, &out) == -EBUSY && out == UNTOUCHED);
    } else if (slot->state == SUSPENDED) {
        slot->sent = NULL;
        slot->error = error;
        model_enter(slot);
        int status = co_throw(slot->co, error, &out);
        check_run(slot, status, out);
    } else {
        CHECK(co_throw(slot->co, error, &out) == -error && out == NULL);
        slot->state = DEAD;
    }
}

static void end(struct slot *slot, bool destroy) {
    int expected = 0, status;
    if (slot->state == SUSPENDED) {
        slot->failure = slot->outcome = slot->error = 0;
        slot->yielded = false;
        slot->ending = true;
        model_enter(slot);
        status = destroy ? co_destroy(slot->co) : co_close(slot->co);
        model_leave(slot, DEAD);
        CHECK(slot->deferreds == 0);
        expected = destroy && slot->outcome == EBUSY ? -EINVAL : -slot->outcome;
    } else {
        const bool busy = slot->state == RUNNING || slot->state == NORMAL;
        status = destroy ? co_destroy(slot->co) : co_close(slot->co);
        expected = busy ? -EBUSY : slot->state == EMPTY && !destroy ? -EINVAL : 0;
        if (slot->state == FRESH)
            slot->state = DEAD;
        if (busy)
            destroy = false;
    }
    CHECK(status == expected);
    if (destroy) {
        slot->co = NULL;
        slot->state = EMPTY;
    }
}

/* A few operations, some of them a call deeper. */
static __attribute__((noinline)) void act(int most) {
    volatile int depth_matters[4] = {most, below(9), 0, 0};
    for (int count = below(most + 1); count > 0 && operations < OPERATIONS; count--) {
        struct slot *slot = &slots[below(SLOTS)];
        operations++;
        switch (below(12)) {
        case 0:
        case 1:
        case 2:
            create(slot);
            break;
        case 3:
            throw_into(slot);
            break;
        case 4:
            end(slot, below(2) != 0);
            break;
        case 5:
            act(most - 1);
            break;
        case 6:
            if (current != MAIN && !slots[current].ending) {
                yield_at_random(&slots[current]);
            } else if (current == MAIN) {
                errno = 0;
                CHECK(co_yield(NULL) == NULL && errno == EPERM);
                CHECK(co_defer(deferred_call, NULL) == -EPERM);
            }
            break;
        case 7:
            if (current != MAIN)
                defer_at_random(&slots[current]);
            break;
        default:
            if (slot->state != SUSPENDED && slot->state != FRESH)
                slot = &slots[below(SLOTS)];
            resume(slot);
        }
        check_everything();
    }
    CHECK(depth_matters[0] == most);
}

static void run_program(uint64_t number) {
    seed = number;
    random_state = (number + 1) * 0x9e3779b97f4a7c15;
    operations = next_number = 0;
    current = MAIN;
    while (operations < OPERATIONS) {
        operations++;
        act(4);
    }
    for (int i = 0, first = below(SLOTS); i < SLOTS; i++)
        end(&slots[(first + i) % SLOTS], true);
    check_everything();
    CHECK(allocated == 0);
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Any answer, order or state that differs from the contract, in combinations nobody thought of. */
static void test_random_programs(void **state) {
    (void)state;
    const char *chosen = getenv("CO_TEST_SEED");
    if (chosen != NULL) {
        run_program(strtoull(chosen, NULL, 10));
        return;
    }
    const double start = seconds();
    int programs = 0;
    while (programs < PROGRAMS && (programs < 100 || seconds() - start < most_seconds))
        run_program((uint64_t)programs++);
    print_message("%d programs\n", programs);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_programs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
