/* Typed generators: Python's protocol in C.
 *
 *     CO_GENERATOR(fibonacci, long, (int, count)) {
 *         for (long a = 0, b = 1; count > 0; count--) {
 *             CO_EMIT(a);
 *             b += a;
 *             a = b - a;
 *         }
 *     }
 *     CO_FOR(long, x, fibonacci(10)) printf("%ld\n", x);
 *
 * CO_GENERATOR defines a function, here fibonacci(int), that returns a generator of the element type, CO_GEN(long).
 * Arguments are copied when it is called, and nothing runs until the first item is asked for.
 *
 * Why this form. Parameters are pairs in parentheses since C has no way to take the name out of `int count`; in return
 * the body is an ordinary function with ordinary parameters, and creation is an ordinary call, which a compiler checks
 * and a header can declare: `CO_GEN(long) fibonacci(int count);`. A generator of T is written as a pointer that nobody
 * else uses, T *const *, so that no type has to be declared before, and a loop, a step or a handing over of another
 * type is an error in every standard of C and C++; so is an assignment in C++, of which C compilers may only warn. A
 * loop owns what it iterates, because that is what a generator written in the loop's head needs.
 *
 * Conventions, for every call below, beside those of co.h:
 *  errors     1 an item, 0 the end, below zero a negated errno value, as co_resume answers. NULL answers -EINVAL, a
 *             generator that is executing -EBUSY, and survives.
 *  items      are copied, to where CO_NEXT and CO_FOR say
 *  ownership  creation's caller owns a generator and ends it with CO_GEN_DESTROY; CO_FOR and CO_FROM do so themselves,
 *             CO_FOR_BORROWED and CO_FROM_BORROWED do not
 *  threads    as a coroutine: any, one at a time
 *
 * Layout of this file: types; making one; in the body; stepping; loops; the untyped calls; how it is made. */
#ifndef CO_GEN_H
#define CO_GEN_H

#include <co.h>

#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Types --------------------------------------------------------------------------------------------------- */

/** A generator of any element type. */
typedef struct co_gen co_gen_t;

/** A generator of T, which is a type without brackets or parentheses in its name: long, const char *, struct point. Not
 *  to be dereferenced. As with any pointer, `CO_GEN(long) a, b;` declares one generator and one long. */
#define CO_GEN(T) T *const *

typedef enum {
    CO_GEN_FRESH,     /* nothing of it has run */
    CO_GEN_SUSPENDED, /* stopped at an item */
    CO_GEN_EXECUTING, /* its body runs, or a generator's that it has handed over to */
    CO_GEN_DONE       /* the body has returned or failed, or it was closed */
} co_gen_state_t;

/* ---- Making one ---------------------------------------------------------------------------------------------- */

/** CO_GENERATOR(name, T, (type, parameter), ...) { body }: up to eight parameters, or none. Defines the function name,
 *  whose result is CO_GEN(T), or NULL and errno as co_create says. `static` may stand before it. The body is a function
 *  of those parameters that returns nothing; in C++ they must be trivially copyable. */
#define CO_GENERATOR(...) CO__GENERATOR(__VA_ARGS__)

/* ---- In the body --------------------------------------------------------------------------------------------- */

/** Hand out an item, and wait for the next step. Is what that step sends, a void *: NULL but for CO_SEND; NULL also
 *  after CO_THROW, when co_error() tells; NULL at once in a deferred call (co_error() is EPERM). */
#define CO_EMIT(item) (co__generator_item = (item), co__gen_emit(&co__generator_item, sizeof co__generator_item))

/** The running generator, in its body: to be handed to functions that emit, which take it as CO_GEN(T). */
#define CO_SELF co__generator_self

/** CO_EMIT for functions that the body calls, at any depth. `self` must be the running generator, else nothing is
 *  emitted: NULL and errno EPERM. */
#define CO_EMIT_TO(self, item) CO__EMIT_TO(self, item)

/** End the body with a result, a void *, for CO_GEN_RESULT and CO_FROM. */
#define CO_RETURN(value)                                                                                               \
    do {                                                                                                               \
        co__gen_return(CO_GEN_UNTYPED(CO_SELF), value);                                                                \
        return;                                                                                                        \
    } while (0)

/** End the body with an error, a positive errno value. */
#define CO_FAIL(error)                                                                                                 \
    do {                                                                                                               \
        (void)co_fail(error);                                                                                          \
        return;                                                                                                        \
    } while (0)

