/* Every flag of rea-ctr, in one table: name, type, default, range, class, doc.
 * The struct, the parser, --help and the text kept in a checkpoint come from
 * it. */
#ifndef TRAINER_CONFIG_H
#define TRAINER_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* IO: where things lie. DATA: how rows are encoded (key of the cache).
 * MODEL: what is trained (must be equal on resume). */
enum flag_class { FLAG_IO, FLAG_DATA, FLAG_MODEL };

enum model_kind {
    MODEL_LR,
    MODEL_FM,
    MODEL_FFM,
    MODEL_DEEPFM,
    MODEL_DCNV2,
    MODEL_GDCN,
    MODEL_FINAL
};
enum optimizer_kind { OPT_SGD, OPT_ADAGRAD, OPT_ADAM, OPT_ROWWISE };
enum loss_kind { LOSS_LOGLOSS, LOSS_FOCAL, LOSS_PAIRWISE };
enum schedule_kind {
    SCHEDULE_CONST,
    SCHEDULE_COSINE,
    SCHEDULE_LINEAR,
    SCHEDULE_STEP
};
enum stop_metric {
    STOP_AUC,
    STOP_LOGLOSS,
    STOP_NE,
    STOP_GAUC,
    STOP_NDCG,
    STOP_NONE
};
enum split_kind { SPLIT_TRAIN, SPLIT_VALID, SPLIT_TEST, SPLIT_N };
enum eval_kind { EVAL_NONE, EVAL_VALID, EVAL_TEST };
enum format_kind {
    FORMAT_AUTO,
    FORMAT_FFM,
    FORMAT_LIBSVM,
    FORMAT_CRITEO,
    FORMAT_AVAZU,
    FORMAT_CSV
};
enum numeric_kind {
    NUMERIC_AUTO,
    NUMERIC_LOG2BINS,
    NUMERIC_STANDARDISE,
    NUMERIC_RAW
};
enum split_mode { SPLIT_RANDOM, SPLIT_SEQUENTIAL };

#define MODEL_NAMES "lr|fm|ffm|deepfm|dcnv2|gdcn|final"

/* TEXT(member, name, default, class, doc)
 * CHOICE(member, name, default, class, choices, doc)  choices in enum order
 * INT(member, name, default, min, max, class, doc)
 * FLOAT(member, name, default, min, max, class, doc)
 * BOOL(member, name, default, class, doc) */
