/* A table of trials: comma- or tab-separated, RFC 4180 quotes, names in the
 * first row; which column is the metric, the seed, the status and the name of a
 * trial is told by options. Called by the import. Invariant: a row with the
 * wrong number of cells is counted and skipped. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/fs.h"
#include "base/near.h"
#include "research/insight_runs.h"

enum { COLUMNS_MAX = 512 };

struct table {
    const char *text;
    size_t len, at;
    char comma;
    uint32_t line, n;
    const char *cell[COLUMNS_MAX];
    struct arena *arena;
};

/* One cell; false at the end of the row (*last: it was the last cell). */
static const char *
cell_next(struct table *t, bool *last)
{
    struct buf b = {0};
    const char *s = t->text;
    bool quoted = t->at < t->len && s[t->at] == '"';
    t->at += quoted;
    while (t->at < t->len) {
        char c = s[t->at];
        if (quoted && c == '"') {
            if (t->at + 1 < t->len && s[t->at + 1] == '"') {
                t->at++;
            } else {
                quoted = false;
                t->at++;
                continue;
            }
        } else if (!quoted && (c == t->comma || c == '\n')) {
            break;
        }
        t->line += c == '\n';
        if (c != '\r' && c != '\0' && b.len < RUN_TEXT_MAX)
            buf_putc(&b, c);
        t->at++;
    }
    *last = t->at >= t->len || s[t->at] == '\n';
    t->at += t->at < t->len;
    const char *cell = arena_strdup(t->arena, buf_str(&b));
    buf_fini(&b);
    return cell;
}

/* The cells of the next row that is not empty; false: no more. */
static bool
row_next(struct table *t)
{
    while (t->at < t->len) {
        bool last = false;
        t->n = 0;
        t->line++;
        while (!last) {
            const char *cell = cell_next(t, &last);
            if (t->n < COLUMNS_MAX)
                t->cell[t->n] = cell;
            t->n++;
        }
        if (t->n > 1 || t->cell[0][0] != '\0')
            return true;
    }
    return false;
}

static int
column_find(const char *const *name, uint32_t n, const char *want)
{
    for (uint32_t i = 0; want != NULL && i < n; i++)
        if (strcmp(name[i], want) == 0)
            return (int)i;
    return -1;
}

static int
column_need(const char *const *name, uint32_t n, const char *what,
    const char *want, int *out, struct err *err)
{
    *out = column_find(name, n, want);
    if (want == NULL || *out >= 0)
        return 0;
    const char *near = near_word(want, name, n);
    return err_set(err, -ERR_INPUT, "--%s: there is no column \"%s\"%s%s%s",
        what, want, near != NULL ? "; did you mean \"" : "",
        near != NULL ? near : "", near != NULL ? "\"?" : "");
}

static uint8_t
status_read(const char *s)
{
    static const struct {
        const char *word;
        uint8_t status;
    } known[] = {{"ok", RUN_OK}, {"complete", RUN_OK}, {"completed", RUN_OK},
        {"finished", RUN_OK}, {"success", RUN_OK}, {"done", RUN_OK},
        {"0", RUN_OK}, {"fail", RUN_FAILED}, {"failed", RUN_FAILED},
        {"error", RUN_FAILED}, {"crashed", RUN_FAILED}, {"killed", RUN_FAILED},
        {"oom", RUN_FAILED}, {"timeout", RUN_FAILED}, {"pruned", RUN_STOPPED},
        {"stopped", RUN_STOPPED}, {"running", RUN_OPEN}, {"queued", RUN_OPEN},
        {"diverged", RUN_UNSTABLE}, {"nan", RUN_UNSTABLE},
        {"unstable", RUN_UNSTABLE}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcasecmp(s, known[i].word) == 0)
            return known[i].status;
    return UINT8_MAX;
}

struct columns {
    const char *name[COLUMNS_MAX];
    uint32_t n;
    int metric, status, id, date;
};

