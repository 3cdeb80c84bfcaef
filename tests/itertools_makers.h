/* Of each kind of generator helper, one that gives what its source gives, for tests that hold for all of them. */
#ifndef CO_TEST_ITERTOOLS_MAKERS_H
#define CO_TEST_ITERTOOLS_MAKERS_H

#include "itertools.h"

static CO_MAP(same, long, long, x) { return x; }
static CO_FILTER(all, long, x) { return x >= 0; }
static CO_TAKE_WHILE(below, long, x, (long, limit)) { return x < limit; }
static CO_SKIP_WHILE(not_before, long, x) { return x < 0; }
static CO_ZIP(pairs, long, long);
static CO_MAP(first_of, long, pairs_item, p) { return p.first; }
static CO_MAP(second_of, long, pairs_item, p) { return p.second; }
static CO_ENUMERATE(numbered, long);
static CO_MAP(value_in, long, numbered_item, x) { return x.value; }
static CO_BATCH(rows, long);
static CO_MAP(first_in, long, rows_item, row) { return row.items[0]; }

static CO_GEN(long) make_same(CO_GEN(long) g) { return same(g); }
static CO_GEN(long) make_all(CO_GEN(long) g) { return all(g); }
static CO_GEN(long) make_below(CO_GEN(long) g) { return below(g, LONG_MAX); }
static CO_GEN(long) make_not_before(CO_GEN(long) g) { return not_before(g); }
static CO_GEN(long) make_take(CO_GEN(long) g) { return CO_TAKE(g, SIZE_MAX); }
static CO_GEN(long) make_skip(CO_GEN(long) g) { return CO_SKIP(g, 0); }
static CO_GEN(long) make_chain(CO_GEN(long) g) { return CO_CHAIN(g, co_count(100, 1)); }
static CO_GEN(long) make_zip(CO_GEN(long) g) { return first_of(pairs(g, co_count(0, 1))); }
static CO_GEN(long) make_zip_behind(CO_GEN(long) g) { return second_of(pairs(co_count(0, 1), g)); }
static CO_GEN(long) make_enumerate(CO_GEN(long) g) { return value_in(numbered(g, 0)); }
static CO_GEN(long) make_batch(CO_GEN(long) g) { return first_in(rows(g, 1)); }
static CO_GEN(long) make_tee(CO_GEN(long) g) {
    CO_GEN(long) one[1];
    return CO_TEE(g, 1, one) == 0 ? one[0] : NULL;
}
static CO_GEN(long) make_memo(CO_GEN(long) g) {
    CO_MEMO(long) memo = CO_MEMO_MAKE(g);
    CO_GEN(long) generator = CO_MEMO_ITERATE(memo);
    assert_int_equal(CO_MEMO_DESTROY(memo), 0);
    return generator;
}

static CO_GEN(long) (*const makers[])(CO_GEN(long)) = {
    make_same, make_all,        make_below,     make_not_before, make_take, make_skip, make_chain,
    make_zip,  make_zip_behind, make_enumerate, make_batch,      make_tee,  make_memo,
};
#define FOR_EACH_MAKER(make)                                                                                           \
    for (size_t maker_ = 0; maker_ < sizeof makers / sizeof *makers; maker_++)                                         \
        for (CO_GEN(long)(*make)(CO_GEN(long)) = makers[maker_]; make != NULL; make = NULL)

/* Hands over to a helper in its middle. */
static CO_GENERATOR(from, long, (CO_GEN(long), inner), (int *, status)) {
    CO_EMIT(50);
    *status = CO_FROM(inner, NULL);
    CO_EMIT(60);
}

#endif
