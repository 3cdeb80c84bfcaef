/* Catches floating-point control state (rounding mode, exception masks, flushing, x87 precision) that leaks where
 * CO_FPENV keeps it apart, and one that is kept apart where co.h says that it is shared. */
#define _GNU_SOURCE
#include "support.h"

#include <fenv.h>

#include "registers.h"

struct play {
    int mode;     /* what the coroutine sets */
    int found[4]; /* what it finds: at its entry, after its first and second yield, in its deferred call */
    double third; /* 1/3 as it comes out in the coroutine */
};

/* The quotient depends on the rounding mode; volatile keeps the compiler from knowing it, and from computing it later.
 */
static double third(void) {
    volatile double one = 1.0, three = 3.0;
    volatile double quotient = one / three;
    return quotient;
}

static co_t *create(co_fn fn, void *arg, unsigned flags) {
    const co_options_t options = {.flags = flags};
    co_t *co = co_create_with(&options, fn, arg);
    assert_non_null(co);
    return co;
}

static void notes_mode(void *argument) {
    struct play *play = argument;
    play->found[3] = fegetround();
}

static void *sets_mode(void *argument) {
    struct play *play = argument;
    play->found[0] = fegetround();
    assert_int_equal(co_defer(notes_mode, play), 0);
    assert_int_equal(fesetround(play->mode), 0);
    co_yield(NULL);
    play->found[1] = fegetround();
    play->third = third();
    co_yield(NULL);
    play->found[2] = fegetround();
    return NULL;
}

static int set_up(void **state) {
    (void)state;
    return fesetround(FE_TONEAREST);
}

/* Catches a default path that saves the mode: it is documented as shared, like any other state of the thread. */
static void test_shared_without_the_flag(void **state) {
    (void)state;
    struct play play = {.mode = FE_UPWARD};
    co_t *co = create(sets_mode, &play, 0);
    fesetround(FE_TOWARDZERO);
    co_resume(co, NULL, NULL);
    assert_int_equal(play.found[0], FE_TOWARDZERO);
    assert_int_equal(fegetround(), FE_UPWARD);
    fesetround(FE_DOWNWARD);
    co_resume(co, NULL, NULL);
    assert_int_equal(play.found[1], FE_DOWNWARD);
    assert_int_equal(co_destroy(co), 0);
    assert_int_equal(play.found[3], FE_DOWNWARD);
    assert_int_equal(fegetround(), FE_DOWNWARD);
}

/* Catches a mode that leaks in either direction, and one that is only stored and not in force. */
static void test_separate_with_the_flag(void **state) {
    (void)state;
    struct play play = {.mode = FE_UPWARD};
    co_t *co = create(sets_mode, &play, CO_FPENV);
    fesetround(FE_UPWARD);
    double up = third();
    fesetround(FE_DOWNWARD);
    double down = third();
    co_resume(co, NULL, NULL);
    assert_int_equal(fegetround(), FE_DOWNWARD);
    assert_true(third() == down);
    fesetround(FE_TOWARDZERO);
    co_resume(co, NULL, NULL);
    assert_int_equal(fegetround(), FE_TOWARDZERO);
    co_resume(co, NULL, NULL);
    assert_int_equal(fegetround(), FE_TOWARDZERO);
    assert_int_equal(play.found[0], FE_TONEAREST);
    assert_int_equal(play.found[1], FE_UPWARD);
    assert_int_equal(play.found[2], FE_UPWARD);
    assert_int_equal(play.found[3], FE_UPWARD);
    assert_true(play.third == up); /* whatever difference the mode makes here: Valgrind computes to nearest always */
    assert_int_equal(co_destroy(co), 0);
}

/* Catches a mode taken from the resumer, or from nowhere, in place of co_create's caller. */
static void test_starts_with_the_creators(void **state) {
    (void)state;
    struct play play = {.mode = FE_TONEAREST};
    fesetround(FE_UPWARD);
    co_t *co = create(sets_mode, &play, CO_FPENV);
    fesetround(FE_DOWNWARD);
    co_resume(co, NULL, NULL);
    assert_int_equal(play.found[0], FE_UPWARD);
    assert_int_equal(fegetround(), FE_DOWNWARD);
    assert_int_equal(co_destroy(co), 0);
}

/* Catches co_throw, which is another way in. */
static void test_over_throw(void **state) {
    (void)state;
    struct play play = {.mode = FE_UPWARD};
    co_t *co = create(sets_mode, &play, CO_FPENV);
    co_resume(co, NULL, NULL);
    fesetround(FE_DOWNWARD);
    assert_int_equal(co_throw(co, 1, NULL), CO_YIELDED);
    assert_int_equal(fegetround(), FE_DOWNWARD);
    assert_int_equal(co_throw(co, 1, NULL), CO_RETURNED);
    assert_int_equal(fegetround(), FE_DOWNWARD);
    assert_int_equal(play.found[1], FE_UPWARD);
    assert_int_equal(play.found[2], FE_UPWARD);
    assert_int_equal(co_destroy(co), 0);
}

