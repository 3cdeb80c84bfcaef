/* Stacks: a mapping with a guard page below, an allocator's memory, or the caller's. */
#define _DEFAULT_SOURCE 1 /* MAP_ANONYMOUS and its like */

#include "stack.h"

#include <errno.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif
#ifndef MAP_STACK
#define MAP_STACK 0
#endif

/* What a mapped stack holds besides a signal handler's frame: the block and a few frames of the body's own. */
#define ROOM_BESIDE_SIGNAL_FRAME ((size_t)4096)
#define OLD_MINSIGSTKSZ ((size_t)2048)

static size_t signal_frame_bytes(void) {
    size_t bytes = getauxval(AT_MINSIGSTKSZ);
    return bytes != 0 ? bytes : OLD_MINSIGSTKSZ;
}

static int map_with_guard(struct co__stack *stack, size_t bytes) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t least = signal_frame_bytes() + ROOM_BESIDE_SIGNAL_FRAME;
    if (bytes < least)
        bytes = least;
    if (bytes > PTRDIFF_MAX - 2 * page)
        return ENOMEM;
    bytes = (bytes + page - 1) / page * page;

    char *memory = mmap(NULL, page + bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED)
        return errno == EAGAIN ? EAGAIN : ENOMEM; /* EAGAIN: the locked-memory limit */
    if (mprotect(memory, page, PROT_NONE) != 0) {
        munmap(memory, page + bytes);
        return ENOMEM;
    }
#ifdef MADV_NOHUGEPAGE
    /* A stack in a huge page would cost 2 MiB from its first byte. Where the kernel knows no huge pages this fails,
     * and there is nothing to prevent. */
    (void)madvise(memory, page + bytes, MADV_NOHUGEPAGE);
#endif
    *stack = (struct co__stack){.low = memory + page, .bytes = bytes, .memory = memory, .memory_bytes = page + bytes};
    return 0;
}

int co__stack_acquire(struct co__stack *stack, const co_options_t *opt) {
    size_t bytes = opt->stack_bytes;
    if (opt->stack != NULL) {
        if (bytes < CO__STACK_LEAST_BYTES || bytes > UINTPTR_MAX - (uintptr_t)opt->stack)
            return EINVAL;
        *stack = (struct co__stack){.low = opt->stack, .bytes = bytes};
        return 0;
    }
    if (bytes == 0)
        bytes = CO__STACK_DEFAULT_BYTES;
    if (bytes < CO__STACK_LEAST_BYTES)
        return EINVAL;
    if (opt->allocator == NULL)
        return map_with_guard(stack, bytes);

    char *memory = opt->allocator->allocate(bytes, opt->allocator->context);
    if (memory == NULL)
        return ENOMEM;
    *stack = (struct co__stack){.low = memory, .bytes = bytes, .memory = memory, .memory_bytes = bytes};
    return 0;
}

void co__stack_guard(const struct co__stack *stack, uintptr_t *low, uintptr_t *high) {
    *high = (uintptr_t)stack->low;
    *low = stack->memory != NULL ? (uintptr_t)stack->memory : *high;
}

void co__stack_release(struct co__stack stack, const co_allocator_t *allocator) {
    if (stack.memory == NULL)
        return;
    if (allocator != NULL)
        allocator->release(stack.memory, stack.memory_bytes, allocator->context);
    else
        munmap(stack.memory, stack.memory_bytes);
}
