/* Closing in every state: what the channel holds is received yet, and everybody who waits is told. */
#define _GNU_SOURCE
#include "channels.h"

enum { WAITERS = 3 };

static void *receive_end(void *chan) {
    int item = 5;
    assert_int_equal(receive_by(chan, &item, CO_NEVER), 0);
    assert_int_equal(item, 5);
    return NULL;
}

static void *send_refused(void *chan) {
    assert_int_equal(send_by(chan, 1, CO_NEVER), -EPIPE);
    return NULL;
}

static void assert_closed(co_chan_t *chan) {
    int item = 5;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(receive_by(chan, &item, CO_NEVER), 0);
        assert_int_equal(receive_by(chan, &item, 0), 0);
        assert_int_equal(send_by(chan, 1, CO_NEVER), -EPIPE);
        assert_int_equal(send_by(chan, 1, 0), -EPIPE);
        assert_int_equal(item, 5);
        assert_int_equal(co_chan_count(chan), 0);
        assert_int_equal(co_chan_close(chan), 0);
    }
}

static void *close_unused(void *arg) {
    co_chan_t *chan = int_chan((size_t)number_of(arg));
    assert_int_equal(co_chan_close(chan), 0);
    assert_closed(chan);
    assert_int_equal(co_chan_capacity(chan), number_of(arg));
    assert_int_equal(co_chan_destroy(chan), 0);
    return NULL;
}

static void *close_full(void *arg) {
    const int capacity = (int)number_of(arg);
    co_chan_t *chan = int_chan((size_t)capacity);
    for (int i = 1; i <= capacity; i++)
        assert_int_equal(send_by(chan, i, 0), 0);
    assert_int_equal(co_chan_close(chan), 0);
    for (int i = 1; i <= capacity; i++) {
        assert_int_equal(send_by(chan, 9, 0), -EPIPE);
        assert_int_equal(co_chan_count(chan), capacity - i + 1);
        assert_int_equal(try_receive(chan), i);
    }
    assert_closed(chan);
    assert_int_equal(co_chan_destroy(chan), 0);
    return NULL;
}

/* A closed channel that takes items, gives what it does not hold, or loses what it does. */
static void test_nobody_waits(void **state) {
    (void)state;
    for (intptr_t capacity = 0; capacity < 3; capacity++) {
        run_in_order(close_unused, value_of(capacity));
        run_in_order(close_full, value_of(capacity));
    }
}

static void *close_before_receivers(void *arg) {
    co_chan_t *chan = int_chan((size_t)number_of(arg));
    co_t *tasks[WAITERS];
    for (int i = 0; i < WAITERS; i++)
        tasks[i] = spawn(receive_end, chan);
    if (number_of(arg) != 2)
        settle();
    assert_int_equal(co_chan_close(chan), 0);
    for (int i = 0; i < WAITERS; i++)
        join(tasks[i]);
    assert_closed(chan);
    assert_int_equal(co_chan_destroy(chan), 0);
    return NULL;
}

/* A receiver that waits for what nobody can send any more. */
static void test_receivers_wait(void **state) {
    (void)state;
    for (intptr_t capacity = 0; capacity < 3; capacity++)
        run_in_all_orders(close_before_receivers, value_of(capacity));
}

static void *close_before_senders(void *arg) {
    const int capacity = (int)number_of(arg);
    co_chan_t *chan = int_chan((size_t)capacity);
    co_t *tasks[WAITERS];
    for (int i = 1; i <= capacity; i++)
        assert_int_equal(send_by(chan, i + 10, 0), 0);
    for (int i = 0; i < WAITERS; i++)
        tasks[i] = spawn(send_refused, chan);
    settle();
    assert_int_equal(co_chan_close(chan), 0);
    assert_int_equal(co_chan_count(chan), capacity);
    for (int i = 0; i < WAITERS; i++)
        join(tasks[i]);
    for (int i = 1; i <= capacity; i++)
        assert_int_equal(try_receive(chan), i + 10);
    assert_closed(chan);
    assert_int_equal(co_chan_destroy(chan), 0);
    return NULL;
}

/* A sender that is not told, or whose item is received though it was told. */
static void test_senders_wait(void **state) {
    (void)state;
    for (intptr_t capacity = 0; capacity < 3; capacity++)
        run_in_all_orders(close_before_senders, value_of(capacity));
}

