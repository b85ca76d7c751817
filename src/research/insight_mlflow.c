/* MLflow's runs: the file store (mlruns/EXPERIMENT/RUN/{meta.yaml, params,
 * metrics}) and the replies of its REST interface (experiments/search,
 * runs/search of API 2.0), as of MLflow 2 and 3. Called by the import; who
 * fetches the replies is the verb's affair. Invariant: names of files become
 * names of parameters, never paths; a run that cannot be read costs itself. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "research/insight_runs.h"

enum {
    META_BYTES = 64 * 1024,
    METRIC_BYTES = 8 << 20,
    PARAM_BYTES = 64 * 1024
};

/* ---- both ---- */

static int
run_compare(const void *a, const void *b)
{
    const struct run *x = a, *y = b;
    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? -1 : 1;
    return strcmp(x->id, y->id);
}

/* Ids of experiments are small numbers on every server; the id of a run is
 * unique everywhere. */
static void
uids_make(struct studies *s)
{
    for (uint32_t i = 0; i < s->n; i++) {
        struct study *t = &s->study[i];
        char hash[FS_HASH_HEX];
        if (t->n > 0)
            qsort(t->run, t->n, sizeof *t->run, run_compare);
        const char *first = t->n > 0 ? t->run[0].id : "";
        fs_hash_bytes(first, strlen(first), hash);
        t->uid = arena_printf(s->arena, "mlflow:%.60s-%.10s", t->name, hash);
    }
}

static int
metric_missing(const struct studies *s, const char *seen, struct err *err)
{
    return err_set(err, -ERR_INPUT,
        "which metric of these %u experiments?\n  remedy: --metric=NAME%s%.60s",
        s->n, seen != NULL ? ", such as --metric=" : "",
        seen != NULL ? seen : "");
}

/* ---- file store ---- */

struct meta {
    char name[256], id[256], status[16], start[32], stage[32];
};

/* The few lines of meta.yaml that count: "key: value", quotes at most. */
static void
meta_line(struct meta *m, const char *line, size_t n)
{
    static const struct {
        const char *key;
        size_t at, size;
    } field[] = {{"name", offsetof(struct meta, name), 256},
        {"run_id", offsetof(struct meta, id), 256},
        {"status", offsetof(struct meta, status), 16},
        {"start_time", offsetof(struct meta, start), 32},
        {"lifecycle_stage", offsetof(struct meta, stage), 32}};
    for (size_t i = 0; i < sizeof field / sizeof *field; i++) {
        size_t len = strlen(field[i].key);
        if (n < len + 2 || memcmp(line, field[i].key, len) != 0 ||
            line[len] != ':')
            continue;
        const char *v = line + len + 1, *end = line + n;
        while (v < end && (*v == ' ' || *v == '\'' || *v == '"'))
            v++;
        while (end > v && strchr(" '\"\r", end[-1]) != NULL)
            end--;
        snprintf(
            (char *)m + field[i].at, field[i].size, "%.*s", (int)(end - v), v);
    }
}

static int
meta_read(const char *path, struct meta *m, struct err *err)
{
    struct buf b = {0};
    memset(m, 0, sizeof *m);
    int rc = fs_read(path, META_BYTES, &b, err);
    for (const char *p = buf_str(&b); rc == 0 && *p != '\0';) {
        const char *end = strchrnul(p, '\n');
        meta_line(m, p, (size_t)(end - p));
        p = *end != '\0' ? end + 1 : end;
    }
    buf_fini(&b);
    return rc;
}

/* The value of the last step: lines "time value step". */
static double
metric_read(const char *path)
{
    struct buf b = {0};
    double value = (double)NAN, last_step = -1, last_time = -1;
    if (fs_read(path, METRIC_BYTES, &b, NULL) != 0) {
        buf_fini(&b);
        return value;
    }
    for (const char *p = buf_str(&b); *p != '\0';) {
        char *end = NULL;
        double time = strtod(p, &end), v = strtod(end, &end);
        double step = *end == ' ' ? strtod(end, &end) : 0;
        if (step > last_step || (step == last_step && time >= last_time)) {
            value = v;
            last_step = step;
            last_time = time;
        }
        const char *eol = strchrnul(p, '\n');
        p = *eol != '\0' ? eol + 1 : eol;
    }
    buf_fini(&b);
    return value;
}

