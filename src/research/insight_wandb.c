/* Runs of Weights & Biases written offline, run-ID.wandb, read only. The file
 * is a log as LevelDB's: ":W&B", the magic 0xBEE1 and a version, then blocks of
 * 32 KiB with records {crc, length, type, bytes}; crc is that of zlib over the
 * type and the bytes. A record is a protobuf message (wandb_internal.proto):
 * run 17, config 5, history 2, summary 3, exit 18. Called by the import.
 * Invariant: no byte is read beyond the file, and no record beyond its length;
 * what is broken costs its block. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "research/insight_runs.h"

enum {
    HEADER = 7,
    BLOCK = 32 * 1024,
    RECORD_MAX = 16 << 20,
    FULL = 1,
    FIRST,
    MIDDLE,
    LAST,
    DEPTH_MAX = 6, /* of nested configurations */
};

/* CRC-32 of IEEE 802.3, as zlib has it. */
static uint32_t
crc_of(const unsigned char *p, size_t n)
{
    uint32_t c = 0xffffffffu;
    for (size_t i = 0; i < n; i++) {
        c ^= p[i];
        for (int k = 0; k < 8; k++)
            c = c >> 1 ^ (0xedb88320u & (0u - (c & 1)));
    }
    return ~c;
}

/* ---- protobuf ---- */

struct message {
    const unsigned char *at, *end;
};
struct value { /* one field of a message */
    uint32_t number, wire;
    uint64_t i;
    struct message m; /* of wire type 2 */
};

static bool
varint(struct message *m, uint64_t *out)
{
    *out = 0;
    for (int shift = 0; shift < 64 && m->at < m->end; shift += 7) {
        unsigned char c = *m->at++;
        *out |= (uint64_t)(c & 0x7f) << shift;
        if (c < 0x80)
            return true;
    }
    return false;
}

/* The next field; false at the end, or where the message is broken. */
static bool
field_next(struct message *m, struct value *v)
{
    uint64_t tag, n = 0;
    if (m->at >= m->end || !varint(m, &tag))
        return false;
    memset(v, 0, sizeof *v);
    v->number = (uint32_t)(tag >> 3);
    v->wire = tag & 7;
    size_t left = (size_t)(m->end - m->at);
    switch (v->wire) {
    case 0:
        return varint(m, &v->i);
    case 1:
        n = 8;
        break;
    case 2:
        if (!varint(m, &n))
            return false;
        left = (size_t)(m->end - m->at);
        break;
    case 5:
        n = 4;
        break;
    default:
        return false;
    }
    if (n > left)
        return false;
    v->m = (struct message){m->at, m->at + n};
    m->at += n;
    return true;
}

static const char *
text_in(struct arena *a, struct message m)
{
    return arena_strndup(a, (const char *)m.at, (size_t)(m.end - m.at));
}

/* ---- records ---- */

struct reader {
    struct studies *s;
    const struct insight_source *o;
    const char *name, *project, *id, *summary, *last;
    int64_t start_s;
    bool ended;
    uint64_t exit_code;
    struct run run; /* collects the parameters */
    struct arena scratch;
    uint32_t records;
};

/* One item of a configuration, history or summary: its key, with the nested
 * form joined by dots, and its value as JSON. */
static bool
item_read(struct arena *a, struct message m, const char **key,
    const char **json, uint32_t value_field)
{
    struct value v;
    struct buf joined = {0};
    *key = *json = NULL;
    while (field_next(&m, &v)) {
        if (v.wire != 2)
            continue;
        if (v.number == 1)
            *key = text_in(a, v.m);
        else if (v.number == 2)
            buf_printf(
                &joined, "%s%s", joined.len > 0 ? "." : "", text_in(a, v.m));
        else if (v.number == value_field)
            *json = text_in(a, v.m);
    }
    if ((*key == NULL || **key == '\0') && joined.len > 0)
        *key = arena_strdup(a, buf_str(&joined));
    buf_fini(&joined);
    return *key != NULL && *json != NULL;
}

static void
config_put(struct reader *r, const char *name, const struct json *v, int depth)
{
    if (name[0] == '_' || depth > DEPTH_MAX)
        return; /* _wandb is the program's own */
    if (json_kind(v) != J_OBJ) {
        run_set_json(r->s, &r->run, name, v);
        return;
    }
    for (size_t i = 0; i < json_len(v); i++) {
        const char *key = NULL;
        const struct json *inner = json_member(v, i, &key);
        config_put(
            r, arena_printf(&r->scratch, "%s.%s", name, key), inner, depth + 1);
    }
}

static void
config_read(struct reader *r, struct message m)
{
    struct value v;
    while (field_next(&m, &v)) {
        const char *key, *text;
        if (v.number != 1 || v.wire != 2 ||
            !item_read(&r->scratch, v.m, &key, &text, 16))
            continue;
        struct json *j = json_parse(text, strlen(text), NULL);
        if (j != NULL)
            config_put(r, key, j, 0);
        json_free(j);
    }
}

static void
run_record(struct reader *r, struct message m)
{
    struct value v, t;
    while (field_next(&m, &v)) {
        if (v.wire != 2)
            continue;
        if (v.number == 1)
            r->id = text_in(r->s->arena, v.m);
        else if (v.number == 3)
            r->project = text_in(r->s->arena, v.m);
        else if (v.number == 4)
            config_read(r, v.m);
        else if (v.number == 17)
            while (field_next(&v.m, &t))
                if (t.number == 1 && t.wire == 0)
                    r->start_s = (int64_t)t.i;
    }
}

