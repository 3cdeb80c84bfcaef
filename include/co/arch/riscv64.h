/* The inline switch for RV64 (RISC-V ELF psABI, "Register Convention": s0-s11 are callee-saved, and fs0-fs11 as far as
 * the ABI's floating-point width goes).
 *
 * The register protocol, which both doors and every path into a context keep:
 *
 *     a0    the coroutine's block, the same before and after every switch
 *     a1    the value handed over
 *     a2    towards the resumer: its handle, which is to be current again
 *     a3    towards the resumer: CO_YIELDED, CO_RETURNED or a negated errno value
 *
 * sp, s0 and s1 are stored by hand: the stack pointer, and what compilers use as frame and base pointer and refuse in a
 * clobber list. All else stands in the list, but for gp and tp, which are never written. There is no red zone. The
 * dynamic rounding mode (frm) is shared between coroutines (CO_FPENV saves it elsewhere). A function whose `target`
 * attribute goes beyond the flags of its file (V) may hold values in registers this list does not know: it must use
 * CO_NO_INLINE. */
#ifndef CO_ARCH_RISCV64_H
#define CO_ARCH_RISCV64_H

/* Every floating-point register, also those that the ABI has callees save: whoever has them live saves them. */
#if defined(__riscv_flen)
#define CO__CLOBBER_FLOAT                                                                                              \
    "ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7", "ft8", "ft9", "ft10", "ft11", "fa0", "fa1", "fa2", "fa3",  \
        "fa4", "fa5", "fa6", "fa7", "fs0", "fs1", "fs2", "fs3", "fs4", "fs5", "fs6", "fs7", "fs8", "fs9", "fs10",      \
        "fs11",
#else
#define CO__CLOBBER_FLOAT
#endif

#if defined(__riscv_vector)
#define CO__CLOBBER_VECTOR                                                                                             \
    "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16",       \
        "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31", "vl", \
        "vtype",
#else
#define CO__CLOBBER_VECTOR
#endif

/* Without a1 to a6, in which the switches keep operands and what they compute. */
#define CO__CLOBBER                                                                                                    \
    CO__CLOBBER_FLOAT CO__CLOBBER_VECTOR "a7", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "s2", "s3", "s4", "s5", "s6", \
        "s7", "s8", "s9", "s10", "s11", "ra", "memory"

#define CO__AT(word) CO__TEXT(CO__##word) "(a0)"

/* The address of the thread's words, computed and used in one asm: compilers hoist an address computed from tp over a
 * switch, after which the code may run on another thread. */
#define CO__THREAD_ADDRESS(to)                                                                                         \
    "la.tls.ie " to ", co__thread\n\t"                                                                                 \
    "add " to ", " to ", tp\n\t"
#define CO__THREAD_WORD(word, address) CO__TEXT(word) "(" address ")"

/* Reads a word; `volatile_` is __volatile__ or nothing (co.h: co__current_get). */
#define CO__THREAD_GET(volatile_, word, result)                                                                        \
    __asm__ volatile_(CO__THREAD_ADDRESS("%0") "ld %0, " CO__THREAD_WORD(word, "%0") : "=&r"(result))

#define CO__THREAD_SET(word, value)                                                                                    \
    do {                                                                                                               \
        void *co__address;                                                                                             \
        __asm__ __volatile__(CO__THREAD_ADDRESS("%0") "sd %1, " CO__THREAD_WORD(word, "%0")                            \
                             : "=&r"(co__address)                                                                      \
                             : "r"(value));                                                                            \
    } while (0)

/* Switches from `self` (NULL: the thread itself) into `co`, whose own.pc the caller has loaded, seen to be set, and
 * passes as `pc`. "current" is wrong only inside the asm. `self` comes back unchanged, but the compiler does not keep
 * it there: carried from one switch to the next through own.base it would be a chain of forwarded stores. */
