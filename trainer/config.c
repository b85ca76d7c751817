/* Reads flags into struct config by the table of config.h and writes them back
 * as text. main calls it first; checkpoints keep the text. Invariant: parsing
 * what config_text wrote gives an equal config. */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/near.h"

enum flag_type { FLAG_STR, FLAG_CHOICE, FLAG_INT, FLAG_FLOAT, FLAG_BOOL };

struct flag {
    const char *name, *def, *choices, *doc;
    double lo, hi;
    size_t at;
    enum flag_type type;
    enum flag_class cls;
};

static const struct flag flag_table[] = {
#define TEXT(m, name, def, cls, doc)                                           \
    {name, def, NULL, doc, 0, 0, offsetof(struct config, m), FLAG_STR, cls},
#define CHOICE(m, name, def, cls, choices, doc)                                \
    {name, def, choices, doc, 0, 0, offsetof(struct config, m), FLAG_CHOICE,   \
        cls},
#define INT(m, name, def, lo, hi, cls, doc)                                    \
    {name, def, NULL, doc, (double)(lo), (double)(hi),                         \
        offsetof(struct config, m), FLAG_INT, cls},
#define FLOAT(m, name, def, lo, hi, cls, doc)                                  \
    {name, def, NULL, doc, lo, hi, offsetof(struct config, m), FLAG_FLOAT, cls},
#define BOOL(m, name, def, cls, doc)                                           \
    {name, def, NULL, doc, 0, 0, offsetof(struct config, m), FLAG_BOOL, cls},
    FLAG_LIST(TEXT, CHOICE, INT, FLOAT, BOOL)
#undef TEXT
#undef CHOICE
#undef INT
#undef FLOAT
#undef BOOL
};
enum { FLAG_N = sizeof flag_table / sizeof *flag_table };

/* The n-th of "a|b|c"; its length in *len, NULL past the end. */
static const char *
choice_at(const char *choices, int n, size_t *len)
{
    for (const char *p = choices; p != NULL; n--) {
        const char *bar = strchr(p, '|');
        *len = bar != NULL ? (size_t)(bar - p) : strlen(p);
        if (n == 0)
            return p;
        p = bar != NULL ? bar + 1 : NULL;
    }
    return NULL;
}

static int
choice_find(const char *choices, const char *value)
{
    size_t len;
    const char *p;
    for (int i = 0; (p = choice_at(choices, i, &len)) != NULL; i++) {
        if (strlen(value) == len && memcmp(p, value, len) == 0)
            return i;
    }
    return -1;
}

static int
number_parse(const struct flag *f, const char *value, double *x, int64_t *i,
    struct err *err)
{
    char *end = NULL;
    errno = 0;
    if (f->type == FLAG_INT) {
        *i = strtoll(value, &end, 10);
        *x = (double)*i;
    } else {
        *x = strtod(value, &end);
    }
    if (end == value || *end != '\0' || errno != 0 || !isfinite(*x))
        return err_set(err, -ERR_INPUT, "--%s=%s is not %s", f->name, value,
            f->type == FLAG_INT ? "an integer" : "a number");
    if (*x < f->lo || *x > f->hi)
        return err_set(err, -ERR_INPUT,
            "--%s=%s is out of range, take %g to %g", f->name, value, f->lo,
            f->hi);
    return 0;
}

static int
flag_set(
    struct config *c, const struct flag *f, const char *value, struct err *err)
{
    void *p = (char *)c + f->at;
    double x = 0;
    int64_t i = 0;
    int n;
    switch (f->type) {
    case FLAG_STR:
        memcpy(p, &value, sizeof value);
        return 0;
    case FLAG_CHOICE:
        n = choice_find(f->choices, value);
        if (n < 0)
            return err_set(err, -ERR_INPUT,
                "--%s=%s is unknown, take one of %s", f->name, value,
                f->choices);
        memcpy(p, &n, sizeof n);
        return 0;
    case FLAG_BOOL:
        n = choice_find("false|true", value);
        if (n < 0)
            return err_set(
                err, -ERR_INPUT, "--%s=%s, take true or false", f->name, value);
        *(bool *)p = n == 1;
        return 0;
    case FLAG_INT:
    case FLAG_FLOAT:
        n = number_parse(f, value, &x, &i, err);
        if (n != 0)
            return n;
        if (f->type == FLAG_INT)
            memcpy(p, &i, sizeof i);
        else
            memcpy(p, &x, sizeof x);
        return 0;
    }
    return 0;
}

static const struct flag *
flag_find(const char *name, size_t len)
{
    for (int i = 0; i < FLAG_N; i++) {
        if (strlen(flag_table[i].name) == len &&
            memcmp(flag_table[i].name, name, len) == 0)
            return &flag_table[i];
    }
    return NULL;
}

static int
flag_unknown(const char *name, size_t len, struct err *err)
{
    const char *names[FLAG_N];
    char word[64];
    for (int i = 0; i < FLAG_N; i++)
        names[i] = flag_table[i].name;
    snprintf(word, sizeof word, "%.*s", (int)len, name);
    const char *near = near_word(word, names, FLAG_N);
    if (near != NULL)
        return err_set(err, -ERR_INPUT, "unknown flag --%s, did you mean --%s?",
            word, near);
    return err_set(err, -ERR_INPUT, "unknown flag --%s, see --help", word);
}

