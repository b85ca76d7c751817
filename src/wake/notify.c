/* Tells the engineer's webhook what the outbox holds. Called at the end of
 * every wake, with the lease held; messages were written in the transaction of
 * the events that caused them. A detached sender (sender.c) leaves a result
 * beside its mark in .rea/outbox, which a later wake reads: so no wake waits
 * for a network or fails by one, and a message leaves at least once.
 * Invariant: a message goes only after it was received, was wanted by nobody,
 * or failed TRIES_MAX times; then its reason stays. */
#include "wake/part.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "wake/sender.h"

enum {
    NOTES_MAX = 16,
    TRIES_MAX = 10,
    AGAIN_MS = 5000,         /* doubles with each failure ... */
    AGAIN_MAX_MS = 3600000,  /* ... up to an hour */
    SENDING_MS = 10 * 60000, /* longest that a living sender may take */
};

enum note_fate { NOTE_LEFT, NOTE_DONE, NOTE_FAILED, NOTE_SEND };

struct note {
    uint64_t seq;
    uint8_t fate; /* enum note_fate */
    const char *kind, *text, *mark;
    int64_t at_ms;
    struct store_tries tries;
};

struct notes {
    struct wake *w;
    const char *dir;
    struct note v[NOTES_MAX];
    uint32_t n;
};

static bool
is_wanted(const struct project *p, const char *kind)
{
    for (uint32_t i = 0; i < p->notify.n_on && p->notify.webhook != NULL; i++)
        if (strcmp(p->notify.on[i], kind) == 0)
            return true;
    return false;
}

static int
note_take(void *ctx, uint32_t campaign, uint64_t seq, const char *kind,
    const char *payload, int64_t at_ms)
{
    struct notes *l = ctx;
    struct arena *a = &l->w->arena;
    if (campaign == l->w->row.id && l->n < NOTES_MAX)
        l->v[l->n++] = (struct note){.seq = seq,
            .kind = arena_strdup(a, kind),
            .text = arena_strdup(a, payload),
            .mark = arena_printf(
                a, "%s/C%" PRIu32 "-%" PRIu64, l->dir, campaign, seq),
            .at_ms = at_ms};
    return 0;
}

static const char *
mark_of(struct wake *w, const struct note *e, const char *ending)
{
    return arena_printf(&w->arena, "%s.%s", e->mark, ending);
}

static void
note_fail(struct note *e, const char *why)
{
    e->fate = NOTE_FAILED;
    e->tries.n++;
    e->tries.last_ms = fs_now_ms();
    snprintf(e->tries.why, sizeof e->tries.why, "%.190s", why);
}

static bool
is_due(const struct note *e)
{
    int64_t pause = AGAIN_MS;
    if (e->tries.n == 0)
        return true;
    for (uint32_t i = 1; i < e->tries.n && pause < AGAIN_MAX_MS; i++)
        pause *= 2;
    int64_t since = fs_now_ms() - e->tries.last_ms;
    return since < 0 || since >= pause;
}

/* What is to be done with a message, by the files of its last sender. */
static int
note_judge(struct wake *w, struct note *e, struct err *err)
{
    struct buf why = {0};
    int64_t now = fs_now_ms();
    int64_t sent = fs_mtime_ms(mark_of(w, e, "try"));
    int rc = store_outbox_tries(w->st, w->row.id, e->seq, &e->tries, err);
    if (rc != 0)
        return rc;
    if (fs_exists(mark_of(w, e, "ok"))) {
        e->fate = NOTE_DONE;
    } else if (fs_read(mark_of(w, e, "err"), 4096, &why, NULL) == 0) {
        note_fail(e, buf_str(&why));
    } else if (sent >= 0) {
        if (now < sent || now - sent > SENDING_MS)
            note_fail(e, "its sender ended without a word");
    } else if (!is_wanted(w->project, e->kind)) {
        e->fate = NOTE_DONE;
    } else if (is_due(e)) {
        e->fate = NOTE_SEND;
    }
    buf_fini(&why);
    return 0;
}

static int
fates_write(struct notes *l, struct err *err)
{
    struct wake *w = l->w;
    uint32_t id = w->row.id, n = 0;
    for (uint32_t i = 0; i < l->n; i++)
        n += l->v[i].fate == NOTE_DONE || l->v[i].fate == NOTE_FAILED;
    int rc = n > 0 ? store_begin(w->st, err) : 0;
    if (rc != 0 || n == 0)
        return rc;
    for (uint32_t i = 0; rc == 0 && i < l->n; i++) {
        const struct note *e = &l->v[i];
        if (e->fate == NOTE_DONE)
            rc = store_outbox_done(w->st, id, e->seq, err);
        else if (e->fate == NOTE_FAILED)
            rc = store_outbox_failed(
                w->st, id, e->seq, &e->tries, e->tries.n >= TRIES_MAX, err);
    }
    if (rc == 0)
        rc = store_commit(w->st, err);
    if (rc != 0) {
        store_rollback(w->st);
        return rc;
    }
    static const char *const endings[] = {"ok", "err", "try"};
    for (uint32_t i = 0; i < l->n; i++) {
        bool over = l->v[i].fate == NOTE_DONE || l->v[i].fate == NOTE_FAILED;
        for (size_t k = 0; over && k < 3; k++)
            fs_remove(mark_of(w, &l->v[i], endings[k]), NULL);
    }
    return 0;
}

