/* All orders of some letters, by Heap's algorithm: each differs from the one before by one exchange. The recursion
 * emits from its depth, and whoever iterates may stop when it has found what it was looking for. */
#include <co/gen.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void exchange(char *a, char *b) {
    char kept = *a;
    *a = *b;
    *b = kept;
}

/* Emits `letters` once for each order of its first `count` letters. */
static void permute(CO_GEN(const char *) self, char *letters, size_t count) {
    if (count <= 1) {
        CO_EMIT_TO(self, letters);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        permute(self, letters, count - 1);
        if (i < count - 1)
            exchange(&letters[count % 2 == 0 ? i : 0], &letters[count - 1]);
    }
}

/* Reorders `letters` itself, which must stay where it is: an item is read before the next one is asked for. */
static CO_GENERATOR(permutations, const char *, (char *, letters)) { permute(CO_SELF, letters, strlen(letters)); }

int main(void) {
    int status, count = 0;
    char three[] = "abc", word[] = "listen";
    CO_FOR_STATUS(const char *, order, permutations(three), status)
        printf("%s\n", order);
    if (status == 0) {
        CO_FOR_STATUS(const char *, order, permutations(word), status) {
            count++;
            if (strcmp(order, "silent") == 0) {
                printf("\"%s\" is order %d of \"listen\"\n", order, count);
                break; /* the other orders are never made, and the generator is destroyed */
            }
        }
    }
    if (status < 0)
        fprintf(stderr, "permutations: %s\n", strerror(-status));
    return status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
