/* What would have been proposed, and was it right? Published leaderboards of
 * ranking methods: one family of data sets is left out, the others' rows up to
 * a year are history, later methods are known from papers alone. Each method
 * of the held-out boards is predicted and ranked. Called by people and by the
 * figures of docs/research.md. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "research/fold.h"
#include "research/show.h"
#include "research/tally.h"

static const char usage[] =
    "usage: bench-research --leaderboards DIR [--corpus P.jsonl[.gz]]\n"
    "  [--until YEAR] [--json]\n"
    "DIR: CSV files with Year, Model, Paper URL, AUC; a family of data sets "
    "is\n"
    "the part of the file's name before the first _. --until: last year that\n"
    "is history (default 2100: all). Without --corpus no paper is known.\n";

struct options {
    const char *corpus, *boards;
    int until;
    bool json;
};

static bool
until_read(const char *text, int *out)
{
    char *end;
    long y = strtol(text, &end, 10);
    if (end == text || *end != '\0' || y < 1900 || y > 9999) {
        fprintf(stderr, "--until %s: a year is meant, as 2021\n", text);
        return false;
    }
    *out = (int)y;
    return true;
}

static bool
options_read(struct options *o, int argc, char **argv)
{
    *o = (struct options){.until = 2100};
    for (int i = 1; i < argc; i++) {
        const char *v = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--json") == 0) {
            o->json = true;
            continue;
        }
        if (v != NULL && strcmp(argv[i], "--corpus") == 0) {
            o->corpus = v;
        } else if (v != NULL && strcmp(argv[i], "--leaderboards") == 0) {
            o->boards = v;
        } else if (v != NULL && strcmp(argv[i], "--until") == 0) {
            if (!until_read(v, &o->until))
                return false;
        } else {
            fprintf(stderr, "%s: not understood\n%s", argv[i], usage);
            return false;
        }
        i++;
    }
    if (o->boards == NULL)
        fputs(usage, stderr);
    return o->boards != NULL;
}

static int
bench_run(struct arena *a, const struct options *o, struct err *err)
{
    struct show s = {.until = o->until};
    struct papers papers = {0};
    int rc = boards_read(a, o->boards, &s.boards, err);
    if (rc == 0 && o->corpus != NULL)
        rc = papers_open(a, o->corpus, &papers, err);
    s.papers = o->corpus != NULL ? &papers : NULL;
    s.match = arena_alloc(a, (s.boards.n_methods + 1) * sizeof *s.match);
    s.fold = arena_alloc(a, (s.boards.n + 1) * sizeof *s.fold);
    if (rc == 0)
        rc = methods_match(a, &s.boards, s.papers, o->until, s.match, err);
    if (rc == 0) {
        for (uint32_t i = 0; i < s.boards.n; i++)
            fold_run(a, &s.boards, s.match, i, o->until, &s.fold[i]);
        if (o->json)
            show_json(&s);
        else
            show_text(&s);
    }
    papers_close(&papers);
    free(s.boards.board);
    free(s.boards.row);
    free(s.boards.method);
    return rc;
}

int
main(int argc, char **argv)
{
    struct options o;
    struct arena a = {0};
    struct err err = {0};
    if (!options_read(&o, argc, argv))
        return 2;
    int rc = bench_run(&a, &o, &err);
    if (rc != 0)
        fprintf(stderr, "bench-research: %s\n", err.text);
    arena_fini(&a);
    return rc == 0 ? 0 : 2;
}
