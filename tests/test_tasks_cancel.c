/* co_cancel in every state that a task can be in, co_uncancel, and co_shield. */
#define _GNU_SOURCE
#include "tasks.h"

/* Every blocking call answers -ECANCELED, and nothing else does. */
static void assert_cancelled_here(void *arg) {
    (void)arg;
    assert_int_equal(co_cancelled(), 1);
    assert_int_equal(co_sched_yield(), -ECANCELED);
    assert_int_equal(co_sleep(0), -ECANCELED);
    assert_int_equal(co_sleep(MS), -ECANCELED);
    assert_int_equal(co_sleep_until(CO_NEVER), -ECANCELED);
    assert_int_equal(co_park(CO_NEVER), -ECANCELED);
    assert_int_equal(co_park(0), -ECANCELED);
    assert_int_equal(co_join(NULL, NULL, CO_NEVER), -ECANCELED);
    assert_int_equal(co_join(co_task(), NULL, CO_NEVER), -ECANCELED);
}

static void assert_not_cancelled(void *arg) {
    (void)arg;
    assert_int_equal(co_cancelled(), 0);
    assert_int_equal(co_sched_yield(), 0);
    assert_int_equal(co_sleep(MS), 0);
    assert_int_equal(co_park(0), -ETIMEDOUT);
}

/* ---- In every state ---------------------------------------------------------------------------------------------- */

static void *find_oneself_cancelled(void *arg) {
    for (int i = 0; i < DEPTHS; i++)
        at_depth(depths[i], assert_cancelled_here, NULL);
    co_t *child = co_spawn(do_nothing, NULL); /* what does not block goes on */
    assert_non_null(child);
    assert_int_equal(co_detach(child), 0);
    assert_null(co_yield(arg));
    return arg;
}

static void *be_cancelled_first(void *arg) {
    void *result = UNTOUCHED;
    co_t *task = co_spawn(find_oneself_cancelled, value_of(4));
    assert_int_equal(co_cancel(task), 0);
    assert_int_equal(co_cancel(task), 0);
    assert_int_equal(co_join(task, &result, CO_NEVER), 0); /* it has run all the same */
    assert_int_equal(number_of(result), 4);
    return arg;
}

static void test_before_it_has_run(void **state) {
    (void)state;
    run_in_every_order(be_cancelled_first, 0);
}

enum call { SLEEP, SLEEP_FOR_EVER, PARK, PARK_UNTIL, JOIN, JOIN_UNTIL, CALLS };

struct blocking {
    enum call call;
    int depth;
    co_t *other;
};

static void block_until_cancelled(void *arg) {
    const struct blocking *blocking = arg;
    void *result = UNTOUCHED;
    int status = 0;
    switch (blocking->call) {
    case SLEEP:
        status = co_sleep(10 * MS);
        break;
    case SLEEP_FOR_EVER:
        status = co_sleep_until(CO_NEVER);
        break;
    case PARK:
        status = co_park(CO_NEVER);
        break;
    case PARK_UNTIL:
        status = co_park(co_after(10 * MS));
        break;
    case JOIN:
        status = co_join(blocking->other, &result, CO_NEVER);
        break;
    case JOIN_UNTIL:
        status = co_join(blocking->other, &result, co_after(10 * MS));
        break;
    case CALLS:
        break;
    }
    assert_int_equal(status, -ECANCELED);
    assert_ptr_equal(result, UNTOUCHED);
    assert_int_equal(co_now() % (10 * MS), MS);
    assert_cancelled_here(NULL);
    assert_int_equal(co_uncancel(), 1);
    assert_int_equal(co_uncancel(), 0);
    assert_int_equal(co_cancelled(), 0);
    assert_int_equal(co_sched_yield(), 0);
}

static void *block_at_depth(void *arg) {
    at_depth(((struct blocking *)arg)->depth, block_until_cancelled, arg);
    return NULL;
}

static void *cancel_each_call(void *arg) {
    for (int call = 0; call < CALLS; call++)
        for (int i = 0; i < DEPTHS; i++) {
            struct blocking blocking = {(enum call)call, depths[i], co_spawn(wait_for_cancel, NULL)};
            co_t *task = co_spawn(block_at_depth, &blocking);
            assert_int_equal(co_sleep(MS), 0);
            assert_int_equal(co_cancel(task), 0);
            assert_int_equal(co_cancel(task), 0);
            assert_joined(task, 0);
            assert_int_equal(co_cancel(blocking.other), 0);
            assert_joined(blocking.other, -ECANCELED); /* it has not been joined, nor freed */
            assert_int_equal(co_sleep_until((co_now() / (10 * MS) + 1) * 10 * MS), 0);
        }
    return arg;
}

/* A call that sleeps through; one that stays in a queue, or keeps its timer. */
static void test_in_each_call(void **state) {
    (void)state;
    run_in_every_order(cancel_each_call, 0);
}

static void *yield_and_note(void *arg) {
    int *answers = arg;
    answers[0] = co_sched_yield();
    answers[1] = co_sched_yield();
    return NULL;
}

static void *cancel_runnable(void *arg) {
    int answers[2] = {1, 1};
    co_t *task = co_spawn(yield_and_note, answers);
    assert_int_equal(co_sched_yield(), 0);
    assert_int_equal(co_cancel(task), 0);
    assert_joined(task, 0);
    assert_int_equal(answers[0], 0); /* its turn was on the way */
    assert_int_equal(answers[1], -ECANCELED);
    return arg;
}

/* An answer that had come already and is taken back. */
static void test_runnable(void **state) {
    (void)state;
    assert_int_equal(run_virtually(cancel_runnable, NULL), 0);
}

