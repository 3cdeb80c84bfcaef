/* A model checker: every schedule of a few tasks, each with a program of a few calls, compared with a reference.
 *
 *     static int call(struct model *model, int task, const struct model_call *call)       what the library answers
 *     static void refer(struct model *model, int task, const struct model_call *call)     what it should answer
 *     static void withdraw(struct model *model, int task)                                 the reference forgets a waiter
 *
 *     struct model model = {.name = "two senders", .task_count = 3, .begin = ..., .call = call, .refer = refer,
 *                           .withdraw = withdraw, .end = ..., .programs = {...}};
 *     model_check(&model);
 *
 * Every task waits at a gate before each of its calls. A controller, which is a task too, opens gates one by one. What
 * it may do next is a choice, and choices are tried depth first, each schedule from the beginning:
 *
 *     open       one of the gates at which a task waits. Its call happens behind those that were opened before
 *     settle     wait until no task can go on: that is when the virtual clock moves. Then every task is at its gate or
 *                in a call, where the reference says so, and every answer is the reference's
 *     advance    the clock, to the next deadline that a call waits for
 *
 * As long as the controller only opens, a task that a call wakes does not run: so calls fall also between the wake of a
 * task and its turn, where a cancel or another call could take away what the wake has brought.
 *
 * The reference is a sequential program: `refer` is told of each call in the order in which they happen, and says by
 * model_answer what it answers, and what those answer that it wakes. A call without an answer waits. Of cancels and
 * deadlines the checker itself knows: it calls `withdraw`, and answers -ECANCELED or -ETIMEDOUT. When nothing is left
 * to choose, tasks that wait are cancelled, and `end` looks at what is left. The public calls are all that is used. */
#ifndef CO_TEST_MODEL_H
#define CO_TEST_MODEL_H

#include "support.h"

#include <co/sched.h>

#include <errno.h>

enum {
    MODEL_TASKS = 4,
    MODEL_CALLS = 5,
    MODEL_CHOICES = 128,
    MODEL_NEVER = 1000,      /* deadline: none */
    MODEL_NOT_BLOCKING = -1, /* deadline: the call takes none, and no notice of a cancel */
    MODEL_CANCEL = -1        /* what: co_cancel of task `object`; its deadline is MODEL_NOT_BLOCKING */
};

struct model_call {
    int what;     /* one of the test's calls, above 0; MODEL_CANCEL; 0 ends a program */
    int object;   /* which object it is made on */
    int deadline; /* an instant: 0 has passed, 1 and more come by advancing; MODEL_NEVER; MODEL_NOT_BLOCKING */
    int value;    /* the test's; the same for no other call of the programs, if it is left 0 */
};

struct model;

struct model_task {
    struct model *model;
    co_t *co;
    int number, next; /* of its calls */
    bool at_gate;     /* in the library */
    int answer;       /* what the library has answered last, */
    int expected;     /* and what the reference says */
    bool waits;       /* by the reference: in a call that has no answer yet, */
    bool stays;       /* and which no cancel ends */
    bool cancelled;   /* by the reference: a cancel that no call has answered to */
    bool opened;      /* since the tasks have settled */
    int deadline;     /* of the call that it waits in */
    int waits_since;  /* which wait it was */
};

struct model {
    const char *name;
    int task_count;
    struct model_call programs[MODEL_TASKS][MODEL_CALLS + 1];
    void (*begin)(struct model *model); /* makes the objects and the reference's; outside co_run */
    int (*call)(struct model *model, int task, const struct model_call *call);
    void (*refer)(struct model *model, int task, const struct model_call *call);
    void (*withdraw)(struct model *model, int task);
    /* Asked before that, if there is one: true, if the call goes on waiting, after a cancel or a deadline, until the
     * reference gives it this answer. */
    bool (*stays)(struct model *model, int task, int answer);
    void (*leave)(struct model *model); /* called by every task at its end, if there is one */
    void (*end)(struct model *model); /* looks at what is left, and frees it; outside co_run */
    void *data;                       /* the test's */

    /* What follows is the checker's, and zero at first. */
    unsigned long schedules; /* that were tried */
    struct model_task tasks[MODEL_TASKS];
    int now, waits;
    bool ending;
    struct {
        int chosen, count;
    } choices[MODEL_CHOICES];
    int choice_count, choice;
    char failure[256], schedule[1024];
};

#define MODEL_INSTANT_NS INT64_C(1000000)

/* A deadline of a program as one for the library. */
static inline int64_t model_deadline(int instant) {
    return instant == MODEL_NEVER ? CO_NEVER : instant * MODEL_INSTANT_NS;
}

/* The reference says what the call answers that `task` is in. */
static inline void model_answer(struct model *model, int task, int answer) {
    model->tasks[task].waits = model->tasks[task].stays = false;
    model->tasks[task].expected = answer;
}

/* Something is not as it should be: the schedule is printed, and the test fails. The first failure counts. */
__attribute__((format(printf, 2, 3))) static inline void model_fail(struct model *model, const char *format, ...) {
    va_list arguments;
    if (model->failure[0] != '\0')
        return;
    va_start(arguments, format);
    vsnprintf(model->failure, sizeof model->failure, format, arguments);
    va_end(arguments);
}

