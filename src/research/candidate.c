/* Makes candidate changes for a project. Called by the draft. Invariant: every
 * candidate's configuration is valid, differs from the baseline, and appears
 * once; two ways to the same configuration are one candidate. */
#include "research/candidate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROW_CHANGES_MAX = 3 };
/* A weight of L2 that begins to be felt, which steps are taken from where the
 * penalty is off. */
static const double PENALTY_FELT = 1e-5;

void
candidates_init(struct candidates *c, const struct spec *s, struct arena *a)
{
    memset(c, 0, sizeof *c);
    c->spec = s;
    c->arena = a;
    c->item = arena_alloc(a, CANDIDATES_DRAFT_MAX * sizeof *c->item);
    config_default(s, &c->base);
    config_canon(s, &c->base);
}

/* Is there a single choice of another knob that makes knob k active? Tried in
 * the order of the file, values in order: the first that works. */
static bool
enabling_find(const struct candidates *c, uint32_t k, struct override *out)
{
    const struct spec *s = c->spec;
    for (uint32_t j = 0; j < s->n_knobs; j++) {
        const struct knob *knob = &s->knob[j];
        bool named = knob->kind == KNOB_CHOICE || knob->kind == KNOB_BOOL;
        if (j == k || !named)
            continue;
        uint32_t n = knob->kind == KNOB_BOOL ? 2 : knob->n_values;
        for (uint32_t v = 0; v < n; v++) {
            struct config x = c->base;
            x.v[j] = v;
            config_canon(s, &x);
            if (x.v[j] == v && knob_is_active(s, &x, k)) {
                *out = (struct override){j, v};
                return true;
            }
        }
    }
    return false;
}

struct candidate *
candidate_put(struct candidates *c, struct candidate *x, double value)
{
    const struct spec *s = c->spec;
    if (config_equal(s, &x->config, &c->base) ||
        !config_is_valid(s, &x->config))
        return NULL;
    for (uint32_t i = 0; i < c->n; i++)
        if (!c->item[i].hook && config_equal(s, &c->item[i].config, &x->config))
            return &c->item[i];
    move_of(&x->move, &s->knob[x->knob], value);
    x->key = change_key_in(c->arena, s, x->over, x->n_over);
    c->item[c->n] = *x;
    return &c->item[c->n++];
}

/* Adds the change of one knob, or finds it; NULL when it is no valid change
 * or there is no room. */
static struct candidate *
candidate_add(struct candidates *c, uint32_t k, double value)
{
    const struct spec *s = c->spec;
    const struct knob *knob = &s->knob[k];
    if ((int32_t)k == s->fidelity_knob || c->n == CANDIDATES_DRAFT_MAX ||
        !knob_accepts(knob, value) || value == knob->deflt)
        return NULL;
    struct candidate x = {.knob = k, .config = c->base, .cost = 1};
    if (!knob_is_active(s, &c->base, k)) {
        if (!enabling_find(c, k, &x.over[0]))
            return NULL;
        x.config.v[x.over[0].knob] = x.over[0].value;
        x.n_over = 1;
        x.enabled = true;
    }
    x.over[x.n_over++] = (struct override){k, value};
    x.config.v[k] = value;
    config_canon(s, &x.config);
    return candidate_put(c, &x, value);
}

static void
generic_add(struct candidates *c, uint32_t k, double value)
{
    struct candidate *x = candidate_add(c, k, value);
    if (x != NULL)
        x->generic = true;
}

/* Values that people would type: 2 significant digits, whole for integers. */
static double
value_round(const struct knob *k, double v)
{
    if (k->kind == KNOB_INT)
        return round(v);
    char text[32];
    snprintf(text, sizeof text, "%.2g", v);
    return strtod(text, NULL);
}

static double
value_clamp(const struct knob *k, double v)
{
    return fmin(fmax(v, k->lo), k->hi);
}

