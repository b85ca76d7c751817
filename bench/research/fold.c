/* Held-out boards. Called by the bench for each. Invariant: nothing of the
 * board's family but names, years, links and the shape of its table reaches a
 * prediction. */
#include "fold.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/dist.h"

/* Rows that "as good as the mean" is worth in the shrunk mean of z. */
static const double Z_WORTH = 1;
/* Where no row is left to learn from. */
static const double UNIT_AUC = 20e-4;

const char *
rule_name(uint32_t rule)
{
    static const char *const name[] = {"model", "empirical_bayes",
        "climatology", "history_mean_z", "newest_first", "random"};
    return rule < RULE_COUNT ? name[rule] : "?";
}

/* ---- the model ---- */

/* What a table tells of its data before any of its results: is there an AUC by
 * group of users, and what kinds of methods were thought worth a try. */
static void
traits_fill(const struct boards *b, const struct match *match,
    const struct board *board, double trait[OUTCOME_TRAITS])
{
    double n = 0;
    for (uint32_t i = 0; i < board->n; i++) {
        const struct match *m = &match[b->row[board->first + i].method];
        for (uint32_t k = 0; k < OUTCOME_KINDS && m->kind_known; k++) {
            trait[k] += m->kind[k];
            n += m->kind[k];
        }
    }
    for (uint32_t k = 0; k < OUTCOME_KINDS && n > 0; k++)
        trait[k] /= n;
    trait[OUTCOME_KINDS] = board->grouped;
}

static void
key_fill(const struct boards *b, const struct match *match,
    const struct board_row *r, struct outcome_key *key)
{
    const struct method *m = &b->method[r->method];
    memset(key, 0, sizeof *key);
    key->technique = m->name;
    memcpy(key->kind, match[r->method].kind, sizeof key->kind);
    key->year = m->year;
    for (uint32_t i = 0; i < b->n_methods && m->url[0] != '\0'; i++)
        key->role |= i != r->method && strcmp(b->method[i].url, m->url) == 0;
    key->place = r->board;
    key->group = b->board[r->board].family;
    traits_fill(b, match, &b->board[r->board], key->trait);
}

static void
model_run(const struct boards *b, const struct match *match, struct fold *f)
{
    const struct board *board = f->board;
    struct outcome *row = mem_calloc(f->n_history + 1, sizeof *row);
    struct outcome_key *key = mem_calloc(board->n, sizeof *key);
    struct outcome_answer *answer = mem_calloc(board->n, sizeof *answer);
    for (uint32_t i = 0; i < f->n_history; i++) {
        key_fill(b, match, f->history[i], &row[i].of);
        row[i].effect = effect_clipped(f->history[i]->effect);
    }
    for (uint32_t i = 0; i < board->n; i++)
        key_fill(b, match, &b->row[board->first + i], &key[i]);
    struct outcomes *o = outcomes_fit(row, f->n_history, UNIT_AUC);
    outcomes_ask(o, key, board->n, board->reference, EFFECT_LIMIT, answer);
    for (uint32_t i = 0; i < board->n; i++) {
        struct fold_row *x = &f->row[i];
        x->mean[RULE_MODEL] = answer[i].mean;
        x->sd[RULE_MODEL] = answer[i].sd;
        x->p_gain[RULE_MODEL] = answer[i].p_gain;
        x->p_best = answer[i].p_best;
        x->known = answer[i].known;
        /* the chance to be the best decides, the mean among the hopeless */
        x->score[RULE_MODEL] = answer[i].p_best + 1e-3 * answer[i].mean;
    }
    for (uint32_t k = 0; k < OUTCOME_PARTS; k++)
        f->part[k] = outcome_part_sd(o, k);
    f->widen = outcomes_widening(o);
    f->stretch = outcomes_stretch(o);
    outcomes_free(o);
    free(row);
    free(key);
    free(answer);
}

/* ---- the rules it is measured against ---- */

struct tally {
    double n, sum, squares; /* of effects; the reference has none */
    double seen, z;
};

/* Rows up to the cut of other families than f's; the reference's too. */
static bool
row_counts(const struct boards *b, const struct fold *f, uint32_t i, int until)
{
    const struct board *of = &b->board[b->row[i].board];
    return of->family != f->board->family && b->row[i].year <= until;
}

static bool
row_is_reference(const struct boards *b, uint32_t i)
{
    const struct board *of = &b->board[b->row[i].board];
    return i == of->first + (uint32_t)of->reference;
}

