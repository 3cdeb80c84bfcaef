/* Tasks and their scheduler: what the files of that layer share.
 *
 *     sched.c           co_run, and its loop: who is next
 *     task.c            spawn, join, detach; what happens at a task's end
 *     wait.c            park and wake: the one way to wait; wait.h is for its clients
 *     task_close.c      closing what a deadlock leaves
 *     timers.c          deadlines; clock.c has the clock
 *     unpark.c          waking from other threads, and waiting until one does
 *     report.c, trace.c what is told of tasks
 *     arch/.._sched.S   the switch from task to task
 *
 * A task is a coroutine whose resumer is the scheduler: resumer.{sp, fp, pc} lead into co__sched_run's frame, so that a
 * yield of its body, inline or not, arrives there like any other yield at its resumer, and is sent on to the next task
 * in a few instructions. C code runs in that frame only when there is more to do: at a task's end, when nobody is able
 * to run, and every now and then to look at the clock.
 *
 * A task that does not run is parked: in the words of the coroutine that executed last (itself, or one that it has
 * resumed, directly or not),
 *
 *     own.sp, own.fp, own.base    its registers, as in a yield
 *     own.pc                      NULL, so that nobody else resumes it
 *     resumer.base                where to go on: nobody loads this word but a yield, and who goes on puts it right
 *
 * own.base and resumer.base have other uses while a coroutine runs, so that co__park_nested keeps what they hold on the
 * stack. In the task itself they have none: it has no resumer but the scheduler, and whoever follows the chain of
 * resumers stops at a task (co__resumer_of).
 *
 * The offsets are for assembly; sched.c asserts them. */
#ifndef CO_TASK_H
#define CO_TASK_H

#define CO__SCHED_SP 0
#define CO__SCHED_FP 8
#define CO__SCHED_RING 32
#define CO__SCHED_RING_MASK 40
#define CO__SCHED_LOOK_MASK 48
#define CO__SCHED_HEAD 56
#define CO__SCHED_YIELDED 64
#define CO__SCHED_COUNT 72
#define CO__SCHED_OUTER 80

/* Words behind the ring: whoever reads so far ahead stays within its memory. */
#define CO__RING_AHEAD 4

#define CO__TASK_STATUS 0
#define CO__TASK_CO 8
#define CO__TASK_INNERMOST 24

#ifndef __ASSEMBLER__

#include "block.h"
#include "co/sched.h"
#include "co/waiter.h"

#include <limits.h>
#include <stdatomic.h>

struct co__task;
struct co__sched;
struct co_group;
struct co_call;

/* Written under the scheduler's lock, read without. */
#define CO__UNPARKING 1 /* in the list of those that other threads have unparked */
#define CO__UNPARKED 2  /* not in it any more, and has a token that it has not taken */

#define CO__CANCELLED 1
#define CO__CANCELLED_FOR_GOOD 2 /* a deadlock is being cleared away: shields do not help */
#define CO__CANCELLED_BY_GROUP 4 /* by one that it has opened, until that one is left */

/* What `status` of a task is while it waits, in place of what its call will answer, which is none of these. */
#define CO__WAITS (INT_MAX - 2)          /* its own entry is in no queue */
#define CO__WAITS_IN_QUEUE (INT_MAX - 1) /* it is in one */
#define CO__WAITS_FOR_THIS INT_MAX       /* it is, and that is all: no deadline, and nobody to be told of the wake */

/* What the library knows of a task beside its block. It lies behind the block, at the top of the stack. Between lives
 * all of it is zero but what stands before `particulars` and from `next` on, so that the next task there finds it as it
 * should be. */
