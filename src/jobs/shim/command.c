/* Reads the command file that the submitting process wrote: "key=value"
 * records, each ended by a NUL, so that any byte but NUL can be an argument.
 * Called once by main.c; the texts live as long as the process. */
#include "jobs/shim/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

enum field_kind { FIELD_NONE, FIELD_TEXT, FIELD_NUMBER, FIELD_LIST };

struct field {
    const char *key;
    enum field_kind kind;
    size_t at;       /* in struct shim_command */
    size_t count_at; /* lists: their counter */
    uint32_t max;
};

#define AT(m) offsetof(struct shim_command, m)

static const struct field fields[] = {
    {"token", FIELD_TEXT, AT(token), 0, 0},
    {"claim", FIELD_TEXT, AT(claim), 0, 0},
    {"run_dir", FIELD_TEXT, AT(run_dir), 0, 0},
    {"cwd", FIELD_TEXT, AT(cwd), 0, 0},
    {"stdout", FIELD_TEXT, AT(stdout_path), 0, 0},
    {"stderr", FIELD_TEXT, AT(stderr_path), 0, 0},
    {"metrics", FIELD_TEXT, AT(metrics_path), 0, 0},
    {"checkpoint", FIELD_TEXT, AT(checkpoint_path), 0, 0},
    {"time_ms", FIELD_NUMBER, AT(time_ms), 0, 0},
    {"budget_ms", FIELD_NUMBER, AT(budget_ms), 0, 0},
    {"boxed", FIELD_NUMBER, AT(boxed), 0, 0},
    {"grace_ms", FIELD_NUMBER, AT(grace_ms), 0, 0},
    {"hang_ms", FIELD_NUMBER, AT(hang_ms), 0, 0},
    {"delay_ms", FIELD_NUMBER, AT(delay_ms), 0, 0},
    {"pace", FIELD_NUMBER, AT(pace), 0, 0},
    {"keep", FIELD_NUMBER, AT(keep), 0, 0},
    {"memory_bytes", FIELD_NUMBER, AT(memory_bytes), 0, 0},
    {"disk_floor", FIELD_NUMBER, AT(disk_floor), 0, 0},
    {"arg", FIELD_LIST, AT(argv), AT(argc), SHIM_ARGS_MAX},
    {"env", FIELD_LIST, AT(env), AT(n_env), SHIM_ENV_MAX},
    {"wake", FIELD_LIST, AT(wake), AT(n_wake), SHIM_WAKE_MAX},
};

static int
field_set(struct shim_command *c, const struct field *f, const char *value,
    struct err *err)
{
    char *base = (char *)c;
    if (f->kind == FIELD_TEXT) {
        *(const char **)(void *)(base + f->at) = value;
        return 0;
    }
    if (f->kind == FIELD_NUMBER) {
        char *end;
        errno = 0;
        long long v = strtoll(value, &end, 10);
        if (errno != 0 || end == value || *end != '\0')
            return err_set(err, -ERR_INPUT, "%s is no number", f->key);
        *(int64_t *)(void *)(base + f->at) = v;
        return 0;
    }
    uint32_t *n = (uint32_t *)(void *)(base + f->count_at);
    if (*n == f->max)
        return err_set(err, -ERR_LIMIT, "more than %u of %s", f->max, f->key);
    ((const char **)(void *)(base + f->at))[(*n)++] = value;
    return 0;
}

static int
rungs_parse(struct shim_command *c, const char *text)
{
    char *end;
    unsigned long progress = strtoul(text, &end, 10);
    c->progress = progress < METRICS_MAX ? (uint32_t)progress : METRICS_MAX;
    for (c->n_rungs = 0; *end != '\0' && c->n_rungs < RUNGS_MAX;) {
        const char *from = end;
        c->rung[c->n_rungs++] = strtod(from, &end);
        if (end == from)
            return -ERR_INPUT;
    }
    return *end == '\0' ? 0 : -ERR_INPUT;
}

static int
floor_parse(struct shim_command *c, const char *text)
{
    char *end;
    c->floor = (struct floor_mark){.on = true, .level = strtod(text, &end)};
    return end != text && *end == '\0' ? 0 : -ERR_INPUT;
}

static int
record_read(struct shim_command *c, char *rec, size_t len, struct err *err)
{
    char *eq = strchr(rec, '=');
    if (eq == NULL)
        return err_set(err, -ERR_INPUT, "a record without '='");
    *eq = '\0';
    if (strcmp(rec, "watch") == 0) {
        c->has_watch = true;
        return harvest_spec_parse(
            &c->watch, eq + 1, len - (size_t)(eq + 1 - rec));
    }
    if (strcmp(rec, "rungs") == 0)
        return rungs_parse(c, eq + 1);
    if (strcmp(rec, "floor") == 0)
        return floor_parse(c, eq + 1);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (strcmp(fields[i].key, rec) == 0)
            return field_set(c, &fields[i], eq + 1, err);
    }
    return err_set(err, -ERR_INPUT, "unknown key '%s'", rec);
}

static int
file_load(const char *path, char **out, size_t *n, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_sys(err, "open %s", path);
    struct stat st;
    int rc = 0;
    if (fstat(fd, &st) != 0 || st.st_size <= 0 || st.st_size > 8 << 20)
        rc = err_set(err, -ERR_INPUT, "%s has no useful size", path);
    char *text = rc == 0 ? malloc((size_t)st.st_size + 1) : NULL;
    if (rc == 0 && text == NULL)
        rc = err_sys(err, "memory for %s", path);
    if (rc == 0 && read(fd, text, (size_t)st.st_size) != st.st_size)
        rc = err_sys(err, "read %s", path);
    close(fd);
    if (rc != 0) {
        free(text);
        return rc;
    }
    text[st.st_size] = '\0';
    *out = text;
    *n = (size_t)st.st_size;
    return 0;
}

int
command_load(struct shim_command *c, const char *run_dir, struct err *err)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s/shim.cmd", run_dir);
    if (len < 0 || (size_t)len >= sizeof path)
        return err_set(err, -ERR_INPUT, "the run folder's name is too long");
    char *text = NULL;
    size_t n = 0;
    int rc = file_load(path, &text, &n, err);
    for (size_t at = 0; rc == 0 && at < n;) {
        size_t rec = strlen(text + at);
        rc = record_read(c, text + at, rec, err);
        at += rec + 1;
    }
    if (rc == 0 &&
        (c->token == NULL || c->claim == NULL || c->run_dir == NULL ||
            c->cwd == NULL || c->stdout_path == NULL ||
            c->stderr_path == NULL || c->metrics_path == NULL || c->argc == 0))
        rc = -ERR_INPUT;
    if (rc != 0)
        return err_wrap(err, rc, "%s", path);
    return 0;
}
