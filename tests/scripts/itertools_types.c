/* Uses of generator helpers that must not compile, each where its name is defined, and beside each the right one. Both
 * in C and in C++. */
#include <co/itertools.h>

struct point {
    int x, y;
};

struct pixel {
    int x, y;
};

CO_MAP(same, int, int, x) { return x; }
CO_MAP(points, struct point, int, x, (struct point, offset)) {
    struct point point = {x + offset.x, offset.y};
    return point;
}
CO_FILTER(positive, int, x) { return x > 0; }
CO_TAKE_WHILE(below, int, x, (int, limit)) { return x < limit; }
CO_SKIP_WHILE(not_before, int, x, (int, limit)) { return x < limit; }
CO_FOLD(sum, int, int, total, x) { return total + x; }
CO_ZIP(pairs, int, long);
CO_ENUMERATE(numbered, int);
CO_BATCH(rows, int);

/* A helper that is used in place, with a generator of another type around it or in it. */
int in_place(CO_GEN(int) generator, CO_GEN(int) other, CO_GEN(long) wrong);
int in_place(CO_GEN(int) generator, CO_GEN(int) other, CO_GEN(long) wrong) {
    int *items = NULL, status = 0;
    long *wrong_items = NULL;
    size_t count = 0;
    CO_GEN(int) two[2];
    CO_GEN(long) wrong_two[2];
    struct pixel array[1] = {{1, 2}};
    (void)items, (void)wrong_items, (void)count, (void)two, (void)wrong_two, (void)wrong, (void)other;
#if defined(WRONG_TAKE)
    CO_FOR(long, x, CO_TAKE(generator, 2))
        status += x > 0;
#elif defined(WRONG_SKIP)
    CO_FOR(long, x, CO_SKIP(generator, 2))
        status += x > 0;
#elif defined(WRONG_CHAIN)
    CO_FOR(long, x, CO_CHAIN(generator, other))
        status += x > 0;
#elif defined(WRONG_CHAIN_SECOND)
    status = CO_GEN_DESTROY(CO_CHAIN(generator, wrong));
#elif defined(WRONG_CHAIN_LAST)
    status = CO_GEN_DESTROY(CO_CHAIN(generator, other, generator, other, generator, other, generator, wrong));
#elif defined(WRONG_CHAIN_NINE)
    status = CO_GEN_DESTROY(CO_CHAIN(other, other, other, other, other, other, other, other, other, 9));
#elif defined(WRONG_ARRAY)
    CO_FOR(struct point, x, CO_FROM_ARRAY(array, 1))
        status += x.x;
#elif defined(WRONG_TEE)
    status = CO_TEE(generator, 2, wrong_two);
#elif defined(WRONG_TEE_NO_ARRAY)
    status = CO_TEE(generator, 2, other);
#elif defined(WRONG_TEE_NUMBERS)
    status = CO_TEE(generator, 1, &status);
#elif defined(WRONG_MEMO)
    CO_FOR(long, x, CO_MEMO_ITERATE(CO_MEMO_MAKE(generator)))
        status += x > 0;
#elif defined(WRONG_MEMO_OF_NO_GENERATOR)
    status = CO_MEMO_DESTROY(CO_MEMO_MAKE(status));
#elif defined(WRONG_MEMO_ITERATED)
    CO_FOR(int, x, CO_MEMO_ITERATE(generator))
        status += x > 0;
#elif defined(WRONG_COLLECT)
    status = CO_COLLECT(generator, &wrong_items, &count);
#elif defined(WRONG_COLLECT_AT_MOST)
    status = CO_COLLECT_AT_MOST(wrong, 3, &items, &count);
#elif defined(WRONG_COLLECT_NO_POINTER)
    status = CO_COLLECT(generator, items, &count);
#elif defined(WRONG_COLLECT_NUMBER)
    status = CO_COLLECT(generator, count, &count);
#elif defined(WARNED_COLLECT_COUNT)
    status = CO_COLLECT(generator, &items, &status);
#else
    CO_FOR(int, x, CO_TAKE(CO_SKIP(CO_CHAIN(generator, other), 1), 2))
        status += x > 0;
    CO_FOR(struct pixel, x, CO_FROM_ARRAY(array, 1))
        status += x.x;
    status += CO_TEE(generator, 2, two) + CO_COLLECT(generator, &items, &count);
    status += CO_TEE(wrong, 2, wrong_two) + CO_COLLECT_AT_MOST(wrong, 3, &wrong_items, &count);
    CO_MEMO(int) memo = CO_MEMO_MAKE(generator);
    CO_FOR(int, x, CO_MEMO_ITERATE(memo))
        status += x > 0;
    status += CO_MEMO_DESTROY(memo);
#endif
    return status;
}

