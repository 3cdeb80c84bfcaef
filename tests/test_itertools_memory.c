/* Every allocation of every helper fails in turn, for good: an error that says so, and nothing leaked. The library's
 * calls are intercepted at link time, which is not possible in a shared library.
 * Compiled with: -Wl,-wrap=malloc,-wrap=calloc,-wrap=realloc,-wrap=free,-wrap=mmap
 * Compiled with: -Wno-unused-command-line-argument
 */
#define _GNU_SOURCE
#include "itertools.h"
#include "itertools_memory.h"

void *__real_mmap(void *, size_t, int, int, int, off_t);
void *__wrap_mmap(void *, size_t, int, int, int, off_t);

UNINSTRUMENTED void *__wrap_mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset) {
    return memory_fails() ? MAP_FAILED : __real_mmap(address, bytes, protection, flags, file, offset);
}

static CO_MAP(doubled, long, long, x) { return 2 * x; }
static CO_MAP(pointed, struct point, long, x) { return (struct point){x, x, x}; }
static CO_FILTER(all, long, x, (long, least)) { return x >= least; }
static CO_TAKE_WHILE(below, long, x, (long, limit)) { return x < limit; }
static CO_SKIP_WHILE(not_before, long, x, (long, limit)) { return x < limit; }
static CO_ZIP(pairs, long, long);
static CO_ENUMERATE(numbered, long);
static CO_BATCH(rows, long);

enum { ITEMS = 40 };

/* A coroutine wants memory too, and can do without some of it. */
static bool from_coroutines;

static CO_GEN(long) source(void) { return from_coroutines ? counted(ITEMS, 0) : co_range(0, ITEMS, 1); }

/* Each takes all that there is and answers how it ended. */
#define TAKE_ALL(T, generator)                                                                                         \
    int status, n = 0;                                                                                                 \
    CO_FOR_STATUS(T, x, generator, status) {                                                                           \
        (void)x;                                                                                                       \
        n++;                                                                                                           \
    }                                                                                                                  \
    REQUIRE(status<0 || n> 0);                                                                                         \
    return status

static int run_numbers(void) { TAKE_ALL(long, CO_CHAIN(co_range(0, 9, 1), CO_TAKE(co_count(0, 1), 3))); }
static int run_array(void) {
    static const struct point array[3] = {{1, 2, 3}};
    TAKE_ALL(struct point, CO_FROM_ARRAY(array, 3));
}
static int run_map(void) { TAKE_ALL(struct point, pointed(doubled(source()))); }
static int run_filter(void) { TAKE_ALL(long, all(not_before(below(source(), 30), 5), 7)); }
static int run_pass(void) { TAKE_ALL(long, CO_TAKE(CO_SKIP(CO_CHAIN(source(), source(), source()), 3), 100)); }
static int run_zip(void) { TAKE_ALL(pairs_item, pairs(source(), doubled(source()))); }
static int run_enumerate(void) { TAKE_ALL(numbered_item, numbered(source(), 0)); }
static int run_batch(void) { TAKE_ALL(rows_item, rows(source(), 30)); }
static int run_collect(void) {
    long *items;
    size_t count;
    int status = CO_COLLECT(source(), &items, &count);
    REQUIRE(status < 0 ? items == NULL && count == 0 : count == ITEMS);
    free(items);
    return status;
}
static int run_tee(void) {
    CO_GEN(struct point) three[3];
    const int made = CO_TEE(CO_CHAIN(pointed(source()), pointed(source())), 3, three);
    int status = made;
    for (int i = 0; i < 3; i++) {
        REQUIRE((three[i] == NULL) == (made < 0));
        if (made < 0)
            continue;
        int ended;
        CO_FOR_STATUS(struct point, p, three[i], ended)
            REQUIRE(p.x >= 0);
        status = ended < 0 ? ended : status;
    }
    return status;
}
/* The source executes, so that it cannot be destroyed with what could not be made. */
static CO_GEN(long) own;
static CO_GEN(long) two[2];
static CO_GENERATOR(tees_itself, long, (int *, status)) {
    *status = CO_TEE(own, 2, two);
    CO_EMIT(1);
}
static int run_tee_of_itself(void) {
    int status = 0;
    long x = -1;
    own = tees_itself(&status);
    if (own == NULL)
        return -errno;
    REQUIRE(CO_NEXT(own, &x) == 1);
    if (status < 0)
        REQUIRE(CO_GEN_DESTROY(own) == 0);
    else
        REQUIRE(CO_GEN_DESTROY(two[0]) + CO_GEN_DESTROY(two[1]) == 0);
    return status;
}
static int run_memo(void) {
    CO_MEMO(long) memo = CO_MEMO_MAKE(co_range(0, 300, 1));
    if (memo == NULL)
        return -errno;
    int first, second;
    CO_FOR_STATUS(long, x, CO_MEMO_ITERATE(memo), first)
        REQUIRE(x >= 0);
    CO_FOR_STATUS(long, x, CO_MEMO_ITERATE(memo), second)
        REQUIRE(x >= 0);
    REQUIRE(CO_MEMO_DESTROY(memo) == 0);
    return first < 0 ? first : second;
}
static int run_lines(void) {
    static char text[] = "one\nand another, which is longer than the buffer was\n";
    static FILE *file;
    if (file == NULL)
        file = fmemopen(text, sizeof text - 1, "r");
    REQUIRE(file != NULL);
    rewind(file);
    TAKE_ALL(const char *, co_lines(file));
}

