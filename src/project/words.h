/* Inside the project layer: lists of words and how knobs are spelled. */
#ifndef PROJECT_WORDS_H
#define PROJECT_WORDS_H

#include "base/json.h"
#include "project/project.h"

struct words {
    struct arena *a;
    const char **list; /* NULL-terminated once words_end() was called */
    size_t n, cap;
};

void words_add(struct words *w, const char *word); /* borrowed */
void words_end(struct words *w);

/* The style that writes knob k. */
uint32_t knob_style(const struct project *p, uint32_t k);
/* Words of one knob on the command line, by its style (env, json: none). */
void
knob_words(const struct project *p, uint32_t k, double code, struct words *out);
/* The seed's words, likewise. */
void seed_words(const struct project *p, int32_t seed, struct words *out);
/* "NAME=value" of a knob in env style, in the arena. */
const char *
knob_env(struct arena *a, const struct project *p, uint32_t k, double code);
const char *seed_env(struct arena *a, const struct project *p, int32_t seed);
/* One member of the knobs file. */
void knob_json(const struct project *p, uint32_t k, double code, struct jw *w);
/* The value as text: 0.01, true, deepfm, a,b. */
void
knob_text(const struct project *p, uint32_t k, double code, struct buf *out);

#endif
