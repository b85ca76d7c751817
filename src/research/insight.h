/* The insights database: what campaigns learnt, failures too, with context,
 * interval and provenance. One SQLite file, which a team may share; writers
 * take an exclusive lock beside it, readers never write.
 *
 * Units: effects are gains, + is better. For an AUC-like metric they are in
 * AUC; for any other metric `scale` holds that metric's smallest gain worth
 * shipping, and effect / scale is what can be compared across metrics. */
#ifndef RESEARCH_INSIGHT_H
#define RESEARCH_INSIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "core/core.h"

/* Smallest gain in AUC that is worth shipping on most sets: one unit of a
 * metric's min_gain is worth so much AUC when metrics are compared. */
#define GAIN_UNIT_AUC 5e-4
/* insight.campaign of the rows of the public set that is shipped. */
#define INSIGHT_PUBLIC "bars"

enum insight_verdict {
    INSIGHT_NONE,
    INSIGHT_POSITIVE,
    INSIGHT_NULL,
    INSIGHT_NEGATIVE,
    INSIGHT_UNSTABLE, /* the change itself diverges */
    INSIGHT_FAILED,   /* infrastructure: says nothing about the idea */
    INSIGHT_VERDICT_COUNT
};

enum insight_status { INSIGHT_DRAFT, INSIGHT_PROMOTED, INSIGHT_STATUS_COUNT };

/* One row. Texts are never NULL in what the database returns ("" is absent);
 * what is put in may leave any text NULL except statement. */
struct insight {
    int64_t id;             /* I<id>, local to one database; 0: not stored */
    const char *origin;     /* unique everywhere: "<campaign uuid>/H3" */
    const char *campaign;   /* uuid of the campaign, or id of the source */
    const char *hypothesis; /* "H3", "H3+H5" for a pair */
    const char *key;        /* canonical key of the change */
    const char *concept;    /* name of enum concept */
    const char *knob;       /* as the project called it */
    const char *family;     /* model family: "fm", "dcnv2"; "" unknown */
    const char *metric;     /* "auc", "logloss", "ndcg" or the name */
    const char *from, *to;  /* the knob's value before and after */
    const char *direction;  /* "x2" "x0.1" "+0.1" "on" "off" "set" */
    const char *partner;    /* key of the other change of a pair, else "" */
    const char *context;    /* JSON object: rows, fields, baseline, tags */
    const char *change;     /* JSON object {"overrides": {knob: value}} */
    const char *conditions; /* where it holds, in words */
    const char *statement;
    const char *source;      /* who says so, in words */
    const char *reference;   /* DOI, arXiv id or campaign and hypothesis */
    const char *date;        /* YYYY-MM-DD of the observation */
    const char *supersedes;  /* origin of the row that this one replaces */
    const char *contradicts; /* origin of a row that says otherwise */
    const char *technique;   /* id in the technique library, if it is one */
    const char *promotion;   /* JSON object: who signed it, when; "" */
    double effect, sd;       /* shrunken mean and its standard error */
    double lo, hi;           /* 95 % interval of the mean */
    double between;          /* sd of the effect over places; 0: one place */
    double within;           /* sd of single changes inside one place */
    double scale;            /* 0: AUC units; else the metric's min_gain */
    int64_t n, places;       /* comparisons; data sets they come from */
    uint32_t verdict;        /* enum insight_verdict */
    uint32_t status;         /* enum insight_status */
    int64_t created_ms;
    const char *evidence; /* of a row that is kept: further members of its
                             observation, ",\"experiments\":[...]"; NULL */
};

struct insights; /* an open database */

enum insight_open {
    INSIGHT_READ = 0,  /* a missing file reads as an empty database */
    INSIGHT_WRITE = 1, /* creates the file and its folder */
    INSIGHT_SEED = 2,  /* with WRITE: import the public set that is shipped,
                          once per database */
};

/* Opens the database. *out is owned by the caller: insight_close.
 * -ERR_VERSION when a newer program wrote it, -ERR_CORRUPT when it is no
 * insights database, -ERR_SYS when it can't be opened or locked. */
int insight_open(
    struct insights **out, const char *path, uint32_t flags, struct err *err);
void insight_close(struct insights *db); /* NULL is fine */

/* Stores one row under its origin (made from campaign and hypothesis, or from
 * the content when both are absent). A row whose origin is there already adds
 * nothing. *id (may be NULL) is the row's id either way; *added (may be NULL)
 * tells which. -ERR_INPUT names the field that is wrong. */
int insight_keep(struct insights *db, const struct insight *row, int64_t *id,
    bool *added, struct err *err);

