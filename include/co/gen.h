/* Typed generators: Python's protocol in C.
 *
 *     CO_GENERATOR(fibonacci, long, (int, count)) {
 *         for (long a = 0, b = 1; count > 0; count--) {
 *             CO_EMIT(a);
 *             b += a;
 *             a = b - a;
 *         }
 *     }
 *     CO_GENERATOR(squares, long, CO_OWN(long, numbers)) {
 *         CO_FOR(long, x, numbers) CO_EMIT(x * x);
 *     }
 *     CO_FOR(long, x, squares(fibonacci(10))) printf("%ld\n", x);
 *
 * CO_GENERATOR defines a function, as fibonacci(int) here, that returns a generator of the element type, CO_GEN(long).
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
 *  errors     1 an item, 0 the end, below zero a negated errno value, as co_resume answers. A generator that is
 *             executing answers -EBUSY, and survives. A step of NULL, a loop over it and handing over to it answer
 *             -ENOMEM or -EAGAIN, when errno says so, as after a creation that has failed; else -EINVAL.
 *  items      are copied, to where CO_NEXT and CO_FOR say
 *  ownership  creation's caller owns a generator, and ends it with CO_GEN_DESTROY, or hands it to a new owner: a loop
 *             (CO_FOR), a delegation (CO_FROM), or another generator, as an owned parameter (CO_OWN). The last to get
 *             it owns it. CO_FOR_BORROWED, CO_FROM_BORROWED and parameters of type CO_GEN(T) leave a generator to its
 *             owner. If others wait for it still (CO_FROM_BORROWED) when its new owner is done with it, the last of
 *             them ends it.
 *  threads    as a coroutine: any, one at a time
 *
 * Layout of this file: types; making one; in the body; stepping; loops; the untyped calls. How it is made: co/gen/. */
#ifndef CO_GEN_H
#define CO_GEN_H

#include <co.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Types --------------------------------------------------------------------------------------------------- */

/** A generator of any element type. */
typedef struct co_gen co_gen_t;

/** A generator of T, which is a type without brackets or parentheses in its name: long, const char *, struct point. Not
 *  to be dereferenced. As with any pointer, `CO_GEN(long) a, b;` declares one generator and one long. */
#define CO_GEN(T) T *const *

/** What a step answers, if no error. */
enum { CO_GEN_END = 0, CO_GEN_ITEM = 1 };

typedef enum {
    CO_GEN_FRESH,     /* nothing of it has run */
    CO_GEN_SUSPENDED, /* stopped at an item */
    CO_GEN_EXECUTING, /* its body runs, or a generator's that it has handed over to */
    CO_GEN_DONE       /* the body has returned or failed, or it was closed */
} co_gen_state_t;

/* ---- Making one ---------------------------------------------------------------------------------------------- */

/** CO_GENERATOR(name, T, parameter, ...) { body }: up to eight parameters, or none, each `(type, name)` or CO_OWN.
 *  Defines the function name, whose result is CO_GEN(T), or NULL and errno as co_create says. `static` may stand before
 *  it. The body is a function of those parameters that returns nothing; in C++ they must be trivially copyable. */
#define CO_GENERATOR(...) CO__GENERATOR(NULL, __VA_ARGS__)

/** A parameter of type CO_GEN(T) that the new generator owns: it is destroyed when that one ends or is destroyed, fresh
 *  or not, after what the body has deferred, and also when creation fails. The body may step it, or hand it on, to a
 *  loop, to CO_FROM, or to another owner. An error of its close counts as that of a deferred call.
 *
 *  Creation fails if an owned argument is NULL, with errno as that one's creation has left it (ENOMEM, EAGAIN; else
 *  EINVAL), and if one is executing (EBUSY), which is then left as it is. So in odd(squares(count())) nothing is lost
 *  whichever creation fails, and a loop over it tells why. */
#define CO_OWN(T, name) (CO_GEN(T), name, CO__OWNED)

/** CO_GENERATOR_WITH(options, name, T, parameter, ...) { body }: with options for its coroutine, a const co_options_t *
 *  that is evaluated at each creation; NULL stands for all defaults. Without a `site` it is that of the definition. */
#define CO_GENERATOR_WITH(...) CO__GENERATOR(__VA_ARGS__)

/* ---- In the body --------------------------------------------------------------------------------------------- */

/** Hand out an item, and wait for the next step. Is what that step sends, a void *: NULL but for CO_SEND; NULL also
 *  after CO_THROW, when co_error() tells; NULL at once in a deferred call (co_error() is EPERM). The item may be a
 *  compound literal, commas and all: CO_EMIT((struct point){1, 2}). */
