/* Wait groups. While nothing is pending, nobody waits. */
#include "sync.h"

int co_wait_group_add(co_wait_group_t *group, int64_t count) {
    if (group == NULL)
        return -EINVAL;
    if (count >= 0) {
        if ((uint64_t)count > (uint64_t)INT64_MAX - group->pending)
            return -EOVERFLOW;
        group->pending += (uint64_t)count;
        return 0;
    }
    const uint64_t done = 0 - (uint64_t)count;
    if (done > group->pending)
        return -EINVAL;
    if (done == group->pending && co__waiters_are_foreign(&group->waiters))
        return -EPERM;
    group->pending -= done;
    if (group->pending == 0)
        co__wake_all(&group->waiters, 0);
    return 0;
}

int co_wait_group_done(co_wait_group_t *group) { return co_wait_group_add(group, -1); }

int co_wait_group_wait(co_wait_group_t *group, int64_t deadline_ns) {
    struct co__task *task = co__task_running();
    const int status = co__wait_check(task);
    if (status < 0)
        return status;
    if (group == NULL)
        return -EINVAL;
    if (group->pending == 0)
        return 0;
    if (co__waiters_are_foreign(&group->waiters))
        return -EPERM;
    return co__wait_in(task, &group->waiters, NULL, deadline_ns, "wait group", group);
}

int co_wait_group_destroy(co_wait_group_t *group) {
    if (group == NULL)
        return -EINVAL;
    return group->pending != 0 ? -EBUSY : 0;
}
