/* The metric reader: bytes of a job's metrics file and output in, values per
 * metric out. Used after a job and, by the shim, while it runs; so it takes
 * bytes as they come, allocates nothing, and bounds every line. Job output is
 * untrusted: what can't be read is counted and skipped, never an error.
 *
 * Order of use: harvest_init, harvest_feed for each stream in any slices,
 * harvest_end once for each stream, then harvest_result per metric. */
#ifndef PROJECT_HARVEST_H
#define PROJECT_HARVEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "core/spec.h"

enum {
    HARVEST_KEY_LEN = 96,
    HARVEST_PATTERN_LEN = 200,
    HARVEST_LINE_MAX = 8192,   /* longer lines are cut (output) or skipped */
    HARVEST_COLUMNS_MAX = 256, /* csv columns looked at */
    HARVEST_MEAN_MAX = 64,     /* mean_last:N, N at most */
    HARVEST_SPIKE_WINDOW = 20, /* values that a jump is measured against */
    HARVEST_SPIKE_MIN = 8,     /* fewer values: no jump is called */
    HARVEST_SPIKE_ROWS = 3,    /* values in a row that lie off */
};

enum harvest_from {
    FROM_NONE,
    FROM_JSONL,
    FROM_CSV,
    FROM_STDOUT,
    FROM_STDERR,
};

enum harvest_reduce {
    REDUCE_LAST,
    REDUCE_BEST,      /* by the metric's goal */
    REDUCE_MEAN_LAST, /* mean of the last mean_n values */
    REDUCE_PRIMARY,   /* the value at the step where the primary is reduced */
};

/* How one metric is read. Plain data: it can be hashed and passed on. */
struct metric_source {
    uint8_t from;   /* enum harvest_from */
    uint8_t reduce; /* enum harvest_reduce; guardrails have REDUCE_PRIMARY */
    uint8_t goal;   /* enum metric_goal */
    bool nan_fail;  /* watch.nan = "fail" */
    bool curve;     /* watch.curve: held against the baseline's (floor.h) */
    uint32_t mean_n;
    double target;
    double spike; /* watch.spike: standard deviations, 0: no watch */
    char key[HARVEST_KEY_LEN];         /* jsonl, csv */
    char pattern[HARVEST_PATTERN_LEN]; /* stdout, stderr */
};

struct harvest_spec {
    uint32_t n;       /* sources, in the order of spec.metric[] */
    uint32_t primary; /* index; n: none (then REDUCE_PRIMARY reads as LAST) */
    struct metric_source source[METRICS_MAX];
};

enum harvest_stream_kind {
    HARVEST_FILE, /* the metrics file */
    HARVEST_STDOUT,
    HARVEST_STDERR,
    HARVEST_STREAMS
};

enum {
    HARVEST_NAN = 1,   /* the value is NaN or infinite and nan_fail is set */
    HARVEST_SPIKE = 2, /* the metric jumped against the goal, and stayed */
    HARVEST_OFF = 4,   /* the value lies off: it may be noise, or a jump's */
};

/* One value as it is found. step is the one in the data, else the count of
 * this metric's values so far, from 1. flags: HARVEST_*. */
typedef void harvest_fn(
    void *arg, uint32_t metric, double step, double value, uint32_t flags);

/* Matches "re:" patterns: metric's expression over one line. Returns whether
 * it matched; *value and *step (NULL: no such group) point into the line.
 * harvest_re.c gives one through PCRE2; rea-shim has none, rea-shim-re has. */
typedef bool harvest_re_fn(void *arg, uint32_t metric, const char *line,
    size_t len, const char **value, const char **step);

struct harvest_metric {
    uint64_t n;      /* finite values */
    uint64_t n_odd;  /* NaN, Infinity */
    uint64_t n_jump; /* spikes */
    uint32_t off;    /* values in a row that lie off */
    bool has, stepped, exact;
    double value, step; /* reduced so far */
    uint64_t ordinal;   /* values seen, odd ones too */
    uint64_t point;     /* ordinal of the reduced value */
    bool last_stepped;
    double last, last_step;
    uint64_t last_ordinal;
    uint32_t ring_n; /* values in ring[], the newest at ring_at - 1 */
    uint32_t ring_at;
    double ring[HARVEST_MEAN_MAX];
};

