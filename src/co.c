/* The life of a coroutine: create, resume, throw, fail, status, destroy. The switches themselves are in
 * include/co/arch (inline) and src/arch (out of line). */
#include "block.h"
#include "canary.h"
#include "pool.h"
#include "watermark.h"

#include <errno.h>

_Static_assert(offsetof(struct co, own.sp) == CO__OWN_SP, "layout.h");
_Static_assert(offsetof(struct co, own.fp) == CO__OWN_FP, "layout.h");
_Static_assert(offsetof(struct co, own.pc) == CO__OWN_PC, "layout.h");
_Static_assert(offsetof(struct co, own.base) == CO__OWN_BASE, "layout.h");
_Static_assert(offsetof(struct co, resumer.sp) == CO__RESUMER_SP, "layout.h");
_Static_assert(offsetof(struct co, resumer.fp) == CO__RESUMER_FP, "layout.h");
_Static_assert(offsetof(struct co, resumer.pc) == CO__RESUMER_PC, "layout.h");
_Static_assert(offsetof(struct co, resumer.base) == CO__RESUMER_BASE, "layout.h");
_Static_assert(CO__EINVAL == EINVAL, "layout.h");
_Static_assert(sizeof(struct co) == 64, "the hot words fill one cache line");
_Static_assert(offsetof(struct co__block, fn) == CO__FN, "block.h");
_Static_assert(offsetof(struct co__block, arg) == CO__ARG, "block.h");
_Static_assert(offsetof(struct co__block, error) == CO__ERROR, "block.h");
_Static_assert(offsetof(struct co__block, refused) == CO__REFUSED, "block.h");
_Static_assert(offsetof(struct co__block, deferred) == CO__DEFERRED, "block.h");
_Static_assert(offsetof(struct co__block, failure) == CO__FAILURE, "block.h");
_Static_assert(offsetof(struct co__block, life) == CO__LIFE, "block.h");
_Static_assert(offsetof(struct co__block, resumer_pc) == CO__TRUE_RESUMER_PC, "block.h");
_Static_assert(sizeof(struct co__block) == CO__BLOCK_BYTES, "block.h");
_Static_assert(sizeof(struct co__block) <= CO__STACK_LEAST_BYTES / 2, "a least stack must hold block and frames");

/* ---- Making one ---------------------------------------------------------------------------------------------- */

static int check_options(const co_options_t *opt) {
    if ((opt->flags & ~(CO_FPENV | CO_CANARIES | CO_WATERMARK)) != 0 || opt->reserved_flags != 0)
        return EINVAL;
    for (size_t i = 0; i < sizeof opt->reserved / sizeof opt->reserved[0]; i++)
        if (opt->reserved[i] != 0)
            return EINVAL;
    if (opt->allocator != NULL && (opt->allocator->allocate == NULL || opt->allocator->release == NULL))
        return EINVAL;
    return 0;
}

atomic_bool co__fpenv_was_used;

co_t *co__create(const co_options_t *opt, co_fn fn, void *arg, const void *caller, unsigned kind) {
    int error = fn == NULL ? EINVAL : check_options(opt);
    struct co__block *block = error == 0 ? co__stack_acquire(opt, (kind & CO__TASK) != 0, &error) : NULL;
    if (block == NULL) {
        errno = error;
        return NULL;
    }
    co__make_fresh(block, fn, arg, opt->site);
    block->kind = (unsigned char)kind;
    block->caller = caller;
    block->flags = opt->flags;
    block->name = opt->name;
    block->data = opt->data;
    block->allocator = opt->allocator;
    block->stack_bytes = opt->stack_bytes;
    block->slow = co__hooks_created(block) || (opt->flags & (CO_FPENV | CO_CANARIES)) != 0;
    if ((opt->flags & CO_FPENV) != 0) {
        atomic_store_explicit(&co__fpenv_was_used, true, memory_order_relaxed);
        co__fpenv_save(block->fpenv);
    }
    if ((opt->flags & CO_WATERMARK) != 0)
        co__watermark_paint(block);
    *co__pc_word(block) = (void *)(uintptr_t)co__entry;
    return &block->hot;
}

