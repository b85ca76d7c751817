/* What one job may see and where its code comes from: written as sandbox.json
 * into its run folder by whoever starts it, read by build/rea-sandbox. */
#ifndef PATCH_SPEC_H
#define PATCH_SPEC_H

#include "core/core.h"
#include "project/project.h"

enum {
    SANDBOX_FAILED = 125, /* exit code: nothing of the job was run */
};

/* All paths absolute and real, but read and env as the project file has them
 * (relative to root). Borrowed or in an arena. */
struct sandbox_spec {
    const char *root;     /* workspace: the job's folder */
    const char *top;      /* of the git repository around it */
    const char *base_rev; /* full commit */
    uint32_t n_patches;
    const char *patch[PATCHES_MAX]; /* SHA-256 of diffs in .rea/patches */
    const char *build;              /* NULL: nothing to build */
    struct name_list read, env;
    /* The one folder that can be written. Nothing of the supervisor's lies in
     * it: a job must not write its own exit file. */
    const char *run_dir;
    /* That of an earlier attempt, whose checkpoint is read, or gone on with;
     * NULL: none. */
    const char *earlier;
    bool earlier_writable;
    bool gpus, terminal; /* terminal: a person may be at it */
};

/* From the project; the caller adds patches and folders. env_extra: NAME=value
 * texts whose names may be seen too, NULL-terminated. -ERR_INPUT: the
 * workspace lies in no git repository. */
int sandbox_spec_fill(struct arena *a, const struct project *p,
    const char *root, const char *base_rev, const char *const *env_extra,
    struct sandbox_spec *out, struct err *err);
/* Is path dir itself or something below it? */
bool path_is_in(const char *path, const char *dir);
/* The patches of a set in the order in which they are applied. */
void sandbox_spec_patches(
    const struct core *c, uint32_t patches, struct sandbox_spec *out);
/* The sandbox program beside this one. */
int sandbox_program_in(struct arena *a, const char **out, struct err *err);
/* The part of an attempt's folder that is the job's own: its {run_dir}. */
const char *sandbox_work_in(struct arena *a, const char *run_dir);
/* Puts the sandbox before a command that is to run with these patches: makes
 * the work folder of dir (absolute) and writes dir/sandbox.json. earlier may be
 * NULL. */
int sandbox_wrap(struct arena *a, const struct project *p, const struct core *c,
    const char *root, uint32_t patches, const char *dir, const char *earlier,
    bool earlier_writable, struct job_command *cmd, struct err *err);
void sandbox_spec_put(const struct sandbox_spec *s, struct buf *out);
int sandbox_spec_read(struct arena *a, const char *path,
    struct sandbox_spec *out, struct err *err);

#endif
