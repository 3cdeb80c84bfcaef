/* Boost.Fiber, scheduling in turn as it does by default. */
#include "tasks.h"

#include <boost/fiber/all.hpp>

#include <cerrno>
#include <chrono>
#include <deque>
#include <memory>
#include <new>
#include <vector>

namespace {

namespace fibers = boost::fibers;

/* Its handles are kept here, so that spawning one allocates nothing but its stack. */
typedef fibers::fiber *task_t;
const task_t task_none = nullptr;
std::deque<fibers::fiber> handles;
std::vector<task_t> unused_handles;

/* Stacks that are kept when their fiber ends are the better ones for fibers that live shortly. For many at a time they
 * are not, for where its pool grows it writes into each of them. */
bool stacks_pooled;

template <typename Stack> fibers::fiber make(const Stack &stack, void *(*body)(void *), void *arg) {
    return fibers::fiber(std::allocator_arg, Stack(stack), [body, arg] { body(arg); });
}

task_t task_spawn(void *(*body)(void *), void *arg) {
    static const fibers::pooled_fixedsize_stack pooled;
    static const fibers::fixedsize_stack fixed;
    try {
        if (unused_handles.empty()) {
            handles.emplace_back();
            unused_handles.push_back(&handles.back());
        }
        const task_t task = unused_handles.back();
        *task = stacks_pooled ? make(pooled, body, arg) : make(fixed, body, arg);
        unused_handles.pop_back();
        return task;
    } catch (const std::bad_alloc &) {
        errno = ENOMEM;
        return task_none;
    }
}

void task_join(task_t task) {
    task->join();
    *task = fibers::fiber(); /* its stack goes */
    unused_handles.push_back(task);
}

void task_yield() { boost::this_fiber::yield(); }
void task_sleep(int64_t ns) { boost::this_fiber::sleep_for(std::chrono::nanoseconds(ns)); }

/* There is one thread, and a fiber keeps its turn until it waits, so nothing is locked. */
struct no_lock {
    void lock() {}
    void unlock() {}
};

typedef std::unique_ptr<fibers::condition_variable_any> nap_t;
void nap_open(nap_t *nap) { nap->reset(new fibers::condition_variable_any); }
void nap_close(nap_t *nap) { nap->reset(); }
void nap_wait(nap_t *nap, int64_t ns) {
    no_lock lock;
    (*nap)->wait_for(lock, std::chrono::nanoseconds(ns));
}
void nap_end(nap_t *nap, task_t) { (*nap)->notify_one(); }

#include "tasks_template.h"

/* One of the two is there. */
struct channel_t {
    std::unique_ptr<fibers::unbuffered_channel<long>> unbuffered;
    std::unique_ptr<fibers::buffered_channel<long>> buffered;
};

void channel_open(channel_t *channel, size_t room) {
    if (room == 0)
        channel->unbuffered.reset(new fibers::unbuffered_channel<long>);
    else
        channel->buffered.reset(new fibers::buffered_channel<long>(room));
}
void channel_close(channel_t *channel) {
    channel->unbuffered.reset();
    channel->buffered.reset();
}
void channel_send(channel_t *channel, long value) {
    if (channel->unbuffered)
        channel->unbuffered->push(value);
    else
        channel->buffered->push(value);
}
long channel_receive(channel_t *channel) {
    long value = 0;
    if (channel->unbuffered)
        channel->unbuffered->pop(value);
    else
        channel->buffered->pop(value);
    return value;
}

#include "tasks_channels_template.h"

void spawn_join_pooled(bench_round_t *round) {
    stacks_pooled = true;
    measure_spawn_join(round);
    stacks_pooled = false;
}

} // namespace

extern "C" const bench_task_peer_t bench_boost_tasks = {"boost_fiber",
                                                        5,
                                                        0,
                                                        nullptr,
                                                        measure_yield,
                                                        spawn_join_pooled,
                                                        measure_ping_pong,
                                                        measure_channel,
                                                        measure_timers,
                                                        measure_timer_cancel};
