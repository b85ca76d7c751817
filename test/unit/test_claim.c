/* Claims found in texts: sentences, numbers, each family of rules, and what
 * must never come out. All sentences are made up for these tests. */
#include "papers/claim.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* "auc+0.3%off": metric, signed value, unit, setting, in short. */
static void
claim_text(const struct claim *c, char *out, size_t cap)
{
    static const char *const unit[] = {"", "%", "pp", "abs", "x"};
    if (c->unit == CLAIM_NO_NUMBER)
        snprintf(out, cap, "said %s", c->online ? "on" : "off");
    else
        snprintf(out, cap, "%s%+g%s %s", c->metric ? c->metric->name : "?",
            c->delta, unit[c->unit], c->online ? "on" : "off");
}

static void
found_is(const char *text, const char *expected)
{
    struct claim c[CLAIMS_MAX];
    char all[1000] = "";
    uint32_t n = claims_find(text, strlen(text), c, CLAIMS_MAX);
    for (uint32_t i = 0; i < n; i++) {
        char one[80];
        claim_text(&c[i], one, sizeof one);
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s",
            i > 0 ? "; " : "", one);
    }
    if (strcmp(all, expected) != 0)
        fail_msg("%s\n  found    %s\n  expected %s", text, all, expected);
}

struct row {
    const char *text, *expected;
};

static void
rows_hold(const struct row *row, size_t n)
{
    for (size_t i = 0; i < n; i++)
        found_is(row[i].text, row[i].expected);
}
#define ROWS_HOLD(row) rows_hold(row, sizeof row / sizeof *row)

static void
sentences_are_split(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t n;
    } row[] = {
        {"", 0},
        {"  \n ", 0},
        {"One. Two! Three?", 3},
        {"We beat e.g. FM, i.e. by a lot. It holds.", 2},
        {"See Smith et al. 2020 for more.", 1},
        {"A gain of 0.5 percent. Then 1.5 more.", 2},
        {"The space is lost.However it is found.", 2},
        {"At www.example.com one reads GPT-3.5 texts.", 1},
        {"First part\n\nsecond part", 2},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        size_t at = 0;
        uint32_t n = 0, begin, end, last = 0;
        while (sentence_next(
            row[i].text, strlen(row[i].text), &at, &begin, &end)) {
            assert_true(begin >= last && end > begin);
            last = end;
            n++;
        }
        if (n != row[i].n)
            fail_msg("%s: %u sentences", row[i].text, n);
    }
}

static void
numbers_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value, high;
        uint32_t unit;
        int sign;
    } row[] = {
        {"5%", 5, 5, CLAIM_PERCENT, 0},
        {"+0.25 %", 0.25, 0.25, CLAIM_PERCENT, 1},
        {"$9\\%$", 9, 9, CLAIM_PERCENT, 0},
        {"\xe2\x88\x92"
         "3%",
            3, 3, CLAIM_PERCENT, -1},
        {"1,234.5 percent", 1234.5, 1234.5, CLAIM_PERCENT, 0},
        {"2 percentage points", 2, 2, CLAIM_POINTS, 0},
        {"3.1 pp", 3.1, 3.1, CLAIM_POINTS, 0},
        {"60$\\times$", 60, 60, CLAIM_FACTOR, 0},
        {"8x", 8, 8, CLAIM_FACTOR, 0},
        {"14 times", 14, 14, CLAIM_FACTOR, 0},
        {"22%~40%", 22, 40, CLAIM_PERCENT, 0},
        {"1-2\\%", 1, 2, CLAIM_PERCENT, 0},
        {"2.5 +- 0.2%", 2.5, 2.5, CLAIM_PERCENT, 0},
        {"1e-3", 1e-3, 1e-3, CLAIM_NO_NUMBER, 0},
        {"0.002", 0.002, 0.002, CLAIM_NO_NUMBER, 0},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct claim_token t[CLAIM_TOKENS_MAX];
        const char *s = row[i].text;
        uint32_t n = sentence_tokens(s, 0, (uint32_t)strlen(s), t);
        if (n < 1 || t[0].kind != TOKEN_NUMBER ||
            fabs(t[0].value - row[i].value) > 1e-12 ||
            fabs(t[0].high - row[i].high) > 1e-12 || t[0].unit != row[i].unit ||
            t[0].sign != row[i].sign)
            fail_msg("%s: %u tokens, %g..%g unit %u sign %d", s, n, t[0].value,
                t[0].high, t[0].unit, t[0].sign);
    }
}

