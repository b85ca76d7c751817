/* Parsers of libffm, libsvm, Criteo, Avazu and csv lines. data_build.c calls
 * them on every line. Invariant: a line either gives a whole row or a reason;
 * nothing is guessed. */
#include "format.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

static uint64_t
text_key(const char *s, size_t n)
{
    uint64_t h = 0x9e3779b97f4a7c15u + n;
    while (n >= 8) {
        uint64_t w;
        memcpy(&w, s, 8);
        h = rng_mix(h, w);
        s += 8;
        n -= 8;
    }
    uint64_t w = 0;
    memcpy(&w, s, n);
    return rng_mix(h, w);
}

uint64_t
number_bin_key(double x)
{
    double bin = floor(x);
    if (x > 2) {
        double l = log(x);
        bin = 3 + floor(l * l);
    }
    return rng_mix(0x62696e73u, (uint64_t)(int64_t)bin);
}

/* Decimal digits to *x, end in *p. Faster than strtoull, which matters: text
 * is parsed twice. */
static bool
digits_parse(const char **p, uint64_t *x)
{
    const char *s = *p;
    uint64_t v = 0;
    while (*s >= '0' && *s <= '9' && s - *p < 19)
        v = v * 10 + (uint64_t)(*s++ - '0');
    if (s == *p)
        return false;
    *p = s;
    *x = v;
    return true;
}

static bool
value_parse(const char **p, float *x)
{
    if ((*p)[0] == '1' && ((*p)[1] == ' ' || (*p)[1] == '\0')) {
        *x = 1;
        *p += 1;
        return true;
    }
    char *end;
    *x = strtof(*p, &end);
    if (end == *p || !isfinite(*x))
        return false;
    *p = end;
    return true;
}

static bool
label_parse(const char **p, float *x)
{
    if (((*p)[0] == '0' || (*p)[0] == '1') && (*p)[1] == ' ') {
        *x = (float)((*p)[0] - '0');
        *p += 1;
        return true;
    }
    return value_parse(p, x);
}

static int
row_add(struct row *row, uint16_t field, uint64_t key, float value,
    bool is_numeric, const char **why)
{
    if (row->n == ROW_FEATURES_MAX) {
        *why = "more than 4096 features";
        return -1;
    }
    row->features[row->n++] = (struct feature){
        .key = key, .value = value, .field = field, .is_numeric = is_numeric};
    return 0;
}

static const char *
spaces_skip(const char *p)
{
    while (*p == ' ' || *p == '\t')
        p++;
    return p;
}

static int
ffm_parse(const char *p, struct row *row, const char **why)
{
    while (*(p = spaces_skip(p)) != '\0') {
        uint64_t field, id;
        float value = 1;
        *why = "a feature is not field:id:value";
        if (!digits_parse(&p, &field) || *p++ != ':' || !digits_parse(&p, &id))
            return -1;
        if (*p++ != ':' || !value_parse(&p, &value))
            return -1;
        if (*p != ' ' && *p != '\t' && *p != '\0')
            return -1;
        if (field >= FIELDS_MAX) {
            *why = "a field number is above 1023";
            return -1;
        }
        if (row_add(row, (uint16_t)field, id, value, value != 1, why) != 0)
            return -1;
    }
    return 0;
}

/* "index" or "index:value"; every index below 511 is a field of its own, so
 * that field-aware and deep models can be used on it. */
static int
libsvm_parse(const char *p, struct row *row, const char **why)
{
    while (*(p = spaces_skip(p)) != '\0' && *p != '#') {
        uint64_t id;
        float value = 1;
        *why = "a feature is neither index nor index:value";
        if (strncmp(p, "qid:", 4) == 0) {
            p += 4;
            if (!digits_parse(&p, &row->group))
                return -1;
            row->has_group = true;
            continue;
        }
        if (!digits_parse(&p, &id))
            return -1;
        if (*p == ':') {
            p++;
            if (!value_parse(&p, &value))
                return -1;
        }
        if (*p != ' ' && *p != '\t' && *p != '\0')
            return -1;
        uint16_t field = (uint16_t)(id < 511 ? id : 511);
        if (row_add(row, field, id, value, value != 1, why) != 0)
            return -1;
    }
    return 0;
}

