/* The stacks of the benchmark. Every peer gets the same memory, so the figures compare switches, not allocators. */
#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { COLOURS = 16, COLOUR_BYTES = 2 * BENCH_CACHE_LINE };

static char *stacks;
static size_t stacks_bytes;

void bench_fail(const char *what) {
    fprintf(stderr, "co_bench: %s: %s\n", what, strerror(errno));
    exit(1);
}

void *bench_alloc(size_t count, size_t bytes) {
    void *memory = calloc(count, bytes);
    if (!memory)
        bench_fail("out of memory");
    return memory;
}

void bench_stacks_map(size_t count) {
    stacks_bytes = count * BENCH_STACK_BYTES;
    stacks = mmap(NULL, stacks_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stacks == MAP_FAILED)
        bench_fail("mapping the stacks");
#ifdef MADV_NOHUGEPAGE
    /* A huge page would put 32 stacks into one TLB entry: no program that has guard pages sees that. A kernel
     * without huge pages refuses the advice and needs none. */
    (void)madvise(stacks, stacks_bytes, MADV_NOHUGEPAGE);
#endif
}

void bench_stacks_unmap(void) {
    if (munmap(stacks, stacks_bytes) != 0)
        bench_fail("unmapping the stacks");
    stacks = NULL;
}

void *bench_stack_base(size_t i) { return stacks + i * BENCH_STACK_BYTES; }

size_t bench_stack_bytes(size_t i) { return BENCH_STACK_BYTES - i % COLOURS * COLOUR_BYTES; }

void *bench_stack_top_block(size_t i, size_t bytes) {
    size_t lines = (bytes + BENCH_CACHE_LINE - 1) / BENCH_CACHE_LINE;
    return (char *)bench_stack_base(i) + bench_stack_bytes(i) - lines * BENCH_CACHE_LINE;
}
