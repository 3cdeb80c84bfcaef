/* What a channel is: items arrive once, whole, in order, and at a time that the capacity says. */
#define _GNU_SOURCE
#include "channels.h"

/* ---- Order ------------------------------------------------------------------------------------------------------- */

enum { ITEMS = 8 };

static void *send_numbers(void *arg) {
    for (int i = 1; i <= ITEMS; i++)
        assert_int_equal(send_by(arg, i, CO_NEVER), 0);
    assert_int_equal(co_chan_close(arg), 0);
    return NULL;
}

static void *receive_numbers(void *arg) {
    int item = 0;
    for (int i = 1; i <= ITEMS; i++) {
        assert_int_equal(receive_by(arg, &item, CO_NEVER), 1);
        assert_int_equal(item, i);
    }
    assert_int_equal(receive_by(arg, &item, CO_NEVER), 0);
    assert_int_equal(item, ITEMS);
    return NULL;
}

static void *sender_and_receiver(void *capacity) {
    co_chan_t *chan = int_chan((size_t)number_of(capacity));
    co_t *sender = spawn(send_numbers, chan), *receiver = spawn(receive_numbers, chan);
    join(sender);
    join(receiver);
    assert_int_equal(co_chan_destroy(chan), 0);
    return NULL;
}

/* An item that overtakes another, is lost, doubled, or written where none was received. */
static void test_first_in_first_out(void **state) {
    (void)state;
    for (intptr_t capacity = 0; capacity <= 3; capacity++)
        run_in_all_orders(sender_and_receiver, value_of(capacity));
    run_in_order(sender_and_receiver, value_of(ITEMS - 1));
    run_in_order(sender_and_receiver, value_of(ITEMS));
    run_in_order(sender_and_receiver, value_of(1000));
}

/* ---- When a send returns ----------------------------------------------------------------------------------------- */

static int returned; /* sends that have */

static void *count_sends(void *chan) {
    for (int i = 1; i <= 4; i++) {
        assert_int_equal(send_by(chan, i, CO_NEVER), 0);
        returned++;
    }
    return NULL;
}

static void *see_sends_return(void *arg) {
    const int capacity = (int)number_of(arg);
    co_chan_t *chan = int_chan((size_t)capacity);
    int item = 0;
    returned = 0;
    co_t *sender = spawn(count_sends, chan);
    for (int i = 0; i <= 4; i++) {
        const int sent = i + capacity < 4 ? i + capacity : 4;
        settle();
        assert_int_equal(returned, sent);
        assert_int_equal(co_chan_count(chan), sent - i < capacity ? sent - i : capacity);
        if (i < 4) {
            assert_int_equal(receive_by(chan, &item, CO_NEVER), 1);
            assert_int_equal(item, i + 1);
        }
    }
    join(sender);
    assert_int_equal(co_chan_destroy(chan), 0);
    return NULL;
}

/* A rendezvous whose sender does not wait for the receiver; a channel that holds more than its capacity, or less. */
static void test_a_send_waits_for_room(void **state) {
    (void)state;
    for (intptr_t capacity = 0; capacity <= 5; capacity++)
        run_in_all_orders(see_sends_return, value_of(capacity));
}

/* ---- Bytes ------------------------------------------------------------------------------------------------------- */

enum { MOST_BYTES = 80 };

struct sizes {
    size_t bytes;
    co_chan_t *chan;
};

static void fill(unsigned char *item, size_t bytes, unsigned number) {
    for (size_t i = 0; i < bytes; i++)
        item[i] = (unsigned char)(number * 97 + i * 13 + 1);
}

static void *send_bytes(void *arg) {
    const struct sizes *sizes = arg;
    unsigned char item[MOST_BYTES];
    for (unsigned i = 0; i < 6; i++) {
        fill(item, sizes->bytes, i);
        assert_int_equal(co_chan_send(sizes->chan, item, CO_NEVER), 0);
        memset(item, 0xee, sizeof item);
    }
    return NULL;
}

static void receive_bytes(const struct sizes *sizes, unsigned from, unsigned to) {
    unsigned char item[MOST_BYTES + 2], expected[MOST_BYTES];
    for (unsigned i = from; i < to; i++) {
        memset(item, 0xaa, sizeof item);
        fill(expected, sizes->bytes, i);
        assert_int_equal(co_chan_receive(sizes->chan, item + 1, CO_NEVER), 1);
        assert_memory_equal(item + 1, expected, sizes->bytes);
        assert_int_equal(item[0], 0xaa);
        assert_int_equal(item[1 + sizes->bytes], 0xaa);
    }
}

/* By a receiver that waits, from a sender that waits, and through the channel. */
static void *move_bytes(void *capacity) {
    for (size_t bytes = 0; bytes <= MOST_BYTES; bytes++) {
        struct sizes sizes = {bytes, co_chan_create(bytes, (size_t)number_of(capacity))};
        assert_non_null(sizes.chan);
        co_t *sender = spawn(send_bytes, &sizes);
        receive_bytes(&sizes, 0, 2);
        settle();
        receive_bytes(&sizes, 2, 6);
        join(sender);
        assert_int_equal(co_chan_destroy(sizes.chan), 0);
    }
    return NULL;
}

