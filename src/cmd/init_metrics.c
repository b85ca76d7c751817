/* Finds metrics in what a short run printed: words followed by a number, kept
 * when they look like a measure of quality. Called by init. The text is
 * untrusted: it is only read, in bounds. */
#include "cmd/init.h"

#include <ctype.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "project/harvest.h"

enum { NAME_MAX_LEN = 47, ROLES_MAX = 6 };

static const struct {
    const char *word;
    int score; /* how good a search metric it makes; 0: never a metric */
    bool min;
} measure_words[] = {{"logloss", 5, true}, {"log_loss", 5, true},
    {"auc", 9, false}, {"auroc", 9, false}, {"ndcg", 8, false},
    {"gauc", 7, false}, {"mrr", 6, false}, {"map", 6, false},
    {"recall", 5, false}, {"precision", 5, false}, {"hit", 5, false},
    {"f1", 5, false}, {"acc", 5, false}, {"loss", 4, true}, {"rmse", 5, true},
    {"mse", 4, true}, {"mae", 4, true}, {"error", 4, true},
    {"entropy", 4, true}};

static bool
name_has(const char *name, const char *word)
{
    return strcasestr(name, word) != NULL;
}

/* Index into measure_words, -1: no measure. */
static int
measure_of(const char *name)
{
    int best = -1;
    for (size_t i = 0; i < sizeof(measure_words) / sizeof(measure_words[0]);
         i++) {
        if (name_has(name, measure_words[i].word) &&
            (best < 0 || measure_words[i].score > measure_words[best].score))
            best = (int)i;
    }
    return best;
}

static bool
is_name_char(char c)
{
    return isalnum((unsigned char)c) || strchr("_./@-", c) != NULL;
}

static void
metric_count(struct arena *a, const char *from, const char *name,
    const char *value, double x, bool jsonl, struct init_metric *out,
    uint32_t max, uint32_t *n)
{
    size_t len = 0;
    char text[NAME_MAX_LEN + 1];
    while (is_name_char(name[len]) && len < NAME_MAX_LEN)
        len++;
    memcpy(text, name, len);
    text[len] = '\0';
    if (measure_of(text) < 0)
        return;
    for (uint32_t i = 0; i < *n; i++) {
        if (strcmp(out[i].name, text) == 0) {
            out[i].count++;
            out[i].last = x;
            return;
        }
    }
    if (*n == max)
        return;
    char *literal = arena_strndup(a, from, (size_t)(value - from));
    out[(*n)++] = (struct init_metric){.name = arena_strdup(a, text),
        .pattern = arena_printf(a, "%s{value}", literal),
        .jsonl = jsonl,
        .count = 1,
        .last = x};
}

/* One line: every NAME, a separator of ' ', '=', ':' and quotes, a number. */
static void
line_metrics(struct arena *a, const char *line, const char *end, bool jsonl,
    struct init_metric *out, uint32_t max, uint32_t *n)
{
    const char *p = line;
    while (p < end) {
        if (!isalpha((unsigned char)*p)) {
            p++;
            continue;
        }
        const char *name = p;
        while (p < end && is_name_char(*p))
            p++;
        const char *v = p;
        while (v < end && strchr(" =:\"'", *v) != NULL && v - p < 4)
            v++;
        double x = 0;
        const char *after = v > p ? harvest_number(v, end, &x) : NULL;
        bool braces = memchr(name, '{', (size_t)(v - name)) != NULL;
        if (after == NULL || braces || !isfinite(x))
            continue;
        /* The quote before a JSON key belongs to the literal. */
        const char *from = name > line && name[-1] == '"' ? name - 1 : name;
        metric_count(a, from, name, v, x, jsonl, out, max, n);
        p = after;
    }
}

uint32_t
init_metrics(struct arena *a, const struct buf *text, bool jsonl,
    struct init_metric *out, uint32_t max)
{
    uint32_t n = 0;
    const char *p = buf_str(text), *end = p + text->len;
    while (p < end) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        const char *stop = nl != NULL ? nl : end;
        line_metrics(a, p, stop, jsonl, out, max, &n);
        p = stop + 1;
    }
    return n;
}

static int
metric_score(const struct init_metric *m)
{
    int i = measure_of(m->name), score = i < 0 ? 0 : measure_words[i].score;
    if (name_has(m->name, "val") || name_has(m->name, "dev") ||
        name_has(m->name, "eval"))
        score += 10;
    if (name_has(m->name, "train"))
        score -= 6;
    if (name_has(m->name, "test"))
        score -= 8;
    return score;
}

/* Names in project files: letters, digits, '_' and '-'. */
static const char *
plain_name(struct arena *a, const char *name)
{
    char *s = arena_strdup(a, name);
    for (char *p = s; *p != '\0'; p++) {
        if (!isalnum((unsigned char)*p) && *p != '_' && *p != '-')
            *p = '_';
    }
    return s;
}

static struct template_metric
metric_row(struct arena *a, const struct init_metric *m, const char *role)
{
    int i = measure_of(m->name);
    return (struct template_metric){.name = plain_name(a, m->name),
        .role = role,
        .goal = i >= 0 && measure_words[i].min ? "min" : "max",
        .from = m->jsonl ? "jsonl" : "stdout",
        .key = m->jsonl ? m->name : m->pattern,
        .min_gain = 1e-3};
}

void
init_roles(struct arena *a, const struct init_metric *m, uint32_t n,
    struct template_metric **out, size_t *n_out)
{
    struct template_metric *v = arena_alloc(a, sizeof(*v) * ROLES_MAX);
    int primary = -1, sealed = -1, guard = -1;
    *n_out = 0;
    *out = v;
    for (uint32_t i = 0; i < n; i++) {
        if (primary < 0 || metric_score(&m[i]) > metric_score(&m[primary]))
            primary = (int)i;
    }
    if (primary < 0)
        return;
    int kind = measure_of(m[primary].name);
    for (uint32_t i = 0; i < n; i++) {
        int k = measure_of(m[i].name);
        if ((int)i == primary)
            continue;
        if (sealed < 0 && k == kind && name_has(m[i].name, "test"))
            sealed = (int)i;
        else if (guard < 0 && measure_words[k].min &&
                 !name_has(m[i].name, "train") && !measure_words[kind].min)
            guard = (int)i;
    }
    v[(*n_out)++] = metric_row(a, &m[primary], "primary");
    if (sealed >= 0)
        v[(*n_out)++] = metric_row(a, &m[sealed], "sealed");
    if (guard >= 0)
        v[(*n_out)++] = metric_row(a, &m[guard], "guardrail");
}
