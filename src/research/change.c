/* Texts of a change: its canonical key, its JSON and its statement; and what
 * can be told of a project from its names. Called by the draft, by the verbs
 * and when insights are kept. Invariant: equal changes have equal keys
 * whatever the order of their overrides. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "research/draft.h"
#include "research/move.h"

static void
value_text(const struct knob *k, double value, char out[256])
{
    knob_format(k, value, out, 256);
}

static int
text_compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char *
change_key_in(struct arena *a, const struct spec *s,
    const struct override *over, uint32_t n_over)
{
    const char *part[KNOBS_MAX];
    for (uint32_t i = 0; i < n_over; i++) {
        const struct knob *k = &s->knob[over[i].knob];
        char text[256];
        if (k->kind == KNOB_FLOAT)
            snprintf(text, sizeof text, "%.3g", over[i].value);
        else
            value_text(k, over[i].value, text);
        part[i] = arena_printf(a, "%s=%s", k->name, text);
    }
    qsort(part, n_over, sizeof *part, text_compare);
    struct buf b = {0};
    for (uint32_t i = 0; i < n_over; i++) {
        buf_puts(&b, i > 0 ? " " : "");
        buf_puts(&b, part[i]);
    }
    const char *key = arena_strdup(a, buf_str(&b));
    buf_fini(&b);
    return key;
}

const char *
change_json_in(struct arena *a, const struct spec *s,
    const struct override *over, uint32_t n_over)
{
    struct buf b = {0};
    struct jw w;
    jw_init(&w, &b, 0);
    jw_obj_begin(&w);
    jw_key(&w, "overrides");
    jw_obj_begin(&w);
    for (uint32_t i = 0; i < n_over; i++) {
        const struct knob *k = &s->knob[over[i].knob];
        char text[256];
        value_text(k, over[i].value, text);
        jw_key(&w, k->name);
        if (k->kind == KNOB_FLOAT || k->kind == KNOB_INT)
            jw_f64(&w, over[i].value);
        else if (k->kind == KNOB_BOOL)
            jw_bool(&w, over[i].value != 0);
        else
            jw_str(&w, text);
    }
    jw_obj_end(&w);
    jw_obj_end(&w);
    const char *json = arena_strdup(a, buf_str(&b));
    buf_fini(&b);
    return json;
}

static void
one_text(struct buf *b, const struct knob *k, double value)
{
    char from[256], to[256];
    struct move m;
    value_text(k, k->deflt, from);
    value_text(k, value, to);
    move_of(&m, k, value);
    if (k->kind == KNOB_BOOL)
        buf_printf(b, "turn %s %s", k->name, value != 0 ? "on" : "off");
    else if (m.kind == MOVE_SCALE)
        buf_printf(b, "%s %s from %s to %s (x%.3g)",
            m.b > m.a ? "raise" : "lower", k->name, from, to, m.b / m.a);
    else if (k->kind == KNOB_FLOAT || k->kind == KNOB_INT)
        buf_printf(b, "%s %s from %s to %s",
            value > k->deflt ? "raise" : "lower", k->name, from, to);
    else
        buf_printf(b, "set %s to %s (from %s)", k->name, to, from);
}

const char *
change_text_in(struct arena *a, const struct spec *s,
    const struct override *over, uint32_t n_over)
{
    struct buf b = {0};
    for (uint32_t i = 0; i < n_over; i++) {
        buf_puts(&b, i > 0 ? " and " : "");
        one_text(&b, &s->knob[over[i].knob], over[i].value);
    }
    const char *text = arena_strdup(a, buf_str(&b));
    buf_fini(&b);
    return text;
}

const char *
family_of(const struct spec *s)
{
    for (uint32_t k = 0; k < s->n_knobs; k++) {
        const struct knob *knob = &s->knob[k];
        if (knob->concept == CONCEPT_MODEL && knob->kind == KNOB_CHOICE)
            return knob->values[(uint32_t)knob->deflt];
    }
    /* Longer names first: "deepfm" holds "fm". */
    static const char *const known[] = {"finalnet", "finalmlp", "masknet",
        "autoint", "fibinet", "xdeepfm", "widedeep", "deepfm", "dcnv2", "dlrm",
        "hofm", "fwfm", "fmfm", "dien", "pnn", "nfm", "afm", "ffm", "dcn",
        "fm"};
    char name[VALUE_LEN];
    word_plain(s->model, name);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strstr(name, known[i]) != NULL)
            return known[i];
    return s->model;
}

const char *
metric_kind(const char *name)
{
    if (strcasestr(name, "auc") != NULL)
        return "auc";
    if (strcasestr(name, "ndcg") != NULL)
        return "ndcg";
    if (strcasestr(name, "logloss") != NULL || strcasestr(name, "log_loss") ||
        strcasestr(name, "bce") != NULL)
        return "logloss";
    return "";
}
