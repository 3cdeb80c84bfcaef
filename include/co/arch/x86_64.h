/* The inline switch for x86-64, System V psABI (section 3.2.1: rbx, rbp, r12-r15 are callee-saved).
 *
 * The register protocol, which both doors and every path into a context keep:
 *
 *     rdi   the coroutine's block, the same before and after every switch
 *     rsi   the value handed over
 *     rdx   towards the resumer: its handle, which is to be current again
 *     eax   towards the resumer: CO_YIELDED, CO_RETURNED or a negated errno value
 *
 * Only rsp, rbp and rbx are stored by hand, since compilers refuse rbp, and clang rbx, in a clobber list. All else
 * stands in the list, so that the compiler saves just what is live. rsp moves only by being replaced: the red zone
 * stays, and so does call-frame information, but for the few instructions between the replacement and the jump. MXCSR
 * and the x87 control word are shared between coroutines (CO_FPENV saves them elsewhere). A function whose `target`
 * attribute goes beyond the flags of its file may hold values in registers this list does not know: such a function
 * must use CO_NO_INLINE. */
#ifndef CO_ARCH_X86_64_H
#define CO_ARCH_X86_64_H

/* The unwinder enters at a landing through an indirect jump too, hence the note-taking instruction there. */
#if defined(__CET__) && (__CET__ & 1)
#define CO__LANDING "endbr64\n\t"
#else
#define CO__LANDING ""
#endif

/* gcc refuses AVX-512 registers that the flags do not enable and cannot use them then; clang accepts them always. */
#if defined(__AVX512F__) || defined(__clang__)
#define CO__CLOBBER_AVX512                                                                                             \
    "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27",        \
        "xmm28", "xmm29", "xmm30", "xmm31", "k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7",
#else
#define CO__CLOBBER_AVX512
#endif

/* APX adds sixteen integer registers. */
#if defined(__APX_F__)
#define CO__CLOBBER_APX                                                                                                \
    "r16", "r17", "r18", "r19", "r20", "r21", "r22", "r23", "r24", "r25", "r26", "r27", "r28", "r29", "r30", "r31",
#else
#define CO__CLOBBER_APX
#endif

/* The x87 stack is named whole: a long double would otherwise stay in st(0) across the switch. */
#define CO__CLOBBER                                                                                                    \
    CO__CLOBBER_APX CO__CLOBBER_AVX512 "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0", "xmm1", "xmm2",   \
        "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15",  \
        "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "cc", "memory"

#define CO__AT(word) CO__TEXT(CO__##word) "(%%rdi)"

/* A function that keeps its caller's registers (co.h: co__resume_rest). It returns nothing: older versions of clang
 * keep rax too (seen in 14, right in 19). */
#if defined(__clang__)
#define CO__PRESERVING __attribute__((noinline, preserve_most))
#endif

/* Access to the thread's words is one asm that begins with %fs: compilers hoist the address of a thread-local variable
 * over a switch, after which the code may run on another thread. */
#define CO__THREAD_OFFSET(to) "movq co__thread@gottpoff(%%rip), " to "\n\t"
#define CO__THREAD_WORD(word, offset) "%%fs:" CO__TEXT(word) "(" offset ")"

/* Reads a word; `volatile_` is __volatile__ or nothing (co.h: co__current_get). */
#define CO__THREAD_GET(volatile_, word, result)                                                                        \
    __asm__ volatile_(CO__THREAD_OFFSET("%0") "movq " CO__THREAD_WORD(word, "%0") ", %0" : "=r"(result))

#define CO__THREAD_SET(word, value)                                                                                    \
    do {                                                                                                               \
        void *co__offset;                                                                                              \
        __asm__ __volatile__(CO__THREAD_OFFSET("%0") "movq %1, " CO__THREAD_WORD(word, "%0")                           \
                             : "=&r"(co__offset)                                                                       \
                             : "r"(value));                                                                            \
    } while (0)

/* Switches from `self` (NULL: the thread itself) into `co`, whose own.pc the caller has loaded, seen to be set, and
 * passes as `pc`. "current" is wrong only inside the asm.
 *
 * Stores are what a hot switch costs (measured on Zen 4: a cycle each, and all else hides behind them), so there are
 * few. resumer.pc is compared and, in a loop, found to be there already. The mark and the resumer's handle go into
 * {own.pc, own.base} as one store of 16 bytes. resumer.sp could be compared too, but must be stored: the yield would
 * then load it from a line that may not be in the cache, and the resumer, which needs its sp, would wait for each
 * coroutine in turn; a load just after a store does not wait. `self` is not kept in rdx by the compiler: carried from
 * one switch to the next through own.base, it would be a chain of forwarded stores. */
