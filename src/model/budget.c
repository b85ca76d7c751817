/* The money of one scope: reserved at its worst before a try is sent, settled
 * when the provider's answer is known (part.h). Called by send.c. Invariant:
 * what is spent and reserved together never exceeds the budget; a try that a
 * crash cut off stays reserved, since nobody knows what it cost. */
#include "model/ledger.h"

#include "base/fs.h"

#include <math.h>

static const char sums[] =
    "SELECT"
    " coalesce(sum(CASE WHEN state IN (2, 5) THEN tokens_in + tokens_out END), "
    "0),"
    " coalesce(sum(CASE WHEN state IN (1, 4) THEN worst_tokens END), 0),"
    " coalesce(sum(CASE WHEN state IN (2, 5) THEN cost_p END), 0),"
    " coalesce(sum(CASE WHEN state IN (1, 4) THEN worst_p END), 0),"
    " count(*), coalesce(sum(state = 2), 0) FROM attempt WHERE scope = ?1";

struct sum {
    int64_t tokens, reserved_tokens, cost_p, reserved_p, attempts, replies;
};

static int
sum_read(struct ledger *l, const char *scope, struct sum *out, struct err *err)
{
    sqlite3_stmt *q = NULL;
    int rc = ledger_query(l, &q, err, sums, "t", scope);
    if (rc == 0)
        rc = ledger_row(l, q, err);
    if (rc != 1)
        return rc;
    *out = (struct sum){sqlite3_column_int64(q, 0), sqlite3_column_int64(q, 1),
        sqlite3_column_int64(q, 2), sqlite3_column_int64(q, 3),
        sqlite3_column_int64(q, 4), sqlite3_column_int64(q, 5)};
    sqlite3_finalize(q);
    return 0;
}

static int
budget_fits(struct ledger *l, const struct project_model *c, const char *scope,
    const struct attempt *t, bool *fits, struct err *err)
{
    struct sum s = {0};
    int rc = sum_read(l, scope, &s, err);
    *fits = rc == 0 &&
            s.tokens + s.reserved_tokens + t->worst_tokens <= c->budget_tokens;
    if (c->budget_usd > 0)
        *fits =
            *fits && (double)(s.cost_p + s.reserved_p) + (double)t->worst_p <=
                         floor(c->budget_usd * 1e12);
    return rc;
}

int
attempt_begin(struct ledger *l, const struct project_model *c,
    const char *scope, struct attempt *t, bool *fits, struct err *err)
{
    int rc = ledger_begin(l, err);
    if (rc != 0)
        return rc;
    rc = budget_fits(l, c, scope, t, fits, err);
    if (rc == 0 && *fits) {
        rc = ledger_run(l, err,
            "INSERT INTO attempt (ask, turn, scope, purpose, provider, model,"
            " n, state, sent_ms, worst_tokens, worst_p) VALUES (?1, ?2, ?3, ?4,"
            " ?5, ?6, ?7, 1, ?8, ?9, ?10)",
            "itttttiiii", t->ask, t->turn, scope, t->purpose,
            provider_name(c->provider), c->model, (int64_t)t->n, fs_now_ms(),
            t->worst_tokens, t->worst_p);
        t->id = sqlite3_last_insert_rowid(l->sql);
    }
    return ledger_end(l, rc, err);
}

int
attempt_end(struct ledger *l, const struct attempt *t, const char *json,
    struct err *err)
{
    int rc = ledger_begin(l, err);
    if (rc != 0)
        return rc;
    rc = ledger_run(l, err,
        "UPDATE attempt SET state = ?2, tokens_in = ?3, tokens_out = ?4,"
        " tokens_cached = ?5, tokens_reasoning = ?6, cost_p = ?7,"
        " latency_ms = ?8, http = ?9, request_id = ?10, fingerprint = ?11,"
        " what = ?12 WHERE id = ?1",
        "iiiiiiiiittt", t->id, (int64_t)t->state, t->in, t->out, t->cached,
        t->reasoning, t->cost_p, t->latency_ms, (int64_t)t->http, t->request_id,
        t->fingerprint, t->what);
    if (rc == 0 && json != NULL)
        rc = ledger_run(l, err,
            "INSERT OR REPLACE INTO turn (hash, turn, made_ms)"
            " VALUES (?1, ?2, ?3)",
            "tti", t->turn, json, fs_now_ms());
    return ledger_end(l, rc, err);
}

int
attempts_failed(struct ledger *l, int64_t ask, const char *turn, uint32_t *out,
    struct err *err)
{
    sqlite3_stmt *q = NULL;
    int rc = ledger_query(l, &q, err,
        "SELECT count(*) FROM attempt WHERE ask = ?1 AND turn = ?2 AND"
        " state IN (3, 4, 5)",
        "it", ask, turn);
    if (rc == 0)
        rc = ledger_row(l, q, err);
    if (rc != 1)
        return rc;
    *out = (uint32_t)sqlite3_column_int(q, 0);
    sqlite3_finalize(q);
    return 0;
}

int
usage_of(struct ledger *l, int64_t ask, struct usage_sum *out, struct err *err)
{
    sqlite3_stmt *q = NULL;
    int rc = ledger_query(l, &q, err,
        "SELECT coalesce(sum(tokens_in), 0), coalesce(sum(tokens_out), 0),"
        " coalesce(sum(tokens_cached), 0), coalesce(sum(tokens_reasoning), 0),"
        " coalesce(sum(CASE WHEN state IN (2, 5) THEN cost_p WHEN state IN (1, "
        "4)"
        " THEN worst_p END), 0) FROM attempt WHERE ask = ?1",
        "i", ask);
    if (rc == 0)
        rc = ledger_row(l, q, err);
    if (rc != 1)
        return rc;
    *out = (struct usage_sum){sqlite3_column_int64(q, 0),
        sqlite3_column_int64(q, 1), sqlite3_column_int64(q, 2),
        sqlite3_column_int64(q, 3), sqlite3_column_int64(q, 4)};
    sqlite3_finalize(q);
    return 0;
}

int
ledger_spent(struct ledger *l, const char *scope, struct model_spent *out,
    struct err *err)
{
    struct sum s = {0};
    int rc = sum_read(l, scope, &s, err);
    *out = (struct model_spent){.tokens = s.tokens,
        .reserved_tokens = s.reserved_tokens,
        .usd = (double)s.cost_p * 1e-12,
        .reserved_usd = (double)s.reserved_p * 1e-12,
        .attempts = s.attempts,
        .replies = s.replies};
    return rc;
}
