/* Everything that is looked at before a patch can be signed: its text, its
 * paths, the base commit, the patches beside it, the build, a smoke run. */
#ifndef PATCH_CHECK_H
#define PATCH_CHECK_H

#include "patch/policy.h"
#include "patch/spec.h"

struct patch_checked {
    struct diff diff;
    char class[PATCH_CLASS_LEN];
    bool gated;
    uint32_t excludes;  /* bit i: it does not apply after patch i of c */
    const char *paths;  /* one a line */
    bool built, smoked; /* false: [patch] has no such command */
    int64_t ms;         /* of build and smoke run together */
};

/* Checks and stores a diff for a campaign: -ERR_INPUT says what is wrong and
 * what helps. name: what messages call it; root: the workspace. Runs the build
 * and the smoke run in the sandbox, and nothing else. */
int patch_check_all(struct arena *a, const struct project *p,
    const struct core *c, const char *root, const char *name, const char *text,
    size_t len, struct patch_checked *out, struct err *err);

/* Does the base commit build and pass the smoke run in the sandbox, unpatched?
 * Only built, smoked and ms of *out are filled. */
int base_check(struct arena *a, const struct project *p, const char *root,
    const char *base_rev, struct patch_checked *out, struct err *err);

#endif
