/* The C library's contexts, which bring no stacks: a mapping and a guard page for each, as its manual leaves it to the
 * program. The context lies at the top of its own stack. */
#define _GNU_SOURCE
#include "many.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

static ucontext_t resumer;
static ucontext_t *started; /* what a body reads when it begins */
static ucontext_t **contexts;
static size_t contexts_count, page_bytes;

static void body_return(void) {}

static void body_switch(void) {
    ucontext_t *self = started;
    for (;;)
        swapcontext(self, &resumer);
}

static size_t context_bytes(void) {
    return (sizeof(ucontext_t) + BENCH_CACHE_LINE - 1) / BENCH_CACHE_LINE * BENCH_CACHE_LINE;
}

/* A function of its own, because getcontext may return twice for all the compiler knows. */
static __attribute__((noinline)) void fill(ucontext_t *context, char *low, void (*body)(void)) {
    if (getcontext(context) != 0)
        bench_fail("getcontext");
    context->uc_stack.ss_sp = low;
    context->uc_stack.ss_size = BENCH_MANY_STACK_BYTES - context_bytes();
    context->uc_link = &resumer;
    makecontext(context, body, 0);
}

static ucontext_t *make(void (*body)(void)) {
    char *memory = mmap(NULL, page_bytes + BENCH_MANY_STACK_BYTES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    if (mprotect(memory, page_bytes, PROT_NONE) != 0) {
        munmap(memory, page_bytes + BENCH_MANY_STACK_BYTES);
        return NULL;
    }
    char *low = memory + page_bytes;
    ucontext_t *context = (ucontext_t *)(void *)(low + BENCH_MANY_STACK_BYTES - context_bytes());
    fill(context, low, body);
    return context;
}

static void drop(ucontext_t *context) {
    char *memory = (char *)context->uc_stack.ss_sp - page_bytes;
    if (munmap(memory, page_bytes + BENCH_MANY_STACK_BYTES) != 0)
        bench_fail("unmapping a stack");
}

static void warm(long n) {
    page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    for (; n > 0; n--) {
        ucontext_t *context = make(body_return);
        if (!context)
            bench_fail("creating a context");
        swapcontext(&resumer, context);
        drop(context);
    }
}

static void prepare(size_t count) {
    page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    contexts = bench_alloc_touched(count, sizeof *contexts);
    contexts_count = 0;
}

static size_t create(size_t count) {
    while (contexts_count < count && (started = make(body_switch)) != NULL) {
        swapcontext(&resumer, started);
        contexts[contexts_count++] = started;
    }
    return contexts_count;
}

static void resume(long rounds) {
    for (; rounds > 0; rounds--)
        for (size_t i = 0; i < contexts_count; i++)
            swapcontext(&resumer, contexts[i]);
}

static void exchange(size_t i, size_t j) {
    ucontext_t *kept = contexts[i];
    contexts[i] = contexts[j];
    contexts[j] = kept;
}

static void destroy(void) {
    for (size_t i = 0; i < contexts_count; i++)
        drop(contexts[i]);
    free(contexts);
}

const bench_maker_t bench_swapcontext_maker = {
    .name = "swapcontext",
    .warm_slowness = 50,
    .slowness = 50,
    .warm = warm,
    .prepare = prepare,
    .create = create,
    .resume = resume,
    .exchange = exchange,
    .destroy = destroy,
};
