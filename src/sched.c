/* co_run, and who is next. task.h has the picture. */
#include "task.h"

#include "canary.h"
#include "lock.h"
#include "wait.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(offsetof(struct co__sched, fresh.sp) == CO__SCHED_SP, "task.h");
_Static_assert(offsetof(struct co__sched, head) == CO__SCHED_HEAD, "task.h");
_Static_assert(offsetof(struct co__sched, count) == CO__SCHED_COUNT, "task.h");
_Static_assert(offsetof(struct co__sched, ring) == CO__SCHED_RING, "task.h");
_Static_assert(offsetof(struct co__sched, ring_mask) == CO__SCHED_RING_MASK, "task.h");
_Static_assert(offsetof(struct co__sched, look_mask) == CO__SCHED_LOOK_MASK, "task.h");
_Static_assert(offsetof(struct co__sched, yielded) == CO__SCHED_YIELDED, "task.h");
_Static_assert(offsetof(struct co__sched, outer) == CO__SCHED_OUTER, "task.h");
_Static_assert(offsetof(struct co__sched, fresh.fp) == CO__SCHED_FP, "task.h");
_Static_assert(offsetof(struct co__task, status) == CO__TASK_STATUS, "task.h");
_Static_assert(offsetof(struct co__task, co) == CO__TASK_CO, "task.h");
_Static_assert(offsetof(struct co__task, innermost) == CO__TASK_INNERMOST, "task.h");
_Static_assert(sizeof(struct co__task) <= CO__TASK_BYTES, "stack.h");

/* How many turns there may be before somebody looks at the clock and at what other threads have said. */
#define LOOK_EVERY ((uint64_t)128)

#define LEAST_CAPACITY ((size_t)64)

/* ---- Room for every task ----------------------------------------------------------------------------------------- */

static void set_quick_limit(struct co__sched *sched) {
    sched->quick_limit = sched->closing == NULL && sched->trace == NULL ? sched->capacity : 0;
}

/* The ring keeps what it holds; timers lie from 1 on. The ring begins as zeros, since assembly writes to it, of which
 * MemorySanitizer sees nothing, and fetches what words of it point to before they have been written. */
static int grow(struct co__sched *sched) {
    const size_t capacity = sched->capacity == 0 ? LEAST_CAPACITY : 2 * sched->capacity;
    co_t **ring = calloc(capacity + CO__RING_AHEAD, sizeof *ring);
    struct co__timer *timers = realloc(sched->timers, (capacity + 1) * sizeof *timers);
    if (timers != NULL)
        sched->timers = timers;
    if (ring == NULL || timers == NULL) {
        free(ring);
        return -ENOMEM;
    }
    for (uint64_t i = sched->head; i != sched->head + sched->count; i++)
        ring[i & (capacity - 1)] = sched->ring[i & sched->ring_mask];
    free(sched->ring);
    sched->ring = ring;
    sched->ring_mask = capacity - 1;
    sched->capacity = capacity;
    set_quick_limit(sched);
    return 0;
}

int co__sched_reserve(struct co__sched *sched) {
    return CO__LIKELY(sched->live < sched->capacity) ? 0 : grow(sched);
}

/* ---- Who is next ------------------------------------------------------------------------------------------------- */

/* SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014): every seed will
 * do. */
