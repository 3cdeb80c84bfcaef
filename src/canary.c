/* Canaries. A word's value depends on its address, so that a copy of one, or a repeated pattern, is not taken for
 * another. */
#include "canary.h"

#include "block.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CANARY_WORDS = 4, CANARY_BYTES = CANARY_WORDS * sizeof(uint64_t) };

static uint64_t word_at(const char *address) {
    return ((uint64_t)(uintptr_t)address ^ UINT64_C(0x5bd1e995c0dec0de)) * UINT64_C(0x9e3779b97f4a7c15);
}

static void write_words(char *memory) {
    for (int i = 0; i < CANARY_WORDS; i++) {
        char *at = memory + i * (int)sizeof(uint64_t);
        const uint64_t word = word_at(at);
        memcpy(at, &word, sizeof word); /* the memory may begin anywhere */
    }
}

static bool words_are_there(const char *memory) {
    for (int i = 0; i < CANARY_WORDS; i++) {
        const char *at = memory + i * (int)sizeof(uint64_t);
        const uint64_t word = word_at(at);
        if (memcmp(at, &word, sizeof word) != 0)
            return false;
    }
    return true;
}

void co__canaries_place(struct co__stack *stack) {
    write_words(stack->low);
    write_words(stack->low + stack->bytes - CANARY_BYTES);
    stack->low += CANARY_BYTES;
    stack->bytes -= (size_t)2 * CANARY_BYTES;
}

void co__canaries_remove(struct co__stack *stack) {
    stack->low -= CANARY_BYTES;
    stack->bytes += (size_t)2 * CANARY_BYTES;
}

void co__canaries_check(const struct co__block *block) {
    const struct co__stack *stack = &block->stack;
    const char *end;
    if (!words_are_there(stack->low - CANARY_BYTES))
        end = "below";
    else if (!words_are_there(stack->low + stack->bytes))
        end = "above";
    else
        return;
    char created[32];
    snprintf(created, sizeof created, "%p", block->caller);
    fprintf(stderr,
            "libco: coroutine %s%s%s(%p), created at %s: something has written %s its stack of %zu bytes; it is too "
            "small, or its neighbour's is\n",
            block->name != NULL ? "\"" : "", block->name != NULL ? block->name : "", block->name != NULL ? "\" " : "",
            (const void *)block, block->site != NULL ? block->site : created, end, stack->bytes);
    abort();
}
