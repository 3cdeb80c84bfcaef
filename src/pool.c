/* Keeping stacks for reuse; pool.h has the picture. */
#define _DEFAULT_SOURCE 1 /* MAP_ANONYMOUS */

#include "pool.h"

#include "lock.h"
#include "pages.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>

/* A magazine holds this many stacks of the default size, and fewer of larger ones, so that what a thread keeps of any
 * size is bounded in bytes too. */
enum { MAGAZINE_STACKS = 64 };
#define MAGAZINE_BYTES ((size_t)MAGAZINE_STACKS * 136 * 1024)

/* New stacks are taken one, two, four at a time, and so on to this many: a program with one coroutine makes one guard,
 * and one with a million makes them in batches. */
enum { RUN_MOST_STACKS = 32 };

#define DEFAULT_LIMIT_BYTES ((size_t)128 * 1024 * 1024)

static _Atomic size_t limit_bytes = DEFAULT_LIMIT_BYTES;
static _Atomic bool discarding;
_Atomic size_t co__pool_plain_limit; /* 0 until the first pool is made */

static uint32_t magazine_stacks(int size_class) {
    size_t stacks = MAGAZINE_BYTES / co__class_stride(size_class);
    return stacks > MAGAZINE_STACKS ? MAGAZINE_STACKS : (uint32_t)stacks;
}

static size_t plain_limit(void) {
    return atomic_load(&limit_bytes) != 0 && !atomic_load(&discarding) ? magazine_stacks(co__default_size_class()) : 0;
}

/* Threads may change both at the same time: whoever stores last looks once more after that. */
static void refresh_plain_limit(void) {
    size_t limit;
    do
        atomic_store(&co__pool_plain_limit, limit = plain_limit());
    while (limit != plain_limit());
}

void co__stack_discard_from_now_on(void) {
    if (!atomic_load(&discarding)) {
        atomic_store(&discarding, true);
        refresh_plain_limit();
        co_pool_trim(); /* what is kept by now has a past */
    }
}

/* ---- Magazines ----------------------------------------------------------------------------------------------- */

static struct co__block *pop(struct co__magazine *magazine) {
    struct co__block *block = magazine->first;
    magazine->first = block->hot.own.sp;
    magazine->count--;
    return block;
}

static void push(struct co__magazine *magazine, struct co__block *block) {
    block->hot.own.sp = magazine->first;
    magazine->first = block;
    magazine->count++;
}

/* To the kernel: memory now, and address space when the slab is empty. */
static void give_back(struct co__magazine *magazine) {
    while (magazine->count > 0) {
        struct co__block *block = pop(magazine);
        const struct co__stack stack = block->stack;
        co__stack_discard_all(&stack);
        co__slab_put(&stack);
    }
}

/* ---- The depot ----------------------------------------------------------------------------------------------- */

/* Full magazines. The next one is in resumer.sp of a magazine's first block, how many it holds in resumer.fp. */
static struct {
    struct co__block *magazines[CO__SIZE_CLASSES];
    size_t bytes; /* of address space, guards included */
} depot;

static size_t magazine_bytes(const struct co__magazine *magazine) {
    return magazine->count * co__class_stride(magazine->first->stack.size_class);
}

static void depot_put(struct co__magazine *magazine) {
    struct co__block *first = magazine->first;
    struct co__block **magazines = &depot.magazines[first->stack.size_class];
    (void)co__lock(); /* succeeded when the stacks were taken */
    const size_t bytes = magazine_bytes(magazine), limit = atomic_load(&limit_bytes);
    if (bytes <= limit && depot.bytes <= limit - bytes) {
        first->hot.resumer.sp = *magazines;
        first->hot.resumer.fp = (void *)(uintptr_t)magazine->count;
        *magazines = first;
        depot.bytes += bytes;
        *magazine = (struct co__magazine){NULL, 0};
    }
    co__unlock();
    give_back(magazine);
}

/* With the lock held. */
static void depot_take_locked(int size_class, struct co__magazine *magazine) {
    struct co__block *first = depot.magazines[size_class];
    if (first == NULL)
        return;
    depot.magazines[size_class] = first->hot.resumer.sp;
    *magazine = (struct co__magazine){first, (size_t)(uintptr_t)first->hot.resumer.fp};
    depot.bytes -= magazine_bytes(magazine);
}

static void depot_take(int size_class, struct co__magazine *magazine) {
    if (co__lock() != 0)
        return;
    depot_take_locked(size_class, magazine);
    co__unlock();
}

/* Gives back until at most `bytes` are left, large sizes first. */
static void depot_shrink(size_t bytes) {
    for (int size_class = CO__SIZE_CLASSES - 1; size_class >= 0; size_class--)
        for (;;) {
            struct co__magazine magazine = {NULL, 0};
            if (co__lock() != 0)
                return;
            if (depot.bytes > bytes)
                depot_take_locked(size_class, &magazine);
            co__unlock();
            if (magazine.count == 0)
                break;
            give_back(&magazine);
        }
}

/* ---- The thread's ---------------------------------------------------------------------------------------------- */

static void empty_shelf(struct co__shelf *shelf) {
    give_back(&shelf->loaded);
    give_back(&shelf->spare);
    co__slab_put_run(&shelf->run);
    shelf->run = (struct co__run){0};
    shelf->run_length = 0;
}

