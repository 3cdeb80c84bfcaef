/* Conditions. A waiter's item is the mutex that it has given up. Whatever ends the wait moves the waiter to that mutex
 * in the same moment, with the answer that its call will give: nothing is left to do when the task goes on. */
#include "sync.h"

static void give_up(struct co__task *task, int status) { co__mutex_give(task->waiter.item, task, status); }

int co_cond_wait(co_cond_t *cond, co_mutex_t *mutex, int64_t deadline_ns) {
    struct co__task *task = co__task_running();
    const int status = co__wait_check(task);
    if (!CO__LIKELY(status == 0))
        return status;
    if (!CO__LIKELY(cond != NULL && mutex != NULL))
        return -EINVAL;
    if (mutex->holder != co__task_identity(task) || co__waiters_are_foreign(&cond->waiters))
        return -EPERM;
    if (!CO__LIKELY(deadline_ns == CO_NEVER)) {
        if (deadline_ns <= 0 || deadline_ns <= co__sched_clock(task->sched))
            return co__mutex_let_others(mutex, task, -ETIMEDOUT);
        co__timer_arm(task->sched, task, deadline_ns);
    }
    co__mutex_release(mutex);
    task->gives_up = give_up;
    return co__wait_in(task, &cond->waiters, mutex, CO_NEVER, "condition", cond);
}

static void signal_first(co_cond_t *cond) {
    struct co__waiter *waiter = co__waiters_first(&cond->waiters);
    co__mutex_give(waiter->item, waiter->task, 0);
}

int co_cond_signal(co_cond_t *cond) {
    if (cond == NULL)
        return -EINVAL;
    if (co__waiters_are_foreign(&cond->waiters))
        return -EPERM;
    if (cond->waiters.first != NULL)
        signal_first(cond);
    return 0;
}

int co_cond_broadcast(co_cond_t *cond) {
    if (cond == NULL)
        return -EINVAL;
    if (co__waiters_are_foreign(&cond->waiters))
        return -EPERM;
    while (cond->waiters.first != NULL)
        signal_first(cond);
    return 0;
}

int co_cond_destroy(co_cond_t *cond) {
    if (cond == NULL)
        return -EINVAL;
    return cond->waiters.first != NULL ? -EBUSY : 0;
}
