/* The generator contract, rule 57: what cannot be made fails at creation, and whoever takes the NULL tells why. The
 * library's calls are intercepted at link time, which is not possible in a shared library.
 * Compiled with: -Wl,-wrap=mmap -Wno-unused-command-line-argument
 */
#define _GNU_SOURCE
#include "memory.h"

#include <co/gen.h>

static bool refuses; /* whether there is no memory to map */

void *__real_mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset);
void *__wrap_mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset);
UNINSTRUMENTED void *__wrap_mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset) {
    if (refuses) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return __real_mmap(address, bytes, protection, flags, file, offset);
}

enum { MOST = 5000 };

static CO_GEN(long) all[MOST];
static int made;

static CO_GENERATOR(one_item, long, (long, item)) { CO_EMIT(item); }

/* Makes generators until there is no memory left for another. */
static bool use_up_memory(void) {
    if (!calls_can_be_intercepted())
        return false;
    co_pool_trim();
    refuses = true;
    for (made = 0; made < MOST; made++) {
        errno = 0;
        all[made] = one_item(made);
        if (all[made] == NULL)
            break;
    }
    return made < MOST;
}

/* Ends them; each has its item yet. */
static void give_memory_back(void) {
    refuses = false;
    for (int i = 0; i < made; i++) {
        long item = -1;
        assert_int_equal(CO_NEXT(all[i], &item), 1);
        assert_int_equal(item, i);
        assert_int_equal(CO_GEN_DESTROY(all[i]), 0);
    }
}

/* A creation that crashes, or that says nothing of why. */
static void test_rule_57_creation_fails(void **state) {
    (void)state;
    if (!use_up_memory()) {
        refuses = false;
        skip();
    }
    assert_int_equal(errno, ENOMEM);
    errno = 0;
    assert_null(one_item(1));
    assert_int_equal(errno, ENOMEM);
    give_memory_back();
    CO_GEN(long) generator = one_item(1);
    assert_non_null(generator);
    assert_int_equal(CO_GEN_DESTROY(generator), 0);
}

/* A loop over what could not be made that does not say so. */
static void test_rule_57_a_loop_tells(void **state) {
    (void)state;
    int status = 1;
    if (!use_up_memory()) {
        refuses = false;
        skip();
    }
    CO_FOR_STATUS(long, x, one_item(3), status) {
        FAIL("%ld", x);
    }
    assert_int_equal(status, -ENOMEM);
    CO_FOR(long, x, one_item(3)) {
        FAIL("%ld", x);
    }
    give_memory_back();
}

static CO_GENERATOR(hand_over, long) {
    void *result = UNTOUCHED;
    CO_EMIT(0);
    int status = CO_FROM(one_item(3), &result);
    CO_EMIT(status);
    CO_EMIT(result == NULL);
}

/* Handing over to what could not be made: the generator goes on. */
static void test_rule_57_handing_over_tells(void **state) {
    (void)state;
    long item = -1;
    CO_GEN(long) generator = hand_over();
    assert_int_equal(CO_NEXT(generator, &item), 1);
    if (!use_up_memory()) {
        refuses = false;
        assert_int_equal(CO_GEN_DESTROY(generator), 0);
        skip();
    }
    assert_int_equal(CO_NEXT(generator, &item), 1);
    assert_int_equal(item, -ENOMEM);
    assert_int_equal(CO_NEXT(generator, &item), 1);
    assert_int_equal(item, 1);
    give_memory_back();
    assert_int_equal(CO_GEN_DESTROY(generator), 0);
}

static CO_GENERATOR(own, long, CO_OWN(long, inner)) {
    CO_FOR(long, x, inner)
        CO_EMIT(x);
}

/* An argument that is lost with the generator that was to own it; its stack can be had again when it was not. */
static void test_rule_57_owned_arguments_are_not_lost(void **state) {
    (void)state;
    int status = 0;
    CO_GEN(long) inner = one_item(5);
    if (!use_up_memory()) {
        refuses = false;
        assert_int_equal(CO_GEN_DESTROY(inner), 0);
        skip();
    }
    for (int i = 0; i < 3; i++) {
        errno = 0;
        assert_null(own(inner));
        assert_int_equal(errno, ENOMEM);
        inner = one_item(6);
        assert_non_null(inner);
    }
    CO_FOR_STATUS(long, x, own(own(inner)), status)
        FAIL("%ld", x);
    assert_int_equal(status, -ENOMEM);
    give_memory_back();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule_57_creation_fails),
        cmocka_unit_test(test_rule_57_a_loop_tells),
        cmocka_unit_test(test_rule_57_handing_over_tells),
        cmocka_unit_test(test_rule_57_owned_arguments_are_not_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
