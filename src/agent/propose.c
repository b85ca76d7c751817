/* The one narrow door from a model's words to a change: names and values are
 * looked up in the declared space and nothing else gets through. Called by the
 * tool propose_hypothesis and for proposals that come in one reply.
 * Invariant: a kept proposal is a valid configuration of the declared space,
 * differs from the baseline and from every other idea, and cites rows that
 * exist with words that stand there. */
#include <stdlib.h>
#include <string.h>

#include "agent/guard.h"
#include "agent/tools.h"
#include "research/draft.h"
#include "research/move.h"

enum {
    STATEMENT_MAX = 300,
    RATIONALE_MAX = 1200,
    QUOTE_MIN = 12,
    QUOTE_MAX = 600,
    EVIDENCE_MAX = 6,
};

const char proposal_schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,"
    "\"required\":[\"statement\",\"rationale\",\"changes\",\"evidence\"],"
    "\"properties\":{"
    "\"statement\":{\"type\":\"string\"},"
    "\"rationale\":{\"type\":\"string\"},"
    "\"changes\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
    "\"additionalProperties\":false,\"required\":[\"knob\",\"value\"],"
    "\"properties\":{\"knob\":{\"type\":\"string\"},"
    "\"value\":{\"type\":\"string\",\"description\":\"as text: 0.05, true, "
    "dcnv2\"}}}},"
    "\"evidence\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
    "\"additionalProperties\":false,\"required\":[\"ref\",\"quote\"],"
    "\"properties\":{\"ref\":{\"type\":\"string\"},"
    "\"quote\":{\"type\":\"string\"}}}}}}";

struct draft_change {
    uint32_t n;
    struct override over[OVERRIDES_MAX];
    struct config config;
};

/* ---- values ---- */

static int
value_index(const struct knob *k, const char *text, size_t n)
{
    for (uint32_t i = 0; i < k->n_values; i++)
        if (strlen(k->values[i]) == n && memcmp(k->values[i], text, n) == 0)
            return (int)i;
    return -1;
}

static bool
set_code(const struct knob *k, const char *text, double *code)
{
    uint64_t mask = 0;
    while (*text != '\0') {
        size_t n = strcspn(text, ",");
        int i = value_index(k, text, n);
        if (i < 0)
            return false;
        mask |= (uint64_t)1 << i;
        text += n + (text[n] == ',');
    }
    *code = (double)mask;
    return true;
}

/* Texts only: true, "0.1", "deepfm", "a,b". */
static bool
value_code(const struct knob *k, const char *text, double *code)
{
    char *end = NULL;
    switch (k->kind) {
    case KNOB_FLOAT:
    case KNOB_INT:
        *code = strtod(text, &end);
        return end != text && *end == '\0';
    case KNOB_BOOL:
        *code = strcmp(text, "true") == 0;
        return *code != 0 || strcmp(text, "false") == 0;
    case KNOB_SET:
        return set_code(k, text, code);
    default:
        *code = value_index(k, text, strlen(text));
        return *code >= 0;
    }
}

/* The value as text, whatever JSON kind the model chose for it. */
static bool
value_text(const struct json *v, char out[VALUE_LEN * 2])
{
    struct buf b = {0};
    switch (json_kind(v)) {
    case J_STR:
        buf_puts(&b, json_str(v));
        break;
    case J_INT:
    case J_REAL:
    case J_BOOL:
        json_dump(v, &b);
        break;
    case J_ARR:
        for (size_t i = 0; i < json_len(v) && i < VALUES_MAX; i++) {
            buf_puts(&b, i > 0 ? "," : "");
            if (json_str(json_at(v, i)) != NULL)
                buf_puts(&b, json_str(json_at(v, i)));
            else
                json_dump(json_at(v, i), &b);
        }
        break;
    default:
        break;
    }
    bool fits = b.len > 0 && b.len < VALUE_LEN * 2;
    memcpy(out, fits ? buf_str(&b) : "", fits ? b.len + 1 : 1);
    buf_fini(&b);
    return fits;
}

