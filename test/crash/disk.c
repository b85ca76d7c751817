/* The disk that loses its power (disk.h). */
#include "crash/disk.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/fs.h"

enum { SECTOR = 512, SHM_BYTES = 32768, NODES = 4096, NAMES = 8192 };

/* An unsynced write, or a change of size (data NULL). */
struct patch {
    int64_t at;
    size_t n;
    unsigned char *data;
};

struct node {
    bool dir;
    uint64_t inode; /* of the process that calls, now */
    struct buf safe;
    struct patch *patch;
    size_t n_patches, cap;
};

struct name {
    char *path;
    uint32_t node;
};

struct names {
    struct name *at;
    size_t n;
};

/* An unsynced change of a name: from goes, path is node. Either may be NULL. */
struct change {
    char *path, *from;
    uint32_t node;
};

struct disk {
    char *root;
    enum disk_lie lie;
    struct node *node;
    uint32_t n_nodes;
    struct names now, safe;
    struct change *change;
    size_t n_changes;
};

/* ---- names ---- */

static struct name *
name_find(const struct names *l, const char *path)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->at[i].path, path) == 0)
            return &l->at[i];
    return NULL;
}

static void
name_drop(struct names *l, const char *path)
{
    struct name *x = name_find(l, path);
    if (x == NULL)
        return;
    free(x->path);
    *x = l->at[--l->n];
}

static void
name_put(struct names *l, const char *path, uint32_t node)
{
    struct name *x = name_find(l, path);
    if (x != NULL) {
        x->node = node;
        return;
    }
    assert(l->n < NAMES);
    l->at[l->n++] = (struct name){mem_strdup(path), node};
}

static struct names
names_copy(const struct names *l)
{
    struct names to = {mem_calloc(NAMES, sizeof *to.at), 0};
    for (size_t i = 0; i < l->n; i++)
        to.at[to.n++] = (struct name){mem_strdup(l->at[i].path), l->at[i].node};
    return to;
}

static void
names_fini(struct names *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->at[i].path);
    free(l->at);
}

/* Is path a name in this folder? */
static bool
is_in(const char *dir, const char *path)
{
    size_t n = strlen(dir);
    return path != NULL && strncmp(path, dir, n) == 0 && path[n] == '/' &&
           strchr(path + n + 1, '/') == NULL;
}

