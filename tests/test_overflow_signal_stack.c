/* co_catch_overflow and threads: who has an alternate signal stack, and when it goes. Every call that can fail does:
 * the stated error, and nothing left behind. The library's calls are intercepted at link time, as in
 * test_out_of_memory.c. */
/* Compiled with: -Wl,-wrap=mmap,-wrap=munmap,-wrap=mprotect -Wno-unused-command-line-argument */
/* Compiled with: -Wl,-wrap=sigaltstack,-wrap=sigaction,-wrap=getauxval */
/* Compiled with: -Wl,-wrap=pthread_key_create,-wrap=pthread_key_delete,-wrap=pthread_setspecific */
#define _GNU_SOURCE
#include "overflow.h"

#include <pthread.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

/* ---- The calls ----------------------------------------------------------------------------------------------- */

void *__real_mmap(void *, size_t, int, int, int, off_t);
int __real_munmap(void *, size_t);
int __real_mprotect(void *, size_t, int);
int __real_sigaltstack(const stack_t *, stack_t *);
int __real_sigaction(int, const struct sigaction *, struct sigaction *);
unsigned long __real_getauxval(unsigned long);
int __real_pthread_key_create(pthread_key_t *, void (*)(void *));
int __real_pthread_key_delete(pthread_key_t);
int __real_pthread_setspecific(pthread_key_t, const void *);
void *__wrap_mmap(void *, size_t, int, int, int, off_t);
int __wrap_munmap(void *, size_t);
int __wrap_mprotect(void *, size_t, int);
int __wrap_sigaltstack(const stack_t *, stack_t *);
int __wrap_sigaction(int, const struct sigaction *, struct sigaction *);
unsigned long __wrap_getauxval(unsigned long);
int __wrap_pthread_key_create(pthread_key_t *, void (*)(void *));
int __wrap_pthread_key_delete(pthread_key_t);
int __wrap_pthread_setspecific(pthread_key_t, const void *);

static int calls;       /* that may fail, since they are counted */
static int failing;     /* which of them fails; 0: none */
static int error_given; /* what a failing mmap, sigaltstack, sigaction, pthread function says */
static int expected;    /* what co_catch_overflow should make of the failure that was */
static long mapped, keys;

/* MemorySanitizer and ThreadSanitizer make some of these calls before their own memory is there, which any look at a
 * variable needs. */
#if defined(__has_feature)
#if __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define fails(answer) false
#define WRAPPER __attribute__((disable_sanitizer_instrumentation))
#endif
#endif
#ifndef fails
#define WRAPPER
static bool fails(int answer) {
    if (++calls != failing)
        return false;
    expected = answer;
    return true;
}
#endif

WRAPPER void *__wrap_mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset) {
    if (fails(error_given == EAGAIN ? EAGAIN : ENOMEM)) {
        errno = error_given;
        return MAP_FAILED;
    }
    mapped += (long)bytes;
    return __real_mmap(address, bytes, protection, flags, file, offset);
}

WRAPPER int __wrap_munmap(void *memory, size_t bytes) {
    mapped -= (long)bytes;
    return __real_munmap(memory, bytes);
}

WRAPPER int __wrap_mprotect(void *memory, size_t bytes, int protection) {
    if (fails(ENOMEM)) {
        errno = error_given;
        return -1;
    }
    return __real_mprotect(memory, bytes, protection);
}

WRAPPER int __wrap_sigaltstack(const stack_t *stack, stack_t *old) {
    if (fails(error_given)) {
        errno = error_given;
        return -1;
    }
    return __real_sigaltstack(stack, old);
}

WRAPPER int __wrap_sigaction(int number, const struct sigaction *action, struct sigaction *old) {
    if (fails(error_given)) {
        errno = error_given;
        return -1;
    }
    return __real_sigaction(number, action, old);
}

static unsigned long signal_frame_bytes; /* what the kernel asks for; 0: the truth */

WRAPPER unsigned long __wrap_getauxval(unsigned long type) {
    return type == AT_MINSIGSTKSZ && signal_frame_bytes != 0 ? signal_frame_bytes : __real_getauxval(type);
}

WRAPPER int __wrap_pthread_key_create(pthread_key_t *key, void (*destructor)(void *)) {
    if (fails(error_given))
        return error_given;
    keys++;
    return __real_pthread_key_create(key, destructor);
}

WRAPPER int __wrap_pthread_key_delete(pthread_key_t key) {
    keys--;
    return __real_pthread_key_delete(key);
}

WRAPPER int __wrap_pthread_setspecific(pthread_key_t key, const void *value) {
    if (value != NULL && fails(error_given))
        return error_given;
    return __real_pthread_setspecific(key, value);
}

