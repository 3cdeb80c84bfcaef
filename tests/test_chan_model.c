/* All schedules of two and three tasks on one and two channels, compared with a reference: a list of what the channel
 * holds, and one of who waits, in the order in which they came. Catches an item that is lost, doubled or out of order,
 * a wake of the wrong task, an entry that stays in a queue, and an answer that a cancel or a deadline changes after the
 * call was done. */
#define _GNU_SOURCE
#include "depth.h"
#include "model.h"

#include <co/chan.h>

enum { CHANNELS = 2, VALUES = MODEL_TASKS * MODEL_CALLS + 1, CASES = 3 };

enum { SEND = 1, RECEIVE, CLOSE, SELECT }; /* SELECT + i: the i-th of `selects` */

struct one_case {
    bool sends;
    int chan;
};

static const struct {
    int count;
    struct one_case cases[CASES];
} selects[] = {
    {2, {{false, 0}, {false, 1}}},            /* receive from either */
    {2, {{true, 0}, {false, 0}}},             /* on one channel, whichever comes */
    {2, {{true, 0}, {true, 1}}},              /* send to either */
    {3, {{false, 0}, {true, 1}, {false, 0}}}, /* one channel twice */
    {1, {{false, 0}}},
};

/* ---- The reference ----------------------------------------------------------------------------------------------- */

struct channel {
    size_t capacity;
    bool closed;
    int items[VALUES], count;
    int done[2]; /* when a select has last sent and received */
};

struct entry {
    int task, index; /* index: of the case, -1 for a plain call */
    struct one_case on;
    int value;
};

static struct channel channels[CHANNELS];
static struct entry waiting[MODEL_TASKS * CASES];
static int waiting_count, done;

static size_t capacities[CHANNELS]; /* of the scenario, */
static int depth;                   /* and how deep its calls are made */

/* What a call answers of which one case happened, as one number. */
static int answer_of(int index, int status, int value) {
    if (index < 0)
        return status == 1 ? 1000 + value : status;
    return 10000 * (index + 1) + (status == 1 ? 1000 + value : status == 0 ? 0 : 5000);
}

static void withdraw(struct model *model, int task) {
    int kept = 0;
    (void)model;
    for (int i = 0; i < waiting_count; i++)
        if (waiting[i].task != task)
            waiting[kept++] = waiting[i];
    waiting_count = kept;
}

static void happened(struct model *model, struct entry entry, int status, int value) {
    withdraw(model, entry.task);
    if (entry.index >= 0)
        channels[entry.on.chan].done[entry.on.sends] = ++done;
    model_answer(model, entry.task, answer_of(entry.index, status, value));
}

static const struct entry *first_waiting(bool sends, int chan) {
    for (int i = 0; i < waiting_count; i++)
        if (waiting[i].on.sends == sends && waiting[i].on.chan == chan)
            return &waiting[i];
    return NULL;
}

static bool possible(struct one_case on) {
    const struct channel *channel = &channels[on.chan];
    if (channel->closed || first_waiting(!on.sends, on.chan) != NULL)
        return true;
    return on.sends ? (size_t)channel->count < channel->capacity : channel->count > 0;
}

static void send_now(struct model *model, struct entry entry) {
    struct channel *channel = &channels[entry.on.chan];
    const struct entry *receiver = first_waiting(false, entry.on.chan);
    if (channel->closed) {
        happened(model, entry, -EPIPE, 0);
        return;
    }
    if (receiver != NULL)
        happened(model, *receiver, 1, entry.value);
    else
        channel->items[channel->count++] = entry.value;
    happened(model, entry, 0, 0);
}

/* A sender that waits is in line behind the items. */
static void receive_now(struct model *model, struct entry entry) {
    struct channel *channel = &channels[entry.on.chan];
    const struct entry *sender = first_waiting(true, entry.on.chan);
    if (sender != NULL) {
        channel->items[channel->count++] = sender->value;
        happened(model, *sender, 0, 0);
    }
    if (channel->count == 0) {
        happened(model, entry, 0, 0);
        return;
    }
    const int value = channel->items[0];
    memmove(channel->items, channel->items + 1, (size_t)--channel->count * sizeof channel->items[0]);
    happened(model, entry, 1, value);
}

