/* What a model is reminded of: the brief whole, what is long ago folded, the
 * latest steps word for word. Pure functions over a conversation; when and by
 * whom a section is folded is the loop's part. */
#ifndef AGENT_MEMORY_H
#define AGENT_MEMORY_H

#include "agent/talk.h"
#include "base/buf.h"

enum {
    SECTION_TURNS = 3,    /* replies of a model in one section */
    SECTIONS_WHOLE = 1,   /* the latest are never folded */
    SECTIONS_APART = 4,   /* folded ones shown one by one; older ones merged */
    SUMMARY_LIST_MAX = 8, /* entries of one list of a section */
    SUMMARY_TEXT_MAX = 200,
    MERGED_LIST_MAX = 24, /* of the merged older sections, the newest kept */
};

/* What does not change within a round. */
struct frame {
    const char *system, *pinned;
    uint32_t tool_tokens; /* of the tools' schemas */
};

/* Tokens of a request made now, estimated. */
uint32_t memory_tokens(const struct talk *t, const struct frame *f);
/* The section to fold next where the request passes `limit` tokens; -1: none
 * is due, or none can be folded. */
int memory_due(const struct talk *t, const struct frame *f, uint32_t limit);
/* The section that a step added now belongs to. */
uint32_t memory_section(const struct talk *t);

/* {"goals": [], "decisions": [], "open": [], "errors": [], "facts": []} of a
 * section, by rule: decisions and errors are those of the tools' answers, so
 * that they are kept whatever a model makes of the rest. said (may be NULL):
 * a model's own summary, whose goals, open questions and facts are added. */
void memory_summary(const struct talk *t, uint32_t section,
    const struct json *said, struct buf *out);
/* The steps of a section as text, for a model to sum up. */
void memory_transcript(const struct talk *t, uint32_t section, struct buf *out);
/* JSON schema of that summary. */
extern const char memory_schema[];

/* The messages of a request: system, brief with what is folded, steps. In the
 * arena. */
void memory_messages(const struct talk *t, const struct frame *f,
    struct arena *a, struct model_message **out, uint32_t *n);

#endif
