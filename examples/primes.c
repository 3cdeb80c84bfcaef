/* The prime sieve over channels: a task for each prime takes numbers from the task before it, and passes on those that
 * its prime does not divide. What comes out at the end of the line is the next prime.
 * Tested with: 100 */
#include <co/chan.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct filter {
    int prime;
    CO_CHAN(int) in;
    CO_CHAN(int) out;
    co_t *task;
};

/* 2, 3, 4, ... until nobody takes them. */
static void *count(void *arg) {
    CO_CHAN(int) out = *(CO_CHAN(int) *)arg;
    for (int i = 2; CO_CHAN_SEND(out, &i, CO_NEVER) == 0; i++)
        continue;
    return NULL;
}

/* When nobody takes its numbers, it takes no more either. */
static void *divide(void *arg) {
    const struct filter *filter = arg;
    for (int i; CO_CHAN_RECEIVE(filter->in, &i, CO_NEVER) == 1;)
        if (i % filter->prime != 0 && CO_CHAN_SEND(filter->out, &i, CO_NEVER) != 0)
            break;
    CO_CHAN_CLOSE(filter->in);
    return NULL;
}

/* Adds a filter at the end of the line, for the number that arrives there. */
static int extend(struct filter *filter, CO_CHAN(int) last) {
    filter->in = last;
    filter->out = CO_CHAN_CREATE(int, 0);
    if (filter->out == NULL || CO_CHAN_RECEIVE(last, &filter->prime, CO_NEVER) != 1)
        return -1;
    filter->task = co_spawn(divide, filter);
    return filter->task != NULL ? 0 : -1;
}

static void *sieve(void *arg) {
    const int wanted = *(const int *)arg;
    int found = 0;
    struct filter *filters = calloc((size_t)wanted, sizeof *filters);
    CO_CHAN(int) first = CO_CHAN_CREATE(int, 0);
    CO_CHAN(int) last = first;
    co_t *counter = filters != NULL && first != NULL ? co_spawn(count, &first) : NULL;
    while (counter != NULL && found < wanted && extend(&filters[found], last) == 0) {
        printf("%d%c", filters[found].prime, found % 10 == 9 || found + 1 == wanted ? '\n' : ' ');
        last = filters[found++].out;
    }
    if (counter != NULL) {
        CO_CHAN_CLOSE(last); /* and so, one after the other, every channel up to the first */
        co_join(counter, NULL, CO_NEVER);
    }
    for (int i = 0; i < found; i++)
        co_join(filters[i].task, NULL, CO_NEVER);
    for (int i = 0; filters != NULL && i < wanted; i++)
        CO_CHAN_DESTROY(filters[i].out);
    CO_CHAN_DESTROY(first);
    free(filters);
    return found == wanted ? arg : NULL;
}

int main(int argc, char **argv) {
    int wanted = argc > 1 ? atoi(argv[1]) : 10;
    void *result = NULL;
    int status = co_run(sieve, &wanted, &result);
    if (status != 0 || result == NULL) {
        fprintf(stderr, "primes: %s\n", status != 0 ? strerror(-status) : "out of memory");
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