__attribute__((format(printf, 2, 3))) static inline void model_note(struct model *model, const char *format, ...) {
    const size_t length = strlen(model->schedule);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(model->schedule + length, sizeof model->schedule - length, format, arguments);
    va_end(arguments);
}

/* ---- Tasks ------------------------------------------------------------------------------------------------------- */

static void *model_task_body(void *arg) {
    struct model_task *task = (struct model_task *)arg;
    struct model *model = task->model;
    for (;;) {
        task->at_gate = true;
        co_shield(); /* a cancel is for the next call */
        co_park(CO_NEVER);
        co_unshield();
        task->at_gate = false;
        if (model->ending) {
            if (model->leave != NULL)
                model->leave(model);
            return NULL;
        }
        const struct model_call *call = &model->programs[task->number][task->next++];
        if (call->what == MODEL_CANCEL)
            task->answer = co_cancel(model->tasks[call->object].co);
        else
            task->answer = model->call(model, task->number, call);
        if (task->answer == -ECANCELED)
            co_uncancel();
    }
}

/* ---- The reference, as far as it is the same for all ------------------------------------------------------------- */

/* Until the reference answers, neither a cancel nor a deadline ends the call that `task` is in. */
static inline void model_stay(struct model *model, int task) {
    model->tasks[task].stays = true;
    model->tasks[task].deadline = MODEL_NEVER;
}

static inline void model_stop_waiting(struct model *model, int task, int answer) {
    if (model->stays != NULL && model->stays(model, task, answer))
        return;
    model->withdraw(model, task);
    model_answer(model, task, answer);
}

static inline void model_cancel(struct model *model, int task) {
    if (model->tasks[task].waits && !model->tasks[task].stays)
        model_stop_waiting(model, task, -ECANCELED);
    else
        model->tasks[task].cancelled = true;
}

/* The call of `task` whose gate has been opened. */
static inline void model_refer(struct model *model, int number, const struct model_call *call) {
    struct model_task *task = &model->tasks[number];
    if (call->what == MODEL_CANCEL) {
        model_answer(model, number, 0);
        model_cancel(model, call->object);
        return;
    }
    if (task->cancelled && call->deadline != MODEL_NOT_BLOCKING) {
        task->cancelled = false;
        model_answer(model, number, -ECANCELED);
        return;
    }
    task->waits = true;
    task->deadline = call->deadline;
    task->waits_since = model->waits++;
    model->refer(model, number, call);
    if (task->waits && task->deadline <= model->now)
        model_stop_waiting(model, number, -ETIMEDOUT);
}

/* The next deadline that a call waits for; MODEL_NEVER: none does. */
static inline int model_next_deadline(const struct model *model) {
    int next = MODEL_NEVER;
    for (int i = 0; i < model->task_count; i++)
        if (model->tasks[i].waits && model->tasks[i].deadline < next)
            next = model->tasks[i].deadline;
    return next;
}

/* Those whose deadline has come stop waiting in the order in which they began. */
static inline void model_fire(struct model *model) {
    for (;;) {
        struct model_task *first = NULL;
        for (int i = 0; i < model->task_count; i++) {
            struct model_task *task = &model->tasks[i];
            if (task->waits && task->deadline <= model->now && (first == NULL || task->waits_since < first->waits_since))
                first = task;
        }
        if (first == NULL)
            return;
        model_stop_waiting(model, first->number, -ETIMEDOUT);
    }
}

/* ---- The controller ---------------------------------------------------------------------------------------------- */

/* The virtual clock moves when nobody can go on. */
static inline void model_settle(struct model *model) {
    co_sleep(1);
    for (int i = 0; i < model->task_count; i++) {
        struct model_task *task = &model->tasks[i];
        task->opened = false;
        if (task->at_gate && task->waits)
            model_fail(model, "task %d: call %d answers %d instead of waiting", i, task->next, task->answer);
        else if (!task->at_gate && !task->waits)
            model_fail(model, "task %d: call %d waits instead of answering %d", i, task->next, task->expected);
        else if (task->at_gate && task->answer != task->expected)
            model_fail(model, "task %d: call %d answers %d instead of %d", i, task->next, task->answer, task->expected);
    }
}

static inline void model_open(struct model *model, int number) {
    struct model_task *task = &model->tasks[number];
    const struct model_call *call = &model->programs[number][task->next];
    model_note(model, " open %d", number);
    task->opened = true;
    model_refer(model, number, call);
    co_unpark(task->co);
}

static inline void model_advance(struct model *model) {
    model->now = model_next_deadline(model);
    model_note(model, " advance to %d;", model->now);
    co_sleep_until(model_deadline(model->now));
    model_fire(model);
    model_settle(model);
}

static inline int model_choose(struct model *model, int count) {
    const int choice = model->choice++;
    if (choice == MODEL_CHOICES) {
        model_fail(model, "there are more than %d choices", MODEL_CHOICES);
        return count - 1;
    }
    if (choice == model->choice_count) {
        model->choices[choice].chosen = 0;
        model->choices[choice].count = count;
        model->choice_count++;
    }
    if (model->choices[choice].count != count)
        model_fail(model, "the same schedule is not the same again");
    return model->choices[choice].chosen;
}

