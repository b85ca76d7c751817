/* How one knob is written, in each style. Called by command.c. Invariant: a
 * value's text reads back as the same value. */
#include "project/words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void
words_add(struct words *w, const char *word)
{
    if (w->n + 1 >= w->cap) {
        size_t cap = w->cap ? 2 * w->cap : 16;
        const char **list = arena_alloc(w->a, cap * sizeof *list);
        if (w->n > 0)
            memcpy(list, w->list, w->n * sizeof *list);
        w->list = list;
        w->cap = cap;
    }
    w->list[w->n++] = word;
}

void
words_end(struct words *w)
{
    words_add(w, NULL);
    w->n--;
}

static const char *
take(struct arena *a, struct buf *b)
{
    const char *s = arena_strdup(a, buf_str(b));
    buf_fini(b);
    return s;
}

uint32_t
knob_style(const struct project *p, uint32_t k)
{
    return p->knob[k].style != STYLE_NONE ? p->knob[k].style : p->train.style;
}

const char *
style_name(uint32_t style)
{
    static const char *const names[] = {
        "none", "gnu", "argparse", "hydra", "env", "json", "switch"};
    return style < sizeof names / sizeof names[0] ? names[style] : "?";
}

/* ---- values ---- */

static void
put_set(const struct knob *k, double code, struct buf *out)
{
    uint32_t mask = (uint32_t)code;
    bool first = true;
    for (uint32_t i = 0; i < k->n_values; i++) {
        if ((mask >> i & 1) == 0)
            continue;
        buf_printf(out, "%s%s", first ? "" : ",", k->values[i]);
        first = false;
    }
}

void
knob_text(const struct project *p, uint32_t k, double code, struct buf *out)
{
    const struct knob *knob = &p->spec.knob[k];
    switch (knob->kind) {
    case KNOB_FLOAT:
        buf_put_f64(out, code);
        break;
    case KNOB_INT:
        buf_printf(out, "%.0f", code);
        break;
    case KNOB_BOOL:
        buf_puts(out, code != 0 ? "true" : "false");
        break;
    case KNOB_SET:
        put_set(knob, code, out);
        break;
    default:
        buf_puts(out, knob->values[(uint32_t)code]);
    }
}

static bool
is_many(const struct knob *k)
{
    return k->kind == KNOB_SET || k->kind == KNOB_LIST;
}

/* Hydra's grammar takes these without quotes; others go in '...'. */
static void
put_hydra(const char *s, size_t n, struct buf *out)
{
    bool plain = n > 0;
    for (size_t i = 0; i < n; i++)
        plain =
            plain && (isalnum((unsigned char)s[i]) || strchr("_-./+:", s[i]));
    if (!plain)
        buf_putc(out, '\'');
    for (size_t i = 0; i < n; i++) {
        if (!plain && (s[i] == '\'' || s[i] == '\\'))
            buf_putc(out, '\\');
        buf_putc(out, s[i]);
    }
    if (!plain)
        buf_putc(out, '\'');
}

static void
put_hydra_value(const struct knob *k, const char *text, struct buf *out)
{
    if (!is_many(k)) {
        put_hydra(text, strlen(text), out);
        return;
    }
    buf_putc(out, '[');
    while (*text != '\0') {
        size_t n = strcspn(text, ",");
        put_hydra(text, n, out);
        text += n + (text[n] == ',');
        if (*text != '\0')
            buf_putc(out, ',');
    }
    buf_putc(out, ']');
}

/* ---- flags ---- */

/* "--name", or as the file gives it. */
static const char *
long_flag(struct arena *a, const char *flag, const char *name)
{
    if (flag != NULL)
        return flag;
    return name[0] == '-' ? name : arena_printf(a, "--%s", name);
}

/* Upper case, with _ for - and dots; leading dashes of a flag are dropped. */
static const char *
env_name(struct arena *a, const char *name)
{
    char *s = arena_strdup(a, name + strspn(name, "-"));
    for (char *c = s; *c != '\0'; c++)
        *c =
            isalnum((unsigned char)*c) ? (char)toupper((unsigned char)*c) : '_';
    return s;
}

static void
argparse_words(
    const struct knob *k, const char *flag, const char *text, struct words *out)
{
    if (!is_many(k)) {
        /* "--lr -1" would read as two flags; "--lr=-1" does not. */
        if (text[0] == '-' || text[0] == '\0') {
            words_add(out, arena_printf(out->a, "%s=%s", flag, text));
            return;
        }
        words_add(out, flag);
        words_add(out, text);
        return;
    }
    words_add(out, flag);
    while (*text != '\0') {
        size_t n = strcspn(text, ",");
        words_add(out, arena_strndup(out->a, text, n));
        text += n + (text[n] == ',');
    }
}

