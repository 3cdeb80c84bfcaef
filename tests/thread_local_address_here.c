#include "thread_local_address.h"

#include <errno.h>

/* Compilers take the address of a thread-local object for constant, errno's included (glibc declares it so). A function
 * of its own, in a file of its own, with an effect that nobody can see through, is asked anew each time. */
#if defined(__clang__)
#define ASKED_ANEW __attribute__((noinline))
#else
#define ASKED_ANEW __attribute__((noipa))
#endif

static __thread char words[16];

ASKED_ANEW int *here_errno(void) {
    __asm__ __volatile__("" ::: "memory");
    return &errno;
}

ASKED_ANEW void *here_words(void) {
    __asm__ __volatile__("" ::: "memory");
    return words;
}

ASKED_ANEW co_t *here_self(void) {
    __asm__ __volatile__("" ::: "memory");
    return co_self();
}
