/* Among several cases that can be done, none is passed over for ever: whose channel was chosen least recently comes
 * first. */
#define _GNU_SOURCE
#include "channels.h"

enum { CHANNELS = 4, ROUNDS = 4 };

struct chans {
    co_chan_t *chans[CHANNELS];
};

static void make(struct chans *all, size_t capacity) {
    for (int i = 0; i < CHANNELS; i++)
        all->chans[i] = int_chan(capacity);
}

static void destroy(struct chans *all) {
    for (int i = 0; i < CHANNELS; i++)
        assert_int_equal(co_chan_destroy(all->chans[i]), 0);
}

/* ---- All can be done --------------------------------------------------------------------------------------------- */

static void *select_among_all(void *arg) {
    const bool sends = arg != NULL;
    struct chans all;
    int chosen[CHANNELS] = {0};
    make(&all, sends ? 2 * ROUNDS : 0);
    for (int i = 0; i < CHANNELS && !sends; i++)
        assert_int_equal(co_chan_close(all.chans[i]), 0);
    for (int round = 1; round <= ROUNDS; round++) {
        for (int i = 0; i < CHANNELS; i++) {
            co_select_case_t cases[CHANNELS];
            int item = 1;
            for (int k = 0; k < CHANNELS; k++)
                cases[k] = sends ? co_case_send(all.chans[k], &item) : co_case_receive(all.chans[k], &item);
            const int index = select_by(cases, CHANNELS, 0);
            assert_in_range(index, 0, CHANNELS - 1);
            chosen[index]++;
        }
        for (int i = 0; i < CHANNELS; i++)
            assert_int_equal(chosen[i], round);
    }
    destroy(&all);
    return NULL;
}

/* A choice that is always the first, or the last, or one by chance. */
static void test_all_come_in_turn(void **state) {
    (void)state;
    run_in_order(select_among_all, NULL);
    run_in_order(select_among_all, UNTOUCHED);
}

/* ---- Some can be done -------------------------------------------------------------------------------------------- */

static void *select_among_two_of_four(void *arg) {
    struct chans all;
    int item = 0, chosen[CHANNELS] = {0};
    make(&all, 1);
    assert_int_equal(co_chan_close(all.chans[1]), 0);
    assert_int_equal(co_chan_close(all.chans[2]), 0);
    for (int i = 0; i < 2 * ROUNDS; i++) {
        co_select_case_t cases[CHANNELS];
        for (int k = 0; k < CHANNELS; k++)
            cases[k] = co_case_receive(all.chans[k], &item);
        chosen[select_by(cases, CHANNELS, 0)]++;
        assert_in_range(chosen[1] - chosen[2] + 1, 0, 2);
    }
    assert_int_equal(chosen[1] + chosen[2], 2 * ROUNDS);
    destroy(&all);
    return arg;
}

/* A choice that gives the neighbours of the idle ones more than their part. */
static void test_idle_channels_do_not_matter(void **state) {
    (void)state;
    run_in_order(select_among_two_of_four, NULL);
}

static void *select_in_two_places(void *arg) {
    struct chans all;
    int item = 0, chosen[CHANNELS] = {0};
    make(&all, 0);
    for (int i = 0; i < CHANNELS; i++)
        assert_int_equal(co_chan_close(all.chans[i]), 0);
    for (int i = 0; i < 2 * ROUNDS; i++) {
        for (int place = 0; place < CHANNELS; place += 2) {
            co_select_case_t cases[] = {co_case_receive(all.chans[place], &item),
                                        co_case_receive(all.chans[place + 1], &item)};
            chosen[place + select_by(cases, 2, 0)]++;
        }
    }
    for (int i = 0; i < CHANNELS; i++)
        assert_int_equal(chosen[i], ROUNDS);
    destroy(&all);
    return arg;
}

/* Two selects that take turns, and a choice by counting them together: each would always choose the same. */
static void test_selects_in_step(void **state) {
    (void)state;
    run_in_order(select_in_two_places, NULL);
}

/* ---- One channel in several cases -------------------------------------------------------------------------------- */

static void *select_bits(void *arg) {
    co_chan_t *chan = int_chan(4 * ROUNDS);
    int bits[2] = {0, 1}, counts[2] = {0, 0}, item = 0;
    for (int i = 0; i < 4 * ROUNDS; i++) {
        co_select_case_t cases[] = {co_case_send(chan, &bits[0]), co_case_send(chan, &bits[1])};
        assert_in_range(select_by(cases, 2, 0), 0, 1);
    }
    for (int i = 0; i < 4 * ROUNDS; i++) {
        assert_int_equal(receive_by(chan, &item, 0), 1);
        counts[item]++;
    }
    assert_int_equal(counts[0], 2 * ROUNDS);
    assert_int_equal(counts[1], 2 * ROUNDS);
    assert_int_equal(co_chan_destroy(chan), 0);
    return arg;
}

