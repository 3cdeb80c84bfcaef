/* libco with its own stacks: by default, with small ones, and in an arena, which is memory of the caller's. */
#define _GNU_SOURCE
#include "many.h"

#include <co.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

/* The arena's stacks are 65 cache lines apart: an odd number, so that the hot lines of many stacks do not fall into one
 * cache set. The uncoloured ones are as far apart as libco's own are, and all tops end at the same offset in a page,
 * which shows what it is worth that libco's do not. Neither have guards. */
enum { SMALL_BYTES = 6 * 1024, ARENA_STRIDE = 4160, UNCOLOURED_STRIDE = 136 * 1024 };

static co_t **coroutines;
static size_t coroutines_count;
static char *arena;
static size_t arena_bytes;

static void *body_return(void *arg) { return arg; }

static void *body_switch(void *arg) {
    (void)arg;
    for (;;)
        co_yield(NULL);
    return NULL;
}

/* co_create for default options, as most programs call it. */
static inline co_t *make(const co_options_t *options, co_fn body) {
    return options ? co_create_with(options, body, NULL) : co_create(body, NULL);
}

static inline __attribute__((always_inline)) void warm_with(const co_options_t *options, long n) {
    for (; n > 0; n--) {
        co_t *co = make(options, body_return);
        if (!co)
            bench_fail("creating a coroutine");
        co_resume(co, NULL, NULL);
        co_destroy(co);
    }
}

static void warm(long n) { warm_with(NULL, n); }

static void warm_small(long n) { warm_with(&(co_options_t){.stack_bytes = SMALL_BYTES}, n); }

static void warm_arena(long n) {
    static _Alignas(BENCH_CACHE_LINE) char stack[ARENA_STRIDE];
    warm_with(&(co_options_t){.stack = stack, .stack_bytes = sizeof stack}, n);
}

static int start(co_t *co) {
    if (!co)
        return 0;
    co_resume(co, NULL, NULL);
    coroutines[coroutines_count++] = co;
    return 1;
}

static inline __attribute__((always_inline)) size_t create_with(const co_options_t *options, size_t count) {
    while (coroutines_count < count && start(make(options, body_switch)))
        ;
    return coroutines_count;
}

static size_t create(size_t count) { return create_with(NULL, count); }

static size_t create_small(size_t count) { return create_with(&(co_options_t){.stack_bytes = SMALL_BYTES}, count); }

static size_t create_in_arena(size_t count, size_t stride) {
    arena_bytes = count * stride;
    arena = mmap(NULL, arena_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (arena == MAP_FAILED) {
        arena = NULL;
        return 0;
    }
#ifdef MADV_NOHUGEPAGE
    /* Small pages, as under every other stack; a kernel without huge pages refuses it and needs none. */
    (void)madvise(arena, arena_bytes, MADV_NOHUGEPAGE);
#endif
    while (coroutines_count < count) {
        co_options_t options = {.stack = arena + coroutines_count * stride, .stack_bytes = stride};
        if (!start(make(&options, body_switch)))
            break;
    }
    return coroutines_count;
}

static size_t create_arena(size_t count) { return create_in_arena(count, ARENA_STRIDE); }

static size_t create_uncoloured(size_t count) { return create_in_arena(count, UNCOLOURED_STRIDE); }

/* So that the pool neither keeps memory over from what ran before, nor keeps what is destroyed. */
static void prepare(size_t count) {
    co_pool_trim();
    coroutines = bench_alloc_touched(count, sizeof(co_t *));
    coroutines_count = 0;
}

static void resume(long rounds) {
    for (; rounds > 0; rounds--)
        for (size_t i = 0; i < coroutines_count; i++)
            co_resume(coroutines[i], NULL, NULL);
}

static void exchange(size_t i, size_t j) {
    co_t *kept = coroutines[i];
    coroutines[i] = coroutines[j];
    coroutines[j] = kept;
}

static void destroy(void) {
    size_t limit = co_pool_limit(0);
    for (size_t i = 0; i < coroutines_count; i++)
        co_destroy(coroutines[i]);
    co_pool_trim();
    co_pool_limit(limit);
    if (arena && munmap(arena, arena_bytes) != 0)
        bench_fail("unmapping the arena");
    arena = NULL;
    free(coroutines);
}

#define MAKER_COMMON                                                                                                   \
    .warm_slowness = 1, .slowness = 1, .prepare = prepare, .resume = resume, .exchange = exchange, .destroy = destroy

const bench_maker_t bench_libco_maker = {.name = "libco", .warm = warm, .create = create, MAKER_COMMON};

const bench_maker_t bench_libco_small_maker = {
    .name = "libco_small",
    .warm = warm_small,
    .create = create_small,
    MAKER_COMMON,
};

const bench_maker_t bench_libco_arena_maker = {
    .name = "libco_arena",
    .lends_memory = 1,
    .warm = warm_arena,
    .create = create_arena,
    MAKER_COMMON,
};

const bench_maker_t bench_libco_uncoloured_maker = {
    .name = "libco_uncoloured",
    .lends_memory = 1,
    .create = create_uncoloured,
    MAKER_COMMON,
};
