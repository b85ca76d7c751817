/* rea serve: becomes rea-serve, which takes callbacks of jobs whose nodes can't
 * reach the state. */
#include "cmd/verbs.h"
#include "cmd/work.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"

static int
serve_run(struct call *call, struct err *err)
{
    struct arena *a = call->arena;
    char self[4096];
    struct store *st = NULL;
    double port = 8701;
    const char *address = call_opt(call, "address");
    int rc = call_opt_num(call, "port", &port, err);
    if (rc == 0)
        rc = work_store(call, STORE_WRITE, &st, err); /* is it all there? */
    if (rc != 0)
        return rc;
    const char *root = arena_strdup(a, store_root(st));
    store_close(st);
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = '\0';
    const char *program = fs_join_in(a, fs_dir_in(a, self), "rea-serve");
    const char *argv[] = {program, "--root", root, "--rea", self, "--port",
        arena_printf(a, "%.0f", port), "--address",
        address != NULL ? address : "0.0.0.0", NULL};
    execv(program, (char *const *)(uintptr_t)argv);
    return err_set(err, -ERR_NOT_FOUND,
        "%s can't be run (%s)\n  remedy: install Debian's libmicrohttpd12, and "
        "make all",
        program, strerror(errno));
}

static const struct cmd_opt serve_opts[] = {{"port", 0, "N", "default 8701"},
    {"address", 0, "A", "IPv4 address to listen on; default all"}, {0}};

const struct cmd cmd_serve = {.name = "serve",
    .args = "",
    .help = "take signed callbacks of jobs whose nodes can't reach the state",
    .more =
        "[backend] callback names this address. A job's end is told by an "
        "HTTP POST that is signed with the workspace's key "
        "(.rea/callback.key, HMAC-SHA256) and counts once. Under a socket "
        "unit of systemd (docs/hosts.md) it runs only while somebody calls. "
        "rea sweep stays the net under lost ones.",
    .example = "rea serve --port 8701",
    .opts = serve_opts,
    .run = serve_run};
