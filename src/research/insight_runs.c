/* The list of trials that the readers of other programs' records fill. Called
 * by them only. Invariant: whatever a file says, the list stays within its
 * limits, and what does not fit is counted as a bad record. */
#include "research/insight_runs.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/utf8.h"
#include "project/read.h"

void
studies_bad(struct studies *s, const char *fmt, ...)
{
    if (s->bad++ > 0)
        return;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(s->first_bad, sizeof s->first_bad, fmt, ap);
    va_end(ap);
}

/* Bytes of the readable beginning: whole characters, up to the limit. */
static size_t
readable(const char *text)
{
    size_t n = 0, len = strlen(text);
    while (n < len) {
        size_t k = utf8_len(text + n, len - n);
        if (k == 0 || n + k > RUN_TEXT_MAX)
            break;
        n += k;
    }
    return n;
}

static const char *
text_in(struct studies *s, const char *text)
{
    return arena_strndup(s->arena, text, readable(text));
}

/* Room for one more in an arena's array: the old one stays where it is. */
static void *
grown(struct studies *s, void *list, uint32_t n, uint32_t *cap, size_t size)
{
    if (n < *cap)
        return list;
    uint32_t more = *cap > 0 ? 2 * *cap : 8;
    void *next = arena_alloc(s->arena, more * size);
    if (n > 0)
        memcpy(next, list, n * size);
    *cap = more;
    return next;
}

struct study *
study_add(struct studies *s, const char *kind, const char *name)
{
    if (s->n >= STUDIES_MAX) {
        studies_bad(s, "more than %d studies", STUDIES_MAX);
        return NULL;
    }
    s->study = grown(s, s->study, s->n, &s->cap, sizeof *s->study);
    struct study *t = &s->study[s->n++];
    memset(t, 0, sizeof *t);
    t->kind = kind;
    t->name = text_in(s, name);
    return t;
}

struct study *
study_named(struct studies *s, const char *kind, const char *name)
{
    size_t n = readable(name); /* as it is kept */
    for (uint32_t i = 0; i < s->n; i++)
        if (strlen(s->study[i].name) == n &&
            memcmp(s->study[i].name, name, n) == 0)
            return &s->study[i];
    return study_add(s, kind, name);
}

struct run *
study_run(struct studies *s, struct study *t, const char *id)
{
    if (t->n >= STUDY_RUNS_MAX) {
        studies_bad(
            s, "study %.80s: more than %d trials", t->name, STUDY_RUNS_MAX);
        return NULL;
    }
    t->run = grown(s, t->run, t->n, &t->cap, sizeof *t->run);
    struct run *r = &t->run[t->n++];
    memset(r, 0, sizeof *r);
    r->id = text_in(s, id);
    r->value = (double)NAN;
    return r;
}

void
run_set(struct studies *s, struct run *r, const char *name, const char *value)
{
    if (readable(name) == 0 || (value[0] != '\0' && readable(value) == 0)) {
        studies_bad(
            s, "trial %.80s: a parameter without a readable name", r->id);
        return;
    }
    for (uint32_t i = 0; i < r->n; i++)
        if (strcmp(r->param[i].name, name) == 0) {
            r->param[i].value = text_in(s, value);
            return;
        }
    if (r->n >= RUN_PARAMS_MAX) {
        studies_bad(
            s, "trial %.80s: more than %d parameters", r->id, RUN_PARAMS_MAX);
        return;
    }
    r->param = grown(s, r->param, r->n, &r->cap, sizeof *r->param);
    r->param[r->n++] = (struct run_param){text_in(s, name), text_in(s, value)};
}

void
run_set_json(
    struct studies *s, struct run *r, const char *name, const struct json *v)
{
    struct buf b = {0};
    if (json_kind(v) == J_STR)
        buf_puts(&b, json_str(v));
    else if (json_kind(v) == J_REAL)
        buf_put_f64(&b, json_num(v, 0));
    else
        json_dump(v, &b);
    run_set(s, r, name, buf_str(&b));
    buf_fini(&b);
}

int64_t
time_read(const char *text)
{
    struct tm tm = {0};
    const char *rest = text != NULL ? strptime(text, "%Y-%m-%d", &tm) : NULL;
    if (rest == NULL)
        return 0;
    if (*rest == 'T' || *rest == ' ') {
        const char *end = strptime(rest + 1, "%H:%M:%S", &tm);
        rest = end != NULL ? end : rest;
    }
    int64_t ms = (int64_t)timegm(&tm) * 1000;
    if (*rest == '.') {
        char *end = NULL;
        double part = strtod(rest, &end);
        ms += (int64_t)(part * 1000);
    }
    return ms > 0 ? ms : 0;
}

const char *
run_concept(const char *knob)
{
    return concept_name(concept_find(knob, "", ""));
}

bool
metric_is_loss(const char *name)
{
    static const char *const word[] = {
        "loss", "rmse", "mse", "mae", "error", "perplexity", "cost"};
    for (size_t i = 0; i < sizeof word / sizeof *word; i++)
        if (strcasestr(name, word[i]) != NULL)
            return true;
    return false;
}
