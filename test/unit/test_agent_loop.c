/* Conversations with a scripted model: what becomes a proposal, what never
 * does, what survives a kill at every step, and what a failing model costs. */
#include "unit/agent_world.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/notes.h"
#include "base/fs.h"

static char top[48];

static const char *
place(const char *name)
{
    static char path[4][64];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[0], "%.40s/%.20s", top, name);
    return path[turn];
}

#define CHANGE(knob, value)                                                    \
    "\"changes\":[{\"knob\":\"" knob "\",\"value\":\"" value "\"}]"
#define PROPOSE(change, evidence)                                              \
    {                                                                          \
        "propose_hypothesis",                                                  \
            "{\"statement\":\"s\",\"rationale\":\"r\"," change                 \
            ",\"evidence\":[" evidence "]}"                                    \
    }
#define QUOTE(ref, text) "{\"ref\":\"" ref "\",\"quote\":\"" text "\"}"

/* Looks things up, proposes what is right and what is wrong, criticises. */
static const struct script_turn full[] = {
    {.purpose = "hypotheses",
        .text = "I look around.",
        .call = {{"read_knob_catalogue", "{}"},
            {"search_papers", "{\"query\":\"interaction layer\"}"},
            {"search_insights", "{\"query\":\"learning rate\"}"}}},
    {.purpose = "hypotheses",
        .call = {PROPOSE(CHANGE("model", "final"),
                     QUOTE("P1", "FINAL improves AUC on Criteo by 0.12 percent "
                                 "over DCNv2")),
            PROPOSE(CHANGE("lr", "0.02"),
                QUOTE("I2", "Raise the learning rate from 0.01 to 0.02"))}},
    {.purpose = "hypotheses",
        .call = {PROPOSE(CHANGE("lr", "0.03"), ""), /* planned */
            PROPOSE(CHANGE("dropout", "0.1"), ""),  /* measured here */
            PROPOSE(CHANGE("dropout", "0.2"), ""),
            {"note", "{\"title\":\"lr\",\"text\":\"lr is worth a look\"}"}}},
    {.purpose = "hypotheses", .call = {{"finish", "{}"}}},
    {.purpose = "reflection",
        .text = "{\"drop\":[{\"proposal\":\"Q3\",\"why\":\"I1 says that it "
                "hurts\"}]}"},
    {0}};

static const char *
result_of(const struct agent_world *w)
{
    static struct buf b;
    buf_clear(&b);
    agent_result(w->agent.talk, &b);
    return buf_str(&b);
}

static void
a_conversation_gives_proposals(void **state)
{
    (void)state;
    struct agent_world w;
    world_open(&w, place("full"));
    world_run(&w, "k", TALK_HYPOTHESES, full);
    const struct talk *t = w.agent.talk;
    assert_int_equal(t->state, TALK_DONE);
    assert_int_equal(t->n_proposals, 3);
    assert_int_equal(talk_kept(t), 2);
    const char *r = result_of(&w);
    assert_non_null(strstr(r, "\"knob\":\"model\",\"value\":\"final\""));
    assert_non_null(strstr(r, "arXiv:2304.00902"));
    assert_non_null(strstr(r, "\"relation\":\"refines\""));
    assert_null(strstr(r, "dropout"));
    assert_string_equal(t->proposal[2].why, "I1 says that it hurts");
    assert_int_equal(world_served(&w), 5);
    /* again: the same, for nothing */
    world_run(&w, "k", TALK_HYPOTHESES, full);
    assert_int_equal(world_served(&w), 5);
    world_close(&w);
}

/* kill -9 at every step: the next start ends with the same proposals, and no
 * reply is served twice. */
static void
a_kill_at_any_step_costs_nothing(void **state)
{
    (void)state;
    struct agent_world w;
    world_open(&w, place("whole"));
    world_run(&w, "k", TALK_HYPOTHESES, full);
    char *want = strdup(result_of(&w));
    uint32_t served = world_served(&w), marks = w.marks, died = 0;
    world_close(&w);
    assert_true(marks > 20);
    print_message("%u steps to kill at\n", marks);
    for (uint32_t at = 1; at <= marks; at++) {
        char name[16];
        int status = 0;
        snprintf(name, sizeof name, "kill%u", at);
        const char *dir = place(name);
        pid_t pid = fork();
        if (pid == 0) {
            struct agent_world child;
            world_open(&child, dir);
            child.die_at = at;
            world_run(&child, "k", TALK_HYPOTHESES, full);
            _exit(0);
        }
        assert_true(waitpid(pid, &status, 0) == pid);
        died += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
        world_open(&w, dir);
        world_run(&w, "k", TALK_HYPOTHESES, full);
        const char *got = result_of(&w);
        /* what a reply cost is told once, by who took it first */
        assert_string_equal(
            strstr(got, "\"proposals\""), strstr(want, "\"proposals\""));
        assert_int_equal(world_served(&w), served);
        world_close(&w);
    }
    assert_int_equal(died, marks);
    free(want);
}

