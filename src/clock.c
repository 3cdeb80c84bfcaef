/* Time: the monotonic clock, or a scheduler's virtual one. */
#define _GNU_SOURCE 1

#include "task.h"

#include <time.h>

int64_t co__clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail: the clock exists, and `now` is writable */
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t co_now(void) {
    const struct co__sched *sched = co__sched_of_thread();
    return sched != NULL ? co__sched_clock(sched) : co__clock();
}

int64_t co_after(int64_t ns) {
    const int64_t now = co_now();
    return ns > CO_NEVER - now ? CO_NEVER : now + ns; /* now is not below 0 */
}
