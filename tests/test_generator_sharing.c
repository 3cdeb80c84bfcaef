/* The generator contract, rules 52 and 53: long chains of generators that have handed over, and trees of them; who owns
 * what. */
#define _GNU_SOURCE
#include "generators.h"

static CO_GENERATOR(items, long, (long, first), (long, end), (const char *, letter)) {
    co_defer(trace_letter, LETTER(letter));
    for (long i = first; i < end; i++)
        CO_EMIT(i);
    CO_RETURN(value_of(end));
}

static CO_GENERATOR(borrow, long, (CO_GEN(long), generator), (long, after)) {
    void *result = NULL;
    int status = CO_FROM_BORROWED(generator, &result);
    CO_EMIT(status);
    CO_EMIT((long)number_of(result));
    CO_EMIT(after);
}

static CO_GENERATOR(own, long, (CO_GEN(long), generator), (long, after)) {
    CO_EMIT(CO_FROM(generator, NULL));
    CO_EMIT(after);
}

/* ---- Depth --------------------------------------------------------------------------------------------------- */

enum { DEPTH = 200 };

static CO_GENERATOR(nest, long, (long, depth), (bool, first_before)) {
    if (first_before)
        CO_EMIT(depth);
    if (depth < DEPTH)
        assert_int_equal(CO_FROM(nest(depth + 1, first_before), NULL), 0);
    else
        for (long i = 0; i < 1000; i++)
            CO_EMIT(1000 + i);
    CO_EMIT(-depth);
}

/* Items of different levels in a wrong order, where each level emits before and after, and where the chain is entered
 * at once. */
static void test_rule_52_depth_200_stays_ordered(void **state) {
    (void)state;
    for (int before = 0; before < 2; before++) {
        CO_GEN(long) generator = nest(1, before);
        for (long i = 1; before && i <= DEPTH; i++)
            assert_next(generator, i);
        for (long i = 0; i < 1000; i++)
            assert_next(generator, 1000 + i);
        for (long i = DEPTH; i >= 1; i--)
            assert_next(generator, -i);
        assert_none(generator, 0);
        assert_destroyed(generator);
    }
}

/* A chain that is closed in the middle of its life, at its first and at its last level. */
static void test_rule_52_closing_a_chain(void **state) {
    (void)state;
    static const int steps[] = {1, DEPTH, DEPTH + 500, 2 * DEPTH + 999};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        long item = NO_ITEM;
        CO_GEN(long) generator = nest(1, true);
        for (int step = 0; step < steps[i]; step++)
            assert_int_equal(CO_NEXT(generator, &item), 1);
        assert_destroyed(generator);
    }
}

static co_t *outermost;
static int normal;

static CO_GENERATOR(count_normal, long, (co_t **, levels), (int, depth)) {
    for (;;) {
        normal = 0;
        for (int i = 0; i < depth; i++)
            normal += co_status(levels[i]) == CO_NORMAL;
        CO_EMIT(0);
    }
}

static CO_GENERATOR(note_level, long, (co_t **, levels), (int, which), (int, depth)) {
    levels[which] = co_self();
    if (which == 0)
        outermost = co_self();
    CO_FROM(which + 1 < depth ? note_level(levels, which + 1, depth) : count_normal(levels, depth), NULL);
}

/* An item that costs a switch for each level: levels that have handed over are not on its way, neither when it is next,
 * nor sent nor thrown. */
static void test_rule_52_the_cost_does_not_grow(void **state) {
    (void)state;
    static co_t *levels[DEPTH];
    CO_GEN(long) generator = note_level(levels, 0, DEPTH);
    assert_next(generator, 0);
    assert_int_equal(normal, DEPTH); /* the first item is handed from each to the next */
    for (int i = 0; i < 3; i++) {
        assert_next(generator, 0);
        assert_int_equal(normal, 0);
    }
    normal = -1;
    assert_send(generator, 1, 0);
    assert_int_equal(normal, 0);
    normal = -1;
    assert_throw(generator, EIO, 0);
    assert_int_equal(normal, 0);
    assert_int_equal(co_status(outermost), CO_SUSPENDED);
    assert_destroyed(generator);
}

/* Work for each level of a chain on the stack of the last one, which is small: a chain may be far longer than such a
 * stack is deep. */
