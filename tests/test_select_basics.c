/* Selecting: exactly one case happens, and the others leave no trace. */
#define _GNU_SOURCE
#include "channels.h"

#include <limits.h>

enum { UNSET = 77 }; /* a status that no call answers */

/* The library's words need not be set: here they are set to what would hurt. */
static void unset(co_select_case_t *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        cases[i].status = UNSET;
        memset(&cases[i].waiter, 0xee, sizeof cases[i].waiter);
    }
}

/* ---- What can be done at once ------------------------------------------------------------------------------------ */

static void *select_ready(void *arg) {
    co_chan_t *empty = int_chan(1), *full = int_chan(1), *closed = int_chan(1), *rendezvous = int_chan(0);
    int in = 0, out = 3;
    assert_int_equal(send_by(full, 4, 0), 0);
    assert_int_equal(co_chan_close(closed), 0);
    struct {
        co_select_case_t one;
        int index, status;
    } expected[] = {
        {co_case_receive(full, &in), 1, 1},
        {co_case_send(empty, &out), 1, 0},
        {co_case_receive(closed, &in), 1, 0},
        {co_case_send(closed, &out), 1, -EPIPE},
        {co_case_receive(empty, &in), 1, 1},
        {co_case_send(full, &out), 1, 0},
        {co_case_receive(rendezvous, &in), -ETIMEDOUT, UNSET},
        {co_case_send(rendezvous, &out), -ETIMEDOUT, UNSET},
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        co_select_case_t cases[] = {co_case_receive(rendezvous, &in), expected[i].one, co_case_send(rendezvous, &out)};
        unset(cases, 3);
        assert_int_equal(select_by(cases, 3, i % 2 == 0 ? CO_SELECT_DEFAULT : -5), expected[i].index);
        assert_int_equal(cases[0].status, UNSET);
        assert_int_equal(cases[1].status, expected[i].status);
        assert_int_equal(cases[2].status, UNSET);
        assert_int_equal(in, i < 4 ? 4 : 3);
    }
    assert_int_equal(co_chan_destroy(empty), 0);
    assert_int_equal(co_chan_destroy(full), 0);
    assert_int_equal(co_chan_destroy(closed), 0);
    assert_int_equal(co_chan_destroy(rendezvous), 0);
    return arg;
}

/* A case that is taken for one that can be done, or the other way round. */
static void test_what_can_be_done_at_once(void **state) {
    (void)state;
    run_in_order(select_ready, NULL);
}

/* ---- What must be waited for ------------------------------------------------------------------------------------- */

enum { CHANNELS = 5 };

struct partner {
    co_chan_t *chan;
    bool sends;
    int got;
};

static void *meet(void *arg) {
    struct partner *partner = arg;
    assert_int_equal(co_sleep(10), 0);
    if (partner->sends)
        assert_int_equal(send_by(partner->chan, 8, CO_NEVER), 0);
    else
        assert_int_equal(receive_by(partner->chan, &partner->got, CO_NEVER), 1);
    return NULL;
}

static void *select_waiting(void *arg) {
    const bool sends = number_of(arg) % 2 == 0;
    const size_t which = (size_t)number_of(arg) / 2;
    co_chan_t *chans[CHANNELS];
    co_select_case_t cases[CHANNELS];
    int items[CHANNELS];
    for (size_t i = 0; i < CHANNELS; i++) {
        chans[i] = int_chan(i == which || sends ? 0 : 2);
        items[i] = sends ? (int)i + 1 : 0;
        cases[i] = sends ? co_case_send(chans[i], &items[i]) : co_case_receive(chans[i], &items[i]);
    }
    struct partner partner = {chans[which], !sends, 0};
    co_t *task = spawn(meet, &partner);
    unset(cases, CHANNELS);
    assert_int_equal(select_by(cases, CHANNELS, which % 2 == 0 ? CO_NEVER : 1000), (int)which);
    for (size_t i = 0; i < CHANNELS; i++) {
        assert_int_equal(cases[i].status, i != which ? UNSET : sends ? 0 : 1);
        assert_int_equal(items[i], sends ? (int)i + 1 : i == which ? 8 : 0);
        assert_int_equal(co_chan_destroy(chans[i]), 0); /* nobody waits there any more */
    }
    join(task);
    assert_int_equal(partner.got, sends ? (int)which + 1 : 0);
    return NULL;
}

/* The wrong case, several of them, or entries that stay in queues. */
static void test_the_first_that_can_be_done(void **state) {
    (void)state;
    for (intptr_t i = 0; i < 2 * CHANNELS; i++)
        run_in_all_orders(select_waiting, value_of(i));
}

