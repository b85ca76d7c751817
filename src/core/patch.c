/* Code patches: what a hypothesis changes beside knobs, known by the content of
 * its diff. Whether it applies, builds and stays inside its paths was found out
 * before it came in. Called by hypothesis, job and the design of cells.
 * Invariant: no job of a gated patch is intended before its signature. */
#include "core/parts.h"

#include <inttypes.h>
#include <string.h>

uint32_t
patch_index(const struct core *c, const char *sha256)
{
    uint32_t i = 0;
    while (i < c->n_patches && strcmp(c->patch[i].sha256, sha256) != 0)
        i++;
    return i;
}

static bool
is_sha256(const char *s)
{
    size_t n = strlen(s);
    for (size_t i = 0; i < n; i++)
        if (strchr("0123456789abcdef", s[i]) == NULL)
            return false;
    return n == 64;
}

int
patch_check(const struct core *c, const struct event *e, struct update *u)
{
    uint32_t i = patch_index(c, e->patch);
    if (c->base_rev[0] == '\0')
        return refuse(u, "a patch needs the base commit of a plan whose "
                         "project file has [patch]");
    if (!is_sha256(e->patch))
        return refuse(u, "a patch is named by its SHA-256");
    if (i >= PATCHES_MAX)
        return refuse(u, "at most %d patches", PATCHES_MAX);
    if (e->excludes >> c->n_patches != 0 || (e->excludes >> i & 1) != 0)
        return refuse(u, "a patch excludes patches that came before it");
    return 0;
}

uint32_t
patch_take(struct core *c, const struct event *e)
{
    uint32_t i = patch_index(c, e->patch);
    struct patch *p = &c->patch[i];
    if (i == c->n_patches) {
        c->n_patches++;
        memset(p, 0, sizeof *p);
        memcpy(p->sha256, e->patch, strlen(e->patch));
        p->gated = e->gated;
        p->excludes = e->excludes;
        for (uint32_t k = 0; k < i; k++)
            if (e->excludes >> k & 1)
                c->patch[k].excludes |= UINT32_C(1) << i;
    }
    /* a second idea may make it stricter, never laxer */
    p->gated = p->gated || e->gated;
    return i + 1;
}

uint32_t
patches_waiting(const struct core *c, uint32_t patches)
{
    uint32_t waiting = 0;
    for (uint32_t i = 0; i < c->n_patches; i++)
        if ((patches >> i & 1) && c->patch[i].gated && !c->patch[i].approved)
            waiting |= UINT32_C(1) << i;
    return waiting;
}

bool
patches_agree(const struct core *c, uint32_t patches)
{
    for (uint32_t i = 0; i < c->n_patches; i++)
        if ((patches >> i & 1) && (c->patch[i].excludes & patches) != 0)
            return false;
    return true;
}

bool
patch_gate(const struct core *c, const struct trial *t, struct update *u)
{
    uint32_t waiting =
        patches_waiting(c, c->experiment[t->experiment].config.patches);
    if (waiting == 0)
        return false;
    uint32_t i = (uint32_t)__builtin_ctz(waiting), h = 0;
    while (h < c->n_hypotheses && c->hypothesis[h].patch != i + 1)
        h++;
    decide(u, EVENT_campaign_halted,
        "the patch of H%" PRIu32 " needs your signature: rea show H%" PRIu32
        ", rea approve --patch %.12s",
        h + 1, h + 1, c->patch[i].sha256);
    u->next.patches = waiting;
    return true;
}

int
patch_approved_apply(struct core *c, const struct event *e, struct update *u)
{
    uint32_t i = e->patch != NULL ? patch_index(c, e->patch) : c->n_patches;
    if (i >= c->n_patches)
        return refuse(u, "no hypothesis of this campaign brings this patch");
    if (c->state == CAMPAIGN_DONE || c->state == CAMPAIGN_STOPPED)
        return refuse(u, "the campaign has ended");
    if (c->patch[i].approved)
        return refuse(u, "this patch is approved already");
    c->patch[i].approved = true;
    /* a campaign that waits for nothing else goes on */
    bool waited = (c->gate_patches >> i & 1) != 0;
    c->gate_patches &= ~(UINT32_C(1) << i);
    if (c->state == CAMPAIGN_HALTED && waited && c->gate_patches == 0 &&
        c->project_ok)
        c->state = CAMPAIGN_RUNNING;
    return 0;
}
