/* bench-claims --corpus FILE --labels FILE [--json] [--show dev|test]: what the
 * rules find in labelled abstracts against what a reader found
 * (bench/research/README). Precision and recall for claims and techniques.
 *
 * When a claim matches a label, each label at most once:
 *   with a number   same value (either end of a range), same sign and unit
 *                   (percent and points are one where the text says "%" only),
 *                   same metric, same setting
 *   without one     same setting
 * When a technique matches: a proposed one by its name, letters and digits
 * only; a mentioned one by id, name or another name of the library. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"
#include "papers/claim.h"
#include "papers/technique_find.h"

enum {
    LINE_MAX_BYTES = 1 << 20,
    PLAIN_LEN = 96,
    SPLITS = 2,
    FOUND_MAX = 64,
};

struct score {
    uint32_t hit, found, wanted;
};

struct tally {
    struct score number, number_loose, said, claim;
    struct score proposed, mentioned, technique;
    uint32_t abstracts;
};

struct bench {
    struct tally tally[SPLITS]; /* dev, test */
    const char *show;
    uint32_t missing;
};

/* ---- the corpus ---- */

struct papers {
    struct json **line;
    size_t n, cap;
};

static int
papers_read(struct papers *p, const char *path)
{
    gzFile f = gzopen(path, "rb");
    char *line = mem_calloc(1, LINE_MAX_BYTES);
    if (f == NULL) {
        fprintf(stderr, "%s: cannot be read\n", path);
        free(line);
        return 2;
    }
    while (gzgets(f, line, LINE_MAX_BYTES) != NULL) {
        struct err err = {0};
        struct json *j = json_parse(line, strlen(line), &err);
        if (j == NULL)
            continue;
        if (p->n == p->cap) {
            p->cap = p->cap > 0 ? 2 * p->cap : 1024;
            p->line = mem_realloc(p->line, p->cap * sizeof(*p->line));
        }
        p->line[p->n++] = j;
    }
    gzclose(f);
    free(line);
    return 0;
}

static const struct json *
paper_find(const struct papers *p, const char *id)
{
    for (size_t i = 0; i < p->n; i++) {
        const char *name = json_get_str(p->line[i], "id");
        if (name != NULL && strcmp(name, id) == 0)
            return p->line[i];
    }
    return NULL;
}

/* ---- matching ---- */

static void
plain(const char *text, char out[PLAIN_LEN])
{
    size_t n = 0;
    for (; *text != '\0' && n + 1 < PLAIN_LEN; text++)
        if (isalnum((unsigned char)*text) || ((unsigned char)*text & 0x80) ||
            *text == '+')
            out[n++] = (char)tolower((unsigned char)*text);
    out[n] = '\0';
}

static bool
same_plain(const char *a, const char *b)
{
    char x[PLAIN_LEN], y[PLAIN_LEN];
    plain(a, x);
    plain(b, y);
    return strcmp(x, y) == 0;
}

static bool
same_metric(const struct claim *c, const char *label)
{
    const struct metric_word *m = metric_find(label);
    if (m != NULL && strcmp(m->name, "performance") != 0)
        return c->metric == m;
    if (label[0] == '\0' || m != NULL)
        return c->metric == NULL;
    return c->metric == NULL && strstr(c->what, label) != NULL;
}

static bool
same_setting(const struct claim *c, const char *label)
{
    return label[0] == '\0' ||
           strcmp(label, c->online ? "online" : "offline") == 0;
}

static bool
same_number(const struct claim *c, const struct json *label)
{
    const char *unit = json_get_str(label, "unit");
    double d = json_get_num(label, "delta", 0);
    double high = json_get_num(label, "high", d);
    const char *ours = claim_unit_name(c->unit);
    bool points = strcmp(unit, "points") == 0 || strcmp(unit, "percent") == 0;
    bool unit_fits =
        strcmp(unit, ours) == 0 ||
        (points && (c->unit == CLAIM_PERCENT || c->unit == CLAIM_POINTS));
    return unit_fits &&
           (fabs(c->delta - d) < 1e-6 || fabs(c->high - high) < 1e-6);
}

