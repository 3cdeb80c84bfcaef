/* Spawning, joining and detaching tasks, and their end. */
#include "task.h"
#include "pool.h"
#include "wait.h"

#include <errno.h>
#include <string.h>

/* ---- Beginning ------------------------------------------------------------------------------------------------- */

/* Makes a task of a coroutine that has not begun: it is parked where every coroutine begins. */
static CO__INLINE co_t *begin(struct co__sched *sched, struct co__block *block) {
    co_t *co = &block->hot;
    struct co__task *task = co__task_of(co), *last = sched->last;
    co->resumer = sched->fresh;
    task->number = (uint32_t)++sched->spawned;
    CO__SET(task->sched, sched);
    if (!CO__LIKELY(task->co == co)) {
        task->co = task->innermost = co;
        task->waiter.task = task;
    }
    task->next = NULL;
    task->previous = last;
    if (CO__LIKELY(last != NULL))
        last->next = task;
    else
        sched->first = task;
    sched->last = task;
    if (++sched->live > sched->peak)
        sched->peak = sched->live;
    co__sched_ready(sched, co);
    return co;
}

co_t *co__task_spawn(struct co__sched *sched, const co_options_t *opt, co_fn fn, void *arg, const void *caller) {
    int error = 0;
    if (fn == NULL)
        error = EINVAL;
    else if (sched->closing)
        error = ECANCELED;
    else if (co__sched_reserve(sched) != 0)
        error = ENOMEM;
    if (error != 0) {
        errno = error;
        return NULL;
    }
    co_t *co = co__create(opt, fn, arg, caller, CO__TASK);
    if (co == NULL)
        return NULL;
    struct co__block *block = co__block_of(co);
    memset(co__task_of(co), 0, sizeof(struct co__task)); /* memory of others is as they left it */
    *co__pc_word(block) = NULL;
    block->slow = 0; /* the scheduler does around its switches what has to be done */
    begin(sched, block);
    co__sched_option(sched, co__task_of(co), 1);
    co__trace(sched, co__task_of(co), CO__TRACE_SPAWN);
    return co;
}

static CO__COLD __attribute__((noinline)) co_t *spawn(const co_options_t *opt, co_fn fn, void *arg,
                                                      const void *caller) {
    const co_options_t none = {0};
    struct co__sched *sched = co__sched_of_thread();
    if (sched == NULL) {
        errno = fn != NULL ? EPERM : EINVAL;
        return NULL;
    }
    return co__task_spawn(sched, opt != NULL ? opt : &none, fn, arg, caller);
}

static CO__COLD __attribute__((noinline)) co_t *spawn_at(const char *site, co_fn fn, void *arg, const void *caller) {
    const co_options_t options = {.site = site};
    return spawn(&options, fn, arg, caller);
}

/* Not inlined when the whole program is seen: the return address is the caller's. */
__attribute__((noinline)) co_t *co_spawn_with(const co_options_t *opt, co_fn fn, void *arg) {
    return spawn(opt, fn, arg, __builtin_return_address(0));
}

__attribute__((noinline)) co_t *(co_spawn)(co_fn fn, void *arg) {
    return spawn(NULL, fn, arg, __builtin_return_address(0));
}

/* As co_create_at: most tasks get a stack that was used before. */
__attribute__((noinline)) co_t *co_spawn_at(const char *site, co_fn fn, void *arg) {
    struct co__sched *sched;
    struct co__block *block;
    if (!CO__LIKELY(site != NULL) || !CO__LIKELY((sched = co__sched_of_thread()) != NULL) || !CO__LIKELY(fn != NULL) ||
        !CO__LIKELY(sched->live < sched->quick_limit) || !CO__LIKELY((block = co__pool_pop_plain()) != NULL))
        return spawn_at(site, fn, arg, __builtin_return_address(0));
    co__make_fresh(block, fn, arg, site);
    block->state = CO__STATE(CO__PLAIN | CO__TASK);
    return begin(sched, block);
}

/* ---- Ending ---------------------------------------------------------------------------------------------------- */

static CO__INLINE void remove_from_list(struct co__sched *sched, struct co__task *task) {
    if (task->previous != NULL)
        task->previous->next = task->next;
    else
        sched->first = task->next;
    if (task->next != NULL)
        task->next->previous = task->previous;
    else
        sched->last = task->previous;
}

