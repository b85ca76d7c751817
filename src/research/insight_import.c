/* Which of the known forms a file or folder has, and its way to the reader.
 * Called by the verb. Invariant: one transaction; a form that is not known is
 * named with what there is. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/near.h"
#include "research/insight_db.h"
#include "research/insight_runs.h"

enum {
    FILE_BYTES_MAX = 1 << 30,
    HEAD_BYTES = 4096,
    FOLDER_DEPTH = 3,
};

enum form {
    FORM_NONE,
    FORM_JSONL,
    FORM_OPTUNA,
    FORM_OPTUNA_SQLITE,
    FORM_MLFLOW,
    FORM_CSV,
    FORM_WANDB
};

static bool
ends_with(const char *path, const char *end)
{
    size_t n = strlen(path), m = strlen(end);
    return n > m && strcmp(path + n - m, end) == 0;
}

static size_t
head_read(const char *path, char out[HEAD_BYTES])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, out, HEAD_BYTES - 1) : -1;
    if (fd >= 0)
        close(fd);
    out[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

static bool
folder_has_wandb(struct arena *a, const char *dir, int depth)
{
    const char **name = NULL;
    size_t n = 0;
    if (depth > FOLDER_DEPTH || fs_list_in(a, dir, &name, &n, NULL) != 0)
        return false;
    for (size_t i = 0; i < n; i++) {
        const char *at = fs_join_in(a, dir, name[i]);
        if (ends_with(name[i], ".wandb") ||
            (name[i][0] != '.' && fs_is_dir(at) &&
                folder_has_wandb(a, at, depth + 1)))
            return true;
    }
    return false;
}

static enum form
form_tell(struct arena *a, const char *path)
{
    char head[HEAD_BYTES];
    if (fs_is_dir(path))
        return folder_has_wandb(a, path, 0) ? FORM_WANDB : FORM_MLFLOW;
    size_t n = head_read(path, head);
    if (n >= 4 && memcmp(head, ":W&B", 4) == 0)
        return FORM_WANDB;
    if (n >= 15 && memcmp(head, "SQLite format 3", 15) == 0)
        return FORM_OPTUNA_SQLITE;
    char *eol = strchr(head, '\n');
    if (eol != NULL)
        *eol = '\0';
    if (strstr(head, "\"op_code\"") != NULL)
        return FORM_OPTUNA;
    if (ends_with(path, ".csv") || ends_with(path, ".tsv"))
        return FORM_CSV;
    return FORM_JSONL;
}

static int
form_read(struct arena *a, const char *path, const char *name, enum form *out,
    struct err *err)
{
    static const char *const word[] = {
        "jsonl", "optuna", "mlflow", "csv", "wandb"};
    static const enum form form[] = {
        FORM_JSONL, FORM_OPTUNA, FORM_MLFLOW, FORM_CSV, FORM_WANDB};
    *out = form_tell(a, path);
    if (name == NULL)
        return 0;
    for (int i = 0; i < 5; i++)
        if (strcmp(word[i], name) == 0) {
            if (form[i] != FORM_OPTUNA || *out != FORM_OPTUNA_SQLITE)
                *out = form[i];
            return 0;
        }
    const char *near = near_word(name, word, 5);
    return err_set(err, -ERR_INPUT,
        "--format=%s is not known%s%s; there are jsonl, optuna, mlflow, csv "
        "and wandb",
        name, near != NULL ? "; did you mean " : "", near != NULL ? near : "");
}

static int
wandb_file(struct studies *s, const char *path, const struct insight_source *o,
    struct err *err)
{
    struct buf b = {0};
    int rc = fs_read(path, FILE_BYTES_MAX, &b, err);
    if (rc == 0)
        rc = wandb_read(s, fs_base(path), b.data, b.len, o, err);
    buf_fini(&b);
    return rc;
}

static void
wandb_folder(struct studies *s, const char *dir, const struct insight_source *o,
    int depth)
{
    const char **name = NULL;
    size_t n = 0;
    if (depth > FOLDER_DEPTH || fs_list_in(s->arena, dir, &name, &n, NULL) != 0)
        return;
    for (size_t i = 0; i < n; i++) {
        const char *at = fs_join_in(s->arena, dir, name[i]);
        struct err why = {0};
        if (ends_with(name[i], ".wandb") && wandb_file(s, at, o, &why) != 0)
            studies_bad(s, "%.380s", why.text);
        else if (name[i][0] != '.' && fs_is_dir(at))
            wandb_folder(s, at, o, depth + 1);
    }
}

static int
text_read(struct studies *s, enum form form, const char *path,
    const struct insight_source *o, struct err *err)
{
    struct buf b = {0};
    int rc = fs_read(path, FILE_BYTES_MAX, &b, err);
    if (rc == 0 && form == FORM_OPTUNA)
        rc = optuna_journal_read(s, buf_str(&b), b.len, o, err);
    else if (rc == 0)
        rc = csv_read(s, o->study != NULL ? o->study : fs_base(path),
            buf_str(&b), b.len, o, err);
    buf_fini(&b);
    return rc;
}

static int
studies_read(struct studies *s, enum form form, const char *path,
    const struct insight_source *o, struct err *err)
{
    switch (form) {
    case FORM_OPTUNA_SQLITE:
        return optuna_sqlite_read(s, path, o, err);
    case FORM_MLFLOW:
        return mlflow_store_read(s, path, o, err);
    case FORM_WANDB:
        if (o->metric == NULL)
            return err_set(err, -ERR_INPUT,
                "which metric of these runs?\n  remedy: --metric=NAME, as the "
                "run logs it");
        if (!fs_is_dir(path))
            return wandb_file(s, path, o, err);
        wandb_folder(s, path, o, 0);
        return 0;
    default:
        return text_read(s, form, path, o, err);
    }
}

int
insight_import_from(struct insights *db, const char *path,
    const struct insight_source *from, struct insight_import *out,
    struct err *err)
{
    struct arena a = {0};
    struct studies s = {.arena = &a};
    enum form form = FORM_NONE;
    memset(out, 0, sizeof *out);
    int rc = fs_exists(path) ? 0
                             : err_set(err, -ERR_NOT_FOUND,
                                   "%s: no such file or folder", path);
    if (rc == 0)
        rc = form_read(&a, path, from->format, &form, err);
    if (rc == 0 && form == FORM_JSONL) {
        arena_fini(&a);
        return insight_import(db, path, out, err);
    }
    if (rc == 0)
        rc = studies_read(&s, form, path, from, err);
    if (rc == 0)
        rc = insight_keep_studies(db, &s, from, out, err);
    arena_fini(&a);
    return rc == 0 ? 0 : err_wrap(err, rc, "import trials from %s", path);
}
