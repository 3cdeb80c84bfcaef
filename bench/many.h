/* What the workloads for creating coroutines, and for many live ones, want of each implementation; many.c runs them.
 *
 * A maker is one implementation with its own stacks and its own allocation: 128 KiB a stack and a guard page below it
 * unless its file says otherwise. As in bench.h, the loops are inside: the driver pays one call per measurement. */
#ifndef BENCH_MANY_H
#define BENCH_MANY_H

#include "bench.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { BENCH_MANY_STACK_BYTES = 128 * 1024 };

typedef struct bench_maker {
    const char *name;
    long warm_slowness; /* create_warm runs n / warm_slowness */
    long slowness;      /* switches run n / slowness */
    int lends_memory;   /* stacks are cut from memory of the caller's: nothing to measure in create_cold */

    /* n times: create, run to the end, destroy. NULL: not measured. */
    void (*warm)(long n);

    /* The rest: NULL where warm is all there is. `prepare` allocates the handles of `count` coroutines and touches
     * them, so that they are no part of what is measured. `create` makes the coroutines, runs each to its first yield,
     * and returns how many there are with all that belongs to them; fewer than `count`: errno says why. `destroy`
     * ends those and gives all memory back to the kernel. */
    void (*prepare)(size_t count);
    size_t (*create)(size_t count);
    void (*resume)(long rounds);          /* all coroutines in turn */
    void (*exchange)(size_t i, size_t j); /* their places in the turn */
    void (*destroy)(void);
} bench_maker_t;

extern const bench_maker_t bench_floor_maker, bench_libco_maker, bench_libco_small_maker, bench_libco_arena_maker,
    bench_libco_uncoloured_maker, bench_boost_protected_maker, bench_boost_pooled_maker, bench_swapcontext_maker;

/* Names, for the command line; NULL after the last. */
enum { BENCH_MANY_WORKLOADS = 14 };
const char *bench_many_workload(size_t w);
const char *bench_many_maker(size_t m);

/* Runs the workloads that are marked; `only` NULL: every maker. */
void bench_many_run(const int *chosen, long n, long reps, const char *only);

/* memory.c: what the kernel says. Bytes in this process's pages and page tables; bytes that can still be had, or 0
 * where it does not say; whether touching a page would fault. */
size_t bench_memory_used(void);
size_t bench_memory_available(void);
int bench_is_guarded(const void *page);

/* Has the machine find that many bytes of real memory, and gives them back. */
void bench_memory_reclaim(size_t bytes);

/* bench_alloc, and touched. */
void *bench_alloc_touched(size_t count, size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
