/* Catches two doors of the switch that do not agree on what a suspended coroutine is: each coroutine here is suspended
 * through one and resumed, thrown into, closed or destroyed through the other, in all combinations. */
#include "test.h"

#include <errno.h>

#include "doors.h"

static const struct door *const all_doors[] = {&door_inline, &door_out_of_line};

struct play {
    const struct door *resumer, *yielder;
    co_t *co, *resumed_by;
    int deferred, errors;
    unsigned choice; /* bits from which both sides choose a door for each switch */
};

/* Runs a test with every combination. */
static void with_all_doors(void (*test)(struct play *play)) {
    for (unsigned i = 0; i < 4; i++) {
        struct play play = {.resumer = all_doors[i & 1], .yielder = all_doors[i >> 1]};
        test(&play);
    }
}

static const struct door *choose(struct play *play) {
    play->choice = play->choice * 1103515245u + 12345u;
    return all_doors[play->choice >> 16 & 1];
}

/* ---- Values and statuses ----------------------------------------------------------------------------------------- */

/* Yields 1, 2, … and expects to be answered with the tenfold. */
static void *counts_to_five(void *argument) {
    struct play *play = argument;
    for (uintptr_t i = 1; i <= 5; i++) {
        void *in = i % 2 != 0 ? play->yielder->yield((void *)i) : play->yielder->yield_from(play->co, (void *)i);
        assert_int_equal((uintptr_t)in, i * 10);
        assert_ptr_equal(play->yielder->self(), play->co);
    }
    return argument;
}

static void values_and_statuses(struct play *play) {
    play->co = co_create(counts_to_five, play);
    void *out = NULL;
    for (uintptr_t i = 1; i <= 5; i++) {
        assert_int_equal(play->resumer->resume(play->co, i == 1 ? NULL : (void *)((i - 1) * 10), &out), CO_YIELDED);
        assert_int_equal((uintptr_t)out, i);
        assert_int_equal(co_status(play->co), CO_SUSPENDED);
        assert_null(play->resumer->self());
    }
    assert_int_equal(play->resumer->resume(play->co, (void *)50, &out), CO_RETURNED);
    assert_ptr_equal(out, play);
    assert_int_equal(play->resumer->resume(play->co, NULL, &out), -ESRCH);
    assert_ptr_equal(out, play);
    assert_int_equal(co_destroy(play->co), 0);
}

/* Catches a value or a status that is handed over in different registers. */
static void test_values_and_statuses(void **state) {
    (void)state;
    with_all_doors(values_and_statuses);
}

/* Catches a door that stores into `out` when there is none. */
static void without_out(struct play *play) {
    play->co = co_create(counts_to_five, play);
    for (uintptr_t i = 0; i < 5; i++)
        assert_int_equal(play->resumer->resume(play->co, (void *)(i * 10), NULL), CO_YIELDED);
    assert_int_equal(play->resumer->resume(play->co, (void *)50, NULL), CO_RETURNED);
    assert_int_equal(co_destroy(play->co), 0);
}

static void test_without_out(void **state) {
    (void)state;
    with_all_doors(without_out);
}

static void *yields_at_random(void *argument) {
    struct play *play = argument;
    for (uintptr_t i = 0; i < 1000; i++)
        if ((uintptr_t)choose(play)->yield((void *)i) != i * 3)
            play->errors++;
    return co_fail(EIO);
}

/* Catches what one door leaves behind that the other trips over later: both sides change doors at every switch. */
static void test_doors_at_random(void **state) {
    (void)state;
    struct play play = {.choice = 1};
    void *out = &play;
    play.co = co_create(yields_at_random, &play);
    for (uintptr_t i = 0; i < 1000; i++) {
        assert_int_equal(choose(&play)->resume(play.co, i == 0 ? NULL : (void *)((i - 1) * 3), &out), CO_YIELDED);
        assert_int_equal((uintptr_t)out, i);
    }
    assert_int_equal(choose(&play)->resume(play.co, (void *)(999 * 3), &out), -EIO);
    assert_null(out);
    assert_int_equal(play.errors, 0);
    assert_int_equal(co_destroy(play.co), 0);
}

