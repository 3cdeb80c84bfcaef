// The same as consumer.c in C++, where co_suspend stands for co_yield.
#include <co.h>
#include <cstdint>
#include <cstdio>

static void *count(void *arg) {
    for (std::intptr_t i = 0; i < reinterpret_cast<std::intptr_t>(arg); i++)
        co_suspend(reinterpret_cast<void *>(i));
    return nullptr;
}

int main() {
    co_t *co = co_create(count, reinterpret_cast<void *>(std::intptr_t{3}));
    if (co == nullptr)
        return 1;
    for (void *value; co_resume(co, nullptr, &value) > 0;)
        std::printf("%d ", static_cast<int>(reinterpret_cast<std::intptr_t>(value)));
    std::puts("done");
    return co_destroy(co) != 0;
}
