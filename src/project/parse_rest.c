/* [train], [plan], [fidelity], [baseline], [budget], [backend], [notify].
 * Called by project.c after the knobs and metrics. Invariant: amounts are
 * finite, above zero and fit 64-bit micro-units. */
#include "project/backend.h"
#include "project/read.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct toml *
section_of(const struct reader *r, const char *name)
{
    const struct toml *t = toml_get(r->root, name);
    return t != NULL ? t : r->root;
}

/* ---- [train] ---- */

static int
parse_exit_codes(struct reader *r, const struct toml *t)
{
    static const char *const words[] = {
#define X(name, text) text,
        EXIT_MEANING_LIST(X)
#undef X
    };
    const uint32_t n_words = sizeof words / sizeof words[0];
    struct project *p = r->p;
    if (t == NULL)
        return 0;
    if (t->kind != TOML_TABLE || t->n > EXIT_CODES_MAX)
        return read_fail(r, place_value(t),
            "write exit_codes = { 85 = \"preempted\" }",
            "exit_codes is a table of at most %d codes", EXIT_CODES_MAX);
    for (const struct toml *v = t->child; v != NULL; v = v->next) {
        char *end;
        long code = strtol(v->key, &end, 10);
        if (*end != '\0' || v->key_len == 0 || code < 0 || code > 255)
            return read_fail(r, place_key(v), "use a number from 0 to 255",
                "\"%s\" is no exit code", v->key);
        uint32_t i = 0;
        while (
            v->kind == TOML_STR && i < n_words && strcmp(words[i], v->str) != 0)
            i++;
        if (v->kind != TOML_STR || i == n_words)
            return read_fail(r, place_value(v),
                read_hint(r, v->kind == TOML_STR ? v->str : "", words, n_words,
                    "known: ok, failed, preempted, diverged, oom, config, "
                    "data, node"),
                "exit code %ld has no known meaning", code);
        p->train.exit_codes[p->train.n_exit_codes++] =
            (struct exit_code){(int)code, (uint8_t)(i + 1)};
    }
    return 0;
}

static int
parse_fingerprint(struct reader *r, const struct toml *t)
{
    struct project *p = r->p;
    if (t == NULL)
        return 0;
    if (t->kind == TOML_STR) {
        p->train.fingerprint_command = t->str;
        return 0;
    }
    if (t->kind != TOML_ARRAY)
        return read_fail(r, place_value(t),
            "write fingerprint = [\"data/train.csv\"], or a command in quotes",
            "fingerprint is %s here", toml_kind_name(t->kind));
    p->train.fingerprint =
        arena_alloc(r->a, (t->n + 1) * sizeof *p->train.fingerprint);
    for (const struct toml *v = t->child; v != NULL; v = v->next) {
        if (v->kind != TOML_STR || v->str_len == 0)
            return read_fail(
                r, place_value(v), "write paths in quotes", "this is no path");
        p->train.fingerprint[p->train.n_fingerprint++] = v->str;
    }
    return 0;
}

static int
parse_vars(struct reader *r, const struct toml *t)
{
    static const char *const taken[] = {"knobs", "seed", "run_dir",
        "metrics_file", "predictions_file", "checkpoint", "resume"};
    struct project *p = r->p;
    if (t == NULL)
        return 0;
    if (t->kind != TOML_TABLE || t->n > VARS_MAX)
        return read_fail(r, place_key(t), "write [train.vars]",
            "vars is a table of at most %d names", VARS_MAX);
    for (const struct toml *v = t->child; v != NULL; v = v->next) {
        char name[NAME_LEN];
        int rc = read_name(r, v, name, sizeof name);
        if (rc != 0)
            return rc;
        for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
            if (strcmp(taken[i], name) == 0)
                return read_fail(r, place_key(v), "use another name",
                    "{%s} has a meaning already", name);
        }
        if (v->kind != TOML_STR && !toml_is_num(v))
            return read_fail(r, place_value(v), "write it in quotes",
                "%s is %s here", v->key, toml_kind_name(v->kind));
        p->train.vars[p->train.n_vars++] = (struct var){v->key,
            v->kind == TOML_STR
                ? v->str
                : arena_strndup(r->a, p->text + v->begin, v->end - v->begin)};
    }
    return 0;
}

