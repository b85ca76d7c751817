/* What is hashed and what is kept, as JSON: requests, turns, replies (part.h).
 * Called by ask.c and send.c. Invariant: what is read back is what was
 * written, byte for byte. */
#include "model/part.h"

#include <math.h>
#include <string.h>

/* ---- requests ---- */

static const char *
clean(struct arena *a, const char *text, uint32_t *n)
{
    struct buf b = {0};
    if (text == NULL)
        return NULL;
    *n += model_redact(text, strlen(text), &b);
    const char *out = arena_strdup(a, buf_str(&b));
    buf_fini(&b);
    return out;
}

struct model_request *
request_redact(struct arena *a, const struct model_request *q, uint32_t *n)
{
    struct model_request *r = arena_alloc(a, sizeof *r);
    struct model_message *m = arena_alloc(a, (q->n_messages + 1) * sizeof *m);
    *r = *q;
    r->message = m;
    for (uint32_t i = 0; i < q->n_messages; i++) {
        struct model_call *c =
            arena_alloc(a, (q->message[i].n_calls + 1) * sizeof *c);
        m[i] = q->message[i];
        m[i].text = clean(a, m[i].text, n);
        m[i].call = c;
        for (uint32_t k = 0; k < m[i].n_calls; k++) {
            c[k] = q->message[i].call[k];
            c[k].args = clean(a, c[k].args, n);
        }
    }
    return r;
}

static void
canon_message(struct jw *j, const struct model_message *m)
{
    jw_obj_begin(j);
    jw_ki64(j, "role", m->role);
    jw_kstr(j, "text", m->text);
    if (m->answers != NULL)
        jw_kstr(j, "answers", m->answers);
    for (uint32_t i = 0; i < m->n_calls; i++) {
        jw_key(j, i == 0 ? "call" : "next");
        jw_arr_begin(j);
        jw_str(j, m->call[i].id);
        jw_str(j, m->call[i].name);
        jw_str(j, m->call[i].args);
        jw_arr_end(j);
    }
    jw_obj_end(j);
}

void
request_canon(
    const struct model *m, const struct model_request *q, struct buf *out)
{
    struct jw j;
    jw_init(&j, out, 0);
    jw_obj_begin(&j);
    jw_ki64(&j, "v", 1);
    jw_kstr(&j, "at", m->e.base);
    jw_kstr(&j, "dialect", dialect_name(m->e.dialect));
    jw_kstr(&j, "model", m->c->model);
    jw_key(&j, "messages");
    jw_arr_begin(&j);
    for (uint32_t i = 0; i < q->n_messages; i++)
        canon_message(&j, &q->message[i]);
    jw_arr_end(&j);
    jw_key(&j, "tools");
    jw_arr_begin(&j);
    for (uint32_t i = 0; i < q->n_tools; i++) {
        jw_str(&j, q->tool[i].name);
        jw_str(&j, q->tool[i].doc);
        jw_str(&j, q->tool[i].schema);
    }
    jw_arr_end(&j);
    jw_kstr(&j, "schema_name", q->schema ? q->schema_name : NULL);
    jw_kstr(&j, "schema", q->schema);
    jw_ki64(&j, "max_tokens", q->max_tokens);
    jw_kf64(&j, "temperature", q->temperature);
    jw_ki64(&j, "seed", q->seed);
    jw_obj_end(&j);
}

/* ---- calls, in turns and replies ---- */

static void
calls_write(struct jw *j, const struct model_call *call, uint32_t n)
{
    jw_key(j, "calls");
    jw_arr_begin(j);
    for (uint32_t i = 0; i < n; i++) {
        jw_obj_begin(j);
        jw_kstr(j, "id", call[i].id);
        jw_kstr(j, "name", call[i].name);
        jw_kstr(j, "args", call[i].args);
        jw_obj_end(j);
    }
    jw_arr_end(j);
}

static const char *
text_of(struct arena *a, const struct json *j, const char *key)
{
    const char *s = json_get_str(j, key);
    return s != NULL ? arena_strdup(a, s) : NULL;
}

static const char *
some_text(struct arena *a, const struct json *j, const char *key)
{
    const char *s = text_of(a, j, key);
    return s != NULL ? s : "";
}

