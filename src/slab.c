/* Slabs of stacks.
 *
 *     | struct co__slab, bitmap | guard | stack 0 | guard | stack 1 | ...
 *
 * A slab is one mapping. The first of a class is small; each further one is as large as all before it together, so that
 * a million stacks lie in some thirty mappings and a program with one coroutine reserves 2 MiB of address space. Stacks
 * are handed out from the lowest slab and slot that is free, which leaves later slabs to become empty: an empty slab is
 * unmapped, unless it is small and its class's only one. Guards are made when a stack is first handed out and stay as
 * long as its slab. */
#define _GNU_SOURCE 1

#include "slab.h"

#include "lock.h"
#include "pages.h"

#include <errno.h>
#include <sys/mman.h>

/* From the first slab of a class on; no slab is larger than the second. */
#define SLAB_LEAST_BYTES ((size_t)2 * 1024 * 1024)
#define SLAB_MOST_BYTES ((size_t)4 * 1024 * 1024 * 1024)

/* An empty slab that is its class's only one stays up to this size. */
#define KEPT_BYTES (2 * SLAB_LEAST_BYTES)

enum { WORD_BITS = 64 };

struct co__slab {
    struct co__slab *next;
    char *first; /* the guard of stack 0 */
    size_t mapped_bytes;
    uint32_t stacks, free;
    uint32_t guarded; /* stacks below this number have their guards */
    int size_class;
    uint64_t is_free[]; /* a bit for each stack */
};

static struct slabs {
    struct co__slab *first; /* oldest first */
    size_t mapped_bytes;    /* of all */
} slabs_of_class[CO__SIZE_CLASSES];

/* ---- Size classes -------------------------------------------------------------------------------------------- */

enum { STEPS = 16, STEPS_LOG2 = 4 };

int co__size_class(size_t bytes) {
    const size_t page = co__page_bytes(), guard = co__guard_bytes();
    if (bytes > CO__SLAB_STACK_MOST_BYTES)
        return -1;
    size_t pages = (bytes + guard + page - 1) / page;
    int doublings = 0;
    while (pages > 2 * STEPS) {
        pages = (pages + 1) / 2;
        doublings++;
    }
    int size_class = doublings * STEPS + (int)pages;
    return size_class < CO__SIZE_CLASSES ? size_class : -1;
}

size_t co__class_stride(int size_class) {
    if (size_class <= 2 * STEPS)
        return (size_t)size_class * co__page_bytes();
    int doublings = (size_class - 1) / STEPS - 1;
    return ((size_t)(size_class - doublings * STEPS) << doublings) * co__page_bytes();
}

/* ---- Slabs --------------------------------------------------------------------------------------------------- */

static size_t header_bytes(size_t stacks) {
    size_t words = (stacks + WORD_BITS - 1) / WORD_BITS;
    return co__round_to_pages(sizeof(struct co__slab) + words * sizeof(uint64_t));
}

/* Returns 0, ENOMEM or EAGAIN. Takes less address space where there is not so much. */
static int add_slab(int size_class, struct co__slab **added) {
    struct slabs *slabs = &slabs_of_class[size_class];
    const size_t stride = co__class_stride(size_class);
    size_t bytes = slabs->mapped_bytes;
    bytes = bytes < SLAB_LEAST_BYTES ? SLAB_LEAST_BYTES : bytes > SLAB_MOST_BYTES ? SLAB_MOST_BYTES : bytes;
    size_t stacks = bytes / stride;
    char *memory;
    for (;; stacks /= 2) {
        if (stacks == 0)
            stacks = 1;
        bytes = header_bytes(stacks) + stacks * stride;
        memory = co__pages_reserve(bytes);
        if (memory != NULL)
            break;
        if (stacks == 1)
            return errno;
    }
    struct co__slab *slab = (struct co__slab *)(void *)memory;
    slab->first = memory + header_bytes(stacks);
    slab->mapped_bytes = bytes;
    slab->stacks = slab->free = (uint32_t)stacks;
    slab->size_class = size_class;
    for (size_t i = 0; i < stacks; i++)
        slab->is_free[i / WORD_BITS] |= (uint64_t)1 << i % WORD_BITS;
    struct co__slab **last = &slabs->first;
    while (*last != NULL)
        last = &(*last)->next;
    *last = slab;
    slabs->mapped_bytes += bytes;
    *added = slab;
    return 0;
}

/* Unmapping can fail: a kernel that has merged the mapping with a neighbour has to split it. Then the slab stays. */
static void remove_if_empty(struct co__slab *slab) {
    struct slabs *slabs = &slabs_of_class[slab->size_class];
    struct co__slab **link = &slabs->first, *next = slab->next;
    const size_t bytes = slab->mapped_bytes;
    const bool only_one = slabs->first == slab && next == NULL;
    if (slab->free != slab->stacks || (only_one && bytes <= KEPT_BYTES))
        return;
    while (*link != slab)
        link = &(*link)->next;
    if (munmap(slab, bytes) != 0)
        return;
    *link = next;
    slabs->mapped_bytes -= bytes;
}

