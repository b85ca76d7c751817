/* From recorded trials to insights: each trial is an experiment; where two
 * configurations differ in one knob alone, the difference of their means is one
 * paired effect, and the pairs of the same change make a row. Called by the
 * import. The interval of a row: three pairs or more, Student's t of their
 * differences (it holds what the rest of the configuration does to the effect);
 * fewer, the spread of repeats of one configuration, pooled over the study; and
 * where nothing was repeated, the spread of all the study's configurations,
 * which is too wide rather than too narrow. Invariants: a failed trial enters
 * no mean; what is kept is a function of the study, so that importing it again
 * adds nothing. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/fs.h"
#include "core/core.h"
#include "math/dist.h"
#include "research/draft.h"
#include "research/insight_db.h"
#include "research/insight_runs.h"

enum {
    GROUP_ALL_PAIRS = 8, /* beyond, neighbouring values only */
    PAIRS_TOLD = 40,     /* named in an observation */
    PAIRS_MAX_STUDY = 500000,
};

/* One configuration: its runs, seeds apart, are repeats. */
struct setting {
    const struct run *run; /* the first: its parameters */
    const char *key;
    uint32_t ok, failed, unstable;
    double sum, sum2;
    const struct run *told; /* a run to name: one that ended well, if any */
};
enum pair_kind { PAIRED, PAIRED_UNSTABLE, PAIRED_FAILED };
struct pairing {
    const char *knob, *from, *to;
    const struct setting *a, *b;
    enum pair_kind kind;
};
struct keeper {
    struct insights *db;
    struct arena *arena;
    const struct study *study;
    const struct insight_source *source;
    struct insight_import *out;
    struct setting *setting;
    uint32_t n_settings;
    struct pairing *pair;
    size_t n_pairs, cap;
    double noise, noise_df; /* variance of repeats; df 0: nothing repeated */
    double spread, middle;  /* of the settings' means */
};

/* ---- trials as experiments ---- */

static int
param_compare(const void *a, const void *b)
{
    return strcmp(((const struct run_param *)a)->name,
        ((const struct run_param *)b)->name);
}

static bool
name_is_listed(const char *list, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = list; *p != '\0';) {
        size_t len = strcspn(p, ",");
        if (len == n && memcmp(p, name, n) == 0)
            return true;
        p += len + (p[len] == ',');
    }
    return false;
}

static bool
name_is_seed(const struct insight_source *o, const char *name)
{
    if (o->seed != NULL)
        return strcmp(o->seed, name) == 0;
    return name_is_listed("seed,random_seed,random_state,rng_seed", name);
}

/* Seeds apart, in the order of their names, those asked for alone. */
static void
run_settle(struct run *r, const struct insight_source *o)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->n; i++) {
        struct run_param p = r->param[i];
        if (name_is_seed(o, p.name)) {
            if (r->seed == NULL)
                r->seed = p.value;
        } else if (o->knobs == NULL || name_is_listed(o->knobs, p.name)) {
            r->param[n++] = p;
        }
    }
    r->n = n;
    if (n > 0)
        qsort(r->param, n, sizeof *r->param, param_compare);
    if (r->status == RUN_OK && !isfinite(r->value))
        r->status = RUN_UNSTABLE;
}

static const char *
run_name_in(const struct keeper *k, const struct run *r)
{
    return arena_printf(k->arena, "%s/T%s", k->study->uid, r->id);
}

static int
run_keep(struct keeper *k, const struct run *r, struct err *err)
{
    static const char *const status[] = {
        "open", "ok", "failed", "stopped", "unstable"};
    struct buf b = {0};
    struct jw w;
    bool added = false;
    jw_init(&w, &b, 0);
    jw_obj_begin(&w);
    jw_kstr(&w, "source", k->study->kind);
    jw_kstr(&w, "study", k->study->name);
    jw_kstr(&w, "metric", k->study->metric);
    jw_kstr(&w, "goal", k->study->minimise ? "min" : "max");
    jw_key(&w, "config");
    jw_obj_begin(&w);
    for (uint32_t i = 0; i < r->n; i++)
        jw_kstr(&w, r->param[i].name, r->param[i].value);
    jw_obj_end(&w);
    jw_key(&w, "trials");
    jw_arr_begin(&w);
    jw_obj_begin(&w);
    jw_kstr(&w, "id", r->id);
    if (r->seed != NULL)
        jw_kstr(&w, "seed", r->seed);
    jw_kstr(&w, "status", status[r->status]);
    if (isfinite(r->value))
        jw_kf64(&w, "value", r->value);
    jw_kstr(&w, "run", r->ref != NULL ? r->ref : r->id);
    jw_obj_end(&w);
    jw_arr_end(&w);
    jw_obj_end(&w);
    struct insight_event e = {.kind = INSIGHT_EXPERIMENT,
        .of = run_name_in(k, r),
        .at_ms = r->at_ms,
        .payload = buf_str(&b)};
    int rc = insight_append_only(k->db, &e, &added, err);
    k->out->trials += added;
    buf_fini(&b);
    return rc;
}

