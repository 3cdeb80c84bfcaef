/* Generators: stepping, handing over, throwing, closing.
 *
 * A generator's record lies in the frame of its start function, at the top of its own coroutine's stack, and stays
 * there until the coroutine is destroyed: the start function never returns, co__gen_leave ends the coroutine for it.
 *
 * Generators that have handed over form chains. Each knows the last of its chain, its leaf, and who is to be resumed
 * for that one's next item; so a step costs the same however long the chain is. What changes the end of a chain, a
 * handing over or an end, tells all that wait for it (retarget). Several may wait for one. */
#include "gen.h"

#include "block.h"

#include <errno.h>

static bool is_executing(const co_gen_t *generator) {
    const co_gen_t *leaf = generator->leaf;
    if (leaf->kind != NULL)
        return leaf->executing;
    co_status_t status = co_status(leaf->self);
    return status == CO_RUNNING || status == CO_NORMAL;
}

/* ---- Making one ---------------------------------------------------------------------------------------------- */

co_gen_t *co__gen_enter_first(co_t *co) {
    void *generator = NULL;
    if (co != NULL)
        co_resume(co, NULL, &generator); /* as far as co__gen_enter */
    return generator;
}

co_gen_t *co__gen_create(const char *site, void *(*start)(void *), void *arguments) {
    return co__gen_enter_first(co_create_at(site, start, arguments));
}

void co__gen_enter(co_gen_t *generator, void *slot, size_t item_bytes) {
    co_t *self = co_self();
    /* One by one: gcc clears a record of this size by a slow string instruction. Of `held` only the holder is read. */
    generator->slot = slot;
    generator->item = NULL;
    generator->next = self;
    generator->self = self;
    generator->leaf = generator;
    generator->inner = NULL;
    generator->outers = NULL;
    generator->next_outer = NULL;
    generator->kind = NULL;
    generator->result = NULL;
    generator->inner_result = NULL;
    generator->inner_status = 0;
    generator->started = 0;
    generator->done = 0;
    generator->reported = 0;
    generator->owns_inner = 0;
    generator->executing = 0;
    generator->emitted = 0;
    generator->held.holder = NULL;
    generator->small = item_bytes <= sizeof generator->item;
    co_yield_from(self, generator);
    generator->started = 1;
}

static void finish(co_gen_t *generator) {
    generator->done = 1;
    generator->next = NULL;
    generator->item = NULL;
}

void *co__gen_leave(co_gen_t *generator) {
    co_t *self = generator->self;
    struct co__outcome outcome = co__finish(self, NULL); /* deferred calls run */
    if (outcome.status != 0)
        generator->result = NULL;
    finish(generator);
    co__leave(self, NULL, outcome.status);
}

/* ---- Chains -------------------------------------------------------------------------------------------------- */

/* Of `top`, and of all that wait for it: a tree, whose branches `inner` leads back from. No recursion, since the stack
 * may be a coroutine's and the chain long. */
static void retarget(co_gen_t *top, co_gen_t *leaf) {
    co_gen_t *generator = top;
    for (;;) {
        generator->leaf = leaf;
        generator->next = leaf->kind == NULL ? leaf->self : NULL;
        if (generator->outers != NULL) {
            generator = generator->outers;
            continue;
        }
        while (generator != top && generator->next_outer == NULL)
            generator = generator->inner;
        if (generator == top)
            return;
        generator = generator->next_outer;
    }
}

static void link_inner(co_gen_t *outer, co_gen_t *inner) {
    outer->inner = inner;
    outer->next_outer = inner->outers;
    inner->outers = outer;
    retarget(outer, inner->leaf);
}

static void unlink_inner(co_gen_t *outer) {
    co_gen_t **link = &outer->inner->outers;
    while (*link != outer)
        link = &(*link)->next_outer;
    *link = outer->next_outer;
    outer->next_outer = NULL;
    outer->inner = NULL;
    retarget(outer, outer);
}

/* Who waits for `inner` on the way from `generator`. */
static co_gen_t *outer_of(co_gen_t *generator, co_gen_t *inner) {
    if (inner->outers->next_outer == NULL)
        return inner->outers;
    while (generator->inner != inner)
        generator = generator->inner;
    return generator;
}

/* `outer` waits no longer: what its pending CO_FROM will find. */
static void settle(co_gen_t *outer, int status) {
    co_gen_t *inner = outer->inner;
    outer->inner_status = status;
    outer->inner_result = status == 0 ? co_gen_result(inner) : NULL;
    unlink_inner(outer);
    if (outer->owns_inner)
        co__gen_release(inner);
}

