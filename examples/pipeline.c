/* What each city has sold: generators that feed generators, from the lines of a file to a sum for each city.
 *
 *     pipeline [FILE [FIRST_DATE]]
 *
 *     lines --> skip --> sales --> since --> add_up
 *
 * Rows of the file are `date,city,amount`, as 2024-03-17,Lisbon,12.50; the first names the columns. Each stage asks the
 * one before it for one item at a time, so ten rows take as much memory as ten million. Only `sales` is a coroutine;
 * the stages that the library's helpers make run on the stack of whoever asks them.
 *
 * Tested with: examples/data/sales.csv 2024-03-01
 */
#include <co/itertools.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DATE = 11, MAX_CITY = 32, MAX_CITIES = 64 };

struct sale {
    char date[MAX_DATE], city[MAX_CITY];
    double amount;
};

/* False if the row is not of the form date,city,amount. The widths are those of the arrays, without their ends. */
static bool parse_sale(const char *row, struct sale *sale) {
    int end = 0;
    int fields = sscanf(row, "%10[^,],%31[^,],%lf%n", sale->date, sale->city, &sale->amount, &end);
    return fields == 3 && (row[end] == '\0' || strcmp(row + end, "\r") == 0);
}

/* The rows of a table, from line `number` on; tells which are none, and goes on. It owns the stage before it, as helpers
 * do, so that all end with the last; and an error of that stage is its own. */
static CO_GENERATOR(sales, struct sale, CO_OWN(const char *, rows), (long, number)) {
    CO_FOR_OR_FAIL(const char *, row, rows) {
        struct sale sale;
        if (parse_sale(row, &sale))
            CO_EMIT(sale);
        else
            fprintf(stderr, "pipeline: line %ld is passed over: %s\n", number, row);
        number++;
    }
}

/* Those that are not before `first`. Dates are written so that they sort as text. */
static CO_FILTER(since, struct sale, sale, (const char *, first)) { return strcmp(sale.date, first) >= 0; }

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
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        fprintf(stderr, "pipeline: %s: %s\n", path, strerror(errno));
        return EXIT_FAILURE;
    }
    int status = add_up(since(sales(CO_SKIP(co_lines(file), 1), 2), first), cities, &count);
    fclose(file);
    if (status < 0) {
        fprintf(stderr, "pipeline: %s: %s\n", path, strerror(-status));
        return EXIT_FAILURE;
    }
    for (size_t i = 0; i < count; i++)
        printf("%-12s %4ld sales %10.2f\n", cities[i].name, cities[i].sales, cities[i].total);
    return EXIT_SUCCESS;
}
