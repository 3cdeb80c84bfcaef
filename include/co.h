/* libco: stackful coroutines for C11.
 *
 * A coroutine is a function with a stack of its own, which may stop in the middle, at any call depth, and go on later:
 *
 *     static void *count(void *arg) { for (long i = 0; i < 3; i++) co_yield((void *)i); return arg; }
 *     co_t *co = co_create(count, NULL);
 *     for (void *v; co_resume(co, NULL, &v) > 0;) printf("%ld\n", (long)v);
 *     co_destroy(co);
 *
 * Conventions, for every call below:
 *  errors     a negated errno value; calls that return a pointer return NULL and set errno. Misuse changes nothing:
 *             neither the coroutine nor *out. Unless co_catch_overflow is called, no signal handler is installed, and
 *             nothing is printed but for one line before std::terminate or abort, where going on would corrupt: an
 *             exception that leaves a body or a deferred call, a handler that swallows a close, a close for which no
 *             stack is left, a canary that is gone (CO_CANARIES).
 *  values     pointers, handed over and never copied. What a yielded pointer points to may lie on the suspended stack:
 *             it stays valid until the next resume.
 *  ownership  co_create's caller owns the coroutine and ends its life with co_destroy, once.
 *  threads    a coroutine belongs to no thread: any may resume it while it is suspended, one at a time. Two threads
 *             that use one coroutine at the same instant are a data race. Handing it over needs the ordering (a lock,
 *             a join) that any other object needs.
 *  leaving    a body is left by returning. longjmp within one coroutine is fine, across coroutines it is not; nor are
 *             these calls for signal handlers. A child of fork goes on in its copy of the running coroutine.
 *  floating   rounding mode and exception masks are shared with the resumer, unless CO_FPENV is set.
 *
 * With CO_DEBUG defined, co_yield_from checks its handle.
 *
 * Layout of this file: types; the life of a coroutine; inside a coroutine; options; diagnostics; how the inline switch
 * is made. */
#ifndef CO_H
#define CO_H

#include <stddef.h>
#include <stdint.h>

#define CO_VERSION_MAJOR 0
#define CO_VERSION_MINOR 1
#define CO_VERSION_PATCH 0

#include "co/arch/select.h"
#include "co/layout.h"

/* Which door a translation unit uses. Inline assembly needs GCC or Clang. Sanitizers instrument the code around a
 * switch and must see a real call, so their builds take the functions in the library. CO_NO_INLINE asks for them. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define CO__SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CO__SANITIZED 1
#endif
#if !defined(CO_NO_INLINE) && (!defined(__GNUC__) || defined(CO__SANITIZED))
#define CO_NO_INLINE 1
#endif
/* An asm goto with results, which exceptions need, came with GCC 11. */
#if !defined(CO_NO_INLINE) && defined(__EXCEPTIONS) && !defined(__clang__) && __GNUC__ < 11
#define CO_NO_INLINE 1
#endif

#if defined(__GNUC__)
#define CO_API __attribute__((visibility("default")))
#define CO__INLINE inline __attribute__((always_inline))
#define CO__LIKELY(condition) __builtin_expect(!!(condition), 1)
#define CO__NORETURN __attribute__((noreturn))
#define CO__COLD __attribute__((cold))
#else
#define CO_API
#define CO__INLINE inline
#define CO__LIKELY(condition) (condition)
#define CO__NORETURN
#define CO__COLD
#endif

#ifdef CO_NO_INLINE
#define CO__DOOR CO_API
#define CO__SYMBOL(name) __asm__(name)
#else
#define CO__DOOR static CO__INLINE
#define CO__SYMBOL(name)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Types --------------------------------------------------------------------------------------------------- */

typedef struct co co_t;
typedef void *(*co_fn)(void *arg);

/** What co_resume answers; below zero it is a negated errno value. */
enum { CO_RETURNED = 0, CO_YIELDED = 1 };

typedef enum {
    CO_SUSPENDED, /* fresh, or stopped in a yield: may be resumed */
    CO_RUNNING,   /* the coroutine that executes on this thread, or one that another thread has resumed */
    CO_NORMAL,    /* it resumed another, and waits for that one */
    CO_DEAD       /* its function returned or failed, or it was closed */
} co_status_t;

typedef struct co_options co_options_t;
typedef struct co_allocator co_allocator_t;

/* ---- The life of a coroutine --------------------------------------------------------------------------------- */

