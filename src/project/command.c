/* Renders a job's command line and environment (project.h). Called by the wake
 * for each job, by `rea check` and `rea repro`. Invariant: values of knobs
 * enter as whole words; without shell = true nothing is ever re-read by a
 * shell. */
#include "project/project.h"

#include "base/fs.h"
#include "project/words.h"

#include <assert.h>
#include <string.h>

/* ---- words ---- */

/* One word at *s, unquoted into b; false: a quote is left open. */
static bool
split_word(const char **s, struct buf *b)
{
    while (**s != '\0' && strchr(" \t\n\r", **s) == NULL) {
        char c = *(*s)++;
        if (c == '\\') {
            if (**s == '\0')
                return false;
            buf_putc(b, *(*s)++);
        } else if (c == '\'' || c == '"') {
            while (**s != '\0' && **s != c) {
                if (c == '"' && **s == '\\' && strchr("\"\\$`", (*s)[1]) &&
                    (*s)[1] != '\0')
                    (*s)++;
                buf_putc(b, *(*s)++);
            }
            if (*(*s)++ == '\0')
                return false;
        } else {
            buf_putc(b, c);
        }
    }
    return true;
}

int
command_split(struct arena *a, const char *text, const char ***out, size_t *n,
    struct err *err)
{
    struct words w = {.a = a};
    for (const char *s = text;;) {
        s += strspn(s, " \t\n\r");
        if (*s == '\0')
            break;
        const char *start = s;
        struct buf b = {0};
        bool closed = split_word(&s, &b);
        words_add(&w, arena_strdup(a, buf_str(&b)));
        buf_fini(&b);
        if (!closed)
            return err_set(err, -ERR_INPUT,
                "a quote or backslash is left open at \"%.20s\"", start);
    }
    words_end(&w);
    *out = w.list;
    *n = w.n;
    return 0;
}

void
command_quote(struct buf *out, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789@%_+=:,./-";
    if (*word != '\0' && strspn(word, plain) == strlen(word)) {
        buf_puts(out, word);
        return;
    }
    buf_putc(out, '\'');
    for (; *word != '\0'; word++) {
        if (*word == '\'')
            buf_puts(out, "'\\''");
        else
            buf_putc(out, *word);
    }
    buf_putc(out, '\'');
}

/* ---- rendering ---- */

struct render {
    struct arena *a;
    const struct project *p;
    const struct job_request *req;
    struct job_command *out;
    uint64_t named; /* knobs that the command names by {knob.NAME} */
    bool shell;
    struct err *err;
};

static void
all_knobs(const struct render *x, struct words *w)
{
    const struct project *p = x->p;
    bool file = p->train.style == STYLE_JSON;
    for (uint32_t k = 0; k < p->spec.n_knobs; k++) {
        if ((x->named >> k & 1) == 0 &&
            knob_is_active(&p->spec, x->req->config, k))
            knob_words(p, k, x->req->config->v[k], w);
    }
    if (file)
        words_add(w, x->out->knobs_file);
    else
        seed_words(p, x->req->seed, w);
}

static int render_text(
    const struct render *x, const char *text, struct buf *out, bool *dropped);

/* The value of a piece that is not a list of words. */
static int
render_piece(const struct render *x, const struct piece *piece, struct buf *out,
    bool *dropped)
{
    const struct project *p = x->p;
    const struct config *c = x->req->config;
    switch (piece->bit) {
    case 0:
        buf_add(out, piece->s, piece->n);
        break;
    case HOLDS_KNOB:
        if (knob_is_active(&p->spec, c, piece->index))
            knob_text(p, piece->index, c->v[piece->index], out);
        else
            *dropped = true;
        break;
    case HOLDS_SEED:
        buf_printf(out, "%d", x->req->seed);
        break;
    case HOLDS_DIR:
        buf_puts(out, x->req->run_dir);
        break;
    case HOLDS_METRICS:
        buf_puts(out, x->out->metrics_file);
        break;
    case HOLDS_PREDICTIONS:
        buf_puts(out, x->out->predictions_file);
        break;
    case HOLDS_CHECKPOINT:
        buf_puts(out, x->out->checkpoint);
        break;
    case HOLDS_VAR:
        return render_text(x, p->train.vars[piece->index].value, out, dropped);
    default:
        break;
    }
    return 0;
}

static int
render_words(const struct render *x, const char *text, struct words *out);

