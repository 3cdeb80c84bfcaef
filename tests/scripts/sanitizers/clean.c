/* Correct uses of coroutines, in which no tool may find anything. Prints `done`.
 *
 *     clean ROUNDS    how often everything is done: 10,000 rounds show what is not given back */
#define _GNU_SOURCE
#include <co.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))

/* The comparison is a branch on every value, so MemorySanitizer and Valgrind judge them all. */
static NOINLINE void check(int condition, const char *what) {
    if (!condition) {
        fprintf(stderr, "clean.c: %s\n", what);
        abort();
    }
}

/* Frames whose locals are known by address, deep enough to make a fake stack of several sizes. */
static NOINLINE size_t deep(int depth) {
    char text[200];
    memset(text, 'a' + depth % 26, sizeof text);
    text[sizeof text - 1] = '\0';
    void *in = co_yield (text);
    check(in == (void *)(intptr_t)depth, "the value that co_yield returns");
    return depth > 0 ? strlen(text) + deep(depth - 1) : strlen(text);
}

static void *letters(void *arg) {
    size_t sum = deep(5);
    check(arg == NULL, "the argument");
    return (void *)sum;
}

static void destroy(void *co) { check(co_destroy(co) == 0, "destroy"); }

static void *nested(void *arg) {
    char *memory = malloc(32);
    check(memory != NULL && co_defer(free, memory) == 0, "defer");
    co_t *inner = co_create(letters, NULL);
    check(inner != NULL && co_defer(destroy, inner) == 0, "create");
    void *value; /* not initialised: co_resume is what initialises it */
    int status = co_resume(inner, NULL, &value);
    for (intptr_t depth = 5; status > 0; depth--) {
        char copy[300];
        check(value != NULL, "a value");
        snprintf(copy, sizeof copy, "%s", (char *)value);
        check(strlen(copy) == 199, "what the value points to");
        co_yield (copy);
        status = co_resume(inner, (void *)depth, &value);
    }
    check(status == 0 && value == (void *)(uintptr_t)(6 * 199), "what a coroutine returns");
    return arg;
}

static void *fails(void *arg) {
    void *in = co_yield (arg);
    check(in == NULL && co_error() == EIO, "co_throw");
    return co_fail(EPIPE);
}

static void once(int round) {
    void *value;
    co_t *co = co_create(nested, &round);
    check(co != NULL, "create");
    /* Some end by themselves, some are destroyed while suspended, some before they begin. */
    int status = 1;
    for (int i = 0; i < round % 9 && status > 0; i++)
        status = co_resume(co, NULL, &value);
    if (round % 2 != 0)
        check(co_close(co) == 0, "close");
    check(co_destroy(co) == 0, "destroy");

    co = co_create(fails, &round);
    check(co != NULL && co_resume(co, NULL, &value) == 1 && value == &round, "resume");
    check(co_throw(co, EIO, &value) == -EPIPE && value == NULL, "throw");
    check(co_throw(co, EIO, &value) == -EIO && co_status(co) == CO_DEAD, "throw at a dead one");
    check(co_destroy(co) == 0, "destroy");
}

/* The user's memory as stack: what a tool thought of it must not outlast the coroutine. */
static void on_own_memory(size_t offset) {
    size_t bytes = 64 * 1024;
    char *memory = malloc(bytes + offset);
    check(memory != NULL, "malloc");
    for (int i = 0; i < 3; i++) {
        const co_options_t options = {.stack = memory + offset, .stack_bytes = bytes, .name = "on own memory"};
        co_t *co = co_create_with(&options, nested, NULL);
        void *value;
        check(co != NULL && co_resume(co, NULL, &value) == 1 && co_resume(co, NULL, &value) == 1, "resume");
        check(co_destroy(co) == 0, "destroy");
        memset(memory, i, bytes + offset);
    }
    check(memory[offset] == 2, "memory is its owner's again");
    free(memory);
}

static void *forks(void *arg) {
    char *text = strdup("only this stack knows it");
    check(text != NULL, "strdup");
    co_yield (arg);
    pid_t pid = fork();
    check(pid >= 0, "fork");
    co_t *inner = co_create(letters, NULL);
    check(inner != NULL && co_resume(inner, NULL, NULL) == 1, "resume after a fork");
    destroy(inner);
    if (pid == 0)
        exit(text[0] == 'o' ? 0 : 1); /* in the middle of a coroutine, and the tools look for leaks */
    int status;
    check(waitpid(pid, &status, 0) == pid, "waitpid");
    check(status == 0, "the child, which goes on in the same coroutine");
    free(text);
    return arg;
}

static void fork_inside(void) {
    char *text = strdup("only main's stack knows it");
    co_t *co = co_create(forks, NULL);
    check(co != NULL && co_resume(co, NULL, NULL) == 1 && co_resume(co, NULL, NULL) == 0, "resume");
    destroy(co);
    check(text != NULL && text[0] == 'o', "text");
    free(text);
}

/* Address space in use, which fake stacks and fibers take much of. */
static long long mapped_bytes(void) {
    long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    check(file != NULL && fscanf(file, "%lld", &pages) == 1, "/proc/self/statm");
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 100;
    long long mapped_before = 0;
    for (int round = 0; round < rounds; round++) {
        if (round == rounds / 10)
            mapped_before = mapped_bytes();
        once(round);
    }
    check(mapped_bytes() - mapped_before < 256 << 20, "what belongs to an ended coroutine is given back");
    on_own_memory(0);
    on_own_memory(40);
    fork_inside();
    puts("done");
    return 0;
}