/* What is not zero of one that has ended, and is to be. Nobody has it in a queue, waits for it or runs it. */
static CO__COLD __attribute__((noinline)) void clear(struct co__task *task) {
    if (atomic_load_explicit(&task->unparking, memory_order_relaxed))
        co__unparked_forget(task);
    memset((char *)task + offsetof(struct co__task, particulars), 0,
           offsetof(struct co__task, next) - offsetof(struct co__task, particulars));
    task->waiter.task = task;
}

static CO__INLINE bool is_clear(const struct co__task *task) {
    return CO__LIKELY(task->particulars == 0) &&
           CO__LIKELY(atomic_load_explicit(&task->unparking, memory_order_relaxed) == 0);
}

static void give_back(struct co__task *task) {
    struct co__block *block = co__block_of(task->co);
    const bool plain = (block->kind & CO__PLAIN) != 0;
    if (!is_clear(task)) /* before anything of it is stored: its bytes are loaded together */
        clear(task);
    atomic_store_explicit(&task->ended, 0, memory_order_relaxed);
    task->joiner = NULL;
    remove_from_list(task->sched, task);
    if (!plain || !co__pool_push_plain(block))
        co__free(block);
}

void co__task_free(struct co__task *task) { give_back(task); }

/* The joiner gets the result where it wants it, and task's memory goes. */
static int hand_over(struct co__task *task, void **result) {
    const int status = task->status;
    if (result != NULL)
        *result = task->result;
    give_back(task);
    return status;
}

static void note_end(struct co__sched *sched, struct co__task *task, void *value, int status) {
    atomic_store_explicit(&task->ended, 1, memory_order_relaxed);
    task->status = status;
    task->result = status == 0 ? value : NULL;
    sched->live--;
    if (sched->optioned != 0)
        co__sched_option(sched, task, -1);
}

/* Whoever owns it looks after what it owns itself, in a deferred call perhaps, and must not wait for this one. */
void co__task_closed(struct co__sched *sched, struct co__task *task) {
    task->innermost = task->co; /* not the one that it parked in: the next task on that stack relies on it */
    note_end(sched, task, NULL, -ECANCELED);
    co__trace(sched, task, CO__TRACE_CLOSED);
    if (task->on_end != NULL)
        task->on_end(task);
}

void co__task_end(struct co__task *task, void *value, int status) {
    struct co__sched *sched = task->sched;
    struct co__task *joiner = task->joiner;
    note_end(sched, task, value, status);
    if (sched->trace != NULL)
        co__trace(sched, task, CO__TRACE_END);
    if (joiner != NULL) {
        task->joiner = joiner->joining = NULL;
        co__wake(joiner, hand_over(task, joiner->waiter.item));
    } else if (task->on_end != NULL) {
        task->on_end(task);
    } else if (task->detached) {
        give_back(task);
    }
}

CO__UNINSTRUMENTED static __attribute__((noinline)) co_t *ended(struct co__sched *sched, struct co__task *task,
                                                                void *value, int status) {
    CO__THREAD_SET(CO__THREAD_CURRENT, sched->outer);
    sched->yielded = task->co;
    co__sched_turn_ends(sched, true);
    if (CO__LIKELY(task->group == NULL))
        co__task_end(task, value, status);
    else
        sched->on_open_group(task, value, status);
    if (sched->trace != NULL)
        co__trace(sched, NULL, CO__TRACE_LEAVE); /* not before: whom it has woken is shown as woken by it */
    return co__sched_next(sched);
}

/* Most ends are these: of a plain task, with nothing particular, while nobody looks on, and either somebody waits for
 * it without a deadline, or it waits to be joined. Nothing is called on these ways, so that no register is saved. */
