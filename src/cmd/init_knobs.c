/* Chooses knobs among a program's options, with ranges around their defaults.
 * Called by init; the engineer checks the bounds in the file. */
#include "cmd/init.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { INIT_KNOBS_MAX = 24 };

/* Options that are no part of the model's space: where things lie, how they
 * are shown, how many repeats. */
static const char *const no_knobs[] = {"data", "dir", "path", "file", "out",
    "output", "input", "log", "save", "load", "resume", "checkpoint", "device",
    "gpu", "cpu", "worker", "thread", "verbose", "debug", "print", "port",
    "host", "url", "name", "project", "cache", "metrics", "predictions",
    "split", "eval", "test", "valid", "help", "version", "config", "seed",
    "inject", "generate", "rows", "profile", "epochs", "epoch", "max-bad",
    "gen", "fields", "format", "group", "num-batches", "report", "evaluate",
    "label-threshold", "threshold", NULL};

static bool
word_in(const char *name, const char *word)
{
    const char *p = strcasestr(name, word);
    size_t n = strlen(word);
    /* Whole words only: "out" is not in "dropout". */
    while (p != NULL) {
        bool left = p == name || !isalnum((unsigned char)p[-1]);
        bool right = p[n] == '\0' || !isalnum((unsigned char)p[n]) ||
                     (p[n] == 's' && !isalnum((unsigned char)p[n + 1]));
        if (left && right)
            return true;
        p = strcasestr(p + 1, word);
    }
    return false;
}

static bool
is_seed(const char *name)
{
    return word_in(name, "seed") || strcasecmp(name, "random_state") == 0 ||
           strcasecmp(name, "random-state") == 0;
}

static bool
is_excluded(const char *name)
{
    for (int i = 0; no_knobs[i] != NULL; i++) {
        if (word_in(name, no_knobs[i]))
            return true;
    }
    return false;
}

static bool
is_given(const char *const *words, size_t n, const char *flag)
{
    size_t len = strlen(flag);
    for (size_t i = 0; i < n; i++) {
        if (strncmp(words[i], flag, len) == 0 &&
            (words[i][len] == '\0' || words[i][len] == '='))
            return true;
    }
    return false;
}

/* A range around the default: a factor of ten for rates, of four for counts;
 * what the help text says goes first. */
static void
knob_range(const struct help_option *o, struct template_knob *k)
{
    double d = k->deflt;
    if (k->kind == KNOB_INT) {
        k->lo = d > 0 ? fmax(1, floor(d / 4)) : 0;
        k->hi = d > 0 ? d * 4 : 4;
        k->log = d >= 8;
    } else if (d > 0 && d < 1 && word_in(k->name, "dropout")) {
        k->lo = 0;
        k->hi = 0.8;
    } else if (d > 0) {
        k->lo = d / 10;
        k->hi = d * 10;
        k->log = true;
    } else {
        k->lo = fmin(d, 0);
        k->hi = d < 0 ? 0 : 0.5;
    }
    if (o->lo < o->hi) {
        k->lo = fmax(k->lo, o->lo);
        k->hi = fmin(k->hi, o->hi);
    }
    k->log = k->log && k->lo > 0;
}

/* Index of the default among "a,b,c"; 0 when it is not told. */
static double
choice_index(const char *values, const char *deflt)
{
    double i = 0;
    for (const char *p = values; deflt != NULL && *p != '\0'; i++) {
        size_t n = strcspn(p, ",");
        if (strlen(deflt) == n && strncmp(p, deflt, n) == 0)
            return i;
        p += n + (p[n] == ',');
    }
    return 0;
}

static bool
knob_from(struct arena *a, const struct help_option *o, bool hydra,
    struct template_knob *k)
{
    char *end = NULL;
    *k = (struct template_knob){.name = o->name, .kind = o->kind};
    if (o->doc != NULL && o->doc[0] != '\0')
        k->doc = arena_strndup(a, o->doc, strnlen(o->doc, 160));
    /* The usual "--name" needs no flag of its own in the file. */
    const char *usual = hydra ? o->name : arena_printf(a, "--%s", o->name);
    if (o->flag != NULL && strcmp(o->flag, usual) != 0)
        k->flag = o->flag;
    if (o->kind == KNOB_BOOL) {
        k->deflt = o->deflt != NULL && (strcasecmp(o->deflt, "true") == 0 ||
                                           strcmp(o->deflt, "1") == 0)
                       ? 1
                       : 0;
        return true;
    }
    if (o->kind == KNOB_CHOICE) {
        k->values = o->values;
        k->deflt = choice_index(o->values, o->deflt);
        return strchr(o->values, ',') != NULL;
    }
    if ((o->kind != KNOB_FLOAT && o->kind != KNOB_INT) || o->deflt == NULL)
        return false;
    k->deflt = strtod(o->deflt, &end);
    if (end == o->deflt || !isfinite(k->deflt))
        return false;
    knob_range(o, k);
    return k->lo < k->hi && k->deflt >= k->lo && k->deflt <= k->hi;
}

void
init_knobs(struct arena *a, const struct help_option *o, size_t n,
    const char *const *words, size_t n_words, struct template_knob **out,
    size_t *n_out, const char **seed)
{
    struct template_knob *v = arena_alloc(a, sizeof(*v) * INIT_KNOBS_MAX);
    *n_out = 0;
    *seed = NULL;
    *out = v;
    for (size_t i = 0; i < n; i++) {
        bool hydra = o[i].flag != NULL && o[i].flag[0] != '-';
        if (is_seed(o[i].name) && *seed == NULL)
            *seed = o[i].name;
        if (is_excluded(o[i].name) || *n_out == INIT_KNOBS_MAX ||
            is_given(words, n_words, o[i].flag))
            continue;
        if (knob_from(a, &o[i], hydra, &v[*n_out]))
            (*n_out)++;
    }
}

uint8_t
init_style(const char *help, const struct help_option *o, size_t n)
{
    bool bare = n > 0, equals = false, switches = false;
    for (size_t i = 0; i < n; i++) {
        bare = bare && o[i].flag != NULL && o[i].flag[0] != '-';
        switches = switches || (o[i].kind == KNOB_BOOL && !o[i].takes_value);
    }
    if (bare || strcasestr(help, "hydra") != NULL)
        return STYLE_HYDRA;
    equals = strstr(help, "--name=value") != NULL ||
             (n > 0 && o[0].flag != NULL && strstr(help, "usage:") == NULL &&
                 strchr(help, '=') != NULL);
    if (switches || (!equals && strstr(help, "usage:") != NULL))
        return STYLE_ARGPARSE;
    return STYLE_GNU;
}
