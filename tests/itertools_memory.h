/* The library's calls of malloc, calloc, realloc, free and mmap, intercepted at link time: counted, and made to fail.
 * Only the first that fails names itself. */
#ifndef CO_TEST_ITERTOOLS_MEMORY_H
#define CO_TEST_ITERTOOLS_MEMORY_H

#include "memory.h"

static struct {
    int count, failing; /* which call fails, and all after it; 0: none */
    int failed;
    long held;      /* blocks */
    size_t largest; /* that realloc was asked for */
} memory;

void *__real_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__real_realloc(void *, size_t);
void __real_free(void *);
void *__wrap_malloc(size_t);
void *__wrap_calloc(size_t, size_t);
void *__wrap_realloc(void *, size_t);
void __wrap_free(void *);

UNINSTRUMENTED static inline bool memory_fails(void) {
    if (memory.failing == 0 || ++memory.count < memory.failing)
        return false;
    memory.failed++;
    errno = ENOMEM;
    return true;
}

UNINSTRUMENTED void *__wrap_malloc(size_t bytes) {
    void *block = memory_fails() ? NULL : __real_malloc(bytes);
    memory.held += block != NULL;
    return block;
}

UNINSTRUMENTED void *__wrap_calloc(size_t count, size_t bytes) {
    void *block = memory_fails() ? NULL : __real_calloc(count, bytes);
    memory.held += block != NULL;
    return block;
}

UNINSTRUMENTED void *__wrap_realloc(void *old, size_t bytes) {
    void *block = memory_fails() ? NULL : __real_realloc(old, bytes);
    memory.largest = bytes > memory.largest ? bytes : memory.largest;
    memory.held += block != NULL && old == NULL;
    return block;
}

UNINSTRUMENTED void __wrap_free(void *block) {
    memory.held -= block != NULL;
    __real_free(block);
}

#endif
