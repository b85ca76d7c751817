/* Does the command run with its defaults, and are its metrics found? Called by
 * check. What it measures (time, values) the later looks compare with. */
#include "cmd/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"

/* The program of the command in PATH or by its path; NULL: not there. */
static const char *
program_find(struct check *k, const char *name)
{
    struct arena *a = k->call->arena;
    if (strchr(name, '/') != NULL) {
        const char *at = fs_join_in(a, k->root, name);
        return access(at, X_OK) == 0 && fs_is_file(at) ? at : NULL;
    }
    const char *path = getenv("PATH");
    for (const char *p = path != NULL ? path : "/usr/bin:/bin"; *p != '\0';) {
        size_t n = strcspn(p, ":");
        const char *at = fs_join_in(a, arena_strndup(a, p, n), name);
        if (n > 0 && access(at, X_OK) == 0 && fs_is_file(at))
            return at;
        p += n + (p[n] == ':');
    }
    return NULL;
}

static bool
program_check(struct check *k, const char *which, const char *command)
{
    const char **words = NULL;
    size_t n = 0;
    struct err ignored = {0};
    if (command_split(k->call->arena, command, &words, &n, &ignored) != 0 ||
        n == 0)
        return true; /* a shell line: only running it tells */
    if (strchr(words[0], '{') != NULL || strchr(words[0], '=') != NULL)
        return true;
    if (program_find(k, words[0]) != NULL)
        return true;
    check_say(k, CHECK_BAD, which,
        "correct the command in the project file, or make the program "
        "executable (chmod +x)",
        "\"%s\" is not there or is not executable (looked in %s)", words[0],
        strchr(words[0], '/') != NULL ? k->root : "PATH");
    return false;
}

/* The line of output that looks most like what a pattern wants. */
static const char *
closest_line(struct check *k, const char *pattern, const struct buf *text)
{
    const char *best = NULL;
    size_t best_n = 0, best_score = 0;
    for (size_t i = 0; i < text->len;) {
        const char *line = text->data + i;
        size_t n = 0;
        while (i + n < text->len && line[n] != '\n')
            n++;
        i += n + 1;
        size_t score = 0;
        const char *p = pattern;
        /* Words of the pattern that the line has. */
        while (*p != '\0') {
            size_t w = strcspn(p, " {}*=:,");
            if (w >= 2 && memmem(line, n, p, w) != NULL)
                score += w;
            p += w + (p[w] != '\0');
        }
        if (score > best_score) {
            best = line;
            best_n = n;
            best_score = score;
        }
    }
    if (best == NULL)
        return NULL;
    return arena_strndup(k->call->arena, best, best_n < 120 ? best_n : 120);
}

static void
metric_missing(struct check *k, const struct check_run *dry, uint32_t m)
{
    struct arena *a = k->call->arena;
    const struct metric_source *s = &k->p->harvest.source[m];
    const char *name = k->p->spec.metric[m].name;
    if (s->from == FROM_STDOUT || s->from == FROM_STDERR) {
        bool out = s->from == FROM_STDOUT;
        const struct probe_result *r = &dry->result;
        const char *line = closest_line(k, s->pattern, out ? &r->out : &r->err);
        const char *other =
            closest_line(k, s->pattern, out ? &r->err : &r->out);
        if (line == NULL && other != NULL) {
            check_say(k, CHECK_BAD, "metrics",
                out ? "from = \"stderr\"" : "from = \"stdout\"",
                "%s: pattern \"%s\" matched nothing there; %s has: \"%s\"",
                name, s->pattern, out ? "stderr" : "stdout", other);
            return;
        }
        check_say(k, CHECK_BAD, "metrics",
            line != NULL ? "write the pattern after that line, with {value} "
                           "in place of the number"
                         : "print the metric, or read it from \"jsonl\"",
            "%s: pattern \"%s\" matched no line%s%s%s", name, s->pattern,
            line != NULL ? "; closest: \"" : " and none is close",
            line != NULL ? line : "", line != NULL ? "\"" : "");
        return;
    }
    struct buf text = {0};
    const char *file = dry->cmd.metrics_file;
    const char *line = NULL;
    if (fs_read(file, 1 << 20, &text, NULL) == 0 && text.len > 0) {
        size_t n = strcspn(buf_str(&text), "\n");
        line = arena_strndup(a, buf_str(&text), n < 160 ? n : 160);
    }
    buf_fini(&text);
    if (line == NULL)
        check_say(k, CHECK_BAD, "metrics",
            "pass {metrics_file} in the command, or write to "
            "$REA_METRICS_FILE, or use from = \"stdout\"",
            "%s: nothing was written to the metrics file", name);
    else
        check_say(k, CHECK_BAD, "metrics", "correct the key",
            "%s: no value under key \"%s\"; the file begins: %s", name, s->key,
            line);
}

