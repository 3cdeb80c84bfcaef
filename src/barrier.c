/* Barriers. Whoever goes away by a deadline or a cancel leaves the queue and not the count, which is put right when it
 * says that all are here: those who wait need nothing to do after their wait, and the queue is walked once a round, as
 * it is to wake everybody. */
#include "sync.h"

static uint64_t waiting(const co_barrier_t *barrier) {
    uint64_t count = 0;
    for (const struct co__waiter *waiter = barrier->waiters.first; waiter != NULL; waiter = waiter->next)
        count++;
    return count;
}

int co_barrier_wait(co_barrier_t *barrier, int64_t deadline_ns) {
    struct co__task *task = co__task_running();
    const int status = co__wait_check(task);
    if (status < 0)
        return status;
    if (barrier == NULL || barrier->parties == 0)
        return -EINVAL;
    if (co__waiters_are_foreign(&barrier->waiters))
        return -EPERM;
    barrier->arrived++;
    if (barrier->arrived >= barrier->parties)
        barrier->arrived = waiting(barrier) + 1;
    if (barrier->arrived < barrier->parties)
        return co__wait_in(task, &barrier->waiters, NULL, deadline_ns, "barrier", barrier);
    barrier->arrived = 0;
    co__wake_all(&barrier->waiters, 0);
    return 1;
}

int co_barrier_destroy(co_barrier_t *barrier) {
    if (barrier == NULL)
        return -EINVAL;
    return barrier->waiters.first != NULL ? -EBUSY : 0;
}