static const char *
next_command(const char *kind)
{
    return strcmp(kind, "finished") == 0     ? "rea report"
           : strcmp(kind, "phase-done") == 0 ? "rea log"
                                             : "rea status";
}

static const char *
body_of(struct wake *w, const struct note *e)
{
    struct buf b = {0};
    struct jw j;
    char when[40] = "";
    time_t s = (time_t)(e->at_ms / 1000);
    struct tm tm;
    if (gmtime_r(&s, &tm) != NULL)
        strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
    jw_init(&j, &b, 0);
    jw_obj_begin(&j);
    jw_key(&j, "event_id");
    jw_printf(&j, "%08" PRIx32 "-C%" PRIu32 "-%" PRIu64,
        store_workspace_id(w->st), w->row.id, e->seq);
    jw_kstr(&j, "event_type", e->kind);
    jw_kstr(&j, "timestamp", when);
    jw_key(&j, "campaign");
    jw_printf(&j, "C%" PRIu32, w->row.id);
    jw_kstr(&j, "model", w->row.model);
    jw_kstr(&j, "state", campaign_state_name(w->core->state));
    jw_kstr(&j, "text", e->text[0] != '\0' ? e->text : e->kind);
    jw_key(&j, "command");
    jw_printf(&j, "%s C%" PRIu32, next_command(e->kind), w->row.id);
    jw_kstr(&j, "workspace", store_root(w->st));
    jw_obj_end(&j);
    const char *body = arena_strdup(&w->arena, buf_str(&b));
    buf_fini(&b);
    return body;
}

/* Address and secret, or why there are none. */
static int
target_find(struct wake *w, struct buf *url, struct buf *secret, bool *signs,
    struct err *err)
{
    const struct project *p = w->project;
    const char *root = store_root(w->st);
    *signs = p->notify.secret != NULL;
    int rc = secret_resolve(p->notify.webhook, root, url, err);
    if (rc == 0 && strncmp(buf_str(url), "http://", 7) != 0 &&
        strncmp(buf_str(url), "https://", 8) != 0)
        rc = err_set(err, -ERR_INPUT,
            "%s holds no address that begins with http:// or https://",
            p->notify.webhook);
    if (rc == 0 && *signs)
        rc = secret_resolve(p->notify.secret, root, secret, err);
    return rc;
}

/* Marks them as being sent, then starts the sender. */
static int
notes_start(
    struct notes *l, const char *url, const char *secret, struct err *err)
{
    struct parcel parcel[NOTES_MAX];
    size_t n = 0;
    int rc = fs_mkdirs(l->dir, err);
    for (uint32_t i = 0; rc == 0 && i < l->n; i++) {
        const struct note *e = &l->v[i];
        if (e->fate != NOTE_SEND)
            continue;
        rc = fs_write_atomic(mark_of(l->w, e, "try"), "", 0, false, err);
        parcel[n++] = (struct parcel){e->mark,
            parcel_config(url, secret, body_of(l->w, e), fs_now_ms() / 1000)};
    }
    if (rc == 0 && !parcels_send(parcel, n))
        rc = err_set(err, -ERR_SYS, "no sender could be started");
    for (uint32_t i = 0; rc != 0 && i < l->n; i++)
        if (l->v[i].fate == NOTE_SEND)
            fs_remove(mark_of(l->w, &l->v[i], "try"), NULL);
    for (size_t i = 0; i < n; i++)
        free((char *)(uintptr_t)parcel[i].config);
    return rc;
}

static void
notes_send(struct notes *l)
{
    struct buf url = {0}, secret = {0};
    struct err err = {0};
    bool signs = false;
    uint32_t n = 0;
    for (uint32_t i = 0; i < l->n; i++)
        n += l->v[i].fate == NOTE_SEND;
    if (n == 0)
        return;
    int rc = target_find(l->w, &url, &secret, &signs, &err);
    if (rc == 0)
        rc = notes_start(
            l, buf_str(&url), signs ? buf_str(&secret) : NULL, &err);
    for (uint32_t i = 0; i < l->n; i++) {
        if (l->v[i].fate != NOTE_SEND)
            l->v[i].fate = NOTE_LEFT;
        else if (rc != 0)
            note_fail(&l->v[i], err.text);
    }
    if (rc != 0)
        fates_write(l, &err);
    buf_fini(&url);
    buf_fini(&secret);
}

void
notify_flush(struct wake *w)
{
    struct err ignored = {0};
    if (!store_outbox_waits(w->st, w->row.id) || project_need(w, &ignored) != 0)
        return;
    struct notes *l = arena_alloc(&w->arena, sizeof *l);
    *l = (struct notes){
        .w = w, .dir = fs_join_in(&w->arena, store_dir(w->st), "outbox")};
    int rc = store_outbox(w->st, note_take, l, &ignored);
    for (uint32_t i = 0; rc == 0 && i < l->n; i++)
        rc = note_judge(w, &l->v[i], &ignored);
    if (rc == 0 && fates_write(l, &ignored) == 0)
        notes_send(l);
}
