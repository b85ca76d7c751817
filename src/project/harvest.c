/* The metric reader (harvest.h): lines of JSON, csv or output to values, and
 * values to one number per metric. Called by the shim while a job runs and by
 * harvest_files() after it. Invariant: no allocation, no line longer than the
 * buffer, and the result does not depend on how the bytes were sliced. */
#include "project/harvest.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JSON_DEPTH_MAX = 16, NUMBER_LEN = 64 };

/* What one line says: filled first, given out after the line is understood. */
struct row {
    bool stepped; /* the line itself has a step */
    double step;
    bool has[METRICS_MAX], own_step[METRICS_MAX];
    double value[METRICS_MAX], metric_step[METRICS_MAX];
};

void
harvest_init(struct harvest *h, const struct harvest_spec *spec,
    harvest_fn *on_value, void *arg)
{
    assert(spec->n <= METRICS_MAX);
    memset(h, 0, sizeof *h);
    h->spec = spec;
    h->on_value = on_value;
    h->arg = arg;
}

/* ---- numbers ---- */

static const char *
word_number(const char *p, const char *end, double *out)
{
    static const struct {
        const char *word;
        double value;
    } words[] = {{"infinity", HUGE_VAL}, {"inf", HUGE_VAL}, {"nan", NAN}};
    const char *s = p + (p < end && (*p == '-' || *p == '+'));
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t n = strlen(words[i].word);
        if ((size_t)(end - s) < n || strncasecmp(s, words[i].word, n) != 0)
            continue;
        if (s + n < end && (isalnum((unsigned char)s[n]) || s[n] == '_'))
            return NULL;
        *out = *p == '-' ? -words[i].value : words[i].value;
        return s + n;
    }
    return NULL;
}

static const char *
skip_digits(const char *s, const char *end)
{
    while (s < end && *s >= '0' && *s <= '9')
        s++;
    return s;
}

const char *
harvest_number(const char *p, const char *end, double *out)
{
    char text[NUMBER_LEN];
    const char *s = p;
    if (s < end && (*s == '-' || *s == '+'))
        s++;
    const char *whole = s;
    s = skip_digits(s, end);
    bool any = s > whole;
    /* A dot that no digit follows ends a sentence, not a number. */
    if (s + 1 < end && *s == '.' && s[1] >= '0' && s[1] <= '9') {
        s = skip_digits(s + 1, end);
        any = true;
    }
    if (!any)
        return word_number(p, end, out);
    if (s < end && (*s == 'e' || *s == 'E')) {
        const char *e = s + 1;
        if (e < end && (*e == '-' || *e == '+'))
            e++;
        if (e < end && *e >= '0' && *e <= '9')
            s = skip_digits(e, end);
    }
    size_t n = (size_t)(s - p);
    if (n >= sizeof text)
        return NULL;
    memcpy(text, p, n);
    text[n] = '\0';
    *out = strtod(text, NULL);
    return s;
}

/* ---- patterns ---- */

/* Matches a pattern up to its next * (or its end) at one place of the line.
 * Returns where the match ends, or NULL; *rest is what follows the segment. */
static const char *
segment_match(const char *pattern, const char *s, const char *end,
    const char **rest, const char **value, const char **step)
{
    double ignored;
    while (*pattern != '\0' && *pattern != '*') {
        bool is_value = strncmp(pattern, "{value}", 7) == 0;
        if (is_value || strncmp(pattern, "{step}", 6) == 0) {
            *(is_value ? value : step) = s;
            s = harvest_number(s, end, &ignored);
            if (s == NULL)
                return NULL;
            pattern += is_value ? 7 : 6;
        } else if (*pattern == ' ' || *pattern == '\t') {
            /* Columns are padded: blanks match blanks of any number. */
            if (s == end || (*s != ' ' && *s != '\t'))
                return NULL;
            while (*pattern == ' ' || *pattern == '\t')
                pattern++;
            while (s < end && (*s == ' ' || *s == '\t'))
                s++;
        } else {
            if (s == end || *s != *pattern)
                return NULL;
            s++;
            pattern++;
        }
    }
    *rest = pattern;
    return s;
}