static void
factors_add(struct candidates *c, uint32_t k)
{
    static const double wide[] = {3, 1.0 / 3, 5, 10, 0.1, 0.2};
    static const double fine[] = {2, 0.5, 3, 1.0 / 3};
    static const double whole[] = {2, 0.5, 3, 4, 0.25};
    const struct knob *knob = &c->spec->knob[k];
    const double *f = fine;
    size_t n = sizeof fine / sizeof *fine;
    if (knob->kind == KNOB_INT) {
        f = whole;
        n = sizeof whole / sizeof *whole;
    } else if (knob->lo <= 0 || knob->hi / knob->lo >= 100) {
        f = wide;
        n = sizeof wide / sizeof *wide;
    }
    for (size_t i = 0; i < n; i++)
        generic_add(c, k, value_round(knob, knob->deflt * f[i]));
}

static void
steps_add(struct candidates *c, uint32_t k)
{
    const struct knob *knob = &c->spec->knob[k];
    double width = knob->hi - knob->lo;
    static const double share[] = {0.1, 0.2, -0.1, 0.3, -0.2};
    static const double whole[] = {1, -1, 2, 4, -2};
    for (size_t i = 0; i < sizeof share / sizeof *share; i++) {
        double step = share[i];
        if (knob->kind == KNOB_INT)
            step = whole[i];
        else if (width > 1 || width < 0.3)
            step *= width;
        generic_add(c, k, value_round(knob, knob->deflt + step));
    }
}

static void
powers_add(struct candidates *c, uint32_t k)
{
    static const double power[] = {1e-6, 1e-5, 1e-4, 1e-3, 1e-2};
    for (size_t i = 0; i < sizeof power / sizeof *power; i++)
        generic_add(c, k, power[i]);
}

static bool
knob_is_wide(const struct knob *k)
{
    double ratio = k->kind == KNOB_INT ? 8 : 20;
    return k->log || (k->lo > 0 && k->hi / k->lo >= ratio);
}

static bool
knob_is_penalty(const struct knob *k)
{
    return k->concept == CONCEPT_EMB_REG || k->concept == CONCEPT_NET_REG;
}

/* Too small to be felt: a factor of 10 would not be, either. */
static bool
penalty_is_off(const struct knob *k)
{
    return knob_is_penalty(k) && k->deflt < PENALTY_FELT / 2;
}

static void
set_steps_add(struct candidates *c, uint32_t k)
{
    const struct knob *knob = &c->spec->knob[k];
    uint64_t now = (uint64_t)knob->deflt;
    uint64_t all = (UINT64_C(1) << knob->n_values) - 1;
    generic_add(c, k, (double)all);
    for (uint32_t i = 0; i < knob->n_values; i++) {
        uint64_t bit = UINT64_C(1) << i;
        if ((now ^ bit) != 0)
            generic_add(c, k, (double)(now ^ bit));
    }
}

/* Where only listed configurations are valid, single changes may not be among
 * them: take those that differ from the baseline in few knobs. */
static void
rows_add(struct candidates *c)
{
    const struct spec *s = c->spec;
    for (uint32_t r = 0; r < s->n_candidates; r++) {
        struct candidate x = {.cost = 1, .generic = true};
        uint32_t changed = 0;
        memcpy(x.config.v, s->candidate[r], sizeof x.config.v);
        config_canon(s, &x.config);
        for (uint32_t k = 0; k < s->n_knobs; k++) {
            if (x.config.v[k] == c->base.v[k])
                continue;
            if (changed++ < ROW_CHANGES_MAX)
                x.over[x.n_over++] = (struct override){k, x.config.v[k]};
        }
        if (changed == 0 || changed > ROW_CHANGES_MAX ||
            c->n == CANDIDATES_DRAFT_MAX)
            continue;
        x.knob = x.over[x.n_over - 1].knob;
        candidate_put(c, &x, x.over[x.n_over - 1].value);
    }
}

void
candidates_from_knobs(struct candidates *c)
{
    rows_add(c);
    for (uint32_t k = 0; k < c->spec->n_knobs; k++) {
        const struct knob *knob = &c->spec->knob[k];
        if (knob->kind == KNOB_BOOL) {
            generic_add(c, k, knob->deflt != 0 ? 0 : 1);
        } else if (knob->kind == KNOB_CHOICE || knob->kind == KNOB_LIST) {
            for (uint32_t v = 0; v < knob->n_values; v++)
                generic_add(c, k, v);
        } else if (knob->kind == KNOB_SET) {
            set_steps_add(c, k);
        } else if (penalty_is_off(knob)) {
            powers_add(c, k);
        } else if (knob_is_wide(knob) && knob->deflt > 0) {
            factors_add(c, k);
        } else {
            steps_add(c, k);
        }
    }
}

