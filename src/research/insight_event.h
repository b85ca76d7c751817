/* Events of the insights database: appended, never changed. What the verbs
 * show as rows is a projection of them and can be rebuilt at any time.
 *
 * An event is one JSON text {"event", "of", "at_ms", "by", "payload"}; its
 * identity is the BLAKE2b-256 of that text, so that databases merge as sets.
 *
 *   kind         of               payload
 *   hypothesis   origin of a row  statement, change, expected, source, ...
 *   experiment   name of its own  model, scope, config, metric, trials: [{id,
 *                                 seed, value, status, run}]
 *   observation  origin of a row  row: {the row}, experiments: [names],
 *                                 pairs: [[from, to, gain]]
 *   decision     origin of a row  what: promote, reject, ...; or "promoted"
 *                                 with promotion: {by, at_ms, hash, key,
 *                                 signature}
 *   correction   origin of a row  fields: {what changes}, why
 *
 * Projection of a row: of its observations that with the earliest at_ms (then
 * the lowest hash), corrected by its corrections in order of (at_ms, hash),
 * promoted when a signed promotion is about exactly that content. */
#ifndef RESEARCH_INSIGHT_EVENT_H
#define RESEARCH_INSIGHT_EVENT_H

#include "research/insight.h"

enum { INSIGHT_EVENT_BYTES_MAX = 1 << 20 };

/* Appends; *added (may be NULL) tells whether it was new. The row it is about
 * is projected again when that can change it. */
int insight_append(struct insights *db, const struct insight_event *e,
    bool *added, struct err *err);
/* The same of an event's text, which is checked. */
int insight_append_text(struct insights *db, const char *text, size_t len,
    bool *added, struct err *err);
/* Appends without projecting: the caller knows the row. */
int insight_append_only(struct insights *db, const struct insight_event *e,
    bool *added, struct err *err);
const char *insight_event_name(uint32_t kind);
int64_t insight_subject(const char *origin);

/* ---- promotions (insight_promote.c) ---- */

/* Hash of what a promotion signs. */
void insight_content_hash(const struct insight *row, char hex[65]);
/* Does this promotion (a JSON object) hold for exactly this content? */
bool insight_promotion_holds(const struct insight *row, const char *promotion);
/* Takes a promotion that came with a row from elsewhere, if it holds. */
int insight_promotion_take(struct insights *db, const struct insight *row,
    const char *promotion, bool *taken, struct err *err);
/* Keeps that a row of version 1 was promoted. */
int insight_promotion_old(
    struct insights *db, const struct insight *row, struct err *err);

#endif
