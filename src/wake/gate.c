/* What must hold before anything trains: the project file is the approved
 * one, and the data are those that the baseline was measured on, or a new
 * window begins. Called before jobs are started. Invariant: no job starts on
 * a file that nobody has signed. */
#include "wake/part.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void
key_of(const char *what, uint32_t campaign, char out[64])
{
    snprintf(out, 64, "%s/C%" PRIu32, what, campaign);
}

int
project_keep(struct store *st, uint32_t campaign, const char *file,
    const char *hash, struct err *err)
{
    struct arena a = {0};
    struct project *p = NULL;
    struct err ignored = {0};
    char now[PROJECT_HASH_HEX], key[64];
    int rc = 0;
    if (project_load(&a, store_root(st), file, &p, &ignored) == 0) {
        project_hash(p, now);
        key_of("project", campaign, key);
        if (strcmp(now, hash) == 0)
            rc = store_kv_put(st, key, p->text, p->text_len, err);
    }
    arena_fini(&a);
    return rc;
}

/* The file as it was signed, for jobs that end while it stands edited. */
static int
project_kept(struct wake *w, struct err *err)
{
    struct buf text = {0};
    bool found = false;
    char key[64], now[PROJECT_HASH_HEX];
    key_of("project", w->row.id, key);
    int rc = store_kv_get(w->st, key, &found, &text, err);
    struct project *p = NULL;
    if (rc == 0 && !found)
        rc = err_set(err, -ERR_NOT_FOUND, "no signed copy of %s is kept",
            w->row.project);
    if (rc == 0) {
        const char *own = arena_strndup(&w->arena, buf_str(&text), text.len);
        rc = project_parse(&w->arena, store_root(w->st), w->row.project, own,
            text.len, &p, err);
    }
    buf_fini(&text);
    if (rc != 0)
        return rc;
    project_hash(p, now);
    if (strcmp(now, w->row.project_hash) != 0)
        return err_set(err, -ERR_INPUT,
            "the signed copy of %s no longer has its hash: a file that it "
            "names has changed; restore it",
            w->row.project);
    w->project = p;
    return 0;
}

int
project_check(struct wake *w, bool *same, char why[WHY_LEN], struct err *err)
{
    struct project *p = NULL;
    struct err e = {0};
    struct buf canon = {0}, old = {0}, diff = {0};
    char now[PROJECT_HASH_HEX];
    *same = false;
    int rc = project_load(&w->arena, store_root(w->st), w->row.project, &p, &e);
    if (rc == -ERR_SYS) /* a disk that fails says nothing of what was signed */
        return err_set(err, rc, "%.300s", e.text);
    if (rc != 0) {
        snprintf(why, WHY_LEN, "%.100s can't be read any more: %.300s",
            w->row.project, e.text);
        return 0;
    }
    project_hash(p, now);
    if (strcmp(now, w->row.project_hash) == 0) {
        *same = true;
        w->project = p;
        w->project_verified = true;
        return 0;
    }
    project_canon(p, &canon);
    rc = store_campaign_canon(w->st, w->row.id, &old, err);
    uint32_t fields = 0;
    if (rc == 0 && old.len > 0 &&
        project_within(buf_str(&old), buf_str(&canon))) {
        *same = true;
        w->project = p;
        w->project_verified = true;
    } else if (rc == 0 && old.len > 0)
        fields = project_diff(buf_str(&old), buf_str(&canon), 3, &diff);
    if (fields > 0)
        snprintf(why, WHY_LEN,
            "%.100s is not the approved one, %u change%s: %.300s",
            w->row.project, fields, fields == 1 ? "" : "s", buf_str(&diff));
    else
        snprintf(
            why, WHY_LEN, "%.100s is not the approved one", w->row.project);
    for (char *s = why; *s != '\0'; s++)
        if (*s == '\n')
            *s = s[1] == '\0' ? '\0' : ';';
    buf_fini(&canon);
    buf_fini(&old);
    buf_fini(&diff);
    return rc;
}

int
project_need(struct wake *w, struct err *err)
{
    bool same = false;
    char why[WHY_LEN];
    if (w->project != NULL)
        return 0;
    int rc = project_check(w, &same, why, err);
    if (rc != 0 && rc != -ERR_SYS)
        return rc;
    return same ? 0 : project_kept(w, err);
}

/* Sizes and times of a file or folder tree, two levels deep: cheap, and enough
 * to know when the content has to be hashed again. */
static void
stamp_add(struct arena *a, const char *path, int depth, struct buf *out)
{
    struct stat sb;
    if (stat(path, &sb) != 0) {
        buf_printf(out, "%s gone\n", path);
        return;
    }
    buf_printf(out, "%s %lld %lld.%09ld %llu\n", path, (long long)sb.st_size,
        (long long)sb.st_mtim.tv_sec, sb.st_mtim.tv_nsec,
        (unsigned long long)sb.st_ino);
    const char **names = NULL;
    size_t n = 0;
    if (!S_ISDIR(sb.st_mode) || depth > 8 ||
        fs_list_in(a, path, &names, &n, NULL) != 0)
        return;
    for (size_t i = 0; i < n; i++)
        stamp_add(a, fs_join_in(a, path, names[i]), depth + 1, out);
}

