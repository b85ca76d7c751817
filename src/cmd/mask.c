/* Masks sealed values in a job's output, line by line, by the same patterns
 * and keys that the metric reader uses. Called by log. It masks rather too
 * much than too little: a line that a pattern of a sealed metric matches
 * loses that number, a JSON or csv line with a sealed key every number behind
 * the key (csv: all numbers). */
#include "cmd/mask.h"

#include <ctype.h>
#include <string.h>

void
mask_init(struct mask *m, const struct project *p, const struct core *c,
    uint32_t trial)
{
    struct err ignored = {0};
    /* the look was at the trials of confirmation: all others stay sealed */
    bool open =
        trial >= 1 && trial <= c->n_trials && c->trial[trial - 1].sealed_known;
    *m = (struct mask){.p = open ? NULL : p};
    if (m->p != NULL)
        (void)harvest_re_new(&p->harvest, &m->re, &ignored);
}

void
mask_fini(struct mask *m)
{
    harvest_re_free(m->re);
}

/* Covers the number at p, and the rest of the line when `rest`. */
static void
cover(char *line, size_t n, const char *p, bool rest)
{
    for (size_t i = (size_t)(p - line); i < n; i++) {
        bool part =
            isalnum((unsigned char)line[i]) || strchr("+-.", line[i]) != NULL;
        if (part)
            line[i] = rest && !isdigit((unsigned char)line[i]) ? line[i] : '#';
        else if (!rest)
            return;
    }
}

static void
mask_metric(const struct mask *m, uint32_t metric, char *line, size_t n)
{
    const struct metric_source *s = &m->p->harvest.source[metric];
    const char *value = NULL, *step = NULL;
    if (s->from == FROM_CSV) {
        cover(line, n, line, true);
        return;
    }
    if (s->from == FROM_JSONL) {
        const char *key = memmem(line, n, s->key, strlen(s->key));
        /* A nested key stands as its parts, the first before the last. */
        const char *dot = strrchr(s->key, '.');
        if (key == NULL && dot != NULL) {
            key = memmem(line, n, s->key, strcspn(s->key, "."));
            if (key != NULL)
                key = memmem(
                    key, n - (size_t)(key - line), dot + 1, strlen(dot + 1));
        }
        const char *colon =
            key != NULL ? memchr(key, ':', n - (size_t)(key - line)) : NULL;
        for (; colon != NULL && colon + 1 < line + n && colon[1] == ' ';)
            colon++;
        if (colon != NULL && colon + 1 < line + n)
            cover(line, n, colon + 1, false);
        return;
    }
    bool hit = strncmp(s->pattern, "re:", 3) == 0
                   ? m->re != NULL &&
                         harvest_re_match(m->re, metric, line, n, &value, &step)
                   : harvest_match(s->pattern, line, n, &value, &step);
    if (hit && value != NULL)
        cover(line, n, value, false);
}

void
mask_put(const struct mask *m, const char *text, size_t n, struct buf *out)
{
    size_t from = out->len;
    buf_add(out, text, n);
    if (m->p == NULL || n == 0)
        return;
    char *at = out->data + from, *end = out->data + out->len;
    while (at < end) {
        char *nl = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((nl != NULL ? nl : end) - at);
        for (uint32_t i = 0; i < m->p->spec.n_metrics; i++) {
            if (m->p->spec.metric[i].role == METRIC_SEALED)
                mask_metric(m, i, at, len);
        }
        at += len + (nl != NULL);
    }
}
