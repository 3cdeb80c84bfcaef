/* Do two trees have the same leaves in the same order, whatever their shapes? Two generators walk side by side. No list
 * of leaves is made, and what lies behind the first difference is not looked at. */
#include <co/gen.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A leaf has a letter; any other node has two subtrees and no letter. */
struct tree {
    const struct tree *left, *right;
    char letter;
};

#define LEAF(letter) (&(const struct tree){NULL, NULL, letter})
#define NODE(left, right) (&(const struct tree){left, right, '\0'})

static void emit_leaves(CO_GEN(char) self, const struct tree *tree) {
    if (tree->letter != '\0') {
        CO_EMIT_TO(self, tree->letter);
    } else {
        emit_leaves(self, tree->left);
        emit_leaves(self, tree->right);
    }
}

static CO_GENERATOR(leaves, char, (const struct tree *, tree)) { emit_leaves(CO_SELF, tree); }

/* 1 if the fringes are the same, 0 if they differ, below zero a negated errno value. *seen is how many leaves of each
 * tree had to be looked at. */
static int same_fringe(const struct tree *left, const struct tree *right, int *seen) {
    CO_GEN(char) left_leaves = leaves(left);
    CO_GEN(char) right_leaves = leaves(right);
    int left_status, right_status;
    char left_letter = '\0', right_letter = '\0';
    *seen = 0;
    if (left_leaves == NULL || right_leaves == NULL) {
        left_status = right_status = -ENOMEM;
    } else {
        do {
            left_status = CO_NEXT(left_leaves, &left_letter);
            right_status = CO_NEXT(right_leaves, &right_letter);
            *seen += left_status == 1 || right_status == 1;
        } while (left_status == 1 && right_status == 1 && left_letter == right_letter);
    }
    CO_GEN_DESTROY(left_leaves);
    CO_GEN_DESTROY(right_leaves);
    if (left_status < 0 || right_status < 0)
        return left_status < 0 ? left_status : right_status;
    return left_status == 0 && right_status == 0; /* both came to their end */
}

static int compare(const char *title, const struct tree *left, const struct tree *right) {
    int seen;
    int same = same_fringe(left, right, &seen);
    if (same < 0)
        fprintf(stderr, "same_fringe: %s\n", strerror(-same));
    else
        printf("%s: %s, after %d leaves\n", title, same ? "the same" : "different", seen);
    return same;
}

int main(void) {
    const struct tree *leaning_left = NODE(NODE(NODE(LEAF('a'), LEAF('b')), LEAF('c')), LEAF('d'));
    const struct tree *leaning_right = NODE(LEAF('a'), NODE(LEAF('b'), NODE(LEAF('c'), LEAF('d'))));
    const struct tree *other = NODE(NODE(LEAF('a'), LEAF('x')), NODE(LEAF('c'), LEAF('d')));
    const struct tree *shorter = NODE(LEAF('a'), NODE(LEAF('b'), LEAF('c')));

    if (compare("two shapes", leaning_left, leaning_right) < 0 || compare("another leaf", leaning_left, other) < 0 ||
        compare("a leaf less", leaning_left, shorter) < 0)
        return EXIT_FAILURE;
    return EXIT_SUCCESS;
}
