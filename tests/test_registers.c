/* Catches a register that a switch loses: every one that a function must keep is filled with random patterns on both
 * sides, and compared after the switch, for both doors and all their combinations. */
#include "test.h"

#include "registers.h"
#include "registers_scenes.h"

/* Runs the scene with every combination of doors, both ways to yield, and with control state shared and separate. */
static void run(scene_function function) {
    static const struct door *const doors[] = {&door_inline, &door_out_of_line};
    for (unsigned i = 0; i < 16; i++) {
        struct scene scene = {
            .resumer = doors[i & 1],
            .yielder = doors[i >> 1 & 1],
            .by_handle = (int)(i >> 2 & 1),
            .options = {.flags = (i >> 3) != 0 ? CO_FPENV : 0},
            .seed = 0x9e3779b97f4a7c15u + i,
        };
        function(&scene);
        if (scene.fault != NULL) {
            print_error("%s: %s is 0x%llx and should be 0x%llx (resumed by %s, yielded by %s%s%s)\n", scene.fault,
                        scene.register_name, (unsigned long long)scene.found, (unsigned long long)scene.expected,
                        scene.resumer->name, scene.yielder->name, scene.by_handle ? ", by handle" : "",
                        scene.options.flags != 0 ? ", CO_FPENV" : "");
            fail();
        }
    }
}

/* Catches a callee-saved register that co_resume or co_yield does not restore, the first resume and the return
 * included. */
static void test_kept_over_resume_and_yield(void **state) {
    (void)state;
    run(scene_resume_and_yield);
}

/* Catches one that is lost when the pending yield is left by co_throw, or when the body then fails. */
static void test_kept_over_throw(void **state) {
    (void)state;
    run(scene_throw);
}

/* Catches one that is lost when a coroutine is closed, and on the way back from a yield that is refused meanwhile. */
static void test_kept_over_close(void **state) {
    (void)state;
    run(scene_close);
}

/* The same for co_destroy of a suspended coroutine. */
static void test_kept_over_destroy(void **state) {
    (void)state;
    run(scene_destroy);
}

/* Catches one that is lost when entry and end of a body fall into one resume. */
static void test_kept_over_a_body_that_returns_at_once(void **state) {
    (void)state;
    run(scene_no_yield);
}

/* Catches one that is lost on the paths that only report misuse. */
static void test_kept_over_misuse(void **state) {
    (void)state;
    run(scene_refused);
}

/* ---- Nested ----------------------------------------------------------------------------------------------------- */

#define DEPTH 4

struct level {
    struct level *above;
    co_t *co;
    struct registers before, after;
    const struct door *door;
    unsigned compared;
};

static void fill_level(struct level *level, unsigned salt) {
    for (uint64_t i = 0; i < registers_count; i++)
        if (registers_rows[i].kind != REGISTERS_CONTROL)
            level->before.word[i] = (uint64_t)(uintptr_t)level * (2 * i + 3) + salt;
    registers_store_control(&level->before);
}

static void compare_level(struct level *level) {
    for (uint64_t i = 0; i < registers_count; i++)
        if (((level->before.word[i] ^ level->after.word[i]) & registers_rows[i].mask) != 0) {
            print_error("%s is lost\n", registers_rows[i].name);
            fail();
        }
    level->compared++;
}

/* Resumes the level above until it returns, and yields itself after each of its yields. */
static void *nest(void *argument) {
    struct level *level = argument;
    for (unsigned round = 0; level->above == NULL ? round < 3 : 1; round++) {
        if (level->above != NULL) {
            fill_level(level, round);
            int status = (int)registers_around(&level->before, &level->after, (registers_function)level->door->resume,
                                               (uintptr_t)level->above->co, 0, 0);
            compare_level(level);
            if (status == CO_RETURNED)
                return NULL;
        }
        fill_level(level, round + 100);
        registers_around(&level->before, &level->after, (registers_function)level->door->yield, 0, 0, 0);
        compare_level(level);
    }
    return NULL;
}

/* Catches registers that are handed to the wrong level when coroutines resume coroutines. */
static void test_kept_by_each_level_of_a_nest(void **state) {
    (void)state;
    struct level levels[DEPTH] = {0};
    for (unsigned i = 0; i < DEPTH; i++) {
        levels[i].above = i + 1 < DEPTH ? &levels[i + 1] : NULL;
        levels[i].door = i % 2 != 0 ? &door_inline : &door_out_of_line;
        levels[i].co = co_create(nest, &levels[i]);
        assert_non_null(levels[i].co);
    }
    unsigned yields = 0;
    while (co_resume(levels[0].co, NULL, NULL) == CO_YIELDED)
        yields++;
    assert_int_equal(yields, 3);
    for (unsigned i = 0; i < DEPTH; i++) {
        assert_int_equal(levels[i].compared, i + 1 < DEPTH ? 7 : 3);
        assert_int_equal(co_destroy(levels[i].co), 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept_over_resume_and_yield),
        cmocka_unit_test(test_kept_over_throw),
        cmocka_unit_test(test_kept_over_close),
        cmocka_unit_test(test_kept_over_destroy),
        cmocka_unit_test(test_kept_over_a_body_that_returns_at_once),
        cmocka_unit_test(test_kept_over_misuse),
        cmocka_unit_test(test_kept_by_each_level_of_a_nest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