static void empty_pool(struct co__pool *pool) {
    empty_shelf(&pool->plain);
    for (int i = 0; i < CO__SIZE_CLASSES; i++)
        empty_shelf(&pool->shelves[i]);
}

static size_t pool_bytes(void) { return co__round_to_pages(sizeof(struct co__pool)); }

/* At the end of a thread. Destructors that run later may use coroutines too: they get another pool, and the C library
 * calls this once more. */
static void end_pool(void *pool) {
    CO__THREAD_SET(CO__THREAD_POOL, NULL);
    empty_pool(pool);
    munmap(pool, pool_bytes());
}

static bool key_exists;
static pthread_key_t key;

static bool make_key(void) {
    if (co__lock() != 0)
        return false;
    if (!key_exists)
        key_exists = pthread_key_create(&key, end_pool) == 0;
    bool exists = key_exists;
    co__unlock();
    return exists;
}

/* NULL: the thread does without, since there is no memory for a pool or nothing that would end it. The memory is a
 * mapping, of which untouched pages cost nothing; at the end of the program nothing is left in the heap. */
static CO__COLD __attribute__((noinline)) struct co__pool *make_pool(void) {
    struct co__pool *pool;
    if (!make_key())
        return NULL;
    pool = mmap(NULL, pool_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pool == MAP_FAILED)
        return NULL;
    if (pthread_setspecific(key, pool) != 0) {
        munmap(pool, pool_bytes());
        return NULL;
    }
    pool->plain_class = co__hooks_present() ? 0 : co__default_size_class();
    refresh_plain_limit();
    CO__THREAD_SET(CO__THREAD_POOL, pool);
    return pool;
}

static struct co__shelf *shelf_of_thread(int size_class) {
    struct co__pool *pool = co__pool_of_thread();
    if (pool == NULL) {
        const int kept_errno = errno; /* what is missing here is nobody's error */
        pool = make_pool();
        errno = kept_errno;
        if (pool == NULL)
            return NULL;
    }
    struct co__shelf *shelf = size_class == pool->plain_class ? &pool->plain : &pool->shelves[size_class];
    if (shelf->magazine_stacks == 0)
        shelf->magazine_stacks = magazine_stacks(size_class);
    return shelf;
}

/* ---- Taking and putting -------------------------------------------------------------------------------------- */

/* Another try, when there are no mappings or no memory left, with all that is kept given back. */
static int take_run(int size_class, uint32_t most, struct co__run *run) {
    int error = co__slab_take(size_class, most, run);
    if (error == 0)
        return 0;
    co_pool_trim();
    return co__slab_take(size_class, most, run);
}

static struct co__block *first_of_run(struct co__run *run, int size_class) {
    struct co__stack stack;
    co__slab_stack(run, size_class, &stack);
    return co__stack_place_block(&stack, CO__TASK_BYTES);
}

struct co__block *co__pool_take(int size_class, int *error) {
    struct co__shelf *shelf = shelf_of_thread(size_class);
    if (shelf == NULL) {
        struct co__run run;
        *error = take_run(size_class, 1, &run);
        return *error == 0 ? first_of_run(&run, size_class) : NULL;
    }
    if (shelf->loaded.count == 0) {
        shelf->loaded = shelf->spare;
        shelf->spare = (struct co__magazine){NULL, 0};
    }
    if (shelf->loaded.count == 0 && shelf->run.next == shelf->run.end)
        depot_take(size_class, &shelf->loaded);
    if (shelf->loaded.count > 0)
        return pop(&shelf->loaded);
    if (shelf->run.next == shelf->run.end) {
        uint32_t length = shelf->run_length == 0 ? 1 : shelf->run_length * 2;
        length = length < RUN_MOST_STACKS ? length : RUN_MOST_STACKS;
        *error = take_run(size_class, length, &shelf->run);
        if (*error != 0)
            return NULL;
        shelf->run_length = length;
    }
    return first_of_run(&shelf->run, size_class);
}

void co__pool_put(struct co__block *block) {
    struct co__shelf *shelf = shelf_of_thread(block->stack.size_class);
    bool keep = shelf != NULL && atomic_load(&limit_bytes) != 0;
    if (!keep) {
        struct co__magazine single = {NULL, 0};
        push(&single, block);
        give_back(&single);
        if (shelf != NULL)
            empty_pool(co__pool_of_thread());
        return;
    }
    if (atomic_load_explicit(&discarding, memory_order_relaxed))
        co__stack_discard(block);
    if (shelf->loaded.count >= shelf->magazine_stacks) {
        if (shelf->spare.count > 0)
            depot_put(&shelf->spare);
        shelf->spare = shelf->loaded;
        shelf->loaded = (struct co__magazine){NULL, 0};
    }
    push(&shelf->loaded, block);
}

size_t co_pool_limit(size_t bytes) {
    const bool locked = co__lock() == 0;
    size_t before = atomic_load(&limit_bytes);
    atomic_store(&limit_bytes, bytes);
    refresh_plain_limit();
    if (locked)
        co__unlock();
    depot_shrink(bytes);
    if (bytes == 0)
        co_pool_trim();
    return before;
}

void co_pool_trim(void) {
    struct co__pool *pool = co__pool_of_thread();
    if (pool != NULL)
        empty_pool(pool);
    depot_shrink(0);
}
