/* The open insights database, shared by the insight*.c files only. */
#ifndef RESEARCH_INSIGHT_DB_H
#define RESEARCH_INSIGHT_DB_H

#include <sqlite3.h>

#include "research/insight_event.h"
#include "research/insight_row.h"

/* Prepared once per open database; their text is in insight_open.c. */
enum statement {
    ST_EVENT_ADD,   /* hash, kind, subject, text */
    ST_EVENT_FIND,  /* hash, subject: a row when it is there */
    ST_EVENT_KINDS, /* subject: kind, text */
    ST_ROW_ID,      /* origin: id, supersedes */
    ST_ROW_ADD,     /* id or NULL, the fields, ... (insight_fold.c) */
    ST_ROW_GET,     /* id: as insight_columns */
    ST_SCOPE_OF,    /* id of a row: its scope */
    ST_ROW_DROP,    /* id */
    ST_WORDS_ADD,   /* id, the words */
    ST_WORDS_DROP,  /* id, the words as they were */
    ST_SUPERSEDED,  /* origin */
    ST_SCOPE_FIND,  /* family, lrows, lfields, ldensity, sequence: id */
    ST_SCOPE_ADD,   /* the same */
    ST_COUNT
};

struct insights {
    sqlite3 *sql;
    char *path;
    int lock;       /* of <path>.lock; -1: read only */
    uint32_t depth; /* of nested transactions */
    sqlite3_stmt *st[ST_COUNT];
};

int insights_err(struct insights *db, struct err *err);
int insights_sql(struct insights *db, const char *sql, struct err *err);
/* A statement of the list, reset and ready to be bound; NULL with *rc set. */
sqlite3_stmt *
insights_statement(struct insights *db, enum statement which, struct err *err);
/* Steps once: 1 a row, 0 done, else an error. */
int insights_step(struct insights *db, sqlite3_stmt *st, struct err *err);
int insights_prepare(
    struct insights *db, const char *sql, sqlite3_stmt **out, struct err *err);
/* Nested begins are one transaction; end commits when rc is 0, else rolls
 * back, and returns the rc that counts. */
int insights_begin(struct insights *db, struct err *err);
int insights_end(struct insights *db, int rc, struct err *err);
/* One view of the file for all statements until insights_looked, and its lock
 * taken once; ours: false inside a transaction that is there already. */
int insights_look(struct insights *db, bool *ours, struct err *err);
void insights_looked(struct insights *db, bool ours);

/* ---- rows (insight_fold.c) ---- */

/* "SELECT i.id, <fields>, verdict, status, created_ms, promotion FROM insight
 * i "; insight_column reads such a row and checks its promotion. */
void insight_columns(struct buf *sql);
void insight_column(struct insight *r, sqlite3_stmt *st, struct arena *a);
/* The statement that inserts a row, for insight_open.c. */
void insight_insert_sql(struct buf *sql);
/* Id of the row with this origin; 0: none. */
int64_t insight_id(struct insights *db, const char *origin);
/* Writes a completed row over what is there; r->id is set. */
int insight_project(struct insights *db, struct insight *r, struct err *err);
/* Projects what the events about this subject say. */
int insight_fold(struct insights *db, const char *subject, struct err *err);
/* Rows of an older version become events and rows (insight_open.c). */
int insight_keep_old(struct insights *db, struct insight *r, struct err *err);

/* Rows of a statement that begins with insight_columns. */
int insight_rows_read(struct insights *db, sqlite3_stmt *st, bool promoted_only,
    struct arena *a, struct insight **out, size_t *n, struct err *err);

struct insight_kept {
    int64_t id;
    bool added;
    bool unsigned_claim; /* promoted, but by nobody who signed */
};
/* insight_keep; `more` (may be NULL) is further members of the observation:
 * ",\"experiments\":[...]". */
int insight_keep_told(struct insights *db, const struct insight *row,
    const char *more, struct insight_kept *out, struct err *err);
#define INSIGHT_IS_CONFIGURATION                                               \
    "concept = 'none' AND verdict = 'positive' AND partner = '' "              \
    "AND change <> '' AND effect > 0"

/* ---- scopes (insight_scope.c): a few numbers that tell places apart ---- */

struct scope {
    char family[64];
    double lrows, lfields, ldensity; /* log10; -99: unknown */
    int sequence;                    /* 0, 1; -1: unknown */
};
void scope_of(const struct insight *r, struct scope *out);
int scope_id(
    struct insights *db, const struct scope *s, int64_t *id, struct err *err);

/* ---- search (insight_search.c) ---- */

/* Registers the ranking function; called by insight_open. */
int insight_search_init(struct insights *db, struct err *err);
/* The words of a question as an FTS5 query that cannot be a syntax error. */
void insight_match(const char *text, struct buf *out);
/* The words of the filters, as they are indexed beside the text. */
void insight_tags(const struct insight *r, struct buf *out);

#endif