bool
harvest_match(const char *pattern, const char *line, size_t len,
    const char **value, const char **step)
{
    const char *s = line, *end = line + len;
    const char *found_value = NULL, *found_step = NULL;
    /* Each segment is taken at its first place; a later place could not let
     * the segments behind it match more, so no backtracking is needed. */
    for (;;) {
        const char *rest = NULL, *at = NULL, *v = NULL, *st = NULL;
        while (*pattern == '*')
            pattern++;
        if (*pattern == '\0')
            break;
        for (; s <= end && at == NULL; s++) {
            v = st = NULL;
            at = segment_match(pattern, s, end, &rest, &v, &st);
        }
        if (at == NULL)
            return false;
        found_value = v ? v : found_value;
        found_step = st ? st : found_step;
        s = at;
        pattern = rest;
    }
    *value = found_value;
    *step = found_step;
    return found_value != NULL;
}

/* ---- values ---- */

/* The value turned so that more is better. */
static double
turned(const struct metric_source *s, double v)
{
    switch (s->goal) {
    case GOAL_MIN:
        return -v;
    case GOAL_TARGET:
        return -fabs(v - s->target);
    default:
        return v;
    }
}

/* The middle of n values, which it sorts. */
static double
middle(double *v, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        double x = v[i];
        uint32_t j = i;
        for (; j > 0 && v[j - 1] > x; j--)
            v[j] = v[j - 1];
        v[j] = x;
    }
    return n % 2 == 1 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

/* Distance of v from the median of the last values, downwards, in standard
 * deviations by the median absolute deviation (Rousseeuw and Croux 1993: times
 * 1.4826 for a normal one), which jumps among them do not widen. A plateau has
 * almost no spread; a hundredth of a percent of the level is taken as the
 * least. */
static bool
is_outlier(
    const struct metric_source *s, const struct harvest_metric *m, double v)
{
    double x[HARVEST_SPIKE_WINDOW];
    uint32_t n =
        m->ring_n < HARVEST_SPIKE_WINDOW ? m->ring_n : HARVEST_SPIKE_WINDOW;
    if (s->spike <= 0 || n < HARVEST_SPIKE_MIN)
        return false;
    for (uint32_t i = 0; i < n; i++)
        x[i] = turned(s, m->ring[(m->ring_at + HARVEST_MEAN_MAX - 1 - i) %
                                 HARVEST_MEAN_MAX]);
    double mid = middle(x, n);
    for (uint32_t i = 0; i < n; i++)
        x[i] = fabs(x[i] - mid);
    double sd = 1.4826 * middle(x, n);
    if (sd < 1e-4 * fabs(mid))
        sd = 1e-4 * fabs(mid);
    return turned(s, v) < mid - s->spike * sd;
}

/* One value alone may be noise: a jump has come when several in a row lie off.
 */
static bool
is_jump(const struct metric_source *s, struct harvest_metric *m, double v)
{
    m->off = is_outlier(s, m, v) ? m->off + 1 : 0;
    return m->off == HARVEST_SPIKE_ROWS;
}

/* Were two values reported at the same step? Without steps, by their count. */
static bool
same_point(
    const struct harvest_metric *p, bool stepped, double step, uint64_t ordinal)
{
    if (p->stepped && stepped)
        return p->step == step;
    return p->point == ordinal;
}

static void
follow_primary(struct harvest_metric *m, const struct harvest_metric *p)
{
    if (m->last_ordinal == 0)
        return;
    m->has = true;
    m->exact = same_point(p, m->last_stepped, m->last_step, m->last_ordinal);
    m->value = m->last;
    m->step = m->last_step;
}

static void
reduce_to(struct harvest_metric *m)
{
    m->has = true;
    m->value = m->last;
    m->step = m->last_step;
    m->stepped = m->last_stepped;
    m->point = m->last_ordinal;
}