int
parse_train(struct reader *r, const struct draft *d)
{
    struct project *p = r->p;
    const struct toml *t = section_of(r, "train");
    p->train.command = d->command;
    p->train.shell = d->shell;
    p->train.style = d->style;
    p->train.resume = d->resume;
    p->train.checkpoint = d->checkpoint;
    p->train.seed_flag = d->seed;
    p->train.grace_ms = d->grace_ms;
    p->train.hang_ms = d->hang_ms;
    p->train.backoff_ms = d->backoff_ms;
    p->train.pace = d->pace;
    p->evaluate.command = d->eval_command;
    p->evaluate.shell = d->eval_shell;
    p->spec.has_evaluate = d->eval_command != NULL;
    p->spec.has_resume = d->resume != NULL;
    if (d->command[strspn(d->command, " \t\n")] == '\0')
        return read_fail(r, place_of(t, "command"),
            "write what starts your training", "the command is empty");
    if (d->seed != NULL &&
        (*d->seed == '\0' || strcspn(d->seed, " \t\n=") != strlen(d->seed)))
        return read_fail(r, place_of(t, "seed"),
            "write seed = \"seed\", the flag's name",
            "\"%s\" is no name of a flag", d->seed);
    int rc = parse_exit_codes(r, d->exit_codes);
    if (rc == 0)
        rc = parse_fingerprint(r, d->fingerprint);
    return rc == 0 ? parse_vars(r, d->vars) : rc;
}

/* ---- [plan], [fidelity], [baseline] ---- */

static int
parse_phases(struct reader *r, const struct toml *t)
{
    static const char *const words[] = {
        "validation", "combination", "exploitation", "confirmation"};
    struct spec *s = &r->p->spec;
    s->phases = 1u << PHASE_VALIDATION | 1u << PHASE_COMBINATION |
                1u << PHASE_EXPLOITATION | 1u << PHASE_CONFIRMATION;
    if (t == NULL)
        return 0;
    s->phases = 0;
    if (t->kind != TOML_ARRAY || t->n == 0)
        return read_fail(r, place_value(t),
            "write phases = [\"validation\", ...]",
            "phases is a list of at least one phase");
    for (const struct toml *v = t->child; v != NULL; v = v->next) {
        uint32_t i = 0;
        while (v->kind == TOML_STR && i < 4 && strcmp(words[i], v->str) != 0)
            i++;
        if (v->kind != TOML_STR || i == 4)
            return read_fail(r, place_value(v),
                read_hint(r, v->kind == TOML_STR ? v->str : "", words, 4,
                    "known: validation, combination, exploitation, "
                    "confirmation"),
                "this is no phase");
        s->phases |= 1u << (i + PHASE_VALIDATION);
    }
    if ((s->phases & 1u << PHASE_COMBINATION) != 0 &&
        (s->phases & 1u << PHASE_VALIDATION) == 0)
        return read_fail(r, place_value(t), "add \"validation\"",
            "combination joins what validation found");
    return 0;
}

