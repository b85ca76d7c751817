/* Every section and key of a project file: what it is, its kind, its default,
 * one line of documentation. Read by read.c and by project_document().
 * Invariant: what is not in these tables is refused. */
#include "project/read.h"

#include <string.h>

#define FIELD_AT(                                                              \
    type, name_, kind_, member, req, words_, later_, deflt_, doc_)             \
    {                                                                          \
        .name = name_, .kind = kind_, .required = req,                         \
        .offset = (uint16_t)offsetof(type, member), .words = words_,           \
        .later = later_, .deflt = deflt_, .doc = doc_                          \
    }
#define FIELD(name, kind, member, deflt, doc)                                  \
    FIELD_AT(struct draft, name, kind, member, false, NULL, NULL, deflt, doc)
#define MUST(name, kind, member, doc)                                          \
    FIELD_AT(struct draft, name, kind, member, true, NULL, NULL, NULL, doc)
#define WORD(name, member, words, later, deflt, doc)                           \
    FIELD_AT(struct draft, name, FIELD_WORD, member, false, words, later,      \
        deflt, doc)
#define METRIC(name, kind, member, deflt, doc)                                 \
    FIELD_AT(struct metric_draft, name, kind, member, false, NULL, NULL,       \
        deflt, doc)
#define KNOB(name, kind, member, deflt, doc)                                   \
    FIELD_AT(                                                                  \
        struct knob_draft, name, kind, member, false, NULL, NULL, deflt, doc)

#define PHASE(name, kind, member)                                              \
    FIELD_AT(struct resources_draft, name, kind, member, false, NULL, NULL,    \
        NULL, NULL)

/* Each list is in the order of its enum, which begins at 1. */
static const char *const style_words[] = {
    "gnu", "argparse", "hydra", "env", "json", NULL};
static const char *const knob_style_words[] = {
    "gnu", "argparse", "hydra", "env", "json", "switch", NULL};
static const char *const unit_words[] = {
    "core_hours", "gpu_hours", "usd", "trials", NULL};
static const char *const backend_words[] = {
    "local", "command", "recorded", "slurm", NULL};
static const char *const slurm_wakes[] = {"trap", "dependency", NULL};
static const char *const from_words[] = {
    "jsonl", "csv", "stdout", "stderr", NULL};
static const char *const role_words[] = {"plain", "sealed", NULL};
static const char *const type_words[] = {
    "float", "int", "bool", "choice", "set", "list", NULL};
static const char *const provider_words[] = {
    "openai", "anthropic", "openrouter", "ollama", "vllm", "llama.cpp", NULL};
static const char *const dialect_words[] = {
    "chat", "responses", "messages", NULL};
static const char *const scale_words[] = {"linear", "log", NULL};

static const struct field project_fields[] = {
    MUST("name", FIELD_STR, name,
        "name of the model; campaigns and insights "
        "are filed under it"),
};

static const struct field train_fields[] = {
    MUST("command", FIELD_STR, command,
        "the training command, split by shell-word rules and run in the "
        "workspace folder without a shell"),
    FIELD("shell", FIELD_BOOL, shell, "false",
        "run the command by /bin/sh -c; values are quoted"),
    WORD("style", style, style_words, NULL, "gnu",
        "how {knobs} is written: gnu, argparse, hydra, env or json"),
    FIELD("seed", FIELD_STR, seed, NULL,
        "flag that takes the seed, written in the style; without it the seed "
        "goes by {seed} or REA_SEED"),
    FIELD("resume", FIELD_STR, resume, NULL,
        "what {resume} becomes when the checkpoint exists; \"\": the program "
        "resumes from REA_CHECKPOINT by itself; absent: it can't resume"),
    FIELD("checkpoint", FIELD_STR, checkpoint, "{run_dir}/checkpoint",
        "the file or folder that a run leaves for resume and evaluation"),
    FIELD("grace", FIELD_DURATION, grace_ms, "30s",
        "time between SIGTERM and SIGKILL"),
    FIELD("hang", FIELD_DURATION, hang_ms, NULL,
        "silence (no output, no metric) that counts as hung; absent: judged "
        "by the job's own rhythm"),
    FIELD("backoff", FIELD_DURATION, backoff_ms, "30s",
        "wait before the first retry of what should pass by itself (network, "
        "mount, node, full disk); it doubles, to half an hour at most"),
    FIELD("pace", FIELD_BOOL, pace, "true",
        "end a job whose metrics stop coming or whose steps become ten times "
        "slower, by its own earlier measure; docs/runbook.md"),
    FIELD("exit_codes", FIELD_ANY, exit_codes, "{}",
        "meaning of exit codes: ok, failed, preempted, diverged, oom, config, "
        "data or node"),
    FIELD("fingerprint", FIELD_ANY, fingerprint, "[]",
        "files and folders, or one command, whose hash identifies the data; "
        "a change reruns the baseline"),
    FIELD("vars", FIELD_ANY, vars, "{}",
        "[train.vars]: names of your own for placeholders"),
};

