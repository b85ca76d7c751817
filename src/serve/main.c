/* rea-serve: takes signed callbacks of jobs whose nodes can't reach the state,
 * and wakes their campaigns. Started by `rea serve`, or by a socket unit of
 * systemd (LISTEN_FDS): then it ends when nobody has called for a while, and
 * nothing of it stays while jobs run.
 *
 *   rea-serve --root DIR --rea PROGRAM [--address A] [--port N] [--idle S]
 *
 * One thread; a wake is a process of its own that is waited for, so that the
 * answer says what became of it. Whoever is not signed costs a read and no
 * more: the state is opened after the check. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/arena.h"
#include "base/child.h"
#include "base/fs.h"
#include "store/store.h"
#include "wake/callback.h"

enum {
    LISTEN_FD = 3, /* systemd's first one, sd_listen_fds(3) */
    PORT = 8701,
    CONNECTIONS_MAX = 64,
    TIMEOUT_S = 10, /* for a caller that is slow, or silent */
    MEMORY_MAX = 16 << 10,
    WAKE_MS = 60000,
    TURN_MS = 1000,
    WHY_MAX = 240,
};

struct serve {
    const char *root, *rea, *address;
    int port, fd;
    int64_t idle_s; /* 0: until it is told to end */
    int64_t last_s; /* of the last caller */
    char dir[STORE_PATH_LEN];
    char key[CALLBACK_KEY_HEX];
};

/* One request, while its body comes in. */
struct request {
    char body[CALLBACK_BODY_MAX];
    size_t len;
    bool too_long;
};

static volatile sig_atomic_t told_to_end;

static void
on_end(int sig)
{
    (void)sig;
    told_to_end = 1;
}

static int64_t
now_s(void)
{
    return (int64_t)time(NULL);
}

/* ---- a good word ---- */

/* A word counts once, whichever server of the workspace took it. */
static int
nonce_take(
    const struct serve *s, const char *nonce, bool *fresh, struct err *err)
{
    struct store *st = NULL;
    int rc = store_open(s->root, STORE_WRITE, &st, err);
    if (rc == 0)
        rc = store_begin(st, err);
    if (rc == 0) {
        rc = store_nonce_take(st, nonce, now_s() * 1000,
            2 * CALLBACK_WINDOW_S * 1000LL, fresh, err);
        if (rc == 0)
            rc = store_commit(st, err);
        else
            store_rollback(st);
    }
    store_close(st);
    return rc;
}

/* Exit codes above 1 are answers of the wake (a gate, a bad file). */
static unsigned
campaign_wake(const struct serve *s, uint32_t campaign, char why[WHY_MAX])
{
    char name[16];
    struct buf out = {0};
    struct err err = {0};
    int code = 0;
    snprintf(name, sizeof name, "C%" PRIu32, campaign);
    const char *argv[] = {s->rea, "-q", "-C", s->root, "wake", name, NULL};
    int rc = child_run(argv, NULL, s->root, WAKE_MS, &out, &code, &err);
    snprintf(why, WHY_MAX, "%.*s", (int)strcspn(buf_str(&out), "\n"),
        rc != 0 ? err.text : buf_str(&out));
    buf_fini(&out);
    if (rc != 0 || code == 1 || code >= 124)
        return MHD_HTTP_SERVICE_UNAVAILABLE;
    return code == 2 ? MHD_HTTP_NOT_FOUND : MHD_HTTP_OK;
}

static unsigned
word_take(const struct serve *s, const char *header, const char *body,
    char why[WHY_MAX])
{
    char nonce[CALLBACK_NONCE_HEX];
    struct err err = {0};
    bool fresh = false;
    switch (callback_check(s->key, header, body, now_s(), nonce)) {
    case CALLBACK_GOOD:
        break;
    case CALLBACK_LATE:
        snprintf(why, WHY_MAX,
            "its time is more than %d s from ours: set the clocks",
            CALLBACK_WINDOW_S);
        return MHD_HTTP_FORBIDDEN;
    default:
        snprintf(why, WHY_MAX, "not signed by this workspace's key");
        return MHD_HTTP_UNAUTHORIZED;
    }
    uint32_t campaign = callback_campaign(body);
    if (campaign == 0) {
        snprintf(why, WHY_MAX, "it names no campaign");
        return MHD_HTTP_BAD_REQUEST;
    }
    if (nonce_take(s, nonce, &fresh, &err) != 0) {
        snprintf(why, WHY_MAX, "%.200s", err.text);
        return MHD_HTTP_SERVICE_UNAVAILABLE;
    }
    if (!fresh) {
        snprintf(why, WHY_MAX, "it was taken before");
        return MHD_HTTP_CONFLICT;
    }
    return campaign_wake(s, campaign, why);
}

/* ---- HTTP ---- */