static int
parse_fidelity(struct reader *r, const struct draft *d)
{
    struct spec *s = &r->p->spec;
    s->fidelity_knob = -1;
    r->p->progress = METRICS_MAX;
    if (d->fidelity_knob == NULL)
        return 0;
    const struct toml *t = toml_get(r->root, "fidelity");
    const char *list[KNOBS_MAX];
    for (uint32_t i = 0; i < s->n_knobs; i++) {
        list[i] = s->knob[i].name;
        if (strcmp(list[i], d->fidelity_knob) == 0)
            s->fidelity_knob = (int32_t)i;
    }
    if (s->fidelity_knob < 0)
        return read_fail(r, place_of(t, "knob"),
            read_hint(r, d->fidelity_knob, list, s->n_knobs,
                "declare it as [knob.NAME]"),
            "there is no knob \"%s\"", d->fidelity_knob);
    const struct knob *k = &s->knob[s->fidelity_knob];
    if (k->kind != KNOB_INT && k->kind != KNOB_FLOAT)
        return read_fail(r, place_of(t, "knob"), NULL,
            "the fidelity knob must be an int or a float");
    if (d->rungs->kind != TOML_ARRAY || d->rungs->n == 0 ||
        d->rungs->n > RUNGS_MAX)
        return read_fail(r, place_value(d->rungs), "write rungs = [1, 2, 4]",
            "rungs is a list of 1 to %d values", RUNGS_MAX);
    for (const struct toml *v = d->rungs->child; v != NULL; v = v->next) {
        int rc = knob_code(r, k, v, &s->rung[s->n_rungs]);
        if (rc != 0)
            return rc;
        if (s->n_rungs > 0 && s->rung[s->n_rungs] <= s->rung[s->n_rungs - 1])
            return read_fail(
                r, place_value(v), "order them upwards", "rungs must rise");
        s->n_rungs++;
    }
    s->stops = d->stop && s->n_rungs > 1;
    if (d->progress == NULL)
        return 0;
    int m = spec_metric(s, d->progress);
    if (m < 0 || s->metric[m].role == METRIC_SEALED)
        return read_fail(r, place_of(t, "progress"),
            "declare it as [metric.NAME], not sealed",
            "there is no metric \"%s\" to tell the progress", d->progress);
    r->p->progress = (uint32_t)m;
    return 0;
}

int
parse_plan(struct reader *r, const struct draft *d)
{
    struct spec *s = &r->p->spec;
    if (d->max_hypotheses < 1 || d->max_hypotheses > 200)
        return read_fail(r, place_of(section_of(r, "plan"), "max_hypotheses"),
            "write a number from 1 to 200", "max_hypotheses out of bounds");
    s->max_hypotheses = (uint32_t)d->max_hypotheses;
    if (d->seeds < 2 || d->seeds > 100)
        return read_fail(r, place_of(section_of(r, "baseline"), "seeds"),
            "write a number from 2 to 100, 5 is usual",
            "seeds = %lld: noise can't be measured from less than 2 repeats",
            (long long)d->seeds);
    s->baseline_seeds = (uint32_t)d->seeds;
    int rc = parse_phases(r, d->phases);
    return rc == 0 ? parse_fidelity(r, d) : rc;
}

/* ---- [budget] ---- */

static int
check_unit(const struct reader *r, const struct draft *d, const struct toml *t)
{
    struct project *p = r->p;
    if (p->spec.unit == UNIT_GPU_HOURS && !(d->gpus > 0))
        return read_fail(r, place_of(t, "unit"),
            "write [resources] gpus = 1, or use unit = \"core_hours\"",
            "a job has no GPU, so GPU hours would never be spent");
    if (p->spec.unit == UNIT_USD && !(d->price > 0))
        return read_fail(r, place_of(t, "unit"),
            "add price_per_hour = the price of one job's hour",
            "unit usd needs a price");
    if (d->price != 0 && p->spec.unit != UNIT_USD)
        return read_fail(r, place_of(t, "price_per_hour"),
            "write unit = \"usd\", or leave the price out",
            "only unit usd has a price");
    if (d->price < 0 || d->price > 1e6)
        return read_fail(r, place_of(t, "price_per_hour"), NULL,
            "the price is out of bounds");
    return 0;
}

