/* Two coroutines driven by hand. Each prints its name and a number, then yields; main resumes whichever is not done. */
#include <co.h>

#include <stdio.h>
#include <stdlib.h>

struct printer {
    const char *name;
    int count;
};

static void *print_numbers(void *arg) {
    const struct printer *printer = arg;
    for (int i = 0; i < printer->count; i++) {
        printf("%s: %d\n", printer->name, i);
        co_yield(NULL);
    }
    return NULL;
}

int main(void) {
    struct printer printers[] = {{"Foo", 5}, {"Bar", 3}};
    co_t *foo = co_create(print_numbers, &printers[0]);
    co_t *bar = co_create(print_numbers, &printers[1]);
    if (foo == NULL || bar == NULL) {
        perror("co_create");
        return EXIT_FAILURE;
    }
    while (co_status(foo) != CO_DEAD || co_status(bar) != CO_DEAD) {
        if (co_status(foo) != CO_DEAD)
            co_resume(foo, NULL, NULL);
        if (co_status(bar) != CO_DEAD)
            co_resume(bar, NULL, NULL);
    }
    co_destroy(foo);
    co_destroy(bar);
    return EXIT_SUCCESS;
}
