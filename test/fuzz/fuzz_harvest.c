/* The metric reader: any job output is read within its limits, and the result
 * does not depend on slicing. The first byte chooses form and slices. */
#include "fuzz.h"

#include "project/harvest.h"

#include <assert.h>
#include <math.h>
#include <string.h>

const char *const fuzz_seeds[] = {
    "0{\"step\": 1, \"valid.auc\": 0.7, \"a\": {\"b\": [1, NaN]}}\n",
    "1{\"step\": 2, \"valid\": {\"auc\": -Infinity}, \"loss\": 1e-3}\r\n",
    "2step,valid.auc,loss\n1,0.5,\"0.25\"\n2,,nan\n",
    "3epoch 1/5 - loss 0.47 - auc 0.73 -\r 3 ms\nauc nan -\n",
    NULL,
};
const char *const fuzz_words[] = {"auc ", "valid.auc", "\"", "{", "}", "[", "]",
    ":", ",", "\n", "\r", "NaN", "Infinity", "1e999", "-0.5", "\\", "epoch ",
    "/", "loss ", "{\"step\": 3, \"valid.auc\": 0.6}\n", NULL};

static void
run(const struct harvest_spec *s, const uint8_t *data, size_t size,
    size_t slice, struct harvest_value *v)
{
    static struct harvest h;
    harvest_init(&h, s, NULL, NULL);
    for (size_t i = 0; i < size; i += slice) {
        size_t n = size - i < slice ? size - i : slice;
        harvest_feed(&h, HARVEST_FILE, (const char *)data + i, n);
        harvest_feed(&h, HARVEST_STDOUT, (const char *)data + i, n);
    }
    harvest_end(&h, HARVEST_FILE);
    harvest_end(&h, HARVEST_STDOUT);
    for (uint32_t i = 0; i < s->n; i++)
        harvest_result(&h, i, &v[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct harvest_spec s = {.n = 4}, other;
    struct harvest_value a[4], b[4];
    if (size == 0)
        return 0;
    uint8_t file = (data[0] & 2) != 0 ? FROM_CSV : FROM_JSONL;
    for (uint32_t i = 0; i < 4; i++)
        s.source[i] = (struct metric_source){.from = file,
            .reduce = (uint8_t)(i % 4),
            .goal = (uint8_t)(i % 3),
            .mean_n = 3,
            .spike = 2,
            .nan_fail = true,
            .key = "valid.auc"};
    s.source[1].reduce = REDUCE_BEST;
    s.primary = 1;
    s.source[3].from = FROM_STDOUT;
    memcpy(s.source[3].pattern, "epoch {step}/* auc {value} -", 29);
    /* Slices change how two streams mix, so only one is looked at. */
    run(&s, data + 1, size - 1, size, a);
    run(&s, data + 1, size - 1, 1 + data[0] % 7u, b);
    for (uint32_t i = 0; i < 3; i++) {
        assert(a[i].has == b[i].has && a[i].n == b[i].n);
        assert(!a[i].has || a[i].value == b[i].value);
        assert(!a[i].has || isfinite(a[i].value) || s.source[i].mean_n);
    }
    if (harvest_spec_parse(&other, (const char *)data, size) == 0)
        run(&other, data, size, size, (struct harvest_value[METRICS_MAX]){{0}});
    return 0;
}