/* Bounds the time of jobs (parse_resources.c). */
static int
check_per_trial(
    const struct reader *r, const struct draft *d, const struct toml *t)
{
    struct project *p = r->p;
    struct place at = place_of(t, "per_trial");
    if (toml_get(t, "per_trial") == NULL)
        return 0;
    if (p->spec.unit == UNIT_TRIALS)
        return read_fail(
            r, at, "leave per_trial out", "an attempt costs one trial");
    if (!(d->per_trial > 0) || d->per_trial > d->total)
        return read_fail(r, at, "write an amount between 0 and total",
            "per_trial out of bounds");
    p->budget.per_trial_u = (int64_t)floor(d->per_trial * MICRO);
    return 0;
}

static int
check_cost_metric(
    const struct reader *r, const struct draft *d, const struct toml *t)
{
    const struct spec *s = &r->p->spec;
    const char *list[METRICS_MAX];
    if (d->cost_metric == NULL || *d->cost_metric == '\0')
        return 0;
    for (uint32_t i = 0; i < s->n_metrics; i++) {
        list[i] = s->metric[i].name;
        if (strcmp(list[i], d->cost_metric) == 0)
            return 0;
    }
    return read_fail(r, place_of(t, "cost_metric"),
        read_hint(r, d->cost_metric, list, s->n_metrics,
            "declare it as [metric.NAME]"),
        "there is no metric \"%s\"", d->cost_metric);
}

int
parse_budget(struct reader *r, const struct draft *d)
{
    struct project *p = r->p;
    struct spec *s = &p->spec;
    const struct toml *t = section_of(r, "budget");
    if (!(d->total > 0) || d->total > 1e12)
        return read_fail(r, place_of(t, "total"),
            "write the most that a campaign may cost",
            "a budget of %g buys nothing", d->total);
    if (d->max_parallel < 1 || d->max_parallel > 64)
        return read_fail(r, place_of(t, "max_parallel"),
            "write a number from 1 to 64",
            "max_parallel = %lld: at least one job must be able to run",
            (long long)d->max_parallel);
    s->unit = d->unit;
    s->total_u = (int64_t)floor(d->total * MICRO);
    s->wall_clock_ms = d->wall_clock_ms;
    s->max_parallel = (uint32_t)d->max_parallel;
    p->budget.cost_metric =
        d->cost_metric && *d->cost_metric ? d->cost_metric : NULL;
    p->budget.pool = d->pool && *d->pool ? d->pool : NULL;
    p->budget.pool_weight = d->pool_weight;
    if (p->budget.pool != NULL && strlen(p->budget.pool) >= NAME_LEN)
        return read_fail(r, place_of(t, "pool"), "choose a shorter name",
            "a pool's name has at most %d letters", NAME_LEN - 1);
    if (!(d->pool_weight > 0) || d->pool_weight > 1e6)
        return read_fail(r, place_of(t, "pool_weight"),
            "write a number above 0", "a weight of %g", d->pool_weight);
    int rc = check_unit(r, d, t);
    if (rc == 0)
        rc = check_per_trial(r, d, t);
    if (rc == 0)
        rc = check_cost_metric(r, d, t);
    return rc == 0 ? parse_resources(r, d) : rc;
}

/* ---- [backend], [insights], [runbook], [notify] ---- */

static const char *
some(const char *text)
{
    return text != NULL && *text != '\0' ? text : NULL;
}

static bool
is_reference(const char *text)
{
    return strncmp(text, "env:", 4) == 0 || strncmp(text, "file:", 5) == 0;
}

