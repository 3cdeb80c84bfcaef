/* How generators are stepped, and loops made: what co/gen.h inlines into its users. Included by it, at its end. */
#ifndef CO_GEN_INLINE_H
#define CO_GEN_INLINE_H

#include <co/gen.h>

#include "co/deferred.h"

#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- The record ---------------------------------------------------------------------------------------------- */

/* A pointer of any type, const or not, as one that may be converted back. */
#ifdef __cplusplus
#define CO__UNCONST(pointer) (const_cast<void *>(static_cast<const void *>(pointer)))
#define CO__CAST(T, pointer) (static_cast<T>(pointer))
#else
#define CO__UNCONST(pointer) ((void *)(uintptr_t)(const void *)(pointer))
#define CO__CAST(T, pointer) ((T)(pointer))
#endif

/* What only the library and this header may touch. */
struct co_gen {
    void *slot;                      /* where CO_EMIT_TO puts items: the first member, for CO_GEN(T) points here */
    void *item;                      /* the current item: itself, if it is as small as a pointer, else where it is */
    co_t *next;                      /* who is resumed for the next item: the coroutine of `leaf`. NULL: gen.c knows */
    co_t *self;                      /* its own coroutine; NULL for a generator without one */
    co_gen_t *leaf;                  /* the last of those that have handed over in turn; itself */
    co_gen_t *inner;                 /* whom it has handed over to */
    co_gen_t *outers, *next_outer;   /* who has handed over to this one, and who else to the same */
    const struct co__gen_kind *kind; /* NULL: a coroutine */
    void *result;
    void *inner_result; /* what `inner` ended with */
    int inner_status;
    unsigned char started, done, reported, owns_inner;
    unsigned char small;      /* whether items are as small as a pointer */
    unsigned char executing;  /* of a generator without a coroutine */
    unsigned char emitted;    /* while it was told that the close of `inner` had failed, which is refused */
    struct co__deferred held; /* of the coroutine whose loop, or whose generator's parameter, owns it: gen_own.c */
};

/* A generator without a coroutine. `step` sets `item` and answers 1, or answers 0 or an error; -EBUSY while `done` is
 * not set says that nothing has changed. `end` closes what it owns and answers as co_gen_close; -EBUSY if it could not.
 * It is called at every destroying, so perhaps again. `release` frees all. */
struct co__gen_kind {
    int (*step)(co_gen_t *generator);
    int (*end)(co_gen_t *generator);
    void (*release)(co_gen_t *generator);
};

CO_API int co__gen_step(co_gen_t *generator);
/* The step of its leaf, which is no coroutine, has answered `status`, which is no item. */
CO_API int co__gen_kind_ended(co_gen_t *generator, int status);
/* The error of one that is NULL. */
CO_API int co__gen_null(void);
CO_API int co__gen_ended(co_gen_t *generator, int status);
CO_API void *co__gen_emit_refused(void);
CO_API int co__gen_hand_over(co_gen_t *self, co_gen_t *inner, void **result, int owns);
/* For co__defer_in_place. */
CO_API void co__gen_end_held(void *generator);
CO_API int co__gen_loop_left(co_gen_t *generator, co_t *holder);

/* ---- Stepping ------------------------------------------------------------------------------------------------ */

static CO__INLINE int co_gen_next(co_gen_t *generator) {
    co_t *next;
    if (!CO__LIKELY(generator != NULL) || !CO__LIKELY((next = generator->next) != NULL))
        return co__gen_step(generator);
    int status = co_resume(next, NULL, &generator->item);
    return CO__LIKELY(status == CO_YIELDED) ? status : co__gen_ended(generator, status);
}

static CO__INLINE const void *co_gen_item(const co_gen_t *generator) {
    if (generator == NULL || !generator->started || generator->done)
        return NULL;
    if (generator->small)
        return &generator->item;
    return generator->item;
}

/* gcc without optimisation warns of branches that are not taken. */
#define CO__AT_MOST_A_POINTER(bytes) ((bytes) <= sizeof(void *) ? (bytes) : sizeof(void *))

