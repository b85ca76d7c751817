/* Conversations on disk: one SQLite file, a row a step, one transaction a
 * step, synced. Called by the loop and by the tools. The only file of this
 * folder that sees SQLite.
 * Invariant: what is in memory and what is on disk differ by at most the
 * transaction that is open. */
#include "agent/talk.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"

enum { LOCK_MS_MAX = 60000 };

struct talk_db {
    sqlite3 *db;
    int lock_fd; /* -1 in a reader */
};

/* A rollback journal: one writer, few rows, and nothing to checkpoint. */
static const char schema[] =
    "PRAGMA journal_mode=TRUNCATE; PRAGMA synchronous=FULL;"
    "CREATE TABLE IF NOT EXISTS talk (id INTEGER PRIMARY KEY, key TEXT UNIQUE,"
    " kind INTEGER, model TEXT, brief TEXT, notes TEXT, state INTEGER,"
    " round INTEGER, wake_ms INTEGER, why TEXT, result TEXT,"
    " tokens_in INTEGER, tokens_out INTEGER, usd REAL, asked INTEGER,"
    " price_known INTEGER) STRICT;"
    "CREATE TABLE IF NOT EXISTS step (talk INTEGER, n INTEGER, round INTEGER,"
    " section INTEGER, role INTEGER, text TEXT, name TEXT, answers TEXT,"
    " calls TEXT, hash TEXT, PRIMARY KEY (talk, n)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS section (talk INTEGER, n INTEGER,"
    " summary TEXT, PRIMARY KEY (talk, n)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS seen (talk INTEGER, n INTEGER, ref TEXT,"
    " kind TEXT, source TEXT, title TEXT, text TEXT,"
    " PRIMARY KEY (talk, n)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS proposal (talk INTEGER, n INTEGER,"
    " state INTEGER, why TEXT, key TEXT, json TEXT,"
    " PRIMARY KEY (talk, n)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY,"
    " origin TEXT UNIQUE, kind TEXT, place TEXT, title TEXT, words TEXT,"
    " body TEXT, date TEXT) STRICT;"
    "PRAGMA user_version=1;";

static int
sql_error(struct talk_db *d, const char *what, struct err *err)
{
    int full = sqlite3_errcode(d->db) == SQLITE_FULL;
    return err_set(err, full ? -ERR_FULL : -ERR_SYS, "agent.db, %s: %s", what,
        sqlite3_errmsg(d->db));
}

