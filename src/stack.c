/* Stacks: the pool's, a mapping of its own, an allocator's memory, or the caller's. */
#define _GNU_SOURCE 1

#include "stack.h"

#include "canary.h"
#include "pages.h"
#include "pool.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

/* What a mapped stack holds besides a signal handler's frame: a few frames of the body's own. */
#define ROOM_BESIDE_SIGNAL_FRAME ((size_t)4096)

/* A block, wherever the top of its stack lies. */
#define BLOCK_BYTES (sizeof(struct co__block) + 128)

/* The block lies in the upper line of a pair of cache lines that processors fetch together; the first frame's line is
 * the lower one. */
struct co__block *co__stack_place_block(const struct co__stack *stack, size_t bytes_above) {
    uintptr_t top = (uintptr_t)stack->low + stack->bytes;
    uintptr_t address = (top - bytes_above - sizeof(struct co__block) - 64) / 128 * 128 + 64;
    struct co__block *block = (struct co__block *)address;
    /* Word by word: all at once is a string instruction to gcc, which takes longer to begin than these to end. */
    block->hot = (struct co){.own = {.pc = NULL}};
    block->error = block->refused = block->failure = block->outcome = 0;
    block->deferred = NULL;
    block->life = CO__ENDED;
    block->slow = block->kind = block->unwinds = 0;
    block->slow_pc = block->resumer_pc = NULL;
    block->handlers = NULL;
    block->stack = *stack;
    block->hooks = (struct co__hooks){0};
    return block;
}

/* ---- Memory of the library's own ----------------------------------------------------------------------------- */

/* For frames of that many bytes. */
static size_t usable_bytes(size_t asked) {
    static _Atomic size_t least_bytes; /* as it was found out once */
    size_t least = atomic_load_explicit(&least_bytes, memory_order_relaxed);
    if (least == 0) {
        least = co__signal_frame_bytes() + ROOM_BESIDE_SIGNAL_FRAME;
        atomic_store_explicit(&least_bytes, least, memory_order_relaxed);
    }
    return (asked > least ? asked : least) + BLOCK_BYTES + CO__TASK_BYTES + CO__COLOUR_BYTES;
}

int co__default_size_class(void) {
    static _Atomic int default_class;
    int size_class = atomic_load_explicit(&default_class, memory_order_relaxed);
    if (size_class == 0) {
        size_class = co__size_class(usable_bytes(CO__STACK_DEFAULT_BYTES));
        atomic_store_explicit(&default_class, size_class, memory_order_relaxed);
    }
    return size_class;
}

/* Too large for a slab, and for a pool. */
static struct co__block *map_alone(size_t bytes, int *error) {
    const size_t page = co__page_bytes(), guard = co__guard_bytes();
    if (bytes > PTRDIFF_MAX - page - guard) {
        *error = ENOMEM;
        return NULL;
    }
    bytes = co__round_to_pages(bytes);
    char *memory = co__pages_reserve(guard + bytes);
    if (memory == NULL) {
        *error = errno;
        return NULL;
    }
    if (co__guards_install(memory, 0, 1) != 1) {
        munmap(memory, guard + bytes);
        *error = ENOMEM;
        return NULL;
    }
    return co__stack_place_block(
        &(struct co__stack){.low = memory + guard, .bytes = bytes, .origin = CO__FROM_MAPPING}, CO__TASK_BYTES);
}

static struct co__block *take_mapped(size_t asked, int *error) {
    if (asked == 0)
        return co__pool_take(co__default_size_class(), error);
    if (asked > PTRDIFF_MAX) {
        *error = ENOMEM;
        return NULL;
    }
    const size_t bytes = usable_bytes(asked);
    const int size_class = co__size_class(bytes);
    if (size_class >= 0)
        return co__pool_take(size_class, error);
    struct co__block *block = map_alone(bytes, error);
    if (block == NULL) {
        co_pool_trim(); /* there may be mappings and memory again when all that is kept is given back */
        block = map_alone(bytes, error);
    }
    return block;
}