struct co__task {
    /* To the end of the line of memory that the block ends in: what every call looks at. */
    int status; /* CO__WAITS..., or what the call that the task is parked in will return; once ended, what it failed
                   with */
    uint32_t number; /* counts from 1 in a scheduler; for reports and traces */
    co_t *co;        /* itself, also between lives */
    struct co__sched *sched;
    co_t *innermost; /* while parked: the coroutine to go on in; else, and between lives, itself */
    union {
        struct {
            unsigned char cancelled; /* CO__CANCELLED... */
            unsigned char owned;     /* neither joined nor detached by anyone: the first one, or a group's */
            unsigned char detached;
            unsigned char has_open; /* a group: `group` is not NULL */
            unsigned shielded;      /* how often */
        };
        uint64_t particulars; /* all of these at once: 0 in most tasks */
    };
    _Atomic unsigned char ended;     /* co_unpark asks in other threads, */
    _Atomic unsigned char unparking; /* and says so: CO__UNPARKING... */
    /* co_park and co_unpark, under the scheduler's lock. */
    unsigned char token, in_park;
    unsigned char sleeps; /* its deadline is what it waits for */

    /* The next line: what waits need. While it waits, and then as they are: the name of its call, what it waits on if
     * it does not join, and since when, by the last look at the clock. */
    const char *waits_for;
    const void *object;
    int64_t since;
    size_t timer;             /* its place among the timers; 0: none */
    struct co__task *joiner;  /* who waits for its end */
    struct co__task *joining; /* for whose end it waits */
    /* What a deadline or a cancel calls instead of co__wake, for waits with more to do then; else NULL.
     * co__wait_abandon clears it, co__wake_first_at_once does not. */
    void (*gives_up)(struct co__task *task, int status);
    struct co__waiter *waiters; /* its entries, if it waits for several things (co_select): the first of them */

    /* Its entry, if it waits for one thing. `task` is itself always; `next` and `previous` are NULL while it is in no
     * queue, and `queue` is the last one that it was in. */
    struct co__waiter waiter;

    /* Called at its end if it is owned, by who owns it (group.c): it may free it by co__task_free. */
    void (*on_end)(struct co__task *task);
    void *owner;
    /* Of group.c: the groups that this task has opened and not left, the last one first; who has opened the group that
     * it belongs to, its neighbours in there, and the record that wants its result. */
    struct co_group *group;
    struct co__task *parent, *next_member, *previous_member;
    struct co_call *call;
    uint32_t orphans; /* tasks of groups that it has not left, at whose end it ends */
    struct co__task *next_unparked;

    struct co__task *next, *previous; /* all of the scheduler's, in the order of spawning */
    void *result;                     /* once ended */
};

static inline struct co__task *co__task_of(const co_t *co) { return (struct co__task *)(void *)(co__block_of(co) + 1); }

static inline struct co__block *co__block_of_task(const struct co__task *task) {
    return (struct co__block *)(uintptr_t)task - 1;
}

struct co__timer {
    int64_t deadline;
    uint64_t sequence; /* equal deadlines fire in the order in which they were armed */
    struct co__task *task;
};

struct co__sched {
    /* The words that assembly uses, two cache lines. The resumer's words of a task that has not begun: sp and fp are of
     * co__sched_run's frame. */
    struct co__context fresh;
    /* `ring` holds the coroutines to enter, in turn; it has room for every task, so that waking one cannot fail. */
    co_t **ring;
    uint64_t ring_mask;
    uint64_t look_mask; /* C code looks around when head & look_mask is 0 */
    uint64_t head;      /* the number of turns so far, and where in the ring the next one is */
    co_t *yielded;      /* the task that has given its turn away, if C code is to be told */
    uint64_t count;     /* how many the ring holds. Not next to `head`: compilers would load both at once, for which the
                           processor would have to wait until both were stored */
    co_t *outer;        /* the coroutine that has called co_run, or NULL */