static int
sql_exec(struct talk_db *d, const char *sql, struct err *err)
{
    if (sqlite3_exec(d->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return sql_error(d, sql, err);
    return 0;
}

/* Binds by fmt: i int64_t, f double, t text. */
static int
sql_query(struct talk_db *d, sqlite3_stmt **out, struct err *err,
    const char *sql, const char *fmt, ...)
{
    va_list ap;
    if (sqlite3_prepare_v2(d->db, sql, -1, out, NULL) != SQLITE_OK)
        return sql_error(d, sql, err);
    va_start(ap, fmt);
    for (int i = 1; fmt[i - 1] != '\0'; i++) {
        if (fmt[i - 1] == 'i')
            sqlite3_bind_int64(*out, i, va_arg(ap, int64_t));
        else if (fmt[i - 1] == 'f')
            sqlite3_bind_double(*out, i, va_arg(ap, double));
        else
            sqlite3_bind_text(
                *out, i, va_arg(ap, const char *), -1, SQLITE_TRANSIENT);
    }
    va_end(ap);
    return 0;
}

static int
sql_run(struct talk_db *d, sqlite3_stmt *q, const char *what, struct err *err)
{
    int rc = sqlite3_step(q);
    sqlite3_finalize(q);
    return rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : sql_error(d, what, err);
}

static char *
column(struct arena *a, sqlite3_stmt *q, int i)
{
    const char *s = (const char *)sqlite3_column_text(q, i);
    return arena_strdup(a, s != NULL ? s : "");
}

/* One conversation at a time; the next waits a while for its turn. */
static int
lock_take(int fd, struct err *err)
{
    struct timespec nap = {0, 50 * 1000000};
    int64_t until = fs_boot_ms() + LOCK_MS_MAX;
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (fs_boot_ms() > until)
            return err_set(err, -ERR_BUSY,
                "another conversation with a model is going on here");
        nanosleep(&nap, NULL);
    }
    return 0;
}

int
talk_db_open(
    struct talk_db **out, const char *path, bool write, struct err *err)
{
    struct talk_db *d = mem_calloc(1, sizeof *d);
    d->lock_fd = -1;
    int flags = SQLITE_OPEN_READWRITE | (write ? SQLITE_OPEN_CREATE : 0);
    struct buf lock = {0};
    int rc = 0;
    if (write) {
        buf_printf(&lock, "%s.lock", path);
        d->lock_fd = open(buf_str(&lock), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
        if (d->lock_fd < 0)
            rc = err_sys(err, "%s", buf_str(&lock));
        else
            rc = lock_take(d->lock_fd, err);
        buf_fini(&lock);
    } else if (!fs_is_file(path)) {
        rc = err_set(err, -ERR_NOT_FOUND,
            "no conversation with a model was held here yet");
    }
    if (rc == 0 && sqlite3_open_v2(path, &d->db, flags, NULL) != SQLITE_OK)
        rc = err_set(err, -ERR_SYS, "%s: %s", path, sqlite3_errmsg(d->db));
    if (rc == 0) {
        sqlite3_busy_timeout(d->db, 5000);
        if (write)
            rc = sql_exec(d, schema, err);
    }
    if (rc != 0) {
        talk_db_close(d);
        return rc;
    }
    *out = d;
    return 0;
}

void
talk_db_close(struct talk_db *d)
{
    if (d == NULL)
        return;
    sqlite3_close(d->db);
    if (d->lock_fd >= 0)
        close(d->lock_fd);
    free(d);
}

/* ---- reading ---- */

/* Calls as a JSON array of [id, name, arguments]. */
static void
calls_read(struct arena *a, const char *text, struct step *s)
{
    struct json *j = json_parse(text, strlen(text), NULL);
    size_t n = json_len(j);
    struct model_call *call = arena_alloc(a, sizeof *call * (n + 1));
    for (size_t i = 0; i < n && i < TALK_CALLS_MAX; i++) {
        const struct json *c = json_at(j, i);
        const char *f[3];
        for (size_t k = 0; k < 3; k++) {
            f[k] = json_str(json_at(c, k));
            f[k] = arena_strdup(a, f[k] != NULL ? f[k] : "");
        }
        call[s->n_calls++] = (struct model_call){f[0], f[1], f[2]};
    }
    s->call = call;
    json_free(j);
}

static void
step_read(struct talk *t, sqlite3_stmt *q)
{
    struct step *s = &t->step[t->n_steps++];
    s->round = (uint32_t)sqlite3_column_int(q, 0);
    s->section = (uint32_t)sqlite3_column_int(q, 1);
    s->role = (uint32_t)sqlite3_column_int(q, 2);
    s->text = column(t->arena, q, 3);
    s->name = column(t->arena, q, 4);
    s->answers = column(t->arena, q, 5);
    calls_read(t->arena, (const char *)sqlite3_column_text(q, 6), s);
    s->hash = column(t->arena, q, 7);
}

static void
seen_read(struct talk *t, sqlite3_stmt *q)
{
    t->seen[t->n_seen++] = (struct seen){.ref = column(t->arena, q, 0),
        .kind = column(t->arena, q, 1),
        .source = column(t->arena, q, 2),
        .title = column(t->arena, q, 3),
        .text = column(t->arena, q, 4)};
}

static void
proposal_read(struct talk *t, sqlite3_stmt *q)
{
    t->proposal[t->n_proposals++] =
        (struct proposal){.state = (uint32_t)sqlite3_column_int(q, 0),
            .why = column(t->arena, q, 1),
            .key = column(t->arena, q, 2),
            .json = column(t->arena, q, 3)};
}

static void
section_read(struct talk *t, sqlite3_stmt *q)
{
    const char *text = column(t->arena, q, 0);
    t->section[t->n_sections++].summary = text[0] != '\0' ? text : NULL;
}

static int
rows_read(struct talk *t, const char *sql, uint32_t max,
    void (*f)(struct talk *t, sqlite3_stmt *q), struct err *err)
{
    sqlite3_stmt *q = NULL;
    int rc = sql_query(t->db, &q, err, sql, "i", t->id);
    for (uint32_t i = 0; rc == 0 && i < max; i++) {
        int got = sqlite3_step(q);
        if (got == SQLITE_DONE)
            break;
        if (got != SQLITE_ROW)
            rc = sql_error(t->db, sql, err);
        else
            f(t, q);
    }
    sqlite3_finalize(q);
    return rc;
}

static int
parts_read(struct talk *t, struct err *err)
{
    int rc = rows_read(t,
        "SELECT round, section, role, text, name, answers, calls, hash"
        " FROM step WHERE talk = ? ORDER BY n",
        TALK_STEPS_MAX, step_read, err);
    if (rc == 0)
        rc = rows_read(t,
            "SELECT summary FROM section WHERE talk = ? ORDER BY n",
            TALK_SECTIONS_MAX, section_read, err);
    if (rc == 0)
        rc = rows_read(t,
            "SELECT ref, kind, source, title, text FROM seen WHERE talk = ?"
            " ORDER BY n",
            TALK_SEEN_MAX, seen_read, err);
    if (rc == 0)
        rc = rows_read(t,
            "SELECT state, why, key, json FROM proposal WHERE talk = ?"
            " ORDER BY n",
            TALK_PROPOSALS_MAX, proposal_read, err);
    return rc;
}

static void
head_read(struct talk *t, sqlite3_stmt *q)
{
    struct arena *a = t->arena;
    t->id = sqlite3_column_int64(q, 0);
    t->key = column(a, q, 1);
    t->kind = (uint32_t)sqlite3_column_int(q, 2);
    t->model = column(a, q, 3);
    t->brief = column(a, q, 4);
    t->notes = column(a, q, 5);
    t->state = (uint32_t)sqlite3_column_int(q, 6);
    t->round = (uint32_t)sqlite3_column_int(q, 7);
    t->wake_ms = sqlite3_column_int64(q, 8);
    t->why = column(a, q, 9);
    t->result = column(a, q, 10);
    t->tokens_in = sqlite3_column_int64(q, 11);
    t->tokens_out = sqlite3_column_int64(q, 12);
    t->usd = sqlite3_column_double(q, 13);
    t->asked = (uint32_t)sqlite3_column_int(q, 14);
    t->price_known = sqlite3_column_int(q, 15) != 0;
}

#define HEAD                                                                   \
    "SELECT id, key, kind, model, brief, notes, state, round, wake_ms, why,"   \
    " result, tokens_in, tokens_out, usd, asked, price_known FROM talk "

/* Takes the one row of q, which is finalized. */
static int
talk_take(struct talk_db *d, struct arena *a, sqlite3_stmt *q, bool *found,
    struct talk **out, struct err *err)
{
    struct talk *t = arena_alloc(a, sizeof *t);
    int got = sqlite3_step(q);
    t->arena = a;
    t->db = d;
    *found = got == SQLITE_ROW;
    if (*found)
        head_read(t, q);
    sqlite3_finalize(q);
    if (got != SQLITE_ROW && got != SQLITE_DONE)
        return sql_error(d, "reading a conversation", err);
    *out = t;
    return *found ? parts_read(t, err) : 0;
}

int
talk_load(struct talk_db *d, struct arena *a, const char *key, uint32_t kind,
    const char *model, const char *brief, const char *notes, struct talk **out,
    struct err *err)
{
    sqlite3_stmt *q = NULL;
    bool found = false;
    int rc = sql_query(d, &q, err, HEAD "WHERE key = ?", "t", key);
    if (rc == 0)
        rc = talk_take(d, a, q, &found, out, err);
    if (rc != 0 || found)
        return rc;
    rc = sql_query(d, &q, err,
        "INSERT INTO talk (key, kind, model, brief, notes, state, round,"
        " wake_ms, why, result, tokens_in, tokens_out, usd, asked,"
        " price_known) VALUES (?, ?, ?, ?, ?, 0, 0, 0, '', '', 0, 0, 0, 0, 1)",
        "titt"
        "t",
        key, (int64_t)kind, model, brief, notes);
    if (rc == 0)
        rc = sql_run(d, q, "a new conversation", err);
    if (rc == 0)
        rc = sql_query(d, &q, err, HEAD "WHERE key = ?", "t", key);
    return rc != 0 ? rc : talk_take(d, a, q, &found, out, err);
}

int
talk_find(struct talk_db *d, struct arena *a, int64_t id, struct talk **out,
    struct err *err)
{
    sqlite3_stmt *q = NULL;
    bool found = false;
    int rc = id != 0
                 ? sql_query(d, &q, err, HEAD "WHERE id = ?", "i", id)
                 : sql_query(d, &q, err, HEAD "ORDER BY id DESC LIMIT 1", "");
    if (rc == 0)
        rc = talk_take(d, a, q, &found, out, err);
    if (rc == 0 && !found)
        rc = err_set(
            err, -ERR_NOT_FOUND, "no conversation number %lld", (long long)id);
    return rc;
}

bool
talk_known(struct talk_db *d, const char *key)
{
    sqlite3_stmt *q = NULL;
    struct err ignored = {0};
    if (sql_query(
            d, &q, &ignored, "SELECT 1 FROM talk WHERE key = ?", "t", key) != 0)
        return false;
    bool known = sqlite3_step(q) == SQLITE_ROW;
    sqlite3_finalize(q);
    return known;
}

int64_t
talk_waiting(struct talk_db *d, int64_t *wake_ms)
{
    sqlite3_stmt *q = NULL;
    struct err ignored = {0};
    int64_t id = 0;
    if (sql_query(d, &q, &ignored,
            "SELECT id, wake_ms FROM talk WHERE state = ? ORDER BY wake_ms"
            " LIMIT 1",
            "i", (int64_t)TALK_LATER) != 0)
        return 0;
    if (sqlite3_step(q) == SQLITE_ROW) {
        id = sqlite3_column_int64(q, 0);
        *wake_ms = sqlite3_column_int64(q, 1);
    }
    sqlite3_finalize(q);
    return id;
}

/* ---- writing ---- */

int
talk_begin(struct talk *t, struct err *err)
{
    return t->db == NULL ? 0 : sql_exec(t->db, "BEGIN IMMEDIATE", err);
}

int
talk_commit(struct talk *t, struct err *err)
{
    return t->db == NULL ? 0 : sql_exec(t->db, "COMMIT", err);
}

static const char *
kept(struct talk *t, const char *s)
{
    return arena_strdup(t->arena, s != NULL ? s : "");
}

static const char *
calls_text(struct talk *t, const struct step *s)
{
    struct buf b = {0};
    struct jw w;
    jw_init(&w, &b, 0);
    jw_arr_begin(&w);
    for (uint32_t i = 0; i < s->n_calls; i++) {
        jw_arr_begin(&w);
        jw_str(&w, s->call[i].id);
        jw_str(&w, s->call[i].name);
        jw_str(&w, s->call[i].args);
        jw_arr_end(&w);
    }
    jw_arr_end(&w);
    const char *text = arena_strdup(t->arena, buf_str(&b));
    buf_fini(&b);
    return text;
}

int
talk_step_add(struct talk *t, const struct step *s, struct err *err)
{
    sqlite3_stmt *q = NULL;
    if (t->n_steps == TALK_STEPS_MAX)
        return err_set(err, -ERR_LIMIT, "a conversation has at most %d steps",
            TALK_STEPS_MAX);
    struct step *at = &t->step[t->n_steps];
    *at = *s;
    at->text = kept(t, s->text);
    at->name = kept(t, s->name);
    at->answers = kept(t, s->answers);
    at->hash = kept(t, s->hash);
    const char *calls = calls_text(t, s);
    at->n_calls = 0;
    calls_read(t->arena, calls, at);
    t->n_steps++;
    if (t->db == NULL)
        return 0;
    int rc = sql_query(t->db, &q, err,
        "INSERT INTO step VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", "iiiiittttt",
        t->id, (int64_t)(t->n_steps - 1), (int64_t)at->round,
        (int64_t)at->section, (int64_t)at->role, at->text, at->name,
        at->answers, calls, at->hash);
    return rc != 0 ? rc : sql_run(t->db, q, "a step", err);
}

int
talk_section_set(
    struct talk *t, uint32_t i, const char *summary, struct err *err)
{
    sqlite3_stmt *q = NULL;
    if (i >= TALK_SECTIONS_MAX)
        return err_set(
            err, -ERR_LIMIT, "at most %d sections", TALK_SECTIONS_MAX);
    t->section[i].summary = summary != NULL ? kept(t, summary) : NULL;
    if (i >= t->n_sections)
        t->n_sections = i + 1;
    if (t->db == NULL)
        return 0;
    int rc = sql_query(t->db, &q, err,
        "INSERT OR REPLACE INTO section VALUES (?, ?, ?)", "iit", t->id,
        (int64_t)i, summary != NULL ? summary : "");
    return rc != 0 ? rc : sql_run(t->db, q, "a section", err);
}

int
talk_seen_add(struct talk *t, const struct seen *s, struct err *err)
{
    sqlite3_stmt *q = NULL;
    if (talk_seen(t, s->ref) != NULL)
        return 0;
    if (t->n_seen == TALK_SEEN_MAX)
        return err_set(err, -ERR_LIMIT, "at most %d rows", TALK_SEEN_MAX);
    struct seen *at = &t->seen[t->n_seen++];
    *at = (struct seen){.ref = kept(t, s->ref),
        .kind = kept(t, s->kind),
        .source = kept(t, s->source),
        .title = kept(t, s->title),
        .text = kept(t, s->text)};
    if (t->db == NULL)
        return 0;
    int rc = sql_query(t->db, &q, err,
        "INSERT INTO seen VALUES (?, ?, ?, ?, ?, ?, ?)", "iittttt", t->id,
        (int64_t)(t->n_seen - 1), at->ref, at->kind, at->source, at->title,
        at->text);
    return rc != 0 ? rc : sql_run(t->db, q, "a row that was shown", err);
}

int
talk_proposal_put(
    struct talk *t, uint32_t i, const struct proposal *p, struct err *err)
{
    sqlite3_stmt *q = NULL;
    if (i >= TALK_PROPOSALS_MAX)
        return err_set(
            err, -ERR_LIMIT, "at most %d proposals", TALK_PROPOSALS_MAX);
    struct proposal *at = &t->proposal[i];
    *at = (struct proposal){.state = p->state,
        .why = kept(t, p->why),
        .key = kept(t, p->key),
        .json = kept(t, p->json)};
    if (i >= t->n_proposals)
        t->n_proposals = i + 1;
    if (t->db == NULL)
        return 0;
    int rc = sql_query(t->db, &q, err,
        "INSERT OR REPLACE INTO proposal VALUES (?, ?, ?, ?, ?, ?)", "iiittt",
        t->id, (int64_t)i, (int64_t)at->state, at->why, at->key, at->json);
    return rc != 0 ? rc : sql_run(t->db, q, "a proposal", err);
}

int
talk_keep(struct talk *t, struct err *err)
{
    sqlite3_stmt *q = NULL;
    if (t->db == NULL)
        return 0;
    int rc = sql_query(t->db, &q, err,
        "UPDATE talk SET state = ?, round = ?, wake_ms = ?, why = ?,"
        " result = ?, tokens_in = ?, tokens_out = ?, usd = ?, asked = ?,"
        " price_known = ? WHERE id = ?",
        "iiittiifiii", (int64_t)t->state, (int64_t)t->round, t->wake_ms, t->why,
        t->result, t->tokens_in, t->tokens_out, t->usd, (int64_t)t->asked,
        (int64_t)t->price_known, t->id);
    return rc != 0 ? rc : sql_run(t->db, q, "a conversation", err);
}

const struct seen *
talk_seen(const struct talk *t, const char *ref)
{
    for (uint32_t i = 0; i < t->n_seen; i++)
        if (strcmp(t->seen[i].ref, ref) == 0)
            return &t->seen[i];
    return NULL;
}

uint32_t
talk_kept(const struct talk *t)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < t->n_proposals; i++)
        n += t->proposal[i].state == PROPOSAL_KEPT;
    return n;
}

