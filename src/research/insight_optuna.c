/* Optuna's storages, read only: the journal file (one operation a line) and the
 * SQLite file, as of Optuna 3 to 5 (optuna/storages/journal/_storage.py,
 * _rdb/models.py). Called by the import. Of several objectives the first is
 * taken. Invariant: a bad line or row costs itself alone. */
#include <inttypes.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "research/insight_runs.h"

enum op {
    OP_CREATE_STUDY,
    OP_DELETE_STUDY,
    OP_STUDY_USER_ATTR,
    OP_STUDY_SYSTEM_ATTR,
    OP_CREATE_TRIAL,
    OP_TRIAL_PARAM,
    OP_TRIAL_STATE,
    OP_TRIAL_INTERMEDIATE,
    OP_TRIAL_USER_ATTR,
    OP_TRIAL_SYSTEM_ATTR,
    OP_DISCARD
};
enum { STATE_RUNNING, STATE_COMPLETE, STATE_PRUNED, STATE_FAIL, STATE_WAITING };
enum { LINE_MAX_BYTES = 4 << 20, DIRECTION_MINIMIZE = 1 };

/* A trial by its number in the whole storage, where the lists may move. */
struct place {
    uint32_t study, run;
};
struct journal {
    struct studies *s;
    const struct insight_source *o;
    struct place *trial;
    uint32_t n_trials, cap;
    uint32_t line;
};

static uint8_t
status_of(int64_t state)
{
    switch (state) {
    case STATE_COMPLETE:
        return RUN_OK;
    case STATE_PRUNED:
        return RUN_STOPPED;
    case STATE_FAIL:
        return RUN_FAILED;
    default:
        return RUN_OPEN;
    }
}

/* A parameter as the study's code saw it: a place in the choices, or a number.
 */
static void
param_put(struct studies *s, struct run *r, const char *name, double internal,
    const char *distribution)
{
    struct json *d = distribution != NULL
                         ? json_parse(distribution, strlen(distribution), NULL)
                         : NULL;
    const char *kind = json_get_str(d, "name");
    const struct json *choices = json_get(json_get(d, "attributes"), "choices");
    char text[64];
    if (json_kind(choices) == J_ARR) {
        bool known = internal >= 0 && internal < (double)json_len(choices);
        if (known)
            run_set_json(s, r, name, json_at(choices, (size_t)internal));
        else
            studies_bad(
                s, "trial %.80s: %.80s is none of its choices", r->id, name);
    } else if (kind != NULL && strncmp(kind, "Int", 3) == 0 &&
               fabs(internal) < 9e15) {
        snprintf(text, sizeof text, "%.0f", internal);
        run_set(s, r, name, text);
    } else {
        struct buf b = {0};
        buf_put_f64(&b, internal);
        run_set(s, r, name, buf_str(&b));
        buf_fini(&b);
    }
    json_free(d);
}

static const char *
metric_or(const struct insight_source *o, const char *name)
{
    return o->metric != NULL ? o->metric : name;
}

/* Known by name and by when its first trial began: the journal and the SQLite
 * file of the same study are the same study. */
static void
uids_make(struct studies *s)
{
    for (uint32_t i = 0; i < s->n; i++) {
        struct study *t = &s->study[i];
        char hash[FS_HASH_HEX], first[64];
        snprintf(first, sizeof first, "%" PRId64 " ",
            t->n > 0 ? t->run[0].at_ms : 0);
        const char *all = arena_printf(s->arena, "%s%s", first, t->name);
        fs_hash_bytes(all, strlen(all), hash);
        t->uid = arena_printf(s->arena, "optuna:%.60s-%.10s", t->name, hash);
    }
}

/* ---- journal ---- */

/* Python writes NaN and Infinity, which no JSON has. */
static void
numbers_mend(const char *text, size_t n, struct buf *out)
{
    static const char *const word[] = {"-Infinity", "Infinity", "NaN"};
    bool quoted = false;
    buf_clear(out);
    for (size_t i = 0; i < n; i++) {
        size_t len = 0;
        for (int k = 0; !quoted && len == 0 && k < 3; k++)
            if (n - i >= strlen(word[k]) &&
                memcmp(text + i, word[k], strlen(word[k])) == 0)
                len = strlen(word[k]);
        if (len > 0) {
            buf_puts(out, "null");
            i += len - 1;
            continue;
        }
        if (text[i] == '\\' && quoted && i + 1 < n)
            buf_putc(out, text[i++]);
        else if (text[i] == '"')
            quoted = !quoted;
        buf_putc(out, text[i]);
    }
}