/* ---- Ends -------------------------------------------------------------------------------------------------------- */

static void *throws_are_seen(void *argument) {
    struct play *play = argument;
    assert_null(play->yielder->yield(NULL));
    assert_int_equal(co_error(), EINTR);
    assert_ptr_equal(play->yielder->yield(NULL), play);
    assert_int_equal(co_error(), 0);
    assert_null(play->yielder->yield_from(play->co, NULL));
    assert_int_equal(co_error(), EIO);
    return argument;
}

static void throwing(struct play *play) {
    void *out = NULL;
    play->co = co_create(throws_are_seen, play);
    assert_int_equal(play->resumer->resume(play->co, NULL, &out), CO_YIELDED);
    assert_int_equal(co_throw(play->co, EINTR, &out), CO_YIELDED);
    assert_int_equal(play->resumer->resume(play->co, play, &out), CO_YIELDED);
    assert_int_equal(co_throw(play->co, EIO, &out), CO_RETURNED);
    assert_ptr_equal(out, play);
    assert_int_equal(co_destroy(play->co), 0);
}

/* Catches a pending yield of one door that co_throw, which is C, cannot come back to. */
static void test_throw(void **state) {
    (void)state;
    with_all_doors(throwing);
}

static void yields_in_vain(void *argument) {
    struct play *play = argument;
    for (unsigned i = 0; i < 4; i++) {
        const struct door *door = all_doors[i & 1];
        assert_null(i < 2 ? door->yield(play) : door->yield_from(play->co, play));
        assert_int_equal(co_error(), EPERM);
    }
    assert_ptr_equal(play->yielder->self(), play->co);
    play->deferred++;
}

static void *defers_and_yields(void *argument) {
    struct play *play = argument;
    assert_int_equal(co_defer(yields_in_vain, play), 0);
    play->yielder->yield(NULL);
    play->errors++; /* reached by a resume, not after a close */
    return NULL;
}

static void closing(struct play *play) {
    play->co = co_create(defers_and_yields, play);
    assert_int_equal(play->resumer->resume(play->co, NULL, NULL), CO_YIELDED);
    assert_int_equal(co_close(play->co), -EPERM);
    assert_int_equal(co_status(play->co), CO_DEAD);
    assert_null(co_self());
    assert_int_equal(play->deferred, 1);
    assert_int_equal(play->errors, 0);
    assert_int_equal(play->resumer->resume(play->co, NULL, NULL), -ESRCH);
    assert_int_equal(co_destroy(play->co), 0);
}

/* Catches a landing of one door that co_close redirects wrongly, and a yield of either that is not refused meanwhile.
 */
static void test_close(void **state) {
    (void)state;
    with_all_doors(closing);
}

static void destroying(struct play *play) {
    play->co = co_create(defers_and_yields, play);
    assert_int_equal(play->resumer->resume(play->co, NULL, NULL), CO_YIELDED);
    assert_int_equal(co_destroy(play->co), -EPERM);
    assert_int_equal(play->deferred, 1);
    assert_int_equal(play->errors, 0);
}

/* The same by co_destroy. */
static void test_destroy(void **state) {
    (void)state;
    with_all_doors(destroying);
}

static void ending_by_itself(struct play *play) {
    play->co = co_create(defers_and_yields, play);
    assert_int_equal(play->resumer->resume(play->co, NULL, NULL), CO_YIELDED);
    assert_int_equal(play->resumer->resume(play->co, NULL, NULL), -EPERM);
    assert_int_equal(play->deferred, 1);
    assert_int_equal(play->errors, 1);
    assert_int_equal(co_destroy(play->co), 0);
}

/* Catches a refused yield of either door that does not come straight back when the body has returned. */
static void test_refused_after_return(void **state) {
    (void)state;
    with_all_doors(ending_by_itself);
}

/* ---- Misuse, and none at all ------------------------------------------------------------------------------------- */

