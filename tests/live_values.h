/* Functions that hold many values in registers across a switch. They are made twice from live_values_template.h, once
 * around co_yield and once around co_resume. */
#ifndef CO_TEST_LIVE_VALUES_H
#define CO_TEST_LIVE_VALUES_H

#include <co.h>
#include <stddef.h>

#define LIVE_COUNT 40

/* Optimisers split it into its members, which then live in registers of both kinds. */
struct live_pair {
    long whole;
    double part;
};

typedef long live_vector16 __attribute__((vector_size(16)));
typedef float live_vector32 __attribute__((vector_size(32)));
typedef double live_vector64 __attribute__((vector_size(64)));
__extension__ typedef __int128 live_int128;

/* LIVE_TYPES(X): X(name, type, how a value is made from the number n). */
#define LIVE_TYPES(X)                                                                                                  \
    X(chars, signed char, (signed char)(n * 3 + 1))                                                                    \
    X(ints, int, n * 1000003 - 7)                                                                                      \
    X(longs, long, n * 0x123456789abcdL)                                                                               \
    X(int128s, live_int128, ((live_int128)n << 100) + n * 7)                                                           \
    X(floats, float, (float)n * 1.5f + 1.0f)                                                                           \
    X(doubles, double, n * 1.25 + 1.0)                                                                                 \
    X(long_doubles, long double, (long double)n * 1.125L + 1.0L)                                                       \
    X(pairs, struct live_pair, ((struct live_pair){n * 5 + 2, n * 2.5}))                                               \
    X(vectors16, live_vector16, ((live_vector16){n + 1, n * 2}))                                                       \
    X(vectors32, live_vector32, ((live_vector32){1.0f} + (float)n))                                                    \
    X(vectors64, live_vector64, ((live_vector64){2.0} + (double)n))

/* A few of each at once, so that all kinds of registers are full together. */
struct live_mixture {
    long longs[16];
    double doubles[12];
    float floats[6];
    live_vector32 vectors[6];
    long double long_doubles[4];
};

#define LIVE_DECLARE(name, type, make)                                                                                 \
    void live_##name##_over_yield(co_t *co, type *values);                                                             \
    void live_##name##_over_resume(co_t *co, type *values);
LIVE_TYPES(LIVE_DECLARE)

void live_mixture_over_yield(co_t *co, struct live_mixture *values);
void live_mixture_over_resume(co_t *co, struct live_mixture *values);

/* Accumulators that are updated around a switch in each of `rounds` rounds; `co` may be NULL: then there is no switch.
 */
struct live_sums {
    long longs[6];
    double doubles[6];
    int less, rounds;
};
void live_sums_over_yield(co_t *co, struct live_sums *sums);
void live_sums_over_resume(co_t *co, struct live_sums *sums);

/* Masks and registers of a length that the compiler does not know, as far as the flags of this build have such: answer
 * 1 if all values are right, 0 if not, -1 if there are none. */
int live_masks_over_yield(co_t *co);
int live_masks_over_resume(co_t *co);
int live_scalable_over_yield(co_t *co);
int live_scalable_over_resume(co_t *co);

#endif
