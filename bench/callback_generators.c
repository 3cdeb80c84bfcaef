/* Peer: what C has in place of a generator, a function that calls back for each item. A callback that answers 0 wants
 * no more. */
#include "generators.h"

typedef int callback_t(void *context, long item);

static int numbers_to(long n, callback_t *callback, void *context) {
    for (long i = 0; i < n; i++)
        if (!callback(context, i))
            return 0;
    return 1;
}

static int tree_to(const bench_node_t *node, callback_t *callback, void *context) {
    return (!node->left || tree_to(node->left, callback, context)) && callback(context, node->value) &&
           (!node->right || tree_to(node->right, callback, context));
}

/* The compiler must not make a loop of it. */
static __attribute__((noinline)) int delegate_to(long n, long depth, callback_t *callback, void *context) {
    int more = depth > 0 ? delegate_to(n, depth - 1, callback, context) : numbers_to(n, callback, context);
    __asm__ volatile("" : "+r"(more));
    return more;
}

static int add(void *context, long item) {
    *(long *)context += item;
    return 1;
}

/* Volatile: the compiler must not know what is called. */
static callback_t *volatile consumer = add;

static long numbers(long n) {
    long sum = 0;
    numbers_to(n, consumer, &sum);
    return sum;
}

static long create(long n) {
    long sum = 0;
    for (long i = 0; i < n; i++)
        numbers_to(1, consumer, &sum);
    return sum;
}

static long tree(const bench_node_t *root) {
    long sum = 0;
    tree_to(root, consumer, &sum);
    return sum;
}

static long delegate(long n, long depth) {
    long sum = 0;
    delegate_to(n, depth, consumer, &sum);
    return sum;
}

/* ---- The pipeline: each stage calls the next ------------------------------------------------------------------- */

typedef struct stage {
    callback_t *next;
    void *context;
    long left; /* of take */
} stage_t;

static int map(void *context, long item) {
    stage_t *stage = context;
    return stage->next(stage->context, 3 * item + 1);
}

static int filter(void *context, long item) {
    stage_t *stage = context;
    return item % 2 != 0 || stage->next(stage->context, item);
}

static int take(void *context, long item) {
    stage_t *stage = context;
    stage->next(stage->context, item);
    return --stage->left > 0;
}

static callback_t *volatile stages[] = {map, filter, take};

static long pipeline(long n) {
    long sum = 0;
    stage_t taking = {consumer, &sum, n}, filtering = {stages[2], &taking, 0}, mapping = {stages[1], &filtering, 0};
    numbers_to(3 * n, stages[0], &mapping);
    return sum;
}

const bench_generator_peer_t bench_callback_generators = {
    .name = "callback",
    .slowness = 1,
    .numbers = numbers,
    .create = create,
    .tree = tree,
    .delegate = delegate,
    .pipeline = pipeline,
};
