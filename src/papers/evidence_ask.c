/* What to ask the corpus for a project: the questions that its knobs suggest,
 * and each technique that a declared value names. Called by the draft. A word
 * of the project file is a query, never more. */
#include "papers/evidence.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { ASK_VALUES_MAX = 48, VALUE_PASSAGES = 5, QUERY_BYTES = 200 };

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
    if (q->asked++ >= ASK_VALUES_MAX)
        return 0;
    int rc = corpus_search(
        q->c, words, q->before, VALUE_PASSAGES, q->f->arena, &p, &n, err);
    for (uint32_t i = 0; rc == 0 && i < n; i++)
        passage_take(q, &p[i]);
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

/* A value is asked for by the names of its technique, else by its own. */
static int
value_ask(
    struct asking *q, uint32_t concept, const char *value, struct err *err)
{
    char query[QUERY_BYTES];
    for (uint32_t i = 0; i < technique_count(); i++) {
        const struct technique *t = technique_at(i);
        if (!step_names(t, concept, value))
            continue;
        snprintf(query, sizeof query, "%s %s", t->name, t->aliases);
        for (char *p = query; *p != '\0'; p++)
            if (*p == '|')
                *p = ' ';
        return words_ask(q, query, err);
    }
    return words_ask(q, value, err);
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
    struct question *question = NULL;
    uint32_t n = 0;
    if (before != NULL && before[0] == '\0')
        q.before = NULL;
    int rc = corpus_ask(c, s, NULL, q.before, f->arena, &question, &n, err);
    for (uint32_t i = 0; rc == 0 && i < n; i++)
        for (uint32_t j = 0; j < question[i].n_passages; j++)
            passage_take(&q, &question[i].passage[j]);
    for (uint32_t k = 0; rc == 0 && k < s->n_knobs; k++) {
        const struct knob *knob = &s->knob[k];
        for (uint32_t v = 0; names_techniques(knob) && v < knob->n_values; v++)
            if (rc == 0)
                rc = value_ask(&q, knob->concept, knob->values[v], err);
    }
    findings_close(f);
    return rc;
}