/** Make a coroutine that will call fn(arg) on a stack of its own, 128 KiB with a guard page below. Nothing runs yet.
 *  returns  the coroutine, or NULL and errno: EINVAL (fn is NULL), ENOMEM, EAGAIN (locked-memory limit)
 *
 *  A macro of this name (below) notes the place of the call, for diagnostics; `(co_create)(fn, arg)` calls the
 *  function, which notes its caller's address. */
CO_API co_t *co_create(co_fn fn, void *arg);

/** The same, at a named place.
 *  site     what co_site tells: "file:line", not copied, must outlive the coroutine; CO_HERE is that of its use */
CO_API co_t *co_create_at(const char *site, co_fn fn, void *arg);

/** The same with options; NULL stands for all defaults.
 *  returns  as co_create; EINVAL also for unknown flags, reserved words that are not zero, a stack too small (below),
 *           caller's memory without a size, an allocator with a missing function; ENOMEM for sizes beyond memory */
CO_API co_t *co_create_with(const co_options_t *opt, co_fn fn, void *arg);

/** "file:line" of the place where it stands. */
#define CO_HERE __FILE__ ":" CO__TEXT(__LINE__)
#define co_create(...) co_create_at(CO_HERE, __VA_ARGS__)

/** Run `co` until it yields, returns or fails.
 *  in       what the pending co_yield returns; must be NULL the first time, when there is none (else -EINVAL)
 *  out      receives the yielded or returned pointer, NULL when the body failed; may be NULL
 *  returns  CO_YIELDED, CO_RETURNED, or what the body failed with through co_fail, negated; on misuse -EINVAL (NULL),
 *           -EBUSY (running, or it resumed the caller), -ESRCH (dead). A body may fail with these errors too:
 *           co_status then says CO_DEAD, and the next call -ESRCH
 *  thread   any, one at a time */
CO__DOOR int co_resume(co_t *co, void *in, void **out);

/** Resume with an error: the pending co_yield returns NULL, and co_error() tells `error` until the next yield.
 *  error    a positive errno value
 *  out      as co_resume
 *  returns  as co_resume. A fresh coroutine is closed without running and answers -error; so does a dead one; *out is
 *           then NULL. -EINVAL (NULL, error <= 0), -EBUSY (running, or it resumed the caller) */
CO_API int co_throw(co_t *co, int error, void **out);

/** End a suspended coroutine: its deferred calls run on its own stack, last first, while its locals are still alive.
 *  In frames with language tables (C++, -fexceptions) destructors and __attribute__((cleanup)) run too, innermost frame
 *  first, a frame's deferred calls before its destructors; needs libgcc's or LLVM's unwinder in the process, which such
 *  frames bring, and 8 KiB of the coroutine's stack below the yield: with less, frames are passed over and only
 *  deferred calls run. Code after the pending yield never runs. A noexcept frame ends the program, as does a catch
 *  (...) that does not rethrow, or that stands inside another handler (C++ runtimes refuse foreign exceptions there). A
 *  frame without unwind tables ends the unwinding: destructors of the frames outside of it do not run, deferred calls
 *  do. A call deferred by a function that has returned runs before the destructors of that function's caller, and
 *  perhaps before those of frames that were entered later.
 *  returns  0, also for a dead or a fresh coroutine; -EINVAL (NULL); -EBUSY (not suspended); the first error that a
 *           deferred call left by co_fail, negated; -EPERM if one tried to yield */
CO_API int co_close(co_t *co);

/** Close and free. NULL is nothing and answers 0.
 *  returns  as co_close; -EBUSY frees nothing. Where a deferred call failed with EBUSY the coroutine is freed all the
 *           same, and the answer is -EINVAL */
CO_API int co_destroy(co_t *co);

/** Where `co` is in its life; CO_DEAD for NULL. For a coroutine that another thread has resumed, CO_RUNNING (also while
 *  it has resumed another there). */
CO_API co_status_t co_status(const co_t *co);

/** The `data` of its options; NULL without. */
CO_API void *co_data(const co_t *co);

/** The `name` of its options; NULL without. */
CO_API const char *co_name(const co_t *co);

/** Where `co` was created, "file:line"; NULL where no such text was given (then diagnostics tell the address of the
 *  call). */
CO_API const char *co_site(const co_t *co);

/* ---- Inside a coroutine -------------------------------------------------------------------------------------- */

/** Suspend the running coroutine and hand `value` to whoever resumed it.
 *  returns  the `in` of the next co_resume; NULL after co_throw (co_error tells); NULL at once in a deferred call
 *           (co_error() is EPERM, from then on in that ending) and outside any coroutine (errno is EPERM)
 *  C++      the name is co_suspend, in every standard, since `co_yield` is a keyword of C++20 */