static void close_now(struct model *model, int task, int chan) {
    const struct entry *entry;
    channels[chan].closed = true;
    while ((entry = first_waiting(false, chan)) != NULL)
        happened(model, *entry, 0, 0);
    while ((entry = first_waiting(true, chan)) != NULL)
        happened(model, *entry, -EPIPE, 0);
    model_answer(model, task, 0);
}

/* Of the cases that are possible, whose channel was not chosen for longest; of equal ones the next in turn. */
static void refer(struct model *model, int task, const struct model_call *call) {
    struct entry entries[CASES] = {{task, -1, {call->what == SEND, call->object}, call->value}};
    int count = 1, best = -1;
    if (call->what == CLOSE) {
        close_now(model, task, call->object);
        return;
    }
    if (call->what >= SELECT) {
        count = selects[call->what - SELECT].count;
        for (int i = 0; i < count; i++)
            entries[i] = (struct entry){task, i, selects[call->what - SELECT].cases[i], call->value};
    }
    for (int i = 0, at = done % count; i < count; i++, at = (at + 1) % count) {
        const struct one_case on = entries[at].on;
        if (possible(on) && (best < 0 || channels[on.chan].done[on.sends] <
                                             channels[entries[best].on.chan].done[entries[best].on.sends]))
            best = at;
    }
    if (best < 0) {
        for (int i = 0; i < count; i++)
            waiting[waiting_count++] = entries[i];
    } else if (entries[best].on.sends) {
        send_now(model, entries[best]);
    } else {
        receive_now(model, entries[best]);
    }
}

/* ---- The library ------------------------------------------------------------------------------------------------- */

static co_chan_t *chans[CHANNELS];
static int sent[VALUES], received[VALUES];

struct made {
    const struct model_call *call;
    int answer;
};

static int select_call(const struct model_call *call) {
    const int count = selects[call->what - SELECT].count;
    co_select_case_t cases[CASES];
    int items[CASES];
    for (int i = 0; i < count; i++) {
        const struct one_case on = selects[call->what - SELECT].cases[i];
        items[i] = on.sends ? call->value : 0;
        cases[i] = on.sends ? co_case_send(chans[on.chan], &items[i]) : co_case_receive(chans[on.chan], &items[i]);
        cases[i].status = 77;
    }
    const int index = co_select(cases, (size_t)count, model_deadline(call->deadline));
    for (int i = 0; i < count; i++)
        if (i != index &&
            (cases[i].status != 77 || items[i] != (cases[i].direction == CO_SELECT_SEND ? call->value : 0)))
            return -1; /* something was written that must not be */
    if (index < 0)
        return index;
    const bool sends = cases[index].direction == CO_SELECT_SEND;
    if (sends && cases[index].status == 0)
        sent[call->value]++;
    if (!sends && cases[index].status == 1)
        received[items[index]]++;
    return answer_of(index, cases[index].status, sends ? 0 : items[index]);
}

static void make_call(void *arg) {
    struct made *made = arg;
    const struct model_call *call = made->call;
    int item = call->what == SEND ? call->value : 0;
    int status;
    if (call->what >= SELECT) {
        made->answer = select_call(call);
    } else if (call->what == CLOSE) {
        made->answer = co_chan_close(chans[call->object]);
    } else if (call->what == SEND) {
        status = co_chan_send(chans[call->object], &item, model_deadline(call->deadline));
        sent[item] += status == 0;
        made->answer = status;
    } else {
        status = co_chan_receive(chans[call->object], &item, model_deadline(call->deadline));
        received[item] += status == 1;
        made->answer = status == 1 ? answer_of(-1, 1, item) : status;
    }
}

static int call(struct model *model, int task, const struct model_call *what) {
    struct made made = {what, 0};
    (void)model, (void)task;
    at_depth(depth, make_call, &made);
    return made.answer;
}

static void begin(struct model *model) {
    (void)model;
    memset(channels, 0, sizeof channels);
    memset(sent, 0, sizeof sent);
    memset(received, 0, sizeof received);
    waiting_count = done = 0;
    for (int i = 0; i < CHANNELS; i++) {
        channels[i].capacity = capacities[i];
        chans[i] = co_chan_create(sizeof(int), capacities[i]);
        assert_non_null(chans[i]);
    }
}

