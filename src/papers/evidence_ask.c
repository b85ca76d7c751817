/* What to ask the corpus for a project: what its knobs mean, and each technique
 * that a declared value names. Called by the draft. A word of the project file
 * is a query, never more. */
#include "papers/evidence.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { ASKED_MAX = 96, ANSWERS = 8, QUERY_BYTES = 200 };

struct asking {
    struct findings *f;
    struct corpus *c;
    const char *before;
    uint32_t asked;
};

/* An undated paper may be later than any date. */
static void
passage_take(struct asking *q, const struct passage *p)
{
    if (q->before == NULL || p->date[0] != '\0')
        findings_read(q->f, p);
}

static int
words_ask(struct asking *q, const char *words, struct err *err)
{
    struct passage *p = NULL;
    uint32_t n = 0;
    if (q->asked++ >= ASKED_MAX)
        return 0;
    int rc = corpus_search(
        q->c, words, q->before, ANSWERS, q->f->arena, &p, &n, err);
    for (uint32_t i = 0; rc == 0 && i < n; i++)
        passage_take(q, &p[i]);
    return rc;
}

/* What to look for where a project has a knob of a concept. */
static const struct {
    uint32_t concept;
    const char *words[3];
} asked[] = {
    {CONCEPT_MODEL,
        {"feature interaction model for CTR prediction outperforms DCN DeepFM",
            "explicit and implicit feature interactions Criteo Avazu AUC",
            "cross network MLP click-through rate prediction"}},
    {CONCEPT_INTERACTION, {"feature interaction layer CTR prediction"}},
    {CONCEPT_EMBEDDING_DIM,
        {"embedding dimension search CTR prediction", "embedding collapse"}},
    {CONCEPT_EMB_REG, {"embedding regularization overfitting CTR"}},
    {CONCEPT_OPTIMIZER, {"optimizer for CTR prediction models"}},
    {CONCEPT_LEARNING_RATE, {"learning rate large batch training CTR"}},
    {CONCEPT_LOSS, {"loss function ranking and calibration CTR prediction"}},
    {CONCEPT_EPOCHS, {"one epoch overfitting CTR models"}},
    {CONCEPT_FEATURES, {"feature selection deep recommender"}},
    {CONCEPT_NUMERIC, {"numerical features embedding CTR"}},
    {CONCEPT_SEQUENCE_LEN, {"long user behavior sequence CTR prediction"}},
    {CONCEPT_EXPERTS, {"multi-task mixture of experts recommendation"}},
    {CONCEPT_NEG_SAMPLING, {"negative sampling for ranking"}},
    {CONCEPT_DROPOUT, {"regularization dropout CTR prediction"}},
};

static bool
has_concept(const struct spec *s, uint32_t concept)
{
    for (uint32_t k = 0; k < s->n_knobs; k++)
        if (s->knob[k].concept == concept)
            return true;
    return false;
}

static int
concepts_ask(struct asking *q, const struct spec *s, struct err *err)
{
    int rc = 0;
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        for (size_t w = 0; w < 3 && asked[i].words[w] != NULL; w++)
            if (rc == 0 && has_concept(s, asked[i].concept))
                rc = words_ask(q, asked[i].words[w], err);
    return rc;
}

/* "dcn_v2": letters and digits, in lower case. */
static void
plain(const char *text, char out[VALUE_LEN])
{
    size_t n = 0;
    for (; *text != '\0' && n + 1 < VALUE_LEN; text++)
        if (isalnum((unsigned char)*text) || *text == '+')
            out[n++] = (char)tolower((unsigned char)*text);
    out[n] = '\0';
}

static bool
step_names(const struct technique *t, uint32_t concept, const char *value)
{
    char want[VALUE_LEN], word[VALUE_LEN], part[VALUE_LEN];
    plain(value, want);
    for (uint32_t i = 0; i < technique_steps(t); i++) {
        if (t->step[i].op != TECHNIQUE_CHOOSE || t->step[i].concept != concept)
            continue;
        for (const char *p = t->step[i].words; *p != '\0';) {
            size_t n = strcspn(p, "|");
            snprintf(part, sizeof part, "%.*s", (int)n, p);
            plain(part, word);
            if (strcmp(word, want) == 0)
                return true;
            p += n + (p[n] == '|');
        }
    }
    return false;
}

/* A value is asked for by the names of its technique, else by its own: what it
 * is, and what came of it. */
static int
value_ask(
    struct asking *q, uint32_t concept, const char *value, struct err *err)
{
    char names[QUERY_BYTES], results[QUERY_BYTES + 48];
    snprintf(names, sizeof names, "%s", value);
    for (uint32_t i = 0; i < technique_count(); i++) {
        const struct technique *t = technique_at(i);
        if (!step_names(t, concept, value))
            continue;
        snprintf(names, sizeof names, "%s %s", t->name, t->aliases);
        break;
    }
    for (char *p = names; *p != '\0'; p++)
        if (*p == '|')
            *p = ' ';
    snprintf(
        results, sizeof results, "%s experiments outperforms improves", names);
    int rc = words_ask(q, names, err);
    return rc == 0 ? words_ask(q, results, err) : rc;
}

static bool
names_techniques(const struct knob *k)
{
    return (k->kind == KNOB_CHOICE || k->kind == KNOB_SET) &&
           (k->concept == CONCEPT_MODEL || k->concept == CONCEPT_INTERACTION ||
               k->concept == CONCEPT_LOSS || k->concept == CONCEPT_OPTIMIZER ||
               k->concept == CONCEPT_SCHEDULE ||
               k->concept == CONCEPT_NUMERIC || k->concept == CONCEPT_FEATURES);
}

int
findings_of_project(struct findings *f, struct corpus *c, const struct spec *s,
    const char *before, struct err *err)
{
    struct asking q = {.f = f, .c = c, .before = before};
    if (before != NULL && before[0] == '\0')
        q.before = NULL;
    int rc = concepts_ask(&q, s, err);
    for (uint32_t k = 0; rc == 0 && k < s->n_knobs; k++) {
        const struct knob *knob = &s->knob[k];
        for (uint32_t v = 0; names_techniques(knob) && v < knob->n_values; v++)
            if (rc == 0)
                rc = value_ask(&q, knob->concept, knob->values[v], err);
    }
    findings_close(f);
    return rc;
}