void
knob_words(const struct project *p, uint32_t k, double code, struct words *out)
{
    const struct knob *knob = &p->spec.knob[k];
    const char *given = p->knob[k].flag;
    const char *flag = long_flag(out->a, given, knob->name);
    uint32_t style = knob_style(p, k);
    struct buf b = {0};
    knob_text(p, k, code, &b);
    const char *text = take(out->a, &b);
    if (style == STYLE_SWITCH ||
        (style == STYLE_ARGPARSE && knob->kind == KNOB_BOOL)) {
        if (code != 0)
            words_add(out, flag);
    } else if (style == STYLE_GNU) {
        words_add(out, arena_printf(out->a, "%s=%s", flag, text));
    } else if (style == STYLE_ARGPARSE) {
        argparse_words(knob, flag, text, out);
    } else if (style == STYLE_HYDRA) {
        buf_printf(&b, "%s=", given ? given : knob->name);
        put_hydra_value(knob, text, &b);
        words_add(out, take(out->a, &b));
    }
}

void
seed_words(const struct project *p, int32_t seed, struct words *out)
{
    const char *name = p->train.seed_flag;
    const char *flag = name ? long_flag(out->a, NULL, name) : NULL;
    if (name == NULL)
        return;
    if (p->train.style == STYLE_GNU) {
        words_add(out, arena_printf(out->a, "%s=%d", flag, seed));
    } else if (p->train.style == STYLE_ARGPARSE) {
        words_add(out, flag);
        words_add(out, arena_printf(out->a, "%d", seed));
    } else if (p->train.style == STYLE_HYDRA) {
        words_add(out, arena_printf(out->a, "%s=%d", name, seed));
    }
}

const char *
knob_env(struct arena *a, const struct project *p, uint32_t k, double code)
{
    const struct knob *knob = &p->spec.knob[k];
    const char *flag = p->knob[k].flag;
    struct buf b = {0};
    buf_printf(&b, "%s=", flag ? flag : env_name(a, knob->name));
    if (knob->kind == KNOB_BOOL)
        buf_putc(&b, code != 0 ? '1' : '0');
    else
        knob_text(p, k, code, &b);
    return take(a, &b);
}

const char *
seed_env(struct arena *a, const struct project *p, int32_t seed)
{
    return arena_printf(a, "%s=%d", env_name(a, p->train.seed_flag), seed);
}

/* ---- the knobs file ---- */

static bool
is_number(const char *s)
{
    char *end;
    if (strspn(s, "0123456789+-.eE") != strlen(s) || *s == '\0' || *s == '+')
        return false;
    strtod(s, &end);
    return *end == '\0' && s[strcspn(s, "0123456789")] != '\0' &&
           s[strlen(s) - 1] != '.' && s[0] != '.' && strncmp(s, "-.", 2) != 0;
}

static void
put_element(struct jw *w, const char *s, size_t n, bool number)
{
    char text[VALUE_LEN];
    if (n >= sizeof text)
        n = sizeof text - 1;
    memcpy(text, s, n);
    text[n] = '\0';
    if (number && is_number(text))
        jw_f64(w, strtod(text, NULL));
    else
        jw_str(w, text);
}

static void
put_array(struct jw *w, const struct knob *k, uint32_t num_mask, double code)
{
    jw_arr_begin(w);
    if (k->kind == KNOB_SET) {
        for (uint32_t i = 0; i < k->n_values; i++) {
            if (((uint32_t)code >> i & 1) != 0)
                put_element(w, k->values[i], strlen(k->values[i]),
                    (num_mask >> i & 1) != 0);
        }
    } else {
        for (const char *s = k->values[(uint32_t)code]; *s != '\0';) {
            size_t n = strcspn(s, ",");
            put_element(w, s, n, true);
            s += n + (s[n] == ',');
        }
    }
    jw_arr_end(w);
}

void
knob_json(const struct project *p, uint32_t k, double code, struct jw *w)
{
    const struct knob *knob = &p->spec.knob[k];
    const struct project_knob *extra = &p->knob[k];
    bool own = extra->flag != NULL && knob_style(p, k) == STYLE_JSON;
    jw_key(w, own ? extra->flag : knob->name);
    if (is_many(knob)) {
        put_array(w, knob, extra->num_mask, code);
    } else if (knob->kind == KNOB_BOOL) {
        jw_bool(w, code != 0);
    } else if (knob->kind == KNOB_INT) {
        jw_i64(w, (int64_t)code);
    } else if (knob->kind == KNOB_FLOAT) {
        jw_f64(w, code);
    } else {
        uint32_t i = (uint32_t)code;
        const char *s = knob->values[i];
        if ((extra->bool_mask >> i & 1) != 0)
            jw_raw(w, s);
        else
            put_element(w, s, strlen(s), (extra->num_mask >> i & 1) != 0);
    }
}