static struct run *
trial_of(struct journal *j, const struct json *op)
{
    int64_t id = json_get_i64(op, "trial_id", -1);
    if (id < 0 || id >= j->n_trials) {
        studies_bad(j->s, "line %u: no trial %" PRId64 " was created before it",
            j->line, id);
        return NULL;
    }
    struct place p = j->trial[id];
    if (p.study >= j->s->n || p.run >= j->s->study[p.study].n)
        return NULL; /* one beyond the limits, told when it was made */
    return &j->s->study[p.study].run[p.run];
}

static void
values_put(struct run *r, const struct json *op)
{
    const struct json *values = json_get(op, "values");
    const struct json *one = json_get(op, "value");
    if (json_kind(values) == J_ARR && json_len(values) > 0)
        r->value = json_num(json_at(values, 0), (double)NAN);
    else if (json_is_num(one))
        r->value = json_num(one, (double)NAN);
}

static void
study_create(struct journal *j, const struct json *op)
{
    const char *name = json_get_str(op, "study_name");
    const struct json *directions = json_get(op, "directions");
    struct study *t =
        study_add(j->s, "optuna", name != NULL ? name : "unnamed");
    if (t == NULL)
        return;
    t->minimise = json_i64(json_at(directions, 0), 0) == DIRECTION_MINIMIZE;
    t->metric = metric_or(j->o, "value");
}

static void
seed_put(struct studies *s, struct run *r, const struct insight_source *o,
    const struct json *attrs)
{
    const char *name = o->seed != NULL ? o->seed : "seed";
    const struct json *v = json_get(attrs, name);
    if (v != NULL && r->seed == NULL)
        run_set_json(s, r, name, v); /* told from the knobs when kept */
}

static void
trial_create(struct journal *j, const struct json *op)
{
    int64_t study = json_get_i64(op, "study_id", -1);
    struct studies *s = j->s;
    if (j->n_trials == j->cap) {
        j->cap = j->cap > 0 ? 2 * j->cap : 64;
        j->trial = mem_realloc(j->trial, j->cap * sizeof *j->trial);
    }
    struct place *p = &j->trial[j->n_trials++];
    *p = (struct place){UINT32_MAX, 0};
    if (study < 0 || study >= s->n) {
        studies_bad(s, "line %u: no study %" PRId64, j->line, study);
        return;
    }
    struct study *t = &s->study[study];
    char id[24];
    snprintf(id, sizeof id, "%u", t->n);
    struct run *r = study_run(s, t, id);
    if (r == NULL)
        return;
    *p = (struct place){(uint32_t)study, t->n - 1};
    r->at_ms = time_read(json_get_str(op, "datetime_start"));
    r->status = status_of(json_get_i64(op, "state", STATE_RUNNING));
    values_put(r, op);
    const struct json *params = json_get(op, "params");
    for (size_t i = 0; i < json_len(params); i++) {
        const char *name = NULL;
        const struct json *v = json_member(params, i, &name);
        param_put(s, r, name, json_num(v, 0),
            json_str(json_get(json_get(op, "distributions"), name)));
    }
    seed_put(s, r, j->o, json_get(op, "user_attrs"));
}

static void
metric_names(struct journal *j, const struct json *op)
{
    int64_t study = json_get_i64(op, "study_id", -1);
    const struct json *names =
        json_get(json_get(op, "system_attr"), "study:metric_names");
    const char *first = json_str(json_at(names, 0));
    if (study >= 0 && study < j->s->n && first != NULL && j->o->metric == NULL)
        j->s->study[study].metric = arena_strdup(j->s->arena, first);
}

