/* Primes that are computed once. A generator runs forwards once; what it has produced is kept in a memo here, and any
 * number of iterations over the memo ask the source only for what none of them has asked for before. */
#include <co/gen.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every prime there is. Counts in *tested how many numbers it has had to test. */
static CO_GENERATOR(primes, long, (long *, tested)) {
    for (long number = 2;; number++) {
        bool prime = true;
        for (long divisor = 2; divisor * divisor <= number && prime; divisor++)
            prime = number % divisor != 0;
        ++*tested;
        if (prime)
            CO_EMIT(number);
    }
}

struct memo {
    CO_GEN(long) source;
    long *items;
    size_t count, capacity;
};

/* Moves one item from the source to the memo. Returns 1, 0 at the end of the source, or a negated errno value. */
static int memo_extend(struct memo *memo) {
    if (memo->count == memo->capacity) {
        size_t capacity = memo->capacity == 0 ? 16 : 2 * memo->capacity;
        long *items = realloc(memo->items, capacity * sizeof *items);
        if (items == NULL)
            return -ENOMEM;
        memo->items = items;
        memo->capacity = capacity;
    }
    int status = CO_NEXT(memo->source, &memo->items[memo->count]);
    if (status == 1)
        memo->count++;
    return status;
}

/* All items from the first on. Remembers a position and no pointer, since the items move when the memo grows. */
static CO_GENERATOR(from_memo, long, (struct memo *, memo)) {
    for (size_t i = 0;; i++) {
        if (i == memo->count) {
            int status = memo_extend(memo);
            if (status == 0)
                return;
            if (status < 0)
                CO_FAIL(-status);
        }
        CO_EMIT(memo->items[i]);
    }
}

/* Returns 0 or a negated errno value. */
static int print_below(struct memo *memo, long limit) {
    int status;
    printf("below %ld:", limit);
    CO_FOR_STATUS(long, prime, from_memo(memo), status) {
        if (prime >= limit)
            break;
        printf(" %ld", prime);
    }
    printf("\n");
    return status;
}

int main(void) {
    static const long limits[] = {30, 20, 50};
    long tested = 0;
    struct memo memo = {.source = primes(&tested)};
    if (memo.source == NULL) {
        perror("memo");
        return EXIT_FAILURE;
    }
    int status = 0;
    for (size_t i = 0; i < sizeof limits / sizeof limits[0] && status == 0; i++) {
        status = print_below(&memo, limits[i]);
        printf("%ld numbers tested so far\n", tested);
    }
    CO_GEN_DESTROY(memo.source);
    free(memo.items);
    if (status < 0)
        fprintf(stderr, "memo: %s\n", strerror(-status));
    return status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
