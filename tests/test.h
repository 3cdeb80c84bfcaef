/* What every test file includes: the library and cmocka, with the headers that cmocka wants before its own. */
#ifndef CO_TEST_H
#define CO_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#include <cmocka.h>
#ifdef __cplusplus
}
#endif

#include <co.h>

#ifdef __cplusplus
#define TEST_YIELD(value) co_suspend(value)
#else
#define TEST_YIELD(value) co_yield(value)
#endif

#endif