static void
domain_say(const struct knob *k, struct buf *out)
{
    if (k->kind == KNOB_FLOAT || k->kind == KNOB_INT)
        buf_printf(out, "%s from %g to %g",
            k->kind == KNOB_INT ? "a whole number" : "a number", k->lo, k->hi);
    else if (k->kind == KNOB_BOOL)
        buf_puts(out, "true or false");
    else
        for (uint32_t i = 0; i < k->n_values; i++)
            buf_printf(out, "%s%s", i > 0 ? " | " : "", k->values[i]);
}

/* A model's words are never put back whole into what is stored. */
static void
word_say(const char *word, struct buf *out)
{
    buf_putc(out, '"');
    text_clean(word, strlen(word), 40, false, out);
    buf_putc(out, '"');
}

static bool
change_take(const struct desk *d, const struct json *item,
    struct draft_change *c, struct buf *out)
{
    const char *name = json_get_str(item, "knob");
    char text[VALUE_LEN * 2];
    double code = 0;
    int k = name != NULL ? spec_knob(d->spec, name) : -1;
    if (k < 0) {
        buf_puts(out, "refused: there is no knob ");
        word_say(name != NULL ? name : "", out);
        buf_puts(out, "; read_knob_catalogue lists them\n");
        return false;
    }
    const struct knob *knob = &d->spec->knob[k];
    for (uint32_t i = 0; i < c->n; i++)
        if (c->over[i].knob == (uint32_t)k) {
            buf_printf(out, "refused: %s is set twice\n", knob->name);
            return false;
        }
    if (!value_text(json_get(item, "value"), text) ||
        !value_code(knob, text, &code) || !knob_accepts(knob, code)) {
        buf_printf(out, "refused: %s = ", knob->name);
        word_say(text, out);
        buf_puts(out, " is outside its domain: ");
        domain_say(knob, out);
        buf_putc(out, '\n');
        return false;
    }
    c->over[c->n++] = (struct override){(uint32_t)k, code};
    return true;
}

static bool
changes_take(const struct desk *d, const struct json *list,
    struct draft_change *c, struct buf *out)
{
    struct config base;
    size_t n = json_len(list);
    if (json_kind(list) != J_ARR || n == 0 || n > OVERRIDES_MAX) {
        buf_printf(out, "refused: changes sets 1 to %d knobs\n", OVERRIDES_MAX);
        return false;
    }
    for (size_t i = 0; i < n; i++)
        if (!change_take(d, json_at(list, i), c, out))
            return false;
    config_default(d->spec, &base);
    c->config = base;
    for (uint32_t i = 0; i < c->n; i++)
        c->config.v[c->over[i].knob] = c->over[i].value;
    for (uint32_t i = 0; i < c->n; i++)
        if (!knob_is_active(d->spec, &c->config, c->over[i].knob)) {
            buf_printf(out,
                "refused: %s is not used by this configuration; set what it "
                "depends on as well\n",
                d->spec->knob[c->over[i].knob].name);
            return false;
        }
    config_canon(d->spec, &c->config);
    if (config_equal(d->spec, &c->config, &base)) {
        buf_puts(out, "refused: that is the baseline itself\n");
        return false;
    }
    if (!config_is_valid(d->spec, &c->config)) {
        buf_puts(out, "refused: not one of the declared candidates\n");
        return false;
    }
    return true;
}

/* ---- novelty ---- */

static const char *const relation_names[RELATION_COUNT] = {
    "new", "repeats", "contradicts", "refines", "failed by infrastructure"};

const char *
relation_name(uint32_t relation)
{
    return relation_names[relation < RELATION_COUNT ? relation : 0];
}

/* Measured on this very project, from the same value as now? */
static bool
measured_here(
    const struct desk *d, const struct insight *row, const struct knob *k)
{
    char from[VALUE_LEN * VALUES_MAX];
    struct json *j = json_parse(row->context, strlen(row->context), NULL);
    const char *place = json_get_str(j, "model");
    bool here = place != NULL && strcmp(place, d->spec->model) == 0;
    json_free(j);
    knob_format(k, k->deflt, from, sizeof from);
    return here && (strcmp(row->knob, k->name) != 0 || row->from[0] == '\0' ||
                       strcmp(row->from, from) == 0);
}

