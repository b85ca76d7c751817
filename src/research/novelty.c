/* Novelty of ideas. Called by the draft. Invariant: a function of its
 * arguments; the order of rows decides nothing. */
#include "research/novelty.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "research/history.h"

/* From here on a change is the same, or alike. */
#define SAME 0.97
#define ALIKE 0.5
/* Statements are made by few templates: words alone must agree more. */
#define ALIKE_TEXT 0.7

const char *
novelty_name(uint32_t relation)
{
    static const char *const name[] = {
#define X(id, text) text,
        NOVELTY_LIST(X)
#undef X
    };
    return relation < NOVELTY_COUNT ? name[relation] : "?";
}

/* ---- texts ---- */

/* FNV-1a, then mixed so that all 64 bits depend on all bytes. */
static uint64_t
word_hash(uint64_t h, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        h ^= (uint64_t)tolower((unsigned char)s[i]);
        h *= UINT64_C(0x100000001b3);
    }
    return h;
}

static uint64_t
hash_mix(uint64_t h)
{
    h ^= h >> 33;
    h *= UINT64_C(0xff51afd7ed558ccd);
    h ^= h >> 33;
    h *= UINT64_C(0xc4ceb9fe1a85ec53);
    return h ^ (h >> 33);
}

static bool
is_word_byte(char c)
{
    return isalnum((unsigned char)c) || ((unsigned char)c & 0x80);
}

static void
bits_add(int weight[64], uint64_t h, int by)
{
    h = hash_mix(h);
    for (int b = 0; b < 64; b++)
        weight[b] += h >> b & 1 ? by : -by;
}

uint64_t
text_simhash(const char *text)
{
    int weight[64] = {0};
    uint64_t before = 0, out = 0;
    for (const char *p = text; *p != '\0';) {
        size_t n = 0;
        while (is_word_byte(p[n]))
            n++;
        if (n == 0) {
            p++;
            continue;
        }
        uint64_t h = word_hash(UINT64_C(0xcbf29ce484222325), p, n);
        bits_add(weight, h, 2);
        if (before != 0)
            bits_add(weight, before * 31 + h, 1);
        before = h;
        p += n;
    }
    for (int b = 0; b < 64; b++)
        out |= (uint64_t)(weight[b] > 0) << b;
    return out;
}

static double
hash_similarity(uint64_t a, uint64_t b)
{
    int bits = 0;
    for (uint64_t differ = a ^ b; differ != 0; differ &= differ - 1)
        bits++;
    /* texts that share nothing differ in 32 bits of 64 */
    return fmax(0, 1 - bits / 32.0);
}

double
text_similarity(const char *a, const char *b)
{
    if (a[0] == '\0' || b[0] == '\0')
        return 0;
    return hash_similarity(text_simhash(a), text_simhash(b));
}

void
known_of_rows(
    struct known *k, const struct insight *row, size_t n, struct arena *a)
{
    uint64_t *hash = arena_alloc(a, (n + 1) * sizeof *hash);
    for (size_t i = 0; i < n; i++)
        hash[i] = text_simhash(row[i].statement);
    *k = (struct known){row, hash, n};
}

/* ---- changes ---- */

/* Does a text hold one of the names ("a|b") as words? */
static bool
text_names(const char *text, const char *names)
{
    while (*names != '\0') {
        size_t n = strcspn(names, "|");
        for (const char *p = text; n > 0 && *p != '\0'; p++)
            if (strncasecmp(p, names, n) == 0 &&
                (p == text || !is_word_byte(p[-1])) && !is_word_byte(p[n]))
                return true;
        names += n + (names[n] == '|');
    }
    return false;
}

/* How near a row is; *sign is -1 when it is of the opposite change. */
static double
row_similarity(const struct novelty_query *q, uint64_t said,
    const struct insight *row, uint64_t hash, double *sign)
{
    *sign = 1;
    if (strcmp(row->key, q->key) == 0 && q->key[0] != '\0')
        return 1;
    double best = 0;
    if (q->move != NULL && q->concept != CONCEPT_NONE &&
        strcmp(row->concept, concept_name(q->concept)) == 0) {
        struct move m;
        char ours[VALUE_LEN], theirs[VALUE_LEN];
        word_plain(q->family, ours);
        word_plain(row->family, theirs);
        move_read(&m, q->concept, row->from, row->to, row->direction);
        best = move_similarity(q->move, &m, sign) *
               sqrt(family_similarity(ours, theirs));
    }
    double named = text_names(row->statement, q->technique) ? 0.6 : 0;
    double words = hash_similarity(said, hash);
    double alike = words >= ALIKE_TEXT ? words * SAME * 0.99 : 0;
    if (fmax(named, alike) > best) {
        *sign = 1;
        return fmax(named, alike);
    }
    return best;
}

static uint32_t
relation_of(const struct novelty_query *q, const struct insight *row,
    double similarity, double sign)
{
    bool measured_loss = sign * row->effect < 0 &&
                         (row->verdict == INSIGHT_NEGATIVE ||
                             (sign < 0 && row->verdict == INSIGHT_POSITIVE));
    if (similarity < ALIKE)
        return NOVELTY_NEW;
    if (row->verdict == INSIGHT_FAILED)
        return NOVELTY_FAILED;
    if (q->gain && (measured_loss || row->verdict == INSIGHT_UNSTABLE) &&
        similarity >= SAME)
        return NOVELTY_CONTRADICTS;
    return similarity >= SAME && sign > 0 ? NOVELTY_REPEATS : NOVELTY_REFINES;
}

void
novelty_find(
    const struct novelty_query *q, const struct known *k, struct novelty *out)
{
    uint64_t said = text_simhash(q->statement);
    bool failed = true;
    *out = (struct novelty){.relation = NOVELTY_NEW};
    for (size_t i = 0; i < k->n; i++) {
        const struct insight *row = &k->row[i];
        double sign, s = row_similarity(q, said, row, k->hash[i], &sign);
        bool lost = row->verdict == INSIGHT_FAILED;
        if (s < ALIKE || s < out->similarity ||
            (s == out->similarity && failed == lost &&
                out->nearest < row->id) ||
            (s == out->similarity && !failed && lost))
            continue;
        failed = lost;
        out->similarity = s;
        out->nearest = row->id;
        out->relation = relation_of(q, row, s, sign);
        out->effect = sign * row->effect;
    }
}
