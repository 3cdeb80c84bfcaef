/* A record of what runs when, for people to look at: JSON of the Trace Event Format (Google, "Trace Event Format",
 * docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU), in its form of an object.
 *
 * Every task is a track: its number is the `tid`, and a metadata event gives the track the task's name or, if it has
 * none, the place where it was spawned. On a track there are
 *
 *     B E   a turn, "run"; and a wait, under the name of the blocking call, until whatever wakes the task
 *     i     instants: "spawn", "end", "closed" (in a deadlock)
 *     s f   arrows: from who spawns to the first turn, and from who wakes to the end of the wait
 *
 * Between a wait and the next turn, and between two turns, a task is able to run. `pid` is always 1, so that two runs
 * of one program with one seed and the virtual clock are two equal records.
 *
 * Records are written as they come, in pieces, by whoever spawns, wakes or has ended its turn: nothing is allocated,
 * and of the stack little is used. When writing fails, the record ends where it is. */
#include "task.h"
#include "text.h"

#include <errno.h>

/* ---- Pieces ------------------------------------------------------------------------------------------------------ */

static void put(struct co__sched *sched, const char *text) {
    if (sched->trace != NULL && fputs(text, sched->trace) == EOF)
        sched->trace = NULL;
}

static void put_number(struct co__sched *sched, uint64_t number) {
    char memory[24];
    struct co__text text;
    co__text_begin(&text, memory, sizeof memory);
    co__text_decimal(&text, number);
    put(sched, memory);
}

/* How many bytes the UTF-8 character at `bytes` has; 0 if it is none (RFC 3629, section 4). */
static unsigned character_bytes(const unsigned char *bytes) {
    const unsigned char first = bytes[0];
    unsigned char low = 0x80, high = 0xbf; /* of the second byte */
    unsigned count;
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    count = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (first == 0xe0)
        low = 0xa0;
    else if (first == 0xed)
        high = 0x9f;
    else if (first == 0xf0)
        low = 0x90;
    else if (first == 0xf4)
        high = 0x8f;
    for (unsigned i = 1; i < count; i++, low = 0x80, high = 0xbf)
        if (bytes[i] < low || bytes[i] > high)
            return 0;
    return count;
}

/* A JSON string (RFC 8259, section 7). Bytes that are no UTF-8 become replacement characters. */
static void put_string(struct co__sched *sched, const char *string) {
    const unsigned char *bytes = (const unsigned char *)string;
    put(sched, "\"");
    while (*bytes != 0) {
        unsigned count = character_bytes(bytes);
        char piece[] = {'\\', 'u', '0', '0', '0', '0', 0};
        if (count == 0) {
            put(sched, "\\ufffd");
            count = 1;
        } else if (*bytes < ' ' || *bytes == 0x7f || *bytes == '"' || *bytes == '\\') {
            piece[4] = "0123456789abcdef"[*bytes / 16];
            piece[5] = "0123456789abcdef"[*bytes % 16];
            put(sched, piece);
        } else {
            for (unsigned i = 0; i < count; i++)
                piece[i] = (char)bytes[i];
            piece[count] = 0;
            put(sched, piece);
        }
        bytes += count;
    }
    put(sched, "\"");
}

/* ---- Events ------------------------------------------------------------------------------------------------------ */

/* What every event has, but for the name that an end (E) takes from its beginning: viewers take an end with another
 * name for that of something else. The caller closes the brace. */
static void put_event(struct co__sched *sched, const char *phase, uint64_t track, const char *name, int64_t now) {
    const uint64_t time = now > 0 ? (uint64_t)now : 0;
    const char fraction[] = {'.', (char)('0' + time / 100 % 10), (char)('0' + time / 10 % 10), (char)('0' + time % 10),
                             0};
    put(sched, ",\n{\"ph\":\"");
    put(sched, phase);
    put(sched, "\",\"pid\":1,\"tid\":");
    put_number(sched, track);
    put(sched, ",\"ts\":"); /* microseconds */
    put_number(sched, time / 1000);
    put(sched, fraction);
    if (name != NULL) {
        put(sched, ",\"cat\":\"task\",\"name\":");
        put_string(sched, name);
    }
}

static void put_plain(struct co__sched *sched, const char *phase, uint64_t track, const char *name, int64_t now) {
    put_event(sched, phase, track, name, now);
    put(sched, "}");
}

static void put_instant(struct co__sched *sched, const struct co__task *task, const char *name, int64_t now) {
    put_event(sched, "i", task->number, name, now);
    put(sched, ",\"s\":\"t\"");
}

