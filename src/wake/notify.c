/* Tells the engineer's webhook what the outbox holds. Called at the end of a
 * wake that appended events, with the lease held, so each message leaves once.
 * The request itself is made by the program curl, detached, with its own
 * retries: no wake waits for a network, and HTTP is not linked. The address
 * is a secret: it reaches curl on its standard input, never its arguments. */
#include "wake/part.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"

enum { NOTES_MAX = 64 };

struct note {
    uint64_t seq;
    bool wanted;
    const char *body; /* JSON */
};

struct notes {
    struct wake *w;
    struct note v[NOTES_MAX];
    uint32_t n;
};

static bool
is_wanted(const struct project *p, const char *kind)
{
    for (uint32_t i = 0; i < p->notify.n_on; i++)
        if (strcmp(p->notify.on[i], kind) == 0)
            return true;
    return false;
}

static int
note_take(void *ctx, uint32_t campaign, uint64_t seq, const char *kind,
    const char *payload, int64_t at_ms)
{
    struct notes *l = ctx;
    struct wake *w = l->w;
    if (campaign != w->row.id || l->n == NOTES_MAX)
        return 0;
    struct note *e = &l->v[l->n++];
    struct buf b = {0};
    struct jw jw;
    jw_init(&jw, &b, 0);
    jw_obj_begin(&jw);
    jw_key(&jw, "campaign");
    jw_printf(&jw, "C%u", campaign);
    jw_kstr(&jw, "model", w->row.model);
    jw_kstr(&jw, "event", kind);
    jw_kstr(&jw, "state", campaign_state_name(w->core->state));
    jw_kstr(&jw, "text", payload);
    jw_ki64(&jw, "at_ms", at_ms);
    jw_kstr(&jw, "workspace", store_root(w->st));
    jw_obj_end(&jw);
    *e = (struct note){
        seq, is_wanted(w->project, kind), arena_strdup(&w->arena, buf_str(&b))};
    buf_fini(&b);
    return 0;
}

static void
config_put(struct buf *out, const char *key, const char *value)
{
    buf_printf(out, "%s = \"", key);
    for (const char *c = value; *c != '\0' && *c != '\n'; c++) {
        if (*c == '"' || *c == '\\')
            buf_putc(out, '\\');
        buf_putc(out, *c);
    }
    buf_puts(out, "\"\n");
}

/* Detached: a grandchild, so that nobody waits for it. */
static bool
curl_start(const struct buf *config)
{
    int in = memfd_create("rea-notify", MFD_CLOEXEC);
    if (in < 0)
        return false;
    bool ok = write(in, config->data, config->len) == (ssize_t)config->len &&
              lseek(in, 0, SEEK_SET) == 0;
    pid_t pid = ok ? fork() : -1;
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        setsid();
        if (null < 0 || dup2(in, 0) < 0 || dup2(null, 1) < 0 ||
            dup2(null, 2) < 0)
            _exit(127);
        pid_t second = fork();
        if (second != 0)
            _exit(second < 0 ? 127 : 0);
        execlp("curl", "curl", "--config", "-", (char *)NULL);
        _exit(127);
    }
    int status = 0;
    ok = pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
    close(in);
    return ok;
}

static bool
note_send(const struct wake *w, const struct note *e)
{
    const struct project *p = w->project;
    struct buf url = {0}, config = {0};
    const char *root = store_root(w->st);
    bool ok = secret_resolve(p->notify.webhook, root, &url, NULL) == 0;
    if (ok) {
        config_put(&config, "url", buf_str(&url));
        config_put(&config, "proto", "=http,https");
        config_put(&config, "header", "Content-Type: application/json");
        config_put(&config, "data", e->body);
        buf_puts(&config, "silent\nmax-time = 20\nretry = 4\n");
        ok = curl_start(&config);
    }
    buf_fini(&url);
    buf_fini(&config);
    return ok;
}

/* Messages are a courtesy: what fails here is tried again by a later wake and
 * never fails this one. */
void
notify_flush(struct wake *w)
{
    struct err ignored = {0};
    if (w->events == 0 || project_need(w, &ignored) != 0 ||
        w->project->notify.webhook == NULL)
        return;
    struct notes *l = arena_alloc(&w->arena, sizeof *l);
    *l = (struct notes){.w = w};
    if (store_outbox(w->st, note_take, l, &ignored) != 0 || l->n == 0 ||
        store_begin(w->st, &ignored) != 0)
        return;
    int rc = 0;
    for (uint32_t i = 0; i < l->n && rc == 0; i++)
        if (!l->v[i].wanted || note_send(w, &l->v[i]))
            rc = store_outbox_done(w->st, w->row.id, l->v[i].seq, &ignored);
    if (rc != 0 || store_commit(w->st, &ignored) != 0)
        store_rollback(w->st);
}