static uint64_t next_random(struct co__sched *sched) {
    uint64_t x = sched->random += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static co_t *take_ready(struct co__sched *sched) {
    co_t **first = &sched->ring[sched->head & sched->ring_mask];
    if ((sched->flags & CO_RUN_SEEDED) != 0) {
        const uint64_t index = sched->head + next_random(sched) % sched->count;
        co_t **chosen = &sched->ring[index & sched->ring_mask], *kept = *first;
        *first = *chosen;
        *chosen = kept;
    }
    sched->head++;
    sched->count--;
    return *first;
}

/* What time and other threads have brought about. While tasks are able to run and none waits for a time, it is only for
 * reports that the clock is read, and every now and then will do. */
static void look(struct co__sched *sched) {
    const bool busy = sched->count != 0;
    if (co__unparked_waiting(sched))
        co__unparked_wake(sched);
    if (busy && sched->timer_count == 0 && sched->head % (8 * LOOK_EVERY) != 0)
        return;
    sched->now = co__sched_clock(sched);
    co__timers_fire(sched, sched->now);
}

static co_t *pick(struct co__sched *sched) {
    if (CO__LIKELY(sched->count != 0 && sched->head % LOOK_EVERY != 0))
        return take_ready(sched);
    for (;;) {
        look(sched);
        if (sched->count != 0)
            return take_ready(sched);
        if (sched->live == 0)
            return NULL;
        const int64_t deadline = sched->timer_count != 0 ? sched->timers[1].deadline : CO_NEVER;
        if (deadline == CO_NEVER && sched->outside == 0) {
            sched->deadlocked = 1;
            return NULL;
        }
        if ((sched->flags & CO_RUN_VIRTUAL_CLOCK) != 0 && deadline != CO_NEVER)
            sched->virtual_now = deadline;
        else
            co__idle(sched, deadline);
    }
}

/* ---- Around a turn, where somebody must be told ------------------------------------------------------------------ */

/* What assembly has written is unknown to MemorySanitizer. */
CO__UNINSTRUMENTED struct co__task *co__task_parked_in(const co_t *innermost) {
    if ((co__block_of(innermost)->kind & CO__TASK) != 0)
        return co__task_of(innermost);
    return ((const struct co__parked *)innermost->own.sp)->task;
}

/* Sanitizers are told of every turn, and tasks with options that change what a switch does are switched to from here:
 * then look_mask is 0, and every turn begins and ends in C. */

CO__UNINSTRUMENTED static void turn_begins(struct co__sched *sched, co_t *innermost) {
    sched->entered = innermost;
    if (sched->trace != NULL)
        co__trace(sched, co__task_parked_in(innermost), CO__TRACE_RUN);
    if (sched->optioned != 0) {
        struct co__block *root = co__block_of(co__task_parked_in(innermost)->co);
        sched->entered_root = root;
        if ((root->flags & CO_CANARIES) != 0)
            co__canaries_check(root);
        if ((root->flags & CO_FPENV) != 0)
            co__fpenv_swap(root->fpenv);
    }
    if (sched->hooked)
        co__hooks_before(co__block_of(innermost), &sched->hooked_switch);
}

/* Whoever was entered may have returned to its resumer, or resumed others, before the turn ended. */
CO__UNINSTRUMENTED void co__sched_turn_ends(struct co__sched *sched, bool ended) {
    if (CO__LIKELY(sched->entered == NULL))
        return;
    struct co__block *root = sched->entered_root;
    co_t *left = sched->parked_in != NULL ? sched->parked_in : sched->yielded;
    if (sched->hooked)
        co__hooks_after(co__block_of(left), &sched->hooked_switch, ended);
    if (root != NULL) {
        if ((root->flags & CO_FPENV) != 0)
            co__fpenv_swap(root->fpenv);
        if ((root->flags & CO_CANARIES) != 0)
            co__canaries_check(root);
    }
    sched->entered = sched->parked_in = NULL;
    sched->entered_root = NULL;
    if (sched->trace != NULL && !ended)
        co__trace(sched, co__task_parked_in(left), CO__TRACE_LEAVE);
}

CO__UNINSTRUMENTED co_t *co__sched_next(struct co__sched *sched) {
    co__sched_turn_ends(sched, false);
    co_t *innermost = pick(sched);
    if (!CO__LIKELY(sched->look_mask != 0) && innermost != NULL)
        turn_begins(sched, innermost);
    return innermost;
}

void co__sched_option(struct co__sched *sched, const struct co__task *task, int change) {
    if ((co__block_of(task->co)->flags & (CO_FPENV | CO_CANARIES)) == 0)
        return;
    sched->optioned += (size_t)change;
    co__sched_set_look(sched);
}

void co__sched_set_look(struct co__sched *sched) {
    static const char something;
    static const struct co__handlers active = {.caught = (void *)(uintptr_t)&something};
    const bool always =
        sched->hooked || sched->optioned != 0 || sched->trace != NULL || (sched->flags & CO_RUN_SEEDED) != 0;
    sched->look_mask = always ? 0 : LOOK_EVERY - 1;
    sched->handlers = always ? &active : sched->handlers_of_thread;
}

/* ---- Running ----------------------------------------------------------------------------------------------------- */

static int check_options(const co_run_options_t *opt) {
    const unsigned known = CO_RUN_SEEDED | CO_RUN_SEED_FROM_ENVIRONMENT | CO_RUN_VIRTUAL_CLOCK | CO_RUN_QUIET;
    if ((opt->flags & ~known) != 0 || opt->reserved_flags != 0)
        return -EINVAL;
    for (size_t i = 0; i < sizeof opt->reserved / sizeof opt->reserved[0]; i++)
        if (opt->reserved[i] != 0)
            return -EINVAL;
    return 0;
}

static uint64_t seed_of(const co_run_options_t *opt) {
    const char *text = (opt->flags & CO_RUN_SEED_FROM_ENVIRONMENT) != 0 ? getenv("CO_SEED") : NULL;
    if (text == NULL || *text == '\0')
        return opt->seed;
    char *end;
    const uint64_t seed = strtoull(text, &end, 0);
    return *end == '\0' ? seed : opt->seed;
}

/* Tasks that wait for what will never come: they go, the last spawned first, each from the innermost coroutine
 * outwards. So what a task has lent to those that it has spawned, from frames that wait for them, is there still when
 * their deferred calls run. Blocking calls in these answer -ECANCELED, so that nobody waits again. */
static void close_all(struct co__sched *sched) {
    sched->closing = sched->first;
    set_quick_limit(sched);
    for (struct co__task *task = sched->first; task != NULL; task = task->next)
        if (!co__task_has_ended(task)) {
            task->cancelled = CO__CANCELLED_FOR_GOOD;
            co__wait_abandon(task);
        }
    for (struct co__task *task = sched->last; task != NULL; task = task->previous) {
        if (co__task_has_ended(task))
            continue;
        sched->closing = task;
        co__close_parked(task->innermost, task->co);
        co__task_closed(sched, task);
    }
}

static void free_all(struct co__sched *sched) {
    while (sched->first != NULL)
        co__task_free(sched->first);
    free(sched->ring);
    free(sched->timers);
}

static const co_run_options_t defaults;

/* Numbers the process's runs. No atomic addition: gcc calls libgcc's for AArch64, which is not marked for branch
 * protection. */
static int number_run(struct co__sched *sched) {
    static uint32_t runs; /* under the lock */
    if (co__lock() != 0)
        return -ENOMEM;
    sched->run = (uint64_t)++runs << 32;
    co__unlock();
    return 0;
}

int co_run_with(const co_run_options_t *opt, co_fn fn, void *arg, void **result) {
    if (opt == NULL)
        opt = &defaults;
    if (fn == NULL || check_options(opt) != 0)
        return -EINVAL;
    if (co__sched_of_thread() != NULL)
        return -EBUSY;
    struct co__sched sched = {
        .fresh = {.pc = (void *)(uintptr_t)co__sched_landing, .base = (void *)(uintptr_t)co__entry},
        .flags = opt->flags,
        .report = opt->report,
        .trace = opt->trace};
    sched.outer = co_self();
    sched.hooked = co__hooks_present_at_switches();
    sched.random = seed_of(opt);
    sched.now = co__sched_clock(&sched);
    co__sched_set_look(&sched);
    int status = number_run(&sched);
    if (status == 0)
        status = co__remote_begin(&sched);
    if (status != 0)
        return status;
    const co_options_t none = {0};
    CO__THREAD_SET(CO__THREAD_SCHED, &sched);
    co_t *first = co__task_spawn(&sched, opt->first != NULL ? opt->first : &none, fn, arg, __builtin_return_address(0));
    if (first == NULL) {
        status = -errno;
    } else {
        struct co__handlers handlers;
        co__task_of(first)->owned = 1; /* nobody joins it but this function */
        co__trace_begin(&sched);
        co__handlers_put_aside(&handlers);
        CO__THREAD_GET(__volatile__, CO__THREAD_HANDLERS, sched.handlers_of_thread);
        co__sched_set_look(&sched);
        co__sched_run(&sched, first);
        if (sched.deadlocked) {
            co__report_deadlock(&sched);
            close_all(&sched);
        }
        co__handlers_restore(&handlers);
        co__trace_end(&sched);
        status = sched.deadlocked ? -EDEADLK : co__task_of(first)->status;
        if (result != NULL)
            *result = co__task_of(first)->result;
    }
    free_all(&sched);
    CO__THREAD_SET(CO__THREAD_SCHED, NULL);
    co__remote_end(&sched);
    return status;
}

int co_run(co_fn fn, void *arg, void **result) { return co_run_with(NULL, fn, arg, result); }

/* ---- Asking ------------------------------------------------------------------------------------------------------ */

co_t *co_task(void) {
    struct co__task *task = co__task_running();
    return task != NULL ? task->co : NULL;
}

int co_counters(co_counters_t *counters) {
    const struct co__sched *sched = co__sched_of_thread();
    if (counters == NULL)
        return -EINVAL;
    if (sched == NULL)
        return -EPERM;
    *counters = (co_counters_t){.switches = sched->head, /* whoever is entered leaves the ring */
                                .wakes = sched->wakes,
                                .spawned = sched->spawned,
                                .ended = sched->spawned - sched->live,
                                .timers = sched->timer_sequence,
                                .live = sched->live,
                                .peak = sched->peak};
    return 0;
}