void
config_init(struct config *c)
{
    memset(c, 0, sizeof *c);
    for (int i = 0; i < FLAG_N; i++) {
        struct err err;
        if (flag_set(c, &flag_table[i], flag_table[i].def, &err) != 0)
            abort();
    }
}

int
config_parse(struct config *c, int argc, char **argv, struct err *err)
{
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i];
        if (strncmp(a, "--", 2) != 0)
            return err_set(err, -ERR_INPUT,
                "argument \"%s\" is no flag, write --name=value", a);
        a += 2;
        size_t len = strcspn(a, "=");
        const struct flag *f = flag_find(a, len);
        if (f == NULL)
            return flag_unknown(a, len, err);
        if (a[len] == '\0')
            return err_set(err, -ERR_INPUT, "--%s has no value, write --%s=%s",
                f->name, f->name, f->def[0] != '\0' ? f->def : "VALUE");
        int rc = flag_set(c, f, a + len + 1, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

int
config_parse_text(struct config *c, char *text, struct err *err)
{
    char *next;
    for (char *line = text; *line != '\0'; line = next) {
        next = line + strcspn(line, "\n");
        if (*next != '\0')
            *next++ = '\0';
        size_t len = strcspn(line, "=");
        if (*line == '\0')
            continue;
        const struct flag *f = flag_find(line, len);
        if (f == NULL || line[len] == '\0')
            return err_set(
                err, -ERR_INPUT, "flag \"%s\" is unknown here", line);
        int rc = flag_set(c, f, line + len + 1, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static void
flag_put(const struct config *c, const struct flag *f, struct buf *out)
{
    const void *p = (const char *)c + f->at;
    size_t len = 0;
    const char *s;
    switch (f->type) {
    case FLAG_STR:
        buf_puts(out, *(const char *const *)p);
        break;
    case FLAG_CHOICE:
        s = choice_at(f->choices, *(const int *)p, &len);
        buf_add(out, s, len);
        break;
    case FLAG_BOOL:
        buf_puts(out, *(const bool *)p ? "true" : "false");
        break;
    case FLAG_INT:
        buf_printf(out, "%lld", (long long)*(const int64_t *)p);
        break;
    case FLAG_FLOAT:
        buf_put_f64(out, *(const double *)p);
        break;
    }
}

void
config_text(const struct config *c, enum flag_class cls, struct buf *out)
{
    for (int i = 0; i < FLAG_N; i++) {
        if (flag_table[i].cls != cls)
            continue;
        buf_printf(out, "%s=", flag_table[i].name);
        flag_put(c, &flag_table[i], out);
        buf_putc(out, '\n');
    }
}

const char *
config_difference(
    const struct config *a, const struct config *b, enum flag_class cls)
{
    const char *found = NULL;
    for (int i = 0; i < FLAG_N && found == NULL; i++) {
        struct buf x = {0}, y = {0};
        if (flag_table[i].cls != cls)
            continue;
        flag_put(a, &flag_table[i], &x);
        flag_put(b, &flag_table[i], &y);
        if (strcmp(buf_str(&x), buf_str(&y)) != 0)
            found = flag_table[i].name;
        buf_fini(&x);
        buf_fini(&y);
    }
    return found;
}

void
config_help(struct buf *out)
{
    static const char *const types[] = {"TEXT", "", "INT", "FLOAT", "BOOL"};
    buf_puts(out,
        "rea-ctr: trains and evaluates click-through-rate models.\n"
        "usage: rea-ctr --data=DIR [--name=value ...]\n"
        "exit codes: 0 done, 2 bad input, 85 stopped by SIGTERM with a "
        "checkpoint, 86 loss is nan\n\n");
    for (int i = 0; i < FLAG_N; i++) {
        const struct flag *f = &flag_table[i];
        buf_printf(out, "  --%s=%s", f->name,
            f->type == FLAG_CHOICE ? f->choices : types[f->type]);
        buf_printf(out, " [default %s]", f->def[0] != '\0' ? f->def : "none");
        if (f->type == FLAG_INT || f->type == FLAG_FLOAT)
            buf_printf(out, " [%g..%g]", f->lo, f->hi);
        buf_printf(out, " %s\n", f->doc);
    }
}

int
config_hidden(
    const struct config *c, int sizes[static HIDDEN_MAX], struct err *err)
{
    int n = 0;
    const char *p = c->hidden;
    while (*p != '\0') {
        char *end;
        long v = strtol(p, &end, 10);
        if (end == p || (*end != ',' && *end != '\0') || v < 1 || v > 8192 ||
            n == HIDDEN_MAX)
            return err_set(err, -ERR_INPUT,
                "--hidden=%s: write up to %d sizes of 1 to 8192, such as "
                "128,64",
                c->hidden, HIDDEN_MAX);
        sizes[n++] = (int)v;
        p = *end == ',' ? end + 1 : end;
    }
    return n;
}
