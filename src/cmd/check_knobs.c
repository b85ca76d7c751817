/* Does every knob reach the trainer? One short probe a knob, set to a value
 * that is not its default: the program must accept it, and its metrics must
 * show it. Called by check. */
#include "cmd/check.h"

#include <math.h>
#include <string.h>

#include "base/fs.h"

/* A value of knob k that is not the default; which = 0, 1 gives two of them.
 * false: it has only one. */
static bool
knob_other(const struct knob *k, int which, double *out)
{
    double d = k->deflt;
    if (k->kind == KNOB_FLOAT || k->kind == KNOB_INT) {
        double u = knob_to_unit(k, d);
        *out = knob_from_unit(
            k, which == 0 ? (u > 0.5 ? u - 0.4 : u + 0.4) : (u > 0.5 ? 0 : 1));
        return *out != d;
    }
    if (k->kind == KNOB_BOOL) {
        *out = d == 0 ? 1 : 0;
        return which == 0;
    }
    if (k->kind == KNOB_SET) {
        uint64_t all =
            k->n_values >= 64 ? UINT64_MAX : ((uint64_t)1 << k->n_values) - 1;
        *out = (uint64_t)d == all ? (double)(all >> 1) : (double)all;
        return which == 0 && *out != d;
    }
    uint32_t step = (uint32_t)which + 1;
    if (k->n_values <= step)
        return false;
    *out = (double)(((uint32_t)d + step) % k->n_values);
    return true;
}

/* Sets other choices and switches until knob k is passed at all. */
static bool
knob_activate(const struct spec *s, uint32_t k, struct config *c)
{
    if (knob_is_active(s, c, k))
        return true;
    for (uint32_t i = 0; i < s->knob[k].n_when; i++) {
        const struct cond *w = &s->knob[k].when[i];
        if (w->op != COND_EQ && w->op != COND_NE && w->op != COND_HAS)
            continue;
        const struct knob *on = &s->knob[w->knob];
        struct config with = *c;
        uint32_t n = on->kind == KNOB_BOOL ? 2 : on->n_values;
        for (uint32_t v = 0; v < n; v++) {
            with.v[w->knob] =
                on->kind == KNOB_SET ? (double)((uint64_t)1 << v) : (double)v;
            if (!knob_accepts(on, with.v[w->knob]) ||
                !knob_activate(s, w->knob, &with) ||
                !knob_is_active(s, &with, k))
                continue;
            *c = with;
            return true;
        }
    }
    return false;
}

static int
knob_probe(struct check *k, const struct config *c, const char *name,
    struct check_run *run, struct err *err)
{
    struct arena *a = k->call->arena;
    int64_t limit = 2 * k->dry_ms + 2000;
    *run = (struct check_run){.config = *c,
        .time_ms = limit < CHECK_KNOB_MS ? limit : CHECK_KNOB_MS,
        .dir = fs_join_in(
            a, k->scratch, arena_printf(a, "knob-%u-%s", k->n_probes, name))};
    return check_run(k, run, err);
}

/* Values of both runs are the same to the last bit, wherever both have one. */
static bool
values_same(const struct check *k, const double *base,
    const struct check_run *run, bool *judged)
{
    uint32_t compared = 0;
    for (uint32_t m = 0; m < k->p->spec.n_metrics; m++) {
        if (!isfinite(base[m]) || !run->value[m].has)
            continue;
        compared++;
        *judged = true;
        if (run->value[m].value != base[m])
            return false;
    }
    return compared > 0;
}

struct knob_look {
    bool accepted, reaches, judged;
    const char *words; /* when it is not accepted */
};

/* The metrics that this knob's change is compared with: the defaults', or
 * those of the configuration that makes the knob active. */
static int
knob_base(struct check *k, const struct config *with, const char *name,
    double base[METRICS_MAX], bool *known, struct err *err)
{
    struct config plain;
    config_default(&k->p->spec, &plain);
    *known = k->dry_ok;
    if (config_equal(&k->p->spec, &plain, with)) {
        memcpy(base, k->dry_value, sizeof(k->dry_value));
        return 0;
    }
    struct check_run run;
    int rc = knob_probe(k, with, name, &run, err);
    *known = rc == 0 && run.ended_well;
    for (uint32_t m = 0; m < METRICS_MAX; m++)
        base[m] =
            rc == 0 && run.value[m].has ? run.value[m].value : (double)NAN;
    check_run_fini(&run);
    return rc;
}