/* ---- techniques ---- */

static bool
text_has(const char *text, const char *const *word)
{
    for (; *word != NULL; word++)
        if (strcasestr(text, *word) != NULL)
            return true;
    return false;
}

static uint32_t
concept_needs(uint32_t concept)
{
    switch (concept) {
    case CONCEPT_HIDDEN_UNITS:
    case CONCEPT_LAYERS:
    case CONCEPT_DROPOUT:
    case CONCEPT_BATCH_NORM:
    case CONCEPT_RESIDUAL:
    case CONCEPT_ACTIVATION:
        return NEED_DEEP | NEED_EMBEDDING;
    case CONCEPT_EMBEDDING_DIM:
    case CONCEPT_EMB_REG:
    case CONCEPT_CROSS_LAYERS:
        return NEED_EMBEDDING;
    case CONCEPT_NUMERIC:
        return NEED_NUMERIC;
    case CONCEPT_SEQUENCE_LEN:
        return NEED_SEQUENCE;
    case CONCEPT_EXPERTS:
        return NEED_MULTITASK;
    case CONCEPT_TREES:
    case CONCEPT_TREE_DEPTH:
        return NEED_TREES;
    default:
        return 0;
    }
}

uint32_t
project_needs(const struct spec *s)
{
    static const char *const sequence[] = {"sequence", "history", NULL};
    static const char *const numeric[] = {"numeric", "dense feature", NULL};
    static const char *const group[] = {"ndcg", "mrr", "map@", NULL};
    uint32_t has = 0;
    for (uint32_t k = 0; k < s->n_knobs; k++) {
        const struct knob *knob = &s->knob[k];
        has |= concept_needs(knob->concept);
        if (text_has(knob->tags, sequence) || text_has(knob->doc, sequence))
            has |= NEED_SEQUENCE;
        if (text_has(knob->tags, numeric) || text_has(knob->doc, numeric))
            has |= NEED_NUMERIC;
        if (knob->concept == CONCEPT_EPOCHS && knob->deflt > 1)
            has |= NEED_MANY_EPOCHS;
        if (knob->concept == CONCEPT_BATCH_SIZE && knob->deflt >= 4096)
            has |= NEED_LARGE_BATCH;
        if (knob->concept == CONCEPT_MODEL && knob->kind == KNOB_CHOICE)
            has |= NEED_EMBEDDING;
    }
    if (text_has(s->metric[s->primary].name, group))
        has |= NEED_GROUPS;
    return has;
}

/* Does one of the words ("a|b") name this value? Backbones and interactions
 * must match wholly: "fm" is not "deepfm". */
static bool
words_match(const char *words, const char *value, bool whole)
{
    char plain[VALUE_LEN], word[VALUE_LEN], part[VALUE_LEN];
    word_plain(value, plain);
    for (const char *p = words; *p != '\0';) {
        size_t n = strcspn(p, "|");
        if (n > 0 && n < sizeof part) {
            memcpy(part, p, n);
            part[n] = '\0';
            word_plain(part, word);
            if (whole ? strcmp(plain, word) == 0 : strstr(plain, word) != NULL)
                return true;
        }
        p += n + (p[n] == '|');
    }
    return false;
}

/* The declared value whose size is nearest to the wanted one, within 40 %. */
static bool
sized_value(const struct knob *k, double wanted, double *out)
{
    double best = 0.4;
    bool found = false;
    for (uint32_t v = 0; v < k->n_values; v++) {
        double size;
        if (v == (uint32_t)k->deflt || !size_of(k->values[v], &size) ||
            size <= 0 || wanted <= 0)
            continue;
        double off = fabs(log(size / wanted));
        if (off < best) {
            best = off;
            *out = v;
            found = true;
        }
    }
    return found;
}

