/* rea runbook list, test: the signatures of broken jobs, and which of them a
 * log matches. Reads only. */
#include "cmd/verbs.h"
#include "cmd/work.h"

#include <string.h>

#include "base/fs.h"
#include "jobs/signature.h"

enum { RULES_SHOWN = 21, HITS_MAX = 8, LOG_MAX = 256 << 20 };

static int
book_of(struct call *call, struct signature_book **out, struct err *err)
{
    const char *root = NULL, *file = NULL;
    struct project *p = NULL;
    struct err ignored = {0};
    int rc = work_root(call, &root, err);
    if (rc != 0)
        return rc;
    if (project_find(call->arena, root, NULL, &p, &ignored) == 0 &&
        p->runbook != NULL && p->runbook[0] != '\0')
        file = fs_join_in(call->arena, root, p->runbook);
    return signature_book_new(file, out, err);
}

static void
rule_json(struct jw *w, const struct signature_rule *r)
{
    char class[2] = {r->class, '\0'};
    jw_kstr(w, "id", r->id);
    jw_kstr(w, "class", class);
    jw_kstr(w, "means", signature_class_text(r->class));
    jw_kstr(w, "pattern", r->pattern);
    jw_kstr(w, "remedy", r->remedy);
    jw_kstr(w, "source", r->source);
}

static int
runbook_list_run(struct call *call, struct err *err)
{
    struct signature_book *b = NULL;
    struct jw w;
    int rc = book_of(call, &b, err);
    if (rc != 0)
        return rc;
    size_t n = signature_book_len(b), shown = n;
    if (call->json) {
        jw_init(&w, &call->out, 0);
        jw_obj_begin(&w);
        jw_key(&w, "rules");
        jw_arr_begin(&w);
    } else if (!call_has(call, "all") && n > RULES_SHOWN)
        shown = RULES_SHOWN;
    for (size_t i = 0; i < shown; i++) {
        const struct signature_rule *r = signature_book_rule(b, i);
        if (!call->json) {
            say(call, "%-26s %c  %s\n", r->id, r->class, r->remedy);
            continue;
        }
        jw_obj_begin(&w);
        rule_json(&w, r);
        jw_obj_end(&w);
    }
    if (call->json) {
        jw_arr_end(&w);
        jw_obj_end(&w);
        say(call, "\n");
    } else if (shown < n)
        say(call, "... and %zu more (--all)\n", n - shown);
    call_next(call, "rea runbook test LOG");
    signature_book_free(b);
    return 0;
}

/* Why hit i does or does not decide; hits stand best first. */
static const char *
standing(
    struct call *call, const struct signature_hit *hits, size_t n, size_t i)
{
    enum signature_rank mine = hits[i].rule->rank, best = hits[0].rule->rank;
    if (mine == RANK_BENIGN)
        return "never explains a failure";
    if (i > 0 && mine == best)
        return arena_printf(call->arena,
            "gives way: as %s as %s, printed later", signature_rank_name(mine),
            hits[0].rule->id);
    if (i > 0)
        return arena_printf(call->arena, "gives way: %s, and %s is %s",
            signature_rank_name(mine), hits[0].rule->id,
            signature_rank_name(best));
    if (n == 1)
        return "<- decides: the only rule that matches";
    return hits[1].rule->rank == best
               ? arena_printf(call->arena,
                     "<- decides: of the %s ones the first printed",
                     signature_rank_name(best))
               : arena_printf(call->arena,
                     "<- decides: %s, the others are less",
                     signature_rank_name(best));
}

static void
hits_json(struct call *call, const struct signature_hit *hits, size_t n)
{
    struct jw w;
    jw_init(&w, &call->out, 0);
    jw_obj_begin(&w);
    jw_key(&w, "matches");
    jw_arr_begin(&w);
    for (size_t i = 0; i < n; i++) {
        jw_obj_begin(&w);
        rule_json(&w, hits[i].rule);
        jw_kstr(&w, "rank", signature_rank_name(hits[i].rule->rank));
        jw_kbool(&w, "decides", i == 0 && hits[i].rule->rank != RANK_BENIGN);
        jw_kstr(&w, "why", standing(call, hits, n, i));
        jw_kstr(&w, "line", hits[i].line);
        jw_ki64(&w, "line_no", (int64_t)hits[i].line_no);
        jw_obj_end(&w);
    }
    jw_arr_end(&w);
    jw_obj_end(&w);
    say(call, "\n");
}

static int
runbook_test_run(struct call *call, struct err *err)
{
    struct signature_book *b = NULL;
    struct signature_hit hits[HITS_MAX];
    struct buf text = {0};
    size_t n = 0;
    int rc = fs_read(call->args[0], LOG_MAX, &text, err);
    if (rc == 0)
        rc = book_of(call, &b, err);
    if (rc == 0)
        rc =
            signature_book_all(b, buf_str(&text), text.len, hits, HITS_MAX, &n);
    buf_fini(&text);
    if (rc == 0 && call->json)
        hits_json(call, hits, n);
    else if (rc == 0 && n == 0)
        say(call, "no rule matches the end of %s\n", call->args[0]);
    for (size_t i = 0; rc == 0 && !call->json && i < n; i++) {
        const struct signature_rule *r = hits[i].rule;
        say(call, "%-26s class %c (%s)  %s\n  line %zu: %s\n  remedy: %s\n",
            r->id, r->class, signature_class_text(r->class),
            standing(call, hits, n, i), hits[i].line_no, hits[i].line,
            r->remedy);
    }
    signature_book_free(b);
    if (rc == 0)
        call_next(call, "rea runbook list");
    return rc;
}

static const struct cmd_opt list_opts[] = {
    {"all", 0, NULL, "every rule, not only the first ones"}, {0}};

const struct cmd cmd_runbook_list = {.name = "runbook list",
    .args = "",
    .help = "the rules that explain broken jobs",
    .opts = list_opts,
    .run = runbook_list_run};

const struct cmd cmd_runbook_test = {.name = "runbook test",
    .args = "LOG",
    .min_args = 1,
    .max_args = 1,
    .help = "which rule a log matches, and why",
    .example = "rea runbook test .rea/runs/C1/T5/a1/stderr.log",
    .run = runbook_test_run};