/* {knobs} and {resume} as words. */
static int
list_words(const struct render *x, uint32_t bit, struct words *out)
{
    if (bit == HOLDS_KNOBS) {
        all_knobs(x, out);
        return 0;
    }
    if (!x->req->resume || x->p->train.resume == NULL)
        return 0;
    return render_words(x, x->p->train.resume, out);
}

static int
render_list(const struct render *x, uint32_t bit, struct buf *out)
{
    struct words w = {.a = x->a};
    int rc = list_words(x, bit, &w);
    for (size_t i = 0; rc == 0 && i < w.n; i++) {
        if (i > 0)
            buf_putc(out, ' ');
        if (x->shell)
            command_quote(out, w.list[i]);
        else
            buf_puts(out, w.list[i]);
    }
    return rc;
}

static int
render_text(
    const struct render *x, const char *text, struct buf *out, bool *dropped)
{
    struct piece piece;
    size_t pos = 0;
    int more, rc = 0;
    while (rc == 0 &&
           (more = piece_next(x->p, text, x->shell, &pos, &piece)) != 0) {
        if (more < 0)
            return err_set(x->err, -ERR_INPUT, "unknown placeholder {%.*s}",
                (int)piece.n, piece.s);
        if (piece.bit == HOLDS_KNOBS || piece.bit == HOLDS_RESUME) {
            rc = render_list(x, piece.bit, out);
        } else if (x->shell && piece.bit != 0) {
            struct buf value = {0};
            rc = render_piece(x, &piece, &value, dropped);
            command_quote(out, buf_str(&value));
            buf_fini(&value);
        } else {
            rc = render_piece(x, &piece, out, dropped);
        }
    }
    return rc;
}

static int
render_words(const struct render *x, const char *text, struct words *out)
{
    const char **words;
    size_t n;
    int rc = command_split(x->a, text, &words, &n, x->err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        bool knobs = strcmp(words[i], "{knobs}") == 0;
        if (knobs || strcmp(words[i], "{resume}") == 0) {
            rc = list_words(x, knobs ? HOLDS_KNOBS : HOLDS_RESUME, out);
            continue;
        }
        struct buf b = {0};
        bool dropped = false; /* it names a knob that is not active */
        rc = render_text(x, words[i], &b, &dropped);
        if (rc == 0 && !dropped)
            words_add(out, arena_strdup(x->a, buf_str(&b)));
        buf_fini(&b);
    }
    return rc;
}

static int
render_argv(const struct render *x, const char *command)
{
    struct words w = {.a = x->a};
    int rc;
    if (x->shell) {
        struct buf b = {0};
        bool dropped = false;
        rc = render_text(x, command, &b, &dropped);
        words_add(&w, "/bin/sh");
        words_add(&w, "-c");
        words_add(&w, arena_strdup(x->a, buf_str(&b)));
        buf_fini(&b);
    } else {
        rc = render_words(x, command, &w);
        if (rc == 0 && w.n == 0)
            rc = err_set(x->err, -ERR_INPUT, "the command is empty");
    }
    words_end(&w);
    x->out->argv = w.list;
    x->out->argc = w.n;
    return rc;
}

static void
render_env(const struct render *x)
{
    const struct project *p = x->p;
    const struct job_request *q = x->req;
    struct job_command *out = x->out;
    struct words w = {.a = x->a};
    const struct {
        const char *name, *value;
    } vars[] = {
        {"CAMPAIGN", q->campaign},
        {"TRIAL", q->trial},
        {"ATTEMPT", arena_printf(x->a, "%u", q->attempt)},
        {"SEED", arena_printf(x->a, "%d", q->seed)},
        {"PHASE", q->phase},
        {"HYPOTHESES", q->hypotheses},
        {"RUN_DIR", q->run_dir},
        {"METRICS_FILE", out->metrics_file},
        {"PREDICTIONS_FILE", out->predictions_file},
        {"CHECKPOINT", out->checkpoint},
        {"KNOBS_FILE", out->knobs_file},
    };
    for (size_t i = 0; i < sizeof vars / sizeof vars[0]; i++)
        words_add(&w, arena_printf(x->a, "REA_%s=%s", vars[i].name,
                          vars[i].value ? vars[i].value : ""));
    for (uint32_t k = 0; k < p->spec.n_knobs; k++) {
        if (knob_style(p, k) == STYLE_ENV &&
            knob_is_active(&p->spec, q->config, k))
            words_add(&w, knob_env(x->a, p, k, q->config->v[k]));
    }
    if (p->train.style == STYLE_ENV && p->train.seed_flag != NULL)
        words_add(&w, seed_env(x->a, p, q->seed));
    words_end(&w);
    out->env = w.list;
    out->n_env = w.n;
}

