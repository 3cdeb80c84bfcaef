/* Deadlines and cancels: a call that they end was not done, and one that was done is not undone by them. */
#define _GNU_SOURCE
#include "channels.h"

static const int64_t passed[] = {INT64_MIN, -1, 0, 1, 999};

/* Every call that would wait, with deadlines that have passed; every call that need not, with the same. */
static void *try_all(void *arg) {
    co_chan_t *empty = int_chan(0), *full = int_chan(1);
    int item = 5;
    assert_int_equal(co_sleep(1000), 0);
    for (size_t i = 0; i < sizeof passed / sizeof passed[0]; i++) {
        assert_int_equal(send_by(full, (int)i + 1, passed[i]), 0);
        assert_int_equal(send_by(full, 9, passed[i]), -ETIMEDOUT);
        assert_int_equal(send_by(empty, 9, passed[i]), -ETIMEDOUT);
        assert_int_equal(receive_by(empty, &item, passed[i]), -ETIMEDOUT);
        assert_int_equal(item, 5);
        assert_int_equal(co_now(), 1000);
        assert_int_equal(receive_by(full, &item, passed[i]), 1);
        assert_int_equal(item, (int)i + 1);
        item = 5;
        assert_int_equal(receive_by(full, &item, passed[i]), -ETIMEDOUT);
    }
    assert_int_equal(co_chan_destroy(empty), 0);
    assert_int_equal(co_chan_destroy(full), 0);
    return arg;
}

/* A try that waits, or that fails though there was nothing to wait for. */
static void test_deadlines_that_have_passed(void **state) {
    (void)state;
    run_in_order(try_all, NULL);
}

static void *wait_until(void *arg) {
    co_chan_t *chan = int_chan(0);
    int item = 5;
    for (int64_t deadline = 10; deadline < 50; deadline += 10) {
        assert_int_equal(receive_by(chan, &item, deadline), -ETIMEDOUT);
        assert_int_equal(co_now(), deadline);
        assert_int_equal(send_by(chan, 1, deadline + 5), -ETIMEDOUT);
        assert_int_equal(co_now(), deadline + 5);
        assert_int_equal(co_chan_destroy(chan), 0); /* nobody waits */
        chan = int_chan(0);
    }
    assert_int_equal(item, 5);
    assert_int_equal(co_chan_destroy(chan), 0);
    return arg;
}

/* A deadline that comes too early or too late, or leaves an entry in a queue. */
static void test_deadlines_that_come(void **state) {
    (void)state;
    run_in_order(wait_until, NULL);
}

/* ---- At the same instant ----------------------------------------------------------------------------------------- */

struct side {
    co_chan_t *chan;
    int64_t deadline;
    int status, item;
    int after; /* what its next blocking call answers */
};

static void *receiving(void *arg) {
    struct side *side = arg;
    side->status = receive_by(side->chan, &side->item, side->deadline);
    side->after = co_sched_yield();
    return NULL;
}

static void *sending(void *arg) {
    struct side *side = arg;
    side->status = send_by(side->chan, 8, side->deadline);
    side->after = co_sched_yield();
    return NULL;
}

/* The other side is served in the same turn in which it is cancelled; which comes first decides. */
static void *serve_and_cancel(void *arg) {
    const bool receives = number_of(arg) % 2 == 0, served_first = number_of(arg) / 2 == 0;
    struct side side = {int_chan(0), CO_NEVER, 99, 0, 99};
    int item = 0;
    co_t *task = spawn(receives ? receiving : sending, &side);
    settle();
    for (int i = 0; i < 2; i++) {
        if ((i == 0) != served_first)
            assert_int_equal(co_cancel(task), 0);
        else if (receives)
            assert_int_equal(co_chan_send(side.chan, &(int){8}, 0), served_first ? 0 : -ETIMEDOUT);
        else
            assert_int_equal(co_chan_receive(side.chan, &item, 0), served_first ? 1 : -ETIMEDOUT);
    }
    join(task);
    assert_int_equal(side.after, -ECANCELED);
    if (served_first)
        assert_int_equal(side.status, receives ? 1 : 0);
    else
        assert_int_equal(side.status, -ECANCELED);
    assert_int_equal(receives ? side.item : item, served_first ? 8 : 0);
    assert_int_equal(co_chan_destroy(side.chan), 0);
    return NULL;
}

/* An item that a cancel loses, or doubles, after it has been handed over; a cancel that is forgotten. */
static void test_a_cancel_at_the_same_instant(void **state) {
    (void)state;
    for (intptr_t i = 0; i < 4; i++)
        run_in_all_orders(serve_and_cancel, value_of(i));
}

