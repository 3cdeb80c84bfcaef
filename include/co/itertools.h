/* Lazy helpers for generators, named after Python's itertools.
 *
 *     CO_MAP(squares, long, long, x) { return x * x; }
 *     CO_FILTER(odd, long, x) { return x % 2 != 0; }
 *     CO_FOR(long, x, CO_TAKE(odd(squares(co_count(1, 1))), 10)) printf("%ld\n", x);
 *
 * A helper is a generator as any other, for CO_NEXT, CO_FOR, CO_FROM and further helpers. It has no stack: a step of it
 * is a call, which steps its sources, so that an item costs one switch into the generator that makes it, and one back,
 * through however many helpers it comes. Each takes some 100 bytes, optimised, of the stack of whoever steps.
 *
 * Why these forms. A helper that calls a function of yours is defined like a generator, so that the call is inlined and
 * its types are known: CO_MAP(name, ...) { body } defines the function name. Those that only pass items on are used in
 * place, and have the type of their argument. An element type that has to exist, as zip's pair, is defined by the macro
 * that defines the helper: struct name_item, with a typedef of that name.
 *
 * Conventions, beside those of co/gen.h:
 *  ownership  a helper owns the generators that are handed to it, whatever it answers, and destroys them when it ends:
 *             at its end, an error, close or destroy. While another executes or waits for one of them, close and
 *             destroy answer -EBUSY, and are to be called again; a loop, CO_FROM, fold or collect that owns the helper
 *             cannot, and leaves it to nobody
 *  creation   answers NULL, and errno: when a source is NULL (errno stays ENOMEM or EAGAIN, else it becomes EINVAL),
 *             when one is handed in twice (EINVAL), or out of memory (ENOMEM). The sources are destroyed then, so that
 *             nobody has to look before the outermost: CO_FOR_STATUS tells
 *  errors     of a source reach the caller, and end the helper. A source that is executing is -EBUSY and ends nothing
 *  protocol   send of a value is -EINVAL; throw closes, and answers the error; a helper that is stepped by its own
 *             function answers -EBUSY
 *  functions  are left by returning: a helper whose function an exception leaves, or the close of a coroutine that
 *             stepped it and was suspended in there, is executing for good
 *  types      a generator of another type is an error where a macro takes it. A function that a macro has defined takes
 *             it as any function takes a pointer: a wrong one is an error in C++ and from gcc 14 on, else a warning, of
 *             which -Werror=incompatible-pointer-types makes an error. Elements are not aligned beyond malloc's
 *             alignment; in C++ they and further parameters are trivially copyable
 *  C          CO_FROM_ARRAY, CO_TAKE, CO_SKIP, CO_CHAIN, CO_MEMO_MAKE and CO_MEMO_ITERATE want __typeof__, which gcc,
 *             clang and others have in every mode; the rest is C11
 *  items      that co_gen_item points to are valid until the next step
 *
 * Layout of this file: sources; with a function; passing on; several at once; to many; the end of a chain. How the
 * macros are made is in co/itertools/definitions.h. */
#ifndef CO_ITERTOOLS_H
#define CO_ITERTOOLS_H

#include <co/gen.h>

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Sources -------------------------------------------------------------------------------------------------- */

/** start, start + step, ... before stop, as Python's range; NULL and EINVAL if step is 0. Does not overflow. */
CO_API CO_GEN(long) co_range(long start, long stop, long step);

/** start, start + step, ... without an end; -EOVERFLOW when a number does not fit. */
CO_API CO_GEN(long) co_count(long start, long step);

/** CO_FROM_ARRAY(array, count): its elements, each read when it is stepped to. The array stays its owner's. */
#define CO_FROM_ARRAY(array, count) CO__FROM_ARRAY(array, count)

/** The lines of a file, without the newline, of any length; what follows the last newline is a line if there is
 *  something. Each is valid until the next step. The file stays its owner's. Errors are those of reading, -ENOMEM, and
 *  -EILSEQ for a line that holds a null byte. */
CO_API CO_GEN(const char *) co_lines(FILE *file);

/* ---- With a function ------------------------------------------------------------------------------------------- */

/* Up to eight further parameters, (type, name), are copied when the helper is made: the defined function takes them
 * behind the source. `static` may stand before each. */

/** CO_MAP(name, U, T, x, (type, parameter), ...) { return ...; }: CO_GEN(U) name(CO_GEN(T) source, type parameter, ...)
 *  with the items that the body makes of each T x. */
#define CO_MAP(name, U, T, ...) CO__WITH(CO__ITER_DEFINED, CO__MAP_STEP, name, U, T, U, __VA_ARGS__)

/** CO_FILTER(name, T, x, ...) { return ...; }: CO_GEN(T) name(CO_GEN(T) source, ...), the items of which the body says
 *  that it is not 0. */
