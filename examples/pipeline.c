/* What each city has sold: generators that feed generators, from the lines of a file to a sum for each city.
 *
 *     pipeline [FILE [FIRST_DATE]]
 *
 *     lines --> sales --> since --> add_up
 *
 * Rows of the file are `date,city,amount`, as 2024-03-17,Lisbon,12.50; the first names the columns. Each stage asks the
 * one before it for one item at a time, so ten rows take as much memory as ten million.
 * Tested with: examples/data/sales.csv 2024-03-01
 */
#include <co/gen.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LINE = 256, MAX_CITY = 32, MAX_CITIES = 64 };

/* Text lies in the line, which is overwritten when the next one is read: whoever keeps a sale copies it. */
struct sale {
    const char *date, *city;
    double amount;
};

static void close_file(void *file) { fclose(file); }

/* The lines of a file, without their ends. They may be written to. */
static CO_GENERATOR(lines, char *, (const char *, path)) {
    FILE *file = fopen(path, "r");
    if (file == NULL)
        CO_FAIL(errno);
    if (co_defer(close_file, file) != 0) { /* also when the generator is destroyed in the middle */
        fclose(file);
        CO_FAIL(ENOMEM);
    }
    char line[MAX_LINE];
    while (fgets(line, sizeof line, file) != NULL) {
        char *end = line + strcspn(line, "\r\n");
        if (*end == '\0' && !feof(file))
            CO_FAIL(EMSGSIZE); /* longer than MAX_LINE */
        *end = '\0';
        CO_EMIT(line);
    }
    if (ferror(file))
        CO_FAIL(EIO);
}

/* Cuts the line up. False, and the line is as before, if it is not of the form date,city,amount. */
static bool parse_sale(char *line, struct sale *sale) {
    char *city = strchr(line, ',');
    char *amount = city == NULL ? NULL : strchr(city + 1, ',');
    if (amount == NULL)
        return false;
    char *end;
    sale->amount = strtod(amount + 1, &end);
    if (end == amount + 1 || *end != '\0')
        return false;
    *city = *amount = '\0';
    sale->date = line;
    sale->city = city + 1;
    return true;
}

/* The rows of a table; tells which are none, and goes on. */
static CO_GENERATOR(sales, struct sale, (CO_GEN(char *), rows)) {
    int status;
    long number = 0;
    CO_FOR_STATUS(char *, row, rows, status) {
        struct sale sale;
        if (++number == 1)
            continue; /* the names of the columns */
        if (parse_sale(row, &sale))
            CO_EMIT(sale);
        else
            fprintf(stderr, "pipeline: line %ld is passed over: %s\n", number, row);
    }
    if (status < 0)
        CO_FAIL(-status); /* a stage that fails lets the stages behind it fail */
}

/* Those that are not before `first`. Dates are written so that they sort as text. */
static CO_GENERATOR(since, struct sale, (const char *, first), (CO_GEN(struct sale), all)) {
    int status;
    CO_FOR_STATUS(struct sale, sale, all, status) {
        if (strcmp(sale.date, first) >= 0)
            CO_EMIT(sale);
    }
    if (status < 0)
        CO_FAIL(-status);
}

struct city {
    char name[MAX_CITY];
    long sales;
    double total;
};

/* Where `name` is added up. When the table is full, its last line takes all cities that are new. */
static struct city *find_city(struct city *cities, size_t *count, const char *name) {
    for (size_t i = 0; i < *count; i++)
        if (strncmp(cities[i].name, name, MAX_CITY - 1) == 0)
            return &cities[i];
    if (*count == MAX_CITIES)
        return &cities[MAX_CITIES - 1];
    struct city *city = &cities[(*count)++];
    snprintf(city->name, sizeof city->name, "%s", *count == MAX_CITIES ? "all others" : name);
    return city;
}

/* The end of the line: asks for all there is. Returns 0 or a negated errno value. */
static int add_up(CO_GEN(struct sale) all, struct city *cities, size_t *count) {
    int status;
    CO_FOR_STATUS(struct sale, sale, all, status) {
        struct city *city = find_city(cities, count, sale.city);
        city->sales++;
        city->total += sale.amount;
    }
    return status;
}

int main(int argc, char **argv) {
    const char *path = argc > 1 ? argv[1] : "examples/data/sales.csv";
    const char *first = argc > 2 ? argv[2] : "0000-00-00";
    struct city cities[MAX_CITIES] = {0};
    size_t count = 0;
    int status = add_up(since(first, sales(lines(path))), cities, &count);
    if (status < 0) {
        fprintf(stderr, "pipeline: %s: %s\n", path, strerror(-status));
        return EXIT_FAILURE;
    }
    for (size_t i = 0; i < count; i++)
        printf("%-12s %4ld sales %10.2f\n", cities[i].name, cities[i].sales, cities[i].total);
    return EXIT_SUCCESS;
}
