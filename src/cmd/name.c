/* Turns what the user typed into a campaign, an id, a project file. Called by
 * the verbs; a wrong name is answered with the names that there are. */
#include "cmd/work.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/near.h"

int
work_id(const char *text, char kind, uint32_t *out, struct err *err)
{
    const char *p = text;
    char *end = NULL;
    if ((*p & ~32) == kind)
        p++;
    unsigned long n = strtoul(p, &end, 10);
    if (p[0] < '0' || p[0] > '9' || *end != '\0' || n == 0 || n > 1000000000)
        return err_set(err, -ERR_INPUT,
            "\"%s\" is no id; one like %c1 is meant", text, kind);
    *out = (uint32_t)n;
    return 0;
}

static bool
campaign_over(const struct store_campaign *c)
{
    return c->brief.state == CAMPAIGN_DONE ||
           c->brief.state == CAMPAIGN_STOPPED;
}

/* The campaign to mean when none is named. */
static int
campaign_default(
    const struct store_campaign *v, size_t n, uint32_t *id, struct err *err)
{
    uint32_t open = 0;
    char list[240] = "";
    if (n == 0)
        return err_set(err, -ERR_NOT_FOUND,
            "this workspace has no campaign yet\n  remedy: rea plan");
    for (size_t i = 0; i < n; i++) {
        if (campaign_over(&v[i]))
            continue;
        open++;
        *id = v[i].id;
        size_t used = strlen(list);
        snprintf(list + used, sizeof(list) - used, "%sC%u (%s, %s)",
            used > 0 ? ", " : "", v[i].id, v[i].model,
            campaign_state_name(v[i].brief.state));
    }
    if (open == 0)
        *id = v[n - 1].id;
    if (open > 1)
        return err_set(
            err, -ERR_INPUT, "which campaign is meant? There are %s", list);
    return 0;
}

static int
campaign_named(const struct store_campaign *v, size_t n, const char *text,
    uint32_t *id, struct err *err)
{
    const char *models[64];
    uint32_t n_models = 0;
    const char *p = (*text & ~32) == 'C' ? text + 1 : text;
    char *end = NULL;
    unsigned long number = strtoul(p, &end, 10);
    bool is_id = p[0] >= '0' && p[0] <= '9' && *end == '\0';
    for (size_t i = 0; i < n; i++) {
        if (is_id && v[i].id == number) {
            *id = v[i].id;
            return 0;
        }
        if (n_models < 64)
            models[n_models++] = v[i].model;
    }
    /* Of several campaigns of one model the last one is meant. */
    for (size_t i = n; i-- > 0;) {
        if (strcmp(v[i].model, text) == 0) {
            *id = v[i].id;
            return 0;
        }
    }
    const char *close = near_word(text, models, n_models);
    if (is_id && n > 0)
        return err_set(err, -ERR_NOT_FOUND,
            "there is no campaign %s; there are C%u to C%u", text, v[0].id,
            v[n - 1].id);
    return err_set(err, -ERR_NOT_FOUND,
        "there is no campaign \"%s\"%s%s%s\n  remedy: rea status", text,
        close != NULL ? ". Did you mean " : "", close != NULL ? close : "",
        close != NULL ? "?" : "");
}

int
work_campaign(struct call *call, struct store *st, const char *text,
    uint32_t *id, struct err *err)
{
    struct store_campaign *v = NULL;
    size_t n = 0;
    if (text == NULL)
        text = call_opt(call, "campaign");
    int rc = store_campaigns(st, &v, &n, err);
    if (rc != 0)
        return rc;
    rc = text != NULL ? campaign_named(v, n, text, id, err)
                      : campaign_default(v, n, id, err);
    free(v);
    return rc;
}

int
work_part(struct call *call, struct store *st, const char *text,
    struct report_id *out, struct err *err)
{
    *out = (struct report_id){0};
    if (!report_id_parse(text, out))
        return err_set(err, -ERR_INPUT,
            "\"%s\" is no id; ids look like C1, H2, E3, T4, J5, I6 or C1/T4",
            text);
    if (out->kind == 'I')
        return 0;
    if (out->kind == 'C') {
        out->campaign = out->number;
        return work_campaign(call, st, text, &out->campaign, err);
    }
    if (out->campaign == 0)
        return work_campaign(call, st, NULL, &out->campaign, err);
    char name[16];
    snprintf(name, sizeof(name), "C%u", out->campaign);
    return work_campaign(call, st, name, &out->campaign, err);
}

int
work_project(struct call *call, struct store *st, uint32_t campaign,
    struct project **out, struct err *err)
{
    struct store_campaign c;
    int rc = store_campaign_get(st, campaign, &c, err);
    if (rc != 0)
        return rc;
    return project_load(call->arena, store_root(st),
        arena_strdup(call->arena, c.project), out, err);
}

const char *
work_user(struct call *call)
{
    const char *user = getenv("USER");
    if (user != NULL && user[0] != '\0')
        return user;
    const struct passwd *pw = getpwuid(getuid());
    if (pw != NULL && pw->pw_name != NULL)
        return arena_strdup(call->arena, pw->pw_name);
    return arena_printf(call->arena, "uid %u", (unsigned)getuid());
}
