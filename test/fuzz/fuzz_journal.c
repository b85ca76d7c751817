/* Optuna's journals and tables of trials: any text is refused or read within
 * the limits. The first byte chooses which. */
#include "fuzz.h"

#include "research/insight_runs.h"

#include <assert.h>
#include <string.h>

#define STUDY "{\"op_code\":0,\"study_name\":\"s\",\"directions\":[2]}\n"
#define TRIAL                                                                  \
    "{\"op_code\":4,\"study_id\":0,\"datetime_start\":\"2026-01-02T03:04:05."  \
    "5\"}\n"
#define PARAM                                                                  \
    "{\"op_code\":5,\"trial_id\":0,\"param_name\":\"x\",\"param_value_"        \
    "internal\""                                                               \
    ":1.0,\"distribution\":\"{\\\"name\\\": \\\"CategoricalDistribution\\\", " \
    "\\\"attributes\\\": {\\\"choices\\\": [1, null]}}\"}\n"
#define ENDED                                                                  \
    "{\"op_code\":6,\"trial_id\":0,\"state\":1,\"values\":[-Infinity]}\n"

const char *const fuzz_seeds[] = {"j" STUDY TRIAL PARAM ENDED,
    "j" STUDY "{\"op_code\":4,\"study_id\":0,\"state\":1,\"value\":0.5,"
    "\"distributions\":{\"x\":\"{}\"},\"params\":{\"x\":2},"
    "\"user_attrs\":{\"seed\":3}}\n{\"op_code\":1,\"study_id\":0}\n",
    "cauc,lr,status,date\n0.5,1,ok,2026-01-02\n\"0,6\",\"a\"\"b\",nan,\n",
    "cauc\tlr\r\n1\t2\r\n", NULL};
const char *const fuzz_words[] = {STUDY, TRIAL, PARAM, ENDED, "NaN", "Infinity",
    "\"trial_id\":", "9223372036854775807", "-1", "1e308", "\"", "\\", "\n",
    ",", "\t", "\"\"", "{", "}", "[", "]", "null", "\xff", NULL};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = {0};
    struct studies s = {.arena = &a};
    struct insight_source o = {.metric = "auc"};
    struct err err = {0};
    if (size == 0)
        return 0;
    const char *text = (const char *)data + 1;
    int rc = data[0] == 'c' ? csv_read(&s, "t", text, size - 1, &o, &err)
                            : optuna_journal_read(&s, text, size - 1, &o, &err);
    assert(rc == 0 || err.text[0] != '\0');
    assert((s.bad == 0) == (s.first_bad[0] == '\0'));
    for (uint32_t i = 0; i < s.n; i++) {
        const struct study *t = &s.study[i];
        assert(t->n <= STUDY_RUNS_MAX && t->name != NULL);
        assert(rc != 0 || (t->uid != NULL && t->metric != NULL));
        for (uint32_t k = 0; k < t->n; k++) {
            assert(t->run[k].n <= RUN_PARAMS_MAX);
            assert(t->run[k].at_ms >= 0);
        }
    }
    arena_fini(&a);
    return 0;
}
