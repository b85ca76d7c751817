/* Claims of a text, sentence by sentence: numbers first (claim_number.c), then
 * what is only said in words, for settings that no number speaks of. Called by
 * evidence.c and the bench. Invariant: the span of each claim is a whole
 * sentence of the text; nothing found is larger than the limits of claim.h. */
#include "papers/claim_rules.h"

#include <string.h>

enum { OPENING_BYTES = 600 };

/* ---- one sentence ---- */

static bool
is_word(const struct sentence *s, uint32_t i, const char *words)
{
    return i < s->n && s->t[i].kind == TOKEN_WORD &&
           word_is(s->t[i].word, words);
}

static bool
starts(const struct sentence *s, uint32_t i, const char *stems)
{
    return i < s->n && s->t[i].kind == TOKEN_WORD &&
           word_starts(s->t[i].word, stems);
}

void
sentence_read(
    struct sentence *s, const char *text, uint32_t begin, uint32_t end)
{
    s->text = text;
    s->begin = begin;
    s->end = end;
    s->online = s->offline = s->significant = s->open = false;
    s->n = sentence_tokens(text, begin, end, s->t);
    for (uint32_t i = 0; i < s->n; i++) {
        if (is_word(s, i,
                "online|a/b|ab|a/b-test|a/b-tests|a/b-testing|live|"
                "production|in-production|traffic|industrial-scale|deploy|"
                "deploys|deployed|deploying|deployment|deployments|launched|"
                "launch"))
            s->online = true;
        if (is_word(s, i,
                "offline|dataset|datasets|benchmark|benchmarks|simulation|"
                "simulations|simulated|public|open-source"))
            s->offline = true;
        if (is_word(s, i, "public|publicly|benchmark|benchmarks|open-source"))
            s->open = true;
        if (starts(s, i, "statistical") ||
            is_word(s, i, "p-value|p-values|t-test|t-tests|ci") ||
            (is_word(s, i, "confidence") && is_word(s, i + 1, "interval")))
            s->significant = true;
        if (is_word(s, i, "p") && i + 1 < s->n &&
            s->t[i + 1].kind == TOKEN_MARK &&
            (s->t[i + 1].mark == '<' || s->t[i + 1].mark == '='))
            s->significant = true;
    }
}

/* ---- baseline and data set ---- */

static bool
baseline_ends(const struct sentence *s, uint32_t j)
{
    return s->t[j].kind != TOKEN_WORD ||
           is_word(s, j,
               "by|in|on|and|with|while|across|for|at|under|when|as|which|"
               "that|from|terms|to|of|using|both|achieving|including");
}

/* Words for what one compares with, or a name in capitals. */
static bool
is_rival(const struct sentence *s, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++)
        if (starts(s, i,
                "baseline|method|model|state-of-the-art|sota|competitor|"
                "approach|algorithm|counterpart|control|benchmark|single|"
                "technique|strateg|recommender"))
            return true;
    char first = s->text[s->t[from].begin];
    return first >= 'A' && first <= 'Z';
}

static void
baseline_find(const struct sentence *s, struct claim *c)
{
    for (uint32_t i = 0; i + 1 < s->n; i++) {
        uint32_t j = i + 1;
        if (is_word(s, i, "compared|relative") &&
            is_word(s, i + 1, "to|with|against"))
            j = i + 2;
        else if (!is_word(s, i, "over|than|against|versus|vs") &&
                 !starts(s, i, "outperform|surpass"))
            continue;
        while (is_word(s, j,
            "the|a|an|existing|several|various|all|other|strong|of|its|"
            "previous|traditional|competitive"))
            j++;
        uint32_t from = j;
        while (j < s->n && j < from + 6 && !baseline_ends(s, j))
            j++;
        if (j == from || !is_rival(s, from, j))
            continue;
        size_t len = s->t[j - 1].end - s->t[from].begin;
        if (len >= sizeof c->baseline)
            len = sizeof c->baseline - 1;
        memcpy(c->baseline, s->text + s->t[from].begin, len);
        c->baseline[len] = '\0';
        return;
    }
}

/* The data set named nearest to the number, those after it first. */
static void
dataset_find(const struct sentence *s, uint32_t at, struct claim *c)
{
    const char *best = NULL;
    uint32_t far = UINT32_MAX;
    for (uint32_t i = 0; i < s->n; i++) {
        uint32_t used;
        const char *name = dataset_at(s->t, s->n, i, &used);
        uint32_t d = i > at ? i - at : 2 * (at - i) + 8;
        if (name != NULL && d < far) {
            far = d;
            best = name;
        }
    }
    if (best != NULL)
        strncpy(c->dataset, best, sizeof c->dataset - 1);
}

void
claim_context(const struct sentence *s, uint32_t i, struct claim *c)
{
    c->begin = s->begin;
    c->end = s->end;
    c->significant = s->significant;
    c->open = s->open;
    baseline_find(s, c);
    dataset_find(s, i, c);
}

