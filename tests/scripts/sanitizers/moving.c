/* Four threads hand coroutines on through queues with locks, so that each is resumed by all of them in turn. Correct,
 * so no tool may find anything. Prints `done`.
 *
 *     moving ROUNDS    how often each coroutine is resumed */
#define _GNU_SOURCE
#include <co.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, COROUTINES = 24 };

static int rounds;
static long shared_sum;
static pthread_mutex_t shared_lock = PTHREAD_MUTEX_INITIALIZER;

static struct queue {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    co_t *waiting[COROUTINES];
    int count, ended;
} queues[THREADS];

static void put(struct queue *queue, co_t *co) {
    pthread_mutex_lock(&queue->lock);
    if (co != NULL)
        queue->waiting[queue->count++] = co;
    else
        queue->ended = 1;
    pthread_cond_signal(&queue->filled);
    pthread_mutex_unlock(&queue->lock);
}

static co_t *take(struct queue *queue) {
    co_t *co = NULL;
    pthread_mutex_lock(&queue->lock);
    while (queue->count == 0 && !queue->ended)
        pthread_cond_wait(&queue->filled, &queue->lock);
    if (queue->count > 0) {
        co = queue->waiting[0];
        queue->count--;
        memmove(queue->waiting, queue->waiting + 1, (size_t)queue->count * sizeof queue->waiting[0]);
    }
    pthread_mutex_unlock(&queue->lock);
    return co;
}

static void *count_up(void *arg) {
    for (long i = 0;; i++)
        co_yield ((char *)arg + i);
    return NULL;
}

/* Its locals are written on one thread and read on the next; a coroutine of its own moves with it. */
static void *works(void *arg) {
    static char origin[1 << 16];
    char text[64] = "";
    long sum = 0;
    co_t *inner = co_create(count_up, origin);
    char *memory = malloc(16);
    if (inner == NULL || memory == NULL)
        abort();
    for (int i = 0; i < rounds; i++) {
        void *value;
        if (co_resume(inner, NULL, &value) != 1 || value != origin + i)
            abort();
        snprintf(text, sizeof text, "%d", i);
        snprintf(memory, 16, "%d", i);
        pthread_mutex_lock(&shared_lock);
        shared_sum++;
        pthread_mutex_unlock(&shared_lock);
        co_yield (text);
        if (strcmp(text, memory) != 0 || atoi(text) != i)
            abort();
        sum += i;
    }
    free(memory);
    co_destroy(inner);
    *(long *)arg = sum;
    return NULL;
}

static void *thread_main(void *arg) {
    int index = (int)((struct queue *)arg - queues);
    co_t *co;
    while ((co = take(&queues[index])) != NULL) {
        if (co_resume(co, NULL, NULL) > 0) {
            put(&queues[(index + 1) % THREADS], co);
        } else {
            static int ended;
            co_destroy(co);
            pthread_mutex_lock(&shared_lock);
            int all = ++ended == COROUTINES;
            pthread_mutex_unlock(&shared_lock);
            for (int i = 0; all && i < THREADS; i++)
                put(&queues[i], NULL);
        }
    }
    return NULL;
}

int main(int argc, char **argv) {
    rounds = argc > 1 ? atoi(argv[1]) : 100;
    long sums[COROUTINES] = {0};
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        pthread_mutex_init(&queues[i].lock, NULL);
        pthread_cond_init(&queues[i].filled, NULL);
    }
    for (int i = 0; i < COROUTINES; i++)
        put(&queues[i % THREADS], co_create(works, &sums[i]));
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, thread_main, &queues[i]);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < COROUTINES; i++)
        if (sums[i] != (long)rounds * (rounds - 1) / 2)
            abort();
    if (shared_sum != (long)rounds * COROUTINES)
        abort();
    puts("done");
    return 0;
}