static int
knob_look(struct check *k, uint32_t i, struct knob_look *out, struct err *err)
{
    const struct spec *s = &k->p->spec;
    struct config with;
    double base[METRICS_MAX];
    bool known = false;
    int rc = 0;
    *out = (struct knob_look){.accepted = true};
    config_default(s, &with);
    if (!knob_activate(s, i, &with))
        return 0;
    rc = knob_base(k, &with, s->knob[i].name, base, &known, err);
    for (int which = 0; rc == 0 && which < 2; which++) {
        struct check_run run;
        struct config c = with;
        if (!knob_other(&s->knob[i], which, &c.v[i]))
            break;
        rc = knob_probe(k, &c, s->knob[i].name, &run, err);
        bool died =
            rc == 0 && !run.ended_well && !run.result.timed_out &&
            project_exit(k->p, run.result.exit_code) != EXIT_MEANS_DIVERGED;
        if (died) {
            out->accepted = false;
            out->words = check_words(k, &run);
        } else if (rc == 0) {
            bool same = known && run.ended_well &&
                        values_same(k, base, &run, &out->judged);
            out->reaches = out->reaches || !same;
        }
        check_run_fini(&run);
        if (died || out->reaches || !known)
            break;
    }
    return rc;
}

/* A switch that was given a value is the commonest mistake: try it bare. */
static int
knob_as_switch(struct check *k, uint32_t i, bool *works, struct err *err)
{
    struct knob_look look;
    uint8_t was = k->p->knob[i].style;
    *works = false;
    if (k->p->spec.knob[i].kind != KNOB_BOOL || was == STYLE_SWITCH)
        return 0;
    k->p->knob[i].style = STYLE_SWITCH;
    int rc = knob_look(k, i, &look, err);
    k->p->knob[i].style = was;
    *works = rc == 0 && look.accepted && (look.reaches || !look.judged);
    return rc;
}

static int
knob_refused(struct check *k, uint32_t i, const struct knob_look *look,
    uint32_t *bad, struct err *err)
{
    struct arena *a = k->call->arena;
    const char *name = k->p->spec.knob[i].name;
    bool as_switch = false;
    int rc = knob_as_switch(k, i, &as_switch, err);
    if (rc != 0)
        return rc;
    if (as_switch && k->fix) {
        rc = check_fix(
            k, arena_printf(a, "knob.%s", name), "style", "switch", err);
        if (rc == 0)
            check_say(k, CHECK_NOTE, "knobs", NULL,
                "fixed: %s is a switch now (style = \"switch\")", name);
        return rc;
    }
    (*bad)++;
    check_say(k, CHECK_BAD, "knobs",
        as_switch
            ? arena_printf(a,
                  "in [knob.%s] add: style = \"switch\"   (or: rea "
                  "check --fix)",
                  name)
            : arena_printf(a, "correct name, flag or range of [knob.%s]", name),
        "%s: %s", name, look->words != NULL ? look->words : "no effect");
    return 0;
}

int
check_knobs(struct check *k, struct err *err)
{
    uint32_t bad = 0, judged = 0, n = k->p->spec.n_knobs;
    /* --fix may load the file again; its knobs stay the same ones. */
    for (uint32_t i = 0; i < n; i++) {
        struct knob_look look;
        int rc = knob_look(k, i, &look, err);
        if (rc != 0)
            return rc;
        judged += look.judged;
        if (!look.accepted)
            rc = knob_refused(k, i, &look, &bad, err);
        else if (look.judged && !look.reaches) {
            bad++;
            check_say(k, CHECK_BAD, "knobs",
                "correct its name or flag; give it a `when` if another "
                "knob switches it on; or take it out",
                "%s: no metric changes with it: it does not reach the trainer",
                k->p->spec.knob[i].name);
        }
        if (rc != 0)
            return rc;
    }
    if (bad == 0 && judged == n)
        check_say(k, CHECK_OK, "knobs", NULL,
            "%u of %u reach the trainer (each set to another value, metrics "
            "differ)",
            n, n);
    else if (bad == 0)
        check_say(k, CHECK_OK, "knobs", NULL,
            "%u of %u are accepted; %u ran to the end and show in the metrics",
            n, n, judged);
    return 0;
}
