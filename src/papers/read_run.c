/* Runs build/rea-read over files and takes its lines. Called by corpus_add.c.
 * Invariant: the reader is a child under limits whose every line is parsed as
 * outside bytes; when it dies or falls silent, the file that it was at is
 * reported and the next process goes on behind it. */
#include "papers/read_run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"

enum {
    SILENCE_MS = 60000, /* between two lines, on a loaded machine */
    LINE_MAX_BYTES = 32 << 20,
    CHUNK = 1 << 16,
};

static bool
has_suffix(const char *path, const char *suffix)
{
    size_t n = strlen(path), m = strlen(suffix);
    return n > m && strcasecmp(path + n - m, suffix) == 0;
}

bool
read_knows(const char *path)
{
    static const char *const suffix[] = {".txt", ".md", ".markdown", ".json",
        ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz", ".html",
        ".htm", ".xhtml", ".tex", ".ltx", ".bib", ".bibtex", ".xml", ".atom",
        ".pdf", ".txt.gz", ".xml.gz", ".bib.gz", ".tex.gz"};
    for (size_t i = 0; i < sizeof suffix / sizeof *suffix; i++)
        if (has_suffix(path, suffix[i]))
            return true;
    return false;
}

/* ---- one process ---- */

struct reader {
    const char *program;
    const char *const *path;
    uint32_t n;     /* files it was given */
    uint32_t begun; /* files it has begun */
    uint32_t done;  /* files it has finished */
    const struct read_sink *sink;
    char *guard; /* [120] */
    struct buf line;
    const char *broken; /* why the parent ended it; NULL: it did not */
};

static int
reader_find(struct arena *a, const char **out, struct err *err)
{
    const char *env = getenv("REA_READ");
    char exe[4096];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    *out = env != NULL && env[0] != '\0' ? env : NULL;
    if (n > 0 && *out == NULL) {
        exe[n] = '\0';
        const char *dir = fs_dir_in(a, exe);
        /* A test program lies up to three folders below (build/asan/test/unit).
         */
        for (int up = 0; up < 4 && *out == NULL; up++) {
            const char *path = fs_join_in(a, dir, "rea-read");
            if (access(path, X_OK) == 0)
                *out = path;
            dir = fs_dir_in(a, dir);
        }
    }
    if (*out == NULL || access(*out, X_OK) != 0)
        return err_set(err, -ERR_NOT_FOUND,
            "rea-read, which reads papers, is not beside this program: install "
            "it there, or name it in REA_READ");
    return 0;
}

static int
paths_file(const struct reader *r, struct err *err)
{
    struct buf b = {0};
    for (uint32_t i = 0; i < r->n; i++)
        buf_add(&b, r->path[i], strlen(r->path[i]) + 1);
    int fd = memfd_create("paths", 0);
    size_t at = 0;
    while (fd >= 0 && at < b.len) {
        ssize_t n = write(fd, b.data + at, b.len - at);
        if (n <= 0)
            break;
        at += (size_t)n;
    }
    if (fd < 0 || at < b.len || lseek(fd, 0, SEEK_SET) != 0) {
        int rc = err_sys(err, "the list of files for rea-read");
        if (fd >= 0)
            close(fd);
        buf_fini(&b);
        return rc;
    }
    buf_fini(&b);
    return fd;
}

/* The child keeps three descriptors and an environment of two words. */
static void
reader_exec(const struct reader *r, int in, int out)
{
    char *env[] = {"LC_ALL=C.UTF-8", "PATH=/usr/local/bin:/usr/bin:/bin", NULL};
    char *argv[3] = {"rea-read", NULL, NULL};
    if (has_suffix(r->path[0], ".pdf"))
        argv[1] = "--pdf";
    int null_fd = open("/dev/null", O_WRONLY);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    if (null_fd >= 0)
        dup2(null_fd, STDERR_FILENO);
    close_range(3, ~0U, 0);
    execve(r->program, argv, env);
    _exit(127);
}

static int
line_paper(struct reader *r, const struct json *j, struct err *err)
{
    const char *s[6];
    static const char *const key[6] = {
        "id", "title", "date", "licence", "source", "where"};
    for (int i = 0; i < 6; i++) {
        const char *text = json_get_str(j, key[i]);
        s[i] = text != NULL ? text : "";
    }
    const struct json *text = json_get(j, "text");
    struct read_paper p = {.id = s[0],
        .title = s[1],
        .date = s[2],
        .licence = s[3],
        .source = s[4],
        .where = s[5],
        .text = json_str(text) != NULL ? json_str(text) : "",
        .len = json_str_len(text),
        .whole = json_get_bool(j, "whole", false),
        .path = r->path[r->begun > 0 ? r->begun - 1 : 0]};
    return r->sink->paper(r->sink->ctx, &p, err);
}

