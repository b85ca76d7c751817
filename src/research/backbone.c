/* Backbones that are new to the team. Called by the draft. Invariant: a
 * function of the records and the library. */
#include "research/backbone.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "research/outcome.h"

enum { ROWS_MAX = 200 };
/* As records are clipped (research/history.h). */
static const double EFFECT_MAX = 2 * BASE_RATE_SD;

/* ---- the library ---- */

const char *
technique_kind_name(uint32_t kind)
{
    uint32_t seen = 0;
    for (uint32_t i = 0; i < technique_count(); i++) {
        bool first = true;
        for (uint32_t j = 0; j < i && first; j++)
            first = strcmp(technique_at(i)->family, technique_at(j)->family);
        if (first && seen++ == kind)
            return technique_at(i)->family;
    }
    return NULL;
}

uint32_t
technique_kind(const struct technique *t)
{
    uint32_t k = 0;
    while (k + 1 < OUTCOME_KINDS && technique_kind_name(k) != NULL &&
           strcmp(technique_kind_name(k), t->family) != 0)
        k++;
    return k;
}

static bool
one_is(const char *names, const char *plain)
{
    char part[VALUE_LEN], other[VALUE_LEN];
    for (const char *p = names; *p != '\0';) {
        size_t n = strcspn(p, "|");
        if (n < sizeof part) {
            memcpy(part, p, n);
            part[n] = '\0';
            word_plain(part, other);
            if (strcmp(other, plain) == 0)
                return true;
        }
        p += n + (p[n] == '|');
    }
    return false;
}

const struct technique *
technique_named(const char *name)
{
    char plain[VALUE_LEN];
    word_plain(name, plain);
    for (uint32_t i = 0; i < technique_count() && plain[0] != '\0'; i++) {
        const struct technique *t = technique_at(i);
        if (one_is(t->id, plain) || one_is(t->name, plain) ||
            one_is(t->aliases, plain))
            return t;
    }
    return NULL;
}

/* ---- records against one backbone ---- */

static void
key_set(struct outcome_key *k, const char *name, const struct technique *t)
{
    memset(k, 0, sizeof *k);
    k->technique = name;
    if (t == NULL)
        return;
    k->kind[technique_kind(t)] = 1;
    k->year = strtod(t->date, NULL);
}

static uint32_t
place_number(const struct history *h, uint32_t i)
{
    for (uint32_t j = 0; j < i; j++)
        if (strcmp(h->record[j].place, h->record[i].place) == 0)
            return j;
    return i;
}

/* The other backbone of a record that is about `from`, and the sign of its
 * effect; NULL: it is about something else. */
static const char *
other_of(const struct record *r, const char *from, double *sign)
{
    if (r->concept != CONCEPT_MODEL || r->move.kind != MOVE_CHOICE)
        return NULL;
    bool left = strcmp(r->move.from, from) == 0;
    if (left == (strcmp(r->move.to, from) == 0))
        return NULL;
    *sign = left ? 1 : -1;
    return left ? r->move.to : r->move.from;
}

bool
backbone_expect(const struct history *h, const char *from,
    const struct technique *t, const char *before, double *mean, double *sd)
{
    char base[VALUE_LEN];
    uint32_t n = 0;
    struct outcome *row = mem_calloc(ROWS_MAX, sizeof *row);
    bool known = false;
    word_plain(from, base);
    for (uint32_t i = 0; i < h->n && n < ROWS_MAX && !known; i++) {
        double sign;
        const char *name = other_of(&h->record[i], base, &sign);
        if (name == NULL)
            continue;
        const struct technique *of = technique_named(name);
        known = of == t;
        if (of != NULL && !technique_known(of, before))
            of = NULL;
        key_set(&row[n].of, name, of);
        row[n].of.place = row[n].of.group = place_number(h, i);
        row[n++].effect = sign * h->record[i].d;
    }
    bool enough = !known && n >= BACKBONES_MIN;
    if (enough) {
        struct outcome_key key;
        struct outcome_answer out;
        key_set(&key, t->id, t);
        key.place = key.group = h->n;
        struct outcomes *o = outcomes_fit(row, n, MODEL_SD_MAX);
        outcomes_ask(o, &key, 1, -1, EFFECT_MAX, &out);
        outcomes_free(o);
        *mean = out.mean;
        *sd = out.sd;
    }
    free(row);
    return enough;
}
