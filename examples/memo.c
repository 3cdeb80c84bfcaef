/* Primes that are computed once. A generator runs forwards once; a memo keeps what it has produced, and any number of
 * iterations over the memo ask the source only for what none of them has asked for before. */
#include <co/itertools.h>

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

static CO_TAKE_WHILE(below, long, number, (long, limit)) { return number < limit; }

/* Returns 0 or a negated errno value. */
static int print_below(CO_MEMO(long) memo, long limit) {
    int status;
    printf("below %ld:", limit);
    CO_FOR_STATUS(long, prime, below(CO_MEMO_ITERATE(memo), limit), status)
        printf(" %ld", prime);
    printf("\n");
    return status;
}

int main(void) {
    static const long limits[] = {30, 20, 50};
    long tested = 0;
    CO_MEMO(long) memo = CO_MEMO_MAKE(primes(&tested));
    if (memo == NULL) {
        perror("memo");
        return EXIT_FAILURE;
    }
    int status = 0;
    for (size_t i = 0; i < sizeof limits / sizeof limits[0] && status == 0; i++) {
        status = print_below(memo, limits[i]);
        printf("%ld numbers tested so far\n", tested);
    }
    CO_MEMO_DESTROY(memo); /* and the source with it */
    if (status < 0)
        fprintf(stderr, "memo: %s\n", strerror(-status));
    return status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
