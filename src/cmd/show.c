/* rea show, why, report, hypothesis show: what the report layer knows about an
 * id, printed. Reads only. */
#include "cmd/agent.h"
#include "cmd/verbs.h"
#include "cmd/work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "cmd/rerun.h"
#include "patch/tree.h"
#include "report/load.h"

/* The report of the campaign that an id belongs to. */
static int
report_of(struct call *call, const char *id, struct store **st,
    struct report **r, struct report_id *part, struct err *err)
{
    int rc = work_store(call, STORE_READ, st, err);
    if (rc == 0)
        rc = work_part(call, *st, id, part, err);
    if (rc != 0)
        return rc;
    if (part->kind == 'I')
        return err_set(err, -ERR_INPUT,
            "%s is an insight\n  remedy: rea insight show %s", id, id);
    *r = report_load(*st, part->campaign, err);
    return *r != NULL ? 0 : err->code;
}

static const char *
part_name(struct call *call, const struct report_id *p)
{
    return arena_printf(call->arena, "%c%u", p->kind, p->number);
}

/* The diff that a hypothesis brings; its reader let no control character
 * through. */
static void
diff_show(struct call *call, struct store *st, const struct core *c, uint32_t h)
{
    struct buf text = {0};
    struct err why = {0};
    if (h < 1 || h > c->n_hypotheses || c->hypothesis[h - 1].patch == 0)
        return;
    const char *sha = c->patch[c->hypothesis[h - 1].patch - 1].sha256;
    if (patch_text(store_root(st), sha, &text, &why) == 0)
        say(call, "\n%s", buf_str(&text));
    else
        say(call, "\n%s\n", why.text);
    buf_fini(&text);
}

static int
facts_run(struct call *call, bool why, struct err *err)
{
    struct store *st = NULL;
    struct report *r = NULL;
    struct report_id part;
    struct text_style style = work_style(call);
    int rc = report_of(call, call->args[0], &st, &r, &part, err);
    if (rc == 0) {
        const char *id = part_name(call, &part);
        if (part.kind == 'C')
            id = arena_printf(call->arena, "C%u", part.campaign);
        if (call->json)
            rc = show_json(r, id, &call->out, err);
        else if (why)
            rc = why_text(r, id, &style, &call->out, err);
        else {
            rc = show_text(r, id, &style, &call->out, err);
            if (rc == 0 && part.kind == 'H')
                diff_show(call, st, r->core, part.number);
        }
    }
    report_free(r);
    store_close(st);
    return rc;
}

static int
show_run(struct call *call, struct err *err)
{
    return facts_run(call, false, err);
}

static int
why_run(struct call *call, struct err *err)
{
    return facts_run(call, true, err);
}

/* ---- report ---- */

/* A device or a pipe is written to, not replaced by a file; - is standard
 * output. */
static int
text_to(const char *to, const struct buf *b, struct err *err)
{
    struct stat s;
    bool out = strcmp(to, "-") == 0;
    if (out || (stat(to, &s) == 0 && !S_ISREG(s.st_mode))) {
        FILE *f = out ? stdout : fopen(to, "w");
        bool bad = f == NULL || fwrite(buf_str(b), 1, b->len, f) != b->len;
        if (f != NULL && (out ? fflush(f) : fclose(f)) != 0)
            bad = true;
        return bad ? err_sys(err, "write %s", to) : 0;
    }
    int rc = fs_write_atomic(to, buf_str(b), b->len, false, err);
    return rc == 0 ? 0
                   : err_wrap(
                         err, rc, "the report (-o FILE chooses where it goes)");
}

static int
report_write(struct call *call, const struct report *r, const char *root,
    struct err *err)
{
    struct buf b = {0};
    const char *to = call_opt(call, "output");
    if (to == NULL) {
        char *dir = fs_join_in(call->arena, root, ".rea/reports");
        int rc = fs_mkdirs(dir, err);
        if (rc != 0)
            return rc;
        to = arena_printf(call->arena, "%s/C%u.html", dir, r->campaign);
    }
    report_html(r, &b);
    int rc = text_to(to, &b, err);
    if (rc == 0 && strcmp(to, "-") != 0) {
        say(call, "wrote %s (%zu KB, one self-contained page)\n", to,
            b.len / 1024);
        if (r->core->proposal != 0)
            call_next(call, "rea accept C%u    rea repro C%u --run",
                r->campaign, r->campaign);
        else
            call_next(call, "rea why C%u", r->campaign);
    }
    buf_fini(&b);
    return rc;
}

static int
report_to(struct call *call, struct err *err)
{
    const char *to = call_opt(call, "output");
    if (to == NULL)
        return 0;
    int rc = text_to(to, &call->out, err);
    buf_clear(&call->out);
    return rc;
}

/* Only this writes: the paragraph is an event of the campaign. */
static int
report_summarise(
    struct call *call, struct store **st, uint32_t id, struct err *err)
{
    store_close(*st);
    *st = NULL;
    int rc = work_store(call, STORE_WRITE, st, err);
    if (rc == 0)
        agent_summarise(call, *st, id);
    return rc;
}

static int
report_run(struct call *call, struct err *err)
{
    struct store *st = NULL;
    struct err ignored = {0};
    uint32_t id = 0;
    int rc = work_store(call, STORE_READ, &st, err);
    if (rc == 0)
        rc = work_campaign(
            call, st, call->n_args > 0 ? call->args[0] : NULL, &id, err);
    if (rc == 0 && call_has(call, "summary"))
        rc = report_summarise(call, &st, id, err);
    struct report *r = rc == 0 ? report_load(st, id, err) : NULL;
    if (rc == 0 && r == NULL)
        rc = err->code;
    if (r != NULL) {
        /* Without its project file a report goes without the command. */
        (void)rerun_describe(call, st, r, NULL, &r->repro, &ignored);
        if (call->json)
            report_json(r, &call->out);
        else if (call_has(call, "md"))
            report_md(r, &call->out);
        else
            rc = report_write(call, r, store_root(st), err);
        if (rc == 0 && (call->json || call_has(call, "md")))
            rc = report_to(call, err);
    }
    report_free(r);
    store_close(st);
    return rc;
}

const struct cmd cmd_show = {.name = "show",
    .args = "ID",
    .min_args = 1,
    .max_args = 1,
    .help = "details of a campaign, hypothesis, experiment, trial, job",
    .example = "rea show T12",
    .opts = NULL,
    .run = show_run};

const struct cmd cmd_why = {.name = "why",
    .args = "ID",
    .min_args = 1,
    .max_args = 1,
    .help = "the decision, its evidence and the numbers behind it",
    .more = "The lines are those of the event log; ids of another campaign "
            "are written C2/T5.",
    .example = "rea why H3",
    .run = why_run};

const struct cmd cmd_hypothesis_show = {.name = "hypothesis show",
    .args = "H",
    .min_args = 1,
    .max_args = 1,
    .help = "claim, change, source, evidence, prediction, verdict",
    .run = show_run};

static const struct cmd_opt report_opts[] = {
    {"output", 'o', "FILE", "where to write it; - is standard output"},
    {"md", 0, NULL, "Markdown on standard output"},
    {"summary", 0, NULL, "with a paragraph by the language model of [model]"},
    {0}};

const struct cmd cmd_report = {.name = "report",
    .args = "[C]",
    .max_args = 1,
    .help = "one self-contained page with plots; --md, --json",
    .example = "rea report C1 -o c1.html",
    .opts = report_opts,
    .run = report_run};
