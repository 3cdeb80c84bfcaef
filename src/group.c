/* Groups: a list of tasks, a count, and why it is being cancelled. The waiting is the kernel's (wait.h). */
#include "co/group.h"

#include "wait.h"

#include <errno.h>
#include <limits.h>

/* A race that has been won, as a cause: below zero it is an error. */
#define WON 1

/* ---- Cancelling -------------------------------------------------------------------------------------------------- */

/* The group's owner may be waiting for what its tasks would have done. What its call has to do when it gives up is done
 * here as for any other cancelling: a condition takes its mutex back, a writer lets in whom it kept out. */
static void tell_owner(co_group_t *group) {
    struct co__task *owner = group->owner;
    group->told = 1;
    owner->cancelled |= CO__CANCELLED_BY_GROUP;
    if (co__task_waits(owner) && owner->shielded == 0)
        co__wait_give_up(owner, -ECANCELED);
}

/* The first cause counts. Nothing runs in here, so the list stays as it is. */
static void stop(co_group_t *group, int cause) {
    if (group->cause != 0)
        return;
    group->cause = cause;
    for (struct co__task *task = group->first; task != NULL; task = task->next_member)
        co_cancel(task->co);
    if (!group->waiting && group->owner != co__task_running())
        tell_owner(group);
}

/* ---- Tasks of a group -------------------------------------------------------------------------------------------- */

static void remove_member(co_group_t *group, struct co__task *task) {
    if (task->previous_member != NULL)
        task->previous_member->next_member = task->next_member;
    else
        group->first = task->next_member;
    if (task->next_member != NULL)
        task->next_member->previous_member = task->previous_member;
    else
        group->last = task->previous_member;
    group->count--;
}

/* Those that are closed in a deadlock are freed by co_run, which goes through all. */
static void release(struct co__task *task) {
    if (!task->sched->closing)
        co__task_free(task);
}

static void note_outcome(co_group_t *group, co_call_t *call, int status, bool cancelled) {
    if (group->racing && status == 0 && group->cause == 0) {
        group->winner = call;
        stop(group, WON);
    } else if (status < 0 && !(status == -ECANCELED && cancelled)) {
        if (group->failure == 0)
            group->failure = status;
        if (!group->racing)
            stop(group, status);
    }
}

static void member_ended(struct co__task *task) {
    co_group_t *group = task->owner;
    co_call_t *call = task->call;
    const int status = task->status;
    const bool cancelled = task->cancelled != 0;
    if (call != NULL) {
        call->result = task->result;
        call->status = status;
    }
    remove_member(group, task);
    release(task);
    note_outcome(group, call, status, cancelled);
    if (group->count == 0 && group->waiting && co__task_waits(group->owner))
        co__wake(group->owner, 0);
}

static co_t *add_member(co_group_t *group, co_t *co, co_call_t *call) {
    if (co == NULL)
        return NULL;
    struct co__task *task = co__task_of(co);
    task->owned = 1;
    task->on_end = member_ended;
    task->owner = group;
    task->parent = group->owner;
    task->call = call;
    task->next_member = NULL;
    task->previous_member = group->last;
    if (group->last != NULL)
        group->last->next_member = task;
    else
        group->first = task;
    group->last = task;
    group->count++;
    return co;
}

/* ---- A task that ends with a group open -------------------------------------------------------------------------- */

/* The frame in which the group lay may be gone, and with it the group: nothing of it is read. Its tasks are found among
 * all tasks, and the owner ends with the last of them. */

static void orphan_ended(struct co__task *task) {
    struct co__task *owner = task->parent;
    release(task);
    if (--owner->orphans == 0)
        co__task_end(owner, owner->result, owner->status);
}

static void put_off_end(struct co__task *owner, void *value, int status) {
    owner->group = NULL;
    owner->has_open = 0;
    for (struct co__task *task = owner->sched->first; task != NULL; task = task->next)
        if (task->parent == owner && !co__task_has_ended(task)) {
            task->on_end = orphan_ended;
            task->owner = NULL;
            owner->orphans++;
            co_cancel(task->co);
        }
    if (owner->orphans == 0) {
        co__task_end(owner, value, status);
        return;
    }
    owner->result = value;
    owner->status = status != 0 ? status : -EOWNERDEAD;
}