/* ---- settings ---- */

/* The configuration without one knob (NULL: whole), as a key. */
static const char *
key_in(struct arena *a, const struct run *r, const char *without)
{
    struct buf b = {0};
    for (uint32_t i = 0; i < r->n; i++)
        if (without == NULL || strcmp(r->param[i].name, without) != 0)
            buf_printf(&b, "%s\x1f%s\x1e", r->param[i].name, r->param[i].value);
    const char *key = arena_strndup(a, buf_str(&b), b.len);
    buf_fini(&b);
    return key;
}

static int
setting_compare(const void *a, const void *b)
{
    const struct setting *x = a, *y = b;
    int c = strcmp(x->key, y->key);
    if (c != 0)
        return c;
    return strcmp(x->run->id, y->run->id);
}

static void
setting_add(struct setting *s, const struct run *r)
{
    s->failed += r->status == RUN_FAILED;
    s->unstable += r->status == RUN_UNSTABLE;
    if (s->told == NULL || (r->status == RUN_OK && s->ok == 0))
        s->told = r;
    if (r->status != RUN_OK)
        return;
    s->ok++;
    s->sum += r->value;
    s->sum2 += r->value * r->value;
}

static double
mean_of(const struct setting *s)
{
    return s->sum / s->ok;
}

static void
settings_make(struct keeper *k)
{
    const struct study *t = k->study;
    uint32_t n = 0;
    struct setting *all = mem_calloc(t->n + 1, sizeof *all);
    for (uint32_t i = 0; i < t->n; i++)
        if (t->run[i].status != RUN_OPEN && t->run[i].status != RUN_STOPPED)
            all[n++] = (struct setting){
                .run = &t->run[i], .key = key_in(k->arena, &t->run[i], NULL)};
    qsort(all, n, sizeof *all, setting_compare);
    uint32_t m = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct run *r = all[i].run;
        if (m == 0 || strcmp(all[m - 1].key, all[i].key) != 0)
            all[m++] = all[i];
        setting_add(&all[m - 1], r);
    }
    k->setting = all;
    k->n_settings = m;
}

static void
noise_tell(struct keeper *k)
{
    double squares = 0, sum = 0, sum2 = 0, n = 0;
    for (uint32_t i = 0; i < k->n_settings; i++) {
        const struct setting *s = &k->setting[i];
        if (s->ok == 0)
            continue;
        double m = mean_of(s);
        n++;
        sum += m;
        sum2 += m * m;
        if (s->ok > 1) {
            squares += fmax(0, s->sum2 - s->ok * m * m);
            k->noise_df += s->ok - 1;
        }
    }
    k->noise = k->noise_df > 0 ? squares / k->noise_df : 0;
    k->middle = n > 0 ? sum / n : 0;
    k->spread = n > 1 ? sqrt(fmax(0, (sum2 - sum * sum / n) / (n - 1))) : 0;
}

/* ---- pairs ---- */

struct member { /* of a group that agrees in all but one knob */
    const char *rest, *value;
    double number;
    bool is_number;
    const struct setting *s;
};