/* Catches co_close and co_destroy: deferred calls run with the coroutine's mode, the closer goes on with its own. */
static void test_over_close_and_destroy(void **state) {
    (void)state;
    for (int destroys = 0; destroys < 2; destroys++) {
        struct play play = {.mode = FE_UPWARD};
        co_t *co = create(sets_mode, &play, CO_FPENV);
        co_resume(co, NULL, NULL);
        fesetround(FE_DOWNWARD);
        assert_int_equal(destroys ? co_destroy(co) : co_close(co), 0);
        assert_int_equal(fegetround(), FE_DOWNWARD);
        assert_int_equal(play.found[3], FE_UPWARD);
        if (!destroys)
            assert_int_equal(co_destroy(co), 0);
        fesetround(FE_TONEAREST);
    }
}

static void *resumes_inner(void *argument) {
    struct play inner = {.mode = FE_TOWARDZERO};
    co_t *co = create(sets_mode, &inner, CO_FPENV);
    fesetround(FE_UPWARD);
    while (co_resume(co, NULL, NULL) == CO_YIELDED) {
        assert_int_equal(fegetround(), FE_UPWARD);
        co_yield(NULL);
        assert_int_equal(fegetround(), FE_UPWARD);
    }
    assert_int_equal(fegetround(), FE_UPWARD);
    assert_int_equal(inner.found[0], FE_TONEAREST);
    assert_int_equal(inner.found[1], FE_TOWARDZERO);
    assert_int_equal(inner.found[2], FE_TOWARDZERO);
    assert_int_equal(co_destroy(co), 0);
    return argument;
}

/* Catches modes mixed up between levels when one coroutine with its own resumes another. */
static void test_nested(void **state) {
    (void)state;
    co_t *co = create(resumes_inner, NULL, CO_FPENV);
    fesetround(FE_DOWNWARD);
    while (co_resume(co, NULL, NULL) == CO_YIELDED)
        assert_int_equal(fegetround(), FE_DOWNWARD);
    assert_int_equal(fegetround(), FE_DOWNWARD);
    assert_int_equal(co_destroy(co), 0);
}

/* ---- Every control bit ------------------------------------------------------------------------------------------- */

struct bits {
    struct registers set, found;
};

/* Sets each control register to `from` with the bits of `mask` flipped, and reads back what the processor accepted. */
static void set_control(struct registers *accepted, const struct registers *from, uint64_t mask) {
    struct registers wanted = *from;
    for (uint64_t i = 0; i < registers_count; i++)
        if (registers_rows[i].kind == REGISTERS_CONTROL)
            wanted.word[i] ^= registers_rows[i].mask & mask;
    registers_load_control(&wanted);
    registers_store_control(accepted);
}

static void assert_same_control(const struct registers *expected, const struct registers *found) {
    for (uint64_t i = 0; i < registers_count; i++)
        if (registers_rows[i].kind == REGISTERS_CONTROL)
            assert_int_equal(expected->word[i] & registers_rows[i].mask, found->word[i] & registers_rows[i].mask);
}

static void *flips_a_bit(void *argument) {
    struct bits *bits = argument;
    struct registers ambient = {{0}};
    registers_store_control(&ambient);
    for (unsigned bit = 0; bit < 32; bit++) {
        set_control(&bits->set, &ambient, (uint64_t)1 << bit);
        co_yield(NULL);
        registers_store_control(&bits->found);
        registers_load_control(&ambient);
        co_yield(NULL);
    }
    return NULL;
}

/* Catches a control bit of either side that is lost, or leaks: a word half saved, the x87 control word forgotten. */
static void test_each_bit(void **state) {
    (void)state;
    struct bits bits = {{{0}}, {{0}}};
    struct registers ambient = {{0}}, now = {{0}};
    registers_store_control(&ambient);
    co_t *co = create(flips_a_bit, &bits, CO_FPENV);
    for (unsigned bit = 0; bit < 32; bit++) {
        co_resume(co, NULL, NULL);
        registers_store_control(&now);
        assert_same_control(&ambient, &now);
        struct registers mine = {{0}};
        set_control(&mine, &ambient, ~((uint64_t)1 << bit));
        co_resume(co, NULL, NULL);
        registers_store_control(&now);
        registers_load_control(&ambient);
        assert_same_control(&mine, &now);
        assert_same_control(&bits.set, &bits.found);
    }
    assert_int_equal(co_resume(co, NULL, NULL), CO_RETURNED);
    assert_int_equal(co_destroy(co), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_shared_without_the_flag, set_up, set_up),
        cmocka_unit_test_setup_teardown(test_separate_with_the_flag, set_up, set_up),
        cmocka_unit_test_setup_teardown(test_starts_with_the_creators, set_up, set_up),
        cmocka_unit_test_setup_teardown(test_over_throw, set_up, set_up),
        cmocka_unit_test_setup_teardown(test_over_close_and_destroy, set_up, set_up),
        cmocka_unit_test_setup_teardown(test_nested, set_up, set_up),
        cmocka_unit_test_setup_teardown(test_each_bit, set_up, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