/* Nothing is lost: what was sent was received once, or the channel holds it. */
static void end(struct model *model) {
    size_t held = 0;
    for (int value = 0; value < VALUES; value++) {
        if (received[value] > sent[value] || sent[value] > 1)
            model_fail(model, "%d was sent %d times and received %d times", value, sent[value], received[value]);
        held += (size_t)(sent[value] - received[value]);
    }
    for (int i = 0; i < CHANNELS; i++) {
        if (co_chan_count(chans[i]) != (size_t)channels[i].count)
            model_fail(model, "channel %d holds %zu items instead of %d", i, co_chan_count(chans[i]),
                       channels[i].count);
        held -= co_chan_count(chans[i]);
        if (co_chan_destroy(chans[i]) != 0)
            model_fail(model, "channel %d is waited on by nobody, and cannot be destroyed", i);
    }
    if (held != 0)
        model_fail(model, "items that were sent are neither received nor held");
}

/* ---- Scenarios --------------------------------------------------------------------------------------------------- */

#define MODEL .begin = begin, .call = call, .refer = refer, .withdraw = withdraw, .end = end

/* Where it would take long there are fewer capacities and shorter programs. */
#define CAPACITIES (is_slow() ? 1 : 2)
#define LONGEST (is_slow() ? 2 : 3)

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

static void try_programs(const char *name, int task_count, int from, const struct model_call (*fixed)[MODEL_CALLS + 1],
                         int length, const struct model_call *calls, int count) {
    struct model model = {.name = name, .task_count = task_count, MODEL};
    for (int i = 0; i < from; i++)
        memcpy(model.programs[i], fixed[i], sizeof fixed[i]);
    model_check_programs(&model, from, length, calls, count);
}

/* Every program of sends, receives and closes that wait as long as it takes. */
static void test_sends_receives_and_closes(void **state) {
    static const struct model_call calls[] = {
        {SEND, 0, MODEL_NEVER, 0}, {RECEIVE, 0, MODEL_NEVER, 0}, {CLOSE, 0, MODEL_NOT_BLOCKING, 0}};
    (void)state;
    for (capacities[0] = 0; capacities[0] <= CAPACITIES; capacities[0]++)
        try_programs("three tasks, two calls each", 3, 0, NULL, 2, calls, 2);
    for (capacities[0] = 0; capacities[0] < CAPACITIES; capacities[0]++) {
        try_programs("two tasks, two or three calls each", 2, 0, NULL, LONGEST, calls, 3);
        try_programs("four tasks, one call each", 4, 0, NULL, 1, calls, 3);
    }
}

/* Deadlines that have passed, and such that come. */
static void test_deadlines(void **state) {
    static const struct model_call calls[] = {
        {SEND, 0, 0, 0}, {SEND, 0, 1, 0}, {SEND, 0, 2, 0}, {RECEIVE, 0, 0, 0}, {RECEIVE, 0, 1, 0}, {RECEIVE, 0, 2, 0},
    };
    (void)state;
    for (capacities[0] = 0; capacities[0] < CAPACITIES; capacities[0]++) {
        try_programs("two tasks with deadlines", 2, 0, NULL, 2, calls, 6);
        try_programs("three tasks with deadlines", 3, 0, NULL, 1, calls, 6);
    }
}

/* A task that cancels the others, each once. */
static void test_cancels(void **state) {
    static const struct model_call canceller[][MODEL_CALLS + 1] = {
        {{MODEL_CANCEL, 1, MODEL_NOT_BLOCKING, 0}, {MODEL_CANCEL, 2, MODEL_NOT_BLOCKING, 0}}};
    static const struct model_call calls[] = {{SEND, 0, MODEL_NEVER, 0}, {RECEIVE, 0, MODEL_NEVER, 0}};
    static const struct model_call deadlines[] = {{SEND, 0, MODEL_NEVER, 0}, {RECEIVE, 0, 1, 0}};
    (void)state;
    for (capacities[0] = 0; capacities[0] < CAPACITIES; capacities[0]++) {
        try_programs("two tasks and one that cancels them", 3, 1, canceller, 2, calls, 2);
        try_programs("the same with deadlines", 3, 1, canceller, 2, deadlines, 2);
    }
}

