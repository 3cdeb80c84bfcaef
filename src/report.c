/* What a scheduler's tasks are doing: co_dump, and the report of a deadlock. Nothing is allocated here; a line is put
 * together on the stack and written by one call. */
#include "describe.h"
#include "task.h"
#include "text.h"

#include <errno.h>
#include <string.h>

/* What the table's lines have in common. */
struct view {
    const struct co__sched *sched;
    const struct co__task *running; /* NULL: none, all of them have parked */
    const char *sp;                 /* where the running one's stack ends, if it executes on its own */
    int64_t now;
};

/* ---- One task ---------------------------------------------------------------------------------------------------- */

enum state { RUNNING, READY, NEW, WAITING, ENDED, CLOSING, STATES };

static const char *const state_names[STATES] = {"running", "ready", "new", "waiting", "ended", "closing"};

static enum state state_of(const struct view *view, const struct co__task *task) {
    if (task->ended || task->orphans != 0) /* but for what it has left */
        return ENDED;
    if (task == view->running)
        return RUNNING;
    if (view->sched->closing)
        return CLOSING;
    if (co__task_waits(task))
        return WAITING;
    const bool begun = task->innermost != task->co || task->co->resumer.base != (const void *)co__entry;
    return begun ? READY : NEW;
}

/* The coroutine in which a task executes; NULL if nothing is known: a task that is being closed has been cut off from
 * those that it had resumed. */
static const co_t *innermost_of(const struct view *view, const struct co__task *task) {
    if (task->ended || view->sched->closing)
        return NULL;
    return task == view->running ? co__current_get() : task->innermost;
}

/* Who has resumed `co`, in which the task executes or which waits for another; NULL: `co` is the task. What a parked
 * coroutine has saved was written by assembly, which MemorySanitizer does not see. */
CO__UNINSTRUMENTED static const co_t *resumer_of(const struct view *view, const struct co__task *task, const co_t *co) {
    if (co == task->co)
        return NULL;
    if (task != view->running && co == task->innermost)
        return ((const struct co__parked *)co->own.sp)->resumer;
    return co__resumer_of(co);
}

/* How much of its own stack a task uses now. */
static size_t stack_used(const struct view *view, const struct co__task *task, const co_t *innermost) {
    const co_t *inner = NULL;
    for (const co_t *co = innermost; co != task->co; co = resumer_of(view, task, co))
        inner = co; /* whom the task itself has resumed, in the end */
    const char *sp = inner != NULL ? inner->resumer.sp : task == view->running ? view->sp : task->co->own.sp;
    return (size_t)((const char *)task->co - sp);
}

/* ---- Cells ------------------------------------------------------------------------------------------------------- */

#define MOST_OF_A_NAME ((size_t)32)
#define NOTHING "-"

static void add_quoted(struct co__text *text, const char *name) {
    co__text_add(text, "\"");
    co__text_quote(text, name, MOST_OF_A_NAME);
    co__text_add(text, "\"");
}

/* In the largest unit of which there is one, without zeros at the end of the fraction. */
static void add_duration(struct co__text *text, int64_t ns) {
    static const char *const units[] = {" ns", " us", " ms", " s"};
    uint64_t whole = ns > 0 ? (uint64_t)ns : 0;
    unsigned thousandths = 0, unit = 0;
    for (; whole >= 1000 && unit < 3; unit++) {
        thousandths = (unsigned)(whole % 1000);
        whole /= 1000;
    }
    co__text_decimal(text, whole);
    if (thousandths != 0) {
        char fraction[] = {'.', (char)('0' + thousandths / 100), (char)('0' + thousandths / 10 % 10),
                           (char)('0' + thousandths % 10), 0};
        for (char *end = fraction + 3; *end == '0'; end--)
            *end = 0;
        co__text_add(text, fraction);
    }
    co__text_add(text, units[unit]);
}

typedef void cell_fn(struct co__text *text, const struct view *view, const struct co__task *task);

static void add_number(struct co__text *text, const struct view *view, const struct co__task *task) {
    (void)view;
    co__text_decimal(text, task->number);
}

static void add_name(struct co__text *text, const struct view *view, const struct co__task *task) {
    const char *name = co__block_of(task->co)->name;
    (void)view;
    if (name != NULL)
        add_quoted(text, name);
}

static void add_state(struct co__text *text, const struct view *view, const struct co__task *task) {
    co__text_add(text, state_names[state_of(view, task)]);
}