/* Keeps all or nothing, in one transaction; *added (may be NULL) counts. */
int insight_keep_all(struct insights *db, const struct insight *row, size_t n,
    size_t *added, struct err *err);

struct insight_query {
    const char *text;    /* words to look for; NULL: all */
    const char *concept; /* NULL: any */
    const char *family;  /* NULL: any */
    const char *before;  /* YYYY[-MM[-DD]]: only rows dated earlier */
    const char *knob, *technique, *verdict; /* NULL: any */
    bool configurations_only; /* gains of several changes, largest first */
    bool promoted_only;
    bool own_only; /* without the public set that is shipped */
    bool superseded_too;
    uint32_t max; /* 0: 1000 */
};

/* Rows that match: by relevance when there is text, else the team's own
 * before the public set, by id. */
int insight_list(struct insights *db, const struct insight_query *q,
    struct arena *a, struct insight **out, size_t *n, struct err *err);

/* How many rows match, whatever max and text say. */
int insight_matching(struct insights *db, const struct insight_query *q,
    int64_t *out, struct err *err);

/* A place that rows are compared with. Zero, NULL: unknown. */
struct insight_place {
    double rows, fields, density;
    const char *family;
    int sequence; /* 1 yes, 0 unknown, -1 no */
};
/* What is known of it, as keys of a row's context. */
void insight_place_write(struct jw *w, const struct insight_place *p);

struct insight_hit {
    struct insight row;
    double text;  /* BM25, + is better; 0: no words were asked */
    double place; /* similarity of the contexts, 0..1; 0: none was asked */
};
/* The best q->max rows (0: 20) by words, filters and likeness of context
 * together: the two rankings are fused by their ranks. Looks at a bounded
 * number of candidates, so that it is fast in a database of any size; where
 * fewer rows than that match, the ranking is exact. */
int insight_search(struct insights *db, const struct insight_query *q,
    const struct insight_place *like, struct arena *a, struct insight_hit **out,
    size_t *n, struct err *err);

/* What may matter to a project with these concepts and knobs (those of no known
 * concept by name), by index: of each at most a share of `max` rows, the
 * team's own and those of the family first, then the latest. */
struct insight_matter {
    const char *const *concept;
    size_t n_concepts;
    const char *const *knob;
    size_t n_knobs;
    const char *family, *before;
    uint32_t max; /* 0: 4000 */
};
int insight_select(struct insights *db, const struct insight_matter *m,
    struct arena *a, struct insight **out, size_t *n, struct err *err);

/* -ERR_NOT_FOUND when there is no such row. */
int insight_get(struct insights *db, int64_t id, struct arena *a,
    struct insight *out, struct err *err);
/* Rows that replace this one or speak against it. */
int insight_against(struct insights *db, const char *origin, struct arena *a,
    struct insight **out, size_t *n, struct err *err);
int insight_count(
    struct insights *db, int64_t *total, int64_t *own, struct err *err);
/* Who signs, and the file with the key of theirs (base/sign.h). */
struct insight_signer {
    const char *by, *key_path;
    int64_t at_ms;
};
/* Marks a row as checked by an engineer: it then counts in full, for as long as
 * it says what was signed. */
int insight_promote(struct insights *db, int64_t id,
    const struct insight_signer *who, struct err *err);
/* Appends a correction: `fields` is a JSON object of what is to be read from
 * now on, `why` says why. -ERR_INPUT names a field that is wrong. */
int insight_correct(struct insights *db, int64_t id, const char *fields,
    const char *why, const char *by, int64_t at_ms, struct err *err);

/* ---- events ---- */

enum insight_event_kind {
    INSIGHT_HYPOTHESIS = 1,
    INSIGHT_EXPERIMENT,
    INSIGHT_OBSERVATION,
    INSIGHT_DECISION,
    INSIGHT_CORRECTION,
    INSIGHT_EVENT_KINDS
};
struct insight_event {
    uint32_t kind;
    const char *of; /* origin of the row, or name of the experiment */
    const char *by;
    int64_t at_ms;
    const char *payload; /* JSON object */
    const char *text;    /* the whole event; only in what is read */
    char hash[65];       /* likewise */
};
/* Keeps rows with the events that led to them, in one transaction. When the
 * first row is there already, so are the events. */
int insight_keep_chain(struct insights *db, const struct insight_event *event,
    size_t n_events, const struct insight *row, size_t n, size_t *added,
    struct err *err);
