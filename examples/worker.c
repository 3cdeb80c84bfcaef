/* A worker that is handed jobs through co_resume and hands back results, until it is closed. What it has open is closed
 * by a deferred call, wherever it stands at that moment. */
#include <co.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct log {
    int jobs;
};

static void close_log(void *arg) {
    const struct log *log = arg;
    printf("worker: closed after %d jobs\n", log->jobs);
}

static void *count_words(void *arg) {
    struct log *log = arg;
    if (co_defer(close_log, log) != 0)
        return co_fail(ENOMEM);
    char result[64] = "ready";
    for (;;) {
        const char *job = co_yield(result); /* hands back the last result and waits for the next job */
        int words = 0;
        for (const char *at = job; *at != '\0'; words++) {
            at += strcspn(at, " ");
            at += strspn(at, " ");
        }
        log->jobs++;
        snprintf(result, sizeof result, "%d words in \"%s\"", words, job);
    }
}

int main(void) {
    static const char *const jobs[] = {"hello", "round robin", "the quick brown fox"};
    struct log log = {0};
    co_t *worker = co_create(count_words, &log);
    if (worker == NULL) {
        perror("co_create");
        return EXIT_FAILURE;
    }
    void *result;
    int status = co_resume(worker, NULL, &result); /* runs up to the first yield, where jobs are awaited */
    printf("worker: %s\n", status == CO_YIELDED ? (char *)result : strerror(-status));
    for (size_t i = 0; i < sizeof jobs / sizeof jobs[0] && status == CO_YIELDED; i++) {
        status = co_resume(worker, (void *)jobs[i], &result);
        printf("main: %s\n", status == CO_YIELDED ? (char *)result : strerror(-status));
    }
    status = co_close(worker);
    printf("main: closed with %d\n", status);
    co_destroy(worker);
    return EXIT_SUCCESS;
}
