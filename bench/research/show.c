/* Prints what the bench found. Called once. */
#include "show.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "math/score.h"

enum { EVIDENCE_ROWS = 3, RECENT = 2 };
/* The reference is 0 by definition; scores divide by its sd. */
static const double EXACT_SD = 1e-9;

/* ---- what carries over ---- */

/* A technique that works on a user's behaviour needs the data for it: the
 * library says so, no name does. */
static bool
reads_sequences(const struct match *m)
{
    return m->technique != NULL && (m->technique->needs & NEED_SEQUENCE) != 0;
}

static int
newest_year(const struct show *s)
{
    int year = 0;
    for (uint32_t i = 0; i < s->boards.n_methods; i++)
        if (s->boards.method[i].year > year)
            year = s->boards.method[i].year;
    return year;
}

bool
transfer_of(const struct show *s, uint32_t board, struct transfer *out)
{
    const struct fold *f = &s->fold[board];
    int newest = newest_year(s);
    int from = s->until < newest ? s->until + 1 : newest - RECENT;
    double best_mean = 0, best_effect = 0, top = 0; /* the reference's */
    memset(out, 0, sizeof *out);
    for (uint32_t i = 0; i < f->board->n; i++) {
        const struct board_row *r = &s->boards.row[f->board->first + i];
        double e = effect_clipped(r->effect), m = f->row[i].mean[RULE_MODEL];
        bool fresh = r->year >= from && !reads_sequences(&s->match[r->method]);
        if (fresh) {
            out->n_new++;
            out->predicted += m;
            out->happened += e;
            out->p_new_best += f->row[i].p_best;
        } else {
            best_mean = fmax(best_mean, m);
            best_effect = fmax(best_effect, e);
        }
        if (e > top) {
            top = e;
            out->new_is_best = fresh;
        }
    }
    if (out->n_new == 0)
        return false;
    out->predicted = out->predicted / out->n_new - best_mean;
    out->happened = out->happened / out->n_new - best_effect;
    return true;
}

/* ---- one prediction ---- */

static const char *
source_of(const struct fold_row *x, const struct match *m)
{
    if (x->known > 0)
        return m->paper != NULL ? "history and research" : "history";
    if (m->paper != NULL || m->technique != NULL)
        return "research";
    return "base rate";
}

static void
history_evidence(
    struct jw *w, const struct show *s, const struct fold *f, uint32_t method)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < f->n_history && n < EVIDENCE_ROWS; i++) {
        const struct board_row *r = f->history[i];
        if (r->method != method)
            continue;
        n++;
        jw_obj_begin(w);
        jw_kstr(w, "kind", "result");
        jw_kstr(w, "ref", s->boards.board[r->board].name);
        jw_kf64(w, "effect", r->effect);
        jw_obj_end(w);
    }
}

static void
evidence(
    struct jw *w, const struct show *s, const struct fold *f, uint32_t method)
{
    const struct match *m = &s->match[method];
    jw_key(w, "evidence");
    jw_arr_begin(w);
    history_evidence(w, s, f, method);
    if (m->paper != NULL) {
        jw_obj_begin(w);
        jw_kstr(w, "kind", "paper");
        jw_kstr(w, "ref", m->paper->id);
        jw_kstr(w, "title", m->paper->title);
        jw_kstr(w, "found_by", match_how_name(m->how));
        jw_obj_end(w);
    }
    if (m->technique != NULL) {
        jw_obj_begin(w);
        jw_kstr(w, "kind", "technique");
        jw_kstr(w, "ref", m->technique->id);
        jw_kstr(w, "family", m->technique->family);
        jw_kstr(w, "known", m->brought ? "brought by the paper" : "yes");
        jw_obj_end(w);
    }
    jw_arr_end(w);
}

/* Place by score, of equal ones the first in the table first. */
static uint32_t
rank_of(const struct fold *f, uint32_t i)
{
    uint32_t rank = 1;
    double x = f->row[i].score[RULE_MODEL];
    for (uint32_t j = 0; j < f->board->n; j++) {
        double y = f->row[j].score[RULE_MODEL];
        rank += y > x || (y == x && j < i);
    }
    return rank;
}

static void
prediction(struct jw *w, const struct show *s, const struct fold *f, uint32_t i)
{
    const struct board_row *r = &s->boards.row[f->board->first + i];
    const struct fold_row *x = &f->row[i];
    bool reference = (int)i == f->board->reference;
    jw_obj_begin(w);
    jw_kstr(w, "dataset", f->board->name);
    jw_kstr(w, "model", r->model);
    jw_ki64(w, "rank", rank_of(f, i));
    jw_kf64(w, "mean", x->mean[RULE_MODEL]);
    jw_kf64(w, "sd", reference ? EXACT_SD : x->sd[RULE_MODEL]);
    jw_kf64(w, "p_gain", x->p_gain[RULE_MODEL]);
    jw_kf64(w, "p_best", x->p_best);
    jw_kstr(w, "source",
        reference ? "reference" : source_of(x, &s->match[r->method]));
    jw_ki64(w, "year", r->year);
    jw_kbool(w, "after_cut", r->year > s->until);
    evidence(w, s, f, r->method);
    jw_obj_end(w);
}

