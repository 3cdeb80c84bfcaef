/* Generators that begin a chain: numbers, arrays, lines. */
#define _GNU_SOURCE
#include "itertools.h"

/* An end that is one off, a step that is taken for its magnitude, and an overflow near the ends of long. */
static void test_range(void **state) {
    (void)state;
    static const long ends[] = {LONG_MIN, LONG_MIN + 1, -7, -1, 0, 1, 2, 10, LONG_MAX - 1, LONG_MAX};
    static const long steps[] = {LONG_MIN, -3, -2, -1, 1, 2, 3, 7, LONG_MAX};
    for (size_t a = 0; a < sizeof ends / sizeof *ends; a++)
        for (size_t b = 0; b < sizeof ends / sizeof *ends; b++)
            for (size_t c = 0; c < sizeof steps / sizeof *steps; c++) {
                CO_GEN(long) range = co_range(ends[a], ends[b], steps[c]);
                assert_non_null(range);
                long x = 0, wanted = ends[a];
                bool fits = true;
                for (int i = 0; i < 20; i++, fits = !__builtin_add_overflow(wanted, steps[c], &wanted)) {
                    bool more = fits && (steps[c] > 0 ? wanted < ends[b] : wanted > ends[b]);
                    assert_int_equal(CO_NEXT(range, &x), more);
                    if (!more)
                        break;
                    assert_true(x == wanted);
                }
                assert_int_equal(CO_GEN_DESTROY(range), 0);
            }
    errno = 0;
    assert_null(co_range(0, 1, 0));
    assert_int_equal(errno, EINVAL);
}

/* A count that wraps around, or that ends a number early. */
static void test_count(void **state) {
    (void)state;
    expect_items(CO_TAKE(co_count(5, -3), 4), 0, 5, 2, -1, -4);
    expect_items(CO_TAKE(co_count(5, 0), 3), 0, 5, 5, 5);
    expect_items(co_count(LONG_MAX - 2, 2), -EOVERFLOW, LONG_MAX - 2, LONG_MAX);
    expect_items(co_count(LONG_MIN + 3, -2), -EOVERFLOW, LONG_MIN + 3, LONG_MIN + 1);
    expect_items(co_count(LONG_MIN, LONG_MIN), -EOVERFLOW, LONG_MIN);
    expect_items(co_count(0, LONG_MIN), -EOVERFLOW, 0, LONG_MIN);
}

/* Elements of every size, read behind the end or not as they are when they are stepped to. */
static void test_array(void **state) {
    (void)state;
    static const signed char bytes[] = {-1, 2, -3};
    struct point two[] = {{1, 2, 3}, {4, 5, 6}};
    long changing[] = {1, 2};
    int n = 0;
    CO_FOR(signed char, x, CO_FROM_ARRAY(bytes, 3))
        assert_int_equal(x, bytes[n++]);
    assert_int_equal(n, 3);
    n = 0;
    CO_FOR(struct point, p, CO_FROM_ARRAY(two, 2))
        assert_memory_equal(&p, &two[n++], sizeof p);
    assert_int_equal(n, 2);
    CO_FOR(long, x, CO_FROM_ARRAY(changing, 2)) {
        changing[1] = 7;
        n = (int)x;
    }
    assert_int_equal(n, 7);
    expect_none(CO_FROM_ARRAY(changing, 0), 0);
    expect_none(CO_FROM_ARRAY((long *)NULL, 0), 0);
    errno = 0;
    assert_null(CO_FROM_ARRAY((long *)NULL, 1));
    assert_int_equal(errno, EINVAL);
}

static FILE *file_of(const char *text, size_t length) {
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, length, file), length);
    rewind(file);
    return file;
}

static void expect_lines(const char *text, size_t length, int status, size_t count, const char *const *expected) {
    FILE *file = file_of(text, length);
    CO_GEN(const char *) lines = co_lines(file);
    const char *line = NULL;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(CO_NEXT(lines, &line), 1);
        assert_string_equal(line, expected[i]);
    }
    assert_int_equal(CO_NEXT(lines, &line), status);
    assert_int_equal(CO_NEXT(lines, &line), 0);
    assert_int_equal(CO_GEN_DESTROY(lines), 0);
    fclose(file);
}