static void *cancel_oneself(void *arg) {
    assert_not_cancelled(NULL);
    assert_int_equal(co_cancel(co_task()), 0);
    for (int i = 0; i < DEPTHS; i++)
        at_depth(depths[i], assert_cancelled_here, NULL);
    assert_int_equal(co_uncancel(), 1);
    for (int i = 0; i < DEPTHS; i++)
        at_depth(depths[i], assert_not_cancelled, NULL);
    return arg;
}

static void test_oneself(void **state) {
    (void)state;
    run_in_every_order(cancel_oneself, 0);
}

static void *cancel_refused(void *arg) {
    co_t *co = co_create(do_nothing, NULL), *task = co_spawn(do_nothing, NULL);
    assert_int_equal(co_cancel(NULL), -EINVAL);
    assert_int_equal(co_cancel(co), -EINVAL);
    assert_int_equal(co_destroy(co), 0);
    assert_int_equal(co_sleep(MS), 0);
    assert_int_equal(co_cancel(task), -ESRCH);
    assert_int_equal(co_unpark(task), -ESRCH);
    assert_joined(task, 0);
    assert_int_equal(co_unshield(), -EINVAL);
    return arg;
}

static void test_refused(void **state) {
    (void)state;
    run_in_every_order(cancel_refused, 0);
}

static void *end_cancelled(void *arg) {
    co_t *task = co_spawn(do_nothing, NULL);
    assert_int_equal(co_cancel(task), 0);
    assert_joined(task, 0);
    for (int i = 0; i < 3; i++) { /* on the same stack, most likely */
        task = co_spawn(cancel_oneself, NULL);
        assert_joined(task, 0);
    }
    return arg;
}

/* A mark that the next task on that stack inherits. */
static void test_stack_used_again(void **state) {
    (void)state;
    run_in_every_order(end_cancelled, 0);
}

/* ---- Shields ----------------------------------------------------------------------------------------------------- */

static void *clean_up_shielded(void *arg) {
    const int64_t begin = co_now();
    assert_int_equal(co_shield(), 0);
    assert_int_equal(co_shield(), 0);
    assert_int_equal(co_sleep(2 * MS), 0); /* cancelled in the middle of it */
    assert_int_equal(co_now(), begin + 2 * MS);
    assert_int_equal(co_cancelled(), 1);
    assert_int_equal(co_sched_yield(), 0);
    assert_int_equal(co_unshield(), 0);
    assert_int_equal(co_sleep(MS), 0); /* one is left */
    assert_int_equal(co_unshield(), 0);
    assert_int_equal(co_unshield(), -EINVAL);
    assert_cancelled_here(NULL);
    assert_int_equal(co_shield(), 0);
    assert_int_equal(co_sleep(MS), 0);
    assert_int_equal(co_uncancel(), 1);
    assert_int_equal(co_unshield(), 0);
    assert_not_cancelled(NULL);
    return arg;
}

static void *cancel_shielded(void *arg) {
    co_t *task = co_spawn(clean_up_shielded, NULL);
    assert_int_equal(co_sleep(MS), 0);
    assert_int_equal(co_cancel(task), 0);
    assert_joined(task, 0);
    return arg;
}

static void test_shield(void **state) {
    (void)state;
    run_in_every_order(cancel_shielded, 0);
}

/* ---- At the same instant ----------------------------------------------------------------------------------------- */

static void *sleep_a_while(void *arg) {
    *(int *)arg = co_sleep_until(MS);
    return NULL;
}

static void *cancel_at_the_deadline(void *arg) {
    int answer = 1;
    co_t *task = co_spawn(sleep_a_while, &answer);
    assert_int_equal(co_sleep_until(MS), 0);
    const int status = co_cancel(task); /* the sleep is over, whether the sleeper knows or not */
    assert_true(status == 0 || status == -ESRCH);
    assert_joined(task, 0);
    assert_int_equal(answer, 0);
    return arg;
}

/* A deadline that has come, and is unsaid. */
static void test_cancel_at_the_deadline(void **state) {
    (void)state;
    run_in_every_order(cancel_at_the_deadline, 0);
}

static void *join_and_note(void *arg) {
    void *result = UNTOUCHED;
    const int status = co_join(arg, &result, CO_NEVER);
    if (status == 0)
        assert_int_equal(number_of(result), 12);
    else
        assert_ptr_equal(result, UNTOUCHED);
    return value_of(status);
}

static void *end_at_once(void *arg) {
    (void)co_sleep_until(MS);
    return arg;
}

static void *cancel_a_joiner(void *arg) {
    void *answer = NULL, *result = UNTOUCHED;
    co_t *task = co_spawn(end_at_once, value_of(12)), *joiner = co_spawn(join_and_note, task);
    assert_int_equal(co_sleep_until(MS), 0);
    (void)co_cancel(joiner);
    assert_int_equal(co_join(joiner, &answer, CO_NEVER), 0);
    if (number_of(answer) == -ECANCELED) { /* then it is still to be joined, and else it is gone */
        assert_int_equal(co_join(task, &result, CO_NEVER), 0);
        assert_int_equal(number_of(result), 12);
    } else {
        assert_int_equal(number_of(answer), 0);
    }
    return arg;
}

/* A result that is lost between two. */
static void test_cancel_a_joiner(void **state) {
    (void)state;
    run_in_every_order(cancel_a_joiner, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_before_it_has_run),
        cmocka_unit_test(test_in_each_call),
        cmocka_unit_test(test_runnable),
        cmocka_unit_test(test_oneself),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_stack_used_again),
        cmocka_unit_test(test_shield),
        cmocka_unit_test(test_cancel_at_the_deadline),
        cmocka_unit_test(test_cancel_a_joiner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