#define CO_EMIT(...) (co__generator_item = (__VA_ARGS__), co__gen_emit(&co__generator_item, sizeof co__generator_item))

/** The running generator, in its body: to be handed to functions that emit, which take it as CO_GEN(T). */
#define CO_SELF co__generator_self

/** CO_EMIT for functions that the body calls, at any depth. `self` must be the running generator, else nothing is
 *  emitted: NULL and errno EPERM. */
#define CO_EMIT_TO(self, ...) CO__EMIT_TO(self, __VA_ARGS__)

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
 *  is       0, or its negated error; the generator goes on. -EBUSY (executing, or it waits for this one), -EPERM (this
 *           one does not run): it is neither stepped nor destroyed. -EPERM also in a deferred call, after the first
 *           item */
#define CO_FROM(generator, result) CO_FROM_TO(CO_SELF, generator, result)
#define CO_FROM_BORROWED(generator, result) CO_FROM_BORROWED_TO(CO_SELF, generator, result)
/** The same, where the inner generator's error ends the body with that error. A statement. */
#define CO_FROM_OR_FAIL(generator, result)                                                                             \
    do {                                                                                                               \
        int co__from_status = CO_FROM(generator, result);                                                              \
        if (co__from_status < 0)                                                                                       \
            CO_FAIL(-co__from_status);                                                                                 \
    } while (0)
/** The same as the first two for functions that the body calls. */
#define CO_FROM_TO(self, generator, result) co__gen_from(CO__SAME_TYPE(self, generator), generator, result, 1)
#define CO_FROM_BORROWED_TO(self, generator, result) co__gen_from(CO__SAME_TYPE(self, generator), generator, result, 0)

/* ---- Stepping ------------------------------------------------------------------------------------------------ */

/** The next item, copied to *out, which is a T.
 *  is       CO_GEN_ITEM, CO_GEN_END or an error; *out is untouched unless there is an item */
#define CO_NEXT(generator, out) co__gen_next(CO__SAME_ITEM(generator, out), out, sizeof *(out))

/** The same; the pending CO_EMIT is `value`, a void *. A fresh generator has none yet: -EINVAL if `value` is not NULL,
 *  and it stays fresh. One that works on what it is sent is brought to its first CO_EMIT by CO_NEXT:
 *
 *      CO_GEN(struct report) worker = work();
 *      CO_NEXT(worker, &report);
 *      while (...) CO_SEND(worker, &task, &report); */
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
 *  and after `break`; where the compiler knows __attribute__((cleanup)) or in C++ also after `return`, `goto` and
 *  exceptions; and by a close of the coroutine that stands in the loop, at the loop's place among what is deferred
 *  there. If a coroutine leaves a loop in another way, by longjmp say, the generator is destroyed when the coroutine
 *  ends; outside of any, do not. A generator that is NULL or fails ends the loop; CO_FOR_STATUS tells. */
#define CO_FOR(T, x, generator) CO__FOR(T, x, generator, NULL, 1)

/** The same, with an int that becomes 0 or the negated error that ended the loop. */
#define CO_FOR_STATUS(T, x, generator, status) CO__FOR(T, x, generator, &(status), 1)

/** CO_FOR in a body, which ends with the error that has ended the loop. */
#define CO_FOR_OR_FAIL(T, x, generator) CO__FOR_OR_FAIL(T, x, generator)

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
 *  returns  0, also for one that is fresh or done; -EINVAL (NULL); -EBUSY; the first error of a deferred call, or of
 *           closing what it owns; -EPERM if a deferred call tried to emit. An error of the inner generator's close
 *           reaches the pending CO_FROM, as Python has it: the body may go on then, and what it ends with is the
 *           answer; -EPERM if it emits */
CO_API int co_gen_close(co_gen_t *generator);

/** Close and free; NULL is nothing and answers 0.
 *  returns  as co_gen_close; -EBUSY frees nothing: it is executing, or another that has borrowed it (CO_FROM_BORROWED)
 *           waits for it still. Where a deferred call failed with EBUSY it is freed, and the answer is -EINVAL */
CO_API int co_gen_destroy(co_gen_t *generator);

/** What its body has returned (CO_RETURN), told once: NULL the next time, and before. */
CO_API void *co_gen_result(co_gen_t *generator);

/** CO_GEN_DONE for NULL. */
CO_API co_gen_state_t co_gen_state(const co_gen_t *generator);

#ifdef __cplusplus
}
#endif

#include "co/gen/inline.h"

#include "co/gen/define.h"

#endif /* CO_GEN_H */
