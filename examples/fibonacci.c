/* A generator: yields the first ten Fibonacci numbers, and the loop ends when it returns. */
#include <co.h>

#include <stdio.h>
#include <stdlib.h>

static void *fibonacci(void *arg) {
    const int *count = arg;
    long a = 0, b = 1;
    for (int i = 0; i < *count; i++) {
        co_yield(&a); /* a pointer to a local: valid until the next resume */
        long next = a + b;
        a = b;
        b = next;
    }
    return NULL;
}

int main(void) {
    int count = 10;
    co_t *numbers = co_create(fibonacci, &count);
    if (numbers == NULL) {
        perror("co_create");
        return EXIT_FAILURE;
    }
    void *number;
    while (co_resume(numbers, NULL, &number) > 0)
        printf("%ld\n", *(long *)number);
    co_destroy(numbers);
    return EXIT_SUCCESS;
}