static const struct field evaluate_fields[] = {
    MUST("command", FIELD_STR, eval_command,
        "evaluates a finished trial's {checkpoint}; sealed metrics come from "
        "here when this section is given"),
    FIELD("shell", FIELD_BOOL, eval_shell, "false", "as in [train]"),
    FIELD("time", FIELD_DURATION, eval_time_ms, "the job's time",
        "limit of one evaluation run"),
};

static const struct field resources_fields[] = {
    FIELD("cpus", FIELD_NUM, cpus, "1", "CPU cores of one job"),
    FIELD("gpus", FIELD_NUM, gpus, "0", "GPUs of one job"),
    FIELD("memory", FIELD_SIZE, memory, "no limit",
        "memory of one job; beyond it the job is ended and counts as out of "
        "memory"),
    FIELD("memory_max", FIELD_SIZE, memory_max, "memory",
        "an attempt after one that ran out of memory gets twice as much, up to "
        "this"),
    FIELD("time", FIELD_DURATION, time_ms, "1h", "time limit of one job"),
    FIELD("validation", FIELD_ANY, of_phase[PHASE_VALIDATION], "{}",
        "[resources.validation]: what differs for jobs of this phase, the "
        "baseline's repeats too"),
    FIELD("combination", FIELD_ANY, of_phase[PHASE_COMBINATION], "{}",
        "[resources.combination]: the same"),
    FIELD("exploitation", FIELD_ANY, of_phase[PHASE_EXPLOITATION], "{}",
        "[resources.exploitation]: the same"),
    FIELD("confirmation", FIELD_ANY, of_phase[PHASE_CONFIRMATION], "{}",
        "[resources.confirmation]: the same"),
};

/* Of [resources.PHASE]; what is not given is as in [resources]. */
static const struct field phase_fields[] = {
    PHASE("cpus", FIELD_NUM, cpus),
    PHASE("gpus", FIELD_NUM, gpus),
    PHASE("memory", FIELD_SIZE, memory),
    PHASE("memory_max", FIELD_SIZE, memory_max),
    PHASE("time", FIELD_DURATION, time_ms),
    PHASE("price_per_hour", FIELD_NUM, price),
};

static const struct field metric_fields[] = {
    METRIC("primary", FIELD_BOOL, primary, "false",
        "the metric that steers the search; exactly one"),
    FIELD_AT(struct metric_draft, "role", FIELD_WORD, role, false, role_words,
        NULL, "plain", "sealed: opened once, at confirmation"),
    METRIC("deciding", FIELD_BOOL, deciding, "false",
        "which sealed metric decides, where there are several"),
    FIELD_AT(struct metric_draft, "goal", FIELD_STR, goal, true, NULL, NULL,
        NULL, "max, min or target:NUMBER"),
    METRIC("min_gain", FIELD_NUM, min_gain, NULL,
        "smallest gain worth shipping, above 0; the primary needs it"),
    FIELD_AT(struct metric_draft, "from", FIELD_WORD, from, false, from_words,
        "tensorboard mlflow", "jsonl",
        "jsonl and csv: the metrics file; stdout, stderr: the job's output"),
    METRIC("key", FIELD_STR, key, "the metric's name",
        "jsonl: member, nested ones with dots; csv: column"),
    METRIC("pattern", FIELD_STR, pattern, NULL,
        "stdout, stderr: literal text with {value}, perhaps {step}, * skips; "
        "\"re:\" begins a regular expression with groups value and step"),
    METRIC("reduce", FIELD_STR, reduce, "last",
        "last, best, mean_last:N or primary (the step where the primary is "
        "reduced)"),
    METRIC("watch", FIELD_ANY, watch, "{}",
        "nan = \"fail\" (the primary's default) or \"ignore\"; spike = "
        "standard deviations of a jump against the goal that stays; the "
        "primary's curve = true (default) or false: held against the "
        "baseline's"),
};