static int
member_compare(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    int c = strcmp(x->rest, y->rest);
    if (c != 0)
        return c;
    if (x->is_number && y->is_number && x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return strcmp(x->value, y->value);
}

static void
pair_add(struct keeper *k, const char *knob, const struct member *a,
    const struct member *b)
{
    const struct setting *x = a->s, *y = b->s;
    if (k->n_pairs >= PAIRS_MAX_STUDY)
        return;
    if (k->n_pairs == k->cap) {
        k->cap = k->cap > 0 ? 2 * k->cap : 256;
        k->pair = mem_realloc(k->pair, k->cap * sizeof *k->pair);
    }
    k->pair[k->n_pairs++] = (struct pairing){knob, a->value, b->value, x, y,
        y->ok > 0         ? PAIRED
        : y->unstable > 0 ? PAIRED_UNSTABLE
                          : PAIRED_FAILED};
}

/* What ended with a value is compared each with each, or with its neighbours
 * where there are many; what did not, with the nearest that did. */
static void
group_pairs(
    struct keeper *k, const char *knob, const struct member *m, uint32_t n)
{
    uint32_t ok = 0;
    for (uint32_t i = 0; i < n; i++)
        ok += m[i].s->ok > 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t near = i;
        for (uint32_t j = i + 1; m[i].s->ok > 0 && j < n; j++) {
            if (m[j].s->ok == 0)
                continue;
            pair_add(k, knob, &m[i], &m[j]);
            if (ok > GROUP_ALL_PAIRS)
                break;
        }
        if (m[i].s->ok > 0 || ok == 0)
            continue;
        while (near > 0 && m[near].s->ok == 0)
            near--;
        while (near < n - 1 && m[near].s->ok == 0)
            near++;
        pair_add(k, knob, &m[near], &m[i]);
    }
}

static const char *
value_of(const struct run *r, const char *knob)
{
    for (uint32_t i = 0; i < r->n; i++)
        if (strcmp(r->param[i].name, knob) == 0)
            return r->param[i].value;
    return NULL;
}

static void
knob_pairs(struct keeper *k, const char *knob)
{
    struct arena a = {0};
    struct member *m = mem_calloc(k->n_settings + 1, sizeof *m);
    uint32_t n = 0, first = 0;
    for (uint32_t i = 0; i < k->n_settings; i++) {
        const struct run *r = k->setting[i].run;
        const char *value = value_of(r, knob);
        char *end = NULL;
        if (value == NULL)
            continue;
        m[n] = (struct member){.rest = key_in(&a, r, knob),
            .value = value,
            .number = strtod(value, &end),
            .s = &k->setting[i]};
        m[n].is_number = end != value && *end == '\0';
        n++;
    }
    qsort(m, n, sizeof *m, member_compare);
    for (uint32_t i = 1; i <= n; i++)
        if (i == n || strcmp(m[i].rest, m[first].rest) != 0) {
            group_pairs(k, knob, &m[first], i - first);
            first = i;
        }
    free(m);
    arena_fini(&a);
}

static void
pairs_make(struct keeper *k)
{
    const char *knob[RUN_PARAMS_MAX];
    uint32_t n = 0;
    for (uint32_t i = 0; i < k->n_settings; i++)
        for (uint32_t p = 0; p < k->setting[i].run->n; p++) {
            const char *name = k->setting[i].run->param[p].name;
            uint32_t known = 0;
            while (known < n && strcmp(knob[known], name) != 0)
                known++;
            if (known == n && n < RUN_PARAMS_MAX)
                knob[n++] = name;
        }
    for (uint32_t i = 0; i < n; i++)
        knob_pairs(k, knob[i]);
}

static int
change_compare(
    const struct pairing *x, const char *knob, const char *from, const char *to)
{
    int c = strcmp(x->knob, knob);
    if (c == 0)
        c = strcmp(x->from, from);
    return c != 0 ? c : strcmp(x->to, to);
}

static int
pair_compare(const void *a, const void *b)
{
    const struct pairing *x = a, *y = b;
    int c = change_compare(x, y->knob, y->from, y->to);
    if (c == 0)
        c = (int)x->kind - (int)y->kind;
    return c != 0 ? c : strcmp(x->a->key, y->a->key);
}

/* Where the same change was measured the other way round, a failure counts
 * beside it, not as a change of its own. */
