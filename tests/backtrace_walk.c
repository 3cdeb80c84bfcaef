/* Three ways to walk a stack: glibc's backtrace(), the unwinder, and the chain of frame records. */
#include "backtrace.h"

#include <stdlib.h>

/* Other C libraries have no backtrace(), and Debian's libgcc, with the unwinder in it, does not link without glibc. */
#if defined(__GLIBC__)
#include <execinfo.h>
#include <unwind.h>

static void walk_backtrace(struct walk *walk) {
    walk->frames = (size_t)backtrace(walk->pc, FRAMES);
    walk->ended = walk->frames < FRAMES;
}

static _Unwind_Reason_Code note(struct _Unwind_Context *context, void *argument) {
    struct walk *walk = argument;
    if (walk->frames == FRAMES)
        return _URC_NORMAL_STOP;
    walk->pc[walk->frames++] = (void *)_Unwind_GetIP(context);
    return _URC_NO_REASON;
}

static void walk_unwinder(struct walk *walk) {
    walk->frames = 0;
    walk->ended = _Unwind_Backtrace(note, walk) == _URC_END_OF_STACK && walk->frames < FRAMES;
}
#else
static void walk_backtrace(struct walk *walk) { walk->frames = 0; }

static void walk_unwinder(struct walk *walk) { walk->frames = 0; }
#endif

/* A frame record is {the caller's frame pointer, the return address}; the frame pointer points to it, or on RISC-V
 * behind it (RISC-V ELF psABI, "Frame Pointer Convention"). */
#if defined(__riscv)
#define RECORD_OF(frame) ((char *)(frame)-16)
#else
#define RECORD_OF(frame) ((char *)(frame))
#endif

/* A walker must not follow a pointer to nowhere: what is on none of the stacks ends the walk. */
static bool is_on_a_stack(const char *frame) {
    const char *low = backtrace_stacks[0], *high = low + sizeof backtrace_stacks;
    return (uintptr_t)frame % sizeof(void *) == 0 && frame != NULL &&
           ((frame > low && frame < high) || (frame > backtrace_main_frame - 65536 && frame <= backtrace_main_frame));
}

#if defined(__clang__)
__attribute__((no_sanitize("address")))
#elif defined(__SANITIZE_ADDRESS__)
__attribute__((no_sanitize_address))
#endif
static void
walk_frame_pointers(struct walk *walk) {
    char *frame = __builtin_frame_address(0);
    walk->frames = 0;
    while (walk->frames < FRAMES && frame != backtrace_main_frame && is_on_a_stack(frame)) {
        void **record = (void **)(void *)RECORD_OF(frame);
        frame = record[0];
        /* AArch64 signs return addresses in their upper bits. */
        walk->pc[walk->frames++] = (void *)((uintptr_t)record[1] & (((uintptr_t)1 << 48) - 1));
    }
    walk->ended = frame == backtrace_main_frame;
}

__attribute__((noinline)) void backtrace_walk(struct walk walks[WALKERS]) {
    walk_backtrace(&walks[BACKTRACE]);
    walk_unwinder(&walks[UNWINDER]);
    walk_frame_pointers(&walks[FRAME_POINTERS]);
}
