/* {placeholders} in commands: finding them (command.c renders them) and, when
 * the file is read, checking them. Invariant: a template that passed
 * command_check() renders for every valid configuration. */
#include "project/read.h"
#include "project/words.h"

#include <string.h>

static const struct {
    const char *name;
    uint32_t bit;
} known[] = {
    {"knobs", HOLDS_KNOBS},
    {"seed", HOLDS_SEED},
    {"run_dir", HOLDS_DIR},
    {"metrics_file", HOLDS_METRICS},
    {"predictions_file", HOLDS_PREDICTIONS},
    {"checkpoint", HOLDS_CHECKPOINT},
    {"resume", HOLDS_RESUME},
};
enum { N_KNOWN = sizeof known / sizeof known[0] };

static bool
is_named(const char *s, size_t n, const char *name)
{
    return strlen(name) == n && memcmp(s, name, n) == 0;
}

/* What {s} stands for; false: nothing. */
static bool
piece_find(const struct project *p, struct piece *out)
{
    for (uint32_t i = 0; i < N_KNOWN; i++) {
        if (is_named(out->s, out->n, known[i].name)) {
            out->bit = known[i].bit;
            return true;
        }
    }
    for (uint32_t i = 0; i < p->spec.n_knobs; i++) {
        if (out->n > 5 && memcmp(out->s, "knob.", 5) == 0 &&
            is_named(out->s + 5, out->n - 5, p->spec.knob[i].name)) {
            out->bit = HOLDS_KNOB;
            out->index = i;
            return true;
        }
    }
    for (uint32_t i = 0; i < p->train.n_vars; i++) {
        if (is_named(out->s, out->n, p->train.vars[i].name)) {
            out->bit = HOLDS_VAR;
            out->index = i;
            return true;
        }
    }
    return false;
}

int
piece_next(const struct project *p, const char *text, bool shell, size_t *pos,
    struct piece *out)
{
    const char *s = text + *pos;
    *out = (struct piece){.s = s};
    if (*s == '\0')
        return 0;
    if ((s[0] == '{' && s[1] == '{') || (s[0] == '}' && s[1] == '}')) {
        out->n = 1;
        *pos += 2;
        return 1;
    }
    if (s[0] == '{') {
        size_t n = strcspn(s + 1, "{} \t\n");
        out->s = s + 1;
        out->n = n;
        *pos += n + 2;
        return s[1 + n] == '}' && piece_find(p, out) ? 1 : -1;
    }
    if (shell && s[0] == '$' && s[1] == '{') {
        out->n = 2 + strcspn(s + 2, "}");
        *pos += out->n;
        if (s[out->n] == '}') {
            out->n++;
            (*pos)++;
        }
        return 1;
    }
    size_t n = 1;
    while (s[n] != '\0' && s[n] != '{' && s[n] != '}' && s[n] != '$')
        n++;
    out->n = n;
    *pos += n;
    return 1;
}

uint32_t
template_holds(
    const struct project *p, const char *text, bool shell, uint64_t *knobs)
{
    uint32_t bits = 0;
    size_t pos = 0;
    struct piece x;
    while (text != NULL && piece_next(p, text, shell, &pos, &x) > 0) {
        bits |= x.bit;
        if (x.bit == HOLDS_KNOB)
            *knobs |= (uint64_t)1 << x.index;
    }
    return bits;
}

/* ---- checks when the file is read ---- */

static int
bad_placeholder(
    const struct reader *r, const struct toml *t, const struct piece *x)
{
    const struct project *p = r->p;
    const char *names[N_KNOWN + KNOBS_MAX + VARS_MAX];
    uint32_t n = 0;
    size_t at = 0;
    for (; n < N_KNOWN; n++)
        names[n] = known[n].name;
    for (uint32_t i = 0; i < p->spec.n_knobs; i++)
        names[n++] = arena_printf(r->a, "knob.%s", p->spec.knob[i].name);
    for (uint32_t i = 0; i < p->train.n_vars; i++)
        names[n++] = p->train.vars[i].name;
    const char *end = x->s + x->n;
    at = (size_t)(x->s - t->str);
    const char *name = arena_strndup(r->a, x->s, x->n);
    if (*end != '}')
        return read_fail(r, place_inside(r, t, at - 1),
            "close it with }, or write {{ for a brace",
            "an open placeholder in %s", t->key);
    return read_fail(r, place_inside(r, t, at - 1),
        read_hint(r, name, names, n,
            "declare it in [train.vars], or write {{ for a brace"),
        "unknown placeholder {%s} in %s", name, t->key);
}