static bool
is_said(const struct json *label)
{
    return json_get(label, "delta") == NULL;
}

static bool
claim_fits(const struct claim *c, const struct json *label, bool strict)
{
    const char *metric = json_get_str(label, "metric");
    const char *setting = json_get_str(label, "setting");
    if (is_said(label) != (c->unit == CLAIM_NO_NUMBER))
        return false;
    if (is_said(label))
        return same_setting(c, setting);
    return same_number(c, label) &&
           (!strict || (same_metric(c, metric) && same_setting(c, setting)));
}

static void
claim_print(
    const char *mark, const char *id, const struct claim *c, const char *text)
{
    printf("%s %s: %s%s%+g %s %s%s base \"%s\" data \"%s\" | %.*s\n", mark, id,
        c->metric != NULL ? c->metric->name : "-", c->what[0] ? "/" : "",
        c->delta, claim_unit_name(c->unit), c->online ? "online" : "offline",
        c->significant ? " significant" : "", c->baseline, c->dataset,
        (int)(c->end - c->begin), text + c->begin);
}

static void
label_print(const char *id, const struct json *label)
{
    struct buf b = {0};
    json_dump(label, &b);
    printf("miss %s: %s\n", id, buf_str(&b));
    buf_fini(&b);
}

/* Counts one kind of claims; optional labels take a find and count not. */
static void
claims_count(const struct json *labels, const struct claim *c, uint32_t n,
    bool said, bool strict, struct score *s, const char *show, const char *text)
{
    bool taken[FOUND_MAX] = {false};
    for (size_t i = 0; i < 2 * json_len(labels); i++) {
        const struct json *l = json_at(labels, i % json_len(labels));
        bool optional = json_get_bool(l, "optional", false);
        bool hit = false;
        /* what is asked for goes first */
        if (is_said(l) != said || optional != (i >= json_len(labels)))
            continue;
        for (uint32_t k = 0; k < n && !hit; k++)
            if (!taken[k] && claim_fits(&c[k], l, strict))
                taken[k] = hit = true;
        s->hit += hit && !optional;
        s->found += hit && !optional;
        s->wanted += !optional;
        if (show != NULL && !hit && !optional)
            label_print(show, l);
    }
    for (uint32_t k = 0; k < n; k++) {
        if (taken[k] || said != (c[k].unit == CLAIM_NO_NUMBER))
            continue;
        s->found++;
        if (show != NULL)
            claim_print("false", show, &c[k], text);
    }
}

static void
score_add(struct score *to, const struct score *a)
{
    to->hit += a->hit;
    to->found += a->found;
    to->wanted += a->wanted;
}

static void
claims_score(struct tally *t, const struct json *labels, const char *text,
    const char *show)
{
    struct claim c[FOUND_MAX];
    struct score number = {0}, said = {0};
    uint32_t n = claims_find(text, strlen(text), c, FOUND_MAX);
    claims_count(labels, c, n, false, true, &number, show, text);
    claims_count(labels, c, n, true, true, &said, show, text);
    claims_count(labels, c, n, false, false, &t->number_loose, NULL, text);
    score_add(&t->number, &number);
    score_add(&t->said, &said);
    score_add(&t->claim, &number);
    score_add(&t->claim, &said);
}

/* ---- techniques ---- */

static bool
label_names(const struct json *list, const char *name, bool *taken)
{
    for (size_t i = 0; i < json_len(list); i++) {
        const char *l = json_str(json_at(list, i));
        if ((taken == NULL || !taken[i]) && same_plain(l, name)) {
            if (taken != NULL)
                taken[i] = true;
            return true;
        }
    }
    return false;
}

/* A technique of the library against labels: by any of its names. */
static bool
label_is(const struct json *list, const struct technique *t, bool *taken)
{
    char name[PLAIN_LEN];
    if (label_names(list, t->id, taken) || label_names(list, t->name, taken))
        return true;
    for (const char *p = t->aliases; *p != '\0';) {
        size_t n = strcspn(p, "|");
        snprintf(name, sizeof name, "%.*s", (int)n, p);
        if (label_names(list, name, taken))
            return true;
        p += n + (p[n] == '|');
    }
    return false;
}