extern const char co__entry[] __attribute__((weak)); /* visible in a static link only */

static bool intercepted(void) {
    const char *volatile entry = co__entry;
    return entry != NULL;
}

static void skip_where_calls_cannot_be_intercepted(void) {
#ifdef fails
    skip();
#endif
    if (!intercepted())
        skip();
}

/* ---- Failures ------------------------------------------------------------------------------------------------ */

static void check(bool good, int line) {
    char text[64];
    if (good)
        return;
    snprintf(text, sizeof text, "line %d, failing call %d\n", line, failing);
    say(text);
    _exit(1);
}
#define CHECK(condition) check(condition, __LINE__)

static void remove_stack(void) {
    const stack_t none = {.ss_flags = SS_DISABLE};
    stack_t now = {.ss_flags = 0};
    __real_sigaltstack(&none, NULL); /* a sanitizer's */
    __real_sigaltstack(NULL, &now);
    CHECK((now.ss_flags & SS_DISABLE) != 0);
}

static void fail_each_call(void) {
    static const int errors[] = {EAGAIN, ENOMEM, EPERM};
    remove_stack();
    const long held = mapped, held_keys = keys; /* a sanitizer's */
    for (int i = 0; i < 3; i++) {
        bool succeeded = false;
        error_given = errors[i];
        for (failing = 1; !succeeded; failing++) {
            if (failing == 9 && i < 2)
                break; /* eight calls can fail; the last round goes on to succeed */
            struct sigaction now;
            stack_t stack;
            calls = 0;
            errno = 99;
            int status = co_catch_overflow();
            CHECK(errno == 99);
            CHECK(failing < 20);
            succeeded = calls < failing;
            CHECK(succeeded == (failing > 8));
            __real_sigaction(SIGSEGV, NULL, &now);
            __real_sigaltstack(NULL, &stack);
            if (succeeded)
                continue;
            CHECK(status == -expected);
            CHECK(mapped == held && keys == held_keys);
            CHECK(now.sa_handler == SIG_DFL);
            CHECK((stack.ss_flags & SS_DISABLE) != 0);
        }
    }
    CHECK(keys == held_keys + 1 && mapped >= held + 64 * 1024);
    overflow_body(NULL); /* reached by no coroutine: passed on */
}

/* A result that is not looked at, or what was had before a failure and is not given back. */
static void test_each_call_fails(void **state) {
    (void)state;
    skip_where_calls_cannot_be_intercepted();
    const struct child child = run_in_child(fail_each_call);
    assert_said(&child, "line", 0);
    assert_dead_in_silence(&child);
}

static struct sigaction replaced;

static void call_the_replaced(int number, siginfo_t *info, void *context) {
    replaced.sa_sigaction(number, info, context);
}

static int failing_in_child;

static void fail_to_replace_and_overflow(void) {
    struct sigaction now, on_top = {.sa_flags = SA_SIGINFO | SA_ONSTACK};
    on_top.sa_sigaction = call_the_replaced;
    catch_or_exit();
    for (int i = 0; i < 10; i++) {
        sigemptyset(&on_top.sa_mask);
        sigaddset(&on_top.sa_mask, SIGRTMIN + i);
        __real_sigaction(SIGSEGV, &on_top, i == 0 ? &replaced : NULL);
        const long held = mapped, held_keys = keys;
        calls = 0;
        failing = failing_in_child;
        error_given = EPERM;
        CHECK(co_catch_overflow() == -EPERM);
        failing = 0;
        CHECK(mapped == held && keys == held_keys);
        __real_sigaction(SIGSEGV, NULL, &now);
        CHECK(now.sa_sigaction == call_the_replaced);
    }
    run(co_create(overflow_body, NULL));
}

/* A second call that fails takes away what the first gave, or leaves something of itself. */
static void test_second_call_fails(void **state) {
    (void)state;
    skip_where_calls_cannot_be_intercepted();
    for (failing_in_child = 1; failing_in_child <= 3; failing_in_child++) {
        const struct child child = run_in_child(fail_to_replace_and_overflow);
        assert_said(&child, "line", 0);
        assert_dead_with_report(&child);
    }
}

static void *in_a_thread(void *fn) {
    (*(void (**)(void))fn)();
    return NULL;
}

static void run_in_thread(void (*fn)(void)) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, in_a_thread, &fn) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}

