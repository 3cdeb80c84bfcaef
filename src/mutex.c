/* Mutexes. While nobody holds one, nobody waits for it: it is handed on, and never found free by a waiter. */
#include "sync.h"

static CO__INLINE bool holds(const co_mutex_t *mutex, const struct co__task *task) {
    return CO__LIKELY(task != NULL) && CO__LIKELY(mutex->holder == co__task_identity(task));
}

/* Apart, so that taking a free one needs no frame. */
static __attribute__((noinline)) int lock_held(co_mutex_t *mutex, struct co__task *task, int64_t deadline_ns) {
    if (mutex->holder == co__task_identity(task))
        return -EDEADLK;
    if (co__identity_is_foreign(mutex->holder, task))
        return -EPERM;
    return co__wait_in(task, &mutex->waiters, NULL, deadline_ns, "mutex", mutex);
}

int co_mutex_lock(co_mutex_t *mutex, int64_t deadline_ns) {
    struct co__task *task = co__task_running();
    const int status = co__wait_check(task);
    if (!CO__LIKELY(status == 0))
        return status;
    if (!CO__LIKELY(mutex != NULL))
        return -EINVAL;
    if (!CO__LIKELY(mutex->holder == 0))
        return lock_held(mutex, task, deadline_ns);
    mutex->holder = co__task_identity(task);
    return 0;
}

int co_mutex_try_lock(co_mutex_t *mutex) {
    const struct co__task *task = co__task_running();
    if (!CO__LIKELY(task != NULL))
        return -EPERM;
    if (!CO__LIKELY(mutex != NULL))
        return -EINVAL;
    if (mutex->holder != 0)
        return -EBUSY;
    mutex->holder = co__task_identity(task);
    return 0;
}

/* Apart, so that whoever wakes the first waiter at once needs no frame. */
static __attribute__((noinline)) int wake_slowly(struct co__task *task, int status) {
    co__wake(task, status);
    return 0;
}

/* A waiter's item is what its call answers. */
static __attribute__((noinline)) int hand_over(co_mutex_t *mutex) {
    struct co__waiter *first = co__waiters_first(&mutex->waiters);
    struct co__task *task = first->task;
    const int status = (int)(intptr_t)first->item;
    mutex->holder = co__task_identity(task);
    task->gives_up = NULL;
    if (CO__LIKELY(co__wake_first_at_once(task->sched, &mutex->waiters, first, status)))
        return 0;
    return wake_slowly(task, status);
}

int co_mutex_unlock(co_mutex_t *mutex) {
    if (!CO__LIKELY(mutex != NULL))
        return -EINVAL;
    if (!holds(mutex, co__task_running()))
        return -EPERM;
    if (!CO__LIKELY(mutex->waiters.first == NULL))
        return hand_over(mutex);
    mutex->holder = 0;
    return 0;
}

int co_mutex_destroy(co_mutex_t *mutex) {
    if (mutex == NULL)
        return -EINVAL;
    return mutex->holder != 0 ? -EBUSY : 0;
}

/* ---- For conditions ---------------------------------------------------------------------------------------------- */

void co__mutex_release(co_mutex_t *mutex) {
    if (mutex->waiters.first != NULL)
        hand_over(mutex);
    else
        mutex->holder = 0;
}

static void stay(struct co__task *task, int status) { (void)task, (void)status; }

/* For a call that has its answer, and only waits for its turn: whatever deadline it had, and whoever cancels it. */
static void join_queue(co_mutex_t *mutex, struct co__task *task, int status) {
    co__waiters_append(&mutex->waiters, &task->waiter, (void *)(intptr_t)status);
    task->status = CO__WAITS_IN_QUEUE;
    task->gives_up = stay;
    task->waits_for = "mutex";
    task->object = mutex;
}

void co__mutex_give(co_mutex_t *mutex, struct co__task *task, int status) {
    if (mutex->holder == 0) {
        mutex->holder = co__task_identity(task);
        co__wake(task, status);
        return;
    }
    co__wait_abandon(task);
    join_queue(mutex, task, status);
}

int co__mutex_let_others(co_mutex_t *mutex, struct co__task *task, int status) {
    if (mutex->waiters.first == NULL)
        return status;
    hand_over(mutex);
    join_queue(mutex, task, status);
    task->since = task->sched->now;
    return co__park(task);
}