/* What a deadline adds to what a task waits for. */
static void add_deadline(struct co__text *text, const struct view *view, const struct co__task *task) {
    if (task->timer != 0) {
        co__text_add(text, " until +");
        add_duration(text, view->sched->timers[task->timer].deadline - view->now);
    }
}

static void add_wait(struct co__text *text, const struct view *view, const struct co__task *task) {
    if (state_of(view, task) != WAITING)
        return;
    co__text_add(text, task->waits_for);
    if (task->joining != NULL) {
        co__text_add(text, " task ");
        co__text_decimal(text, task->joining->number);
        if (co__block_of(task->joining->co)->name != NULL) {
            co__text_add(text, " ");
            add_name(text, view, task->joining);
        }
    } else if (task->object != NULL) {
        co__text_add(text, " ");
        co__text_hex(text, (uintptr_t)task->object);
    }
    add_deadline(text, view, task);
}

static void add_since(struct co__text *text, const struct view *view, const struct co__task *task) {
    if (state_of(view, task) == WAITING)
        add_duration(text, view->now - task->since);
}

static void add_depth(struct co__text *text, const struct view *view, const struct co__task *task) {
    const co_t *innermost = innermost_of(view, task);
    uint64_t depth = 0;
    if (innermost == NULL)
        return;
    for (const co_t *co = innermost; co != task->co; co = resumer_of(view, task, co))
        depth++;
    co__text_decimal(text, depth);
    if (depth != 0 && co__block_of(innermost)->name != NULL) {
        co__text_add(text, " ");
        add_quoted(text, co__block_of(innermost)->name);
    }
}

/* In KiB, rounded up: what a compiler makes of a program changes the bytes. */
static void add_stack(struct co__text *text, const struct view *view, const struct co__task *task) {
    const co_t *innermost = innermost_of(view, task);
    if (innermost != NULL)
        co__text_decimal(text, (stack_used(view, task, innermost) + 1023) / 1024);
    else
        co__text_add(text, NOTHING);
    co__text_add(text, "/");
    co__text_decimal(text, co__described_stack_bytes(co__block_of(task->co)) / 1024);
    co__text_add(text, " KiB");
}

static void add_marks(struct co__text *text, const struct view *view, const struct co__task *task) {
    const struct {
        const char *word;
        bool is_so;
    } marks[] = {{"cancelled", (task->cancelled & ~CO__CANCELLED_FOR_GOOD) != 0},
                 {"shielded", task->shielded != 0},
                 {"detached", task->detached != 0},
                 {"grouped", task->on_end != NULL}};
    (void)view;
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (marks[i].is_so) {
            co__text_add(text, text->length != 0 ? "," : "");
            co__text_add(text, marks[i].word);
        }
}

static void add_site(struct co__text *text, const struct view *view, const struct co__task *task) {
    (void)view;
    co__describe_site(text, co__block_of(task->co));
}

/* ---- The table --------------------------------------------------------------------------------------------------- */

/* Enough for the longest cell: a name of 32 bytes in a wait, and a site. */
#define CELL_BYTES 256
#define LINE_BYTES 768

static const struct column {
    const char *title;
    cell_fn *add;
    bool right; /* aligned at its end */
} columns[] = {
    {"task", add_number, true}, {"name", add_name, false},   {"state", add_state, false},
    {"on", add_wait, false},    {"for", add_since, true},    {"depth", add_depth, false},
    {"stack", add_stack, true}, {"marks", add_marks, false}, {"spawned", add_site, false},
};

enum { COLUMNS = sizeof columns / sizeof columns[0] };

/* In characters, not bytes: names may be UTF-8, of whose bytes all but a character's first begin with 10 (RFC 3629). */
static size_t width_of(const char *cell) {
    size_t width = 0;
    for (; *cell != 0; cell++)
        width += ((unsigned char)*cell & 0xc0) != 0x80;
    return width;
}

static void make_cell(struct co__text *text, char memory[CELL_BYTES], size_t column, const struct view *view,
                      const struct co__task *task) {
    co__text_begin(text, memory, CELL_BYTES);
    if (task == NULL)
        co__text_add(text, columns[column].title);
    else
        columns[column].add(text, view, task);
    if (text->length == 0)
        co__text_add(text, NOTHING);
}

/* The last column needs none. */
static void widen(size_t widths[COLUMNS], const struct view *view, const struct co__task *task) {
    char memory[CELL_BYTES];
    struct co__text cell;
    for (size_t i = 0; i + 1 < COLUMNS; i++) {
        make_cell(&cell, memory, i, view, task);
        const size_t width = width_of(memory);
        widths[i] = width > widths[i] ? width : widths[i];
    }
}

