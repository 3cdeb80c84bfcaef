/* The floor of creation: what each coroutine costs the kernel, a guard and a page fault, and the bare switch. The
 * address space is one mapping. */
#define _GNU_SOURCE
#include "floor_switch.h"
#include "many.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

/* The guard page, the stack, and what the shift of its upper end takes; in whole pages of whatever size. */
enum { SLOT_BYTES = BENCH_MANY_STACK_BYTES + 8 * 1024, COLOURS = 16, COLOUR_BYTES = 2 * BENCH_CACHE_LINE };

static block_t **blocks;
static size_t blocks_count;
static char *memory;
static size_t memory_bytes, slot_bytes, page_bytes;
static int guards_by_advice;

static char *map(size_t bytes) {
    char *mapped =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (mapped == MAP_FAILED)
        return NULL;
#ifdef MADV_NOHUGEPAGE
    (void)madvise(mapped, bytes, MADV_NOHUGEPAGE); /* a kernel without huge pages refuses it and needs none */
#endif
    return mapped;
}

static int guard(char *page) {
    return guards_by_advice ? madvise(page, page_bytes, MADV_GUARD_INSTALL) : mprotect(page, page_bytes, PROT_NONE);
}

static void body(block_t *self, void *value) {
    (void)value;
    for (;;)
        floor_yield(self, NULL);
}

static void prepare(size_t count) {
    page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    slot_bytes = (SLOT_BYTES + page_bytes - 1) / page_bytes * page_bytes;
    blocks = bench_alloc_touched(count, sizeof *blocks);
    blocks_count = 0;

    /* Tried, because an emulator may answer 0 and guard nothing. */
    char *page = map(page_bytes);
    if (!page)
        bench_fail("mapping a page");
    guards_by_advice = madvise(page, page_bytes, MADV_GUARD_INSTALL) == 0 && bench_is_guarded(page);
    munmap(page, page_bytes);
}

static size_t create(size_t count) {
    memory_bytes = count * slot_bytes;
    memory = map(memory_bytes);
    if (!memory)
        return 0;
    for (size_t i = 0; i < count; i++) {
        char *slot = memory + i * slot_bytes;
        if (guard(slot) != 0)
            return i;
        block_t *block = (block_t *)(void *)(slot + slot_bytes - i % COLOURS * COLOUR_BYTES - BENCH_CACHE_LINE);
        floor_fresh(block, body);
        floor_resume(block, NULL);
        blocks[i] = block;
        blocks_count = i + 1;
    }
    return count;
}

static void resume(long rounds) {
    for (; rounds > 0; rounds--)
        for (size_t i = 0; i < blocks_count; i++)
            floor_resume(blocks[i], NULL);
}

static void exchange(size_t i, size_t j) {
    block_t *kept = blocks[i];
    blocks[i] = blocks[j];
    blocks[j] = kept;
}

static void destroy(void) {
    if (memory && munmap(memory, memory_bytes) != 0)
        bench_fail("unmapping the stacks");
    memory = NULL;
    free(blocks);
}

const bench_maker_t bench_floor_maker = {
    .name = "floor",
    .slowness = 1,
    .prepare = prepare,
    .create = create,
    .resume = resume,
    .exchange = exchange,
    .destroy = destroy,
};
