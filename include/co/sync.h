/* Locks and their like, for the tasks of one scheduler: what one task does in several turns, others find done or not
 * begun.
 *
 *     static co_mutex_t mutex = CO_MUTEX_INIT;
 *     static void transfer(struct account *from, struct account *to, long amount) {
 *         if (co_mutex_lock(&mutex, CO_NEVER) != 0) return;
 *         from->balance -= amount;
 *         co_sleep(1000);
 *         to->balance += amount;
 *         co_mutex_unlock(&mutex);
 *     }
 *
 * Between two blocking calls nothing else runs: code that makes none in the middle needs no lock.
 *
 * Conventions, for every call below, beside those of sched.h:
 *  objects    lie where the program puts them, and own nothing: zero, or their CO_..._INIT, is ready for use. One that
 *             is held or waited on must stay; co_..._destroy tells whether it is neither
 *  order      first in, first out: what is given up goes straight to whoever has waited longest, and nobody who comes
 *             later gets it first
 *  errors     -EINVAL: NULL. -EPERM: the caller is not in a task, or tasks of another scheduler hold the object or wait
 *             at it; where the object does not show that, it is a data race
 *  holding    is the task's, at whatever depth of coroutines it locks and unlocks. Whatever a task still holds when it
 *             ends stays held: who waits for it goes on waiting, until its deadline, or until a deadlock is reported.
 *             Where a task might be closed, unlock by co_defer
 *  waiting    a call that waits, answers -ETIMEDOUT or -ECANCELED, and then has nothing: it was not in the queue any
 *             more when what it waited for came. If that came first, the call answers 0
 *
 * Layout of this file: mutexes; locks for readers and writers; conditions; semaphores; wait groups; barriers; once. */
#ifndef CO_SYNC_H
#define CO_SYNC_H

#include <co/sched.h>
#include <co/waiter.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The fields of all objects are the library's. Layout is ABI. A task's identity, of 64 bits, is the number of its run
 * and its own in there: none of the next 2^32 tasks is taken for one that has ended. 0 is nobody. */

/* ---- Mutexes --------------------------------------------------------------------------------------------------- */

/** Held by one task at a time. */
typedef struct co_mutex {
    uint64_t holder; /* the identity of a task */
    struct co__waiters waiters;
} co_mutex_t;

#define CO_MUTEX_INIT {0, {NULL, NULL}}

/** Wait until the caller's task holds the mutex.
 *  returns  0, -ETIMEDOUT, -ECANCELED, -EPERM, -EINVAL; -EDEADLK (the caller's task holds it) */
CO_API int co_mutex_lock(co_mutex_t *mutex, int64_t deadline_ns);

/** The same without waiting, and whether the task is cancelled or not.
 *  returns  0, -EPERM, -EINVAL; -EBUSY (somebody holds it, or the caller's task does) */
CO_API int co_mutex_try_lock(co_mutex_t *mutex);

/** Give the mutex to the task that has waited longest, or to nobody. No turn is given away.
 *  returns  0, -EINVAL; -EPERM (the caller's task does not hold it) */
CO_API int co_mutex_unlock(co_mutex_t *mutex);

/** Say that the mutex will not be used any more.
 *  returns  0, -EINVAL, -EBUSY (somebody holds it) */
CO_API int co_mutex_destroy(co_mutex_t *mutex);

/* ---- Locks for readers and writers ----------------------------------------------------------------------------- */

/** Held by any number of readers, or by one writer. Whoever comes while a writer waits, waits behind it, reader or not;
 *  readers without a writer between them are let in together. */
typedef struct co_rwlock {
    uint64_t writer; /* the identity of a task */
    uint64_t readers;
    struct co__waiters waiters;
} co_rwlock_t;

#define CO_RWLOCK_INIT {0, 0, {NULL, NULL}}

/** Wait until the caller's task is one of the readers. It is not noted which tasks these are: one that reads and asks
 *  for more may wait for itself, as a writer always, as a reader behind a waiting writer.
 *  returns  0, -ETIMEDOUT, -ECANCELED, -EPERM, -EINVAL; -EDEADLK (the caller's task is the writer) */