static void
a_failing_model_leaves_what_there_is(void **state)
{
    (void)state;
    static const struct script_turn cut[] = {
        {.purpose = "hypotheses", .call = {PROPOSE(CHANGE("lr", "0.05"), "")}},
        {.purpose = "hypotheses", .status = MODEL_NO_MONEY}, {0}};
    static const struct script_turn refuses[] = {
        {.purpose = "hypotheses", .status = MODEL_REFUSED}, {0}};
    struct agent_world w;
    world_open(&w, place("cut"));
    world_run(&w, "a", TALK_HYPOTHESES, cut);
    assert_int_equal(w.agent.talk->state, TALK_STOPPED);
    assert_int_equal(talk_kept(w.agent.talk), 1);
    assert_string_equal(w.agent.talk->why, "scripted");
    world_close(&w);
    world_open(&w, place("refuses"));
    world_run(&w, "b", TALK_HYPOTHESES, refuses);
    assert_int_equal(w.agent.talk->state, TALK_STOPPED);
    assert_int_equal(w.agent.talk->n_proposals, 0);
    world_close(&w);
}

static void
later_hibernates_and_goes_on(void **state)
{
    (void)state;
    static struct script_turn waits[] = {
        {.purpose = "hypotheses", .call = {PROPOSE(CHANGE("lr", "0.05"), "")}},
        {.purpose = "hypotheses",
            .status = MODEL_UNREACHABLE,
            .later_ms = 1790000000000},
        {.purpose = "reflection", .text = "{\"drop\":[]}"}, {0}};
    struct agent_world w;
    int64_t wake = 0;
    world_open(&w, place("later"));
    world_run(&w, "k", TALK_HYPOTHESES, waits);
    assert_int_equal(w.agent.talk->state, TALK_LATER);
    assert_int_equal(talk_waiting(w.db, &wake), w.agent.talk->id);
    assert_int_equal(wake, 1790000000000);
    assert_non_null(strstr(result_of(&w), "\"wake_ms\":1790000000000"));
    waits[1] = (struct script_turn){
        .purpose = "hypotheses", .call = {{"finish", "{}"}}};
    world_run(&w, "k", TALK_HYPOTHESES, waits);
    assert_int_equal(w.agent.talk->state, TALK_DONE);
    assert_int_equal(talk_waiting(w.db, &wake), 0);
    assert_int_equal(talk_kept(w.agent.talk), 1);
    world_close(&w);
}

/* A model that calls no tools is asked once, by schema. */
static void
a_silent_model_is_asked_directly(void **state)
{
    (void)state;
    static const struct script_turn silent[] = {
        {.purpose = "hypotheses", .text = "Try a larger learning rate."},
        {.purpose = "hypotheses",
            .text = "{\"proposals\":[{\"statement\":\"s\",\"rationale\":\"r\","
                    "\"changes\":[{\"knob\":\"lr\",\"value\":\"0.05\"}],"
                    "\"evidence\":[]},{\"statement\":\"s\",\"rationale\":"
                    "\"r\",\"changes\":[{\"knob\":\"lr\",\"value\":\"1e308\"}],"
                    "\"evidence\":[]}]}"},
        {.purpose = "reflection", .text = "{\"drop\":[]}"}, {0}};
    static const struct script_turn babble[] = {
        {.purpose = "hypotheses", .text = "Once upon a time"},
        {.purpose = "hypotheses", .text = "there was a knob"}, {0}};
    struct agent_world w;
    world_open(&w, place("silent"));
    world_run(&w, "k", TALK_HYPOTHESES, silent);
    assert_int_equal(w.agent.talk->state, TALK_DONE);
    assert_int_equal(talk_kept(w.agent.talk), 1);
    world_close(&w);
    world_open(&w, place("babble"));
    world_run(&w, "k", TALK_HYPOTHESES, babble);
    assert_int_equal(w.agent.talk->state, TALK_STOPPED);
    assert_int_equal(w.agent.talk->n_proposals, 0);
    world_close(&w);
}

static void
its_own_limit_ends_a_conversation(void **state)
{
    (void)state;
    struct agent_world w;
    world_open(&w, place("limit"));
    w.agent.limits = agent_limits_default;
    w.agent.limits.tokens = 10;
    world_run(&w, "k", TALK_HYPOTHESES, full);
    assert_int_equal(w.agent.talk->state, TALK_STOPPED);
    assert_int_equal(world_served(&w), 1);
    assert_non_null(strstr(w.agent.talk->why, "has used what it may"));
    world_close(&w);
}