static void
metric_read(struct reader *r, struct message m, const char **out)
{
    struct value v;
    while (field_next(&m, &v)) {
        const char *key, *text;
        if (v.number == 1 && v.wire == 2 &&
            item_read(&r->scratch, v.m, &key, &text, 16) &&
            r->o->metric != NULL && strcmp(key, r->o->metric) == 0)
            *out = arena_strdup(r->s->arena, text);
    }
}

static void
record_read(struct reader *r, const unsigned char *p, size_t n)
{
    struct message m = {p, p + n};
    struct value v, e;
    r->records++;
    while (field_next(&m, &v)) {
        if (v.wire != 2)
            continue;
        if (v.number == 17)
            run_record(r, v.m);
        else if (v.number == 5)
            config_read(r, v.m);
        else if (v.number == 2)
            metric_read(r, v.m, &r->last);
        else if (v.number == 3)
            metric_read(r, v.m, &r->summary);
        else if (v.number == 18) {
            r->ended = true;
            while (field_next(&v.m, &e))
                if (e.number == 1 && e.wire == 0)
                    r->exit_code = e.i;
        }
    }
    arena_fini(&r->scratch);
    r->scratch = (struct arena){0};
}

/* ---- the log ---- */

static uint32_t
little(const unsigned char *p, int n)
{
    uint32_t x = 0;
    for (int i = n - 1; i >= 0; i--)
        x = x << 8 | p[i];
    return x;
}

static void
log_read(struct reader *r, const unsigned char *p, size_t len)
{
    struct buf part = {0};
    bool open = false;
    size_t at = HEADER;
    while (at + HEADER <= len) {
        size_t left = BLOCK - at % BLOCK;
        uint32_t type = p[at + 6], n = little(p + at + 4, 2);
        if (left < HEADER || (type == 0 && n == 0)) {
            at += left;
            continue;
        }
        if (type < FULL || type > LAST || HEADER + (size_t)n > left ||
            at + HEADER + n > len ||
            crc_of(p + at + 6, (size_t)n + 1) != little(p + at, 4)) {
            studies_bad(
                r->s, "%.80s: a broken record at byte %zu", r->name, at);
            at += left;
            open = false;
            continue;
        }
        const unsigned char *data = p + at + HEADER;
        at += HEADER + n;
        if (type == FULL) {
            record_read(r, data, n);
            open = false;
        } else if (type == FIRST || (open && part.len + n <= RECORD_MAX)) {
            if (type == FIRST)
                buf_clear(&part);
            buf_add(&part, data, n);
            open = type != LAST;
            if (type == LAST)
                record_read(r, (const unsigned char *)part.data, part.len);
        } else {
            studies_bad(r->s,
                "%.80s: a piece without its beginning at byte "
                "%zu",
                r->name, at);
            open = false;
        }
    }
    buf_fini(&part);
}

static void
run_end(struct reader *r, struct study *t)
{
    const char *text = r->summary != NULL ? r->summary : r->last;
    char *end = NULL;
    struct run *run = study_run(r->s, t, r->id);
    if (run == NULL)
        return;
    const char *id = run->id;
    *run = r->run;
    run->id = id;
    run->at_ms = r->start_s > 0 && r->start_s < INT64_C(100000000000)
                     ? r->start_s * 1000
                     : 0;
    run->value = text != NULL ? strtod(text, &end) : (double)NAN;
    if (text != NULL && end == text)
        run->value = (double)NAN; /* "NaN" as JSON text, or no number */
    if (!r->ended)
        run->status = RUN_OPEN;
    else if (r->exit_code != 0)
        run->status = RUN_FAILED;
    else
        run->status = text != NULL ? RUN_OK : RUN_OPEN;
}

/* Runs of one project are one study. */
int
wandb_read(struct studies *s, const char *name, const void *data, size_t len,
    const struct insight_source *o, struct err *err)
{
    const unsigned char *p = data;
    struct reader r = {.s = s, .o = o, .name = name};
    if (len < HEADER || memcmp(p, ":W&B", 4) != 0 || little(p + 4, 2) != 0xbee1)
        return err_set(err, -ERR_INPUT, "%s: not a file of W&B", name);
    if (p[6] > 1)
        return err_set(err, -ERR_INPUT,
            "%s: W&B's format %d, which is newer than this program", name,
            p[6]);
    r.run.id = name;
    log_read(&r, p, len);
    s->records += r.records;
    if (r.id == NULL || r.id[0] == '\0') {
        studies_bad(s, "%.200s: it names no run", name);
        return 0;
    }
    const char *project = r.project != NULL ? r.project : "uncategorized";
    struct study *t = study_named(s, "wandb", project);
    if (t == NULL)
        return 0;
    for (uint32_t i = 0; i < t->n; i++)
        if (strcmp(t->run[i].id, r.id) == 0)
            return 0; /* by another path: "latest-run" is a link */
    t->metric = o->metric != NULL ? o->metric : "";
    t->minimise = metric_is_loss(t->metric);
    t->uid = arena_printf(s->arena, "wandb:%.60s", t->name);
    run_end(&r, t);
    return 0;
}