    /* What a park looks at to see whether it needs care: the thread's record; or, if every turn goes through C code,
     * one in which a handler is active. */
    const struct co__handlers *handlers;
    const struct co__handlers *handlers_of_thread;
    unsigned flags; /* of co_run_options_t */
    unsigned char hooked, deadlocked;
    struct co__task *closing; /* in a deadlock: whose deferred calls run */
    uint64_t random;
    uint64_t run; /* which of the process's runs this is, in the upper half: with a task's number below it, an
                     identity */
    /* Of a turn that begins and ends in C. */
    co_t *entered;
    co_t *parked_in;                /* the coroutine in which it ended; NULL: the task itself */
    struct co__block *entered_root; /* the task's, if its options want something done */
    size_t optioned;                /* tasks with such options */
    struct co__hooked_switch hooked_switch;
    struct co__task *first, *last; /* all tasks */
    /* Called in place of a task's end if it has a group open, which puts the end off: co__task_end. */
    void (*on_open_group)(struct co__task *task, void *value, int status);
    size_t capacity;          /* of the ring, and of the timers */
    struct co__timer *timers; /* from 1 on */
    size_t timer_count;
    uint64_t timer_sequence;
    int64_t now; /* at the last look */
    int64_t virtual_now;
    size_t outside;   /* tasks in co_park */
    uint64_t selects; /* select.c: how many cases were done */
    uint64_t wakes;
    uint64_t spawned;   /* the last task's number */
    size_t live, peak;  /* tasks that have not ended; the most so far */
    size_t quick_limit; /* how many may live for a spawn to be quick: `capacity`, or 0 */
    FILE *report, *trace;
    uint32_t traced;           /* the number of the task that the trace shows running; 0: none */
    unsigned char tracing;     /* the trace has begun */
    struct co__remote *remote; /* unpark.c */
};

/* The calling thread's scheduler; NULL outside of co_run. */
static inline struct co__sched *co__sched_of_thread(void) {
    struct co__sched *sched;
    CO__THREAD_GET(__volatile__, CO__THREAD_SCHED, sched);
    return sched;
}

/* The task that executes if `co` does; NULL outside. Costs a step for each coroutine that the task has resumed and that
 * waits for the next: nobody has to note at a switch whose turn it is. */
static CO__INLINE struct co__task *co__task_executing(co_t *co) {
    for (; CO__LIKELY(co != NULL); co = co->own.base) /* its resumer */
        if (CO__LIKELY((co__block_of(co)->kind & CO__TASK) != 0))
            return co__task_of(co);
    struct co__sched *sched = co__sched_of_thread();
    return sched != NULL ? sched->closing : NULL;
}

static inline struct co__task *co__task_running(void) { return co__task_executing(co__current_get()); }

/* The same, if it executes itself and no coroutine that it has resumed; else NULL. */
static CO__INLINE struct co__task *co__task_running_itself(void) {
    co_t *co = co__current_get();
    return CO__LIKELY(co != NULL) && CO__LIKELY((co__block_of(co)->kind & CO__TASK) != 0) ? co__task_of(co) : NULL;
}

/* What co__park_nested leaves where sp points. */
struct co__parked {
    struct co__task *task;
    void *resumer_base; /* resumer.base as it was, */
    co_t *resumer;      /* and own.base */
};

static inline bool co__task_has_ended(const struct co__task *task) {
    return atomic_load_explicit(&task->ended, memory_order_relaxed) != 0;
}

static inline bool co__task_waits(const struct co__task *task) { return task->status >= CO__WAITS; }

/* Not one that has been freed, for as long as nobody else has its memory. */
static inline bool co__is_task(const co_t *co) {
    return co != NULL && (co__block_of(co)->kind & CO__TASK) != 0 &&
           (co__block_of(co)->life != CO__ENDED || co__task_has_ended(co__task_of(co)) ||
            co__task_of(co)->orphans != 0);
}

/* ---- arch/.._sched.S ------------------------------------------------------------------------------------------- */

/* Enters whom co__sched_next names, until it names nobody. `first` is the one task that has been spawned. */
void co__sched_run(struct co__sched *sched, co_t *first);
/* Where a task's yield and end arrive: an address for resumer.pc. */
extern const char co__sched_landing[];
/* Leave the coroutine that executes, the task itself or one that it has resumed, for whoever is next. They return
 * task->status when it goes on; then `innermost` is the task itself. */
