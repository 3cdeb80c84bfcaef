/* A queue of jobs and a few workers: each takes the next job when it is done with one, so that long jobs do not keep
 * short ones waiting. Results come in the order in which jobs are done, and are put into the order in which they were
 * asked for. The queue is short: whoever fills it waits while it is full.
 *
 * examples/job_queue.c is the same idea without a scheduler: one worker, which is stepped by hand. */
#include <co/chan.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORKERS = 3, JOBS = 8, QUEUE = 2, MILLISECOND = 1000000 };

struct job {
    int number;
    int64_t duration_ms; /* of which the virtual clock is told; a real job would compute, or wait for others */
};

struct result {
    int number, worker;
    int64_t finished_ms;
};

struct office {
    CO_CHAN(struct job) jobs;
    CO_CHAN(struct result) results;
};

struct worker {
    int number;
    const struct office *office;
    co_t *task;
};

/* Until the queue is closed and empty. */
static void *work(void *arg) {
    const struct worker *worker = arg;
    for (struct job job; CO_CHAN_RECEIVE(worker->office->jobs, &job, CO_NEVER) == 1;) {
        co_sleep(job.duration_ms * MILLISECOND);
        struct result result = {job.number, worker->number, co_now() / MILLISECOND};
        if (CO_CHAN_SEND(worker->office->results, &result, CO_NEVER) != 0)
            break; /* nobody wants it any more */
    }
    return NULL;
}

static void *ask(void *arg) {
    static const int64_t durations_ms[JOBS] = {120, 20, 30, 10, 200, 40, 60, 90};
    const struct office *office = arg;
    for (int i = 0; i < JOBS; i++) {
        const struct job job = {i, durations_ms[i]};
        if (CO_CHAN_SEND(office->jobs, &job, CO_NEVER) != 0)
            break;
    }
    CO_CHAN_CLOSE(office->jobs);
    return NULL;
}

/* Takes results as they come, and says each as soon as all before it have been said. */
static void gather(const struct office *office) {
    struct result results[JOBS];
    bool here[JOBS] = {false};
    for (int next = 0, came = 0; came < JOBS; came++) {
        struct result result;
        if (CO_CHAN_RECEIVE(office->results, &result, CO_NEVER) != 1)
            return;
        results[result.number] = result;
        here[result.number] = true;
        for (; next < JOBS && here[next]; next++)
            printf("job %d: done by worker %d at %3d ms, told at %3d ms\n", next, results[next].worker,
                   (int)results[next].finished_ms, (int)(co_now() / MILLISECOND));
    }
}

/* Out of memory, some of what follows is NULL: calls refuse that with an error, and whoever was started ends at once.
 */
static void *first(void *arg) {
    struct office office = {CO_CHAN_CREATE(struct job, QUEUE), CO_CHAN_CREATE(struct result, 0)};
    struct worker workers[WORKERS];
    co_t *asking = co_spawn(ask, &office);
    bool all = office.jobs != NULL && office.results != NULL && asking != NULL;
    for (int i = 0; i < WORKERS; i++) {
        workers[i] = (struct worker){i, &office, NULL};
        workers[i].task = co_spawn(work, &workers[i]);
        all = all && workers[i].task != NULL;
    }
    if (all)
        gather(&office);
    CO_CHAN_CLOSE(office.jobs);
    CO_CHAN_CLOSE(office.results);
    co_join(asking, NULL, CO_NEVER);
    for (int i = 0; i < WORKERS; i++)
        co_join(workers[i].task, NULL, CO_NEVER);
    CO_CHAN_DESTROY(office.jobs);
    CO_CHAN_DESTROY(office.results);
    return all ? arg : co_fail(ENOMEM);
}

int main(void) {
    int status = co_run_with(&(co_run_options_t){.flags = CO_RUN_VIRTUAL_CLOCK}, first, NULL, NULL);
    if (status != 0)
        fprintf(stderr, "job_queue_tasks: %s\n", strerror(-status));
    return status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
