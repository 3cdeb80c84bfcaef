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
static __thread int forks __attribute__((tls_model("initial-exec"))); /* that this thread is in, counted by handlers */

static void before_fork(void) {
    if (forks++ == 0)
        pthread_mutex_lock(&lock);
}

static void after_fork(void) {
    if (--forks == 0)
        pthread_mutex_unlock(&lock);
}

/* The handlers are registered without the lock: a fork that has begun by then does not call them, and registering may
 * wait until it is over. Nor is there anything else that such a child could find held; so several threads may register
 * them at once, which is why they count. */
int co__lock(void) {
    if (!atomic_load_explicit(&fork_is_handled, memory_order_acquire)) {
        if (at_fork(before_fork, after_fork) != 0)
            return ENOMEM;
        atomic_store_explicit(&fork_is_handled, true, memory_order_release);
    }
    pthread_mutex_lock(&lock);
    return 0;
}

void co__unlock(void) { pthread_mutex_unlock(&lock); }

#ifndef __GLIBC__
/* In musl a fork that has begun without any handlers does not make pthread_atfork wait: this thread could register them,
 * and take the lock, before the child is split off. So they are registered before there are threads; if there is no
 * memory for that, at the first use. */
__attribute__((constructor)) static void before_threads(void) {
    if (co__lock() == 0)
        co__unlock();
}
#endif