/* ---- diagnosis and summary ---- */

static void
a_diagnosis_names_a_remedy_of_the_list(void **state)
{
    (void)state;
    static const struct script_turn good[] = {
        {.purpose = "diagnosis",
            .text = "{\"remedy\":\"give-up\",\"explanation\":\"shard 17 is "
                    "torn\",\"question\":\"is shard 17 whole?\"}"},
        {0}};
    static const struct script_turn wild[] = {
        {.purpose = "diagnosis",
            .text = "{\"remedy\":\"rm -rf /\",\"explanation\":\"key "
                    "sk-abcdefghijklmnop123456\",\"question\":\"\"}"},
        {0}};
    struct agent_world w;
    world_open(&w, place("diagnosis"));
    world_run(&w, "good", TALK_DIAGNOSIS, good);
    assert_int_equal(w.agent.talk->state, TALK_DONE);
    assert_non_null(strstr(w.agent.talk->result, "\"remedy\":\"give-up\""));
    /* what was sent: the log, and not the key in it */
    const char *sent = w.agent.talk->step[0].text;
    assert_non_null(strstr(sent, "shard 17 has 3 columns"));
    assert_null(strstr(sent, "sk-abcdef"));
    world_close(&w);
    world_open(&w, place("wild"));
    world_run(&w, "wild", TALK_DIAGNOSIS, wild);
    assert_non_null(strstr(w.agent.talk->result, "\"remedy\":\"none\""));
    assert_null(strstr(w.agent.talk->result, "sk-abcdef"));
    world_close(&w);
}

static void
a_summary_holds_numbers_of_the_report(void **state)
{
    (void)state;
    static const struct script_turn says[] = {
        {.purpose = "summary",
            .text = "{\"paragraph\":\"E4 gained 0.0018 in 3 trials. It was "
                    "0.7 better. H1 moved lr to 0.03. E9 failed. It cost 31.5 "
                    "units!\"}"},
        {0}};
    struct agent_world w;
    world_open(&w, place("summary"));
    world_run(&w, "k", TALK_SUMMARY, says);
    assert_string_equal(w.agent.talk->result,
        "{\"paragraph\":\"E4 gained 0.0018 in 3 trials. H1 moved lr to 0.03. "
        "It cost 31.5 units!\",\"dropped\":2}");
    world_close(&w);
}

/* ---- notes ---- */

static void
notes_are_kept_and_chosen(void **state)
{
    (void)state;
    struct agent_world w;
    struct err err = {0};
    struct buf b = {0};
    world_open(&w, place("notes"));
    world_run(&w, "k", TALK_HYPOTHESES, full);
    for (int i = 0; i < 2; i++) /* a second time adds nothing */
        assert_int_equal(notes_from_brief(w.db, w.brief, "toy", &err), 0);
    struct note *v = NULL;
    uint32_t n = 0;
    assert_int_equal(note_list(w.db, &w.arena, 99, &v, &n, &err), 0);
    assert_int_equal(n, 3);
    assert_string_equal(v[0].title, "failure: exit 3");
    assert_string_equal(v[1].title, "reject: Turn bn on");
    assert_string_equal(v[2].body, "lr is worth a look");
    assert_int_equal(
        notes_choose(w.db, "toy", "exit failure trial", 400, &b, &err), 0);
    assert_non_null(strstr(buf_str(&b), "Helped: gave up"));
    assert_null(strstr(buf_str(&b), "lr is worth"));
    const char *dir = fs_join_in(&w.arena, w.dir, "notes");
    assert_int_equal(notes_write(w.db, dir, &err), 0);
    assert_true(
        fs_is_file(fs_join_in(&w.arena, dir, "0002-reject-turn-bn-on.md")));
    buf_fini(&b);
    world_close(&w);
}

/* ---- hostile replies: files of test/hostile/replies ---- */

static const char *
member(struct arena *a, const struct json *o, const char *key)
{
    const char *text = json_get_str(o, key);
    const char *hex = json_get_str(o, key[0] == 't' ? "text_hex" : "args_hex");
    if (hex == NULL)
        return text;
    char *out = arena_alloc(a, strlen(hex) / 2 + 1);
    for (size_t i = 0; hex[2 * i] != '\0'; i++)
        sscanf(hex + 2 * i, "%2hhx", (unsigned char *)&out[i]);
    return out;
}

