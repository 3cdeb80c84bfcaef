/* Catches a thread-local address that is kept over a switch, in the header, in the library or in assembly: two threads
 * hand coroutines back and forth, and after each switch everything must be that of the thread which the code is on now.
 *
 * Compiled with: -fPIC */
#define _POSIX_C_SOURCE 200809L
#include "test.h"

#include <pthread.h>

#include "thread_local_address.h"

#define ROUNDS 1500

/* Two threads take turns; whoever has the turn resumes. */
struct game {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int turn, over;
    struct moved moved;
    unsigned long errors[2], resumes[2];
};

struct player {
    struct game *game;
    int number;
};

/* Resumes once, and looks at its own thread afterwards. */
static int resume_once(struct game *game, int number) {
    struct moved *moved = &game->moved;
    unsigned long *errors = &game->errors[number];
    moved->resumer_errno = here_errno();
    moved->resumer_words = here_words();
    int status = co_resume(moved->co, NULL, NULL);
    if (here_errno() != moved->resumer_errno || here_words() != moved->resumer_words)
        (*errors)++;
    if (here_self() != NULL || co_self() != NULL)
        (*errors)++;
    game->resumes[number]++;
    return status;
}

static void *play(void *argument) {
    struct player *player = argument;
    struct game *game = player->game;
    pthread_mutex_lock(&game->mutex);
    while (!game->over) {
        if (game->turn != player->number) {
            /* While the other thread has it, this one runs no coroutine. */
            if (here_self() != NULL)
                game->errors[player->number]++;
            pthread_cond_wait(&game->changed, &game->mutex);
            continue;
        }
        game->over = resume_once(game, player->number) != CO_YIELDED;
        game->turn = 1 - player->number;
        pthread_cond_broadcast(&game->changed);
    }
    pthread_mutex_unlock(&game->mutex);
    return NULL;
}

static void hand_back_and_forth(co_fn body, unsigned flags) {
    const co_options_t options = {.flags = flags};
    static struct game game;
    game = (struct game){.moved = {.rounds = ROUNDS}};
    assert_int_equal(pthread_mutex_init(&game.mutex, NULL), 0);
    assert_int_equal(pthread_cond_init(&game.changed, NULL), 0);
    game.moved.co = co_create_with(&options, body, &game.moved);
    assert_non_null(game.moved.co);

    struct player players[2] = {{&game, 0}, {&game, 1}};
    pthread_t other;
    assert_int_equal(pthread_create(&other, NULL, play, &players[1]), 0);
    play(&players[0]);
    assert_int_equal(pthread_join(other, NULL), 0);

    assert_int_equal(game.moved.errors, 0);
    assert_int_equal(game.errors[0], 0);
    assert_int_equal(game.errors[1], 0);
    assert_true(game.resumes[0] >= ROUNDS);
    assert_true(game.resumes[1] >= ROUNDS);
    assert_int_equal(co_status(game.moved.co), CO_DEAD);
    assert_int_equal(co_destroy(game.moved.co), 0);
    pthread_cond_destroy(&game.changed);
    pthread_mutex_destroy(&game.mutex);
}

/* Catches an address kept over a yield in a loop. */
static void test_yields_inline(void **state) {
    (void)state;
    hand_back_and_forth(moves_inline, 0);
}

static void test_yields_out_of_line(void **state) {
    (void)state;
    hand_back_and_forth(moves_out_of_line, 0);
}

/* Catches an address kept over a resume in a coroutine that moves between its resumes. */
static void test_resumes_inline(void **state) {
    (void)state;
    hand_back_and_forth(resumes_while_moving_inline, 0);
}

static void test_resumes_out_of_line(void **state) {
    (void)state;
    hand_back_and_forth(resumes_while_moving_out_of_line, 0);
}

/* The same where every resume goes through the library. */
static void test_through_the_library(void **state) {
    (void)state;
    hand_back_and_forth(moves_inline, CO_FPENV);
    hand_back_and_forth(resumes_while_moving_out_of_line, CO_FPENV);
}

/* ---- A nest that moves as a whole ------------------------------------------------------------------------------- */

struct nest {
    struct game game;
    co_t *inner;
};

static void *start_inner(void *argument) {
    struct nest *nest = argument;
    nest->game.errors[1] = co_resume(nest->inner, NULL, NULL) != CO_YIELDED || here_self() != NULL;
    return NULL;
}

static void *yields_its_thread(void *argument) {
    (void)argument;
    while (co_yield(here_errno()) == NULL)
        ;
    return here_errno();
}

static void *resumes_from_a_second_thread(void *argument) {
    struct nest *nest = argument;
    void *seen = NULL;
    int status = co_resume(nest->inner, NULL, &seen);
    nest->game.errors[0] += status != CO_YIELDED || seen != here_errno() || here_self() != nest->game.moved.co;
    return NULL;
}

/* Catches a coroutine that goes back to the thread it started on, or leaves "current" behind there: it is started on
 * one thread, which ends, and goes on inside a coroutine of another. */
static void test_started_on_a_thread_that_ended(void **state) {
    (void)state;
    struct nest nest = {.inner = NULL};
    nest.inner = co_create(yields_its_thread, &nest);
    pthread_t starter;
    assert_int_equal(pthread_create(&starter, NULL, start_inner, &nest), 0);
    assert_int_equal(pthread_join(starter, NULL), 0);
    nest.game.moved.co = co_create(resumes_from_a_second_thread, &nest);
    assert_int_equal(co_resume(nest.game.moved.co, NULL, NULL), CO_RETURNED);
    assert_int_equal(nest.game.errors[0], 0);
    assert_int_equal(nest.game.errors[1], 0);
    void *seen = NULL;
    assert_int_equal(co_resume(nest.inner, &nest, &seen), CO_RETURNED);
    assert_ptr_equal(seen, here_errno());
    assert_int_equal(co_destroy(nest.inner), 0);
    assert_int_equal(co_destroy(nest.game.moved.co), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_yields_inline),
        cmocka_unit_test(test_yields_out_of_line),
        cmocka_unit_test(test_resumes_inline),
        cmocka_unit_test(test_resumes_out_of_line),
        cmocka_unit_test(test_through_the_library),
        cmocka_unit_test(test_started_on_a_thread_that_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
