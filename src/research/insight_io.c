/* Insights in and out as JSON lines, and the public set that is shipped.
 * Called by the verbs and by insight_open. Invariant: one bad line costs that
 * line only, and importing what is there already changes nothing. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "research/insight_db.h"

enum {
    IMPORT_BYTES_MAX = 64 * 1024 * 1024,
    LINE_BYTES_MAX = INSIGHT_EVENT_BYTES_MAX,
};

static void
line_bad(struct insight_import *out, const struct err *err)
{
    out->bad++;
    if (out->first_bad[0] == '\0')
        snprintf(out->first_bad, sizeof out->first_bad, "line %u: %.380s",
            out->lines, err->text);
}

static int
object_import(struct insights *db, const struct json *j,
    const struct json *defaults, struct insight_kept *out, struct err *err)
{
    struct arena a = {0};
    struct insight row;
    int rc = insight_read(&row, j, defaults, &a, err);
    if (rc == 0)
        rc = insight_keep_told(db, &row, NULL, out, err);
    arena_fini(&a);
    return rc;
}

/* One line: a row, or an event. A first object {"defaults": {...}} is what
 * later rows leave out; it replaces *defaults, which the caller frees. */
static int
line_import(struct insights *db, const char *line, size_t len,
    struct json **defaults, struct insight_import *out, struct err *err)
{
    struct err bad = {0};
    struct json *j = NULL;
    if (len > LINE_BYTES_MAX)
        err_set(
            &bad, -ERR_LIMIT, "%zu bytes, more than %d", len, LINE_BYTES_MAX);
    else
        j = json_parse(line, len, &bad);
    if (j != NULL && json_kind(json_get(j, "defaults")) == J_OBJ) {
        json_free(*defaults);
        *defaults = j;
        return 0;
    }
    struct insight_kept kept = {0};
    int rc = j != NULL ? 0 : -ERR_INPUT;
    if (rc == 0 && json_get(j, "event") != NULL)
        rc = insight_append_text(db, line, len, &kept.added, &bad);
    else if (rc == 0)
        rc = object_import(db, j, json_get(*defaults, "defaults"), &kept, &bad);
    json_free(j);
    if (rc == 0) {
        out->added += kept.added;
        out->known += !kept.added;
        out->unsigned_rows += kept.unsigned_claim;
    } else if (rc == -ERR_INPUT || rc == -ERR_LIMIT) {
        line_bad(out, &bad);
    } else { /* the database's own trouble ends the import */
        return err_set(err, rc, "%s", bad.text);
    }
    return 0;
}

/* An event is known by its bytes: the end of a line is none of them. */
static size_t
line_trim(const char *s, size_t n)
{
    while (n > 0 && (s[n - 1] == '\r' || s[n - 1] == ' '))
        n--;
    return n;
}

int
insight_import_text(struct insights *db, const char *text, size_t len,
    struct insight_import *out, struct err *err)
{
    struct insight_import none;
    if (out == NULL)
        out = &none;
    memset(out, 0, sizeof *out);
    struct json *defaults = NULL;
    int rc = insights_begin(db, err);
    if (rc != 0)
        return rc;
    for (size_t at = 0; at < len && rc == 0;) {
        const char *end = memchr(text + at, '\n', len - at);
        size_t n = end != NULL ? (size_t)(end - text) - at : len - at;
        out->lines++;
        if (strspn(text + at, " \t\r") < n)
            rc = line_import(
                db, text + at, line_trim(text + at, n), &defaults, out, err);
        at += n + 1;
    }
    json_free(defaults);
    return insights_end(db, rc, err);
}

int
insight_import(struct insights *db, const char *path,
    struct insight_import *out, struct err *err)
{
    struct buf b = {0};
    int rc = fs_read(path, IMPORT_BYTES_MAX, &b, err);
    if (rc == 0)
        rc = insight_import_text(db, buf_str(&b), b.len, out, err);
    buf_fini(&b);
    return rc == 0 ? 0 : err_wrap(err, rc, "import insights from %s", path);
}

int
insight_export(
    struct insights *db, bool own_only, struct buf *out, struct err *err)
{
    struct buf sql = {0};
    sqlite3_stmt *st = NULL;
    insight_columns(&sql);
    if (own_only)
        buf_puts(&sql, "WHERE i.campaign <> '" INSIGHT_PUBLIC "' ");
    buf_puts(&sql, "ORDER BY i.origin");
    int rc = insights_prepare(db, buf_str(&sql), &st, err), more = rc;
    while (rc == 0 && (more = insights_step(db, st, err)) > 0) {
        struct arena a = {0};
        struct insight row;
        struct jw w;
        insight_column(&row, st, &a);
        jw_init(&w, out, 0);
        jw_obj_begin(&w);
        insight_write(&w, &row);
        jw_obj_end(&w);
        buf_putc(out, '\n');
        arena_fini(&a);
    }
    sqlite3_finalize(st);
    buf_fini(&sql);
    return more;
}