/** Hand over to another generator of the same type until it ends ("yield from"): whoever steps this one steps that one,
 *  at no cost beside, however many have handed over in turn. Sends, throws and closes go to it too. It is destroyed at
 *  its end, or with this one; the borrowed form leaves it to its owner.
 *  result   void **; receives its result, NULL if it failed; may be NULL
 *  is       0, or its negated error; the generator goes on. For NULL -ENOMEM or -EAGAIN, when errno says so, else
 *           -EINVAL. -EBUSY (executing, or it waits for this one), -EPERM (this one does not run): it is neither
 *           stepped nor destroyed. -EPERM also in a deferred call, if it had an item */
#define CO_FROM(generator, result) CO_FROM_TO(CO_SELF, generator, result)
#define CO_FROM_BORROWED(generator, result) CO_FROM_BORROWED_TO(CO_SELF, generator, result)
/** The same for functions that the body calls. */
#define CO_FROM_TO(self, generator, result) co__gen_from(CO__SAME_TYPE(self, generator), generator, result, 1)
#define CO_FROM_BORROWED_TO(self, generator, result) co__gen_from(CO__SAME_TYPE(self, generator), generator, result, 0)

/* ---- Stepping ------------------------------------------------------------------------------------------------ */

/** The next item, copied to *out, which is a T.
 *  is       1, 0 or an error; *out is untouched unless 1 */
#define CO_NEXT(generator, out) co__gen_next(CO__SAME_ITEM(generator, out), out, sizeof *(out))

/** The same; the pending CO_EMIT is `value`, a void *. -EINVAL if it is not NULL and the generator is fresh, and stays
 *  so. */
#define CO_SEND(generator, value, out) co__gen_send(CO__SAME_ITEM(generator, out), value, out, sizeof *(out))

/** The same; the pending CO_EMIT is NULL and co_error() tells `error`, a positive errno value. A fresh generator is
 *  closed without running, and answers -error; so does one that is done. */
#define CO_THROW(generator, error, out) co__gen_throw(CO__SAME_ITEM(generator, out), error, out, sizeof *(out))

#define CO_GEN_CLOSE(generator) co_gen_close(CO_GEN_UNTYPED(generator))
#define CO_GEN_DESTROY(generator) co_gen_destroy(CO_GEN_UNTYPED(generator))
#define CO_GEN_RESULT(generator) co_gen_result(CO_GEN_UNTYPED(generator))
#define CO_GEN_STATE(generator) co_gen_state(CO_GEN_UNTYPED(generator))

/* ---- Loops --------------------------------------------------------------------------------------------------- */

/** CO_FOR(T, x, generator) statement: T x is each item in turn. The loop owns the generator: it is destroyed at the end
 *  and after `break`, and, where the compiler knows __attribute__((cleanup)) or in C++, after `return`, `goto` and
 *  exceptions; elsewhere do not leave it so. A close of the coroutine that stands in the loop ends the generator in
 *  frames with language tables (C++, -fexceptions); in others it is left suspended, for nobody. A generator that is
 *  NULL or fails ends the loop; CO_FOR_STATUS tells. */
#define CO_FOR(T, x, generator) CO__FOR(T, x, generator, NULL, 1)

/** The same, with an int that becomes 0 or the negated error that ended the loop. */
#define CO_FOR_STATUS(T, x, generator, status) CO__FOR(T, x, generator, &(status), 1)

/** Iterates a generator that stays its owner's, and is suspended after `break`. */
#define CO_FOR_BORROWED(T, x, generator) CO__FOR(T, x, generator, NULL, 0)

/* ---- The untyped calls --------------------------------------------------------------------------------------- */

/** Any generator, for the calls below. */
#define CO_GEN_UNTYPED(generator) CO__CAST(co_gen_t *, CO__UNCONST(generator))

/** The next item, whose address co_gen_item tells then.
 *  returns  1, 0 or an error */
static CO__INLINE int co_gen_next(co_gen_t *generator);
CO_API int co_gen_send(co_gen_t *generator, void *value);
CO_API int co_gen_throw(co_gen_t *generator, int error);

/** Where the item of the last of these three calls is, or of CO_SEND or CO_THROW; NULL before the first and after the
 *  last. CO_NEXT and loops leave no trace here. */
static CO__INLINE const void *co_gen_item(const co_gen_t *generator);

/** End a generator: that which it has handed over to first, then its deferred calls, and destructors, as co_close says.
 *  returns  0, also for one that is fresh or done; -EINVAL; -EBUSY; the first error of a deferred call; -EPERM if one
 *           tried to emit. An error of the inner generator's close reaches the pending CO_FROM, as Python has it: the
 *           body may go on then, and what it ends with is the answer; -EPERM if it emits */