static int
line_take(struct reader *r, const char *line, size_t n, struct err *err)
{
    struct err bad = {0};
    struct json *j = json_parse(line, n, &bad);
    const char *why = json_get_str(j, "bad"), *at = json_get_str(j, "where");
    const char *guard = json_get_str(j, "guard");
    int rc = 0;
    if (j == NULL)
        r->broken = "the reader printed what is no line of its protocol";
    else if (guard != NULL)
        snprintf(r->guard, 120, "%.119s", guard);
    else if (json_get_bool(j, "begin", false))
        r->begun += r->begun < r->n;
    else if (json_get_bool(j, "end", false))
        r->done = r->begun;
    else if (why != NULL)
        r->sink->bad(r->sink->ctx, at != NULL ? at : "?", why);
    else
        rc = line_paper(r, j, err);
    json_free(j);
    return rc;
}

static int
lines_take(struct reader *r, struct err *err)
{
    size_t at = 0;
    int rc = 0;
    char *end;
    while (rc == 0 && r->broken == NULL && at < r->line.len &&
           (end = memchr(r->line.data + at, '\n', r->line.len - at)) != NULL) {
        rc = line_take(
            r, r->line.data + at, (size_t)(end - r->line.data) - at, err);
        at = (size_t)(end - r->line.data) + 1;
    }
    if (at > 0) {
        memmove(r->line.data, r->line.data + at, r->line.len - at);
        r->line.len -= at;
    }
    if (r->line.len > LINE_MAX_BYTES)
        r->broken = "the reader printed a line of more than 32 MB";
    return rc;
}

/* Until it closes its output, says something wrong or falls silent. */
static int
reader_drain(struct reader *r, int fd, struct err *err)
{
    int rc = 0;
    char *chunk = mem_calloc(1, CHUNK);
    while (rc == 0 && r->broken == NULL) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int got = poll(&p, 1, SILENCE_MS);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            r->broken = "no end of it after 60 s";
            break;
        }
        ssize_t n = read(fd, chunk, CHUNK);
        if (n <= 0)
            break;
        buf_add(&r->line, chunk, (size_t)n);
        rc = lines_take(r, err);
    }
    free(chunk);
    return rc;
}

static const char *
death_word(const struct reader *r, int status)
{
    if (r->broken != NULL)
        return r->broken;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
        return "too much work: more than its share of processor time";
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT)
        return "the reader gave up: more memory than it may take";
    if (WIFSIGNALED(status))
        return "the reader crashed on it and was thrown away";
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return "rea-read can't be started";
    return "the reader ended early";
}

static int
reader_run(struct reader *r, struct err *err)
{
    int fds[2], status = 0;
    int in = paths_file(r, err);
    if (in < 0)
        return in;
    if (pipe2(fds, O_CLOEXEC) != 0) {
        close(in);
        return err_sys(err, "pipe for rea-read");
    }
    pid_t pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        reader_exec(r, in, fds[1]);
    }
    close(in);
    close(fds[1]);
    if (pid < 0) {
        close(fds[0]);
        return err_sys(err, "fork for rea-read");
    }
    int rc = reader_drain(r, fds[0], err);
    close(fds[0]);
    if (rc != 0 || r->broken != NULL) {
        setpgid(pid, pid); /* should it not have come so far */
        kill(-pid, SIGKILL);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (rc == 0 && r->done < r->n) {
        uint32_t at = r->begun > r->done ? r->begun - 1 : r->done;
        r->sink->bad(r->sink->ctx, r->path[at], death_word(r, status));
        r->done = at + 1;
    }
    return rc;
}

/* How many files from here on one process reads: each PDF has its own. */
static uint32_t
run_length(const char *const *path, uint32_t n)
{
    uint32_t len = 0;
    while (len < n && !has_suffix(path[len], ".pdf"))
        len++;
    return len > 0 ? len : n > 0;
}

int
read_files(const char *const *path, uint32_t n, const struct read_sink *sink,
    char guard[120], struct err *err)
{
    struct arena a = {0};
    const char *program = NULL;
    int rc = n > 0 ? reader_find(&a, &program, err) : 0;
    for (uint32_t i = 0; i < n && rc == 0;) {
        struct reader r = {.program = program,
            .path = path + i,
            .n = run_length(path + i, n - i),
            .sink = sink,
            .guard = guard};
        rc = reader_run(&r, err);
        buf_fini(&r.line);
        i += r.done;
    }
    arena_fini(&a);
    return rc;
}
