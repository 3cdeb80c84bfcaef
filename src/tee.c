/* One generator's items for several: tee, and memo.
 *
 * Both are a stream: the source, and what it has produced in a list of chunks, of which each reader holds the one that
 * it is in. A chunk is kept by those that hold it and by the one before it, so what lies before the slowest reader goes
 * as it goes on; a memo is whoever holds the first chunk for good. Chunks never move, so that an item stays where it is
 * until the reader's next step. */
#include "gen.h"
#include "itertools.h"

#include <errno.h>
#include <stdlib.h>

struct chunk {
    struct chunk *next;
    size_t references, count; /* items in it */
    _Alignas(16) unsigned char items[];
};

enum { CHUNK_BYTES = 1024 };

struct stream {
    co_gen_t *source;               /* NULL when it has ended and is destroyed */
    size_t references, bytes, room; /* of an item; items of a chunk */
    int status;                     /* what the source ended with, when `ended` */
    bool ended;
};

struct reader {
    struct co__iter iter;
    struct stream *stream;
    struct chunk *chunk;
    size_t index; /* in the chunk, of the next item */
};

struct memo {
    struct stream *stream;
    struct chunk *first;
};

/* ---- Chunks ---------------------------------------------------------------------------------------------------- */

static struct chunk *create_chunk(const struct stream *stream) {
    struct chunk *chunk = malloc(sizeof *chunk + stream->room * stream->bytes);
    if (chunk != NULL) {
        chunk->next = NULL;
        chunk->references = 1;
        chunk->count = 0;
    }
    return chunk;
}