static void
op_apply(struct journal *j, const struct json *op)
{
    struct run *r;
    switch (json_get_i64(op, "op_code", -1)) {
    case OP_CREATE_STUDY:
        study_create(j, op);
        break;
    case OP_STUDY_SYSTEM_ATTR:
        metric_names(j, op);
        break;
    case OP_DELETE_STUDY: {
        int64_t id = json_get_i64(op, "study_id", -1);
        if (id >= 0 && id < j->s->n)
            j->s->study[id].n = 0;
        break;
    }
    case OP_CREATE_TRIAL:
        trial_create(j, op);
        break;
    case OP_TRIAL_PARAM:
        r = trial_of(j, op);
        if (r != NULL && json_get_str(op, "param_name") != NULL)
            param_put(j->s, r, json_get_str(op, "param_name"),
                json_get_num(op, "param_value_internal", 0),
                json_get_str(op, "distribution"));
        break;
    case OP_TRIAL_STATE:
        r = trial_of(j, op);
        if (r == NULL)
            break;
        r->status = status_of(json_get_i64(op, "state", STATE_RUNNING));
        if (r->at_ms == 0)
            r->at_ms = time_read(json_get_str(op, "datetime_start"));
        values_put(r, op);
        break;
    case OP_TRIAL_USER_ATTR:
        r = trial_of(j, op);
        if (r != NULL)
            seed_put(j->s, r, j->o, json_get(op, "user_attr"));
        break;
    case OP_STUDY_USER_ATTR:
    case OP_TRIAL_INTERMEDIATE:
    case OP_TRIAL_SYSTEM_ATTR:
    case OP_DISCARD:
        break;
    default:
        studies_bad(j->s, "line %u: no operation of a journal", j->line);
    }
}

int
optuna_journal_read(struct studies *s, const char *text, size_t len,
    const struct insight_source *o, struct err *err)
{
    struct journal j = {.s = s, .o = o};
    struct buf line = {0};
    for (size_t at = 0; at < len;) {
        const char *end = memchr(text + at, '\n', len - at);
        size_t n = end != NULL ? (size_t)(end - text) - at : len - at;
        struct err bad = {0};
        j.line++;
        numbers_mend(text + at, n < LINE_MAX_BYTES ? n : LINE_MAX_BYTES, &line);
        at += n + 1;
        if (strspn(buf_str(&line), " \t\r") >= line.len)
            continue;
        s->records++;
        struct json *op = json_parse(buf_str(&line), line.len, &bad);
        if (json_kind(op) == J_OBJ)
            op_apply(&j, op);
        else
            studies_bad(s, "line %u: %.200s", j.line,
                op != NULL ? "not an object" : bad.text);
        json_free(op);
    }
    buf_fini(&line);
    free(j.trial);
    uids_make(s);
    if (s->n == 0)
        return err_set(err, -ERR_INPUT,
            "no Optuna journal: no line of it creates a study%s%s",
            s->bad > 0 ? "; " : "", s->first_bad);
    return 0;
}

/* ---- SQLite ---- */

typedef int (*row_fn)(struct studies *s, sqlite3_stmt *st,
    const struct insight_source *o, struct run **trial, int64_t n_trials);

static const char *
column(sqlite3_stmt *st, int c)
{
    const unsigned char *t = sqlite3_column_text(st, c);
    return t != NULL ? (const char *)t : "";
}

static int
study_row(struct studies *s, sqlite3_stmt *st, const struct insight_source *o,
    struct run **trial, int64_t n_trials)
{
    (void)trial;
    (void)n_trials;
    struct study *t = study_add(s, "optuna", column(st, 1));
    if (t != NULL) {
        t->minimise = strcmp(column(st, 2), "MINIMIZE") == 0;
        t->metric = metric_or(o, "value");
        t->uid = arena_strdup(s->arena, column(st, 0)); /* for the trials */
        struct json *names =
            json_parse(column(st, 3), strlen(column(st, 3)), NULL);
        const char *first = json_str(json_at(names, 0));
        if (first != NULL && o->metric == NULL)
            t->metric = arena_strdup(s->arena, first);
        json_free(names);
    }
    return 0;
}

static int
trial_row(struct studies *s, sqlite3_stmt *st, const struct insight_source *o,
    struct run **trial, int64_t n_trials)
{
    static const char *const state[] = {
        "RUNNING", "COMPLETE", "PRUNED", "FAIL", "WAITING"};
    (void)o;
    (void)trial;
    (void)n_trials;
    for (uint32_t i = 0; i < s->n; i++) {
        struct study *t = &s->study[i];
        if (strcmp(t->uid, column(st, 1)) != 0)
            continue;
        struct run *r = study_run(s, t, column(st, 2));
        if (r == NULL)
            return 0;
        r->ref = arena_strdup(s->arena, column(st, 0)); /* trial_id */
        r->at_ms = time_read(column(st, 4));
        for (int k = 0; k < 5; k++)
            if (strcmp(state[k], column(st, 3)) == 0)
                r->status = status_of(k);
        if (sqlite3_column_type(st, 5) != SQLITE_NULL)
            r->value = sqlite3_column_double(st, 5);
    }
    return 0;
}

static struct run *
trial_by_id(struct run **trial, int64_t n, int64_t id)
{
    return id >= 0 && id < n ? trial[id] : NULL;
}

