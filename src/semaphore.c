/* Semaphores. While there are permits, nobody waits. */
#include "sync.h"

static __attribute__((noinline)) int wait_for_permit(co_semaphore_t *semaphore, struct co__task *task,
                                                     int64_t deadline_ns) {
    if (co__waiters_are_foreign(&semaphore->waiters))
        return -EPERM;
    return co__wait_in(task, &semaphore->waiters, NULL, deadline_ns, "semaphore", semaphore);
}

int co_semaphore_wait(co_semaphore_t *semaphore, int64_t deadline_ns) {
    struct co__task *task = co__task_running();
    const int status = co__wait_check(task);
    if (!CO__LIKELY(status == 0))
        return status;
    if (!CO__LIKELY(semaphore != NULL))
        return -EINVAL;
    if (!CO__LIKELY(semaphore->permits != 0))
        return wait_for_permit(semaphore, task, deadline_ns);
    semaphore->permits--;
    return 0;
}

int co_semaphore_try_wait(co_semaphore_t *semaphore) {
    if (co__task_running() == NULL)
        return -EPERM;
    if (semaphore == NULL)
        return -EINVAL;
    if (semaphore->permits == 0)
        return -EBUSY;
    semaphore->permits--;
    return 0;
}

/* Apart, so that whoever wakes the first waiter at once needs no frame. */
static __attribute__((noinline)) int wake_slowly(struct co__task *task) {
    co__wake(task, 0);
    return 0;
}

static __attribute__((noinline)) int hand_over(co_semaphore_t *semaphore) {
    if (co__waiters_are_foreign(&semaphore->waiters))
        return -EPERM;
    struct co__waiter *first = co__waiters_first(&semaphore->waiters);
    struct co__task *task = first->task;
    if (CO__LIKELY(co__wake_first_at_once(task->sched, &semaphore->waiters, first, 0)))
        return 0;
    return wake_slowly(task);
}

int co_semaphore_post(co_semaphore_t *semaphore) {
    if (!CO__LIKELY(semaphore != NULL))
        return -EINVAL;
    if (!CO__LIKELY(semaphore->waiters.first == NULL))
        return hand_over(semaphore);
    if (!CO__LIKELY(semaphore->permits != UINT64_MAX))
        return -EOVERFLOW;
    semaphore->permits++;
    return 0;
}

int co_semaphore_destroy(co_semaphore_t *semaphore) {
    if (semaphore == NULL)
        return -EINVAL;
    return semaphore->waiters.first != NULL ? -EBUSY : 0;
}
