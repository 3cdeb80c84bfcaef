/* What the tests of co_catch_overflow share: functions that overflow, and how their children's ends are judged.
 * Sanitizers write to stderr too, after the library, and end the process in ways of their own.
 * A C file that includes this one defines _GNU_SOURCE before its first #include. */
#ifndef CO_TEST_OVERFLOW_H
#define CO_TEST_OVERFLOW_H

#include "support.h"

#include <errno.h>
#include <sys/syscall.h>

#define NOINLINE __attribute__((noinline))

/* ---- Overflowing --------------------------------------------------------------------------------------------- */

static volatile bool without_end = true;

static NOINLINE int recurse(int depth) {
    volatile char used[64];
    used[0] = (char)depth;
    int below = without_end ? recurse((depth + 1) % 100) : 0;
    return below + used[0];
}

static inline void *overflow_body(void *arg) { return recurse(1) != 0 ? arg : NULL; }

static inline void catch_or_exit(void) {
    if (co_catch_overflow() != 0)
        _exit(100);
}

/* Resumes it once. */
static inline void run(co_t *co) {
    if (co == NULL)
        _exit(101);
    co_resume(co, NULL, NULL);
}

static inline void catch_and_overflow(void) {
    catch_or_exit();
    run(co_create(overflow_body, NULL));
}

/* ---- Memory that may be touched ------------------------------------------------------------------------------ */

/* Asks the kernel, and no tool that sits between. */
static inline bool readable(const void *address) {
    int ends[2];
    if (pipe(ends) != 0)
        _exit(102);
    bool answer = syscall(SYS_write, ends[1], address, 1) == 1;
    close(ends[0]);
    close(ends[1]);
    return answer;
}

/* ---- What is expected ---------------------------------------------------------------------------------------- */

static inline void say(const char *text) {
    if (write(STDERR_FILENO, text, strlen(text)) < 0)
        _exit(103);
}

/* The end of a child that has nothing to complain of. Not an exit, whose status Valgrind changes. */
static inline void finish(void) {
    say("[finished]");
    abort();
}

static inline int times_said(const struct child *child, const char *text) {
    int times = 0;
    for (const char *at = child->text; (at = strstr(at, text)) != NULL; at += strlen(text))
        times++;
    return times;
}

static inline void assert_said(const struct child *child, const char *text, int times) {
    if (times_said(child, text) != times)
        print_error("expected %d times \"%s\" in:\n%s\n", times, text, child->text);
    assert_int_equal(times_said(child, text), times);
}

/* Whether nothing of ours follows. An emulator says that the program has died, sanitizers say more. */
static inline bool at_end(const char *text) {
#ifdef TEST_SANITIZED
    return strstr(text, "libco") == NULL;
#else
    return *text == 0 || strncmp(text, "qemu: uncaught", strlen("qemu: uncaught")) == 0;
#endif
}

#define REPORT "libco: stack overflow in coroutine "

static inline void assert_finished(const struct child *child) {
    assert_said(child, "[finished]", 1);
    assert_killed_by(child, SIGABRT);
}

static inline void assert_dead(const struct child *child) {
#ifndef TEST_SANITIZED
    assert_killed_by(child, SIGSEGV);
#else
    assert_false(WIFEXITED(child->status) && WEXITSTATUS(child->status) < 200 && WEXITSTATUS(child->status) >= 100);
    assert_false(WIFEXITED(child->status) && WEXITSTATUS(child->status) == 0);
    assert_false(WIFSIGNALED(child->status) && WTERMSIG(child->status) == SIGALRM);
#endif
}

static inline void assert_dead_in_silence(const struct child *child) {
    assert_dead(child);
    assert_said(child, "libco", 0);
    if (!at_end(child->text))
        FAIL("expected nothing and not:\n%s", child->text);
}

static inline void assert_dead_with_report(const struct child *child) {
    assert_said(child, REPORT, 1);
    assert_said(child, "bound its recursion.\n", 1);
    assert_dead(child);
}

#endif
