/* Waiting: the one kernel that sleep, join, channels, select, locks, groups and all other waits are clients of.
 *
 * A blocking call first does at once what can be done, and otherwise parks:
 *
 *     struct co__task *task = co__task_running();         who; NULL: -EPERM
 *     int status = co__wait_check(task);                  -EPERM, -ECANCELED
 *     if (status < 0) return status;
 *     if (...) { ...; return 0; }                         what needs no waiting
 *     return co__wait_in(task, &queue, item, deadline, "name of the call", object);
 *
 * and whoever makes the event happen takes the first waiter off the queue, moves what there is to move straight from or
 * to waiter->item, and wakes its task:
 *
 *     struct co__waiter *waiter = co__waiters_first(&queue);
 *     if (waiter != NULL) { memcpy(waiter->item, item, bytes); co__wake(waiter->task, waiter->fired); }
 *
 * So an item or a lock is handed over in the moment of the wake, and cannot be lost: a task that has been woken is in
 * no queue and has no timer, and neither a deadline nor a cancel that comes before its turn changes what its call
 * answers. A task that a deadline or a cancel wakes has left every queue in that moment too.
 *
 * The last call is to be the function's last, so that compilers make it a jump: a call that returns after a switch is
 * mispredicted by the processor, which costs as much as two switches. */
#ifndef CO_WAIT_H
#define CO_WAIT_H

#include "task.h"

#include <errno.h>

/* What every blocking call answers before anything else; 0: go on. */
static inline int co__wait_check(const struct co__task *task) {
    if (!CO__LIKELY(task != NULL))
        return -EPERM;
    if (CO__LIKELY(!task->cancelled))
        return 0;
    return task->shielded != 0 && (task->cancelled & CO__CANCELLED_FOR_GOOD) == 0 ? 0 : -ECANCELED;
}

static inline struct co__waiter *co__waiters_first(const struct co__waiters *queue) { return queue->first; }

/* `waiter`, whose `next` and `previous` are NULL, behind all that are in the queue. `last` of an empty one is whatever
 * it was. */
static CO__INLINE void co__waiters_append(struct co__waiters *queue, struct co__waiter *waiter, void *item) {
    waiter->item = item;
    CO__SET(waiter->queue, queue);
    if (CO__LIKELY(queue->first == NULL)) {
        queue->first = waiter;
        CO__SET(queue->last, waiter);
        return;
    }
    waiter->previous = queue->last;
    queue->last->next = waiter;
    queue->last = waiter;
}

static CO__INLINE void co__waiters_remove(struct co__waiter *waiter) {
    struct co__waiters *queue = waiter->queue;
    if (waiter->previous != NULL)
        waiter->previous->next = waiter->next;
    else
        queue->first = waiter->next;
    if (waiter->next != NULL)
        waiter->next->previous = waiter->previous;
    else
        queue->last = waiter->previous;
    waiter->next = waiter->previous = NULL;
}

/* For a coroutine inside a C++ handler, one with CO_FPENV somewhere, and where every turn ends in C. */
CO__COLD int co__park_with_care(struct co__task *task);

static CO__INLINE bool co__park_needs_care(const struct co__sched *sched) {
    return ((uintptr_t)sched->handlers->caught | sched->handlers->uncaught) != 0;
}

/* Leaves the running task for whoever is next; is task->status when it is woken, or when its turn comes. */
static CO__INLINE int co__park(struct co__task *task) {
    struct co__sched *sched = task->sched;
    co_t *innermost = co__current_get();
    if (!CO__LIKELY(!co__park_needs_care(sched)))
        return co__park_with_care(task);
    if (CO__LIKELY(co__task_of(innermost) == task))
        return co__park_root(innermost, sched);
    if (atomic_load_explicit(&co__fpenv_was_used, memory_order_relaxed))
        return co__park_with_care(task);
    task->innermost = innermost;
    return co__park_nested(innermost, sched, task);
}

