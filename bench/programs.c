/* Peers that are other programs: interpreters with generators, coroutines or tasks of their own, running a script of
 * the same work, and one that its own compiler has made. One process each, started when it is first asked, and waiting
 * at its standard input between two repetitions; it measures its own processor time. */
#define _GNU_SOURCE
#include "programs.h"
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static struct process {
    const bench_program_t *program;
    pid_t pid; /* -1: there is none */
    FILE *in, *out;
} processes[8];

/* A program greets with the name and version of what runs it. */
static void start(struct process *process, const bench_program_t *program) {
    char path[4096];
    char *arguments[] = {(char *)(uintptr_t)program->program, program->script ? path : NULL, NULL};
    int in[2], out[2];
    posix_spawn_file_actions_t actions;
    if (snprintf(path, sizeof path, "%s/%s", BENCH_SCRIPTS, program->script ? program->script : "") >= (int)sizeof path)
        bench_fail("the path of the scripts is too long");
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
        bench_fail("pipe2");
    process->program = program;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    int error = posix_spawnp(&process->pid, program->program, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    process->in = fdopen(in[1], "w");
    process->out = fdopen(out[0], "r");
    if (!process->in || !process->out)
        bench_fail("fdopen");
    char greeting[128] = "";
    if (error == 0 && !fgets(greeting, sizeof greeting, process->out)) {
        waitpid(process->pid, NULL, 0);
        error = ENOEXEC;
    }
    if (error == 0) {
        fprintf(stderr, "# %s is %s", program->name, greeting);
        return;
    }
    fprintf(stderr, "# no rows of %s: %s: %s\n", program->name, program->program, strerror(error));
    fclose(process->in);
    fclose(process->out);
    process->pid = -1;
}

static struct process *process_of(const bench_program_t *program) {
    size_t i = 0;
    while (i < sizeof processes / sizeof *processes && processes[i].program != NULL && processes[i].program != program)
        i++;
    if (i == sizeof processes / sizeof *processes)
        bench_fail("more programs than programs.c has room for");
    if (processes[i].program == NULL)
        start(&processes[i], program);
    return &processes[i];
}

bench_program_answer_t bench_program_run(const bench_program_t *program, const char *work, long n, long size) {
    struct process *process = process_of(program);
    bench_program_answer_t answer = {-1, 0, 0};
    if (process->pid == -1)
        return answer;
    if (fprintf(process->in, "%s %ld %ld\n", work, n, size) < 0 || fflush(process->in) != 0 ||
        fscanf(process->out, "%lf %lf %lf", &answer.ns, &answer.sum, &answer.bytes) != 3) {
        errno = EPIPE;
        bench_fail(program->name);
    }
    if (answer.ns < 0)
        fprintf(stderr, "# no row of %s: it fails at %s %ld\n", program->name, work, size);
    return answer;
}

void bench_programs_end(void) {
    for (size_t i = 0; i < sizeof processes / sizeof *processes; i++)
        if (processes[i].program != NULL && processes[i].pid != -1) {
            fclose(processes[i].in); /* which is what the script waits for */
            fclose(processes[i].out);
            waitpid(processes[i].pid, NULL, 0);
            processes[i].program = NULL;
        }
}