static CO__INLINE void *co__switch_in(co_t *co, void *value, void *pc, co_t *self, int *status) {
    register co_t *block __asm__("a0") = co;
    register void *handed __asm__("a1") = value;
    register co_t *link __asm__("a2") = self;
    register int answer __asm__("a3");
    register void *target __asm__("a4") = pc;
    __asm__ __volatile__(CO__THREAD_ADDRESS("t0") "lla a5, 1f\n\t"
                                                  "sd sp, " CO__AT(RESUMER_SP) "\n\t"
                                                  "sd s0, " CO__AT(RESUMER_FP) "\n\t"
                                                  "sd a5, " CO__AT(RESUMER_PC) "\n\t"
                                                  "sd s1, " CO__AT(RESUMER_BASE) "\n\t"
                                                  "sd a0, " CO__THREAD_WORD(CO__THREAD_CURRENT, "t0") "\n\t"
                                                  "ld sp, " CO__AT(OWN_SP) "\n\t"
                                                  "ld s0, " CO__AT(OWN_FP) "\n\t"
                                                  "ld s1, " CO__AT(OWN_BASE) "\n\t"
                                                  "sd zero, " CO__AT(OWN_PC) "\n\t"
                                                  "sd a2, " CO__AT(OWN_BASE) "\n\t"
                                                  "jr a4\n"
                                                  "1:\t" CO__THREAD_ADDRESS("t0")
                         "sd a2, " CO__THREAD_WORD(CO__THREAD_CURRENT, "t0")
                         : "+r"(handed), "=r"(answer), "+r"(target), "+r"(link)
                         : "r"(block)
                         : "a5", "a6", CO__CLOBBER);
    *status = answer;
    return handed;
}

/* Switches from `co`, which is running, to its resumer; returns what the next co_resume hands over.
 *
 * The word before the landing serves co_close. Where frames have language tables (__EXCEPTIONS) it is the distance to
 * a second landing, which reaches a real call to the unwinder: an asm is no call site in those tables, so unwinding
 * must not start from the asm itself. Elsewhere it is zero: unwinding starts beside the stack, from the four words. */
#define CO__SWITCH_OUT                                                                                                 \
    "lla a4, 1f\n\t"                                                                                                   \
    "ld a2, " CO__AT(OWN_BASE) "\n\t"                                                                                  \
    "sd sp, " CO__AT(OWN_SP) "\n\t"                                                                                    \
    "sd s0, " CO__AT(OWN_FP) "\n\t"                                                                                    \
    "sd a4, " CO__AT(OWN_PC) "\n\t"                                                                                    \
    "sd s1, " CO__AT(OWN_BASE) "\n\t"                                                                                  \
    "ld a5, " CO__AT(RESUMER_PC) "\n\t"                                                                                \
    "ld sp, " CO__AT(RESUMER_SP) "\n\t"                                                                                \
    "ld s0, " CO__AT(RESUMER_FP) "\n\t"                                                                                \
    "ld s1, " CO__AT(RESUMER_BASE) "\n\t"                                                                              \
    "li a3, 1\n\t"                                                                                                     \
    "jr a5\n"

static CO__INLINE void *co__switch_out(co_t *co, void *value) {
    register co_t *block __asm__("a0") = co;
    register void *handed __asm__("a1") = value;
#ifdef __EXCEPTIONS
    __asm__ __volatile__ goto(CO__SWITCH_OUT
                              "2:\tj %l[unwind]\n\t"
                              ".4byte 2b - 1f\n"
                              "1:"
                              : "+r"(handed)
                              : "r"(block)
                              : "a2", "a3", "a4", "a5", "a6", CO__CLOBBER
                              : unwind);
    return handed;
unwind:
    co__unwind();
#else
    __asm__ __volatile__(CO__SWITCH_OUT
                         "\t.4byte 0\n"
                         "1:"
                         : "+r"(handed)
                         : "r"(block)
                         : "a2", "a3", "a4", "a5", "a6", CO__CLOBBER);
    return handed;
#endif
}

/* A guard of any size does: -fstack-clash-protection touches each 4 KiB here. */
#define CO__GUARD_LEAST_BYTES ((size_t)4096)

#endif
