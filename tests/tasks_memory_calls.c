/* The interception. test_tasks_memory.c names the calls to the linker. */
#define _GNU_SOURCE
#include "tasks_memory_calls.h"

#include "memory.h"

void *__real_mmap(void *, size_t, int, int, int, off_t);
void *__real_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__real_realloc(void *, size_t);
void __real_free(void *);
void *__wrap_mmap(void *, size_t, int, int, int, off_t);
void *__wrap_malloc(size_t);
void *__wrap_calloc(size_t, size_t);
void *__wrap_realloc(void *, size_t);
void __wrap_free(void *);

struct memory_calls memory_calls;

void begin_calls(long failing, bool lasting) {
    memory_calls.count = 0;
    memory_calls.failing = failing;
    memory_calls.lasting = lasting;
    memory_calls.failed = false;
}

UNINSTRUMENTED static bool fails(void) {
    const long call = ++memory_calls.count, failing = memory_calls.failing;
    if (failing == 0 || call < failing || (call > failing && !memory_calls.lasting))
        return false;
    memory_calls.failed = true;
    errno = ENOMEM;
    return true;
}

UNINSTRUMENTED static void *count_block(void *memory) {
    memory_calls.blocks += memory != NULL;
    return memory;
}

UNINSTRUMENTED void *__wrap_mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset) {
    return fails() ? MAP_FAILED : __real_mmap(address, bytes, protection, flags, file, offset);
}

UNINSTRUMENTED void *__wrap_malloc(size_t bytes) { return fails() ? NULL : count_block(__real_malloc(bytes)); }

UNINSTRUMENTED void *__wrap_calloc(size_t count, size_t bytes) {
    return fails() ? NULL : count_block(__real_calloc(count, bytes));
}

UNINSTRUMENTED void *__wrap_realloc(void *memory, size_t bytes) {
    if (fails())
        return NULL;
    memory_calls.blocks += memory == NULL;
    return __real_realloc(memory, bytes);
}

UNINSTRUMENTED void __wrap_free(void *memory) {
    memory_calls.blocks -= memory != NULL;
    __real_free(memory);
}