static enum MHD_Result
answer(struct MHD_Connection *c, unsigned code, const char *why)
{
    char text[WHY_MAX + 2];
    snprintf(text, sizeof text, "%s\n", why);
    struct MHD_Response *r = MHD_create_response_from_buffer(
        strlen(text), text, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result rc = MHD_queue_response(c, code, r);
    MHD_destroy_response(r);
    return rc;
}

static void
body_add(struct request *q, const char *data, size_t n)
{
    if (q->too_long || n >= sizeof q->body - q->len) {
        q->too_long = true;
        return;
    }
    memcpy(q->body + q->len, data, n);
    q->len += n;
}

static enum MHD_Result
on_request(void *ctx, struct MHD_Connection *c, const char *url,
    const char *method, const char *version, const char *data, size_t *n,
    void **own)
{
    struct serve *s = ctx;
    struct request *q = *own;
    char why[WHY_MAX] = "";
    (void)version;
    (void)url;
    if (q == NULL) {
        *own = mem_calloc(1, sizeof *q);
        return MHD_YES;
    }
    if (*n > 0) {
        body_add(q, data, *n);
        *n = 0;
        return MHD_YES;
    }
    s->last_s = now_s();
    if (strcmp(method, "POST") != 0)
        return answer(c, MHD_HTTP_METHOD_NOT_ALLOWED, "POST a callback");
    if (q->too_long || memchr(q->body, '\0', q->len) != NULL)
        return answer(
            c, MHD_HTTP_CONTENT_TOO_LARGE, "no callback is like that");
    const char *header =
        MHD_lookup_connection_value(c, MHD_HEADER_KIND, CALLBACK_HEADER);
    unsigned code = word_take(s, header, q->body, why);
    printf("%u %.*s %s\n", code, (int)q->len < 40 ? (int)q->len : 40, q->body,
        code == MHD_HTTP_OK ? "" : why);
    fflush(stdout);
    return answer(c, code, why);
}

static void
on_over(void *ctx, struct MHD_Connection *c, void **own,
    enum MHD_RequestTerminationCode how)
{
    (void)ctx;
    (void)c;
    (void)how;
    free(*own);
    *own = NULL;
}

/* ---- the socket ---- */

static bool
is_activated(void)
{
    const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
    return fds != NULL && strtol(fds, NULL, 10) >= 1 &&
           (pid == NULL || strtol(pid, NULL, 10) == (long)getpid());
}

static int
socket_open(struct serve *s, struct err *err)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)s->port)};
    const int yes = 1;
    socklen_t len = sizeof a;
    if (is_activated()) {
        s->fd = LISTEN_FD;
        return 0;
    }
    if (inet_pton(AF_INET, s->address, &a.sin_addr) != 1)
        return err_set(err, -ERR_INPUT,
            "--address %s: write the IPv4 address of an interface, or 0.0.0.0 "
            "for all",
            s->address);
    s->idle_s = 0;
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s->fd < 0 ||
        setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(s->fd, (struct sockaddr *)&a, sizeof a) != 0 ||
        listen(s->fd, CONNECTIONS_MAX) != 0 ||
        getsockname(s->fd, (struct sockaddr *)&a, &len) != 0)
        return err_sys(err, "listen on %s:%d", s->address, s->port);
    printf("listening on http://%s:%u\n", s->address, ntohs(a.sin_port));
    fflush(stdout);
    return 0;
}

static int
serve_run(struct serve *s, struct err *err)
{
    int rc = socket_open(s, err);
    if (rc != 0)
        return rc;
    struct MHD_Daemon *d = MHD_start_daemon(MHD_NO_FLAG, 0, NULL, NULL,
        on_request, s, MHD_OPTION_LISTEN_SOCKET, s->fd,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_MAX,
        MHD_OPTION_NOTIFY_COMPLETED, on_over, NULL, MHD_OPTION_END);
    if (d == NULL)
        return err_sys(err, "serve");
    s->last_s = now_s();
    while (!told_to_end) {
        MHD_run_wait(d, TURN_MS);
        const union MHD_DaemonInfo *open =
            MHD_get_daemon_info(d, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
        bool idle = open != NULL && open->num_connections == 0;
        if (s->idle_s > 0 && idle && now_s() - s->last_s >= s->idle_s)
            break;
    }
    MHD_stop_daemon(d);
    return 0;
}

static int
args_read(struct serve *s, int argc, char **argv, struct err *err)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--root") == 0)
            s->root = argv[i + 1];
        else if (strcmp(argv[i], "--rea") == 0)
            s->rea = argv[i + 1];
        else if (strcmp(argv[i], "--address") == 0)
            s->address = argv[i + 1];
        else if (strcmp(argv[i], "--port") == 0)
            s->port = (int)strtol(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--idle") == 0)
            s->idle_s = strtol(argv[i + 1], NULL, 10);
    }
    if (s->root == NULL || s->rea == NULL)
        return err_set(err, -ERR_INPUT, "started by `rea serve`; not by hand");
    snprintf(s->dir, sizeof s->dir, "%.1000s/.rea", s->root);
    return callback_key(s->dir, true, s->key, err);
}

int
main(int argc, char **argv)
{
    struct serve s = {.address = "0.0.0.0", .port = PORT, .idle_s = 30};
    struct err err = {0};
    struct sigaction end = {.sa_handler = on_end};
    sigaction(SIGTERM, &end, NULL);
    sigaction(SIGINT, &end, NULL);
    signal(SIGPIPE, SIG_IGN);
    int rc = args_read(&s, argc, argv, &err);
    if (rc == 0)
        rc = serve_run(&s, &err);
    if (rc == 0)
        return 0;
    fprintf(stderr, "rea-serve: %s\n", err.text);
    return rc == -ERR_INPUT ? 2 : 1;
}