static void
predictions(struct jw *w, const struct show *s)
{
    jw_key(w, "predictions");
    jw_arr_begin(w);
    for (uint32_t b = 0; b < s->boards.n; b++) {
        const struct fold *f = &s->fold[b];
        for (uint32_t rank = 1; rank <= f->board->n; rank++)
            for (uint32_t i = 0; i < f->board->n; i++)
                if (rank_of(f, i) == rank)
                    prediction(w, s, f, i);
    }
    jw_arr_end(w);
}

/* ---- the summary ---- */

static void
marks_all(const struct show *s, uint32_t rule, enum rows_of which,
    struct marks *of_board, struct marks *sum)
{
    memset(sum, 0, sizeof *sum);
    for (uint32_t b = 0; b < s->boards.n; b++) {
        marks_of(&s->boards, &s->fold[b], rule, s->until, which, &of_board[b]);
        marks_add(sum, &of_board[b]);
    }
}

static void
marks_show(struct jw *w, const char *name, const struct marks *m,
    uint32_t first, uint32_t end)
{
    jw_key(w, name);
    jw_obj_begin(w);
    for (uint32_t k = first; k < end; k++)
        if (m->n[k] > 0)
            jw_kf64(w, measure_name(k), marks_mean(m, k));
    if (m->n[MEASURE_CRPS] > 0)
        jw_ki64(w, "rows", (int64_t)m->n[MEASURE_CRPS]);
    jw_obj_end(w);
}

static void
spread_show(struct jw *w, const char *name, struct spread x)
{
    jw_key(w, name);
    jw_obj_begin(w);
    jw_kf64(w, "value", x.value);
    jw_kf64(w, "lo90", x.lo);
    jw_kf64(w, "hi90", x.hi);
    jw_obj_end(w);
}

static void
rules(struct jw *w, const struct show *s, struct marks *mark)
{
    uint32_t n = s->boards.n;
    struct marks sum;
    jw_key(w, "rules");
    jw_obj_begin(w);
    for (uint32_t r = 0; r < RULE_COUNT; r++) {
        marks_all(s, r, ROWS_ALL, mark + r * n, &sum);
        marks_show(w, rule_name(r), &sum, 0, MEASURE_COUNT);
    }
    jw_obj_end(w);
    jw_key(w, "against_baselines");
    jw_obj_begin(w);
    spread_show(w, "hit5_less_history",
        marks_compare(
            &s->boards, mark, mark + RULE_HISTORY * n, MEASURE_HIT5, false));
    spread_show(w, "crps_over_empirical_bayes",
        marks_compare(
            &s->boards, mark, mark + RULE_BAYES * n, MEASURE_CRPS, true));
    spread_show(w, "brier_over_empirical_bayes",
        marks_compare(
            &s->boards, mark, mark + RULE_BAYES * n, MEASURE_BRIER, true));
    jw_obj_end(w);
}

/* The same for rows that no history can know, and for those it can. */
static void
rules_by_cut(struct jw *w, const struct show *s, struct marks *mark)
{
    static const char *const name[] = {"", "after_cut", "up_to_cut"};
    struct marks sum;
    for (uint32_t which = ROWS_LATER; which <= ROWS_EARLIER; which++) {
        jw_key(w, name[which]);
        jw_obj_begin(w);
        for (uint32_t r = 0; r < RULES_PREDICTING; r++) {
            marks_all(s, r, which, mark, &sum);
            marks_show(w, rule_name(r), &sum, MEASURE_CRPS, MEASURE_COUNT);
        }
        jw_obj_end(w);
    }
}

static void
reliability_show(struct jw *w, const struct show *s)
{
    struct reliability r = {0};
    for (uint32_t b = 0; b < s->boards.n; b++)
        for (uint32_t i = 0; i < s->fold[b].board->n; i++) {
            const struct fold_row *x = &s->fold[b].row[i];
            const struct board *of = s->fold[b].board;
            if ((int)i != of->reference)
                reliability_add(&r, x->mean[RULE_MODEL], x->sd[RULE_MODEL],
                    x->p_gain[RULE_MODEL],
                    effect_clipped(s->boards.row[of->first + i].effect), 0);
        }
    jw_key(w, "reliability");
    jw_arr_begin(w);
    for (int k = 0; k < RELIABILITY_BINS; k++) {
        if (r.n[k] == 0)
            continue;
        jw_obj_begin(w);
        jw_ki64(w, "n", (int64_t)r.n[k]);
        jw_kf64(w, "predicted", r.predicted[k] / r.n[k]);
        jw_kf64(w, "happened", r.happened[k] / r.n[k]);
        jw_obj_end(w);
    }
    jw_arr_end(w);
}

