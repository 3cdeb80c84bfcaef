/* Peers that are other programs: interpreters with a script, and what another compiler has made (programs.c). */
#ifndef BENCH_PROGRAMS_H
#define BENCH_PROGRAMS_H

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bench_program {
    const char *name;    /* of its rows */
    const char *program; /* a path, or a name to be found on the PATH */
    const char *script;  /* what it is to run; NULL: it needs nothing */
} bench_program_t;

/* What one repetition has come to. */
typedef struct bench_program_answer {
    double ns;  /* processor time; below zero: there is no such program, or it cannot do this, as was said on stderr */
    double sum; /* which the driver checks */
    double bytes; /* of memory, if the work is one that tells it */
} bench_program_answer_t;

/* Has the program do one repetition: `work`, n times, with a second number whose meaning the work knows. */
bench_program_answer_t bench_program_run(const bench_program_t *program, const char *work, long n, long size);
void bench_programs_end(void);

#ifdef __cplusplus
}
#endif

#endif
