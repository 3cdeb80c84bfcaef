/* The same as foo_bar.c with tasks: nobody resumes the two by hand, they take turns by themselves. */
#include <co/sched.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct printer {
    const char *name;
    int count;
};

static void *print_numbers(void *arg) {
    const struct printer *printer = arg;
    for (int i = 0; i < printer->count; i++) {
        printf("%s: %d\n", printer->name, i);
        co_yield(NULL); /* the other's turn */
    }
    return NULL;
}

static void *first_task(void *arg) {
    struct printer printers[] = {{"Foo", 5}, {"Bar", 3}};
    co_t *foo = co_spawn(print_numbers, &printers[0]);
    co_t *bar = co_spawn(print_numbers, &printers[1]);
    if (foo == NULL || bar == NULL)
        return co_fail(ENOMEM);
    co_join(foo, NULL, CO_NEVER); /* `printers` stays until both have ended */
    co_join(bar, NULL, CO_NEVER);
    return arg;
}

int main(void) {
    const int status = co_run(first_task, NULL, NULL);
    if (status < 0)
        fprintf(stderr, "co_run: %s\n", strerror(-status));
    return status < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
