/* Telling AddressSanitizer, LeakSanitizer, ThreadSanitizer, MemorySanitizer and Valgrind of stacks and switches.
 *
 * The sanitizers' interface is in compiler-rt's headers (sanitizer/common_interface_defs.h, asan_interface.h,
 * lsan_interface.h, tsan_interface.h, msan_interface.h); GCC's run-time libraries are the same code, without
 * MemorySanitizer. All calls around a switch are made by the resumer: it announces the coroutine's stack before it
 * leaves and its own stack when it is back. So no instruction is spent on the yielding side, which is inline in
 * programs where a sanitizer covers only some files.
 *
 * Between announcing and switching, the thread is on one stack and the sanitizer believes it on another. What runs
 * there must not be instrumented: CO__UNINSTRUMENTED. */
#include "block.h"
#include "canary.h"

#include <stdatomic.h>

#define WEAK __attribute__((weak))
/* What runs only where a tool is: small, and away from what programs without tools run. */
#define TOOLS_ONLY __attribute__((cold, noinline))

extern WEAK void __sanitizer_start_switch_fiber(void **fake_stack_save, const void *bottom, size_t bytes);
extern WEAK void __sanitizer_finish_switch_fiber(void *fake_stack, const void **old_bottom, size_t *old_bytes);
extern WEAK int __sanitizer_get_ownership(const volatile void *memory);
extern WEAK void __asan_handle_no_return(void);
extern WEAK void __asan_unpoison_memory_region(const volatile void *low, size_t bytes);
extern WEAK void __lsan_register_root_region(const void *low, size_t bytes);
extern WEAK void __lsan_unregister_root_region(const void *low, size_t bytes);
extern WEAK void *__tsan_get_current_fiber(void);
extern WEAK void *__tsan_create_fiber(unsigned flags);
extern WEAK void __tsan_destroy_fiber(void *fiber);
extern WEAK void __tsan_switch_to_fiber(void *fiber, unsigned flags);
extern WEAK void __tsan_set_fiber_name(void *fiber, const char *name);
extern WEAK void __tsan_write8(void *address);
extern WEAK void __msan_start_switch_fiber(const void *bottom, size_t bytes);
extern WEAK void __msan_finish_switch_fiber(const void **old_bottom, size_t *old_bytes);
extern WEAK void __msan_unpoison(const volatile void *low, size_t bytes);
extern WEAK void __msan_unpoison_param(size_t count);

/* ---- Who is there -------------------------------------------------------------------------------------------- */

enum tool {
    ASAN = 1,
    LSAN = 2, /* also with ASAN */
    TSAN = 4,
    MSAN = 8,
    VALGRIND = 16,
    DECIDED = 32
};

/* Valgrind's requests (valgrind.h, memcheck.h; the numbers and the argument order never change). */
enum valgrind_request {
    RUNNING_ON_VALGRIND = 0x1001,
    STACK_REGISTER = 0x1501,
    STACK_DEREGISTER = 0x1502,
    CHANGE_ERR_DISABLEMENT = 0x1801,
    MAKE_MEM_UNDEFINED = 'M' << 24 | 'C' << 16 | 1,
    MAKE_MEM_DEFINED = 'M' << 24 | 'C' << 16 | 2
};

TOOLS_ONLY CO__UNINSTRUMENTED static uintptr_t valgrind(enum valgrind_request request, uintptr_t first,
                                                        uintptr_t second) {
    const uintptr_t arguments[6] = {request, first, second, 0, 0, 0};
    return co__valgrind(0, arguments);
}

CO__UNINSTRUMENTED static unsigned decide(void) {
    unsigned tools = DECIDED;
    if (&__sanitizer_start_switch_fiber != NULL)
        tools |= ASAN;
    if (&__lsan_register_root_region != NULL)
        tools |= LSAN;
    if (&__tsan_create_fiber != NULL)
        tools |= TSAN;
    if (&__msan_start_switch_fiber != NULL)
        tools |= MSAN;
    if (valgrind(RUNNING_ON_VALGRIND, 0, 0) != 0)
        tools |= VALGRIND;
    return tools;
}

/* Found out at the first creation, not when the library is loaded. Later creations pay for no_tools(). */
static _Atomic unsigned decided;

TOOLS_ONLY CO__UNINSTRUMENTED static unsigned tools_present(void) {
    unsigned tools = atomic_load_explicit(&decided, memory_order_relaxed);
    if (tools == 0) {
        tools = decide();
        atomic_store_explicit(&decided, tools, memory_order_relaxed);
    }
    return tools;
}