#define CO_FILTER(name, T, ...) CO__WITH(CO__ITER_DEFINED, CO__FILTER_STEP, name, T, T, int, __VA_ARGS__)

/** The same, up to the first of which the body says 0; that one is lost. */
#define CO_TAKE_WHILE(name, T, ...) CO__WITH(CO__ITER_DEFINED, CO__TAKE_WHILE_STEP, name, T, T, int, __VA_ARGS__)

/** The same, from the first of which the body says 0. */
#define CO_SKIP_WHILE(name, T, ...) CO__WITH(CO__ITER_DEFINED, CO__SKIP_WHILE_STEP, name, T, T, int, __VA_ARGS__)

/* ---- Passing on ------------------------------------------------------------------------------------------------ */

/** The first n items, a size_t. The source is not stepped beyond them, and is destroyed by the step that finds the
 *  end. */
#define CO_TAKE(source, n) CO__TAKE(source, n)

/** All but the first n items. */
#define CO_SKIP(source, n) CO__SKIP(source, n)

/** All items of each of up to eight generators in turn, each of which is destroyed when it has ended. */
#define CO_CHAIN(...) CO__CHAIN(__VA_ARGS__)

/* ---- Several at once ------------------------------------------------------------------------------------------- */

/** CO_ZIP(name, A, B); struct name_item { A first; B second; } and CO_GEN(struct name_item) name(CO_GEN(A), CO_GEN(B)):
 *  ends with whichever ends first, asked in this order. */
#define CO_ZIP(name, A, B) CO__ZIP_DEFINED(name, A, B)

/** CO_ENUMERATE(name, T); struct name_item { long index; T value; } and CO_GEN(struct name_item) name(CO_GEN(T),
 *  long start): -EOVERFLOW when an index does not fit. */
#define CO_ENUMERATE(name, T) CO__ENUMERATE_DEFINED(name, T)

/** CO_BATCH(name, T); struct name_item { const T *items; size_t count; } and CO_GEN(struct name_item) name(CO_GEN(T),
 *  size_t n): n items at once, the last time what is left; valid until the next step. EINVAL if n is 0. Memory
 *  grows with what comes. An error loses the batch that was being filled. */
#define CO_BATCH(name, T) CO__BATCH_DEFINED(name, T)

/* ---- To many --------------------------------------------------------------------------------------------------- */

/** CO_TEE(source, n, generators): sets n CO_GEN(T) to generators that each give all items, and the same end or error.
 *  They share a buffer, of what lies between the fastest and the slowest in chunks of 1 KiB or one item, and the
 *  source, which is destroyed with the last of them.
 *  is       0; -EINVAL, -ENOMEM: they are NULL. For n = 0 what destroying the source answers */
#define CO_TEE(source, n, generators) CO__TEE(source, n, generators)

/** What a generator has produced, kept, so that it can be iterated from the start, by several at once. */
#define CO_MEMO(T) T *const *const *

/** CO_MEMO_MAKE(source): a CO_MEMO(T), or NULL as creation says. Nothing is asked of the source but by who iterates. */
#define CO_MEMO_MAKE(source) CO__MEMO_MAKE(source)

/** CO_MEMO_ITERATE(memo): a CO_GEN(T) from the start, which may outlive the memo; NULL and EINVAL or ENOMEM. */
#define CO_MEMO_ITERATE(memo) CO__MEMO_ITERATE(memo)

/** Gives up the memo; its source is destroyed with the last that iterates. NULL is nothing.
 *  is       0 or as co_gen_destroy for the source */
#define CO_MEMO_DESTROY(memo) co__memo_destroy(CO__UNCONST(memo))

/* ---- The end of a chain ---------------------------------------------------------------------------------------- */

/** CO_FOLD(name, A, T, total, x, ...) { return ...; }: int name(CO_GEN(T) source, A *total, ...), which sets *total to
 *  what the body makes of it and of each T x in turn, and destroys the source.
 *  is       0, or the error that ended it; *total holds what came before */
#define CO_FOLD(name, A, T, total, ...) CO__WITH(CO__FOLD_DEFINED, total, name, A, T, A, __VA_ARGS__)

/** CO_COLLECT(source, &items, &count): a T *items for free(), NULL if there are none, and a size_t count. The source is
 *  destroyed.
 *  is       0, or the error that ended it: then there are none */
#define CO_COLLECT(source, items, count) CO__COLLECT(source, SIZE_MAX, items, count)

/** The same, of the first `most` items; the source is not stepped beyond. */
#define CO_COLLECT_AT_MOST(source, most, items, count) CO__COLLECT(source, most, items, count)

#ifdef __cplusplus
}
#endif

#include <co/itertools/definitions.h>

#endif /* CO_ITERTOOLS_H */