static void
params_read(struct studies *s, struct run *r, const char *dir)
{
    const char **name = NULL;
    size_t n = 0;
    if (fs_list_in(s->arena, dir, &name, &n, NULL) != 0)
        return; /* a run without parameters has no such folder */
    for (size_t i = 0; i < n; i++) {
        struct buf b = {0};
        struct err why = {0};
        if (fs_read(fs_join_in(s->arena, dir, name[i]), PARAM_BYTES, &b,
                &why) == 0) {
            while (b.len > 0 && strchr("\r\n", b.data[b.len - 1]) != NULL)
                b.data[--b.len] = '\0';
            run_set(s, r, name[i], buf_str(&b));
        } else {
            studies_bad(s, "run %.80s: %.200s", r->id, why.text);
        }
        buf_fini(&b);
    }
}

static uint8_t
status_number(const char *text)
{
    switch (strtol(text, NULL, 10)) {
    case 3: /* FINISHED */
        return RUN_OK;
    case 4: /* FAILED */
    case 5: /* KILLED */
        return RUN_FAILED;
    default:
        return RUN_OPEN;
    }
}

static void
run_read(struct studies *s, struct study *t, const char *dir,
    const struct insight_source *o)
{
    struct meta m;
    struct err why = {0};
    s->records++;
    if (meta_read(fs_join_in(s->arena, dir, "meta.yaml"), &m, &why) != 0 ||
        m.id[0] == '\0') {
        studies_bad(s, "%.200s: %.150s", dir,
            why.text[0] != '\0' ? why.text : "meta.yaml names no run");
        return;
    }
    if (strcmp(m.stage, "deleted") == 0)
        return;
    struct run *r = study_run(s, t, m.id);
    if (r == NULL)
        return;
    r->at_ms = strtoll(m.start, NULL, 10);
    r->status = status_number(m.status);
    params_read(s, r, fs_join_in(s->arena, dir, "params"));
    if (strchr(o->metric, '/') == NULL)
        r->value = metric_read(
            arena_printf(s->arena, "%s/metrics/%s", dir, o->metric));
    if (r->status == RUN_OK &&
        !fs_is_file(arena_printf(s->arena, "%s/metrics/%s", dir, o->metric)))
        r->status = RUN_OPEN; /* of another kind: it never had this metric */
}

static const char *
metric_seen(struct studies *s, const char *dir)
{
    const char **name = NULL;
    size_t n = 0;
    const char *at = fs_join_in(s->arena, dir, "metrics");
    return fs_list_in(s->arena, at, &name, &n, NULL) == 0 && n > 0 ? name[0]
                                                                   : NULL;
}

int
mlflow_store_read(struct studies *s, const char *dir,
    const struct insight_source *o, struct err *err)
{
    const char **name = NULL, *seen = NULL;
    size_t n = 0;
    int rc = fs_list_in(s->arena, dir, &name, &n, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        struct meta m;
        const char *at = fs_join_in(s->arena, dir, name[i]), **run = NULL;
        size_t runs = 0;
        if (name[i][0] == '.' ||
            meta_read(fs_join_in(s->arena, at, "meta.yaml"), &m, NULL) != 0 ||
            strcmp(m.stage, "deleted") == 0)
            continue;
        struct study *t = study_add(s, "mlflow", m.name);
        if (t == NULL || fs_list_in(s->arena, at, &run, &runs, err) != 0)
            continue;
        t->metric = o->metric;
        for (size_t k = 0; k < runs; k++) {
            const char *sub = fs_join_in(s->arena, at, run[k]);
            if (!fs_is_dir(sub) ||
                !fs_is_file(fs_join_in(s->arena, sub, "meta.yaml")))
                continue;
            if (o->metric == NULL)
                seen = seen != NULL ? seen : metric_seen(s, sub);
            else
                run_read(s, t, sub, o);
        }
        t->minimise = o->metric != NULL && metric_is_loss(o->metric);
    }
    if (rc == 0 && s->n == 0)
        rc = err_set(err, -ERR_INPUT,
            "%s: no MLflow store: none of its folders has a meta.yaml", dir);
    if (rc == 0 && o->metric == NULL)
        rc = metric_missing(s, seen, err);
    uids_make(s);
    return rc;
}

