/* Tokens of one scripted conversation: whole, folded by rule, folded by a
 * model. The script looks things up 20 times and proposes 4 changes; papers
 * are made of a fixed list of words, about 1.2 KB an abstract. Tokens are
 * bytes / 4 of the requests. Prints one JSON object.
 *   build/bench-agent */
#include "unit/agent_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/rng.h"

enum { LOOKS = 20, PAPERS = 200, WORDS = 160 };

static const char *const words[] = {"embedding", "feature", "interaction",
    "click", "prediction", "dropout", "learning", "rate", "network", "layer",
    "sparse", "field", "gate", "attention", "sequence", "user", "item",
    "ranking", "loss", "negative", "sampling", "batch", "regularisation",
    "cross", "deep", "wide", "calibration", "the", "of", "and", "in", "with"};

static void
papers_add(struct agent_world *w)
{
    struct buf b = {0};
    struct rng r;
    struct err err = {0};
    struct corpus_added got = {0};
    rng_seed(&r, 7);
    for (int i = 0; i < PAPERS; i++) {
        buf_printf(&b,
            "{\"id\": \"p%d\", \"title\": \"Paper %d\", \"date\": "
            "\"2023-01-01\", \"abstract\": \"",
            i, i);
        for (int k = 0; k < WORDS; k++)
            buf_printf(&b, "%s%s", k > 0 ? " " : "",
                words[rng_below(&r, sizeof words / sizeof *words)]);
        buf_puts(&b, ".\"}\n");
    }
    const char *path = fs_join_in(&w->arena, w->dir, "more.jsonl");
    corpus_close(w->corpus);
    if (fs_write_atomic(path, buf_str(&b), b.len, false, &err) != 0 ||
        corpus_open(&w->corpus, fs_join_in(&w->arena, w->dir, "papers.db"),
            true, &err) != 0 ||
        corpus_add(w->corpus, path, &got, NULL, NULL, &err) != 0) {
        fprintf(stderr, "bench-agent: %s\n", err.text);
        exit(1);
    }
    buf_fini(&b);
}

static const char *
query_in(struct arena *a, int i)
{
    size_t n = sizeof words / sizeof *words;
    return arena_printf(a, "{\"query\":\"%s %s\"}", words[(size_t)i % n],
        words[(size_t)(i * 7 + 3) % n]);
}

static struct script_turn *
script_in(struct arena *a)
{
    static const char *const values[] = {"0.05", "0.06", "0.07", "0.08"};
    struct script_turn *s = arena_alloc(a, sizeof *s * (3 * LOOKS));
    int n = 0;
    for (int i = 0; i < LOOKS; i++, n++) {
        s[n] = (struct script_turn){.purpose = "hypotheses",
            .call = {{"search_papers", query_in(a, i)},
                {"search_insights", query_in(a, i + 5)}}};
        if (i % 5 == 4)
            s[n].call[2] = (struct script_call){"propose_hypothesis",
                arena_printf(a,
                    "{\"statement\":\"raise lr\",\"rationale\":\"the papers "
                    "say so\",\"changes\":[{\"knob\":\"lr\",\"value\":\"%s\"}],"
                    "\"evidence\":[]}",
                    values[i / 5])};
    }
    s[n++] =
        (struct script_turn){.purpose = "reflection", .text = "{\"drop\":[]}"};
    for (int i = 0; i < LOOKS; i++)
        s[n++] = (struct script_turn){.purpose = "memory",
            .text = "{\"goals\":[\"a better learning rate\"],\"open\":[\"is a "
                    "larger rate stable?\"],\"facts\":[\"papers on the rate "
                    "disagree\",\"nothing on dropout was found\"]}"};
    return s;
}

static void
run(const char *dir, const char *name, uint32_t context, bool by_rule,
    struct jw *out)
{
    struct agent_world w;
    struct arena a = {0};
    world_open(&w, fs_join_in(&a, dir, name));
    papers_add(&w);
    w.agent.limits = agent_limits_default;
    w.agent.limits.tokens = 0;
    w.agent.limits.context_tokens = context;
    w.agent.limits.fold_by_rule = by_rule;
    world_run(&w, "k", TALK_HYPOTHESES, script_in(&a));
    const struct talk *t = w.agent.talk;
    uint32_t folded = 0;
    for (uint32_t i = 0; i < t->n_sections; i++)
        folded += t->section[i].summary != NULL;
    jw_key(out, name);
    jw_obj_begin(out);
    jw_ki64(out, "requests", world_served(&w));
    jw_ki64(out, "tokens_sent", w.sent_bytes / 4);
    jw_ki64(out, "largest_request", w.largest_bytes / 4);
    jw_ki64(out, "sections_folded", folded);
    jw_ki64(out, "proposals", talk_kept(t));
    jw_obj_end(out);
    world_close(&w);
    arena_fini(&a);
}

int
main(void)
{
    char dir[] = "/tmp/bench-agent.XXXXXX";
    struct buf b = {0};
    struct jw w;
    struct err ignored = {0};
    if (mkdtemp(dir) == NULL)
        return 1;
    jw_init(&w, &b, 1);
    jw_obj_begin(&w);
    run(dir, "whole", UINT32_MAX, true, &w);
    run(dir, "folded_by_rule", 12000, true, &w);
    run(dir, "folded_by_model", 12000, false, &w);
    jw_obj_end(&w);
    puts(buf_str(&b));
    buf_fini(&b);
    fs_remove_tree(dir, &ignored);
    return 0;
}