/* The same of one that executes itself (co__task_running_itself). */
static CO__INLINE int co__park_itself(struct co__task *task) {
    struct co__sched *sched = task->sched;
    if (!CO__LIKELY(!co__park_needs_care(sched)))
        return co__park_with_care(task);
    return co__park_root(&(co__block_of_task(task)->hot), sched);
}

/* The task is about to wait: `how` is one of CO__WAITS... */
static CO__INLINE void co__wait_note(struct co__task *task, int how, const char *waits_for, const void *object) {
    task->status = how;
    CO__SET(task->waits_for, waits_for);
    CO__SET(task->object, object);
    CO__SET(task->since, task->sched->now);
}

/* The same as co__park, in a call of that name. */
static CO__INLINE int co__wait_on(struct co__task *task, int how, const char *waits_for, const void *object) {
    co__wait_note(task, how, waits_for, object);
    return co__park(task);
}

int co__wait_until(struct co__task *task, int how, int64_t deadline, const char *waits_for, const void *object);

/* Parks the running task, which has put its entries into queues, if it waits for any: until co__wake, which says what
 * this is, or the deadline (-ETIMEDOUT; if it has come already, at once), or a cancel (-ECANCELED), upon which its
 * entries are in no queue any more.
 *  waits_for  the name of the call, for reports, a constant; `object` is what it waits on, or NULL */
static CO__INLINE int co__wait(struct co__task *task, int64_t deadline, const char *waits_for, const void *object) {
    if (CO__LIKELY(deadline == CO_NEVER))
        return co__wait_on(task, CO__WAITS, waits_for, object);
    return co__wait_until(task, CO__WAITS, deadline, waits_for, object);
}

/* The same, in one queue. */
static inline int co__wait_in(struct co__task *task, struct co__waiters *queue, void *item, int64_t deadline,
                              const char *waits_for, const void *object) {
    co__waiters_append(queue, &task->waiter, item);
    if (CO__LIKELY(deadline == CO_NEVER))
        return co__wait_on(task, task->timer == 0 ? CO__WAITS_FOR_THIS : CO__WAITS_IN_QUEUE, waits_for, object);
    return co__wait_until(task, CO__WAITS_IN_QUEUE, deadline, waits_for, object);
}

/* The same of one that executes itself, without a deadline. */
static CO__INLINE int co__wait_in_itself(struct co__task *task, struct co__waiters *queue, void *item,
                                         const char *waits_for, const void *object) {
    co__waiters_append(queue, &task->waiter, item);
    co__wait_note(task, CO__WAITS_FOR_THIS, waits_for, object);
    return co__park_itself(task);
}

/* Makes a parked task able to run, behind all that are; its entries leave their queues, its timer is disarmed. */
void co__wake(struct co__task *task, int status);

/* co__wake of a queue's first, a task of `sched`, if that waits for nothing else and has no timer. false: it does, or
 * has, and nothing was done. */
static CO__INLINE bool co__wake_first_at_once(struct co__sched *sched, struct co__waiters *queue,
                                              struct co__waiter *waiter, int status) {
    struct co__waiter *next = waiter->next;
    struct co__task *task = waiter->task;
    if (!CO__LIKELY(task->status == CO__WAITS_FOR_THIS))
        return false;
    queue->first = next;
    if (!CO__LIKELY(next == NULL))
        next->previous = waiter->next = NULL;
    task->status = status;
    sched->wakes++;
    co__sched_ready(sched, task->innermost);
    return true;
}

/* What a deadline or a cancel does to a task that waits: co__wake, or what its call has set for this case. */
void co__wait_give_up(struct co__task *task, int status);

/* Takes a task out of all queues and disarms its timer. */
void co__wait_abandon(struct co__task *task);

/* Those who wait in a queue, all of them, with that status. */
static inline void co__wake_all(struct co__waiters *queue, int status) {
    while (queue->first != NULL)
        co__wake(queue->first->task, status);
}

#endif