CO_API int co_rwlock_read_lock(co_rwlock_t *lock, int64_t deadline_ns);

/** Wait until the caller's task is the writer.
 *  returns  as co_rwlock_read_lock */
CO_API int co_rwlock_write_lock(co_rwlock_t *lock, int64_t deadline_ns);

/** The same without waiting, and whether the task is cancelled or not.
 *  returns  0, -EPERM, -EINVAL; -EBUSY (it would have to wait) */
CO_API int co_rwlock_try_read_lock(co_rwlock_t *lock);
CO_API int co_rwlock_try_write_lock(co_rwlock_t *lock);

/** Give up what the caller's task holds. When the lock is free, it goes to the writer that has waited longest, or to
 *  all readers that have waited longer than any writer.
 *  returns  0, -EINVAL; -EPERM (another task is the writer, or there is neither a writer nor a reader) */
CO_API int co_rwlock_unlock(co_rwlock_t *lock);

/** Let the writer go on as a reader, and let in those readers that have waited longer than any writer.
 *  returns  0, -EINVAL; -EPERM (the caller's task is not the writer) */
CO_API int co_rwlock_downgrade(co_rwlock_t *lock);

/** Say that the lock will not be used any more.
 *  returns  0, -EINVAL, -EBUSY (somebody holds it, or waits) */
CO_API int co_rwlock_destroy(co_rwlock_t *lock);

/* ---- Conditions ------------------------------------------------------------------------------------------------ */

/** Where tasks wait until something that a mutex protects has changed:
 *
 *      while (queue_is_empty() && status == 0) status = co_cond_wait(&cond, &mutex, CO_NEVER);
 *
 *  A loop, since between the signal and the wait's end others may have had the mutex. */
typedef struct co_cond {
    struct co__waiters waiters;
} co_cond_t;

#define CO_COND_INIT {{NULL, NULL}}

/** Give up the mutex, wait for a signal, and wait for the mutex again. Whatever it answers, the caller's task holds the
 *  mutex: waiting for it again takes no notice of the deadline nor of being cancelled. A signalled task waits for the
 *  mutex from the moment of the signal, and gets it in its turn.
 *  returns  0 (signalled, also if the deadline or a cancel came later), -ETIMEDOUT, -ECANCELED, -EINVAL; -EPERM (also:
 *           the caller's task does not hold the mutex)
 *  A task that is closed here, because of a deadlock, does not hold the mutex in its deferred calls. */
CO_API int co_cond_wait(co_cond_t *cond, co_mutex_t *mutex, int64_t deadline_ns);

/** Signal the task that has waited longest; nobody: nothing. Holding the mutex is not asked for.
 *  returns  0, -EINVAL, -EPERM (the waiter is of another scheduler) */
CO_API int co_cond_signal(co_cond_t *cond);

/** Signal all, who get the mutex in the order in which they came.
 *  returns  as co_cond_signal */
CO_API int co_cond_broadcast(co_cond_t *cond);

/** Say that the condition will not be used any more.
 *  returns  0, -EINVAL, -EBUSY (somebody waits) */
CO_API int co_cond_destroy(co_cond_t *cond);

/* ---- Semaphores ------------------------------------------------------------------------------------------------ */

/** A number of permits; zero-initialised it has none. */
typedef struct co_semaphore {
    uint64_t permits;
    struct co__waiters waiters;
} co_semaphore_t;

#define CO_SEMAPHORE_INIT(permits) {(permits), {NULL, NULL}}

/** Wait for a permit, and take it.
 *  returns  0, -ETIMEDOUT, -ECANCELED, -EPERM, -EINVAL */
CO_API int co_semaphore_wait(co_semaphore_t *semaphore, int64_t deadline_ns);

/** The same without waiting, and whether the task is cancelled or not.
 *  returns  0, -EPERM, -EINVAL; -EBUSY (there is none) */
CO_API int co_semaphore_try_wait(co_semaphore_t *semaphore);

