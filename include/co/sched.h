/* Tasks: sequential functions that take turns on one thread, and may wait at any call depth.
 *
 *     static void *tick(void *name) {
 *         for (int i = 0; i < 3 && co_sleep(1000000) == 0; i++) puts(name);
 *         return NULL;
 *     }
 *     static void *first(void *arg) {
 *         co_t *one = co_spawn(tick, "tick"), *two = co_spawn(tick, "tock");
 *         co_join(one, NULL, CO_NEVER);
 *         co_join(two, NULL, CO_NEVER);
 *         return arg;
 *     }
 *     int main(void) { return co_run(first, NULL, NULL) != 0; }
 *
 * co_run makes a scheduler of the calling thread and returns when all of its tasks have ended. A task is a co_t. Tasks
 * that can go on are taken in the order in which they became able to: first in, first out. A task runs until it ends,
 * waits, or gives its turn away: co_sched_yield, or co_yield in its own body, which discards the value and returns
 * NULL. Nothing takes its turn away.
 *
 * A blocking call (sleep, join, and those of chan.h, sync.h, group.h) may be made wherever the task happens to execute:
 * in a generator, in coroutines nested in each other, in a deferred call. The task parks as a whole, and goes on there.
 *
 * Conventions, for every call below, beside those of co.h:
 *  deadlines  absolute, in nanoseconds of co_now(); CO_NEVER, or co_after(ns). A call that can be answered without
 *             waiting is, however late it is; one that would wait past its deadline answers -ETIMEDOUT
 *  errors     -ECANCELED: the task has been cancelled (co_cancel), and nothing was done. -EPERM: the caller is not in a
 *             task. A call that fails has changed nothing: what it waited for is not lost to others
 *  ownership  whoever spawns a task joins or detaches it, once; what is left, co_run frees at its end
 *  protocol   a task answers -EBUSY to co_resume, co_throw, co_close and co_destroy, and so do all coroutines that it
 *             has resumed while it waits; co_status says CO_NORMAL of it
 *  memory     no call allocates but co_run, co_spawn and those that say so
 *  threads    one scheduler each, independent. A task belongs to the thread of its co_run: only co_unpark may be called
 *             from others. A plain coroutine may go from task to task and from thread to thread, while it is suspended
 *
 * Layout of this file: running; tasks; taking turns and time; cancelling; waking from other threads; looking in;
 * options. */
#ifndef CO_SCHED_H
#define CO_SCHED_H

#include <co.h>

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Running --------------------------------------------------------------------------------------------------- */

typedef struct co_run_options co_run_options_t;

/** Run fn(arg) as the first task, and all that are spawned then, until all have ended.
 *  result   receives what the first task has returned, NULL if it failed or was closed; may be NULL
 *  returns  0, or what the first task failed with by co_fail, negated; -EINVAL (fn is NULL); -EBUSY (this thread runs a
 *           scheduler already); -ENOMEM, -EAGAIN; on these *result is untouched. -EDEADLK when no task could ever go
 *           on: every one was reported (co_dump's table, on stderr unless options say otherwise) and closed, the last
 *           spawned first, its deferred calls having run; a blocking call in one of those answers -ECANCELED */
CO_API int co_run(co_fn fn, void *arg, void **result);

/** The same with options; NULL stands for all defaults.
 *  returns  as co_run; -EINVAL also for unknown flags and reserved words that are not zero */
CO_API int co_run_with(const co_run_options_t *opt, co_fn fn, void *arg, void **result);

/* ---- Tasks ----------------------------------------------------------------------------------------------------- */

/** A task that will call fn(arg), behind all that are able to run now.
 *  returns  the task, or NULL and errno: EINVAL (fn is NULL), EPERM (not in a task), ENOMEM, EAGAIN; ECANCELED while a
 *           deadlock is cleared away
 *
 *  A macro of this name (below) notes the place of the call, as co_create's does. */