/* An item of which a byte is lost, or one too many written; a size that the short way of copying has wrong. */
static void test_items_of_every_size(void **state) {
    (void)state;
    for (intptr_t capacity = 0; capacity <= 3; capacity++)
        run_in_order(move_bytes, value_of(capacity));
}

static void *count_signals(void *arg) {
    co_chan_t *chan = co_chan_create(0, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(co_chan_count(chan), i);
        assert_int_equal(co_chan_send(chan, NULL, 0), 0);
    }
    assert_int_equal(co_chan_send(chan, NULL, 0), -ETIMEDOUT);
    assert_int_equal(co_chan_close(chan), 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(co_chan_receive(chan, NULL, 0), 1);
    assert_int_equal(co_chan_receive(chan, NULL, 0), 0);
    assert_int_equal(co_chan_destroy(chan), 0);
    return arg;
}

/* Signals without bytes that are not counted, or want a place to be written to. */
static void test_items_without_bytes(void **state) {
    (void)state;
    run_in_order(count_signals, NULL);
}

/* ---- Who is served ----------------------------------------------------------------------------------------------- */

enum { WAITERS = 5 };

static void *receive_one(void *chan) {
    int item = 0;
    assert_int_equal(receive_by(chan, &item, CO_NEVER), 1);
    return value_of(item);
}

static void *serve_receivers(void *arg) {
    co_chan_t *chan = int_chan(0);
    co_t *tasks[WAITERS];
    for (int i = 0; i < WAITERS; i++) {
        tasks[i] = spawn(receive_one, chan);
        settle();
    }
    for (int i = 0; i < WAITERS; i++)
        assert_int_equal(send_by(chan, i + 1, 0), 0);
    for (int i = 0; i < WAITERS; i++)
        assert_int_equal(join(tasks[i]), i + 1);
    assert_int_equal(co_chan_destroy(chan), 0);
    return arg;
}

struct numbered {
    co_chan_t *chan;
    int number;
};

static void *send_one(void *arg) {
    const struct numbered *numbered = arg;
    assert_int_equal(send_by(numbered->chan, numbered->number, CO_NEVER), 0);
    return NULL;
}

static void *serve_senders(void *arg) {
    co_chan_t *chan = int_chan((size_t)number_of(arg));
    co_t *tasks[WAITERS];
    struct numbered numbered[WAITERS];
    for (int i = 0; i < WAITERS; i++) {
        numbered[i] = (struct numbered){chan, i + 1};
        tasks[i] = spawn(send_one, &numbered[i]);
        settle();
    }
    for (int i = 0; i < WAITERS; i++)
        assert_int_equal(try_receive(chan), i + 1);
    for (int i = 0; i < WAITERS; i++)
        join(tasks[i]);
    assert_int_equal(co_chan_destroy(chan), 0);
    return NULL;
}

/* Someone who came later and is served first. */
static void test_who_waits_longest_is_first(void **state) {
    (void)state;
    run_in_all_orders(serve_receivers, NULL);
    for (intptr_t capacity = 0; capacity <= 3; capacity++)
        run_in_all_orders(serve_senders, value_of(capacity));
}

/* ---- Outside ----------------------------------------------------------------------------------------------------- */

static void *put_two(void *chan) {
    assert_int_equal(send_by(chan, 1, 0), 0);
    assert_int_equal(send_by(chan, 2, 0), 0);
    return NULL;
}

static void *take_one(void *chan) {
    assert_int_equal(try_receive(chan), 1);
    return NULL;
}

static void *pass_one(void *chan) {
    co_t *receiver = spawn(receive_one, chan);
    settle();
    assert_int_equal(send_by(chan, 7, 0), 0);
    assert_int_equal(join(receiver), 7);
    return NULL;
}

/* A channel that belongs to the scheduler in which it was first used; what it holds, lost between two. */
static void test_a_channel_outlives_schedulers(void **state) {
    (void)state;
    co_chan_t *chan = int_chan(2);
    assert_int_equal(co_chan_capacity(chan), 2);
    assert_int_equal(co_run(put_two, chan, NULL), 0);
    assert_int_equal(co_chan_count(chan), 2);
    assert_int_equal(co_chan_close(chan), 0);
    assert_int_equal(co_run(take_one, chan, NULL), 0);
    assert_int_equal(co_chan_count(chan), 1);
    assert_int_equal(co_chan_destroy(chan), 0);
    chan = int_chan(0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(co_run(pass_one, chan, NULL), 0);
    assert_int_equal(co_chan_destroy(chan), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_in_first_out),         cmocka_unit_test(test_a_send_waits_for_room),
        cmocka_unit_test(test_items_of_every_size),        cmocka_unit_test(test_items_without_bytes),
        cmocka_unit_test(test_who_waits_longest_is_first), cmocka_unit_test(test_a_channel_outlives_schedulers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