static void
techniques_score(struct tally *t, const struct json *label, const char *title,
    const char *text, const char *show)
{
    struct technique_name name[FOUND_MAX];
    struct technique_mention hit[FOUND_MAX];
    bool own[FOUND_MAX] = {false}, known[FOUND_MAX] = {false};
    const struct json *proposed = json_get(label, "proposed");
    const struct json *mentioned = json_get(label, "mentioned");
    const struct json *optional = json_get(label, "optional");
    struct buf all = {0};
    uint32_t n = technique_names(title, text, name, FOUND_MAX);
    t->proposed.wanted += (uint32_t)json_len(proposed);
    t->mentioned.wanted += (uint32_t)json_len(mentioned);
    for (uint32_t i = 0; i < n; i++) {
        if (name[i].part || label_names(optional, name[i].name, NULL))
            continue;
        bool good = label_names(proposed, name[i].name, own);
        t->proposed.hit += good;
        t->proposed.found++;
        if (show != NULL && !good)
            printf("false %s: proposed %s\n", show, name[i].name);
    }
    buf_printf(&all, "%s. %s", title, text);
    n = technique_mentions(buf_str(&all), all.len, hit, FOUND_MAX);
    for (uint32_t i = 0; i < n; i++) {
        if (label_is(optional, hit[i].technique, NULL) ||
            label_is(proposed, hit[i].technique, NULL))
            continue;
        bool good = label_is(mentioned, hit[i].technique, known);
        t->mentioned.hit += good;
        t->mentioned.found++;
        if (show != NULL && !good)
            printf("false %s: mentioned %s\n", show, hit[i].technique->id);
    }
    for (size_t i = 0; show != NULL && i < json_len(proposed); i++)
        if (!own[i])
            printf(
                "miss %s: proposed %s\n", show, json_str(json_at(proposed, i)));
    for (size_t i = 0; show != NULL && i < json_len(mentioned); i++)
        if (!known[i])
            printf("miss %s: mentioned %s\n", show,
                json_str(json_at(mentioned, i)));
    buf_fini(&all);
}

/* ---- the run ---- */

static void
label_score(struct bench *b, const struct papers *p, const struct json *label)
{
    const char *id = json_get_str(label, "id");
    const char *split = json_get_str(label, "split");
    const struct json *paper = id != NULL ? paper_find(p, id) : NULL;
    if (paper == NULL || split == NULL) {
        b->missing++;
        return;
    }
    struct tally *t = &b->tally[strcmp(split, "dev") != 0];
    const char *show =
        b->show != NULL && strcmp(b->show, split) == 0 ? id : NULL;
    const char *text = json_get_str(paper, "abstract");
    t->abstracts++;
    claims_score(t, json_get(label, "claims"), text, show);
    if (json_get(label, "proposed") != NULL)
        techniques_score(t, label, json_get_str(paper, "title"), text, show);
    t->technique = t->proposed;
    score_add(&t->technique, &t->mentioned);
}

