/* Groups: tasks that end before the function that began them goes on.
 *
 *     static int fetch_both(struct page *page) {
 *         co_group_t group;
 *         int status = co_group_open(&group);
 *         if (status < 0) return status;
 *         if (co_group_spawn(&group, fetch_text, page) == NULL || co_group_spawn(&group, fetch_images, page) == NULL)
 *             co_group_cancel(&group);
 *         return co_group_wait(&group, co_after(1000000000));
 *     }
 *
 * A group owns its tasks. It lives where the caller puts it, mostly in the frame of the function that opens it, and is
 * left by co_group_wait (or co_group_leave), which comes back when no task of the group is left, whatever happens. So
 * what lies in that frame may be lent to the tasks. Only one thing must not happen: that the frame is left before the
 * group is.
 *
 * Why a group is cancelled, its *cause*, is the first of these that it comes to know; later ones do not count:
 *  - a task of the group has failed (co_fail): that error. One that has been cancelled, by whomever, and fails with
 *    ECANCELED has done what it was asked for: this is no failure
 *  - the deadline of co_group_wait has come: ETIMEDOUT
 *  - the task that waits in co_group_wait has been cancelled, or had been when it began to wait: ECANCELED
 *  - co_group_cancel, co_group_leave: ECANCELED
 * Then all of its tasks are cancelled (co_cancel) at once, no more can be spawned into it, and whoever waits goes on
 * waiting until they have ended: with neither a deadline nor an ear for its own cancelling. How soon is up to them.
 *
 * The *owner* of a group is the task that has opened it, and among those that are cancelled: if the cause is a failure,
 * or a co_group_cancel that is not the owner's own, and the owner does not wait in that group, then its blocking calls
 * answer -ECANCELED until it has left the group, since it may be waiting for what nobody will do any more. To
 * co_cancelled, co_uncancel and co_shield this is like any other cancelling.
 *
 * Nesting: a task may have several groups open, and its tasks may have groups of their own. Cancelling goes inwards
 * through waiting: a task that is cancelled while it waits in a group cancels the group's tasks when its turn comes,
 * and they those of their groups; one that does not wait in its group does so when it comes to wait there. Failing goes
 * outwards through answers: a group answers its owner, and only if that fails in turn does the group around it know.
 *
 * Conventions, beside those of co/sched.h:
 *  who        spawning and cancelling are for the owner, for tasks of the group and for those of groups that these have
 *             opened; leaving is for the owner. Others get -EPERM, also tasks of other threads. A group that has been
 *             left, or is {0}, answers -EINVAL, and spawning into it ECANCELED; it may be opened again
 *  tasks      a task of a group is freed when it ends. Its handle is good until then (co_cancel, co_unpark), but it is
 *             the group's: co_join and co_detach answer -EINVAL
 *  left open  a task whose function returns while tasks of a group of its own still run does not end before these do:
 *             they are cancelled, and it fails with EOWNERDEAD, unless it has failed with something else. A coroutine
 *             within a task, a generator say, must leave its groups before it ends or is closed, in a deferred call or
 *             a destructor perhaps, and must be resumed by the owner alone while it has any
 *  deadlock   the tasks of a group are closed before its owner is
 *  memory     nothing is allocated but the tasks */
#ifndef CO_GROUP_H
#define CO_GROUP_H

#include <co/sched.h>

#ifdef __cplusplus
extern "C" {
#endif

struct co__task;

/** A group. Its words are the library's own; it must not be moved while it is open. */
typedef struct co_group {
    struct co_group *outer; /* that the owner has opened before */
    struct co__task *owner; /* NULL: not open */
    struct co__task *first, *last;
    size_t count; /* of its tasks */
    struct co_call *winner;
    int cause, failure;
    unsigned char racing, waiting, told;
} co_group_t;

/** Open `group`, whatever its words hold.
 *  returns  0, -EINVAL (NULL), -EPERM, -EBUSY (the caller's task has it open) */
CO_API int co_group_open(co_group_t *group);

/** A task of the group that will call fn(arg), as co_spawn. What fn returns is dropped.
 *  returns  the task, or NULL and errno: those of co_spawn; EINVAL (group is NULL), EPERM, ECANCELED (the group is
 *           cancelled, or not open). The group's other tasks go on
 *
 *  A macro of this name (below) notes the place of the call. */
CO_API co_t *co_group_spawn(co_group_t *group, co_fn fn, void *arg);
CO_API co_t *co_group_spawn_at(const char *site, co_group_t *group, co_fn fn, void *arg);
CO_API co_t *co_group_spawn_with(co_group_t *group, const co_options_t *opt, co_fn fn, void *arg);

#define co_group_spawn(...) co_group_spawn_at(CO_HERE, __VA_ARGS__)

/** What a call was, and what came of it. */
typedef struct co_call {
    co_fn fn;
    void *arg;
    const co_options_t *options; /* of its task; NULL: all defaults */
    void *result;                /* what fn has returned; NULL if it failed, and until it ends */
    int status; /* 0, or what fn failed with, negated; -EINPROGRESS until it ends; -ESRCH: it was not begun */
} co_call_t;

/** A task of the group that makes `call`, which stays where it is until the group has been left.
 *  returns  as co_group_spawn_with, also EINVAL (call is NULL); then *call is untouched */
CO_API co_t *co_group_call(co_group_t *group, co_call_t *call);

/** Cancel the group.
 *  returns  0, also if it is cancelled already; -EINVAL, -EPERM */
CO_API int co_group_cancel(co_group_t *group);

/** Wait until all tasks of the group have ended, also those that are spawned meanwhile, and leave the group.
 *  deadline_ns  when it comes, the group is cancelled
 *  returns      0, or the group's cause, negated: the group has been left. For who is cancelled and not shielded this
 *               is ECANCELED if there is no earlier one, even when all tasks have ended; a deadline that has come does
 *               not matter then. -EINVAL, -EPERM: nothing has happened */
CO_API int co_group_wait(co_group_t *group, int64_t deadline_ns);

/** Cancel the group and wait, unless it has been left already or is {0}: for a clean-up that every way out runs
 *  through, such as
 *      __attribute__((cleanup(co_group_leave))) co_group_t group = {0};
 *  returns  0 if there was nothing to leave, else as co_group_wait */
CO_API int co_group_leave(co_group_t *group);

/* ---- Calls side by side ---------------------------------------------------------------------------------------- */

/** Make all calls at a time, each in a task of its own, as a group that co_group_wait waits for. Their outcomes lie in
 *  `calls`, in whatever order they come.
 *  returns  0 when all have returned, also if there are none; else the cause, negated: the first failure, -ETIMEDOUT,
 *           -ECANCELED; -ENOMEM, -EAGAIN when one could not be spawned, which, like those behind it, is then not begun.
 *           -EINVAL (calls or an fn is NULL), -EPERM, and -ECANCELED for who was cancelled before: calls are untouched
 */
CO_API int co_gather(co_call_t *calls, size_t count, int64_t deadline_ns);

/** The same, but the first call that returns wins: the others are cancelled, and waited for. A failure decides nothing
 *  until all have failed. Of calls that return at the same instant the one that has its turn first wins; that others
 *  have returned, too, before the cancelling reached them, their status tells, and their results may be theirs to free.
 *  returns  the winner's index; when all have failed, the first failure, negated, or -ECANCELED if somebody cancelled
 *           each; else as co_gather, and -EINVAL if there are no calls, or more than INT_MAX */
CO_API int co_race(co_call_t *calls, size_t count, int64_t deadline_ns);

#ifdef __cplusplus
}
#endif

#endif /* CO_GROUP_H */
