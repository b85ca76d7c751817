/* Events of the insights database: made, hashed, appended, read. Called by all
 * that writes. Invariant: the identity of an event is the hash of its text, so
 * the same fact told twice, here or in another database, is one event. */
#include "research/insight_event.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "research/insight_db.h"

static const char *const kind_text[INSIGHT_EVENT_KINDS] = {
    "?", "hypothesis", "experiment", "observation", "decision", "correction"};

const char *
insight_event_name(uint32_t kind)
{
    return kind < INSIGHT_EVENT_KINDS ? kind_text[kind] : "?";
}

static uint32_t
kind_find(const char *name)
{
    for (uint32_t i = 1; name != NULL && i < INSIGHT_EVENT_KINDS; i++)
        if (strcmp(kind_text[i], name) == 0)
            return i;
    return 0;
}

/* FNV-1a, 32 bits. */
static uint32_t
fnv(const char *s, size_t n)
{
    uint32_t h = 0x811c9dc5u;
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)s[i]) * 0x01000193u;
    return h;
}

/* An index of subjects, of which the text decides. What stands before the last
 * slash leads, so that the events of one campaign lie together. */
int64_t
insight_subject(const char *origin)
{
    const char *slash = strrchr(origin, '/');
    size_t n = slash != NULL ? (size_t)(slash - origin) : 0;
    uint64_t place = fnv(origin, n);
    return (int64_t)(place << 32 | fnv(origin + n, strlen(origin + n)));
}

/* ---- check ---- */

static int
observation_check(const struct json *payload, const char *of, struct err *err)
{
    struct arena a = {0};
    struct insight r;
    int rc = insight_read(&r, json_get(payload, "row"), NULL, &a, err);
    if (rc == 0)
        rc = insight_complete(&r, &a, err);
    if (rc == 0 && strcmp(r.origin, of) != 0)
        rc = err_set(err, -ERR_INPUT,
            "observation of %.80s holds the row of %.80s", of, r.origin);
    arena_fini(&a);
    return rc;
}

static int
event_check(const struct json *j, uint32_t *kind, struct err *err)
{
    const char *of = json_get_str(j, "of");
    const struct json *payload = json_get(j, "payload");
    *kind = kind_find(json_get_str(j, "event"));
    if (*kind == 0)
        return err_set(err, -ERR_INPUT,
            "\"event\" must be hypothesis, experiment, observation, decision "
            "or correction");
    if (of == NULL || of[0] == '\0' || strlen(of) > INSIGHT_TEXT_MAX)
        return err_set(err, -ERR_INPUT, "\"of\": an origin is missing");
    if (json_kind(payload) != J_OBJ)
        return err_set(err, -ERR_INPUT, "\"payload\" must be an object");
    if (*kind == INSIGHT_OBSERVATION)
        return observation_check(payload, of, err);
    if (*kind == INSIGHT_CORRECTION &&
        json_kind(json_get(payload, "fields")) != J_OBJ)
        return err_set(err, -ERR_INPUT, "correction: \"fields\" is missing");
    return 0;
}

/* ---- append ---- */

static void
hash_of(const char *text, size_t len, unsigned char out[FS_HASH_BYTES])
{
    char hex[FS_HASH_HEX];
    fs_hash_bytes(text, len, hex);
    for (int i = 0; i < FS_HASH_BYTES; i++) {
        int hi = hex[2 * i], lo = hex[2 * i + 1];
        hi = hi <= '9' ? hi - '0' : hi - 'a' + 10;
        lo = lo <= '9' ? lo - '0' : lo - 'a' + 10;
        out[i] = (unsigned char)(hi << 4 | lo);
    }
}

static int
event_is_there(struct insights *db, const unsigned char hash[FS_HASH_BYTES],
    int64_t subject, struct err *err)
{
    sqlite3_stmt *st = insights_statement(db, ST_EVENT_FIND, err);
    if (st == NULL)
        return -ERR_SYS;
    sqlite3_bind_blob(st, 1, hash, FS_HASH_BYTES, SQLITE_STATIC);
    sqlite3_bind_int64(st, 2, subject);
    int rc = insights_step(db, st, err);
    sqlite3_reset(st);
    return rc;
}

static int
event_insert(struct insights *db, uint32_t kind, const char *of,
    const char *text, size_t len, bool *added, struct err *err)
{
    unsigned char hash[FS_HASH_BYTES];
    int64_t subject = insight_subject(of);
    if (len > INSIGHT_EVENT_BYTES_MAX)
        return err_set(err, -ERR_LIMIT,
            "event of %.80s: %zu bytes, more than %d", of, len,
            INSIGHT_EVENT_BYTES_MAX);
    hash_of(text, len, hash);
    int there = event_is_there(db, hash, subject, err);
    if (added != NULL)
        *added = there == 0;
    if (there != 0)
        return there < 0 ? there : 0;
    sqlite3_stmt *st = insights_statement(db, ST_EVENT_ADD, err);
    if (st == NULL)
        return -ERR_SYS;
    sqlite3_bind_blob(st, 1, hash, sizeof hash, SQLITE_STATIC);
    sqlite3_bind_int64(st, 2, kind);
    sqlite3_bind_int64(st, 3, subject);
    sqlite3_bind_text(st, 4, text, (int)len, SQLITE_STATIC);
    int rc = insights_step(db, st, err);
    sqlite3_reset(st);
    return rc;
}

