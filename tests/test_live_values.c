/* Catches a register that is missing from the clobber list of the inline switch: values of every kind are live across
 * it in greater number than there are registers, and the other side overwrites all registers meanwhile. */
#include "test.h"

#include <float.h>
#include <string.h>

#include "live_values.h"
#include "registers.h"

/* The bytes of a value; the x87 format has padding. */
#define LONG_DOUBLE_BYTES (LDBL_MANT_DIG == 64 ? 10 : sizeof(long double))

union any_values {
#define MEMBER(name, type, make) type name[LIVE_COUNT];
    LIVE_TYPES(MEMBER)
#undef MEMBER
    struct live_mixture mixture;
    unsigned char bytes[1];
};

struct play {
    union any_values values;
    void (*over_yield)(co_t *co, union any_values *values);
    int answer;
    int (*answering)(co_t *co);
};

/* What the other side does while values are live. */
static void spoil(struct play *play) {
    memset(&play->values, 0xff, sizeof play->values);
    registers_scribble();
}

static void *holds_values(void *argument) {
    struct play *play = argument;
    play->over_yield(co_self(), &play->values);
    return NULL;
}

static void *spoils(void *argument) {
    for (int round = 0; round < 10000; round++) {
        spoil(argument);
        co_yield(NULL);
    }
    return NULL;
}

