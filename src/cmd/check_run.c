/* Runs the user's program once for a check: as a job would be run, in a
 * scratch folder, for a bounded time, and reads its metrics. Called by the
 * looks of check. */
#include "cmd/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"

void
check_say(struct check *k, enum check_state state, const char *name,
    const char *remedy, const char *fmt, ...)
{
    char text[900];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (k->n_lines == CHECK_LINES_MAX)
        return;
    struct arena *a = k->call->arena;
    k->line[k->n_lines++] = (struct check_line){.state = state,
        .name = arena_strdup(a, name),
        .detail = arena_strdup(a, text),
        .remedy = remedy != NULL ? arena_strdup(a, remedy) : NULL};
}

static int
run_render(struct check *k, struct check_run *run, struct err *err)
{
    struct job_request req = {.evaluate = run->evaluate,
        .resume = run->resume,
        .config = &run->config,
        .seed = 1,
        .run_dir = run->dir,
        .checkpoint = run->checkpoint,
        .campaign = "C0",
        .trial = "T0",
        .attempt = 1,
        .phase = "check",
        .hypotheses = ""};
    int rc = command_render(k->call->arena, k->p, &req, &run->cmd, err);
    if (rc == 0)
        rc = fs_mkdirs(run->dir, err);
    if (rc == 0)
        rc = fs_write_atomic(run->cmd.knobs_file, run->cmd.knobs_json,
            strlen(run->cmd.knobs_json), false, err);
    return rc;
}

static int
run_harvest(struct check *k, struct check_run *run, struct err *err)
{
    struct arena *a = k->call->arena;
    const char *out = fs_join_in(a, run->dir, "stdout.log");
    const char *bad = fs_join_in(a, run->dir, "stderr.log");
    int rc = fs_write_atomic(
        out, buf_str(&run->result.out), run->result.out.len, false, err);
    if (rc == 0)
        rc = fs_write_atomic(
            bad, buf_str(&run->result.err), run->result.err.len, false, err);
    if (rc == 0)
        rc = harvest_files(&k->p->harvest, run->cmd.metrics_file, out, bad,
            NULL, NULL, run->value, err);
    return rc;
}

int
check_run(struct check *k, struct check_run *run, struct err *err)
{
    int rc = run_render(k, run, err);
    if (rc != 0)
        return rc;
    struct probe probe = {.argv = run->cmd.argv,
        .envp = run->cmd.env,
        .cwd = k->root,
        .time_ms = run->time_ms,
        .grace_ms = k->p->train.grace_ms,
        .enough = run->enough,
        .arg = run->arg};
    rc = probe_run(&probe, &run->result, err);
    if (k->n_probes < CHECK_PROBES_MAX)
        k->probe[k->n_probes++] = run->cmd.line;
    k->probes_ms += run->result.ms;
    if (rc != 0)
        return rc;
    run->ended_well =
        run->result.exit_code == 0 ||
        (run->result.exit_code > 0 &&
            project_exit(k->p, run->result.exit_code) == EXIT_MEANS_OK);
    return run_harvest(k, run, err);
}

void
check_run_fini(struct check_run *run)
{
    probe_fini(&run->result);
}

/* The last line that is not blank. */
static const char *
last_line(struct arena *a, const struct buf *b)
{
    size_t end = b->len;
    while (end > 0 && (unsigned char)b->data[end - 1] <= ' ')
        end--;
    size_t from = end;
    while (from > 0 && b->data[from - 1] != '\n')
        from--;
    if (end - from > 200)
        end = from + 200;
    char *s =
        arena_strndup(a, b->data != NULL ? b->data + from : "", end - from);
    for (char *p = s; *p != '\0'; p++) {
        if ((unsigned char)*p < ' ')
            *p = ' ';
    }
    return s;
}

const char *
check_words(struct check *k, const struct check_run *run)
{
    struct arena *a = k->call->arena;
    const struct probe_result *r = &run->result;
    const char *line = last_line(a, &r->err);
    if (line[0] == '\0')
        line = last_line(a, &r->out);
    const char *how =
        r->timed_out     ? arena_printf(a, "still running after %s",
                               duration(k->call, (double)run->time_ms / 1000))
        : r->signal != 0 ? arena_printf(a, "ended by signal %d", r->signal)
                         : arena_printf(a, "exit %d", r->exit_code);
    return line[0] != '\0' ? arena_printf(a, "%s: %s", how, line) : how;
}