/* ---- Who may do what --------------------------------------------------------------------------------------------- */

static bool has_open(const struct co__task *task, const co_group_t *group) {
    const co_group_t *open = task->group;
    while (open != NULL && open != group)
        open = open->outer;
    return open != NULL;
}

/* Whether the task, or one of those that it lives in groups of, has the group open. These all live at least as long. */
static bool is_inside(const struct co__task *task, const co_group_t *group) {
    while (task != NULL && task->owner != group && !has_open(task, group))
        task = task->parent;
    return task != NULL;
}

/* 0 if the running task is inside the group. Of one that it is not inside of, only the owner's handle is looked at. */
static int check_inside(const co_group_t *group) {
    const struct co__task *task = co__task_running();
    if (group == NULL)
        return -EINVAL;
    if (task == NULL)
        return -EPERM;
    if (CO__LIKELY(is_inside(task, group)))
        return 0;
    return group->owner == NULL ? -EINVAL : -EPERM;
}

/* 0, or an errno value, if the running task may spawn into the group. */
static int check_spawn(const co_group_t *group) {
    const int status = check_inside(group);
    if (status < 0)
        return group != NULL && status == -EINVAL ? ECANCELED : -status;
    return group->cause == 0 ? 0 : ECANCELED;
}

/* ---- The calls --------------------------------------------------------------------------------------------------- */

static void open_group(struct co__task *owner, co_group_t *group, bool racing) {
    *group = (co_group_t){.owner = owner, .outer = owner->group, .racing = racing};
    owner->group = group;
    owner->has_open = 1;
    owner->sched->on_open_group = put_off_end;
}

int co_group_open(co_group_t *group) {
    struct co__task *task = co__task_running();
    if (group == NULL)
        return -EINVAL;
    if (task == NULL)
        return -EPERM;
    if (has_open(task, group))
        return -EBUSY;
    open_group(task, group, false);
    return 0;
}

static co_t *spawn(co_group_t *group, const co_options_t *opt, co_fn fn, void *arg, co_call_t *call,
                   const void *caller) {
    static const co_options_t defaults;
    return add_member(group, co__task_spawn(group->owner->sched, opt != NULL ? opt : &defaults, fn, arg, caller), call);
}

static co_t *check_and_spawn(co_group_t *group, const co_options_t *opt, co_fn fn, void *arg, const void *caller) {
    const int error = check_spawn(group);
    if (error == 0)
        return spawn(group, opt, fn, arg, NULL, caller);
    errno = error;
    return NULL;
}

/* Not inlined when the whole program is seen: the return address is the caller's. */
__attribute__((noinline)) co_t *(co_group_spawn)(co_group_t *group, co_fn fn, void *arg) {
    return check_and_spawn(group, NULL, fn, arg, __builtin_return_address(0));
}

__attribute__((noinline)) co_t *co_group_spawn_with(co_group_t *group, const co_options_t *opt, co_fn fn, void *arg) {
    return check_and_spawn(group, opt, fn, arg, __builtin_return_address(0));
}

__attribute__((noinline)) co_t *co_group_spawn_at(const char *site, co_group_t *group, co_fn fn, void *arg) {
    const int error = check_spawn(group);
    if (CO__LIKELY(error == 0 && site != NULL))
        return add_member(group, co_spawn_at(site, fn, arg), NULL);
    if (error == 0)
        return spawn(group, NULL, fn, arg, NULL, __builtin_return_address(0));
    errno = error;
    return NULL;
}

static co_t *begin_call(co_group_t *group, co_call_t *call, const void *caller) {
    co_t *co = spawn(group, call->options, call->fn, call->arg, call, caller);
    if (co != NULL) {
        call->result = NULL;
        call->status = -EINPROGRESS;
    }
    return co;
}

