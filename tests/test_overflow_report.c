/* co_catch_overflow: what is an overflow, and what is said about it. */
#define _GNU_SOURCE
#include "overflow.h"

#include <sys/mman.h>
#include <sys/socket.h>

#define KIB ((size_t)1024)

/* ---- The message --------------------------------------------------------------------------------------------- */

static const char *parser_site;

static void overflow_parser(void) {
    catch_or_exit();
    const co_options_t options = {.stack_bytes = 64 * KIB, .name = "parser", .site = parser_site};
    run(co_create_with(&options, overflow_body, NULL));
}

/* Steps over `text`, which must stand at *at. */
static void expect(const char **at, const char *text) {
    if (strncmp(*at, text, strlen(text)) != 0)
        FAIL("expected \"%s\" and not:\n%s", text, *at);
    *at += strlen(text);
}

static unsigned long expect_number(const char **at, int base) {
    char *end;
    unsigned long number = strtoul(*at, &end, base);
    if (end == *at)
        FAIL("expected a number and not:\n%s", *at);
    *at = end;
    return number;
}

/* The function's name, perhaps with the suffix of a compiler's clone, and where that is. */
static void expect_function(const char **at, const char *name) {
    expect(at, name);
    *at += strcspn(*at, " \n");
    expect(at, " (test_overflow_report+0x");
    assert_true(expect_number(at, 16) > 0);
    expect(at, ")");
}

/* ": its … bytes of stack …" to the end of the message. */
static void expect_end(const char **at, size_t stack_bytes, const char *function) {
    char doubled[64];
    expect(at, ": its ");
    unsigned long bytes = expect_number(at, 10);
    assert_in_range(bytes, stack_bytes, stack_bytes + 64 * KIB);
    expect(at, " bytes of stack do not hold ");
#ifdef TEST_SANITIZED /* a function of theirs may be the last that was called */
    *at = strchr(*at, ')') + (function != NULL);
#else
    expect_function(at, function);
#endif
    expect(at, ".\nlibco: create it with a larger stack (co_options_t.stack_bytes = ");
    snprintf(doubled, sizeof doubled, "%lu", 2 * bytes);
    expect(at, doubled);
    expect(at, ", say), or keep large arrays out of its functions and bound its recursion.\n");
    if (!at_end(*at))
        FAIL("expected the end and not:\n%s", *at);
}

/* A part that is missing, or that belongs to something else. */
static void test_message_is_complete(void **state) {
    (void)state;
    parser_site = CO_HERE;
    const struct child child = run_in_child(overflow_parser);
    const char *at = child.text;
    assert_dead(&child);
    expect(&at, REPORT "\"parser\" (0x");
    assert_true(expect_number(&at, 16) > 0);
    expect(&at, "), created at ");
    expect(&at, parser_site);
    expect_end(&at, 64 * KIB, "recurse");
}

static NOINLINE void create_without_site(void) {
    co_t *(*volatile create)(const co_options_t *, co_fn, void *) = co_create_with; /* inlined it has no caller */
    run(create(NULL, overflow_body, NULL));
    say("returned"); /* no tail call */
}

static void overflow_without_site(void) {
    catch_or_exit();
    create_without_site();
}

/* Neither name nor site, which must not be read then: the creating function takes the site's place. */
static void test_creating_function_is_told(void **state) {
    (void)state;
    const struct child child = run_in_child(overflow_without_site);
    const char *at = child.text;
    assert_dead(&child);
    expect(&at, REPORT "0x");
    assert_true(expect_number(&at, 16) > 0);
    expect(&at, ", created in ");
    expect_function(&at, "create_without_site");
    expect_end(&at, 128 * KIB, "recurse");
}

static char long_text[3000];

static void overflow_with_long_texts(void) {
    catch_or_exit();
    const co_options_t options = {.name = long_text, .site = long_text};
    run(co_create_with(&options, overflow_body, NULL));
}

/* Texts of any length and with any bytes: the rest of the message is still there, and it has two lines. */
static void test_long_texts(void **state) {
    (void)state;
    memset(long_text, 'x', sizeof long_text - 1);
    memcpy(long_text, "first\nline\033[31m\177", 16);
    memcpy(long_text + sizeof long_text - 6, "parse", 5);
    const struct child child = run_in_child(overflow_with_long_texts);
    const char *at = child.text;
    assert_dead(&child);
    expect(&at, REPORT "\"first?line?[31m?xx");
    at += strspn(at, "x");
    expect(&at, "...\" (0x");
    at = strstr(at, "), created at ");
    assert_non_null(at);
    expect(&at, "), created at ...xxxx");
    at += strspn(at, "x");
    expect(&at, "parse");
    expect_end(&at, 128 * KIB, "recurse");
}

