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

/* ---- placeholder.c ---- */

enum placeholder {
    HOLDS_KNOBS = 1,
    HOLDS_KNOB = 2, /* {knob.NAME} */
    HOLDS_SEED = 4,
    HOLDS_DIR = 8,
    HOLDS_METRICS = 16,
    HOLDS_PREDICTIONS = 32,
    HOLDS_CHECKPOINT = 64,
    HOLDS_RESUME = 128,
    HOLDS_VAR = 256,
};

/* One {placeholder} or piece of plain text of a template. */
struct piece {
    uint32_t bit;   /* 0: plain text */
    uint32_t index; /* of the knob or variable */
    const char *s;
    size_t n;
};

/* Takes the next piece at *pos. 1: taken, 0: the text is over, -1: out is an
 * unknown or open placeholder. "{{" and "}}" are braces; in shell text "${"
 * is the shell's own. */
int piece_next(const struct project *p, const char *text, bool shell,
    size_t *pos, struct piece *out);
/* Bits of all placeholders of a template (NULL: none), and the knobs that it
 * names. */
uint32_t template_holds(
    const struct project *p, const char *text, bool shell, uint64_t *knobs);

#endif
