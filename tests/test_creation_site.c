/* Where a coroutine was created: kept for every way of creating one, and in the language's own forms of a call. */
#include "support.h"

static void *nothing(void *arg) { return arg; }

static const char *file_and_line(int line) {
    static char text[512];
    snprintf(text, sizeof text, "%s:%d", __FILE__, line);
    return text;
}

/* A macro that tells its own place, or a line that is not the call's. */
static void test_macro_tells_the_call(void **state) {
    (void)state;
    co_t *first = co_create(nothing, NULL);
    const int line = __LINE__ - 1;
    co_t *second = co_create(nothing, NULL);
    assert_string_equal(co_site(first), file_and_line(line));
    assert_string_equal(co_site(second), file_and_line(line + 2));
    assert_int_equal(co_destroy(first), 0);
    assert_int_equal(co_destroy(second), 0);
}

/* Arguments with commas of their own, which a macro of two parameters would split. */
static void test_arguments_with_commas(void **state) {
    (void)state;
    void *out = NULL;
    int numbers[2] = {1, 2};
    co_t *co = co_create(nothing, (void *)(uintptr_t)&((struct { int *at, *other; }){numbers, numbers + 1}).at[0]);
    assert_int_equal(co_resume(co, NULL, &out), CO_RETURNED);
    assert_ptr_equal(out, numbers);
    assert_int_equal(co_destroy(co), 0);
}

/* The symbol, for bindings and for pointers to it: it works, and it names no text. */
static void test_function_without_the_macro(void **state) {
    (void)state;
    co_t *(*pointer)(co_fn, void *) = co_create;
    co_t *by_pointer = pointer(nothing, NULL);
    co_t *by_name = (co_create)(nothing, NULL);
    assert_non_null(by_pointer);
    assert_non_null(by_name);
    assert_null(co_site(by_pointer));
    assert_null(co_site(by_name));
    assert_int_equal(co_resume(by_pointer, NULL, NULL), CO_RETURNED);
    assert_int_equal(co_destroy(by_pointer), 0);
    assert_int_equal(co_destroy(by_name), 0);
}

static void test_given_sites(void **state) {
    (void)state;
    static const char mine[] = "a place";
    co_t *at = co_create_at(mine, nothing, NULL);
    co_t *nowhere = co_create_at(NULL, nothing, NULL);
    co_t *with = co_create_with(&(co_options_t){.site = CO_HERE}, nothing, NULL);
    const int line = __LINE__ - 1;
    co_t *without = co_create_with(NULL, nothing, NULL);
    assert_ptr_equal(co_site(at), mine);
    assert_null(co_site(nowhere));
    assert_string_equal(co_site(with), file_and_line(line));
    assert_null(co_site(without));
    assert_null(co_site(NULL));
    co_t *all[] = {at, nowhere, with, without};
    for (int i = 0; i < 4; i++)
        assert_int_equal(co_destroy(all[i]), 0);
}

/* A stack that is used again tells of its former owner. */
static void test_site_of_a_reused_stack(void **state) {
    (void)state;
    static unsigned char memory[64 * 1024];
    for (int i = 0; i < 4; i++) {
        co_t *named = co_create_at("first", nothing, NULL);
        assert_string_equal(co_site(named), "first");
        assert_int_equal(co_destroy(named), 0);
        co_t *unnamed = (co_create)(nothing, NULL);
        assert_null(co_site(unnamed));
        assert_int_equal(co_destroy(unnamed), 0);
        const co_options_t options = {.stack = memory, .stack_bytes = sizeof memory, .site = i % 2 ? NULL : "mine"};
        co_t *on_mine = co_create_with(&options, nothing, NULL);
        assert_ptr_equal(co_site(on_mine), options.site);
        assert_int_equal(co_destroy(on_mine), 0);
    }
}

static void test_dead_coroutines_still_tell(void **state) {
    (void)state;
    co_t *co = co_create_at("here", nothing, NULL);
    assert_int_equal(co_resume(co, NULL, NULL), CO_RETURNED);
    assert_string_equal(co_site(co), "here");
    assert_int_equal(co_destroy(co), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_macro_tells_the_call),       cmocka_unit_test(test_arguments_with_commas),
        cmocka_unit_test(test_function_without_the_macro), cmocka_unit_test(test_given_sites),
        cmocka_unit_test(test_site_of_a_reused_stack),     cmocka_unit_test(test_dead_coroutines_still_tell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