int co__park_root(co_t *task, struct co__sched *sched);
/* co__park_root of a task that is able to run, and stands behind all that are; returns 0. */
int co__park_behind_all(co_t *task, struct co__sched *sched);
/* co__park_nested_landing, which co.c declares, is where the second goes on: that tells one that has parked so. */
int co__park_nested(co_t *innermost, struct co__sched *sched, struct co__task *task);

/* ---- sched.c --------------------------------------------------------------------------------------------------- */

/* In which task `innermost` is parked. */
struct co__task *co__task_parked_in(const co_t *innermost);
/* For assembly: whom to enter; NULL: nobody is left. */
co_t *co__sched_next(struct co__sched *sched);
/* A turn that began in C has ended, with the task's life or without; nothing, if it did not begin there. */
void co__sched_turn_ends(struct co__sched *sched, bool ended);

/* Whether every turn goes through C code. */
void co__sched_set_look(struct co__sched *sched);
/* A task with options has come (change 1) or gone (-1). */
void co__sched_option(struct co__sched *sched, const struct co__task *task, int change);

/* Makes room for one more task. 0 or -ENOMEM. */
int co__sched_reserve(struct co__sched *sched);

/* Behind all that are able to run. */
static inline void co__sched_ready(struct co__sched *sched, co_t *innermost) {
    sched->ring[(sched->head + sched->count++) & sched->ring_mask] = innermost;
}

/* ---- task.c ---------------------------------------------------------------------------------------------------- */

/* NULL: errno. */
co_t *co__task_spawn(struct co__sched *sched, const co_options_t *opt, co_fn fn, void *arg, const void *caller);
/* For assembly: after a task has ended, whom to enter. */
co_t *co__sched_ended(struct co__sched *sched, co_t *co, void *value, int status);
/* What comes after a task's body, with nothing to hinder it. */
void co__task_end(struct co__task *task, void *value, int status);
/* One was closed in a deadlock. */
void co__task_closed(struct co__sched *sched, struct co__task *task);
/* One that has ended; its memory goes. */
void co__task_free(struct co__task *task);

/* task_close.c: closes a parked task, from the coroutine in which it executed outwards. */
void co__close_parked(co_t *innermost, co_t *root);

/* ---- clock.c --------------------------------------------------------------------------------------------------- */

int64_t co__clock(void);
static inline int64_t co__sched_clock(const struct co__sched *sched) {
    return (sched->flags & CO_RUN_VIRTUAL_CLOCK) != 0 ? sched->virtual_now : co__clock();
}

/* ---- timers.c -------------------------------------------------------------------------------------------------- */

void co__timer_arm(struct co__sched *sched, struct co__task *task, int64_t deadline);
void co__timer_disarm(struct co__sched *sched, struct co__task *task);
/* Wakes whose deadlines are not after `now`. */
void co__timers_fire(struct co__sched *sched, int64_t now);

/* ---- unpark.c -------------------------------------------------------------------------------------------------- */

/* Waits until the deadline or until another thread calls co_unpark. */
void co__idle(struct co__sched *sched, int64_t deadline);
/* Wakes those that other threads have unparked. */
void co__unparked_wake(struct co__sched *sched);
bool co__unparked_waiting(struct co__sched *sched);
void co__unparked_forget(struct co__task *task);
int co__remote_begin(struct co__sched *sched);
void co__remote_end(struct co__sched *sched);

/* ---- report.c, trace.c ----------------------------------------------------------------------------------------- */

void co__report_deadlock(struct co__sched *sched);
enum co__trace_event {
    CO__TRACE_SPAWN,
    CO__TRACE_RUN,   /* its turn begins */
    CO__TRACE_LEAVE, /* the turn that has begun ends; `task` is whose it was, NULL if that has ended */
    CO__TRACE_WAKE,
    CO__TRACE_END,
    CO__TRACE_CLOSED
};
/* Nothing, without a trace. */
void co__trace(struct co__sched *sched, const struct co__task *task, enum co__trace_event event);
/* The first task has been spawned; all tasks have ended. */
void co__trace_begin(struct co__sched *sched);
void co__trace_end(struct co__sched *sched);

#endif /* __ASSEMBLER__ */
#endif
