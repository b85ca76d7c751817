/* Methods to techniques, papers and kinds. Called once for a cut. Invariant:
 * no rule looks at a result, and none names a method or a data set. */
#include "match.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "papers/corpus.h"
#include "research/backbone.h"

enum {
    FOUND_MAX = 20,   /* passages that are looked at for a method */
    SHORT_NAME = 3,   /* letters; shorter names are in any text by chance */
    RECENT_YEARS = 5, /* cohort that stands for a method of unknown kind */
};
/* How sharply a text's likeness to a kind's entries in the library says its
 * kind: cosines of kinds are within about .1 of each other. */
static const double KIND_SHARPNESS = 30;

const char *
match_how_name(uint32_t how)
{
    static const char *const name[] = {"none", "its link", "its reference",
        "its name in the title", "its name in the abstract"};
    return how < sizeof name / sizeof *name ? name[how] : "?";
}

/* ---- names ---- */

static const struct technique *
technique_of(const struct method *m)
{
    for (uint32_t i = 0; i < technique_count(); i++)
        if (link_same(technique_at(i)->ref, m->url))
            return technique_at(i);
    return technique_named(m->name);
}

/* The name as a word of its own. A short one must have its own case: "sam" is
 * a word of many texts. */
static bool
text_names(const char *text, const char *name)
{
    size_t n = strlen(name);
    if (n < SHORT_NAME)
        return false;
    for (const char *p = text; (p = strstr(p, name)) != NULL; p++)
        if ((p == text || !isalnum((unsigned char)p[-1])) &&
            !isalnum((unsigned char)p[n]))
            return true;
    return false;
}

/* ---- papers ---- */

static bool
paper_is_near(const struct bench_paper *p, int year)
{
    return strtol(p->date, NULL, 10) >= year - 1;
}

/* Asks the corpus for the method by name; the first answer that names it. */
static int
paper_search(const struct papers *p, const struct method *m, struct match *out,
    struct err *err)
{
    struct arena a = {0};
    struct passage *hit;
    uint32_t n;
    int rc =
        corpus_search(p->corpus, m->name, NULL, FOUND_MAX, &a, &hit, &n, err);
    for (uint32_t i = 0; rc == 0 && i < n; i++) {
        const struct bench_paper *found = paper_find(p, hit[i].paper);
        if (found == NULL || !paper_is_near(found, m->year) ||
            !text_names(found->text, m->name))
            continue;
        bool title = text_names(found->title, m->name);
        if (out->how != MATCH_NONE && !title)
            continue;
        out->paper = found;
        out->how = title ? MATCH_TITLE : MATCH_TEXT;
        if (title)
            break;
    }
    arena_fini(&a);
    return rc;
}

/* A paper counts for a technique only when its text names it. */
static int
paper_match(const struct papers *p, const struct method *m,
    const struct technique *t, struct match *out, struct err *err)
{
    int rc = 0;
    if ((out->paper = paper_of_link(p, m->url)) != NULL)
        out->how = MATCH_LINK;
    else if (t != NULL && (out->paper = paper_of_link(p, t->ref)) != NULL)
        out->how = MATCH_LIBRARY;
    else
        rc = paper_search(p, m, out, err);
    return rc;
}

/* ---- kinds ---- */

struct words {
    uint32_t n;
    struct {
        char text[24];
        double count, weight;
    } at[1024];
};

static void
words_add(struct words *w, const char *text)
{
    while (*text != '\0') {
        char word[24];
        size_t n = 0;
        for (; isalpha((unsigned char)*text); text++)
            if (n + 1 < sizeof word)
                word[n++] = (char)tolower((unsigned char)*text);
        word[n] = '\0';
        /* an English ending less: "interactions" is "interaction" */
        if (n > 3 && word[n - 1] == 's')
            word[--n] = '\0';
        uint32_t i = 0;
        while (i < w->n && strcmp(w->at[i].text, word) != 0)
            i++;
        if (n > 2 && i < sizeof w->at / sizeof w->at[0]) {
            if (i == w->n) {
                memcpy(w->at[w->n].text, word, sizeof word);
                w->at[w->n++].count = 0;
            }
            w->at[i].count++;
        }
        text += *text != '\0' && !isalpha((unsigned char)*text);
    }
}

/* What the library held of each kind at the cut, as words. */
struct kinds {
    struct words of[OUTCOME_KINDS];
};

/* Words of many kinds say little of which. */
static double
word_weight(const struct kinds *ks, const char *word)
{
    double in = 0;
    for (uint32_t k = 0; k < OUTCOME_KINDS; k++)
        for (uint32_t i = 0; i < ks->of[k].n; i++)
            if (strcmp(ks->of[k].at[i].text, word) == 0) {
                in++;
                break;
            }
    return in > 0 ? log((1 + OUTCOME_KINDS) / in) : 0;
}