#define FLAG_LIST(TEXT, CHOICE, INT, FLOAT, BOOL)                              \
    TEXT(data, "data", "", FLAG_IO,                                            \
        "folder with split.{train,valid,test}.*, or one file (.xz, .gz read)") \
    TEXT(valid_data, "valid-data", "", FLAG_IO, "file of validation rows")     \
    TEXT(test_data, "test-data", "", FLAG_IO, "file of test rows")             \
    TEXT(cache, "cache", "", FLAG_IO,                                          \
        "folder of the binary cache; empty: none is kept")                     \
    TEXT(out, "out", "", FLAG_IO, "folder of last.ckpt and best.ckpt")         \
    TEXT(metrics, "metrics", "", FLAG_IO,                                      \
        "file that gets a JSON line an epoch; default $REA_METRICS_FILE or "   \
        "stdout")                                                              \
    TEXT(predictions, "predictions", "", FLAG_IO,                              \
        "CSV of id,label,score in row order")                                  \
    CHOICE(predict_split, "predict-split", "valid", FLAG_IO,                   \
        "none|valid|test",                                                     \
        "rows of --predictions when training (--evaluate: its own rows)")      \
    BOOL(report_test, "report-test", "false", FLAG_IO,                         \
        "add test metrics to the lines while training")                        \
    FLOAT(max_cpu_s, "max-cpu", "0", 0, 1e9, FLAG_IO,                          \
        "seconds of processor time after which training ends; 0: no limit")    \
    TEXT(resume, "resume", "", FLAG_IO, "checkpoint to go on from, exactly")   \
    TEXT(load, "load", "", FLAG_IO, "checkpoint for --evaluate")               \
    CHOICE(evaluate, "evaluate", "none", FLAG_IO, "none|valid|test",           \
        "evaluate --load on these rows, train nothing")                        \
    TEXT(inject, "inject", "", FLAG_IO,                                        \
        "fault for tests: nan|oom|hang|kill|segv|term@STEP or "                \
        "exit:CODE@STEP; "                                                     \
        "also $REA_INJECT; only once with $REA_INJECT_ONCE=PATH")              \
    TEXT(generate, "generate", "", FLAG_IO,                                    \
        "write synthetic split.*.ffm and truth.json to this folder")           \
    INT(gen_rows, "rows", "50000", 100, 1000000000, FLAG_IO,                   \
        "rows to generate")                                                    \
    INT(gen_seed, "gen-seed", "1", 0, INT64_MAX, FLAG_IO, "generator's seed")  \
    INT(gen_fields, "gen-fields", "10", 2, 64, FLAG_IO, "fields to generate")  \
    INT(gen_vocab, "gen-vocab", "2000", 2, 1000000, FLAG_IO,                   \
        "ids of the largest generated field")                                  \
    FLOAT(gen_interaction, "gen-interaction", "1.0", 0, 100, FLAG_IO,          \
        "sd of the planted interaction logit")                                 \
    FLOAT(gen_noise, "gen-noise", "0.02", 0, 0.5, FLAG_IO,                     \
        "share of labels drawn at random")                                     \
    FLOAT(gen_drift, "gen-drift", "0.3", 0, 100, FLAG_IO,                      \
        "shift of the base logit from first to last row")                      \
    CHOICE(format, "format", "auto", FLAG_DATA,                                \
        "auto|ffm|libsvm|criteo|avazu|csv", "input format")                    \
    TEXT(fields, "fields", "", FLAG_DATA,                                      \
        "columns of a csv: NAME:label|cat|num|hour|drop,...; others are cat")  \
    TEXT(split, "split", "80/10/10", FLAG_DATA,                                \
        "train/valid/test shares where the data has no split")                 \
    CHOICE(split_mode, "split-mode", "random", FLAG_DATA, "random|sequential", \
        "how rows are split")                                                  \
    INT(split_seed, "split-seed", "2018", 0, INT64_MAX, FLAG_DATA,             \
        "seed of the split")                                                   \
    FLOAT(label_threshold, "label-threshold", "0", -1e9, 1e9, FLAG_DATA,       \
        "a label above it is positive")                                        \
    INT(group_field, "group-field", "0", 0, 65535, FLAG_DATA,                  \
        "field that groups rows for gauc and ndcg")                            \
    INT(hash_bits, "hash-bits", "0", 0, 28, FLAG_DATA,                         \
        "hash ids into 2^bits rows; 0: a dictionary")                          \
    INT(min_count, "min-count", "1", 1, 1000000, FLAG_DATA,                    \
        "ids rarer than this in training share one row a field")               \
    CHOICE(numeric, "numeric", "auto", FLAG_DATA,                              \
        "auto|log2bins|standardise|raw",                                       \
        "numeric values; auto: log2bins in criteo and csv, else raw")          \
    FLOAT(max_bad_rows, "max-bad-rows", "0.01", 0, 1, FLAG_DATA,               \
        "share of bad rows above which the data is refused")                   \
    CHOICE(model, "model", "fm", FLAG_MODEL, MODEL_NAMES, "model")             \
    INT(dim, "dim", "16", 1, 256, FLAG_MODEL, "embedding size")                \
    FLOAT(init_std, "init-std", "0.01", 0, 10, FLAG_MODEL,                     \
        "sd of the initial embeddings")                                        \
    BOOL(linear, "linear", "true", FLAG_MODEL, "first-order weights")          \
    BOOL(instance_norm, "instance-norm", "false", FLAG_MODEL,                  \
        "scale each row's values to length 1, as libffm does")                 \
    TEXT(hidden, "hidden", "128,64", FLAG_MODEL,                               \
        "hidden layers of the deep models; final's interaction layers")        \
    FLOAT(dropout, "dropout", "0", 0, 0.95, FLAG_MODEL, "of hidden layers")    \
    FLOAT(embedding_dropout, "embedding-dropout", "0", 0, 0.95, FLAG_MODEL,    \
        "of the embeddings that enter the deep part")                          \
    BOOL(batch_norm, "batch-norm", "false", FLAG_MODEL, "of hidden layers")    \
    INT(cross_layers, "cross-layers", "2", 1, 8, FLAG_MODEL,                   \
        "of dcnv2 and gdcn")                                                   \
    INT(cross_rank, "cross-rank", "0", 0, 1024, FLAG_MODEL,                    \
        "rank of dcnv2's cross matrices; 0: full")                             \
    BOOL(field_gate, "field-gate", "false", FLAG_MODEL,                        \
        "final: each field's embedding is gated by all fields")                \
    CHOICE(optimizer, "optimizer", "adam", FLAG_MODEL,                         \
        "sgd|adagrad|adam|rowwise-adagrad", "optimiser")                       \
    FLOAT(lr, "lr", "0.001", 0, 100, FLAG_MODEL, "learning rate")              \
    FLOAT(embedding_lr, "embedding-lr", "0", 0, 100, FLAG_MODEL,               \
        "of embeddings and first-order weights; 0: the same as lr")            \
    FLOAT(l2, "l2", "0", 0, 10, FLAG_MODEL,                                    \
        "L2 of dense and first-order weights")                                 \
    FLOAT(embedding_l2, "embedding-l2", "0", 0, 10, FLAG_MODEL,                \
        "L2 of embeddings")                                                    \
    FLOAT(adagrad_init, "adagrad-init", "0.1", 0, 1e6, FLAG_MODEL,             \
        "initial adagrad accumulator, in squared gradients of one row")        \
    INT(batch_size, "batch-size", "512", 1, 1048576, FLAG_MODEL,               \
        "rows a step")                                                         \
    INT(epochs, "epochs", "5", 1, 100000, FLAG_MODEL, "passes over the data")  \
    CHOICE(                                                                    \
        loss, "loss", "logloss", FLAG_MODEL, "logloss|focal|pairwise", "loss") \
    FLOAT(focal_gamma, "focal-gamma", "2", 0, 10, FLAG_MODEL,                  \
        "focusing exponent of the focal loss")                                 \
    FLOAT(pair_weight, "pair-weight", "0.5", 0, 1, FLAG_MODEL,                 \
        "share of the pairwise term, the rest is logloss")                     \
    FLOAT(label_smoothing, "label-smoothing", "0", 0, 0.5, FLAG_MODEL,         \
        "share of the label that is made even")                                \
    FLOAT(negative_rate, "negative-rate", "1", 0.0001, 1, FLAG_MODEL,          \
        "share of negatives kept for training; scores are recalibrated")       \
    FLOAT(train_fraction, "train-fraction", "1", 0.0001, 1, FLAG_MODEL,        \
        "share of the training rows that is used")                             \
    CHOICE(schedule, "lr-schedule", "const", FLAG_MODEL,                       \
        "const|cosine|linear|step", "learning rate over the run")              \
    FLOAT(step_factor, "lr-step-factor", "0.5", 0.001, 1, FLAG_MODEL,          \
        "factor of schedule step after each epoch")                            \
    INT(warmup, "warmup-steps", "0", 0, 100000000, FLAG_MODEL,                 \
        "steps of linear warm-up")                                             \
    CHOICE(early_stop, "early-stop", "valid.auc", FLAG_MODEL,                  \
        "valid.auc|valid.logloss|valid.ne|valid.gauc|valid.ndcg@10|none",      \
        "metric that picks the best epoch, which evaluation uses")             \
    INT(patience, "patience", "2", 0, 100000, FLAG_MODEL,                      \
        "epochs without a better one before the stop; 0: never stop")          \
    INT(seed, "seed", "1", 0, 2147483647, FLAG_MODEL,                          \
        "seed of weights, order and dropout")

