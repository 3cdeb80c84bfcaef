/* All schedules of two and three tasks with a mutex and a condition, a semaphore, a lock for readers and writers, and a
 * barrier, compared with references: lists of who waits, in the order in which they came. Catches a lock or a permit
 * that is lost, doubled or out of order, a wake of the wrong task, an entry that stays in a queue, and an answer that a
 * cancel or a deadline changes after the call was done. */
#define _GNU_SOURCE
#include "model.h"
#include "sync.h"

enum {
    LOCK = 1,
    TRY_LOCK,
    UNLOCK,
    WAIT,
    SIGNAL,
    BROADCAST,
    ACQUIRE,
    TRY_ACQUIRE,
    POST,
    READ,
    WRITE,
    TRY_READ,
    TRY_WRITE,
    RELEASE,
    DOWNGRADE,
    ARRIVE
};

enum { PARTIES = 2, NOBODY = -1 };

#define COUNT(array) ((int)(sizeof array / sizeof array[0]))

/* ---- The library's objects --------------------------------------------------------------------------------------- */

static co_mutex_t mutex;
static co_cond_t cond;
static co_semaphore_t semaphore;
static co_rwlock_t rwlock;
static co_barrier_t barrier;
static int depth; /* how deep calls are made */

static int make(void *arg) {
    const struct model_call *call = arg;
    const int64_t deadline = model_deadline(call->deadline);
    switch (call->what) {
    case LOCK:
        return co_mutex_lock(&mutex, deadline);
    case TRY_LOCK:
        return co_mutex_try_lock(&mutex);
    case UNLOCK:
        return co_mutex_unlock(&mutex);
    case WAIT:
        return co_cond_wait(&cond, &mutex, deadline);
    case SIGNAL:
        return co_cond_signal(&cond);
    case BROADCAST:
        return co_cond_broadcast(&cond);
    case ACQUIRE:
        return co_semaphore_wait(&semaphore, deadline);
    case TRY_ACQUIRE:
        return co_semaphore_try_wait(&semaphore);
    case POST:
        return co_semaphore_post(&semaphore);
    case READ:
        return co_rwlock_read_lock(&rwlock, deadline);
    case WRITE:
        return co_rwlock_write_lock(&rwlock, deadline);
    case TRY_READ:
        return co_rwlock_try_read_lock(&rwlock);
    case TRY_WRITE:
        return co_rwlock_try_write_lock(&rwlock);
    case RELEASE:
        return co_rwlock_unlock(&rwlock);
    case DOWNGRADE:
        return co_rwlock_downgrade(&rwlock);
    default:
        return co_barrier_wait(&barrier, deadline);
    }
}

static int call(struct model *model, int task, const struct model_call *one) {
    struct model_call copy = *one;
    (void)model, (void)task;
    return call_at_depth(depth, make, &copy);
}

/* ---- The references: who waits --------------------------------------------------------------------------------- */

/* Those who wait, in the order in which they came, and for what. */
static struct entry {
    int task, what;
    int answer; /* of a LOCK in which a WAIT goes on */
} waiting[MODEL_TASKS];
static int waiting_count;

static void add(struct model *model, int task, int what) {
    (void)model;
    waiting[waiting_count++] = (struct entry){task, what, 0};
}

/* The first that waits for one of these two. */
static struct entry *first_of(int what, int or_what) {
    for (int i = 0; i < waiting_count; i++)
        if (waiting[i].what == what || waiting[i].what == or_what)
            return &waiting[i];
    return NULL;
}

static void withdraw(struct model *model, int task) {
    int kept = 0;
    (void)model;
    for (int i = 0; i < waiting_count; i++)
        if (waiting[i].task != task)
            waiting[kept++] = waiting[i];
    waiting_count = kept;
}

static void answer(struct model *model, int task, int status) {
    withdraw(model, task);
    model_answer(model, task, status);
}

/* ---- The references: mutex and condition ------------------------------------------------------------------------- */

static int holder;

static void pass_on(struct model *model) {
    const struct entry *entry = first_of(LOCK, LOCK);
    holder = NOBODY;
    if (entry == NULL)
        return;
    holder = entry->task;
    answer(model, entry->task, entry->answer);
}