static int
labels_score(struct bench *b, const struct papers *p, const char *path)
{
    struct buf text = {0};
    struct err err = {0};
    if (fs_read(path, 1 << 24, &text, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        return 2;
    }
    for (size_t at = 0; at < text.len;) {
        const char *end = memchr(text.data + at, '\n', text.len - at);
        size_t n = end != NULL ? (size_t)(end - text.data) - at : text.len - at;
        struct json *j = json_parse(text.data + at, n, &err);
        if (j != NULL)
            label_score(b, p, j);
        else
            b->missing++;
        json_free(j);
        at += n + 1;
    }
    buf_fini(&text);
    return 0;
}

static void
score_json(struct jw *w, const char *name, const struct score *s)
{
    jw_key(w, name);
    jw_obj_begin(w);
    jw_ki64(w, "hits", s->hit);
    jw_ki64(w, "found", s->found);
    jw_ki64(w, "labelled", s->wanted);
    if (s->found > 0)
        jw_kf64(w, "precision", (double)s->hit / s->found);
    if (s->wanted > 0)
        jw_kf64(w, "recall", (double)s->hit / s->wanted);
    jw_obj_end(w);
}

static void
score_say(const char *name, const struct score *s)
{
    if (s->found == 0 && s->wanted == 0)
        return;
    printf("  %-28s precision %.2f (%u/%u)  recall %.2f (%u/%u)\n", name,
        s->found > 0 ? (double)s->hit / s->found : 0, s->hit, s->found,
        s->wanted > 0 ? (double)s->hit / s->wanted : 0, s->hit, s->wanted);
}

static void
bench_json(const struct bench *b)
{
    static const char *const split[SPLITS] = {"dev", "test"};
    struct buf out = {0};
    struct jw w;
    jw_init(&w, &out, 2);
    jw_obj_begin(&w);
    for (int i = 0; i < SPLITS; i++) {
        const struct tally *t = &b->tally[i];
        jw_key(&w, split[i]);
        jw_obj_begin(&w);
        jw_ki64(&w, "abstracts", t->abstracts);
        score_json(&w, "claims", &t->claim);
        score_json(&w, "claims_with_a_number", &t->number);
        score_json(&w, "their_numbers_alone", &t->number_loose);
        score_json(&w, "claims_in_words", &t->said);
        score_json(&w, "techniques", &t->technique);
        score_json(&w, "techniques_proposed", &t->proposed);
        score_json(&w, "techniques_mentioned", &t->mentioned);
        jw_obj_end(&w);
    }
    jw_ki64(&w, "labels_without_their_abstract", b->missing);
    jw_kstr(&w, "rule",
        "a claim matches one label of the same number, sign, unit, metric and "
        "setting, or, without a number, of the same setting; a technique "
        "matches by name, letters and digits only, or by any name of the "
        "library");
    jw_obj_end(&w);
    printf("%s\n", buf_str(&out));
    buf_fini(&out);
}

static void
bench_say(const struct bench *b)
{
    static const char *const split[SPLITS] = {"dev", "test"};
    for (int i = 0; i < SPLITS; i++) {
        const struct tally *t = &b->tally[i];
        printf("%s, %u abstracts\n", split[i], t->abstracts);
        score_say("claims", &t->claim);
        score_say("  with a number", &t->number);
        score_say("    their numbers alone", &t->number_loose);
        score_say("  in words", &t->said);
        score_say("techniques", &t->technique);
        score_say("  proposed", &t->proposed);
        score_say("  mentioned", &t->mentioned);
    }
    if (b->missing > 0)
        printf("%u labels without their abstract\n", b->missing);
}

int
main(int argc, char **argv)
{
    struct bench b = {0};
    struct papers p = {0};
    const char *corpus = NULL, *labels = NULL;
    bool json = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            json = true;
        else if (strcmp(argv[i], "--corpus") == 0 && i + 1 < argc)
            corpus = argv[++i];
        else if (strcmp(argv[i], "--labels") == 0 && i + 1 < argc)
            labels = argv[++i];
        else if (strcmp(argv[i], "--show") == 0 && i + 1 < argc)
            b.show = argv[++i];
        else
            corpus = labels = NULL, i = argc;
    }
    if (corpus == NULL || labels == NULL) {
        fprintf(stderr, "usage: bench-claims --corpus FILE --labels FILE "
                        "[--json] [--show dev|test]\n");
        return 2;
    }
    int rc = papers_read(&p, corpus);
    if (rc == 0)
        rc = labels_score(&b, &p, labels);
    if (rc == 0 && json)
        bench_json(&b);
    else if (rc == 0)
        bench_say(&b);
    for (size_t i = 0; i < p.n; i++)
        json_free(p.line[i]);
    free(p.line);
    return rc != 0 ? rc : b.missing > 0;
}
