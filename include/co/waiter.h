/* Those who wait: the entries that a task leaves in queues. For the library; public since callers' memory holds them,
 * so that waiting allocates nothing. Layout is ABI: only the library may touch these words. */
#ifndef CO_WAITER_H
#define CO_WAITER_H

struct co__task;
struct co__waiters;

/* An entry in a queue of those who wait for one thing. */
struct co__waiter {
    struct co__waiter *next, *previous;
    struct co__waiters *queue; /* in which it is, or was */
    struct co__task *task;
    void *item;              /* what the event moves lies here, or goes here */
    struct co__waiter *also; /* the next one of the same task, if it waits for several things */
    int fired;               /* which of its task's entries it is */
};

/* First in, first out. */
struct co__waiters {
    struct co__waiter *first, *last;
};

#endif /* CO_WAITER_H */
