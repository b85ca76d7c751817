/* Evaluation of a checkpoint on valid or test rows. main.c calls it. Invariant:
 * the weights are those of the best epoch, where training chose one. */
#include <stdio.h>
#include <string.h>

#include "ckpt.h"
#include "score.h"
#include "train.h"

static int
evaluate_model(const struct config *c, const struct ckpt *k, struct dataset *d,
    struct model *m, struct err *err)
{
    enum split_kind s = c->evaluate == EVAL_TEST ? SPLIT_TEST : SPLIT_VALID;
    const char *name = c->evaluate == EVAL_TEST ? "test" : "valid";
    if (d->split[s].rows == 0)
        return err_set(
            err, -ERR_INPUT, "--data=%s holds no %s rows", c->data, name);
    int rc = ckpt_use(k, m, err);
    if (rc != 0)
        return rc;
    struct batch b;
    struct scores scores = {0};
    struct metrics metrics;
    struct buf line = {0};
    batch_init(&b, d, score_rows(c));
    score_split(m, d, s, &b, &scores);
    metrics_compute(&scores, &metrics);
    uint64_t step = k->best != NULL ? k->state.best_epoch : k->state.epoch;
    buf_printf(&line, "{\"step\":%llu,\"samples\":%llu",
        (unsigned long long)step, (unsigned long long)k->state.samples);
    metrics_put(&line, name, &metrics);
    buf_printf(&line, ",\"rows\":%llu,\"peak_mb\":%.1f",
        (unsigned long long)scores.n, memory_peak_mb());
    cost_put(&line);
    buf_puts(&line, "}\n");
    if (c->predictions[0] != '\0')
        rc = predictions_write(c->predictions, &scores, err);
    if (rc == 0)
        rc = metrics_append(c, buf_str(&line), err);
    buf_fini(&line);
    scores_fini(&scores);
    batch_fini(&b);
    return rc;
}

static int
evaluate_ckpt(const struct config *c, const struct ckpt *k, struct err *err)
{
    struct dataset d;
    struct model m;
    int rc = dataset_open(&d, c, err);
    if (rc != 0)
        return rc;
    if (d.fingerprint != k->shape.fingerprint || d.ids != k->shape.ids ||
        d.fields != k->shape.fields)
        rc = err_set(err, -ERR_INPUT,
            "--load=%s was trained on other data than --data=%s, or encoded "
            "otherwise",
            c->load, c->data);
    if (rc == 0)
        rc = model_init(&m, c, d.ids, d.fields, score_rows(c), err);
    if (rc == 0) {
        rc = evaluate_model(c, k, &d, &m, err);
        model_fini(&m);
    }
    dataset_close(&d);
    return rc;
}

int
evaluate_run(int argc, char **argv, struct err *err)
{
    struct config c;
    struct ckpt k;
    config_init(&c);
    int rc = config_parse(&c, argc, argv, err);
    if (rc != 0)
        return rc;
    if (c.load[0] == '\0')
        return err_set(err, -ERR_INPUT, "--evaluate needs --load=CHECKPOINT");
    rc = ckpt_open(&k, c.load, err);
    if (rc != 0)
        return rc;
    config_init(&c);
    rc = config_parse_text(&c, k.text, err);
    if (rc == 0)
        rc = config_parse(&c, argc, argv, err);
    if (rc == 0)
        rc = evaluate_ckpt(&c, &k, err);
    ckpt_close(&k);
    return rc;
}
