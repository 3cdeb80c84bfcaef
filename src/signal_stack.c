/* Alternate signal stacks: 64 KiB, or more where the kernel's frames are large, with a guard page below. A thread's is
 * kept as the value of a pthread key, whose destructor releases it. */
#define _DEFAULT_SOURCE 1 /* sigaltstack, MAP_ANONYMOUS */

#include "signal_stack.h"

#include "pages.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>

#ifndef MAP_STACK
#define MAP_STACK 0
#endif

#define USUAL_BYTES ((size_t)64 * 1024)
/* What the handlers of this library and the program's own may use beside the kernel's frame. */
#define ROOM_BESIDE_SIGNAL_FRAME ((size_t)48 * 1024)

static pthread_key_t key;
static bool key_exists;

/* Without the guard. */
static size_t stack_bytes(void) {
    size_t bytes = co__signal_frame_bytes() + ROOM_BESIDE_SIGNAL_FRAME;
    return co__round_to_pages(bytes < USUAL_BYTES ? USUAL_BYTES : bytes);
}

static int map_stack(char **memory) {
    size_t page = co__page_bytes(), bytes = page + stack_bytes();
    *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (*memory == MAP_FAILED)
        return errno == EAGAIN ? EAGAIN : ENOMEM; /* EAGAIN: the locked-memory limit */
    if (mprotect(*memory, page, PROT_NONE) == 0)
        return 0;
    munmap(*memory, bytes);
    return ENOMEM;
}

static void unmap_stack(char *memory) { munmap(memory, co__page_bytes() + stack_bytes()); }

static void disable_stack(void) {
    const stack_t none = {.ss_flags = SS_DISABLE};
    sigaltstack(&none, NULL);
}

/* The key's destructor. A stack that the thread has put in the place of ours is left alone. One on which the thread
 * still runs has to stay, since nobody could return from the call that removes it. */
static void release(void *memory) {
    stack_t now = {.ss_flags = SS_DISABLE};
    sigaltstack(NULL, &now);
    bool ours = (now.ss_flags & SS_DISABLE) == 0 && now.ss_sp == (char *)memory + co__page_bytes();
    if (ours && (now.ss_flags & SS_ONSTACK) != 0)
        return;
    if (ours)
        disable_stack();
    unmap_stack(memory);
}

int co__signal_stack_give(struct co__signal_stack_given *given) {
    stack_t now = {.ss_flags = SS_DISABLE};
    int error;
    *given = (struct co__signal_stack_given){.key = false};
    if (sigaltstack(NULL, &now) != 0)
        return errno;
    if ((now.ss_flags & SS_DISABLE) == 0)
        return 0;
    if (!key_exists) {
        error = pthread_key_create(&key, release);
        if (error != 0)
            return error;
        given->key = key_exists = true;
    }
    char *memory = pthread_getspecific(key); /* ours, which the thread has switched off */
    if (memory == NULL) {
        error = map_stack(&memory);
        if (error != 0)
            goto fail;
        error = pthread_setspecific(key, memory);
        if (error != 0) {
            unmap_stack(memory);
            goto fail;
        }
        given->mapping = true;
    }
    const stack_t mine = {.ss_sp = memory + co__page_bytes(), .ss_size = stack_bytes()};
    if (sigaltstack(&mine, NULL) != 0) {
        error = errno;
        goto fail;
    }
    given->stack = true;
    return 0;

fail:
    co__signal_stack_take_back(given);
    return error;
}

void co__signal_stack_take_back(const struct co__signal_stack_given *given) {
    if (given->stack)
        disable_stack();
    if (given->mapping) {
        unmap_stack(pthread_getspecific(key));
        pthread_setspecific(key, NULL);
    }
    if (given->key) {
        pthread_key_delete(key);
        key_exists = false;
    }
}
