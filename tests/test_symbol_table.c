/* Names from ELF files: which symbol is the right one, and files that are stripped, cut short, or nonsense. */
#define _GNU_SOURCE
#include "symbol.h"

/* A file with these bytes. It has no name. */
static int file_of(const void *bytes, size_t count) {
    int file = memfd_create("crafted", 0);
    assert_true(file >= 0);
    assert_int_equal(pwrite(file, bytes, count, 0), (ssize_t)count);
    return file;
}

struct answer {
    bool found;
    uint64_t address;
    char before, name[TEXT_BYTES];
};

static struct answer look_up(int file, uint64_t offset) {
    struct answer answer = {.before = '#'};
    memset(answer.name, '#', sizeof answer.name);
    answer.found = co__symbol_in_file(file, offset, &answer.address, answer.name, sizeof answer.name);
    assert_non_null(memchr(answer.name, 0, sizeof answer.name));
    assert_int_equal(answer.before, '#');
    return answer;
}

static struct answer look_up_in(const struct crafted *crafted, uint64_t offset) {
    int file = file_of(crafted, sizeof *crafted);
    struct answer answer = look_up(file, offset);
    close(file);
    return answer;
}

/* A neighbour's name, a name for what is no function, or an address of another segment. */
static void test_symbol_that_contains_the_address(void **state) {
    (void)state;
    skip_without_a_static_link();
    static const struct {
        uint64_t at;
        const char *name;
    } expected[] = {{0, "first"},        {0xf, "first"},      {0x10, ""},          {0xff, ""},
                    {0x100, "target"},   {0x11f, "target"},   {0x200, "resolved"}, {0x21f, "resolved"},
                    {0x220, "exported"}, {CODE_BYTES - 1, ""}};
    const struct crafted file = craft();
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const struct answer answer = look_up_in(&file, CODE + expected[i].at);
        assert_true(answer.found);
        assert_int_equal(answer.address, CODE_ADDRESS + expected[i].at);
        assert_string_equal(answer.name, expected[i].name);
    }
    assert_false(look_up_in(&file, CODE - 1).found);
    assert_false(look_up_in(&file, CODE + CODE_BYTES).found);
    assert_false(look_up_in(&file, UINT64_MAX).found);
}

static void test_stripped_file(void **state) {
    (void)state;
    skip_without_a_static_link();
    struct crafted file = craft();
    file.sections[1].sh_type = SHT_PROGBITS;
    assert_string_equal(look_up_in(&file, CODE + 0x100).name, "exported");
    file.sections[3].sh_type = SHT_PROGBITS;
    assert_string_equal(look_up_in(&file, CODE + 0x100).name, "");
}

/* A name that is written past its buffer, or that looks whole and is not. */
static void test_name_longer_than_its_buffer(void **state) {
    (void)state;
    skip_without_a_static_link();
    const struct crafted crafted = craft();
    int file = file_of(&crafted, sizeof crafted);
    for (size_t bytes = 1; bytes < LONG_NAME; bytes++) {
        char padded[8 + LONG_NAME + 1], *name = padded + 8;
        uint64_t address;
        memset(padded, '#', sizeof padded);
        assert_true(co__symbol_in_file(file, CODE + 0x300, &address, name, bytes));
        assert_int_equal(name[bytes], '#');
        assert_memory_equal(padded, "########", 8);
        assert_true(strlen(name) < bytes);
        if (bytes > 3 && bytes <= LONG_NAME - 100)
            assert_string_equal(name + strlen(name) - 3, "...");
        if (bytes > LONG_NAME - 100 + 1)
            assert_null(strchr(name, '.'));
    }
    close(file);
}

/* A read beyond the end that is believed. */
static void test_every_shorter_file(void **state) {
    (void)state;
    skip_without_a_static_link();
    const struct crafted crafted = craft();
    int file = file_of(&crafted, sizeof crafted);
    for (size_t bytes = sizeof crafted; bytes-- > 0;) {
        assert_int_equal(ftruncate(file, (off_t)bytes), 0);
        const struct answer answer = look_up(file, CODE + 0x100);
        assert_int_equal(answer.found, bytes >= offsetof(struct crafted, sections));
        if (bytes >= offsetof(struct crafted, strings) + 14)
            assert_true(strcmp(answer.name, "target") == 0);
        else
            assert_true(strncmp(answer.name, "target", strlen(answer.name)) == 0);
        if (bytes < offsetof(struct crafted, symbols[33]))
            assert_string_equal(answer.name, "");
    }
    close(file);
}

/* A loop without end, or a crash, by any one bit or byte. */
static void test_every_changed_byte(void **state) {
    (void)state;
    skip_without_a_static_link();
    static const unsigned char masks[] = {1, 2, 4, 8, 16, 32, 64, 128, 255};
    const struct crafted crafted = craft();
    int file = file_of(&crafted, sizeof crafted);
    for (size_t at = 0; at < offsetof(struct crafted, strings); at++) {
        unsigned char byte = ((const unsigned char *)&crafted)[at];
        for (size_t i = 0; i < sizeof masks; i++) {
            const unsigned char changed = byte ^ masks[i];
            assert_int_equal(pwrite(file, &changed, 1, (off_t)at), 1);
            const struct answer answer = look_up(file, CODE + 0x100);
            assert_true(at > EI_DATA || !answer.found); /* another format */
        }
        assert_int_equal(pwrite(file, &byte, 1, (off_t)at), 1);
    }
    assert_string_equal(look_up(file, CODE + 0x100).name, "target");
    close(file);
}