static bool has_ended(const co_gen_t *leaf) {
    return leaf->kind != NULL ? leaf->done : co_status(leaf->self) == CO_DEAD;
}

/* The leaf of `generator` has ended with `status`: those that wait for it go on, one after the other, until there is an
 * item or `generator` itself ends. */
static int go_on(co_gen_t *generator, int status) {
    for (;;) {
        co_gen_t *leaf = generator->leaf;
        if (!has_ended(leaf))
            return status; /* it was executing, and is untouched */
        if (leaf->reported)
            status = 0; /* told to whoever else waited for it */
        leaf->reported = 1;
        if (!leaf->done)
            finish(leaf);
        if (leaf == generator)
            return status;
        co_gen_t *outer = outer_of(generator, leaf);
        settle(outer, status);
        void *item;
        status = co_resume(outer->self, NULL, &item);
        if (status == CO_YIELDED) {
            generator->item = item;
            return status;
        }
    }
}

int co__gen_ended(co_gen_t *generator, int status) {
    if (CO__LIKELY(status == 0 && generator->leaf == generator && generator->done && !generator->reported)) {
        generator->reported = 1; /* most ends: its own body has returned */
        return 0;
    }
    return go_on(generator, status);
}

/* Ends what a generator without a coroutine owns. It executes meanwhile: what it owns has deferred calls, and these
 * may come back to it. */
static int run_end(co_gen_t *generator) {
    generator->executing = 1;
    int status = generator->kind->end(generator);
    generator->executing = 0;
    return status;
}

int co__gen_kind_ended(co_gen_t *generator, int status) {
    co_gen_t *leaf = generator->leaf;
    if (status == -EBUSY && !leaf->done)
        return status; /* what it would have stepped is executing, and nothing has changed */
    finish(leaf);
    return go_on(generator, status);
}

/* A step of a leaf that is no coroutine. */
static int step_kind(co_gen_t *generator) {
    co_gen_t *leaf = generator->leaf;
    if (leaf->executing)
        return -EBUSY;
    leaf->executing = 1;
    leaf->started = 1;
    int status = leaf->kind->step(leaf);
    leaf->executing = 0;
    if (status == 1) {
        generator->item = leaf->item;
        return 1;
    }
    return co__gen_kind_ended(generator, status);
}

int co__gen_step(co_gen_t *generator) {
    if (generator == NULL)
        return co__gen_null();
    if (generator->done)
        return 0;
    if (generator->leaf->kind != NULL && !generator->leaf->done)
        return step_kind(generator);
    return go_on(generator, 0); /* its leaf has ended for somebody else */
}

/* ---- Handing over -------------------------------------------------------------------------------------------- */

int co__gen_hand_over(co_gen_t *self, co_gen_t *inner, void **result, int owns) {
    if (result != NULL)
        *result = NULL;
    if (inner == NULL)
        return co__gen_null();
    if (self == NULL || self->self != co_self())
        return -EPERM;
    int status = co_gen_next(inner); /* from here: if there is no item, nobody is suspended */
    if (status == -EBUSY && !inner->done)
        return status;
    if (status == 1) {
        link_inner(self, inner);
        if (owns)
            co__gen_take_over(inner);
        self->owns_inner = (unsigned char)owns;
        co_yield_from(self->self, inner->item);
        if (self->inner != NULL) /* refused: this one is ending */
            settle(self, -EPERM);
        status = self->inner_status;
        if (result != NULL)
            *result = self->inner_result;
        return status;
    }
    if (result != NULL && status == 0)
        *result = co_gen_result(inner);
    if (owns)
        co__gen_release(inner);
    return status;
}

void *co__gen_emit_refused(void) {
    errno = EPERM;
    return NULL;
}

int co__gen_null(void) { return errno == ENOMEM || errno == EAGAIN ? -errno : -EINVAL; }

/* ---- Send, throw --------------------------------------------------------------------------------------------- */

int co_gen_send(co_gen_t *generator, void *value) {
    if (value == NULL)
        return co_gen_next(generator);
    if (generator == NULL)
        return co__gen_null();
    if (generator->done)
        return 0;
    if (!generator->started || generator->leaf->kind != NULL)
        return is_executing(generator) ? -EBUSY : -EINVAL;
    int status = co_resume(generator->next, value, &generator->item);
    return status == CO_YIELDED ? status : go_on(generator, status);
}

/* One of which nothing has run, but that may own parameters. Tools want to see the end of whatever has run on its stack
 * so far. */
