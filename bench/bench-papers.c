/* The paper corpus on real abstracts: how fast they are taken in, how fast
 * questions are answered, and how often papers that should be found are among
 * the first answers to phrasings that were written before (bench/papers).
 *
 *   build/bench-papers --corpus FILE [--phrasings TSV] [--gold TSV] [--json]
 *     [--since DATE] [--known DATE] [--each]
 *
 * --since: the figure is for papers dated then or later (2022 when not given;
 * the whole file is reported beside it). --known: no technique entry dated
 * then or later helps to ask (2022). --each: every rank. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/fs.h"
#include "base/json.h"
#include "papers/corpus.h"
#include "papers/dense.h"
#include "papers/question.h"

enum { LINES_MAX = 512, SETS_MAX = 8, TOP = 25, RANKS = 50 };

struct line {
    const char *set, *kind, *text;
};

struct bench {
    const char *corpus, *phrasings, *gold, *since, *known, *method;
    bool json, each;
    struct arena a;
    uint32_t n_phrasings, n_gold;
    struct line phrasing[LINES_MAX], paper[LINES_MAX];
};

/* Of one set under one way to search. */
struct score {
    const char *set;
    uint32_t phrasings, pairs;
    uint32_t found;    /* pairs within the first TOP */
    uint32_t complete; /* phrasings with every paper there */
    double reciprocal; /* sum of 1 / rank */
};

static void
fail(const char *what, const char *why)
{
    fprintf(stderr, "bench-papers: %s: %s\n", what, why);
    exit(2);
}

static uint32_t
lines_read(struct bench *b, const char *path, struct line *out, bool kinds)
{
    struct buf text = {0};
    struct err err = {0};
    uint32_t n = 0;
    if (fs_read(path, 1 << 20, &text, &err) != 0)
        fail(path, err.text);
    char *at = arena_strdup(&b->a, buf_str(&text));
    for (char *line; (line = strsep(&at, "\n")) != NULL && n < LINES_MAX;) {
        if (line[0] == '#' || line[0] == '\0')
            continue;
        out[n].set = strsep(&line, "\t");
        out[n].kind = kinds ? strsep(&line, "\t") : "";
        out[n].text = line;
        if (line == NULL)
            fail(path, "a line with too few fields");
        n++;
    }
    buf_fini(&text);
    return n;
}

struct way {
    const char *name;
    const char *since;
    bool no_dense, no_feedback, said_only;
};

static uint32_t
rank_of(const struct answer *ans, uint32_t n, const char *paper)
{
    for (uint32_t i = 0; i < n; i++)
        if (strcmp(ans[i].passage.paper, paper) == 0)
            return i + 1;
    return 0;
}

static void
phrasing_score(const struct bench *b, const struct line *p,
    const struct answer *ans, uint32_t n, struct score *s)
{
    uint32_t papers = 0, found = 0;
    for (uint32_t i = 0; i < b->n_gold; i++) {
        if (strcmp(b->paper[i].set, p->set) != 0)
            continue;
        uint32_t rank = rank_of(ans, n, b->paper[i].text);
        papers++;
        found += rank > 0 && rank <= TOP;
        s->reciprocal += rank > 0 ? 1.0 / rank : 0;
        if (b->each)
            printf(" %u", rank);
    }
    if (b->each)
        printf("\t%s\n", p->text);
    s->phrasings++;
    s->pairs += papers;
    s->found += found;
    s->complete += found == papers;
}

static struct score *
score_of(struct score *s, uint32_t *n, const char *set)
{
    for (uint32_t i = 0; i < *n; i++)
        if (strcmp(s[i].set, set) == 0)
            return &s[i];
    if (*n == SETS_MAX)
        fail(set, "too many sets");
    s[*n] = (struct score){.set = set};
    return &s[(*n)++];
}