static void *select_in_vain(void *arg) {
    co_chan_t *chans[] = {int_chan(0), int_chan(1)};
    int in = 5, out = 6;
    co_select_case_t cases[] = {co_case_send(chans[0], &out), co_case_receive(chans[1], &in),
                                co_case_receive(chans[0], &in)};
    unset(cases, 3);
    assert_int_equal(select_by(cases, 3, 100), -ETIMEDOUT);
    assert_int_equal(co_now(), 100);
    assert_int_equal(select_by(cases, 3, 100), -ETIMEDOUT);
    assert_int_equal(co_now(), 100);
    for (int i = 0; i < 3; i++)
        assert_int_equal(cases[i].status, UNSET);
    assert_int_equal(in, 5);
    assert_int_equal(co_chan_destroy(chans[0]), 0);
    assert_int_equal(co_chan_destroy(chans[1]), 0);
    return arg;
}

/* A send and a receive of one select that meet each other; a deadline that leaves entries in queues. */
static void test_nothing_happens(void **state) {
    (void)state;
    run_in_order(select_in_vain, NULL);
}

/* ---- Cancelled --------------------------------------------------------------------------------------------------- */

struct selector {
    co_chan_t *chans[2];
    int status, item;
    co_select_case_t cases[2];
};

static void *select_both(void *arg) {
    struct selector *selector = arg;
    for (int i = 0; i < 2; i++)
        selector->cases[i] = co_case_receive(selector->chans[i], &selector->item);
    unset(selector->cases, 2);
    selector->status = select_by(selector->cases, 2, CO_NEVER);
    return NULL;
}

static void *cancel_select(void *arg) {
    const bool served_first = arg != NULL;
    struct selector selector = {{int_chan(0), int_chan(0)}, UNSET, 0, {{0}}};
    co_t *task = spawn(select_both, &selector);
    settle();
    if (served_first)
        assert_int_equal(send_by(selector.chans[1], 9, 0), 0);
    assert_int_equal(co_cancel(task), 0);
    assert_int_equal(send_by(selector.chans[0], 9, 0), -ETIMEDOUT);
    assert_int_equal(send_by(selector.chans[1], 9, 0), -ETIMEDOUT);
    join(task);
    assert_int_equal(selector.status, served_first ? 1 : -ECANCELED);
    assert_int_equal(selector.cases[0].status, UNSET);
    assert_int_equal(selector.cases[1].status, served_first ? 1 : UNSET);
    assert_int_equal(selector.item, served_first ? 9 : 0);
    assert_int_equal(co_chan_destroy(selector.chans[0]), 0);
    assert_int_equal(co_chan_destroy(selector.chans[1]), 0);
    return NULL;
}

/* A cancel that loses what a case has received, or leaves entries in queues. */
static void test_cancelled(void **state) {
    (void)state;
    run_in_all_orders(cancel_select, NULL);
    run_in_all_orders(cancel_select, UNTOUCHED);
}

/* ---- Selects that meet ------------------------------------------------------------------------------------------- */

enum { SELECTORS = 6 };

static int gave[SELECTORS], got[SELECTORS];

struct trader {
    co_chan_t *chan;
    int number;
};

/* Each trader sends its number to another one, or receives one. */
static void *trade(void *arg) {
    const struct trader *trader = arg;
    int out = trader->number, in = -1;
    co_select_case_t cases[] = {co_case_send(trader->chan, &out), co_case_receive(trader->chan, &in)};
    const int index = select_by(cases, 2, CO_NEVER);
    assert_true(index == 0 || index == 1);
    assert_int_equal(cases[index].status, index);
    if (index == 0)
        gave[trader->number]++;
    else
        got[in]++;
    return NULL;
}

static void *trade_all(void *arg) {
    co_chan_t *chan = int_chan(0);
    co_t *tasks[SELECTORS];
    struct trader traders[SELECTORS];
    memset(gave, 0, sizeof gave);
    memset(got, 0, sizeof got);
    for (int i = 0; i < SELECTORS; i++) {
        traders[i] = (struct trader){chan, i};
        tasks[i] = spawn(trade, &traders[i]);
    }
    int sum = 0;
    for (int i = 0; i < SELECTORS; i++)
        join(tasks[i]);
    for (int i = 0; i < SELECTORS; i++) {
        assert_int_equal(gave[i], got[i]);
        sum += gave[i];
    }
    assert_int_equal(sum, SELECTORS / 2);
    assert_int_equal(co_chan_destroy(chan), 0);
    return arg;
}

/* Two selects of which only one knows that they have met. */
static void test_selects_meet(void **state) {
    (void)state;
    run_in_all_orders(trade_all, NULL);
}

