/* Picks the outcome of a recorded job out of its record: JSON lines, each an
 * outcome with what it matches, or a world for all the rest. Format:
 * docs/job-contract.md. Called by recorded.c at submission. */
#include "jobs/recorded.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/rng.h"

enum { RECORD_BYTES_MAX = 256 << 20, DURATION_MS = 60000 };

const char *
env_find(const char *const *envp, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; envp != NULL && envp[i] != NULL; i++) {
        if (strncmp(envp[i], name, n) == 0 && envp[i][n] == '=')
            return envp[i] + n + 1;
    }
    return NULL;
}

void
outcome_limit(const struct job_spec *spec, struct outcome *o)
{
    bool paid = spec->budget_ms > 0 &&
                (spec->time_ms <= 0 || spec->budget_ms < spec->time_ms);
    int64_t limit = paid ? spec->budget_ms : spec->time_ms;
    if (limit <= 0 || o->duration_ms <= limit)
        return;
    o->duration_ms = limit;
    o->reason = paid ? REASON_BUDGET : REASON_TIMEOUT;
    o->exit_code = 0;
    o->signal = 15;
    snprintf(o->detail, sizeof o->detail, "ran %.1f s, the limit",
        (double)limit / 1000.0);
}

void
outcome_fini(struct outcome *o)
{
    buf_fini(&o->metrics);
    buf_fini(&o->out);
    buf_fini(&o->errors);
}

/* What rows are matched against. */
struct job_view {
    const struct job_spec *spec;
    const struct json *knobs; /* of REA_KNOBS_FILE; may be NULL */
};

static bool
value_equal(const struct json *a, const struct json *b)
{
    if (json_is_num(a) && json_is_num(b)) {
        double x = json_num(a, 0), y = json_num(b, 0);
        return fabs(x - y) <= 1e-9 * fmax(fabs(x), fabs(y));
    }
    struct buf ta = {0}, tb = {0};
    json_dump(a, &ta);
    json_dump(b, &tb);
    bool same = strcmp(buf_str(&ta), buf_str(&tb)) == 0;
    buf_fini(&ta);
    buf_fini(&tb);
    return same;
}

static bool
knobs_match(const struct job_view *v, const struct json *want)
{
    const char *key;
    const struct json *m;
    for (size_t i = 0; (m = json_member(want, i, &key)) != NULL; i++) {
        const struct json *have = json_get(v->knobs, key);
        if (have == NULL || !value_equal(have, m))
            return false;
    }
    return true;
}

static bool
argv_has(const struct job_spec *spec, const char *part)
{
    for (size_t i = 0; part != NULL && spec->argv[i] != NULL; i++) {
        if (strstr(spec->argv[i], part) != NULL)
            return true;
    }
    return false;
}

static bool
text_matches(const struct json *want, const char *have)
{
    if (have == NULL)
        return false;
    if (json_is_num(want))
        return json_num(want, 0) == strtod(have, NULL);
    return json_str(want) != NULL && strcmp(json_str(want), have) == 0;
}

static bool
row_matches(const struct job_view *v, const struct json *match)
{
    static const char *const env[][2] = {{"campaign", "REA_CAMPAIGN"},
        {"trial", "REA_TRIAL"}, {"attempt", "REA_ATTEMPT"},
        {"seed", "REA_SEED"}, {"phase", "REA_PHASE"}};
    for (size_t i = 0; i < sizeof env / sizeof env[0]; i++) {
        const struct json *want = json_get(match, env[i][0]);
        if (want != NULL &&
            !text_matches(want, env_find(v->spec->envp, env[i][1])))
            return false;
    }
    const struct json *token = json_get(match, "token");
    if (token != NULL && !text_matches(token, v->spec->token))
        return false;
    const struct json *argv = json_get(match, "argv_has");
    if (argv != NULL && !argv_has(v->spec, json_str(argv)))
        return false;
    return knobs_match(v, json_get(match, "knobs"));
}

static void
metric_put(struct buf *out, const char *key, const struct json *v, double noise)
{
    struct jw w;
    struct buf name = {0};
    jw_init(&w, &name, 0);
    jw_str(&w, key);
    buf_puts(out, buf_str(&name));
    buf_fini(&name);
    buf_puts(out, ": ");
    /* "NaN" stands for the number, which JSON has no word for. */
    if (json_str(v) != NULL)
        buf_puts(out, json_str(v));
    else
        buf_put_f64(out, json_num(v, 0) + noise);
}

/* Fresh noise for a seed, the same for the same seed: what a table recorded
 * once becomes a trainer with seeds. */
static double
seed_noise(const struct job_view *v, const char *key, double sd)
{
    const char *seed = env_find(v->spec->envp, "REA_SEED");
    if (sd <= 0 || seed == NULL)
        return 0;
    uint64_t h = 1469598103934665603u;
    for (const char *p = key; *p != '\0'; p++)
        h = (h ^ (unsigned char)*p) * 1099511628211u;
    struct rng r;
    rng_seed2(&r, strtoull(seed, NULL, 10), h);
    return sd * rng_normal(&r);
}

