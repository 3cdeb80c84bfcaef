/* The lock, which a child of fork must not find held by a thread that it does not have. */
#include "lock.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/* In glibc, pthread_atfork is a piece of each program and library, not marked for branch protection and in need of a
 * name from the start files. What it calls is in the C library itself (Linux Standard Base Core, __register_atfork). A
 * static program that does not have it has no fork. */
#ifdef __GLIBC__
extern int __register_atfork(void (*before)(void), void (*in_parent)(void), void (*in_child)(void), void *library)
    __attribute__((weak));

static int at_fork(void (*before)(void), void (*after)(void)) {
    return &__register_atfork != NULL ? __register_atfork(before, after, after, NULL) : 0;
}
#else
static int at_fork(void (*before)(void), void (*after)(void)) { return pthread_atfork(before, after, after); }
#endif

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool fork_is_handled;

static void before_fork(void) { pthread_mutex_lock(&lock); }

int co__lock(void) {
    pthread_mutex_lock(&lock);
    if (!fork_is_handled) {
        if (at_fork(before_fork, co__unlock) != 0) {
            pthread_mutex_unlock(&lock);
            return ENOMEM;
        }
        fork_is_handled = true;
    }
    return 0;
}

void co__unlock(void) { pthread_mutex_unlock(&lock); }