static void test_a_chain_longer_than_a_stack(void **state) {
    (void)state;
    enum { LENGTH = 4000 };
    static CO_GEN(long) links[LENGTH];
    links[0] = items(0, LENGTH + 2, "i");
    trace_clear();
    assert_next(links[0], 0);
    for (long i = 1; i < LENGTH; i++) {
        links[i] = own(links[i - 1], i);
        assert_non_null(links[i]);
        assert_next(links[i], i);
    }
    CO_GEN(long) last = borrow(links[LENGTH - 1], 0);
    assert_next(last, LENGTH);
    assert_next(last, LENGTH + 1);
    assert_next(last, 0); /* what own says of its handing over */
    assert_trace("i");
    assert_next(last, 1);
    assert_next(last, 0);
    assert_next(last, 2);
    assert_destroyed(last);
    assert_destroyed(links[LENGTH - 1]);
}

/* A binary tree in order: handing over on both sides of an item. */
static CO_GENERATOR(tree, long, (long, first), (long, end)) {
    long middle = first + (end - first) / 2;
    if (first == end)
        return;
    CO_FROM(tree(first, middle), NULL);
    CO_EMIT(middle);
    CO_FROM(tree(middle + 1, end), NULL);
}

static void test_a_tree_in_order(void **state) {
    (void)state;
    CO_GEN(long) generator = tree(0, 500);
    for (long i = 0; i < 500; i++)
        assert_next(generator, i);
    assert_none(generator, 0);
    assert_destroyed(generator);
}

/* ---- Sharing ------------------------------------------------------------------------------------------------- */

/* Items that all get, or that the first gets; an end that two hear of, or that leaves the others stuck. */
static void test_rule_53_three_outers_share_one_inner(void **state) {
    (void)state;
    CO_GEN(long) inner = items(0, 9, "i");
    CO_GEN(long) outer[3];
    for (int i = 0; i < 3; i++)
        outer[i] = borrow(inner, 10 + i);
    for (int i = 0; i < 9; i++)
        assert_next(outer[i * 2 % 3], i);
    assert_int_equal(CO_GEN_DESTROY(inner), -EBUSY);
    for (int i = 0; i < 3; i++) {
        assert_next(outer[i], 0);
        assert_next(outer[i], i == 0 ? 9 : 0); /* the result is told once */
        assert_next(outer[i], 10 + i);
        assert_none(outer[i], 0);
        assert_destroyed(outer[i]);
    }
    assert_done(inner);
    assert_destroyed(inner);
}

static CO_GENERATOR(hand_over_later, long, (CO_GEN(long), later), (int, error)) {
    CO_EMIT(1);
    CO_EMIT(2);
    CO_EMIT(3);
    CO_EMIT(CO_FROM(later, NULL));
    CO_EMIT(4);
    CO_EMIT(5);
    if (error != 0)
        CO_FAIL(error);
}

/* An inner generator that hands over afterwards, and goes on afterwards: all that wait for it must follow both times.
 */
static void test_rule_53_a_shared_one_hands_over(void **state) {
    (void)state;
    for (int error = 0; error < 2; error++) {
        CO_GEN(long) inner = hand_over_later(items(10, 16, "i"), error ? EIO : 0);
        CO_GEN(long) a = borrow(inner, 0);
        CO_GEN(long) b = borrow(inner, 0);
        CO_GEN(long) c = borrow(b, 0);
        assert_next(a, 1);
        assert_next(b, 2);
        assert_next(c, 3);
        for (long i = 10; i < 16; i++)
            assert_next(i % 3 == 0 ? a : i % 3 == 1 ? b : c, i);
        assert_next(c, 0);
        assert_next(a, 4);
        assert_next(b, 5);
        assert_next(a, error ? -EIO : 0);
        assert_next(a, 0);
        assert_next(c, 0);
        assert_next(b, 0);
        assert_destroyed(c);
        assert_done(b);
        assert_destroyed(b);
        assert_next(a, 0);
        assert_none(a, 0);
        assert_destroyed(a);
        assert_destroyed(inner);
    }
}

