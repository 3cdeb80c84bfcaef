/* The generator contract, rule 55: loops, and who ends what they iterate, however they are left. */
#define _GNU_SOURCE
#include "generators.h"

static int created;

/* Emits 1, 2, ... up to `last`, then ends, or fails with `error`; its cleanup adds a letter. */
static CO_GENERATOR(count_to, long, (long, last), (int, error), (const char *, letter)) {
    co_defer(trace_letter, LETTER(letter));
    for (long i = 1; i <= last; i++)
        CO_EMIT(i);
    if (error != 0)
        CO_FAIL(error);
}

static CO_GEN(long) count(long last) {
    trace_clear();
    created++;
    return count_to(last, 0, "c");
}

/* ---- Ways to leave ------------------------------------------------------------------------------------------- */

/* A generator that is left suspended, or ended twice, at the loop's own end. */
static void test_rule_55_to_the_end(void **state) {
    (void)state;
    long sum = 0;
    created = 0;
    CO_FOR(long, x, count(4))
        sum = 10 * sum + x;
    assert_int_equal(sum, 1234);
    assert_int_equal(created, 1);
    assert_trace("c");
    CO_FOR(long, x, count(0))
        sum += x;
    assert_int_equal(sum, 1234);
    assert_trace("c");
}

static void test_rule_55_break(void **state) {
    (void)state;
    long sum = 0;
    created = 0;
    CO_FOR(long, x, count(4)) {
        if (x == 3)
            break;
        sum += x;
        assert_trace("");
    }
    assert_int_equal(sum, 3);
    assert_int_equal(created, 1);
    assert_trace("c");
}

/* An item that `continue` skips, or a loop that it ends. */
static void test_rule_55_continue(void **state) {
    (void)state;
    long sum = 0;
    CO_FOR(long, x, count(6)) {
        if (x % 2 == 0)
            continue;
        sum += x;
        assert_trace("");
    }
    assert_int_equal(sum, 9);
    assert_trace("c");
}

static long return_from_a_loop(long at) {
    CO_FOR(long, x, count(9)) {
        CO_FOR(long, y, count_to(9, 0, "d")) {
            if (x * y == at)
                return 10 * x + y;
        }
    }
    return 0;
}

/* A return that leaves the generators of the loops around it. */
static void test_rule_55_return(void **state) {
    (void)state;
    assert_int_equal(return_from_a_loop(3), 13);
    assert_trace("dc");
    assert_int_equal(return_from_a_loop(16), 28);
    assert_trace("ddc");
    assert_int_equal(return_from_a_loop(100), 0);
    assert_trace("dddddddddc");
}

/* A goto out of two loops, and one backwards, which begins anew. */
static void test_rule_55_goto(void **state) {
    (void)state;
    long tries = 0, last = 0;
again:
    tries++;
    CO_FOR(long, x, count(9)) {
        CO_FOR(long, y, count_to(9, 0, "d")) {
            last = y;
            if (y == tries)
                goto left;
        }
        (void)x;
    }
left:
    assert_trace("dc");
    assert_int_equal(last, tries);
    if (tries < 3)
        goto again;
    assert_int_equal(tries, 3);
}

/* A loop that is the whole of an if's branch: its macro must be one statement. */
static void test_a_loop_is_a_statement(void **state) {
    (void)state;
    long sum = 0;
    for (int i = 0; i < 4; i++)
        if (i % 2 == 0)
            CO_FOR(long, x, count(3))
                if (x != 2)
                    sum += x;
                else
                    sum += 100;
        else
            sum += 1000;
    assert_int_equal(sum, 2 * (1 + 100 + 3) + 2000);
}

/* ---- Several ------------------------------------------------------------------------------------------------- */

/* An inner loop that ends the outer one's generator, or takes its items; a break of both in one. */
static void test_nested_loops(void **state) {
    (void)state;
    long sum = 0;
    trace_clear();
    CO_FOR(long, x, count_to(3, 0, "a")) {
        CO_FOR(long, y, count_to(3, 0, "b")) {
            if (y > x)
                break;
            CO_FOR(long, z, count_to(2, 0, "c")) {
                sum += 100 * x + 10 * y + z;
            }
        }
    }
    assert_trace("cbccbcccba");
    assert_int_equal(sum, 2 * 100 * (1 + 2 + 2 + 3 + 3 + 3) + 2 * 10 * (1 + 1 + 2 + 1 + 2 + 3) + 6 * 3);
}

/* Two loops in one function and of one name, and of other types. */
static CO_GENERATOR(letters, char, (const char *, text)) {
    for (; *text != '\0'; text++)
        CO_EMIT(*text);
}

static void test_one_loop_after_the_other(void **state) {
    (void)state;
    char text[8] = "";
    size_t length = 0;
    long sum = 0;
    CO_FOR(long, x, count(3)) {
        sum += x;
    }
    CO_FOR(long, x, count(3)) {
        sum += 10 * x;
    }
    CO_FOR(char, x, letters("libco")) {
        text[length++] = x;
    }
    assert_int_equal(sum, 66);
    assert_string_equal(text, "libco");
}

/* ---- What is iterated ---------------------------------------------------------------------------------------- */

