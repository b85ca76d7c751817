/* Notes that outlive a conversation: what a model wrote down, and hindsight
 * that the campaigns themselves give (what failed or was refuted, why, what
 * helped). Rows of agent.db, with a Markdown file each under .rea/notes/ for
 * people; the rows are what counts. */
#ifndef AGENT_NOTES_H
#define AGENT_NOTES_H

#include "agent/talk.h"
#include "research/insight.h"

/* Hindsight from the results in a brief: one note for each hypothesis that
 * was refuted, failed or unstable, and each failure with its outcome. Known
 * ones add nothing. */
int notes_from_brief(struct talk_db *db, const struct json *brief,
    const char *project, struct err *err);
/* The notes that share most words with `words`, the project's own first,
 * within max bytes, as quoted text. */
int notes_choose(struct talk_db *db, const char *project, const char *words,
    size_t max, struct buf *out, struct err *err);
/* Brings the Markdown files in `dir` up to the rows: one NNNN-title.md each.
 * Files that are there stay as they are. */
int notes_write(struct talk_db *db, const char *dir, struct err *err);

#endif
