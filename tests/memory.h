/* What tests of stacks share: what the kernel says of this process's memory, and where a stack and its guard lie.
 * A C file that includes this one defines _GNU_SOURCE before its first #include. */
#ifndef CO_TEST_MEMORY_H
#define CO_TEST_MEMORY_H

#include "support.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define KIB ((size_t)1024)
#define MIB (1024 * KIB)

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

/* Compilers for AArch64 take guards of 64 KiB for granted, unless told otherwise. */
#ifdef __aarch64__
#define GUARD_LEAST_BYTES (64 * KIB)
#else
#define GUARD_LEAST_BYTES (4 * KIB)
#endif

/* In a child, where cmocka's assertions would go on with the parent's next test. */
#define REQUIRE(condition)                                                                                             \
    ((condition) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition), _exit(1)))

/* The library's own symbols are visible in a static link only, and its calls can be wrapped there only. */
extern const char co__entry[] __attribute__((weak));

static inline bool calls_can_be_intercepted(void) {
    const char *volatile entry = co__entry;
    return entry != NULL;
}

/* Wrapped calls are those of a sanitizer's library too, and some come before there is anything that instrumented code
 * could write to. */
#ifndef TEST_SANITIZED
#define UNINSTRUMENTED
#elif !defined(__clang__)
#define UNINSTRUMENTED __attribute__((no_sanitize_address, no_sanitize_thread))
#else
#define UNINSTRUMENTED __attribute__((disable_sanitizer_instrumentation))
#endif

/* ---- Stacks ------------------------------------------------------------------------------------------------------ */

static inline co_t *create(size_t stack_bytes, co_fn fn, void *arg) {
    const co_options_t options = {.stack_bytes = stack_bytes};
    return co_create_with(&options, fn, arg);
}

static inline void *suspend(void *arg) { return co_yield(arg); }

/* The lowest usable byte. */
static inline char *stack_low(const co_t *co) { return (char *)(uintptr_t)co - co_stack_size(co); }

/* Lets the kernel read a byte: false where it cannot. The first way asks nothing of this process's own mappings, so
 * that valgrind has nothing to say; emulators know the second only. All six arguments, for who wraps the call. */
static inline bool kernel_reads(const char *address, char *byte) {
    static int ends[2];
    struct iovec here = {byte, 1}, there = {(void *)(uintptr_t)address, 1};
    errno = 0;
    if (syscall(SYS_process_vm_readv, (long)getpid(), &here, 1L, &there, 1L, 0L) == 1)
        return true;
    if (errno == EFAULT)
        return false;
    if (ends[1] == 0 && pipe(ends) != 0)
        abort();
    if (syscall(SYS_write, (long)ends[1], address, 1L, 0L, 0L, 0L) == 1)
        return syscall(SYS_read, (long)ends[0], byte, 1L, 0L, 0L, 0L) == 1;
    return false;
}

static inline bool kernel_refuses(const char *address) {
    char byte = 0;
    return !kernel_reads(address, &byte);
}

/* A mark at the far end of a stack tells later whether its memory was kept. */
static inline void mark_stack(const co_t *co) { *(volatile char *)stack_low(co) = 'k'; }

static inline bool mark_is_kept(const char *low) {
    char byte = 0;
    return kernel_reads(low, &byte) && byte == 'k';
}

/* Emulators may not know of it. */
static inline bool discarding_works(void) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *memory = (char *)mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *(volatile char *)memory = 'k';
    bool works = madvise(memory, page, MADV_DONTNEED) == 0 && !mark_is_kept(memory);
    munmap(memory, page);
    return works;
}

/* Whether the stack can be written down to its lowest byte, and not below it, over `guard_bytes`. */
static inline bool guarded(const co_t *co, size_t page, size_t guard_bytes) {
    char *low = stack_low(co);
    *(volatile char *)low = *(volatile char *)low;
    bool all = true;
    for (size_t below = 1; below <= guard_bytes; below += page)
        all = all && kernel_refuses(low - below);
    return all && kernel_refuses(low - guard_bytes);
}

/* ---- The process's memory ------------------------------------------------------------------------------------- */

/* A figure of /proc/self/status: "VmSize", "VmRSS", "VmPTE". */
static inline size_t status_bytes(const char *field) {
    char line[256];
    unsigned long kib = 0;
    const size_t length = strlen(field);
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, field, length) == 0 && line[length] == ':')
            kib = strtoul(line + length + 1, NULL, 10);
    if (file != NULL)
        fclose(file);
    return kib * KIB;
}

static inline size_t mappings(void) {
    size_t lines = 0;
    FILE *file = fopen("/proc/self/maps", "r");
    for (int c; file != NULL && (c = getc(file)) != EOF;)
        lines += c == '\n';
    if (file != NULL)
        fclose(file);
    return lines;
}

/* Whether these figures are the program's: a sanitizer's shadow, valgrind's translations and an emulator's tables are
 * counted too. */
static inline bool figures_are_ours(void) {
#if defined(TEST_SANITIZED) || !defined(__x86_64__)
    return false;
#else
    return !under_valgrind();
#endif
}

#endif