/* Does one of what can be done; false: there is nothing. */
static inline bool model_step(struct model *model) {
    int openable[MODEL_TASKS], count = 0;
    bool opened = false;
    for (int i = 0; i < model->task_count; i++) {
        const struct model_task *task = &model->tasks[i];
        opened = opened || task->opened;
        if (task->at_gate && !task->opened && model->programs[i][task->next].what != 0)
            openable[count++] = i;
    }
    const bool settles = opened, advances = !opened && model_next_deadline(model) != MODEL_NEVER;
    if (count == 0 && !settles && !advances)
        return false;
    const int chosen = model_choose(model, count + (settles || advances));
    if (chosen < count) {
        model_open(model, openable[chosen]);
    } else if (settles) {
        model_note(model, ";");
        model_settle(model);
    } else {
        model_advance(model);
    }
    return true;
}

static void *model_control(void *arg) {
    struct model *model = (struct model *)arg;
    for (int i = 0; i < model->task_count; i++)
        model->tasks[i].co = co_spawn(model_task_body, &model->tasks[i]);
    model_settle(model);
    while (model->failure[0] == '\0' && model_step(model))
        continue;
    for (int i = 0; i < model->task_count; i++) {
        model_cancel(model, i);
        co_cancel(model->tasks[i].co);
    }
    model_settle(model);
    model->ending = true;
    for (int i = 0; i < model->task_count; i++)
        co_unpark(model->tasks[i].co);
    for (int i = 0; i < model->task_count; i++)
        co_join(model->tasks[i].co, NULL, CO_NEVER);
    return NULL;
}

static inline void model_run_once(struct model *model) {
    const co_run_options_t options = {.flags = CO_RUN_VIRTUAL_CLOCK | CO_RUN_QUIET};
    memset(model->tasks, 0, sizeof model->tasks);
    model->now = model->waits = model->choice = 0;
    model->ending = false;
    model->schedule[0] = '\0';
    for (int i = 0; i < model->task_count; i++) {
        model->tasks[i].model = model;
        model->tasks[i].number = i;
    }
    model->begin(model);
    const int status = co_run_with(&options, model_control, model, NULL);
    if (status != 0)
        model_fail(model, "co_run answers %d", status);
    model->end(model);
    model->schedules++;
}

/* Whether there is another schedule to try: the last choice that has an alternative takes it. */
static inline bool model_backtrack(struct model *model) {
    while (model->choice_count > 0) {
        if (++model->choices[model->choice_count - 1].chosen < model->choices[model->choice_count - 1].count)
            return true;
        model->choice_count--;
    }
    return false;
}

/* Gives every call without a value one of its own, from 1 on. */
static inline void model_number_calls(struct model *model) {
    int value = 0;
    for (int i = 0; i < model->task_count; i++)
        for (struct model_call *call = model->programs[i]; call->what != 0; call++)
            if (++value, call->value == 0)
                call->value = value;
}

static inline void model_print_failure(const struct model *model) {
    print_error("%s: %s\nafter%s\n", model->name, model->failure, model->schedule);
    for (int i = 0; i < model->task_count; i++) {
        print_error("task %d:", i);
        for (const struct model_call *call = model->programs[i]; call->what != 0; call++)
            print_error(" {what %d, object %d, deadline %d, value %d}", call->what, call->object, call->deadline,
                        call->value);
        print_error("\n");
    }
}

/* Tries all schedules of the programs. */
static inline void model_try_all(struct model *model) {
    model_number_calls(model);
    do {
        model_run_once(model);
        if (model->failure[0] != '\0') {
            model_print_failure(model);
            fail();
        }
    } while (model_backtrack(model));
}

static inline void model_check(struct model *model) {
    model_try_all(model);
    print_message("%s: %lu schedules\n", model->name, model->schedules);
}

/* Tries all schedules of all programs of `length` calls from the `count` that `calls` holds, for every task from `from`
 * on; the programs of the others stay. */
static inline void model_check_programs(struct model *model, int from, int length, const struct model_call *calls,
                                        int count) {
    int digits[MODEL_TASKS * MODEL_CALLS] = {0};
    const int digit_count = (model->task_count - from) * length;
    unsigned long programs = 0;
    struct model_call kept[MODEL_TASKS][MODEL_CALLS + 1];
    memcpy(kept, model->programs, sizeof kept);
    for (;;) {
        int digit = 0;
        memcpy(model->programs, kept, sizeof kept);
        for (int i = 0; i < digit_count; i++)
            model->programs[from + i / length][i % length] = calls[digits[i]];
        for (int i = from; i < model->task_count; i++)
            memset(&model->programs[i][length], 0, sizeof model->programs[i][length]);
        model_try_all(model);
        programs++;
        while (digit < digit_count && ++digits[digit] == count)
            digits[digit++] = 0;
        if (digit == digit_count)
            break;
    }
    print_message("%s: %lu schedules of %lu programs\n", model->name, model->schedules, programs);
}

#endif
