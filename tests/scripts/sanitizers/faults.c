/* One fault a run, which a tool must report, or what looks like it and is correct. Prints `done` at the end, if the
 * tool lets it get there.
 *
 *     faults NAME         the fault
 *     faults NAME right   the same without the fault */
#define _GNU_SOURCE
#include <co.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define NOINLINE __attribute__((noinline))

static int right; /* without the fault */

static co_t *create(co_fn fn, void *arg) {
    co_t *co = co_create(fn, arg);
    if (co == NULL)
        abort();
    return co;
}

/* Resumed twice, so that a fault behind the first yield happens in frames that have been suspended. */
static void run_twice(co_fn fn) {
    co_t *co = create(fn, NULL);
    co_resume(co, NULL, NULL);
    co_resume(co, NULL, NULL);
    co_destroy(co);
}

/* ---- Memory -------------------------------------------------------------------------------------------------- */

static NOINLINE int reads_at(volatile const char *text, int index) { return text[index]; }

static NOINLINE int overflows(int index) {
    char text[16];
    memset(text, 'x', sizeof text);
    co_yield (text);
    return reads_at(text, index);
}

static void *overflow_body(void *arg) {
    printf("%d\n", overflows(right ? 15 : 16));
    return arg;
}

static void overflow(void) { run_twice(overflow_body); }

static NOINLINE int heap_overflows(int index) {
    char *text = calloc(16, 1);
    co_yield (text);
    int read = reads_at(text, index);
    free(text);
    return read;
}

static void *heap_overflow_body(void *arg) {
    printf("%d\n", heap_overflows(right ? 15 : 16));
    return arg;
}

static void heap_overflow(void) { run_twice(heap_overflow_body); }

static int *volatile escaped;

static NOINLINE void lets_escape(void) {
    int local = 7;
    escaped = &local;
    co_yield (&local);
    if (right)
        *escaped = 8;
}

static void *use_after_return_body(void *arg) {
    lets_escape();
    if (!right)
        *escaped = 8;
    return arg;
}

static void use_after_return(void) { run_twice(use_after_return_body); }

static NOINLINE void branches_on(volatile const int *numbers) {
    if (numbers[1] > 0)
        puts("positive");
}

static void *uninitialised_body(void *arg) {
    int numbers[4];
    memset(numbers, 0, right ? sizeof numbers : sizeof numbers[0]);
    co_yield (numbers);
    branches_on(numbers);
    return arg;
}

static void uninitialised(void) { run_twice(uninitialised_body); }

/* ---- Order between threads ----------------------------------------------------------------------------------- */

static long counter;
static pthread_mutex_t counter_lock = PTHREAD_MUTEX_INITIALIZER;

static NOINLINE void counts(void) {
    if (right)
        pthread_mutex_lock(&counter_lock);
    counter++;
    if (right)
        pthread_mutex_unlock(&counter_lock);
}

static pthread_barrier_t both; /* have counted: neither thread ends before the other has begun */

static void *race_body(void *arg) {
    for (int i = 0; i < 100; i++) {
        counts();
        co_yield (arg);
    }
    return arg;
}

static void *race_thread(void *co) {
    for (int i = 0; i < 50; i++)
        co_resume(co, NULL, NULL);
    pthread_barrier_wait(&both);
    return NULL;
}

/* Two coroutines on two threads. */
static void race(void) {
    co_t *coroutines[2];
    pthread_t threads[2];
    pthread_barrier_init(&both, NULL, 2);
    for (int i = 0; i < 2; i++) {
        coroutines[i] = create(race_body, NULL);
        pthread_create(&threads[i], NULL, race_thread, coroutines[i]);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        co_destroy(coroutines[i]);
    }
}

static atomic_int handed_over;

static void *takes_over(void *co) {
    memory_order order = right ? memory_order_acquire : memory_order_relaxed;
    while (!atomic_load_explicit(&handed_over, order))
        ;
    co_resume(co, NULL, NULL);
    return NULL;
}

/* One coroutine, resumed by two threads one after the other, without an order that the memory model knows. */
static void handover(void) {
    co_t *co = create(race_body, NULL);
    pthread_t thread;
    pthread_create(&thread, NULL, takes_over, co);
    co_resume(co, NULL, NULL);
    atomic_store_explicit(&handed_over, 1, right ? memory_order_release : memory_order_relaxed);
    pthread_join(thread, NULL);
    co_destroy(co);
}

