/* A scheduler that is asked by the user's own commands: submit prints an id,
 * state prints a word, cancel ends a job. What is done with the answers is in
 * scheduled.c. */
#include "jobs/scheduled.h"

#include <stdio.h>
#include <string.h>

static const char *
text_for(const struct jobs *j, const struct submission *s, enum backend_verb v)
{
    const struct scheduled *own = j->own;
    return own->config != NULL ? own->config->text[v] : s->text[v];
}

static bool
shell_for(const struct jobs *j, const struct submission *s)
{
    const struct scheduled *own = j->own;
    return own->config != NULL ? own->config->shell : s->shell;
}

static int
template_run(struct jobs *j, const struct submission *s, enum backend_verb v,
    struct probe_result *out, char why[DETAIL_LEN], struct err *err)
{
    struct arena a = {0};
    const char **argv;
    const struct var vars[] = {{"id", s->id}, {"token", s->token},
        {"run_dir", s->run_dir}, {"name", s->name}};
    int rc = backend_command_in(&a, text_for(j, s, v), shell_for(j, s), vars,
        sizeof vars / sizeof vars[0], &argv, err);
    if (rc == 0)
        rc = scheduler_run(
            j, s, backend_verb_name(v), argv, SCHEDULER_ASK_MS, out, why, err);
    arena_fini(&a);
    return rc;
}

static void
command_state(
    struct jobs *j, const struct submission *s, struct scheduler_answer *a)
{
    struct probe_result r = {0};
    struct err e = {0};
    if (text_for(j, s, BACKEND_STATE) == NULL) {
        snprintf(a->why, sizeof a->why, "its id is unknown");
        return;
    }
    if (template_run(j, s, BACKEND_STATE, &r, a->why, &e) != 0) {
        snprintf(a->why, sizeof a->why, "%.200s", e.text);
    } else if (a->why[0] == '\0') {
        a->word = scheduler_word_of(buf_str(&r.out));
        if (a->word == WORD_UNKNOWN)
            snprintf(a->why, sizeof a->why, "state printed '%.60s'",
                buf_str(&r.out) + strspn(buf_str(&r.out), " \t\r\n"));
    }
    probe_fini(&r);
}

static size_t
submit_vars(const struct job_spec *spec, const struct submission *s,
    const char *script, struct arena *a, struct var vars[])
{
    double memory = (double)spec->memory_bytes;
    double seconds = scheduler_seconds(spec);
    const struct var all[] = {{"script", script}, {"run_dir", s->run_dir},
        {"token", s->token}, {"name", s->name},
        {"cpus", whole_in(a, spec->cpus > 0 ? spec->cpus : 1)},
        {"gpus", whole_in(a, spec->gpus)}, {"memory", whole_in(a, memory)},
        {"memory_mb", whole_in(a, memory / (1 << 20))},
        {"time", whole_in(a, seconds)}, {"time_min", whole_in(a, seconds / 60)},
        {"exclude", spec->exclude != NULL ? spec->exclude : ""}};
    memcpy(vars, all, sizeof all);
    return sizeof all / sizeof all[0];
}

static int
command_submit(struct jobs *j, const struct job_spec *spec,
    struct submission *s, const char *script, char id[SUBMISSION_ID_MAX],
    struct err *err)
{
    struct var vars[16];
    const char **argv;
    char why[DETAIL_LEN];
    struct probe_result r = {0};
    size_t n = submit_vars(spec, s, script, &s->arena, vars);
    int rc = backend_command_in(&s->arena, text_for(j, s, BACKEND_SUBMIT),
        shell_for(j, s), vars, n, &argv, err);
    if (rc == 0)
        rc = scheduler_run(
            j, s, "submit", argv, SCHEDULER_SUBMIT_MS, &r, why, err);
    if (rc == 0 && why[0] != '\0')
        rc = err_set(err, -ERR_SYS, "%s", why);
    else if (rc == 0 && !scheduler_id_of(buf_str(&r.out), id))
        rc = err_set(
            err, -ERR_SYS, "submit printed no id: '%.80s'", buf_str(&r.out));
    probe_fini(&r);
    return rc == -ERR_NOT_FOUND ? err_wrap(err, -ERR_SYS, "submit") : rc;
}

static int
command_cancel(struct jobs *j, const struct submission *s, char why[DETAIL_LEN],
    struct err *err)
{
    struct probe_result r = {0};
    why[0] = '\0';
    if (text_for(j, s, BACKEND_CANCEL) == NULL)
        return 0;
    int rc = template_run(j, s, BACKEND_CANCEL, &r, why, err);
    probe_fini(&r);
    return rc;
}

static void
command_logs(
    struct jobs *j, const struct submission *s, size_t max, struct buf *out)
{
    struct probe_result r = {0};
    char why[DETAIL_LEN];
    if (text_for(j, s, BACKEND_LOGS) == NULL)
        return;
    if (template_run(j, s, BACKEND_LOGS, &r, why, NULL) == 0) {
        size_t skip = r.out.len > max ? r.out.len - max : 0;
        buf_add(out, buf_str(&r.out) + skip, r.out.len - skip);
    }
    probe_fini(&r);
}

static const struct scheduler_ops ops = {.kind = "command",
    .submit = command_submit,
    .state = command_state,
    .cancel = command_cancel,
    .logs = command_logs};

static int
command_open(struct jobs *j, const struct jobs_config *c, struct err *err)
{
    return scheduled_open(j, c, &ops, err);
}

const struct jobs_ops jobs_command = SCHEDULED_BACKEND("command", command_open);