#ifndef __cplusplus
CO__DOOR void *co_yield(void *value);
#else
CO__DOOR void *co_suspend(void *value) CO__SYMBOL("co_yield");
#endif

/** co_yield by who holds its own handle: spares the look-up. `self` must be the running coroutine, which is checked
 *  only when CO_DEBUG is defined (then NULL and errno EPERM). */
#if defined(CO_NO_INLINE) && defined(CO_DEBUG)
static CO__INLINE void *co_yield_from(co_t *self, void *value);
#else
CO__DOOR void *co_yield_from(co_t *self, void *value);
#endif

/** The running coroutine, or NULL outside any. */
CO__DOOR co_t *co_self(void);

/** The error that the pending yield was resumed with by co_throw, or EPERM after a yield in a deferred call; else 0. */
CO_API int co_error(void);

/** Let the body fail: `return co_fail(EIO);`. Takes effect when the body returns; the last one counts. In a deferred
 *  call it reports the failure of that call, and the first to fail counts; a failed body goes before them.
 *  error    a positive errno value; anything else counts as EINVAL
 *  returns  NULL; outside any coroutine errno is EPERM */
CO_API void *co_fail(int error);

/** Register fn(arg) to be called when the body has returned, or when the coroutine is closed: last first, each once, on
 *  the coroutine's stack. After a return the frames that registered them are gone, so `arg` must not be a local of a
 *  frame that may return first; after a close they are still there. A deferred call may defer, resume others and block;
 *  a yield in it fails at once.
 *  returns  0, -EINVAL (fn is NULL), -EPERM (outside any coroutine), -ENOMEM */
CO_API int co_defer(void (*fn)(void *), void *arg);

/* ---- Stacks -------------------------------------------------------------------------------------------------- */

/** Bytes of its stack that the frames of `co` may use, what was used included; 0 for NULL. */
CO_API size_t co_stack_size(const co_t *co);

/** The most bytes of its stack that the frames of `co` have used so far: of a suspended, running or ended coroutine, on
 *  the thread that has it. Right to 16 bytes with CO_WATERMARK; without it right to the page, for memory that the
 *  library mapped and nobody locks. Stacks are used again: from the first such call in the process on, co_destroy hands
 *  them on with their top page only, so that the next owner's mark is its own (0.5 to 1.5 us each); of a coroutine that
 *  had got a used stack before that call, or gets one that another thread kept by then, what earlier owners used counts
 *  too.
 *  returns  bytes, rounded up; 0 for NULL. 0, and errno is ENOTSUP, for memory that is not the library's, without
 *           CO_WATERMARK */
CO_API size_t co_stack_used(const co_t *co);

/** How much of stacks the process keeps for reuse, in bytes of their size, most of which were never touched: 128 MiB at
 *  first. What co_destroy gets beyond that goes back to the kernel. This is beside what each thread keeps: of each size
 *  up to twice 64 stacks, or twice 8.5 MiB. 0: nothing is kept by anyone, from a thread's next co_destroy on. What is
 *  kept above a new limit goes back at once. A thread that ends gives its stacks back.
 *  returns  the limit before
 *  thread   any */
CO_API size_t co_pool_limit(size_t bytes);

/** Give all stacks that the calling thread and the process keep for reuse back to the kernel, now.
 *  thread   any; other threads keep theirs */
CO_API void co_pool_trim(void);

/* ---- Options ------------------------------------------------------------------------------------------------- */

/** Save rounding mode, exception masks and other floating-point control state (MXCSR without its flags and the x87
 *  control word; FPCR; frm) per coroutine; it starts with that of co_create's caller. Sticky flags stay shared, but for
 *  those of the x87 when a mask that would let them trap is put in force. Such a coroutine is resumed through a
 *  function. */
#define CO_FPENV 1u

/** Bracket `stack`, or an allocator's memory, by 32 bytes of known content at each end, and look at them before and
 * after every switch: when something has written over them, a message names the coroutine and the program is aborted.
 * Takes 64 bytes of the memory. Mapped stacks have a guard page: with these, EINVAL. Such a coroutine is resumed
 * through a function. */
#define CO_CANARIES 2u

/** Paint the stack at creation, so that co_stack_used tells to 16 bytes how much of it was used. A mapped stack is then
 *  in memory as a whole until co_destroy. */
#define CO_WATERMARK 4u