static const co_options_t defaults;

/* Not inlined into their callers when the whole program is seen (LTO): the return address is the caller's. */
#define CREATOR __attribute__((noinline))

CREATOR co_t *co_create_with(const co_options_t *opt, co_fn fn, void *arg) {
    return co__create(opt != NULL ? opt : &defaults, fn, arg, __builtin_return_address(0), 0);
}

/* Away from the code that most creations run, which then saves no registers. */
static CO__COLD __attribute__((noinline)) co_t *create_plain(const char *site, co_fn fn, void *arg,
                                                             const void *caller) {
    co_options_t options = defaults;
    options.site = site;
    return co__create(&options, fn, arg, caller, co__hooks_present() ? 0 : CO__PLAIN);
}

CREATOR co_t *co_create_at(const char *site, co_fn fn, void *arg) {
    struct co__block *block;
    if (!CO__LIKELY(fn != NULL) || !CO__LIKELY(site != NULL) || !CO__LIKELY((block = co__pool_pop_plain()) != NULL))
        return create_plain(site, fn, arg, __builtin_return_address(0));
    co__make_fresh(block, fn, arg, site);
    block->slow = 0; /* one store together with its neighbours */
    block->kind = CO__PLAIN;
    block->unwinds = 0;
    block->hot.own.pc = (void *)(uintptr_t)co__entry;
    return &block->hot;
}

CREATOR co_t *(co_create)(co_fn fn, void *arg) { return create_plain(NULL, fn, arg, __builtin_return_address(0)); }

/* ---- Resuming ------------------------------------------------------------------------------------------------ */

/* The switch with nothing around it; own.pc is set. */
CO__UNINSTRUMENTED static int enter_quick(struct co__block *block, void *in, void **value) {
    co_t *co = &block->hot;
    int status;
    *value = co__switch_in(co, in, co->own.pc, co__current_get(), &status);
    return status;
}

/* The switch into a coroutine whose floating-point state is its own, or about which a sanitizer must be told. */
CO__UNINSTRUMENTED static int enter_slow(struct co__block *block, void *in, void **value) {
    struct co__hooked_switch hooked;
    block->hot.own.pc = block->slow_pc;
    block->slow_pc = NULL;
    if (block->flags & CO_CANARIES)
        co__canaries_check(block);
    co__hooks_before(block, &hooked);
    if (block->flags & CO_FPENV)
        co__fpenv_swap(block->fpenv);
    int status = enter_quick(block, in, value);
    if (block->flags & CO_FPENV)
        co__fpenv_swap(block->fpenv);
    block->slow_pc = block->hot.own.pc;
    block->hot.own.pc = NULL;
    co__hooks_after(block, &hooked, block->life == CO__ENDED);
    if (block->flags & CO_CANARIES)
        co__canaries_check(block);
    return status;
}

int co__enter(struct co__block *block, void *in, void **out) {
    struct co__handlers handlers;
    void *value;
    co__handlers_put_aside(&handlers);
    int status = block->slow ? enter_slow(block, in, &value) : enter_quick(block, in, &value);
    co__handlers_restore(&handlers);
    if (out != NULL) {
        *out = value;
        if (block->slow)
            co__hooks_wrote(out);
    }
    return status;
}

int co__resume_slow(co_t *co, void *in, void **out) {
    struct co__block *block = co__block_of(co);
    if (co == NULL)
        return -EINVAL;
    if (block->life == CO__ENDED)
        return -ESRCH;
    if (*co__pc_word(block) == NULL)
        return -EBUSY;
    if (in != NULL && co__is_fresh(block))
        return -EINVAL;
    return co__enter(block, in, out);
}

int co_throw(co_t *co, int error, void **out) {
    struct co__block *block = co__block_of(co);
    if (co == NULL || error <= 0)
        return -EINVAL;
    if (block->life == CO__ENDED || co__is_fresh(block)) {
        co__end_fresh(block);
        if (out != NULL) {
            *out = NULL;
            co__hooks_wrote(out);
        }
        return -error;
    }
    if (*co__pc_word(block) == NULL)
        return -EBUSY;
    block->error = error;
    int status = co__enter(block, NULL, out);
    block->error = 0; /* "until the next yield": that yield has just come back here */
    return status;
}