static void
reduce_take(struct harvest *h, uint32_t i)
{
    const struct metric_source *s = &h->spec->source[i];
    struct harvest_metric *m = &h->metric[i];
    bool has_primary = h->spec->primary < h->spec->n;
    if (s->reduce == REDUCE_PRIMARY && has_primary && i != h->spec->primary) {
        const struct harvest_metric *p = &h->metric[h->spec->primary];
        bool same = p->has && same_point(p, m->last_stepped, m->last_step,
                                  m->last_ordinal);
        if (same || !m->has || (!p->has && !m->exact)) {
            reduce_to(m);
            m->exact = same;
        }
        return;
    }
    if (s->reduce == REDUCE_BEST && m->has &&
        turned(s, m->last) <= turned(s, m->value))
        return;
    reduce_to(m);
    for (uint32_t g = 0; has_primary && i == h->spec->primary && g < h->spec->n;
         g++) {
        if (g != i && h->spec->source[g].reduce == REDUCE_PRIMARY)
            follow_primary(&h->metric[g], m);
    }
}

static void
metric_take(
    struct harvest *h, uint32_t i, bool stepped, double step, double value)
{
    const struct metric_source *s = &h->spec->source[i];
    struct harvest_metric *m = &h->metric[i];
    uint32_t flags = 0;
    m->ordinal++;
    if (!stepped)
        step = (double)m->ordinal;
    if (!isfinite(value)) {
        m->n_odd++;
        flags = s->nan_fail ? HARVEST_NAN : 0;
    } else {
        if (is_jump(s, m, value)) {
            m->n_jump++;
            flags = HARVEST_SPIKE;
        }
        flags |= m->off > 0 ? HARVEST_OFF : 0;
        m->n++;
        m->ring[m->ring_at] = value;
        m->ring_at = (m->ring_at + 1) % HARVEST_MEAN_MAX;
        m->ring_n += m->ring_n < HARVEST_MEAN_MAX;
        m->last = value;
        m->last_step = step;
        m->last_stepped = stepped;
        m->last_ordinal = m->ordinal;
        reduce_take(h, i);
    }
    if (h->on_value != NULL)
        h->on_value(h->arg, i, step, value, flags);
}

static void
row_take(struct harvest *h, const struct row *r)
{
    for (uint32_t i = 0; i < h->spec->n; i++) {
        if (!r->has[i])
            continue;
        bool own = r->own_step[i];
        metric_take(h, i, own || r->stepped, own ? r->metric_step[i] : r->step,
            r->value[i]);
    }
}

/* ---- JSON lines ---- */

/* A reader of one line that looks at numbers by their dotted path only. */
struct scan {
    const struct harvest_spec *spec;
    const char *s, *end;
    struct row *row;
    size_t path_len;
    char path[HARVEST_KEY_LEN + 1];
};

static void
scan_blanks(struct scan *x)
{
    while (x->s < x->end && strchr(" \t\r\n", *x->s) != NULL && *x->s != '\0')
        x->s++;
}

static bool
scan_char(struct scan *x, char c)
{
    scan_blanks(x);
    if (x->s >= x->end || *x->s != c)
        return false;
    x->s++;
    return true;
}

/* Appends the string at the position to the path (escapes as they are, save
 * \" \\ \/ themselves). A key too long for any metric is cut. */
static bool
scan_string(struct scan *x, bool keep)
{
    if (!scan_char(x, '"'))
        return false;
    for (; x->s < x->end && *x->s != '"'; x->s++) {
        if ((unsigned char)*x->s < 0x20)
            return false;
        if (*x->s == '\\' && ++x->s == x->end)
            return false;
        if (keep && x->path_len < HARVEST_KEY_LEN)
            x->path[x->path_len++] = *x->s;
    }
    if (x->s >= x->end)
        return false;
    x->s++;
    return true;
}