/* The result of a helper that is defined, as one of another type. */
int of_defined(CO_GEN(int) generator, CO_GEN(long) wrong);
int of_defined(CO_GEN(int) generator, CO_GEN(long) wrong) {
    int status = 0;
    struct point offset = {1, 2};
    (void)offset, (void)wrong;
#if defined(WRONG_MAP)
    CO_FOR(long, x, same(generator))
        status += x > 0;
#elif defined(WRONG_MAP_STRUCT)
    CO_FOR(struct pixel, x, points(generator, offset))
        status += x.x;
#elif defined(WRONG_MAP_PARAMETER)
    CO_FOR(struct point, x, points(generator, 3))
        status += x.x;
#elif defined(WRONG_MAP_PARAMETER_MISSING)
    CO_FOR(struct point, x, points(generator))
        status += x.x;
#elif defined(WRONG_FILTER)
    CO_FOR(long, x, positive(generator))
        status += x > 0;
#elif defined(WRONG_ZIP)
    CO_FOR(numbered_item, x, pairs(generator, wrong))
        status += x.value;
#elif defined(WRONG_ENUMERATE)
    CO_FOR(int, x, numbered(generator, 0))
        status += x;
#elif defined(WRONG_BATCH)
    CO_FOR(int, x, rows(generator, 3))
        status += x;
#else
    CO_FOR(int, x, not_before(below(positive(same(generator)), 9), 1))
        status += x > 0;
    CO_FOR(struct point, x, points(generator, offset))
        status += x.x;
    CO_FOR(pairs_item, x, pairs(generator, wrong))
        status += x.second > 0;
    CO_FOR(numbered_item, x, numbered(generator, 0))
        status += x.value;
    CO_FOR(rows_item, x, rows(generator, 3))
        status += x.items[0];
#endif
    return status;
}

/* What C takes with a warning, and C++ does not: a generator as the argument of a function that is defined. */
int into_defined(CO_GEN(int) generator, CO_GEN(long) wrong);
int into_defined(CO_GEN(int) generator, CO_GEN(long) wrong) {
    int total = 0;
    long wrong_total = 0;
    (void)total, (void)wrong_total, (void)generator, (void)wrong;
#if defined(WARNED_MAP)
    return same(wrong) != NULL;
#elif defined(WARNED_FILTER)
    return positive(wrong) != NULL;
#elif defined(WARNED_TAKE_WHILE)
    return below(wrong, 3) != NULL;
#elif defined(WARNED_SKIP_WHILE)
    return not_before(wrong, 3) != NULL;
#elif defined(WARNED_ZIP_FIRST)
    return pairs(wrong, wrong) != NULL;
#elif defined(WARNED_ZIP_SECOND)
    return pairs(generator, generator) != NULL;
#elif defined(WARNED_ENUMERATE)
    return numbered(wrong, 0) != NULL;
#elif defined(WARNED_BATCH)
    return rows(wrong, 3) != NULL;
#elif defined(WARNED_FOLD)
    return sum(wrong, &total);
#elif defined(WARNED_FOLD_TOTAL)
    return sum(generator, &wrong_total);
#else
    return sum(generator, &total) + (pairs(generator, wrong) != NULL);
#endif
}

/* Arguments with side effects are evaluated once. */
int side_effects(CO_GEN(int) * generators, size_t *counts, int **items);
int side_effects(CO_GEN(int) * generators, size_t *counts, int **items) {
    CO_GEN(int) taken = CO_TAKE(*generators++, *counts++);
    CO_GEN(int) skipped = CO_SKIP(*generators++, *counts++);
    CO_GEN(int) chained = CO_CHAIN(*generators++, taken, skipped);
    CO_GEN(int) array = CO_FROM_ARRAY(*items++, *counts++);
    return CO_COLLECT(CO_CHAIN(chained, array), items++, counts++);
}

int main(void) { return 0; }