CO_API int co_gen_close(co_gen_t *generator);

/** Close and free; NULL is nothing and answers 0.
 *  returns  as co_gen_close; -EBUSY frees nothing: it is executing, or another that has borrowed it (CO_FROM_BORROWED)
 *           waits for it still. Where a deferred call failed with EBUSY it is freed, and the answer is -EINVAL */
CO_API int co_gen_destroy(co_gen_t *generator);

/** What its body has returned (CO_RETURN), told once: NULL the next time, and before. */
CO_API void *co_gen_result(co_gen_t *generator);

/** CO_GEN_DONE for NULL. */
CO_API co_gen_state_t co_gen_state(const co_gen_t *generator);

/* ---- How it is made ------------------------------------------------------------------------------------------ */

/* A pointer of any type, const or not, as one that may be converted back. */
#ifdef __cplusplus
#define CO__UNCONST(pointer) (const_cast<void *>(static_cast<const void *>(pointer)))
#define CO__CAST(T, pointer) (static_cast<T>(pointer))
#else
#define CO__UNCONST(pointer) ((void *)(uintptr_t)(const void *)(pointer))
#define CO__CAST(T, pointer) ((T)(pointer))
#endif

/* What only gen.c and this header may touch. */
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
    unsigned char small;     /* whether items are as small as a pointer */
    unsigned char executing; /* of a generator without a coroutine */
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
CO_API int co__gen_no_loop(void);
CO_API int co__gen_ended(co_gen_t *generator, int status);
/* The step of its leaf, which is no coroutine, has answered `status`, which is no item. */
CO_API int co__gen_kind_ended(co_gen_t *generator, int status);
CO_API void *co__gen_emit_refused(void);
CO_API int co__gen_hand_over(co_gen_t *self, co_gen_t *inner, void **result, int owns);
CO_API co_gen_t *co__gen_create(const char *site, void *(*start)(void *), void *arguments);
CO_API void co__gen_enter(co_gen_t *generator, void *slot, size_t item_bytes);
/* Never returns. If it were declared so, clang would take the call of the body before it for one that seldom runs. */
CO_API void *co__gen_leave(co_gen_t *generator);

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

/* co_gen_next, where the size of an item is known: a small one stays in a register. */
static CO__INLINE int co__gen_next_guessed(co_gen_t *generator, co_t **guess, void *out, size_t bytes) {
    struct co__gen_stepped stepped;
    void *item = NULL;
    int status = CO_YIELDED;
    if (CO__LIKELY(generator != NULL) && CO__LIKELY((*guess = co__gen_next_of(generator, *guess)) != NULL)) {
        status = co_resume(*guess, NULL, &item);
        if (CO__LIKELY(status == CO_YIELDED)) {
            co__gen_take(out, &item, bytes);
            return 1;
        }
    }
    co__gen_rest(*guess, generator, status, &stepped);
    if (stepped.status > 0) {
        *guess = generator->next;
        co__gen_take(out, &stepped.item, bytes);
    }
    return stepped.status;
}

static CO__INLINE int co__gen_next(co_gen_t *generator, void *out, size_t bytes) {
    co_t *guess = NULL;
    co__gen_read_self();
    return co__gen_next_guessed(generator, &guess, out, bytes);
}

static CO__INLINE int co__gen_send(co_gen_t *generator, void *value, void *out, size_t bytes) {
    return co__gen_copy(generator, co_gen_send(generator, value), out, bytes);
}

static CO__INLINE int co__gen_throw(co_gen_t *generator, int error, void *out, size_t bytes) {
    return co__gen_copy(generator, co_gen_throw(generator, error), out, bytes);
}

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
#define CO__EMIT_TO(self, item)                                                                                        \
    __extension__({                                                                                                    \
        __typeof__(**(self)) co__emitted = (item);                                                                     \
        co__gen_emit_to(CO_GEN_UNTYPED(self), (void *)&co__emitted, sizeof co__emitted);                               \
    })
#else
#define CO__EMIT_TO(self, item)                                                                                        \
    (CO_GEN_UNTYPED(self) != NULL && CO_GEN_UNTYPED(self)->self != NULL && CO_GEN_UNTYPED(self)->self == co_self()     \
         ? (**(self) = (item), co__gen_emit_to(CO_GEN_UNTYPED(self), (void *)*(self), sizeof **(self)))                \
         : co__gen_emit_refused())
