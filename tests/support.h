/* What several tests share: integers as values, a trace of events, and children that are expected to die.
 * A C file that includes this one defines _GNU_SOURCE before its first #include. */
#ifndef CO_TEST_SUPPORT_H
#define CO_TEST_SUPPORT_H

#include "test.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* A value that is recognised when it comes back. */
static inline void *value_of(intptr_t number) { return (void *)number; }
static inline intptr_t number_of(const void *value) { return (intptr_t)value; }

/* cmocka's fail_msg is no ISO C when its header is not a system one. */
#define FAIL(...) (print_error(__VA_ARGS__), print_error("\n"), fail())

/* *out before a call that must not write to it. */
#define UNTOUCHED value_of(0x5eed)

/* ---- A trace: what happened, in order, one letter an event --------------------------------------------------- */

static char trace[256];
static size_t trace_length;

static inline void trace_clear(void) {
    memset(trace, 0, sizeof trace);
    trace_length = 0;
}

static inline void trace_add(char event) {
    assert_true(trace_length + 1 < sizeof trace);
    trace[trace_length++] = event;
}

/* A deferred call: adds the letter that `arg` points to. */
static inline void trace_letter(void *arg) { trace_add(*(const char *)arg); }

#define assert_trace(expected) assert_string_equal(trace, expected)

/* The same as a string literal's first letter, for co_defer. */
#define LETTER(text) ((void *)(uintptr_t)(text))

/* ---- Children ------------------------------------------------------------------------------------------------ */

struct child {
    int status;      /* of waitpid */
    char text[4096]; /* what it wrote to stderr */
};

/* Runs fn in a child of this process and waits for its end. A child whose fn returns exits with 0. */
static inline struct child run_in_child(void (*fn)(void)) {
    struct child child;
    int ends[2];
    memset(&child, 0, sizeof child);
    fflush(NULL);
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        static const int deadly[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE};
        const struct rlimit no_core = {0, 0};
        for (size_t i = 0; i < sizeof deadly / sizeof deadly[0]; i++)
            signal(deadly[i], SIG_DFL); /* cmocka has handlers of its own */
        setrlimit(RLIMIT_CORE, &no_core);
        alarm(120);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        fn();
        _exit(0);
    }
    close(ends[1]);
    size_t length = 0;
    char overflow[256];
    for (;;) {
        bool full = length + 1 >= sizeof child.text;
        ssize_t count = full ? read(ends[0], overflow, sizeof overflow)
                             : read(ends[0], child.text + length, sizeof child.text - 1 - length);
        if (count <= 0)
            break;
        if (!full)
            length += (size_t)count;
    }
    close(ends[0]);
    assert_int_equal(waitpid(pid, &child.status, 0), pid);
    return child;
}

static inline void assert_killed_by(const struct child *child, int signal_number) {
    if (!WIFSIGNALED(child->status) || WTERMSIG(child->status) != signal_number)
        print_error("status %#x, stderr: %s\n", (unsigned)child->status, child->text);
    assert_true(WIFSIGNALED(child->status));
    assert_int_equal(WTERMSIG(child->status), signal_number);
}

static inline void assert_exited(const struct child *child, int code) {
    if (!WIFEXITED(child->status) || WEXITSTATUS(child->status) != code)
        print_error("status %#x, stderr: %s\n", (unsigned)child->status, child->text);
    assert_true(WIFEXITED(child->status));
    assert_int_equal(WEXITSTATUS(child->status), code);
}

/* ---- Where the program runs ---------------------------------------------------------------------------------- */

/* Valgrind loads its own library into every program it runs. */
static inline bool under_valgrind(void) {
    const char *preloaded = getenv("LD_PRELOAD");
    return preloaded != NULL && strstr(preloaded, "vgpreload") != NULL;
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define TEST_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TEST_SANITIZED 1
#endif

/* An emulator, Valgrind or a sanitizer is many times slower. */
static inline bool is_slow(void) {
#if defined(TEST_SANITIZED) || !defined(__x86_64__)
    return true;
#else
    return under_valgrind();
#endif
}

/* How many seeds a scenario runs with. Where it is slow, seeds are not what the build is for. */
static inline int seeds(void) {
    if (under_valgrind())
        return 20;
    return is_slow() ? 100 : 1000;
}

/* Programs that try all there is to try do so in a build for it; in others they try less. */
static inline bool is_thorough(void) {
#ifdef TEST_THOROUGH
    return true;
#else
    return false;
#endif
}

#endif