/* Sums that wrap around, and counts that would take years. */
static void test_extreme_numbers(void **state) {
    (void)state;
    skip_without_a_static_link();
    static const uint64_t extremes[] = {INT64_MAX - 63, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX - 63,
                                        UINT64_MAX};
    for (size_t i = 0; i < sizeof extremes / sizeof extremes[0]; i++) {
        struct crafted file = craft();
        file.header.e_phoff = extremes[i];
        assert_false(look_up_in(&file, CODE + 0x100).found);
        file = craft();
        file.header.e_shoff = extremes[i];
        assert_string_equal(look_up_in(&file, CODE + 0x100).name, "");
        file = craft();
        file.segments[2].p_filesz = extremes[i];
        file.sections[2].sh_size = extremes[i];
        assert_string_equal(look_up_in(&file, CODE + 0x100).name, "target");
        assert_string_equal(look_up_in(&file, CODE + 0x700).name, "");
        assert_false(look_up_in(&file, CODE - 2).found);
        file = craft();
        file.sections[1].sh_size = extremes[i];
        assert_string_equal(look_up_in(&file, CODE + 0x100).name, "exported");
        file = craft();
        file.sections[1].sh_offset = extremes[i];
        file.dynamic[1].st_size = extremes[i];
        assert_string_equal(look_up_in(&file, CODE + 0x100).name, "exported");
        file = craft();
        file.sections[2].sh_offset = extremes[i];
        file.sections[3].sh_type = SHT_NULL;
        assert_string_equal(look_up_in(&file, CODE + 0x100).name, "");
        file = craft();
        file.symbols[3] = symbol(1, STT_FUNC, extremes[i] - CODE_ADDRESS, extremes[i]);
        assert_string_equal(look_up_in(&file, CODE + 0x100).name, "target");
    }
    struct crafted file = craft();
    file.header.e_shnum = file.header.e_phnum = UINT16_MAX;
    file.sections[1].sh_link = UINT32_MAX;
    file.symbols[32].st_name = UINT32_MAX;
    assert_string_equal(look_up_in(&file, CODE + 0x100).name, "exported");
    file.sections[1].sh_link = 2;
    file.sections[3].sh_type = SHT_NULL;
    assert_string_equal(look_up_in(&file, CODE + 0x100).name, "");
    file.header.e_phentsize = 0;
    assert_false(look_up_in(&file, CODE + 0x100).found);
    file = craft();
    file.header.e_shentsize = 0;
    file.header.e_shnum = UINT16_MAX;
    assert_string_equal(look_up_in(&file, CODE + 0x100).name, "");
    file = craft();
    file.sections[1].sh_entsize = 0;
    assert_string_equal(look_up_in(&file, CODE + 0x100).name, "exported");
}

/* What lies behind a table of sections or of names. */
static void test_small_tables(void **state) {
    (void)state;
    skip_without_a_static_link();
    struct crafted file = craft();
    file.sections[3].sh_type = SHT_NULL;
    file.sections[2].sh_size = 10;
    assert_string_equal(look_up_in(&file, CODE + 0x100).name, "tar");
    file.sections[2].sh_size = 5;
    assert_string_equal(look_up_in(&file, CODE + 0x100).name, "");
    file = craft();
    file.header.e_shnum = 1;
    assert_string_equal(look_up_in(&file, CODE + 0x100).name, "");
}

/* A table that is larger than a handler has time for: 800 MB of zeros, which nothing stores. */
static void test_huge_table(void **state) {
    (void)state;
    skip_without_a_static_link();
    enum { MANY = 1 << 25 };
    struct crafted crafted = craft();
    const Elf64_Sym last = symbol(7, STT_FUNC, 0x600, 0x20);
    const uint64_t start = sizeof crafted;
    crafted.sections[1].sh_offset = start;
    crafted.sections[1].sh_size = MANY * sizeof last;
    int file = file_of(&crafted, sizeof crafted);
    assert_int_equal(pwrite(file, &last, sizeof last, (off_t)(start + (MANY - 1) * sizeof last)), sizeof last);
    assert_string_equal(look_up(file, CODE + 0x600).name, "");
    assert_int_equal(pwrite(file, &last, sizeof last, (off_t)(start + MANY / 4 * sizeof last)), sizeof last);
    assert_string_equal(look_up(file, CODE + 0x600).name, "target");
    close(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_symbol_that_contains_the_address),
        cmocka_unit_test(test_stripped_file),
        cmocka_unit_test(test_name_longer_than_its_buffer),
        cmocka_unit_test(test_every_shorter_file),
        cmocka_unit_test(test_every_changed_byte),
        cmocka_unit_test(test_extreme_numbers),
        cmocka_unit_test(test_small_tables),
        cmocka_unit_test(test_huge_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