static void
words_are_no_numbers(void **state)
{
    (void)state;
    static const char *const text[] = {
        "3-layer", "GPT-3.5", "10M", "recall@20", "top-5", "v2"};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        struct claim_token t[CLAIM_TOKENS_MAX];
        uint32_t n = sentence_tokens(text[i], 0, (uint32_t)strlen(text[i]), t);
        assert_true(n >= 1);
        for (uint32_t k = 0; k < n; k++)
            if (t[k].kind == TOKEN_NUMBER)
                fail_msg("%s holds the number %g", text[i], t[k].value);
    }
}

/* "by N", "N more", "a gain of N", a sign. */
static void
changes_are_bound(void **state)
{
    (void)state;
    static const struct row row[] = {
        {"Our model improves AUC by 0.3%.", "auc+0.3% off"},
        {"It gives a 4.5% uplift in CTR.", "ctr+4.5% on"},
        {"It reaches a 12% higher recall@20.", "recall+12% off"},
        {"We see gains of 2% in NDCG.", "ndcg+2% off"},
        {"We see an improvement in AUC of 0.5%.", "auc+0.5% off"},
        {"In tests it adds +0.6% GMV.", "gmv+0.6% on"},
        {"Latency is reduced by 30%.", "latency-30% off"},
        {"It needs 40% fewer parameters.", "parameters-40% off"},
        {"Removing it lowers NDCG by 1.5%.", "ndcg-1.5% off"},
        {"Training cost falls by up to 60x.", "cost-60x off"},
        {"Accuracy rises from 78.0% to 90.0%.", "accuracy+12pp off"},
        {"It improves AUC by 0.002 on Criteo.", "auc+0.002abs off"},
        {"It improves NDCG from 0.9 to 0.95.", "ndcg+0.05abs off"},
        {"It improves RMSE by 1%.", "rmse-1% off"},
        {"It is 600 times faster.", "speed+600x off"},
        {"It brings a 2 percentage-point gain in GAUC.", "gauc+2pp off"},
    };
    ROWS_HOLD(row);
}

static void
lists_are_paired(void **state)
{
    (void)state;
    static const struct row row[] = {
        {"It improves HR@10 by 16% and NDCG@10 by 10%.",
            "hr+16% off; ndcg+10% off"},
        {"Gains of 3% and 5% in CTR and CVR, respectively.",
            "ctr+3% on; cvr+5% on"},
        {"It lifts CTR and GMV by 2%.", "ctr+2% on; gmv+2% on"},
        {"Gains are +1% GMV, +2% CTR, and +3% CVR.",
            "gmv+1% on; ctr+2% on; cvr+3% on"},
        {"We see a 35% and 27% increase in revenue.",
            "revenue+35% on; revenue+27% on"},
        {"A lift of 9% RPM and 16% CVR followed.", "rpm+9% on; cvr+16% on"},
        {"It improves NDCG by 15% on MovieLens and 16% on KuaiRand.",
            "ndcg+15% off; ndcg+16% off"},
        {"It improves cost per mille (CPM) and click-through rate (CTR) by 1% "
         "and 2%.",
            "cpm+1% on; ctr+2% on"},
        {"It beats others by 6% to 42% in NDCG.", ""},
        {"It outperforms others by 6% to 42% in NDCG.", "ndcg+6% off"},
        {"A gain of 2% in staytime and 1% in CVR.",
            "dwell_time+2% on; cvr+1% on"},
    };
    ROWS_HOLD(row);
}

/* Levels, shares, sizes and confidence are no changes. */
static void
levels_are_passed_over(void **state)
{
    (void)state;
    static const struct row row[] = {
        {"The model has an AUC of 81%.", ""},
        {"It uses only 2% of the training data.", ""},
        {"Both sets have 99.9% sparsity.", ""},
        {"We give 95% confidence intervals.", ""},
        {"There are 3 tasks and 40 fields.", ""},
        {"Recall was 50% and precision 33%.", ""},
        {"About 20% of users are new.", ""},
        {"It beats a model with 16x more parameters.", ""},
        {"Its accuracy reaches 86% in the end.", ""},
    };
    ROWS_HOLD(row);
}