static const struct field guard_fields[] = {
    METRIC("goal", FIELD_STR, goal, "by the limit", "max or min"),
    FIELD_AT(struct metric_draft, "from", FIELD_WORD, from, false, from_words,
        "tensorboard mlflow", "jsonl", "as in [metric.*]"),
    METRIC("key", FIELD_STR, key, "the guardrail's name", "as in [metric.*]"),
    METRIC("pattern", FIELD_STR, pattern, NULL, "as in [metric.*]"),
    METRIC("watch", FIELD_ANY, watch, "{}", "as in [metric.*]"),
    METRIC("max_increase", FIELD_ANY, max_increase, NULL,
        "most it may rise above the baseline: a number, or \"0.5%\" of the "
        "baseline"),
    METRIC("max_drop", FIELD_ANY, max_drop, NULL,
        "most it may fall below the baseline, as above"),
    METRIC("min", FIELD_ANY, min, NULL, "it must not be below this number"),
    METRIC("max", FIELD_ANY, max, NULL, "it must not be above this number"),
};

static const struct field knob_fields[] = {
    FIELD_AT(struct knob_draft, "type", FIELD_WORD, type, true, type_words,
        NULL, NULL, "float, int, bool, choice, set or list"),
    KNOB("range", FIELD_ANY, range, NULL, "float, int: [lowest, highest]"),
    FIELD_AT(struct knob_draft, "scale", FIELD_WORD, scale, false, scale_words,
        NULL, "linear", "linear or log"),
    KNOB("values", FIELD_ANY, values, NULL, "choice, set, list: the values"),
    FIELD_AT(struct knob_draft, "default", FIELD_ANY, deflt, true, NULL, NULL,
        NULL, "the value that the baseline runs with"),
    KNOB("when", FIELD_ANY, when, NULL,
        "condition over other knobs; where it is false the knob is not "
        "passed"),
    KNOB("doc", FIELD_STR, doc, NULL, "what it does, for people and matching"),
    KNOB("tags", FIELD_ANY, tags, "[]", "words that tell what it is about"),
    FIELD_AT(struct knob_draft, "style", FIELD_WORD, style, false,
        knob_style_words, NULL, "that of [train]",
        "another style for this knob; switch: the flag or nothing"),
    KNOB("flag", FIELD_STR, flag, "made from the name",
        "the exact flag, variable or member to write"),
};

static const struct field fidelity_fields[] = {
    MUST("knob", FIELD_STR, fidelity_knob,
        "knob that makes a run cheaper, such as epochs"),
    MUST("rungs", FIELD_ANY, rungs,
        "its values, rising; jobs start for the top one"),
    FIELD("progress", FIELD_STR, progress, "the step",
        "metric that tells a running job's progress in units of the knob; "
        "without it the step of the metrics does"),
    FIELD("stop", FIELD_BOOL, stop, "true",
        "may a run of the search end on a rung, once rungs prove reliable?"),
};

static const struct field space_fields[] = {
    MUST("candidates", FIELD_STR, candidates,
        "csv file, columns are knobs: only these configurations are valid"),
};

static const struct field plan_fields[] = {
    FIELD("phases", FIELD_ANY, phases, "all four",
        "of validation, combination, exploitation, confirmation; "
        "[\"exploitation\"] is a plain search without baseline"),
    FIELD("max_hypotheses", FIELD_INT, max_hypotheses, "24",
        "most hypotheses in one plan, 1 to 200"),
};

