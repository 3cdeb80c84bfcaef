/* Locks for readers and writers. While a lock is free, nobody waits; while readers have it, whoever waits first writes.
 * One queue holds both, a writer's item being the lock and a reader's NULL. */
#include "sync.h"

static CO__INLINE void wake_first(struct co__waiters *queue) {
    struct co__waiter *first = co__waiters_first(queue);
    struct co__task *task = first->task;
    task->gives_up = NULL;
    if (!CO__LIKELY(co__wake_first_at_once(task->sched, queue, first, 0)))
        co__wake(task, 0);
}

/* Lets in those at the head of the queue whom nobody keeps out: one writer, or all readers up to the next writer. */
static void admit(co_rwlock_t *lock) {
    struct co__waiter *first = co__waiters_first(&lock->waiters);
    if (first == NULL || lock->writer != 0)
        return;
    if (first->item != NULL) {
        if (lock->readers == 0) {
            lock->writer = co__task_identity(first->task);
            wake_first(&lock->waiters);
        }
        return;
    }
    for (; first != NULL && first->item == NULL; first = co__waiters_first(&lock->waiters)) {
        lock->readers++;
        wake_first(&lock->waiters);
    }
}

/* 0 if the running task may join the queue. */
static int check_queue(const co_rwlock_t *lock, const struct co__task *task) {
    if (lock->writer == co__task_identity(task))
        return -EDEADLK;
    if (lock->writer != 0 && co__identity_is_foreign(lock->writer, task))
        return -EPERM;
    return co__waiters_are_foreign(&lock->waiters) ? -EPERM : 0;
}

static CO__INLINE bool open_to_readers(const co_rwlock_t *lock) {
    return lock->writer == 0 && lock->waiters.first == NULL;
}

static CO__INLINE bool open_to_writers(const co_rwlock_t *lock) { return lock->readers == 0 && lock->writer == 0; }

static __attribute__((noinline)) int read_later(co_rwlock_t *lock, struct co__task *task, int64_t deadline_ns) {
    const int status = check_queue(lock, task);
    if (status < 0)
        return status;
    return co__wait_in(task, &lock->waiters, NULL, deadline_ns, "read lock", lock);
}

int co_rwlock_read_lock(co_rwlock_t *lock, int64_t deadline_ns) {
    struct co__task *task = co__task_running();
    const int status = co__wait_check(task);
    if (!CO__LIKELY(status == 0))
        return status;
    if (!CO__LIKELY(lock != NULL))
        return -EINVAL;
    if (!CO__LIKELY(open_to_readers(lock)))
        return read_later(lock, task, deadline_ns);
    lock->readers++;
    return 0;
}

/* A writer that goes away may have been all that kept those behind it out. */
static void give_up(struct co__task *task, int status) {
    co_rwlock_t *lock = task->waiter.item;
    co__wake(task, status);
    admit(lock);
}

static __attribute__((noinline)) int write_later(co_rwlock_t *lock, struct co__task *task, int64_t deadline_ns) {
    const int status = check_queue(lock, task);
    if (status < 0)
        return status;
    task->gives_up = give_up;
    return co__wait_in(task, &lock->waiters, lock, deadline_ns, "write lock", lock);
}

int co_rwlock_write_lock(co_rwlock_t *lock, int64_t deadline_ns) {
    struct co__task *task = co__task_running();
    const int status = co__wait_check(task);
    if (!CO__LIKELY(status == 0))
        return status;
    if (!CO__LIKELY(lock != NULL))
        return -EINVAL;
    if (!CO__LIKELY(open_to_writers(lock)))
        return write_later(lock, task, deadline_ns);
    lock->writer = co__task_identity(task);
    return 0;
}

int co_rwlock_try_read_lock(co_rwlock_t *lock) {
    if (co__task_running() == NULL)
        return -EPERM;
    if (lock == NULL)
        return -EINVAL;
    if (!open_to_readers(lock))
        return -EBUSY;
    lock->readers++;
    return 0;
}

int co_rwlock_try_write_lock(co_rwlock_t *lock) {
    const struct co__task *task = co__task_running();
    if (task == NULL)
        return -EPERM;
    if (lock == NULL)
        return -EINVAL;
    if (!open_to_writers(lock))
        return -EBUSY;
    lock->writer = co__task_identity(task);
    return 0;
}

static __attribute__((noinline)) int admit_after_unlock(co_rwlock_t *lock) {
    admit(lock);
    return 0;
}

int co_rwlock_unlock(co_rwlock_t *lock) {
    const struct co__task *task = co__task_running();
    if (!CO__LIKELY(lock != NULL))
        return -EINVAL;
    if (!CO__LIKELY(task != NULL))
        return -EPERM;
    if (lock->writer != 0) {
        if (lock->writer != co__task_identity(task))
            return -EPERM;
        lock->writer = 0;
    } else {
        if (lock->readers == 0 || co__waiters_are_foreign(&lock->waiters))
            return -EPERM;
        lock->readers--;
    }
    return CO__LIKELY(lock->waiters.first == NULL) ? 0 : admit_after_unlock(lock);
}

int co_rwlock_downgrade(co_rwlock_t *lock) {
    const struct co__task *task = co__task_running();
    if (lock == NULL)
        return -EINVAL;
    if (task == NULL || lock->writer != co__task_identity(task))
        return -EPERM;
    lock->writer = 0;
    lock->readers = 1;
    admit(lock);
    return 0;
}

int co_rwlock_destroy(co_rwlock_t *lock) {
    if (lock == NULL)
        return -EINVAL;
    return lock->writer != 0 || lock->readers != 0 || lock->waiters.first != NULL ? -EBUSY : 0;
}