/* ---- Leaks --------------------------------------------------------------------------------------------------- */

/* Not on any stack: found in frames, whose pointers are changed so that only the tool's search finds them. */
static NOINLINE char *allocates(void) {
    char *memory = malloc(1000);
    if (memory == NULL)
        abort();
    memset(memory, 1, 1000);
    return memory;
}

/* In a register or a plain frame; and, its address taken, in AddressSanitizer's fake stack. */
static void *holds_body(void *arg) {
    char *direct = allocates(), *addressed = allocates();
    char **volatile address = &addressed;
    if (arg != NULL) {
        co_defer(free, direct);
        co_defer(free, addressed);
    }
    co_yield (arg);
    *direct = **address;
    free(direct);
    free(addressed);
    return arg;
}

static NOINLINE co_t *holds_and_waits(void *deferring, int destroyed) {
    co_t *co = create(holds_body, deferring);
    co_resume(co, NULL, NULL);
    if (destroyed)
        co_destroy(co);
    return co;
}

/* Overwrites what earlier calls left below the stack pointer. */
static NOINLINE void clean_stack(void) {
    volatile char space[16384];
    for (size_t i = 0; i < sizeof space; i++)
        space[i] = 0;
}

static co_t *waiting;

/* At exit a coroutine waits that holds memory. */
static void leak_suspended(void) {
    waiting = holds_and_waits(NULL, 0);
    if (!right)
        waiting = (co_destroy(waiting), NULL); /* its memory is lost with it */
    clean_stack();
}

/* Destroyed while it holds memory: the deferred calls free it. */
static void leak_destroyed(void) {
    holds_and_waits(right ? &right : NULL, 1);
    clean_stack();
}

static void *exits_body(void *arg) {
    clean_stack();
    puts("done");
    exit(0);
    return arg;
}

static void *exits_inside_body(void *arg) {
    char *direct = allocates(), *addressed = allocates();
    char **volatile address = &addressed;
    co_resume(create(exits_body, NULL), NULL, NULL);
    printf("%d\n", *direct + **address);
    return arg;
}

static NOINLINE void loses(void) { memset(allocates(), 2, 10); }

/* exit() while the thread's stack and a coroutine's stack wait for others, each the only one to know a block. */
static void leak_exit(void) {
    char *direct = allocates(), *addressed = allocates();
    char **volatile address = &addressed;
    if (!right) {
        loses();
        clean_stack();
    }
    co_resume(create(exits_inside_body, NULL), NULL, NULL);
    printf("%d\n", *direct + **address);
}

/* ---- Valgrind ------------------------------------------------------------------------------------------------ */

static ucontext_t main_context, other_context;

static void other_main(void) { swapcontext(&other_context, &main_context); }

/* A stack that Valgrind has not been told of, at a great distance. */
static void unknown_stack(void) {
    if (right) {
        co_t *co = create(race_body, NULL);
        co_resume(co, NULL, NULL);
        co_destroy(co);
        return;
    }
    size_t bytes = 1 << 16;
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    getcontext(&other_context);
    other_context.uc_stack.ss_sp = memory;
    other_context.uc_stack.ss_size = bytes;
    other_context.uc_link = NULL;
    makecontext(&other_context, other_main, 0);
    swapcontext(&main_context, &other_context);
    munmap(memory, bytes);
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(void);
    } faults[] = {
        {"overflow", overflow},
        {"heap_overflow", heap_overflow},
        {"use_after_return", use_after_return},
        {"uninitialised", uninitialised},
        {"race", race},
        {"handover", handover},
        {"leak_suspended", leak_suspended},
        {"leak_destroyed", leak_destroyed},
        {"leak_exit", leak_exit},
        {"unknown_stack", unknown_stack},
    };
    right = argc > 2 && strcmp(argv[2], "right") == 0;
    for (size_t i = 0; argc > 1 && i < sizeof faults / sizeof faults[0]; i++)
        if (strcmp(argv[1], faults[i].name) == 0) {
            faults[i].run();
            puts("done");
            return 0;
        }
    return 64;
}