static bool
step_number(const struct knob *k, const struct technique_step *st, double base,
    double *out)
{
    if (st->op == TECHNIQUE_SCALE)
        *out = (penalty_is_off(k) ? PENALTY_FELT : base) * st->amount;
    else if (st->op == TECHNIQUE_ADD)
        *out = base + st->amount;
    else if (st->op == TECHNIQUE_SET)
        *out = st->amount;
    else if (st->op == TECHNIQUE_ON && base == k->lo)
        *out = knob_from_unit(k, 0.1);
    else if (st->op == TECHNIQUE_OFF)
        *out = k->lo;
    else
        return false;
    return true;
}

static bool
choice_is_off(const char *value)
{
    char plain[VALUE_LEN];
    word_plain(value, plain);
    return strcmp(plain, "none") == 0 || strcmp(plain, "off") == 0 ||
           strcmp(plain, "constant") == 0 || strcmp(plain, "no") == 0;
}

static bool
step_choice(const struct knob *k, const struct technique_step *st, double *out)
{
    double base;
    uint32_t now = (uint32_t)k->deflt;
    bool sized = size_of(k->values[now], &base);
    if (st->op == TECHNIQUE_SCALE && sized)
        return sized_value(k, base * st->amount, out);
    bool whole = st->concept == CONCEPT_MODEL ||
                 st->concept == CONCEPT_INTERACTION || st->whole;
    for (uint32_t v = 0; v < k->n_values; v++) {
        bool fits =
            st->op == TECHNIQUE_CHOOSE
                ? words_match(st->words, k->values[v], whole)
                : st->op == TECHNIQUE_ON && choice_is_off(k->values[now]);
        if (fits && v != now) {
            *out = v;
            return true;
        }
    }
    return false;
}

/* The value that a step asks of a knob; false: it can't express it. */
static bool
step_value(const struct knob *k, const struct technique_step *st, double *out)
{
    if (k->concept != st->concept || st->concept == CONCEPT_NONE)
        return false;
    switch (k->kind) {
    case KNOB_FLOAT:
    case KNOB_INT:
        if (!step_number(k, st, k->deflt, out))
            return false;
        *out = value_round(k, value_clamp(k, *out));
        return true;
    case KNOB_BOOL:
        if (st->op == TECHNIQUE_CHOOSE &&
            !words_match(st->words, k->name, false))
            return false;
        *out = st->op != TECHNIQUE_OFF;
        return st->op >= TECHNIQUE_CHOOSE && st->op <= TECHNIQUE_OFF;
    case KNOB_CHOICE:
    case KNOB_LIST:
        return step_choice(k, st, out);
    case KNOB_SET:
        for (uint32_t v = 0; v < k->n_values; v++)
            if (st->op == TECHNIQUE_CHOOSE &&
                ((uint64_t)k->deflt >> v & 1) == 0 &&
                words_match(st->words, k->values[v], false)) {
                *out = (double)((uint64_t)k->deflt | UINT64_C(1) << v);
                return true;
            }
        return false;
    default:
        return false;
    }
}

/* Does the project use the technique already, or hold its knob? */
static bool
technique_is_here(const struct candidates *c, const struct technique *t)
{
    for (uint32_t k = 0; k < c->spec->n_knobs; k++) {
        const struct knob *knob = &c->spec->knob[k];
        for (uint32_t i = 0; i < technique_steps(t); i++)
            if (t->step[i].op != TECHNIQUE_HOOK &&
                t->step[i].concept == knob->concept &&
                t->step[i].concept != CONCEPT_MODEL)
                return true;
        for (uint32_t v = 0; v < knob->n_values; v++)
            if (technique_mentioned(t, knob->values[v]))
                return true;
        if (technique_mentioned(t, knob->name))
            return true;
    }
    return false;
}

/* What a paper brings is worth code where it claims a gain in numbers for a
 * part that a ranking model has. */
static bool
paper_deserves_code(const struct finding *f)
{
    const struct claim *best = f->n > 0 ? &f->row[0].claim : NULL;
    if (f->n_claims == 0 || best->unit == CLAIM_NO_NUMBER ||
        best->metric == NULL || best->metric->kind == METRIC_COST)
        return false;
    switch (f->acts_on) {
    case TECHNIQUE_PART_INTERACTION:
    case TECHNIQUE_PART_EMBEDDING:
    case TECHNIQUE_PART_LOSS:
    case TECHNIQUE_PART_SEQUENCE:
    case TECHNIQUE_PART_MULTITASK:
    case TECHNIQUE_PART_OPTIMISER:
    case TECHNIQUE_PART_REGULARISATION:
    case TECHNIQUE_PART_FEATURES:
        return true;
    default:
        return false;
    }
}

