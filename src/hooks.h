/* What sanitizers and Valgrind are told. Their entry points are weak symbols: absent in an ordinary process, present
 * when the program is built with a sanitizer, whether or not the library is. Valgrind is asked for once per process. */
#ifndef CO_HOOKS_H
#define CO_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct co__block;

/* AddressSanitizer's second stack, which holds the locals whose addresses are taken. It belongs to a stack, not to a
 * thread. `bytes` is not 0 while LeakSanitizer knows that pointers may lie there. */
struct co__fake_stack {
    void *handle;
    size_t bytes;
};

struct co__hooks {
    void *fiber;                      /* ThreadSanitizer's handle, from the first resume to the end */
    struct co__fake_stack fake_stack; /* while the coroutine does not run */
    unsigned char leak_roots;         /* what LeakSanitizer searches: enum leak_roots in hooks.c */
    uintptr_t valgrind_stack;
};

/* What the resumer's side remembers over a switch. */
struct co__hooked_switch {
    void *fiber;
    const void *bottom; /* of the resumer's stack */
    size_t bytes;
    struct co__fake_stack fake_stack; /* the thread's; that of a coroutine is in its struct co__hooks */
    const void *leak_root;            /* the used part of the thread's stack; NULL: not registered */
    size_t leak_root_bytes;
};

/* Whether there is any tool to tell. */
bool co__hooks_present(void);
/* Whether there is one that must be told of switches. */
bool co__hooks_present_at_switches(void);
/* At creation. Returns whether switches must be told, which makes the coroutine `slow`. */
bool co__hooks_created(struct co__block *block);
/* Before the stack is given back. */
void co__hooks_destroyed(struct co__block *block);
/* Around a switch, both on the resumer's side. */
void co__hooks_before(struct co__block *block, struct co__hooked_switch *sw);
void co__hooks_after(struct co__block *block, struct co__hooked_switch *sw, bool ended);
/* The library, which a sanitizer may not see into, has written a pointer to the caller's memory. */
void co__hooks_wrote(void **out);
/* Before co_close writes below the stack pointer of a suspended coroutine. */
void co__hooks_use_below(void *low, size_t bytes);
/* Around reads of what no frame owns, which Valgrind would report, and then whatever is done with what they found. */
void co__hooks_reads_begin(void);
void co__hooks_reads_end(void *found, size_t bytes);
/* On the coroutine's stack, before its frames are abandoned or unwound. */
void co__hooks_unwinding(void);
/* Before the library calls fn(arg) of the user's. */
void co__hooks_calling(void);

#endif
