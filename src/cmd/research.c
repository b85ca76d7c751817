/* rea research add, search, ask: the paper corpus and the questions to it.
 * What papers say is quoted, never followed. */
#include "cmd/verbs.h"

#include <ctype.h>
#include <string.h>

#include "base/fs.h"
#include "cmd/research.h"
#include "cmd/work.h"
#include "papers/corpus.h"

enum {
    PASSAGES_MAX = 6,
    PASSAGE_TEXT = 150,
    PROBLEMS_MAX = 200, /* listed by --json */
    PROBLEMS_SAID = 8,
    ANSWERS_MAX = 25,
    QUESTIONS_SAID = 3,
    TECHNIQUES_MAX = 6,
};

static const double FLAG_FROM = 0.5; /* suspect scores worth a word */

static int
corpus_of(struct call *call, bool write, struct corpus **out, struct err *err)
{
    const char *root = NULL;
    int rc = work_root(call, &root, err);
    if (rc != 0)
        return rc;
    char *dir = fs_join_in(call->arena, root, ".rea");
    if (write && (rc = fs_mkdirs(dir, err)) != 0)
        return rc;
    return corpus_open(
        out, fs_join_in(call->arena, dir, "papers.db"), write, err);
}

/* Text of others on a terminal: one line, no control characters. */
static void
say_line(struct call *call, const char *s, size_t max)
{
    for (size_t i = 0; i < max && s[i] != '\0'; i++)
        buf_putc(&call->out, iscntrl((unsigned char)s[i]) ? ' ' : s[i]);
    if (strlen(s) > max)
        say(call, "...");
}

/* ---- add ---- */

struct problems {
    struct call *call;
    uint32_t n;
    const char *where[PROBLEMS_MAX], *why[PROBLEMS_MAX];
};

static void
problem_keep(void *ctx, const char *where, const char *why)
{
    struct problems *p = ctx;
    if (p->n == PROBLEMS_MAX)
        return;
    p->where[p->n] = arena_strdup(p->call->arena, where);
    p->why[p->n++] = arena_strdup(p->call->arena, why);
}

static void
added_json(
    struct call *call, const struct corpus_added *got, const struct problems *p)
{
    struct jw w;
    jw_init(&w, &call->out, 0);
    jw_obj_begin(&w);
    jw_ki64(&w, "files", got->files);
    jw_ki64(&w, "papers", got->papers);
    jw_ki64(&w, "replaced", got->replaced);
    jw_ki64(&w, "known", got->known);
    jw_ki64(&w, "bad", got->bad);
    jw_ki64(&w, "flagged", got->flagged);
    jw_ki64(&w, "vectors", got->vectors);
    jw_kbool(&w, "trained", got->trained);
    jw_kstr(&w, "guard", got->guard);
    jw_key(&w, "problems");
    jw_arr_begin(&w);
    for (uint32_t i = 0; i < p->n; i++) {
        jw_obj_begin(&w);
        jw_kstr(&w, "where", p->where[i]);
        jw_kstr(&w, "why", p->why[i]);
        jw_obj_end(&w);
    }
    jw_arr_end(&w);
    jw_obj_end(&w);
    say(call, "\n");
}

static void
added_say(
    struct call *call, const struct corpus_added *got, const struct problems *p)
{
    say(call,
        "%u files: %u papers added, %u replaced, %u known already, %u "
        "bad\n",
        got->files, got->papers, got->replaced, got->known, got->bad);
    if (got->guard[0] != '\0')
        say(call, "read under %s\n", got->guard);
    if (got->vectors > 0)
        say(call, "%u passages have vectors%s\n", got->vectors,
            got->trained ? ", trained on this corpus" : "");
    if (got->flagged > 0)
        say(call,
            "%u passages read as orders to a machine: flagged, ranked lower, "
            "never followed\n",
            got->flagged);
    for (uint32_t i = 0; i < p->n && i < PROBLEMS_SAID; i++) {
        say(call, "  ");
        say_line(call, p->where[i], 200);
        say(call, ": ");
        say_line(call, p->why[i], 200);
        say(call, "\n");
    }
    if (got->bad > PROBLEMS_SAID)
        say(call, "  ... and %u more (--json lists them)\n",
            got->bad - PROBLEMS_SAID);
}