/* ---- what is only said ---- */

static bool
finds(const struct sentence *s, uint32_t i)
{
    return is_word(s, i, "find|found|observe|observed|show|showed|demonstrate");
}

/* A sentence about results: what was done, and what it showed. */
bool
sentence_praises(const struct sentence *s)
{
    bool tried = false, showed = false, good = false, own = false;
    bool found = false;
    for (uint32_t i = 0; i < s->n; i++) {
        tried |= starts(s, i,
                     "experiment|evaluation|result|a/b|stud|analys|"
                     "observation|finding|comparison|deploy") ||
                 is_word(s, i,
                     "empirically|online|offline|tests|test|"
                     "dataset|datasets|benchmarks");
        showed |= starts(s, i,
            "demonstrat|show|validat|verif|confirm|prove|illustrat|reveal|"
            "indicat|highlight|corroborat|render|achiev|yield|"
            "bring|gain|obtain|deliver|outperform");
        good |= starts(s, i,
                    "outperform|superior|effective|improv|gain|surpass|"
                    "benefit|advantage|promising|competitive|comparable|"
                    "enhanc|state-of-the-art|boost|exceed|uplift|success|"
                    "remarkabl|excel|sota") ||
                is_word(s, i,
                    "better|best|increase|increases|lift|efficacy|"
                    "viable|higher");
        own |= is_word(s, i, "we|our|ours|this|proposed");
        found |= is_word(s, i, "we") && (finds(s, i + 1) || finds(s, i + 2));
    }
    if (found && good)
        return true;
    return good && ((tried && showed) || (own && tried && good && showed));
}

static bool
is_recent(const struct sentence *s)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (is_word(s, i, "recent|recently|previous|existing"))
            return true;
    return false;
}

/* Background speaks of others, and plans of what is to come. */
static bool
is_background(const struct sentence *s)
{
    static const char others[] =
        "existing|recent|recently|previous|prior|traditional|conventional|"
        "although|despite|while|most|many|current|however|to|therefore|"
        "modern|typically|often|unfortunately";
    for (uint32_t i = 0; i < s->n; i++)
        if (is_word(s, i,
                "future|challenging|struggle|fail|fails|gap|"
                "potentially|challenges|requires|aim|aims|ongoing") &&
            !is_word(s, 0, "extensive|experiments|experimental|results"))
            return true;
    return is_word(s, 0, others) &&
           !(is_word(s, 0, "to|while|however|although|despite") && s->n > 8 &&
               (s->online || s->offline) && !is_recent(s));
}

/* The first third of an abstract tells of the problem. */
static bool
is_opening(const struct sentence *s, size_t len)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (starts(s, i, "outperform"))
            return false;
    return len > OPENING_BYTES && s->begin < len / 3 &&
           !is_word(s, 0,
               "extensive|experiments|experimental|results|empirical|online|"
               "offline|our|comprehensive|evaluations");
}

struct said {
    bool there;
    struct claim claim;
};

static void
said_note(struct said *x, const struct sentence *s, bool online)
{
    if (x->there)
        return;
    x->there = true;
    memset(&x->claim, 0, sizeof x->claim);
    x->claim.online = online;
    claim_context(s, 0, &x->claim);
}

static void
sentence_said(const struct sentence *s, size_t len, uint32_t numbers,
    struct said *offline, struct said *online)
{
    if (is_opening(s, len) || is_background(s) || !sentence_praises(s))
        return;
    if (s->online)
        said_note(online, s, true);
    if (s->offline || (!s->online && numbers == 0))
        said_note(offline, s, false);
}

static bool
has_setting(const struct claim *c, uint32_t n, bool online)
{
    for (uint32_t i = 0; i < n; i++)
        if (c[i].online == online)
            return true;
    return false;
}

uint32_t
claims_find(const char *text, size_t len, struct claim *out, uint32_t max)
{
    struct sentence s;
    struct said offline = {0}, online = {0};
    size_t at = 0;
    uint32_t n = 0, begin, end;
    while (sentence_next(text, len, &at, &begin, &end)) {
        sentence_read(&s, text, begin, end);
        uint32_t numbers = numbers_claim(&s, out + n, max - n);
        n += numbers;
        sentence_said(&s, len, numbers, &offline, &online);
    }
    uint32_t all = n;
    if (offline.there && n < max && !has_setting(out, all, false))
        out[n++] = offline.claim;
    if (online.there && n < max && !has_setting(out, all, true))
        out[n++] = online.claim;
    return n;
}

int
claim_supports(const struct claim *c)
{
    if (c->unit == CLAIM_NO_NUMBER)
        return 1;
    int better = c->metric != NULL ? c->metric->better : 1;
    if (c->metric == NULL && c->delta < 0 && c->what[0] != '\0')
        return 1; /* "a 90 % reduction in stalls": told as a gain */
    return c->delta * better > 0 ? 1 : -1;
}
