/* Every verb's entry, each defined beside its code. */
#ifndef CMD_VERBS_H
#define CMD_VERBS_H

#include "cmd/cmd.h"

#define VERB_LIST(X)                                                           \
    X(demo)                                                                    \
    X(init)                                                                    \
    X(check)                                                                   \
    X(plan)                                                                    \
    X(plan_edit)                                                               \
    X(hypothesis_add)                                                          \
    X(hypothesis_drop)                                                         \
    X(hypothesis_list)                                                         \
    X(hypothesis_show)                                                         \
    X(approve)                                                                 \
    X(run)                                                                     \
    X(status)                                                                  \
    X(pause)                                                                   \
    X(resume)                                                                  \
    X(stop)                                                                    \
    X(budget)                                                                  \
    X(pool)                                                                    \
    X(pin)                                                                     \
    X(try)                                                                     \
    X(why)                                                                     \
    X(show)                                                                    \
    X(log)                                                                     \
    X(diff)                                                                    \
    X(report)                                                                  \
    X(accept)                                                                  \
    X(repro)                                                                   \
    X(replay)                                                                  \
    X(insight_list)                                                            \
    X(insight_show)                                                            \
    X(insight_search)                                                          \
    X(insight_add)                                                             \
    X(insight_promote)                                                         \
    X(insight_import)                                                          \
    X(insight_export)                                                          \
    X(insight_why)                                                             \
    X(insight_correct)                                                         \
    X(insight_merge)                                                           \
    X(insight_rebuild)                                                         \
    X(research_add)                                                            \
    X(research_search)                                                         \
    X(research_ask)                                                            \
    X(research_reliability)                                                    \
    X(research_agent)                                                          \
    X(runbook_list)                                                            \
    X(runbook_test)                                                            \
    X(runbook_nodes)                                                           \
    X(wake)                                                                    \
    X(sweep)                                                                   \
    X(serve)                                                                   \
    X(store_show)                                                              \
    X(store_move)

#define X(verb) extern const struct cmd cmd_##verb;
VERB_LIST(X)
#undef X

#endif
