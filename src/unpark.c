/* Waking tasks from other threads, and waiting until one does. */
#define _GNU_SOURCE 1

#include "task.h"
#include "wait.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

/* What other threads may touch of a scheduler: this, and `token`, `unparking` and `next_unparked` of its tasks, under
 * the lock. `waiting` is also read without it, as a hint that there is something to fetch. */
struct co__remote {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct co__task *first, *last; /* that were unparked */
    _Atomic unsigned waiting;
};

int co__remote_begin(struct co__sched *sched) {
    struct co__remote *remote = malloc(sizeof *remote);
    pthread_condattr_t attributes;
    int error;
    if (remote == NULL)
        return -ENOMEM;
    remote->first = remote->last = NULL;
    atomic_init(&remote->waiting, 0);
    error = pthread_mutex_init(&remote->lock, NULL);
    if (error != 0)
        goto no_lock;
    error = pthread_condattr_init(&attributes);
    if (error != 0)
        goto no_attributes;
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC); /* known to every Linux */
    error = pthread_cond_init(&remote->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (error != 0)
        goto no_attributes;
    sched->remote = remote;
    return 0;

no_attributes:
    pthread_mutex_destroy(&remote->lock);
no_lock:
    free(remote);
    return -error;
}

void co__remote_end(struct co__sched *sched) {
    pthread_cond_destroy(&sched->remote->changed);
    pthread_mutex_destroy(&sched->remote->lock);
    free(sched->remote);
}

/* ---- Any thread ------------------------------------------------------------------------------------------------ */

int co_unpark(co_t *co) {
    if (co == NULL || (co__block_of(co)->kind & CO__TASK) == 0)
        return -EINVAL;
    struct co__task *task = co__task_of(co);
    if (co__block_of(co)->life == CO__ENDED || co__task_has_ended(task)) /* the one comes shortly after the other */
        return -ESRCH;
    struct co__remote *remote = task->sched->remote;
    pthread_mutex_lock(&remote->lock);
    task->token = 1;
    if (atomic_load_explicit(&task->unparking, memory_order_relaxed) != CO__UNPARKING) {
        atomic_store_explicit(&task->unparking, CO__UNPARKING, memory_order_relaxed);
        task->next_unparked = NULL;
        if (remote->first == NULL)
            remote->first = task;
        else
            remote->last->next_unparked = task;
        remote->last = task;
        atomic_store_explicit(&remote->waiting, 1, memory_order_release);
        pthread_cond_signal(&remote->changed);
    }
    pthread_mutex_unlock(&remote->lock);
    return 0;
}

/* ---- The scheduler's thread ------------------------------------------------------------------------------------ */

bool co__unparked_waiting(struct co__sched *sched) {
    return atomic_load_explicit(&sched->remote->waiting, memory_order_acquire) != 0;
}

/* The token of one that does not wait for it stays. */
void co__unparked_wake(struct co__sched *sched) {
    struct co__remote *remote = sched->remote;
    pthread_mutex_lock(&remote->lock);
    for (struct co__task *task = remote->first; task != NULL; task = task->next_unparked) {
        if (task->token && task->in_park && co__task_waits(task)) {
            task->token = 0;
            co__wake(task, 0);
        }
        atomic_store_explicit(&task->unparking, task->token ? CO__UNPARKED : 0, memory_order_relaxed);
    }
    remote->first = remote->last = NULL;
    atomic_store_explicit(&remote->waiting, 0, memory_order_relaxed);
    pthread_mutex_unlock(&remote->lock);
}

/* A task that has ended may be in the list: it was unparked when nothing was left to wake. */
void co__unparked_forget(struct co__task *task) {
    struct co__remote *remote = task->sched->remote;
    pthread_mutex_lock(&remote->lock);
    struct co__task **link = &remote->first, *previous = NULL;
    while (*link != NULL && *link != task) {
        previous = *link;
        link = &previous->next_unparked;
    }
    if (*link != NULL) {
        *link = task->next_unparked;
        if (remote->last == task)
            remote->last = previous;
    }
    pthread_mutex_unlock(&remote->lock);
}

static bool take_token(struct co__task *task) {
    struct co__remote *remote = task->sched->remote;
    pthread_mutex_lock(&remote->lock);
    const bool taken = task->token != 0;
    task->token = 0;
    if (atomic_load_explicit(&task->unparking, memory_order_relaxed) == CO__UNPARKED)
        atomic_store_explicit(&task->unparking, 0, memory_order_relaxed);
    pthread_mutex_unlock(&remote->lock);
    return taken;
}

int co_park(int64_t deadline_ns) {
    struct co__task *task = co__task_running();
    int status = co__wait_check(task);
    if (status < 0)
        return status;
    if (take_token(task))
        return 0;
    task->in_park = 1;
    task->sched->outside++;
    status = co__wait(task, deadline_ns, "park", NULL);
    task->sched->outside--;
    task->in_park = 0;
    return status;
}

void co__idle(struct co__sched *sched, int64_t deadline) {
    struct co__remote *remote = sched->remote;
    const struct timespec until = {.tv_sec = deadline / 1000000000, .tv_nsec = (long)(deadline % 1000000000)};
    pthread_mutex_lock(&remote->lock);
    if (remote->first == NULL) {
        if (deadline == CO_NEVER)
            pthread_cond_wait(&remote->changed, &remote->lock);
        else
            pthread_cond_timedwait(&remote->changed, &remote->lock, &until);
    }
    pthread_mutex_unlock(&remote->lock);
}