static void fail_in_a_thread(void) {
    stack_t now;
    const long held = mapped;
    remove_stack();
    for (int which = 1; which <= 6; which++) {
        calls = 0;
        failing = which;
        error_given = EPERM;
        CHECK(co_catch_overflow() == -expected);
        failing = 0;
        CHECK(calls >= which && mapped == held);
    }
    CHECK(co_catch_overflow() == 0);
    CHECK(__real_sigaltstack(NULL, &now) == 0 && now.ss_flags == 0);
    CHECK(readable(now.ss_sp) && mapped > held);
}

static void fail_in_a_second_thread(void) {
    catch_or_exit();
    run_in_thread(fail_in_a_thread);
    finish();
}

/* What is taken back once more when the thread ends, or is still there for the next call. */
static void test_calls_fail_in_a_second_thread(void **state) {
    (void)state;
    skip_where_calls_cannot_be_intercepted();
    const struct child child = run_in_child(fail_in_a_second_thread);
    assert_finished(&child);
}

/* ---- Threads ------------------------------------------------------------------------------------------------- */

static stack_t stack_of_thread;

static void note_stack(void) {
    remove_stack();
    catch_or_exit();
    CHECK(sigaltstack(NULL, &stack_of_thread) == 0);
    const char *low = stack_of_thread.ss_sp;
    CHECK(stack_of_thread.ss_flags == 0);
    CHECK(stack_of_thread.ss_size >= 64 * 1024);
    CHECK(stack_of_thread.ss_size >= 32 * 1024 + getauxval(AT_MINSIGSTKSZ));
    CHECK(readable(low) && readable(low + stack_of_thread.ss_size - 1));
    CHECK(!readable(low - 1));
    catch_or_exit();
    stack_t now;
    CHECK(sigaltstack(NULL, &now) == 0 && now.ss_sp == stack_of_thread.ss_sp);
    remove_stack(); /* by the program; another call sets it again, and maps no other */
    catch_or_exit();
    CHECK(sigaltstack(NULL, &now) == 0 && now.ss_sp == stack_of_thread.ss_sp && now.ss_flags == 0);
}

static pthread_key_t late_key;
static int late_rounds;
static stack_t late_stack; /* of a thread at its end */

/* Looks in a second round of destructors, when that of the library has run. */
static void look_late(void *value) {
    if (++late_rounds % 2 != 0) {
        __real_pthread_setspecific(late_key, value);
        return;
    }
    sigaltstack(NULL, &late_stack);
    remove_stack();
}

static void note_stack_twice(void) {
    note_stack();
    __real_pthread_setspecific(late_key, &late_key);
}

static void stacks_come_and_go(void) {
    const long held = mapped;
    __real_pthread_key_create(&late_key, look_late);
    for (int i = 0; i < 3; i++) {
        run_in_thread(note_stack_twice);
        CHECK(late_rounds == 2 * i + 2);
        CHECK((late_stack.ss_flags & SS_DISABLE) != 0);
        CHECK(!readable(stack_of_thread.ss_sp));
        CHECK(mapped == held);
    }
    if (intercepted()) {
        signal_frame_bytes = 512 * 1024;
        run_in_thread(note_stack_twice);
    }
    finish();
}

/* Without its guard, too small, or kept when the thread has ended. */
static void test_stack_lives_as_long_as_its_thread(void **state) {
    (void)state;
    const struct child child = run_in_child(stacks_come_and_go);
    assert_finished(&child);
}

static char own_stack[256 * 1024];
static void replace_stack(void) {
    const stack_t own = {.ss_sp = own_stack, .ss_size = sizeof own_stack};
    remove_stack();
    catch_or_exit();
    CHECK(sigaltstack(NULL, &stack_of_thread) == 0);
    CHECK(sigaltstack(&own, NULL) == 0);
    __real_pthread_setspecific(late_key, own_stack);
}

static void replace_stack_in_a_thread(void) {
    const long held = mapped;
    __real_pthread_key_create(&late_key, look_late);
    run_in_thread(replace_stack);
    CHECK(late_rounds == 2);
    CHECK(late_stack.ss_flags == 0 && late_stack.ss_sp == (void *)own_stack);
    CHECK(!readable(stack_of_thread.ss_sp));
    CHECK(mapped == held);
    finish();
}

/* An alternate stack that is not ours, switched off or unmapped at the end of the thread. */
static void test_stack_that_replaced_ours_is_left_alone(void **state) {
    (void)state;
    const struct child child = run_in_child(replace_stack_in_a_thread);
    assert_finished(&child);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_call_fails),
        cmocka_unit_test(test_second_call_fails),
        cmocka_unit_test(test_calls_fail_in_a_second_thread),
        cmocka_unit_test(test_stack_lives_as_long_as_its_thread),
        cmocka_unit_test(test_stack_that_replaced_ours_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