/* A last line without a newline that is lost, an empty one that is made up, or a null byte that hides a line's rest. */
static void test_lines(void **state) {
    (void)state;
    expect_lines("", 0, 0, 0, NULL);
    expect_lines("\n", 1, 0, 1, (const char *const[]){""});
    expect_lines("a", 1, 0, 1, (const char *const[]){"a"});
    expect_lines("a\n", 2, 0, 1, (const char *const[]){"a"});
    expect_lines("a\n\nbc\r\nd", 8, 0, 4, (const char *const[]){"a", "", "bc\r", "d"});
    expect_lines("a\nb\0c\n", 6, -EILSEQ, 1, (const char *const[]){"a"});
    errno = 0;
    assert_null(co_lines(NULL));
    assert_int_equal(errno, EINVAL);
}

/* A line that is cut where the buffer grows. */
static void test_lines_of_any_length(void **state) {
    (void)state;
    enum { LONGEST = 300 };
    char text[LONGEST * (LONGEST + 1) / 2 + LONGEST];
    size_t length = 0, expected = 0;
    for (size_t n = 0; n < LONGEST; n++) {
        memset(text + length, 'x', n);
        length += n;
        text[length++] = '\n';
    }
    FILE *file = file_of(text, length);
    CO_FOR(const char *, line, co_lines(file)) {
        assert_int_equal(strlen(line), expected);
        expected++;
    }
    assert_int_equal(expected, LONGEST);
    fclose(file);
}

/* An error of reading that is taken for the end, or the other way round, also after an earlier one. */
static void test_lines_that_cannot_be_read(void **state) {
    (void)state;
    FILE *file = fopen(".", "r");
    const char *line;
    assert_non_null(file);
    CO_GEN(const char *) lines = co_lines(file);
    assert_int_equal(CO_NEXT(lines, &line), -EISDIR);
    assert_int_equal(CO_NEXT(lines, &line), 0);
    assert_int_equal(CO_GEN_DESTROY(lines), 0);
    fclose(file);
    file = fopen("/dev/null", "w");
    assert_non_null(file);
    lines = co_lines(file);
    assert_true(CO_NEXT(lines, &line) < 0); /* not every C library says why */
    assert_int_equal(CO_GEN_DESTROY(lines), 0);
    fclose(file);
    file = fopen("/dev/null", "r");
    assert_non_null(file);
    assert_int_equal(fputc('x', file), EOF);
    assert_true(ferror(file));
    lines = co_lines(file);
    assert_int_equal(CO_NEXT(lines, &line), 0);
    assert_int_equal(CO_GEN_DESTROY(lines), 0);
    fclose(file);
}

/* Gives "a\nb" and then an error. */
static ssize_t read_once(void *cookie, char *buffer, size_t bytes) {
    int *reads = cookie;
    if ((*reads)++ == 0 && bytes >= 3) {
        memcpy(buffer, "a\nb", 3);
        return 3;
    }
    errno = EBUSY;
    return -1;
}

/* An error of reading that is taken for the -EBUSY of a source that executes, or a piece of a line for a line; and an
 * errno that is not the caller's any more. */
static void test_lines_of_a_busy_file(void **state) {
    (void)state;
    const char *line = NULL;
    int reads = 0;
    FILE *file = fopencookie(&reads, "r", (cookie_io_functions_t){.read = read_once});
    assert_non_null(file);
    CO_GEN(const char *) lines = co_lines(file);
    errno = ENOTTY;
    assert_int_equal(CO_NEXT(lines, &line), 1);
    assert_string_equal(line, "a");
    assert_int_equal(CO_NEXT(lines, &line), -EBUSY);
    assert_int_equal(errno, ENOTTY);
    assert_int_equal(CO_GEN_STATE(lines), CO_GEN_DONE);
    assert_int_equal(CO_NEXT(lines, &line), 0);
    assert_int_equal(CO_GEN_DESTROY(lines), 0);
    fclose(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_range),
        cmocka_unit_test(test_count),
        cmocka_unit_test(test_array),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_lines_of_any_length),
        cmocka_unit_test(test_lines_that_cannot_be_read),
        cmocka_unit_test(test_lines_of_a_busy_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