static int end_fresh(co_gen_t *generator) {
    int status = 0;
    if (generator->self != NULL) {
        struct co__block *block = co__block_of(generator->self);
        if (block->slow || block->deferred != NULL)
            status = co_close(generator->self);
        else
            co__end_fresh(block);
    }
    generator->reported = 1;
    finish(generator);
    return status;
}

int co_gen_throw(co_gen_t *generator, int error) {
    if (generator == NULL)
        return co__gen_null();
    if (error <= 0)
        return -EINVAL;
    if (generator->done)
        return -error;
    if (is_executing(generator))
        return -EBUSY;
    if (!generator->started && generator->kind == NULL) {
        end_fresh(generator);
        return -error;
    }
    co_gen_t *leaf = generator->leaf;
    int status = -error;
    if (leaf->kind != NULL) {
        if (co_gen_close(leaf) == -EBUSY)
            return -EBUSY;
    } else if (!leaf->done) {
        status = co_throw(leaf->self, error, &generator->item);
    }
    if (leaf->done && status == -error)
        leaf->reported = 0; /* whatever was said of its end, this is new */
    return status == CO_YIELDED ? status : go_on(generator, status);
}

/* ---- The end ------------------------------------------------------------------------------------------------- */

/* Its close has led to `status`. */
static int closed(co_gen_t *generator, int status) {
    generator->reported = 1;
    finish(generator);
    return status == 0 && generator->emitted ? -EPERM : status;
}

/* Ends one that waits for nobody. */
static int close_alone(co_gen_t *generator) {
    int status = 0;
    if (generator->done)
        return 0;
    if (generator->kind != NULL) {
        status = run_end(generator);
        if (status == -EBUSY)
            return status; /* a source of it is busy; nothing has changed */
    } else if (!generator->started) {
        return end_fresh(generator);
    } else {
        status = co_close(generator->self);
    }
    return closed(generator, status);
}

/* Whom `outer` waits for has been closed, which failed: the body is told, and may go on until it ends; it may not emit,
 * and what it has handed over to is then closed again. */
static int tell_of_failure(co_gen_t *outer, int status) {
    settle(outer, status);
    status = co_resume(outer->self, NULL, NULL);
    if (status != CO_YIELDED)
        return closed(outer, status);
    outer->emitted = 1;
    return status;
}

/* From the end of its chain on, which may be longer than there is stack for a recursion. */
int co_gen_close(co_gen_t *generator) {
    if (generator == NULL)
        return -EINVAL;
    if (generator->done)
        return 0;
    if (is_executing(generator))
        return -EBUSY;
    for (;;) {
        co_gen_t *inner = generator->leaf;
        int status = close_alone(inner);
        if (status == -EBUSY && !inner->done)
            return status; /* a helper that could not end */
        while (inner != generator && status != CO_YIELDED) { /* goes on while bodies end of what they are told */
            co_gen_t *outer = outer_of(generator, inner);
            if (status == 0) {
                settle(outer, 0);
                break;
            }
            status = tell_of_failure(outer, status);
            inner = outer;
        }
        if (inner == generator && status != CO_YIELDED)
            return status;
    }
}

int co_gen_destroy(co_gen_t *generator) {
    if (generator == NULL)
        return 0;
    if (generator->outers != NULL || is_executing(generator))
        return -EBUSY; /* somebody waits for it */
    int status = 0;
    if (!CO__LIKELY(generator->done && generator->kind == NULL)) {
        /* A helper that is done may own what was busy when it ended. */
        status = generator->kind != NULL ? run_end(generator) : co_gen_close(generator);
        if (status == -EBUSY && (generator->kind != NULL || !generator->done))
            return status;
        if (status == -EBUSY)
            status = -EINVAL; /* a deferred call's error: -EBUSY would say that nothing was freed */
    }
    co__gen_take_over(generator); /* from its owner, which has nothing more to end */
    if (generator->kind != NULL)
        generator->kind->release(generator);
    else
        co_destroy(generator->self);
    return status;
}

/* ---- Asking -------------------------------------------------------------------------------------------------- */

void *co_gen_result(co_gen_t *generator) {
    if (generator == NULL || !generator->done)
        return NULL;
    void *result = generator->result;
    generator->result = NULL;
    return result;
}

co_gen_state_t co_gen_state(const co_gen_t *generator) {
    if (generator == NULL || generator->done)
        return CO_GEN_DONE;
    if (is_executing(generator))
        return CO_GEN_EXECUTING;
    return generator->started ? CO_GEN_SUSPENDED : CO_GEN_FRESH;
}