/* Side effects in the loop's head that happen for each item, or not at all. */
static void test_the_head_is_evaluated_once(void **state) {
    (void)state;
    CO_GEN(long) generators[3];
    CO_GEN(long) *next = generators;
    int status = 1, *told = &status;
    long sum = 0;
    trace_clear();
    for (int i = 0; i < 3; i++)
        generators[i] = count_to(2 + i, 0, "c");
    created = 0;
    CO_FOR(long, x, (created++, *next++)) {
        sum += x;
    }
    CO_FOR_STATUS(long, x, (created++, *next++), *told++) {
        sum += x;
    }
    CO_FOR_BORROWED(long, x, (created++, *next++)) {
        sum += x;
    }
    assert_int_equal(created, 3);
    assert_int_equal(sum, 3 + 6 + 10);
    assert_ptr_equal(next, generators + 3);
    assert_ptr_equal(told, &status + 1);
    assert_int_equal(status, 0);
    assert_trace("ccc");
    assert_int_equal(CO_GEN_DESTROY(generators[2]), 0);
}

/* A loop over nothing that crashes, runs, or does not tell why. */
static void test_over_null(void **state) {
    (void)state;
    CO_GEN(long) nothing = NULL;
    static const int errors[] = {0, ENOMEM, EAGAIN, EPERM}, expected[] = {EINVAL, ENOMEM, EAGAIN, EINVAL};
    CO_FOR(long, x, nothing) {
        FAIL("%ld", x);
    }
    CO_FOR_BORROWED(long, x, nothing) {
        FAIL("%ld", x);
    }
    for (int i = 0; i < 4; i++) {
        int status = 1;
        errno = errors[i];
        CO_FOR_STATUS(long, x, nothing, status) {
            FAIL("%ld", x);
        }
        assert_int_equal(status, -expected[i]);
    }
}

/* An error that ends a loop and is not told; a status that is told where there was no error. */
static void test_over_a_failing_generator(void **state) {
    (void)state;
    long sum = 0;
    int status = 1;
    trace_clear();
    CO_FOR_STATUS(long, x, count_to(3, EIO, "c"), status) {
        assert_int_equal(status, 0);
        sum += x;
    }
    assert_int_equal(status, -EIO);
    assert_int_equal(sum, 6);
    assert_trace("c");
    CO_FOR_STATUS(long, x, count_to(3, 0, "c"), status) {
        sum += x;
    }
    assert_int_equal(status, 0);
    status = 1;
    CO_FOR_STATUS(long, x, count_to(3, EIO, "c"), status) {
        if (x == 2)
            break;
    }
    assert_int_equal(status, 0);
    CO_FOR(long, x, count_to(3, EIO, "c")) {
        sum += x;
    }
    assert_int_equal(sum, 18);
    assert_trace("cccc");
}

static void fail_in_cleanup(void *error) { (void)co_fail((int)number_of(error)); }

static CO_GENERATOR(fail_in_deferred, long, (int, error)) {
    co_defer(fail_in_cleanup, value_of(ENOSPC));
    CO_EMIT(1);
    if (error != 0)
        CO_FAIL(error);
}

/* An error of the close that a break leads to; it does not replace the error that ended the loop. */
static void test_status_of_a_close(void **state) {
    (void)state;
    int status = 1;
    CO_FOR_STATUS(long, x, fail_in_deferred(0), status) {
        if (x == 1)
            break;
    }
    assert_int_equal(status, -ENOSPC);
    CO_FOR_STATUS(long, x, fail_in_deferred(EIO), status) {
        assert_int_equal(x, 1);
    }
    assert_int_equal(status, -EIO);
}

/* A borrowed generator that a loop ends. */
static void test_rule_55_borrowed_stays_suspended(void **state) {
    (void)state;
    CO_GEN(long) generator = count(5);
    CO_FOR_BORROWED(long, x, generator) {
        if (x == 2)
            break;
    }
    assert_trace("");
    assert_int_equal(CO_GEN_STATE(generator), CO_GEN_SUSPENDED);
    assert_next(generator, 3);
    CO_FOR_BORROWED(long, x, generator) {
        assert_true(x >= 4);
    }
    assert_trace("c");
    assert_done(generator);
    CO_FOR_BORROWED(long, x, generator) {
        FAIL("%ld", x);
    }
    assert_destroyed(generator);
}

/* Items that are written to, which are the loop's own. */
static void test_an_item_is_the_loops_own(void **state) {
    (void)state;
    long sum = 0;
    CO_FOR(long, x, count(4)) {
        sum += x;
        x = 100;
        sum += x;
    }
    assert_int_equal(sum, 410);
}

static CO_GENERATOR(loop_over_itself, long) {
    int status = 0;
    CO_FOR_STATUS(long, x, CO_SELF, status) {
        CO_EMIT(x);
    }
    CO_EMIT(status);
}

/* A loop over who runs it. */
static void test_over_itself(void **state) {
    (void)state;
    CO_GEN(long) generator = loop_over_itself();
    assert_next(generator, -EBUSY);
    assert_none(generator, 0);
    assert_destroyed(generator);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule_55_to_the_end),
        cmocka_unit_test(test_rule_55_break),
        cmocka_unit_test(test_rule_55_continue),
        cmocka_unit_test(test_rule_55_return),
        cmocka_unit_test(test_rule_55_goto),
        cmocka_unit_test(test_a_loop_is_a_statement),
        cmocka_unit_test(test_nested_loops),
        cmocka_unit_test(test_one_loop_after_the_other),
        cmocka_unit_test(test_the_head_is_evaluated_once),
        cmocka_unit_test(test_over_null),
        cmocka_unit_test(test_over_a_failing_generator),
        cmocka_unit_test(test_status_of_a_close),
        cmocka_unit_test(test_rule_55_borrowed_stays_suspended),
        cmocka_unit_test(test_an_item_is_the_loops_own),
        cmocka_unit_test(test_over_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