static CO__INLINE bool no_tools(void) {
    return CO__LIKELY(atomic_load_explicit(&decided, memory_order_relaxed) == DECIDED);
}

bool co__hooks_present(void) { return !no_tools() && tools_present() != DECIDED; }

bool co__hooks_present_at_switches(void) {
    return !no_tools() && (tools_present() & (ASAN | TSAN | MSAN)) != 0;
}

/* ---- LeakSanitizer ------------------------------------------------------------------------------------------- */

/* LeakSanitizer searches the stacks of threads, from the stack pointer up, and what is reachable from there. Stacks
 * that wait must be named to it. A stack is registered whole and once: registering the used part at every switch would
 * cost a search among all registered regions. So a stale pointer below the stack pointer of a suspended coroutine may
 * hide a leak, and a block that only a suspended stack points to is never reported. */
enum leak_roots { NO_ROOTS, ROOT_STACK, ROOT_BLOCK };

TOOLS_ONLY static void add_leak_roots(struct co__block *block, enum leak_roots roots) {
    const struct co__stack *stack = &block->stack;
    char *low = roots == ROOT_STACK ? stack->low : (char *)block;
    __lsan_register_root_region(low, (size_t)(stack->low + stack->bytes - low));
    block->hooks.leak_roots = (unsigned char)roots;
}

TOOLS_ONLY static void drop_leak_roots(struct co__block *block) {
    const struct co__stack *stack = &block->stack;
    if (block->hooks.leak_roots == NO_ROOTS)
        return;
    char *low = block->hooks.leak_roots == ROOT_STACK ? stack->low : (char *)block;
    __lsan_unregister_root_region(low, (size_t)(stack->low + stack->bytes - low));
    block->hooks.leak_roots = NO_ROOTS;
}

/* A stack in memory from malloc is found when a pointer to it is, and is a leak when none is: registering it would hide
 * that leak. The call answers for the first byte of a block, and GCC 12's library for -fsanitize=leak takes all memory
 * for its own, hence the other conditions. */
static bool is_heap_memory(const struct co__block *block, unsigned tools) {
    bool mapped = block->stack.origin == CO__FROM_SLAB || block->stack.origin == CO__FROM_MAPPING;
    struct co__stack memory = block->stack;
    if ((block->flags & CO_CANARIES) != 0)
        co__canaries_remove(&memory);
    return !mapped && (tools & ASAN) != 0 && __sanitizer_get_ownership(memory.low) != 0;
}

/* Frames in a fake stack are mapped memory to LeakSanitizer, and it looks only into that of the running stack. From its
 * handle on, a fake stack has a page, two bytes of flags for each of the smallest frames, of 64 bytes, and eleven
 * classes of frames, each as long as the stack rounded up to a power of two, from 64 KiB to 1 MiB unless options say
 * otherwise (compiler-rt: asan_fake_stack.h, asan_thread.cpp). A region must not be too long: there may be a guard
 * behind it, which looks readable in /proc/self/maps and kills LeakSanitizer. */
TOOLS_ONLY CO__UNINSTRUMENTED static size_t fake_stack_bytes(size_t stack_bytes) {
    size_t class_bytes = (size_t)64 * 1024;
    while (class_bytes < stack_bytes && class_bytes < (size_t)1024 * 1024)
        class_bytes *= 2;
    return 4096 + class_bytes / 64 * 2 + 11 * class_bytes;
}

TOOLS_ONLY CO__UNINSTRUMENTED static void add_fake_stack(struct co__fake_stack *fake, size_t stack_bytes,
                                                         unsigned tools) {
    if (fake->handle == NULL || fake->bytes != 0 || (tools & LSAN) == 0)
        return;
    fake->bytes = fake_stack_bytes(stack_bytes);
    __lsan_register_root_region(fake->handle, fake->bytes);
}

TOOLS_ONLY CO__UNINSTRUMENTED static void drop_fake_stack(struct co__fake_stack *fake) {
    if (fake->bytes != 0)
        __lsan_unregister_root_region(fake->handle, fake->bytes);
    *fake = (struct co__fake_stack){NULL, 0};
}

/* While a coroutine runs, the sanitizer takes its stack for the thread's. What the thread keeps on its own stack must
 * still be found, if the coroutine calls exit(). Between here and the switch there may be other frames, and `sw` may be
 * on a fake stack itself: the scheduler's is. */
#define FRAMES_TO_COME_BYTES ((size_t)2048)