static void
failures_turn(struct keeper *k)
{
    size_t n = k->n_pairs;
    struct pairing *sorted = mem_calloc(n, sizeof *sorted);
    memcpy(sorted, k->pair, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, pair_compare);
    for (size_t i = 0; i < n; i++) {
        struct pairing *p = &k->pair[i];
        if (p->kind == PAIRED)
            continue;
        size_t lo = 0, hi = n;
        while (lo < hi) { /* the first that is not before it */
            size_t mid = (lo + hi) / 2;
            if (change_compare(&sorted[mid], p->knob, p->to, p->from) < 0)
                lo = mid + 1;
            else
                hi = mid;
        }
        if (lo == n || sorted[lo].kind != PAIRED ||
            change_compare(&sorted[lo], p->knob, p->to, p->from) != 0)
            continue;
        const char *from = p->from;
        const struct setting *a = p->a;
        p->from = p->to;
        p->to = from;
        p->a = p->b;
        p->b = a;
    }
    free(sorted);
}

/* ---- rows ---- */

static double
gain_of(const struct keeper *k, const struct pairing *p)
{
    double d = mean_of(p->b) - mean_of(p->a);
    return k->study->minimise ? -d : d;
}

static void
effect_fill(const struct keeper *k, const struct pairing *p, uint32_t n,
    struct insight *r)
{
    double sum = 0, sum2 = 0, noise = 0, df, se;
    for (uint32_t i = 0; i < n; i++) {
        double d = gain_of(k, &p[i]);
        sum += d;
        sum2 += d * d;
        noise += k->noise * (1.0 / p[i].a->ok + 1.0 / p[i].b->ok);
    }
    r->effect = sum / n;
    double between =
        n > 1 ? sqrt(fmax(0, (sum2 - sum * sum / n) / (n - 1))) : 0;
    r->within = between;
    if (n >= 3) {
        se = between / sqrt(n);
        df = n - 1;
    } else if (k->noise_df > 0) {
        se = fmax(sqrt(noise) / n, n > 1 ? between / sqrt(n) : 0);
        df = k->noise_df;
    } else {
        se = k->spread * sqrt(2.0 / n);
        df = fmax(1, k->n_settings - 1.0);
    }
    double half = student_quantile(.975, df) * se;
    r->lo = r->effect - half;
    r->hi = r->effect + half;
    r->sd = half / 1.96;
    r->n = n;
}

static const char *
direction_in(struct arena *a, const char *from, const char *to)
{
    char *end = NULL, *end2 = NULL;
    double x = strtod(from, &end), y = strtod(to, &end2);
    if (end != from && *end == '\0' && end2 != to && *end2 == '\0') {
        if (x > 0 && y > 0)
            return arena_printf(a, "x%.4g", y / x);
        return arena_printf(a, "%+.4g", y - x);
    }
    if (strcasecmp(to, "true") == 0 && strcasecmp(from, "false") == 0)
        return "on";
    if (strcasecmp(to, "false") == 0 && strcasecmp(from, "true") == 0)
        return "off";
    return "set";
}

static const char *
context_text(const struct keeper *k, const struct pairing *p, uint32_t n,
    uint32_t failed)
{
    struct buf b = {0};
    struct jw w;
    double base = 0;
    for (uint32_t i = 0; i < n; i++)
        base += mean_of(p[i].a) / n;
    jw_init(&w, &b, 0);
    jw_obj_begin(&w);
    jw_kstr(&w, "model",
        k->source->model != NULL ? k->source->model : k->study->name);
    jw_kstr(&w, "metric", k->study->metric);
    if (n > 0)
        jw_kf64(&w, "baseline", base);
    if (k->noise_df > 0)
        jw_kf64(&w, "noise_sd", sqrt(k->noise));
    if (failed > 0)
        jw_ki64(&w, "failed", failed);
    insight_place_write(&w, &k->source->place);
    jw_obj_end(&w);
    const char *text = arena_strndup(k->arena, buf_str(&b), b.len);
    buf_fini(&b);
    return text;
}

