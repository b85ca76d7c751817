/* The fields of an insight as a table: the database, the JSON lines and their
 * checks are loops over it, so a new field is one line. For src/research. */
#ifndef RESEARCH_INSIGHT_ROW_H
#define RESEARCH_INSIGHT_ROW_H

#include "research/insight.h"

enum field_kind { FIELD_NONE, FIELD_TEXT, FIELD_JSON, FIELD_REAL, FIELD_INT };

struct field {
    const char *name; /* column and JSON key */
    uint8_t kind;
    size_t at; /* offset in struct insight */
};

enum { INSIGHT_FIELDS = 31, INSIGHT_TEXT_MAX = 8192 };
extern const struct field insight_field[INSIGHT_FIELDS];

const char **field_text(struct insight *r, const struct field *f);
double *field_real(struct insight *r, const struct field *f);
int64_t *field_int(struct insight *r, const struct field *f);

/* Fills what can be derived (texts that are NULL, origin, statement, interval,
 * verdict), then checks everything: -ERR_INPUT names the field. */
int insight_complete(struct insight *r, struct arena *a, struct err *err);
/* Reads a JSON object; `defaults` (may be NULL) gives what it leaves out.
 * Texts lie in the arena. */
int insight_read(struct insight *r, const struct json *obj,
    const struct json *defaults, struct arena *a, struct err *err);
/* Members of an open JSON object, absent ones left out. The content is what a
 * promotion signs: all but status, promotion and created_ms. */
void insight_write(struct jw *w, const struct insight *r);
void insight_write_content(struct jw *w, const struct insight *r);
/* The verdict of this name; INSIGHT_VERDICT_COUNT: none. */
uint32_t insight_verdict_find(const char *name);
/* A tree as text with sorted keys, in the arena. */
const char *json_dump_in(struct arena *a, const struct json *j);

#endif
