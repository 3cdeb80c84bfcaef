/* The kernel of a scene. test_guards.c names the calls to the linker. */
#define _GNU_SOURCE
#include "guards_kernel.h"

#include <sys/utsname.h>

int __real_madvise(void *, size_t, int);
int __real_mprotect(void *, size_t, int);
long __real_syscall(long, ...);
long __real_sysconf(int);
int __real_uname(struct utsname *);
void *__real_mmap(void *, size_t, int, int, int, off_t);
int __real_munmap(void *, size_t);
int __wrap_madvise(void *, size_t, int);
int __wrap_mprotect(void *, size_t, int);
long __wrap_syscall(long, ...);
long __wrap_sysconf(int);
int __wrap_uname(struct utsname *);
void *__wrap_mmap(void *, size_t, int, int, int, off_t);
int __wrap_munmap(void *, size_t);

enum { PROCESS_MADVISE = 440 };

struct kernel kernel;
struct seen seen;

UNINSTRUMENTED size_t page_bytes(void) { return kernel.page != 0 ? kernel.page : (size_t)__real_sysconf(_SC_PAGESIZE); }

size_t guard_bytes(void) { return page_bytes() > GUARD_LEAST_BYTES ? page_bytes() : GUARD_LEAST_BYTES; }

UNINSTRUMENTED static void look_at(const void *address, size_t bytes) {
    seen.misaligned += (uintptr_t)address % page_bytes() != 0 || bytes % page_bytes() != 0 || bytes == 0;
}

UNINSTRUMENTED int __wrap_madvise(void *address, size_t bytes, int advice) {
    look_at(address, bytes);
    if (advice == MADV_GUARD_INSTALL && kernel.advice == REFUSED) {
        errno = kernel.refusal;
        return -1;
    }
    if (advice == MADV_GUARD_INSTALL && kernel.advice == PRETENDED)
        return 0;
    int status = __real_madvise(address, bytes, advice);
    seen.advices += advice == MADV_GUARD_INSTALL && status == 0;
    return status;
}

UNINSTRUMENTED int __wrap_mprotect(void *address, size_t bytes, int protection) {
    look_at(address, bytes);
    int status = __real_mprotect(address, bytes, protection);
    seen.protections += status == 0;
    return status;
}

UNINSTRUMENTED static long advise_many(long process, const struct iovec *ranges, size_t count, long advice,
                                       long flags) {
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        look_at(ranges[i].iov_base, ranges[i].iov_len);
        bytes += ranges[i].iov_len;
    }
    if (kernel.many == REFUSED) {
        errno = kernel.refusal;
        return -1;
    }
    if (kernel.many == PRETENDED)
        return (long)bytes;
    if (kernel.many == IN_PART && count > 1)
        count /= 2;
    long advised = __real_syscall(PROCESS_MADVISE, process, ranges, count, advice, flags);
    seen.many += advised > 0;
    return advised;
}

UNINSTRUMENTED long __wrap_syscall(long number, ...) {
    va_list list;
    long arguments[6] = {0};
    va_start(list, number);
    for (int i = 0; i < (number == PROCESS_MADVISE ? 5 : 6); i++)
        arguments[i] = va_arg(list, long);
    va_end(list);
    if (number == PROCESS_MADVISE)
        return advise_many(arguments[0], (const struct iovec *)arguments[1], (size_t)arguments[2], arguments[3],
                           arguments[4]);
    return __real_syscall(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
}

UNINSTRUMENTED long __wrap_sysconf(int name) {
    return name == _SC_PAGESIZE && kernel.page != 0 ? (long)kernel.page : __real_sysconf(name);
}

UNINSTRUMENTED int __wrap_uname(struct utsname *names) {
    seen.probes++;
    return __real_uname(names);
}

/* A kernel with large pages gives addresses that are multiples of them. */
UNINSTRUMENTED void *__wrap_mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset) {
    if (kernel.small_maps_refused > 0 && bytes <= 4 * page_bytes()) {
        kernel.small_maps_refused--;
        errno = ENOMEM;
        return MAP_FAILED;
    }
    if (kernel.page == 0)
        return __real_mmap(address, bytes, protection, flags, file, offset);
    seen.misaligned += bytes % kernel.page != 0;
    char *memory = __real_mmap(address, bytes + kernel.page, protection, flags, file, offset);
    if (memory == MAP_FAILED)
        return memory;
    size_t before = (kernel.page - (uintptr_t)memory % kernel.page) % kernel.page;
    if (before != 0)
        __real_munmap(memory, before);
    __real_munmap(memory + before + bytes, kernel.page - before);
    return memory + before;
}

UNINSTRUMENTED int __wrap_munmap(void *memory, size_t bytes) {
    look_at(memory, bytes);
    return __real_munmap(memory, bytes);
}

/* What this machine really has. */
bool tools_watch(void) {
#ifdef TEST_SANITIZED
    return true;
#else
    return under_valgrind();
#endif
}

bool guards_by_advice(void) {
    if (tools_watch())
        return false; /* the library does not try */
    char *memory = __real_mmap(NULL, page_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool works = __real_madvise(memory, page_bytes(), MADV_GUARD_INSTALL) == 0 && kernel_refuses(memory);
    __real_munmap(memory, page_bytes());
    return works;
}

bool guards_by_many(void) {
    char *memory = __real_mmap(NULL, page_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct iovec range = {memory, page_bytes()};
    bool works = __real_syscall(PROCESS_MADVISE, -10000L, &range, 1L, (long)MADV_GUARD_INSTALL, 0L) > 0 &&
                 kernel_refuses(memory);
    __real_munmap(memory, page_bytes());
    return works;
}
