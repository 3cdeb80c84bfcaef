/* The block of a coroutine: what the library knows of one. It lies at the top of the coroutine's own stack, and the
 * stack grows down from its first byte, so that the hot words and the first frame are neighbours, and a suspended
 * coroutine that used little costs one page.
 *
 * The offsets are for assembly; co.c asserts them. */
#ifndef CO_BLOCK_H
#define CO_BLOCK_H

#define CO__FN 64
#define CO__ARG 72
#define CO__ERROR 80
#define CO__REFUSED 84
#define CO__DEFERRED 88
#define CO__FAILURE 96
#define CO__LIFE 100
#define CO__TRUE_RESUMER_PC 112 /* CO__RESUMER_PC + 64: call-frame information of co__entry */

/* A life: what own.pc == NULL alone does not tell. */
#define CO__ALIVE 0  /* suspended if its pc is set, fresh if that is co__entry; else running or normal */
#define CO__ENDING 1 /* its deferred calls or its destructors run: yields are refused */
#define CO__ENDED 2

#define CO__BLOCK_BYTES 336 /* behind which a task has more */

/* The two bytes of a number from 64 to 8191 in call-frame information (DWARF 5, section 7.6: signed LEB128). */
#define CO__SLEB128(number) 0x80 | ((number) & 0x7f), (number) >> 7

#ifndef __ASSEMBLER__

#include "co.h"
#include "co/deferred.h"
#include "hooks.h"
#include "stack.h"

#include <stdatomic.h>

/* The library switches through the inline door in sanitizer builds of itself too: the one function that does is
 * CO__UNINSTRUMENTED, and hooks.c tells the sanitizers. */
#ifdef CO_NO_INLINE
#include CO__ARCH_INLINE

static CO__INLINE co_t *co__current_get(void) {
    co_t *current;
    CO__THREAD_GET(, CO__THREAD_CURRENT, current);
    return current;
}

static CO__INLINE int co__handlers_active(void) {
    const struct co__handlers *handlers;
    CO__THREAD_GET(__volatile__, CO__THREAD_HANDLERS, handlers);
    return handlers == NULL || handlers->caught != NULL || handlers->uncaught != 0;
}
#endif

/* clang's no_sanitize("thread") keeps the calls that record entry and exit, which belong to one stack. */
#if defined(__clang__) && defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CO__UNINSTRUMENTED __attribute__((noinline, disable_sanitizer_instrumentation))
#else
#define CO__UNINSTRUMENTED __attribute__((noinline, no_sanitize("address", "memory")))
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define CO__UNINSTRUMENTED __attribute__((noinline, no_sanitize_address))
#elif defined(__SANITIZE_THREAD__)
#define CO__UNINSTRUMENTED __attribute__((noinline, no_sanitize_thread))
#else
#define CO__UNINSTRUMENTED
#endif

/* A coroutine without options, of the default size, that no tool has to be told of: its memory may go to the pool as it
 * is when it has ended. */
#define CO__PLAIN 1
/* A task of a scheduler, which alone resumes and destroys it. */
#define CO__TASK 2

/* `state` of a block that is alive, not slow, and does not unwind. */
#define CO__STATE(kind) ((uint32_t)(kind) << (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 16 : 8))

/* A word that seldom changes is compared before it is stored: a store is what costs. */
#define CO__SET(word, value)                                                                                           \
    do {                                                                                                               \
        if (!CO__LIKELY((word) == (value)))                                                                            \
            (word) = (value);                                                                                          \
    } while (0)

struct co__block {
    struct co hot;

    co_fn fn;
    void *arg;
    int error;                     /* what co_error tells */
    int refused;                   /* a yield was refused: written by co__refusal */
    struct co__deferred *deferred; /* last first */
    int failure;                   /* what co_fail said, a positive errno value */
    union {
        struct {
            unsigned char life;    /* CO__ALIVE, CO__ENDING, CO__ENDED */
            unsigned char slow;    /* every switch goes through the library, and own.pc is kept in slow_pc while
                                      suspended: CO_FPENV, CO_CANARIES, sanitizers */
            unsigned char kind;    /* CO__PLAIN, CO__TASK */
            unsigned char unwinds; /* while closing: through the unwinder */
        };
        uint32_t state; /* these four at once */
    };
    void *slow_pc;
    void *resumer_pc;              /* the true resumer.pc while yields are refused, else NULL */
    int outcome;                   /* the first error while ending */
    unsigned flags;                /* of co_options_t */
    uint32_t fpenv[2];             /* floating-point control state while suspended, with CO_FPENV */

