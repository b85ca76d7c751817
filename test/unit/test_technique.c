/* The technique library: every entry is complete, cited and dated, and the
 * questions asked of it answer rightly. */
#include "papers/technique.h"

#include <ctype.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "base/json.h"
#include "papers/technique_find.h"

static void
library_is_large(void **state)
{
    (void)state;
    assert_true(technique_count() >= 200);
}

static void
ids_are_unique(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < technique_count(); i++) {
        assert_ptr_equal(technique_find(technique_at(i)->id), technique_at(i));
        for (uint32_t j = 0; j < i; j++)
            assert_string_not_equal(
                technique_at(i)->name, technique_at(j)->name);
    }
    assert_null(technique_find("no such technique"));
}

static bool
is_month(const char *s)
{
    return strlen(s) == 7 && isdigit(s[0]) && isdigit(s[3]) && s[4] == '-' &&
           s[0] >= '1' && s[0] <= '2' &&
           ((s[5] == '0' && s[6] >= '1' && s[6] <= '9') ||
               (s[5] == '1' && s[6] >= '0' && s[6] <= '2'));
}

/* arXiv:YYMM.NNNN or .NNNNN; doi:10.<registrant>/<rest> */
static bool
is_citation(const char *s)
{
    if (strncmp(s, "doi:10.", 7) == 0) {
        const char *slash = strchr(s + 7, '/');
        return slash != NULL && slash - s >= 11 && slash[1] != '\0' &&
               strchr(s, ' ') == NULL;
    }
    if (strncmp(s, "arXiv:", 6) != 0)
        return false;
    size_t digits = strspn(s + 6, "0123456789");
    size_t tail = strspn(s + 11, "0123456789");
    return digits == 4 && s[10] == '.' && (tail == 4 || tail == 5) &&
           s[11 + tail] == '\0';
}

static void
entries_are_complete(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < technique_count(); i++) {
        const struct technique *t = technique_at(i);
        assert_true(t->name[0] != '\0' && t->aliases[0] != '\0');
        assert_true(t->family[0] != '\0' && strlen(t->claim) >= 40);
        assert_true(is_month(t->date));
        if (!is_citation(t->ref))
            fail_msg("%s: not a citation: %s", t->id, t->ref);
        assert_true(t->grade >= GRADE_MENTION && t->grade <= GRADE_REPLICATED);
        assert_true(isfinite(t->mean) && t->sd > 0 && t->cost > 0);
        assert_true(fabs(t->mean) <= 5e-3 && t->sd >= fabs(t->mean));
        assert_true(technique_steps(t) >= 1);
        for (uint32_t j = 0; j < technique_steps(t); j++) {
            const struct technique_step *s = &t->step[j];
            assert_true(s->op < TECHNIQUE_OP_COUNT);
            assert_true(s->concept < CONCEPT_COUNT);
            assert_true(
                (s->op == TECHNIQUE_HOOK) == (s->concept == CONCEPT_NONE));
            assert_true((s->op == TECHNIQUE_CHOOSE) == (s->words[0] != '\0'));
            assert_true(s->op != TECHNIQUE_SCALE || s->amount > 0);
        }
    }
}

/* An arXiv number names its month: the date must not be later than a year
 * from it, nor earlier (papers are dated by their first public form). */
static void
dates_agree_with_arxiv(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < technique_count(); i++) {
        const struct technique *t = technique_at(i);
        if (t->ref[0] != 'a')
            continue;
        char month[8] = {
            '2', '0', t->ref[6], t->ref[7], '-', t->ref[8], t->ref[9], '\0'};
        if (strcmp(t->date, month) != 0)
            fail_msg("%s: dated %s, but %s", t->id, t->date, t->ref);
    }
}