void co__stack_guard(const struct co__stack *stack, uintptr_t *low, uintptr_t *high) {
    *high = (uintptr_t)stack->low;
    *low = *high - (stack->origin >= CO__FROM_MAPPING ? co__guard_bytes() : 0);
}

/* Where this fails (in locked memory) the pages stay, and whoever has the stack next is none the worse. */
static void discard(char *low, char *high) {
    const int kept_errno = errno;
    if (low < high)
        (void)madvise(low, (size_t)(high - low), MADV_DONTNEED);
    errno = kept_errno;
}

void co__stack_discard_all(const struct co__stack *stack) {
    discard(stack->low, stack->low + co__round_to_pages(stack->bytes)); /* low is a page's beginning */
}

void co__stack_discard(struct co__block *block) {
    if (block->stack.origin >= CO__FROM_MAPPING)
        discard(block->stack.low, (char *)((uintptr_t)block / co__page_bytes() * co__page_bytes()));
}

/* ---- Of others' ------------------------------------------------------------------------------------------------ */

static struct co__block *use_memory(char *memory, size_t bytes, const co_options_t *opt, bool for_task,
                                    enum co__origin origin) {
    struct co__stack stack = {.low = memory, .bytes = bytes, .origin = (unsigned char)origin};
    if ((opt->flags & CO_CANARIES) != 0)
        co__canaries_place(&stack);
    return co__stack_place_block(&stack, for_task ? CO__TASK_BYTES : 0);
}

struct co__block *co__stack_acquire(const co_options_t *opt, bool for_task, int *error) {
    size_t bytes = opt->stack_bytes;
    const bool default_size = bytes == 0 && opt->stack == NULL;
    const bool mapped = opt->stack == NULL && opt->allocator == NULL;
    *error = EINVAL;
    if (!default_size && bytes < CO__STACK_LEAST_BYTES + (!mapped && for_task ? CO__TASK_BYTES : 0))
        return NULL;
    if (mapped)
        return (opt->flags & CO_CANARIES) == 0 ? take_mapped(bytes, error) : NULL;
    if (opt->stack != NULL) {
        if (bytes > UINTPTR_MAX - (uintptr_t)opt->stack)
            return NULL;
        return use_memory(opt->stack, bytes, opt, for_task, CO__FROM_CALLER);
    }
    if (default_size)
        bytes = CO__STACK_DEFAULT_BYTES;
    char *memory = opt->allocator->allocate(bytes, opt->allocator->context);
    if (memory == NULL) {
        *error = ENOMEM;
        return NULL;
    }
    return use_memory(memory, bytes, opt, for_task, CO__FROM_ALLOCATOR);
}

/* The block lies in the memory that goes. */
void co__stack_release(struct co__block *block) {
    struct co__stack stack = block->stack;
    const co_allocator_t *allocator = block->allocator;
    const unsigned flags = block->flags;
    switch ((enum co__origin)stack.origin) {
    case CO__FROM_SLAB:
        if ((flags & CO_WATERMARK) != 0)
            co__stack_discard(block); /* painting has touched all of it */
        block->name = NULL;           /* co_create sets no options */
        block->data = NULL;
        block->flags = 0;
        block->stack_bytes = 0;
        co__pool_put(block);
        break;
    case CO__FROM_MAPPING:
        /* A kernel that has no mappings left to split one keeps the address space; memory goes all the same. */
        if (munmap(stack.low - co__guard_bytes(), co__guard_bytes() + stack.bytes) != 0)
            co__stack_discard_all(&stack);
        break;
    case CO__FROM_ALLOCATOR:
        if ((flags & CO_CANARIES) != 0)
            co__canaries_remove(&stack);
        allocator->release(stack.low, stack.bytes, allocator->context);
        break;
    case CO__FROM_CALLER:
        break;
    }
}
