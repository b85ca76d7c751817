/* rea init: the first project file of a model, from its training command: its
 * --help gives the knobs, a short run the metrics. Both runs are bounded, and
 * nothing that exists is overwritten. */
#include "cmd/init.h"
#include "cmd/verbs.h"

#include <ctype.h>
#include <string.h>

#include "base/fs.h"

enum { HELP_MS = 20000, TRIAL_MS = 20000 };

struct init {
    const char *root, *scratch, *command;
    const char **words;
    size_t n_words;
    struct help_option option[PROBE_KNOBS_MAX];
    size_t n_options;
    struct init_metric metric[INIT_METRICS_MAX];
    uint32_t n_metrics;
    int64_t trial_ms;
    bool trial_ended;
    int trial_exit;
    struct project_template t;
};

static int
init_probe(struct call *call, struct init *x, size_t n_words, const char *extra,
    int64_t time_ms, struct probe_result *out, struct err *err)
{
    struct arena *a = call->arena;
    const char **argv = arena_alloc(a, sizeof(*argv) * (n_words + 2));
    memcpy(argv, x->words, sizeof(*argv) * n_words);
    argv[n_words] = extra;
    const char *env[] = {arena_printf(a, "REA_RUN_DIR=%s", x->scratch),
        arena_printf(a, "REA_METRICS_FILE=%s/metrics.jsonl", x->scratch),
        "REA_SEED=1", NULL};
    struct probe probe = {
        .argv = argv, .envp = env, .cwd = x->root, .time_ms = time_ms};
    int rc = probe_run(&probe, out, err);
    return rc != 0 ? err_wrap(err, rc, "%s", x->words[0]) : 0;
}

/* The words before the first option: "python3 train.py", "./ctr". */
static size_t
program_words(const struct init *x)
{
    size_t n = 1;
    while (n < x->n_words && x->words[n][0] != '-' &&
           strchr(x->words[n], '=') == NULL)
        n++;
    return n;
}

static int
init_help(struct call *call, struct init *x, struct err *err)
{
    struct arena *a = call->arena;
    struct probe_result r = {0};
    struct template_knob *knobs = NULL;
    const struct buf *text = &r.out;
    /* Some programs know --help only as their first option. */
    size_t forms[] = {x->n_words, program_words(x)};
    for (int i = 0; i < 2 && x->n_options == 0; i++) {
        probe_fini(&r);
        r = (struct probe_result){0};
        int rc = init_probe(call, x, forms[i], "--help", HELP_MS, &r, err);
        if (rc != 0)
            return rc;
        text = r.out.len >= r.err.len ? &r.out : &r.err;
        x->n_options = help_parse_in(
            a, buf_str(text), text->len, x->option, PROBE_KNOBS_MAX);
    }
    init_source(a, x->root, x->words, x->n_words, x->option, x->n_options);
    x->t.style = init_style(buf_str(text), x->option, x->n_options);
    init_knobs(a, x->option, x->n_options, x->words, x->n_words, &knobs,
        &x->t.n_knobs, &x->t.seed);
    x->t.knob = knobs;
    probe_fini(&r);
    return 0;
}

static int
init_trial(struct call *call, struct init *x, struct err *err)
{
    struct arena *a = call->arena;
    struct probe_result r = {0};
    struct template_metric *rows = NULL;
    struct buf file = {0};
    int rc = init_probe(call, x, x->n_words, NULL, TRIAL_MS, &r, err);
    if (rc != 0)
        return rc;
    x->trial_ms = r.ms;
    x->trial_ended = !r.timed_out;
    x->trial_exit = r.exit_code;
    (void)fs_read(
        fs_join_in(a, x->scratch, "metrics.jsonl"), 1 << 20, &file, NULL);
    if (file.len > 0)
        x->n_metrics =
            init_metrics(a, &file, true, x->metric, INIT_METRICS_MAX);
    if (x->n_metrics == 0)
        x->n_metrics =
            init_metrics(a, &r.out, false, x->metric, INIT_METRICS_MAX);
    init_roles(a, x->metric, x->n_metrics, &rows, &x->t.n_metrics);
    x->t.metric = rows;
    x->t.time_s = x->trial_ended ? 60 + 10 * (double)r.ms / 1000 : 3600;
    buf_fini(&file);
    probe_fini(&r);
    return 0;
}

/* A name for the model: the folder's, in letters that a name may have. */
static const char *
init_name(struct call *call, const char *root)
{
    char *s = arena_strdup(call->arena, fs_base(root));
    if (strlen(s) > 40)
        s[40] = '\0';
    for (char *p = s; *p != '\0'; p++) {
        if (!isalnum((unsigned char)*p) && *p != '-' && *p != '_')
            *p = '-';
    }
    return s[0] != '\0' && isalnum((unsigned char)s[0]) ? s : "model";
}

