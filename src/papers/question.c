/* Questions (question.h). Called by the verbs of research and by whoever looks
 * for evidence; pure but for the arena. */
#include "papers/question.h"

#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "papers/corpus_words.h"
#include "papers/question_topics.h"
#include "papers/technique.h"

enum { LEXICON_MAX = 5, VALUES_SAID = 6 };

/* The first two styles of a topic are the matter itself, the others what stands
 * around it. */
enum { CORE_STYLES = 2 };
static const double CORE_WEIGHT = 1.5, AROUND_WEIGHT = 0.75;
static const double LEXICON_WEIGHT = 0.5;

/* ---- words as cues are compared ---- */

static void
word_put(struct buf *b, const char *w, size_t n)
{
    static const struct {
        const char *said, *written; /* the literature's spelling */
    } spelling[] = {{"behaviour", "behavior"}, {"modelling", "modeling"},
        {"modelled", "modeled"}, {"optimis", "optimiz"},
        {"regularis", "regulariz"}, {"factoris", "factoriz"},
        {"normalis", "normaliz"}, {"generalis", "generaliz"},
        {"personalis", "personaliz"}, {"quantis", "quantiz"}};
    for (size_t i = 0; i < sizeof spelling / sizeof *spelling; i++) {
        size_t m = strlen(spelling[i].said);
        if (n >= m && strncmp(w, spelling[i].said, m) == 0) {
            buf_puts(b, spelling[i].written);
            buf_add(b, w + m, n - m);
            return;
        }
    }
    buf_add(b, w, n);
}

/* " how do we use long behavior sequence "; plural: keeps endings. */
static const char *
words_plain(struct arena *a, const char *text, bool plural)
{
    struct buf lower = {0}, b = {0};
    buf_puts(&b, " ");
    for (const char *p = text; *p != '\0'; p++)
        buf_putc(&lower, (char)tolower((unsigned char)*p));
    for (const char *p = buf_str(&lower); *p != '\0';) {
        size_t n = 0;
        while (isalnum((unsigned char)p[n]) || (unsigned char)p[n] >= 0x80)
            n++;
        if (n > 0) {
            size_t from = b.len;
            word_put(&b, p, n);
            if (!plural) {
                word_singular(b.data + from);
                b.len = from + strlen(b.data + from);
            }
            buf_putc(&b, ' ');
        }
        p += n > 0 ? n : 1;
    }
    const char *out = arena_strdup(a, buf_str(&b));
    buf_fini(&lower);
    buf_fini(&b);
    return out;
}

static bool
plain_has(const char *plain, const char *cue, size_t n)
{
    for (const char *p = strchr(plain, cue[0]); p != NULL;
         p = strchr(p + 1, cue[0]))
        if (p > plain && p[-1] == ' ' && strncmp(p, cue, n) == 0 && p[n] == ' ')
            return true;
    return false;
}

static bool
list_has(const char *list, const char *word)
{
    size_t m = strlen(word);
    for (const char *p = list; *p != '\0';) {
        size_t n = strcspn(p, "|");
        if (n == m && strncmp(p, word, n) == 0)
            return true;
        p += n + (p[n] == '|');
    }
    return false;
}

/* ---- techniques that are spoken of ---- */

struct spoken {
    uint32_t n;
    const struct technique *t[LEXICON_MAX];
};

static void
techniques_spoken(const char *text, const char *known, struct spoken *out)
{
    out->n = 0;
    for (uint32_t i = 0; i < technique_count() && out->n < LEXICON_MAX; i++) {
        const struct technique *t = technique_at(i);
        if (technique_known(t, known) && technique_mentioned(t, text))
            out->t[out->n++] = t;
    }
}

static void
style_add(struct ask *q, uint32_t kind, const char *text, double weight)
{
    uint32_t most = sizeof q->style / sizeof *q->style;
    if (q->n_styles < most && text[0] != '\0')
        q->style[q->n_styles++] = (struct ask_style){kind, text, weight};
}

static void
lexicon_add(struct arena *a, struct ask *q, const struct spoken *s)
{
    struct buf b = {0};
    for (uint32_t i = 0; i < s->n; i++) {
        buf_printf(&b, "%s%s ", i > 0 ? " " : "", s->t[i]->name);
        for (const char *p = s->t[i]->aliases; *p != '\0'; p++)
            buf_putc(&b, *p == '|' ? ' ' : *p);
    }
    style_add(q, STYLE_LEXICON, arena_strdup(a, buf_str(&b)), LEXICON_WEIGHT);
    buf_fini(&b);
}