static bool is_free(const struct co__slab *slab, uint32_t i) {
    return (slab->is_free[i / WORD_BITS] >> i % WORD_BITS & 1) != 0;
}

static void mark(struct co__slab *slab, uint32_t from, uint32_t to, bool free) {
    for (uint32_t i = from; i < to; i++)
        slab->is_free[i / WORD_BITS] ^= (uint64_t)(is_free(slab, i) != free) << i % WORD_BITS;
    slab->free = free ? slab->free + (to - from) : slab->free - (to - from);
}

/* The first free stack; there is one. */
static uint32_t first_free(const struct co__slab *slab) {
    uint32_t word = 0;
    while (slab->is_free[word] == 0)
        word++;
    uint32_t i = word * WORD_BITS;
    while (!is_free(slab, i))
        i++;
    return i;
}

/* Returns how many stacks from `from` on have their guards and are free: none, if there are no more guards. */
static uint32_t guarded_run(struct co__slab *slab, uint32_t from, uint32_t most) {
    const size_t stride = co__class_stride(slab->size_class);
    uint32_t end = from;
    while (end < slab->stacks && end - from < most && is_free(slab, end))
        end++;
    if (end > slab->guarded) {
        /* Below `guarded` all are; a run that goes beyond it starts at or below it, for the lowest are taken first. */
        size_t made = co__guards_install(slab->first + slab->guarded * stride, stride, end - slab->guarded);
        slab->guarded += (uint32_t)made;
        end = slab->guarded;
    }
    return end > from ? end - from : 0;
}

/* A slab with free stacks may have no more guards to give, and a later one some that are free with theirs. */
static int take(int size_class, uint32_t most, struct co__run *run) {
    bool any_free = false;
    struct co__slab *slab = slabs_of_class[size_class].first;
    for (; slab != NULL; slab = slab->next) {
        if (slab->free == 0)
            continue;
        any_free = true;
        uint32_t from = first_free(slab), count = guarded_run(slab, from, most);
        if (count > 0) {
            mark(slab, from, from + count, false);
            *run = (struct co__run){slab, from, from + count};
            return 0;
        }
    }
    if (any_free)
        return ENOMEM;
    int error = add_slab(size_class, &slab);
    return error != 0 ? error : take(size_class, most, run);
}

int co__slab_take(int size_class, uint32_t most, struct co__run *run) {
    int error = co__lock();
    if (error == 0) {
        error = take(size_class, most, run);
        co__unlock();
    }
    return error;
}

static void put(struct co__slab *slab, uint32_t from, uint32_t to) {
    (void)co__lock(); /* succeeded when the stack was taken */
    mark(slab, from, to, true);
    remove_if_empty(slab);
    co__unlock();
}

void co__slab_put_run(const struct co__run *run) {
    if (run->next < run->end)
        put(run->slab, run->next, run->end);
}

void co__slab_put(const struct co__stack *stack) {
    struct co__slab *slab = stack->slab;
    uint32_t i = (uint32_t)((size_t)(stack->low - slab->first) / co__class_stride(stack->size_class));
    put(slab, i, i + 1);
}

/* Tops are shifted against each other by up to 15 pairs of cache lines. All stacks would else end at the same offset in
 * a page, and their hot lines fall into few sets of the caches. Pairs, since processors fetch ahead over even
 * distances. With 16 of them, 2 KiB of the top page are left for block and frames.
 *
 * From stack to stack the shift grows by one step, but for one place in sixteen, which moves on with each turn. Pages are
 * often consecutive in physical memory too, where their numbers choose sets of the larger caches: if the shift only went
 * round, each colour would meet the same few pages for ever (measured on Zen 4: 3.8 ns a switch over 1,000 stacks of two
 * pages, against 2.3). A sequence without any order is no better: processors fetch ahead over distances that they have
 * seen before (measured: 34 ns in order over 1,000,000, against 19). */
static size_t colour_bytes(uint32_t i) { return ((i + (i >> 4)) & 15) * CO__COLOUR_STEP; }
_Static_assert(15 * CO__COLOUR_STEP == CO__COLOUR_BYTES, "slab.h");

void co__slab_stack(struct co__run *run, int size_class, struct co__stack *stack) {
    const size_t stride = co__class_stride(size_class), guard = co__guard_bytes();
    const uint32_t i = run->next++;
    *stack = (struct co__stack){
        .low = run->slab->first + i * stride + guard,
        .bytes = stride - guard - colour_bytes(i),
        .slab = run->slab,
        .origin = CO__FROM_SLAB,
        .size_class = (unsigned char)size_class,
    };
}