static void
render_json(const struct render *x)
{
    const struct project *p = x->p;
    struct buf b = {0};
    struct jw w;
    jw_init(&w, &b, 1);
    jw_obj_begin(&w);
    for (uint32_t k = 0; k < p->spec.n_knobs; k++) {
        if (knob_is_active(&p->spec, x->req->config, k))
            knob_json(p, k, x->req->config->v[k], &w);
    }
    const char *seed = p->train.seed_flag;
    if (seed != NULL)
        jw_ki64(&w, seed + strspn(seed, "-"), x->req->seed);
    jw_obj_end(&w);
    buf_putc(&b, '\n');
    x->out->knobs_json = arena_strdup(x->a, buf_str(&b));
    buf_fini(&b);
}

/* For people: what the environment style sets, then the words. */
static void
render_line(const struct render *x)
{
    struct buf b = {0};
    for (size_t i = 0; i < x->out->n_env; i++) {
        const char *e = x->out->env[i];
        if (strncmp(e, "REA_", 4) == 0)
            continue;
        size_t n = (size_t)(strchr(e, '=') - e) + 1;
        buf_add(&b, e, n);
        command_quote(&b, e + n);
        buf_putc(&b, ' ');
    }
    for (size_t i = 0; i < x->out->argc; i++) {
        if (i > 0)
            buf_putc(&b, ' ');
        command_quote(&b, x->out->argv[i]);
    }
    x->out->line = arena_strdup(x->a, buf_str(&b));
    buf_fini(&b);
}

char *
project_checkpoint_in(
    struct arena *a, const struct project *p, const char *run_dir)
{
    struct job_request req = {.run_dir = run_dir};
    struct job_command none = {0};
    struct render x = {.a = a, .p = p, .req = &req, .out = &none};
    struct buf b = {0};
    bool dropped = false;
    /* Its placeholders were checked: {run_dir} and variables only. */
    int rc = render_text(&x, p->train.checkpoint, &b, &dropped);
    assert(rc == 0);
    char *s = arena_strdup(a, buf_str(&b));
    buf_fini(&b);
    return s;
}

int
command_render(struct arena *a, const struct project *p,
    const struct job_request *req, struct job_command *out, struct err *err)
{
    bool csv = p->harvest.source[p->harvest.primary].from == FROM_CSV;
    const char *command =
        req->evaluate ? p->evaluate.command : p->train.command;
    struct render x = {.a = a,
        .p = p,
        .req = req,
        .out = out,
        .err = err,
        .shell = req->evaluate ? p->evaluate.shell : p->train.shell};
    *out = (struct job_command){0};
    assert(command != NULL && req->config != NULL && req->run_dir != NULL);
    assert(req->seed > 0);
    out->knobs_file = fs_join_in(a, req->run_dir, "knobs.json");
    out->metrics_file =
        fs_join_in(a, req->run_dir, csv ? "metrics.csv" : "metrics.jsonl");
    out->predictions_file = fs_join_in(a, req->run_dir, "predictions.txt");
    out->checkpoint = req->checkpoint
                          ? arena_strdup(a, req->checkpoint)
                          : project_checkpoint_in(a, p, req->run_dir);
    template_holds(p, command, x.shell, &x.named);
    int rc = render_argv(&x, command);
    if (rc != 0)
        return err_wrap(err, rc, "%s: command of [%s]", p->file,
            req->evaluate ? "evaluate" : "train");
    render_env(&x);
    render_json(&x);
    render_line(&x);
    return 0;
}

enum exit_meaning
project_exit(const struct project *p, int code)
{
    for (uint32_t i = 0; i < p->train.n_exit_codes; i++) {
        if (p->train.exit_codes[i].code == code)
            return (enum exit_meaning)p->train.exit_codes[i].meaning;
    }
    return EXIT_MEANS_NONE;
}

const char *
exit_meaning_name(uint32_t meaning)
{
    static const char *const names[] = {"none",
#define X(name, text) text,
        EXIT_MEANING_LIST(X)
#undef X
    };
    return meaning < sizeof names / sizeof names[0] ? names[meaning] : "?";
}