static bool
is_above(const char *dir, const char *path)
{
    size_t n = strlen(dir);
    return strncmp(path, dir, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

static bool
ends_with(const char *path, const char *end)
{
    size_t n = strlen(path), m = strlen(end);
    return n >= m && strcmp(path + n - m, end) == 0;
}

static void
change_apply(const struct change *c, struct names *l)
{
    if (c->from != NULL)
        name_drop(l, c->from);
    if (c->path != NULL)
        name_put(l, c->path, c->node);
}

static void
change_add(struct disk *d, const char *path, const char *from, uint32_t node)
{
    struct change c = {.node = node};
    c.path = path != NULL ? mem_strdup(path) : NULL;
    c.from = from != NULL ? mem_strdup(from) : NULL;
    d->change = mem_realloc(d->change, (d->n_changes + 1) * sizeof *d->change);
    d->change[d->n_changes++] = c;
    change_apply(&c, &d->now);
}

/* Changes of names in dir (NULL: none) and the folders above path are safe. */
static void
changes_settle(struct disk *d, const char *dir, const char *path)
{
    size_t kept = 0;
    for (size_t i = 0; i < d->n_changes; i++) {
        struct change *c = &d->change[i];
        bool above = c->path != NULL && c->from == NULL &&
                     d->node[c->node].dir && is_above(c->path, path);
        bool in = dir != NULL && (is_in(dir, c->path) || is_in(dir, c->from));
        if (!above && !in) {
            d->change[kept++] = *c;
            continue;
        }
        change_apply(c, &d->safe);
        free(c->path);
        free(c->from);
    }
    d->n_changes = kept;
}

/* ---- contents ---- */

static uint32_t
node_new(struct disk *d, bool dir, uint64_t inode)
{
    assert(d->n_nodes < NODES);
    d->node[d->n_nodes] = (struct node){.dir = dir, .inode = inode};
    return d->n_nodes++;
}

/* The newest node with this inode: numbers may be used again. */
static struct node *
node_by_inode(struct disk *d, uint64_t inode)
{
    for (uint32_t i = d->n_nodes; i-- > 0;)
        if (!d->node[i].dir && d->node[i].inode == inode)
            return &d->node[i];
    return NULL;
}

static void
bytes_put(struct buf *b, int64_t at, const void *data, size_t n)
{
    static const char zeros[SECTOR];
    while (b->len < (size_t)at + n) {
        size_t more = (size_t)at + n - b->len;
        buf_add(b, zeros, more < SECTOR ? more : SECTOR);
    }
    if (n > 0)
        memcpy(b->data + at, data, n);
}

static void
patch_apply(struct buf *b, const struct patch *p)
{
    if (p->data == NULL) {
        bytes_put(b, p->at, NULL, 0);
        b->len = (size_t)p->at;
    } else {
        bytes_put(b, p->at, p->data, p->n);
    }
}

static void
patch_add(struct node *x, int64_t at, const unsigned char *data, size_t n)
{
    if (x->n_patches == x->cap) {
        x->cap = x->cap > 0 ? 2 * x->cap : 8;
        x->patch = mem_realloc(x->patch, x->cap * sizeof *x->patch);
    }
    struct patch p = {at, n, NULL};
    if (data != NULL) {
        p.data = mem_calloc(n + 1, 1);
        memcpy(p.data, data, n);
    }
    x->patch[x->n_patches++] = p;
}

static void
node_sync(struct node *x)
{
    for (size_t i = 0; i < x->n_patches; i++) {
        patch_apply(&x->safe, &x->patch[i]);
        free(x->patch[i].data);
    }
    x->n_patches = 0;
}

/* ---- calls ---- */

static void
name_bind(struct disk *d, const struct call *c)
{
    struct name *x = name_find(&d->now, call_path(c));
    if (x != NULL)
        d->node[x->node].inode = c->node;
    else /* made in a way that is not recorded: by mapping */
        change_add(d, call_path(c), NULL, node_new(d, false, c->node));
}

void
disk_apply(struct disk *d, const struct call *c)
{
    const char *path = call_path(c);
    struct name *from;
    struct node *x;
    switch ((enum call_kind)c->kind) {
    case CALL_FOUND:
        name_bind(d, c);
        break;
    case CALL_CREATE:
    case CALL_MKDIR:
        change_add(d, path, NULL, node_new(d, c->kind == CALL_MKDIR, c->node));
        break;
    case CALL_WRITE:
    case CALL_SIZE:
        x = node_by_inode(d, c->node);
        assert(x != NULL);
        patch_add(
            x, c->at, c->kind == CALL_WRITE ? call_data(c) : NULL, c->n_data);
        break;
    case CALL_SYNC:
        x = node_by_inode(d, c->node);
        assert(x != NULL);
        if (d->lie != DISK_NO_FILE_SYNC)
            node_sync(x);
        changes_settle(d, NULL, path);
        break;
    case CALL_SYNC_DIR:
        changes_settle(d, d->lie == DISK_NO_FOLDER_SYNC ? NULL : path, path);
        break;
    case CALL_RENAME:
    case CALL_LINK:
        from = name_find(&d->now, path);
        assert(from != NULL);
        change_add(
            d, call_other(c), c->kind == CALL_RENAME ? path : NULL, from->node);
        break;
    case CALL_UNLINK:
        change_add(d, NULL, path, 0);
        break;
    case CALL_ACK:
        break;
    }
}

static void
scan_folder(struct disk *d, const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *e;
    struct arena a = {0};
    if (dir == NULL)
        abort();
    while ((e = readdir(dir)) != NULL) {
        struct stat sb;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
            strcmp(e->d_name, "reserve") == 0)
            continue;
        const char *full = fs_join_in(&a, path, e->d_name);
        if (lstat(full, &sb) != 0)
            abort();
        uint32_t k = node_new(d, S_ISDIR(sb.st_mode), sb.st_ino);
        name_put(&d->now, full, k);
        name_put(&d->safe, full, k);
        if (d->node[k].dir)
            scan_folder(d, full);
        else if (fs_read(full, 0, &d->node[k].safe, NULL) != 0)
            abort();
    }
    closedir(dir);
    arena_fini(&a);
}

static struct disk *
disk_new(const char *root, enum disk_lie lie)
{
    struct disk *d = mem_calloc(1, sizeof *d);
    d->root = mem_strdup(root);
    d->lie = lie;
    d->node = mem_calloc(NODES, sizeof *d->node);
    return d;
}

struct disk *
disk_scan(const char *root, enum disk_lie lie)
{
    struct disk *d = disk_new(root, lie);
    d->now.at = mem_calloc(NAMES, sizeof *d->now.at);
    d->safe.at = mem_calloc(NAMES, sizeof *d->safe.at);
    scan_folder(d, root);
    return d;
}

void
disk_free(struct disk *d)
{
    for (uint32_t i = 0; i < d->n_nodes; i++) {
        for (size_t k = 0; k < d->node[i].n_patches; k++)
            free(d->node[i].patch[k].data);
        free(d->node[i].patch);
        buf_fini(&d->node[i].safe);
    }
    for (size_t i = 0; i < d->n_changes; i++) {
        free(d->change[i].path);
        free(d->change[i].from);
    }
    names_fini(&d->now);
    names_fini(&d->safe);
    free(d->change);
    free(d->node);
    free(d->root);
    free(d);
}

/* ---- the cut ---- */

/* What chance an unsynced thing has to be there: a disk that wrote nothing
 * yet, half, or nearly all. */
static bool
survives(struct rng *r, double chance)
{
    return rng_f64(r) < chance;
}

/* Some of a write's sectors, the last of them perhaps in part. */
static void
patch_tear(struct buf *b, const struct patch *p, struct rng *r)
{
    size_t n = p->n;
    if (rng_below(r, 2) == 0) /* all up to some byte */
        n = rng_below(r, n + 1);
    for (size_t at = 0; at < n;) {
        size_t border = SECTOR - ((size_t)p->at + at) % SECTOR;
        size_t len = n - at < border ? n - at : border;
        if (n < p->n || rng_below(r, 2) == 0)
            bytes_put(b, p->at + (int64_t)at, p->data + at, len);
        at += len;
    }
}

static void
content_cut(const struct node *x, struct rng *r, double chance, struct buf *out)
{
    buf_clear(out);
    buf_add(out, x->safe.data, x->safe.len);
    for (size_t i = 0; i < x->n_patches; i++) {
        const struct patch *p = &x->patch[i];
        if (survives(r, chance))
            patch_apply(out, p);
        else if (p->data != NULL && chance > 0 && rng_below(r, 2) == 0)
            patch_tear(out, p, r);
    }
}

static int
name_order(const void *a, const void *b)
{
    const struct name *x = a, *y = b;
    return strcmp(x->path, y->path);
}

static struct names
names_cut(const struct disk *d, struct rng *r, double chance)
{
    struct names l = names_copy(&d->safe);
    bool journal = rng_below(r, 2) == 0;
    size_t until = rng_below(r, d->n_changes + 1);
    for (size_t i = 0; i < d->n_changes; i++)
        if (journal ? i < until : survives(r, chance))
            change_apply(&d->change[i], &l);
    qsort(l.at, l.n, sizeof *l.at, name_order);
    return l;
}

static void
file_put(const char *path, const struct buf *b)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) {
        if (errno != ENOENT) /* its folder is gone */
            abort();
        return;
    }
    if (b->len > 0 && write(fd, b->data, b->len) != (ssize_t)b->len)
        abort();
    close(fd);
}

void
disk_cut(const struct disk *d, struct rng *r)
{
    static const double chances[] = {0, .1, .5, .9, 1};
    double chance = chances[rng_below(r, 5)];
    struct names l = names_cut(d, r, chance);
    struct buf b = {0};
    fs_remove_tree(d->root, NULL);
    if (mkdir(d->root, 0755) != 0)
        abort();
    for (size_t i = 0; i < l.n; i++) {
        const struct node *x = &d->node[l.at[i].node];
        if (x->dir) {
            if (mkdir(l.at[i].path, 0755) != 0 && errno != ENOENT)
                abort();
            continue;
        }
        content_cut(x, r, chance, &b);
        if (ends_with(l.at[i].path, "-shm")) {
            if (rng_below(r, 2) == 0)
                continue;
            buf_clear(&b);
            while (b.len < SHM_BYTES) {
                uint64_t u = rng_u64(r);
                buf_add(&b, &u, sizeof u);
            }
        }
        file_put(l.at[i].path, &b);
    }
    buf_fini(&b);
    names_fini(&l);
}
