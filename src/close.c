/* Closing a suspended coroutine, without a test on the hot path: its saved pc is redirected, so that the next switch
 * into it runs its deferred calls and, where frames have language tables, its destructors.
 *
 * The unwinder is that of the C++ ABI (Itanium C++ ABI: Exception Handling, section 1.6; System V psABI, section 6.2).
 * Its functions are weak references, so that libc stays the only dependency: whoever has frames with language tables
 * has the unwinder too. */
#include "block.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unwind.h>

extern __typeof__(_Unwind_ForcedUnwind) _Unwind_ForcedUnwind __attribute__((weak));
extern __typeof__(_Unwind_Backtrace) _Unwind_Backtrace __attribute__((weak));
extern __typeof__(_Unwind_GetCFA) _Unwind_GetCFA __attribute__((weak));

_Static_assert(sizeof(struct _Unwind_Exception) <= sizeof((struct co__block){0}.exception), "block.h");

_Static_assert(offsetof(struct co__block, exception) - offsetof(struct co__block, handlers) == 80, "block.h");

/* std::terminate, when there is a C++ runtime, so that the program's own handler is called. */
extern void terminate(void) __asm__("_ZSt9terminatev") __attribute__((weak));

CO__NORETURN static void die(const char *message) {
    fprintf(stderr, "libco: %s\n", message);
    if (&terminate != NULL)
        terminate();
    abort();
}

/* ---- The closer's side --------------------------------------------------------------------------------------- */

/* gcc and clang on x86-64 keep locals below the stack pointer around an inlined yield (the red zone, psABI section
 * 3.2.2). The other architectures have none. */
#define RED_ZONE_BYTES 128

/* What unwinding needs below the yield. Measured with libgcc 12: 5.1 KiB on x86-64 and RV64, 7.0 KiB on AArch64. */
#define UNWINDING_BYTES 8192

/* What is written below a yield before any function of the coroutine's side has checked anything: without it, closing
 * would write over whatever lies below the stack. */
#define CLOSING_LEAST_BYTES 256

/* Sends the coroutine to the second landing of its yield, if it has one, or else to co__closing, which finds the four
 * words of the pending yield on its stack, so that call-frame information can lead from there to the yield's frame. */
void co__redirect(struct co__block *block, bool may_unwind) {
    void **pc = co__pc_word(block);
    int32_t distance = 0;
    if (may_unwind) /* the word is before the landings of yields only */
        memcpy(&distance, (char *)*pc - sizeof distance, sizeof distance);
    size_t room = (size_t)((char *)block->hot.own.sp - block->stack.low);
    if (room < CLOSING_LEAST_BYTES)
        die("no stack is left to close a coroutine on");
    block->unwinds = may_unwind && &_Unwind_ForcedUnwind != NULL && room >= UNWINDING_BYTES;
    if (distance != 0 && block->unwinds) {
        *pc = (char *)*pc + distance;
        return;
    }
    struct co__context pending = block->hot.own;
    pending.pc = *pc;
    uintptr_t below = ((uintptr_t)pending.sp - RED_ZONE_BYTES - sizeof pending) / 16 * 16;
    co__hooks_use_below((void *)(below - RED_ZONE_BYTES), sizeof pending + RED_ZONE_BYTES);
    memcpy((void *)below, &pending, sizeof pending);
    block->hot.own.sp = (void *)below;
    *pc = (void *)(uintptr_t)co__closing;
}

int co_close(co_t *co) {
    struct co__block *block = co__block_of(co);
    if (co == NULL)
        return -EINVAL;
    if (block->life == CO__ENDED || co__is_fresh(block)) {
        co__end_fresh(block);
        return 0;
    }
    if (*co__pc_word(block) == NULL)
        return -EBUSY;
    co__redirect(block, true);
    return co__enter(block, NULL, NULL);
}

/* One that has never run has nothing to undo. */
void co__end_fresh(struct co__block *block) {
    *co__pc_word(block) = NULL;
    block->life = CO__ENDED;
}

/* ---- The coroutine's side ------------------------------------------------------------------------------------ */

CO__NORETURN static void leave(struct co__block *block) {
    int error = co__end_ending(block);
    block->unwinds = 0;
    co__leave(&block->hot, NULL, -error);
}

/* Notes for every deferred call to which frame it belongs: the innermost whose stack pointer is not above its mark. */
static _Unwind_Reason_Code note_frame(struct _Unwind_Context *context, void *argument) {
    struct co__block *block = argument;
    uintptr_t frame = _Unwind_GetCFA(context);
    for (struct co__deferred *deferred = block->deferred; deferred != NULL; deferred = deferred->next)
        if (deferred->mark >= frame)
            deferred->frame = frame;
    return frame >= (uintptr_t)block ? _URC_END_OF_STACK : _URC_NO_REASON;
}

/* Called by the unwinder for each frame before that frame's destructors run. The last frame is co__entry's, whose stack
 * pointer is the block's address. */
static _Unwind_Reason_Code stop(int version, _Unwind_Action actions, _Unwind_Exception_Class exception_class,
                                struct _Unwind_Exception *exception, struct _Unwind_Context *context, void *argument) {
    struct co__block *block = argument;
    (void)version, (void)exception_class, (void)exception;
    uintptr_t frame = _Unwind_GetCFA(context);
    if ((actions & _UA_END_OF_STACK) != 0 || frame >= (uintptr_t)block)
        leave(block);
    co__run_deferred(block, frame);
    return _URC_NO_REASON;
}

static void swallowed(_Unwind_Reason_Code reason, struct _Unwind_Exception *exception) {
    (void)reason, (void)exception;
    die("a handler caught the closing of a coroutine and did not rethrow it");
}

void co__unwind(void) {
    struct co__block *block = co__block_of(co__current_get());
    block->failure = 0; /* the body does not return, so what it said of failing does not count */
    co__begin_ending(block);
    co__hooks_unwinding();
    if (block->handlers != NULL)
        co__handlers_restore(block->handlers);
    block->handlers = NULL;
    if (block->unwinds) {
        struct _Unwind_Exception *exception = (void *)block->exception;
        memcpy(&exception->exception_class, "libco\0\0", sizeof exception->exception_class);
        exception->exception_cleanup = swallowed;
        _Unwind_Backtrace(note_frame, block);
        _Unwind_ForcedUnwind(exception, stop, block);
    }
    /* Without an unwinder or room for it, or past a frame that it knows nothing of. */
    leave(block);
}

/* The personality routine of co__entry and co__call_guarded: what reaches it has left the body or a deferred call. */
_Unwind_Reason_Code co__personality(int version, _Unwind_Action actions, _Unwind_Exception_Class exception_class,
                                    struct _Unwind_Exception *exception, struct _Unwind_Context *context) {
    (void)version, (void)exception_class, (void)exception, (void)context;
    if ((actions & _UA_FORCE_UNWIND) != 0)
        return _URC_CONTINUE_UNWIND; /* pthread_exit, which unwinds the resumers too, as far as their doors allow */
    die("an exception left a coroutine");
}