/* Worth an engineer's code: architecture or what says itself that it takes
 * code, by evidence of more than its authors' own tables, or with a claim that
 * the corpus holds. */
static bool
technique_deserves_code(const struct candidates *c, const struct technique *t)
{
    const struct finding *f = finding_of(c->findings, t);
    if (f != NULL && f->fresh)
        return paper_deserves_code(f);
    bool cited = f != NULL && f->n_claims > 0;
    if (!cited && (t->grade < GRADE_ONLINE || t->mean < 3e-4))
        return false;
    for (uint32_t i = 0; i < technique_steps(t); i++)
        if (t->step[i].op == TECHNIQUE_HOOK)
            return true;
    return strcmp(t->family, "backbone") == 0;
}

static void
hook_add(struct candidates *c, const struct technique *t)
{
    if (c->n == CANDIDATES_DRAFT_MAX || technique_is_here(c, t) ||
        !technique_deserves_code(c, t))
        return;
    struct candidate *x = &c->item[c->n++];
    memset(x, 0, sizeof *x);
    x->hook = true;
    x->cost = t->cost;
    x->n_techniques = 1;
    x->technique[0] = t;
    x->key = arena_printf(c->arena, "hook:%s", t->id);
    x->config = c->base;
}

static void
candidate_support(struct candidate *x, const struct technique *t)
{
    for (uint32_t i = 0; i < x->n_techniques; i++)
        if (x->technique[i] == t)
            return;
    if (x->n_techniques < CANDIDATE_TECHNIQUES_MAX)
        x->technique[x->n_techniques++] = t;
}

/* What a step comes with, on top of its own change; a knob that this project
 * lacks, or that is near the value already, is left alone. */
static void
joint_fill(const struct candidates *c, const struct technique *t, uint32_t step,
    struct candidate *x)
{
    const struct spec *s = c->spec;
    for (uint32_t i = step + 1; i < technique_steps(t); i++) {
        const struct technique_step *st = &t->step[i];
        if (st->op != TECHNIQUE_WITH)
            return;
        for (uint32_t k = 0; k < s->n_knobs; k++) {
            const struct knob *knob = &s->knob[k];
            double to = value_clamp(knob, st->amount), now = x->config.v[k];
            bool number = knob->kind == KNOB_FLOAT || knob->kind == KNOB_INT;
            if (knob->concept != st->concept || !number || !(now > 0) ||
                fabs(log(to / now)) < log(3) || x->n_over == OVERRIDES_MAX)
                continue;
            x->config.v[k] = to;
            x->over[x->n_over++] = (struct override){k, to};
            x->joint = true;
        }
    }
}

/* The step's change, with what comes with it; NULL: none. */
static struct candidate *
step_add(struct candidates *c, const struct technique *t, uint32_t step,
    uint32_t knob)
{
    double v;
    struct candidate x = {.knob = knob, .config = c->base, .cost = 1};
    if (!step_value(&c->spec->knob[knob], &t->step[step], &v))
        return NULL;
    joint_fill(c, t, step, &x);
    if (!x.joint || !knob_is_active(c->spec, &c->base, knob))
        return candidate_add(c, knob, v);
    if (c->n == CANDIDATES_DRAFT_MAX || v == c->base.v[knob] ||
        x.n_over == OVERRIDES_MAX)
        return NULL;
    x.config.v[knob] = v;
    x.over[x.n_over++] = (struct override){knob, v};
    config_canon(c->spec, &x.config);
    return candidate_put(c, &x, v);
}

/* Is the value one of the technique's names, letters and digits only? */
static bool
value_names(const struct technique *t, const char *value)
{
    char plain[VALUE_LEN];
    word_plain(value, plain);
    return strlen(plain) > 2 && (words_match(t->id, value, true) ||
                                    words_match(t->name, value, true) ||
                                    words_match(t->aliases, value, true));
}