CO__UNINSTRUMENTED co_t *co__sched_ended(struct co__sched *sched, co_t *co, void *value, int status) {
    struct co__block *block = co__block_of(co);
    struct co__task *task = co__task_of(co), *joiner = task->joiner;
    if (!CO__LIKELY(sched->look_mask != 0) || !CO__LIKELY(block->kind == (CO__PLAIN | CO__TASK)) ||
        !CO__LIKELY(is_clear(task)) || !CO__LIKELY(status == 0))
        return ended(sched, task, value, status);
    if (joiner == NULL) {
        atomic_store_explicit(&task->ended, 1, memory_order_relaxed);
        task->status = 0;
        task->result = value;
        sched->live--;
    } else {
        if (!CO__LIKELY(joiner->timer == 0) || !CO__LIKELY(co__pool_push_plain(block)))
            return ended(sched, task, value, status);
        remove_from_list(sched, task);
        task->joiner = NULL;
        sched->live--;
        sched->wakes++;
        void **result = joiner->waiter.item;
        if (result != NULL)
            *result = value;
        joiner->joining = NULL;
        joiner->status = 0;
        if (sched->count == 0 && CO__LIKELY((sched->head & sched->look_mask) != 0)) {
            sched->head++; /* nobody else is able to run */
            return joiner->innermost;
        }
        co__sched_ready(sched, joiner->innermost);
    }
    if (CO__LIKELY(sched->count != 0) && CO__LIKELY((sched->head & sched->look_mask) != 0)) {
        sched->count--;
        return sched->ring[sched->head++ & sched->ring_mask];
    }
    CO__THREAD_SET(CO__THREAD_CURRENT, sched->outer);
    return co__sched_next(sched);
}

/* ---- Joining --------------------------------------------------------------------------------------------------- */

/* 0 if `co` is a task that the running one may join or detach. */
static int check(const co_t *co, const struct co__sched *sched) {
    if (sched == NULL)
        return -EPERM;
    if (!co__is_task(co))
        return -EINVAL;
    const struct co__task *task = co__task_of(co);
    if (task->sched != sched)
        return -EPERM;
    if (task->owned || task->detached)
        return -EINVAL;
    return task->joiner == NULL ? 0 : -EBUSY;
}

static bool waits_for(const struct co__task *task, const struct co__task *other) {
    while (task != NULL && task != other)
        task = task->joining;
    return task != NULL;
}

static CO__INLINE void note_joiner(struct co__task *self, struct co__task *task, void **result) {
    task->joiner = self;
    self->joining = task;
    CO__SET(self->waiter.item, (void *)result);
}

static __attribute__((noinline)) int join(co_t *co, void **result, int64_t deadline) {
    struct co__task *self = co__task_running();
    int status = co__wait_check(self);
    if (status < 0)
        return status;
    status = check(co, self->sched);
    if (status < 0)
        return co == self->co ? -EDEADLK : status;
    struct co__task *task = co__task_of(co);
    if (co__task_has_ended(task))
        return hand_over(task, result);
    if (waits_for(task, self))
        return -EDEADLK;
    note_joiner(self, task, result);
    return co__wait(self, deadline, "join", NULL);
}

/* Most joins are of a plain task, which has ended, or runs still and joins nobody itself. */
int co_join(co_t *co, void **result, int64_t deadline_ns) {
    struct co__task *self = co__task_running_itself(), *task;
    if (!CO__LIKELY(self != NULL) || !CO__LIKELY(!self->cancelled) || !CO__LIKELY(co != NULL))
        return join(co, result, deadline_ns);
    task = co__task_of(co);
    if (CO__LIKELY(co__block_of(co)->state == CO__STATE(CO__PLAIN | CO__TASK))) {
        if (!CO__LIKELY(deadline_ns == CO_NEVER) || !CO__LIKELY(task->sched == self->sched) ||
            !CO__LIKELY(task != self) || !CO__LIKELY(task->particulars == 0) || !CO__LIKELY(task->joiner == NULL) ||
            !CO__LIKELY(task->joining == NULL))
            return join(co, result, deadline_ns);
        note_joiner(self, task, result);
        co__wait_note(self, CO__WAITS, "join", NULL);
        return co__park_itself(self);
    }
    if (co__block_of(co)->kind != (CO__PLAIN | CO__TASK) || !CO__LIKELY(co__task_has_ended(task)) ||
        !CO__LIKELY(task->sched == self->sched) || !CO__LIKELY(is_clear(task)) ||
        !CO__LIKELY(co__pool_push_plain(co__block_of(co))))
        return join(co, result, deadline_ns);
    atomic_store_explicit(&task->ended, 0, memory_order_relaxed);
    remove_from_list(task->sched, task);
    if (result != NULL)
        *result = task->result;
    return task->status;
}

int co_detach(co_t *co) {
    int status = check(co, co__sched_of_thread());
    if (status < 0)
        return status;
    struct co__task *task = co__task_of(co);
    if (co__task_has_ended(task))
        give_back(task);
    else
        task->detached = 1;
    return 0;
}