static const struct field baseline_fields[] = {
    FIELD("seeds", FIELD_INT, seeds, "5",
        "repeats of the baseline that measure the noise, 2 to 100"),
};

static const struct field budget_fields[] = {
    WORD("unit", unit, unit_words, NULL, "core_hours",
        "core_hours, gpu_hours, usd or trials"),
    MUST("total", FIELD_NUM, total, "the whole campaign's budget, above 0"),
    FIELD("wall_clock", FIELD_DURATION, wall_clock_ms, "no limit",
        "longest time from the first job to the last"),
    FIELD("max_parallel", FIELD_INT, max_parallel, "1",
        "jobs of this campaign at once, 1 to 64"),
    FIELD("per_trial", FIELD_NUM, per_trial, "time + grace + 5 s",
        "reserved for one job, which is ended before it costs more; with a "
        "cost_metric the most that a job reports: its time stays"),
    FIELD("price_per_hour", FIELD_NUM, price, NULL,
        "unit usd: price of one job's hour"),
    FIELD("cost_metric", FIELD_STR, cost_metric, NULL,
        "metric by which a job reports its own cost"),
    FIELD("pool", FIELD_STR, pool, NULL,
        "pool that the money comes from; total is then the most of it"),
    FIELD("pool_weight", FIELD_NUM, pool_weight, "1",
        "what its gains count against those of the pool's other campaigns"),
};

static const struct field backend_fields[] = {
    WORD("kind", backend, backend_words, NULL, "local",
        "local, slurm, command (your own scheduler's commands) or recorded "
        "(outcomes from a file)"),
    FIELD("slots", FIELD_INT, slots, "CPUs / cpus of a job",
        "jobs of all campaigns at once on this machine"),
    FIELD("callback", FIELD_STR, callback, NULL,
        "address of `rea serve`, http://HOST:PORT, that a job tells of its end "
        "where its node can't reach the state; docs/hosts.md"),
    FIELD("quarantine", FIELD_DURATION, quarantine_ms, "24h",
        "slurm, command: how long a node that failed two jobs within a day, or "
        "whose hardware did, gets none; twice as long each further time; 0s: "
        "never"),
    FIELD("submit", FIELD_STR, submit, NULL,
        "command: starts {script} and prints an id; docs/backends.md"),
    FIELD("state", FIELD_STR, state, NULL,
        "command: prints the state of {id} as one word"),
    FIELD("cancel", FIELD_STR, cancel, NULL, "command: ends {id}"),
    FIELD("logs", FIELD_STR, logs, NULL, "command: prints what {id} said"),
    FIELD("shell", FIELD_BOOL, backend_shell, "false",
        "run these commands by /bin/sh -c, values quoted"),
    FIELD("partition", FIELD_STR, partition, NULL, "slurm: partition"),
    FIELD("account", FIELD_STR, account, NULL, "slurm: account"),
    FIELD("qos", FIELD_STR, qos, NULL, "slurm: quality of service"),
    FIELD("gres", FIELD_STR, gres, NULL,
        "slurm: generic resources; default gpu:N of [resources] gpus"),
    FIELD("exclude", FIELD_STR, exclude, NULL, "slurm: nodes never used"),
    FIELD("setup", FIELD_STR, setup, NULL,
        "slurm: shell lines before the job, such as module load"),
    FIELD("signal", FIELD_STR, signal, NULL,
        "slurm: signal sent to the job before its time is over: USR1@120"),
    FIELD("extra", FIELD_STR, extra, NULL, "slurm: more words for sbatch"),
    WORD("wake", slurm_wake, slurm_wakes, NULL, "trap",
        "slurm: trap (the job's supervisor calls the agent) or dependency (a "
        "second job does, too)"),
    FIELD("record", FIELD_STR, record, NULL, "recorded: file of outcomes"),
};