/* ---- notes ---- */

int
note_put(struct talk_db *d, const struct note *n, bool *added, struct err *err)
{
    sqlite3_stmt *q = NULL;
    int rc = sql_query(d, &q, err,
        "INSERT OR IGNORE INTO note (origin, kind, place, title, words, body,"
        " date) VALUES (?, ?, ?, ?, ?, ?, ?)",
        "ttttttt", n->origin, n->kind, n->place, n->title, n->words, n->body,
        n->date);
    if (rc == 0)
        rc = sql_run(d, q, "a note", err);
    if (rc == 0 && added != NULL)
        *added = sqlite3_changes(d->db) > 0;
    return rc;
}

int
note_list(struct talk_db *d, struct arena *a, uint32_t max, struct note **out,
    uint32_t *n, struct err *err)
{
    sqlite3_stmt *q = NULL;
    *out = arena_alloc(a, sizeof(**out) * (max + 1));
    *n = 0;
    int rc = sql_query(d, &q, err,
        "SELECT id, origin, kind, place, title, words, body, date FROM note"
        " ORDER BY id DESC LIMIT ?",
        "i", (int64_t)max);
    while (rc == 0 && *n < max && sqlite3_step(q) == SQLITE_ROW)
        (*out)[(*n)++] = (struct note){.id = sqlite3_column_int64(q, 0),
            .origin = column(a, q, 1),
            .kind = column(a, q, 2),
            .place = column(a, q, 3),
            .title = column(a, q, 4),
            .words = column(a, q, 5),
            .body = column(a, q, 6),
            .date = column(a, q, 7)};
    sqlite3_finalize(q);
    return rc;
}