/** Memory for the stack, in place of mmap, and for what co_defer remembers, in place of malloc. Memory from an
 *  allocator has no guard page. The calls come from the thread, and those of co_defer from the stack, of whoever calls
 *  the library; they may not yield.
 *  allocate  returns `bytes` bytes aligned for any object, or NULL
 *  release   gets back what allocate returned, and its size */
struct co_allocator {
    void *(*allocate)(size_t bytes, void *context);
    void (*release)(void *memory, size_t bytes, void *context);
    void *context;
};

/** Zero is the default of every field; initialise with = {0}. */
struct co_options {
    size_t stack_bytes;              /* for frames; 0: 128 KiB. At least 1024, else EINVAL. Mapped stacks are rounded up
                                        to whole pages, to what a signal handler's frame needs (AT_MINSIGSTKSZ) and,
                                        above 128 KiB, by up to 1/16 more: co_stack_size tells */
    void *stack;                     /* yours, `stack_bytes` long, any alignment, until co_destroy; some 340 bytes of it
                                        are the library's. Nothing is allocated, and no guard is below: co_defer,
                                        co_close and calls that the dynamic linker resolves late want 3 KiB of it */
    const char *name;                /* for diagnostics; not copied, must outlive the coroutine */
    const co_allocator_t *allocator; /* not copied, must outlive the coroutine */
    void *data;                      /* yours: co_data returns it */
    unsigned flags;                  /* CO_FPENV, CO_CANARIES, CO_WATERMARK, or 0 */
    unsigned reserved_flags;         /* must be zero */
    const char *site;                /* what co_site tells; CO_HERE; not copied. NULL: diagnostics tell the address of
                                        the call */
    uintptr_t reserved[4];           /* must be zero */
};

/* ---- Diagnostics --------------------------------------------------------------------------------------------- */

/** Explain stack overflows: from now on a coroutine that runs into its guard page is named on stderr, in one write,
 *  with the place of its creation, the size of its stack, the function that did not fit and the remedy. Then the action
 *  acts that SIGSEGV had before: a handler is called, and by default the process dies at the faulting instruction. A
 *  SIGSEGV for any other reason is passed on without a word.
 *
 *  Installs a handler of SIGSEGV, once per process, and gives the calling thread an alternate signal stack if it has
 *  none, until the thread ends. A stack of its own should have 16 KiB beside the kernel's frame. If somebody has
 *  replaced the handler, another call installs it on top.
 *
 *  Nothing is said about stacks that are the caller's or an allocator's, which have no guard page, nor when a frame is
 *  so large that it is entered beyond the guard: gcc's and clang's -fstack-clash-protection prevents that.
 *  returns  0, also when there is nothing to do; -ENOMEM, -EAGAIN (locked-memory limit, no pthread key left, or eight
 *           different handlers have replaced it), or what sigaction or sigaltstack answers. After a failure everything
 *           is as before
 *  thread   to be called in every thread that resumes coroutines: in others an overflow ends the process silently */
CO_API int co_catch_overflow(void);

/* ---- How the inline switch is made --------------------------------------------------------------------------- */

/* Four words of a context; co/layout.h has the picture. */
struct co__context {
    void *sp, *fp, *pc, *base;
};

/* The hot words of a coroutine, one cache line. Layout is ABI; assembly reads it. */
struct co {
    struct co__context own, resumer;
};

/* What the doors call when there is more to do than to switch. co__resume_slow answers as co_resume does. */
CO_API CO__COLD int co__resume_slow(co_t *co, void *in, void **out);
CO_API CO__COLD void *co__yield_refused(co_t *self, void *value);
CO_API CO__COLD void *co__yield_handling(co_t *self, void *value);
CO_API CO__COLD CO__NORETURN void co__unwind(void);

/* The C++ runtime's record of a thread's active handlers (__cxa_eh_globals; Itanium C++ ABI: Exception Handling,
 * section 2.2.2). It is one list in the order of one stack, so it must be empty at every switch: whoever switches away
 * inside a handler, or while an exception unwinds, goes through the library, which puts its part aside meanwhile. C++
 * code does, and C code compiled with -fexceptions, which is how C code says that it stands between C++ frames. */
struct co__handlers {
    void *caught;
    unsigned int uncaught;
};

#if defined(CO_NO_INLINE) && defined(CO_DEBUG)
static CO__INLINE void *co_yield_from(co_t *self, void *value) {
    if (self == NULL || self != co_self())
        return co__yield_refused(self, value);
#ifdef __cplusplus
    return co_suspend(value);
#else
    return co_yield(value);
#endif
}
#endif