static void *close_and_destroy(void *arg) {
    co_chan_t *chan = int_chan(0);
    co_t *receivers[WAITERS], *senders[WAITERS];
    for (int i = 0; i < WAITERS; i++)
        receivers[i] = spawn(receive_end, chan);
    settle();
    assert_int_equal(co_chan_destroy(chan), -EBUSY);
    assert_int_equal(co_chan_close(chan), 0);
    assert_int_equal(co_chan_destroy(chan), 0);
    chan = int_chan(0);
    for (int i = 0; i < WAITERS; i++)
        senders[i] = spawn(send_refused, chan);
    settle();
    assert_int_equal(co_chan_destroy(chan), -EBUSY);
    assert_int_equal(co_chan_close(chan), 0);
    assert_int_equal(co_chan_destroy(chan), 0);
    for (int i = 0; i < WAITERS; i++) {
        join(receivers[i]);
        join(senders[i]);
    }
    return arg;
}

/* A task that looks at the channel when its turn comes, which is after the channel is gone: for address sanitizers. */
static void test_destroyed_before_the_turns_of_the_woken(void **state) {
    (void)state;
    run_in_all_orders(close_and_destroy, NULL);
}

struct handed {
    co_chan_t *chan;
    int item;
};

static void *receive_handed(void *arg) {
    struct handed *handed = arg;
    assert_int_equal(receive_by(handed->chan, &handed->item, CO_NEVER), 1);
    return NULL;
}

static void *close_after_handing_over(void *arg) {
    struct handed handed = {int_chan(0), 0};
    co_t *task = spawn(receive_handed, &handed);
    settle();
    assert_int_equal(send_by(handed.chan, 4, 0), 0);
    assert_int_equal(co_chan_close(handed.chan), 0);
    assert_int_equal(co_chan_destroy(handed.chan), 0);
    join(task);
    assert_int_equal(handed.item, 4);
    return arg;
}

/* An item that is handed over, and lost by a close before the receiver's turn. */
static void test_handed_over_before_the_close(void **state) {
    (void)state;
    run_in_all_orders(close_after_handing_over, NULL);
}

static void *close_later(void *chan) {
    assert_int_equal(co_sleep(10), 0);
    assert_int_equal(co_chan_close(chan), 0);
    return NULL;
}

static void *close_while_selected(void *arg) {
    co_chan_t *chan = int_chan(0), *other = int_chan(0);
    int item = 5;
    co_t *closer = spawn(close_later, chan);
    co_select_case_t cases[] = {co_case_receive(other, &item), co_case_send(chan, &item), co_case_receive(chan, &item)};
    assert_int_equal(select_by(cases, 1, 5), -ETIMEDOUT);
    assert_int_equal(select_by(cases, 3, CO_NEVER), 2);
    assert_int_equal(cases[2].status, 0);
    assert_int_equal(item, 5);
    assert_int_equal(co_chan_destroy(other), 0); /* nobody waits there any more */
    join(closer);
    other = int_chan(0);
    closer = spawn(close_later, other);
    cases[0] = co_case_send(other, &item);
    assert_int_equal(select_by(cases, 1, CO_NEVER), 0);
    assert_int_equal(cases[0].status, -EPIPE);
    join(closer);
    assert_int_equal(co_chan_destroy(chan), 0);
    assert_int_equal(co_chan_destroy(other), 0);
    return arg;
}

/* A select that a close does not end, or whose status it does not tell. */
static void test_selects_wait(void **state) {
    (void)state;
    run_in_all_orders(close_while_selected, NULL);
}

/* ---- From where a close comes ------------------------------------------------------------------------------------ */

static void close_chan(void *chan) { assert_int_equal(co_chan_close(chan), 0); }

static void *close_in_a_deferred_call(void *chan) {
    assert_int_equal(co_defer(close_chan, chan), 0);
    return NULL;
}

static void *wait_for_a_deferred_close(void *arg) {
    co_chan_t *chan = int_chan(0);
    co_t *receiver = spawn(receive_end, chan), *closer = spawn(close_in_a_deferred_call, chan);
    join(receiver);
    join(closer);
    assert_int_equal(co_chan_destroy(chan), 0);
    return arg;
}

/* A producer that closes its channel when it ends. */
static void test_closed_by_a_deferred_call(void **state) {
    (void)state;
    run_in_all_orders(wait_for_a_deferred_close, NULL);
}

/* Closing needs no task. */
static void test_closed_outside(void **state) {
    (void)state;
    co_chan_t *chan = int_chan(1);
    assert_int_equal(co_chan_close(chan), 0);
    assert_int_equal(co_chan_close(chan), 0);
    assert_int_equal(co_run(receive_end, chan, NULL), 0);
    assert_int_equal(co_chan_destroy(chan), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_waits),
        cmocka_unit_test(test_receivers_wait),
        cmocka_unit_test(test_senders_wait),
        cmocka_unit_test(test_destroyed_before_the_turns_of_the_woken),
        cmocka_unit_test(test_handed_over_before_the_close),
        cmocka_unit_test(test_selects_wait),
        cmocka_unit_test(test_closed_by_a_deferred_call),
        cmocka_unit_test(test_closed_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
