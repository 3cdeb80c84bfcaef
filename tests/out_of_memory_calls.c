/* The interception. test_out_of_memory.c names the calls to the linker. */
#define _GNU_SOURCE
#include "out_of_memory_calls.h"

#include <pthread.h>

void *__real_mmap(void *, size_t, int, int, int, off_t);
int __real_munmap(void *, size_t);
int __real_mprotect(void *, size_t, int);
int __real_madvise(void *, size_t, int);
long __real_syscall(long, ...);
void *__real_malloc(size_t);
void __real_free(void *);
int __real_pthread_key_create(pthread_key_t *, void (*)(void *));
int __real_pthread_setspecific(pthread_key_t, const void *);
#ifdef __GLIBC__ /* pthread_atfork is then called by others only */
int __real___register_atfork(void (*)(void), void (*)(void), void (*)(void), void *);
int __wrap___register_atfork(void (*)(void), void (*)(void), void (*)(void), void *);
#endif
int __real_pthread_atfork(void (*)(void), void (*)(void), void (*)(void));
int __wrap_pthread_atfork(void (*)(void), void (*)(void), void (*)(void));
void *__wrap_mmap(void *, size_t, int, int, int, off_t);
int __wrap_munmap(void *, size_t);
int __wrap_mprotect(void *, size_t, int);
int __wrap_madvise(void *, size_t, int);
long __wrap_syscall(long, ...);
void *__wrap_malloc(size_t);
void __wrap_free(void *);
int __wrap_pthread_key_create(pthread_key_t *, void (*)(void *));
int __wrap_pthread_setspecific(pthread_key_t, const void *);

enum { PROCESS_MADVISE_NUMBER = 440 };

struct calls calls = {.error_of_mmap = ENOMEM};

static uint64_t random_state = 88172645463325252u;

UNINSTRUMENTED unsigned next_random(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)(random_state >> 20);
}

UNINSTRUMENTED static bool fails(enum kind kind) {
    calls.count++;
    calls.of[kind]++;
    bool fail = calls.failing != 0 && (calls.count == calls.failing || (calls.lasting && calls.count > calls.failing));
    fail = fail || (calls.one_in != 0 && next_random() % calls.one_in == 0);
    fail = fail || (calls.kinds >> kind & 1) != 0;
    if (fail) {
        calls.first = calls.first == KINDS ? kind : calls.first;
        calls.kind = kind;
    }
    return fail;
}

void begin(int which, bool lasting) {
    memset(calls.of, 0, sizeof calls.of);
    calls.count = 0;
    calls.failing = which;
    calls.first = KINDS;
    calls.lasting = lasting;
}

UNINSTRUMENTED void *__wrap_mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset) {
    if (fails(MMAP)) {
        errno = calls.error_of_mmap;
        return MAP_FAILED;
    }
    void *memory = __real_mmap(address, bytes, protection, flags, file, offset);
    if (memory != MAP_FAILED)
        calls.held_bytes += (long)bytes;
    if (calls.held_bytes > calls.most_bytes)
        calls.most_bytes = calls.held_bytes;
    return memory;
}

UNINSTRUMENTED int __wrap_munmap(void *memory, size_t bytes) {
    calls.held_bytes -= (long)bytes;
    return __real_munmap(memory, bytes);
}

UNINSTRUMENTED static int refuse(int error) {
    errno = error;
    return -1;
}

UNINSTRUMENTED int __wrap_mprotect(void *memory, size_t bytes, int protection) {
    return fails(MPROTECT) ? refuse(ENOMEM) : __real_mprotect(memory, bytes, protection);
}

UNINSTRUMENTED int __wrap_madvise(void *memory, size_t bytes, int advice) {
    if (advice == MADV_GUARD_INSTALL && calls.no_advice)
        return refuse(EINVAL);
    return fails(MADVISE) ? refuse(ENOMEM) : __real_madvise(memory, bytes, advice);
}

UNINSTRUMENTED long __wrap_syscall(long number, ...) {
    va_list list;
    long arguments[6] = {0};
    va_start(list, number);
    for (int i = 0; i < (number == PROCESS_MADVISE_NUMBER ? 5 : 6); i++)
        arguments[i] = va_arg(list, long);
    va_end(list);
    if (number == PROCESS_MADVISE_NUMBER && fails(PROCESS_MADVISE))
        return refuse(ENOMEM);
    return __real_syscall(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
}

UNINSTRUMENTED static void *count_block(void *memory) {
    calls.held_blocks += memory != NULL;
    return memory;
}

UNINSTRUMENTED static void *no_memory(void) {
    errno = ENOMEM;
    return NULL;
}

UNINSTRUMENTED void *__wrap_malloc(size_t bytes) {
    return fails(MALLOC) ? no_memory() : count_block(__real_malloc(bytes));
}

UNINSTRUMENTED void __wrap_free(void *memory) {
    calls.held_blocks -= memory != NULL;
    __real_free(memory);
}

UNINSTRUMENTED int __wrap_pthread_key_create(pthread_key_t *key, void (*destructor)(void *)) {
    return fails(KEY) ? EAGAIN : __real_pthread_key_create(key, destructor);
}

UNINSTRUMENTED int __wrap_pthread_setspecific(pthread_key_t key, const void *value) {
    return fails(SPECIFIC) ? ENOMEM : __real_pthread_setspecific(key, value);
}

#ifdef __GLIBC__
UNINSTRUMENTED int __wrap___register_atfork(void (*before)(void), void (*in_parent)(void), void (*in_child)(void),
                                            void *library) {
    return fails(ATFORK) ? ENOMEM : __real___register_atfork(before, in_parent, in_child, library);
}
#endif

UNINSTRUMENTED int __wrap_pthread_atfork(void (*before)(void), void (*in_parent)(void), void (*in_child)(void)) {
    return fails(ATFORK) ? ENOMEM : __real_pthread_atfork(before, in_parent, in_child);
}

static void *failing_allocate(size_t bytes, void *context) {
    (void)context;
    return fails(ALLOCATOR) ? NULL : count_block(__real_malloc(bytes));
}

static void counting_release(void *memory, size_t bytes, void *context) {
    (void)bytes, (void)context;
    calls.held_blocks--;
    __real_free(memory);
}

const co_allocator_t failing_allocator = {.allocate = failing_allocate, .release = counting_release};

void *map_for_test(size_t bytes) {
    void *memory = __real_mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    return memory;
}