/* Processor seconds of this process and of the readers that have ended. */
static double
cpu_s(void)
{
    double sum = 0;
    for (int i = 0; i < 2; i++) {
        struct rusage u;
        getrusage(i == 0 ? RUSAGE_SELF : RUSAGE_CHILDREN, &u);
        sum += (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
               (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
    }
    return sum;
}

static uint32_t
way_run(struct bench *b, struct corpus *c, const struct way *w,
    struct score out[SETS_MAX], double *ms, double *cpu_ms)
{
    uint32_t n_scores = 0;
    int64_t begin = fs_mono_us();
    double cpu = cpu_s();
    for (uint32_t i = 0; i < b->n_phrasings; i++) {
        struct arena a = {0};
        struct ask q;
        struct answer *ans;
        uint32_t n;
        struct err err = {0};
        struct retrieve_opts o = {.since = w->since,
            .max = RANKS,
            .no_dense = w->no_dense,
            .no_feedback = w->no_feedback};
        question_words(&a, b->phrasing[i].text, b->known, &q);
        if (w->said_only && q.n_styles > 1)
            q.n_styles = 1;
        if (retrieve(c, q.style, q.n_styles, &o, &a, &ans, &n, NULL, NULL,
                &err) != 0)
            fail(b->phrasing[i].text, err.text);
        phrasing_score(b, &b->phrasing[i], ans, n,
            score_of(out, &n_scores, b->phrasing[i].set));
        arena_fini(&a);
    }
    *ms = (double)(fs_mono_us() - begin) / 1e3 / (b->n_phrasings + 1e-9);
    *cpu_ms = (cpu_s() - cpu) * 1e3 / (b->n_phrasings + 1e-9);
    return n_scores;
}

static void
score_write(struct jw *w, const struct score *s)
{
    jw_obj_begin(w);
    jw_kstr(w, "set", s->set);
    jw_ki64(w, "phrasings", s->phrasings);
    jw_kf64(w, "found_in_25", (double)s->found / s->pairs);
    jw_kf64(w, "all_in_25", (double)s->complete / s->phrasings);
    jw_kf64(w, "mean_reciprocal_rank", s->reciprocal / s->pairs);
    jw_obj_end(w);
}

static void
ways_run(struct bench *b, struct corpus *c, struct jw *w)
{
    struct way ways[] = {{"all", b->since, false, false, false},
        {"all, whole file", NULL, false, false, false},
        {"without feedback", b->since, false, true, false},
        {"without dense", b->since, true, false, false},
        {"words alone", b->since, false, true, true},
        {"words alone, BM25", b->since, true, true, true}};
    jw_key(w, "ways");
    jw_arr_begin(w);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct score s[SETS_MAX];
        double ms, cpu_ms;
        if (b->method != NULL && strcmp(b->method, ways[i].name) != 0)
            continue;
        uint32_t n = way_run(b, c, &ways[i], s, &ms, &cpu_ms);
        jw_obj_begin(w);
        jw_kstr(w, "way", ways[i].name);
        jw_kstr(w, "since", ways[i].since != NULL ? ways[i].since : "");
        jw_kf64(w, "query_ms", ms);
        jw_kf64(w, "query_cpu_ms", cpu_ms);
        jw_key(w, "sets");
        jw_arr_begin(w);
        for (uint32_t k = 0; k < n; k++)
            score_write(w, &s[k]);
        jw_arr_end(w);
        jw_obj_end(w);
        if (b->json)
            continue;
        printf("%-20s %5.1f ms (cpu %.1f)", ways[i].name, ms, cpu_ms);
        for (uint32_t k = 0; k < n; k++)
            printf("  %s %.2f %.2f", s[k].set, (double)s[k].found / s[k].pairs,
                (double)s[k].complete / s[k].phrasings);
        printf("\n");
    }
    jw_arr_end(w);
}

static struct corpus *
corpus_fill(struct bench *b, const char *dir, struct jw *w)
{
    struct corpus *c;
    struct corpus_added got;
    struct corpus_add_opts o = {.no_vectors = true};
    struct err err = {0};
    bool trained;
    uint32_t vectors;
    int64_t begin = fs_mono_us();
    double cpu = cpu_s(), cpu_in, cpu_training;
    if (corpus_open(&c, fs_join_in(&b->a, dir, "papers.db"), true, &err) != 0 ||
        corpus_add_paths(c, &b->corpus, 1, &o, &got, &err) != 0)
        fail(b->corpus, err.text);
    double in = (double)(fs_mono_us() - begin) / 1e6;
    begin = fs_mono_us();
    cpu_in = cpu_s() - cpu;
    if (dense_update(c, false, &vectors, &trained, &err) != 0)
        fail("vectors", err.text);
    double training = (double)(fs_mono_us() - begin) / 1e6;
    double all = got.papers / (in + training);
    cpu_training = cpu_s() - cpu - cpu_in;
    jw_ki64(w, "papers", got.papers);
    jw_ki64(w, "bad", got.bad);
    jw_kf64(w, "abstracts_per_s", got.papers / in);
    jw_kf64(w, "abstracts_per_s_with_training", all);
    jw_kf64(w, "training_s", training);
    jw_kf64(w, "cpu_s", cpu_in);
    jw_kf64(w, "training_cpu_s", cpu_training);
    if (!b->json)
        printf("%u papers, %u bad: %.0f/s, %.0f/s with training (%.2f s); "
               "processor time %.2f s + %.2f s\n",
            got.papers, got.bad, got.papers / in, all, training, cpu_in,
            cpu_training);
    return c;
}

static void
args_read(struct bench *b, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        static const char *const name[] = {
            "--corpus", "--phrasings", "--gold", "--since", "--known", "--way"};
        const char **to[] = {&b->corpus, &b->phrasings, &b->gold, &b->since,
            &b->known, &b->method};
        size_t k = 0;
        while (k < 6 && strcmp(argv[i], name[k]) != 0)
            k++;
        if (k < 6 && i + 1 < argc)
            *to[k] = argv[++i];
        else if (strcmp(argv[i], "--json") == 0)
            b->json = true;
        else if (strcmp(argv[i], "--each") == 0)
            b->each = true;
        else
            fail(argv[i], "unknown argument");
    }
    if (b->corpus == NULL)
        fail("usage", "--corpus FILE [--phrasings TSV] [--gold TSV] "
                      "[--since DATE] [--known DATE] [--way NAME] [--json] "
                      "[--each]");
}

int
main(int argc, char **argv)
{
    static struct bench b = {.phrasings = "bench/papers/phrasings.tsv",
        .gold = "bench/papers/gold.tsv",
        .since = "2022",
        .known = "2022"};
    char dir[] = "/tmp/bench-papers-XXXXXX";
    struct buf out = {0};
    struct jw w;
    struct err err = {0};
    args_read(&b, argc, argv);
    b.n_phrasings = lines_read(&b, b.phrasings, b.phrasing, true);
    b.n_gold = lines_read(&b, b.gold, b.paper, false);
    if (mkdtemp(dir) == NULL)
        fail(dir, strerror(errno));
    jw_init(&w, &out, 2);
    jw_obj_begin(&w);
    struct corpus *c = corpus_fill(&b, dir, &w);
    ways_run(&b, c, &w);
    jw_obj_end(&w);
    corpus_close(c);
    if (b.json)
        printf("%s\n", buf_str(&out));
    fs_remove_tree(dir, &err);
    buf_fini(&out);
    arena_fini(&b.a);
    return 0;
}