TOOLS_ONLY CO__UNINSTRUMENTED static void add_thread_stack(struct co__hooked_switch *sw) {
    uintptr_t bottom = (uintptr_t)sw->bottom, top = bottom + sw->bytes;
    uintptr_t used = (uintptr_t)__builtin_frame_address(0);
    if (used < bottom || used >= top)
        return; /* on a stack of somebody else's making, which LeakSanitizer knows as well as it ever did */
    used = used - bottom > FRAMES_TO_COME_BYTES ? (used - FRAMES_TO_COME_BYTES) / 16 * 16 : bottom;
    sw->leak_root = (const void *)used;
    sw->leak_root_bytes = top - used;
    __lsan_register_root_region(sw->leak_root, sw->leak_root_bytes);
}

/* ---- Around a switch ----------------------------------------------------------------------------------------- */

/* The start and finish calls are written for a thread that calls the one before its switch and the other behind it, on
 * the new stack. They only exchange records, so both can be called before the switch. finish tells which stack was
 * left; that is how the bounds of a thread's stack become known. */
TOOLS_ONLY CO__UNINSTRUMENTED static void enter_asan(struct co__block *block, struct co__hooked_switch *sw,
                                                     unsigned tools) {
    co_t *resumer = co__current_get();
    struct co__fake_stack *left = resumer != NULL ? &co__block_of(resumer)->hooks.fake_stack : &sw->fake_stack;
    void *handle = NULL;
    __sanitizer_start_switch_fiber(&handle, block->stack.low, block->stack.bytes);
    __sanitizer_finish_switch_fiber(block->hooks.fake_stack.handle, &sw->bottom, &sw->bytes);
    left->handle = handle;
    add_fake_stack(left, sw->bytes, tools);
    if (resumer == NULL && (tools & LSAN) != 0)
        add_thread_stack(sw);
}

TOOLS_ONLY CO__UNINSTRUMENTED static void leave_asan(struct co__block *block, struct co__hooked_switch *sw, bool ended,
                                                     unsigned tools) {
    co_t *resumer = co__current_get();
    struct co__fake_stack *entered = resumer != NULL ? &co__block_of(resumer)->hooks.fake_stack : &sw->fake_stack;
    if (ended) {
        /* Without a place to save it in, the fake stack is destroyed: the coroutine needs it no more. */
        drop_fake_stack(&block->hooks.fake_stack);
        __sanitizer_start_switch_fiber(NULL, sw->bottom, sw->bytes);
    } else {
        __sanitizer_start_switch_fiber(&block->hooks.fake_stack.handle, sw->bottom, sw->bytes);
        add_fake_stack(&block->hooks.fake_stack, block->stack.bytes, tools);
    }
    __sanitizer_finish_switch_fiber(entered->handle, NULL, NULL);
    if (resumer == NULL) {
        drop_fake_stack(&sw->fake_stack);
        if (sw->leak_root != NULL)
            __lsan_unregister_root_region(sw->leak_root, sw->leak_root_bytes);
    }
}

TOOLS_ONLY CO__UNINSTRUMENTED static void announce_resume(struct co__block *block, struct co__hooked_switch *sw) {
    unsigned tools = tools_present();
    *sw = (struct co__hooked_switch){.fiber = NULL};
    if ((tools & TSAN) != 0) {
        /* Fibers are few (8,128 with threads in GCC 12's library), so a coroutine has one only while it has frames. */
        if (block->hooks.fiber == NULL) {
            block->hooks.fiber = __tsan_create_fiber(0);
            if (block->name != NULL)
                __tsan_set_fiber_name(block->hooks.fiber, block->name);
        }
        sw->fiber = __tsan_get_current_fiber();
        /* A switch orders the resumer before the coroutine and back. That would hide that two threads resume one
         * coroutine without any order; a write to the block, which they both do here, shows it. */
        __tsan_write8(&block->hot.own.pc);
        __tsan_switch_to_fiber(block->hooks.fiber, 0);
    }
    if ((tools & ASAN) != 0)
        enter_asan(block, sw, tools);
    if ((tools & MSAN) != 0) {
        __msan_start_switch_fiber(block->stack.low, block->stack.bytes);
        /* This also marks arguments and return values that are on their way as initialised: those which the coroutine's
         * function gets and those which co_yield returns. */
        __msan_finish_switch_fiber(&sw->bottom, &sw->bytes);
    }
}

