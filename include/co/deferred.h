/* Deferred calls that are not allocated: an entry of a coroutine's list of deferred calls that lies in what the call is
 * for, as a generator does that a loop owns. For layers of the library above the core; programs call co_defer.
 *
 * Such an entry may be taken off again, which co_defer's may not: so a loop says for as long as it runs what a close of
 * the coroutine has to end. */
#ifndef CO_DEFERRED_H
#define CO_DEFERRED_H

#include <co.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Zero is one that is on no list. */
struct co__deferred {
    struct co__deferred *next;
    void (*fn)(void *);
    void *arg;
    uintptr_t mark;  /* stack pointer, at the call, of the frame that deferred */
    uintptr_t frame; /* the same while unwinding, as the unwinder gives it for that frame; 0 runs as soon as it may */
    co_t *holder;    /* on whose list it is; NULL: on none, or allocated by co_defer */
};

/* Puts `call`, to be fn(arg), before all others of the running coroutine, of which there must be one. If it is on
 * another list, or further down on this one, it is taken off there. It is off again when fn is called. */
CO_API void co__defer_in_place(struct co__deferred *call, void (*fn)(void *), void *arg);

/* Takes `call` off the list of `co`, if it is there: 1, else 0. Does not look at `call` itself, which need not exist
 * any more. Takes as long as it takes to pass over what was deferred after it. */
CO_API int co__undefer(co_t *co, struct co__deferred *call);

#ifdef __cplusplus
}
#endif

#endif /* CO_DEFERRED_H */
