/* Regular expressions as metric patterns, and the reading of whole files
 * (harvest.h). Called after a job, by checks, and by rea-shim-re.
 * Invariant: a match stops at its limit, whatever the line holds. */
#include "project/harvest.h"

#include "base/arena.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MATCH_LIMIT = 100000, FILE_MAX = 256 << 20 };

struct harvest_re {
    pcre2_match_context *limits;
    uint32_t n;
    struct {
        pcre2_code *code; /* NULL: this metric has no expression */
        pcre2_match_data *data;
        int value, step; /* groups; step 0: none */
    } metric[METRICS_MAX];
};

static int
compile_one(struct harvest_re *re, const struct metric_source *s, uint32_t i,
    struct err *err)
{
    int code;
    PCRE2_SIZE at;
    PCRE2_UCHAR why[120];
    const char *text = s->pattern + 3;
    pcre2_code *c =
        pcre2_compile((PCRE2_SPTR)text, strlen(text), 0, &code, &at, NULL);
    if (c == NULL) {
        pcre2_get_error_message(code, why, sizeof why);
        return err_set(err, -ERR_INPUT, "%s at letter %zu of the expression",
            (const char *)why, at + 1);
    }
    re->metric[i].code = c;
    re->metric[i].data = pcre2_match_data_create_from_pattern(c, NULL);
    int value = pcre2_substring_number_from_name(c, (PCRE2_SPTR) "value");
    int step = pcre2_substring_number_from_name(c, (PCRE2_SPTR) "step");
    uint32_t groups = 0;
    pcre2_pattern_info(c, PCRE2_INFO_CAPTURECOUNT, &groups);
    if (groups == 0)
        return err_set(
            err, -ERR_INPUT, "the expression has no group for the value");
    re->metric[i].value = value > 0 ? value : 1;
    re->metric[i].step = step > 0 ? step : 0;
    return 0;
}

static bool
is_re(const struct metric_source *s)
{
    return strncmp(s->pattern, "re:", 3) == 0;
}

bool
harvest_re_is_needed(const struct harvest_spec *s)
{
    bool needed = false;
    for (uint32_t i = 0; i < s->n; i++)
        needed = needed || is_re(&s->source[i]);
    return needed;
}

int
harvest_re_new(
    const struct harvest_spec *s, struct harvest_re **out, struct err *err)
{
    struct harvest_re *re = NULL;
    *out = NULL;
    for (uint32_t i = 0; i < s->n; i++) {
        if (!is_re(&s->source[i]))
            continue;
        if (re == NULL) {
            re = mem_calloc(1, sizeof *re);
            re->n = s->n;
            re->limits = pcre2_match_context_create(NULL);
            pcre2_set_match_limit(re->limits, MATCH_LIMIT);
            pcre2_set_depth_limit(re->limits, 1000);
            pcre2_set_heap_limit(re->limits, 4096); /* KiB */
        }
        int rc = compile_one(re, &s->source[i], i, err);
        if (rc != 0) {
            harvest_re_free(re);
            return rc;
        }
    }
    *out = re;
    return 0;
}

void
harvest_re_free(struct harvest_re *re)
{
    if (re == NULL)
        return;
    for (uint32_t i = 0; i < re->n; i++) {
        pcre2_match_data_free(re->metric[i].data);
        pcre2_code_free(re->metric[i].code);
    }
    pcre2_match_context_free(re->limits);
    free(re);
}

bool
harvest_re_match(void *arg, uint32_t metric, const char *line, size_t len,
    const char **value, const char **step)
{
    struct harvest_re *re = arg;
    if (metric >= re->n || re->metric[metric].code == NULL)
        return false;
    pcre2_match_data *data = re->metric[metric].data;
    int n = pcre2_match(
        re->metric[metric].code, (PCRE2_SPTR)line, len, 0, 0, data, re->limits);
    int v = re->metric[metric].value, s = re->metric[metric].step;
    if (n <= v)
        return false;
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer(data);
    if (at[2 * v] == PCRE2_UNSET)
        return false;
    *value = line + at[2 * v];
    *step =
        s > 0 && s < n && at[2 * s] != PCRE2_UNSET ? line + at[2 * s] : NULL;
    return true;
}

