/* A RISC-V Linux program without a C library, for ABIs that no installed library has: the scenes of test_registers and
 * test_task_registers, run with every combination of doors. Beside them it holds what the library needs of a C library,
 * as small as it can be.
 */
#include <stddef.h>
#include <stdint.h>

#include "task_registers_scenes.h"

enum { SYSCALL_WRITE = 64, SYSCALL_EXIT = 93 };

/* The thread's words are all there is of thread-local storage: tp points to its beginning. */
_Alignas(64) char thread_storage[1024];

__asm__(".pushsection .text\n"
        ".globl _start\n"
        "_start:\n\t"
        ".option push\n\t"
        ".option norelax\n\t"
        "la gp, __global_pointer$\n\t"
        ".option pop\n\t"
        "la tp, thread_storage\n\t"
        "andi sp, sp, -16\n\t"
        "call run_all\n\t"
        "li a7, 93\n\t"
        "ecall\n"
        ".popsection\n");

static long system_call(long number, long a, long b, long c) {
    register long a0 __asm__("a0") = a;
    register long a1 __asm__("a1") = b;
    register long a2 __asm__("a2") = c;
    register long a7 __asm__("a7") = number;
    __asm__ __volatile__("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
    return a0;
}

/* ---- Of a C library ---------------------------------------------------------------------------------------------- */

static int error_number;
int *__errno_location(void);
int *__errno_location(void) { return &error_number; }

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memcpy(void *restrict to, const void *restrict from, size_t bytes) {
    for (size_t i = 0; i < bytes; i++)
        ((volatile unsigned char *)to)[i] = ((const unsigned char *)from)[i];
    return to;
}

void *memset(void *to, int value, size_t bytes);
void *memset(void *to, int value, size_t bytes) {
    for (size_t i = 0; i < bytes; i++)
        ((volatile unsigned char *)to)[i] = (unsigned char)value;
    return to;
}

static size_t length_of(const char *text) {
    size_t length = 0;
    while (text[length] != 0)
        length++;
    return length;
}

static void print(const char *text) { system_call(SYSCALL_WRITE, 2, (long)(uintptr_t)text, (long)length_of(text)); }

static void print_hex(uint64_t value) {
    char text[] = "0x0000000000000000";
    for (int i = 17; i >= 2; i--, value >>= 4)
        text[i] = "0123456789abcdef"[value & 15];
    print(text);
}

void abort(void);
void abort(void) {
    print("abort\n");
    for (;;)
        system_call(SYSCALL_EXIT, 134, 0, 0);
}

/* What the library may ask for and no scene leads to. */
void *stderr;
int fprintf(void *stream, const char *format, ...);
int fprintf(void *stream, const char *format, ...) {
    (void)stream;
    print(format);
    return 0;
}
#define NEVER(name)                                                                                                    \
    void name(void);                                                                                                   \
    void name(void) {                                                                                                  \
        print(#name " is called\n");                                                                                   \
        abort();                                                                                                       \
    }
NEVER(bcmp)
NEVER(clock_gettime)
NEVER(close)
NEVER(getenv)
NEVER(memcmp)
NEVER(mincore)
NEVER(mmap)
NEVER(open)
NEVER(pread)
NEVER(snprintf)
NEVER(strtoull)
NEVER(syscall)
NEVER(uname)
NEVER(munmap)
NEVER(mprotect)
NEVER(madvise)
NEVER(sysconf)
NEVER(getauxval)

/* What lock.c and pool.c hold. There is nobody to lock out, and no stack is the library's. */
int co__lock(void);
int co__lock(void) { return 0; }
void co__unlock(void);
void co__unlock(void) {}
NEVER(co__pool_put)
NEVER(co__pool_take)
NEVER(co_pool_trim)
NEVER(co__stack_discard_from_now_on)
size_t co__pool_plain_limit;

/* What unpark.c, report.c and trace.c hold: there are no other threads, and nobody looks on. */
NEVER(co__idle)
NEVER(co__report_deadlock)
NEVER(co__unparked_wake)
int co__remote_begin(void *sched);
int co__remote_begin(void *sched) { return sched == NULL; }
int co__unparked_waiting(void *sched);
int co__unparked_waiting(void *sched) { return sched == NULL; }
#define NOTHING(name)                                                                                                  \
    void name(void *object);                                                                                           \
    void name(void *object) { (void)object; }
NOTHING(co__remote_end)
NOTHING(co__trace)
NOTHING(co__trace_begin)
NOTHING(co__trace_end)
NOTHING(co__unparked_forget)

static _Alignas(16) unsigned char heap[1 << 20];
static size_t heap_used;
void *malloc(size_t bytes);
void *malloc(size_t bytes) {
    void *memory = heap + heap_used;
    heap_used += (bytes + 15) / 16 * 16;
    return heap_used <= sizeof heap ? memory : NULL;
}
void *calloc(size_t count, size_t bytes);
void *calloc(size_t count, size_t bytes) { return malloc(count * bytes); } /* nothing is used twice */
void *realloc(void *memory, size_t bytes);
void *realloc(void *memory, size_t bytes) {
    if (memory != NULL)
        abort();
    return malloc(bytes);
}
void free(void *memory);
void free(void *memory) { (void)memory; }

/* ---- The scenes -------------------------------------------------------------------------------------------------- */

static _Alignas(16) unsigned char stack[65536];

static int run(const char *name, scene_function function) {
    static const struct door *const doors[] = {&door_inline, &door_out_of_line};
    int failures = 0;
    for (unsigned i = 0; i < 16; i++) {
        struct scene scene = {
            .resumer = doors[i & 1],
            .yielder = doors[i >> 1 & 1],
            .by_handle = (int)(i >> 2 & 1),
            .options = {.stack = stack, .stack_bytes = sizeof stack, .flags = (i >> 3) != 0 ? CO_FPENV : 0},
            .seed = 0x9e3779b97f4a7c15u + i,
        };
        function(&scene);
        if (scene.fault == NULL)
            continue;
        const char *const texts[] = {name,
                                     ": ",
                                     scene.fault,
                                     ", ",
                                     scene.register_name,
                                     ", resumed by ",
                                     scene.resumer->name,
                                     ", yielded by ",
                                     scene.yielder->name,
                                     ", is "};
        for (size_t text = 0; text < sizeof texts / sizeof texts[0]; text++)
            print(texts[text]);
        print_hex(scene.found);
        print(" and should be ");
        print_hex(scene.expected);
        print("\n");
        failures++;
    }
    return failures;
}

int run_all(void);
int run_all(void) {
    int failures = 0;
    failures += run("resume and yield", scene_resume_and_yield);
    failures += run("throw", scene_throw);
    failures += run("close", scene_close);
    failures += run("destroy", scene_destroy);
    failures += run("no yield", scene_no_yield);
    failures += run("refused", scene_refused);
    failures += run("tasks", scene_tasks);
    failures += run("tasks in a coroutine", scene_tasks_in_a_coroutine);
    failures += run("around co_run", scene_around_co_run);
    print(failures == 0 ? "all scenes passed\n" : "some scenes failed\n");
    return failures == 0 ? 0 : 1;
}
