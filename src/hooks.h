/* What sanitizers and Valgrind are told. Their entry points are weak symbols: absent in an ordinary process, present
 * when the program is built with a sanitizer, whether or not the library is. */
#ifndef CO_HOOKS_H
#define CO_HOOKS_H

#include <stdbool.h>
#include <stddef.h>

struct co__block;

struct co__hooks {
    void *fiber;      /* ThreadSanitizer's handle of the coroutine */
    void *fake_stack; /* AddressSanitizer's, while the coroutine is suspended */
    unsigned valgrind_stack;
};

/* What the resumer's side remembers over a switch. */
struct co__hooked_switch {
    void *fiber;
    void *fake_stack;
    const void *resumer_bottom;
    size_t resumer_bytes;
};

/* At creation. Returns whether switches must be told, which makes the coroutine `slow`. */
bool co__hooks_created(struct co__block *block);
/* Before the stack is given back. */
void co__hooks_destroyed(struct co__block *block);
/* Around a switch, both on the resumer's side. */
void co__hooks_before(struct co__block *block, struct co__hooked_switch *sw);
void co__hooks_after(struct co__block *block, struct co__hooked_switch *sw, bool ended);
/* After a close that abandoned frames. */
void co__hooks_unpoison(struct co__block *block);

#endif
