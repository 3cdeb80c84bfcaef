/* Dining philosophers: five tasks around a table, and a fork between each two, which both need to eat. If everyone
 * takes the left fork first, all may wait for the right one for ever: the scheduler says who waits where, and co_run
 * answers -EDEADLK. If everyone takes first the fork whose number is lower, somebody can always eat. */
#include <co/sync.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { PHILOSOPHERS = 5, MEALS = 2 };

static const int64_t millisecond = 1000000;

static const char *const names[PHILOSOPHERS] = {"Thales", "Hypatia", "Zeno", "Diotima", "Plato"};

struct place {
    co_mutex_t *first, *second; /* the forks, in the order in which they are taken */
    const char *name;
    int meals;
};

struct table {
    co_mutex_t forks[PHILOSOPHERS];
    struct place places[PHILOSOPHERS];
};

static void *dine(void *arg) {
    struct place *place = arg;
    while (place->meals < MEALS) {
        co_mutex_lock(place->first, CO_NEVER);
        co_sleep(millisecond); /* to reach across the table */
        co_mutex_lock(place->second, CO_NEVER);
        printf("%3d ms: %s eats\n", (int)(co_now() / millisecond), place->name);
        co_sleep(5 * millisecond);
        place->meals++;
        co_mutex_unlock(place->second);
        co_mutex_unlock(place->first);
    }
    return NULL;
}

/* The first task: seats all, and waits until they have finished. */
static void *host(void *arg) {
    struct table *table = arg;
    co_t *guests[PHILOSOPHERS];
    int seated = 0;
    for (; seated < PHILOSOPHERS; seated++) {
        const co_options_t options = {.name = names[seated]};
        guests[seated] = co_spawn_with(&options, dine, &table->places[seated]);
        if (guests[seated] == NULL)
            break;
    }
    for (int i = 0; i < seated; i++)
        co_join(guests[i], NULL, CO_NEVER);
    return seated == PHILOSOPHERS ? NULL : co_fail(ENOMEM);
}

static int have_dinner(bool ordered) {
    struct table table = {0};
    for (int i = 0; i < PHILOSOPHERS; i++) {
        const int left = i, right = (i + 1) % PHILOSOPHERS;
        const bool exchange = ordered && right < left;
        table.places[i].first = &table.forks[exchange ? right : left];
        table.places[i].second = &table.forks[exchange ? left : right];
        table.places[i].name = names[i];
    }
    const co_options_t first = {.name = "host"};
    const co_run_options_t options = {.flags = CO_RUN_VIRTUAL_CLOCK, .first = &first, .report = stdout};
    const int status = co_run_with(&options, host, &table, NULL);
    if (status == 0 || status == -EDEADLK)
        printf("dinner: %s\n", status == 0 ? "everyone has eaten" : "nobody has eaten");
    else
        fprintf(stderr, "philosophers: %s\n", strerror(-status));
    for (int i = 0; i < PHILOSOPHERS; i++)
        if (status == 0 && co_mutex_destroy(&table.forks[i]) != 0)
            printf("a fork is missing\n");
    return status;
}

int main(void) {
    printf("left fork first:\n");
    const int left_first = have_dinner(false);
    printf("\nlower fork first:\n");
    return left_first == -EDEADLK && have_dinner(true) == 0 ? 0 : 1;
}
