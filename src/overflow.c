/* co_catch_overflow: a handler of SIGSEGV that explains a stack overflow, and then lets the previous action act.
 *
 * Everything between `caught` and `pass_on` runs in signal handlers, in several threads at once: no allocation, no
 * locks, no stdio. */
#define _GNU_SOURCE 1 /* sigaltstack, and the registers' names in ucontext.h */

#include "block.h"
#include "describe.h"
#include "lock.h"
#include "pages.h"
#include "signal_stack.h"
#include "text.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <ucontext.h>
#include <unistd.h>

#include CO__ARCH_SIGNAL_CONTEXT

/* ---- What is an overflow, and what is said about it ------------------------------------------------------------ */

/* The running coroutine, if it has touched its guard from the low end of its stack; a stray pointer from far up has
 * another cause, and a larger stack would not help. */
static const struct co__block *overflowing(const siginfo_t *info, const ucontext_t *context) {
    const co_t *co = co__current_get();
    if (co == NULL || info->si_code <= 0) /* sent by a process: there is no address */
        return NULL;
    const struct co__block *block = co__block_of(co);
    uintptr_t low, high, address = (uintptr_t)info->si_addr;
    co__stack_guard(&block->stack, &low, &high);
    if (address < low || address >= high)
        return NULL;
    return co__interrupted_sp(context) <= high + co__page_bytes() ? block : NULL;
}

#define MOST_OF_A_NAME ((size_t)100)

/* One write, so that messages of several threads do not mix. */
static void report(const struct co__block *block, const char *pc) {
    const size_t stack_bytes = co__described_stack_bytes(block);
    struct co__text text;
    char message[1024];
    co__text_begin(&text, message, sizeof message);
    co__text_add(&text, "libco: stack overflow in coroutine ");
    if (block->name != NULL) {
        co__text_add(&text, "\"");
        co__text_quote(&text, block->name, MOST_OF_A_NAME);
        co__text_add(&text, "\" (");
    }
    co__text_hex(&text, (uintptr_t)block);
    co__text_add(&text, block->name != NULL ? "), created " : ", created ");
    co__describe_site(&text, block);
    co__text_add(&text, ": its ");
    co__text_decimal(&text, stack_bytes);
    co__text_add(&text, " bytes of stack do not hold ");
    co__describe_code(&text, pc);
    co__text_add(&text, ".\nlibco: create it with a larger stack (co_options_t.stack_bytes = ");
    co__text_decimal(&text, (uint64_t)stack_bytes * 2);
    co__text_add(&text, ", say), or keep large arrays out of its functions and bound its recursion.\n");
    ssize_t written = write(STDERR_FILENO, message, text.length);
    (void)written; /* there is nobody else to tell */
}

/* ---- The handlers ---------------------------------------------------------------------------------------------- */

/* One handler of ours and the action that it replaced. There are several, because somebody may put a handler on top of
 * ours that calls ours, and then this call may put ours on top again: if both were one handler, with one previous
 * action, the two would call each other without end. */
struct catcher {
    void (*handler)(int, siginfo_t *, void *);
    bool used;
    struct sigaction previous;
    atomic_int spent; /* previous has acted, which with SA_RESETHAND it does once */
};

enum { CATCHERS = 8 };
static struct catcher catchers[CATCHERS];
static _Atomic(struct catcher *) newest;

static struct catcher *catcher_of(const struct sigaction *action) {
    for (int i = 0; i < CATCHERS; i++)
        if ((action->sa_flags & SA_SIGINFO) != 0 && action->sa_sigaction == catchers[i].handler)
            return &catchers[i];
    return NULL;
}

/* Of all ours that one fault may pass through, one speaks: that which the kernel calls, or else the newest. */
static bool speaks(const struct catcher *self) {
    const struct catcher *last = atomic_load_explicit(&newest, memory_order_acquire);
    struct sigaction now;
    const struct catcher *installed = sigaction(SIGSEGV, NULL, &now) == 0 ? catcher_of(&now) : NULL;
    return self == (installed != NULL ? installed : last);
}

/* Returning repeats the faulting instruction, so that the process dies where it failed. What is no fault of an
 * instruction does not come again by itself. */
static void act_by_default(int number, const siginfo_t *info) {
    const struct sigaction standard = {.sa_handler = SIG_DFL};
    int error = errno;
    sigaction(number, &standard, NULL);
    if (info->si_code != SEGV_MAPERR && info->si_code != SEGV_ACCERR)
        raise(number); /* blocked until the handler returns */
    errno = error;
}

static bool has_flag(const struct sigaction *action, unsigned flag) { return ((unsigned)action->sa_flags & flag) != 0; }

