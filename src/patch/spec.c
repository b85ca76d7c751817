/* sandbox.json out and in. Called by the wake and by checks; read in another
 * process. Invariant: what is read back is what was written, or an error. */
#include "patch/spec.h"

#include <string.h>

#include "base/fs.h"
#include "base/git.h"
#include "base/json.h"
#include "patch/diff.h"

enum { SPEC_VERSION = 1, SPEC_BYTES_MAX = 1 << 20, NAMES_MAX = 1024 };

/* Threads and locale: what changes a run without being a secret. */
static const char *const shared[] = {"PATH", "LANG", "LC_ALL", "LC_NUMERIC",
    "LC_CTYPE", "TZ", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "CUDA_VISIBLE_DEVICES",
    "REA_TOKEN"};

static void
list_add(struct name_list *l, const char *text)
{
    if (l->n < NAMES_MAX)
        l->v[l->n++] = text;
}

bool
path_is_in(const char *path, const char *dir)
{
    size_t n = strlen(dir);
    return strncmp(path, dir, n) == 0 &&
           (path[n] == '\0' || path[n] == '/' || (n > 0 && dir[n - 1] == '/'));
}

/* What is shown of the workspace must not cover the tree, nor show the state.
 */
static int
read_check(struct arena *a, const struct sandbox_spec *s, struct err *err)
{
    const char *state = fs_join_in(a, s->root, ".rea");
    for (uint32_t i = 0; i < s->read.n; i++) {
        const char *named = fs_join_in(a, s->root, s->read.v[i]);
        const char *real = named;
        (void)fs_real_in(a, named, &real, NULL);
        if (path_is_in(s->top, real) || path_is_in(real, state) ||
            path_is_in(state, real))
            return err_set(err, -ERR_INPUT,
                "%s can't be shown to jobs: it holds the repository or the "
                "state of rea\n"
                "  remedy: name the data alone in [patch] read and [train] "
                "fingerprint",
                s->read.v[i]);
    }
    return 0;
}

int
sandbox_spec_fill(struct arena *a, const struct project *p, const char *root,
    const char *base_rev, const char *const *env_extra,
    struct sandbox_spec *out, struct err *err)
{
    *out = (struct sandbox_spec){.base_rev = base_rev, .build = p->patch.build};
    int rc = fs_real_in(a, root, &out->root, err);
    if (rc != 0)
        return rc;
    out->top = git_top_in(a, out->root);
    if (out->top == NULL || strcmp(out->top, "/") == 0)
        return err_set(err, -ERR_INPUT,
            "[patch] of %s needs a git repository around %s\n"
            "  remedy: git init and a commit, or no [patch]",
            p->file, root);
    out->gpus = project_has_gpus(p);
    out->read.v = arena_alloc(a, NAMES_MAX * sizeof *out->read.v);
    out->env.v = arena_alloc(a, NAMES_MAX * sizeof *out->env.v);
    for (uint32_t i = 0; i < p->train.n_fingerprint; i++)
        list_add(&out->read, p->train.fingerprint[i]);
    for (uint32_t i = 0; i < p->patch.read.n; i++)
        list_add(&out->read, p->patch.read.v[i]);
    for (size_t i = 0; i < sizeof shared / sizeof *shared; i++)
        list_add(&out->env, shared[i]);
    for (uint32_t i = 0; i < p->patch.env.n; i++)
        list_add(&out->env, p->patch.env.v[i]);
    for (; env_extra != NULL && *env_extra != NULL; env_extra++)
        list_add(
            &out->env, arena_strndup(a, *env_extra, strcspn(*env_extra, "=")));
    return read_check(a, out, err);
}

void
sandbox_spec_patches(
    const struct core *c, uint32_t patches, struct sandbox_spec *out)
{
    out->n_patches = 0;
    for (uint32_t i = 0; i < c->n_patches; i++)
        if (patches >> i & 1)
            out->patch[out->n_patches++] = c->patch[i].sha256;
}

static void
put_list(struct jw *w, const char *key, const char *const *v, uint32_t n)
{
    jw_key(w, key);
    jw_arr_begin(w);
    for (uint32_t i = 0; i < n; i++)
        jw_str(w, v[i]);
    jw_arr_end(w);
}

void
sandbox_spec_put(const struct sandbox_spec *s, struct buf *out)
{
    struct jw w;
    jw_init(&w, out, 2);
    jw_obj_begin(&w);
    jw_ki64(&w, "version", SPEC_VERSION);
    jw_kstr(&w, "root", s->root);
    jw_kstr(&w, "top", s->top);
    jw_kstr(&w, "base_rev", s->base_rev);
    put_list(&w, "patches", s->patch, s->n_patches);
    jw_kstr(&w, "build", s->build);
    put_list(&w, "read", s->read.v, s->read.n);
    put_list(&w, "env", s->env.v, s->env.n);
    jw_kstr(&w, "run_dir", s->run_dir);
    jw_kstr(&w, "earlier", s->earlier);
    jw_kbool(&w, "earlier_writable", s->earlier_writable);
    jw_kbool(&w, "gpus", s->gpus);
    jw_kbool(&w, "terminal", s->terminal);
    jw_obj_end(&w);
    buf_putc(out, '\n');
}