/* As when several threads' messages would mix: one datagram holds it all. */
static int datagrams[2];

static void overflow_into_datagrams(void) {
    dup2(datagrams[1], STDERR_FILENO);
    catch_and_overflow();
}

static void assert_no_more_datagrams(void) {
    char text[4096] = "";
    ssize_t bytes = recv(datagrams[0], text, sizeof text - 1, MSG_DONTWAIT);
    assert_true(bytes < 0 || at_end(text));
    assert_null(strstr(text, "libco"));
    close(datagrams[0]);
    close(datagrams[1]);
}

static void test_message_is_one_write(void **state) {
    (void)state;
    char text[4096];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, datagrams), 0);
    const struct child child = run_in_child(overflow_into_datagrams);
    assert_dead(&child);
    ssize_t bytes = recv(datagrams[0], text, sizeof text - 1, MSG_DONTWAIT);
    assert_true(bytes > 0);
    text[bytes] = 0;
    assert_ptr_equal(strstr(text, REPORT), text);
    assert_string_equal(strstr(text, " and bound its"), " and bound its recursion.\n");
    assert_no_more_datagrams();
}

/* ---- Ways to overflow ---------------------------------------------------------------------------------------- */

static NOINLINE int recurse_by_pages(int depth) {
    volatile char used[4096];
    used[0] = (char)depth;
    int below = without_end ? recurse_by_pages((depth + 1) % 100) : 0;
    return below + used[0];
}

static void *overflow_by_pages_body(void *arg) { return recurse_by_pages(1) != 0 ? arg : NULL; }

static void overflow_by_pages(void) {
    catch_or_exit();
    run(co_create(overflow_by_pages_body, NULL));
}

/* Frames that may lie in the guard as a whole. */
static void test_frames_of_a_page(void **state) {
    (void)state;
    const struct child child = run_in_child(overflow_by_pages);
    assert_dead_with_report(&child);
    assert_said(&child, "do not hold recurse_by_pages", 1);
}

static void recurse_deferred(void *arg) { recurse(arg == NULL); }

static void *defer_and_return(void *arg) {
    co_defer(recurse_deferred, NULL);
    return arg;
}

static void overflow_in_a_deferred_call(void) {
    catch_or_exit();
    run(co_create(defer_and_return, NULL));
}

static void *defer_and_yield(void *arg) {
    co_defer(recurse_deferred, NULL);
    return co_yield (arg);
}

static void overflow_while_closing(void) {
    catch_or_exit();
    co_t *co = co_create(defer_and_yield, NULL);
    run(co);
    co_close(co);
}

/* "Current" that does not hold after the body, or while another closes the coroutine. */
static void test_deferred_calls(void **state) {
    (void)state;
    const struct child returned = run_in_child(overflow_in_a_deferred_call);
    assert_dead_with_report(&returned);
    const struct child closed = run_in_child(overflow_while_closing);
    assert_dead_with_report(&closed);
}

static const char *const nested_names[] = {"outer", "middle", "inner"};

static void *nest(void *arg) {
    intptr_t depth = number_of(arg);
    const co_options_t options = {.name = nested_names[depth], .stack_bytes = 64 * KIB};
    run(co_create_with(&options, depth < 2 ? nest : overflow_body, value_of(depth + 1)));
    return arg;
}

static void overflow_nested(void) {
    catch_or_exit();
    run(co_create(nest, NULL));
}

/* A resumer in the place of the coroutine that runs. */
static void test_innermost_is_named(void **state) {
    (void)state;
    const struct child child = run_in_child(overflow_nested);
    assert_dead_with_report(&child);
    assert_said(&child, "\"inner\"", 1);
}

static void *use_and_yield(void *arg) {
    without_end = false;
    recurse(1);
    without_end = true;
    return co_yield (arg);
}

