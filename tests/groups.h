/* What the tests of groups share: tasks that take their time, fail, or do not listen.
 * A C file that includes this one defines _GNU_SOURCE before its first #include. */
#ifndef CO_TEST_GROUPS_H
#define CO_TEST_GROUPS_H

#include "tasks.h"

#include <co/group.h>

static int running; /* tasks that have begun and not ended */

static inline void *work(void *ns) {
    running++;
    const int status = co_sleep((int64_t)number_of(ns));
    running--;
    return status == 0 ? ns : co_fail(-status);
}

static inline void *fail_after(void *ns) {
    running++;
    const int status = co_sleep((int64_t)number_of(ns));
    running--;
    return co_fail(status == 0 ? EIO : -status);
}

/* Goes on for a while after it has been cancelled, twice. */
static inline void *ignore_cancel(void *ns) {
    running++;
    int status = co_sleep((int64_t)number_of(ns));
    if (status == -ECANCELED) {
        assert_int_equal(co_uncancel(), 1);
        assert_int_equal(co_sleep(20 * MS), 0);
        assert_int_equal(co_shield(), 0);
        assert_int_equal(co_sleep(20 * MS), 0);
        assert_int_equal(co_unshield(), 0);
    }
    running--;
    return ns;
}

static inline void open_group(co_group_t *group) {
    memset(group, 0xa5, sizeof *group); /* what a frame holds */
    assert_int_equal(co_group_open(group), 0);
}

static inline void spawn(co_group_t *group, co_fn fn, int64_t ns) {
    assert_non_null(co_group_spawn(group, fn, value_of((intptr_t)ns)));
}

#endif
