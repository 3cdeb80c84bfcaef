/* The pool: stacks that were used and are kept, warm, for the next who wants one of their size.
 *
 *     thread    per size class a magazine, last in first out, and a full one behind it; a run of new stacks
 *     process   the depot: full magazines, up to a limit (co_pool_limit)
 *     kernel    what goes beyond: memory at once, address space when a slab is empty
 *
 * Magazines after Bonwick and Adams, "Magazines and Vmem" (USENIX 2001): threads take no lock but for whole magazines,
 * wherever a coroutine that they destroy was created.
 *
 * A kept stack is its block, ended: a stale handle is told -ESRCH for as long as nobody has the stack. */
#ifndef CO_POOL_H
#define CO_POOL_H

#include "block.h"
#include "slab.h"

#include <stdatomic.h>

struct co__magazine {
    struct co__block *first; /* the next in own.sp, NULL at the end */
    size_t count;
};

/* What a thread keeps of one size class. */
struct co__shelf {
    struct co__magazine loaded, spare; /* the spare one is full or empty */
    struct co__run run;
    uint32_t run_length;      /* of the last; they grow */
    uint32_t magazine_stacks; /* how many a full magazine holds; 0 until the shelf is used */
};

struct co__pool {
    /* Of the default size, for coroutines without options, where no tool has to be told of them. Others of that size
     * share it. */
    struct co__shelf plain;
    struct co__shelf shelves[CO__SIZE_CLASSES];
    int plain_class; /* which of them `plain` stands for; 0: none */
};

/* How many the loaded magazine of `plain` may hold after a push without looking any further. */
extern _Atomic size_t co__pool_plain_limit __attribute__((visibility("hidden")));

/* The calling thread's pool; NULL until it has one. The thread may change at any switch, so the word is read anew. */
static inline struct co__pool *co__pool_of_thread(void) {
    struct co__pool *pool;
    CO__THREAD_GET(__volatile__, CO__THREAD_POOL, pool);
    return pool;
}

/* The ways that cost nothing: NULL or false leave it to the others. */
static inline struct co__block *co__pool_pop_plain(void) {
    struct co__pool *pool = co__pool_of_thread();
    struct co__block *block;
    if (!CO__LIKELY(pool != NULL) || !CO__LIKELY((block = pool->plain.loaded.first) != NULL))
        return NULL;
    pool->plain.loaded.first = block->hot.own.sp;
    pool->plain.loaded.count--;
    return block;
}

static inline bool co__pool_push_plain(struct co__block *block) {
    struct co__pool *pool = co__pool_of_thread();
    if (!CO__LIKELY(pool != NULL) ||
        !CO__LIKELY(pool->plain.loaded.count < atomic_load_explicit(&co__pool_plain_limit, memory_order_relaxed)))
        return false;
    block->hot.own.sp = pool->plain.loaded.first;
    pool->plain.loaded.first = block;
    pool->plain.loaded.count++;
    return true;
}

/* A stack of that class, with or without a past. NULL: `error` is ENOMEM or EAGAIN. */
struct co__block *co__pool_take(int size_class, int *error);
/* `block` is as described above. */
void co__pool_put(struct co__block *block);

#endif
