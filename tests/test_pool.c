/* Stacks that are kept for reuse: the last one first, without a lock, and no more of them than was said.
 * Compiled with: -Wl,-wrap=pthread_mutex_lock -Wno-unused-command-line-argument
 */
#define _GNU_SOURCE
#include "memory.h"

#include <pthread.h>

int __real_pthread_mutex_lock(pthread_mutex_t *);
int __wrap_pthread_mutex_lock(pthread_mutex_t *);

static int locks;

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex) {
    locks++;
    return __real_pthread_mutex_lock(mutex);
}

static size_t page_bytes(void) { return (size_t)sysconf(_SC_PAGESIZE); }

static void *return_at_once(void *arg) { return arg; }

#define DEFAULT_LIMIT (128 * MIB)

/* ---- Order, and what it costs ------------------------------------------------------------------------------------ */

/* A stack that has grown cold, while a warm one lies ready. */
static void test_last_in_first_out(void **state) {
    (void)state;
    enum { MANY = 300 }; /* several magazines */
    static co_t *all[MANY];
    static const size_t sizes[] = {0, 16 * 1024, 1024 * 1024};
    for (size_t size = 0; size < sizeof sizes / sizeof sizes[0]; size++) {
        for (int i = 0; i < MANY; i++)
            assert_non_null(all[i] = create(sizes[size], return_at_once, NULL));
        for (int i = 0; i < MANY; i++)
            assert_int_equal(co_destroy(all[i]), 0);
        const int in_order = sizes[size] == 1024 * KIB ? 8 : 64; /* a magazine; those of large ones are shorter */
        for (int i = MANY - 1; i >= MANY - in_order; i--)
            assert_ptr_equal(create(sizes[size], return_at_once, NULL), all[i]);
        for (int i = MANY - in_order; i < MANY; i++)
            assert_int_equal(co_destroy(all[i]), 0);
    }
    for (int i = 0; i < 10; i++) {
        co_t *co = co_create(return_at_once, NULL);
        assert_int_equal(co_resume(co, NULL, NULL), CO_RETURNED);
        assert_int_equal(co_destroy(co), 0);
        assert_ptr_equal(co_create(return_at_once, NULL), co);
        assert_int_equal(co_destroy(co), 0);
        assert_ptr_equal((co_create)(return_at_once, NULL), co);
        assert_int_equal(co_destroy(co), 0);
        assert_ptr_equal(co_create_with(NULL, return_at_once, NULL), co);
        assert_int_equal(co_destroy(co), 0);
    }
}

/* A lock, which a thread that creates and destroys would share with all others. */
static void test_no_lock_for_a_warm_one(void **state) {
    (void)state;
    enum { TIMES = 1000, DEEP = 60 };
    static co_t *all[DEEP];
    static const size_t sizes[] = {0, 16 * 1024, 100 * 1024};
    if (!calls_can_be_intercepted())
        skip();
    for (size_t size = 0; size < 3; size++) {
        co_pool_trim();
        for (int round = 0; round < 2; round++) {
            locks = 0;
            for (int i = 0; i < TIMES / DEEP; i++) {
                for (int j = 0; j < DEEP; j++)
                    all[j] =
                        sizes[size] == 0 ? co_create(return_at_once, NULL) : create(sizes[size], return_at_once, NULL);
                for (int j = 0; j < DEEP; j++) {
                    if (j % 2 == 0)
                        co_resume(all[j], NULL, NULL);
                    co_destroy(all[j]);
                }
            }
            assert_true(round == 0 ? locks > 0 : locks == 0); /* the first round warms, and shows that locks are seen */
        }
    }
}

/* ---- How much is kept ------------------------------------------------------------------------------------------ */

enum { BURST = 3000 };
static co_t *burst[BURST];
static char *lows[BURST];

static void make_burst(size_t stack_bytes, int count) {
    for (int i = 0; i < count; i++) {
        burst[i] = stack_bytes == 0 ? co_create(suspend, NULL) : create(stack_bytes, suspend, NULL);
        assert_non_null(burst[i]);
        assert_int_equal(co_resume(burst[i], NULL, NULL), CO_YIELDED);
        if (i % 2 == 0) /* has ended, for which there is a shorter way back to the pool */
            assert_int_equal(co_resume(burst[i], NULL, NULL), CO_RETURNED);
        lows[i] = stack_low(burst[i]);
        mark_stack(burst[i]);
    }
}

/* How many of the stacks still have their memory when all are destroyed. */
static int kept_after_burst(size_t stack_bytes, int count) {
    make_burst(stack_bytes, count);
    for (int i = 0; i < count; i++)
        assert_int_equal(co_destroy(burst[i]), 0);
    int kept = 0;
    for (int i = 0; i < count; i++)
        kept += mark_is_kept(lows[i]);
    return kept;
}