/* From the condition to the mutex. */
static void move(struct model *model, int task, int status) {
    withdraw(model, task);
    if (holder == NOBODY) {
        holder = task;
        answer(model, task, status);
        return;
    }
    add(model, task, LOCK);
    waiting[waiting_count - 1].answer = status;
    model_stay(model, task);
}

static void refer_lock(struct model *model, int task, int what) {
    if (what != LOCK && what != TRY_LOCK && holder != task)
        answer(model, task, what == SIGNAL || what == BROADCAST ? 0 : -EPERM);
    switch (what) {
    case LOCK:
    case TRY_LOCK:
        if (holder == NOBODY) {
            holder = task;
            answer(model, task, 0);
        } else if (what == TRY_LOCK || holder == task) {
            answer(model, task, what == TRY_LOCK ? -EBUSY : -EDEADLK);
        } else {
            add(model, task, LOCK);
        }
        break;
    case UNLOCK:
        if (holder != task)
            break;
        answer(model, task, 0);
        pass_on(model);
        break;
    case WAIT:
        if (holder != task)
            break;
        add(model, task, WAIT);
        pass_on(model);
        break;
    default:
        answer(model, task, 0);
        for (const struct entry *entry; (entry = first_of(WAIT, WAIT)) != NULL;) {
            move(model, entry->task, 0);
            if (what == SIGNAL)
                break;
        }
        break;
    }
}

/* ---- The references: semaphore, readers and writers, barrier ----------------------------------------------------- */

static int permits, first_permits, readers, writer;

static void refer_semaphore(struct model *model, int task, int what) {
    const struct entry *entry = first_of(ACQUIRE, ACQUIRE);
    if (what == POST) {
        answer(model, task, 0);
        if (entry != NULL)
            answer(model, entry->task, 0);
        else
            permits++;
    } else if (permits > 0) {
        permits--;
        answer(model, task, 0);
    } else if (what == TRY_ACQUIRE) {
        answer(model, task, -EBUSY);
    } else {
        add(model, task, ACQUIRE);
    }
}

static void admit(struct model *model) {
    for (const struct entry *entry; writer == NOBODY && (entry = first_of(READ, WRITE)) != NULL;) {
        if (entry->what == WRITE && readers > 0)
            break;
        if (entry->what == WRITE)
            writer = entry->task;
        else
            readers++;
        answer(model, entry->task, 0);
    }
}

static void refer_rwlock(struct model *model, int task, int what) {
    const bool open = writer == NOBODY && first_of(READ, WRITE) == NULL;
    switch (what) {
    case READ:
    case WRITE:
        if (writer == task)
            answer(model, task, -EDEADLK);
        else
            add(model, task, what);
        break;
    case TRY_READ:
    case TRY_WRITE:
        if (!open || (what == TRY_WRITE && readers > 0)) {
            answer(model, task, -EBUSY);
            break;
        }
        answer(model, task, 0);
        if (what == TRY_READ)
            readers++;
        else
            writer = task;
        break;
    case RELEASE:
        if (writer == task) {
            writer = NOBODY;
        } else if (writer == NOBODY && readers > 0) {
            readers--;
        } else {
            answer(model, task, -EPERM);
            break;
        }
        answer(model, task, 0);
        break;
    default:
        answer(model, task, writer == task ? 0 : -EPERM);
        if (writer != task)
            break;
        writer = NOBODY;
        readers = 1;
        break;
    }
    admit(model);
}

static void refer_barrier(struct model *model, int task) {
    int here = 1;
    for (int i = 0; i < waiting_count; i++)
        here += waiting[i].what == ARRIVE;
    if (here < PARTIES) {
        add(model, task, ARRIVE);
        return;
    }
    answer(model, task, 1);
    for (const struct entry *entry; (entry = first_of(ARRIVE, ARRIVE)) != NULL;)
        answer(model, entry->task, 0);
}

static void refer(struct model *model, int task, const struct model_call *one) {
    if (one->what <= BROADCAST)
        refer_lock(model, task, one->what);
    else if (one->what <= POST)
        refer_semaphore(model, task, one->what);
    else if (one->what <= DOWNGRADE)
        refer_rwlock(model, task, one->what);
    else
        refer_barrier(model, task);
}

/* A wait on a condition goes on as one for the mutex; a writer that goes away lets in those behind it. */
static bool stays(struct model *model, int task, int status) {
    for (int i = 0; i < waiting_count; i++)
        if (waiting[i].task == task && waiting[i].what == WAIT) {
            move(model, task, status);
            return true;
        }
    answer(model, task, status);
    admit(model);
    return true;
}

