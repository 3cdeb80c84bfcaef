/* A channel takes its memory when it is created, where it may fail, and no call allocates after that. The library's
 * calls are intercepted at link time, which is not possible in a shared library.
 * Compiled with: -Wl,-wrap=malloc -Wl,-wrap=calloc -Wl,-wrap=realloc -Wno-unused-command-line-argument
 */
#define _GNU_SOURCE
#include "channels.h"
#include "memory.h"

static volatile bool refuses; /* whether malloc has nothing; compilers know that malloc reads no variable of ours */
static unsigned long allocations;

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);

UNINSTRUMENTED void *__wrap_malloc(size_t bytes) {
    allocations++;
    if (!refuses)
        return __real_malloc(bytes);
    errno = ENOMEM;
    return NULL;
}

/* Which compilers make of a malloc and what clears its memory. */
UNINSTRUMENTED void *__wrap_calloc(size_t count, size_t bytes) {
    allocations++;
    if (!refuses)
        return __real_calloc(count, bytes);
    errno = ENOMEM;
    return NULL;
}

UNINSTRUMENTED void *__wrap_realloc(void *memory, size_t bytes) {
    allocations++;
    return __real_realloc(memory, bytes);
}

/* A failure that is not told. */
static void test_out_of_memory(void **state) {
    (void)state;
    if (!calls_can_be_intercepted())
        skip();
    for (size_t capacity = 0; capacity < 2; capacity++) {
        refuses = true;
        errno = 0;
        co_chan_t *chan = co_chan_create(sizeof(int), capacity);
        refuses = false;
        assert_null(chan);
        assert_int_equal(errno, ENOMEM);
    }
}

/* Sizes whose product or sum is too large for a size_t, and so looks small. */
static void test_sizes_beyond_memory(void **state) {
    static const size_t sizes[][2] = {
        {SIZE_MAX, 1},
        {1, SIZE_MAX},
        {SIZE_MAX, SIZE_MAX},
        {SIZE_MAX / 2 + 1, 2},
        {2, SIZE_MAX / 2 + 1},
        {PTRDIFF_MAX, 1},
        {(size_t)1 << 32, (size_t)1 << 32},
        {1, PTRDIFF_MAX},
        {1, PTRDIFF_MAX - 64},
    };
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        errno = 0;
        assert_null(co_chan_create(sizes[i][0], sizes[i][1]));
        assert_int_equal(errno, ENOMEM);
    }
    co_chan_t *chan = co_chan_create(0, SIZE_MAX); /* signals take no memory */
    assert_non_null(chan);
    assert_int_equal(co_chan_capacity(chan), SIZE_MAX);
    assert_int_equal(co_chan_destroy(chan), 0);
    chan = co_chan_create(SIZE_MAX, 0); /* nor do items that the channel does not hold */
    assert_non_null(chan);
    assert_int_equal(co_chan_destroy(chan), 0);
}

enum { ROUNDS = 1000 };

static void *send_all(void *arg) {
    co_chan_t *const *chans = arg;
    int item = 1, other = 0;
    for (int i = 0; i < ROUNDS; i++) {
        co_select_case_t cases[] = {co_case_send(chans[0], &item), co_case_receive(chans[1], &other)};
        assert_int_equal(co_chan_send(chans[0], &item, CO_NEVER), 0);
        assert_int_equal(co_chan_send(chans[0], &item, co_after(1000000)), 0);
        assert_int_equal(co_select(cases, 2, co_after(1000000)), 0);
        assert_int_equal(co_chan_receive(chans[1], &other, co_now() + 2), -ETIMEDOUT);
    }
    assert_int_equal(co_chan_close(chans[0]), 0);
    return NULL;
}

static void *count_allocations(void *arg) {
    const size_t capacity = (size_t)number_of(arg);
    co_chan_t *chans[2] = {int_chan(capacity), int_chan(0)};
    int item = 0, count = 0;
    co_t *task = spawn(send_all, chans);
    settle();
    allocations = 0;
    while (co_chan_receive(chans[0], &item, CO_NEVER) == 1)
        count++;
    assert_int_equal(allocations, 0);
    assert_int_equal(count, 3 * ROUNDS);
    join(task);
    assert_int_equal(co_chan_destroy(chans[0]), 0);
    assert_int_equal(co_chan_destroy(chans[1]), 0);
    return NULL;
}

/* A call that allocates. */
static void test_no_call_allocates(void **state) {
    (void)state;
    if (!calls_can_be_intercepted())
        skip();
    for (intptr_t capacity = 0; capacity < 3; capacity++)
        run_in_order(count_allocations, value_of(capacity));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_sizes_beyond_memory),
        cmocka_unit_test(test_no_call_allocates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
