/* A report from a campaign of the workspace: reads and replays its events. */
#ifndef REPORT_LOAD_H
#define REPORT_LOAD_H

#include "base/err.h"
#include "report/view.h"

struct store;

/* NULL on error. Read only. The caller may fill ->repro before rendering. */
struct report *report_load(struct store *s, uint32_t campaign, struct err *err);

#endif