static enum relation
row_relation(const struct desk *d, const char *key, const struct insight *row,
    const struct knob *k, double value, double *nearness)
{
    struct move ours, theirs;
    double sign = 1;
    if (strcmp(row->key, key) == 0 && measured_here(d, row, k)) {
        *nearness = 2;
        return row->verdict == INSIGHT_FAILED ? RELATION_INFRA
                                              : RELATION_REPEATS;
    }
    if (row->verdict == INSIGHT_FAILED)
        return RELATION_NEW;
    move_of(&ours, k, value);
    move_read(&theirs, k->concept, row->from, row->to, row->direction);
    *nearness = move_similarity(&ours, &theirs, &sign);
    if (*nearness < .5)
        return RELATION_NEW;
    if (sign * row->effect > 0)
        return RELATION_REFINES;
    return RELATION_CONTRADICTS;
}

enum relation
change_relation(const struct desk *d, struct arena *a,
    const struct override *over, uint32_t n_over,
    const struct insight **nearest)
{
    const char *key = change_key_in(a, d->spec, over, n_over);
    enum relation best = RELATION_NEW;
    double most = 0;
    *nearest = NULL;
    for (uint32_t i = 0; i < n_over && d->insights != NULL; i++) {
        const struct knob *k = &d->spec->knob[over[i].knob];
        struct insight *row = NULL;
        size_t n = 0;
        struct insight_query q = {.concept = concept_name(k->concept),
            .before = json_get_str(d->brief, "before"),
            .max = 400};
        struct err ignored = {0};
        if (insight_list(d->insights, &q, a, &row, &n, &ignored) != 0)
            continue;
        for (size_t j = 0; j < n; j++) {
            double near = 0;
            enum relation r =
                row_relation(d, key, &row[j], k, over[i].value, &near);
            if (r != RELATION_NEW && near > most) {
                most = near;
                best = r;
                *nearest = &row[j];
            }
        }
    }
    return best;
}

/* Already in the plan, or proposed before? Writes why. */
static bool
is_known(const struct desk *d, const struct talk *t, const char *key,
    struct buf *out)
{
    const struct json *planned = json_get(d->brief, "planned");
    for (size_t i = 0; i < json_len(planned); i++) {
        const char *k = json_get_str(json_at(planned, i), "key");
        if (k != NULL && strcmp(k, key) == 0) {
            buf_printf(out, "refused: %s is in the plan already\n", key);
            return true;
        }
    }
    for (uint32_t i = 0; i < t->n_proposals; i++)
        if (strcmp(t->proposal[i].key, key) == 0) {
            buf_printf(
                out, "refused: %s is your own proposal Q%u\n", key, i + 1);
            return true;
        }
    return false;
}

/* ---- evidence ---- */

static bool
evidence_take(const struct talk *t, const struct json *list, struct jw *w,
    struct buf *out)
{
    size_t n = json_len(list);
    if (json_kind(list) != J_ARR || n > EVIDENCE_MAX) {
        buf_printf(
            out, "refused: evidence lists at most %d rows\n", EVIDENCE_MAX);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        const char *ref = json_get_str(json_at(list, i), "ref");
        const char *quote = json_get_str(json_at(list, i), "quote");
        const struct seen *s = ref != NULL ? talk_seen(t, ref) : NULL;
        size_t len = quote != NULL ? strlen(quote) : 0;
        if (s == NULL) {
            buf_puts(out, "refused: evidence ");
            word_say(ref != NULL ? ref : "", out);
            buf_puts(out, " is no row that you were shown\n");
            return false;
        }
        if (len < QUOTE_MIN || len > QUOTE_MAX ||
            strstr(s->text, quote) == NULL) {
            buf_printf(out,
                "refused: the quote from %s does not stand there word for "
                "word (%d to %d bytes)\n",
                s->ref, QUOTE_MIN, QUOTE_MAX);
            return false;
        }
        jw_obj_begin(w);
        jw_kstr(w, "kind", s->kind);
        jw_kstr(w, "ref", s->source[0] != '\0' ? s->source : s->ref);
        jw_kstr(w, "passage", s->ref);
        jw_kstr(w, "title", s->title);
        jw_kstr(w, "quote", quote);
        jw_obj_end(w);
    }
    return true;
}

/* ---- the whole ---- */