/* What the kernel would do with the previous action. */
static void pass_on(struct catcher *self, int number, siginfo_t *info, void *context) {
    const struct sigaction *previous = &self->previous;
    if (previous->sa_handler == SIG_IGN) {
        if (info->si_code > 0) /* a fault cannot be ignored */
            act_by_default(number, info);
        return;
    }
    if (previous->sa_handler == SIG_DFL || (has_flag(previous, SA_RESETHAND) && atomic_load(&self->spent))) {
        act_by_default(number, info);
        return;
    }
    /* Two threads may both have come here. An exchange would prevent that by a call of libgcc's, which AArch64's branch
     * protection and RV64 have no use for. */
    atomic_store(&self->spent, 1);
    /* The end of this handler restores the mask of the interrupted code. */
    pthread_sigmask(SIG_BLOCK, &previous->sa_mask, NULL);
    if (has_flag(previous, SA_NODEFER) && !sigismember(&previous->sa_mask, number)) {
        sigset_t itself;
        sigemptyset(&itself);
        sigaddset(&itself, number);
        pthread_sigmask(SIG_UNBLOCK, &itself, NULL);
    }
    if (has_flag(previous, SA_SIGINFO))
        previous->sa_sigaction(number, info, context);
    else
        previous->sa_handler(number);
}

static void caught(struct catcher *self, int number, siginfo_t *info, void *context) {
    int error = errno;
    const struct co__block *block = speaks(self) ? overflowing(info, context) : NULL;
    if (block != NULL)
        report(block, co__interrupted_pc(context));
    errno = error;
    pass_on(self, number, info, context);
}

/* clang-format off */
#define HANDLER(index)                                                                                                 \
    static void handler_##index(int number, siginfo_t *info, void *context) {                                          \
        caught(&catchers[index], number, info, context);                                                               \
    }
HANDLER(0) HANDLER(1) HANDLER(2) HANDLER(3) HANDLER(4) HANDLER(5) HANDLER(6) HANDLER(7)
    /* clang-format on */

    static struct catcher catchers[CATCHERS] = {
        {.handler = handler_0}, {.handler = handler_1}, {.handler = handler_2}, {.handler = handler_3},
        {.handler = handler_4}, {.handler = handler_5}, {.handler = handler_6}, {.handler = handler_7},
};

/* ---- Installing them ------------------------------------------------------------------------------------------- */

static bool same_action(const struct sigaction *one, const struct sigaction *other) {
    if (one->sa_flags != other->sa_flags || one->sa_handler != other->sa_handler)
        return false;
    for (int number = 1; number < NSIG; number++)
        if (sigismember(&one->sa_mask, number) != sigismember(&other->sa_mask, number))
            return false;
    return true;
}

/* One that passes on to this action: programs that install the same handler again and again need no more than one. */
static struct catcher *catcher_for(const struct sigaction *previous) {
    for (int i = 0; i < CATCHERS; i++)
        if (!catchers[i].used || same_action(&catchers[i].previous, previous))
            return &catchers[i];
    return NULL;
}

static int install(void) {
    struct sigaction now;
    if (sigaction(SIGSEGV, NULL, &now) != 0)
        return errno;
    struct catcher *catcher = catcher_of(&now);
    if (catcher != NULL) {
        atomic_store_explicit(&newest, catcher, memory_order_release);
        return 0;
    }
    catcher = catcher_for(&now);
    if (catcher == NULL)
        return EAGAIN;
    struct catcher *last = atomic_load_explicit(&newest, memory_order_relaxed);
    bool used = catcher->used;
    if (!used) /* else handlers may be reading it */
        catcher->previous = now;
    catcher->used = true;
    atomic_store(&catcher->spent, 0);
    atomic_store_explicit(&newest, catcher, memory_order_release);
    struct sigaction ours = {.sa_flags = SA_SIGINFO | SA_ONSTACK};
    ours.sa_sigaction = catcher->handler;
    sigemptyset(&ours.sa_mask);
    if (sigaction(SIGSEGV, &ours, NULL) == 0)
        return 0;
    int error = errno;
    atomic_store_explicit(&newest, last, memory_order_release);
    catcher->used = used;
    return error;
}

int co_catch_overflow(void) {
    struct co__signal_stack_given given;
    int caller_errno = errno;
    int error = co__lock();
    if (error != 0)
        return -error;
    error = co__signal_stack_give(&given);
    if (error == 0) {
        error = install();
        if (error != 0)
            co__signal_stack_take_back(&given);
    }
    co__unlock();
    errno = caller_errno;
    return -error;
}
