/* Catches a switch, or a close, that writes below the stack pointer of a suspended function. On x86-64 a function that
 * calls nothing keeps locals there (psABI section 3.2.2, the red zone), and to the compiler an inlined yield is no
 * call. Where there is no red zone, and in builds whose yields are calls, the same is true of any local. */
#include "test.h"

#include <string.h>

#define WORDS 14 /* 112 bytes, nearly all of the 128 */

struct play {
    co_t *co;
    volatile long *locals; /* of the suspended function */
    unsigned salt;
    int right, deferred;
    long sum;
};

static long expected_local(const struct play *play, long i) { return i * 0x10101L + play->salt; }

static int are_right(const struct play *play) {
    for (long i = 0; i < WORDS; i++)
        if (play->locals[i] != expected_local(play, i))
            return 0;
    return 1;
}

/* Calls nothing, so that its locals may stay in the red zone; they are volatile, so that they are in memory. */
#define LEAF(name, SWITCH)                                                                                             \
    __attribute__((noinline)) static long name(struct play *play) {                                                    \
        volatile long locals[WORDS];                                                                                   \
        for (long i = 0; i < WORDS; i++)                                                                               \
            locals[i] = i * 0x10101L + play->salt;                                                                     \
        play->locals = locals;                                                                                         \
        SWITCH;                                                                                                        \
        long sum = 0;                                                                                                  \
        for (long i = 0; i < WORDS; i++)                                                                               \
            sum += locals[i];                                                                                          \
        play->locals = NULL;                                                                                           \
        return sum;                                                                                                    \
    }
LEAF(leaf_that_yields, co_yield_from(play->co, NULL))

static long expected_sum(const struct play *play) {
    long sum = 0;
    for (long i = 0; i < WORDS; i++)
        sum += expected_local(play, i);
    return sum;
}

static void checks_locals(void *argument) {
    struct play *play = argument;
    play->right = are_right(play);
    play->deferred++;
}

static void *body(void *argument) {
    struct play *play = argument;
    if (co_defer(checks_locals, play) != 0)
        return NULL;
    play->sum = leaf_that_yields(play);
    static volatile long elsewhere[WORDS];
    for (long i = 0; i < WORDS; i++)
        elsewhere[i] = expected_local(play, i);
    play->locals = elsewhere;
    return NULL;
}

static void start(struct play *play, unsigned flags) {
    const co_options_t options = {.flags = flags};
    *play = (struct play){.salt = 1234 + flags};
    play->co = co_create_with(&options, body, play);
    assert_int_equal(co_resume(play->co, NULL, NULL), CO_YIELDED);
    assert_true(are_right(play));
}

/* Catches a resume or a throw that pushes something onto the suspended stack. */
static void test_resume_and_throw(void **state) {
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct play play;
        start(&play, i % 2 == 0 ? 0 : CO_FPENV);
        assert_int_equal(i < 2 ? co_resume(play.co, NULL, NULL) : co_throw(play.co, 1, NULL), CO_RETURNED);
        assert_int_equal(play.sum, expected_sum(&play));
        assert_int_equal(co_destroy(play.co), 0);
    }
}

/* Catches a close whose own frames begin right below the stack pointer: deferred calls find the locals alive. */
static void test_close(void **state) {
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct play play;
        start(&play, i % 2 == 0 ? 0 : CO_FPENV);
        assert_int_equal(i < 2 ? co_close(play.co) : co_destroy(play.co), 0);
        assert_int_equal(play.deferred, 1);
        assert_true(play.right);
        if (i < 2)
            assert_int_equal(co_destroy(play.co), 0);
    }
}

/* ---- The resumer's side ------------------------------------------------------------------------------------------ */

static void *yields_once(void *argument) {
    co_yield(NULL);
    return argument;
}

/* co_resume may call the library, so this is a leaf only to a compiler that puts that call out of the way; the locals
 * must be right all the same. */
LEAF(leaf_that_resumes, co_resume(play->co, NULL, NULL))

/* Catches a switch that writes below the resumer's stack pointer. */
static void test_resumer(void **state) {
    (void)state;
    struct play play = {.salt = 77};
    play.co = co_create(yields_once, NULL);
    for (int round = 0; round < 3; round++)
        assert_int_equal(leaf_that_resumes(&play), expected_sum(&play));
    assert_int_equal(co_status(play.co), CO_DEAD);
    assert_int_equal(co_destroy(play.co), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resume_and_throw),
        cmocka_unit_test(test_close),
        cmocka_unit_test(test_resumer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