CO_API co_t *co_spawn(co_fn fn, void *arg);

/** The same, at a named place: co_create_at says which. */
CO_API co_t *co_spawn_at(const char *site, co_fn fn, void *arg);

/** The same with the options of a coroutine: name, stack, ...; NULL stands for all defaults. A stack of the caller's
 *  must be left alone until the task is joined or, if it is detached, until co_run returns; of it, and of an
 *  allocator's, a task takes 304 bytes more for the library than a coroutine does, so that 1328 are the least.
 *  returns  as co_spawn, and co_create_with's errors */
CO_API co_t *co_spawn_with(const co_options_t *opt, co_fn fn, void *arg);

#define co_spawn(...) co_spawn_at(CO_HERE, __VA_ARGS__)

/** Wait until `task` has ended, and free it.
 *  result   receives what it has returned, NULL if it failed; untouched when it is not freed; may be NULL
 *  returns  0, or what it failed with, negated: freed. Not freed, and *result untouched: -ETIMEDOUT, -ECANCELED, -EPERM
 *           (also: a task of another thread), -EINVAL (NULL, no task, detached), -EBUSY (another task joins it),
 *           -EDEADLK (it is the caller, or waits to join, through however many, the caller) */
CO_API int co_join(co_t *task, void **result, int64_t deadline_ns);

/** Let `task` free itself when it ends; one that has ended is freed now.
 *  returns  0; -EINVAL (NULL, no task, detached), -EPERM, -EBUSY (a task joins it) */
CO_API int co_detach(co_t *task);

/** The task in which the caller executes, at whatever depth; NULL outside. */
CO_API co_t *co_task(void);

/* ---- Taking turns, and time ------------------------------------------------------------------------------------ */

/** Let all others run that are able to.
 *  returns  0, -ECANCELED, -EPERM */
CO_API int co_sched_yield(void);

/** Nanoseconds of the monotonic clock (clock_gettime's CLOCK_MONOTONIC), or of the scheduler's virtual one. */
CO_API int64_t co_now(void);

/** co_now() + ns, but no more than CO_NEVER; ns below zero lies in the past. */
CO_API int64_t co_after(int64_t ns);

/** A deadline that does not come. */
#define CO_NEVER INT64_MAX

/** Wait until the deadline, or for that long; one that has come only gives the turn away. Sleepers with equal deadlines
 *  wake in the order in which they went to sleep.
 *  returns  0, -ECANCELED, -EPERM */
CO_API int co_sleep_until(int64_t deadline_ns);
CO_API int co_sleep(int64_t ns);

/* ---- Cancelling ------------------------------------------------------------------------------------------------ */

/** Ask `task` to end: the blocking call that it waits in, or else its next one, and all after that answer -ECANCELED,
 *  until it says co_uncancel. One that has not begun runs nevertheless, since its argument may be its to free. A
 *  pending call whose answer has come already (an item, a lock) gives that answer.
 *  returns  0, also for one that is cancelled already; -EINVAL (NULL, no task), -EPERM, -ESRCH (it has ended) */
CO_API int co_cancel(co_t *task);

/** Whether the caller's task is cancelled: 1, 0, or -EPERM. Shielded or not. */
CO_API int co_cancelled(void);

/** Acknowledge: blocking calls work again, until the next co_cancel.
 *  returns  1 if the task was cancelled, else 0; -EPERM */
CO_API int co_uncancel(void);

/** Between these two, which nest, blocking calls of the caller's task take no notice of its being cancelled: for
 *  cleaning up.
 *  returns  0, -EPERM; co_unshield without co_shield -EINVAL */
CO_API int co_shield(void);
CO_API int co_unshield(void);

/* ---- Waking from other threads --------------------------------------------------------------------------------- */

/** Wait for a co_unpark of the caller's task, which may have come before: it is remembered, once. While a task waits
 *  here there is no deadlock.
 *  returns  0, -ETIMEDOUT, -ECANCELED, -EPERM */
