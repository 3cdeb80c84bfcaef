/* A million coroutines at once, each with a stack of 128 KiB and a guard page below it. Every one is resumed three
 * times, with a different value each time, and all that they answer is summed up and checked.
 *
 *     million [COUNT]
 *
 * What a suspended coroutine costs is the one page of its stack that it has touched, and its share of the page tables
 * (0.25 KiB, not counted here). Without the guards of Linux 6.13 the mappings of a process end near 32,000.
 * Tested with: 10000
 */
#define _POSIX_C_SOURCE 200809L
#include <co.h>

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 3 };

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* In KiB; 0 where the system does not tell. */
static long resident_kib(void) {
    long total = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%ld %ld", &total, &resident) != 2)
        resident = 0;
    fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

/* One line that is written over again and again, for people who wait. */
static void show_progress(const char *what, size_t done, size_t count) {
    if (done % 50000 == 0 && isatty(STDERR_FILENO))
        fprintf(stderr, "\r%s %zu of %zu \033[K", what, done, count);
}

static void end_progress(void) {
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K");
}

/* The body: keeps a sum in a local variable, which lives as long as the coroutine does. Yields the sum so far, and is
 * handed the next number to add. */
static void *add_up(void *start) {
    uintptr_t sum = (uintptr_t)start;
    for (;;)
        sum += (uintptr_t) co_yield((void *)sum);
    return NULL;
}

/* Returns how many there are: fewer than `count` when the system has no more to give, and then errno is set. */
static size_t create_all(co_t **all, size_t count) {
    for (size_t i = 0; i < count; i++) {
        all[i] = co_create(add_up, (void *)(uintptr_t)i);
        if (all[i] == NULL)
            return i;
        show_progress("created", i + 1, count);
    }
    return count;
}

/* The first resume takes a coroutine up to its first yield, which no value can be handed to; the others hand over the
 * number of the round, a thousandfold and shifted by whose it is. Returns the sum of all answers. */
static uint64_t resume_all(co_t **all, size_t count, unsigned round) {
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        void *in = round == 0 ? NULL : (void *)(uintptr_t)(1000 * round + i % 7);
        void *out;
        if (co_resume(all[i], in, &out) == CO_YIELDED)
            sum += (uintptr_t)out;
        show_progress("resumed", i + 1, count);
    }
    return sum;
}

/* What resume_all should return, found without coroutines. */
static uint64_t expected_sum(size_t count, unsigned round) {
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += i;
        for (unsigned earlier = 1; earlier <= round; earlier++)
            sum += 1000 * earlier + i % 7;
    }
    return sum;
}

static void explain_failure(int error, size_t made) {
    fprintf(stderr, "million: only %zu coroutines could be created: %s\n", made, strerror(error));
    if (error == EAGAIN)
        fprintf(stderr, "The limit on locked memory is reached (ulimit -l).\n");
    else
        fprintf(stderr,
                "A guard page costs two memory mappings on Linux before 6.13, and a process may have only "
                "vm.max_map_count of\nthem. Use a newer kernel, raise the limit (sysctl -w "
                "vm.max_map_count=2100000), or ask for fewer. If memory itself\nis short (4.3 KiB for each), or "
                "address space (ulimit -v), ask for fewer.\n");
}

/* Resumes and checks; false when a sum is wrong. */
static bool resume_and_check(co_t **all, size_t count) {
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t sum = resume_all(all, count, round), expected = expected_sum(count, round);
        if (sum != expected) {
            end_progress();
            fprintf(stderr, "million: round %u: the sum is %llu and not %llu\n", round, (unsigned long long)sum,
                    (unsigned long long)expected);
            return false;
        }
    }
    return true;
}

/* Returns 0 for what is no number of coroutines. */
static size_t parse_count(const char *text) {
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    bool digits = text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
    return digits && number <= SIZE_MAX / sizeof(co_t *) ? (size_t)number : 0;
}

int main(int argc, char **argv) {
    size_t count = argc < 2 ? 1000000 : parse_count(argv[1]);
    if (count == 0 || argc > 2) {
        fprintf(stderr, "usage: million [COUNT]\n");
        return 2;
    }
    co_t **all = malloc(count * sizeof(co_t *));
    if (all == NULL) {
        perror("million: malloc");
        return EXIT_FAILURE;
    }
    const long kib_before = resident_kib();
    const double started = now();
    const size_t made = create_all(all, count);
    const int error = errno;
    const double created = now();
    const bool right = made == count && resume_and_check(all, count);
    const double resumed = now();
    const long kib = resident_kib() - kib_before;
    for (size_t i = 0; i < made; i++)
        co_destroy(all[i]); /* closes it, too: it is suspended in the middle of its body */
    const double destroyed = now();
    free(all);
    end_progress();
    if (made < count)
        explain_failure(error, made);
    if (!right)
        return EXIT_FAILURE;

    printf("%zu coroutines, all suspended at once\n", count);
    printf("created in %.2f s\n", created - started);
    printf("resumed %d times each in %.2f s, and the sums are right\n", ROUNDS, resumed - created);
    printf("destroyed in %.2f s\n", destroyed - resumed);
    printf("%ld MiB resident, %.2f KiB for each\n", kib / 1024, (double)kib / (double)count);
    return EXIT_SUCCESS;
}