struct config {
#define TEXT(m, name, def, cls, doc) const char *m;
#define CHOICE(m, name, def, cls, choices, doc) int m;
#define INT(m, name, def, lo, hi, cls, doc) int64_t m;
#define FLOAT(m, name, def, lo, hi, cls, doc) double m;
#define BOOL(m, name, def, cls, doc) bool m;
    FLAG_LIST(TEXT, CHOICE, INT, FLOAT, BOOL)
#undef TEXT
#undef CHOICE
#undef INT
#undef FLOAT
#undef BOOL
};

/* Fills with the defaults. Strings in a config are borrowed, from the table
 * or from the arguments. */
void config_init(struct config *c);
/* Takes "--name=value" arguments. -ERR_INPUT with did-you-mean for an unknown
 * flag or a bad value. */
int config_parse(struct config *c, int argc, char **argv, struct err *err);
/* Takes "name=value" lines written by config_text; text must outlive c and is
 * cut into pieces. */
int config_parse_text(struct config *c, char *text, struct err *err);
/* Appends "name=value\n" for every flag of the class. */
void config_text(const struct config *c, enum flag_class cls, struct buf *out);
/* The first flag of the class in which a and b differ, or NULL. */
const char *config_difference(
    const struct config *a, const struct config *b, enum flag_class cls);
/* --help: one line a flag. */
void config_help(struct buf *out);
/* Largest number of hidden layers in --hidden. */
enum { HIDDEN_MAX = 8 };
/* Sizes of the hidden layers; their number, or -ERR_INPUT. */
int config_hidden(
    const struct config *c, int sizes[static HIDDEN_MAX], struct err *err);

#endif
