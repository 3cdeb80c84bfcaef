/* Byte offsets of the words that a context switch touches, for C and assembly alike.
 *
 * Every coroutine has one 64-byte line of hot words: two contexts of four words each. A context is what its owner
 * leaves behind when it stops running; every other register is on the suspended stack.
 *
 *     +0   own.sp         stack pointer                  \
 *     +8   own.fp         frame pointer register          | where the coroutine stopped (while it is suspended)
 *     +16  own.pc         address to jump to              |
 *     +24  own.base       base pointer register          /
 *     +32  resumer.sp                                    \
 *     +40  resumer.fp                                     | where its resumer stopped (while the coroutine runs)
 *     +48  resumer.pc                                     |
 *     +56  resumer.base                                  /
 *
 * {fp, pc} are neighbours in this order because that is a frame record on x86-64 and AArch64 (and, seen from its end,
 * on RISC-V): a frame-pointer walk out of a coroutine steps through resumer.fp into its resumer.
 *
 * While a coroutine is not suspended, own.pc is NULL, which is the mark that co_resume tests, and own.base holds its
 * resumer's handle (NULL: the thread itself). Layout is ABI; assembly reads it. */
#ifndef CO_LAYOUT_H
#define CO_LAYOUT_H

#define CO__OWN_SP 0
#define CO__OWN_FP 8
#define CO__OWN_PC 16
#define CO__OWN_BASE 24
#define CO__RESUMER_SP 32
#define CO__RESUMER_FP 40
#define CO__RESUMER_PC 48
#define CO__RESUMER_BASE 56

/* The words of a thread, in the thread-local object co__thread: the running coroutine; where the C++ runtime keeps the
 * thread's active handlers (NULL until the thread first resumes through the library); the thread's pool of stacks; its
 * scheduler. */
#define CO__THREAD_CURRENT 0
#define CO__THREAD_HANDLERS 8
#define CO__THREAD_POOL 16
#define CO__THREAD_SCHED 24
#define CO__HANDLERS_CAUGHT 0
#define CO__HANDLERS_UNCAUGHT 8

/* What co__entry says of a value for a coroutine that has no yield to receive it; not the negation of an int. */
#define CO__NOT_STARTED (-0x7fffffff - 1)

/* EINVAL on Linux, for assembly, and for a header that does not include <errno.h>; co.c asserts it. */
#define CO__EINVAL 22

/* Inline assembly wants the same numbers as text. */
#define CO__TEXT_(x) #x
#define CO__TEXT(x) CO__TEXT_(x)

#endif
