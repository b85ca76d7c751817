/* Claims, names and findings of any bytes: spans lie in the text, numbers stay
 * within their limits, quotes are verbatim, nothing becomes more than a single
 * claim. */
#include "fuzz.h"

#include "base/arena.h"
#include "papers/evidence.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const fuzz_seeds[] = {
    "We propose FooNet, a cross network (FN). Experiments on Criteo show that "
    "FooNet outperforms DeepFM by 0.4% AUC and 1e-3 in logloss (p < 0.05).",
    "Online A/B tests show gains of +1.5\\% in CTR, $2\\times$ speedup, and "
    "22%~40% GMV, respectively.",
    "Accuracy rises from 78.3% to 90.0%; latency falls by 8x \xe2\x80\x93 GDCN "
    "and FINAL are called BarNet.However it holds.",
    NULL,
};
const char *const fuzz_words[] = {"%", " by ", " and ", " AUC ", "1e308", "-0",
    "5000%", "%s%n", " improves ", "(", ")", "$\\times$", "--", "~", "\\%",
    " respectively", " from ", " to ", " GDCN", " we propose ", "FooNet",
    "\xe2\x88\x92", "\xc3", "\n\n", ". ", " online ", "+-", "|", NULL};

static void
claims_check(const char *text, size_t len)
{
    struct claim c[CLAIMS_MAX];
    uint32_t n = claims_find(text, len, c, CLAIMS_MAX);
    assert(n <= CLAIMS_MAX);
    for (uint32_t i = 0; i < n; i++) {
        assert(c[i].begin < c[i].end && c[i].end <= len);
        assert(isfinite(c[i].delta) && isfinite(c[i].high));
        assert(fabs(c[i].delta) <= 1000 && fabs(c[i].high) <= 1000);
        assert((c[i].unit == CLAIM_NO_NUMBER) == (c[i].delta == 0));
        assert(strlen(c[i].what) < sizeof c[i].what);
        assert(strlen(c[i].baseline) < sizeof c[i].baseline);
    }
}

static void
findings_check(const char *text)
{
    struct arena a = {0};
    struct findings *f = arena_alloc(&a, sizeof *f);
    findings_init(f, &a);
    struct passage p = {.id = 1,
        .paper = "p",
        .title = strlen(text) > 40 ? text + 20 : "",
        .date = "2025",
        .text = text};
    findings_read(f, &p);
    p.paper = "q";
    p.title = text;
    findings_read(f, &p);
    findings_close(f);
    for (uint32_t i = 0; i < f->n; i++) {
        const struct finding *x = &f->item[i];
        assert(x->technique->mean <= 5e-3 && x->grade <= GRADE_BENCHMARK);
        assert(finding_gain(x) <= EVIDENCE_GAIN_MAX && finding_gain(x) >= 0);
        for (uint32_t k = 0; k < x->n; k++)
            assert(evidence_is_verbatim(&x->row[k], text));
    }
    arena_fini(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* an exact copy, so that a sanitizer sees a read beyond its end */
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    claims_check(text, strlen(text));
    findings_check(text);
    free(text);
    return 0;
}