static int
research_add_run(struct call *call, struct err *err)
{
    struct corpus *c = NULL;
    struct corpus_added got = {0};
    struct problems *p = arena_alloc(call->arena, sizeof *p);
    struct corpus_add_opts o = {.licence = call_opt(call, "licence"),
        .source = call_opt(call, "source"),
        .on_bad = problem_keep,
        .ctx = p};
    p->call = call;
    int rc = corpus_of(call, true, &c, err);
    if (rc != 0)
        return rc;
    rc = corpus_add_paths(c, call->args, call->n_args, &o, &got, err);
    corpus_close(c);
    if (rc != 0)
        return rc;
    if (call->json)
        added_json(call, &got, p);
    else
        added_say(call, &got, p);
    call_next(call, "rea research ask");
    return 0;
}

/* ---- search ---- */

static void
passage_json(struct jw *w, const struct passage *p)
{
    jw_kstr(w, "paper", p->paper);
    jw_kstr(w, "title", p->title);
    jw_kstr(w, "date", p->date);
    jw_kstr(w, "licence", p->licence);
    jw_kstr(w, "source", p->source);
    jw_ki64(w, "passage", p->id);
    jw_kf64(w, "score", p->score);
    jw_kstr(w, "text", p->text);
}

static void
passage_say(struct call *call, const struct passage *p, const char *indent)
{
    say(call, "%s", indent);
    say_line(call, p->paper, 60);
    say(call, " %s ", p->date);
    say_line(call, p->title, 120);
    say(call, "\n");
}

static void
text_say(struct call *call, const struct passage *p, const char *indent)
{
    say(call, "%s  \"", indent);
    say_line(call, p->text, PASSAGE_TEXT);
    say(call, "\"\n");
}

static const char *
words_joined(struct call *call)
{
    struct buf b = {0};
    for (uint32_t i = 0; i < call->n_args; i++)
        buf_printf(&b, "%s%s", i > 0 ? " " : "", call->args[i]);
    const char *text = arena_strdup(call->arena, buf_str(&b));
    buf_fini(&b);
    return text;
}

static int
research_search_run(struct call *call, struct err *err)
{
    struct corpus *c = NULL;
    struct passage *p = NULL;
    uint32_t n = 0;
    int rc = corpus_of(call, false, &c, err);
    if (rc != 0)
        return rc;
    rc = corpus_search(c, words_joined(call), call_opt(call, "before"),
        PASSAGES_MAX, call->arena, &p, &n, err);
    corpus_close(c);
    if (rc != 0)
        return rc;
    if (call->json) {
        struct jw w;
        jw_init(&w, &call->out, 0);
        jw_obj_begin(&w);
        jw_key(&w, "passages");
        jw_arr_begin(&w);
        for (uint32_t i = 0; i < n; i++) {
            jw_obj_begin(&w);
            passage_json(&w, &p[i]);
            jw_obj_end(&w);
        }
        jw_arr_end(&w);
        jw_obj_end(&w);
        say(call, "\n");
        return 0;
    }
    for (uint32_t i = 0; i < n; i++) {
        passage_say(call, &p[i], "");
        text_say(call, &p[i], "");
    }
    if (n == 0)
        say(call, "no passage matches\n");
    call_next(call, n > 0 ? "rea research ask" : "rea research add FILE|DIR");
    return 0;
}

/* ---- ask ---- */

struct answered {
    const struct ask *ask;
    uint32_t n, n_asked, n_techniques;
    const struct ask_style *asked; /* the styles that were used */
    struct answer *answer;
    const struct technique *technique[TECHNIQUES_MAX]; /* mentioned */
};

static void
techniques_find(struct answered *q)
{
    for (uint32_t t = 0; t < technique_count(); t++)
        for (uint32_t i = 0; i < q->n; i++) {
            const struct technique *known = technique_at(t);
            if (!technique_mentioned(known, q->answer[i].passage.title) &&
                !technique_mentioned(known, q->answer[i].passage.text))
                continue;
            if (q->n_techniques < TECHNIQUES_MAX)
                q->technique[q->n_techniques++] = known;
            break;
        }
}