__attribute__((noinline)) co_t *co_group_call(co_group_t *group, co_call_t *call) {
    const int error = call == NULL ? EINVAL : check_spawn(group);
    if (error == 0)
        return begin_call(group, call, __builtin_return_address(0));
    errno = error;
    return NULL;
}

int co_group_cancel(co_group_t *group) {
    const int status = check_inside(group);
    if (status == 0)
        stop(group, -ECANCELED);
    return status;
}

/* ---- Waiting ----------------------------------------------------------------------------------------------------- */

/* The owner is not cancelled by this group any more, but perhaps by another one. */
static void leave(co_group_t *group) {
    struct co__task *owner = group->owner;
    co_group_t **link = &owner->group;
    while (*link != group)
        link = &(*link)->outer;
    *link = group->outer;
    owner->has_open = owner->group != NULL;
    group->owner = NULL;
    if (!group->told)
        return;
    bool told = false;
    for (const co_group_t *open = owner->group; open != NULL; open = open->outer)
        told = told || open->told;
    if (!told)
        owner->cancelled &= CO__CANCELLED | CO__CANCELLED_FOR_GOOD;
}

/* Between the end of the last task and the owner's turn there may come another one, from a task of a group of the same
 * owner. While a deadlock is cleared away there are none left: they have been closed before. */
static void wait_for_all(struct co__task *self, co_group_t *group, int64_t deadline) {
    int status = co__wait_check(self);
    group->waiting = 1;
    while (status == 0 && group->count != 0) {
        status = co__wait(self, deadline, "group", group);
        if (status == 0 && group->count != 0)
            status = co__wait_check(self);
    }
    if (status < 0)
        stop(group, status);
    self->shielded++;
    if (group->count != 0)
        co__wait(self, CO_NEVER, "group", group);
    self->shielded--;
    leave(group);
}

int co_group_wait(co_group_t *group, int64_t deadline_ns) {
    struct co__task *self = co__task_running();
    if (group == NULL)
        return -EINVAL;
    if (self == NULL)
        return -EPERM;
    if (!has_open(self, group))
        return group->owner == NULL ? -EINVAL : -EPERM;
    wait_for_all(self, group, deadline_ns);
    return group->cause;
}

int co_group_leave(co_group_t *group) {
    if (group == NULL)
        return -EINVAL;
    if (group->owner == NULL)
        return 0;
    struct co__task *self = co__task_running();
    if (self != NULL && has_open(self, group))
        stop(group, -ECANCELED);
    return co_group_wait(group, CO_NEVER);
}

/* ---- Calls side by side ------------------------------------------------------------------------------------------ */

/* Answers the group's cause, or why nothing was done. */
static int call_all(co_group_t *group, co_call_t *calls, size_t count, int64_t deadline, const void *caller) {
    struct co__task *self = co__task_running();
    const int status = co__wait_check(self);
    if (status < 0)
        return status;
    for (size_t i = 0; i < count; i++)
        if (calls == NULL || calls[i].fn == NULL)
            return -EINVAL;
    open_group(self, group, group->racing);
    for (size_t i = 0; i < count; i++) {
        calls[i].result = NULL;
        calls[i].status = -ESRCH;
    }
    for (size_t i = 0; i < count && group->cause == 0; i++)
        if (begin_call(group, &calls[i], caller) == NULL)
            stop(group, -errno);
    wait_for_all(self, group, deadline);
    return group->cause;
}

__attribute__((noinline)) int co_gather(co_call_t *calls, size_t count, int64_t deadline_ns) {
    co_group_t group = {.racing = 0};
    return call_all(&group, calls, count, deadline_ns, __builtin_return_address(0));
}

__attribute__((noinline)) int co_race(co_call_t *calls, size_t count, int64_t deadline_ns) {
    co_group_t group = {.racing = 1};
    if (count == 0 || count > INT_MAX)
        return -EINVAL;
    const int cause = call_all(&group, calls, count, deadline_ns, __builtin_return_address(0));
    if (cause == WON)
        return (int)(group.winner - calls);
    if (cause < 0)
        return cause;
    return group.failure != 0 ? group.failure : -ECANCELED;
}