static void
later_papers_are_hidden(void **state)
{
    (void)state;
    static const struct {
        const char *id, *before;
        bool known;
    } row[] = {
        {"final", "2022-01-01", false},
        {"final", "2023-08", true},
        {"final", NULL, true},
        {"final", "", true},
        {"deepfm", "2022", true},
        {"deepfm", "2017-03", false},
        {"deepfm", "2017-04", true},
        {"dualstream", "2026-06", false},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        assert_int_equal(
            technique_known(technique_find(row[i].id), row[i].before),
            row[i].known);
}

static void
mentions_are_whole_words(void **state)
{
    (void)state;
    static const struct {
        const char *id, *text;
        bool there;
    } row[] = {
        {"deepfm", "We compare with DeepFM and xDeepFM.", true},
        {"deepfm", "We compare with xDeepFM.", false},
        {"fm", "DeepFM is strong", false},
        {"fm", "an FM baseline", true},
        {"dcnv2", "strong baselines (DCN-V2)", true},
        {"din", "padding the batch", false},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        assert_int_equal(
            technique_mentioned(technique_find(row[i].id), row[i].text),
            row[i].there);
}

struct count {
    const char *since;
    uint32_t least;
};

/* The families and the years that the library is to cover. */
static void
families_are_covered(void **state)
{
    (void)state;
    static const char *const family[] = {"backbone", "sequence", "multitask",
        "embedding", "features", "calibration", "loss", "optimisation",
        "regularisation", "data", "distillation", "scaling", "generative",
        "debiasing", "retrieval", "cold_start", "pretraining", "graph"};
    static const struct count later[] = {
        {"2022-01", 80}, {"2024-01", 40}, {"2026-01", 10}};
    for (size_t i = 0; i < sizeof family / sizeof *family; i++) {
        uint32_t n = 0;
        for (uint32_t t = 0; t < technique_count(); t++)
            n += strcmp(technique_at(t)->family, family[i]) == 0;
        if (n == 0)
            fail_msg("nothing of the family %s", family[i]);
    }
    for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
        uint32_t n = 0;
        for (uint32_t t = 0; t < technique_count(); t++)
            n += strcmp(technique_at(t)->date, later[i].since) >= 0;
        assert_true(n >= later[i].least);
    }
}

/* The public list of papers, where it is there: ../shared/papers or REA_PAPERS
 * (a file of JSON lines, gzipped or not). */
static gzFile
papers_open(void)
{
    const char *path = getenv("REA_PAPERS");
    return gzopen(
        path != NULL ? path : "../shared/papers/recsys_abstracts.jsonl.gz",
        "rb");
}

/* "doi:10.1/x" is ".../10.1/x", "arXiv:2601.00001" is "arxiv:2601.00001v1". */
static bool
is_paper(const struct technique *t, const char *id)
{
    const char *ref = strchr(t->ref, ':') + 1;
    const char *at = strstr(id, ref);
    return at != NULL && (at[strlen(ref)] == '\0' || at[strlen(ref)] == 'v');
}

static int
year_of(const char *date)
{
    return (int)strtol(date, NULL, 10);
}

static void
paper_agrees(const struct technique *t, const struct json *paper)
{
    const char *title = json_get_str(paper, "title");
    const char *text = json_get_str(paper, "abstract");
    const char *date = json_get_str(paper, "date");
    bool named = false;
    for (uint32_t pass = 0; pass < 2; pass++) {
        struct technique_mention m[64];
        const char *s = pass == 0 ? title : text;
        uint32_t n = technique_mentions(s, strlen(s), m, 64);
        for (uint32_t i = 0; i < n; i++)
            named |= m[i].technique == t;
    }
    if (!named)
        fail_msg("%s: its paper, %s, does not name it", t->id, title);
    /* papers are dated by their first public form, at most a year earlier */
    int early = year_of(date) - year_of(t->date);
    if (strlen(date) < 7 ? early < 0 || early > 1
                         : strncmp(t->date, date, 7) != 0)
        fail_msg("%s: dated %s, its paper %s", t->id, t->date, date);
}

/* Each citation that is marked as checked stands in the list, names the
 * technique and has its date. */
static void
checked_citations_stand(void **state)
{
    (void)state;
    gzFile f = papers_open();
    static char line[1 << 18];
    static bool found[1024];
    if (f == NULL)
        skip();
    while (gzgets(f, line, sizeof line) != NULL) {
        struct json *j = json_parse(line, strlen(line), NULL);
        const char *id = json_get_str(j, "id");
        for (uint32_t i = 0; id != NULL && i < technique_count(); i++)
            if (technique_at(i)->checked && is_paper(technique_at(i), id)) {
                paper_agrees(technique_at(i), j);
                found[i] = true;
            }
        json_free(j);
    }
    gzclose(f);
    for (uint32_t i = 0; i < technique_count(); i++)
        if (technique_at(i)->checked && !found[i])
            fail_msg("%s: %s is not in the list", technique_at(i)->id,
                technique_at(i)->ref);
}

static void
urls_open(void **state)
{
    (void)state;
    char url[128];
    technique_url(technique_find("deepfm"), url, sizeof url);
    assert_string_equal(url, "https://arxiv.org/abs/1703.04247");
    technique_url(technique_find("fm"), url, sizeof url);
    assert_string_equal(url, "https://doi.org/10.1109/ICDM.2010.127");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(library_is_large),
        cmocka_unit_test(ids_are_unique),
        cmocka_unit_test(entries_are_complete),
        cmocka_unit_test(dates_agree_with_arxiv),
        cmocka_unit_test(later_papers_are_hidden),
        cmocka_unit_test(mentions_are_whole_words),
        cmocka_unit_test(families_are_covered),
        cmocka_unit_test(checked_citations_stand),
        cmocka_unit_test(urls_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