static bool
read_list(struct arena *a, const struct json *j, struct name_list *out)
{
    size_t n = json_len(j);
    if (json_kind(j) != J_ARR || n > NAMES_MAX)
        return false;
    out->v = arena_alloc(a, (n + 1) * sizeof *out->v);
    for (size_t i = 0; i < n; i++) {
        const char *s = json_str(json_at(j, i));
        if (s == NULL)
            return false;
        out->v[out->n++] = arena_strdup(a, s);
    }
    return true;
}

static const char *
text_of(struct arena *a, const struct json *j, const char *key)
{
    const char *s = json_get_str(j, key);
    return s != NULL ? arena_strdup(a, s) : NULL;
}

int
sandbox_spec_read(struct arena *a, const char *path, struct sandbox_spec *out,
    struct err *err)
{
    struct name_list patches = {0};
    struct json *j = json_read(path, SPEC_BYTES_MAX, err);
    if (j == NULL)
        return err->code;
    *out = (struct sandbox_spec){.root = text_of(a, j, "root"),
        .top = text_of(a, j, "top"),
        .base_rev = text_of(a, j, "base_rev"),
        .build = text_of(a, j, "build"),
        .run_dir = text_of(a, j, "run_dir"),
        .earlier = text_of(a, j, "earlier"),
        .earlier_writable = json_get_bool(j, "earlier_writable", false),
        .gpus = json_get_bool(j, "gpus", false),
        .terminal = json_get_bool(j, "terminal", false)};
    bool ok = json_get_i64(j, "version", 0) == SPEC_VERSION &&
              read_list(a, json_get(j, "patches"), &patches) &&
              read_list(a, json_get(j, "read"), &out->read) &&
              read_list(a, json_get(j, "env"), &out->env) &&
              patches.n <= PATCHES_MAX && out->root != NULL &&
              out->top != NULL && out->base_rev != NULL && out->run_dir != NULL;
    for (uint32_t i = 0; ok && i < patches.n; i++) {
        ok = strlen(patches.v[i]) == DIFF_SHA_HEX - 1;
        out->patch[out->n_patches++] = patches.v[i];
    }
    json_free(j);
    return ok ? 0 : err_set(err, -ERR_CORRUPT, "%s: not readable", path);
}

int
sandbox_program_in(struct arena *a, const char **out, struct err *err)
{
    const char *self = NULL;
    int rc = fs_real_in(a, "/proc/self/exe", &self, err);
    if (rc != 0)
        return rc;
    *out = fs_join_in(a, fs_dir_in(a, self), "rea-sandbox");
    if (fs_is_file(*out))
        return 0;
    return err_set(err, -ERR_NOT_FOUND,
        "%s is missing, and nothing runs a patch without its sandbox\n"
        "  remedy: make, or install rea again",
        *out);
}

const char *
sandbox_work_in(struct arena *a, const char *run_dir)
{
    return fs_join_in(a, run_dir, "work");
}

int
sandbox_wrap(struct arena *a, const struct project *p, const struct core *c,
    const char *root, uint32_t patches, const char *dir, const char *earlier,
    bool earlier_writable, struct job_command *cmd, struct err *err)
{
    struct sandbox_spec s;
    struct buf text = {0};
    const char *program = NULL, *path = fs_join_in(a, dir, "sandbox.json");
    int rc = sandbox_program_in(a, &program, err);
    if (rc == 0)
        rc = sandbox_spec_fill(a, p, root, c->base_rev, cmd->env, &s, err);
    if (rc == 0)
        rc = fs_mkdirs(sandbox_work_in(a, dir), err);
    if (rc != 0)
        return rc;
    sandbox_spec_patches(c, patches, &s);
    s.run_dir = sandbox_work_in(a, dir);
    s.earlier = earlier;
    s.earlier_writable = earlier_writable;
    sandbox_spec_put(&s, &text);
    rc = fs_write_atomic(path, buf_str(&text), text.len, false, err);
    buf_fini(&text);
    if (rc != 0)
        return rc;
    const char **argv = arena_alloc(a, (cmd->argc + 4) * sizeof *argv);
    argv[0] = program;
    argv[1] = path;
    argv[2] = "--";
    memcpy(argv + 3, cmd->argv, (cmd->argc + 1) * sizeof *argv);
    cmd->argv = argv;
    cmd->argc += 3;
    return 0;
}