static int
param_row(struct studies *s, sqlite3_stmt *st, const struct insight_source *o,
    struct run **trial, int64_t n_trials)
{
    struct run *r = trial_by_id(trial, n_trials, sqlite3_column_int64(st, 0));
    (void)o;
    if (r != NULL)
        param_put(
            s, r, column(st, 1), sqlite3_column_double(st, 2), column(st, 3));
    return 0;
}

static int
attr_row(struct studies *s, sqlite3_stmt *st, const struct insight_source *o,
    struct run **trial, int64_t n_trials)
{
    struct run *r = trial_by_id(trial, n_trials, sqlite3_column_int64(st, 0));
    const char *name = o->seed != NULL ? o->seed : "seed";
    if (r == NULL || strcmp(name, column(st, 1)) != 0)
        return 0;
    struct json *v = json_parse(column(st, 2), strlen(column(st, 2)), NULL);
    if (v != NULL)
        run_set_json(s, r, name, v);
    json_free(v);
    return 0;
}

static int
rows_each(struct studies *s, sqlite3 *sql, const char *query, row_fn fn,
    const struct insight_source *o, struct run **trial, int64_t n,
    struct err *err)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(sql, query, -1, &st, NULL);
    while (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        s->records++;
        fn(s, st, o, trial, n);
        rc = SQLITE_OK;
    }
    if (rc != SQLITE_DONE)
        err_set(err, -ERR_INPUT, "no Optuna storage: %s", sqlite3_errmsg(sql));
    sqlite3_finalize(st);
    return rc == SQLITE_DONE ? 0 : -ERR_INPUT;
}

static const char studies_sql[] =
    "SELECT s.study_id, s.study_name, (SELECT direction FROM study_directions "
    "d WHERE d.study_id = s.study_id AND objective = 0), (SELECT value_json "
    "FROM study_system_attributes a WHERE a.study_id = s.study_id AND a.\"key\""
    " = 'study:metric_names') FROM studies s ORDER BY s.study_id";
static const char trials_sql[] =
    "SELECT t.trial_id, t.study_id, t.number, t.state, t.datetime_start, "
    "(SELECT value FROM trial_values v WHERE v.trial_id = t.trial_id AND "
    "v.objective = 0) FROM trials t ORDER BY t.trial_id";

/* Trials by their id in the file, for what hangs on them. */
static struct run **
trials_index(struct studies *s, int64_t *n)
{
    int64_t most = -1;
    struct run **index;
    for (int pass = 0;; pass++) {
        index = pass > 0 ? mem_calloc((size_t)most + 1, sizeof *index) : NULL;
        for (uint32_t i = 0; i < s->n; i++)
            for (uint32_t k = 0; k < s->study[i].n; k++) {
                struct run *r = &s->study[i].run[k];
                int64_t id = strtoll(r->ref, NULL, 10);
                if (id < 0 || id > 100000000)
                    continue;
                if (pass > 0)
                    index[id] = r;
                most = id > most ? id : most;
            }
        if (pass > 0 || most < 0)
            break;
    }
    *n = most + 1;
    return index;
}

int
optuna_sqlite_read(struct studies *s, const char *path,
    const struct insight_source *o, struct err *err)
{
    sqlite3 *sql = NULL;
    struct run **trial = NULL;
    int64_t n = 0;
    if (sqlite3_open_v2(path, &sql, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) {
        int rc = err_set(err, -ERR_INPUT, "%s", sqlite3_errmsg(sql));
        sqlite3_close(sql);
        return rc;
    }
    int rc = rows_each(s, sql, studies_sql, study_row, o, NULL, 0, err);
    if (rc == 0)
        rc = rows_each(s, sql, trials_sql, trial_row, o, NULL, 0, err);
    if (rc == 0) {
        trial = trials_index(s, &n);
        rc = rows_each(s, sql,
            "SELECT trial_id, param_name, param_value, distribution_json FROM "
            "trial_params",
            param_row, o, trial, n, err);
    }
    if (rc == 0)
        rc = rows_each(s, sql,
            "SELECT trial_id, \"key\", value_json FROM trial_user_attributes",
            attr_row, o, trial, n, err);
    free(trial);
    sqlite3_close(sql);
    for (uint32_t i = 0; i < s->n; i++)
        for (uint32_t k = 0; k < s->study[i].n; k++)
            s->study[i].run[k].ref = NULL;
    uids_make(s);
    return rc;
}