/* A limit that is not kept, in either direction; one that is only obeyed by later calls. */
static void test_limit(void **state) {
    (void)state;
    if (!discarding_works())
        skip();
    co_pool_trim();
    assert_int_equal(co_pool_limit(DEFAULT_LIMIT), DEFAULT_LIMIT);
    static const size_t sizes[] = {0, 16 * 1024, 200 * 1024};
    for (size_t size = 0; size < 3; size++) {
        const int count = under_valgrind() ? BURST / 5 : BURST;
        const size_t bytes = sizes[size] != 0 ? sizes[size] : 128 * KIB, stride = bytes + GUARD_LEAST_BYTES;
        const int magazines = 2 * 64;
        /* As documented: up to the limit, and twice a magazine. */
        int kept = kept_after_burst(sizes[size], count);
        const int most = (int)(DEFAULT_LIMIT / stride) + magazines;
        const int least = (int)(DEFAULT_LIMIT / (stride + bytes / 8 + 2 * page_bytes())) - 64;
        assert_true(kept <= most);
        assert_true(kept >= (least < count ? least : count));
        co_pool_trim();
        for (int i = 0; i < count; i++)
            assert_false(mark_is_kept(lows[i]));
        /* More than there are. */
        assert_int_equal(co_pool_limit(SIZE_MAX), DEFAULT_LIMIT);
        assert_int_equal(kept_after_burst(sizes[size], count), count);
        assert_int_equal(kept_after_burst(sizes[size], count), count);
        /* Less again, which takes effect at once. */
        const size_t third = (size_t)count / 3;
        assert_int_equal(co_pool_limit(third * stride), SIZE_MAX);
        kept = 0;
        for (int i = 0; i < count; i++)
            kept += mark_is_kept(lows[i]);
        assert_in_range(kept, third * 6 / 10, third + (size_t)magazines);
        /* Nothing at all. */
        assert_int_equal(co_pool_limit(0), third * stride);
        for (int i = 0; i < count; i++)
            assert_false(mark_is_kept(lows[i]));
        assert_int_equal(kept_after_burst(sizes[size], count), 0);
        assert_int_equal(kept_after_burst(sizes[size], 1), 0);
        assert_int_equal(co_pool_limit(DEFAULT_LIMIT), 0);
        assert_int_equal(kept_after_burst(sizes[size], 1), 1);
    }
}

/* Large sizes, of which a magazine of 64 would be 128 MiB. */
static void test_large_ones_are_kept_in_small_numbers(void **state) {
    (void)state;
    if (!discarding_works())
        skip();
    co_pool_trim();
    co_pool_limit(1);
    const int kept = kept_after_burst(2000 * KIB, 40);
    co_pool_limit(DEFAULT_LIMIT);
    assert_in_range(kept, 1, 2 * 8);
    co_pool_trim();
}

/* A painted stack is in memory as a whole, which is too much to keep. */
static void test_painted_ones_are_kept_without_their_memory(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 64 * 1024};
    if (!discarding_works())
        skip();
    for (size_t size = 0; size < 2; size++) {
        co_t *co = co_create_with(&(co_options_t){.stack_bytes = sizes[size], .flags = CO_WATERMARK}, suspend, NULL);
        assert_non_null(co);
        char *low = stack_low(co);
        mark_stack(co);
        assert_int_equal(co_destroy(co), 0);
        assert_false(mark_is_kept(low));
    }
}

static void burst_and_trim(void) {
    const int count = 100000;
    co_t **all = (co_t **)calloc((size_t)count, sizeof(co_t *));
    REQUIRE(all != NULL);
    memset(all, 1, (size_t)count * sizeof(co_t *));
    const size_t before = status_bytes("VmRSS");
    for (int i = 0; i < count; i++) {
        REQUIRE((all[i] = co_create(suspend, NULL)) != NULL);
        REQUIRE(co_resume(all[i], NULL, NULL) == CO_YIELDED);
    }
    REQUIRE(status_bytes("VmRSS") >= before + (size_t)count * 4 * KIB);
    for (int i = 0; i < count; i++)
        REQUIRE(co_destroy(all[i]) == 0);
    const size_t policy = (DEFAULT_LIMIT / (132 * KIB) + 2 * 64) * 4 * KIB;
    REQUIRE(status_bytes("VmRSS") <= before + policy + 2 * MIB);
    co_pool_trim();
    REQUIRE(status_bytes("VmRSS") <= before + MIB);
}

/* Memory that a burst leaves behind. */
static void test_memory_after_a_burst(void **state) {
    (void)state;
    if (!figures_are_ours())
        skip();
    const struct child child = run_in_child(burst_and_trim);
    if (strstr(child.text, "create") != NULL)
        skip(); /* a kernel that ends near 32,000 stacks */
    assert_exited(&child, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_last_in_first_out),
        cmocka_unit_test(test_no_lock_for_a_warm_one),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_large_ones_are_kept_in_small_numbers),
        cmocka_unit_test(test_painted_ones_are_kept_without_their_memory),
        cmocka_unit_test(test_memory_after_a_burst),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
