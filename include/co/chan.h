/* Channels: items handed from task to task, and co_select, which waits for several of them at once.
 *
 *     static void *count(void *arg) {
 *         CO_CHAN(int) numbers = *(CO_CHAN(int) *)arg;
 *         for (int i = 0; i < 3 && CO_CHAN_SEND(numbers, &i, CO_NEVER) == 0; i++) continue;
 *         CO_CHAN_CLOSE(numbers);
 *         return NULL;
 *     }
 *     static void *first(void *arg) {
 *         CO_CHAN(int) numbers = CO_CHAN_CREATE(int, 0);
 *         co_detach(co_spawn(count, &numbers));
 *         for (int n; CO_CHAN_RECEIVE(numbers, &n, CO_NEVER) == 1;) printf("%d\n", n);
 *         CO_CHAN_DESTROY(numbers);
 *         return arg;
 *     }
 *
 * A channel of capacity 0 is a rendezvous: a send returns when a receiver has got the item. One of a larger capacity
 * holds that many items, and a send waits while it is full. Items arrive in the order in which they were sent, and
 * those who wait are served in the order in which they came.
 *
 * Conventions, for every call below, beside those of co.h and sched.h:
 *  items      are copied. A send that finds a receiver waiting copies to where that one wants it, and the other way
 *             round. `item` stays valid until the call returns; it may be NULL where items have no bytes
 *  loss       nothing is lost or doubled. A send that answers 0 was done, and an item that it has handed over is
 *             received, though a deadline or a cancel come before the receiver's turn. Any other answer: it was not
 *             done
 *  deadlines  that have passed (0, say) make any call one that does not wait
 *  threads    the tasks that use a channel at a time belong to one thread; -EPERM where others wait on it. Creating,
 *             closing and destroying need no task
 *  memory     no call allocates but co_chan_create
 *
 * Layout of this file: the life of a channel; sending and receiving; selecting; typed channels; how it is made. */
#ifndef CO_CHAN_H
#define CO_CHAN_H

#include <co/sched.h>
#include <co/waiter.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- The life of a channel ------------------------------------------------------------------------------------- */

typedef struct co_chan co_chan_t;

/** A channel of items of `item_bytes` bytes, which may be 0: then they are signals, that are counted only.
 *  capacity  how many items it holds that were sent and not yet received; 0: none, a rendezvous
 *  returns   the channel, or NULL and errno: ENOMEM, also for sizes beyond memory */
CO_API co_chan_t *co_chan_create(size_t item_bytes, size_t capacity);

/** Nothing more will be sent: receivers get what it holds, and then 0; senders, those that wait too, -EPIPE.
 *  returns  0, also for one that is closed already; -EINVAL (NULL), -EPERM (tasks of another thread wait on it) */
CO_API int co_chan_close(co_chan_t *chan);

/** Free it; NULL is nothing and answers 0. What it holds is gone: whoever sends pointers receives them first. It may be
 *  destroyed as soon as nobody waits on it, though tasks that it has woken have not had their turns yet.
 *  returns  0; -EBUSY (somebody waits on it), and it stays as it is */
CO_API int co_chan_destroy(co_chan_t *chan);

/** How many items it holds, and how many it can hold; 0 for NULL. */
CO_API size_t co_chan_count(const co_chan_t *chan);
CO_API size_t co_chan_capacity(const co_chan_t *chan);

/* ---- Sending and receiving ------------------------------------------------------------------------------------- */

/** Send an item: to the receiver that has waited longest, or into the channel, if it has room, or else wait.
 *  returns  0; -EPIPE (closed, perhaps while it waited); -ETIMEDOUT, -ECANCELED; -EINVAL (NULL), -EPERM */
CO_API int co_chan_send(co_chan_t *chan, const void *item, int64_t deadline_ns);

/** Receive the item that was sent first.
 *  item     receives it; untouched unless the answer is 1
 *  returns  1; 0 (closed, and nothing is left); -ETIMEDOUT, -ECANCELED; -EINVAL (NULL), -EPERM */
CO_API int co_chan_receive(co_chan_t *chan, void *item, int64_t deadline_ns);

/* ---- Selecting ------------------------------------------------------------------------------------------------- */

typedef enum { CO_SELECT_SEND = 1, CO_SELECT_RECEIVE = 2 } co_select_direction_t;

/** One of the calls among which co_select chooses. CO_CASE_SEND and CO_CASE_RECEIVE fill it in. */
typedef struct co_select_case {
    co_chan_t *chan;                 /* NULL: the case never happens */
    void *item;                      /* is sent, or is received into */
    co_select_direction_t direction; /* CO_SELECT_... */
    int status;                      /* of the case that has happened: what the call would have answered */
    struct co__waiter waiter;        /* layout is ABI; the library's while co_select waits, and need not be set */
} co_select_case_t;