/* A knob of no known concept, by its words: a switch whose name, tags or doc
 * name the technique, or a choice with a value of that name. */
static bool
text_value(const struct knob *k, const struct technique *t, double *out)
{
    if (k->concept != CONCEPT_NONE)
        return false;
    if (k->kind == KNOB_BOOL && k->deflt == 0) {
        *out = 1;
        return technique_mentioned(t, k->name) ||
               technique_mentioned(t, k->tags) ||
               technique_mentioned(t, k->doc);
    }
    for (uint32_t v = 0; k->kind == KNOB_CHOICE && v < k->n_values; v++)
        if (v != (uint32_t)k->deflt && value_names(t, k->values[v])) {
            *out = v;
            return true;
        }
    return false;
}

static bool
text_map(struct candidates *c, const struct technique *t)
{
    for (uint32_t k = 0; k < c->spec->n_knobs; k++) {
        double v;
        struct candidate *x = text_value(&c->spec->knob[k], t, &v)
                                  ? candidate_add(c, k, v)
                                  : NULL;
        if (x != NULL) {
            candidate_support(x, t);
            return true;
        }
    }
    return false;
}

static void
technique_map(struct candidates *c, const struct technique *t, uint32_t has)
{
    bool mapped = false;
    if ((t->needs & ~has) != 0)
        return;
    for (uint32_t j = 0; j < technique_steps(t); j++)
        for (uint32_t k = 0; k < c->spec->n_knobs; k++) {
            struct candidate *x = step_add(c, t, j, k);
            if (x == NULL)
                continue;
            candidate_support(x, t);
            mapped = true;
        }
    if (!mapped && !text_map(c, t))
        hook_add(c, t);
}

void
candidates_from_techniques(
    struct candidates *c, const char *before, uint32_t has)
{
    const struct findings *f = c->findings;
    has |= project_needs(c->spec);
    for (uint32_t i = 0; i < technique_count(); i++) {
        const struct technique *t = technique_at(i);
        bool open =
            technique_known(t, before) && (c->hidden == NULL || !c->hidden[i]);
        if (open || finding_of(f, t) != NULL)
            technique_map(c, t, has);
    }
    for (uint32_t i = 0; f != NULL && i < f->n; i++)
        if (f->item[i].fresh)
            technique_map(c, f->item[i].technique, has);
}

/* ---- cost ---- */

/* Training time grows as this power of a size; measured roughly, refined by
 * the campaign's own durations. */
static double
cost_power(uint32_t concept)
{
    switch (concept) {
    case CONCEPT_EPOCHS:
    case CONCEPT_TREES:
        return 1;
    case CONCEPT_SEQUENCE_LEN:
        return 0.7;
    case CONCEPT_HIDDEN_UNITS:
    case CONCEPT_TREE_DEPTH:
        return 0.6;
    case CONCEPT_EMBEDDING_DIM:
    case CONCEPT_LAYERS:
    case CONCEPT_PATIENCE:
        return 0.5;
    case CONCEPT_CROSS_LAYERS:
    case CONCEPT_ATTENTION_HEADS:
        return 0.3;
    case CONCEPT_BATCH_SIZE:
        return -0.2;
    default:
        return 0;
    }
}

/* What the library says a backbone's training costs; 1 when it is silent. */
static double
backbone_cost(const char *value)
{
    for (uint32_t i = 0; i < technique_count(); i++) {
        const struct technique *t = technique_at(i);
        if (t->step[0].concept == CONCEPT_MODEL &&
            t->step[0].op == TECHNIQUE_CHOOSE &&
            words_match(t->step[0].words, value, true))
            return t->cost;
    }
    return 1;
}

double
candidate_cost(const struct candidates *c, const struct override *over)
{
    const struct knob *k = &c->spec->knob[over->knob];
    struct move m;
    move_of(&m, k, over->value);
    if (m.kind == MOVE_SCALE)
        return pow(m.b / m.a, cost_power(k->concept));
    if (k->concept == CONCEPT_MODEL && k->kind == KNOB_CHOICE)
        return backbone_cost(k->values[(uint32_t)over->value]) /
               backbone_cost(k->values[(uint32_t)k->deflt]);
    return 1;
}
