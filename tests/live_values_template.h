/* What stands around a switch. Whoever includes this defines OVER(what), the name of a function, and SWITCH(co), the
 * switch.
 *
 * The other side overwrites `values` and every register that it may before it comes back. So what is stored after the
 * switch has been in registers, or where the compiler saved them, and can be right only if the compiler knew what a
 * switch spoils. */
#include "live_values.h"

#if defined(__ARM_FEATURE_SVE)
#include <arm_sve.h>
#endif
#if defined(__riscv_vector)
#include <riscv_vector.h>
#endif

#define LIVE_10(X, tens)                                                                                               \
    X(tens##0) X(tens##1) X(tens##2) X(tens##3) X(tens##4) X(tens##5) X(tens##6) X(tens##7) X(tens##8) X(tens##9)
#define LIVE_40(X) LIVE_10(X, ) LIVE_10(X, 1) LIVE_10(X, 2) LIVE_10(X, 3)

#define LOAD(n) const live_type v##n = values[n];
#define STORE(n) values[n] = v##n;

#define DEFINE_ONE(name, type, make)                                                                                   \
    void OVER(live_##name)(co_t * co, type * values) {                                                                 \
        typedef type live_type;                                                                                        \
        (void)co;                                                                                                      \
        LIVE_40(LOAD)                                                                                                  \
        SWITCH(co);                                                                                                    \
        LIVE_40(STORE)                                                                                                 \
    }
LIVE_TYPES(DEFINE_ONE)

void OVER(live_mixture)(co_t *co, struct live_mixture *values) {
    (void)co;
    struct live_mixture kept = *values;
    SWITCH(co);
    *values = kept;
}

void OVER(live_sums)(co_t *co, struct live_sums *sums) {
    long a = 1, b = 2, c = 3, d = 4, e = 5, f = 6;
    double g = 1, h = 2, i = 3, j = 4, k = 5, l = 6;
    int counted = 0, rounds = sums->rounds;
    for (int round = 0; round < rounds; round++) {
        int less = a * 3 < b * 2;
        a += round, b ^= a, c += b & 15, d -= c, e += d >> 3, f ^= e;
        g += round, h += g * 0.5, i -= h, j += i * 0.25, k += j, l -= k;
        if (co != NULL)
            SWITCH(co);
        if (less)
            counted++;
        a += f & 3, b += e & 7;
        g -= (double)(f & 3), h += 1.0;
    }
    *sums = (struct live_sums){{a, b, c, d, e, f}, {g, h, i, j, k, l}, counted, rounds};
}

/* ---- AVX-512 masks ----------------------------------------------------------------------------------------------- */

#if defined(__AVX512BW__)
/* The asm keeps the optimiser from moving a value back into a general register. */
#define MASK_LOAD(n)                                                                                                   \
    unsigned long mask##n;                                                                                             \
    __asm__ __volatile__("kmovq %1, %0" : "=k"(mask##n) : "r"(0x1111111111111111UL * (n)));
#define MASK_CHECK(n)                                                                                                  \
    {                                                                                                                  \
        unsigned long read;                                                                                            \
        __asm__ __volatile__("kmovq %1, %0" : "=r"(read) : "k"(mask##n));                                              \
        right &= read == 0x1111111111111111UL * (n);                                                                   \
    }

/* clang-format off */
int OVER(live_masks)(co_t *co) {
    (void)co;
    int right = 1;
    MASK_LOAD(1) MASK_LOAD(2) MASK_LOAD(3) MASK_LOAD(4) MASK_LOAD(5) MASK_LOAD(6) MASK_LOAD(7)
    SWITCH(co);
    MASK_CHECK(1) MASK_CHECK(2) MASK_CHECK(3) MASK_CHECK(4) MASK_CHECK(5) MASK_CHECK(6) MASK_CHECK(7)
    return right;
}
/* clang-format on */
#elif defined(__ARM_FEATURE_SVE)
int OVER(live_masks)(co_t *co) {
    (void)co;
    svbool_t p0 = svwhilelt_b8_s32(0, 1), p1 = svwhilelt_b8_s32(0, 3), p2 = svwhilelt_b8_s32(0, 5);
    svbool_t p3 = svwhilelt_b8_s32(0, 7), p4 = svwhilelt_b8_s32(0, 9), p5 = svwhilelt_b8_s32(0, 11);
    __asm__ __volatile__("" : "+Upa"(p0), "+Upa"(p1), "+Upa"(p2), "+Upa"(p3), "+Upa"(p4), "+Upa"(p5));
    SWITCH(co);
    __asm__ __volatile__("" : "+Upa"(p0), "+Upa"(p1), "+Upa"(p2), "+Upa"(p3), "+Upa"(p4), "+Upa"(p5));
    const svbool_t all = svptrue_b8();
    return svcntp_b8(all, p0) == 1 && svcntp_b8(all, p1) == 3 && svcntp_b8(all, p2) == 5 && svcntp_b8(all, p3) == 7 &&
           svcntp_b8(all, p4) == 9 && svcntp_b8(all, p5) == 11;
}
#else
int OVER(live_masks)(co_t *co) {
    (void)co;
    return -1;
}
#endif

/* ---- Registers of an unknown length ------------------------------------------------------------------------------ */

#if defined(__ARM_FEATURE_SVE)
#define SVE_LOAD(n) svint64_t z##n = svindex_s64(n, 3);
#define SVE_CHECK(n) right &= !svptest_any(svptrue_b64(), svcmpne_s64(svptrue_b64(), z##n, svindex_s64(n, 3)));
#define SVE_12(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define SVE_HIDE                                                                                                       \
    __asm__ __volatile__("" : "+w"(z0), "+w"(z1), "+w"(z2), "+w"(z3), "+w"(z4), "+w"(z5));                             \
    __asm__ __volatile__("" : "+w"(z6), "+w"(z7), "+w"(z8), "+w"(z9), "+w"(z10), "+w"(z11));

/* clang-format off */
int OVER(live_scalable)(co_t *co) {
    (void)co;
    int right = 1;
    SVE_12(SVE_LOAD)
    SVE_HIDE
    SWITCH(co);
    SVE_HIDE
    SVE_12(SVE_CHECK)
    return right;
}
/* clang-format on */
#elif defined(__riscv_vector)
#define RVV_CHECK(n) right &= __riscv_vcpop_m_b64(__riscv_vmsne_vv_i64m1_b64(v##n, RVV_MADE(n), length), length) == 0;
#define RVV_MADE(n) __riscv_vadd_vx_i64m1(__riscv_vreinterpret_v_u64m1_i64m1(__riscv_vid_v_u64m1(length)), n, length)
#define RVV_LOAD(n) vint64m1_t v##n = RVV_MADE(n);
#define RVV_12(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define RVV_HIDE                                                                                                       \
    __asm__ __volatile__("" : "+vr"(v0), "+vr"(v1), "+vr"(v2), "+vr"(v3), "+vr"(v4), "+vr"(v5));                       \
    __asm__ __volatile__("" : "+vr"(v6), "+vr"(v7), "+vr"(v8), "+vr"(v9), "+vr"(v10), "+vr"(v11));

/* The vector length and type are live too: no instruction sets them again if the compiler thinks that they are as
 * before. */
/* clang-format off */
int OVER(live_scalable)(co_t *co) {
    (void)co;
    int right = 1;
    size_t length = __riscv_vsetvlmax_e64m1();
    RVV_12(RVV_LOAD)
    RVV_HIDE
    SWITCH(co);
    RVV_HIDE
    RVV_12(RVV_CHECK)
    return right;
}
/* clang-format on */
#else
int OVER(live_scalable)(co_t *co) {
    (void)co;
    return -1;
}
#endif