#endif

static CO__INLINE void co__gen_return(co_gen_t *self, void *value) { self->result = value; }

static CO__INLINE int co__gen_from(co_gen_t *self, const void *inner, void **result, int owns) {
    return co__gen_hand_over(self, CO__CAST(co_gen_t *, CO__UNCONST(inner)), result, owns);
}

/* The macros. */
#define CO__JOIN_(a, b) a##b
#define CO__JOIN(a, b) CO__JOIN_(a, b)

/* Pointers of different types cannot be subtracted: an error, not a warning, in C and C++. sizeof evaluates nothing. */
#define CO__SAME_ITEM(generator, out) ((void)sizeof(*(generator) - (out)), CO_GEN_UNTYPED(generator))
#define CO__SAME_TYPE(self, generator) ((void)sizeof((self) - (generator)), CO_GEN_UNTYPED(self))

/* A loop in a loop: the outer one runs once, and ends the generator whichever way the inner one was left. */
struct co__gen_loop {
    co_gen_t *generator;
    co_t *next;
    int *status;
    int owns, again;
};

static CO__INLINE struct co__gen_loop co__gen_loop_begin(co_gen_t *generator, int *status, int owns) {
    struct co__gen_loop loop;
    loop.generator = generator;
    loop.next = generator == NULL ? NULL : generator->next;
    loop.status = status;
    loop.owns = owns;
    loop.again = 1;
    if (status != NULL)
        *status = generator == NULL ? co__gen_no_loop() : 0;
    co__gen_read_self();
    return loop;
}

static CO__INLINE int co__gen_loop_next(struct co__gen_loop *loop, void *out, size_t bytes) {
    if (!CO__LIKELY(loop->generator != NULL))
        return 0;
    int status = co__gen_next_guessed(loop->generator, &loop->next, out, bytes);
    if (CO__LIKELY(status == 1))
        return 1;
    if (loop->status != NULL)
        *loop->status = status;
    return 0;
}