/* Both are to happen at instant 100: in which order is the scheduler's affair, but both sides tell the same. */
static void *serve_at_the_deadline(void *arg) {
    const bool receives = number_of(arg) % 2 == 0;
    struct side side = {int_chan(0), 100, 99, 0, 99};
    int item = 0, status;
    co_t *task;
    if (number_of(arg) / 2 == 0) {
        task = spawn(receives ? receiving : sending, &side);
        settle();
        assert_int_equal(co_sleep_until(100), 0);
    } else {
        task = spawn(receives ? receiving : sending, &side);
        assert_int_equal(co_sleep_until(100), 0);
    }
    if (receives)
        status = send_by(side.chan, 8, 0) == 0;
    else
        status = receive_by(side.chan, &item, 0);
    join(task);
    if (status == 1) {
        assert_int_equal(side.status, receives ? 1 : 0);
        assert_int_equal(receives ? side.item : item, 8);
    } else {
        assert_int_equal(side.status, -ETIMEDOUT);
        assert_int_equal(receives ? side.item : item, 0);
    }
    assert_int_equal(co_chan_destroy(side.chan), 0);
    return NULL;
}

/* An item of which one side says that it was handed over, and the other that it was not. */
static void test_a_deadline_at_the_same_instant(void **state) {
    (void)state;
    for (intptr_t i = 0; i < 4; i++)
        run_in_all_orders(serve_at_the_deadline, value_of(i));
}

static void *serve_and_pass_the_deadline(void *arg) {
    struct side side = {int_chan(0), 50, 99, 0, 99};
    co_t *task = spawn(receiving, &side);
    settle();
    assert_int_equal(send_by(side.chan, 8, 0), 0);
    assert_int_equal(co_sleep_until(60), 0);
    join(task);
    assert_int_equal(side.status, 1);
    assert_int_equal(side.item, 8);
    assert_int_equal(side.after, 0);
    assert_int_equal(co_chan_destroy(side.chan), 0);
    return arg;
}

/* A timer that goes on running after the call was served. */
static void test_served_before_the_deadline(void **state) {
    (void)state;
    run_in_all_orders(serve_and_pass_the_deadline, NULL);
}

/* ---- Cancelled before, and shielded ------------------------------------------------------------------------------ */

static void *call_when_cancelled(void *arg) {
    co_chan_t *chan = int_chan(1);
    int item = 5;
    assert_int_equal(co_cancel(co_task()), 0);
    assert_int_equal(send_by(chan, 1, 0), -ECANCELED);
    assert_int_equal(co_chan_count(chan), 0);
    assert_int_equal(co_shield(), 0);
    assert_int_equal(send_by(chan, 1, CO_NEVER), 0);
    assert_int_equal(send_by(chan, 2, 10), -ETIMEDOUT);
    assert_int_equal(co_unshield(), 0);
    assert_int_equal(receive_by(chan, &item, 0), -ECANCELED);
    assert_int_equal(send_by(NULL, 1, 0), -ECANCELED);
    assert_int_equal(co_chan_close(chan), 0);
    assert_int_equal(send_by(chan, 1, 0), -ECANCELED);
    assert_int_equal(item, 5);
    assert_int_equal(co_uncancel(), 1);
    assert_int_equal(receive_by(chan, &item, 0), 1);
    assert_int_equal(item, 1);
    assert_int_equal(co_chan_destroy(chan), 0);
    return arg;
}

/* A call that is done although its task is cancelled, or not done although it is shielded. */
static void test_cancelled_before_the_call(void **state) {
    (void)state;
    run_in_order(call_when_cancelled, NULL);
}

/* ---- Others stay in line ----------------------------------------------------------------------------------------- */

enum { WAITERS = 3 };

static void *leave_the_line(void *arg) {
    const int leaves = (int)number_of(arg) % WAITERS;
    const bool cancelled = number_of(arg) < WAITERS;
    co_chan_t *chan = int_chan(0);
    struct side sides[WAITERS];
    co_t *tasks[WAITERS];
    for (int i = 0; i < WAITERS; i++) {
        sides[i] = (struct side){chan, i == leaves && !cancelled ? 100 : CO_NEVER, 99, 0, 99};
        tasks[i] = spawn(receiving, &sides[i]);
        settle();
    }
    if (cancelled)
        assert_int_equal(co_cancel(tasks[leaves]), 0);
    assert_int_equal(co_sleep_until(200), 0);
    for (int i = 0; i < WAITERS - 1; i++)
        assert_int_equal(send_by(chan, i + 1, 0), 0);
    assert_int_equal(send_by(chan, 9, 0), -ETIMEDOUT);
    for (int i = 0, next = 1; i < WAITERS; i++) {
        join(tasks[i]);
        assert_int_equal(sides[i].status, i != leaves ? 1 : cancelled ? -ECANCELED : -ETIMEDOUT);
        assert_int_equal(sides[i].item, i != leaves ? next++ : 0);
    }
    assert_int_equal(co_chan_destroy(chan), 0);
    return NULL;
}

/* A queue that falls apart when its first, its last, or one in the middle leaves. */
static void test_one_leaves_the_line(void **state) {
    (void)state;
    for (intptr_t i = 0; i < 2 * WAITERS; i++)
        run_in_all_orders(leave_the_line, value_of(i));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deadlines_that_have_passed),   cmocka_unit_test(test_deadlines_that_come),
        cmocka_unit_test(test_a_cancel_at_the_same_instant), cmocka_unit_test(test_a_deadline_at_the_same_instant),
        cmocka_unit_test(test_served_before_the_deadline),   cmocka_unit_test(test_cancelled_before_the_call),
        cmocka_unit_test(test_one_leaves_the_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
