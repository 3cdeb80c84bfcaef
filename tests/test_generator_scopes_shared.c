/* The generator contract, rules 55 and 56, for loops that a coroutine leaves in unusual ways, and for loops whose
 * generator others know of: steps it, waits for it, or ends it. What the loop owns ends once, and not under them. */
#define _GNU_SOURCE
#include "generators.h"

#include <pthread.h>
#include <setjmp.h>

/* Emits 1, 2, ... for ever; its cleanup adds a letter. */
static CO_GENERATOR(count, long, (const char *, letter)) {
    co_defer(trace_letter, LETTER(letter));
    for (long i = 1;; i++)
        CO_EMIT(i);
}

static CO_GEN(long) stepped(CO_GEN(long) generator, int items) {
    trace_clear();
    for (long i = 1; i <= items; i++)
        assert_next(generator, i);
    return generator;
}

static CO_GENERATOR(pass_on, long, (CO_GEN(long), source), (const char *, letter)) {
    co_defer(trace_letter, LETTER(letter));
    CO_FOR(long, x, source)
        CO_EMIT(x);
}

/* ---- Ways around the end of a loop --------------------------------------------------------------------------- */

static CO_GENERATOR(jump_out, long, (int, times)) {
    jmp_buf out;
    volatile int jumps = 0;
    if (setjmp(out) == 0 || jumps < times) {
        CO_FOR(long, x, count("a")) {
            CO_FOR(long, y, count("b")) {
                jumps++;
                longjmp(out, (int)(x + y));
            }
        }
    }
    CO_EMIT(1);
    CO_FOR(long, x, count("c"))
        CO_EMIT(x + 1);
}

/* Generators of loops that longjmp has left: whoever keeps loops in frames finds what is no longer there. */
static void test_longjmp_out_of_loops(void **state) {
    (void)state;
    assert_destroyed(stepped(jump_out(3), 1));
    assert_trace("bababa");
    assert_destroyed(stepped(jump_out(2), 3));
    assert_trace("cbaba");
    CO_GEN(long) generator = jump_out(1);
    trace_clear();
    assert_next(generator, 1);
    assert_int_equal(CO_GEN_CLOSE(generator), 0);
    assert_trace("ba");
    assert_destroyed(generator);
}

static CO_GENERATOR(jump_out_and_end, long, (int, error)) {
    jmp_buf out;
    if (setjmp(out) == 0)
        CO_FOR(long, x, count("a"))
            longjmp(out, (int)x);
    CO_EMIT(1);
    if (error != 0)
        CO_FAIL(error);
}

/* The same where the body returns, or fails. */
static void test_longjmp_out_of_a_loop_then_return(void **state) {
    (void)state;
    for (int error = 0; error < 2; error++) {
        CO_GEN(long) generator = stepped(jump_out_and_end(error), 1);
        assert_trace("");
        assert_none(generator, -error);
        assert_trace("a");
        assert_destroyed(generator);
        assert_trace("a");
    }
}

static CO_GENERATOR(destroy_in_the_loop, long) {
    CO_GEN(long) source = count("a");
    CO_FOR(long, x, source) {
        assert_destroyed(source);
        CO_EMIT(x);
        break;
    }
    CO_EMIT(2);
}

/* A generator that its loop destroys again. */
static void test_destroyed_within_its_loop(void **state) {
    (void)state;
    for (int items = 1; items < 3; items++) {
        CO_GEN(long) generator = stepped(destroy_in_the_loop(), items);
        assert_trace("a");
        assert_destroyed(generator);
        assert_trace("a");
    }
}

/* ---- Shared -------------------------------------------------------------------------------------------------- */

static CO_GENERATOR(from_borrowed, long, (CO_GEN(long), source)) { CO_FROM_BORROWED(source, NULL); }

/* A loop that is closed while somebody else steps its generator, and waits for it: that one goes on, and then ends it.
 */
static void test_who_waits_for_the_loops_generator(void **state) {
    (void)state;
    for (int how = 0; how < 2; how++) {
        CO_GEN(long) source = count("a");
        CO_GEN(long) loop = stepped(pass_on(source, "b"), 1);
        CO_GEN(long) waits = from_borrowed(source);
        assert_next(waits, 2);
        assert_next(loop, 3);
        if (how == 0) {
            assert_destroyed(loop);
            assert_trace("b");
            assert_next(waits, 4);
            assert_destroyed(waits);
            assert_trace("ba");
        } else {
            assert_destroyed(waits);
            assert_trace("a");
            assert_none(loop, 0);
            assert_trace("ab");
            assert_destroyed(loop);
        }
    }
}

static CO_GEN(long) looping;

static CO_GENERATOR(close_who_loops, long) {
    CO_EMIT(1);
    CO_EMIT(CO_GEN_CLOSE(looping));
}

/* A loop that is closed by its own generator, which executes for somebody else: nothing is freed under it. */
static void test_closed_by_the_loops_generator(void **state) {
    (void)state;
    CO_GEN(long) source = close_who_loops();
    looping = stepped(pass_on(source, "b"), 1);
    assert_next(source, -EBUSY);
    assert_trace("b");
    assert_destroyed(looping);
    assert_destroyed(source);
}

static CO_GENERATOR(loop_over_its_owner, long, (CO_GEN(long) *, outer)) {
    int status = 0;
    CO_EMIT(1);
    CO_FOR_STATUS(long, x, *outer, status)
        FAIL("%ld", x);
    CO_EMIT(status);
}

/* A loop over one that executes, and that another loop owns: it stays that one's. */
static void test_a_loop_over_one_that_executes(void **state) {
    (void)state;
    CO_GEN(long) outer = NULL;
    CO_GEN(long) top = pass_on(outer = pass_on(loop_over_its_owner(&outer), "b"), "c");
    trace_clear();
    assert_next(top, 1);
    assert_next(top, -EBUSY);
    assert_destroyed(top);
    assert_trace("bc");
}

/* ---- Threads ------------------------------------------------------------------------------------------------- */

static void *step_once(void *generator) {
    long item = NO_ITEM;
    int status = CO_NEXT((CO_GEN(long))generator, &item);
    return value_of(status == 1 ? (intptr_t)item : status);
}

static void *destroy(void *generator) { return value_of(CO_GEN_DESTROY((CO_GEN(long))generator)); }

static intptr_t on_another_thread(void *(*fn)(void *), CO_GEN(long) generator) {
    pthread_t thread;
    void *answer = NULL;
    assert_int_equal(pthread_create(&thread, NULL, fn, CO_GEN_UNTYPED(generator)), 0);
    assert_int_equal(pthread_join(thread, &answer), 0);
    return number_of(answer);
}

/* A loop that begins on one thread, goes on and is closed on others. */
static void test_loops_on_several_threads(void **state) {
    (void)state;
    CO_GEN(long) generator = pass_on(pass_on(count("a"), "b"), "c");
    trace_clear();
    assert_int_equal(on_another_thread(step_once, generator), 1);
    assert_next(generator, 2);
    assert_int_equal(on_another_thread(step_once, generator), 3);
    assert_int_equal(on_another_thread(destroy, generator), 0);
    assert_trace("abc");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_longjmp_out_of_loops),          cmocka_unit_test(test_longjmp_out_of_a_loop_then_return),
        cmocka_unit_test(test_destroyed_within_its_loop),     cmocka_unit_test(test_who_waits_for_the_loops_generator),
        cmocka_unit_test(test_closed_by_the_loops_generator), cmocka_unit_test(test_a_loop_over_one_that_executes),
        cmocka_unit_test(test_loops_on_several_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