/* What an item is handed over as: itself or its address. All supported architectures are little-endian. */
static CO__INLINE void co__gen_take(void *out, void *const *item, size_t bytes) {
    if (bytes <= sizeof *item)
        memcpy(out, item, CO__AT_MOST_A_POINTER(bytes));
    else
        memcpy(out, *item, bytes);
}

static CO__INLINE int co__gen_copy(co_gen_t *generator, int status, void *out, size_t bytes) {
    if (status > 0 && generator != NULL) /* which gcc does not see to be the same */
        co__gen_take(out, &generator->item, bytes);
    return status;
}

/* a == b, without the compiler's using one for the other where they are equal: that would choose which of two loads the
 * processor waits for. */
static CO__INLINE int co__gen_same(const co_t *a, const co_t *b) {
#ifdef __cplusplus
    uintptr_t difference = reinterpret_cast<uintptr_t>(a) ^ reinterpret_cast<uintptr_t>(b);
#else
    uintptr_t difference = (uintptr_t)a ^ (uintptr_t)b;
#endif
#if defined(__GNUC__)
    __asm__("" : "+r"(difference));
#endif
    return difference == 0;
}

/* A call for what seldom happens, which costs the loop around it no registers (co.h: co__resume_rest). */
#ifdef CO_NO_INLINE
#define CO__GEN_PRESERVING CO__INLINE
#else
#define CO__GEN_PRESERVING CO__PRESERVING
#endif

struct co__gen_stepped {
    void *item;
    int status;
};

/* `status` is what the resume of its leaf answered; CO_YIELDED: there was none. */
static CO__GEN_PRESERVING void co__gen_rest(const co_t *leaf, co_gen_t *generator, int status,
                                            struct co__gen_stepped *stepped) {
    (void)leaf;
#if defined(__GNUC__)
    __asm__ __volatile__("" : : "r"(leaf)); /* else it would be no argument, and lose its register at the call */
#endif
    stepped->status = status == CO_YIELDED ? co__gen_step(generator) : co__gen_ended(generator, status);
    stepped->item = stepped->status > 0 ? generator->item : NULL;
}

/* Whom to resume. Where the guess is right the processor need not wait for generator->next, nor, in a loop, for the
 * words that it stored in the last round: it recognises these by the register that holds their address, if nothing is
 * loaded into that. The empty asm keeps the two ways apart, of which the compiler would else make one. */
static CO__INLINE co_t *co__gen_next_of(const co_gen_t *generator, co_t *guess) {
    co_t *next = generator->next;
    if (CO__LIKELY(co__gen_same(next, guess)))
        return guess;
#if defined(__GNUC__)
    __asm__ __volatile__("");
#endif
    return next;
}

/* Reads the running coroutine where every path comes by, so that clang takes the reading out of loops. */
static CO__INLINE void co__gen_read_self(void) {
#ifndef CO_NO_INLINE
    __asm__ __volatile__("" : : "r"(co_self()));
#endif
}

/* co_gen_next, where the size of an item is known: a small one stays in a register. *next is whom to resume, and then
 * perhaps whom to resume for the item after this one. */
static CO__INLINE int co__gen_next_by(co_gen_t *generator, co_t **next, void *out, size_t bytes) {
    struct co__gen_stepped stepped;
    void *item = NULL;
    int status = CO_YIELDED;
    if (CO__LIKELY(*next != NULL)) {
        status = co_resume(*next, NULL, &item);
        if (CO__LIKELY(status == CO_YIELDED)) {
            co__gen_take(out, &item, bytes);
            return 1;
        }
    }
    co__gen_rest(*next, generator, status, &stepped);
    if (stepped.status > 0) {
        *next = generator->next;
        co__gen_take(out, &stepped.item, bytes);
    }
    return stepped.status;
}

static CO__INLINE int co__gen_next(co_gen_t *generator, void *out, size_t bytes) {
    co_t *next = NULL;
#ifdef __clang__ /* gcc would keep it in a register, and `generator` on the stack */
    co__gen_read_self();
#endif
    if (CO__LIKELY(generator != NULL))
        next = generator->next;
    return co__gen_next_by(generator, &next, out, bytes);
}

