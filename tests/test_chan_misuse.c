/* Wrong calls answer what is wrong, and change nothing. */
#define _GNU_SOURCE
#include "channels.h"

#include <pthread.h>

/* ---- Arguments --------------------------------------------------------------------------------------------------- */

static void *call_with_nothing(void *arg) {
    co_chan_t *chan = int_chan(1);
    int item = 5;
    for (int i = 0; i < 2; i++) { /* on one that is new, and on one that was used */
        assert_int_equal(co_chan_send(NULL, &item, 0), -EINVAL);
        assert_int_equal(co_chan_send(chan, NULL, 0), -EINVAL);
        assert_int_equal(co_chan_send(chan, NULL, CO_NEVER), -EINVAL);
        assert_int_equal(co_chan_receive(NULL, &item, 0), -EINVAL);
        assert_int_equal(co_chan_receive(chan, NULL, 0), -EINVAL);
        assert_int_equal(co_chan_receive(chan, NULL, CO_NEVER), -EINVAL);
        assert_int_equal(co_chan_count(chan), 0);
        assert_int_equal(co_chan_send(chan, &item, 0), 0);
        assert_int_equal(co_chan_receive(chan, NULL, 0), -EINVAL);
        assert_int_equal(co_chan_count(chan), 1);
        assert_int_equal(co_chan_receive(chan, &item, 0), 1);
    }
    assert_int_equal(co_chan_close(NULL), -EINVAL);
    assert_int_equal(co_chan_destroy(NULL), 0);
    assert_int_equal(co_chan_count(NULL), 0);
    assert_int_equal(co_chan_capacity(NULL), 0);
    assert_int_equal(item, 5);
    assert_int_equal(co_chan_destroy(chan), 0);
    return arg;
}

/* A crash, or an item from nowhere. */
static void test_null(void **state) {
    (void)state;
    run_in_order(call_with_nothing, NULL);
}

/* ---- Callers ----------------------------------------------------------------------------------------------------- */

/* A call that would wait where nobody can. */
static void test_outside_a_task(void **state) {
    (void)state;
    co_chan_t *chan = int_chan(1);
    int item = 5;
    co_select_case_t one = co_case_send(chan, &item);
    assert_int_equal(co_chan_send(chan, &item, 0), -EPERM);
    assert_int_equal(co_chan_receive(chan, &item, 0), -EPERM);
    assert_int_equal(co_chan_send(NULL, &item, 0), -EPERM);
    assert_int_equal(co_select(&one, 1, 0), -EPERM);
    assert_int_equal(co_select(NULL, 0, 0), -EPERM);
    assert_int_equal(co_chan_count(chan), 0);
    assert_int_equal(co_chan_close(chan), 0);
    assert_int_equal(co_chan_destroy(chan), 0);
}

static void *use_from_elsewhere(void *arg) {
    co_chan_t *const *chans = arg;
    for (int i = 0; i < 2; i++) {
        int item = 3;
        co_select_case_t cases[] = {co_case_send(chans[i], &item), co_case_receive(chans[i], &item)};
        assert_int_equal(co_chan_send(chans[i], &item, CO_NEVER), -EPERM);
        assert_int_equal(co_chan_receive(chans[i], &item, CO_NEVER), -EPERM);
        assert_int_equal(co_chan_close(chans[i]), -EPERM);
        assert_int_equal(co_chan_destroy(chans[i]), -EBUSY);
        assert_int_equal(co_select(cases, 1, CO_NEVER), -EPERM);
        assert_int_equal(co_select(cases + 1, 1, CO_NEVER), -EPERM);
    }
    return NULL;
}

static void *another_thread(void *arg) {
    co_chan_t *const *chans = arg;
    assert_int_equal(co_chan_close(chans[0]), -EPERM); /* without a scheduler */
    assert_int_equal(co_run(use_from_elsewhere, arg, NULL), 0);
    return NULL;
}

