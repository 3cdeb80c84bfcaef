/* Barriers: one that opens too early, since somebody who went away is counted yet, or not at all. */
#define _GNU_SOURCE
#include "sync.h"

static co_barrier_t barrier;
static int depth;

struct party {
    int64_t deadline;
    int status;
    char letter;
};

static int wait_as_told(void *arg) {
    const struct party *party = arg;
    return co_barrier_wait(&barrier, party->deadline);
}

static void *wait_once(void *arg) {
    struct party *party = arg;
    party->status = 2;
    party->status = call_at_depth(depth, wait_as_told, party);
    trace_add(party->letter);
    return NULL;
}

static void at_each_depth(uint64_t parties, co_fn fn) {
    for (int i = 0; i < DEPTHS; i++) {
        depth = depths[i];
        barrier = (co_barrier_t)CO_BARRIER_INIT(parties);
        trace_clear();
        assert_int_equal(run_quietly(fn, NULL), 0);
        assert_int_equal(co_barrier_destroy(&barrier), 0);
    }
    depth = 0;
}

enum { COUNT = 4 };
static struct party parties[COUNT];
static co_t *tasks[COUNT];

static void spawn_party(int i, int64_t deadline) {
    parties[i] = (struct party){deadline, 0, "abcd"[i]};
    assert_non_null(tasks[i] = co_spawn(wait_once, &parties[i]));
}

/* ---- Rounds ---------------------------------------------------------------------------------------------------- */

static void *rounds(void *arg) {
    for (int round = 0; round < 3; round++) {
        trace_clear();
        for (int i = 0; i < 2; i++)
            spawn_party(i, CO_NEVER);
        settle();
        assert_trace("");
        assert_int_equal(co_barrier_destroy(&barrier), -EBUSY);
        assert_int_equal(co_barrier_wait(&barrier, 0), 1); /* however late */
        assert_int_equal(co_barrier_destroy(&barrier), 0);
        join_all(tasks, 2);
        assert_trace("ab");
        for (int i = 0; i < 2; i++)
            assert_int_equal(parties[i].status, 0);
    }
    return arg;
}

static void *alone(void *arg) {
    for (int i = 0; i < 3; i++)
        assert_int_equal(co_barrier_wait(&barrier, CO_NEVER), 1);
    return arg;
}

static void *without_parties(void *arg) {
    assert_int_equal(co_barrier_wait(&barrier, CO_NEVER), -EINVAL);
    return arg;
}

static void test_rounds(void **state) {
    (void)state;
    at_each_depth(3, rounds);
    at_each_depth(1, alone);
    at_each_depth(0, without_parties);
}

/* ---- Those who go away ------------------------------------------------------------------------------------------- */

static void *gives_up(void *arg) {
    static const int64_t past[] = {INT64_MIN, -1, 0};
    for (int i = 0; i < 3; i++)
        assert_int_equal(co_barrier_wait(&barrier, past[i]), -ETIMEDOUT);
    spawn_party(0, CO_NEVER);
    spawn_party(1, co_after(5));
    spawn_party(2, CO_NEVER);
    settle();
    assert_int_equal(co_cancel(tasks[2]), 0);
    assert_int_equal(co_sleep(10), 0);
    assert_trace("cb");
    assert_int_equal(parties[1].status, -ETIMEDOUT);
    assert_int_equal(parties[2].status, -ECANCELED);
    join_all(tasks + 1, 2);
    spawn_party(1, CO_NEVER);
    settle();
    assert_int_equal(co_barrier_wait(&barrier, co_after(5)), -ETIMEDOUT); /* a, b, and this task */
    spawn_party(2, CO_NEVER);
    settle();
    assert_trace("cb");
    spawn_party(3, CO_NEVER);
    settle();
    assert_trace("cbdabc");
    assert_int_equal(parties[3].status, 1);
    join_all(tasks, COUNT);
    co_cancel(co_task());
    assert_int_equal(co_barrier_wait(&barrier, CO_NEVER), -ECANCELED);
    return arg;
}

static void *gives_up_at_the_opening(void *arg) {
    for (int i = 0; i < 3; i++)
        spawn_party(i, CO_NEVER);
    settle();
    assert_int_equal(co_cancel(tasks[0]), 0); /* it has not had its turn when the fourth comes */
    assert_int_equal(co_barrier_wait(&barrier, 0), -ETIMEDOUT);
    assert_int_equal(parties[0].status, 2);
    settle();
    assert_trace("a");
    spawn_party(3, CO_NEVER);
    settle();
    assert_trace("a");
    assert_int_equal(co_barrier_wait(&barrier, 0), 1);
    assert_int_equal(co_cancel(tasks[3]), 0); /* too late */
    join_all(tasks, COUNT);
    assert_trace("abcd");
    assert_int_equal(parties[0].status, -ECANCELED);
    assert_int_equal(parties[3].status, 0);
    return arg;
}

static void test_deadlines_and_cancels(void **state) {
    (void)state;
    at_each_depth(4, gives_up);
    at_each_depth(4, gives_up_at_the_opening);
}

/* ---- Any order ------------------------------------------------------------------------------------------------- */

enum { TASKS = 5, ROUNDS = 6 };
static int arrived[ROUNDS], serial[ROUNDS];
static co_t *workers[TASKS];

/* Whoever gives up, comes again. */
static void *work(void *arg) {
    struct party party = {0, 0, 0};
    for (int round = 0; round < ROUNDS; round++) {
        arrived[round]++;
        do {
            dawdle();
            party.deadline = random_deadline();
            party.status = call_at_depth(depths[number_of(arg) % DEPTHS], wait_as_told, &party);
        } while (gave_up(party.status));
        assert_true(party.status == 0 || party.status == 1);
        serial[round] += party.status;
        assert_int_equal(arrived[round], TASKS);
    }
    return NULL;
}

static void *work_and_cancel(void *arg) {
    for (int i = 0; i < TASKS; i++)
        workers[i] = co_spawn(work, value_of(i));
    for (int i = 0; i < 12; i++) {
        co_cancel(workers[random_below(TASKS)]);
        co_sleep(random_below(4));
    }
    join_all(workers, TASKS);
    return arg;
}

static void test_rounds_in_any_order(void **state) {
    (void)state;
    for (int seed = 0; seed < seeds(); seed++) {
        random_begin((uint64_t)seed);
        barrier = (co_barrier_t)CO_BARRIER_INIT(TASKS);
        memset(arrived, 0, sizeof arrived);
        memset(serial, 0, sizeof serial);
        assert_int_equal(run_seeded((uint64_t)seed, work_and_cancel, NULL), 0);
        assert_int_equal(co_barrier_destroy(&barrier), 0);
        for (int round = 0; round < ROUNDS; round++)
            assert_int_equal(serial[round], 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rounds),
        cmocka_unit_test(test_deadlines_and_cancels),
        cmocka_unit_test(test_rounds_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