/* Sums of the effects of each method, and of its z on each board. */
static void
tallies_fill(
    const struct boards *b, const struct fold *f, int until, struct tally *t)
{
    struct tally *of_board = mem_calloc(b->n, sizeof *of_board);
    for (uint32_t i = 0; i < b->n_rows; i++) {
        struct tally *x = &of_board[b->row[i].board];
        double e = b->row[i].effect;
        if (!row_counts(b, f, i, until))
            continue;
        x->n++;
        x->sum += e;
        x->squares += e * e;
    }
    for (uint32_t i = 0; i < b->n_rows; i++) {
        const struct board_row *r = &b->row[i];
        const struct tally *x = &of_board[r->board];
        if (!row_counts(b, f, i, until))
            continue;
        double mean = x->sum / x->n, e = effect_clipped(r->effect);
        double sd = sqrt(fmax(1e-12, x->squares / x->n - mean * mean));
        t[r->method].z += (r->effect - mean) / sd;
        t[r->method].seen++;
        if (row_is_reference(b, i))
            continue;
        t[r->method].n++;
        t[r->method].sum += e;
        t[r->method].squares += e * e;
    }
    free(of_board);
}

/* Mean, variance within methods and between them, by moments (Searle et al.
 * 1992, ch. 3.6: one way, unequal numbers). */
struct moments {
    double mean, within, between, sd;
};

static struct moments
moments_of(const struct tally *t, uint32_t n_methods)
{
    struct moments m = {0, 0, 0, 0};
    double n = 0, sum = 0, squares = 0, groups = 0, inside = 0, nn = 0;
    for (uint32_t i = 0; i < n_methods; i++) {
        if (t[i].n == 0)
            continue;
        n += t[i].n;
        groups++;
        nn += t[i].n * t[i].n;
        sum += t[i].sum;
        squares += t[i].squares;
        inside += t[i].squares - t[i].sum * t[i].sum / t[i].n;
    }
    if (n < 3 || groups < 2 || n <= groups)
        return (struct moments){0, 1e-8, UNIT_AUC * UNIT_AUC, UNIT_AUC};
    m.mean = sum / n;
    double all = squares - n * m.mean * m.mean;
    m.sd = sqrt(all / (n - 1));
    m.within = fmax(1e-12, inside / (n - groups));
    double size = (n - nn / n) / (groups - 1);
    m.between = fmax(1e-12, ((all - inside) / (groups - 1) - m.within) / size);
    return m;
}

static void
plain_fill(const struct boards *b, const struct tally *t,
    const struct moments *m, const struct board_row *r, struct fold_row *x)
{
    const struct tally *own = &t[r->method];
    double v = own->n * m->between + m->within;
    double shrink = own->n * m->between / v;
    double mean = own->n > 0 ? own->sum / own->n : 0;
    x->mean[RULE_BAYES] = m->mean + shrink * (mean - m->mean) * (own->n > 0);
    x->sd[RULE_BAYES] = sqrt(m->between * m->within / v + m->within);
    x->mean[RULE_CLIMATE] = m->mean;
    x->sd[RULE_CLIMATE] = m->sd;
    for (uint32_t k = RULE_BAYES; k <= RULE_CLIMATE; k++) {
        x->p_gain[k] = normal_cdf(x->mean[k] / x->sd[k]);
        x->score[k] = x->mean[k];
    }
    x->score[RULE_HISTORY] = own->z / (own->seen + Z_WORTH);
    x->score[RULE_NEWEST] = b->method[r->method].year;
    x->score[RULE_RANDOM] = 0; /* all tie: counted by expectation */
}

void
fold_run(struct arena *a, const struct boards *b, const struct match *match,
    uint32_t board, int until, struct fold *out)
{
    const struct board_row **history =
        arena_alloc(a, (b->n_rows + 1) * sizeof *history);
    memset(out, 0, sizeof *out);
    out->board = &b->board[board];
    for (uint32_t i = 0; i < b->n_rows; i++)
        if (row_counts(b, out, i, until) && !row_is_reference(b, i))
            history[out->n_history++] = &b->row[i];
    out->history = history;
    out->row = arena_alloc(a, out->board->n * sizeof *out->row);
    model_run(b, match, out);
    struct tally *t = mem_calloc(b->n_methods + 1, sizeof *t);
    tallies_fill(b, out, until, t);
    struct moments m = moments_of(t, b->n_methods);
    for (uint32_t i = 0; i < out->board->n; i++)
        plain_fill(b, t, &m, &b->row[out->board->first + i], &out->row[i]);
    /* what the reference gives is no guess */
    struct fold_row *ref = &out->row[out->board->reference];
    for (uint32_t k = RULE_BAYES; k <= RULE_CLIMATE; k++)
        ref->mean[k] = ref->sd[k] = ref->p_gain[k] = ref->score[k] = 0;
    free(t);
}
