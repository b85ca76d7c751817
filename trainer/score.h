/* Scores whole splits and writes what the scores say. */
#ifndef TRAINER_SCORE_H
#define TRAINER_SCORE_H

#include "metric.h"
#include "model.h"

/* Rows of the largest batch that score_split and training use. */
uint32_t score_rows(const struct config *c);
/* Scores every row of a split in its order. out is filled; free it with
 * scores_fini. b is used as working memory. */
void score_split(struct model *m, const struct dataset *d, enum split_kind s,
    struct batch *b, struct scores *out);
void scores_fini(struct scores *s);

/* Adds ,"NAME.auc":... for the metrics that exist. */
void metrics_put(struct buf *line, const char *name, const struct metrics *m);
/* The file of --metrics, $REA_METRICS_FILE or stdout. -ERR_SYS. */
int metrics_append(const struct config *c, const char *line, struct err *err);
/* Writes id,label,score by rename. -ERR_SYS, -ERR_FULL. */
int
predictions_write(const char *path, const struct scores *s, struct err *err);
/* Peak resident memory of this process in MB. */
double memory_peak_mb(void);
/* Adds the processor time of this process so far, user and system:
 * ,"cpu_s":...,"core_hours":... (a job's cost on a machine shared by many). */
void cost_put(struct buf *line);

#endif