/* From the task whose turn it is, if there is one. `end` is what an arrow's end has beside the name. */
static void put_arrow(struct co__sched *sched, const struct co__task *to, const char *name, uint64_t id,
                      const char *end, int64_t now) {
    if (sched->traced == 0)
        return;
    for (int i = 0; i < 2; i++) {
        put_event(sched, i == 0 ? "s" : "f", i == 0 ? sched->traced : to->number, name, now);
        put(sched, ",\"id\":");
        put_number(sched, id);
        put(sched, i == 0 ? "}" : end);
    }
}

static void put_status(struct co__sched *sched, int status) {
    put(sched, ",\"args\":{\"status\":");
    put(sched, status < 0 ? "-" : "");
    put_number(sched, (uint64_t)(status < 0 ? -(int64_t)status : status));
    put(sched, "}}");
}

static void put_label(struct co__sched *sched, const struct co__task *task) {
    const struct co__block *block = co__block_of(task->co);
    const char *label = block->name != NULL ? block->name : block->site;
    if (label != NULL) {
        put_string(sched, label);
    } else {
        put(sched, "\"task ");
        put_number(sched, task->number);
        put(sched, "\"");
    }
}

static void spawned(struct co__sched *sched, const struct co__task *task, int64_t now) {
    const struct co__block *block = co__block_of(task->co);
    put(sched, ",\n{\"ph\":\"M\",\"pid\":1,\"tid\":");
    put_number(sched, task->number);
    put(sched, ",\"name\":\"thread_name\",\"args\":{\"name\":");
    put_label(sched, task);
    put(sched, "}}");
    put_instant(sched, task, "spawn", now);
    if (block->site != NULL) {
        put(sched, ",\"args\":{\"site\":");
        put_string(sched, block->site);
        put(sched, "}");
    }
    put(sched, "}");
    put_arrow(sched, task, "spawn", task->number, "}", now); /* to the turn that begins next */
}

/* The wait ends. An end that binds to what encloses it points to the wait. */
static void woken(struct co__sched *sched, const struct co__task *task, int64_t now) {
    put_arrow(sched, task, "wake", sched->wakes, ",\"bp\":\"e\"}", now);
    put_event(sched, "E", task->number, NULL, now);
    put_status(sched, task->status);
}

static void parked(struct co__sched *sched, const struct co__task *task, int64_t now) {
    put_event(sched, "B", task->number, task->waits_for, now);
    put(sched, ",\"args\":{");
    if (task->joining != NULL) {
        put(sched, "\"task\":");
        put_number(sched, task->joining->number);
        put(sched, ",\"name\":");
        put_label(sched, task->joining);
    } else if (task->object != NULL) {
        char memory[24];
        struct co__text text;
        co__text_begin(&text, memory, sizeof memory);
        co__text_hex(&text, (uintptr_t)task->object);
        put(sched, "\"object\":");
        put_string(sched, memory);
    }
    put(sched, "}}");
}

/* ---- What sched.c and task.c tell ----------------------------------------------------------------------------------
 */

void co__trace(struct co__sched *sched, const struct co__task *task, enum co__trace_event event) {
    if (sched->trace == NULL || !sched->tracing)
        return;
    const int64_t now = co__sched_clock(sched);
    const int kept_errno = errno;
    switch (event) {
    case CO__TRACE_SPAWN:
        spawned(sched, task, now);
        break;
    case CO__TRACE_WAKE:
        woken(sched, task, now);
        break;
    case CO__TRACE_RUN:
        sched->traced = task->number;
        put_plain(sched, "B", task->number, "run", now);
        break;
    case CO__TRACE_LEAVE:
        put_plain(sched, "E", sched->traced, NULL, now);
        sched->traced = 0;
        if (task != NULL && co__task_waits(task))
            parked(sched, task, now);
        break;
    case CO__TRACE_END:
    case CO__TRACE_CLOSED:
        if (event == CO__TRACE_CLOSED)
            put_plain(sched, "E", task->number, NULL, now);
        put_instant(sched, task, event == CO__TRACE_END ? "end" : "closed", now);
        put_status(sched, task->status);
        break;
    }
    errno = kept_errno;
}

void co__trace_begin(struct co__sched *sched) {
    if (sched->trace == NULL)
        return;
    sched->tracing = 1;
    put(sched, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n"
               "{\"ph\":\"M\",\"pid\":1,\"tid\":0,\"name\":\"process_name\",\"args\":{\"name\":\"co_run\"}}");
    co__trace(sched, sched->first, CO__TRACE_SPAWN);
}

void co__trace_end(struct co__sched *sched) {
    put(sched, "\n]}\n");
    if (sched->trace != NULL)
        (void)fflush(sched->trace);
    sched->trace = NULL;
}