int
check_metrics(struct check *k, const struct check_run *dry)
{
    struct buf found = {0};
    const struct spec *s = &k->p->spec;
    uint32_t bad = 0;
    for (uint32_t m = 0; m < s->n_metrics; m++) {
        k->dry_value[m] = dry->value[m].has ? dry->value[m].value : (double)NAN;
        bool later = s->metric[m].role == METRIC_SEALED && s->has_evaluate;
        if (dry->value[m].has) {
            bool sealed = s->metric[m].role == METRIC_SEALED;
            buf_printf(
                &found, "%s%s", found.len > 0 ? ", " : "", s->metric[m].name);
            if (!sealed)
                buf_printf(&found, " %.6g", dry->value[m].value);
            buf_printf(&found, " (x%llu)", (unsigned long long)dry->value[m].n);
        } else if (!later) {
            bad++;
            metric_missing(k, dry, m);
        }
        if (dry->value[m].diverged) {
            bad++;
            check_say(k, CHECK_BAD, "metrics", "lower the default rate",
                "%s became NaN with the defaults", s->metric[m].name);
        }
    }
    if (bad == 0)
        check_say(k, CHECK_OK, "metrics", NULL, "%s", buf_str(&found));
    buf_fini(&found);
    return 0;
}

/* Another way of writing the knobs that the program does accept. */
static uint32_t
style_that_works(struct check *k, struct err *err)
{
    static const uint8_t styles[] = {
        STYLE_ARGPARSE, STYLE_GNU, STYLE_HYDRA, STYLE_ENV, STYLE_JSON};
    uint8_t was = k->p->train.style;
    for (size_t i = 0; i < sizeof(styles); i++) {
        if (styles[i] == was)
            continue;
        struct check_run run = {.time_ms = CHECK_KNOB_MS,
            .dir = fs_join_in(k->call->arena, k->scratch,
                arena_printf(k->call->arena, "style%zu", i))};
        config_default(&k->p->spec, &run.config);
        k->p->train.style = styles[i];
        int rc = check_run(k, &run, err);
        bool works = rc == 0 && (run.ended_well || run.result.timed_out) &&
                     run.value[k->p->spec.primary].has;
        check_run_fini(&run);
        k->p->train.style = was;
        if (works)
            return styles[i];
    }
    return STYLE_NONE;
}

static int
dry_failed(struct check *k, const struct check_run *dry, struct err *err)
{
    const char *words = check_words(k, dry);
    uint32_t style = style_that_works(k, err);
    if (style != STYLE_NONE && k->fix) {
        int rc = check_fix(k, "train", "style", style_name(style), err);
        if (rc != 0)
            return rc;
        check_say(k, CHECK_NOTE, "command", NULL,
            "fixed: the program takes style = \"%s\"", style_name(style));
        return 1; /* look again */
    }
    const char *remedy =
        style != STYLE_NONE
            ? arena_printf(k->call->arena,
                  "in [train]: style = \"%s\" works   (or: rea check --fix)",
                  style_name(style))
            : "run it by hand; the line is in rea check --json";
    check_say(k, CHECK_BAD, "command", remedy, "dry run: %s", words);
    k->stop = true;
    return 0;
}

static void
dry_keep(struct check *k, const struct check_run *dry)
{
    k->dry_ok = dry->ended_well;
    k->dry_ms = dry->result.ms;
    if (fs_exists(dry->cmd.checkpoint))
        k->checkpoint = dry->cmd.checkpoint;
    check_say(k, CHECK_OK, "command", NULL, "dry run %s in %.1f s, %lld MB",
        dry->ended_well ? "exit 0" : "cut off", (double)dry->result.ms / 1000,
        (long long)(dry->result.max_rss_bytes >> 20));
}

int
check_command(struct check *k, struct err *err)
{
    const struct project *p = k->p;
    bool there =
        p->train.shell || program_check(k, "command", p->train.command);
    if (there && p->evaluate.command != NULL && !p->evaluate.shell)
        there = program_check(k, "evaluate", p->evaluate.command);
    k->stop = !there;
    for (int tries = 0; there && tries < 2; tries++) {
        struct check_run dry = {
            .dir = fs_join_in(k->call->arena, k->scratch, "dry")};
        config_default(&k->p->spec, &dry.config);
        dry.time_ms =
            p->resources.time_ms > 0 && p->resources.time_ms < CHECK_DRY_MS
                ? p->resources.time_ms
                : CHECK_DRY_MS;
        int rc = check_run(k, &dry, err);
        int again = 0;
        if (rc == 0 && (dry.ended_well || dry.result.timed_out)) {
            dry_keep(k, &dry);
            rc = check_metrics(k, &dry);
        } else if (rc == 0 || rc == -ERR_NOT_FOUND)
            again = rc = dry_failed(k, &dry, err);
        check_run_fini(&dry);
        if (again != 1)
            return rc;
    }
    return 0;
}