/* Of two sends on one channel, always the first. */
static void test_one_channel_twice(void **state) {
    (void)state;
    run_in_order(select_bits, NULL);
}

/* ---- Producers --------------------------------------------------------------------------------------------------- */

static void *produce(void *chan) {
    for (int i = 0; i < ROUNDS; i++)
        assert_int_equal(send_by(chan, i, CO_NEVER), 0);
    return NULL;
}

static void *consume_fairly(void *arg) {
    struct chans all;
    co_t *tasks[CHANNELS];
    int next[CHANNELS] = {0}, item = 0;
    make(&all, (size_t)number_of(arg));
    for (int i = 0; i < CHANNELS; i++)
        tasks[i] = spawn(produce, all.chans[i]);
    for (int i = 0; i < CHANNELS * ROUNDS; i++) {
        co_select_case_t cases[CHANNELS];
        settle(); /* so that all that can be sent is */
        for (int k = 0; k < CHANNELS; k++)
            cases[k] = co_case_receive(all.chans[k], &item);
        const int index = select_by(cases, CHANNELS, CO_NEVER);
        assert_int_equal(item, next[index]++);
        for (int k = 0; k < CHANNELS; k++)
            assert_in_range(next[k], i / CHANNELS, i / CHANNELS + 1);
    }
    for (int i = 0; i < CHANNELS; i++)
        join(tasks[i]);
    destroy(&all);
    return NULL;
}

/* A producer that starves, in any order in which tasks run. */
static void test_producers_are_served_alike(void **state) {
    (void)state;
    for (intptr_t capacity = 0; capacity < 3; capacity++)
        run_in_all_orders(consume_fairly, value_of(capacity));
}

/* ---- Where the choice was made while nobody was ready ------------------------------------------------------------ */

struct waiting_selector {
    struct chans all;
    int order[3];
};

static void *select_three_times(void *arg) {
    struct waiting_selector *selector = arg;
    int item = 0;
    for (int i = 0; i < 3; i++) {
        co_select_case_t cases[] = {co_case_receive(selector->all.chans[0], &item),
                                    co_case_receive(selector->all.chans[1], &item)};
        selector->order[i] = select_by(cases, 2, CO_NEVER);
    }
    return NULL;
}

static void *serve_a_waiting_select(void *arg) {
    const int first = (int)number_of(arg);
    struct waiting_selector selector;
    make(&selector.all, 1);
    co_t *task = spawn(select_three_times, &selector);
    settle();
    assert_int_equal(send_by(selector.all.chans[first], 1, 0), 0); /* wakes it */
    assert_int_equal(send_by(selector.all.chans[first], 2, 0), 0);
    assert_int_equal(send_by(selector.all.chans[1 - first], 3, 0), 0);
    join(task);
    assert_int_equal(selector.order[0], first);
    assert_int_equal(selector.order[1], 1 - first);
    assert_int_equal(selector.order[2], first);
    destroy(&selector.all);
    return NULL;
}

/* A channel that was served while the select waited, and is chosen again before another. */
static void test_waiting_counts(void **state) {
    (void)state;
    run_in_all_orders(serve_a_waiting_select, value_of(0));
    run_in_all_orders(serve_a_waiting_select, value_of(1));
}

/* ---- From one scheduler to the next ------------------------------------------------------------------------------ */

static void *select_closed(void *arg) {
    co_chan_t *const *chans = arg;
    int item = 0, chosen[2] = {0, 0};
    for (int i = 0; i < 2 * ROUNDS; i++) {
        co_select_case_t cases[] = {co_case_receive(chans[0], &item), co_case_receive(chans[1], &item)};
        chosen[select_by(cases, 2, 0)]++;
    }
    assert_in_range(chosen[0], ROUNDS - 1, ROUNDS + 1);
    return NULL;
}

static void *use_one(void *chan) {
    int item = 0;
    for (int i = 0; i < 100; i++) {
        co_select_case_t one = co_case_receive(chan, &item);
        assert_int_equal(select_by(&one, 1, 0), 0);
    }
    return NULL;
}

/* What a channel remembers of a scheduler that is no more, and what counts in another. */
static void test_used_in_another_scheduler(void **state) {
    (void)state;
    co_chan_t *chans[2] = {int_chan(0), int_chan(0)};
    for (int i = 0; i < 2; i++)
        assert_int_equal(co_chan_close(chans[i]), 0);
    assert_int_equal(co_run(use_one, chans[0], NULL), 0);
    assert_int_equal(co_run(select_closed, chans, NULL), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(co_chan_destroy(chans[i]), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_come_in_turn),
        cmocka_unit_test(test_idle_channels_do_not_matter),
        cmocka_unit_test(test_selects_in_step),
        cmocka_unit_test(test_one_channel_twice),
        cmocka_unit_test(test_producers_are_served_alike),
        cmocka_unit_test(test_waiting_counts),
        cmocka_unit_test(test_used_in_another_scheduler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
