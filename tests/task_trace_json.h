/* A reader of JSON texts (RFC 8259) that is strict, and small: it finds the events of a trace and their members.
 * A C file that includes this one defines _GNU_SOURCE before its first #include. */
#ifndef CO_TEST_TASK_TRACE_JSON_H
#define CO_TEST_TASK_TRACE_JSON_H

#include "task_look.h"

/* Each of these returns what follows the value, or NULL if there is no such value. */
static inline const char *json_value(const char *at);

static inline const char *json_space(const char *at) { return at + strspn(at, " \t\r\n"); }

/* Text beyond ASCII is checked by decoding it: mbrtowc would depend on the locale. */
static inline const char *json_string(const char *at) {
    if (at == NULL || *at++ != '"')
        return NULL;
    while (*at != '"') {
        const unsigned char byte = (unsigned char)*at++;
        if (byte < ' ')
            return NULL;
        if (byte == '\\') {
            if (*at == 'u' && strspn(at + 1, "0123456789abcdefABCDEF") >= 4)
                at += 5;
            else if (*at != '\0' && strchr("\"\\/bfnrt", *at) != NULL)
                at++;
            else
                return NULL;
        } else if (byte >= 0x80) {
            uint32_t code = 0, least = 0;
            int more = 0;
            if (byte >= 0xc0 && byte < 0xe0)
                more = 1, code = byte & 0x1fu, least = 0x80;
            else if (byte >= 0xe0 && byte < 0xf0)
                more = 2, code = byte & 0x0fu, least = 0x800;
            else if (byte >= 0xf0 && byte < 0xf8)
                more = 3, code = byte & 0x07u, least = 0x10000;
            else
                return NULL;
            for (; more > 0; more--, at++) {
                if (((unsigned char)*at & 0xc0) != 0x80)
                    return NULL;
                code = code << 6 | ((unsigned char)*at & 0x3fu);
            }
            if (code < least || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
                return NULL;
        }
    }
    return at + 1;
}

static inline const char *json_number(const char *at) {
    const size_t sign = *at == '-', whole = strspn(at + sign, "0123456789");
    if (whole == 0 || (whole > 1 && at[sign] == '0'))
        return NULL;
    at += sign + whole;
    if (*at == '.') {
        const size_t fraction = strspn(at + 1, "0123456789");
        at = fraction == 0 ? NULL : at + 1 + fraction;
    }
    return at;
}

/* What follows the members or elements; `named` for an object. */
static inline const char *json_list(const char *at, char end, bool named) {
    at = json_space(at + 1);
    if (*at == end)
        return at + 1;
    for (;;) {
        if (named) {
            at = json_string(json_space(at));
            at = at != NULL ? json_space(at) : NULL;
            if (at == NULL || *at++ != ':')
                return NULL;
        }
        at = json_value(at);
        if (at == NULL)
            return NULL;
        at = json_space(at);
        if (*at == end)
            return at + 1;
        if (*at++ != ',')
            return NULL;
    }
}

static inline const char *json_value(const char *at) {
    at = json_space(at);
    if (*at == '{')
        return json_list(at, '}', true);
    if (*at == '[')
        return json_list(at, ']', false);
    return *at == '"' ? json_string(at) : json_number(at);
}

/* A value of an object's member; NULL if there is none of that name. */
static inline const char *json_member(const char *object, const char *name) {
    const size_t length = strlen(name);
    if (object == NULL || *object != '{')
        return NULL;
    for (const char *at = json_space(object + 1); *at == '"';) {
        const char *end = json_string(at), *value = json_space(json_space(end) + 1);
        if ((size_t)(end - at) == length + 2 && memcmp(at + 1, name, length) == 0)
            return value;
        at = json_space(json_value(value));
        at = *at == ',' ? json_space(at + 1) : at;
    }
    return NULL;
}

/* The next element after `element`, which is one of an array; NULL behind the last. */
static inline const char *json_next(const char *element) {
    const char *at = json_space(json_value(element));
    return *at == ',' ? json_space(at + 1) : NULL;
}

/* Whether a string without escapes has this value. */
static inline bool json_is(const char *string, const char *text) {
    const size_t length = strlen(text);
    return string != NULL && string[0] == '"' && strncmp(string + 1, text, length) == 0 && string[length + 1] == '"';
}

#endif
