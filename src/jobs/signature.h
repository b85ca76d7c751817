/* What broken jobs print, and what it means: a table of signatures
 * (runbook.def) matched against the end of a job's output. The text is
 * untrusted; matching is bounded in time, and nothing of it is run. */
#ifndef JOBS_SIGNATURE_H
#define JOBS_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum {
    SIGNATURE_LINE_LEN = 240,
    SIGNATURE_TEXT_MAX = 64 * 1024, /* of a longer text the end counts */
    SIGNATURE_USER_MAX = 256,       /* rules of one user file */
};

/* How much a rule says. A benign line never explains a failure; a secondary
 * one (a peer died, a watchdog gave up) only where nothing better is found;
 * among the rest the more specific wins, then the one printed first. */
enum signature_rank {
    RANK_BENIGN,
    RANK_SECONDARY,
    RANK_GENERIC,
    RANK_PLAIN,
    RANK_SPECIFIC,
    RANK_DECISIVE, /* names the culprit where others name the symptom */
    RANK_USER,     /* the engineer's own rules know best */
};

struct signature_rule {
    const char *id; /* "cuda-oom" */
    char class;     /* A..H, U: docs/runbook.md */
    enum signature_rank rank;
    const char *pattern; /* PCRE2 */
    const char *remedy;  /* one sentence for the engineer */
    const char *source;  /* which program prints it */
};

struct signature_hit {
    const struct signature_rule *rule; /* NULL: no rule matched */
    char line[SIGNATURE_LINE_LEN];     /* the line, printable, maybe cut */
    size_t line_no;                    /* from 1, within the text given */
};

/* The built-in rules, in the order of runbook.def. */
const struct signature_rule *signature_rules(size_t *n);
const char *signature_class_text(char class); /* "retry the same job" */
const char *signature_rank_name(enum signature_rank rank); /* "specific" */

/* The best rule for this text among the built-in ones; hit->rule is NULL when
 * none matches (that is success too). A benign rule is no answer. */
int signature_match(const char *text, size_t len, struct signature_hit *hit);

/* ---- with the engineer's own rules ([runbook] file) ---- */

struct signature_book;
/* user_file: TOML, one table [rule.ID] with class, pattern, remedy; NULL: the
 * built-in rules only. -ERR_INPUT names file, rule and reason. */
int signature_book_new(
    const char *user_file, struct signature_book **out, struct err *err);
void signature_book_free(struct signature_book *b); /* NULL is fine */
int signature_book_match(const struct signature_book *b, const char *text,
    size_t len, struct signature_hit *hit);
/* Every rule that matches, best first, benign ones too; *n at most max. For
 * `rea runbook test`. */
int signature_book_all(const struct signature_book *b, const char *text,
    size_t len, struct signature_hit *hits, size_t max, size_t *n);
/* All rules of the book: number, and rule i. */
size_t signature_book_len(const struct signature_book *b);
const struct signature_rule *
signature_book_rule(const struct signature_book *b, size_t i);

#endif