static CO__INLINE int co__gen_send(co_gen_t *generator, void *value, void *out, size_t bytes) {
    return co__gen_copy(generator, co_gen_send(generator, value), out, bytes);
}

static CO__INLINE int co__gen_throw(co_gen_t *generator, int error, void *out, size_t bytes) {
    return co__gen_copy(generator, co_gen_throw(generator, error), out, bytes);
}

/* ---- Emitting ------------------------------------------------------------------------------------------------ */

/* `item` stays where it is while it is waited for. */
static CO__INLINE void *co__gen_emit_from(co_t *self, void *item, size_t bytes) {
    void *word = item;
    if (bytes <= sizeof word) {
        word = NULL;
        memcpy(&word, item, CO__AT_MOST_A_POINTER(bytes));
    }
    return co_yield_from(self, word);
}

/* A body runs in its coroutine and nowhere else. */
static CO__INLINE void *co__gen_emit(void *item, size_t bytes) { return co__gen_emit_from(co_self(), item, bytes); }

static CO__GEN_PRESERVING void co__gen_refuse(void) { co__gen_emit_refused(); }

static CO__INLINE void *co__gen_emit_to(co_gen_t *generator, void *item, size_t bytes) {
    co_t *self = co_self();
    if (CO__LIKELY(generator != NULL) && CO__LIKELY(generator->self != NULL) &&
        CO__LIKELY(co__gen_same(generator->self, self)))
        return co__gen_emit_from(self, item, bytes);
    co__gen_refuse();
    return NULL;
}

/* A variable of its own is none that others see: a small item stays in a register. */
#if defined(__GNUC__)
#define CO__EMIT_TO(self, ...)                                                                                         \
    __extension__({                                                                                                    \
        __typeof__(**(self)) co__emitted = (__VA_ARGS__);                                                              \
        co__gen_emit_to(CO_GEN_UNTYPED(self), (void *)&co__emitted, sizeof co__emitted);                               \
    })
#else
#define CO__EMIT_TO(self, ...)                                                                                         \
    (CO_GEN_UNTYPED(self) != NULL && CO_GEN_UNTYPED(self)->self != NULL && CO_GEN_UNTYPED(self)->self == co_self()     \
         ? (**(self) = (__VA_ARGS__), co__gen_emit_to(CO_GEN_UNTYPED(self), (void *)*(self), sizeof **(self)))         \
         : co__gen_emit_refused())
#endif

static CO__INLINE void co__gen_return(co_gen_t *self, void *value) { self->result = value; }

static CO__INLINE int co__gen_from(co_gen_t *self, const void *inner, void **result, int owns) {
    return co__gen_hand_over(self, CO__CAST(co_gen_t *, CO__UNCONST(inner)), result, owns);
}

/* ---- Loops --------------------------------------------------------------------------------------------------- */

#define CO__JOIN_(a, b) a##b
#define CO__JOIN(a, b) CO__JOIN_(a, b)

/* Pointers of different types cannot be subtracted: an error, not a warning, in C and C++. sizeof evaluates nothing. */
#define CO__SAME_ITEM(generator, out) ((void)sizeof(*(generator) - (out)), CO_GEN_UNTYPED(generator))
#define CO__SAME_TYPE(self, generator) ((void)sizeof((self) - (generator)), CO_GEN_UNTYPED(self))

/* A loop in a loop: the outer one runs once, and ends the generator whichever way the inner one was left. */
struct co__gen_loop {
    co_gen_t *generator;
    co_t *next;
    co_t *holder; /* the coroutine that it runs in, whose close ends the generator; or NULL */
    int *status;
    int owns;
    int again;
};

/* A loop that fails the body: it runs in the first turn, and the second one looks at what has ended it. */
struct co__gen_failing {
    int status, turn;
};

/* One that executes is not the loop's to end, and may be held by another. */
static CO__INLINE void co__gen_hold(co_gen_t *generator, const co_t *holder) {
    if (generator == NULL || holder == NULL)
        return;
    if (generator->held.holder == NULL || co_gen_state(generator) != CO_GEN_EXECUTING)
        co__defer_in_place(&generator->held, co__gen_end_held, generator);
}

