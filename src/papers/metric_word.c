/* The vocabulary of measuring, and words of change. Called by the rules of
 * claims. Constant data; no call keeps anything. */
#include "papers/metric_word.h"

#include <string.h>

static const struct metric_word metrics[] = {
#define METRIC(name, kind, better, names) {#name, METRIC_##kind, better, names},
#define DATASET(name, names)
#include "papers/metric_word.def"
#undef METRIC
#undef DATASET
};

static const struct {
    const char *name, *names;
} datasets[] = {
#define METRIC(name, kind, better, names)
#define DATASET(name, names) {name, names},
#include "papers/metric_word.def"
#undef METRIC
#undef DATASET
};

enum {
    METRICS = sizeof metrics / sizeof metrics[0],
    DATASETS = sizeof datasets / sizeof datasets[0],
};

/* ---- words ---- */

bool
word_starts(const char *word, const char *stems)
{
    while (*stems != '\0') {
        size_t n = strcspn(stems, "|");
        if (strncmp(word, stems, n) == 0)
            return true;
        stems += n + (stems[n] == '|');
    }
    return false;
}

bool
word_is(const char *word, const char *words)
{
    size_t len = strlen(word);
    while (*words != '\0') {
        size_t n = strcspn(words, "|");
        if (n == len && memcmp(word, words, n) == 0)
            return true;
        words += n + (words[n] == '|');
    }
    return false;
}

int
change_word(const char *w)
{
    if (word_starts(w, "improv|increas|gain|lift|uplift|boost|outperform|"
                       "enhanc|surpass|exceed|speedup|speed-up|accelerat|"
                       "superior|advantage|elevat|margin|excess") ||
        word_is(w, "higher|better|more|faster|grow|grows|growth|grew|raise|"
                   "raises|raising|raised|rise|rises|rising|rose|win|wins|"
                   "greater|larger|benefit|benefits|increment|increments|"
                   "speeds"))
        return 1;
    if (word_starts(w, "reduc|decreas|declin|degrad|shrink|compress|mitigat|"
                       "eliminat|shorten|deteriorat|lowering|diminish") ||
        word_is(w, "drop|drops|dropped|dropping|lower|lowers|lowered|fewer|"
                   "less|save|saves|saving|savings|saved|cut|cuts|cutting|"
                   "worse|smaller|fall|falls|slower|shorter"))
        return -1;
    return 0;
}

/* ---- names in tokens ---- */

/* "recall@20" names recall, "orders" order, "ctr's" ctr. */
static bool
word_names(const char *word, const char *name, size_t n)
{
    if (strncmp(word, name, n) != 0)
        return false;
    const char *rest = word + n;
    return *rest == '\0' || *rest == '@' || strcmp(rest, "s") == 0 ||
           strcmp(rest, "'s") == 0 || strncmp(rest, "s@", 2) == 0;
}

/* Tokens that a name ("watch time") takes at i; 0: it is not there. */
static uint32_t
name_tokens(const struct claim_token *t, uint32_t n, uint32_t i,
    const char *name, size_t len)
{
    uint32_t used = 0;
    for (size_t at = 0; at < len;) {
        size_t w = 0;
        while (at + w < len && name[at + w] != ' ')
            w++;
        if (i + used >= n || t[i + used].kind == TOKEN_NUMBER)
            return 0;
        const struct claim_token *k = &t[i + used];
        if (k->kind == TOKEN_MARK) {
            if (w != 1 || k->mark != name[at])
                return 0;
        } else if (!word_names(k->word, name + at, w)) {
            return 0;
        }
        used++;
        at += w;
        at += at < len;
    }
    return used;
}

static uint32_t
names_tokens(
    const struct claim_token *t, uint32_t n, uint32_t i, const char *names)
{
    uint32_t best = 0;
    for (const char *p = names; p != NULL; p = strchr(p, '|')) {
        p += *p == '|';
        if (*p != t[i].word[0]) /* most end here */
            continue;
        uint32_t used = name_tokens(t, n, i, p, strcspn(p, "|"));
        if (used > best)
            best = used;
    }
    return best;
}

const struct metric_word *
metric_at(const struct claim_token *t, uint32_t n, uint32_t i, uint32_t *used)
{
    const struct metric_word *best = NULL;
    *used = 0;
    if (t[i].kind != TOKEN_WORD)
        return NULL;
    for (uint32_t m = 0; m < METRICS; m++) {
        uint32_t k = names_tokens(t, n, i, metrics[m].names);
        if (k > *used) {
            *used = k;
            best = &metrics[m];
        }
    }
    return best;
}

const char *
dataset_at(const struct claim_token *t, uint32_t n, uint32_t i, uint32_t *used)
{
    const char *best = NULL;
    *used = 0;
    if (t[i].kind != TOKEN_WORD)
        return NULL;
    for (uint32_t m = 0; m < DATASETS; m++) {
        uint32_t k = names_tokens(t, n, i, datasets[m].names);
        if (k > *used) {
            *used = k;
            best = datasets[m].name;
        }
    }
    return best;
}

const struct metric_word *
metric_find(const char *name)
{
    struct claim_token t[CLAIM_TOKENS_MAX];
    uint32_t used;
    size_t len = strlen(name);
    if (len > 200)
        return NULL;
    for (uint32_t m = 0; m < METRICS; m++)
        if (strcmp(metrics[m].name, name) == 0)
            return &metrics[m];
    uint32_t n = sentence_tokens(name, 0, (uint32_t)len, t);
    const struct metric_word *m = n > 0 ? metric_at(t, n, 0, &used) : NULL;
    return m != NULL && used == n ? m : NULL;
}
