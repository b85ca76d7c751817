/* A strict subset of JSON Schema (2020-12), enough for replies: type,
 * properties, required, additionalProperties, enum, const, items, minItems,
 * maxItems, minimum, maximum, exclusiveMinimum, exclusiveMaximum, minLength,
 * maxLength (characters), pattern (PCRE2, with limits), anyOf. title,
 * description, default, examples and $schema say nothing. Any other keyword is
 * refused, since a rule that is not checked is none. */
#ifndef MODEL_SCHEMA_H
#define MODEL_SCHEMA_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

enum { SCHEMA_DEPTH_MAX = 64 };

/* Is this a schema of the subset? -ERR_INPUT with the place and the keyword. */
int schema_check(const struct json *schema, struct err *err);
/* Does the value satisfy it? false: `why` (may be NULL) gets one line, such as
 * "/changes/0/value: 7 is above the maximum 5". The schema has been checked. */
bool schema_holds(
    const struct json *schema, const struct json *value, struct buf *why);
/* Can OpenAI's strict mode take it: every object closed and all of its
 * properties required? */
bool schema_is_strict(const struct json *schema);

#endif