static int
parse_notify(struct reader *r, const struct draft *d)
{
    static const char *const words[] = {
        "needs-approval", "guardrail", "stuck", "phase-done", "finished"};
    const struct toml *t = section_of(r, "notify");
    struct project *p = r->p;
    p->notify.webhook = some(d->webhook);
    p->notify.secret = some(d->secret);
    if (p->notify.webhook != NULL && !is_reference(d->webhook))
        return read_fail(r, place_of(t, "webhook"),
            "put the address into a variable and write \"env:REA_WEBHOOK\", "
            "or into a file and write \"file:PATH\"",
            "a secret can't stand in the project file");
    if (p->notify.secret != NULL && !is_reference(d->secret))
        return read_fail(r, place_of(t, "secret"),
            "write \"env:REA_WEBHOOK_SECRET\" or \"file:PATH\"",
            "a secret can't stand in the project file");
    if (d->on == NULL) {
        static const char *const deflt[] = {
            "needs-approval", "guardrail", "stuck", "finished"};
        for (; p->notify.n_on < 4; p->notify.n_on++)
            p->notify.on[p->notify.n_on] = deflt[p->notify.n_on];
        return 0;
    }
    if (d->on->kind != TOML_ARRAY || d->on->n > NOTIFY_MAX)
        return read_fail(r, place_value(d->on), "write on = [\"finished\"]",
            "on is a list of events");
    for (const struct toml *v = d->on->child; v != NULL; v = v->next) {
        int percent = 0, end = 0;
        bool known = false;
        for (size_t i = 0; v->kind == TOML_STR && i < 5; i++)
            known = known || strcmp(words[i], v->str) == 0;
        if (v->kind == TOML_STR && strncmp(v->str, "budget-", 7) == 0)
            known = sscanf(v->str, "budget-%3d%%%n", &percent, &end) == 1 &&
                    end > 0 && v->str[end] == '\0' && percent > 0 &&
                    percent <= 100;
        if (!known)
            return read_fail(r, place_value(v),
                read_hint(r, v->kind == TOML_STR ? v->str : "", words, 5,
                    "known: needs-approval, guardrail, stuck, phase-done, "
                    "budget-80%, finished"),
                "this is no event to be told of");
        p->notify.on[p->notify.n_on++] = v->str;
    }
    return 0;
}

/* postgres://user:password@host: the password belongs elsewhere. */
static bool
has_password(const char *url)
{
    const char *host = url ? strstr(url, "://") : NULL;
    const char *at = host ? strchr(host + 3, '@') : NULL;
    const char *colon = host ? strchr(host + 3, ':') : NULL;
    return at != NULL && colon != NULL && colon < at;
}

/* Every placeholder of a scheduler command is known there, and each command
 * can tell which job it is about. */
static int
check_commands(const struct reader *r, const struct toml *t)
{
    const struct project *p = r->p;
    const char *const text[BACKEND_VERBS] = {p->backend.submit,
        p->backend.state, p->backend.cancel, p->backend.logs};
    for (enum backend_verb v = 0; v < BACKEND_VERBS; v++) {
        struct var vars[16];
        const char **argv;
        struct err e = {0};
        size_t n = 0;
        const char *const *names = backend_names(v);
        bool starts = v == BACKEND_SUBMIT;
        const char *must = starts ? "{script}" : "{id}";
        const char *key = backend_verb_name(v);
        if (text[v] == NULL)
            continue;
        for (; names[n] != NULL; n++)
            vars[n] = (struct var){names[n], "x"};
        if (backend_command_in(
                r->a, text[v], p->backend.shell, vars, n, &argv, &e) != 0)
            return read_fail(r, place_of(t, key),
                starts
                    ? "known: {script} {run_dir} {token} {name} {cpus} {gpus} "
                      "{memory} {memory_mb} {time} {time_min} {exclude}; {{ is "
                      "a brace"
                    : "known: {id} {token} {run_dir} {name}; {{ is a brace",
                "%s: %s", key, e.text);
        if (strstr(text[v], must) == NULL &&
            strstr(text[v], "{run_dir}") == NULL &&
            (starts || strstr(text[v], "{token}") == NULL))
            return read_fail(r, place_of(t, key),
                arena_printf(r->a, "name it by %s", must),
                "%s does not say which job it is about", key);
    }
    return 0;
}

