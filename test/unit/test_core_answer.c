/* The price of a model's reply: charged to money alone, after the signature,
 * never beyond what is left; everything else about a reply changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "project/project.h"

static struct arena arena;

static struct core *
campaign(const char *unit)
{
    struct project *p = NULL;
    struct err err = {0};
    struct update *u = calloc(1, sizeof *u);
    struct core *c = calloc(1, sizeof *c);
    const char *text = arena_printf(&arena,
        "schema = 1\n[project]\nname = \"toy\"\n[train]\ncommand = \"t "
        "{knobs}\"\n[resources]\ntime = \"1m\"\n[metric.auc]\nprimary = true\n"
        "goal = \"max\"\nmin_gain = 1e-3\nfrom = \"jsonl\"\nkey = \"auc\"\n"
        "[knob.lr]\ntype = \"float\"\nrange = [0, 1]\ndefault = 0.5\n"
        "[budget]\nunit = \"%s\"\ntotal = 10\n%s",
        unit, strcmp(unit, "usd") == 0 ? "price_per_hour = 60\n" : "");
    if (project_parse(&arena, "/w", "rea.toml", text, strlen(text), &p, &err) !=
        0)
        fail_msg("%s", err.text);
    size_t n = spec_encode(&p->spec, NULL, 0);
    unsigned char *spec = arena_alloc(&arena, n);
    spec_encode(&p->spec, spec, n);
    struct event e[] = {{.kind = EVENT_campaign_drafted,
                            .spec = spec,
                            .spec_len = n,
                            .number = 7},
        {.kind = EVENT_plan_drafted, .hash = "h", .budget_u = 10 * MICRO}};
    for (size_t i = 0; i < 2; i++)
        if (core_step(c, &e[i], u) != 0)
            fail_msg("%s", u->why);
    free(u);
    return c;
}

static void
approve(struct core *c)
{
    struct update *u = calloc(1, sizeof *u);
    struct event e = {
        .kind = EVENT_plan_approved, .hash = "h", .budget_u = 10 * MICRO};
    if (core_step(c, &e, u) != 0)
        fail_msg("%s", u->why);
    free(u);
}

static void
tell(struct core *c, struct event e, const char *refused)
{
    struct update *u = calloc(1, sizeof *u);
    int64_t spent = c->spent_u;
    e.kind = EVENT_answer_arrived;
    int rc = core_apply(c, &e, u);
    if (refused == NULL && rc != 0)
        fail_msg("%s", u->why);
    if (refused != NULL) {
        assert_true(rc < 0);
        assert_non_null(strstr(u->why, refused));
        assert_int_equal(c->spent_u, spent);
    } else {
        assert_int_equal(c->spent_u, spent + e.cost_u);
        char line[400];
        trace_line(c, &e, line, sizeof line);
        assert_non_null(strstr(line, "answered on"));
    }
    free(u);
}

static void
money_is_charged_after_the_signature(void **state)
{
    (void)state;
    struct core *c = campaign("usd");
    tell(c, (struct event){.hash = "a", .tokens_in = 10}, NULL);
    tell(c, (struct event){.hash = "a", .cost_u = 1}, "no budget is approved");
    approve(c);
    tell(c, (struct event){.hash = "a", .cost_u = 4 * MICRO}, NULL);
    assert_int_equal(c->phase_spent_u[PHASE_NONE], 4 * MICRO);
    tell(c, (struct event){.hash = "a", .cost_u = 6 * MICRO + 1},
        "more than what is left");
    tell(c, (struct event){.hash = "a", .cost_u = INT64_MAX},
        "more than what is left");
    tell(c, (struct event){.hash = "a", .cost_u = 6 * MICRO}, NULL);
    tell(c, (struct event){.hash = "a", .cost_u = 1}, "more than what is left");
    free(c);
}

static void
other_units_are_not_money(void **state)
{
    (void)state;
    struct core *c = campaign("trials");
    approve(c);
    tell(
        c, (struct event){.hash = "a", .cost_u = 1}, "the budget is in trials");
    tell(c, (struct event){.hash = "a", .value = .02, .tokens_out = 9}, NULL);
    free(c);
}

static void
nonsense_is_refused(void **state)
{
    (void)state;
    struct core *c = campaign("usd");
    approve(c);
    tell(c, (struct event){.cost_u = 1}, "hash");
    tell(c, (struct event){.hash = ""}, "hash");
    tell(c, (struct event){.hash = "a", .remedy = 99}, "remedy");
    tell(c, (struct event){.hash = "a", .trial = 1}, "no trial T1");
    tell(c, (struct event){.hash = "a", .tokens_in = -1}, "below zero");
    tell(c, (struct event){.hash = "a", .cost_u = -1}, "below zero");
    free(c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(money_is_charged_after_the_signature),
        cmocka_unit_test(other_units_are_not_money),
        cmocka_unit_test(nonsense_is_refused),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    arena_fini(&arena);
    return rc;
}
