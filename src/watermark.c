/* High-water marks of stacks.
 *
 * Without preparation the kernel is asked which pages of a mapped stack are there: those that were touched since the
 * stack was carved or its memory last discarded. With CO_WATERMARK the stack is painted at creation, and the lowest
 * unit that has another colour tells. */
#define _GNU_SOURCE 1

#include "watermark.h"

#include "block.h"
#include "pages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- Painting ------------------------------------------------------------------------------------------------ */

/* The unit of the answer. Two words, each of them its address mixed with a constant: no other word of a program is
 * likely to be equal, and neither is a copy of the pattern from elsewhere. No byte of them is zero, which is what
 * programs write most. */
struct unit {
    uint64_t words[2];
};

static uint64_t colour(const uint64_t *word) {
    return ((uint64_t)(uintptr_t)word ^ UINT64_C(0xc0c0a5a5c0c0a5a5)) | UINT64_C(0x0101010101010101);
}

static struct unit *lowest_unit(const struct co__stack *stack) {
    return (struct unit *)(((uintptr_t)stack->low + sizeof(struct unit) - 1) / sizeof(struct unit) *
                           sizeof(struct unit));
}

void co__watermark_paint(struct co__block *block) {
    for (struct unit *unit = lowest_unit(&block->stack); unit < (struct unit *)(void *)block; unit++)
        for (int i = 0; i < 2; i++)
            unit->words[i] = colour(&unit->words[i]);
}

/* Reads what is other people's: frames, poisoned or not, running or not. */
CO__UNINSTRUMENTED static const char *lowest_unpainted(const struct co__block *block) {
    const struct unit *unit = lowest_unit(&block->stack), *end = (const struct unit *)(const void *)block;
    co__hooks_reads_begin();
    while (unit < end && unit->words[0] == colour(&unit->words[0]) && unit->words[1] == colour(&unit->words[1]))
        unit++;
    const char *found = (const char *)unit;
    co__hooks_reads_end(&found, sizeof found);
    return found;
}

/* ---- Asking the kernel --------------------------------------------------------------------------------------- */

enum { CHUNK_PAGES = 64 };

/* Linux, Documentation/admin-guide/mm/pagemap.rst: bit 63 present, bit 62 swapped out. */
#define PAGE_EXISTS (UINT64_C(3) << 62)

/* Returns the address of the lowest page from `low` on that exists; `high` if none does or nothing is known. */
typedef uintptr_t search_fn(uintptr_t low, uintptr_t high);

/* Knows of pages that are swapped out, too. */
static uintptr_t search_pagemap(uintptr_t low, uintptr_t high) {
    const size_t page = co__page_bytes();
    uint64_t entries[CHUNK_PAGES];
    int file = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return high;
    for (bool found = false; low < high && !found;) {
        size_t pages = (high - low) / page < CHUNK_PAGES ? (high - low) / page : CHUNK_PAGES;
        ssize_t bytes = pread(file, entries, pages * sizeof entries[0], (off_t)(low / page * sizeof entries[0]));
        if (bytes <= 0) {
            low = high;
            break;
        }
        for (size_t i = 0; i < (size_t)bytes / sizeof entries[0] && !found; i++) {
            found = (entries[i] & PAGE_EXISTS) != 0;
            low += found ? 0 : page;
        }
    }
    close(file);
    return low;
}

static uintptr_t search_mincore(uintptr_t low, uintptr_t high) {
    const size_t page = co__page_bytes();
    unsigned char present[CHUNK_PAGES];
    for (bool found = false; low < high && !found;) {
        size_t pages = (high - low) / page < CHUNK_PAGES ? (high - low) / page : CHUNK_PAGES;
        if (mincore((void *)low, pages * page, present) != 0)
            return high;
        for (size_t i = 0; i < pages && !found; i++) {
            found = (present[i] & 1) != 0;
            low += found ? 0 : page;
        }
    }
    return low;
}

/* The page of the block exists. A search that does not find it has failed, or cannot see this memory, as under an
 * emulator whose addresses are not the kernel's. */
static const char *lowest_page(const struct co__block *block) {
    static search_fn *const ways[] = {search_pagemap, search_mincore};
    const uintptr_t page = co__page_bytes(), top = (uintptr_t)block / page * page;
    for (int i = 0; i < 2; i++) {
        uintptr_t lowest = ways[i]((uintptr_t)block->stack.low, top + page);
        if (lowest <= top)
            return (const char *)lowest;
    }
    return block->stack.low;
}

/* ---- The answers --------------------------------------------------------------------------------------------- */

size_t co_stack_size(const co_t *co) {
    const struct co__block *block = co__block_of(co);
    return co != NULL ? (size_t)((const char *)block - block->stack.low) : 0;
}

size_t co_stack_used(const co_t *co) {
    const struct co__block *block = co__block_of(co);
    const int kept_errno = errno;
    const char *lowest;
    if (co == NULL)
        return 0;
    if ((block->flags & CO_WATERMARK) != 0) {
        lowest = lowest_unpainted(block);
    } else if (block->stack.origin >= CO__FROM_MAPPING) {
        co__stack_discard_from_now_on();
        lowest = lowest_page(block);
    } else {
        errno = ENOTSUP;
        return 0;
    }
    errno = kept_errno;
    return (size_t)((const char *)block - lowest);
}