/* Every placeholder of a template is known and allowed there. */
static int
check_template(
    const struct reader *r, const struct toml *t, bool shell, uint32_t allowed)
{
    struct piece x;
    size_t pos = 0;
    int more;
    while ((more = piece_next(r->p, t->str, shell, &pos, &x)) != 0) {
        if (more < 0)
            return bad_placeholder(r, t, &x);
        if ((x.bit & ~allowed) != 0)
            return read_fail(r, place_inside(r, t, (size_t)(x.s - t->str) - 1),
                "leave it out here", "{%.*s} has no meaning in %s", (int)x.n,
                x.s, t->key);
    }
    return 0;
}

static int
check_words(const struct reader *r, const struct toml *t, bool shell)
{
    const char **words;
    size_t n;
    struct err err = {0};
    if (shell || command_split(r->a, t->str, &words, &n, &err) == 0)
        return 0;
    return read_fail(r, place_value(t),
        "close the quote; in a TOML string \"...\" write \\\" for a quote",
        "%s: %s", t->key, err.text);
}

/* A knob that is not passed would be searched in vain. */
static int
check_reach(const struct reader *r, const struct toml *command)
{
    const struct project *p = r->p;
    uint64_t named = 0;
    uint32_t holds = template_holds(p, command->str, p->train.shell, &named);
    if ((holds & HOLDS_RESUME) == 0 && p->train.resume != NULL &&
        p->train.resume[0] != '\0')
        return read_fail(r, place_value(command),
            "add {resume} to the command, where resume shall stand",
            "resume is given, but the command has no {resume}");
    if ((holds & HOLDS_RESUME) != 0 && p->train.resume == NULL)
        return read_fail(r, place_value(command),
            "add resume = \"--resume={checkpoint}\", or leave {resume} out",
            "the command has {resume}, but resume is not given");
    if ((holds & HOLDS_KNOBS) != 0)
        return 0;
    for (uint32_t k = 0; k < p->spec.n_knobs; k++) {
        uint32_t style = knob_style(p, k);
        if (style == STYLE_ENV || style == STYLE_JSON || (named >> k & 1) != 0)
            continue;
        return read_fail(r, place_value(command),
            arena_printf(r->a,
                "add {knobs} or {knob.%s}, or use style = \"env\" or \"json\"",
                p->spec.knob[k].name),
            "knob %s never reaches the command", p->spec.knob[k].name);
    }
    return 0;
}

int
command_check(const struct reader *r)
{
    const struct toml *train = toml_get(r->root, "train");
    const struct toml *evaluate = toml_get(r->root, "evaluate");
    const uint32_t paths = HOLDS_DIR | HOLDS_VAR;
    const uint32_t plain = paths | HOLDS_SEED | HOLDS_METRICS |
                           HOLDS_PREDICTIONS | HOLDS_CHECKPOINT;
    const uint32_t knobs = HOLDS_KNOBS | HOLDS_KNOB;
    const struct {
        const struct toml *t;
        bool shell;
        uint32_t allowed;
    } templates[] = {
        {toml_get(train, "command"), r->p->train.shell,
            plain | knobs | HOLDS_RESUME},
        {toml_get(train, "resume"), r->p->train.shell, plain},
        {toml_get(train, "checkpoint"), false, paths},
        {evaluate ? toml_get(evaluate, "command") : NULL, r->p->evaluate.shell,
            plain | knobs},
    };
    int rc = 0;
    const struct toml *vars = toml_get(train, "vars");
    for (const struct toml *v = vars ? vars->child : NULL; rc == 0 && v != NULL;
         v = v->next) {
        if (v->kind == TOML_STR)
            rc = check_template(r, v, false, HOLDS_DIR);
    }
    for (size_t i = 0; rc == 0 && i < 4; i++) {
        if (templates[i].t == NULL)
            continue;
        rc = check_template(
            r, templates[i].t, templates[i].shell, templates[i].allowed);
        if (rc == 0)
            rc = check_words(r, templates[i].t, templates[i].shell);
    }
    return rc == 0 ? check_reach(r, templates[0].t) : rc;
}