static void *receive_two(void *chan) {
    int item = 0;
    assert_int_equal(co_chan_receive(chan, &item, CO_NEVER), 1);
    assert_int_equal(item, 2);
    return NULL;
}

static void *send_two(void *chan) {
    assert_int_equal(co_chan_send(chan, &(int){2}, CO_NEVER), 0);
    return NULL;
}

static void *wait_while_others_try(void *arg) {
    co_chan_t *chans[2] = {int_chan(0), int_chan(0)};
    pthread_t thread;
    int item = 0;
    co_t *receiver = spawn(receive_two, chans[0]), *sender = spawn(send_two, chans[1]);
    settle();
    assert_int_equal(pthread_create(&thread, NULL, another_thread, chans), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(co_chan_send(chans[0], &(int){2}, 0), 0);
    assert_int_equal(co_chan_receive(chans[1], &item, 0), 1);
    assert_int_equal(item, 2);
    join(receiver);
    join(sender);
    assert_int_equal(co_chan_destroy(chans[0]), 0);
    assert_int_equal(co_chan_destroy(chans[1]), 0);
    return arg;
}

/* A task of one thread that is woken from another. */
static void test_tasks_of_two_threads(void **state) {
    (void)state;
    run_in_order(wait_while_others_try, NULL);
}

/* ---- Channels that are waited on --------------------------------------------------------------------------------- */

static void *destroy_what_is_waited_on(void *arg) {
    co_chan_t *chans[2] = {int_chan(0), int_chan(0)};
    int item = 0;
    co_t *receiver = spawn(receive_two, chans[0]), *sender = spawn(send_two, chans[1]);
    settle();
    for (int i = 0; i < 2; i++)
        assert_int_equal(co_chan_destroy(chans[i]), -EBUSY);
    assert_int_equal(co_chan_send(chans[0], &(int){2}, 0), 0);
    assert_int_equal(co_chan_receive(chans[1], &item, 0), 1);
    for (int i = 0; i < 2; i++)
        assert_int_equal(co_chan_destroy(chans[i]), 0);
    join(receiver);
    join(sender);
    return arg;
}

/* A channel that is freed under those who wait. */
static void test_destroyed_while_waited_on(void **state) {
    (void)state;
    run_in_all_orders(destroy_what_is_waited_on, NULL);
}

/* ---- Deadlock ---------------------------------------------------------------------------------------------------- */

static co_chan_t *stuck;
static int answers[2];

static void call_once_more(void *arg) {
    int item = 0;
    (void)arg;
    answers[0] = co_chan_receive(stuck, &item, CO_NEVER);
    answers[1] = co_chan_destroy(stuck);
}

static void *receive_for_ever(void *arg) {
    int item = 0;
    assert_int_equal(co_defer(call_once_more, NULL), 0);
    co_chan_receive(stuck, &item, CO_NEVER);
    FAIL("received what nobody has sent");
    return arg;
}

static void receive_deep(void *arg) { receive_for_ever(arg); }

static void *receive_at_depth(void *arg) {
    at_depth(depth, receive_deep, arg);
    return arg;
}

/* A task that is closed where it waits, and stays in the queue: its deferred call destroys the channel. */
static void test_deadlocked(void **state) {
    const co_run_options_t options = {.flags = CO_RUN_QUIET};
    (void)state;
    for (depth = 0; depth <= 10; depth += depth == 0 ? 1 : 9) {
        stuck = int_chan(0);
        assert_int_equal(co_run_with(&options, receive_at_depth, NULL, NULL), -EDEADLK);
        assert_int_equal(answers[0], -ECANCELED);
        assert_int_equal(answers[1], 0);
    }
    depth = 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_null),
        cmocka_unit_test(test_outside_a_task),
        cmocka_unit_test(test_tasks_of_two_threads),
        cmocka_unit_test(test_destroyed_while_waited_on),
        cmocka_unit_test(test_deadlocked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