static void
boards_show(struct jw *w, const struct show *s, const struct marks *mark)
{
    jw_key(w, "boards");
    jw_arr_begin(w);
    for (uint32_t b = 0; b < s->boards.n; b++) {
        struct transfer t;
        jw_obj_begin(w);
        jw_kstr(w, "dataset", s->boards.board[b].name);
        jw_ki64(w, "history_rows", s->fold[b].n_history);
        for (uint32_t k = 0; k < MEASURE_COUNT; k++)
            jw_kf64(w, measure_name(k), marks_mean(&mark[b], k));
        jw_kf64(w, "widening", s->fold[b].widen);
        jw_kf64(w, "stretch", s->fold[b].stretch);
        if (transfer_of(s, b, &t)) {
            jw_key(w, "new_interaction_methods");
            jw_obj_begin(w);
            jw_ki64(w, "n", t.n_new);
            jw_kf64(w, "predicted_less_best_older", t.predicted);
            jw_kf64(w, "happened_less_best_older", t.happened);
            jw_kf64(w, "p_best", t.p_new_best);
            jw_kbool(w, "best", t.new_is_best);
            jw_obj_end(w);
        }
        jw_key(w, "part_sd");
        jw_obj_begin(w);
        for (uint32_t k = 0; k < OUTCOME_PARTS; k++)
            jw_kf64(w, outcome_part_name(k), s->fold[b].part[k]);
        jw_obj_end(w);
        jw_obj_end(w);
    }
    jw_arr_end(w);
}

static void
summary(struct jw *w, const struct show *s)
{
    struct marks *mark =
        mem_calloc((size_t)RULE_COUNT * s->boards.n, sizeof *mark);
    struct marks *spare = mem_calloc(s->boards.n, sizeof *spare);
    jw_key(w, "summary");
    jw_obj_begin(w);
    jw_ki64(w, "until", s->until);
    jw_ki64(w, "n_boards", s->boards.n);
    jw_ki64(w, "n_families", s->boards.n_families);
    jw_ki64(w, "n_rows", s->boards.n_rows);
    jw_ki64(w, "skipped", s->boards.n_skipped);
    jw_ki64(w, "papers", s->papers != NULL ? s->papers->n : 0);
    jw_kstr(w, "reference", REFERENCE);
    rules(w, s, mark);
    rules_by_cut(w, s, spare);
    reliability_show(w, s);
    boards_show(w, s, mark);
    jw_obj_end(w);
    free(mark);
    free(spare);
}

void
show_json(const struct show *s)
{
    struct buf b = {0};
    struct jw w;
    jw_init(&w, &b, 1);
    jw_obj_begin(&w);
    predictions(&w, s);
    summary(&w, s);
    jw_obj_end(&w);
    puts(buf_str(&b));
    buf_fini(&b);
}

/* ---- for people ---- */

static void
boards_text(const struct show *s, const struct marks *mark)
{
    printf("\n%-20s %4s %4s %6s %6s  %s\n", "held out", "rows", "hit5", "crps",
        "cov80", "new interaction methods less the best older, 1e-4 AUC");
    for (uint32_t b = 0; b < s->boards.n; b++) {
        struct transfer t;
        printf("%-20s %4u %4.2f %6.2f %6.2f  ", s->boards.board[b].name,
            s->boards.board[b].n, marks_mean(&mark[b], MEASURE_HIT5),
            marks_mean(&mark[b], MEASURE_CRPS),
            marks_mean(&mark[b], MEASURE_COVER80));
        if (transfer_of(s, b, &t))
            printf("predicted %+.1f, was %+.1f, P(best) %.2f%s",
                1e4 * t.predicted, 1e4 * t.happened, t.p_new_best,
                t.new_is_best ? ", best" : "");
        putchar('\n');
    }
}

void
show_text(const struct show *s)
{
    uint32_t n = s->boards.n;
    struct marks *mark = mem_calloc((size_t)RULE_COUNT * n, sizeof *mark), sum;
    printf("%u boards of %u families, %u rows, history up to %d, %u papers\n\n",
        n, s->boards.n_families, s->boards.n_rows, s->until,
        s->papers != NULL ? s->papers->n : 0);
    printf("%-16s", "");
    for (uint32_t k = 0; k < MEASURE_COUNT; k++)
        printf(" %10s", measure_name(k));
    putchar('\n');
    for (uint32_t r = 0; r < RULE_COUNT; r++) {
        marks_all(s, r, ROWS_ALL, mark + r * n, &sum);
        printf("%-16s", rule_name(r));
        for (uint32_t k = 0; k < MEASURE_COUNT; k++)
            if (sum.n[k] > 0)
                printf(" %10.3f", marks_mean(&sum, k));
        putchar('\n');
    }
    boards_text(s, mark);
    free(mark);
}
