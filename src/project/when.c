/* The `when` conditions of knobs: text to instructions on a stack of booleans
 * (struct cond). Called by parse_knob.c once all knobs are known.
 *   expr    = term { "or" term }        term = factor { "and" factor }
 *   factor  = "not" factor | "(" expr ")" | knob [ test ] | value test
 *   test    = ("==" | "!=") value | ["not"] "in" ( list | set knob )
 * Invariant: instructions never need more than COND_MAX stack places. */
#include "project/read.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_MAX = 64, NEST_MAX = 32 };

enum token {
    TOKEN_END,
    TOKEN_WORD,   /* a name, and, or, not, in, true, false */
    TOKEN_STRING, /* quoted */
    TOKEN_NUMBER,
    TOKEN_EQ,
    TOKEN_NE,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_COMMA,
    TOKEN_BAD,
};

struct when {
    const struct reader *r;
    struct knob *knob;     /* whose condition this is */
    const struct toml *at; /* its text */
    size_t pos, start;     /* behind and at the token */
    uint32_t depth;
    enum token token;
    char word[WORD_MAX]; /* its text, unquoted */
};

static int when_fail(const struct when *w, const char *remedy, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

static int
when_fail(const struct when *w, const char *remedy, const char *fmt, ...)
{
    char why[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    return read_fail(w->r, place_inside(w->r, w->at, w->start), remedy,
        "condition of knob %s: %s", w->knob->name, why);
}

/* ---- words ---- */

static void
take_quoted(struct when *w, const char *s)
{
    const char *end = strchr(s + 1, s[0]);
    size_t n = end ? (size_t)(end - s - 1) : WORD_MAX;
    w->token = n < WORD_MAX ? TOKEN_STRING : TOKEN_BAD;
    if (n >= WORD_MAX)
        return;
    memcpy(w->word, s + 1, n);
    w->word[n] = '\0';
    w->pos += n + 2;
}

static void
take_word(struct when *w, const char *s)
{
    size_t n = 0;
    char *end;
    while (isalnum((unsigned char)s[n]) || (s[n] && strchr("_.-+", s[n])))
        n++;
    if (n == 0 || n >= WORD_MAX) {
        w->token = TOKEN_BAD;
        snprintf(w->word, sizeof w->word, "%.1s", s);
        return;
    }
    memcpy(w->word, s, n);
    w->word[n] = '\0';
    w->pos += n;
    strtod(w->word, &end);
    bool number = *end == '\0' && !isalpha((unsigned char)w->word[0]);
    w->token = number ? TOKEN_NUMBER : TOKEN_WORD;
}

static void
when_next(struct when *w)
{
    const char *s = w->at->str + w->pos;
    size_t blank = strspn(s, " \t\r\n");
    s += blank;
    w->pos += blank;
    w->start = w->pos;
    w->word[0] = '\0';
    if (*s == '\0') {
        w->token = TOKEN_END;
    } else if (strncmp(s, "==", 2) == 0 || strncmp(s, "!=", 2) == 0) {
        w->token = *s == '=' ? TOKEN_EQ : TOKEN_NE;
        w->pos += 2;
    } else if (*s == '(' || *s == '[') {
        w->token = TOKEN_OPEN;
        w->pos++;
    } else if (*s == ')' || *s == ']') {
        w->token = TOKEN_CLOSE;
        w->pos++;
    } else if (*s == ',') {
        w->token = TOKEN_COMMA;
        w->pos++;
    } else if (*s == '"' || *s == '\'') {
        take_quoted(w, s);
    } else {
        take_word(w, s);
    }
}

static bool
at_word(const struct when *w, const char *word)
{
    return w->token == TOKEN_WORD && strcmp(w->word, word) == 0;
}

/* ---- instructions ---- */

static int
emit(struct when *w, enum cond_op op, int knob, double value)
{
    struct knob *k = w->knob;
    if (k->n_when >= COND_MAX)
        return when_fail(w, "make it shorter",
            "longer than %d comparisons and operators", COND_MAX);
    k->when[k->n_when++] =
        (struct cond){.op = (uint8_t)op, .knob = (uint8_t)knob, .value = value};
    return 0;
}

/* ---- values ---- */

static int
find_knob(const struct when *w, int *out)
{
    const struct spec *s = &w->r->p->spec;
    const char *list[KNOBS_MAX];
    for (uint32_t i = 0; i < s->n_knobs; i++) {
        list[i] = s->knob[i].name;
        if (strcmp(s->knob[i].name, w->word) == 0) {
            *out = (int)i;
            return 0;
        }
    }
    return when_fail(w,
        read_hint(w->r, w->word, list, s->n_knobs,
            "declare it as [knob.NAME], or quote it if it is a value"),
        "there is no knob \"%s\"", w->word);
}

static bool
is_value(const struct when *w)
{
    return w->token == TOKEN_STRING || w->token == TOKEN_NUMBER ||
           at_word(w, "true") || at_word(w, "false");
}

static int
code_of_word(const struct when *w, const struct knob *k, double *code)
{
    const char *why = "", *list[VALUES_MAX];
    if (knob_code_text(k, w->word, code, &why) == 0)
        return 0;
    /* 0.1 and "1e-1" name the same listed number. */
    for (uint32_t i = 0; w->token == TOKEN_NUMBER && i < k->n_values; i++) {
        char *end;
        double v = strtod(k->values[i], &end);
        if (*end == '\0' && v == strtod(w->word, NULL)) {
            *code = i;
            return 0;
        }
    }
    for (uint32_t i = 0; i < k->n_values; i++)
        list[i] = k->values[i];
    return when_fail(w,
        read_hint(w->r, w->word, list, k->n_values,
            "compare with a value of the knob's domain"),
        "\"%s\" can never be the value of knob %s", w->word, k->name);
}

static int
take_value(struct when *w, const struct knob *k, double *code)
{
    if (!is_value(w))
        return when_fail(w, "quote text: \"dcnv2\"", "a value is expected%s%s",
            w->word[0] ? ", not " : "", w->word);
    int rc = code_of_word(w, k, code);
    when_next(w);
    return rc;
}

/* knob in (a, b): one comparison each, joined by or. */
static int
parse_list(struct when *w, int knob)
{
    const struct knob *k = &w->r->p->spec.knob[knob];
    enum cond_op op = k->kind == KNOB_SET ? COND_HAS : COND_EQ;
    if (w->token != TOKEN_OPEN)
        return when_fail(
            w, "write knob in [\"a\", \"b\"]", "a list is expected after in");
    for (uint32_t n = 0;; n++) {
        double code;
        when_next(w);
        int rc = take_value(w, k, &code);
        if (rc == 0 && op == COND_HAS)
            return when_fail(w, "write \"value\" in set-knob",
                "knob %s is a set itself", k->name);
        if (rc == 0)
            rc = emit(w, op, knob, code);
        if (rc == 0 && n > 0)
            rc = emit(w, COND_OR, 0, 0);
        if (rc != 0)
            return rc;
        if (w->token == TOKEN_CLOSE)
            break;
        if (w->token != TOKEN_COMMA)
            return when_fail(w, NULL, "a comma or a bracket is expected");
    }
    when_next(w);
    return 0;
}

/* ---- grammar ---- */

/* Takes "in" or "not in"; 1: in, 2: not in, 0: neither. */
static int
take_in(struct when *w)
{
    struct when saved = *w;
    bool negated = at_word(w, "not");
    if (negated)
        when_next(w);
    if (at_word(w, "in")) {
        when_next(w);
        return negated ? 2 : 1;
    }
    *w = saved;
    return 0;
}

static int
parse_knob_test(struct when *w)
{
    int knob = -1;
    double code = 1;
    int rc = find_knob(w, &knob);
    if (rc != 0)
        return rc;
    const struct knob *k = &w->r->p->spec.knob[knob];
    when_next(w);
    if (w->token == TOKEN_EQ || w->token == TOKEN_NE) {
        enum cond_op op = w->token == TOKEN_EQ ? COND_EQ : COND_NE;
        when_next(w);
        rc = take_value(w, k, &code);
        return rc == 0 ? emit(w, op, knob, code) : rc;
    }
    int in = take_in(w);
    if (in > 0) {
        rc = parse_list(w, knob);
        return rc == 0 && in == 2 ? emit(w, COND_NOT, 0, 0) : rc;
    }
    if (w->token == TOKEN_BAD)
        return when_fail(w, "use ==, !=, in, and, or, not",
            "\"%s\" is no part of a condition", w->word);
    if (k->kind != KNOB_BOOL)
        return when_fail(w, "compare it: knob == value",
            "knob %s is no bool, it can't stand alone", k->name);
    return emit(w, COND_EQ, knob, 1);
}

/* "a" in features, 3 == layers */
static int
parse_value_test(struct when *w)
{
    struct when value = *w;
    double code;
    int knob = -1;
    when_next(w);
    enum token op = w->token;
    int in = 0;
    if (op == TOKEN_EQ || op == TOKEN_NE)
        when_next(w);
    else
        in = take_in(w);
    if (op != TOKEN_EQ && op != TOKEN_NE && in == 0)
        return when_fail(&value, "write knob == value, or value in set-knob",
            "a value can't stand alone");
    int rc = find_knob(w, &knob);
    if (rc != 0)
        return rc;
    const struct knob *k = &w->r->p->spec.knob[knob];
    if (in > 0 && k->kind != KNOB_SET)
        return when_fail(w, "use == here", "knob %s is no set", k->name);
    rc = code_of_word(&value, k, &code);
    if (rc != 0)
        return rc;
    uint32_t bits = in > 0 ? (uint32_t)code : 1;
    if (bits == 0 || (bits & (bits - 1)) != 0)
        return when_fail(&value, "join tests by and", "one value at a time");
    when_next(w);
    if (in > 0) { /* the code of {value} is one bit; HAS takes its index */
        rc = emit(w, COND_HAS, knob, log2(code));
        return rc == 0 && in == 2 ? emit(w, COND_NOT, 0, 0) : rc;
    }
    return emit(w, op == TOKEN_EQ ? COND_EQ : COND_NE, knob, code);
}

static int parse_or(struct when *w);

static int
parse_factor(struct when *w)
{
    int rc;
    if (++w->depth > NEST_MAX)
        return when_fail(
            w, "make it simpler", "nested deeper than %d", NEST_MAX);
    if (at_word(w, "not")) {
        when_next(w);
        rc = parse_factor(w);
        if (rc == 0)
            rc = emit(w, COND_NOT, 0, 0);
    } else if (w->token == TOKEN_OPEN) {
        when_next(w);
        rc = parse_or(w);
        if (rc == 0 && w->token != TOKEN_CLOSE)
            rc = when_fail(w, NULL, "a closing bracket is expected");
        when_next(w);
    } else if (is_value(w)) {
        rc = parse_value_test(w);
    } else if (w->token == TOKEN_WORD) {
        rc = parse_knob_test(w);
    } else {
        rc = when_fail(w, "write for example: model == \"dcnv2\"",
            "a comparison is expected here");
    }
    w->depth--;
    return rc;
}

static int
parse_and(struct when *w)
{
    int rc = parse_factor(w);
    while (rc == 0 && at_word(w, "and")) {
        when_next(w);
        rc = parse_factor(w);
        if (rc == 0)
            rc = emit(w, COND_AND, 0, 0);
    }
    return rc;
}

static int
parse_or(struct when *w)
{
    int rc = parse_and(w);
    while (rc == 0 && at_word(w, "or")) {
        when_next(w);
        rc = parse_and(w);
        if (rc == 0)
            rc = emit(w, COND_OR, 0, 0);
    }
    return rc;
}

int
when_parse(const struct reader *r, struct knob *k, const struct toml *t)
{
    struct when w = {.r = r, .knob = k, .at = t};
    if (t->kind != TOML_STR || strlen(t->str) != t->str_len)
        return read_fail(r, place_value(t),
            "write for example: when = 'model == \"dcnv2\"'",
            "a condition is text in quotes");
    when_next(&w);
    if (w.token == TOKEN_END)
        return emit(&w, COND_TRUE, 0, 0);
    int rc = parse_or(&w);
    if (rc == 0 && w.token != TOKEN_END)
        rc = when_fail(&w, "use ==, !=, in, and, or, not",
            "the condition should end here");
    return rc;
}

/* ---- cycles ---- */

/* 1: knob i is reached from itself. state: 0 new, 1 on the path, 2 done. */
static int
walk(const struct spec *s, uint32_t i, uint8_t *state, uint32_t *at)
{
    state[i] = 1;
    for (uint32_t j = 0; j < s->knob[i].n_when; j++) {
        const struct cond *c = &s->knob[i].when[j];
        if (c->op != COND_EQ && c->op != COND_NE && c->op != COND_HAS)
            continue;
        if (state[c->knob] == 1) {
            *at = i;
            return 1;
        }
        if (state[c->knob] == 0 && walk(s, c->knob, state, at) != 0)
            return 1;
    }
    state[i] = 2;
    return 0;
}

int
when_cycles(const struct reader *r)
{
    const struct spec *s = &r->p->spec;
    uint8_t state[KNOBS_MAX] = {0};
    uint32_t at = 0;
    for (uint32_t i = 0; i < s->n_knobs; i++) {
        if (state[i] != 0 || walk(s, i, state, &at) == 0)
            continue;
        const struct toml *t =
            toml_get(toml_get(r->root, "knob"), s->knob[at].name);
        return read_fail(r, place_of(t, "when"),
            "let the conditions point one way only",
            "the condition of knob %s depends on itself", s->knob[at].name);
    }
    return 0;
}