void
harvest_spec_put(const struct harvest_spec *s, struct buf *out)
{
    buf_printf(out, "%" PRIu32 "\t%" PRIu32 "\n", s->n, s->primary);
    for (uint32_t i = 0; i < s->n; i++) {
        const struct metric_source *m = &s->source[i];
        buf_printf(out, "%u\t%u\t%u\t%d\t%u\t", m->from, m->reduce, m->goal,
            m->nan_fail, m->mean_n);
        buf_put_f64(out, m->target);
        buf_putc(out, '\t');
        buf_put_f64(out, m->spike);
        buf_putc(out, '\t');
        const char *const texts[] = {m->key, m->pattern};
        for (size_t j = 0; j < 2; j++) {
            for (const char *c = texts[j]; *c != '\0'; c++)
                buf_putc(out, *c == '\t' ? '\1' : *c == '\n' ? ' ' : *c);
            if (j == 0)
                buf_putc(out, '\t');
        }
        buf_putc(out, '\n');
    }
}

static int
feed_file(struct harvest *h, uint32_t stream, const struct harvest_paths *part,
    struct err *err)
{
    static const size_t chunk_len = 65536;
    const char *path = part->path[stream];
    size_t most = FILE_MAX;
    if (part->cut && part->upto[stream] < FILE_MAX)
        most = (size_t)part->upto[stream];
    if (path == NULL)
        return 0;
    /* whatever a job left there: a pipe without a writer must not hold us */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? 0 : err_sys(err, "open %s", path);
    char *chunk = mem_realloc(NULL, chunk_len);
    int rc = 0;
    for (size_t total = 0; total < most;) {
        size_t room = most - total;
        ssize_t n = read(fd, chunk, room < chunk_len ? room : chunk_len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            rc = err_sys(err, "read %s", path);
        if (n <= 0)
            break;
        harvest_feed(h, stream, chunk, (size_t)n);
        total += (size_t)n;
    }
    if (part->cut)
        harvest_drop(h, stream);
    else
        harvest_end(h, stream);
    free(chunk);
    close(fd);
    return rc;
}

static uint32_t
primary_stream(const struct harvest_spec *s)
{
    uint8_t from =
        s->primary < s->n ? s->source[s->primary].from : (uint8_t)FROM_NONE;
    return from == FROM_STDOUT   ? HARVEST_STDOUT
           : from == FROM_STDERR ? HARVEST_STDERR
                                 : HARVEST_FILE;
}

int
harvest_chain(const struct harvest_spec *s, const struct harvest_paths *part,
    size_t n, harvest_fn *on_value, void *arg,
    struct harvest_value out[METRICS_MAX], struct err *err)
{
    struct harvest_re *re = NULL;
    int rc = harvest_re_new(s, &re, err);
    if (rc != 0)
        return rc;
    struct harvest *h = mem_calloc(1, sizeof *h);
    harvest_init(h, s, on_value, arg);
    if (re != NULL) {
        h->re = harvest_re_match;
        h->re_arg = re;
    }
    /* The primary's stream comes first, so that guardrails of other streams
     * find the step where it was reduced. */
    uint32_t first = primary_stream(s);
    for (uint32_t i = 0; i < HARVEST_STREAMS; i++) {
        uint32_t stream = i == 0 ? first : i - (i <= first);
        for (size_t k = 0; rc == 0 && k < n; k++) {
            h->csv_header = false; /* each file has its own */
            rc = feed_file(h, stream, &part[k], err);
        }
    }
    for (uint32_t i = 0; i < s->n; i++)
        harvest_result(h, i, &out[i]);
    harvest_re_free(re);
    free(h);
    return rc;
}

int
harvest_files(const struct harvest_spec *s, const char *metrics_file,
    const char *stdout_file, const char *stderr_file, harvest_fn *on_value,
    void *arg, struct harvest_value out[METRICS_MAX], struct err *err)
{
    const struct harvest_paths one = {
        .path = {metrics_file, stdout_file, stderr_file}};
    return harvest_chain(s, &one, 1, on_value, arg, out, err);
}