    const char *name;
    const char *site;   /* "file:line" of the creation, or NULL */
    const void *caller; /* the address that the creation returned to, where there is no site */
    void *data;
    const co_allocator_t *allocator;
    struct co__handlers *handlers; /* put aside by a yield from within a C++ handler; NULL when there are none, and while
                                      unwinding: libstdc++'s terminate handler takes this word, 80 bytes below what it
                                      has caught, for the type of the exception */
    struct co__stack stack;
    struct co__hooks hooks;
    _Alignas(16) unsigned char exception[64]; /* the unwinder's, while co_close unwinds */
    size_t stack_bytes; /* of co_options_t */
};

static inline struct co__block *co__block_of(const co_t *co) { return (struct co__block *)(uintptr_t)co; }

/* Who has resumed `co`, which runs or waits for another; NULL: no coroutine. */
static inline co_t *co__resumer_of(const co_t *co) {
    return (co__block_of(co)->kind & CO__TASK) != 0 ? NULL : co->own.base;
}

/* Where a pc that may be jumped to is kept: NULL unless the coroutine is suspended. */
static inline void **co__pc_word(struct co__block *block) { return block->slow ? &block->slow_pc : &block->hot.own.pc; }

/* src/arch. Where a fresh coroutine starts, where co_close sends one whose landing knows no unwinder, and what refuses
 * a yield: addresses for a pc word, not functions to call. */
extern const char co__entry[], co__closing[], co__refusal[];

/* What a fresh coroutine needs on any block, beside its pc: co__entry, so that the first resume is like all others. */
static CO__INLINE void co__make_fresh(struct co__block *block, co_fn fn, void *arg, const char *site) {
    block->hot.own.sp = block;
    block->fn = fn;
    block->arg = arg;
    block->site = site;
    block->life = CO__ALIVE;
}

static inline bool co__is_fresh(struct co__block *block) { return *co__pc_word(block) == (const void *)co__entry; }

/* Leaves an ended coroutine for its resumer, for good. */
CO__NORETURN void co__leave(co_t *co, void *value, long status);
/* Calls fn(arg); an exception that leaves it ends the program. */
void co__call_guarded(void (*fn)(void *), void *arg);
/* Stores the processor's floating-point control state; exchanges it with the stored one. */
void co__fpenv_save(uint32_t fpenv[2]);
void co__fpenv_swap(uint32_t fpenv[2]);
/* A request to Valgrind, which answers it; elsewhere the answer is `otherwise`. */
uintptr_t co__valgrind(uintptr_t otherwise, const uintptr_t request[6]);

/* co.c */
co_t *co__create(const co_options_t *opt, co_fn fn, void *arg, const void *caller, unsigned kind);
void co__free(struct co__block *block); /* one that has ended */
/* Whether there was ever a coroutine with CO_FPENV. */
extern atomic_bool co__fpenv_was_used __attribute__((visibility("hidden")));
struct co__outcome {
    void *value;
    long status;
};
struct co__outcome co__finish(co_t *co, void *value);
int co__enter(struct co__block *block, void *in, void **out);

/* close.c: ends one that is fresh or has ended; makes the next switch into one that stopped close it, with destructors if
 * it stopped where unwinding may begin. */
void co__end_fresh(struct co__block *block);
void co__redirect(struct co__block *block, bool may_unwind);

/* defer.c: the end of a body. Between begin and end yields are refused; `outcome` gathers the first error. */
int co__defer(void (*fn)(void *), void *arg, uintptr_t mark);
void co__defer_at(struct co__deferred *call, void (*fn)(void *), void *arg, uintptr_t mark);
void co__defer_for(struct co__block *block, struct co__deferred *call, void (*fn)(void *), void *arg, uintptr_t mark);
void co__begin_ending(struct co__block *block);
void co__run_deferred(struct co__block *block, uintptr_t up_to_frame);
int co__end_ending(struct co__block *block);

/* handlers.c: both do nothing in a program without a C++ runtime. */
void co__handlers_put_aside(struct co__handlers *saved); /* leaves none active */
void co__handlers_restore(const struct co__handlers *saved);

#endif /* __ASSEMBLER__ */
#endif
