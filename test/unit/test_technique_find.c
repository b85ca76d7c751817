/* Techniques in texts: names of the library, and names that papers bring. All
 * sentences are made up for these tests. */
#include "papers/technique_find.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
mentions_is(const char *text, const char *expected)
{
    struct technique_mention m[16];
    char all[1000] = "";
    uint32_t n = technique_mentions(text, strlen(text), m, 16);
    for (uint32_t i = 0; i < n; i++) {
        assert_true(m[i].begin < m[i].end && m[i].end <= strlen(text));
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s",
            i > 0 ? " " : "", m[i].technique->id);
    }
    if (strcmp(all, expected) != 0)
        fail_msg("%s\n  found    %s\n  expected %s", text, all, expected);
}

static void
library_is_mentioned(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } row[] = {
        {"", ""},
        {"We compare with DeepFM and xDeepFM.", "deepfm xdeepfm"},
        {"DCN-V2 is strong.", "dcnv2"}, /* and not DCN as well */
        {"Two-tower models use contrastive-learning.", "twotower contrastive"},
        {"the din of the street", ""}, /* short names in capitals only */
        {"DIN attends to the past.", "din"},
        {"a longer store of gates", ""}, /* LONGER, STORE are exact */
        {"LONGER and STORE scale.", "longer_seq store"},
        {"warm up the model", ""},
        {"with a learning rate warm-up", "warmup"},
        {"Graph neural networks (GNNs)", "gnn"},
        {"gnns in lower case", ""},
        {"DeepFM, DeepFM, DeepFM", "deepfm"},
        {"We propose GDCN after FINAL.", "gdcn final"},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        mentions_is(row[i].text, row[i].expected);
}

static void
names_are(const char *title, const char *text, const char *expected)
{
    struct technique_name x[8];
    char all[1000] = "";
    uint32_t n = technique_names(title, text, x, 8);
    for (uint32_t i = 0; i < n; i++) {
        assert_true(x[i].begin <= x[i].end && x[i].end <= strlen(text));
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s%s",
            i > 0 ? " " : "", x[i].part ? "part:" : "", x[i].name);
    }
    if (strcmp(all, expected) != 0)
        fail_msg("%s\n  found    %s\n  expected %s", text, all, expected);
}

static void
new_names_are_found(void **state)
{
    (void)state;
    names_are("", "We propose FooNet, a cross network with gates.", "FooNet");
    names_are(
        "", "This paper presents a gated cross network (GxNet).", "GxNet");
    names_are("", "We design a loss, called BarLoss, for rankers.", "BarLoss");
    names_are("FooNet: Crossing Gates for CTR Prediction",
        "Gates are useful. Experiments are convincing.", "FooNet");
    names_are("Shaver: Pruning at Once",
        "We propose a pruning method (Shaver). Shaver is fast.", "Shaver");
    names_are(
        "", "A novel model called cross of all (CoAll) is proposed.", "CoAll");
    /* what results are told of leads */
    names_are("",
        "We introduce a gate (GaTe) into a network (WholeNet) that we propose. "
        "The GaTe of it and GaTe alone work. WholeNet outperforms others, and "
        "WholeNet achieves more.",
        "WholeNet part:GaTe");
}

/* Data sets, tasks, common abbreviations and other people's models. */
static void
other_names_are_not(void **state)
{
    (void)state;
    names_are("", "We introduce a dataset (FooSet) of clicks.", "");
    names_are("FooBench: A Benchmark of Rankers",
        "We introduce FooBench, a benchmark.", "");
    names_are("", "We study the ZsRec task and large models (LLMs).", "");
    names_are("", "We propose a zero-shot ranking (ZsRank) task.", "");
    names_are("", "Existing work such as FooNet is slow.", "");
    names_are("", "It is better than FooNet and BarNet.", "");
    names_are("", "", "");
}

static void
kinds_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *title;
        uint32_t part;
    } row[] = {
        {"FooNet: Feature Interaction with Gates", TECHNIQUE_PART_INTERACTION},
        {"FooNet: Multi-Task Towers", TECHNIQUE_PART_MULTITASK},
        {"FooNet: Long Sequences of a User", TECHNIQUE_PART_SEQUENCE},
        {"FooNet: Small Embedding Tables", TECHNIQUE_PART_EMBEDDING},
        {"FooNet: A Loss for Rankers", TECHNIQUE_PART_LOSS},
        {"FooNet: An Optimizer", TECHNIQUE_PART_OPTIMISER},
        {"FooNet: Of Nothing in Particular", TECHNIQUE_PART_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct technique_name x[2];
        assert_int_equal(
            technique_names(row[i].title, "FooNet works.", x, 2), 1);
        if (x[0].acts_on != row[i].part)
            fail_msg("%s acts on %s", row[i].title,
                technique_part_name(x[0].acts_on));
    }
    assert_string_equal(
        technique_part_family(TECHNIQUE_PART_INTERACTION), "backbone");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(library_is_mentioned),
        cmocka_unit_test(new_names_are_found),
        cmocka_unit_test(other_names_are_not),
        cmocka_unit_test(kinds_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
