/* Tells a story to the engine and prints the narrative. A story file holds
 * commands ("> end T1 ok 0.74") and, between them, the lines the engine is
 * expected to say; this program prints both, so that a story is its own golden
 * file: `trace_run story.txt | diff story.txt -`. Submissions are acknowledged
 * by themselves, in order. */
#include "base/arena.h"
#include "core/core.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct core *core;
static struct update update;
static int64_t now_ms;

static void
say(void *ctx, const struct event *e)
{
    char line[1200];
    (void)ctx;
    trace_line(core, e, line, sizeof line);
    if (e->kind != EVENT_job_submitted)
        puts(line);
}

static void
tell(struct event *e)
{
    e->at_ms = now_ms;
    if (core_advance(core, e, &update, say, NULL) != 0)
        printf("refused: %s\n", update.why);
    struct action a[JOBS_MAX];
    uint32_t n = core_actions(core, a, JOBS_MAX);
    for (uint32_t i = 0; i < n; i++) {
        if (a[i].kind != ACTION_SUBMIT)
            continue;
        struct event s = {
            .kind = EVENT_job_submitted, .job = a[i].job, .at_ms = now_ms};
        core_advance(core, &s, &update, say, NULL);
    }
}

static void
knob_add(struct spec *s, const char *name, enum concept concept, double lo,
    double hi, double deflt)
{
    struct knob *k = &s->knob[s->n_knobs++];
    snprintf(k->name, sizeof k->name, "%s", name);
    k->kind = concept == CONCEPT_BATCH_SIZE ? KNOB_INT : KNOB_FLOAT;
    k->concept = (uint8_t) concept;
    k->lo = lo;
    k->hi = hi;
    k->deflt = deflt;
}

static void
draft(unsigned budget, unsigned seeds, unsigned phases)
{
    struct spec *s = mem_calloc(1, sizeof *s);
    snprintf(s->model, sizeof s->model, "story");
    knob_add(s, "lr", CONCEPT_LEARNING_RATE, 1e-4, 1, .01);
    knob_add(s, "batch", CONCEPT_BATCH_SIZE, 16, 1024, 256);
    knob_add(s, "dropout", CONCEPT_DROPOUT, 0, .5, 0);
    s->n_metrics = 2;
    snprintf(s->metric[0].name, NAME_LEN, "auc");
    snprintf(s->metric[1].name, NAME_LEN, "test_auc");
    s->metric[0].role = METRIC_PRIMARY;
    s->metric[0].min_gain = 1e-4;
    s->metric[1].role = METRIC_SEALED;
    s->sealed = 1;
    s->has_resume = true;
    s->phases = phases;
    s->max_hypotheses = 8;
    s->baseline_seeds = seeds;
    s->unit = UNIT_TRIALS;
    s->total_u = (int64_t)budget * MICRO;
    s->reserve_train_u = MICRO;
    s->max_parallel = 1;
    s->fidelity_knob = -1;
    size_t n = spec_encode(s, NULL, 0);
    unsigned char *bytes = mem_calloc(1, n);
    spec_encode(s, bytes, n);
    struct event e = {.kind = EVENT_campaign_drafted,
        .spec = bytes,
        .spec_len = n,
        .number = 1};
    tell(&e);
    free(bytes);
    free(s);
}

static void
hypothesis(const char *args)
{
    char knob[32], text[120];
    double value, mean, sd;
    struct event e = {.kind = EVENT_hypothesis_added,
        .source = SOURCE_ENGINEER,
        .statement = text};
    if (sscanf(args, "%31s %lf %lf %lf %119[^\n]", knob, &value, &mean, &sd,
            text) != 5) {
        printf("bad story line: %s\n", args);
        exit(2);
    }
    e.mean = mean;
    e.sd = sd;
    e.n_over = 1;
    int k = spec_knob(&core->spec, knob);
    e.over[0] = (struct override){(uint32_t)(k < 0 ? 99 : k), value};
    tell(&e);
}

static void
end(const char *args)
{
    unsigned trial;
    char how[32];
    double value = NAN;
    if (sscanf(args, "T%u %31s %lf", &trial, how, &value) < 2 ||
        trial > core->n_trials || trial == 0) {
        printf("bad story line: %s\n", args);
        exit(2);
    }
    struct event e = {.kind = EVENT_job_ended,
        .cost_u = MICRO,
        .trial = trial,
        .job = core->trial[trial - 1].job};
    for (uint32_t r = 1; r < REASON_COUNT; r++)
        if (strcmp(reason_name(r), how) == 0)
            e.reason = r;
    e.has_checkpoint = strstr(args, "no checkpoint") == NULL &&
                       (e.reason == REASON_PREEMPTED ||
                           strstr(args, "with checkpoint") != NULL);
    if (!isnan(value)) {
        e.n_measures = 1;
        e.measure[0] = (struct measure){0, value};
    }
    tell(&e);
}

static void
sealed(const char *args)
{
    unsigned trial;
    double value;
    if (sscanf(args, "T%u %lf", &trial, &value) != 2)
        exit(2);
    struct event e = {
        .kind = EVENT_sealed_read, .trial = trial, .value = value};
    tell(&e);
}

static void
command(const char *line)
{
    unsigned a = 0, b = 0, p = 0;
    struct event e = {0};
    char word[32] = "";
    int at = 0;
    sscanf(line, "%31s %n", word, &at);
    const char *args = line + at;
    if (strcmp(word, "draft") == 0 &&
        sscanf(args, "budget=%u seeds=%u phases=%x", &a, &b, &p) == 3) {
        draft(a, b, p);
        return;
    }
    if (strcmp(word, "hypothesis") == 0) {
        hypothesis(args);
        return;
    }
    if (strcmp(word, "end") == 0) {
        end(args);
        return;
    }
    if (strcmp(word, "sealed") == 0) {
        sealed(args);
        return;
    }
    if (strcmp(word, "minutes") == 0 && sscanf(args, "%u", &a) == 1) {
        now_ms += (int64_t)a * 60000;
        return;
    }
    e.budget_u = core->spec.total_u;
    e.hash = strcmp(word, "data_seen") == 0 ? args : "5eed5eed5eed";
    e.by = "lin";
    if (sscanf(args, "H%u", &a) == 1)
        e.hypothesis = a;
    if (sscanf(args, "budget=%u", &b) == 1)
        e.budget_u = (int64_t)b * MICRO;
    e.state = strcmp(args, "restored") == 0;
    for (uint32_t k = 1; k < EVENT_COUNT; k++)
        if (strcmp(event_name(k), word) == 0)
            e.kind = k;
    tell(&e);
}

int
main(int argc, char **argv)
{
    char line[512];
    FILE *f = argc == 2 ? fopen(argv[1], "r") : NULL;
    if (f == NULL) {
        fprintf(stderr, "usage: trace_run STORY\n");
        return 2;
    }
    core = mem_calloc(1, sizeof *core);
    now_ms = 1700000000000;
    while (fgets(line, sizeof line, f) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '#')
            puts(line);
        if (line[0] != '>')
            continue;
        puts(line);
        command(line + 2);
    }
    fclose(f);
    free(core);
    return 0;
}
