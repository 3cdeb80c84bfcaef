/* What tests of channels share: a scenario in every order and at every depth, and calls of int channels.
 * A C file that includes this one defines _GNU_SOURCE before its first #include. */
#ifndef CO_TEST_CHANNELS_H
#define CO_TEST_CHANNELS_H

#include "depth.h"

#include <co/chan.h>

#include <errno.h>

static int depth; /* of the calls below, in the running scenario */

/* Runs a scenario first in, first out, and then in the orders of many seeds: at depths of 0, 1 and 10. The virtual clock
 * begins at 0. */
static inline void run_in_order(co_fn scenario, void *arg) {
    const co_run_options_t options = {.flags = CO_RUN_VIRTUAL_CLOCK};
    static const int depths[] = {0, 1, 10};
    for (size_t i = 0; i < sizeof depths / sizeof depths[0]; i++) {
        depth = depths[i];
        assert_int_equal(co_run_with(&options, scenario, arg, NULL), 0);
    }
    depth = 0;
}

static inline void run_in_all_orders(co_fn scenario, void *arg) {
    static const int depths[] = {0, 1, 10};
    run_in_order(scenario, arg);
    for (int seed = 0; seed < seeds(); seed++) {
        const co_run_options_t options = {.flags = CO_RUN_VIRTUAL_CLOCK | CO_RUN_SEEDED, .seed = (uint64_t)seed};
        depth = depths[seed % 3];
        if (co_run_with(&options, scenario, arg, NULL) != 0)
            FAIL("seed %d", seed);
    }
    depth = 0;
}

struct int_call {
    co_chan_t *chan;
    int *item;
    int64_t deadline;
    co_select_case_t *cases;
    size_t count;
    int status;
};

static void make_send(void *arg) {
    struct int_call *call = (struct int_call *)arg;
    call->status = co_chan_send(call->chan, call->item, call->deadline);
}

static void make_receive(void *arg) {
    struct int_call *call = (struct int_call *)arg;
    call->status = co_chan_receive(call->chan, call->item, call->deadline);
}

static void make_select(void *arg) {
    struct int_call *call = (struct int_call *)arg;
    call->status = co_select(call->cases, call->count, call->deadline);
}

static inline int send_by(co_chan_t *chan, int item, int64_t deadline) {
    struct int_call call = {.chan = chan, .item = &item, .deadline = deadline};
    at_depth(depth, make_send, &call);
    return call.status;
}

static inline int receive_by(co_chan_t *chan, int *item, int64_t deadline) {
    struct int_call call = {.chan = chan, .item = item, .deadline = deadline};
    at_depth(depth, make_receive, &call);
    return call.status;
}

static inline int select_by(co_select_case_t *cases, size_t count, int64_t deadline) {
    struct int_call call = {.cases = cases, .count = count, .deadline = deadline};
    at_depth(depth, make_select, &call);
    return call.status;
}

/* What is received at once, or the negated error, or 0. Items are above 0. */
static inline int try_receive(co_chan_t *chan) {
    int item = 0;
    const int status = receive_by(chan, &item, 0);
    return status == 1 ? item : status;
}

static inline co_chan_t *int_chan(size_t capacity) {
    co_chan_t *chan = co_chan_create(sizeof(int), capacity);
    assert_non_null(chan);
    return chan;
}

static inline co_t *spawn(co_fn fn, void *arg) {
    co_t *task = co_spawn(fn, arg);
    assert_non_null(task);
    return task;
}

/* What the task returned, as a number. */
static inline intptr_t join(co_t *task) {
    void *result = NULL;
    assert_int_equal(co_join(task, &result, CO_NEVER), 0);
    return number_of(result);
}

/* Lets all others run until they wait: that is when the virtual clock moves. */
static inline void settle(void) { assert_int_equal(co_sleep(1), 0); }

#endif
