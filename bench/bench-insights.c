/* The insights database at scale: rows a second kept, milliseconds a question,
 * bytes on disk.
 *   bench-insights [--rows 1000000] [--queries 300] [--seed 1] [--json]
 *                  [--db FILE]   (kept; a file that is there is only asked)
 * Made-up rows: 300 knobs, 60 families, 90 techniques and 4,000 places, all
 * with frequencies by a Zipf law, 24 rows a campaign of one family on one
 * place; statements and conditions of 6 to 20 words each from 30,000, by a Zipf
 * law, with the knob and the family among them. A question's words are those of
 * a row drawn at random, common words and all. Every row is an event and its
 * projection, kept as campaigns keep theirs, a thousand in a transaction. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/rng.h"
#include "core/core.h"
#include "research/insight.h"

enum {
    WORDS = 30000,
    KNOBS = 300,
    FAMILIES = 60,
    TECHNIQUES = 90,
    PLACES = 4000,
    CAMPAIGN_ROWS = 24,
    BATCH = 1000,
    ROWS_MAX = 20000000,
    QUERIES_MAX = 100000,
};

/* Draws 0..n-1 with probability ~ 1 / (rank + 1). */
struct zipf {
    uint32_t n;
    double *sum;
};
static struct zipf words, knobs, families, techniques, places;
static char (*word)[16];

static void
fail(const char *what, const struct err *err)
{
    fprintf(stderr, "bench-insights: %s: %s\n", what, err->text);
    exit(1);
}

static void
zipf_make(struct zipf *z, uint32_t n)
{
    double sum = 0;
    z->n = n;
    z->sum = mem_calloc(n, sizeof *z->sum);
    for (uint32_t i = 0; i < n; i++)
        z->sum[i] = sum += 1.0 / (i + 1);
}