/* The events about a subject in order of time, then of hash. */
int insight_events(struct insights *db, const char *subject, struct arena *a,
    struct insight_event **out, size_t *n, struct err *err);

struct insight_checked {
    int64_t events, rows, bad; /* bad: events whose hash is another */
    char first_bad[200];
};
/* Makes the rows anew from the events; ids stay. */
int insight_rebuild(
    struct insights *db, struct insight_checked *out, struct err *err);

struct insight_merged {
    int64_t events, added;
    int64_t rows; /* that are new here */
    int64_t bad;  /* events that are none */
    char first_bad[200];
};
/* Adds what another database holds. The order of merges does not matter, and
 * merging again adds nothing. */
int insight_merge(struct insights *db, const char *path,
    struct insight_merged *out, struct err *err);
/* Appends all events as JSON lines, in an order that is a function of the set
 * of events alone. */
int
insight_export_events(struct insights *db, struct buf *out, struct err *err);

struct insight_import {
    uint32_t lines, added, known, bad;
    uint32_t trials;        /* of other programs, new here */
    uint32_t unsigned_rows; /* that claim a promotion nobody signed: drafts */
    char first_bad[400];    /* "line 3: why" of the first bad line */
};
/* Merges JSON lines. Bad lines are counted and skipped, never fatal; merging
 * the same file twice adds nothing. */
int insight_import(struct insights *db, const char *path,
    struct insight_import *out, struct err *err);
int insight_import_text(struct insights *db, const char *text, size_t len,
    struct insight_import *out, struct err *err);
/* How trials of another program are to be read. NULL, 0: as it says itself, or
 * unknown. */
struct insight_source {
    const char *format; /* jsonl, optuna, mlflow, csv, wandb; NULL: told */
    const char *metric; /* the column, key or name of the metric */
    const char *goal;   /* "min" or "max" */
    const char *seed;   /* name of the seed among the parameters */
    const char *status; /* CSV: column with the trial's status */
    const char *id;     /* CSV: column that names the trial */
    const char *knobs;  /* comma-separated; NULL: all parameters */
    const char *study;  /* only the study, experiment or project so called */
    const char *family, *model;
    struct insight_place place;
    double min_gain; /* smallest gain worth shipping; for metrics not an AUC */
};
/* Reads a file or folder of any of these forms and keeps what it says: raw
 * trials as experiments, paired effects of single changes as rows. Importing
 * again adds nothing; a study that has grown adds what is new, and its effects
 * supersede those of before. One transaction; bad records are counted. */
int insight_import_from(struct insights *db, const char *path,
    const struct insight_source *from, struct insight_import *out,
    struct err *err);
/* Pages of MLflow's REST interface: the reply to experiments/search, then the
 * replies to runs/search, as a JSON array of both kinds in any order. */
int insight_import_mlflow(struct insights *db, const char *const *page,
    size_t n, const struct insight_source *from, struct insight_import *out,
    struct err *err);
/* Appends all rows as JSON lines in order of origin, without local ids, so
 * that importing and exporting again gives the same bytes. */
int insight_export(
    struct insights *db, bool own_only, struct buf *out, struct err *err);
/* Imports the shipped public set (data/insights/); known rows add nothing. */
int
insight_seed(struct insights *db, struct insight_import *out, struct err *err);

/* One row as a JSON object with its id (the form of `rea insight --json`). */
void insight_json(struct jw *w, const struct insight *row);

/* What the engine does not hold and a row needs. All borrowed, may be NULL. */
struct insight_texts {
    const char *uuid;     /* of the campaign; required */
    const char *campaign; /* "C1" */
    const char *date;     /* YYYY-MM-DD */
    const char *by;       /* who ran it */
    const char *family;   /* NULL: told from the spec */
    const char *tags;
    struct insight_place place;   /* of the data; its family is not read */
    const char *const *statement; /* by hypothesis index; entries may be NULL */
    const char *const *rationale, *const *evidence; /* likewise; may be NULL */
    int64_t created_ms;
};
/* Rows for each hypothesis with a verdict and each judged pair, in order, with
 * shrunken effects. The array and its texts live in the arena. */
void insight_from_campaign(const struct core *c, const struct insight_texts *t,
    struct arena *a, struct insight **out, size_t *n);

/* The events that led to these rows, whose evidence and technique are filled;
 * for insight_keep_chain. */
void insight_chain_of_campaign(const struct core *c,
    const struct insight_texts *t, struct arena *a, struct insight *row,
    size_t n, struct insight_event **out, size_t *n_out);

const char *insight_verdict_name(uint32_t verdict);
const char *insight_status_name(uint32_t status);

#endif
