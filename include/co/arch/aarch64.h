/* The inline switch for AArch64, AAPCS64 (section 6.1: x19-x29 and the low halves of v8-v15 are callee-saved).
 *
 * The register protocol, which both doors and every path into a context keep:
 *
 *     x0    the coroutine's block, the same before and after every switch
 *     x1    the value handed over
 *     x2    towards the resumer: its handle, which is to be current again
 *     w3    towards the resumer: CO_YIELDED, CO_RETURNED or a negated errno value
 *
 * sp, x29 and x19 are stored by hand: the stack pointer, and what compilers use as frame and base pointer and refuse in
 * a clobber list. All else stands in the list. There is no red zone on Linux. FPCR is shared between coroutines
 * (CO_FPENV saves it elsewhere). ZA (SME) must be off or dormant at a switch. A function whose `target` attribute goes
 * beyond the flags of its file (SVE) may hold values in registers this list does not know: it must use CO_NO_INLINE. */
#ifndef CO_ARCH_AARCH64_H
#define CO_ARCH_AARCH64_H

/* hint 36 is `bti j`, spelled so that every assembler knows it. */
#if defined(__ARM_FEATURE_BTI_DEFAULT)
#define CO__LANDING "hint #36\n\t"
#else
#define CO__LANDING ""
#endif

/* x18 is an ordinary temporary to gcc on Linux; these platforms reserve it, and it must not be named there. Define
 * CO_RESERVE_X18 with -ffixed-x18. */
#if defined(CO_RESERVE_X18) || defined(__APPLE__) || defined(__ANDROID__) || defined(__Fuchsia__)
#define CO__CLOBBER_X18
#else
#define CO__CLOBBER_X18 "x18",
#endif

/* With SVE, a v register is the low part of a z register, and the predicates join. clang knows no register called ffr,
 * and keeps nothing in it. */
#if defined(__ARM_FEATURE_SVE)
#if defined(__clang__)
#define CO__CLOBBER_FFR
#else
#define CO__CLOBBER_FFR , "ffr"
#endif
#define CO__CLOBBER_VECTORS                                                                                            \
    "z0", "z1", "z2", "z3", "z4", "z5", "z6", "z7", "z8", "z9", "z10", "z11", "z12", "z13", "z14", "z15", "z16",       \
        "z17", "z18", "z19", "z20", "z21", "z22", "z23", "z24", "z25", "z26", "z27", "z28", "z29", "z30", "z31", "p0", \
        "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9", "p10", "p11", "p12", "p13", "p14", "p15"                 \
        CO__CLOBBER_FFR
#else
#define CO__CLOBBER_VECTORS                                                                                            \
    "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16",       \
        "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31"
#endif

/* Without x1 to x6, in which the switches keep operands and what they compute. */
#define CO__CLOBBER                                                                                                    \
    "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", CO__CLOBBER_X18 "x20", "x21", "x22",     \
        "x23", "x24", "x25", "x26", "x27", "x28", "x30", CO__CLOBBER_VECTORS, "cc", "memory"

#define CO__AT(word) "[x0, #" CO__TEXT(CO__##word) "]"

/* A function that keeps its caller's registers (co.h: co__resume_rest). */
#if defined(__clang__)
#define CO__PRESERVING __attribute__((noinline, preserve_most))
#endif

/* The address of the thread's words, computed and used in one asm: compilers hoist the thread pointer, or an address
 * computed from it, over a switch, after which the code may run on another thread. */
#define CO__THREAD_ADDRESS(to, scratch)                                                                                \
    "adrp " to ", :gottprel:co__thread\n\t"                                                                            \
    "ldr " to ", [" to ", #:gottprel_lo12:co__thread]\n\t"                                                             \
    "mrs " scratch ", tpidr_el0\n\t"                                                                                   \
    "add " to ", " to ", " scratch "\n\t"
#define CO__THREAD_WORD(word, address) "[" address ", #" CO__TEXT(word) "]"

/* Reads a word; `volatile_` is __volatile__ or nothing (co.h: co__current_get). */
#define CO__THREAD_GET(volatile_, word, result)                                                                        \
    do {                                                                                                               \
        void *co__scratch;                                                                                             \
        __asm__ volatile_(CO__THREAD_ADDRESS("%0", "%1") "ldr %0, " CO__THREAD_WORD(word, "%0")                        \
                          : "=&r"(result), "=&r"(co__scratch));                                                        \
    } while (0)