static void
answer_json(struct jw *w, const struct answered *q, const struct answer *ans)
{
    jw_obj_begin(w);
    passage_json(w, &ans->passage);
    jw_kf64(w, "suspect", ans->suspect);
    jw_key(w, "found_by");
    jw_arr_begin(w);
    for (uint32_t i = 0; i < ans->n_from; i++) {
        const struct answer_from *f = &ans->from[i];
        jw_obj_begin(w);
        jw_ki64(w, "style", f->style);
        jw_kstr(w, "kind", ask_style_name(q->asked[f->style].kind));
        if (f->rank[LIST_BM25] > 0)
            jw_ki64(w, "bm25", f->rank[LIST_BM25]);
        if (f->rank[LIST_DENSE] > 0)
            jw_ki64(w, "dense", f->rank[LIST_DENSE]);
        jw_obj_end(w);
    }
    jw_arr_end(w);
    jw_obj_end(w);
}

static void
answered_json(struct jw *w, const struct answered *q)
{
    jw_obj_begin(w);
    jw_kstr(w, "question", q->ask->text);
    jw_kstr(w, "concept", concept_name(q->ask->concept));
    jw_key(w, "styles");
    jw_arr_begin(w);
    for (uint32_t i = 0; i < q->n_asked; i++) {
        jw_obj_begin(w);
        jw_kstr(w, "kind", ask_style_name(q->asked[i].kind));
        jw_kstr(w, "text", q->asked[i].text);
        jw_kf64(w, "weight", q->asked[i].weight);
        jw_obj_end(w);
    }
    jw_arr_end(w);
    jw_key(w, "answers");
    jw_arr_begin(w);
    for (uint32_t i = 0; i < q->n; i++)
        answer_json(w, q, &q->answer[i]);
    jw_arr_end(w);
    jw_key(w, "techniques");
    jw_arr_begin(w);
    for (uint32_t i = 0; i < q->n_techniques; i++) {
        jw_obj_begin(w);
        jw_kstr(w, "id", q->technique[i]->id);
        jw_kstr(w, "name", q->technique[i]->name);
        jw_kstr(w, "reference", q->technique[i]->ref);
        jw_obj_end(w);
    }
    jw_arr_end(w);
    jw_obj_end(w);
}

/* "found by: said 3, ~1; topic 2" (bm25, ~dense), the best of each kind */
static void
found_say(struct call *call, const struct answered *q, const struct answer *ans)
{
    say(call, "      found by");
    for (uint32_t i = 0; i < ans->n_from; i++) {
        const struct answer_from *f = &ans->from[i];
        say(call, "%s %s", i > 0 ? "," : "",
            ask_style_name(q->asked[f->style].kind));
        if (f->rank[LIST_BM25] > 0)
            say(call, " %u", f->rank[LIST_BM25]);
        if (f->rank[LIST_DENSE] > 0)
            say(call, " ~%u", f->rank[LIST_DENSE]);
    }
    if (ans->suspect >= FLAG_FROM)
        say(call, "; reads as orders to a machine (%.1f)", ans->suspect);
    say(call, "\n");
}

static void
answered_say(
    struct call *call, const struct answered *q, uint32_t answers, bool text)
{
    say(call, "%s\n", q->ask->text);
    for (uint32_t i = 0; i < q->n && i < answers; i++) {
        passage_say(call, &q->answer[i].passage, "  ");
        if (text)
            text_say(call, &q->answer[i].passage, "  ");
        found_say(call, q, &q->answer[i]);
    }
    if (q->n == 0)
        say(call, "  nothing in the corpus answers it\n");
    if (q->n_techniques == 0)
        return;
    say(call, "  techniques:");
    for (uint32_t i = 0; i < q->n_techniques; i++)
        say(call, "%s %s (%s)", i > 0 ? "," : "", q->technique[i]->name,
            q->technique[i]->ref);
    say(call, "\n");
}

static void
all_say(struct call *call, const struct answered *q, uint32_t n, bool words)
{
    uint32_t shown = n < QUESTIONS_SAID ? n : QUESTIONS_SAID;
    for (uint32_t i = 0; i < shown; i++)
        answered_say(call, &q[i], words ? 6 : 2, words);
    if (shown > 0)
        say(call, "(a number is a rank by words, ~ one by vectors; %s)\n",
            n > shown ? "--json shows all questions and answers"
                      : "--json shows all answers");
}

static int
asks_answer(struct call *call, struct corpus *c, const struct ask *ask,
    uint32_t n, struct answered *out, struct err *err)
{
    struct retrieve_opts o = {
        .before = call_opt(call, "before"), .max = ANSWERS_MAX};
    for (uint32_t i = 0; i < n; i++) {
        out[i].ask = &ask[i];
        int rc = retrieve(c, ask[i].style, ask[i].n_styles, &o, call->arena,
            &out[i].answer, &out[i].n, &out[i].asked, &out[i].n_asked, err);
        if (rc != 0)
            return rc;
        techniques_find(&out[i]);
    }
    return 0;
}

