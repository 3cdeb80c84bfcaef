/* A worker that waits for tasks: each is sent to it, and the answer is its report. One task is refused, which the
 * worker is told by an error in place of a task. At the end the worker is closed where it waits, and a deferred call
 * draws up its account. */
#include <co/gen.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct task {
    const char *name;
    long (*run)(long number);
    long number;
    bool forbidden;
};

struct report {
    long result;
    int error; /* a positive errno value if the task was refused, else 0 */
};

struct account {
    int done, refused;
};

static void close_account(void *memory) {
    const struct account *account = memory;
    printf("worker: closed after %d tasks done and %d refused\n", account->done, account->refused);
    free(memory);
}

static CO_GENERATOR(worker, struct report) {
    struct account *account = calloc(1, sizeof *account);
    if (account == NULL || co_defer(close_account, account) != 0) {
        free(account);
        CO_FAIL(ENOMEM);
    }
    struct report report = {0, 0}; /* the first one only says that the worker is ready */
    for (;;) {
        const struct task *task = CO_EMIT(report); /* hands out the last report, and waits for the next task */
        if (task == NULL) {
            account->refused++;
            report = (struct report){0, co_error()};
        } else {
            account->done++;
            report = (struct report){task->run(task->number), 0};
        }
    }
}

static long factorial(long number) { return number < 2 ? 1 : number * factorial(number - 1); }
static long square(long number) { return number * number; }

int main(void) {
    struct task tasks[] = {
        {"the factorial of 10", factorial, 10, false},
        {"the square of 7", square, 7, true},
        {"the square of 12", square, 12, false},
    };
    struct report report;
    CO_GEN(struct report) reports = worker();
    if (reports == NULL) {
        perror("job_queue");
        return EXIT_FAILURE;
    }
    int status = CO_NEXT(reports, &report); /* as far as the first CO_EMIT, where tasks are awaited */
    for (size_t i = 0; i < sizeof tasks / sizeof tasks[0] && status == 1; i++) {
        if (tasks[i].forbidden)
            status = CO_THROW(reports, EACCES, &report);
        else
            status = CO_SEND(reports, &tasks[i], &report);
        if (status == 1 && report.error != 0)
            printf("main: %s was refused: %s\n", tasks[i].name, strerror(report.error));
        else if (status == 1)
            printf("main: %s is %ld\n", tasks[i].name, report.result);
    }
    if (status != 1)
        fprintf(stderr, "job_queue: %s\n", strerror(-status));
    CO_GEN_DESTROY(reports); /* closes it first */
    return status == 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