static void
settings_are_told_apart(void **state)
{
    (void)state;
    static const struct row row[] = {
        {"Experiments on two public datasets show its superiority.",
            "said off"},
        {"Online A/B tests demonstrate its effectiveness.", "said on"},
        {"Extensive offline and online experiments demonstrate that it is "
         "effective.",
            "said off; said on"},
        {"Deployed in production, it achieves a 2% gain in revenue.",
            "revenue+2% on"},
        {"Offline, AUC improves by 0.4%. In an online test CTR improves by "
         "1.2%.",
            "auc+0.4% off; ctr+1.2% on"},
        /* a number says more than words do */
        {"Experiments show that it is effective. It improves AUC by 0.1%.",
            "auc+0.1% off"},
        {"In an online test it improves GAUC by 1% and lifts CTR by 2%.",
            "gauc+1% off; ctr+2% on"},
        {"Existing methods show promising results in experiments.", ""},
    };
    ROWS_HOLD(row);
}

static void
context_is_read(void **state)
{
    (void)state;
    struct claim c[4];
    const char *s = "On Criteo it significantly outperforms DeepFM by 0.2% in "
                    "AUC (p < 0.05, statistically significant).";
    assert_int_equal(claims_find(s, strlen(s), c, 4), 1);
    assert_string_equal(c[0].dataset, "Criteo");
    assert_string_equal(c[0].baseline, "DeepFM");
    assert_true(c[0].significant && !c[0].online);
    assert_int_equal(c[0].begin, 0);
    assert_int_equal(c[0].end, strlen(s));
    assert_int_equal(claim_supports(&c[0]), 1);
    s = "The change reduces NDCG by up to 3%.";
    assert_int_equal(claims_find(s, strlen(s), c, 4), 1);
    assert_int_equal(c[0].bound, CLAIM_UP_TO);
    assert_int_equal(claim_supports(&c[0]), -1);
    s = "It cuts latency by more than 20%.";
    assert_int_equal(claims_find(s, strlen(s), c, 4), 1);
    assert_int_equal(c[0].bound, CLAIM_AT_LEAST);
    assert_int_equal(claim_supports(&c[0]), 1);
}

/* Bait is dropped, never scaled down to something credible. */
static void
bait_is_dropped(void **state)
{
    (void)state;
    static const struct row row[] = {
        {"AUC improves by 1e308.", ""},
        {"AUC improves by 1e308%.", ""},
        {"CTR improves by 5000%.", ""},
        {"AUC improves by -0.", ""},
        {"AUC improves by -0%.", ""},
        {"Cost falls by 250%.", ""},
        {"AUC improves by nan% and inf%.", ""},
        {"AUC improves by 99999999999999999999999999999999999%.", ""},
        {"%s%s%n improves %d AUC by %s.", ""},
        {"It is 1e9 times better in AUC.", ""},
        {"It gains 0-5% in AUC.", ""},
        {"It improves AUC by 5% to 5000%.", ""},
    };
    ROWS_HOLD(row);
}

static void
metrics_are_found(void **state)
{
    (void)state;
    assert_string_equal(metric_find("NDCG@10")->name, "ndcg");
    assert_string_equal(metric_find("click-through rate")->name, "ctr");
    assert_string_equal(metric_find("revenues")->name, "revenue");
    assert_string_equal(metric_find("logloss")->name, "logloss");
    assert_int_equal(metric_find("logloss")->better, -1);
    assert_null(metric_find("happiness of cats"));
    assert_null(metric_find(""));
    assert_int_equal(change_word("improvements"), 1);
    assert_int_equal(change_word("reduction"), -1);
    assert_int_equal(change_word("table"), 0);
}

static void
room_is_kept(void **state)
{
    (void)state;
    struct claim c[2];
    const char *s = "A gain of 1% in AUC. A gain of 2% in AUC. A gain of 3% in "
                    "AUC. Online it is effective in A/B tests.";
    assert_int_equal(claims_find(s, strlen(s), c, 2), 2);
    assert_int_equal(claims_find(s, strlen(s), c, 0), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentences_are_split),
        cmocka_unit_test(numbers_are_read),
        cmocka_unit_test(words_are_no_numbers),
        cmocka_unit_test(changes_are_bound),
        cmocka_unit_test(lists_are_paired),
        cmocka_unit_test(levels_are_passed_over),
        cmocka_unit_test(settings_are_told_apart),
        cmocka_unit_test(context_is_read),
        cmocka_unit_test(bait_is_dropped),
        cmocka_unit_test(metrics_are_found),
        cmocka_unit_test(room_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
