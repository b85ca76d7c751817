/* Reader of predictions files: columns by tab, comma or spaces, one optional
 * header line. Called when the seal is opened. Nothing in the file can do more
 * than be refused. */
#include "wake/predictions.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/rng.h"

void
predictions_fini(struct predictions *p)
{
    free(p->label);
    free(p->score);
    free(p->group);
    memset(p, 0, sizeof *p);
}

static uint64_t
text_mix(uint64_t h, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)s[i]) * 1099511628211U; /* FNV-1a */
    return h;
}

/* Splits a line in place into at most 4 words; returns how many. */
static int
words_of(char *line, char *word[4])
{
    static const char sep[] = "\t, ;\r\n";
    int n = 0;
    char *s = line;
    while (n < 4) {
        s += strspn(s, sep);
        if (*s == '\0')
            break;
        word[n++] = s;
        s += strcspn(s, sep);
        if (*s == '\0')
            break;
        *s++ = '\0';
    }
    return n;
}

static void
grow(struct predictions *p, bool grouped)
{
    if (p->n < p->cap)
        return;
    p->cap = p->cap == 0 ? 4096 : 2 * p->cap;
    p->label = mem_realloc(p->label, p->cap * sizeof *p->label);
    p->score = mem_realloc(p->score, p->cap * sizeof *p->score);
    if (grouped)
        p->group = mem_realloc(p->group, p->cap * sizeof *p->group);
}

/* 0: taken, 1: not a row. */
static int
row_add(struct predictions *p, char *word[4], int n)
{
    char *end;
    if (n < 3)
        return 1;
    double label = strtod(word[1], &end);
    if (*end != '\0' || (label != 0 && label != 1 && label != -1))
        return 1;
    double score = strtod(word[2], &end);
    if (*end != '\0' || !isfinite(score))
        return 1;
    bool grouped = p->n == 0 ? n == 4 : p->group != NULL;
    if (grouped != (n == 4))
        return 1;
    grow(p, grouped);
    p->label[p->n] = label > 0;
    p->score[p->n] = score;
    if (grouped) { /* the text's hash for now; numbered when all are read */
        uint64_t h = text_mix(14695981039346656037U, word[3], strlen(word[3]));
        p->group[p->n] = (uint32_t)(h ^ h >> 32);
    }
    p->rows_id = text_mix(p->rows_id, word[0], strlen(word[0]) + 1);
    p->rows_id = rng_mix(p->rows_id, p->label[p->n]);
    p->n++;
    return 0;
}

static int
u32_compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Hashes of groups become numbers from 0. */
static void
groups_number(struct predictions *p)
{
    uint32_t *sorted = mem_calloc(p->n, sizeof *sorted);
    memcpy(sorted, p->group, p->n * sizeof *sorted);
    qsort(sorted, p->n, sizeof *sorted, u32_compare);
    uint32_t m = 0;
    for (size_t i = 0; i < p->n; i++)
        if (i == 0 || sorted[i] != sorted[i - 1])
            sorted[m++] = sorted[i];
    for (size_t i = 0; i < p->n; i++) {
        uint32_t *at =
            bsearch(&p->group[i], sorted, m, sizeof *sorted, u32_compare);
        p->group[i] = (uint32_t)(at - sorted);
    }
    p->groups = m;
    free(sorted);
}

int
predictions_read(const char *path, struct predictions *out, struct err *err)
{
    char line[1024], *word[4];
    size_t at = 0;
    int rc = 0;
    memset(out, 0, sizeof *out);
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return err_set(err, -ERR_NOT_FOUND, "no predictions file %s", path);
    while (rc == 0 && fgets(line, sizeof line, f) != NULL) {
        int n = words_of(line, word);
        at++;
        if (n == 0)
            continue;
        if (row_add(out, word, n) != 0 && at > 1) /* line 1 may be a header */
            rc = err_set(err, -ERR_INPUT,
                "%s:%zu: not an id, a label of 0 or 1, and a score", path, at);
        if (out->n > PREDICTIONS_ROWS_MAX)
            rc = err_set(err, -ERR_LIMIT, "%s has more than %d rows", path,
                PREDICTIONS_ROWS_MAX);
    }
    fclose(f);
    if (rc == 0 && out->n == 0)
        rc = err_set(err, -ERR_INPUT, "%s has no rows", path);
    if (rc == 0 && out->group != NULL)
        groups_number(out);
    return rc;
}