static void
row_read(struct studies *s, struct study *t, const struct table *c,
    const struct columns *k)
{
    char number[24];
    snprintf(number, sizeof number, "%u", t->n + 1);
    if (c->n != k->n) {
        studies_bad(
            s, "line %u: %u cells, the first row has %u", c->line, c->n, k->n);
        return;
    }
    struct run *r = study_run(s, t, k->id >= 0 ? c->cell[k->id] : number);
    if (r == NULL)
        return;
    const char *value = c->cell[k->metric];
    char *end = NULL;
    r->value = strtod(value, &end);
    bool empty = value[0] == '\0' || end == value || *end != '\0';
    r->status = empty ? RUN_FAILED : RUN_OK;
    if (k->status >= 0) {
        uint8_t told = status_read(c->cell[k->status]);
        if (told == UINT8_MAX) {
            r->status = RUN_OPEN;
            studies_bad(s, "line %u: status \"%.60s\" is not known", c->line,
                c->cell[k->status]);
        } else {
            r->status = told;
        }
    }
    if (empty)
        r->value = (double)NAN;
    if (empty && r->status == RUN_OK)
        r->status = RUN_FAILED;
    r->at_ms = k->date >= 0 ? time_read(c->cell[k->date]) : 0;
    for (uint32_t i = 0; i < k->n; i++)
        if ((int)i != k->metric && (int)i != k->status && (int)i != k->id &&
            (int)i != k->date && k->name[i][0] != '\0')
            run_set(s, r, k->name[i], c->cell[i]);
}

int
csv_read(struct studies *s, const char *name, const char *text, size_t len,
    const struct insight_source *o, struct err *err)
{
    struct table *t = mem_calloc(1, sizeof *t);
    struct columns *k = mem_calloc(1, sizeof *k);
    const char *tab = memchr(text, '\t', len);
    const char *eol = memchr(text, '\n', len);
    *t = (struct table){.text = text,
        .len = len,
        .arena = s->arena,
        .comma = tab != NULL && (eol == NULL || tab < eol) ? '\t' : ','};
    int rc = 0;
    if (!row_next(t) || t->n > COLUMNS_MAX)
        rc = err_set(err, -ERR_INPUT,
            "no table of trials: the first row must name 1 to %d columns",
            COLUMNS_MAX);
    if (rc == 0) {
        k->n = t->n;
        memcpy(k->name, t->cell, t->n * sizeof *t->cell);
        if (o->metric == NULL)
            rc = err_set(err, -ERR_INPUT,
                "which column is the metric?\n  remedy: --metric=NAME, one of "
                "those in the first row, such as --metric=%.60s",
                k->name[k->n - 1]);
    }
    if (rc == 0)
        rc = column_need(k->name, k->n, "metric", o->metric, &k->metric, err);
    if (rc == 0)
        rc = column_need(k->name, k->n, "status", o->status, &k->status, err);
    if (rc == 0)
        rc = column_need(k->name, k->n, "id", o->id, &k->id, err);
    int seed;
    if (rc == 0)
        rc = column_need(k->name, k->n, "seed", o->seed, &seed, err);
    if (rc == 0) {
        if (o->status == NULL)
            k->status = column_find(k->name, k->n, "status");
        k->date = column_find(k->name, k->n, "date");
        struct buf head = {0};
        char hash[FS_HASH_HEX];
        for (uint32_t i = 0; i < k->n; i++)
            buf_printf(&head, "%s\n", k->name[i]);
        /* tables of the same columns are told apart by their first row */
        size_t from = t->at, to = t->at;
        while (to < len && text[to] != '\n')
            to++;
        buf_add(&head, text + from, to - from);
        fs_hash_bytes(buf_str(&head), head.len, hash);
        buf_fini(&head);
        struct study *table = study_add(s, "csv", name);
        table->metric = o->metric;
        table->minimise = metric_is_loss(o->metric);
        table->uid = arena_printf(s->arena, "csv:%.60s-%.10s", name, hash);
        while (row_next(t)) {
            s->records++;
            row_read(s, table, t, k);
        }
    }
    free(t);
    free(k);
    return rc;
}
