/* The clock, and the two lines that every measurement ends in. */
#define _GNU_SOURCE
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The thread's own time, system calls included: on a busy machine the time that other programs had does not count. */
double bench_now_ns(void) {
    struct timespec t;
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) != 0)
        bench_fail("clock_gettime");
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void bench_report(const bench_result_t *result) {
    static const char *floor_workload;
    static double floor_ns;
    qsort(result->ns, (size_t)result->reps, sizeof *result->ns, compare_doubles);
    double min = result->ns[0], median = result->ns[result->reps / 2];
    if (strcmp(result->implementation, "floor") == 0) {
        floor_workload = result->workload;
        floor_ns = min;
    }

    printf("%s\t%s\t%ld\t%.3f\t", result->workload, result->implementation, result->n, min);
    if (result->bytes > 0)
        printf("%.0f\n", result->bytes);
    else
        puts("-");
    fflush(stdout);

    fprintf(stderr, "# %-28s %-26s min %8.3f  median %8.3f", result->workload, result->implementation, min, median);
    if (floor_workload == result->workload)
        fprintf(stderr, "  %6.2f x floor", min / floor_ns);
    if (result->bytes > 0)
        fprintf(stderr, "  %.0f bytes", result->bytes);
    fputc('\n', stderr);
}
