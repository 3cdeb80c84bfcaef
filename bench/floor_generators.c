/* The floor: the bare inline switch of floor_switch.h. Who resumes counts the items, for nobody says that there are no
 * more. It has nothing to delegate with, so its delegation is none, at any depth. */
#include "floor_switch.h"
#include "generators.h"

static void body_numbers(block_t *self, void *value) {
    (void)value;
    for (long i = 0;; i++)
        floor_yield(self, (void *)i);
}

static void emit_tree(block_t *self, const bench_node_t *node) {
    if (node->left)
        emit_tree(self, node->left);
    floor_yield(self, (void *)node->value);
    if (node->right)
        emit_tree(self, node->right);
}

static void body_tree(block_t *self, void *root) {
    emit_tree(self, root);
    for (;;)
        floor_yield(self, NULL);
}

static long sum(void (*body)(block_t *, void *), long n, const bench_node_t *root) {
    bench_stacks_map(1);
    block_t *block = bench_stack_top_block(0, sizeof *block);
    floor_fresh(block, body);
    long total = (long)(intptr_t)floor_resume(block, (void *)(uintptr_t)root);
    for (long i = 1; i < n; i++)
        total += (long)(intptr_t)floor_resume(block, NULL);
    bench_stacks_unmap();
    return total;
}

static long numbers(long n) { return sum(body_numbers, n, NULL); }

static long tree(const bench_node_t *root) { return sum(body_tree, BENCH_TREE_NODES, root); }

static long delegate(long n, long depth) {
    (void)depth;
    return numbers(n);
}

const bench_generator_peer_t bench_floor_generators = {
    .name = "floor",
    .slowness = 1,
    .numbers = numbers,
    .tree = tree,
    .delegate = delegate,
};