static CO__INLINE void *co__switch_in(co_t *co, void *value, void *pc, co_t *self, int *status) {
    int answer;
    __asm__ __volatile__(CO__THREAD_OFFSET("%%r8") /* landing: rax, thread offset: r8 */
                         "leaq 1f(%%rip), %%rax\n\t"
                         "cmpq %%rax, " CO__AT(RESUMER_PC) "\n\t"
                         "jne 2f\n"
                         "3:\tmovq %%rsp, " CO__AT(RESUMER_SP) "\n\t"
                         "movq %%rbp, " CO__AT(RESUMER_FP) "\n\t"
                         "movq %%rbx, " CO__AT(RESUMER_BASE) "\n\t"
                         "movq %%rdi, " CO__THREAD_WORD(CO__THREAD_CURRENT, "%%r8") "\n\t"
                         "movq %%rdx, %%xmm0\n\t"
                         "pslldq $8, %%xmm0\n\t"
                         "movq " CO__AT(OWN_SP) ", %%rsp\n\t"
                         "movq " CO__AT(OWN_FP) ", %%rbp\n\t"
                         "movq " CO__AT(OWN_BASE) ", %%rbx\n\t"
                         "movaps %%xmm0, " CO__AT(OWN_PC) "\n\t"
                         "jmpq *%%rcx\n"
                         "2:\tmovq %%rax, " CO__AT(RESUMER_PC) "\n\t"
                         "jmp 3b\n"
                         "1:\t" CO__LANDING CO__THREAD_OFFSET("%%r8")
                         "movq %%rdx, " CO__THREAD_WORD(CO__THREAD_CURRENT, "%%r8")
                         : "+S"(value), "=a"(answer), "+c"(pc), "+d"(self)
                         : "D"(co)
                         : CO__CLOBBER);
    *status = answer;
    return value;
}

/* Switches from `co`, which is running, to its resumer; returns what the next co_resume hands over.
 *
 * The word before the landing serves co_close. Where frames have language tables (__EXCEPTIONS) it is the distance to
 * a second landing, which reaches a real call to the unwinder: an asm is no call site in those tables, so unwinding
 * must not start from the asm itself. Elsewhere it is zero: unwinding starts beside the stack, from the four words.
 *
 * own.fp is compared before it is stored, since rbp is often the same as at the last yield; a load of it waits for the
 * coroutine's line either way. */
#define CO__SWITCH_OUT                                                                                                 \
    "leaq 1f(%%rip), %%rcx\n\t"                                                                                        \
    "movq " CO__AT(OWN_BASE) ", %%rdx\n\t"                                                                             \
    "movq %%rsp, " CO__AT(OWN_SP) "\n\t"                                                                               \
    "cmpq %%rbp, " CO__AT(OWN_FP) "\n\t"                                                                               \
    "jne 4f\n"                                                                                                         \
    "3:\tmovq %%rcx, " CO__AT(OWN_PC) "\n\t"                                                                           \
    "movq %%rbx, " CO__AT(OWN_BASE) "\n\t"                                                                             \
    "movq " CO__AT(RESUMER_SP) ", %%rsp\n\t"                                                                           \
    "movq " CO__AT(RESUMER_FP) ", %%rbp\n\t"                                                                           \
    "movq " CO__AT(RESUMER_BASE) ", %%rbx\n\t"                                                                         \
    "movl $1, %%eax\n\t"                                                                                               \
    "jmpq *" CO__AT(RESUMER_PC) "\n"                                                                                   \
    "4:\tmovq %%rbp, " CO__AT(OWN_FP) "\n\t"                                                                           \
    "jmp 3b\n"

static CO__INLINE void *co__switch_out(co_t *co, void *value) {
#ifdef __EXCEPTIONS
    __asm__ __volatile__ goto(CO__SWITCH_OUT
                              "2:\t" CO__LANDING "jmp %l[unwind]\n\t"
                              ".4byte 2b - 1f\n"
                              "1:\t" CO__LANDING
                              : "+S"(value)
                              : "D"(co)
                              : "rax", "rcx", "rdx", CO__CLOBBER
                              : unwind);
    return value;
unwind:
    co__unwind();
#else
    __asm__ __volatile__(CO__SWITCH_OUT
                         "\t.4byte 0\n"
                         "1:\t" CO__LANDING
                         : "+S"(value)
                         : "D"(co)
                         : "rax", "rcx", "rdx", CO__CLOBBER);
    return value;
#endif
}

/* A guard of any size does: -fstack-clash-protection touches each 4 KiB here. */
#define CO__GUARD_LEAST_BYTES ((size_t)4096)

#endif