/* ---- REST ---- */

static void
experiments_take(
    struct studies *s, const struct json *list, const struct insight_source *o)
{
    for (size_t i = 0; i < json_len(list); i++) {
        const struct json *e = json_at(list, i);
        const char *name = json_get_str(e, "name");
        const char *id = json_get_str(e, "experiment_id");
        if (name == NULL || id == NULL) {
            studies_bad(s, "experiment %zu has no name or id", i);
            continue;
        }
        struct study *t = study_add(s, "mlflow", name);
        if (t == NULL)
            return;
        t->uid = arena_strdup(s->arena, id); /* for the runs */
        t->metric = o->metric;
        t->minimise = metric_is_loss(o->metric);
    }
}

static int64_t
number_of(const struct json *j, const char *key)
{
    const char *text = json_get_str(j, key); /* proto3 writes int64 as text */
    return text != NULL ? strtoll(text, NULL, 10) : json_get_i64(j, key, 0);
}

static void
run_take(
    struct studies *s, const struct json *run, const struct insight_source *o)
{
    const struct json *info = json_get(run, "info");
    const struct json *data = json_get(run, "data");
    const char *id = json_get_str(info, "run_id");
    const char *in = json_get_str(info, "experiment_id");
    const char *status = json_get_str(info, "status");
    struct study *t = NULL;
    s->records++;
    for (uint32_t i = 0; in != NULL && i < s->n; i++)
        if (strcmp(s->study[i].uid, in) == 0)
            t = &s->study[i];
    if (id == NULL || status == NULL || t == NULL) {
        studies_bad(s, "run %.80s: no id, status or known experiment",
            id != NULL ? id : "?");
        return;
    }
    struct run *r = study_run(s, t, id);
    if (r == NULL)
        return;
    bool has = false;
    r->at_ms = number_of(info, "start_time");
    r->status = strcmp(status, "FINISHED") == 0 ? RUN_OK
                : strcmp(status, "FAILED") == 0 || strcmp(status, "KILLED") == 0
                    ? RUN_FAILED
                    : RUN_OPEN;
    const struct json *metrics = json_get(data, "metrics");
    const struct json *params = json_get(data, "params");
    for (size_t i = 0; i < json_len(metrics); i++) {
        const char *key = json_get_str(json_at(metrics, i), "key");
        if (key == NULL || strcmp(key, o->metric) != 0)
            continue;
        has = true;
        r->value = json_get_num(json_at(metrics, i), "value", (double)NAN);
    }
    for (size_t i = 0; i < json_len(params); i++) {
        const char *key = json_get_str(json_at(params, i), "key");
        const char *value = json_get_str(json_at(params, i), "value");
        if (key != NULL && value != NULL)
            run_set(s, r, key, value);
    }
    if (r->status == RUN_OK && !has)
        r->status = RUN_OPEN;
}

int
insight_import_mlflow(struct insights *db, const char *const *page, size_t n,
    const struct insight_source *from, struct insight_import *out,
    struct err *err)
{
    struct arena a = {0};
    struct studies s = {.arena = &a};
    int rc = 0;
    memset(out, 0, sizeof *out);
    if (from->metric == NULL)
        rc = metric_missing(&s, NULL, err);
    /* experiments first: runs are found by theirs */
    for (int pass = 0; rc == 0 && pass < 2; pass++)
        for (size_t i = 0; rc == 0 && i < n; i++) {
            struct json *j = json_parse(page[i], strlen(page[i]), err);
            const struct json *runs = json_get(j, "runs");
            if (j == NULL)
                rc =
                    err_wrap(err, -ERR_INPUT, "reply %zu of the server", i + 1);
            else if (pass == 0)
                experiments_take(&s, json_get(j, "experiments"), from);
            for (size_t k = 0; pass == 1 && k < json_len(runs); k++)
                run_take(&s, json_at(runs, k), from);
            json_free(j);
        }
    if (rc == 0) {
        uids_make(&s);
        rc = insight_keep_studies(db, &s, from, out, err);
    }
    arena_fini(&a);
    return rc;
}