static void give_up_chunk(struct chunk *chunk) {
    while (chunk != NULL && --chunk->references == 0) {
        struct chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
}

/* ---- The stream ------------------------------------------------------------------------------------------------ */

/* A stream with its first chunk, of which the caller has a reference each. */
static struct stream *create_stream(co_gen_t *source, size_t bytes, struct chunk **first) {
    struct stream *stream = NULL;
    int error = ENOMEM;
    if (source == NULL)
        error = errno == ENOMEM || errno == EAGAIN ? errno : EINVAL;
    else
        stream = malloc(sizeof *stream);
    if (stream == NULL) {
        co__iter_refuse(1, &source, error);
        return NULL;
    }
    size_t room = CHUNK_BYTES / bytes;
    co__gen_take_over(source);
    *stream = (struct stream){.source = source, .references = 1, .bytes = bytes, .room = room > 0 ? room : 1};
    *first = create_chunk(stream);
    if (*first == NULL) {
        free(stream);
        co__iter_refuse(1, &source, ENOMEM);
        return NULL;
    }
    return stream;
}

/* -EBUSY if the last reference is to go and the source cannot. */
static int give_up_stream(struct stream *stream) {
    int status = 0;
    if (stream->references == 1) {
        if (co__iter_is_busy(stream->source))
            return -EBUSY;
        status = co_gen_destroy(stream->source);
        free(stream);
    } else {
        stream->references--;
    }
    return status;
}

/* One item more at the end of `chunk`, which has room. */
static int extend(struct stream *stream, struct chunk *chunk) {
    if (stream->ended)
        return stream->status;
    co_gen_t *source = stream->source;
    int status = co__gen_next(source, chunk->items + chunk->count * stream->bytes, stream->bytes);
    if (status == 1) {
        chunk->count++;
        return 1;
    }
    if (status == -EBUSY && !source->done)
        return status;
    stream->ended = true;
    stream->status = status;
    if (!co__iter_is_busy(source)) {
        stream->source = NULL;
        co_gen_destroy(source);
    }
    return status;
}

/* ---- Readers --------------------------------------------------------------------------------------------------- */

static int end_reader(co_gen_t *generator) {
    struct reader *reader = (struct reader *)(void *)generator;
    int status = 0;
    if (reader->stream != NULL) {
        struct stream *stream = reader->stream;
        if (stream->references == 1 && co__iter_is_busy(stream->source))
            return -EBUSY;
        reader->stream = NULL;
        give_up_chunk(reader->chunk);
        reader->chunk = NULL;
        status = give_up_stream(stream);
    }
    return status;
}

bool co__tee_is_busy(const co_gen_t *generator) {
    const struct reader *reader = (const struct reader *)(const void *)generator;
    return reader->stream != NULL && reader->stream->references == 1 && co__iter_is_busy(reader->stream->source);
}

static int step_reader(co_gen_t *generator) {
    struct reader *reader = (struct reader *)(void *)generator;
    struct stream *stream = reader->stream;
    struct chunk *chunk = reader->chunk;
    int status = 1;
    if (reader->index == stream->room) {
        if (chunk->next == NULL)
            chunk->next = create_chunk(stream);
        if (chunk->next == NULL) {
            status = -ENOMEM;
        } else {
            chunk->next->references++;
            reader->chunk = chunk->next;
            reader->index = 0;
            give_up_chunk(chunk);
            chunk = reader->chunk;
        }
    }
    if (status == 1 && reader->index == chunk->count)
        status = extend(stream, chunk);
    if (status == 1) {
        void *item = chunk->items + reader->index++ * stream->bytes;
        generator->item = item;
        if (generator->small) {
            generator->item = NULL;
            memcpy((void *)&generator->item, item, stream->bytes);
        }
        return 1;
    }
    if (status == -EBUSY && !stream->ended)
        return status;
    generator->done = 1;
    end_reader(generator); /* the source has ended, so its close has been answered for */
    return status;
}

const struct co__gen_kind co__tee_kind = {step_reader, end_reader, co__iter_release};

/* From the first chunk on. */
static struct reader *create_reader(struct stream *stream, struct chunk *first) {
    struct reader *reader = co__iter_create(&co__tee_kind, sizeof *reader, stream->bytes, 0, NULL);
    if (reader != NULL) {
        reader->stream = stream;
        reader->chunk = first;
        stream->references++;
        first->references++;
    }
    return reader;
}

/* ---- Tee ------------------------------------------------------------------------------------------------------- */

int co__iter_tee(co_gen_t *source, size_t n, void *generators, size_t bytes) {
    struct chunk *first;
    const size_t handle_bytes = sizeof source;
    char *handles = generators;
    int status = 0;
    for (size_t i = 0; i < n; i++)
        co__iter_store(handles + i * handle_bytes, NULL);
    if (n == 0)
        return source != NULL ? co_gen_destroy(source) : co__gen_null();
    struct stream *stream = create_stream(source, bytes, &first);
    if (stream == NULL)
        return -errno;
    for (size_t i = 0; i < n && status == 0; i++) {
        struct reader *reader = create_reader(stream, first);
        co__iter_store(handles + i * handle_bytes, reader);
        status = reader != NULL ? 0 : -ENOMEM;
    }
    for (size_t i = 0; i < n && status < 0; i++) {
        co_gen_t *made;
        memcpy((void *)&made, handles + i * handle_bytes, sizeof made);
        if (made == NULL)
            break;
        co_gen_destroy(made);
        co__iter_store(handles + i * handle_bytes, NULL);
    }
    give_up_chunk(first);
    if (give_up_stream(stream) == -EBUSY)
        free(stream); /* no reader was made, and the source executes: it cannot be destroyed */
    return status;
}

/* ---- Memo ------------------------------------------------------------------------------------------------------ */

void *co__memo_make(co_gen_t *source, size_t bytes) {
    struct chunk *first;
    struct memo *memo = malloc(sizeof *memo);
    if (memo == NULL) {
        co__iter_refuse(1, &source, ENOMEM);
        return NULL;
    }
    struct stream *stream = create_stream(source, bytes, &first);
    if (stream == NULL) {
        int error = errno;
        free(memo);
        errno = error;
        return NULL;
    }
    memo->stream = stream;
    memo->first = first;
    return memo;
}

void *co__memo_iterate(void *given) {
    struct memo *memo = given;
    if (memo == NULL) {
        errno = errno == ENOMEM || errno == EAGAIN ? errno : EINVAL;
        return NULL;
    }
    return create_reader(memo->stream, memo->first);
}

int co__memo_destroy(void *given) {
    struct memo *memo = given;
    if (memo == NULL)
        return 0;
    struct chunk *first = memo->first;
    int status = give_up_stream(memo->stream);
    if (status == -EBUSY)
        return status;
    give_up_chunk(first);
    free(memo);
    return status;
}
