/* Fetches an MLflow server's experiments and runs by curl, the program: its
 * REST interface, API 2.0. Called by rea insight import. Secrets
 * (MLFLOW_TRACKING_TOKEN, or _USERNAME and _PASSWORD) go by a file of mode 0600
 * that is removed, never by the command line. */
#include "cmd/insight.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/child.h"

enum { PAGES_MAX = 5000, REPLY_MAX = 64 << 20, FETCH_MS = 120000 };

struct fetch {
    struct call *call;
    const char *url, *dir;
    const char **page;
    size_t n, cap;
};

/* A value inside the quotes of curl's config file. */
static void
quote_put(struct buf *out, const char *s)
{
    for (; *s != '\0'; s++) {
        if (*s == '"' || *s == '\\')
            buf_putc(out, '\\');
        if (*s != '\n' && *s != '\r')
            buf_putc(out, *s);
    }
}

static int
config_write(struct fetch *f, const char *path, struct err *err)
{
    const char *token = getenv("MLFLOW_TRACKING_TOKEN");
    const char *user = getenv("MLFLOW_TRACKING_USERNAME");
    const char *password = getenv("MLFLOW_TRACKING_PASSWORD");
    struct buf b = {0};
    buf_puts(&b, "silent\nshow-error\nmax-time = 60\nmax-filesize = 67108864\n"
                 "proto = \"=http,https\"\n"
                 "header = \"Content-Type: application/json\"\n");
    if (token != NULL && token[0] != '\0') {
        buf_puts(&b, "header = \"Authorization: Bearer ");
        quote_put(&b, token);
        buf_puts(&b, "\"\n");
    } else if (user != NULL && password != NULL) {
        buf_puts(&b, "user = \"");
        quote_put(&b, user);
        buf_putc(&b, ':');
        quote_put(&b, password);
        buf_puts(&b, "\"\n");
    }
    (void)f;
    int rc = fs_write_atomic(path, buf_str(&b), b.len, false, err);
    buf_fini(&b);
    return rc;
}

/* One reply, kept as a page; *token is what asks for the next one, or NULL. */
static int
post(struct fetch *f, const char *what, const char *body, const char **token,
    struct err *err)
{
    struct arena *a = f->call->arena;
    struct buf said = {0}, reply = {0};
    int code = 0;
    const char *in = fs_join_in(a, f->dir, "body");
    const char *out = fs_join_in(a, f->dir, "reply");
    const char *argv[] = {"curl", "-K", fs_join_in(a, f->dir, "config"),
        "--data", arena_printf(a, "@%s", in), "-o", out, "-w", "%{http_code}",
        arena_printf(a, "%s/api/2.0/mlflow/%s", f->url, what), NULL};
    int rc = fs_remove(out, err);
    if (rc == 0)
        rc = fs_write_atomic(in, body, strlen(body), false, err);
    if (rc == 0)
        rc = child_run(argv, NULL, NULL, FETCH_MS, &said, &code, err);
    if (rc == 0 && code == 127)
        rc = err_set(err, -ERR_SYS, "curl cannot be run; install it");
    else if (rc == 0 && (code != 0 || strcmp(buf_str(&said), "200") != 0))
        rc = err_set(err, -ERR_SYS,
            "%s answers %s with %.200s (curl exits with %d)\n  remedy: check "
            "the address, and MLFLOW_TRACKING_TOKEN if it asks who you are",
            f->url, what, buf_str(&said), code);
    if (rc == 0)
        rc = fs_read(out, REPLY_MAX, &reply, err);
    if (rc == 0) {
        struct json *j = json_parse(buf_str(&reply), reply.len, err);
        const char *next = json_get_str(j, "next_page_token");
        *token = next != NULL && next[0] != '\0' ? arena_strdup(a, next) : NULL;
        rc = j != NULL ? 0 : err_wrap(err, -ERR_INPUT, "%s: %s", f->url, what);
        json_free(j);
    }
    if (rc == 0) {
        if (f->n == f->cap) {
            f->cap = f->cap > 0 ? 2 * f->cap : 16;
            f->page = mem_realloc(f->page, f->cap * sizeof *f->page);
        }
        f->page[f->n++] = arena_strndup(a, buf_str(&reply), reply.len);
    }
    buf_fini(&said);
    buf_fini(&reply);
    return rc;
}

static const char *
body_in(struct fetch *f, const char *experiment, const char *token)
{
    struct buf b = {0};
    struct jw w;
    jw_init(&w, &b, 0);
    jw_obj_begin(&w);
    jw_ki64(&w, "max_results", 200);
    if (experiment != NULL) {
        jw_key(&w, "experiment_ids");
        jw_arr_begin(&w);
        jw_str(&w, experiment);
        jw_arr_end(&w);
    }
    if (token != NULL)
        jw_kstr(&w, "page_token", token);
    jw_obj_end(&w);
    const char *text = arena_strndup(f->call->arena, buf_str(&b), b.len);
    buf_fini(&b);
    return text;
}

static int
pages_fetch(
    struct fetch *f, const char *what, const char *experiment, struct err *err)
{
    const char *token = NULL;
    int rc;
    do {
        if (f->n >= PAGES_MAX)
            return err_set(err, -ERR_LIMIT,
                "%s: more than %d pages; name one with --study", f->url,
                PAGES_MAX);
        rc = post(f, what, body_in(f, experiment, token), &token, err);
    } while (rc == 0 && token != NULL);
    return rc;
}

static int
runs_fetch(struct fetch *f, struct err *err)
{
    const char *only = call_opt(f->call, "study");
    size_t pages = f->n;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < pages; i++) {
        struct json *j = json_parse(f->page[i], strlen(f->page[i]), err);
        const struct json *list = json_get(j, "experiments");
        for (size_t k = 0; rc == 0 && k < json_len(list); k++) {
            const struct json *e = json_at(list, k);
            const char *id = json_get_str(e, "experiment_id");
            const char *name = json_get_str(e, "name");
            if (id != NULL && name != NULL &&
                (only == NULL || strcmp(only, name) == 0))
                rc = pages_fetch(f, "runs/search", id, err);
        }
        json_free(j);
    }
    return rc;
}

int
mlflow_fetch(struct call *call, const char *url, const char ***page, size_t *n,
    struct err *err)
{
    char dir[] = "/tmp/rea-mlflow-XXXXXX";
    size_t len = strlen(url);
    while (len > 0 && url[len - 1] == '/')
        len--;
    if (mkdtemp(dir) == NULL) /* of mode 0700 */
        return err_sys(err, "make a folder for curl");
    struct fetch f = {
        .call = call, .url = arena_strndup(call->arena, url, len), .dir = dir};
    int rc = config_write(&f, fs_join_in(call->arena, dir, "config"), err);
    if (rc == 0)
        rc = pages_fetch(&f, "experiments/search", NULL, err);
    if (rc == 0)
        rc = runs_fetch(&f, err);
    fs_remove_tree(dir, NULL);
    if (rc == 0 && f.n > 0) {
        *page = arena_alloc(call->arena, f.n * sizeof **page);
        memcpy(*page, f.page, f.n * sizeof **page);
        *n = f.n;
    }
    free(f.page);
    return rc;
}
