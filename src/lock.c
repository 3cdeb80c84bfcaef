/* The lock, which a child of fork must not find held by a thread that it does not have. */
#include "lock.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
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
static atomic_bool fork_is_handled;

static void before_fork(void) { pthread_mutex_lock(&lock); }

static void handle_forks(void) {
    if (!atomic_load_explicit(&fork_is_handled, memory_order_acquire) && at_fork(before_fork, co__unlock) == 0)
        atomic_store_explicit(&fork_is_handled, true, memory_order_release);
}

/* The handlers are registered without the lock: a fork that has begun by then does not call them, and registering waits
 * until it is over. pthread_once begins again in such a child. */
int co__lock(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, handle_forks);
    pthread_mutex_lock(&lock);
    handle_forks(); /* there was no memory for it the first time */
    if (atomic_load_explicit(&fork_is_handled, memory_order_relaxed))
        return 0;
    pthread_mutex_unlock(&lock);
    return ENOMEM;
}

void co__unlock(void) { pthread_mutex_unlock(&lock); }