/* Cuts the next cell off; handles "quoted ""cells""". NULL after the last. */
static char *
cell_next(char **line, char separator)
{
    char *p = *line;
    if (p == NULL)
        return NULL;
    if (*p != '"') {
        char *end = strchr(p, separator);
        *line = end != NULL ? end + 1 : NULL;
        if (end != NULL)
            *end = '\0';
        return p;
    }
    char *from = p + 1, *to = p;
    while (*from != '\0' && !(from[0] == '"' && from[1] != '"')) {
        from += from[0] == '"';
        *to++ = *from++;
    }
    from += *from == '"';
    *line = *from == separator ? from + 1 : NULL;
    *to = '\0';
    return p;
}

static int
cell_add(const struct format *f, int column, const char *cell, struct row *row,
    const char **why)
{
    uint16_t field = f->column[column].field;
    size_t n = strlen(cell);
    if (f->column[column].role == COLUMN_HOUR) {
        cell += n > 2 ? n - 2 : 0;
        n = n > 2 ? 2 : n;
    }
    if (n == 0)
        return row_add(row, field, KEY_MISSING, 1, false, why);
    if (f->column[column].role != COLUMN_NUM)
        return row_add(row, field, text_key(cell, n), 1, false, why);
    char *end;
    float x = strtof(cell, &end);
    if (*end != '\0' || !isfinite(x)) {
        *why = "a numeric cell is not a number";
        return -1;
    }
    if (f->numeric == NUMERIC_LOG2BINS)
        return row_add(row, field, number_bin_key((double)x), 1, false, why);
    return row_add(row, field, 0, x, true, why);
}

static int
cells_parse(
    const struct format *f, char *line, struct row *row, const char **why)
{
    int column = 0;
    char *cell;
    while ((cell = cell_next(&line, f->separator)) != NULL) {
        if (column == f->columns) {
            *why = "too many columns";
            return -1;
        }
        enum column_role role = f->column[column].role;
        if (role == COLUMN_LABEL) {
            const char *p = cell;
            if (!label_parse(&p, &row->label) || *p != '\0') {
                *why = "the label is not a number";
                return -1;
            }
        } else if (role != COLUMN_DROP) {
            if (cell_add(f, column, cell, row, why) != 0)
                return -1;
        }
        column++;
    }
    if (column < f->columns) {
        *why = "too few columns";
        return -1;
    }
    return 0;
}

int
format_parse(
    const struct format *f, char *line, struct row *row, const char **why)
{
    row->n = 0;
    row->has_group = false;
    row->group = 0;
    int rc;
    if (f->kind == FORMAT_FFM || f->kind == FORMAT_LIBSVM) {
        const char *p = line;
        *why = "the label is not a number";
        if (!label_parse(&p, &row->label) ||
            (*p != ' ' && *p != '\t' && *p != '\0'))
            return -1;
        rc = f->kind == FORMAT_FFM ? ffm_parse(p, row, why)
                                   : libsvm_parse(p, row, why);
    } else {
        rc = cells_parse(f, line, row, why);
    }
    if (rc != 0)
        return rc;
    if (row->n == 0) {
        *why = "no features";
        return -1;
    }
    for (uint32_t i = 0; i < row->n && !row->has_group; i++) {
        if (row->features[i].field == f->group_field) {
            row->group = row->features[i].key;
            row->has_group = true;
        }
    }
    return 0;
}

static int
role_parse(const char *s, size_t n, enum column_role *role)
{
    static const struct {
        const char *name;
        enum column_role role;
    } names[] = {{"label", COLUMN_LABEL}, {"cat", COLUMN_CAT},
        {"token", COLUMN_CAT}, {"token_seq", COLUMN_CAT}, {"num", COLUMN_NUM},
        {"float", COLUMN_NUM}, {"hour", COLUMN_HOUR}, {"drop", COLUMN_DROP}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strlen(names[i].name) == n && memcmp(names[i].name, s, n) == 0) {
            *role = names[i].role;
            return 0;
        }
    }
    return -1;
}

/* The role of a column in --fields=name:role,...; COLUMN_CAT if not named.
 * -1 for a role that does not exist. */
static int
field_role(const char *spec, const char *name, enum column_role *role)
{
    size_t len = strlen(name);
    const char *p = spec;
    while (*p != '\0') {
        size_t n = strcspn(p, ",");
        if (n > len && memcmp(p, name, len) == 0 && p[len] == ':')
            return role_parse(p + len + 1, n - len - 1, role);
        p += n + (p[n] == ',');
    }
    return 0;
}

static bool
is_label_name(const char *name)
{
    return strcmp(name, "label") == 0 || strcmp(name, "click") == 0 ||
           strcmp(name, "target") == 0 || strcmp(name, "clicked") == 0;
}

/* Role of a column from --fields, else from a typed header ("age:float"), else
 * from the name. */