static void
scan_found(struct scan *x, double value)
{
    struct row *r = x->row;
    x->path[x->path_len] = '\0';
    for (uint32_t i = 0; i < x->spec->n; i++) {
        if (x->spec->source[i].from == FROM_JSONL &&
            strcmp(x->spec->source[i].key, x->path) == 0) {
            r->has[i] = true;
            r->value[i] = value;
        }
    }
    bool step = strcmp(x->path, "step") == 0;
    if (isfinite(value) && (step || strcmp(x->path, "epoch") == 0) &&
        (step || !r->stepped)) {
        r->stepped = true;
        r->step = value;
    }
}

static bool scan_value(struct scan *x, uint32_t depth, bool keep);

static bool
scan_object(struct scan *x, uint32_t depth, bool keep)
{
    size_t base = x->path_len;
    if (scan_char(x, '}'))
        return true;
    do {
        if (base > 0 && keep && x->path_len < HARVEST_KEY_LEN)
            x->path[x->path_len++] = '.';
        scan_blanks(x);
        if (!scan_string(x, keep) || !scan_char(x, ':') ||
            !scan_value(x, depth + 1, keep))
            return false;
        x->path_len = base;
    } while (scan_char(x, ','));
    return scan_char(x, '}');
}

static bool
scan_array(struct scan *x, uint32_t depth)
{
    if (scan_char(x, ']'))
        return true;
    do {
        if (!scan_value(x, depth + 1, false))
            return false;
    } while (scan_char(x, ','));
    return scan_char(x, ']');
}

static bool
scan_word(struct scan *x, const char *word)
{
    size_t n = strlen(word);
    if ((size_t)(x->end - x->s) < n || memcmp(x->s, word, n) != 0)
        return false;
    x->s += n;
    return true;
}

static bool
scan_value(struct scan *x, uint32_t depth, bool keep)
{
    double value;
    if (depth > JSON_DEPTH_MAX)
        return false;
    if (scan_char(x, '{'))
        return scan_object(x, depth, keep);
    if (scan_char(x, '['))
        return scan_array(x, depth);
    if (x->s < x->end && *x->s == '"')
        return scan_string(x, false);
    if (scan_word(x, "true") || scan_word(x, "false") || scan_word(x, "null"))
        return true;
    const char *end = harvest_number(x->s, x->end, &value);
    if (end == NULL)
        return false;
    x->s = end;
    if (keep)
        scan_found(x, value);
    return true;
}

static void
json_line(struct harvest *h, const char *line, size_t len)
{
    struct row row = {0};
    struct scan x = {
        .spec = h->spec, .s = line, .end = line + len, .row = &row};
    scan_blanks(&x);
    if (x.s == x.end)
        return;
    bool ok = scan_char(&x, '{') && scan_object(&x, 0, true);
    scan_blanks(&x);
    if (!ok || x.s != x.end) {
        h->n_bad++;
        return;
    }
    row_take(h, &row);
}

/* ---- csv ---- */

/* The next cell of a line: its bytes without quotes and blanks around it.
 * Returns false when the line is over. */
static bool
csv_cell(const char **s, const char *end, const char **cell, size_t *n)
{
    if (*s > end)
        return false;
    const char *p = *s;
    while (p < end && *p == ' ')
        p++;
    bool quoted = p < end && *p == '"';
    const char *stop = p += quoted;
    while (stop < end && *stop != (quoted ? '"' : ','))
        stop++;
    *cell = p;
    *n = (size_t)(stop - p);
    while (*n > 0 && strchr(" \t\r", p[*n - 1]) != NULL)
        (*n)--;
    while (stop < end && *stop != ',')
        stop++;
    *s = stop + 1;
    return true;
}

static bool
is_cell(const char *cell, size_t n, const char *name)
{
    return strlen(name) == n && memcmp(cell, name, n) == 0;
}

static void
csv_header(struct harvest *h, const char *s, const char *end)
{
    const char *cell;
    size_t n;
    h->csv_header = true;
    for (uint16_t col = 1;
         col <= HARVEST_COLUMNS_MAX && csv_cell(&s, end, &cell, &n); col++) {
        for (uint32_t i = 0; i < h->spec->n; i++) {
            if (h->spec->source[i].from == FROM_CSV &&
                is_cell(cell, n, h->spec->source[i].key))
                h->csv_col[i] = col;
        }
        if (is_cell(cell, n, "step") ||
            (is_cell(cell, n, "epoch") && h->csv_step == 0))
            h->csv_step = col;
    }
}

