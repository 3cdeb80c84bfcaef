/* What every peer of the benchmark offers, so that the driver can run them in turns.
 *
 * A peer is one implementation, in a file of its own, doing the same three pieces of work. The loops are inside
 * the peer: the driver pays one call per repetition, never one per switch. */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { BENCH_SWITCH, BENCH_GENERATOR } bench_work_t;

typedef struct bench_peer {
    const char *name; /* the second column of the output */
    long slowness;    /* it runs n / slowness, so that a run ends while one waits; at least 1 */

    /* Make `count` coroutines; place i of the round robin belongs to the one on stack order[i]. For BENCH_SWITCH
     * each has run to its first suspension; a generator is fresh. A peer without stacks ignores count and order. */
    void (*setup)(bench_work_t work, size_t count, const uint32_t *order);
    void (*teardown)(void);

    void (*hot)(long n);            /* n round trips with the first coroutine */
    void (*cold)(long n);           /* n round trips, each with the next coroutine; NULL: not measured */
    uintptr_t (*generator)(long n); /* the sum of the next n values: 0, 1, 2, ... */
} bench_peer_t;

extern const bench_peer_t bench_libco, bench_libco_from, bench_libco_out_of_line, bench_libco_out_of_line_from,
    bench_floor, bench_bare_out_of_line, bench_boost, bench_swapcontext, bench_function_pointer, bench_cxx20;

/* Stacks, the same for all peers (stacks.c). One mapping, 64 KiB a stack, untouched pages. Stack i ends (i mod 16)
 * pairs of cache lines below its 64 KiB, so that the hot lines of many stacks do not fall into one cache set. Pairs,
 * because a peer that aligns to them would else meet uneven distances, and processors fetch ahead over even ones
 * (measured: 12 against 30 ns a switch, in order over 100,000). */
enum { BENCH_STACK_BYTES = 64 * 1024, BENCH_CACHE_LINE = 64 };

void bench_stacks_map(size_t count);
void bench_stacks_unmap(void);
void *bench_stack_base(size_t i);
size_t bench_stack_bytes(size_t i);

/* The same, by its upper end: `bytes` of a block at the top of stack i, at the beginning of a cache line. */
void *bench_stack_top_block(size_t i, size_t bytes);

/* The thread's processor time (report.c). */
double bench_now_ns(void);

typedef struct bench_result {
    const char *workload, *implementation;
    long n;     /* operations in all repetitions together */
    double *ns; /* per operation, one for each repetition */
    long reps;
    double bytes; /* per item; 0: does not apply */
} bench_result_t;

/* Prints it on stdout and in the summary, which divides by the workload's floor, if that has come before. Sorts ns. */
void bench_report(const bench_result_t *result);

/* Memory or the end of the program, with a message. */
void *bench_alloc(size_t count, size_t bytes);
__attribute__((noreturn)) void bench_fail(const char *what);

#ifdef __cplusplus
}
#endif

#endif