static int
asks_make(struct call *call, struct ask *ask, uint32_t *n, struct err *err)
{
    struct project *p = NULL;
    struct baseline_profile profile;
    const char *failure[FAILURES_MAX];
    uint32_t failures = 0;
    const char *root = NULL, *before = call_opt(call, "before");
    int rc = work_root(call, &root, err);
    if (rc == 0 && call->n_args > 0) {
        question_words(call->arena, words_joined(call), before, ask);
        *n = 1;
        return 0;
    }
    if (rc == 0)
        rc = project_find(call->arena, root, NULL, &p, err);
    if (rc == 0)
        rc = research_profile(call, p, &profile, failure, &failures, err);
    if (rc == 0)
        question_project(
            call->arena, &p->spec, &profile, failure, failures, before, ask, n);
    return rc;
}

static int
research_ask_run(struct call *call, struct err *err)
{
    struct corpus *c = NULL;
    struct ask *ask = arena_alloc(call->arena, ASKS_MAX * sizeof *ask);
    struct answered *q = arena_alloc(call->arena, ASKS_MAX * sizeof *q);
    uint32_t n = 0;
    int64_t papers = 0, passages = 0;
    int rc = asks_make(call, ask, &n, err);
    if (rc == 0)
        rc = corpus_of(call, false, &c, err);
    if (rc == 0)
        rc = corpus_count(c, &papers, &passages, err);
    if (rc == 0)
        rc = asks_answer(call, c, ask, n, q, err);
    corpus_close(c);
    if (rc != 0)
        return rc;
    if (call->json) {
        struct jw w;
        jw_init(&w, &call->out, 0);
        jw_obj_begin(&w);
        jw_ki64(&w, "papers", papers);
        jw_key(&w, "questions");
        jw_arr_begin(&w);
        for (uint32_t i = 0; i < n; i++)
            answered_json(&w, &q[i]);
        jw_arr_end(&w);
        jw_obj_end(&w);
        say(call, "\n");
        return 0;
    }
    if (papers > 0)
        all_say(call, q, n, call->n_args > 0);
    else
        say(call, "the corpus is empty: add what you have read\n");
    call_next(call, papers > 0 ? "rea plan" : "rea research add FILE|DIR");
    return 0;
}

static const struct cmd_opt add_opts[] = {
    {"licence", 0, "TEXT", "of papers that say none themselves"},
    {"source", 0, "TEXT", "where papers come from that do not say"}, {0}};

static const struct cmd_opt search_opts[] = {
    {"before", 0, "DATE", "only papers dated earlier (YYYY-MM-DD)"}, {0}};

static const struct cmd_opt ask_opts[] = {
    {"before", 0, "DATE", "only papers dated earlier (YYYY-MM-DD)"},
    {"fit", 0, "HOW", "the present model is under, over or one-epoch fitted"},
    {0}};

const struct cmd cmd_research_add = {.name = "research add",
    .args = "PATH...",
    .min_args = 1,
    .max_args = CMD_ARGS_MAX,
    .flags = CMD_WRITES,
    .help = "add papers to the corpus: files and folders of many formats",
    .more = "Reads PDF, HTML, LaTeX, Markdown, text, BibTeX, Atom and OAI-PMH "
            "XML, JSON and JSON lines (those also packed by gzip). Known "
            "content adds nothing, changed content replaces the old. Files "
            "are parsed by a program of its own under limits and without a "
            "network; bad ones are reported. See docs/papers.md.",
    .opts = add_opts,
    .run = research_add_run};

const struct cmd cmd_research_search = {.name = "research search",
    .args = "WORDS...",
    .min_args = 1,
    .max_args = CMD_ARGS_MAX,
    .help = "the best passages for some words",
    .opts = search_opts,
    .run = research_search_run};

const struct cmd cmd_research_ask = {.name = "research ask",
    .args = "[WORDS...]",
    .max_args = CMD_ARGS_MAX,
    .help = "what the knobs of this project suggest asking, answered",
    .more = "Without words the questions come from the project file: one for "
            "each matter that its knobs speak of, what matters most first. "
            "Every question is asked in several styles; an answer says which "
            "of them found it and on which rank.",
    .opts = ask_opts,
    .run = research_ask_run};