static void
text_member(struct jw *w, const char *name, const char *text, size_t max)
{
    struct buf plain = {0}, safe = {0};
    model_redact(text, strlen(text), &plain);
    text_clean(buf_str(&plain), plain.len, max, false, &safe);
    jw_kstr(w, name, buf_str(&safe));
    buf_fini(&plain);
    buf_fini(&safe);
}

static void
proposal_write(const struct desk *d, const struct json *args,
    const struct draft_change *c, const char *evidence, enum relation relation,
    const struct insight *nearest, struct buf *out)
{
    struct jw w;
    jw_init(&w, out, 0);
    jw_obj_begin(&w);
    text_member(
        &w, "statement", json_get_str(args, "statement"), STATEMENT_MAX);
    text_member(
        &w, "rationale", json_get_str(args, "rationale"), RATIONALE_MAX);
    jw_key(&w, "changes");
    jw_arr_begin(&w);
    for (uint32_t i = 0; i < c->n; i++) {
        const struct knob *k = &d->spec->knob[c->over[i].knob];
        char text[VALUE_LEN * VALUES_MAX];
        knob_format(k, c->over[i].value, text, sizeof text);
        jw_obj_begin(&w);
        jw_kstr(&w, "knob", k->name);
        jw_kstr(&w, "value", text);
        jw_obj_end(&w);
    }
    jw_arr_end(&w);
    jw_kstr(&w, "relation", relation_name(relation));
    if (nearest != NULL)
        jw_ki64(&w, "nearest", nearest->id);
    jw_key(&w, "evidence");
    jw_raw(&w, evidence);
    jw_obj_end(&w);
}

static int
proposal_keep(struct desk *d, struct talk *t, const struct json *args,
    const struct draft_change *c, const char *evidence, const char *key,
    struct buf *out, struct err *err)
{
    struct arena a = {0};
    struct buf json = {0};
    const struct insight *near = NULL;
    int rc = 0;
    enum relation r = change_relation(d, &a, c->over, c->n, &near);
    if (r == RELATION_REPEATS) {
        buf_printf(out,
            "refused: %s was measured here already: I%lld, effect %+.3g "
            "[%+.3g, %+.3g]\n",
            key, (long long)near->id, near->effect, near->lo, near->hi);
        goto done;
    }
    proposal_write(d, args, c, evidence, r, near, &json);
    struct proposal p = {
        .state = PROPOSAL_KEPT, .key = key, .json = buf_str(&json)};
    rc = talk_proposal_put(t, t->n_proposals, &p, err);
    if (rc == 0)
        buf_printf(out, "accepted as Q%u: %s; %s", t->n_proposals, key,
            relation_name(r));
    if (rc == 0 && near != NULL)
        buf_printf(out, " (nearest I%lld: effect %+.3g, n %lld)",
            (long long)near->id, near->effect, (long long)near->n);
    buf_putc(out, '\n');
done:
    buf_fini(&json);
    arena_fini(&a);
    return rc;
}

int
proposal_judge(struct desk *d, struct talk *t, const struct json *args,
    struct buf *out, struct err *err)
{
    struct draft_change c = {0};
    struct arena a = {0};
    struct buf evidence = {0};
    struct jw w;
    int rc = 0;
    const char *statement = json_get_str(args, "statement");
    const char *rationale = json_get_str(args, "rationale");
    jw_init(&w, &evidence, 0);
    jw_arr_begin(&w);
    if (statement == NULL || rationale == NULL || statement[0] == '\0')
        buf_puts(out, "refused: a proposal has a statement and a rationale\n");
    else if (talk_kept(t) >= d->proposals_max ||
             t->n_proposals == TALK_PROPOSALS_MAX)
        buf_printf(out, "refused: %u proposals are enough; finish now\n",
            d->proposals_max);
    else if (changes_take(d, json_get(args, "changes"), &c, out) &&
             evidence_take(t, json_get(args, "evidence"), &w, out)) {
        const char *key = change_key_in(&a, d->spec, c.over, c.n);
        jw_arr_end(&w);
        if (!is_known(d, t, key, out))
            rc = proposal_keep(
                d, t, args, &c, buf_str(&evidence), key, out, err);
    }
    buf_fini(&evidence);
    arena_fini(&a);
    return rc;
}