static const struct field insights_fields[] = {
    FIELD("database", FIELD_STR, database, ".rea/insights.db",
        "path of a database shared by a team"),
    FIELD("context", FIELD_STR, context, NULL,
        "what the data is like, kept with what is learnt on it: rows=N, "
        "fields=N, density=X, sequence=yes or no, joined by commas"),
};

static const struct field runbook_fields[] = {
    FIELD("file", FIELD_STR, runbook, NULL, "your own failure rules"),
};

static const struct field patch_fields[] = {
    FIELD_AT(struct draft, "paths", FIELD_ANY, patch_paths, true, NULL, NULL,
        NULL,
        "files that a code patch may change, from the repository's top: * does "
        "not cross a /, ** does; files that build, install or publish only by "
        "their full name"),
    FIELD("base", FIELD_STR, patch_base, "HEAD",
        "commit that patches are made against and all jobs run from; taken "
        "when the plan is drafted"),
    FIELD("build", FIELD_STR, patch_build, NULL,
        "command that builds the patched tree, run by /bin/sh -c in the "
        "sandbox"),
    FIELD("smoke", FIELD_STR, patch_smoke, NULL,
        "a tiny training run, placeholders as in [train] command, that a patch "
        "must pass before it can be signed"),
    FIELD("read", FIELD_ANY, patch_read, "[]",
        "files and folders that jobs read besides the commit, [train] "
        "fingerprint and the system's own: data, an environment"),
    FIELD("env", FIELD_ANY, patch_env, "[]",
        "names of environment variables that jobs may see"),
    FIELD("classes", FIELD_ANY, patch_classes, "{}",
        "[patch.classes]: NAME = [patterns]; what fits none is \"other\""),
    FIELD("gate", FIELD_ANY, patch_gate, "all classes",
        "classes whose patches need a signature of their own (rea approve "
        "--patch); for the others that of the plan is enough"),
    FIELD("max_lines", FIELD_INT, patch_max_lines, "400",
        "most lines that one patch adds and removes, 1 to 100000"),
};

static const struct field notify_fields[] = {
    FIELD("webhook", FIELD_STR, webhook, NULL,
        "where messages go; only as env:NAME or file:PATH"),
    FIELD("secret", FIELD_STR, secret, NULL,
        "signs messages (X-REA-Signature); only as env:NAME or file:PATH"),
    FIELD("on", FIELD_ANY, on, "all but phase-done",
        "needs-approval, guardrail, stuck, phase-done, budget-N%, finished"),
};

static const struct field model_fields[] = {
    FIELD_AT(struct draft, "provider", FIELD_WORD, provider, true,
        provider_words, NULL, NULL,
        "openai (and what speaks like it), anthropic, openrouter, ollama, "
        "vllm or llama.cpp"),
    FIELD("model", FIELD_STR, model, NULL,
        "the model's name on that server; local servers may do without"),
    FIELD("base_url", FIELD_STR, base_url, "the environment's or provider's",
        "address of the server, such as \"http://127.0.0.1:8080/v1\""),
    WORD("dialect", dialect, dialect_words, NULL, "by provider and address",
        "chat, responses or messages; chat for every address of your own"),
    FIELD("key", FIELD_STR, model_key, "the provider's variable",
        "env:NAME, file:PATH (mode 0600) or command:WORDS that print it; "
        "\"\": none"),
    FIELD("max_tokens", FIELD_INT, max_tokens, "4096",
        "longest reply, 16 to 1000000"),
    FIELD("timeout", FIELD_DURATION, model_timeout_ms, "60s + max_tokens / 10",
        "limit of one attempt"),
    FIELD("idle", FIELD_DURATION, model_idle_ms, "60s",
        "silence within a stream that ends the attempt"),
    FIELD("stream", FIELD_BOOL, stream, "true",
        "read replies while they are written; false: in one piece"),
    FIELD("budget_tokens", FIELD_INT, budget_tokens, "1000000",
        "tokens that a campaign may use, in and out; part of what is approved"),
    FIELD("budget_usd", FIELD_NUM, budget_usd, "no limit",
        "money that a campaign may spend on the model; needs the prices; part "
        "of what is approved"),
    FIELD("price_in", FIELD_NUM, price_in, NULL,
        "usd for a million tokens of prompt"),
    FIELD("price_out", FIELD_NUM, price_out, NULL,
        "usd for a million tokens of reply"),
    FIELD("price_cached", FIELD_NUM, price_cached, "price_in",
        "usd for a million tokens that the provider had cached"),
    FIELD("allow", FIELD_ANY, allow, "any",
        "addresses that the environment (OPENAI_BASE_URL and its like) may "
        "choose"),
};