#define TEST_ONE(name, type, make)                                                                                     \
    static void fill_##name(union any_values *values) {                                                                \
        memset(values, 0, sizeof *values);                                                                             \
        for (int n = 0; n < LIVE_COUNT; n++)                                                                           \
            values->name[n] = make;                                                                                    \
    }                                                                                                                  \
                                                                                                                       \
    static void check_##name(const union any_values *values) {                                                         \
        const size_t bytes = strcmp(#name, "long_doubles") == 0 ? LONG_DOUBLE_BYTES : sizeof(type);                    \
        for (int n = 0; n < LIVE_COUNT; n++) {                                                                         \
            const type expected = make;                                                                                \
            if (memcmp(&expected, &values->name[n], bytes) != 0) {                                                     \
                print_error("the value number %d of type " #type " is lost\n", n);                                     \
                fail();                                                                                                \
            }                                                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
                                                                                                                       \
    static void yield_##name(co_t *co, union any_values *values) { live_##name##_over_yield(co, values->name); }       \
                                                                                                                       \
    static void test_##name(void **state) {                                                                            \
        (void)state;                                                                                                   \
        static struct play play;                                                                                       \
        play.over_yield = yield_##name;                                                                                \
        co_t *co = co_create(holds_values, &play);                                                                     \
        fill_##name(&play.values);                                                                                     \
        assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);                                                       \
        spoil(&play);                                                                                                  \
        assert_int_equal(co_resume(co, NULL, NULL), CO_RETURNED);                                                      \
        check_##name(&play.values);                                                                                    \
        assert_int_equal(co_destroy(co), 0);                                                                           \
                                                                                                                       \
        co = co_create(spoils, &play);                                                                                 \
        for (int round = 0; round < 3; round++) {                                                                      \
            fill_##name(&play.values);                                                                                 \
            live_##name##_over_resume(co, play.values.name);                                                           \
            check_##name(&play.values);                                                                                \
        }                                                                                                              \
        assert_int_equal(co_destroy(co), 0);                                                                           \
    }
LIVE_TYPES(TEST_ONE)

/* ---- All kinds at once ------------------------------------------------------------------------------------------- */

static void fill_mixture(struct live_mixture *mixture) {
    memset(mixture, 0, sizeof *mixture);
    for (int n = 0; n < 16; n++)
        mixture->longs[n] = n * 77 + 1;
    for (int n = 0; n < 12; n++)
        mixture->doubles[n] = n * 0.5 + 1.0;
    for (int n = 0; n < 6; n++) {
        mixture->floats[n] = (float)n + 0.25f;
        mixture->vectors[n] = (live_vector32){3.0f} * (float)(n + 1);
    }
    for (int n = 0; n < 4; n++)
        mixture->long_doubles[n] = (long double)n + 0.125L;
}

static void check_mixture(const struct live_mixture *found) {
    static struct live_mixture expected;
    fill_mixture(&expected);
    assert_memory_equal(expected.longs, found->longs, sizeof expected.longs);
    assert_memory_equal(expected.doubles, found->doubles, sizeof expected.doubles);
    assert_memory_equal(expected.floats, found->floats, sizeof expected.floats);
    assert_memory_equal(expected.vectors, found->vectors, sizeof expected.vectors);
    for (int n = 0; n < 4; n++)
        assert_true(expected.long_doubles[n] == found->long_doubles[n]);
}

static void yield_mixture(co_t *co, union any_values *values) { live_mixture_over_yield(co, &values->mixture); }

/* Catches a save area that two kinds of values share. */
static void test_mixture(void **state) {
    (void)state;
    static struct play play;
    play.over_yield = yield_mixture;
    co_t *co = co_create(holds_values, &play);
    fill_mixture(&play.values.mixture);
    assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
    spoil(&play);
    assert_int_equal(co_resume(co, NULL, NULL), CO_RETURNED);
    check_mixture(&play.values.mixture);
    assert_int_equal(co_destroy(co), 0);

    co = co_create(spoils, &play);
    fill_mixture(&play.values.mixture);
    live_mixture_over_resume(co, &play.values.mixture);
    check_mixture(&play.values.mixture);
    assert_int_equal(co_destroy(co), 0);
}

/* ---- Loops ------------------------------------------------------------------------------------------------------- */

static void *sums_over_yield(void *argument) {
    live_sums_over_yield(co_self(), argument);
    return NULL;
}

static void check_sums(const struct live_sums *found) {
    struct live_sums expected = {.rounds = found->rounds};
    live_sums_over_yield(NULL, &expected);
    assert_memory_equal(expected.longs, found->longs, sizeof expected.longs);
    assert_memory_equal(expected.doubles, found->doubles, sizeof expected.doubles);
    assert_int_equal(expected.less, found->less);
}

/* Catches an accumulator that stays in a register over a switch in a loop, unrolled or not, and a flag that does. */
static void test_sums_in_a_loop(void **state) {
    (void)state;
    static struct play play;
    struct live_sums sums = {.rounds = 1000};
    co_t *co = co_create(sums_over_yield, &sums);
    while (co_resume(co, NULL, NULL) == CO_YIELDED)
        spoil(&play);
    check_sums(&sums);
    assert_int_equal(co_destroy(co), 0);

    co = co_create(spoils, &play);
    live_sums_over_resume(co, &sums);
    check_sums(&sums);
    assert_int_equal(co_destroy(co), 0);
}

/* ---- Masks and registers of an unknown length -------------------------------------------------------------------- */

static void *answers(void *argument) {
    struct play *play = argument;
    play->answer = play->answering(co_self());
    return NULL;
}

static void check_answers(int (*over_yield)(co_t *co), int (*over_resume)(co_t *co)) {
    static struct play play;
    play.answering = over_yield;
    co_t *co = co_create(answers, &play);
    while (co_resume(co, NULL, NULL) == CO_YIELDED)
        spoil(&play);
    assert_int_equal(co_destroy(co), 0);
    assert_int_not_equal(play.answer, 0);
    co = co_create(spoils, &play);
    assert_int_not_equal(over_resume(co), 0);
    assert_int_equal(co_destroy(co), 0);
}

/* Catches mask registers (k1 to k7, p0 to p15) that the clobber list forgets; nothing in builds that have none. */
static void test_masks(void **state) {
    (void)state;
    check_answers(live_masks_over_yield, live_masks_over_resume);
}

/* Catches SVE's and RVV's vectors, and the vector length, that it forgets; nothing in builds that have none. */
static void test_scalable(void **state) {
    (void)state;
    check_answers(live_scalable_over_yield, live_scalable_over_resume);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define ENTRY(name, type, make) cmocka_unit_test(test_##name),
        LIVE_TYPES(ENTRY)
#undef ENTRY
            cmocka_unit_test(test_mixture),
        cmocka_unit_test(test_sums_in_a_loop),
        cmocka_unit_test(test_masks),
        cmocka_unit_test(test_scalable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
