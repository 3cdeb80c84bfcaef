/* The life of a coroutine: create, resume, throw, fail, status, destroy. The switches themselves are in
 * include/co/arch (inline) and src/arch (out of line). */
#include "block.h"

#include <errno.h>

_Static_assert(offsetof(struct co, own.sp) == CO__OWN_SP, "layout.h");
_Static_assert(offsetof(struct co, own.fp) == CO__OWN_FP, "layout.h");
_Static_assert(offsetof(struct co, own.pc) == CO__OWN_PC, "layout.h");
_Static_assert(offsetof(struct co, own.base) == CO__OWN_BASE, "layout.h");
_Static_assert(offsetof(struct co, resumer.sp) == CO__RESUMER_SP, "layout.h");
_Static_assert(offsetof(struct co, resumer.fp) == CO__RESUMER_FP, "layout.h");
_Static_assert(offsetof(struct co, resumer.pc) == CO__RESUMER_PC, "layout.h");
_Static_assert(offsetof(struct co, resumer.base) == CO__RESUMER_BASE, "layout.h");
_Static_assert(sizeof(struct co) == 64, "the hot words fill one cache line");
_Static_assert(offsetof(struct co__block, fn) == CO__FN, "block.h");
_Static_assert(offsetof(struct co__block, arg) == CO__ARG, "block.h");
_Static_assert(offsetof(struct co__block, error) == CO__ERROR, "block.h");
_Static_assert(offsetof(struct co__block, refused) == CO__REFUSED, "block.h");
_Static_assert(offsetof(struct co__block, resumer_pc) == CO__TRUE_RESUMER_PC, "block.h");
_Static_assert(sizeof(struct co__block) <= CO__STACK_LEAST_BYTES / 2, "a least stack must hold block and frames");

/* ---- Making one ---------------------------------------------------------------------------------------------- */

static int check_options(const co_options_t *opt) {
    if ((opt->flags & ~CO_FPENV) != 0 || opt->reserved_flags != 0)
        return EINVAL;
    for (size_t i = 0; i < sizeof opt->reserved / sizeof opt->reserved[0]; i++)
        if (opt->reserved[i] != 0)
            return EINVAL;
    if (opt->allocator != NULL && (opt->allocator->allocate == NULL || opt->allocator->release == NULL))
        return EINVAL;
    return 0;
}

/* The block lies in the upper line of a pair of cache lines that processors fetch together; the first frame's line is
 * the lower one. */
static struct co__block *place_block(const struct co__stack *stack) {
    uintptr_t top = (uintptr_t)stack->low + stack->bytes;
    uintptr_t address = (top - sizeof(struct co__block) - 64) / 128 * 128 + 64;
    return (struct co__block *)address;
}

static co_t *create(const co_options_t *opt, co_fn fn, void *arg, const void *caller) {
    struct co__stack stack;
    int error = fn == NULL ? EINVAL : check_options(opt);
    if (error == 0)
        error = co__stack_acquire(&stack, opt);
    if (error != 0) {
        errno = error;
        return NULL;
    }
    struct co__block *block = place_block(&stack);
    *block = (struct co__block){
        .fn = fn,
        .arg = arg,
        .life = CO__FRESH,
        .flags = opt->flags,
        .name = opt->name,
        .site = opt->site,
        .caller = caller,
        .data = opt->data,
        .allocator = opt->allocator,
        .stack = stack,
    };
    block->slow = co__hooks_created(block);
    if (opt->flags & CO_FPENV) {
        block->slow = 1;
        co__fpenv_save(block->fpenv);
    }
    return &block->hot;
}

static const co_options_t defaults;

co_t *co_create_with(const co_options_t *opt, co_fn fn, void *arg) {
    return create(opt != NULL ? opt : &defaults, fn, arg, __builtin_return_address(0));
}

co_t *co_create_at(const char *site, co_fn fn, void *arg) {
    const co_options_t options = {.site = site};
    return create(&options, fn, arg, __builtin_return_address(0));
}

co_t *(co_create)(co_fn fn, void *arg) { return create(&defaults, fn, arg, __builtin_return_address(0)); }

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
    co__hooks_before(block, &hooked);
    if (block->flags & CO_FPENV)
        co__fpenv_swap(block->fpenv);
    int status = enter_quick(block, in, value);
    if (block->flags & CO_FPENV)
        co__fpenv_swap(block->fpenv);
    block->slow_pc = block->hot.own.pc;
    block->hot.own.pc = NULL;
    co__hooks_after(block, &hooked, block->life == CO__ENDED);
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
    if (block->life == CO__FRESH) {
        if (in != NULL)
            return -EINVAL;
        block->life = CO__STARTED;
        co->own.sp = co;
        *co__pc_word(block) = (void *)(uintptr_t)co__entry;
    }
    if (*co__pc_word(block) == NULL)
        return -EBUSY;
    return co__enter(block, in, out);
}

int co_throw(co_t *co, int error, void **out) {
    struct co__block *block = co__block_of(co);
    if (co == NULL || error <= 0)
        return -EINVAL;
    if (block->life == CO__FRESH || block->life == CO__ENDED) {
        block->life = CO__ENDED;
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

/* co__entry calls this when the body has returned. */
struct co__outcome co__finish(co_t *co, void *value) {
    struct co__block *block = co__block_of(co);
    int failure = block->failure;
    if (block->deferred != NULL) {
        co__begin_ending(block);
        failure = co__end_ending(block);
    }
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

co_status_t co_status(const co_t *co) {
    struct co__block *block = co__block_of(co);
    if (co == NULL || block->life == CO__ENDED)
        return CO_DEAD;
    if (block->life == CO__FRESH || *co__pc_word(block) != NULL)
        return CO_SUSPENDED;
    /* The resumers of the running coroutine are found through own.base, which holds a link while own.pc is NULL. */
    const co_t *running = co__current_get();
    if (co == running)
        return CO_RUNNING;
    for (const co_t *resumer = running; resumer != NULL; resumer = resumer->own.base)
        if (co == resumer)
            return CO_NORMAL;
    return CO_RUNNING;
}

void *co_data(const co_t *co) { return co != NULL ? co__block_of(co)->data : NULL; }

const char *co_name(const co_t *co) { return co != NULL ? co__block_of(co)->name : NULL; }

const char *co_site(const co_t *co) { return co != NULL ? co__block_of(co)->site : NULL; }

int co_destroy(co_t *co) {
    if (co == NULL)
        return 0;
    struct co__block *block = co__block_of(co);
    int status = co_close(co);
    if (status == -EBUSY) {
        if (block->life != CO__ENDED)
            return -EBUSY;
        status = -EINVAL; /* a deferred call's error: -EBUSY would say that nothing was freed */
    }
    co__hooks_destroyed(block);
    co__stack_release(block->stack, block->allocator);
    return status;
}
