/* co_catch_overflow and several threads: each has to call it, and their handlers may run at the same time. */
#define _GNU_SOURCE
#include "overflow.h"

#include <pthread.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/socket.h>

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

static void *in_a_thread(void *fn) {
    (*(void (**)(void))fn)();
    return NULL;
}

static void run_in_thread(void (*fn)(void)) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, in_a_thread, &fn) != 0 || pthread_join(thread, NULL) != 0)
        _exit(104);
}

static void overflow_in_a_thread(void) {
    catch_or_exit();
    run_in_thread(catch_and_overflow);
}

static void overflow_without_a_call(void) {
    const stack_t none = {.ss_flags = SS_DISABLE};
    sigaltstack(&none, NULL); /* a sanitizer's */
    run(co_create(overflow_body, NULL));
}

static void overflow_in_a_thread_without_a_call(void) {
    catch_or_exit();
    run_in_thread(overflow_without_a_call);
}

/* The alternate stack is a thread's own. Where there is none the process dies, and does not hang. */
static void test_every_thread_calls(void **state) {
    (void)state;
    const struct child with = run_in_child(overflow_in_a_thread);
    assert_dead_with_report(&with);
    const struct child without = run_in_child(overflow_in_a_thread_without_a_call);
    assert_dead_in_silence(&without);
}

/* Above a page that nobody may touch. */
static void overflow_on_own_stack(void) {
    size_t frame = getauxval(AT_MINSIGSTKSZ), page = (size_t)sysconf(_SC_PAGESIZE);
    size_t bytes = (frame != 0 ? frame : 8192) + 16 * 1024;
#ifdef TEST_SANITIZED
    bytes = 256 * 1024; /* their frames are larger */
#endif
    char *memory = mmap(NULL, page + bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory, page, PROT_NONE) != 0)
        _exit(105);
    stack_t own = {.ss_sp = memory + page, .ss_size = bytes}, now;
    sigaltstack(&own, NULL);
    catch_or_exit();
    sigaltstack(NULL, &now);
    if (now.ss_sp != own.ss_sp || now.ss_size != own.ss_size)
        _exit(106);
    run(co_create(overflow_body, NULL));
}

/* A thread that has a stack keeps it, and the size that is asked for is enough. */
static void test_own_stack_is_kept(void **state) {
    (void)state;
    const struct child child = run_in_child(overflow_on_own_stack);
    assert_dead_with_report(&child);
}

static void end_the_thread(int number) {
    (void)number;
    pthread_exit(NULL);
}

static void raise_in_a_thread(void) {
    const stack_t none = {.ss_flags = SS_DISABLE};
    sigaltstack(&none, NULL); /* a sanitizer's */
    catch_or_exit();
    raise(SIGSEGV);
}

static void end_threads_in_the_handler(void) {
    signal(SIGSEGV, end_the_thread);
    catch_or_exit();
    for (int i = 0; i < 3; i++)
        run_in_thread(raise_in_a_thread);
    finish();
}

/* A previous handler that ends the thread, which in musl stands on the alternate stack when that is released. */
static void test_thread_ends_in_the_handler(void **state) {
    (void)state;
    const struct child child = run_in_child(end_threads_in_the_handler);
    assert_finished(&child);
}

#ifndef TEST_SANITIZED   /* a longjmp from a signal handler is more than they follow */
static int datagrams[2]; /* each holds what one write wrote */
enum { THREADS = 4, OVERFLOWS = 10 };
static _Thread_local sigjmp_buf *way_back;

static void jump_back(int number) {
    (void)number;
    siglongjmp(*way_back, 1);
}

static void *overflow_and_come_back(void *arg) {
    volatile int left = OVERFLOWS;
    sigjmp_buf here;
    (void)arg;
    way_back = &here;
    if (sigsetjmp(here, 1) != 0)
        left = left - 1;
    return left > 0 ? overflow_body(NULL) : NULL;
}

static void *come_back_in_a_thread(void *arg) {
    catch_or_exit();
    run(co_create(overflow_and_come_back, NULL));
    return arg;
}

static void overflow_in_threads(void) {
    pthread_t threads[THREADS];
    dup2(datagrams[1], STDERR_FILENO);
    signal(SIGSEGV, jump_back);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, come_back_in_a_thread, NULL) != 0)
            _exit(1);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    abort();
}

/* State that the handlers of several threads share, and a handler that works once only. */
static void test_overflows_in_several_threads(void **state) {
    (void)state;
    char text[4096];
    if (under_valgrind())
        skip(); /* it takes the jumps for unknown switches of stacks */
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, datagrams), 0);
    const struct child child = run_in_child(overflow_in_threads);
    assert_killed_by(&child, SIGABRT);
    for (int i = 0; i < THREADS * OVERFLOWS; i++) {
        ssize_t bytes = recv(datagrams[0], text, sizeof text - 1, MSG_DONTWAIT);
        assert_true(bytes > 0);
        text[bytes] = 0;
        assert_ptr_equal(strstr(text, REPORT), text);
        assert_non_null(strstr(text, "do not hold recurse"));
        assert_string_equal(strstr(text, " and bound its"), " and bound its recursion.\n");
    }
    memset(text, 0, sizeof text);
    recv(datagrams[0], text, sizeof text - 1, MSG_DONTWAIT);
    assert_true(at_end(text));
    close(datagrams[0]);
    close(datagrams[1]);
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_thread_calls),
        cmocka_unit_test(test_own_stack_is_kept),
        cmocka_unit_test(test_thread_ends_in_the_handler),
#ifndef TEST_SANITIZED
        cmocka_unit_test(test_overflows_in_several_threads),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