static uint32_t
calls_read(struct arena *a, const struct json *list, struct model_call *out)
{
    uint32_t n = 0;
    for (; n < json_len(list) && n < CALLS_MAX; n++) {
        const struct json *c = json_at(list, n);
        out[n] = (struct model_call){some_text(a, c, "id"),
            some_text(a, c, "name"), some_text(a, c, "args")};
    }
    return n;
}

/* ---- turns ---- */

void
turn_write(const struct turn *t, struct buf *out)
{
    struct jw j;
    jw_init(&j, out, 0);
    jw_obj_begin(&j);
    jw_ki64(&j, "finish", t->finish);
    jw_kstr(&j, "text", t->text);
    jw_kstr(&j, "refusal", t->refusal);
    calls_write(&j, t->call, t->n_calls);
    jw_ki64(&j, "in", t->in);
    jw_ki64(&j, "out", t->out);
    jw_ki64(&j, "cached", t->cached);
    jw_ki64(&j, "reasoning", t->reasoning);
    jw_kstr(&j, "id", t->id);
    jw_kstr(&j, "fingerprint", t->fingerprint);
    jw_obj_end(&j);
}

int
turn_read(struct arena *a, const char *json, struct turn *t, struct err *err)
{
    struct json *j = json_parse(json, strlen(json), err);
    if (j == NULL)
        return err_wrap(err, -ERR_CORRUPT, "a recorded turn");
    *t = (struct turn){
        .finish = (uint32_t)json_get_i64(j, "finish", 0),
        .text = some_text(a, j, "text"),
        .refusal = text_of(a, j, "refusal"),
        .in = json_get_i64(j, "in", -1),
        .out = json_get_i64(j, "out", -1),
        .cached = json_get_i64(j, "cached", 0),
        .reasoning = json_get_i64(j, "reasoning", 0),
        .id = some_text(a, j, "id"),
        .fingerprint = some_text(a, j, "fingerprint"),
    };
    t->n_calls = calls_read(a, json_get(j, "calls"), t->call);
    json_free(j);
    return 0;
}

/* ---- replies ---- */

const struct json *
model_keep(struct model *m, struct json *tree)
{
    if (m->n_trees == m->trees_cap) {
        m->trees_cap = m->trees_cap ? 2 * m->trees_cap : 16;
        m->tree = mem_realloc(m->tree, m->trees_cap * sizeof(struct json *));
    }
    m->tree[m->n_trees++] = tree;
    return tree;
}

void
reply_write(const struct model_reply *r, struct buf *out)
{
    struct jw j;
    jw_init(&j, out, 0);
    jw_obj_begin(&j);
    jw_ki64(&j, "status", r->status);
    jw_kstr(&j, "why", r->why);
    jw_kstr(&j, "warning", r->warning);
    jw_kstr(&j, "text", r->text);
    jw_kbool(&j, "json", r->json != NULL);
    calls_write(&j, r->call, r->n_calls);
    jw_obj_end(&j);
}

int
reply_read(struct model *m, struct arena *a, const char *json,
    struct model_reply *out, struct err *err)
{
    struct model_call call[CALLS_MAX];
    struct json *j = json_parse(json, strlen(json), err);
    if (j == NULL)
        return err_wrap(err, -ERR_CORRUPT, "a recorded reply");
    out->status = (uint32_t)json_get_i64(j, "status", MODEL_INVALID);
    out->why = text_of(a, j, "why");
    out->warning = text_of(a, j, "warning");
    out->text = some_text(a, j, "text");
    out->n_calls = calls_read(a, json_get(j, "calls"), call);
    struct model_call *own = arena_alloc(a, (out->n_calls + 1) * sizeof *own);
    if (out->n_calls > 0)
        memcpy(own, call, out->n_calls * sizeof *own);
    out->call = own;
    out->from_record = true;
    if (json_get_bool(j, "json", false)) {
        struct json *tree = json_parse(out->text, strlen(out->text), err);
        if (tree == NULL) {
            json_free(j);
            return err_wrap(err, -ERR_CORRUPT, "a recorded reply");
        }
        out->json = model_keep(m, tree);
    }
    json_free(j);
    return 0;
}