static CO__INLINE struct co__gen_loop co__gen_loop_begin(co_gen_t *generator, int *status, int owns) {
    struct co__gen_loop loop;
    loop.generator = generator;
    loop.status = status;
    loop.owns = owns;
    loop.holder = co_self();
    if (owns)
        co__gen_hold(generator, loop.holder);
    loop.next = generator == NULL ? NULL : generator->next; /* not alive over a call, which has its price in the loop */
    loop.again = 1;
    if (status != NULL)
        *status = generator == NULL ? co__gen_null() : 0;
    co__gen_read_self();
    return loop;
}

static CO__INLINE int co__gen_loop_next(struct co__gen_loop *loop, void *out, size_t bytes) {
    if (!CO__LIKELY(loop->generator != NULL))
        return 0;
    loop->next = co__gen_next_of(loop->generator, loop->next);
    int status = co__gen_next_by(loop->generator, &loop->next, out, bytes);
    if (CO__LIKELY(status == 1))
        return 1;
    if (loop->status != NULL)
        *loop->status = status;
    return 0;
}

static CO__INLINE void co__gen_loop_end(struct co__gen_loop *loop) {
    loop->again = 0;
    if (loop->owns && loop->generator != NULL) {
        int status = co__gen_loop_left(loop->generator, loop->holder);
        if (loop->status != NULL && *loop->status == 0)
            *loop->status = status;
        loop->generator = NULL;
    }
}

#if defined(__GNUC__)
#define CO__LOOP_LEFT __attribute__((cleanup(co__gen_loop_end)))
#else
#define CO__LOOP_LEFT
#endif

/* Two loops may stand on one line: a macro of the program may hold them. */
#ifdef __COUNTER__
#define CO__UNIQUE __COUNTER__
#else
#define CO__UNIQUE __LINE__
#endif

#define CO__FOR(T, x, generator, status, owns) CO__FOR_NUMBERED(CO__UNIQUE, T, x, generator, status, owns)
#define CO__FOR_NUMBERED(number, T, x, generator, status, owns)                                                        \
    CO__FOR_NAMED(CO__JOIN(co__loop, number), T, x, generator, status, owns)
#define CO__FOR_NAMED(loop, T, x, generator, status, owns)                                                             \
    for (struct co__gen_loop loop CO__LOOP_LEFT = co__gen_loop_begin(CO__OF_TYPE(T, generator), status, owns);         \
         loop.again; co__gen_loop_end(&loop))                                                                          \
        for (T x = CO__ZERO; co__gen_loop_next(&loop, &(x), sizeof(x));)

#define CO__FOR_OR_FAIL(T, x, generator) CO__FOR_OR_FAIL_NUMBERED(CO__UNIQUE, T, x, generator)
#define CO__FOR_OR_FAIL_NUMBERED(number, T, x, generator)                                                              \
    CO__FOR_OR_FAIL_NAMED(CO__JOIN(co__failing, number), T, x, generator)
#define CO__FOR_OR_FAIL_NAMED(failing, T, x, generator)                                                                \
    for (struct co__gen_failing failing = {0, 0}; failing.turn < 2; failing.turn++)                                    \
        if (failing.turn == 1)                                                                                         \
            CO__FAIL_IF(failing.status)                                                                                \
        else                                                                                                           \
            CO__FOR(T, x, generator, &failing.status, 1)

#define CO__FAIL_IF(status)                                                                                            \
    {                                                                                                                  \
        if ((status) < 0)                                                                                              \
            CO_FAIL(-(status));                                                                                        \
    }

/* Compilers do not see that x is set before the statement runs. */
#ifdef __cplusplus
#define CO__ZERO                                                                                                       \
    {}
#else
#define CO__ZERO                                                                                                       \
    { 0 }
#endif

#ifdef __cplusplus
#define CO__OF_TYPE(T, generator) CO_GEN_UNTYPED((static_cast<CO_GEN(T)>(generator)))
#else
#define CO__OF_TYPE(T, generator) CO_GEN_UNTYPED(_Generic((generator), CO_GEN(T) : (generator)))
#endif

#ifdef __cplusplus
}
#endif

#endif /* CO_GEN_INLINE_H */
