/* Scores the history's predictions on changes that it has not seen:
 *   score-history INSIGHTS.jsonl HELD-OUT.tsv
 * Both come from tools/derive-insights.py with --exclude and --held-out.
 * Prints mean CRPS (beside that of the base rate), the coverage of 80 %
 * intervals, and how well the predicted gain tells up from down (area under
 * the ROC curve). Changes are clipped like those in the shipped set. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "math/dist.h"
#include "math/score.h"
#include "research/history.h"

enum { CHANGES_MAX = 20000 };

struct score {
    uint32_t n, covered;
    double crps, crps_base;
    double said[CHANGES_MAX], was[CHANGES_MAX];
};

static void
line_score(const struct history *h, char *line, struct score *s)
{
    char *col[6], *p = line;
    for (int i = 0; i < 6; i++) {
        col[i] = p;
        p += strcspn(p, "\t\n");
        if (*p != '\0')
            *p++ = '\0';
    }
    struct history_query q = {.knob = "", .family = col[0]};
    for (uint32_t c = 1; c < CONCEPT_COUNT; c++)
        if (strcmp(concept_name(c), col[1]) == 0)
    q.concept = c;
    move_read(&q.move, q.concept, col[2], col[3], "");
    struct history_answer a;
    history_ask(h, &q, &a);
    double y = fmax(-0.02, fmin(0.02, strtod(col[5], NULL)));
    s->crps += crps_normal(a.p.mean, a.p.sd, y);
    s->crps_base += crps_normal(0, BASE_RATE_SD, y);
    s->covered += fabs(y - a.p.mean) < normal_quantile(0.9) * a.p.sd ? 1u : 0u;
    s->said[s->n] = a.p.mean;
    s->was[s->n++] = y;
}

static double
sign_auc(const struct score *s)
{
    double wins = 0, pairs = 0;
    for (uint32_t i = 0; i < s->n; i++)
        for (uint32_t j = 0; j < s->n && s->was[i] > 0; j++)
            if (s->was[j] <= 0) {
                pairs++;
                wins += s->said[i] > s->said[j]    ? 1
                        : s->said[i] == s->said[j] ? 0.5
                                                   : 0;
            }
    return pairs > 0 ? wins / pairs : NAN;
}

static int
history_read(
    const char *jsonl, struct arena *a, struct history *h, struct err *err)
{
    struct insights *db;
    char path[] = "/tmp/score-history-XXXXXX", lock[64];
    int fd = mkstemp(path);
    if (fd < 0)
        return err_sys(err, "make %s", path);
    close(fd);
    snprintf(lock, sizeof lock, "%s.lock", path);
    int rc = insight_open(&db, path, INSIGHT_WRITE, err);
    if (rc == 0) {
        rc = insight_import(db, jsonl, NULL, err);
        if (rc == 0)
            rc = history_load(h, db, NULL, NULL, a, err);
        insight_close(db);
    }
    unlink(path);
    unlink(lock);
    return rc;
}

int
main(int argc, char **argv)
{
    struct err err = {0};
    struct arena a = {0};
    struct history h;
    if (argc != 3) {
        fprintf(stderr, "usage: score-history INSIGHTS.jsonl HELD-OUT.tsv\n");
        return 2;
    }
    FILE *f = fopen(argv[2], "r");
    if (f == NULL || history_read(argv[1], &a, &h, &err) != 0) {
        fprintf(stderr, "score-history: %s\n",
            f == NULL ? "the held-out file can't be read" : err.text);
        return 1;
    }
    struct score *s = mem_calloc(1, sizeof *s);
    char line[1024];
    while (s->n < CHANGES_MAX && fgets(line, sizeof line, f) != NULL)
        line_score(&h, line, s);
    fclose(f);
    printf("%u changes: crps %.2fe-4 (base rate %.2fe-4), 80 %% intervals "
           "cover %.1f %%, sign auc %.3f\n",
        s->n, s->crps / s->n * 1e4, s->crps_base / s->n * 1e4,
        100.0 * s->covered / s->n, sign_auc(s));
    free(s);
    arena_fini(&a);
    return 0;
}
