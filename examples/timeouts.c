/* Deadlines, races and cancelling: three mirrors of a file, of which one is slow and one is broken. The clock is
 * virtual: it jumps from one deadline to the next, so that the program takes no time and always prints the same. */
#include <co/group.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS ((int64_t)1000000)

struct mirror {
    const char *name;
    int64_t takes;
    int error; /* 0, or what it fails with */
};

static struct mirror mirrors[] = {{"near", 20 * MS, EIO}, {"far", 80 * MS, 0}, {"slow", 900 * MS, 0}};
enum { MIRRORS = sizeof mirrors / sizeof mirrors[0] };

static void say(const char *name, const char *what) { printf("%4d ms  %-6s %s\n", (int)(co_now() / MS), name, what); }

/* Stands for a transfer. Whatever happens, it closes its connection, which takes a moment. */
static void *fetch(void *arg) {
    const struct mirror *mirror = arg;
    const int status = co_sleep(mirror->takes);
    if (status == -ECANCELED) {
        co_shield(); /* so that cleaning up may wait */
        co_sleep(5 * MS);
        co_unshield();
        say(mirror->name, "cancelled, and closed");
        return co_fail(ECANCELED);
    }
    if (mirror->error != 0) {
        say(mirror->name, "has failed");
        return co_fail(mirror->error);
    }
    say(mirror->name, "has it");
    return arg;
}

static void set(co_call_t calls[MIRRORS]) {
    for (int i = 0; i < MIRRORS; i++)
        calls[i] = (co_call_t){.fn = fetch, .arg = &mirrors[i]};
}

static void report(const char *what, int status) {
    const char *text = status >= 0            ? "done"
                       : status == -ETIMEDOUT ? "no time is left"
                       : status == -ECANCELED ? "cancelled"
                                              : "failed";
    printf("%4d ms  %s: %s\n\n", (int)(co_now() / MS), what, text);
}

/* The first mirror that has the file will do. */
static void race(int64_t timeout) {
    co_call_t calls[MIRRORS];
    set(calls);
    const int winner = co_race(calls, MIRRORS, co_after(timeout));
    if (winner >= 0)
        say(((const struct mirror *)calls[winner].result)->name, "wins");
    report("race", winner);
}

/* All are wanted: the first failure ends it. */
static void gather(void) {
    co_call_t calls[MIRRORS];
    set(calls);
    report("gather", co_gather(calls, MIRRORS, CO_NEVER));
}

/* As much as there is time for. */
static void group(void) {
    co_group_t group;
    int status = co_group_open(&group);
    if (status < 0)
        return;
    for (int i = 1; i < MIRRORS; i++)
        if (co_group_spawn(&group, fetch, &mirrors[i]) == NULL)
            co_group_cancel(&group);
    status = co_group_wait(&group, co_after(500 * MS));
    report("group", status);
}

static void *fetch_both(void *arg) {
    co_call_t calls[] = {{.fn = fetch, .arg = &mirrors[1]}, {.fn = fetch, .arg = &mirrors[2]}};
    const int status = co_gather(calls, 2, CO_NEVER);
    return status < 0 ? co_fail(-status) : arg;
}

/* Cancelling a task reaches what it waits for. */
static void cancel(void) {
    co_t *task = co_spawn(fetch_both, NULL);
    if (task == NULL)
        return;
    co_sleep(30 * MS);
    co_cancel(task);
    report("cancel", co_join(task, NULL, CO_NEVER));
}

static void *first_task(void *arg) {
    race(CO_NEVER);
    race(50 * MS);
    gather();
    group();
    cancel();
    return arg;
}

int main(void) {
    const co_run_options_t options = {.flags = CO_RUN_VIRTUAL_CLOCK};
    const int status = co_run_with(&options, first_task, NULL, NULL);
    if (status < 0)
        fprintf(stderr, "co_run: %s\n", strerror(-status));
    return status < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