static void *misuses(void *argument) {
    struct play *play = argument;
    void *out = play;
    assert_int_equal(play->resumer->resume(play->co, NULL, &out), -EBUSY);
    assert_int_equal(play->resumer->resume(play->resumed_by, NULL, &out), play->resumed_by != NULL ? -EBUSY : -EINVAL);
    assert_ptr_equal(out, play);
    return NULL;
}

static void *resumes_a_misuser(void *argument) {
    struct play *inner = argument;
    inner->resumed_by = inner->yielder->self();
    assert_int_equal(inner->yielder->resume(inner->co, NULL, NULL), CO_RETURNED);
    return NULL;
}

static void misuse(struct play *play) {
    void *out = play;
    play->co = co_create(misuses, play);
    assert_int_equal(play->resumer->resume(NULL, NULL, &out), -EINVAL);
    assert_int_equal(play->resumer->resume(play->co, play, &out), -EINVAL);
    assert_ptr_equal(out, play);
    assert_int_equal(co_status(play->co), CO_SUSPENDED);
    co_t *outer = co_create(resumes_a_misuser, play);
    assert_int_equal(play->resumer->resume(outer, NULL, NULL), CO_RETURNED);
    assert_int_equal(co_destroy(play->co), 0);
    assert_int_equal(co_destroy(outer), 0);
    errno = 0;
    assert_null(play->yielder->yield(play));
    assert_int_equal(errno, EPERM);
}

/* Catches misuse that only one door notices. */
static void test_misuse(void **state) {
    (void)state;
    with_all_doors(misuse);
}

/* ---- Nested ------------------------------------------------------------------------------------------------------ */

#define DEPTH 6

struct level {
    struct level *above;
    co_t *co;
    const struct door *resumer, *yielder;
    uintptr_t seen;
};

/* Passes on what the level above yields, and what comes from below. */
static void *passes_on(void *argument) {
    struct level *level = argument;
    void *value = NULL, *in = NULL;
    while (level->above != NULL && level->resumer->resume(level->above->co, in, &value) == CO_YIELDED) {
        assert_ptr_equal(level->resumer->self(), level->co);
        in = level->yielder->yield(value);
        assert_ptr_equal(level->yielder->self(), level->co);
        level->seen += (uintptr_t)in;
    }
    for (uintptr_t i = 1; level->above == NULL && i <= 10; i++)
        level->seen += (uintptr_t)level->yielder->yield((void *)i);
    return NULL;
}

/* Catches a wrong `current` or a wrong resumer when levels of a nest use different doors. */
static void test_nested(void **state) {
    (void)state;
    for (unsigned mix = 0; mix < 1u << DEPTH; mix++) {
        struct level levels[DEPTH] = {0};
        for (unsigned i = 0; i < DEPTH; i++)
            levels[i] = (struct level){.above = i + 1 < DEPTH ? &levels[i + 1] : NULL,
                                       .co = co_create(passes_on, &levels[i]),
                                       .resumer = all_doors[mix >> i & 1],
                                       .yielder = all_doors[mix >> (DEPTH - 1 - i) & 1]};
        void *value = NULL;
        uintptr_t sum = 0, rounds = 0;
        while (co_resume(levels[0].co, rounds == 0 ? NULL : (void *)(rounds * 100), &value) == CO_YIELDED) {
            sum += (uintptr_t)value;
            rounds++;
        }
        assert_int_equal(rounds, 10);
        assert_int_equal(sum, 55);
        for (unsigned i = 0; i < DEPTH; i++) {
            assert_int_equal(levels[i].seen, 5500);
            assert_int_equal(co_destroy(levels[i].co), 0);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_and_statuses),
        cmocka_unit_test(test_without_out),
        cmocka_unit_test(test_doors_at_random),
        cmocka_unit_test(test_throw),
        cmocka_unit_test(test_close),
        cmocka_unit_test(test_destroy),
        cmocka_unit_test(test_refused_after_return),
        cmocka_unit_test(test_misuse),
        cmocka_unit_test(test_nested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