TOOLS_ONLY CO__UNINSTRUMENTED static void announce_return(struct co__block *block, struct co__hooked_switch *sw,
                                                          bool ended) {
    unsigned tools = tools_present();
    if ((tools & MSAN) != 0) {
        __msan_start_switch_fiber(sw->bottom, sw->bytes);
        __msan_finish_switch_fiber(NULL, NULL);
    }
    if ((tools & ASAN) != 0)
        leave_asan(block, sw, ended, tools);
    if ((tools & TSAN) != 0) {
        __tsan_switch_to_fiber(sw->fiber, 0);
        if (ended) {
            __tsan_destroy_fiber(block->hooks.fiber);
            block->hooks.fiber = NULL;
        }
    }
    /* What lies on the stack of an ended coroutine is nobody's; `arg` and `data` in its block may still be. */
    if (ended && block->hooks.leak_roots == ROOT_STACK) {
        drop_leak_roots(block);
        add_leak_roots(block, ROOT_BLOCK);
    }
}

CO__UNINSTRUMENTED void co__hooks_before(struct co__block *block, struct co__hooked_switch *sw) {
    if (!no_tools())
        announce_resume(block, sw);
}

CO__UNINSTRUMENTED void co__hooks_after(struct co__block *block, struct co__hooked_switch *sw, bool ended) {
    if (!no_tools())
        announce_return(block, sw, ended);
}

/* ---- Stacks -------------------------------------------------------------------------------------------------- */

TOOLS_ONLY static bool created(struct co__block *block) {
    unsigned tools = tools_present();
    const struct co__stack *stack = &block->stack;
    if ((tools & LSAN) != 0 && !is_heap_memory(block, tools))
        add_leak_roots(block, ROOT_STACK);
    if ((tools & MSAN) != 0)
        __msan_unpoison(stack->low, stack->bytes); /* a user's memory, or where other frames were */
    if ((tools & VALGRIND) != 0) {
        uintptr_t low = (uintptr_t)stack->low;
        block->hooks.valgrind_stack = valgrind(STACK_REGISTER, low, low + stack->bytes - 1);
    }
    return co__hooks_present_at_switches();
}

bool co__hooks_created(struct co__block *block) { return no_tools() ? false : created(block); }

TOOLS_ONLY static void destroyed(struct co__block *block) {
    uintptr_t low = (uintptr_t)block->stack.low;
    drop_leak_roots(block);
    if ((tools_present() & ASAN) != 0)
        __asan_unpoison_memory_region(block->stack.low, (uintptr_t)block - low); /* of frames that were abandoned */
    if ((tools_present() & VALGRIND) != 0) {
        valgrind(STACK_DEREGISTER, block->hooks.valgrind_stack, 0);
        /* Memcheck forbids what is below the stack pointer. The memory's owner may use it again. */
        valgrind(MAKE_MEM_UNDEFINED, low, (uintptr_t)block - low);
    }
}

void co__hooks_destroyed(struct co__block *block) {
    if (!no_tools())
        destroyed(block);
}

/* ---- Elsewhere in the library -------------------------------------------------------------------------------- */

void co__hooks_wrote(void **out) {
    if (!no_tools() && (tools_present() & MSAN) != 0)
        __msan_unpoison(out, sizeof *out);
}

void co__hooks_use_below(void *low, size_t bytes) {
    unsigned tools = no_tools() ? 0 : tools_present();
    if ((tools & ASAN) != 0)
        __asan_unpoison_memory_region(low, bytes);
    if ((tools & VALGRIND) != 0)
        valgrind(MAKE_MEM_UNDEFINED, (uintptr_t)low, bytes);
}

void co__hooks_reads_begin(void) {
    if (!no_tools() && (tools_present() & VALGRIND) != 0)
        valgrind(CHANGE_ERR_DISABLEMENT, 1, 0);
}

void co__hooks_reads_end(void *found, size_t bytes) {
    if (!no_tools() && (tools_present() & VALGRIND) != 0) {
        valgrind(CHANGE_ERR_DISABLEMENT, (uintptr_t)-1, 0);
        valgrind(MAKE_MEM_DEFINED, (uintptr_t)found, bytes);
    }
}

/* As the compiler does before a throw. The frames of this stack will not return, so they would leave their poison to
 * whoever uses the stack after them. */
void co__hooks_unwinding(void) {
    if (!no_tools() && (tools_present() & ASAN) != 0)
        __asan_handle_no_return();
}

/* Uninstrumented code does not say that the arguments it passes are initialised. */
void co__hooks_calling(void) {
    if (!no_tools() && (tools_present() & MSAN) != 0)
        __msan_unpoison_param(1);
}
