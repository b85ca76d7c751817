/* A model's bytes on their way to a proposal: whatever they are, what is kept
 * is a declared value inside its domain and valid JSON; a summary keeps no
 * number that the report lacks; a quoted text has one end. */
#include "fuzz.h"

#include "agent/agent.h"
#include "agent/guard.h"
#include "project/project.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const fuzz_seeds[] = {
    "{\"statement\":\"s\",\"rationale\":\"r\",\"changes\":[{\"knob\":\"lr\","
    "\"value\":\"0.05\"}],\"evidence\":[{\"ref\":\"P1\",\"quote\":\"words of "
    "a paper\"}]}",
    "{\"statement\":\"s\",\"rationale\":\"r\",\"changes\":[{\"knob\":\"model\","
    "\"value\":\"dcn\"},{\"knob\":\"layers\",\"value\":3},{\"knob\":\"bn\","
    "\"value\":true},{\"knob\":\"feats\",\"value\":[\"a\",\"b\"]}],"
    "\"evidence\":[]}",
    "E4 gained 0.0018 in 3 trials. It was 0.7 better. H1 moved 12 %.",
    "{\"goals\":[\"g P1\"],\"open\":[\"o\"],\"facts\":[\"f I7\"]}", NULL};
const char *const fuzz_words[] = {"\"knob\"", "\"value\"", "\"lr\"", "1e308",
    "-0", "0x1", "nan", "inf", "1e999", "\"0.05\"", "\"dcn\"", "\"a,b\"",
    "\"P1\"", "P99", "</data", "<data", "\\u0000", "\\ud800", "\xff", "\x1b[2J",
    "sk-abcdefghijklmnopqrstuv", "[", "]", "{", "}", ",", "..", "%", NULL};

static const char project_text[] =
    "schema = 1\n[project]\nname = \"toy\"\n[train]\ncommand = \"t {knobs}\"\n"
    "[metric.auc]\nprimary = true\ngoal = \"max\"\nmin_gain = 1e-3\n"
    "from = \"jsonl\"\nkey = \"auc\"\n"
    "[knob.lr]\ntype = \"float\"\nrange = [1e-4, 1e-1]\ndefault = 1e-2\n"
    "[knob.model]\ntype = \"choice\"\nvalues = [\"fm\", \"dcn\"]\n"
    "default = \"fm\"\n"
    "[knob.layers]\ntype = \"int\"\nrange = [1, 4]\ndefault = 2\n"
    "when = 'model == \"dcn\"'\n"
    "[knob.bn]\ntype = \"bool\"\ndefault = false\n"
    "[knob.feats]\ntype = \"set\"\nvalues = [\"a\", \"b\", \"c\"]\n"
    "default = [\"a\"]\n"
    "[budget]\nunit = \"trials\"\ntotal = 40\n";

static const struct spec *
spec(void)
{
    static struct arena arena;
    static struct project *p;
    struct err err = {0};
    if (p == NULL && project_parse(&arena, "/w", "rea.toml", project_text,
                         sizeof project_text - 1, &p, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    return &p->spec;
}

static bool
member_of(const struct knob *k, const char *text)
{
    for (uint32_t i = 0; i < k->n_values; i++)
        if (strcmp(k->values[i], text) == 0)
            return true;
    return false;
}

static void
kept_check(const struct proposal *p)
{
    struct json *j = json_parse(p->json, strlen(p->json), NULL);
    const struct json *list = json_get(j, "changes");
    assert(json_kind(j) == J_OBJ && json_len(list) >= 1);
    for (size_t i = 0; i < json_len(list); i++) {
        const char *v = json_get_str(json_at(list, i), "value");
        int k = spec_knob(spec(), json_get_str(json_at(list, i), "knob"));
        assert(k >= 0 && v != NULL);
        const struct knob *knob = &spec()->knob[k];
        if (knob->kind == KNOB_FLOAT || knob->kind == KNOB_INT)
            assert(knob_accepts(knob, strtod(v, NULL)));
        else if (knob->kind == KNOB_BOOL)
            assert(strcmp(v, "true") == 0 || strcmp(v, "false") == 0);
        else if (knob->kind == KNOB_CHOICE)
            assert(member_of(knob, v));
    }
    const struct json *evidence = json_get(j, "evidence");
    for (size_t i = 0; i < json_len(evidence); i++)
        assert(strstr("words of a paper that says so",
                   json_get_str(json_at(evidence, i), "quote")) != NULL);
    json_free(j);
}

static void
proposal_try(struct talk *t, struct desk *d, const char *text, size_t n)
{
    struct buf out = {0};
    struct err err = {0};
    bool finished = false;
    char *args = arena_strndup(t->arena, text, n);
    struct model_call call = {"c", "propose_hypothesis", args};
    assert(tool_answer(d, t, &call, &out, &finished, &err) == 0);
    call.name = args;
    assert(tool_answer(d, t, &call, &out, &finished, &err) == 0);
    for (uint32_t i = 0; i < t->n_proposals; i++)
        kept_check(&t->proposal[i]);
    buf_fini(&out);
}

static void
summary_try(const char *text)
{
    static const char report[] = "{\"gain\":0.0018,\"id\":\"E4\",\"n\":3}";
    struct json *j = json_parse(report, sizeof report - 1, NULL);
    struct buf once = {0}, twice = {0};
    summary_check(text, j, &once);
    assert(summary_check(buf_str(&once), j, &twice) == 0);
    assert(once.len <= strlen(text) + 1);
    json_free(j);
    buf_fini(&once);
    buf_fini(&twice);
}

static void
quote_try(const char *text, size_t n)
{
    struct buf b = {0};
    text_quote("x", text, n, 500, true, &b);
    const char *mark = strstr(buf_str(&b), "mark=\"") + 6;
    char end[32];
    snprintf(end, sizeof end, "</data %.12s>", mark);
    const char *at = strstr(buf_str(&b), end);
    assert(at != NULL && strcmp(at + strlen(end), "\n") == 0);
    struct buf json = {0};
    struct jw w;
    jw_init(&w, &json, 0);
    jw_str(&w, buf_str(&b));
    struct json *j = json_parse(buf_str(&json), json.len, NULL);
    assert(j != NULL && strcmp(json_str(j), buf_str(&b)) == 0);
    json_free(j);
    buf_fini(&json);
    buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = {0};
    const char *text = arena_strndup(&a, (const char *)data, size);
    size_t n = strlen(text); /* what comes from a model is text */
    struct talk *t = arena_alloc(&a, sizeof *t);
    struct desk d = {.spec = spec(), .proposals_max = 4};
    struct seen s = {
        .ref = "P1", .kind = "paper", .text = "words of a paper that says so"};
    struct buf b = {0};
    *t = (struct talk){.arena = &a, .brief = "{}", .notes = ""};
    assert(talk_seen_add(t, &s, NULL) == 0);
    proposal_try(t, &d, text, n);
    summary_try(text);
    quote_try((const char *)data, size);
    struct json *said = json_parse(text, n, NULL);
    memory_summary(t, 0, said, &b);
    json_free(said);
    said = json_parse(buf_str(&b), b.len, NULL);
    assert(said != NULL);
    json_free(said);
    buf_fini(&b);
    arena_fini(&a);
    return 0;
}