static void
stamp_of(struct wake *w, char hex[FS_HASH_HEX])
{
    struct buf b = {0};
    const struct project *p = w->project;
    for (uint32_t i = 0; i < p->train.n_fingerprint; i++)
        stamp_add(&w->arena,
            fs_join_in(&w->arena, store_root(w->st), p->train.fingerprint[i]),
            0, &b);
    fs_hash_bytes(buf_str(&b), b.len, hex);
    buf_fini(&b);
}

/* The data's fingerprint where its stamp is the one it was read at: *hit. */
static int
fingerprint_kept(struct wake *w, const char *stamp, bool *hit,
    char out[FINGERPRINT_HEX], struct err *err)
{
    struct buf kept = {0};
    bool found = false;
    char key[64];
    key_of("stamp", w->row.id, key);
    int rc = store_kv_get(w->st, key, &found, &kept, err);
    size_t n = strlen(stamp);
    *hit = rc == 0 && found && kept.len > n && memcmp(kept.data, stamp, n) == 0;
    if (*hit)
        snprintf(out, FINGERPRINT_HEX, "%s", buf_str(&kept) + n);
    buf_fini(&kept);
    return rc;
}

/* The data's fingerprint; content is read only when a stamp has changed. */
static int
data_fingerprint(struct wake *w, char out[FINGERPRINT_HEX], struct err *err)
{
    char key[64], stamp[FS_HASH_HEX];
    const struct project *p = w->project;
    if (p->train.fingerprint_command == NULL) {
        bool hit = false;
        stamp_of(w, stamp);
        int rc = fingerprint_kept(w, stamp, &hit, out, err);
        if (rc != 0 || hit)
            return rc;
    }
    int rc = project_fingerprint(p, out, err);
    if (rc != 0 || p->train.fingerprint_command != NULL)
        return rc;
    rc = wake_begin(w, err);
    if (rc != 0)
        return rc;
    char both[FS_HASH_HEX + FINGERPRINT_HEX];
    snprintf(both, sizeof both, "%s%s", stamp, out);
    key_of("stamp", w->row.id, key);
    rc = store_kv_put(w->st, key, both, strlen(both), err);
    if (rc == 0)
        return wake_end(w, err);
    store_rollback(w->st);
    return rc;
}

static int
data_check(struct wake *w, struct fact_list *facts, struct err *err)
{
    char hex[FINGERPRINT_HEX] = "";
    const struct project *p = w->project;
    w->data_verified = true;
    if (p->train.n_fingerprint == 0 && p->train.fingerprint_command == NULL)
        return 0;
    int rc = data_fingerprint(w, hex, err);
    if (rc != 0)
        return err_wrap(err, rc, "fingerprint of the data of C%u", w->row.id);
    if (hex[0] == '\0' || strcmp(hex, w->core->fingerprint) == 0)
        return 0;
    struct fact *f = fact_new(w, EVENT_data_seen);
    f->e.hash = arena_strdup(&w->arena, hex);
    f->e.why = w->core->fingerprint[0] == '\0'
                   ? "the data that this campaign is measured on"
                   : "the data changed: the baseline is measured again";
    fact_add(w, facts, f);
    return 0;
}

int
gates_pass(struct wake *w, bool *changed, struct err *err)
{
    struct fact_list facts = {0};
    char why[WHY_LEN] = "";
    int rc = 0;
    *changed = false;
    if (!w->project_verified) {
        bool same = false;
        rc = project_check(w, &same, why, err);
        if (rc != 0)
            return rc;
        if (!same && w->core->project_ok) {
            struct fact *f = fact_new(w, EVENT_project_changed);
            f->e.why = arena_strdup(&w->arena, why);
            fact_add(w, &facts, f);
        }
    }
    if (facts.n == 0 && w->project_verified && !w->data_verified)
        rc = data_check(w, &facts, err);
    if (rc != 0 || facts.n == 0)
        return rc;
    *changed = true;
    return wake_commit(w, &facts, err);
}

bool
gates_are_open(struct wake *w)
{
    bool hit = false;
    char stamp[FS_HASH_HEX], hex[FINGERPRINT_HEX] = "";
    if (!w->project_verified)
        return false;
    const struct project *p = w->project;
    if (w->data_verified ||
        (p->train.n_fingerprint == 0 && p->train.fingerprint_command == NULL))
        return true;
    if (p->train.fingerprint_command != NULL)
        return false; /* it may take long, and jobs that ended come first */
    stamp_of(w, stamp);
    return fingerprint_kept(w, stamp, &hit, hex, NULL) == 0 && hit &&
           strcmp(hex, w->core->fingerprint) == 0;
}