static void
kinds_learn(struct kinds *ks, const char *before)
{
    for (uint32_t i = 0; i < technique_count(); i++) {
        const struct technique *t = technique_at(i);
        struct words *w = &ks->of[technique_kind(t)];
        if (!technique_known(t, before))
            continue;
        words_add(w, t->name);
        words_add(w, t->aliases);
        words_add(w, t->claim);
    }
    for (uint32_t k = 0; k < OUTCOME_KINDS; k++)
        for (uint32_t i = 0; i < ks->of[k].n; i++)
            ks->of[k].at[i].weight =
                word_weight(ks, ks->of[k].at[i].text) * ks->of[k].at[i].count;
}

static double
words_size(const struct words *w)
{
    double sum = 0;
    for (uint32_t i = 0; i < w->n; i++)
        sum += w->at[i].weight * w->at[i].weight;
    return sqrt(sum);
}

static double
words_cosine(const struct words *a, const struct words *b)
{
    double sum = 0;
    for (uint32_t i = 0; i < a->n; i++)
        for (uint32_t j = 0; j < b->n; j++)
            if (strcmp(a->at[i].text, b->at[j].text) == 0)
                sum += a->at[i].weight * b->at[j].weight;
    return sum > 0 ? sum / (words_size(a) * words_size(b)) : 0;
}

/* Kinds that a text is about: of those that are on boards (prior > 0), by the
 * likeness of its words to the library's. */
static void
kinds_of_text(const struct kinds *ks, const char *text, const double *prior,
    double kind[OUTCOME_KINDS])
{
    struct words *w = mem_calloc(1, sizeof *w);
    double sum = 0;
    words_add(w, text);
    for (uint32_t i = 0; i < w->n; i++)
        w->at[i].weight = word_weight(ks, w->at[i].text) * w->at[i].count;
    for (uint32_t k = 0; k < OUTCOME_KINDS; k++) {
        double c = words_cosine(w, &ks->of[k]);
        kind[k] = prior[k] > 0 ? prior[k] * exp(KIND_SHARPNESS * c) : 0;
        sum += kind[k];
    }
    for (uint32_t k = 0; k < OUTCOME_KINDS && sum > 0; k++)
        kind[k] /= sum;
    free(w);
}

/* Shares of the kinds among methods of known kind of the last years. */
static void
kinds_recent(const struct boards *b, const struct match *match, int until,
    double prior[OUTCOME_KINDS])
{
    double n = 0;
    int last = 0;
    memset(prior, 0, OUTCOME_KINDS * sizeof *prior);
    for (uint32_t i = 0; i < b->n_methods; i++)
        if (b->method[i].year <= until && b->method[i].year > last)
            last = b->method[i].year;
    for (uint32_t i = 0; i < b->n_methods; i++)
        if (match[i].kind_known && b->method[i].year <= last &&
            b->method[i].year > last - RECENT_YEARS)
            for (uint32_t k = 0; k < OUTCOME_KINDS; k++) {
                prior[k] += match[i].kind[k];
                n += match[i].kind[k];
            }
    for (uint32_t k = 0; k < OUTCOME_KINDS && n > 0; k++)
        prior[k] /= n;
}

/* ---- all ---- */

static int
later_match(const struct papers *p, const struct method *m, const char *before,
    const struct kinds *ks, const double *prior, struct match *out,
    struct err *err)
{
    const struct technique *t = technique_of(m);
    bool known = t != NULL && technique_known(t, before);
    int rc = p != NULL ? paper_match(p, m, t, out, err) : 0;
    if (rc != 0)
        return rc;
    bool named = t != NULL && out->paper != NULL &&
                 (technique_mentioned(t, out->paper->text) ||
                     link_same(t->ref, out->paper->id));
    if (known || named) {
        out->technique = t;
        out->brought = !known;
        out->kind[technique_kind(t)] = 1;
        out->kind_known = true;
    } else if (out->paper != NULL) {
        kinds_of_text(ks, out->paper->text, prior, out->kind);
        out->kind_known = true;
    }
    return 0;
}

int
methods_match(struct arena *a, const struct boards *b, const struct papers *p,
    int until, struct match *match, struct err *err)
{
    const char *before = arena_printf(a, "%d", until + 1);
    double prior[OUTCOME_KINDS];
    memset(match, 0, b->n_methods * sizeof *match);
    for (uint32_t i = 0; i < b->n_methods; i++) {
        const struct technique *t = technique_of(&b->method[i]);
        if (b->method[i].year > until || t == NULL ||
            !technique_known(t, before))
            continue;
        match[i].technique = t;
        match[i].kind[technique_kind(t)] = 1;
        match[i].kind_known = true;
    }
    kinds_recent(b, match, until, prior);
    struct kinds *ks = mem_calloc(1, sizeof *ks);
    int rc = 0;
    kinds_learn(ks, before);
    for (uint32_t i = 0; i < b->n_methods; i++) {
        if (match[i].technique != NULL)
            continue;
        rc = later_match(p, &b->method[i], before, ks, prior, &match[i], err);
        if (rc != 0)
            break;
        if (!match[i].kind_known)
            memcpy(match[i].kind, prior, sizeof prior);
    }
    free(ks);
    return rc;
}