/* ---- topics ---- */

/* A cue of several words says more than each of them. */
static uint32_t
topic_score(const struct topic *t, const char *plain, const struct spoken *s)
{
    uint32_t score = 0;
    for (const char *p = t->cues; *p != '\0';) {
        size_t n = strcspn(p, "|");
        if (plain_has(plain, p, n)) {
            score += 2;
            for (size_t i = 0; i < n; i++)
                score += p[i] == ' ' ? 2 : 0;
        }
        p += n + (p[n] == '|');
    }
    for (uint32_t i = 0; i < s->n; i++)
        score += list_has(t->families, s->t[i]->family) ? 1 : 0;
    return score;
}

/* The topic it speaks of most, and the next when it is nearly as much. */
static void
topics_of(
    const char *plain, const struct spoken *s, const struct topic *best[2])
{
    uint32_t most = 0, next = 0;
    best[0] = best[1] = NULL;
    for (uint32_t i = 0; i < question_topic_count(); i++) {
        uint32_t score = topic_score(&question_topics[i], plain, s);
        if (score > most) {
            next = most;
            best[1] = best[0];
            most = score;
            best[0] = &question_topics[i];
        } else if (score > next) {
            next = score;
            best[1] = &question_topics[i];
        }
    }
    if (next * 10 < most * 6)
        best[1] = NULL;
}

static void
topic_add(struct ask *q, const struct topic *t)
{
    for (int i = 0; i < TOPIC_STYLES_MAX && t->style[i] != NULL; i++)
        style_add(q, STYLE_TOPIC, t->style[i],
            i < CORE_STYLES ? CORE_WEIGHT : AROUND_WEIGHT);
}

void
question_words(
    struct arena *a, const char *words, const char *known, struct ask *out)
{
    struct spoken spoken;
    memset(out, 0, sizeof *out);
    out->text = words;
    techniques_spoken(words, known, &spoken);
    const struct topic *t[2];
    topics_of(words_plain(a, words, false), &spoken, t);
    style_add(out, STYLE_SAID, words_plain(a, words, true) + 1, 1);
    if (t[0] != NULL) {
        out->concept = t[0]->concept[0];
        topic_add(out, t[0]);
    }
    if (t[1] != NULL)
        style_add(out, STYLE_TOPIC, t[1]->style[0], AROUND_WEIGHT);
    lexicon_add(a, out, &spoken);
}

/* ---- questions of a project ---- */

void
profile_curve(
    struct baseline_profile *p, const double *rung, uint32_t n, double unit)
{
    uint32_t best = 0;
    if (n < 2 || unit <= 0)
        return;
    for (uint32_t r = 1; r < n; r++)
        if (rung[r] > rung[best])
            best = r;
    if (rung[best] - rung[n - 1] >= unit) {
        p->fit = 1;
        p->one_epoch = best == 0;
    } else if (best == n - 1 && rung[n - 1] - rung[n - 2] >= unit) {
        p->fit = -1;
    }
}

static int
topic_knob(const struct topic *t, const struct spec *s)
{
    for (uint32_t k = 0; k < s->n_knobs; k++)
        for (int i = 0; i < TOPIC_CONCEPTS_MAX && t->concept[i] != 0; i++)
            if (s->knob[k].concept == t->concept[i])
                return (int)k;
    return -1;
}

/* "model backbone: dcn deepfm", what the engineer calls it */
static const char *
knob_words(struct arena *a, const struct knob *k)
{
    struct buf b = {0};
    buf_printf(&b, "%s %s %s", k->name, k->doc, k->tags);
    if (k->kind == KNOB_CHOICE || k->kind == KNOB_SET)
        for (uint32_t i = 0; i < k->n_values && i < VALUES_SAID; i++)
            buf_printf(&b, " %s", k->values[i]);
    const char *out = words_plain(a, buf_str(&b), true) + 1;
    buf_fini(&b);
    return out;
}