/* co__entry calls this when the body has returned and there is more to do than to leave: it failed, or it deferred. */
struct co__outcome co__finish(co_t *co, void *value) {
    struct co__block *block = co__block_of(co);
    int failure = block->failure;
    if (block->deferred != NULL) {
        co__begin_ending(block);
        failure = co__end_ending(block);
    }
    block->failure = 0;
    block->life = CO__ENDED;
    return failure == 0 ? (struct co__outcome){value, CO_RETURNED} : (struct co__outcome){NULL, -failure};
}

/* ---- Inside one ---------------------------------------------------------------------------------------------- */

void *co__yield_refused(co_t *self, void *value) {
    (void)self, (void)value;
    errno = EPERM;
    return NULL;
}

int co_error(void) {
    co_t *co = co__current_get();
    return co != NULL ? co__block_of(co)->error : 0;
}

void *co_fail(int error) {
    co_t *co = co__current_get();
    if (co != NULL)
        co__block_of(co)->failure = error > 0 ? error : EINVAL;
    else
        errno = EPERM;
    return NULL;
}

/* ---- Asking about one, and its end --------------------------------------------------------------------------- */

/* For this layer one that has ended, and is not freed, is a task still. */
static bool is_task(const co_t *co) { return (co__block_of(co)->kind & CO__TASK) != 0; }

/* A weak reference: this file does not make a static program link the scheduler. NULL in a program without tasks. */
extern const char co__park_nested_landing[] __attribute__((weak));

/* Of one that neither is suspended nor has to do with the running coroutine: whether it belongs to a task, which then
 * waits or is somewhere on another thread. The innermost of a parked task keeps its link to its resumer elsewhere. */
static bool is_in_parked_task(const co_t *co) {
    const void *parked = co__park_nested_landing;
    for (; co != NULL; co = co->own.base)
        if (is_task(co) || (parked != NULL && co->resumer.base == parked))
            return true;
    return false;
}

co_status_t co_status(const co_t *co) {
    struct co__block *block = co__block_of(co);
    if (co == NULL || block->life == CO__ENDED)
        return CO_DEAD;
    if (*co__pc_word(block) != NULL)
        return CO_SUSPENDED;
    /* A resumer of the running coroutine? */
    const co_t *running = co__current_get();
    if (co == running)
        return CO_RUNNING;
    for (const co_t *resumer = running; resumer != NULL; resumer = co__resumer_of(resumer))
        if (co == resumer)
            return CO_NORMAL;
    return is_in_parked_task(co) ? CO_NORMAL : CO_RUNNING;
}

void *co_data(const co_t *co) { return co != NULL ? co__block_of(co)->data : NULL; }

const char *co_name(const co_t *co) { return co != NULL ? co__block_of(co)->name : NULL; }

const char *co_site(const co_t *co) { return co != NULL ? co__block_of(co)->site : NULL; }

void co__free(struct co__block *block) {
    co__hooks_destroyed(block);
    co__stack_release(block);
}

static CO__COLD __attribute__((noinline)) int destroy(co_t *co) {
    struct co__block *block = co__block_of(co);
    if (is_task(co))
        return -EBUSY; /* its scheduler looks at it still */
    int status = block->life == CO__ENDED ? 0 : co_close(co);
    if (status == -EBUSY) {
        if (block->life != CO__ENDED)
            return -EBUSY;
        status = -EINVAL; /* a deferred call's error: -EBUSY would say that nothing was freed */
    }
    co__free(block);
    return status;
}

int co_destroy(co_t *co) {
    struct co__block *block = co__block_of(co);
    if (co == NULL)
        return 0;
    if (CO__LIKELY(block->kind == CO__PLAIN) && CO__LIKELY(block->life == CO__ENDED) &&
        CO__LIKELY(co__pool_push_plain(block)))
        return 0;
    return destroy(co);
}
