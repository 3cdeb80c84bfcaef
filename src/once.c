/* Once. While nobody runs it, nobody waits; who fails passes it to the first waiter, by a status that is no answer. */
#include "sync.h"

enum { TURN = 1 };

static int run(co_once_t *once, int (*fn)(void *), void *arg) {
    const int status = fn(arg);
    if (status == 0) {
        once->runner = CO__ONCE_DONE;
        co__wake_all(&once->waiters, 0);
    } else if (once->waiters.first != NULL) {
        struct co__task *next = co__waiters_first(&once->waiters)->task;
        once->runner = co__task_identity(next);
        co__wake(next, TURN);
    } else {
        once->runner = 0;
    }
    return status;
}

static __attribute__((noinline)) int wait_or_run(co_once_t *once, int (*fn)(void *), void *arg, int64_t deadline_ns,
                                                 struct co__task *task) {
    const uint64_t self = co__task_identity(task);
    if (once->runner == self)
        return -EDEADLK;
    if (once->runner != 0) {
        if (co__identity_is_foreign(once->runner, task))
            return -EPERM;
        const int status = co__wait_in(task, &once->waiters, NULL, deadline_ns, "once", once);
        if (status != TURN)
            return status;
    }
    once->runner = self;
    return run(once, fn, arg);
}

int co_once(co_once_t *once, int (*fn)(void *arg), void *arg, int64_t deadline_ns) {
    struct co__task *task = co__task_running();
    const int status = co__wait_check(task);
    if (!CO__LIKELY(status == 0))
        return status;
    if (!CO__LIKELY(once != NULL && fn != NULL))
        return -EINVAL;
    return CO__LIKELY(once->runner == CO__ONCE_DONE) ? 0 : wait_or_run(once, fn, arg, deadline_ns, task);
}

int co_once_destroy(co_once_t *once) {
    if (once == NULL)
        return -EINVAL;
    if (once->runner != 0 && once->runner != CO__ONCE_DONE)
        return -EBUSY;
    once->runner = 0;
    return 0;
}