/** Do one of several sends and receives, whichever can be done first, and none of the others.
 *
 *  A case can be done when the call would not wait: on a closed channel too, where a receive is done with status 0 and
 *  a send with -EPIPE. Among several that can be done, that one is chosen whose channel was least recently chosen, by
 *  any task, in that direction: so none that can be done is passed over for ever. The same channel may be in several
 *  cases. A send and a receive of the same co_select do not meet.
 *
 *  cases     stay where they are until it returns. Only the status of the case that happened is written
 *  deadline  CO_SELECT_DEFAULT, or any that has passed: if nothing can be done now, -ETIMEDOUT at once
 *  returns   the index of the case; -ETIMEDOUT, -ECANCELED, -EPERM; -EINVAL (cases is NULL though count is not 0, count
 *            beyond INT_MAX - 2, a direction that is none, an item that is NULL and must not be). Without a case that
 *            could happen it waits for its deadline; -EINVAL if that is CO_NEVER */
CO_API int co_select(co_select_case_t *cases, size_t count, int64_t deadline_ns);

/** A deadline that has passed. */
#define CO_SELECT_DEFAULT INT64_C(0)

/* ---- Typed channels -------------------------------------------------------------------------------------------- */

/** A channel of items of type T, as CO_GEN(T) of gen.h is a generator: a pointer that nobody else uses and nobody
 *  dereferences. An item of another type is an error in C and C++. */
#define CO_CHAN(T) T *const *const *

/** A CO_CHAN(T), or NULL, as co_chan_create. */
#define CO_CHAN_CREATE(T, capacity) CO__CHAN_CAST(CO_CHAN(T), co_chan_create(sizeof(T), capacity))

/** The calls above; `item` points to a T. */
#define CO_CHAN_SEND(chan, item, deadline_ns) co_chan_send(CO__CHAN_OF(chan, item), item, deadline_ns)
#define CO_CHAN_RECEIVE(chan, item, deadline_ns) co_chan_receive(CO__CHAN_OF(chan, item), item, deadline_ns)
#define CO_CHAN_CLOSE(chan) co_chan_close(CO_CHAN_UNTYPED(chan))
#define CO_CHAN_DESTROY(chan) co_chan_destroy(CO_CHAN_UNTYPED(chan))
#define CO_CHAN_COUNT(chan) co_chan_count(CO_CHAN_UNTYPED(chan))
#define CO_CHAN_CAPACITY(chan) co_chan_capacity(CO_CHAN_UNTYPED(chan))

/** A co_select_case_t: to send *item, to receive into *item. */
#define CO_CASE_SEND(chan, item) co_case_send(CO__CHAN_OF(chan, item), item)
#define CO_CASE_RECEIVE(chan, item) co_case_receive(CO__CHAN_OF(chan, item), item)

/** The same for a co_chan_t. */
static inline co_select_case_t co_case_send(co_chan_t *chan, const void *item);
static inline co_select_case_t co_case_receive(co_chan_t *chan, void *item);

/** Any channel, for the calls that know no type. */
#define CO_CHAN_UNTYPED(chan) CO__CHAN_CAST(co_chan_t *, chan)

/* ---- How it is made -------------------------------------------------------------------------------------------- */

/* A pointer of any type, const or not, as one of type T. */
#ifdef __cplusplus
#define CO__CHAN_CAST(T, pointer) (static_cast<T>(const_cast<void *>(static_cast<const void *>(pointer))))
#else
#define CO__CHAN_CAST(T, pointer) ((T)(uintptr_t)(const void *)(pointer))
#endif

/* Pointers of different types cannot be subtracted: an error, not a warning, in C and C++; a number can, but not be
 * dereferenced. sizeof evaluates nothing. */
#define CO__CHAN_OF(chan, item) ((void)sizeof(**(chan) - (item)), (void)sizeof *(item), CO_CHAN_UNTYPED(chan))

static inline co_select_case_t co__case(co_chan_t *chan, void *item, co_select_direction_t direction) {
    co_select_case_t made;
    made.chan = chan;
    made.item = item;
    made.direction = direction;
    made.status = 0;
    made.waiter.queue = 0; /* some compilers warn of a structure of which nothing is set */
    return made;
}

static inline co_select_case_t co_case_send(co_chan_t *chan, const void *item) {
    return co__case(chan, CO__CHAN_CAST(void *, item), CO_SELECT_SEND);
}

static inline co_select_case_t co_case_receive(co_chan_t *chan, void *item) {
    return co__case(chan, item, CO_SELECT_RECEIVE);
}

#ifdef __cplusplus
}
#endif

#endif /* CO_CHAN_H */
