/* Names of events, reasons, remedies, verdicts: renderings of flow.def and the
 * lists in event.h. Called by trace, docs and every face. */
#include "core/event.h"

static const struct {
    const char *name, *file, *meaning;
    enum event_who who;
} event_table[EVENT_COUNT] = {
    [EVENT_NONE] = {"none", "", "", 0},
#define EVENT(name, who, file, text) [EVENT_##name] = {#name, #file, text, who},
#include "core/flow.def"
#undef EVENT
};

const char *
event_name(uint32_t kind)
{
    return event_table[kind < EVENT_COUNT ? kind : 0].name;
}

enum event_who
event_who(uint32_t kind)
{
    return event_table[kind < EVENT_COUNT ? kind : 0].who;
}

const char *
event_meaning(uint32_t kind)
{
    return event_table[kind < EVENT_COUNT ? kind : 0].meaning;
}

const char *
event_file(uint32_t kind)
{
    return event_table[kind < EVENT_COUNT ? kind : 0].file;
}

const char *
reason_name(uint32_t reason)
{
    static const char *const names[REASON_COUNT] = {
#define X(name, text) text,
        REASON_LIST(X)
#undef X
    };
    return names[reason < REASON_COUNT ? reason : REASON_UNKNOWN];
}

const char *
remedy_name(uint32_t remedy)
{
    static const char *const names[REMEDY_COUNT] = {
        "none", "retry", "resume", "shrink", "stabilise", "give up", "halt"};
    return names[remedy < REMEDY_COUNT ? remedy : 0];
}

const char *
verdict_name(uint32_t verdict)
{
    static const char *const names[VERDICT_COUNT] = {"open", "promote",
        "reject", "inconclusive", "failed", "unstable", "untested",
        "needs_hook"};
    return names[verdict < VERDICT_COUNT ? verdict : 0];
}

const char *
source_name(uint32_t source)
{
    static const char *const names[] = {
        "none", "insight", "research", "engineer"};
    return names[source <= SOURCE_ENGINEER ? source : 0];
}

const char *
pair_name(uint32_t pair)
{
    static const char *const names[] = {
        "open", "additive", "synergy", "conflict", "unclear"};
    return names[pair <= PAIR_UNCLEAR ? pair : 0];
}

const char *
trial_state_name(uint32_t state)
{
    static const char *const names[] = {
        "none", "queued", "running", "ok", "failed", "stopped"};
    return names[state <= TRIAL_STOPPED ? state : 0];
}
