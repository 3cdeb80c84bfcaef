/* Writes a trace of tasks that do whatever a trace can show to the file that is named: program FILE [SEED] */
#define _POSIX_C_SOURCE 200809L
#include <co/sched.h>

#include <stdio.h>
#include <stdlib.h>

static void *pause_in_a_coroutine(void *arg) {
    co_sleep(1500);
    return arg;
}

static void *worker(void *arg) {
    co_t *co = co_create(pause_in_a_coroutine, NULL);
    for (int i = 0; i < 3; i++)
        co_sched_yield();
    co_resume(co, NULL, NULL);
    co_destroy(co);
    co_park(co_after(1000));
    return arg;
}

static void *sleeper(void *arg) {
    co_sleep_until(CO_NEVER);
    return arg;
}

static void *first(void *arg) {
    static const char *const names[] = {"plain", "a \"quoted\" one", "back\\slash", "two\nlines", "\xc3\xa9", "\xff"};
    co_t *tasks[sizeof names / sizeof names[0]];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        tasks[i] = co_spawn_with(&(co_options_t){.name = names[i], .site = CO_HERE}, worker, NULL);
    co_t *cancelled = co_spawn(sleeper, NULL);
    co_join(cancelled, NULL, co_after(10));
    co_cancel(cancelled);
    co_join(cancelled, NULL, CO_NEVER);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        co_join(tasks[i], NULL, CO_NEVER);
    co_join(co_spawn(sleeper, NULL), NULL, CO_NEVER); /* a deadlock */
    return arg;
}

int main(int argc, char **argv) {
    FILE *file = argc > 1 ? fopen(argv[1], "w") : NULL;
    if (file == NULL)
        return EXIT_FAILURE;
    const unsigned seeded = argc > 2 ? CO_RUN_SEEDED : 0;
    const co_run_options_t options = {.flags = CO_RUN_VIRTUAL_CLOCK | CO_RUN_QUIET | seeded,
                                      .seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 0,
                                      .trace = file};
    co_run_with(&options, first, NULL, NULL);
    return fclose(file) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