int
insight_export_events(struct insights *db, struct buf *out, struct err *err)
{
    sqlite3_stmt *st = NULL;
    int rc =
        insights_prepare(db, "SELECT text FROM event ORDER BY hash", &st, err);
    int more = rc;
    while (rc == 0 && (more = insights_step(db, st, err)) > 0) {
        buf_add(out, sqlite3_column_text(st, 0),
            (size_t)sqlite3_column_bytes(st, 0));
        buf_putc(out, '\n');
    }
    sqlite3_finalize(st);
    return more;
}

/* ---- merge ---- */

static int
merge_events(struct insights *db, struct insights *other,
    struct insight_merged *out, struct err *err)
{
    sqlite3_stmt *st = NULL;
    int rc = insights_prepare(
        other, "SELECT text FROM event ORDER BY seq", &st, err);
    int more = rc;
    while (rc == 0 && (more = insights_step(other, st, err)) > 0) {
        bool added = false;
        struct err bad = {0};
        rc = insight_append_text(db, (const char *)sqlite3_column_text(st, 0),
            (size_t)sqlite3_column_bytes(st, 0), &added, &bad);
        out->events++;
        out->added += added;
        if (rc == -ERR_INPUT || rc == -ERR_LIMIT) {
            if (out->bad++ == 0)
                snprintf(
                    out->first_bad, sizeof out->first_bad, "%.190s", bad.text);
            rc = 0;
        } else if (rc != 0) {
            err_set(err, rc, "%s", bad.text);
        }
    }
    sqlite3_finalize(st);
    return rc != 0 ? rc : more;
}

int
insight_merge(struct insights *db, const char *path, struct insight_merged *out,
    struct err *err)
{
    struct insights *other = NULL;
    int64_t before = 0, after = 0, own = 0;
    memset(out, 0, sizeof *out);
    if (!fs_is_file(path))
        return err_set(err, -ERR_NOT_FOUND,
            "%s: no such file; name another insights database, such as "
            ".rea/insights.db of a workspace",
            path);
    int rc = insight_open(&other, path, INSIGHT_READ, err);
    if (rc != 0)
        return rc;
    rc = insights_begin(db, err);
    if (rc == 0) {
        rc = insight_count(db, &before, &own, err);
        if (rc == 0)
            rc = merge_events(db, other, out, err);
        if (rc == 0)
            rc = insight_count(db, &after, &own, err);
        rc = insights_end(db, rc, err);
    }
    insight_close(other);
    out->rows = after - before;
    return rc == 0 ? 0 : err_wrap(err, rc, "merge %s", path);
}

/* ---- the shipped public set ---- */

static const char *
seed_path_in(struct arena *a)
{
#ifdef REA_DATADIR
    const char *fixed = REA_DATADIR "/insights/" INSIGHT_PUBLIC ".jsonl";
    if (fs_is_file(fixed))
        return fixed;
#endif
    char exe[4096];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    if (n <= 0)
        return NULL;
    exe[n] = '\0';
    /* beside a build folder, and as installed */
    static const char *const near[] = {"../data", "../share/rea/data"};
    for (size_t i = 0; i < sizeof near / sizeof near[0]; i++) {
        const char *p = arena_printf(a, "%s/%s/insights/%s.jsonl",
            fs_dir_in(a, exe), near[i], INSIGHT_PUBLIC);
        if (fs_is_file(p))
            return p;
    }
    return NULL;
}

static bool
seed_is_known(struct insights *db, const char *hash)
{
    sqlite3_stmt *st = NULL;
    bool known = false;
    if (sqlite3_prepare_v2(db->sql,
            "SELECT 1 FROM meta WHERE name = 'seed' AND value = ?", -1, &st,
            NULL) == SQLITE_OK) {
        sqlite3_bind_text(st, 1, hash, -1, SQLITE_STATIC);
        known = sqlite3_step(st) == SQLITE_ROW;
    }
    sqlite3_finalize(st);
    return known;
}

static int
seed_mark(struct insights *db, const char *hash, struct err *err)
{
    char sql[200];
    snprintf(sql, sizeof sql,
        "INSERT OR REPLACE INTO meta VALUES ('seed', '%s')", hash);
    return insights_sql(db, sql, err);
}

int
insight_seed(struct insights *db, struct insight_import *out, struct err *err)
{
    struct insight_import none;
    if (out == NULL)
        out = &none;
    memset(out, 0, sizeof *out);
    struct arena a = {0};
    struct buf b = {0};
    char hash[FS_HASH_HEX];
    const char *path = seed_path_in(&a);
    int rc = 0;
    if (path == NULL)
        rc = err_set(err, -ERR_NOT_FOUND,
            "the public insights (insights/" INSIGHT_PUBLIC ".jsonl) are "
            "neither in the data folder nor beside the program; install again "
            "or plan with --from-insights=no");
    if (rc == 0)
        rc = fs_read(path, IMPORT_BYTES_MAX, &b, err);
    if (rc == 0)
        fs_hash_bytes(buf_str(&b), b.len, hash);
    if (rc == 0 && !seed_is_known(db, hash)) {
        rc = insights_begin(db, err);
        if (rc == 0) {
            rc = insight_import_text(db, buf_str(&b), b.len, out, err);
            if (rc == 0)
                rc = seed_mark(db, hash, err);
            rc = insights_end(db, rc, err);
        }
    }
    buf_fini(&b);
    arena_fini(&a);
    return rc;
}