static void
csv_line(struct harvest *h, const char *line, size_t len)
{
    const char *s = line, *end = line + len, *cell;
    struct row row = {0};
    size_t n;
    bool any = false;
    if (len == 0 || (len == 1 && line[0] == '\r'))
        return;
    if (!h->csv_header) {
        csv_header(h, s, end);
        return;
    }
    for (uint16_t col = 1;
         col <= HARVEST_COLUMNS_MAX && csv_cell(&s, end, &cell, &n); col++) {
        double v;
        if (n == 0 || harvest_number(cell, cell + n, &v) != cell + n)
            continue;
        for (uint32_t i = 0; i < h->spec->n; i++) {
            if (h->csv_col[i] == col) {
                any = row.has[i] = true;
                row.value[i] = v;
            }
        }
        if (col == h->csv_step && isfinite(v)) {
            row.stepped = true;
            row.step = v;
        }
    }
    h->n_bad += !any;
    row_take(h, &row);
}

/* ---- output ---- */

static void
output_line(struct harvest *h, uint8_t from, const char *line, size_t len)
{
    struct row row = {0};
    const char *end = line + len;
    for (uint32_t i = 0; i < h->spec->n; i++) {
        const struct metric_source *src = &h->spec->source[i];
        const char *value = NULL, *step = NULL;
        if (src->from != from)
            continue;
        bool re = strncmp(src->pattern, "re:", 3) == 0;
        if (re ? h->re == NULL || !h->re(h->re_arg, i, line, len, &value, &step)
               : !harvest_match(src->pattern, line, len, &value, &step))
            continue;
        row.has[i] = harvest_number(value, end, &row.value[i]) != NULL;
        if (step != NULL &&
            harvest_number(step, end, &row.metric_step[i]) != NULL &&
            isfinite(row.metric_step[i])) {
            row.own_step[i] = true;
            /* One metric's {step} dates the whole line. */
            row.step = row.stepped ? row.step : row.metric_step[i];
            row.stepped = true;
        }
    }
    row_take(h, &row);
}

/* ---- streams ---- */

static void
line_end(struct harvest *h, uint32_t stream)
{
    struct harvest_stream *t = &h->stream[stream];
    bool csv = false;
    for (uint32_t i = 0; i < h->spec->n; i++)
        csv = csv || h->spec->source[i].from == FROM_CSV;
    h->n_lines++;
    if (stream == HARVEST_STDOUT)
        output_line(h, FROM_STDOUT, t->line, t->len);
    else if (stream == HARVEST_STDERR)
        output_line(h, FROM_STDERR, t->line, t->len);
    else if (t->overlong)
        h->n_bad++;
    else if (csv)
        csv_line(h, t->line, t->len);
    else
        json_line(h, t->line, t->len);
    t->len = 0;
    t->overlong = false;
}

void
harvest_feed(struct harvest *h, uint32_t stream, const char *bytes, size_t n)
{
    assert(stream < HARVEST_STREAMS);
    struct harvest_stream *t = &h->stream[stream];
    for (size_t i = 0; i < n; i++) {
        char c = bytes[i];
        /* Progress bars end their lines by CR alone. */
        if (c == '\n' || (c == '\r' && stream != HARVEST_FILE)) {
            if (t->len > 0 || t->overlong)
                line_end(h, stream);
        } else if (t->len < sizeof t->line) {
            t->line[t->len++] = c;
        } else {
            t->overlong = true;
        }
    }
}

void
harvest_end(struct harvest *h, uint32_t stream)
{
    assert(stream < HARVEST_STREAMS);
    if (h->stream[stream].len > 0)
        line_end(h, stream);
}

void
harvest_drop(struct harvest *h, uint32_t stream)
{
    assert(stream < HARVEST_STREAMS);
    h->stream[stream].len = 0;
    h->stream[stream].overlong = false;
}