#ifndef CO_NO_INLINE
#include CO__ARCH_INLINE

/* A call of a function lives in one coroutine from beginning to end; but that of a C++20 coroutine may go on
 * elsewhere. */
#ifdef __cpp_impl_coroutine
#define CO__CONSTANT_IN_A_CALL __volatile__
#else
#define CO__CONSTANT_IN_A_CALL
#endif

/* The running coroutine: constant in a call, on whatever threads it goes on. So the asm, not being volatile, may be
 * shared by all uses in a function and hoisted out of loops. What must not happen is that the value is seen between a
 * change of "current" and the switch; so that change is part of the switch's asm. */
static CO__INLINE co_t *co__current_get(void) {
    co_t *current;
    CO__THREAD_GET(CO__CONSTANT_IN_A_CALL, CO__THREAD_CURRENT, current);
    return current;
}

static CO__INLINE int co__handlers_active(void) {
#ifdef __EXCEPTIONS
    const struct co__handlers *handlers;
    CO__THREAD_GET(__volatile__, CO__THREAD_HANDLERS, handlers); /* differs between threads */
    return handlers == NULL || handlers->caught != NULL || handlers->uncaught != 0;
#else
    return 0;
#endif
}

/* A call for the case that never comes costs registers in the loops where it does not come: clang keeps the handle
 * elsewhere because a call would lose it, and every switch waits for that place to be read. These calls lose
 * nothing. */
#ifndef CO__PRESERVING
#define CO__PRESERVING CO__INLINE
#endif

struct co__answer {
    void *value;
    int status;
};

static CO__PRESERVING void co__resume_rest(co_t *co, void *in, struct co__answer *answer) {
    answer->status = co__resume_slow(co, in, &answer->value);
}

static CO__PRESERVING void co__yield_rest(co_t *self, void *value) { co__yield_refused(self, value); }

/* gcc below -O2 does not see that a caller who tests the status reads *out only where it is set, and would warn. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
static CO__INLINE int co_resume(co_t *co, void *in, void **out) {
    co_t *self = co__current_get();
    void *pc = NULL;
    void *value;
    int status;
    /* The first touch of a cold coroutine is this load: misses of successive coroutines overlap, which they would not
     * behind a store. */
    if (CO__LIKELY(co != NULL && (pc = co->own.pc) != NULL && !co__handlers_active())) {
        value = co__switch_in(co, in, pc, self, &status);
        /* Only co__entry says so, of a value that is not NULL: most loops know at compile time that theirs is. */
        if (!(__builtin_constant_p(in == NULL) && in == NULL) && !CO__LIKELY(status != CO__NOT_STARTED))
            return -CO__EINVAL;
    } else {
        /* Not `out`: a variable whose address is passed on would live in memory on the fast path too. Misuse leaves the
         * value alone; when the body failed it becomes NULL. */
        struct co__answer answer;
        answer.value = &answer;
        co__resume_rest(co, in, &answer);
        if (answer.status < 0 && answer.value != NULL) {
            if (out == NULL)
                return answer.status;
            answer.value = *out; /* which is then stored again: left alone, and, for the compiler, set */
        }
        value = answer.value;
        status = answer.status;
    }
    if (out != NULL)
        *out = value;
    return status;
}
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

static CO__INLINE co_t *co_self(void) { return co__current_get(); }

static CO__INLINE void *co_yield_from(co_t *self, void *value) {
#ifdef CO_DEBUG
    if (self == NULL || self != co__current_get())
        return co__yield_refused(self, value);
#endif
    if (co__handlers_active())
        return co__yield_handling(self, value);
    return co__switch_out(self, value);
}

#ifdef __cplusplus
static CO__INLINE void *co_suspend(void *value) {
#else
static CO__INLINE void *co_yield(void *value) {
#endif
    /* Two readings of one word. The first stays in one register for as long as the function runs. The second is only
     * tested: a compiler that saw the handle tested would keep it in a register that the switch has to load from the
     * coroutine's line, and the next coroutine would wait for that line. */
    co_t *self = co__current_get();
    co_t *anyone;
    CO__THREAD_GET(__volatile__, CO__THREAD_CURRENT, anyone);
    if (CO__LIKELY(anyone != NULL))
        return co_yield_from(self, value);
    co__yield_rest(self, value);
    return NULL;
}
#endif /* CO_NO_INLINE */

#ifdef __cplusplus
}
#endif

#endif /* CO_H */