/* A guard that is lost when a stack is used again. */
static void test_reused_stacks(void **state) {
    (void)state;
    co_t *all[8];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 8; i++) {
            all[i] = co_create(use_and_yield, NULL);
            assert_int_equal(co_resume(all[i], NULL, NULL), CO_YIELDED);
        }
        for (int i = 0; i < 8; i++)
            assert_int_equal(co_destroy(all[i]), 0);
    }
    for (int i = 0; i < 2; i++) {
        const struct child child = run_in_child(catch_and_overflow);
        assert_dead_with_report(&child);
    }
}

/* ---- What is not an overflow --------------------------------------------------------------------------------- */

static int *volatile nowhere = (int *)64; /* as a member of what a NULL points to */

static void *write_nowhere(void *arg) {
    *nowhere = 1;
    return arg;
}

static void fault_inside(void) {
    catch_or_exit();
    run(co_create(write_nowhere, NULL));
}

static void fault_outside(void) {
    catch_or_exit();
    write_nowhere(NULL);
}

static void test_null_dereference_is_passed_on(void **state) {
    (void)state;
    const struct child inside = run_in_child(fault_inside);
    assert_dead_in_silence(&inside);
    const struct child outside = run_in_child(fault_outside);
    assert_dead_in_silence(&outside);
}

/* The highest byte below `inside` that may not be touched. */
static volatile char *guard_below(const void *inside) {
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t address = (uintptr_t)inside / page * page;
    while (readable((const void *)address))
        address -= page;
    return (volatile char *)(address + page - 1);
}

static void *write_below_the_stack(void *arg) {
    *guard_below(__builtin_frame_address(0)) = 1;
    return arg;
}

static void fault_in_the_guard(void) {
    catch_or_exit();
    run(co_create(write_below_the_stack, NULL));
}

/* A wild pointer that happens to lead into the guard: a larger stack would be the wrong advice. */
static void test_stray_write_into_the_guard_is_passed_on(void **state) {
    (void)state;
    const struct child child = run_in_child(fault_in_the_guard);
    assert_dead_in_silence(&child);
}

static char *elsewhere; /* where the innermost frame writes */

static NOINLINE int write_at_the_low_end(uintptr_t low) {
    volatile char used[256];
    used[0] = 1;
    if ((uintptr_t)used < low + 2048)
        *(volatile char *)elsewhere = 1;
    else
        used[0] = (char)write_at_the_low_end(low);
    return used[0];
}

static void *use_all_but_a_little(void *arg) {
    uintptr_t low = (uintptr_t)guard_below(__builtin_frame_address(0)) + 1;
    return write_at_the_low_end(low) != 0 ? arg : NULL;
}

static void fault_at_the_low_end(void) {
    catch_or_exit();
    run(co_create(use_all_but_a_little, NULL));
}

/* A fault above or below the guard by a coroutine that has used nearly all of its stack, and no more. */
static void test_other_faults_near_the_low_end_are_passed_on(void **state) {
    (void)state;
    if (under_valgrind())
        skip(); /* it does not repeat an instruction with all its registers as they were */
    const size_t bytes = 65536;
    elsewhere = (char *)64;
    const struct child below = run_in_child(fault_at_the_low_end);
    assert_dead_in_silence(&below);
    elsewhere = (char *)mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); /* later mappings lie below */
    assert_ptr_not_equal(elsewhere, MAP_FAILED);
    const struct child above = run_in_child(fault_at_the_low_end);
    assert_dead_in_silence(&above);
    munmap(elsewhere, bytes);
}

static void fault_in_the_others_guard(void) {
    catch_or_exit();
    *guard_below(co_create(overflow_body, NULL)) = 1;
}

/* Outside of coroutines there is nobody to name. */
static void test_guard_of_another_is_passed_on(void **state) {
    (void)state;
    const struct child child = run_in_child(fault_in_the_others_guard);
    assert_dead_in_silence(&child);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_message_is_complete),
        cmocka_unit_test(test_creating_function_is_told),
        cmocka_unit_test(test_long_texts),
        cmocka_unit_test(test_message_is_one_write),
        cmocka_unit_test(test_frames_of_a_page),
        cmocka_unit_test(test_deferred_calls),
        cmocka_unit_test(test_innermost_is_named),
        cmocka_unit_test(test_reused_stacks),
        cmocka_unit_test(test_null_dereference_is_passed_on),
        cmocka_unit_test(test_stray_write_into_the_guard_is_passed_on),
        cmocka_unit_test(test_other_faults_near_the_low_end_are_passed_on),
        cmocka_unit_test(test_guard_of_another_is_passed_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
