/* Deadlines: a heap of four children a node, ordered by deadline and then by who came first. Four, since a node's
 * children, 24 bytes each, are neighbours in one or two cache lines, and the tree is half as high.
 *
 * A task has at most one deadline at a time and knows its place, so that it can be taken out anywhere. Memory for one
 * timer a task is there since it was spawned (co__sched_reserve): arming cannot fail. Place 0 is not used. */
#include "task.h"
#include "wait.h"

enum { CHILDREN = 4 };

static bool before(const struct co__timer *a, const struct co__timer *b) {
    return a->deadline != b->deadline ? a->deadline < b->deadline : a->sequence < b->sequence;
}

static size_t first_child(size_t place) { return CHILDREN * (place - 1) + 2; }
static size_t parent(size_t place) { return (place - 2) / CHILDREN + 1; }

static void put(struct co__timer *timers, size_t place, struct co__timer timer) {
    timers[place] = timer;
    timer.task->timer = place;
}

/* `timer` goes to `place`, which is free, or to where it belongs on the way up from there. */
static void rise(struct co__timer *timers, size_t place, struct co__timer timer) {
    while (place > 1 && before(&timer, &timers[parent(place)])) {
        put(timers, place, timers[parent(place)]);
        place = parent(place);
    }
    put(timers, place, timer);
}

static void sink(struct co__timer *timers, size_t count, size_t place, struct co__timer timer) {
    for (;;) {
        const size_t first = first_child(place);
        size_t least = first;
        if (first > count)
            break;
        for (size_t child = first + 1; child < first + CHILDREN && child <= count; child++)
            if (before(&timers[child], &timers[least]))
                least = child;
        if (!before(&timers[least], &timer))
            break;
        put(timers, place, timers[least]);
        place = least;
    }
    put(timers, place, timer);
}

void co__timer_arm(struct co__sched *sched, struct co__task *task, int64_t deadline) {
    const struct co__timer timer = {deadline, sched->timer_sequence++, task};
    rise(sched->timers, ++sched->timer_count, timer);
}

void co__timer_disarm(struct co__sched *sched, struct co__task *task) {
    struct co__timer *timers = sched->timers;
    const size_t place = task->timer;
    const struct co__timer moved = timers[sched->timer_count--];
    task->timer = 0;
    if (moved.task == task)
        return;
    if (place > 1 && before(&moved, &timers[parent(place)]))
        rise(timers, place, moved);
    else
        sink(timers, sched->timer_count, place, moved);
}

void co__timers_fire(struct co__sched *sched, int64_t now) {
    while (sched->timer_count != 0 && sched->timers[1].deadline <= now) {
        struct co__task *task = sched->timers[1].task;
        co__wait_give_up(task, task->sleeps ? 0 : -ETIMEDOUT);
    }
}
