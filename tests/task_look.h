/* What tests of looking into a scheduler share: text that a FILE is given, and tasks that wait at some depth.
 * A C file that includes this one defines _GNU_SOURCE before its first #include. */
#ifndef CO_TEST_TASK_LOOK_H
#define CO_TEST_TASK_LOOK_H

#include "support.h"

#include <co/sched.h>
#include <errno.h>

/* ---- A FILE in memory -------------------------------------------------------------------------------------------- */

struct capture {
    FILE *file;
    char text[1 << 16];
};

static inline FILE *capture_begin(struct capture *capture) {
    memset(capture->text, 0, sizeof capture->text);
    capture->file = fmemopen(capture->text, sizeof capture->text, "w");
    assert_non_null(capture->file);
    return capture->file;
}

static inline const char *capture_end(struct capture *capture) {
    assert_int_equal(fclose(capture->file), 0);
    return capture->text;
}

/* ---- A FILE that takes so many bytes and then fails -------------------------------------------------------------- */

struct limited {
    size_t left;
    int refused; /* how often it was asked in vain */
};

static inline ssize_t limited_write(void *cookie, const char *bytes, size_t count) {
    struct limited *limited = (struct limited *)cookie;
    (void)bytes;
    if (limited->left < count) {
        limited->left = 0;
        limited->refused++;
        errno = ENOSPC;
        return 0; /* fopencookie(3): 0 tells of an error */
    }
    limited->left -= count;
    return (ssize_t)count;
}

static inline FILE *limited_open(struct limited *limited, size_t bytes, int buffering) {
    const cookie_io_functions_t functions = {.write = limited_write};
    limited->left = bytes;
    limited->refused = 0;
    FILE *file = fopencookie(limited, "w", functions);
    assert_non_null(file);
    assert_int_equal(setvbuf(file, NULL, buffering, buffering == _IONBF ? 0 : 256), 0);
    return file;
}

/* ---- Calls at a depth -------------------------------------------------------------------------------------------- */

struct at_depth {
    int depth;
    void (*call)(void *);
    void *arg;
};

static inline void call_at_depth(const struct at_depth *at);

static void *one_deeper(void *arg) {
    const struct at_depth *at = (const struct at_depth *)arg;
    const struct at_depth next = {at->depth - 1, at->call, at->arg};
    call_at_depth(&next);
    return NULL;
}

static void destroy_ended(void *co) { assert_int_equal(co_destroy((co_t *)co), 0); }

/* Calls at->call(at->arg) in as many coroutines nested in each other. The innermost is called "innermost". A deadlock
 * may be what ends the call, so whoever calls destroys its coroutine when it ends itself. */
static inline void call_at_depth(const struct at_depth *at) {
    if (at->depth == 0) {
        at->call(at->arg);
        return;
    }
    const co_options_t options = {.name = at->depth == 1 ? "innermost" : "between"};
    co_t *co = co_create_with(&options, one_deeper, (void *)(uintptr_t)at);
    assert_non_null(co);
    assert_int_equal(co_defer(destroy_ended, co), 0);
    assert_int_equal(co_resume(co, NULL, NULL), CO_RETURNED);
}

/* The body of a task that does so. */
static void *body_at_depth(void *arg) {
    call_at_depth((const struct at_depth *)arg);
    return NULL;
}

/* ---- Tasks ------------------------------------------------------------------------------------------------------- */

static inline co_t *spawn_named(const char *name, co_fn fn, void *arg) {
    const co_options_t options = {.name = name, .site = "here.c:7"};
    co_t *task = co_spawn_with(&options, fn, arg);
    assert_non_null(task);
    return task;
}

static const co_options_t first_options = {.name = "first", .site = "here.c:1"};

/* Runs fn(arg) as the task "first", with a virtual clock. */
static inline int run_virtually(unsigned flags, uint64_t seed, FILE *report, FILE *trace_file, co_fn fn, void *arg) {
    const co_run_options_t options = {.flags = CO_RUN_VIRTUAL_CLOCK | flags,
                                      .seed = seed,
                                      .first = &first_options,
                                      .report = report,
                                      .trace = trace_file};
    return co_run_with(&options, fn, arg, NULL);
}

static inline void sleep_for_ever(void *arg) {
    (void)arg;
    co_sleep_until(CO_NEVER);
}

static inline void *sleeper(void *arg) {
    co_sleep(*(const int64_t *)arg);
    return NULL;
}

static inline void *ends_at_once(void *arg) { return arg; }

static inline void *joins(void *task) {
    co_join((co_t *)task, NULL, CO_NEVER);
    return NULL;
}

static inline void *parks(void *deadline) {
    co_park(*(const int64_t *)deadline);
    return NULL;
}

/* Lets all others run, so often. */
static inline void yield_turns(int count) {
    while (count-- > 0)
        assert_int_equal(co_sched_yield(), 0);
}

/* What a table says, on any machine: runs of spaces become one, and the KiB that are in use a #. */
static inline void normalize(char *text) {
    char *to = text;
    for (const char *from = text; *from != '\0'; from++) {
        if (*from == ' ' && to > text && to[-1] == ' ')
            continue;
        if (*from == '/' && to > text && to[-1] >= '0' && to[-1] <= '9' && strstr(from, " KiB") != NULL) {
            while (to > text && to[-1] >= '0' && to[-1] <= '9')
                to--;
            *to++ = '#';
        }
        *to++ = *from;
    }
    *to = '\0';
}

/* ---- A table ----------------------------------------------------------------------------------------------------- */

/* The table that was written last. */
static struct capture capture;

static inline const char *dumped(void) {
    assert_int_equal(co_dump(capture_begin(&capture)), 0);
    capture_end(&capture);
    return capture.text;
}

static inline const char *dumped_normalized(void) {
    (void)dumped();
    normalize(capture.text);
    return capture.text;
}

/* musl forgets errors of what limited_open has opened: ferror never knows of them, and flushing does not tell. */
#ifdef __GLIBC__
enum { ERRORS_ARE_TOLD = 1 };
#else
enum { ERRORS_ARE_TOLD = 0 };
#endif

#endif