static CO__INLINE void co__gen_loop_end(struct co__gen_loop *loop) {
    loop->again = 0;
    if (loop->owns && loop->generator != NULL) {
        int status = co_gen_destroy(loop->generator);
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

#define CO__FOR(T, x, generator, status, owns)                                                                         \
    for (struct co__gen_loop CO__JOIN(co__loop, __LINE__)                                                              \
             CO__LOOP_LEFT = co__gen_loop_begin(CO__OF_TYPE(T, generator), status, owns);                              \
         CO__JOIN(co__loop, __LINE__).again; co__gen_loop_end(&CO__JOIN(co__loop, __LINE__)))                          \
        for (T x = CO__ZERO; co__gen_loop_next(&CO__JOIN(co__loop, __LINE__), &(x), sizeof(x));)

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

/* Locals of an instrumented function may lie elsewhere than on its stack, and go with the last switch. */
#if defined(__clang__)
#define CO__GEN_START __attribute__((noinline, no_sanitize("address", "memory", "thread")))
#elif defined(__SANITIZE_ADDRESS__)
#define CO__GEN_START __attribute__((noinline, no_sanitize_address))
#elif defined(__GNUC__)
#define CO__GEN_START __attribute__((noinline))
#else
#define CO__GEN_START
#endif

/* Up to eight parameters: how many, and something for each. */
#define CO__COUNT(...) CO__COUNT_(__VA_ARGS__, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0)
#define CO__COUNT_(name, T, a, b, c, d, e, f, g, h, count, ...) count
#define CO__GENERATOR(...) CO__JOIN(CO__GENERATOR_, CO__COUNT(__VA_ARGS__))(__VA_ARGS__)

#define CO__PARAMETER(pair) CO__PARAMETER_ pair
#define CO__PARAMETER_(type, name) type name
#define CO__MEMBER(pair) CO__MEMBER_ pair
#define CO__MEMBER_(type, name) type name;
#define CO__NAME(pair) CO__NAME_ pair
#define CO__NAME_(type, name) name
#define CO__PASS(pair) CO__PASS_ pair
#define CO__PASS_(type, name) , co__arguments.name

#define CO__EACH_1(do_, by, a) do_(a)
#define CO__EACH_2(do_, by, a, ...) do_(a) by() CO__EACH_1(do_, by, __VA_ARGS__)
#define CO__EACH_3(do_, by, a, ...) do_(a) by() CO__EACH_2(do_, by, __VA_ARGS__)
#define CO__EACH_4(do_, by, a, ...) do_(a) by() CO__EACH_3(do_, by, __VA_ARGS__)
#define CO__EACH_5(do_, by, a, ...) do_(a) by() CO__EACH_4(do_, by, __VA_ARGS__)
#define CO__EACH_6(do_, by, a, ...) do_(a) by() CO__EACH_5(do_, by, __VA_ARGS__)
#define CO__EACH_7(do_, by, a, ...) do_(a) by() CO__EACH_6(do_, by, __VA_ARGS__)
#define CO__EACH_8(do_, by, a, ...) do_(a) by() CO__EACH_7(do_, by, __VA_ARGS__)
#define CO__NOTHING()
#define CO__COMMA() ,

#define CO__GENERATOR_0(name, T)                                                                                       \
    CO__GENERATOR_DEFINED(name, T, (void), char co__none;                                                              \
                          , 0, (CO_GEN(T) CO_SELF CO__UNUSED, T co__generator_item CO__UNUSED), )
#define CO__GENERATOR_1(...) CO__GENERATOR_N(CO__EACH_1, __VA_ARGS__)
#define CO__GENERATOR_2(...) CO__GENERATOR_N(CO__EACH_2, __VA_ARGS__)
#define CO__GENERATOR_3(...) CO__GENERATOR_N(CO__EACH_3, __VA_ARGS__)
#define CO__GENERATOR_4(...) CO__GENERATOR_N(CO__EACH_4, __VA_ARGS__)
#define CO__GENERATOR_5(...) CO__GENERATOR_N(CO__EACH_5, __VA_ARGS__)
#define CO__GENERATOR_6(...) CO__GENERATOR_N(CO__EACH_6, __VA_ARGS__)
#define CO__GENERATOR_7(...) CO__GENERATOR_N(CO__EACH_7, __VA_ARGS__)
#define CO__GENERATOR_8(...) CO__GENERATOR_N(CO__EACH_8, __VA_ARGS__)
#define CO__GENERATOR_N(each, name, T, ...)                                                                            \
    CO__GENERATOR_DEFINED(                                                                                             \
        name, T, (each(CO__PARAMETER, CO__COMMA, __VA_ARGS__)), each(CO__MEMBER, CO__NOTHING, __VA_ARGS__),            \
        each(CO__NAME, CO__COMMA, __VA_ARGS__),                                                                        \
        (CO_GEN(T) CO_SELF CO__UNUSED, T co__generator_item CO__UNUSED, each(CO__PARAMETER, CO__COMMA, __VA_ARGS__)),  \
        each(CO__PASS, CO__NOTHING, __VA_ARGS__))

#if defined(__GNUC__)
#define CO__UNUSED __attribute__((unused))
#else
#define CO__UNUSED
#endif

/* What is written before name, `static` perhaps, is said of its declaration, and holds for its definition. */
#define CO__GENERATOR_DEFINED(name, T, parameters, members, values, body_parameters, passed)                           \
    CO_GEN(T) name parameters;                                                                                         \
    struct name##_arguments {                                                                                          \
        members                                                                                                        \
    };                                                                                                                 \
    struct name##_frame {                                                                                              \
        co_gen_t generator;                                                                                            \
        T slot;                                                                                                        \
    };                                                                                                                 \
    static void name##_body body_parameters;                                                                           \
    CO__GEN_START static void *name##_start(void *co__given) {                                                         \
        const struct name##_arguments co__arguments = *CO__CAST(const struct name##_arguments *, co__given);           \
        struct name##_frame co__frame;                                                                                 \
        (void)co__arguments;                                                                                           \
        memset(CO__UNCONST(&co__frame.slot), 0, sizeof co__frame.slot);                                                \
        co__gen_enter(&co__frame.generator, &co__frame.slot, sizeof co__frame.slot);                                   \
        name##_body(CO__CAST(CO_GEN(T), CO__UNCONST(&co__frame)), co__frame.slot passed);                              \
        return co__gen_leave(&co__frame.generator);                                                                    \
    }                                                                                                                  \
    CO_GEN(T) name parameters {                                                                                        \
        struct name##_arguments co__arguments = {values};                                                              \
        return CO__CAST(CO_GEN(T), CO__UNCONST(co__gen_create(CO_HERE " (" #name ")", name##_start, &co__arguments))); \
    }                                                                                                                  \
    static void name##_body body_parameters

#ifdef __cplusplus
}
#endif

#endif /* CO_GEN_H */
