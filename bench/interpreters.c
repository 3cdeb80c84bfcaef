/* Peers that are other programs: interpreters with generators or coroutines of their own, running a script of the same
 * work. One process each, started when it is first asked, and waiting at its standard input between two repetitions; it
 * measures its own processor time. */
#define _GNU_SOURCE
#include "generators.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

const bench_generator_peer_t bench_cpython_generators = {
    .name = "cpython", .slowness = 20, .passes_on = 1, .script = "generators.py", .program = "python3"};
const bench_generator_peer_t bench_lua_generators = {
    .name = "lua", .slowness = 40, .passes_on = 1, .script = "generators.lua", .program = "lua5.4"};
const bench_generator_peer_t bench_luajit_generators = {
    .name = "luajit", .slowness = 20, .passes_on = 1, .script = "generators.lua", .program = "luajit"};

static struct process {
    const bench_generator_peer_t *peer;
    pid_t pid; /* -1: there is none */
    FILE *in, *out;
} processes[3];

/* A script greets with the name and version of its interpreter. */
static void start(struct process *process, const bench_generator_peer_t *peer) {
    char path[4096];
    char *arguments[] = {(char *)(uintptr_t)peer->program, path, NULL};
    int in[2], out[2];
    posix_spawn_file_actions_t actions;
    if (snprintf(path, sizeof path, "%s/%s", BENCH_SCRIPTS, peer->script) >= (int)sizeof path)
        bench_fail("the path of the scripts is too long");
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
        bench_fail("pipe2");
    process->peer = peer;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    int error = posix_spawnp(&process->pid, peer->program, &actions, NULL, arguments, environ);
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
        fprintf(stderr, "# %s is %s", peer->name, greeting);
        return;
    }
    fprintf(stderr, "# no rows of %s: %s: %s\n", peer->name, peer->program, strerror(error));
    fclose(process->in);
    fclose(process->out);
    process->pid = -1;
}

static struct process *process_of(const bench_generator_peer_t *peer) {
    struct process *process = processes;
    while (process->peer != NULL && process->peer != peer)
        process++;
    if (process->peer == NULL)
        start(process, peer);
    return process;
}

long bench_interpreter_run(const bench_generator_peer_t *peer, const char *work, long n, long depth, double *ns) {
    struct process *process = process_of(peer);
    double sum;
    if (process->pid == -1) {
        *ns = -1;
        return 0;
    }
    if (fprintf(process->in, "%s %ld %ld\n", work, n, depth) < 0 || fflush(process->in) != 0 ||
        fscanf(process->out, "%lf %lf", ns, &sum) != 2) {
        errno = EPIPE;
        bench_fail(peer->name);
    }
    if (*ns < 0)
        fprintf(stderr, "# no row of %s: its script fails at %s, %ld levels\n", peer->name, work, depth);
    return (long)sum;
}

void bench_interpreters_end(void) {
    for (size_t i = 0; i < sizeof processes / sizeof *processes; i++)
        if (processes[i].peer != NULL && processes[i].pid != -1) {
            fclose(processes[i].in); /* which is what the script waits for */
            fclose(processes[i].out);
            waitpid(processes[i].pid, NULL, 0);
            processes[i].peer = NULL;
        }
}
