/* What locks and their like share. They are clients of wait.h: what is given up is handed to the first waiter in the
 * moment of its wake, so that nobody who comes between the wake and the waiter's turn finds it free. */
#ifndef CO_SYNC_PRIVATE_H
#define CO_SYNC_PRIVATE_H

#include "co/sync.h"
#include "wait.h"

/* Of a task, and of no other in this process, whether it has ended or not. */
static inline uint64_t co__task_identity(const struct co__task *task) { return task->sched->run | task->number; }

/* Whether that task, which may have ended, is or was of another run than `task`. */
static inline bool co__identity_is_foreign(uint64_t identity, const struct co__task *task) {
    return (identity ^ co__task_identity(task)) >> 32 != 0;
}

/* Whether somebody waits in the queue who must not be woken from here, or joined by the running task. */
static inline bool co__waiters_are_foreign(const struct co__waiters *queue) {
    return queue->first != NULL && queue->first->task->sched != co__sched_of_thread();
}

/* mutex.c, for conditions. What the running task holds goes to the first waiter, or to nobody. */
void co__mutex_release(co_mutex_t *mutex);
/* `task`, which waits elsewhere, gets the mutex, or waits for it from now on. Nothing else ends this wait; the task's
 * call answers `status`. */
void co__mutex_give(co_mutex_t *mutex, struct co__task *task, int status);
/* The running task, which holds the mutex, lets all have it that wait for it. Is `status`. */
int co__mutex_let_others(co_mutex_t *mutex, struct co__task *task, int status);

#endif