static void
event_write(struct buf *out, const struct insight_event *e)
{
    struct jw w;
    jw_init(&w, out, 0);
    jw_obj_begin(&w);
    jw_kstr(&w, "event", insight_event_name(e->kind));
    jw_kstr(&w, "of", e->of);
    if (e->at_ms != 0)
        jw_ki64(&w, "at_ms", e->at_ms);
    if (e->by != NULL && e->by[0] != '\0')
        jw_kstr(&w, "by", e->by);
    jw_key(&w, "payload");
    jw_raw(&w, e->payload);
    jw_obj_end(&w);
}

int
insight_append_only(struct insights *db, const struct insight_event *e,
    bool *added, struct err *err)
{
    struct buf text = {0};
    event_write(&text, e);
    int rc =
        event_insert(db, e->kind, e->of, buf_str(&text), text.len, added, err);
    buf_fini(&text);
    return rc;
}

int
insight_append(struct insights *db, const struct insight_event *e, bool *added,
    struct err *err)
{
    struct buf text = {0};
    event_write(&text, e);
    int rc = insight_append_text(db, buf_str(&text), text.len, added, err);
    buf_fini(&text);
    return rc;
}

/* What can change a row; a hypothesis or an experiment explains it only. */
static bool
kind_projects(uint32_t kind)
{
    return kind == INSIGHT_OBSERVATION || kind == INSIGHT_DECISION ||
           kind == INSIGHT_CORRECTION;
}

int
insight_append_text(struct insights *db, const char *text, size_t len,
    bool *added, struct err *err)
{
    uint32_t kind = 0;
    bool is_new = false;
    struct json *j = json_parse(text, len, err);
    int rc = j != NULL ? event_check(j, &kind, err) : -ERR_INPUT;
    if (rc == 0)
        rc = insights_begin(db, err);
    if (rc == 0) {
        const char *of = json_get_str(j, "of");
        rc = event_insert(db, kind, of, text, len, &is_new, err);
        if (rc == 0 && is_new && kind_projects(kind))
            rc = insight_fold(db, of, err);
        rc = insights_end(db, rc, err);
    }
    json_free(j);
    if (added != NULL)
        *added = rc == 0 && is_new;
    return rc;
}

/* ---- read ---- */

static int
event_compare(const void *a, const void *b)
{
    const struct insight_event *x = a, *y = b;
    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return strcmp(x->hash, y->hash);
}

static bool
event_read(struct insight_event *e, const char *text, size_t len,
    const char *subject, struct arena *a)
{
    struct json *j = json_parse(text, len, NULL);
    const char *of = json_get_str(j, "of");
    bool ok = of != NULL && strcmp(of, subject) == 0;
    if (ok) {
        const char *by = json_get_str(j, "by");
        *e = (struct insight_event){.kind = kind_find(json_get_str(j, "event")),
            .of = arena_strdup(a, of),
            .by = by != NULL ? arena_strdup(a, by) : "",
            .at_ms = json_get_i64(j, "at_ms", 0),
            .payload = json_dump_in(a, json_get(j, "payload")),
            .text = arena_strndup(a, text, len)};
        fs_hash_bytes(text, len, e->hash);
    }
    json_free(j);
    return ok;
}

int
insight_events(struct insights *db, const char *subject, struct arena *a,
    struct insight_event **out, size_t *n, struct err *err)
{
    struct insight_event *list = NULL;
    size_t cap = 0;
    int rc = 0;
    *out = NULL;
    *n = 0;
    sqlite3_stmt *st = insights_statement(db, ST_EVENT_KINDS, err);
    if (st == NULL)
        return -ERR_SYS;
    sqlite3_bind_int64(st, 1, insight_subject(subject));
    while ((rc = insights_step(db, st, err)) > 0) {
        if (*n == cap) {
            cap = cap > 0 ? 2 * cap : 8;
            list = mem_realloc(list, cap * sizeof *list);
        }
        *n += event_read(&list[*n], (const char *)sqlite3_column_text(st, 1),
            (size_t)sqlite3_column_bytes(st, 1), subject, a);
    }
    sqlite3_reset(st);
    if (*n > 0) {
        qsort(list, *n, sizeof *list, event_compare);
        *out = arena_alloc(a, *n * sizeof **out);
        memcpy(*out, list, *n * sizeof **out);
    }
    free(list);
    return rc;
}