/* ---- Cases that do not happen ------------------------------------------------------------------------------------ */

static void *select_without_channels(void *arg) {
    co_chan_t *chan = int_chan(1);
    int item = 5;
    co_select_case_t none[] = {co_case_receive(NULL, &item), co_case_send(NULL, &item)};
    co_select_case_t some[] = {co_case_receive(NULL, &item), co_case_send(chan, &item), co_case_receive(NULL, NULL)};
    assert_int_equal(select_by(none, 2, CO_NEVER), -EINVAL);
    assert_int_equal(select_by(NULL, 0, CO_NEVER), -EINVAL);
    assert_int_equal(co_now(), 0);
    assert_int_equal(select_by(none, 2, 10), -ETIMEDOUT);
    assert_int_equal(co_now(), 10);
    assert_int_equal(select_by(NULL, 0, 20), -ETIMEDOUT);
    assert_int_equal(co_now(), 20);
    assert_int_equal(select_by(NULL, 0, CO_SELECT_DEFAULT), -ETIMEDOUT);
    assert_int_equal(select_by(some, 3, CO_NEVER), 1);
    assert_int_equal(some[1].status, 0);
    assert_int_equal(select_by(some, 3, 30), -ETIMEDOUT); /* it is full now */
    assert_int_equal(co_now(), 30);
    assert_int_equal(co_chan_destroy(chan), 0);
    return arg;
}

/* A case without a channel that happens, or that ends the select; a select with nothing that returns when it likes. */
static void test_cases_without_channels(void **state) {
    (void)state;
    run_in_order(select_without_channels, NULL);
}

/* ---- What the library's words hold ------------------------------------------------------------------------------- */

static void *send_seven(void *chan) {
    assert_int_equal(send_by((co_chan_t *)chan, 7, CO_NEVER), 0);
    return NULL;
}

static void *select_from_the_heap(void *arg) {
    co_chan_t *chan = int_chan(0);
    int item = 0;
    co_select_case_t *cases = malloc(2 * sizeof *cases);
    assert_non_null(cases);
    cases[0].direction = cases[1].direction = CO_SELECT_RECEIVE;
    cases[0].chan = NULL;
    cases[1].chan = chan;
    cases[0].item = cases[1].item = &item;
    co_t *sender = co_spawn(send_seven, chan);
    assert_int_equal(select_by(cases, 2, CO_NEVER), 1);
    assert_int_equal(cases[1].status, 1);
    assert_int_equal(item, 7);
    assert_int_equal(co_join(sender, NULL, CO_NEVER), 0);
    free(cases);
    assert_int_equal(co_chan_destroy(chan), 0);
    return arg;
}

/* Words that were never written and are read: MemorySanitizer and Memcheck see it. */
static void test_words_never_written(void **state) {
    (void)state;
    run_in_order(select_from_the_heap, NULL);
}

/* ---- Misuse ------------------------------------------------------------------------------------------------------ */

static void *select_wrongly(void *arg) {
    co_chan_t *chan = int_chan(1);
    int item = 5;
    co_select_case_t cases[] = {co_case_send(chan, &item), co_case_send(chan, &item)};
    assert_int_equal(select_by(NULL, 2, 0), -EINVAL);
    assert_int_equal(select_by(cases, (size_t)INT_MAX - 1, 0), -EINVAL);
    assert_int_equal(select_by(cases, SIZE_MAX, 0), -EINVAL);
    static const int wrong[] = {0, 3, -1};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        cases[1].direction = (co_select_direction_t)wrong[i];
        assert_int_equal(select_by(cases, 2, 0), -EINVAL);
    }
    cases[1] = co_case_receive(chan, NULL);
    assert_int_equal(select_by(cases, 2, 0), -EINVAL);
    cases[1] = co_case_send(chan, NULL);
    assert_int_equal(select_by(cases, 2, 0), -EINVAL);
    assert_int_equal(co_chan_count(chan), 0); /* the first case was not done */
    assert_int_equal(select_by(cases, 1, 0), 0);
    assert_int_equal(co_chan_destroy(chan), 0);
    return arg;
}

/* A wrong case behind a right one, which happens nevertheless. */
static void test_misuse(void **state) {
    (void)state;
    run_in_order(select_wrongly, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_can_be_done_at_once),
        cmocka_unit_test(test_the_first_that_can_be_done),
        cmocka_unit_test(test_nothing_happens),
        cmocka_unit_test(test_cancelled),
        cmocka_unit_test(test_selects_meet),
        cmocka_unit_test(test_cases_without_channels),
        cmocka_unit_test(test_words_never_written),
        cmocka_unit_test(test_misuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