/* ---- Programs ---------------------------------------------------------------------------------------------------- */

static void begin(struct model *model) {
    (void)model;
    mutex = (co_mutex_t)CO_MUTEX_INIT;
    cond = (co_cond_t)CO_COND_INIT;
    rwlock = (co_rwlock_t)CO_RWLOCK_INIT;
    barrier = (co_barrier_t)CO_BARRIER_INIT(PARTIES);
    permits = first_permits;
    semaphore = (co_semaphore_t)CO_SEMAPHORE_INIT((uint64_t)permits);
    waiting_count = readers = 0;
    holder = writer = NOBODY;
}

/* What it holds, others may wait for. */
static void leave(struct model *model) {
    (void)model;
    co_mutex_unlock(&mutex);
}

static void end(struct model *model) {
    if (co_mutex_destroy(&mutex) != 0 || co_cond_destroy(&cond) != 0 || co_semaphore_destroy(&semaphore) != 0 ||
        co_barrier_destroy(&barrier) != 0 || rwlock.waiters.first != NULL)
        model_fail(model, "somebody waits");
    if (semaphore.permits != (uint64_t)permits || rwlock.readers != (uint64_t)readers)
        model_fail(model, "%d permits instead of %d, %d readers instead of %d", (int)semaphore.permits, permits,
                   (int)rwlock.readers, readers);
}

static void try_programs(const char *name, int task_count, int fixed_count,
                         const struct model_call fixed[][MODEL_CALLS + 1], int length, const struct model_call *calls,
                         int count) {
    struct model model = {.name = name,
                          .task_count = task_count,
                          .begin = begin,
                          .call = call,
                          .refer = refer,
                          .withdraw = withdraw,
                          .stays = stays,
                          .leave = leave,
                          .end = end};
    for (int i = 0; i < fixed_count; i++)
        memcpy(model.programs[i], fixed[i], sizeof model.programs[i]);
    if (is_slow()) { /* the first calls of a list must do, and for three tasks one of them */
        count = count > 4 ? 3 : 2;
        length = task_count - fixed_count > 2 ? 1 : length;
#ifdef TEST_SANITIZED
        length = length > 2 ? 2 : length; /* where each task takes longest to create */
#endif
    } else if (!is_thorough()) {
        if (count > 3)
            count = count > 4 ? 5 : 3;
        if (task_count - fixed_count > 2)
            count = 2;
    }
    model_check_programs(&model, fixed_count, length, calls, count);
}

#define AT_ONCE MODEL_NOT_BLOCKING
#define NEVER MODEL_NEVER

static const struct model_call cancel_first[][MODEL_CALLS + 1] = {{{MODEL_CANCEL, 1, AT_ONCE, 0}}};
static const struct model_call cancel_both[][MODEL_CALLS + 1] = {
    {{MODEL_CANCEL, 1, AT_ONCE, 0}, {MODEL_CANCEL, 2, AT_ONCE, 0}}};

static void test_mutex(void **state) {
    static const struct model_call calls[] = {
        {LOCK, 0, NEVER, 0}, {UNLOCK, 0, AT_ONCE, 0}, {LOCK, 0, 1, 0}, {LOCK, 0, 0, 0}, {TRY_LOCK, 0, AT_ONCE, 0}};
    (void)state;
    try_programs("mutex: two tasks", 2, 0, NULL, 3, calls, 3);
    try_programs("mutex: all calls", 2, 0, NULL, 2, calls, COUNT(calls));
    try_programs("mutex: three tasks", 3, 0, NULL, 2, calls, 3);
    try_programs("mutex: two tasks and cancels", 3, 1, cancel_both, 2, calls, 4);
}

