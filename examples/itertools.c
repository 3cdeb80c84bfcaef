/* Generator helpers: small parts that are put together, as Python's itertools. Each asks the one in it for an item when
 * it is asked for one itself, and none of them has a stack. */
#include <co/itertools.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A helper that calls a function of yours is defined like a function: its name, the type of what comes out, and of what
 * comes in. Further parameters stand in parentheses, as of CO_GENERATOR. */
static CO_MAP(squares, long, long, x) { return x * x; }
static CO_FILTER(multiples, long, x, (long, of)) { return x % of == 0; }
static CO_TAKE_WHILE(below, long, x, (long, limit)) { return x < limit; }
static CO_FOLD(sum, long, long, total, x) { return total + x; }

/* Those whose items are of a type that does not exist yet define it: weeks_item, days_item, pairs_item. */
static CO_BATCH(weeks, double);
static CO_ENUMERATE(days, weeks_item);
static CO_ZIP(pairs, long, long);
static CO_MAP(differences, long, pairs_item, pair) { return pair.second - pair.first; }

static const double rain[] = {0, 2.5, 0, 0, 11, 3, 0, 0, 0, 0.5, 4};

static double most(const double *items, size_t count) {
    double most = 0;
    for (size_t i = 0; i < count; i++)
        most = items[i] > most ? items[i] : most;
    return most;
}

int main(void) {
    int status;
    long total = 0;

    printf("squares that are multiples of 3:");
    CO_FOR_STATUS(long, x, CO_TAKE(multiples(squares(co_count(1, 1)), 3), 5), status)
        printf(" %ld", x);
    printf("\n");

    if (status == 0)
        status = sum(below(squares(co_count(1, 1)), 1000), &total);
    printf("the sum of the squares below 1000: %ld\n", total);

    if (status == 0)
        CO_FOR_STATUS(days_item, week, days(weeks(CO_FROM_ARRAY(rain, sizeof rain / sizeof *rain), 7), 1), status)
            printf("week %ld has %zu days, %.1f mm at most\n", week.index, week.value.count,
                   most(week.value.items, week.value.count));

    /* One source for two: the second is a step ahead, and the squares are computed once. */
    CO_GEN(long) both[2];
    if (status == 0)
        status = CO_TEE(CO_CHAIN(squares(co_range(0, 5, 1)), co_range(16, 10, -2)), 2, both);
    long *steps = NULL;
    size_t count = 0;
    if (status == 0)
        status = CO_COLLECT(differences(pairs(both[0], CO_SKIP(both[1], 1))), &steps, &count);
    printf("%zu differences:", count);
    for (size_t i = 0; i < count; i++)
        printf(" %ld", steps[i]);
    printf("\n");
    free(steps);

    if (status < 0)
        fprintf(stderr, "itertools: %s\n", strerror(-status));
    return status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
