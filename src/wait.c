/* Parking and waking, and what is little more than that: taking turns, sleeping, cancelling. The contract: wait.h. */
#include "wait.h"

#include <errno.h>
#include <stdatomic.h>

/* ---- Parking --------------------------------------------------------------------------------------------------- */

/* The outermost of the coroutines with a floating-point environment of their own that the task has resumed: its block
 * holds what is in force outside of it, and while they are parked what the innermost had. The task's own is the
 * scheduler's affair. */
static struct co__block *outermost_fpenv(co_t *innermost) {
    struct co__block *found = NULL;
    for (co_t *co = innermost; co__resumer_of(co) != NULL; co = co__resumer_of(co))
        if ((co__block_of(co)->flags & CO_FPENV) != 0)
            found = co__block_of(co);
    return found;
}

int co__park_with_care(struct co__task *task) {
    struct co__sched *sched = task->sched;
    co_t *innermost = co__current_get();
    const bool fpenvs = atomic_load_explicit(&co__fpenv_was_used, memory_order_relaxed);
    struct co__block *fpenv = fpenvs ? outermost_fpenv(innermost) : NULL;
    struct co__handlers handlers;
    int status;
    co__handlers_put_aside(&handlers);
    co__block_of(innermost)->handlers = &handlers; /* for closing */
    if (task->status == CO__WAITS_FOR_THIS)
        task->status = CO__WAITS_IN_QUEUE; /* who wakes it may have somebody to tell */
    if (fpenv != NULL)
        co__fpenv_swap(fpenv->fpenv);
    sched->parked_in = task->innermost = innermost; /* the former is read if every turn ends in C */
    if (innermost == task->co)
        status = co__park_root(innermost, sched);
    else
        status = co__park_nested(innermost, sched, task);
    if (fpenv != NULL)
        co__fpenv_swap(fpenv->fpenv);
    co__block_of(innermost)->handlers = NULL;
    co__handlers_restore(&handlers);
    return status;
}

int co__wait_until(struct co__task *task, int how, int64_t deadline, const char *waits_for, const void *object) {
    struct co__sched *sched = task->sched;
    if (deadline <= 0 || deadline <= co__sched_clock(sched)) {
        task->status = how;
        co__wait_abandon(task);
        return -ETIMEDOUT;
    }
    co__timer_arm(sched, task, deadline);
    return co__wait_on(task, how, waits_for, object);
}

/* ---- Waking ---------------------------------------------------------------------------------------------------- */

void co__wait_abandon(struct co__task *task) {
    if (task->status >= CO__WAITS_IN_QUEUE)
        co__waiters_remove(&task->waiter);
    for (struct co__waiter *waiter = task->waiters; waiter != NULL; waiter = waiter->also)
        co__waiters_remove(waiter);
    task->waiters = NULL;
    if (task->joining != NULL) {
        task->joining->joiner = NULL;
        task->joining = NULL;
    }
    if (task->timer != 0)
        co__timer_disarm(task->sched, task);
    task->sleeps = 0;
    task->gives_up = NULL;
    if (co__task_waits(task))
        task->status = 0;
}

void co__wake(struct co__task *task, int status) {
    struct co__sched *sched = task->sched;
    co__wait_abandon(task);
    task->status = status;
    sched->wakes++;
    co__sched_ready(sched, task->innermost);
    if (!CO__LIKELY(sched->trace == NULL))
        co__trace(sched, task, CO__TRACE_WAKE);
}

void co__wait_give_up(struct co__task *task, int status) {
    if (task->gives_up != NULL)
        task->gives_up(task, status);
    else
        co__wake(task, status);
}

/* ---- Taking turns, sleeping ------------------------------------------------------------------------------------ */

static __attribute__((noinline)) int yield_any(void) {
    struct co__task *task = co__task_running();
    const int status = co__wait_check(task);
    if (!CO__LIKELY(status == 0))
        return status;
    task->status = 0;
    co__sched_ready(task->sched, co__current_get());
    return co__park(task);
}

int co_sched_yield(void) {
    struct co__task *task = co__task_running_itself();
    if (!CO__LIKELY(task != NULL) || !CO__LIKELY(!task->cancelled) || !CO__LIKELY(!co__park_needs_care(task->sched)))
        return yield_any();
    return co__park_behind_all(task->co, task->sched);
}

int co_sleep_until(int64_t deadline_ns) {
    struct co__task *task = co__task_running();
    int status = co__wait_check(task);
    if (status < 0)
        return status;
    if (deadline_ns <= co__sched_clock(task->sched)) {
        co__timers_fire(task->sched, deadline_ns); /* who sleeps until then has come before, and wakes before */
        return co_sched_yield();
    }
    if (deadline_ns == CO_NEVER)
        return co__wait_on(task, CO__WAITS, "sleep", NULL);
    co__timer_arm(task->sched, task, deadline_ns);
    task->sleeps = 1;
    return co__wait_on(task, CO__WAITS, "sleep", NULL);
}

int co_sleep(int64_t ns) { return co_sleep_until(co_after(ns)); }

/* ---- Cancelling ------------------------------------------------------------------------------------------------ */

int co_cancel(co_t *co) {
    struct co__sched *sched = co__sched_of_thread();
    if (sched == NULL)
        return -EPERM;
    if (!co__is_task(co))
        return -EINVAL;
    struct co__task *task = co__task_of(co);
    if (task->sched != sched)
        return -EPERM;
    if (co__task_has_ended(task))
        return -ESRCH;
    task->cancelled |= CO__CANCELLED;
    if (co__task_waits(task) && task->shielded == 0)
        co__wait_give_up(task, -ECANCELED);
    return 0;
}

int co_cancelled(void) {
    const struct co__task *task = co__task_running();
    return task == NULL ? -EPERM : task->cancelled != 0;
}

int co_uncancel(void) {
    struct co__task *task = co__task_running();
    if (task == NULL)
        return -EPERM;
    const int was = task->cancelled != 0;
    task->cancelled &= CO__CANCELLED_FOR_GOOD;
    return was;
}

int co_shield(void) {
    struct co__task *task = co__task_running();
    if (task == NULL)
        return -EPERM;
    task->shielded++;
    return 0;
}

int co_unshield(void) {
    struct co__task *task = co__task_running();
    if (task == NULL)
        return -EPERM;
    if (task->shielded == 0)
        return -EINVAL;
    task->shielded--;
    return 0;
}