static void
init_say(struct call *call, const struct init *x, const char *file,
    const struct buf *text)
{
    static const char *const styles[] = {"none", "gnu", "argparse", "hydra"};
    uint32_t lines = 0;
    for (size_t i = 0; i < text->len; i++)
        lines += text->data[i] == '\n';
    if (x->command != NULL)
        say(call, "read --help: %zu options; style: %s\n", x->n_options,
            x->t.style <= STYLE_HYDRA ? styles[x->t.style] : "?");
    if (x->command != NULL && x->trial_ended && x->trial_exit != 0)
        say(call,
            "the short run ended with exit %d: the command must work as it "
            "stands\n",
            x->trial_exit);
    else if (x->command != NULL)
        say(call, "ran it for %.1f s%s: %u metrics found\n",
            (double)x->trial_ms / 1000, x->trial_ended ? "" : " (cut off)",
            x->n_metrics);
    for (uint32_t i = 0; i < x->n_metrics && i < 6; i++)
        say(call, "  %-24s %g (x%u)\n", x->metric[i].name, x->metric[i].last,
            x->metric[i].count);
    if (x->t.n_metrics > 0)
        say(call, "primary metric: %s (%s)\n", x->t.metric[0].name,
            x->t.metric[0].goal);
    if (x->t.n_knobs > 0)
        say(call, "%zu knobs:", x->t.n_knobs);
    for (size_t i = 0; i < x->t.n_knobs && i < 12; i++)
        say(call, " %s", x->t.knob[i].name);
    say(call, "%swrote %s (%u lines): look at ranges and min_gain\n",
        x->t.n_knobs > 0 ? "\n" : "", file, lines);
}

static void
init_json(struct call *call, const struct init *x, const char *file)
{
    struct jw w;
    jw_init(&w, &call->out, 0);
    jw_obj_begin(&w);
    jw_kstr(&w, "file", file);
    jw_ki64(&w, "options", (int64_t)x->n_options);
    jw_ki64(&w, "metrics", (int64_t)x->t.n_metrics);
    jw_ki64(&w, "knobs", (int64_t)x->t.n_knobs);
    jw_obj_end(&w);
    say(call, "\n");
}

static int
init_write(struct call *call, struct init *x, const char *file, struct err *err)
{
    struct buf text = {0};
    struct project *p = NULL;
    project_write_template(&x->t, &text);
    const char *own = arena_strndup(call->arena, buf_str(&text), text.len);
    /* What is written must be a project; else the finding is at fault. */
    int rc = project_parse(call->arena, x->root, file, own, text.len, &p, err);
    if (rc != 0)
        err_wrap(err, rc, "what was found makes no valid file");
    else
        rc = fs_write_atomic(fs_join_in(call->arena, x->root, file),
            buf_str(&text), text.len, true, err);
    if (rc == 0 && call->json)
        init_json(call, x, file);
    else if (rc == 0)
        init_say(call, x, file, &text);
    buf_fini(&text);
    return rc;
}

static int
init_find_out(struct call *call, struct init *x, struct err *err)
{
    struct arena *a = call->arena;
    int rc = command_split(a, x->command, &x->words, &x->n_words, err);
    if (rc == 0 && x->n_words == 0)
        rc = err_set(err, -ERR_INPUT, "--from is empty");
    if (rc == 0)
        rc = probe_scratch_in(a, &x->scratch, err);
    if (rc != 0)
        return rc;
    rc = init_help(call, x, err);
    if (rc == 0)
        rc = init_trial(call, x, err);
    struct err ignored = {0};
    (void)fs_remove_tree(x->scratch, &ignored);
    x->t.command = arena_printf(a, "%s {knobs}", x->command);
    return rc;
}

static int
init_run(struct call *call, struct err *err)
{
    struct init *x = arena_alloc(call->arena, sizeof(*x));
    const char *file = call_opt(call, "output");
    if (file == NULL)
        file = "rea.toml";
    int rc = fs_real_in(call->arena, call->dir, &x->root, err);
    if (rc != 0)
        return rc;
    if (fs_exists(fs_join_in(call->arena, x->root, file)))
        return err_set(err, -ERR_INPUT,
            "%s is there already and is not overwritten\n"
            "  remedy: rea check looks at it; -o models/NAME.toml adds a "
            "second model",
            file);
    const char *name = call_opt(call, "name");
    x->t.name = name != NULL ? name : init_name(call, x->root);
    x->command = call_opt(call, "from");
    if (x->command != NULL)
        rc = init_find_out(call, x, err);
    else
        x->t.command = "./train --out={run_dir} --metrics={metrics_file} "
                       "{knobs}";
    if (rc == 0)
        rc = init_write(call, x, file, err);
    if (rc == 0)
        call_next(call, "%srea check",
            x->command != NULL ? "" : "edit the command, then ");
    return rc;
}

static const struct cmd_opt init_opts[] = {
    {"from", 0, "CMD", "the training command as you run it now"},
    {"output", 'o', "FILE", "project file to write (rea.toml)"},
    {"name", 0, "NAME", "of the model (the folder's)"}, {0}};

const struct cmd cmd_init = {.name = "init",
    .args = "",
    .flags = CMD_WRITES,
    .help = "a project file from an existing training command",
    .more = "Runs the command with --help and once for at most 20 s. Knobs "
            "are the options with a type and a default that the command does "
            "not set; metrics are the numbers it prints. Ranges are guesses "
            "around the defaults: look at them.",
    .example = "rea init --from \"python3 train.py --epochs=5\"",
    .opts = init_opts,
    .run = init_run};