static void pad(struct co__text *line, size_t spaces) {
    while (spaces-- > 0)
        co__text_add(line, " ");
}

/* 0, or what errno says of writing. */
static int put(FILE *file, const struct co__text *text) {
    errno = 0;
    if (fwrite(text->memory, 1, text->length, file) == text->length)
        return 0;
    return errno != 0 ? -errno : -EIO;
}

/* One task's line; NULL: that of the titles. */
static int put_line(FILE *file, const size_t widths[COLUMNS], const struct view *view, const struct co__task *task) {
    char memory[LINE_BYTES], cell_memory[CELL_BYTES];
    struct co__text line, cell;
    co__text_begin(&line, memory, sizeof memory - 1); /* of which the last is the newline's */
    for (size_t i = 0; i < COLUMNS; i++) {
        make_cell(&cell, cell_memory, i, view, task);
        const size_t width = width_of(cell_memory);
        const size_t spaces = i + 1 < COLUMNS && width < widths[i] ? widths[i] - width : 0;
        pad(&line, i == 0 ? 0 : 2);
        pad(&line, columns[i].right ? spaces : 0);
        co__text_add(&line, cell_memory);
        pad(&line, columns[i].right ? 0 : spaces);
    }
    line.bytes = sizeof memory;
    co__text_add(&line, "\n");
    return put(file, &line);
}

/* "3 tasks: 1 running, 2 waiting" */
static int put_count(FILE *file, const struct view *view) {
    size_t counts[STATES] = {0}, all = 0;
    char memory[LINE_BYTES];
    struct co__text text;
    for (const struct co__task *task = view->sched->first; task != NULL; task = task->next, all++)
        counts[state_of(view, task)]++;
    co__text_begin(&text, memory, sizeof memory);
    co__text_add(&text, "libco: ");
    co__text_decimal(&text, all);
    co__text_add(&text, all == 1 ? " task:" : " tasks:");
    const char *separator = " ";
    for (int state = 0; state < STATES; state++)
        if (counts[state] != 0) {
            co__text_add(&text, separator);
            co__text_decimal(&text, counts[state]);
            co__text_add(&text, " ");
            co__text_add(&text, state_names[state]);
            separator = ", ";
        }
    co__text_add(&text, "\n");
    return put(file, &text);
}

static int put_table(FILE *file, const struct view *view) {
    size_t widths[COLUMNS] = {0};
    int status = put_count(file, view);
    widen(widths, view, NULL);
    for (const struct co__task *task = view->sched->first; task != NULL; task = task->next)
        widen(widths, view, task);
    if (status == 0)
        status = put_line(file, widths, view, NULL);
    for (const struct co__task *task = view->sched->first; task != NULL && status == 0; task = task->next)
        status = put_line(file, widths, view, task);
    return status;
}

/* What lies in the FILE's buffer has not been written yet. */
static int flush(FILE *file) {
    errno = 0;
    if (fflush(file) == 0)
        return 0;
    return errno != 0 ? -errno : -EIO;
}

static int put_sentence(FILE *file, const char *sentence) {
    char memory[LINE_BYTES];
    struct co__text text;
    co__text_begin(&text, memory, sizeof memory);
    co__text_add(&text, sentence);
    return put(file, &text);
}

int co_dump(FILE *file) {
    const struct co__sched *sched = co__sched_of_thread();
    const int kept_errno = errno;
    int status;
    if (file == NULL)
        return -EINVAL;
    if (sched == NULL) {
        status = put_sentence(file, "libco: no tasks: this thread is not in co_run\n");
    } else {
        const struct view view = {.sched = sched,
                                  .running = co__task_running(),
                                  .sp = __builtin_frame_address(0),
                                  .now = co__sched_clock(sched)};
        status = put_table(file, &view);
    }
    if (status == 0)
        status = flush(file);
    errno = kept_errno;
    return status;
}

/* Errors of writing have nobody whom they could be told. */
void co__report_deadlock(struct co__sched *sched) {
    FILE *file = sched->report != NULL ? sched->report : stderr;
    const struct view view = {.sched = sched, .now = co__sched_clock(sched)};
    if ((sched->flags & CO_RUN_QUIET) != 0)
        return;
    if (put_sentence(file, "libco: deadlock: none of these tasks can ever go on, and all are closed.\n") == 0 &&
        put_table(file, &view) == 0)
        (void)flush(file);
}