/** Add a permit, which goes straight to the task that has waited longest. By any task, or outside of tasks as long as
 *  nobody waits.
 *  returns  0, -EINVAL, -EOVERFLOW (there are UINT64_MAX), -EPERM (the waiter is of another scheduler) */
CO_API int co_semaphore_post(co_semaphore_t *semaphore);

/** Say that the semaphore will not be used any more.
 *  returns  0, -EINVAL, -EBUSY (somebody waits) */
CO_API int co_semaphore_destroy(co_semaphore_t *semaphore);

/* ---- Wait groups ----------------------------------------------------------------------------------------------- */

/** A number of things that are not done yet. */
typedef struct co_wait_group {
    uint64_t pending;
    struct co__waiters waiters;
} co_wait_group_t;

#define CO_WAIT_GROUP_INIT {0, {NULL, NULL}}

/** Change the number by `count`, which may be below zero. When it becomes 0, all who wait go on. By any task, or
 *  outside of tasks as long as nobody waits.
 *  returns  0, -EINVAL (also: it would be below 0), -EOVERFLOW (above INT64_MAX), -EPERM (a waiter is of another
 *           scheduler) */
CO_API int co_wait_group_add(co_wait_group_t *group, int64_t count);

/** co_wait_group_add(group, -1). */
CO_API int co_wait_group_done(co_wait_group_t *group);

/** Wait until the number is 0. Somebody may have added to it again before the caller has its turn.
 *  returns  0, -ETIMEDOUT, -ECANCELED, -EPERM, -EINVAL */
CO_API int co_wait_group_wait(co_wait_group_t *group, int64_t deadline_ns);

/** Say that the group will not be used any more.
 *  returns  0, -EINVAL, -EBUSY (the number is not 0) */
CO_API int co_wait_group_destroy(co_wait_group_t *group);

/* ---- Barriers -------------------------------------------------------------------------------------------------- */

/** Where tasks wait for each other until there are as many as were said; then it is ready for the next round. */
typedef struct co_barrier {
    uint64_t parties;
    uint64_t arrived; /* at least as many as wait */
    struct co__waiters waiters;
} co_barrier_t;

#define CO_BARRIER_INIT(parties) {(parties), 0, {NULL, NULL}}

/** Wait until all parties are here. Whoever goes away by its deadline or by a cancel is not counted any more, and the
 *  others go on waiting.
 *  returns  1 for the last to arrive, 0 for the others; -ETIMEDOUT, -ECANCELED, -EPERM, -EINVAL (also: no parties) */
CO_API int co_barrier_wait(co_barrier_t *barrier, int64_t deadline_ns);

/** Say that the barrier will not be used any more.
 *  returns  0, -EINVAL, -EBUSY (somebody waits) */
CO_API int co_barrier_destroy(co_barrier_t *barrier);

/* ---- Once ------------------------------------------------------------------------------------------------------ */

/** Something that is done once, by whoever asks for it first. */
typedef struct co__once { /* a struct called co_once would be hidden by the call */
    uint64_t runner;      /* the identity of a task; or CO__ONCE_DONE */
    struct co__waiters waiters;
} co_once_t;

#define CO_ONCE_INIT {0, {NULL, NULL}}
#define CO__ONCE_DONE UINT64_MAX

/** Call fn(arg), unless that was done; wait, if another task does so now. fn may block. If it answers anything but 0,
 *  it was not done: its caller gets that answer, and whoever has waited longest calls its own fn then.
 *  deadline_ns  of waiting for another task
 *  returns      0: it is done; what fn has answered; -ETIMEDOUT, -ECANCELED, -EPERM, -EINVAL; -EDEADLK (called by fn)
 *
 *  An fn that does not return, since its coroutine is closed or an exception leaves it, goes on for ever. */
CO_API int co_once(co_once_t *once, int (*fn)(void *arg), void *arg, int64_t deadline_ns);

/** Make it undone.
 *  returns  0, -EINVAL, -EBUSY (fn is being called) */
CO_API int co_once_destroy(co_once_t *once);

#ifdef __cplusplus
}
#endif

#endif /* CO_SYNC_H */