static struct script_turn *
script_read(struct arena *a, const struct json *file)
{
    const struct json *turns = json_get(file, "turns");
    size_t n = json_len(turns);
    struct script_turn *s = arena_alloc(a, sizeof *s * (n + 1));
    for (size_t i = 0; i < n; i++) {
        const struct json *t = json_at(turns, i), *c = json_get(t, "calls");
        s[i].purpose = json_get_str(t, "purpose");
        s[i].text = member(a, t, "text");
        for (size_t k = 0; k < json_len(c) && k < 6; k++)
            s[i].call[k] =
                (struct script_call){json_get_str(json_at(c, k), "name"),
                    member(a, json_at(c, k), "args")};
    }
    return s;
}

/* Everything kept is one of the declared values, told here once more. */
static void
inside(const struct json *p)
{
    const struct json *list = json_get(p, "changes");
    assert_true(json_len(list) >= 1 && json_len(list) <= 5);
    for (size_t i = 0; i < json_len(list); i++) {
        const char *k = json_get_str(json_at(list, i), "knob");
        const char *v = json_get_str(json_at(list, i), "value");
        double x = strtod(v, NULL);
        bool ok = strcmp(k, "lr") == 0        ? x >= 1e-4 && x <= .1
                  : strcmp(k, "dropout") == 0 ? x >= 0 && x <= .5
                  : strcmp(k, "cross-layers") == 0
                      ? strlen(v) == 1 && *v >= '1' && *v <= '4'
                  : strcmp(k, "bn") == 0 ? strcmp(v, "true") == 0
                  : strcmp(k, "model") == 0
                      ? strcmp(v, "dcnv2") == 0 || strcmp(v, "final") == 0
                      : false;
        if (!ok)
            fail_msg("%s = %s got through", k, v);
    }
}

static void
hostile_file(struct arena *a, const char *path, uint32_t number)
{
    struct err err = {0};
    char name[16];
    struct json *file = json_read(path, 1 << 20, &err);
    if (file == NULL)
        fail_msg("%s", err.text);
    snprintf(name, sizeof name, "hostile%u", number);
    struct agent_world w;
    world_open(&w, place(name));
    world_run(&w, "k", TALK_HYPOTHESES, script_read(a, file));
    const char *text = result_of(&w);
    struct json *result = json_parse(text, strlen(text), &err);
    if (result == NULL)
        fail_msg("%s: %s", path, err.text);
    const struct json *kept = json_get(result, "proposals");
    if ((int64_t)json_len(kept) != json_get_i64(file, "kept", -1))
        fail_msg("%s: %zu proposals: %s", path, json_len(kept), text);
    for (size_t i = 0; i < json_len(kept); i++)
        inside(json_at(kept, i));
    const struct json *never = json_get(file, "never");
    for (size_t i = 0; i < json_len(never); i++)
        if (strstr(text, json_str(json_at(never, i))) != NULL)
            fail_msg("%s: %s in %s", path, json_str(json_at(never, i)), text);
    json_free(result);
    json_free(file);
    world_close(&w);
}

static void
hostile_replies_change_nothing(void **state)
{
    (void)state;
    struct arena a = {0};
    const char **names = NULL;
    size_t n = 0;
    struct err err = {0};
    if (fs_list_in(&a, "test/hostile/replies", &names, &n, &err) != 0)
        fail_msg("%s", err.text);
    assert_true(n >= 15);
    for (size_t i = 0; i < n; i++)
        hostile_file(
            &a, fs_join_in(&a, "test/hostile/replies", names[i]), (uint32_t)i);
    arena_fini(&a);
}

int
main(void)
{
    /* a kill keeps what the kernel has: memory is as good as a disk here */
    snprintf(top, sizeof top, "/dev/shm/test_agent.XXXXXX");
    if (mkdtemp(top) == NULL) {
        snprintf(top, sizeof top, "/tmp/test_agent.XXXXXX");
        if (mkdtemp(top) == NULL)
            return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_conversation_gives_proposals),
        cmocka_unit_test(a_kill_at_any_step_costs_nothing),
        cmocka_unit_test(a_failing_model_leaves_what_there_is),
        cmocka_unit_test(later_hibernates_and_goes_on),
        cmocka_unit_test(a_silent_model_is_asked_directly),
        cmocka_unit_test(its_own_limit_ends_a_conversation),
        cmocka_unit_test(a_diagnosis_names_a_remedy_of_the_list),
        cmocka_unit_test(a_summary_holds_numbers_of_the_report),
        cmocka_unit_test(notes_are_kept_and_chosen),
        cmocka_unit_test(hostile_replies_change_nothing),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    struct err ignored = {0};
    fs_remove_tree(top, &ignored);
    return rc;
}