static uint32_t
zipf_draw(const struct zipf *z, struct rng *r)
{
    double x = rng_f64(r) * z->sum[z->n - 1];
    uint32_t lo = 0, hi = z->n - 1;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        if (z->sum[mid] > x)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

/* Pronounceable words, so that the stemmer has something to do. */
static void
words_make(struct rng *r)
{
    static const char *const part[] = {"ba", "ce", "di", "fo", "gu", "la", "me",
        "ni", "po", "ru", "sta", "tre", "vi", "wo", "xa", "ion", "er", "ing",
        "al", "est"};
    word = mem_calloc(WORDS, sizeof *word);
    for (int i = 0; i < WORDS; i++) {
        size_t n = 0;
        for (uint64_t k = 2 + rng_below(r, 3); k > 0; k--)
            n += (size_t)snprintf(word[i] + n, sizeof word[i] - n, "%s",
                part[rng_below(r, sizeof part / sizeof *part)]);
        snprintf(word[i] + n, sizeof word[i] - n, "%c", 'a' + i % 26);
    }
}

struct made {
    struct insight row;
    char campaign[24], hypothesis[16], knob[24], family[16], technique[24];
    char from[16], to[16], context[160], statement[400], conditions[300];
};

static void
text_make(struct rng *r, char *out, size_t size, const char *first)
{
    size_t n = (size_t)snprintf(out, size, "%s", first);
    for (uint64_t k = 6 + rng_below(r, 15); k > 0 && n + 20 < size; k--)
        n += (size_t)snprintf(
            out + n, size - n, " %s", word[zipf_draw(&words, r)]);
}

static uint32_t
concept_of(uint32_t knob)
{
    return 1 + knob % (CONCEPT_COUNT - 1);
}

static void
context_make(struct rng *r, struct made *m, uint32_t place)
{
    struct rng p;
    rng_seed2(&p, 99, place);
    double rows = pow(10, 3 + 6 * rng_f64(&p));
    int fields = 3 + (int)rng_below(&p, 60);
    double density = pow(10, -5 + 4 * rng_f64(&p));
    snprintf(m->context, sizeof m->context,
        "{\"baseline\":%.4f,\"density\":%.2e,\"fields\":%d,\"model\":\"p%u\","
        "\"rows\":%.0f,\"sequence\":%s}",
        .6 + .3 * rng_f64(r), density, fields, place, rows,
        rng_below(&p, 4) == 0 ? "true" : "false");
}

static void
row_make(struct made *m, uint64_t seed, uint32_t i)
{
    struct rng r;
    char first[64];
    rng_seed2(&r, seed, i);
    struct rng of_campaign; /* one model on one place */
    rng_seed2(&of_campaign, seed + 1, i / CAMPAIGN_ROWS);
    uint32_t place = zipf_draw(&places, &of_campaign);
    uint32_t family = zipf_draw(&families, &of_campaign);
    uint32_t knob = zipf_draw(&knobs, &r);
    snprintf(m->campaign, sizeof m->campaign, "%08x-C%u",
        (uint32_t)rng_u64(&of_campaign), i / CAMPAIGN_ROWS);
    snprintf(m->hypothesis, sizeof m->hypothesis, "H%u", i);
    snprintf(m->knob, sizeof m->knob, "%s_%u", word[100 + knob], knob);
    snprintf(m->family, sizeof m->family, "fam%u", family);
    m->technique[0] = '\0';
    if (rng_below(&r, 3) == 0)
        snprintf(m->technique, sizeof m->technique, "technique-%u",
            zipf_draw(&techniques, &r));
    snprintf(m->from, sizeof m->from, "%u", (uint32_t)rng_below(&r, 64));
    snprintf(m->to, sizeof m->to, "%u", 64 + (uint32_t)rng_below(&r, 64));
    context_make(&r, m, place);
    snprintf(first, sizeof first, "raise %s of %s", m->knob, m->family);
    text_make(&r, m->statement, sizeof m->statement, first);
    text_make(&r, m->conditions, sizeof m->conditions, "where");
    double effect = 1e-3 * rng_normal(&r) - 3e-4;
    m->row = (struct insight){.campaign = m->campaign,
        .hypothesis = m->hypothesis,
        .concept = concept_name(concept_of(knob)),
        .knob = m->knob,
        .family = m->family,
        .metric = "auc",
        .from = m->from,
        .to = m->to,
        .direction = "x2",
        .context = m->context,
        .conditions = m->conditions,
        .statement = m->statement,
        .technique = m->technique,
        .source = "campaign on a made-up place",
        .date = "2026-01-02",
        .effect = effect,
        .sd = 5e-4,
        .n = 4,
        .places = 1,
        .verdict = rng_below(&r, 20) == 0 ? INSIGHT_FAILED : INSIGHT_NONE,
        .created_ms = 1767312000000 + i};
}

/* What the machine's other work does not lengthen. */
static int64_t
cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

struct spent {
    int64_t wall, cpu;
};

static struct spent
spent_since(struct spent t)
{
    return (struct spent){fs_mono_us() - t.wall, cpu_us() - t.cpu};
}

static struct spent
now(void)
{
    return (struct spent){fs_mono_us(), cpu_us()};
}

static struct spent
rows_keep(struct insights *db, uint64_t seed, uint32_t n)
{
    struct err err = {0};
    struct made *made = mem_calloc(BATCH, sizeof *made);
    struct insight *row = mem_calloc(BATCH, sizeof *row);
    struct spent spent = {0, 0};
    for (uint32_t at = 0; at < n; at += BATCH) {
        uint32_t some = n - at < BATCH ? n - at : BATCH;
        for (uint32_t i = 0; i < some; i++) {
            row_make(&made[i], seed, at + i);
            row[i] = made[i].row;
        }
        size_t added = 0;
        struct spent t = now();
        if (insight_keep_all(db, row, some, &added, &err) != 0)
            fail("keep", &err);
        t = spent_since(t);
        spent.wall += t.wall;
        spent.cpu += t.cpu;
        if (isatty(2) && at % 50000 == 0)
            fprintf(stderr, "\r%u rows", at);
    }
    free(made);
    free(row);
    return spent;
}

/* ---- questions ---- */

enum kind { TEXT, KNOB, TECHNIQUE, CONTEXT, MIXED, PLAN, KINDS };
static const char *const kind_name[KINDS] = {
    "text", "knob", "technique", "context", "mixed", "plan"};

/* Words of a statement, each of four taken once in two, at least one. */
static void
words_of(struct rng *r, const char *text, char *out, size_t size)
{
    const char *list[64];
    int len[64], n = 0;
    size_t at = 0;
    for (const char *p = text; *p != '\0' && n < 64;) {
        const char *end = strchrnul(p, ' ');
        list[n] = p;
        len[n++] = (int)(end - p);
        p = *end != '\0' ? end + 1 : end;
    }
    for (uint64_t k = 1 + rng_below(r, 4); k > 0; k--) {
        uint64_t i = rng_below(r, (uint64_t)n);
        at += (size_t)snprintf(
            out + at, size - at, "%.*s ", len[i] < 60 ? len[i] : 60, list[i]);
    }
}

static struct spent
plan_ask(struct insights *db, struct rng *r, struct arena *a)
{
    const char *concept[13];
    struct insight *row = NULL;
    struct err err = {0};
    struct made m;
    size_t n = 0;
    row_make(&m, 1, (uint32_t)rng_below(r, 1000));
    for (int i = 0; i < 13; i++)
    concept[i] = concept_name(1 + (uint32_t)rng_below(r, CONCEPT_COUNT - 1));
    struct insight_matter matter = {
        .concept = concept, .n_concepts = 13, .family = m.family};
    struct spent t = now();
    if (insight_select(db, &matter, a, &row, &n, &err) != 0)
        fail("select", &err);
    return spent_since(t);
}

static struct spent
ask(struct insights *db, enum kind kind, struct rng *r, uint64_t seed,
    uint32_t rows, uint32_t *found)
{
    struct arena a = {0};
    struct err err = {0};
    struct insight_hit *hit = NULL;
    struct made m;
    char text[300];
    size_t n = 0;
    struct spent t;
    row_make(&m, seed, (uint32_t)rng_below(r, rows));
    words_of(r, m.statement, text, sizeof text);
    struct insight_query q = {.max = 20};
    struct insight_place like = {.rows = pow(10, 3 + 6 * rng_f64(r)),
        .fields = 3 + (double)rng_below(r, 60),
        .density = pow(10, -5 + 4 * rng_f64(r)),
        .family = m.family};
    if (kind == PLAN) {
        t = plan_ask(db, r, &a);
        arena_fini(&a);
        *found += 1;
        return t;
    }
    if (kind == TEXT || kind == MIXED)
        q.text = text;
    if (kind == KNOB || (kind == MIXED && rng_below(r, 2) == 0))
        q.knob = m.knob;
    if (kind == TECHNIQUE && m.technique[0] != '\0')
        q.technique = m.technique;
    else if (kind == TECHNIQUE)
        q.technique = "technique-7";
    if (kind == MIXED && rng_below(r, 2) == 0)
        q.verdict = "positive";
    if (kind == MIXED && rng_below(r, 3) == 0)
        q.family = m.family;
    t = now();
    if (insight_search(db, &q, kind == CONTEXT || kind == MIXED ? &like : NULL,
            &a, &hit, &n, &err) != 0)
        fail("search", &err);
    t = spent_since(t);
    *found += n > 0;
    arena_fini(&a);
    return t;
}

static int
compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

struct answer {
    double p50, p99, most, cpu50, cpu99, found;
};

static void
ask_all(struct insights *db, uint64_t seed, uint32_t rows, uint32_t n,
    struct answer *out)
{
    int64_t *us = mem_calloc(n, sizeof *us), *cpu = mem_calloc(n, sizeof *cpu);
    struct rng r;
    rng_seed2(&r, seed, 12345);
    for (int k = 0; k < KINDS; k++) {
        uint32_t found = 0, some = k == PLAN && n > 20 ? 20 : n;
        for (uint32_t i = 0; i < some; i++) {
            struct spent t = ask(db, (enum kind)k, &r, seed, rows, &found);
            us[i] = t.wall;
            cpu[i] = t.cpu;
        }
        qsort(us, some, sizeof *us, compare);
        qsort(cpu, some, sizeof *cpu, compare);
        out[k] = (struct answer){(double)us[some / 2] / 1000,
            (double)us[(some - 1) * 99 / 100] / 1000,
            (double)us[some - 1] / 1000, (double)cpu[some / 2] / 1000,
            (double)cpu[(some - 1) * 99 / 100] / 1000, (double)found / some};
    }
    free(us);
    free(cpu);
}

static double
rate(uint32_t rows, int64_t us)
{
    return us > 0 ? rows / ((double)us / 1e6) : 0;
}

static void
report(bool json, uint32_t rows, uint32_t n, struct spent kept, double bytes,
    const struct answer *x)
{
    if (json) {
        printf("{\"rows\": %u, \"queries\": %u, \"insert_per_s\": %.0f, "
               "\"insert_per_cpu_s\": %.0f, \"bytes\": %.0f, \"ms\": {",
            rows, n, rate(rows, kept.wall), rate(rows, kept.cpu), bytes);
        for (int k = 0; k < KINDS; k++)
            printf("%s\"%s\": {\"p50\": %.3f, \"p99\": %.3f, \"max\": %.3f, "
                   "\"cpu_p50\": %.3f, \"cpu_p99\": %.3f, \"found\": %.3f}",
                k > 0 ? ", " : "", kind_name[k], x[k].p50, x[k].p99, x[k].most,
                x[k].cpu50, x[k].cpu99, x[k].found);
        printf("}}\n");
        return;
    }
    printf(
        "%u rows, %.0f MB (%.0f bytes a row)", rows, bytes / 1e6, bytes / rows);
    if (kept.wall > 0)
        printf(", %.0f kept a second (%.0f a second of one core)",
            rate(rows, kept.wall), rate(rows, kept.cpu));
    printf("\n%-10s %9s %9s %9s %9s %9s  found\n", "ms", "p50", "p99", "max",
        "cpu p50", "cpu p99");
    for (int k = 0; k < KINDS; k++)
        printf("%-10s %9.2f %9.2f %9.2f %9.2f %9.2f  %.2f\n", kind_name[k],
            x[k].p50, x[k].p99, x[k].most, x[k].cpu50, x[k].cpu99, x[k].found);
}

int
main(int argc, char **argv)
{
    uint32_t rows = 1000000, n = 300;
    uint64_t seed = 1;
    bool json = false;
    const char *keep = NULL;
    char path[300];
    for (int i = 1; i < argc; i++) {
        bool more = i + 1 < argc;
        if (strcmp(argv[i], "--json") == 0)
            json = true;
        else if (more && strcmp(argv[i], "--rows") == 0)
            rows = (uint32_t)strtoul(argv[++i], NULL, 10);
        else if (more && strcmp(argv[i], "--queries") == 0)
            n = (uint32_t)strtoul(argv[++i], NULL, 10);
        else if (more && strcmp(argv[i], "--seed") == 0)
            seed = strtoull(argv[++i], NULL, 10);
        else if (more && strcmp(argv[i], "--db") == 0)
            keep = argv[++i];
        else
            rows = 0;
    }
    if (rows < 1 || rows > ROWS_MAX || n < 1 || n > QUERIES_MAX) {
        fprintf(stderr, "usage: bench-insights [--rows N] [--queries N] "
                        "[--seed N] [--db FILE] [--json]\n");
        return 2;
    }
    snprintf(path, sizeof path, "/tmp/bench-insights-%d.db", (int)getpid());
    const char *file = keep != NULL ? keep : path;
    struct err err = {0};
    struct rng r;
    struct insights *db = NULL;
    struct answer x[KINDS];
    rng_seed(&r, 7);
    words_make(&r);
    zipf_make(&words, WORDS);
    zipf_make(&knobs, KNOBS);
    zipf_make(&families, FAMILIES);
    zipf_make(&techniques, TECHNIQUES);
    zipf_make(&places, PLACES);
    bool there = keep != NULL && fs_is_file(keep);
    if (insight_open(&db, file, INSIGHT_WRITE, &err) != 0)
        fail("open", &err);
    struct spent kept = {0, 0};
    if (!there)
        kept = rows_keep(db, seed, rows);
    insight_close(db);
    if (insight_open(&db, file, INSIGHT_READ, &err) != 0)
        fail("open", &err);
    ask_all(db, seed, rows, n, x);
    insight_close(db);
    report(json, rows, n, kept, (double)fs_size(file), x);
    if (keep == NULL) {
        unlink(path);
        strncat(path, ".lock", sizeof path - strlen(path) - 1);
        unlink(path);
    }
    return 0;
}