/* Every select, with two tasks that do anything to its channels. */
static void test_selects(void **state) {
    static const struct model_call calls[] = {
        {SEND, 0, MODEL_NEVER, 0},    {SEND, 1, MODEL_NEVER, 0},         {RECEIVE, 0, MODEL_NEVER, 0},
        {RECEIVE, 1, MODEL_NEVER, 0}, {CLOSE, 0, MODEL_NOT_BLOCKING, 0},
    };
    (void)state;
    for (size_t i = 0; i < CAPACITIES * CAPACITIES; i++) {
        capacities[0] = i % 2;
        capacities[1] = i / 2;
        for (int which = 0; which < COUNT(selects); which++) {
            const struct model_call twice[][MODEL_CALLS + 1] = {
                {{SELECT + which, 0, MODEL_NEVER, 0}, {SELECT + which, 0, MODEL_NEVER, 0}}};
            try_programs("a select made twice, and one task", 2, 1, twice, 3, calls, 5);
            const struct model_call once[][MODEL_CALLS + 1] = {{{SELECT + which, 0, i == 1 ? 1 : MODEL_NEVER, 0}}};
            try_programs("a select, and two tasks", 3, 1, once, 1, calls, 5);
        }
    }
}

/* Selects that meet each other. */
static void test_selects_among_themselves(void **state) {
    static const struct model_call calls[] = {
        {SELECT, 0, MODEL_NEVER, 0},     {SELECT + 1, 0, MODEL_NEVER, 0}, {SELECT + 2, 0, MODEL_NEVER, 0},
        {SELECT + 3, 0, MODEL_NEVER, 0}, {SELECT + 1, 0, 1, 0},           {SELECT + 2, 0, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < CAPACITIES * CAPACITIES; i++) {
        capacities[0] = i % 2;
        capacities[1] = i / 2;
        try_programs("two tasks that select twice", 2, 0, NULL, 2, calls, COUNT(calls));
        try_programs("three tasks that select once", 3, 0, NULL, 1, calls, COUNT(calls));
    }
}

/* A select that is cancelled while others serve it. */
static void test_selects_and_cancels(void **state) {
    static const struct model_call calls[] = {
        {SEND, 0, MODEL_NEVER, 0}, {RECEIVE, 1, MODEL_NEVER, 0}, {SELECT + 1, 0, MODEL_NEVER, 0}};
    (void)state;
    capacities[0] = capacities[1] = 0;
    for (int which = 0; which < 4; which++) {
        const struct model_call fixed[][MODEL_CALLS + 1] = {
            {{MODEL_CANCEL, 1, MODEL_NOT_BLOCKING, 0}, {CLOSE, 0, MODEL_NOT_BLOCKING, 0}},
            {{SELECT + which, 0, MODEL_NEVER, 0}, {SELECT + which, 0, 1, 0}}};
        try_programs("a select that is cancelled, and one task", 3, 2, fixed, 2, calls, 3);
    }
}

/* The same in coroutines and generators: nothing depends on where in a task a call is made. */
static void test_at_depth(void **state) {
    static const struct model_call calls[] = {
        {SEND, 0, MODEL_NEVER, 0}, {RECEIVE, 0, 1, 0}, {SELECT + 1, 0, MODEL_NEVER, 0}};
    static const struct model_call canceller[][MODEL_CALLS + 1] = {{{MODEL_CANCEL, 1, MODEL_NOT_BLOCKING, 0}}};
    static const int depths[] = {1, 10};
    (void)state;
    for (int i = 0; i < COUNT(depths); i++) {
        depth = depths[i];
        capacities[0] = 0;
        try_programs("a level deep, or ten", 2, 0, NULL, 2, calls, 3);
        try_programs("a level deep, or ten, with cancels", 3, 1, canceller, 1, calls, 3);
    }
    depth = 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sends_receives_and_closes),
        cmocka_unit_test(test_deadlines),
        cmocka_unit_test(test_cancels),
        cmocka_unit_test(test_selects),
        cmocka_unit_test(test_selects_among_themselves),
        cmocka_unit_test(test_selects_and_cancels),
        cmocka_unit_test(test_at_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