/* Closing an outer one closes what it has handed over to, as Python has it; the others find it done. */
static void test_rule_53_one_of_two_is_closed(void **state) {
    (void)state;
    CO_GEN(long) inner = items(0, 9, "i");
    CO_GEN(long) a = borrow(inner, 5);
    CO_GEN(long) b = borrow(inner, 6);
    trace_clear();
    assert_next(a, 0);
    assert_next(b, 1);
    assert_int_equal(CO_GEN_CLOSE(a), 0);
    assert_trace("i");
    assert_done(inner);
    assert_int_equal(CO_GEN_STATE(b), CO_GEN_SUSPENDED);
    assert_next(b, 0);
    assert_next(b, 0);
    assert_next(b, 6);
    assert_destroyed(a);
    assert_destroyed(inner);
    assert_destroyed(b);
}

/* An error for who waits for one that has been closed meanwhile: it is not lost, as what is sent is. */
static void test_throw_past_a_closed_inner_one(void **state) {
    (void)state;
    CO_GEN(long) inner = items(0, 9, "i");
    CO_GEN(long) a = borrow(inner, 5);
    CO_GEN(long) b = borrow(inner, 6);
    assert_next(a, 0);
    assert_next(b, 1);
    assert_int_equal(CO_GEN_CLOSE(inner), 0);
    assert_throw(a, EIO, -EIO);
    assert_next(a, 0);
    assert_next(a, 5);
    assert_send(b, 3, 0);
    assert_next(b, 0);
    assert_next(b, 6);
    assert_destroyed(a);
    assert_destroyed(b);
    assert_destroyed(inner);
}

/* One that is owned while others borrow it: freed under them, or never. Cleanup marks its close; a leak of what is
 * stepped here shows as one in its heap. */
static CO_GENERATOR(own_heap, long, (long *, owned)) {
    co_defer(free, owned);
    for (;;)
        CO_EMIT(++*owned);
}

static void test_an_owner_ends_before_a_borrower(void **state) {
    (void)state;
    for (int how = 0; how < 4; how++) {
        long *owned = (long *)calloc(1, sizeof *owned);
        CO_GEN(long) inner = how < 2 ? own_heap(owned) : items(1, 3 + how % 2, "i");
        CO_GEN(long) borrower = borrow(inner, 5);
        CO_GEN(long) owner = own(inner, 6);
        assert_next(borrower, 1);
        assert_next(owner, 2);
        if (how == 2)
            assert_next(owner, 0);
        if (how == 3)
            assert_next(borrower, 3);
        if (how == 3)
            assert_next(owner, 0);
        assert_destroyed(owner);
        assert_done(inner); /* it is still there, for who waits for it */
        if (how != 1) {
            assert_next(borrower, 0);
            assert_next(borrower, 0);
            assert_next(borrower, 5);
        }
        assert_destroyed(borrower);
        if (how >= 2)
            free(owned);
    }
}

/* The middle of a chain is stepped, and ended, by its own owner. */
static void test_the_middle_of_a_chain(void **state) {
    (void)state;
    CO_GEN(long) middle = own(items(0, 5, "i"), 7);
    CO_GEN(long) outer = borrow(middle, 8);
    assert_next(outer, 0);
    assert_next(middle, 1);
    assert_next(outer, 2);
    assert_next(middle, 3);
    assert_next(middle, 4);
    assert_next(middle, 0);
    assert_next(outer, 7);
    assert_none(middle, 0);
    assert_next(outer, 0);
    assert_next(outer, 0);
    assert_next(outer, 8);
    assert_destroyed(outer);
    assert_destroyed(middle);
    middle = own(items(0, 5, "i"), 7);
    outer = borrow(middle, 8);
    assert_next(outer, 0);
    assert_int_equal(CO_GEN_CLOSE(middle), 0);
    assert_next(outer, 0);
    assert_destroyed(outer);
    assert_destroyed(middle);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule_52_depth_200_stays_ordered),
        cmocka_unit_test(test_rule_52_closing_a_chain),
        cmocka_unit_test(test_rule_52_the_cost_does_not_grow),
        cmocka_unit_test(test_a_chain_longer_than_a_stack),
        cmocka_unit_test(test_a_tree_in_order),
        cmocka_unit_test(test_rule_53_three_outers_share_one_inner),
        cmocka_unit_test(test_rule_53_a_shared_one_hands_over),
        cmocka_unit_test(test_rule_53_one_of_two_is_closed),
        cmocka_unit_test(test_throw_past_a_closed_inner_one),
        cmocka_unit_test(test_an_owner_ends_before_a_borrower),
        cmocka_unit_test(test_the_middle_of_a_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
