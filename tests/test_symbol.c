/* Naming code addresses of this process: functions of this program and of libc, and files that are mapped here. */
#define _GNU_SOURCE
#include "symbol.h"

static char text[TEXT_BYTES];

static const char *describe(const void *address) {
    memset(text, '#', sizeof text);
    co__symbol_describe(address, text, sizeof text);
    assert_non_null(memchr(text, 0, sizeof text));
    return text;
}

static __attribute__((noinline)) int a_static_function(int number) {
    static volatile int sum;
    sum += number;
    return sum;
}

int a_global_function(int number);
__attribute__((noinline)) int a_global_function(int number) { return 3 * a_static_function(number); }

static unsigned long number_in(const char *description, const char *before) {
    const char *at = strstr(description, before);
    if (at == NULL)
        FAIL("no \"%s\" in \"%s\"", before, description);
    return strtoul(at + strlen(before), NULL, 16);
}

/* Functions that are not exported, and the number that addr2line wants. */
static void test_functions_of_this_program(void **state) {
    (void)state;
    skip_without_a_static_link();
    const uintptr_t one = (uintptr_t)a_static_function, other = (uintptr_t)a_global_function;
    assert_int_equal(a_global_function(1), 3);
    const unsigned long first = number_in(describe((const void *)one), "a_static_function (test_symbol+");
    assert_int_equal(number_in(describe((const void *)(one + 1)), "a_static_function (test_symbol+"), first + 1);
    const unsigned long second = number_in(describe((const void *)other), "a_global_function (test_symbol+");
    assert_int_equal(second - first, other - one);
    assert_int_equal(first % 4096, one % 4096);
}

static void test_function_of_libc(void **state) {
    (void)state;
    skip_without_a_static_link();
    pid_t (*volatile function)(void) = getpid;
    describe((const void *)(uintptr_t)function);
    if (strncmp(text, "test_symbol+", 12) == 0)
        skip(); /* the address is that of a stub, in a program that is not position independent */
    if (strstr(text, "getpid (") == NULL ||
        (strstr(text, "libc") == NULL && strstr(text, "ld-musl") == NULL && strstr(text, "(test_symbol+") == NULL))
        FAIL("%s", text);
}

static void test_address_in_no_file(void **state) {
    (void)state;
    skip_without_a_static_link();
    char expected[32];
    assert_string_equal(describe((const void *)1), "0x1");
    assert_string_equal(describe((const void *)UINTPTR_MAX), "0xffffffffffffffff");
    char *memory = (char *)mmap(NULL, 65536, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    snprintf(expected, sizeof expected, "%p", (void *)(memory + 5));
    assert_string_equal(describe(memory + 5), expected);
    munmap(memory, 65536);
}

/* Each of these is a file that is mapped. */
static char folder[] = "/tmp/co symbol XXXXXX";
static char path[2048];

static const char *map_file(const char *name, const void *bytes, size_t count) {
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int file = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    assert_true(file >= 0);
    assert_int_equal(write(file, bytes, count), (ssize_t)count);
    assert_int_equal(ftruncate(file, 65536), 0);
    const char *memory = (const char *)mmap(NULL, 65536, PROT_READ, MAP_PRIVATE, file, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    close(file);
    return memory;
}

static void unmap_file(const char *memory) {
    munmap((void *)(uintptr_t)memory, 65536);
    unlink(path);
}

static int make_folder(void **state) {
    (void)state;
    strcpy(folder + sizeof folder - 7, "XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state) {
    (void)state;
    return rmdir(folder);
}

static void test_files(void **state) {
    (void)state;
    skip_without_a_static_link();
    const struct crafted crafted = craft();
    char name[201], expected[TEXT_BYTES];
    const char *memory = map_file("a module", &crafted, sizeof crafted);
    assert_string_equal(describe(memory + CODE + 0x105), "target (a module+0x21105)");
    assert_string_equal(describe(memory + CODE + 0x15), "a module+0x21015");
    assert_string_equal(describe(memory + 0x15), "a module+0x15"); /* not code */
    assert_null(strstr(describe(memory + 65536), "a module"));
    unlink(path);
    if (strcmp(describe(memory + CODE + 0x105), "a module+0x1105") != 0) /* as an emulator may tell it */
        assert_string_equal(text, "a module (deleted)+0x1105");
    unmap_file(memory);

    memset(name, 0x7f, sizeof name);
    memory = map_file("garbage", name, sizeof name);
    assert_string_equal(describe(memory + CODE), "garbage+0x1000");
    unmap_file(memory);
    memory = map_file("empty\033", "", 0);
    assert_string_equal(describe(memory + CODE), "empty?+0x1000");
    unmap_file(memory);

    memset(name, 'm', sizeof name - 1);
    name[sizeof name - 1] = 0;
    memory = map_file(name, &crafted, sizeof crafted);
    snprintf(expected, sizeof expected, "target (%.100s...+0x21105)", name);
    assert_string_equal(describe(memory + CODE + 0x105), expected);
    describe(memory + CODE + 0x300);
    assert_non_null(strstr(text, "nnn... (mmm"));
    assert_string_equal(text + strlen(text) - 9, "+0x21300)");
    unmap_file(memory);
}

/* A path that is longer than the room for it. */
static void test_long_path(void **state) {
    (void)state;
    skip_without_a_static_link();
    const struct crafted crafted = craft();
    char long_name[1200] = "", expected[32];
    for (int depth = 0; depth < 5; depth++) {
        memset(long_name + strlen(long_name), 'd', 200);
        snprintf(path, sizeof path, "%s/%s", folder, long_name);
        assert_int_equal(mkdir(path, 0700), 0);
        strcat(long_name, "/");
    }
    strcat(long_name, "mmmmmmmmmm");
    const char *memory = map_file(long_name, &crafted, sizeof crafted);
    assert_true(strlen(path) > 1024);
    snprintf(expected, sizeof expected, "%p", (const void *)(memory + CODE + 0x105));
    assert_string_equal(describe(memory + CODE + 0x105), expected);
    unmap_file(memory);
    for (char *slash; (slash = strrchr(path, '/')) - path >= (ptrdiff_t)sizeof folder - 1 && slash > path;) {
        *slash = 0;
        if (strlen(path) >= sizeof folder)
            assert_int_equal(rmdir(path), 0);
    }
}

static int next_file(void) {
    int file = dup(STDERR_FILENO);
    assert_true(file >= 0);
    close(file);
    return file;
}

static void test_files_are_closed(void **state) {
    (void)state;
    skip_without_a_static_link();
    const int next = next_file();
    describe((const void *)(uintptr_t)a_static_function);
    describe((const void *)1);
    assert_int_equal(next_file(), next);
}

/* Room for a part of the text. */
static void test_small_rooms(void **state) {
    (void)state;
    skip_without_a_static_link();
    char whole[TEXT_BYTES];
    strcpy(whole, describe((const void *)(uintptr_t)a_static_function));
    for (size_t bytes = 1; bytes <= strlen(whole) + 1; bytes++) {
        memset(text, '#', sizeof text);
        co__symbol_describe((const void *)(uintptr_t)a_static_function, text, bytes);
        assert_int_equal(strlen(text), bytes - 1);
        assert_memory_equal(text, whole, bytes - 1);
        assert_int_equal(text[bytes], '#');
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_functions_of_this_program),
        cmocka_unit_test(test_function_of_libc),
        cmocka_unit_test(test_address_in_no_file),
        cmocka_unit_test_setup_teardown(test_files, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_long_path, make_folder, remove_folder),
        cmocka_unit_test(test_files_are_closed),
        cmocka_unit_test(test_small_rooms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