void
harvest_result(
    const struct harvest *h, uint32_t metric, struct harvest_value *out)
{
    assert(metric < h->spec->n);
    const struct metric_source *s = &h->spec->source[metric];
    const struct harvest_metric *m = &h->metric[metric];
    *out = (struct harvest_value){
        .has = m->has,
        .value = m->value,
        .step = m->step,
        .n = m->n,
        .nan = m->n_odd > 0,
        .diverged = m->n_odd > 0 && s->nan_fail,
        .spike = m->n_jump > 0,
    };
    if (s->reduce != REDUCE_MEAN_LAST || !m->has)
        return;
    uint32_t n = m->ring_n < s->mean_n ? m->ring_n : s->mean_n;
    double sum = 0;
    for (uint32_t i = 1; i <= n; i++)
        sum += m->ring[(m->ring_at + HARVEST_MEAN_MAX - i) % HARVEST_MEAN_MAX];
    out->value = n > 0 ? sum / n : m->value;
}

/* ---- the spec as text, one line a metric ---- */

/* Cuts the next word of a line; NULL: there is none. */
static const char *
take_word(const char **s, const char *end, size_t *n)
{
    const char *p = *s;
    if (p >= end)
        return NULL;
    const char *stop = memchr(p, '\t', (size_t)(end - p));
    if (stop == NULL)
        stop = end;
    *n = (size_t)(stop - p);
    *s = stop < end ? stop + 1 : end;
    return p;
}

static bool
take_number(const char **s, const char *end, double *out)
{
    size_t n;
    const char *p = take_word(s, end, &n);
    return p != NULL && harvest_number(p, p + n, out) == p + n;
}

static bool
take_text(const char **s, const char *end, char *out, size_t cap)
{
    size_t n = 0;
    const char *p = take_word(s, end, &n);
    if (p == NULL)
        n = 0; /* an empty last word */
    if (n >= cap)
        return false;
    if (n > 0)
        memcpy(out, p, n);
    out[n] = '\0';
    /* A tab in a pattern travels as \1: patterns are single lines of text. */
    for (char *c = out; *c != '\0'; c++)
        *c = *c == '\1' ? '\t' : *c;
    return true;
}

static bool
parse_source(struct metric_source *m, const char *s, const char *end)
{
    double v[7];
    for (size_t i = 0; i < 7; i++) {
        if (!take_number(&s, end, &v[i]))
            return false;
    }
    if (v[0] < FROM_NONE || v[0] > FROM_STDERR || v[1] < REDUCE_LAST ||
        v[1] > REDUCE_PRIMARY || v[2] < GOAL_MAX || v[2] > GOAL_TARGET ||
        v[4] < 0 || v[4] > HARVEST_MEAN_MAX)
        return false;
    m->from = (uint8_t)v[0];
    m->reduce = (uint8_t)v[1];
    m->goal = (uint8_t)v[2];
    m->nan_fail = v[3] != 0;
    m->mean_n = (uint32_t)v[4];
    m->target = v[5];
    m->spike = v[6];
    return take_text(&s, end, m->key, sizeof m->key) &&
           take_text(&s, end, m->pattern, sizeof m->pattern);
}

int
harvest_spec_parse(struct harvest_spec *spec, const char *text, size_t len)
{
    const char *s = text, *end = text + len;
    double n, primary;
    *spec = (struct harvest_spec){0};
    const char *nl = memchr(s, '\n', len);
    if (nl == NULL || !take_number(&s, nl, &n) ||
        !take_number(&s, nl, &primary) || n < 0 || n > METRICS_MAX ||
        primary < 0 || primary > n)
        return -ERR_INPUT;
    spec->n = (uint32_t)n;
    spec->primary = (uint32_t)primary;
    for (uint32_t i = 0; i < spec->n; i++) {
        s = nl + 1;
        nl = s < end ? memchr(s, '\n', (size_t)(end - s)) : NULL;
        if (nl == NULL || !parse_source(&spec->source[i], s, nl))
            return -ERR_INPUT;
    }
    return 0;
}