static int
column_role(const struct format *f, const struct config *c, char *name,
    enum column_role *role, struct err *err)
{
    char *type = strchr(name, ':');
    *role = COLUMN_CAT;
    if (type != NULL) {
        *type++ = '\0';
        if (role_parse(type, strlen(type), role) != 0)
            *role = COLUMN_CAT;
    }
    if (f->kind == FORMAT_AVAZU && strcmp(name, "id") == 0)
        *role = COLUMN_DROP;
    if (f->kind == FORMAT_AVAZU && strcmp(name, "hour") == 0)
        *role = COLUMN_HOUR;
    if (strstr(c->fields, ":label") == NULL && is_label_name(name))
        *role = COLUMN_LABEL;
    if (field_role(c->fields, name, role) != 0)
        return err_set(err, -ERR_INPUT,
            "--fields: role of column %s is none of label, cat, num, hour, "
            "drop",
            name);
    return 0;
}

static int
header_parse(struct format *f, const struct config *c, const char *path,
    char *line, struct err *err)
{
    uint16_t field = 0;
    int labels = 0;
    char *cell;
    while ((cell = cell_next(&line, f->separator)) != NULL) {
        enum column_role role;
        if (f->columns == FIELDS_MAX)
            return err_set(err, -ERR_INPUT, "%s has more than %d columns", path,
                FIELDS_MAX);
        int rc = column_role(f, c, cell, &role, err);
        if (rc != 0)
            return err_wrap(err, rc, "%s:1", path);
        labels += role == COLUMN_LABEL;
        f->column[f->columns].role = role;
        f->column[f->columns++].field = field;
        field = (uint16_t)(field + (role > COLUMN_LABEL));
    }
    if (labels != 1)
        return err_set(err, -ERR_INPUT,
            "%s:1: %d columns are the label, it must be one; name it with "
            "--fields=COLUMN:label",
            path, labels);
    return 0;
}

static void
criteo_columns(struct format *f)
{
    f->separator = '\t';
    f->columns = 40;
    f->column[0].role = COLUMN_LABEL;
    for (int i = 1; i < 40; i++) {
        f->column[i].role = i <= 13 ? COLUMN_NUM : COLUMN_CAT;
        f->column[i].field = (uint16_t)(i - 1);
    }
}

static int
char_count(const char *s, char c)
{
    int n = 0;
    for (; *s != '\0'; s++)
        n += *s == c;
    return n;
}

static enum format_kind
format_guess(const char *line)
{
    if (char_count(line, '\t') == 39)
        return FORMAT_CRITEO;
    if (strchr(line, ',') != NULL || strchr(line, '\t') != NULL ||
        strchr(line, ';') != NULL)
        return strstr(line, "device_id") != NULL && strstr(line, "hour") != NULL
                   ? FORMAT_AVAZU
                   : FORMAT_CSV;
    const char *p = strchr(line, ' ');
    if (p == NULL)
        return FORMAT_AUTO;
    const char *colon = strchr(p + 1, ':');
    size_t word = strcspn(p + 1, " ");
    if (colon == NULL || colon > p + 1 + word)
        return FORMAT_LIBSVM;
    colon = strchr(colon + 1, ':');
    return colon != NULL && colon < p + 1 + word ? FORMAT_FFM : FORMAT_LIBSVM;
}

int
format_init(struct format *f, const struct config *c, const char *path,
    char *first_line, struct err *err)
{
    memset(f, 0, sizeof *f);
    f->group_field = (uint16_t)c->group_field;
    f->kind = (enum format_kind)c->format;
    if (f->kind == FORMAT_AUTO)
        f->kind = format_guess(first_line);
    if (f->kind == FORMAT_AUTO)
        return err_set(err, -ERR_INPUT,
            "%s: the format is not clear from line 1; say it with --format=",
            path);
    f->numeric = (enum numeric_kind)c->numeric;
    if (f->numeric == NUMERIC_AUTO)
        f->numeric = f->kind >= FORMAT_CRITEO ? NUMERIC_LOG2BINS : NUMERIC_RAW;
    if (f->kind == FORMAT_CRITEO)
        criteo_columns(f);
    if (f->kind != FORMAT_AVAZU && f->kind != FORMAT_CSV)
        return 0;
    f->has_header = true;
    f->separator = strchr(first_line, '\t') != NULL  ? '\t'
                   : strchr(first_line, ',') != NULL ? ','
                   : strchr(first_line, ';') != NULL ? ';'
                                                     : ',';
    return header_parse(f, c, path, first_line, err);
}
