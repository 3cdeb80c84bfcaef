/* What the tests of generators share. */
#ifndef CO_TEST_GENERATORS_H
#define CO_TEST_GENERATORS_H

#include "support.h"

#include <co/gen.h>

#include <errno.h>

/* An item before a call that must not write to it. */
#define NO_ITEM (-4711)

static inline void assert_item(int status, long item, long expected) {
    assert_int_equal(status, 1);
    assert_int_equal(item, expected);
}

/* The next item is `expected`. */
static inline void assert_next(CO_GEN(long) generator, long expected) {
    long item = NO_ITEM;
    int status = CO_NEXT(generator, &item);
    assert_item(status, item, expected);
}

/* So it is when `value` is sent. */
static inline void assert_send(CO_GEN(long) generator, intptr_t value, long expected) {
    long item = NO_ITEM;
    int status = CO_SEND(generator, value_of(value), &item);
    assert_item(status, item, expected);
}

/* So it is when `error` is thrown. */
static inline void assert_throw(CO_GEN(long) generator, int error, long expected) {
    long item = NO_ITEM;
    int status = CO_THROW(generator, error, &item);
    assert_item(status, item, expected);
}

/* There is no next item: an end, or an error. */
static inline void assert_none(CO_GEN(long) generator, int expected) {
    long item = NO_ITEM;
    assert_int_equal(CO_NEXT(generator, &item), expected);
    assert_int_equal(item, NO_ITEM);
}

static inline void assert_done(CO_GEN(long) generator) {
    assert_int_equal(CO_GEN_STATE(generator), CO_GEN_DONE);
    assert_null(co_gen_item(CO_GEN_UNTYPED(generator)));
    assert_none(generator, 0);
}

static inline void assert_destroyed(CO_GEN(long) generator) { assert_int_equal(CO_GEN_DESTROY(generator), 0); }

#endif
