/* rea research add, search, ask: the paper corpus and the technique library.
 * What papers say is quoted, never followed. */
#include "cmd/verbs.h"

#include <string.h>

#include "base/fs.h"
#include "cmd/work.h"
#include "papers/corpus.h"

enum { PASSAGES_MAX = 6, PASSAGE_TEXT = 150 };

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

static int
research_add_run(struct call *call, struct err *err)
{
    struct corpus *c = NULL;
    struct corpus_added got = {0};
    int rc = corpus_of(call, true, &c, err);
    if (rc != 0)
        return rc;
    rc = corpus_add(c, call->args[0], &got, NULL, NULL, err);
    corpus_close(c);
    if (rc != 0)
        return rc;
    if (call->json)
        say(call,
            "{\"files\": %u, \"papers\": %u, \"known\": %u, \"bad\": %u}\n",
            got.files, got.papers, got.known, got.bad);
    else
        say(call, "%u files: %u papers added, %u known already, %u bad\n",
            got.files, got.papers, got.known, got.bad);
    if (got.bad > 0 && !call->json)
        say(call, "  %s\n", got.first_bad);
    call_next(call, "rea research ask");
    return 0;
}

static void
passage_json(struct jw *w, const struct passage *p)
{
    jw_obj_begin(w);
    jw_kstr(w, "paper", p->paper);
    jw_kstr(w, "title", p->title);
    jw_kstr(w, "date", p->date);
    jw_kf64(w, "score", p->score);
    jw_kstr(w, "text", p->text);
    jw_obj_end(w);
}

static void
passage_say(struct call *call, const struct passage *p, const char *indent)
{
    say(call, "%s%-18s %s %s\n", indent, p->paper, p->date, p->title);
    say(call, "%s  \"", indent);
    for (size_t i = 0; i < PASSAGE_TEXT && p->text[i] != '\0'; i++)
        buf_putc(
            &call->out, (unsigned char)p->text[i] < ' ' ? ' ' : p->text[i]);
    say(call, "%s\"\n", strlen(p->text) > PASSAGE_TEXT ? "..." : "");
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
        for (uint32_t i = 0; i < n; i++)
            passage_json(&w, &p[i]);
        jw_arr_end(&w);
        jw_obj_end(&w);
        say(call, "\n");
        return 0;
    }
    for (uint32_t i = 0; i < n; i++)
        passage_say(call, &p[i], "");
    if (n == 0)
        say(call, "no passage matches\n");
    call_next(call, n > 0 ? "rea research ask" : "rea research add FILE|DIR");
    return 0;
}

static void
question_json(struct jw *w, const struct question *q)
{
    jw_obj_begin(w);
    jw_kstr(w, "question", q->text);
    jw_kstr(w, "query", q->query);
    jw_key(w, "passages");
    jw_arr_begin(w);
    for (uint32_t i = 0; i < q->n_passages; i++)
        passage_json(w, &q->passage[i]);
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

static void
questions_say(struct call *call, const struct question *q, uint32_t n)
{
    uint32_t shown = n < 4 ? n : 4;
    for (uint32_t i = 0; i < shown; i++) {
        say(call, "%s\n", q[i].text);
        for (uint32_t j = 0; j < q[i].n_passages && j < 2; j++)
            passage_say(call, &q[i].passage[j], "  ");
        if (q[i].n_techniques == 0)
            continue;
        say(call, "  techniques:");
        for (uint32_t j = 0; j < q[i].n_techniques; j++)
            say(call, " %s (%s)", q[i].technique[j]->name,
                q[i].technique[j]->ref);
        say(call, "\n");
    }
    if (n > shown)
        say(call, "... and %u more questions (--json shows all)\n", n - shown);
    if (n == 0)
        say(call, "no question to ask: the corpus holds nothing that fits\n");
}

static int
research_ask_run(struct call *call, struct err *err)
{
    struct corpus *c = NULL;
    struct project *p = NULL;
    struct question *q = NULL;
    const char *root = NULL, *words = NULL;
    uint32_t n = 0;
    int rc = work_root(call, &root, err);
    if (rc == 0 && call->n_args > 0)
        words = words_joined(call);
    else if (rc == 0)
        rc = project_find(call->arena, root, NULL, &p, err);
    if (rc == 0)
        rc = corpus_of(call, false, &c, err);
    if (rc != 0)
        return rc;
    rc = corpus_ask(c, p != NULL ? &p->spec : NULL, words,
        call_opt(call, "before"), call->arena, &q, &n, err);
    corpus_close(c);
    if (rc != 0)
        return rc;
    if (call->json) {
        struct jw w;
        jw_init(&w, &call->out, 0);
        jw_obj_begin(&w);
        jw_key(&w, "questions");
        jw_arr_begin(&w);
        for (uint32_t i = 0; i < n; i++)
            question_json(&w, &q[i]);
        jw_arr_end(&w);
        jw_obj_end(&w);
        say(call, "\n");
        return 0;
    }
    questions_say(call, q, n);
    call_next(call, n > 0 ? "rea plan" : "rea research add FILE|DIR");
    return 0;
}

static const struct cmd_opt before_opts[] = {
    {"before", 0, "DATE", "only papers dated earlier (YYYY-MM-DD)"}, {0}};

const struct cmd cmd_research_add = {.name = "research add",
    .args = "FILE|DIR",
    .min_args = 1,
    .max_args = 1,
    .flags = CMD_WRITES,
    .help = "add papers to the corpus: text, Markdown, JSON lines",
    .run = research_add_run};

const struct cmd cmd_research_search = {.name = "research search",
    .args = "WORDS...",
    .min_args = 1,
    .max_args = CMD_ARGS_MAX,
    .help = "the best passages for some words",
    .opts = before_opts,
    .run = research_search_run};

const struct cmd cmd_research_ask = {.name = "research ask",
    .args = "[WORDS...]",
    .max_args = CMD_ARGS_MAX,
    .help = "what the knobs of this project suggest asking, answered",
    .more = "Without words the questions come from the project file: one for "
            "each knob that the literature speaks of. Answers are ranked "
            "passages and the techniques they mention.",
    .opts = before_opts,
    .run = research_ask_run};