CO_API int co_park(int64_t deadline_ns);

/** Wake `task` from co_park, or let its next co_park return at once. What the caller has written before, the task sees
 *  after.
 *  returns  0, -EINVAL (NULL, no task), -ESRCH (it has ended)
 *  thread   any: this is the one call for other threads. The task must not have been freed, so do not join or detach it
 *           before the last co_unpark has returned */
CO_API int co_unpark(co_t *task);

/* ---- Looking in ------------------------------------------------------------------------------------------------ */

/** Write a table of the calling thread's tasks to `file`, and flush it: a line that counts them, then one for each that
 *  is not freed, in the order of spawning, under a line of titles. Outside co_run it says that there are none.
 *
 *     libco: 3 tasks: 1 running, 1 waiting, 1 ended
 *     task  name      state    on                  for  depth         stack  marks  spawned
 *        1  "first"   running  -                     -  0         1/128 KiB  -      at server.c:42
 *        2  "reader"  waiting  sleep until +2 ms  1 ms  1 "rows"  1/128 KiB  -      at server.c:20
 *        3  -         ended    -                     -  -         -/128 KiB  -      at server.c:24
 *
 *  state    running; ready; new (not begun); waiting; ended (not joined); closing (in a deadlock)
 *  on       the call that it waits in, the task or the object, and the deadline
 *  for      how long, by the scheduler's last look at the clock before
 *  depth    how many coroutines, nested in each other, it executes in, and the innermost one's name
 *  stack    how much of its own is in use now, and its size
 *  marks    cancelled, shielded, detached, grouped
 *  It is for people: these words stay, columns and words may come. Takes up to 10 KiB of the stack, and no memory.
 *  returns  0, -EINVAL (NULL), or a negated errno value of writing; errno is kept */
CO_API int co_dump(FILE *file);

/** What a scheduler has done so far. */
typedef struct {
    uint64_t switches; /* into tasks */
    uint64_t wakes;    /* of tasks that waited */
    uint64_t spawned, ended;
    uint64_t timers;   /* that were armed */
    size_t live, peak; /* tasks that have not ended; the most at a time */
} co_counters_t;

/** Of the calling thread's scheduler, until now.
 *  returns  0, -EINVAL (NULL), -EPERM */
CO_API int co_counters(co_counters_t *counters);

/* ---- Options --------------------------------------------------------------------------------------------------- */

/** Not first in, first out, but an order that `seed` chooses, the same for the same seed and the same program: for
 *  finding what depends on the order. */
#define CO_RUN_SEEDED 1u

/** With CO_RUN_SEEDED: the environment variable CO_SEED, if it is there and a number, comes before `seed`. */
#define CO_RUN_SEED_FROM_ENVIRONMENT 2u

/** A clock that begins at 0 and moves only when no task can go on: to the next deadline, at once. */
#define CO_RUN_VIRTUAL_CLOCK 4u

/** Say nothing about a deadlock. */
#define CO_RUN_QUIET 8u

/** Zero is the default of every field; initialise with = {0}. */
struct co_run_options {
    unsigned flags;          /* CO_RUN_... */
    unsigned reserved_flags; /* must be zero */
    uint64_t seed;           /* of CO_RUN_SEEDED */
    const co_options_t *first; /* options of the first task; not copied, for the length of the call */
    FILE *report;            /* where a deadlock is reported; NULL: stderr */
    FILE *trace;             /* gets a record of what runs when, as JSON of the Trace Event Format, which Perfetto and
                                chrome://tracing open; NULL: none. Written by whoever spawns and wakes, too, on its
                                stack: 2 KiB. Stays yours; when writing fails, ferror tells, and the trace ends there */
    uintptr_t reserved[4];   /* must be zero */
};

#ifdef __cplusplus
}
#endif

#endif /* CO_SCHED_H */
