/* A generator that waits: the readings of a thermometer, which takes its time. The task that asks it for the next one
 * waits with it, as a whole, and another task goes on meanwhile: neither the generator nor the loop around it is
 * written differently for that. In the middle the table of all tasks is printed, to show where each of them stands.
 *
 * The clock is virtual: it moves only when all tasks wait, so that the program takes no time at all, and prints the
 * same whenever it runs. Without CO_RUN_VIRTUAL_CLOCK it takes a second. */
#include <co/gen.h>
#include <co/sched.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MILLISECOND = 1000000 };

static void say(const char *who, const char *what) { printf("%5.0f ms  %-8s %s\n", (double)co_now() / 1e6, who, what); }

/* Any function that waits may be called by a generator, however deep inside of it. */
static int measure(int number) {
    static const int degrees[] = {19, 21, 24, 22};
    co_sleep((100 + 50 * number) * MILLISECOND);
    return degrees[number];
}

static CO_GENERATOR(readings, int, (int, count)) {
    for (int number = 0; number < count; number++)
        CO_EMIT(measure(number));
}

/* Generators that feed generators wait no less. */
static CO_GENERATOR(means, double, (CO_GEN(int), values)) {
    double sum = 0;
    int count = 0;
    CO_FOR(int, value, values) {
        sum += value;
        CO_EMIT(sum / ++count);
    }
}

static void *watch(void *arg) {
    CO_FOR(double, mean, means(readings(4))) {
        char text[32];
        snprintf(text, sizeof text, "mean %.2f", mean);
        say("watch", text);
    }
    return arg;
}

static void *blink(void *arg) {
    for (int i = 0; i < 5; i++) {
        say("blink", i % 2 == 0 ? "on" : "off");
        co_sleep(150 * MILLISECOND);
    }
    return arg;
}

static co_t *start(const char *name, co_fn fn) {
    co_t *task = co_spawn_with(&(co_options_t){.name = name, .site = "async_generator.c"}, fn, NULL);
    if (task == NULL) {
        perror("co_spawn_with");
        exit(EXIT_FAILURE);
    }
    return task;
}

static void *first(void *arg) {
    co_t *watching = start("watch", watch), *blinking = start("blink", blink);
    co_sleep(320 * MILLISECOND);
    co_dump(stdout);
    co_join(watching, NULL, CO_NEVER);
    co_join(blinking, NULL, CO_NEVER);
    say("first", "done");
    return arg;
}

int main(void) {
    const co_options_t options = {.name = "first", .site = "async_generator.c"};
    int status = co_run_with(&(co_run_options_t){.flags = CO_RUN_VIRTUAL_CLOCK, .first = &options}, first, NULL, NULL);
    if (status != 0)
        fprintf(stderr, "async_generator: %s\n", strerror(-status));
    return status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