/* The trials behind a row, by name, and what says which pairs they are. */
static const char *
evidence_in(const struct keeper *k, const struct pairing *p, uint32_t n,
    char hash[FS_HASH_HEX])
{
    struct buf b = {0}, all = {0};
    struct jw w;
    jw_init(&w, &b, 0);
    jw_obj_begin(&w);
    jw_key(&w, "pairs");
    jw_arr_begin(&w);
    for (uint32_t i = 0; i < n; i++) {
        const struct run *x = p[i].a->told, *y = p[i].b->told;
        buf_printf(&all, "%s %u %.17g %s %u %.17g %d\n", x->id, p[i].a->ok,
            p[i].a->sum, y->id, p[i].b->ok, p[i].b->sum, (int)p[i].kind);
        if (i >= PAIRS_TOLD)
            continue;
        jw_arr_begin(&w);
        jw_str(&w, run_name_in(k, x));
        jw_str(&w, run_name_in(k, y));
        if (p[i].kind == PAIRED)
            jw_f64(&w, gain_of(k, &p[i]));
        jw_arr_end(&w);
    }
    jw_arr_end(&w);
    jw_ki64(&w, "n_pairs", n);
    jw_obj_end(&w);
    fs_hash_bytes(buf_str(&all), all.len, hash);
    /* as further members: without the braces */
    const char *text =
        arena_printf(k->arena, ",%.*s", (int)b.len - 2, buf_str(&b) + 1);
    buf_fini(&b);
    buf_fini(&all);
    return text;
}

static void
time_fill(
    struct keeper *k, const struct pairing *p, uint32_t n, struct insight *r)
{
    for (uint32_t i = 0; i < n; i++) {
        int64_t a = p[i].a->told->at_ms, b = p[i].b->told->at_ms;
        int64_t last = a > b ? a : b;
        r->created_ms = last > r->created_ms ? last : r->created_ms;
    }
    time_t sec = (time_t)(r->created_ms / 1000);
    struct tm tm;
    char date[16];
    if (r->created_ms == 0)
        return;
    gmtime_r(&sec, &tm);
    strftime(date, sizeof date, "%Y-%m-%d", &tm);
    r->date = arena_strdup(k->arena, date);
}

/* What is told now of the same change; "": nothing yet. */
static const char *
told_before_in(struct keeper *k, const char *prefix)
{
    sqlite3_stmt *st = NULL;
    const char *found = "";
    if (insights_prepare(k->db,
            "SELECT origin FROM insight WHERE origin >= ?1 || '@' AND origin < "
            "?1 || 'A' AND superseded = 0 ORDER BY id DESC LIMIT 1",
            &st, NULL) == 0) {
        sqlite3_bind_text(st, 1, prefix, -1, SQLITE_STATIC);
        if (insights_step(k->db, st, NULL) > 0)
            found = arena_strdup(
                k->arena, (const char *)sqlite3_column_text(st, 0));
    }
    sqlite3_finalize(st);
    return found;
}

static double
scale_of(const struct keeper *k)
{
    if (strcmp(metric_kind(k->study->metric), "auc") == 0)
        return 0;
    if (k->source->min_gain > 0)
        return k->source->min_gain;
    double part = 1e-3 * fabs(k->middle); /* a thousandth of what is usual */
    return part > 0 ? part : 1e-3;
}

static void
row_fill(struct keeper *k, const struct pairing *p, uint32_t n, uint32_t all,
    struct insight *r)
{
    struct arena *a = k->arena;
    const char *kind = metric_kind(k->study->metric);
    *r = (struct insight){.campaign = k->study->uid,
        .concept = run_concept(p->knob),
        .knob = p->knob,
        .family = k->source->family,
        .metric = kind[0] != '\0' ? kind : k->study->metric,
        .from = p->from,
        .to = p->to,
        .key = arena_printf(a, "%s=%s", p->knob, p->to),
        .direction = direction_in(a, p->from, p->to),
        .context = context_text(k, p, n, all - n),
        .source =
            arena_printf(a, "%s study %s", k->study->kind, k->study->name),
        .reference = k->study->name,
        .scale = scale_of(k),
        .places = 1};
    if (n > 0)
        effect_fill(k, p, n, r);
    else
        r->verdict =
            p->kind == PAIRED_UNSTABLE ? INSIGHT_UNSTABLE : INSIGHT_FAILED;
    time_fill(k, p, all, r);
    r->conditions = n >= 3 ? "pairs of recorded trials that differ in it alone"
                    : n == 0 ? "no trial of it ended with a value"
                    : k->noise_df > 0
                        ? "few pairs of recorded trials; the interval is that "
                          "of repeats in the study"
                        : "few pairs and no repeats: the interval is the "
                          "spread of the whole study";
    r->statement = arena_printf(a, "%s %s -> %s (%s) in %s", p->knob, p->from,
        p->to, r->direction, k->study->name);
}

