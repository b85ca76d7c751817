/* Is an idea new? The relations to what is known, and the text similarity
 * behind one of them. */
#include "research/novelty.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct insight
row_of(int64_t id, const char *key, const char *concept, const char *from,
    const char *to, double effect, uint32_t verdict)
{
    return (struct insight){.id = id,
        .key = key,
        .concept = concept,
        .from = from,
        .to = to,
        .family = "dcn",
        .direction = "",
        .statement = "an earlier trial",
        .effect = effect,
        .verdict = verdict};
}

static struct novelty
novelty_of(const char *key, const char *from, const char *to, bool gain,
    const struct insight *row, size_t n)
{
    struct move m;
    struct novelty v;
    move_read(&m, CONCEPT_LEARNING_RATE, from, to, "");
    struct novelty_query q = {.key = key,
        .concept = CONCEPT_LEARNING_RATE,
        .move = &m,
        .family = "dcn",
        .statement = "Raise the rate",
        .technique = "",
        .gain = gain};
    struct arena a = {0};
    struct known k;
    known_of_rows(&k, row, n, &a);
    novelty_find(&q, &k, &v);
    arena_fini(&a);
    return v;
}

static void
relations_hold(void **state)
{
    (void)state;
    static const struct {
        const char *key, *from, *to;
        double effect;
        uint32_t verdict;
        bool gain;
        uint32_t relation;
    } row[] = {
        {"lr=0.03", "0.01", "0.03", 1e-3, INSIGHT_POSITIVE, true,
            NOVELTY_REPEATS},
        {"lr=0.03", "0.01", "0.03", -1e-3, INSIGHT_NEGATIVE, true,
            NOVELTY_CONTRADICTS},
        {"lr=0.03", "0.01", "0.03", -1e-3, INSIGHT_NEGATIVE, false,
            NOVELTY_REPEATS},
        {"lr=0.03", "0.01", "0.03", 0, INSIGHT_UNSTABLE, true,
            NOVELTY_CONTRADICTS},
        {"lr=0.03", "0.01", "0.03", 0, INSIGHT_FAILED, true, NOVELTY_FAILED},
        {"rate=0.03", "0.01", "0.03", 1e-3, INSIGHT_POSITIVE, true,
            NOVELTY_REPEATS}, /* by what it is, under another name */
        {"rate=0.02", "0.01", "0.02", 1e-3, INSIGHT_POSITIVE, true,
            NOVELTY_REFINES},
        {"dim=16", "8", "16", 1e-3, INSIGHT_POSITIVE, true, NOVELTY_NEW},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        const char *concept =
            row[i].key[0] == 'd' ? "embedding_dim" : "learning_rate";
        struct insight r = row_of(7, row[i].key, concept, row[i].from,
            row[i].to, row[i].effect, row[i].verdict);
        struct novelty v =
            novelty_of("lr=0.03", "0.01", "0.03", row[i].gain, &r, 1);
        if (v.relation != row[i].relation)
            fail_msg("row %zu: %s, similarity %g", i, novelty_name(v.relation),
                v.similarity);
        assert_int_equal(v.nearest, v.relation == NOVELTY_NEW ? 0 : 7);
        assert_true(v.similarity >= 0 && v.similarity <= 1);
    }
    struct novelty v = novelty_of("lr=1", "0.01", "1", true, NULL, 0);
    assert_int_equal(v.relation, NOVELTY_NEW);
}

/* What was measured goes before what failed; order decides nothing. */
static void
nearest_is_chosen(void **state)
{
    (void)state;
    struct insight r[3] = {
        row_of(
            3, "lr=0.03", "learning_rate", "0.01", "0.03", 0, INSIGHT_FAILED),
        row_of(9, "lr=0.03", "learning_rate", "0.01", "0.03", 1e-3,
            INSIGHT_POSITIVE),
        row_of(8, "lr=0.03", "learning_rate", "0.01", "0.03", 1e-3,
            INSIGHT_POSITIVE),
    };
    static const int order[6][3] = {
        {0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (int i = 0; i < 6; i++) {
        struct insight x[3];
        for (int k = 0; k < 3; k++)
            x[k] = r[order[i][k]];
        struct novelty v = novelty_of("lr=0.03", "0.01", "0.03", true, x, 3);
        assert_int_equal(v.nearest, 8);
        assert_int_equal(v.relation, NOVELTY_REPEATS);
    }
}

static void
one_row(const struct novelty_query *q, const struct insight *row,
    struct novelty *out)
{
    struct arena a = {0};
    struct known k;
    known_of_rows(&k, row, 1, &a);
    novelty_find(q, &k, out);
    arena_fini(&a);
}

static void
hooks_are_compared_by_name(void **state)
{
    (void)state;
    struct insight r =
        row_of(4, "hook:gdcn", "none", "", "", -1e-3, INSIGHT_NEGATIVE);
    struct insight said =
        row_of(5, "x", "none", "", "", 1e-3, INSIGHT_POSITIVE);
    said.statement = "we wrote GDCN by hand once";
    struct novelty v;
    struct novelty_query q = {.key = "hook:gdcn",
        .family = "dcn",
        .statement = "Add GDCN to the model",
        .technique = "gdcn|gated cross network",
        .gain = true};
    one_row(&q, &r, &v);
    assert_int_equal(v.relation, NOVELTY_CONTRADICTS);
    one_row(&q, &said, &v);
    assert_int_equal(v.relation, NOVELTY_REFINES);
    assert_int_equal(v.nearest, 5);
    q.technique = "final";
    q.statement = "Add FINAL to the model";
    one_row(&q, &said, &v);
    assert_int_equal(v.relation, NOVELTY_NEW);
}

static void
texts_are_compared(void **state)
{
    (void)state;
    const char *a = "Raise the embedding dimension from 8 to 16 on the dcn";
    const char *b = "raise the embedding dimension from 8 to 16, on the DCN!";
    const char *c = "Replace the optimiser by one with momentum";
    assert_true(text_similarity(a, a) == 1);
    assert_true(text_similarity(a, b) == 1); /* case and marks say nothing */
    assert_true(text_similarity(a, c) < 0.5);
    assert_true(text_similarity(a, c) == text_similarity(c, a));
    assert_true(text_similarity(a, "") == 0 && text_similarity("", "") == 0);
    assert_true(
        text_similarity(
            a, "Raise the embedding dimension from 8 to 32 on the dcn") > 0.5);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relations_hold),
        cmocka_unit_test(nearest_is_chosen),
        cmocka_unit_test(hooks_are_compared_by_name),
        cmocka_unit_test(texts_are_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
