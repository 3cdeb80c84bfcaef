/* A generator: the first ten Fibonacci numbers, each computed when the loop asks for it. */
#include <co/gen.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static CO_GENERATOR(fibonacci, long, (int, count)) {
    long a = 0, b = 1;
    for (int i = 0; i < count; i++) {
        CO_EMIT(a); /* hands out a copy, and waits here until the next one is wanted */
        long next = a + b;
        a = b;
        b = next;
    }
}

int main(void) {
    int status;
    CO_FOR_STATUS(long, number, fibonacci(10), status)
        printf("%ld\n", number);
    if (status < 0) {
        fprintf(stderr, "fibonacci: %s\n", strerror(-status)); /* there is no memory for a generator */
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
