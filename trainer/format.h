/* One text line to one row of features, for every input format. */
#ifndef TRAINER_FORMAT_H
#define TRAINER_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"

/* Features of one row, and fields of a data set, at most. */
enum { ROW_FEATURES_MAX = 4096, FIELDS_MAX = 1024 };

struct feature {
    uint64_t key; /* of the value within its field */
    float value;
    uint16_t field;
    bool is_numeric; /* value is a measurement still to be transformed */
};

struct row {
    float label;
    bool has_group;
    uint64_t group; /* key of --group-field or of qid */
    uint32_t n;
    struct feature features[ROW_FEATURES_MAX];
};

enum column_role {
    COLUMN_DROP,
    COLUMN_LABEL,
    COLUMN_CAT,
    COLUMN_NUM,
    COLUMN_HOUR
};

struct format {
    enum format_kind kind;
    enum numeric_kind numeric; /* resolved, never auto */
    char separator;
    bool has_header;
    uint16_t group_field;
    int columns;
    struct {
        enum column_role role;
        uint16_t field;
    } column[FIELDS_MAX];
};

/* Decides the format of a file from its first line and the flags. -ERR_INPUT
 * with the remedy where it is not clear. The line is cut into pieces. */
int format_init(struct format *f, const struct config *c, const char *path,
    char *first_line, struct err *err);
/* Parses a data line, which is cut into pieces. 0, or -1 and *why, a constant
 * text. */
int format_parse(
    const struct format *f, char *line, struct row *row, const char **why);
/* Key of a missing value. */
#define KEY_MISSING UINT64_C(0x6d697373696e6700)
/* Key that a number gets as a bin: floor(ln(x)^2) above 2, else floor(x), as in
 * libffm's preparation of the Criteo data. */
uint64_t number_bin_key(double x);

#endif