/* "USR1@120": a signal that the job can take, and when. */
static bool
is_signal(const char *s)
{
    size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
    return (strncmp(s, "USR1@", 5) == 0 || strncmp(s, "USR2@", 5) == 0) &&
           s[n] == '@' && s[n + 1] != '\0' &&
           strspn(s + n + 1, "0123456789") == strlen(s + n + 1);
}

static int
check_slurm(const struct reader *r, const struct toml *t)
{
    static const char *const keys[] = {"partition", "account", "qos", "gres",
        "exclude", "setup", "signal", "extra", "wake"};
    const struct project *p = r->p;
    const char **words;
    size_t n;
    struct err e = {0};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (p->backend.kind != BACKEND_SLURM && toml_get(t, keys[i]) != NULL)
            return read_fail(r, place_of(t, keys[i]), "write kind = \"slurm\"",
                "only backend slurm has %s", keys[i]);
    }
    if (p->backend.slurm.signal != NULL && !is_signal(p->backend.slurm.signal))
        return read_fail(r, place_of(t, "signal"), "write USR1@120",
            "signal is USR1 or USR2, @ and seconds before the end");
    if (p->backend.slurm.extra != NULL &&
        command_split(r->a, p->backend.slurm.extra, &words, &n, &e) != 0)
        return read_fail(
            r, place_of(t, "extra"), "close the quote", "extra: %s", e.text);
    return 0;
}

int
parse_backend(struct reader *r, const struct draft *d)
{
    struct project *p = r->p;
    const struct toml *t = section_of(r, "backend");
    p->backend.kind = d->backend;
    if (d->slots < 0 || d->slots > 100000)
        return read_fail(r, place_of(t, "slots"), "write 1 to 100000",
            "slots out of bounds");
    p->backend.slots = (uint32_t)d->slots;
    p->backend.quarantine_ms = d->quarantine_ms;
    p->backend.callback = some(d->callback);
    if (p->backend.callback != NULL &&
        (strncmp(p->backend.callback, "http", 4) != 0 ||
            strpbrk(p->backend.callback, "\"\\ \t\r\n") != NULL ||
            has_password(p->backend.callback)))
        return read_fail(r, place_of(t, "callback"),
            "write http://HOST:PORT, as `rea serve` prints it",
            "callback is no address");
    p->backend.submit = some(d->submit);
    p->backend.state = some(d->state);
    p->backend.cancel = some(d->cancel);
    p->backend.logs = some(d->logs);
    p->backend.record = some(d->record);
    p->backend.shell = d->backend_shell;
    p->backend.slurm = (struct slurm_options){.partition = some(d->partition),
        .account = some(d->account),
        .qos = some(d->qos),
        .gres = some(d->gres),
        .exclude = some(d->exclude),
        .extra = some(d->extra),
        .setup = some(d->setup),
        .signal = some(d->signal),
        .dependency = d->slurm_wake == SLURM_WAKE_DEPENDENCY};
    bool command = p->backend.submit || p->backend.state || p->backend.cancel;
    if (d->backend == BACKEND_COMMAND &&
        !(p->backend.submit && p->backend.state && p->backend.cancel))
        return read_fail(r, place_key(t), "add submit, state and cancel",
            "backend command lacks a template");
    if (d->backend != BACKEND_COMMAND && command)
        return read_fail(r, place_of(t, "kind"), "write kind = \"command\"",
            "only backend command has submit, state and cancel");
    if (d->backend == BACKEND_RECORDED && p->backend.record == NULL)
        return read_fail(r, place_key(t), "add record = \"FILE\"",
            "backend recorded has no file of outcomes");
    int rc = check_slurm(r, t);
    if (rc == 0)
        rc = check_commands(r, t);
    if (rc != 0)
        return rc;
    p->insights = some(d->database);
    p->insights_context = some(d->context);
    p->runbook = some(d->runbook);
    if (has_password(p->insights))
        return read_fail(r, place_of(section_of(r, "insights"), "database"),
            "use ~/.pgpass or a service file",
            "a password can't stand in the project file");
    return parse_notify(r, d);
}