#define SECTION(name_, fields_, named_, req_, doc_)                            \
    {                                                                          \
        .name = name_, .named = named_, .required = req_, .fields = fields_,   \
        .n_fields = sizeof fields_ / sizeof fields_[0], .doc = doc_            \
    }

const struct section project_sections[] = {
    SECTION("project", project_fields, false, true, "Which model this is."),
    SECTION(
        "train", train_fields, false, true, "How a training run is started."),
    SECTION("evaluate", evaluate_fields, false, false,
        "An optional evaluation run on a finished trial's checkpoint."),
    SECTION(
        "resources", resources_fields, false, false, "What one job may take."),
    SECTION("metric", metric_fields, true, true,
        "What a run reports, and how it is read."),
    SECTION("guardrail", guard_fields, true, false,
        "What must not get worse. Taken at the step where the primary metric "
        "is reduced. One with the name of a metric reads what that reads."),
    SECTION("knob", knob_fields, true, true,
        "What may be changed, within which domain."),
    SECTION("fidelity", fidelity_fields, false, false, "Cheaper runs."),
    SECTION("space", space_fields, false, false,
        "A closed list of valid configurations."),
    SECTION("plan", plan_fields, false, false, "Shape of a campaign."),
    SECTION("baseline", baseline_fields, false, false, "The reference."),
    SECTION("budget", budget_fields, false, true,
        "What a campaign may cost. A job is charged what it took and at most "
        "what was reserved for it."),
    SECTION("backend", backend_fields, false, false, "Where jobs run."),
    SECTION(
        "insights", insights_fields, false, false, "Where insights are kept."),
    SECTION("runbook", runbook_fields, false, false,
        "Known failures and their remedies."),
    SECTION("patch", patch_fields, false, false,
        "Code changes as hypotheses. With this section all jobs of the model, "
        "the baseline's too, run from the base commit in a sandbox without "
        "network and secrets; docs/patches.md."),
    SECTION("notify", notify_fields, false, false, "Who is told, and when."),
    SECTION("model", model_fields, false, false,
        "A language model for the research agent. Without this section none "
        "is asked. A change here needs no new approval, but for a higher "
        "budget."),
};
const struct section project_phase_section = {.name = "resources",
    .named = true,
    .fields = phase_fields,
    .n_fields = sizeof phase_fields / sizeof phase_fields[0]};
const uint32_t project_n_sections =
    sizeof project_sections / sizeof project_sections[0];

const struct section *
section_find(const char *name)
{
    for (uint32_t i = 0; i < project_n_sections; i++) {
        if (strcmp(project_sections[i].name, name) == 0)
            return &project_sections[i];
    }
    return NULL;
}

void
project_document(struct buf *out)
{
    static const char *const kinds[] = {"text", "true or false", "number",
        "whole number", "duration", "size", "word", "see text"};
    for (uint32_t i = 0; i < project_n_sections; i++) {
        const struct section *s = &project_sections[i];
        buf_printf(out, "### [%s%s]\n\n%s%s\n\n", s->name,
            s->named ? ".NAME" : "", s->doc, s->required ? " Required." : "");
        buf_puts(
            out, "| key | kind | default | meaning |\n|---|---|---|---|\n");
        for (uint32_t j = 0; j < s->n_fields; j++) {
            const struct field *f = &s->fields[j];
            buf_printf(out, "| `%s` | %s | %s | %s |\n", f->name,
                kinds[f->kind],
                f->required ? "required"
                : f->deflt  ? f->deflt
                            : "none",
                f->doc);
        }
        buf_putc(out, '\n');
    }
}
