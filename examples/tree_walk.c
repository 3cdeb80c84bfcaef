/* A binary tree walked in order, twice: by plain recursion inside one generator, and by a generator for each node. */
#include <co/gen.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tree {
    const struct tree *left, *right;
    int value;
};

/* An ordinary recursive function. A coroutine may stop at any call depth, so it emits from wherever it stands. */
static void walk(CO_GEN(int) self, const struct tree *tree) {
    if (tree == NULL)
        return;
    walk(self, tree->left);
    CO_EMIT_TO(self, tree->value);
    walk(self, tree->right);
}

static CO_GENERATOR(in_order, int, (const struct tree *, tree)) { walk(CO_SELF, tree); }

/* The same where each node's generator hands over to those of its subtrees. Languages whose generators cannot stop
 * inside of a call need this form. It gives the same numbers, but takes a stack for each node on the way down, and each
 * of those may fail to be had. */
static CO_GENERATOR(in_order_by_delegation, int, (const struct tree *, tree)) {
    if (tree == NULL)
        return;
    CO_FROM_OR_FAIL(in_order_by_delegation(tree->left), NULL);
    CO_EMIT(tree->value);
    CO_FROM_OR_FAIL(in_order_by_delegation(tree->right), NULL);
}

/* Owns `numbers`, as the loop does. Returns what ended the loop. */
static int print_all(const char *title, CO_GEN(int) numbers) {
    int status;
    printf("%s:", title);
    CO_FOR_STATUS(int, number, numbers, status)
        printf(" %d", number);
    printf("\n");
    return status;
}

int main(void) {
    /*      4
     *    /   \
     *   2     6
     *  / \   / \
     * 1   3 5   7 */
    const struct tree one = {NULL, NULL, 1}, three = {NULL, NULL, 3}, five = {NULL, NULL, 5}, seven = {NULL, NULL, 7};
    const struct tree two = {&one, &three, 2}, six = {&five, &seven, 6};
    const struct tree four = {&two, &six, 4};

    int status = print_all("by recursion", in_order(&four));
    if (status == 0)
        status = print_all("by delegation", in_order_by_delegation(&four));
    if (status < 0)
        fprintf(stderr, "tree_walk: %s\n", strerror(-status));
    return status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
