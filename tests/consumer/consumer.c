/* What a user of the installed library writes first. */
#include <co.h>
#include <stdint.h>
#include <stdio.h>

static void *count(void *arg) {
    for (intptr_t i = 0; i < (intptr_t)arg; i++)
        co_yield((void *)i);
    return NULL;
}

int main(void) {
    co_t *co = co_create(count, (void *)3);
    if (co == NULL)
        return 1;
    for (void *value; co_resume(co, NULL, &value) > 0;)
        printf("%d ", (int)(intptr_t)value);
    puts("done");
    return co_destroy(co) != 0;
}
