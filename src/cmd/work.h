/* What most verbs need: the workspace, a campaign by what the user called it,
 * facts appended to its log. */
#ifndef CMD_WORK_H
#define CMD_WORK_H

#include "cmd/cmd.h"
#include "core/core.h"
#include "project/project.h"
#include "report/report.h"
#include "store/store.h"
#include "wake/wake.h"

struct insights;

/* ---- the workspace (work.c) ---- */

/* Root of the workspace: the closest folder from call->dir upwards that holds
 * .rea or rea.toml, else call->dir itself. Absolute. */
int work_root(struct call *call, const char **root, struct err *err);
/* Opens the store of the workspace. Without one: -ERR_NOT_FOUND that names
 * the next command (READ, WRITE). */
int work_store(struct call *call, enum store_mode mode, struct store **out,
    struct err *err);
/* Path of the insights database: that of the model (NULL: of the only one),
 * else the workspace's own. */
const char *work_insights_path(
    struct call *call, const char *root, const struct project *p);
/* Opens it; flags as in insight_open. */
int work_insights(
    struct call *call, uint32_t flags, struct insights **out, struct err *err);

/* ---- what the user named (name.c) ---- */

/* "I12", "12" -> 12. kind is the letter wanted. -ERR_INPUT with the remedy. */
int work_id(const char *text, char kind, uint32_t *out, struct err *err);
/* A campaign by id ("C1", "1") or model; text NULL: the only one that is not
 * over, else the last one. -ERR_INPUT names the choices. */
int work_campaign(struct call *call, struct store *st, const char *text,
    uint32_t *id, struct err *err);
/* An id of a campaign's part: "T5", "C2/T5"; the campaign is the one named,
 * that of --campaign, or the default one. */
int work_part(struct call *call, struct store *st, const char *text,
    struct report_id *out, struct err *err);
/* The project file that a campaign was drafted from, as it is now. */
int work_project(struct call *call, struct store *st, uint32_t campaign,
    struct project **out, struct err *err);
/* The engineer: $USER, else the account's name. */
const char *work_user(struct call *call);

/* ---- waking (hooks.c) ---- */

extern const struct wake_hooks work_hooks;
struct wake_opts work_opts(struct call *call, enum wake_cause cause);
/* Appends facts to a campaign and goes on as a wake does; a gate is success
 * here (*out tells). */
int work_facts(struct call *call, struct store *st, uint32_t campaign,
    const struct event *facts, size_t n, bool no_submit,
    struct wake_result *out, struct err *err);

/* ---- amounts and style (words.c) ---- */

struct text_style work_style(const struct call *call);
/* Micro-units as a number of the unit: "1.25", in one of a few buffers. */
const char *amount(struct call *call, int64_t micro);
/* "3 min", "45 s", "2.5 h". */
const char *duration(struct call *call, double seconds);
/* "+0.00123" with the digits that min_gain calls for. */
const char *gain(struct call *call, double x, double min_gain);

/* ---- changes written by the engineer (change.c) ---- */

/* One knob's value as text; *code is as in struct config. -ERR_INPUT names
 * the domain, and the value that was probably meant. */
int knob_read(const struct spec *s, uint32_t knob, const char *text,
    double *code, struct err *err);
struct change {
    uint32_t n_over;
    struct override over[OVERRIDES_MAX];
};
/* NAME=VALUE[,VALUE..] words as changes: every combination is one. The list
 * lives in the call's arena. */
int
changes_read(struct call *call, const struct spec *s, const char *const *words,
    uint32_t n, struct change **out, uint32_t *n_out, struct err *err);
/* A hypothesis_added event for an engineer's idea, predicted from history.
 * statement and why may be NULL. */
int change_event(struct call *call, const struct spec *s, struct insights *db,
    const struct change *c, const char *statement, const char *why,
    struct event *out, struct err *err);

#endif
