/* The sticky flags of floating point, which CO_FPENV leaves shared. Catches a switch that saves them with the control bits,
 * and one that puts masks into force under which an old flag traps. */
#define _GNU_SOURCE /* feenableexcept */
#include "support.h"

#include <fenv.h>

static int set_up(void **state) {
    (void)state;
    return fesetenv(FE_DFL_ENV);
}

static co_t *create(co_fn fn, unsigned flags) {
    const co_options_t options = {.flags = flags};
    co_t *co = co_create_with(&options, fn, NULL);
    assert_non_null(co);
    return co;
}

static void *divides_by_zero(void *argument) {
    volatile double zero = 0.0, quotient = 1.0 / zero;
    (void)quotient;
    return co_yield(argument);
}

/* Catches flags that are taken for control bits: an exception in a coroutine that its resumer does not hear of. */
static void test_flags_are_shared(void **state) {
    (void)state;
    if (under_valgrind())
        skip(); /* which keeps no flags */
    for (unsigned flags = 0; flags <= CO_FPENV; flags += CO_FPENV) {
        co_t *co = create(divides_by_zero, flags);
        feclearexcept(FE_ALL_EXCEPT);
        co_resume(co, NULL, NULL);
        assert_int_equal(fetestexcept(FE_DIVBYZERO), FE_DIVBYZERO);
        feclearexcept(FE_ALL_EXCEPT);
        co_resume(co, NULL, NULL);
        assert_int_equal(fetestexcept(FE_DIVBYZERO), 0);
        assert_int_equal(co_destroy(co), 0);
    }
}

#ifdef __GLIBC__
static void *unmasks(void *argument) {
    if (feenableexcept(FE_DIVBYZERO) == -1)
        return argument; /* the processor has no traps */
    return co_yield(argument);
}

/* Catches an x87 that traps at a flag which a resumer raised, masked, when the coroutine's masks come into force. */
static void test_flag_raised_under_another_mask(void **state) {
    (void)state;
    if (under_valgrind())
        skip(); /* which has no traps */
    volatile long double zero = 0.0L, quotient;
    co_t *co = create(unmasks, CO_FPENV);
    int status = co_resume(co, NULL, NULL);
    quotient = 1.0L / zero;
    (void)quotient;
    if (status == CO_YIELDED)
        assert_int_equal(co_resume(co, NULL, NULL), CO_RETURNED);
    feclearexcept(FE_ALL_EXCEPT);
    assert_int_equal(co_destroy(co), 0);
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_flags_are_shared, set_up, set_up),
#ifdef __GLIBC__
        cmocka_unit_test_setup_teardown(test_flag_raised_under_another_mask, set_up, set_up),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
