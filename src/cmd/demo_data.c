/* Finds data for the demo: what the user names, $REA_DATA, the cache, and last
 * the trainer's generator. Says plainly which one it is. Called by demo.c. */
#include "cmd/demo.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/child.h"

enum { GENERATE_MS = 60000 };

static const struct {
    const char *name, *what;
} real_sets[DEMO_MODELS] = {
    {"kdd12-small",
        "KDD Cup 2012 track 2, sponsored search ads (OpenML 1220), research "
        "use"},
    {"ml-100k",
        "MovieLens-100K, GroupLens, rating above 3; not to be redistributed"},
};

static const struct {
    const char *name, *rows, *seed, *noise;
} made_sets[DEMO_MODELS] = {
    {"synthetic-a", "40000", "11", "0.02"},
    {"synthetic-b", "60000", "12", "0.05"},
};

static bool
set_is_there(struct arena *a, const char *dir)
{
    static const char *const ends[] = {"", ".xz", ".gz", NULL};
    for (int i = 0; ends[i] != NULL; i++) {
        const char *f = arena_printf(a, "split.train.ffm%s", ends[i]);
        if (fs_is_file(fs_join_in(a, dir, f)))
            return true;
    }
    return false;
}

static bool
sets_found(struct demo *d, const char *dir, const char *source)
{
    struct arena *a = d->call->arena;
    const char *real = NULL;
    if (dir == NULL || dir[0] == '\0' || fs_real_in(a, dir, &real, NULL) != 0)
        return false;
    for (uint32_t i = 0; i < DEMO_MODELS; i++) {
        const char *at = fs_join_in(a, real, real_sets[i].name);
        if (!set_is_there(a, at))
            return false;
        d->model[i] = (struct demo_model){
            .name = real_sets[i].name, .data = at, .what = real_sets[i].what};
    }
    d->source = arena_printf(a, "real data of %s (%s)", real, source);
    return true;
}

/* $XDG_CACHE_HOME/rea or ~/.cache/rea; NULL: no home. */
static const char *
cache_dir(struct arena *a)
{
    const char *x = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (x != NULL && x[0] == '/')
        return fs_join_in(a, x, "rea");
    if (home != NULL && home[0] == '/')
        return fs_join_in(a, home, ".cache/rea");
    return NULL;
}

static int
set_make(struct demo *d, uint32_t i, struct err *err)
{
    struct arena *a = d->call->arena;
    struct buf out = {0};
    int code = 0;
    const char *dir =
        fs_join_in(a, d->root, arena_printf(a, "data/%s", made_sets[i].name));
    const char *argv[] = {d->trainer, arena_printf(a, "--generate=%s", dir),
        arena_printf(a, "--rows=%s", made_sets[i].rows),
        arena_printf(a, "--gen-seed=%s", made_sets[i].seed),
        arena_printf(a, "--gen-noise=%s", made_sets[i].noise), NULL};
    int rc = fs_mkdirs(dir, err);
    if (rc == 0)
        rc = child_run(argv, NULL, d->root, GENERATE_MS, &out, &code, err);
    if (rc == 0 && code != 0)
        rc = err_set(err, -ERR_SYS, "%s %s ended with %d: %.400s", argv[0],
            argv[1], code, buf_str(&out));
    buf_fini(&out);
    d->model[i] = (struct demo_model){.name = made_sets[i].name,
        .data = dir,
        .what = "SYNTHETIC clicks with a planted truth; not real data",
        .synthetic = true};
    return rc;
}

int
demo_data(struct demo *d, const char *choice, struct err *err)
{
    struct arena *a = d->call->arena;
    if (choice != NULL && strcmp(choice, "none") != 0) {
        if (sets_found(d, choice, "--data"))
            return 0;
        return err_set(err, -ERR_INPUT,
            "--data=%s: it needs the folders %s and %s, each with "
            "split.train.ffm, split.valid.ffm and split.test.ffm (.xz or .gz "
            "is fine)\n  remedy: --data none makes synthetic data",
            choice, real_sets[0].name, real_sets[1].name);
    }
    if (choice == NULL && sets_found(d, getenv("REA_DATA"), "$REA_DATA"))
        return 0;
    if (choice == NULL && sets_found(d, cache_dir(a), "cache"))
        return 0;
    d->source = choice != NULL
                    ? "SYNTHETIC data from the generator (--data none)"
                    : "SYNTHETIC data from the generator: no real data was "
                      "found in $REA_DATA or the cache";
    for (uint32_t i = 0; i < DEMO_MODELS; i++) {
        int rc = set_make(d, i, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}