static void
weakness_add(struct arena *a, struct ask *q, const struct topic *t,
    const struct baseline_profile *p)
{
    if (p->fit < 0 && t->under != NULL)
        style_add(q, STYLE_WEAKNESS, t->under, 1);
    if (p->fit > 0 && t->over != NULL)
        style_add(q, STYLE_WEAKNESS, t->over, 1);
    if (p->one_epoch && t->concept[0] == CONCEPT_EMB_REG)
        style_add(q, STYLE_WEAKNESS,
            "one-epoch overfitting of click-through rate models", 1);
    if (p->miscalibrated && t->concept[0] == CONCEPT_LOSS)
        style_add(
            q, STYLE_WEAKNESS, "calibrated click-through rate prediction", 1);
    if (p->density > 0 && p->density < 0.2 && t->over != NULL)
        style_add(q, STYLE_WEAKNESS,
            arena_printf(a, "sparse rare features %s", t->style[0]), 0.6);
}

/* How much a topic matters to this model: a knob, a weakness, the data. */
static double
topic_weight(
    const struct topic *t, const struct baseline_profile *p, bool has_knob)
{
    double w = has_knob ? 1 : 0;
    uint32_t c = t->concept[0];
    if (c == CONCEPT_MODEL) /* the backbone is always worth asking about */
        w = 1.5;
    if (p->fit > 0 && t->over != NULL)
        w += has_knob || c == CONCEPT_EMB_REG || c == CONCEPT_DROPOUT ? 0.5 : 0;
    if (p->fit < 0 && t->under != NULL)
        w += has_knob ? 0.5 : 0;
    if (c == CONCEPT_EMB_REG && p->one_epoch)
        w += 1;
    if (c == CONCEPT_LOSS && p->miscalibrated)
        w += 1;
    if (c == CONCEPT_SEQUENCE_LEN && p->sequence != 0)
        w = p->sequence > 0 ? w + 1 : 0;
    if (c == CONCEPT_EXPERTS && p->tasks != 0)
        w = p->tasks > 1 ? w + 1 : 0;
    return w;
}

static void
topic_question(struct arena *a, const struct topic *t, const struct spec *s,
    const struct baseline_profile *p, const char *known, struct ask *q)
{
    int k = topic_knob(t, s);
    memset(q, 0, sizeof *q);
    q->concept = t->concept[0];
    q->text = t->text;
    if (k >= 0)
        q->text = arena_printf(a, "%s (knob %s)", t->text, s->knob[k].name);
    weakness_add(a, q, t, p);
    for (int i = 0; i < TOPIC_STYLES_MAX && t->style[i] != NULL; i++)
        style_add(q, STYLE_TOPIC, t->style[i],
            i < CORE_STYLES ? CORE_WEIGHT : AROUND_WEIGHT);
    if (k >= 0) {
        struct spoken spoken;
        const char *words = knob_words(a, &s->knob[k]);
        style_add(q, STYLE_KNOB, words, 0.5);
        techniques_spoken(words, known, &spoken);
        lexicon_add(a, q, &spoken);
    }
}

static uint32_t
failure_questions(struct arena *a, const char *const *failures, uint32_t n,
    const char *known, struct ask *out, uint32_t max)
{
    uint32_t made = 0;
    for (uint32_t i = 0; i < n && made < max; i++) {
        struct ask *q = &out[made];
        question_words(a, failures[i], known, q);
        if (q->n_styles == 0)
            continue;
        q->text = arena_printf(
            a, "What is known of this failure: %.160s", failures[i]);
        q->style[0].kind = STYLE_FAILURE;
        made++;
    }
    return made;
}

void
question_project(struct arena *a, const struct spec *s,
    const struct baseline_profile *profile, const char *const *failures,
    uint32_t n_failures, const char *known, struct ask out[ASKS_MAX],
    uint32_t *n)
{
    static const struct baseline_profile nothing = {0};
    const struct baseline_profile *p = profile != NULL ? profile : &nothing;
    double weight[32];
    uint32_t topics = question_topic_count();
    *n = failure_questions(
        a, failures, n_failures < 3 ? n_failures : 3, known, out, ASKS_MAX);
    for (uint32_t i = 0; i < topics; i++)
        weight[i] = topic_weight(
            &question_topics[i], p, topic_knob(&question_topics[i], s) >= 0);
    while (*n < ASKS_MAX) {
        uint32_t best = 0;
        for (uint32_t i = 1; i < topics; i++)
            if (weight[i] > weight[best])
                best = i;
        if (weight[best] <= 0)
            return;
        weight[best] = 0;
        topic_question(a, &question_topics[best], s, p, known, &out[(*n)++]);
    }
}