struct harvest_stream {
    uint32_t len;
    bool overlong;
    char line[HARVEST_LINE_MAX];
};

struct harvest {
    const struct harvest_spec *spec; /* borrowed */
    harvest_fn *on_value;            /* may be NULL */
    void *arg;
    harvest_re_fn *re; /* may be NULL */
    void *re_arg;
    uint64_t n_lines, n_bad;       /* bad: neither JSON nor a row of the csv */
    bool csv_header;               /* its header was read */
    uint16_t csv_col[METRICS_MAX]; /* column + 1; 0: not there */
    uint16_t csv_step;
    struct harvest_metric metric[METRICS_MAX];
    struct harvest_stream stream[HARVEST_STREAMS];
};

void harvest_init(struct harvest *h, const struct harvest_spec *spec,
    harvest_fn *on_value, void *arg);
void
harvest_feed(struct harvest *h, uint32_t stream, const char *bytes, size_t n);
/* Reads the last line of a stream even without its newline. */
void harvest_end(struct harvest *h, uint32_t stream);
/* Forgets a line that is not whole. */
void harvest_drop(struct harvest *h, uint32_t stream);

struct harvest_value {
    bool has; /* at least one finite value was found */
    double value;
    double step;
    uint64_t n;    /* finite values seen */
    bool nan;      /* a NaN or Infinity was seen (whatever nan_fail says) */
    bool diverged; /* nan and nan_fail */
    bool spike;    /* a jump was seen and spike is watched */
};

/* The metric reduced over what was fed so far. */
void harvest_result(
    const struct harvest *h, uint32_t metric, struct harvest_value *out);

/* The spec as lines of text for the shim's command file, and back. The text
 * has no NUL and ends in a newline. harvest_spec_parse reads at most len
 * bytes, returns 0 or -ERR_INPUT, allocates nothing. */
void harvest_spec_put(const struct harvest_spec *s, struct buf *out);
int harvest_spec_parse(struct harvest_spec *s, const char *text, size_t len);

/* Does the literal pattern match the line? On a match *value (and *step, NULL
 * without {step}) point at the number's first byte. Exposed for the check of
 * patterns and for tests. */
bool harvest_match(const char *pattern, const char *line, size_t len,
    const char **value, const char **step);
/* Reads a number at p (decimal, nan, inf, infinity in any case; not hex);
 * returns its end or NULL. */
const char *harvest_number(const char *p, const char *end, double *out);

/* ---- harvest_re.c: PCRE2 ---- */

struct harvest_re;
/* Has a spec "re:" patterns? */
bool harvest_re_is_needed(const struct harvest_spec *s);
/* Compiles the "re:" patterns of a spec; the group named value (else group 1)
 * is the value, the one named step the step. *out is NULL when there are
 * none. Error: the metric, the place in the pattern, PCRE2's words. */
int harvest_re_new(
    const struct harvest_spec *s, struct harvest_re **out, struct err *err);
void harvest_re_free(struct harvest_re *re);
/* A harvest_re_fn with a struct harvest_re as arg; match steps are limited,
 * so a hostile line costs milliseconds at most. */
bool harvest_re_match(void *arg, uint32_t metric, const char *line, size_t len,
    const char **value, const char **step);

/* Reads whole files (NULL or a missing one: that stream is empty), re:
 * patterns included, at most 256 MiB each. */
int harvest_files(const struct harvest_spec *s, const char *metrics_file,
    const char *stdout_file, const char *stderr_file, harvest_fn *on_value,
    void *arg, struct harvest_value out[METRICS_MAX], struct err *err);

/* The same over n parts of one run, oldest first: the attempts that a resumed
 * one goes on from, and itself. */
struct harvest_paths {
    const char *path[HARVEST_STREAMS]; /* by enum harvest_stream_kind */
    bool cut; /* only lines that end within so many bytes are read */
    int64_t upto[HARVEST_STREAMS];
};
int harvest_chain(const struct harvest_spec *s,
    const struct harvest_paths *part, size_t n, harvest_fn *on_value, void *arg,
    struct harvest_value out[METRICS_MAX], struct err *err);

#endif
