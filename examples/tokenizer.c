/* A calculator: a generator of tokens feeds a recursive-descent parser. Neither calls the other's functions, so each
 * is written as if it were the main program: the tokenizer is a loop over characters, the parser recurses.
 *
 *     tokenizer [EXPRESSION...]
 */
#include <co/gen.h>

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER = '0', END = '\n' }; /* kinds of tokens; every other kind is a character that stands for itself */

struct token {
    int kind;
    int column; /* the first is 1 */
    double value;
};

/* The last token is END, again and again, so that a parser cannot run beyond it. */
static CO_GENERATOR(tokens, struct token, (const char *, text)) {
    const char *at = text;
    for (;;) {
        at += strspn(at, " ");
        struct token token = {*at == '\0' ? END : *at, (int)(at - text) + 1, 0};
        if (isdigit((unsigned char)*at)) {
            char *end;
            token.kind = NUMBER;
            token.value = strtod(at, &end);
            at = end;
        } else if (*at != '\0') {
            at++;
        }
        CO_EMIT(token);
    }
}

struct parser {
    CO_GEN(struct token) tokens;
    struct token token; /* the one to be looked at next */
    const char *error;  /* the first that was found, or NULL */
    int error_column;
};

static void fail(struct parser *parser, const char *error, int column) {
    if (parser->error == NULL) {
        parser->error = error;
        parser->error_column = column;
    }
}

static void advance(struct parser *parser) {
    if (CO_NEXT(parser->tokens, &parser->token) != 1) {
        fail(parser, "there is no memory left", parser->token.column);
        parser->token.kind = END;
    }
}

/* Takes the next token if it is of this kind. */
static bool accept(struct parser *parser, int kind) {
    if (parser->token.kind != kind)
        return false;
    advance(parser);
    return true;
}

static double parse_sum(struct parser *parser);

/* factor = NUMBER | "-" factor | "(" sum ")" */
static double parse_factor(struct parser *parser) {
    struct token token = parser->token;
    if (accept(parser, NUMBER))
        return token.value;
    if (accept(parser, '-'))
        return -parse_factor(parser);
    if (accept(parser, '(')) {
        double value = parse_sum(parser);
        if (!accept(parser, ')'))
            fail(parser, "a parenthesis is not closed here", parser->token.column);
        return value;
    }
    fail(parser, "a number is missing", token.column);
    return 0;
}

/* product = factor { ("*" | "/") factor } */
static double parse_product(struct parser *parser) {
    double value = parse_factor(parser);
    for (;;) {
        int column = parser->token.column;
        if (accept(parser, '*')) {
            value *= parse_factor(parser);
        } else if (accept(parser, '/')) {
            double divisor = parse_factor(parser);
            if (divisor == 0)
                fail(parser, "division by zero", column);
            else
                value /= divisor;
        } else {
            return value;
        }
    }
}

/* sum = product { ("+" | "-") product } */
static double parse_sum(struct parser *parser) {
    double value = parse_product(parser);
    for (;;) {
        if (accept(parser, '+'))
            value += parse_product(parser);
        else if (accept(parser, '-'))
            value -= parse_product(parser);
        else
            return value;
    }
}

static void evaluate(const char *text) {
    struct parser parser = {.tokens = tokens(text)};
    advance(&parser);
    double value = parse_sum(&parser);
    if (parser.token.kind != END)
        fail(&parser, "this was not expected", parser.token.column);
    CO_GEN_DESTROY(parser.tokens); /* the tokenizer has no end of its own */

    if (parser.error == NULL)
        printf("%s = %g\n", text, value);
    else
        printf("%s\n%*s column %d: %s\n", text, parser.error_column, "^", parser.error_column, parser.error);
}

int main(int argc, char **argv) {
    static const char *const examples[] = {
        "1 + 2 * 3", "(1 + 2) * -3", "10 / 4 - 0.5", "2 * (3 + 4", "7 + * 8", "1 / (2 - 2)", "3 $ 4", "",
    };
    if (argc > 1) {
        for (int i = 1; i < argc; i++)
            evaluate(argv[i]);
        return EXIT_SUCCESS;
    }
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++)
        evaluate(examples[i]);
    return EXIT_SUCCESS;
}