#define CO__THREAD_SET(word, value)                                                                                    \
    do {                                                                                                               \
        void *co__address, *co__scratch;                                                                               \
        __asm__ __volatile__(CO__THREAD_ADDRESS("%0", "%1") "str %2, " CO__THREAD_WORD(word, "%0")                     \
                             : "=&r"(co__address), "=&r"(co__scratch)                                                  \
                             : "r"(value));                                                                            \
    } while (0)

/* Switches from `self` (NULL: the thread itself) into `co`, whose own.pc the caller has loaded, seen to be set, and
 * passes as `pc`. "current" is wrong only inside the asm. `self` comes back unchanged, but the compiler does not keep
 * it there: carried from one switch to the next through own.base it would be a chain of forwarded stores. */
static CO__INLINE void *co__switch_in(co_t *co, void *value, void *pc, co_t *self, int *status) {
    register co_t *block __asm__("x0") = co;
    register void *handed __asm__("x1") = value;
    register co_t *link __asm__("x2") = self;
    register int answer __asm__("x3");
    register void *target __asm__("x4") = pc;
    __asm__ __volatile__(CO__THREAD_ADDRESS("x7", "x8") "adr x5, 1f\n\t"
                                                        "mov x6, sp\n\t"
                                                        "stp x6, x29, " CO__AT(RESUMER_SP) "\n\t"
                                                        "stp x5, x19, " CO__AT(RESUMER_PC) "\n\t"
                                                        "str x0, " CO__THREAD_WORD(CO__THREAD_CURRENT, "x7") "\n\t"
                                                        "ldp x6, x29, " CO__AT(OWN_SP) "\n\t"
                                                        "ldr x19, " CO__AT(OWN_BASE) "\n\t"
                                                        "stp xzr, x2, " CO__AT(OWN_PC) "\n\t"
                                                        "mov sp, x6\n\t"
                                                        "br x4\n"
                                                        "1:\t" CO__LANDING CO__THREAD_ADDRESS("x7", "x8")
                         "str x2, " CO__THREAD_WORD(CO__THREAD_CURRENT, "x7")
                         : "+r"(handed), "=r"(answer), "+r"(target), "+r"(link)
                         : "r"(block)
                         : "x5", "x6", CO__CLOBBER);
    *status = answer;
    return handed;
}

/* Switches from `co`, which is running, to its resumer; returns what the next co_resume hands over.
 *
 * The word before the landing serves co_close. Where frames have language tables (__EXCEPTIONS) it is the distance to
 * a second landing, which reaches a real call to the unwinder: an asm is no call site in those tables, so unwinding
 * must not start from the asm itself. Elsewhere it is zero: unwinding starts beside the stack, from the four words. */
#define CO__SWITCH_OUT                                                                                                 \
    "adr x4, 1f\n\t"                                                                                                   \
    "ldr x2, " CO__AT(OWN_BASE) "\n\t"                                                                                 \
    "mov x6, sp\n\t"                                                                                                   \
    "stp x6, x29, " CO__AT(OWN_SP) "\n\t"                                                                              \
    "stp x4, x19, " CO__AT(OWN_PC) "\n\t"                                                                              \
    "ldp x6, x29, " CO__AT(RESUMER_SP) "\n\t"                                                                          \
    "ldp x5, x19, " CO__AT(RESUMER_PC) "\n\t"                                                                          \
    "mov w3, #1\n\t"                                                                                                   \
    "mov sp, x6\n\t"                                                                                                   \
    "br x5\n"

static CO__INLINE void *co__switch_out(co_t *co, void *value) {
    register co_t *block __asm__("x0") = co;
    register void *handed __asm__("x1") = value;
#ifdef __EXCEPTIONS
    __asm__ __volatile__ goto(CO__SWITCH_OUT
                              "2:\t" CO__LANDING "b %l[unwind]\n\t"
                              ".4byte 2b - 1f\n"
                              "1:\t" CO__LANDING
                              : "+r"(handed)
                              : "r"(block)
                              : "x2", "x3", "x4", "x5", "x6", CO__CLOBBER
                              : unwind);
    return handed;
unwind:
    co__unwind();
#else
    __asm__ __volatile__(CO__SWITCH_OUT
                         "\t.4byte 0\n"
                         "1:\t" CO__LANDING
                         : "+r"(handed)
                         : "r"(block)
                         : "x2", "x3", "x4", "x5", "x6", CO__CLOBBER);
    return handed;
#endif
}

/* gcc's -fstack-clash-protection steps over 64 KiB at a time here, and trusts that a guard is no smaller. */
#define CO__GUARD_LEAST_BYTES ((size_t)64 * 1024)

#endif