static void
metrics_put(const struct job_view *v, const struct json *row, struct buf *out)
{
    const struct json *lines = json_get(row, "metrics");
    const struct json *sd = json_get(row, "metrics_sd");
    for (size_t i = 0; i < json_len(lines); i++) {
        const struct json *line = json_at(lines, i);
        const char *key;
        const struct json *m;
        buf_putc(out, '{');
        for (size_t k = 0; (m = json_member(line, k, &key)) != NULL; k++) {
            buf_puts(out, k == 0 ? "" : ", ");
            metric_put(
                out, key, m, seed_noise(v, key, json_get_num(sd, key, 0)));
        }
        buf_puts(out, "}\n");
    }
}

static int
row_read(const struct job_view *v, const struct json *row, struct outcome *o,
    struct err *err)
{
    const char *reason = json_get_str(row, "reason");
    const char *text;
    for (uint32_t r = 1; reason != NULL && r < REASON_COUNT; r++) {
        if (strcmp(reason_name(r), reason) == 0)
            o->reason = r;
    }
    o->exit_code = (int32_t)json_get_i64(row, "exit_code", 0);
    o->signal = (int32_t)json_get_i64(row, "signal", 0);
    if (reason == NULL)
        o->reason = o->signal != 0      ? REASON_SIGNAL
                    : o->exit_code != 0 ? REASON_EXIT
                                        : REASON_OK;
    if (o->reason == REASON_NONE)
        return err_set(err, -ERR_INPUT, "unknown reason '%s'", reason);
    o->duration_ms = json_get_i64(row, "duration_ms", DURATION_MS);
    o->max_rss_bytes = json_get_i64(row, "max_rss_bytes", 0);
    o->checkpoint = json_get_bool(row, "checkpoint", false);
    metrics_put(v, row, &o->metrics);
    if ((text = json_get_str(row, "stdout")) != NULL)
        buf_puts(&o->out, text);
    if ((text = json_get_str(row, "stderr")) != NULL)
        buf_puts(&o->errors, text);
    if ((text = json_get_str(row, "detail")) != NULL)
        snprintf(o->detail, sizeof o->detail, "%s", text);
    return o->duration_ms < 0
               ? err_set(err, -ERR_INPUT, "a negative duration_ms")
               : 0;
}

/* 1: this line gave the outcome; a world is kept for the end. */
static int
line_try(const struct job_view *v, const char *line, size_t len,
    struct json **world, struct outcome *o, struct err *err)
{
    struct json *row = json_parse(line, len, err);
    if (row == NULL)
        return -ERR_INPUT;
    int rc = 0;
    if (json_get(row, "world") != NULL) {
        json_free(*world);
        *world = row;
        return 0;
    }
    if (row_matches(v, json_get(row, "match"))) {
        rc = row_read(v, row, o, err);
        rc = rc == 0 ? 1 : rc;
    }
    json_free(row);
    return rc;
}

static int
record_search(const char *record, const struct job_view *v, struct json **world,
    struct outcome *o, struct err *err)
{
    struct buf text = {0};
    int rc = fs_read(record, RECORD_BYTES_MAX, &text, err);
    unsigned line_no = 0;
    const char *p = buf_str(&text), *end = p + text.len;
    while (rc == 0 && p < end) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        size_t len = (size_t)((nl == NULL ? end : nl) - p);
        line_no++;
        if (len > 0 && p[0] != '#')
            rc = line_try(v, p, len, world, o, err);
        p += len + 1;
    }
    buf_fini(&text);
    return rc < 0 ? err_wrap(err, rc, "%s:%u", record, line_no) : rc;
}

/* The file named by REA_KNOBS_FILE, from the job's folder; none: NULL. */
static int
knobs_read(const struct job_spec *spec, struct json **out, struct err *err)
{
    const char *name = env_find(spec->envp, "REA_KNOBS_FILE");
    struct buf path = {0};
    struct err why = {0};
    *out = NULL;
    if (name != NULL)
        fs_join(&path, spec->cwd == NULL ? "" : spec->cwd, name);
    bool there = name != NULL && fs_is_file(buf_str(&path));
    if (there)
        *out = json_read(buf_str(&path), 0, &why);
    buf_fini(&path);
    if (!there || *out != NULL)
        return 0;
    /* only what it says can be refused for good, not a disk that fails */
    return err_set(
        err, why.code == -ERR_SYS ? -ERR_SYS : -ERR_INPUT, "%s", why.text);
}

int
outcome_find(const char *record, const struct job_spec *spec,
    struct outcome *out, struct err *err)
{
    *out = (struct outcome){.reason = REASON_NONE};
    struct json *knobs = NULL, *world = NULL;
    int rc = knobs_read(spec, &knobs, err);
    if (rc != 0)
        return rc;
    struct job_view v = {spec, knobs};
    rc = record == NULL ? 0 : record_search(record, &v, &world, out, err);
    if (rc == 0 && record != NULL && world == NULL)
        rc = err_set(err, -ERR_NOT_FOUND,
            "%s has no row for this job and no world", record);
    else if (rc == 0)
        world_run(json_get(world, "world"), knobs, spec, out);
    json_free(world);
    json_free(knobs);
    return rc < 0 ? rc : 0;
}