static void test_cond(void **state) {
    static const struct model_call calls[] = {
        {WAIT, 0, NEVER, 0}, {UNLOCK, 0, AT_ONCE, 0}, {SIGNAL, 0, AT_ONCE, 0},   {WAIT, 0, 1, 0},
        {LOCK, 0, NEVER, 0}, {WAIT, 0, 0, 0},         {BROADCAST, 0, AT_ONCE, 0}};
    static const struct model_call waiter[][MODEL_CALLS + 1] = {{{LOCK, 0, NEVER, 0}, {WAIT, 0, 1, 0}}};
    static const struct model_call waiters[][MODEL_CALLS + 1] = {
        {{LOCK, 0, NEVER, 0}, {WAIT, 0, NEVER, 0}, {UNLOCK, 0, AT_ONCE, 0}},
        {{LOCK, 0, NEVER, 0}, {WAIT, 0, 1, 0}, {UNLOCK, 0, AT_ONCE, 0}}};
    static const struct model_call waiter_and_cancel[][MODEL_CALLS + 1] = {
        {{MODEL_CANCEL, 1, AT_ONCE, 0}, {MODEL_CANCEL, 1, AT_ONCE, 0}},
        {{LOCK, 0, NEVER, 0}, {WAIT, 0, NEVER, 0}, {UNLOCK, 0, AT_ONCE, 0}}};
    (void)state;
    try_programs("condition: one waiter, one task", 2, 1, waiter, 3, calls, COUNT(calls));
    try_programs("condition: two waiters, one task", 3, 2, waiters, 2, calls, COUNT(calls));
    try_programs("condition: a waiter that is cancelled, one task", 3, 2, waiter_and_cancel, 2, calls, COUNT(calls));
}

static void test_semaphore(void **state) {
    static const struct model_call calls[] = {{ACQUIRE, 0, NEVER, 0},
                                              {POST, 0, AT_ONCE, 0},
                                              {ACQUIRE, 0, 1, 0},
                                              {ACQUIRE, 0, 0, 0},
                                              {TRY_ACQUIRE, 0, AT_ONCE, 0}};
    (void)state;
    for (first_permits = 0; first_permits < 2; first_permits++)
        try_programs("semaphore: two tasks", 2, 0, NULL, 3, calls, 3);
    first_permits = 0;
    try_programs("semaphore: two tasks and cancels", 3, 1, cancel_both, 2, calls, 4);
}

static void test_rwlock(void **state) {
    static const struct model_call calls[] = {
        {READ, 0, NEVER, 0},        {WRITE, 0, 1, 0},          {RELEASE, 0, AT_ONCE, 0},   {WRITE, 0, NEVER, 0},
        {DOWNGRADE, 0, AT_ONCE, 0}, {TRY_READ, 0, AT_ONCE, 0}, {TRY_WRITE, 0, AT_ONCE, 0}, {READ, 0, 1, 0}};
    static const struct model_call reader[][MODEL_CALLS + 1] = {
        {{READ, 0, NEVER, 0}, {RELEASE, 0, AT_ONCE, 0}, {MODEL_CANCEL, 1, AT_ONCE, 0}}};
    (void)state;
    try_programs("readers and writers: two tasks", 2, 0, NULL, 3, calls, 3);
    try_programs("readers and writers: all calls", 2, 0, NULL, 2, calls, COUNT(calls));
    try_programs("readers and writers: three tasks", 3, 0, NULL, 2, calls, 2);
    try_programs("readers and writers: a reader that cancels, two tasks", 3, 1, reader, 2, calls, 4);
}

static void test_barrier(void **state) {
    static const struct model_call calls[] = {{ARRIVE, 0, NEVER, 0}, {ARRIVE, 0, 1, 0}, {ARRIVE, 0, 0, 0}};
    (void)state;
    try_programs("barrier: three tasks", 3, 0, NULL, 2, calls, 2);
    try_programs("barrier: two tasks and cancels", 3, 1, cancel_both, 2, calls, 3);
}

/* Nothing depends on where in a task a call is made. */
static void test_at_depth(void **state) {
    static const struct model_call calls[] = {
        {LOCK, 0, NEVER, 0}, {UNLOCK, 0, AT_ONCE, 0}, {WAIT, 0, 1, 0}, {SIGNAL, 0, AT_ONCE, 0}};
    (void)state;
    for (int i = 1; i < DEPTHS; i++) {
        depth = depths[i];
        try_programs("a level deep, or ten", 2, 0, NULL, 2, calls, COUNT(calls));
        try_programs("a level deep, or ten, and a cancel", 3, 1, cancel_first, 1, calls, COUNT(calls));
    }
    depth = 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mutex),  cmocka_unit_test(test_cond),    cmocka_unit_test(test_semaphore),
        cmocka_unit_test(test_rwlock), cmocka_unit_test(test_barrier), cmocka_unit_test(test_at_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
