/* Items of every size, through every way that an item takes: CO_EMIT and CO_EMIT_TO, delegation, the typed and the
 * untyped calls, loops. */
#define _GNU_SOURCE
#include "generators.h"

#include <limits.h>

struct three {
    unsigned char bytes[3];
};

struct large {
    long numbers[25];
};

struct over_aligned {
    _Alignas(16) char byte;
    char filling[20];
};

enum colour { RED, GREEN, BLUE };

/* For a type T: `make` has an item from a number, `is` tells whether it is that item. */
#define ITEM_TEST(name, T, make, is)                                                                                   \
    static void name##_deeper(CO_GEN(T) self, long i) { CO_EMIT_TO(self, make(i)); }                                   \
    static CO_GENERATOR(name##_items, T, (long, first), (long, end)) {                                                 \
        for (long i = first; i < end; i++) {                                                                           \
            if (i % 2 == 0)                                                                                            \
                CO_EMIT(make(i));                                                                                      \
            else                                                                                                       \
                name##_deeper(CO_SELF, i);                                                                             \
        }                                                                                                              \
    }                                                                                                                  \
    static CO_GENERATOR(name##_delegates, T) {                                                                         \
        name##_deeper(CO_SELF, 0);                                                                                     \
        CO_FROM(name##_items(1, 5), NULL);                                                                             \
        CO_EMIT(make(5));                                                                                              \
        CO_FROM(name##_items(6, 9), NULL);                                                                             \
    }                                                                                                                  \
    /* An item that is cut, or that is read where it no longer is. */                                                  \
    static void test_items_##name(void **state) {                                                                      \
        (void)state;                                                                                                   \
        struct {                                                                                                       \
            char before[8];                                                                                            \
            T item;                                                                                                    \
            char after[8];                                                                                             \
        } place = {"before!", make(0), "after!!"};                                                                     \
        CO_GEN(T) generator = name##_delegates();                                                                      \
        for (long i = 0; i < 9; i++) {                                                                                 \
            int status = i % 3 == 0   ? CO_NEXT(generator, &place.item)                                                \
                         : i % 3 == 1 ? CO_THROW(generator, EIO, &place.item)                                          \
                                      : CO_SEND(generator, value_of(i), &place.item);                                  \
            assert_int_equal(status, 1);                                                                               \
            assert_true(is(place.item, i));                                                                            \
            assert_string_equal(place.before, "before!");                                                              \
            assert_string_equal(place.after, "after!!");                                                               \
        }                                                                                                              \
        assert_int_equal(CO_NEXT(generator, &place.item), 0);                                                          \
        assert_true(is(place.item, 8));                                                                                \
        assert_int_equal(CO_GEN_DESTROY(generator), 0);                                                                \
        generator = name##_delegates();                                                                                \
        for (long i = 0; i < 9; i++) {                                                                                 \
            assert_int_equal(co_gen_next(CO_GEN_UNTYPED(generator)), 1);                                               \
            memcpy((void *)&place.item, co_gen_item(CO_GEN_UNTYPED(generator)), sizeof place.item);                    \
            assert_true(is(place.item, i));                                                                            \
        }                                                                                                              \
        assert_int_equal(co_gen_next(CO_GEN_UNTYPED(generator)), 0);                                                   \
        assert_int_equal(CO_GEN_DESTROY(generator), 0);                                                                \
        long count = 0;                                                                                                \
        CO_FOR(T, item, name##_delegates()) {                                                                          \
            assert_true(is(item, count));                                                                              \
            count++;                                                                                                   \
        }                                                                                                              \
        assert_int_equal(count, 9);                                                                                    \
    }

static char make_char(long i) { return (char)('a' + i); }
static bool is_char(char item, long i) { return item == make_char(i); }
ITEM_TEST(char, char, make_char, is_char)

static bool make_bool(long i) { return i % 3 == 1; }
static bool is_bool(bool item, long i) { return item == make_bool(i); }
ITEM_TEST(bool, bool, make_bool, is_bool)

static short make_short(long i) { return (short)(-1000 * i); }
static bool is_short(short item, long i) { return item == make_short(i); }
ITEM_TEST(short, short, make_short, is_short)

static int make_int(long i) { return (int)(i * -200000000); }
static bool is_int(int item, long i) { return item == make_int(i); }
ITEM_TEST(int, int, make_int, is_int)

static long make_long(long i) { return LONG_MIN / 9 * i; }
static bool is_long(long item, long i) { return item == make_long(i); }
ITEM_TEST(long, long, make_long, is_long)

static float make_float(long i) { return (float)i / 3; }
static bool is_float(float item, long i) { return memcmp(&item, &(float){make_float(i)}, sizeof item) == 0; }
ITEM_TEST(float, float, make_float, is_float)

static double make_double(long i) { return (double)i / 3; }
static bool is_double(double item, long i) { return memcmp(&item, &(double){make_double(i)}, sizeof item) == 0; }
ITEM_TEST(double, double, make_double, is_double)

static long double make_long_double(long i) { return (long double)i / 4; }
static bool is_long_double(long double item, long i) { return (long)(item * 4) == i; }
ITEM_TEST(long_double, long double, make_long_double, is_long_double)

static const char *make_text(long i) { return &"0123456789"[i]; }
static bool is_text(const char *item, long i) { return item[0] == '0' + i; }
ITEM_TEST(text, const char *, make_text, is_text)

static enum colour make_colour(long i) { return (enum colour)(i % 3); }
static bool is_colour(enum colour item, long i) { return item == make_colour(i); }
ITEM_TEST(colour, enum colour, make_colour, is_colour)

static struct three make_three(long i) {
    return (struct three){{(unsigned char)i, (unsigned char)(i + 1), (unsigned char)(255 - i)}};
}
static bool is_three(struct three item, long i) {
    return item.bytes[0] == i && item.bytes[1] == i + 1 && item.bytes[2] == 255 - i;
}
ITEM_TEST(three, struct three, make_three, is_three)

static struct large make_large(long i) {
    struct large item;
    for (long k = 0; k < 25; k++)
        item.numbers[k] = 100 * i + k;
    return item;
}
static bool is_large(struct large item, long i) {
    bool all = true;
    for (long k = 0; k < 25; k++)
        all = all && item.numbers[k] == 100 * i + k;
    return all;
}
ITEM_TEST(large, struct large, make_large, is_large)

static struct over_aligned make_over_aligned(long i) { return (struct over_aligned){(char)i, ""}; }
static bool is_over_aligned(struct over_aligned item, long i) { return item.byte == i; }
ITEM_TEST(over_aligned, struct over_aligned, make_over_aligned, is_over_aligned)

struct pair {
    int a, b;
};

static void emit_pair(CO_GEN(struct pair) self, int a) { CO_EMIT_TO(self, (struct pair){a, a + 1}); }

static CO_GENERATOR(pairs, struct pair) {
    CO_EMIT((struct pair){1, 2});
    emit_pair(CO_SELF, 3);
    CO_EMIT((struct pair){.b = 6, .a = 5});
}

/* Items whose commas a macro takes for its own. */
static void test_compound_literals(void **state) {
    (void)state;
    int expected = 1;
    CO_FOR(struct pair, pair, pairs()) {
        assert_int_equal(pair.a, expected++);
        assert_int_equal(pair.b, expected++);
    }
    assert_int_equal(expected, 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_items_char),         cmocka_unit_test(test_items_bool),
        cmocka_unit_test(test_items_short),        cmocka_unit_test(test_items_int),
        cmocka_unit_test(test_items_long),         cmocka_unit_test(test_items_float),
        cmocka_unit_test(test_items_double),       cmocka_unit_test(test_items_long_double),
        cmocka_unit_test(test_items_text),         cmocka_unit_test(test_items_colour),
        cmocka_unit_test(test_items_three),        cmocka_unit_test(test_items_large),
        cmocka_unit_test(test_items_over_aligned), cmocka_unit_test(test_compound_literals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