static int
row_keep(struct keeper *k, const struct pairing *p, uint32_t n, uint32_t all,
    struct err *err)
{
    struct insight r;
    struct insight_kept kept;
    char hash[FS_HASH_HEX];
    row_fill(k, p, n, all, &r);
    const char *more = evidence_in(k, p, all, hash);
    const char *prefix = arena_printf(
        k->arena, "%s/%s:%s->%s", k->study->uid, p->knob, p->from, p->to);
    r.origin = arena_printf(k->arena, "%s@%.12s", prefix, hash);
    if (insight_id(k->db, r.origin) != 0) {
        k->out->known++;
        return 0;
    }
    r.supersedes = told_before_in(k, prefix);
    struct buf b = {0};
    struct jw w;
    jw_init(&w, &b, 0);
    jw_obj_begin(&w);
    jw_kstr(&w, "statement", r.statement);
    jw_kstr(&w, "source", k->study->kind);
    jw_obj_end(&w);
    struct insight_event e = {.kind = INSIGHT_HYPOTHESIS,
        .of = r.origin,
        .at_ms = r.created_ms,
        .payload = buf_str(&b)};
    int rc = insight_append_only(k->db, &e, NULL, err);
    buf_fini(&b);
    if (rc == 0)
        rc = insight_keep_told(k->db, &r, more, &kept, err);
    if (rc == 0) {
        k->out->added += kept.added;
        k->out->known += !kept.added;
    } else if (rc == -ERR_INPUT) {
        k->out->bad++;
        if (k->out->first_bad[0] == '\0')
            snprintf(k->out->first_bad, sizeof k->out->first_bad,
                "%.80s %.80s: %.200s", k->study->name, p->knob,
                err != NULL ? err->text : "");
        rc = 0;
    }
    return rc;
}

static int
rows_keep(struct keeper *k, struct err *err)
{
    int rc = 0;
    failures_turn(k);
    qsort(k->pair, k->n_pairs, sizeof *k->pair, pair_compare);
    for (size_t i = 0; rc == 0 && i < k->n_pairs;) {
        const struct pairing *p = &k->pair[i];
        uint32_t n = 0, all = 0;
        while (i < k->n_pairs && strcmp(k->pair[i].knob, p->knob) == 0 &&
               strcmp(k->pair[i].from, p->from) == 0 &&
               strcmp(k->pair[i].to, p->to) == 0) {
            n += k->pair[i].kind == PAIRED;
            all++;
            i++;
        }
        rc = row_keep(k, p, n, all, err);
    }
    return rc;
}

static int
study_keep(struct insights *db, struct arena *a, struct study *t,
    const struct insight_source *o, struct insight_import *out, struct err *err)
{
    struct keeper k = {
        .db = db, .arena = a, .study = t, .source = o, .out = out};
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < t->n; i++) {
        run_settle(&t->run[i], o);
        if (t->run[i].status != RUN_OPEN)
            rc = run_keep(&k, &t->run[i], err);
    }
    if (rc == 0) {
        settings_make(&k);
        noise_tell(&k);
        pairs_make(&k);
        if (k.n_pairs > 0)
            rc = rows_keep(&k, err);
    }
    free(k.setting);
    free(k.pair);
    return rc;
}

int
insight_keep_studies(struct insights *db, struct studies *s,
    const struct insight_source *o, struct insight_import *out, struct err *err)
{
    uint32_t found = 0;
    int rc = insights_begin(db, err);
    if (rc != 0)
        return rc;
    for (uint32_t i = 0; rc == 0 && i < s->n; i++) {
        struct study *t = &s->study[i];
        if (o->study != NULL && strcmp(o->study, t->name) != 0)
            continue;
        found++;
        if (o->goal != NULL)
            t->minimise = strcmp(o->goal, "min") == 0;
        rc = study_keep(db, s->arena, t, o, out, err);
    }
    out->lines = s->records;
    out->bad += s->bad;
    if (out->first_bad[0] == '\0')
        snprintf(out->first_bad, sizeof out->first_bad, "%s", s->first_bad);
    if (rc == 0 && o->study != NULL && found == 0)
        rc = err_set(err, -ERR_NOT_FOUND, "no study called \"%s\" is in it%s%s",
            o->study, s->n > 0 ? "; the first is " : "",
            s->n > 0 ? s->study[0].name : "");
    return insights_end(db, rc, err);
}