static int (*run)(void);
static int calls_in_all;

static void fail_each(void) {
    co_pool_limit(0); /* so that every coroutine needs memory */
    memory.failing = INT_MAX;
    REQUIRE(run() == 0); /* what the process keeps for good is there from here on */
    co_pool_trim();
    memory.count = 0;
    REQUIRE(run() == 0);
    calls_in_all = memory.count;
    co_pool_trim();
    const long held = memory.held;
    REQUIRE(calls_in_all > 0);
    for (int which = 1; which <= calls_in_all; which++) {
        reset_counts();
        memory.failed = memory.count = 0;
        memory.failing = which;
        errno = 0;
        const int status = run();
        memory.failing = INT_MAX;
        REQUIRE(status == -ENOMEM || (status == 0 && from_coroutines && memory.failed > 0));
        co_pool_trim();
        REQUIRE(memory.held == held);
    }
}

/* Sources that leak where their helper cannot be made, and an end without an error where memory ran out. */
static void test_each_allocation_fails(void **state) {
    (void)state;
    static int (*const all_runs[])(void) = {run_numbers,       run_array,     run_map,   run_filter,  run_pass,
                                            run_zip,           run_enumerate, run_batch, run_collect, run_tee,
                                            run_tee_of_itself, run_memo,      run_lines};
    if (!calls_can_be_intercepted())
        skip();
    for (size_t i = 0; i < 2 * sizeof all_runs / sizeof *all_runs; i++) {
        run = all_runs[i / 2];
        from_coroutines = i % 2 == 1;
        const struct child child = run_in_child(fail_each);
        if (child.status != 0)
            print_error("program %zu: %s\n", i / 2, child.text);
        assert_exited(&child, 0);
    }
}

/* Memory for more items than can come. */
static void test_no_more_than_can_come(void **state) {
    (void)state;
    long *items;
    size_t count;
    rows_item row;
    if (!calls_can_be_intercepted())
        skip();
    memory.largest = 0;
    assert_int_equal(CO_COLLECT_AT_MOST(source(), 3, &items, &count), 0);
    free(items);
    CO_GEN(rows_item) generator = rows(source(), 3);
    assert_int_equal(CO_NEXT(generator, &row), 1);
    assert_int_equal(CO_GEN_DESTROY(generator), 0);
    assert_int_equal(memory.largest, 3 * sizeof(long));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_allocation_fails),
        cmocka_unit_test(test_no_more_than_can_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
