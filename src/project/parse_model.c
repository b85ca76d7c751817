/* [model]: the language model that the research agent may ask. Called by
 * project.c last. Invariant: money that is limited can be counted, and no
 * secret stands in the file. */
#include "project/read.h"

#include <math.h>
#include <string.h>

enum { DEFAULT_TOKENS = 1000000 };

static bool
is_address(const char *url)
{
    size_t n = strncmp(url, "https://", 8) == 0  ? 8
               : strncmp(url, "http://", 7) == 0 ? 7
                                                 : 0;
    return n > 0 && url[n] != '\0' && url[n] != '/' &&
           strcspn(url, " \t\r\n\"<>\\^`{|}#?") == strlen(url);
}

static int
check_address(
    const struct reader *r, struct place at, const char *key, const char *url)
{
    const char *host = strstr(url, "://");
    const char *user = host != NULL ? strchr(host + 3, '@') : NULL;
    if (!is_address(url))
        return read_fail(r, at,
            "write an address such as \"http://127.0.0.1:8080/v1\"",
            "%s: \"%.100s\" is no address of a server", key, url);
    if (user != NULL &&
        memchr(host + 3, '/', (size_t)(user - host - 3)) == NULL)
        return read_fail(r, at, "leave the user out; write key = \"env:NAME\"",
            "%s: a secret can't stand in the project file", key);
    return 0;
}

static int
parse_allow(struct reader *r, const struct toml *t)
{
    struct project_model *m = &r->p->model;
    if (t == NULL)
        return 0;
    if (t->kind != TOML_ARRAY || t->n > MODEL_ALLOW_MAX)
        return read_fail(r, place_value(t),
            "write allow = [\"https://HOST/v1\"]",
            "allow is a list of at most %d addresses", MODEL_ALLOW_MAX);
    for (const struct toml *v = t->child; v != NULL; v = v->next) {
        if (v->kind != TOML_STR)
            return read_fail(
                r, place_value(v), "write it in quotes", "an address is text");
        int rc = check_address(r, place_value(v), "allow", v->str);
        if (rc != 0)
            return rc;
        m->allow[m->n_allow++] = v->str;
    }
    return 0;
}

static int
check_key(const struct reader *r, const struct toml *t, const char *key)
{
    static const char *const kinds[] = {"env:", "file:", "command:"};
    if (key == NULL || *key == '\0')
        return 0;
    for (size_t i = 0; i < 3; i++) {
        size_t n = strlen(kinds[i]);
        if (strncmp(key, kinds[i], n) == 0 && key[n] != '\0')
            return 0;
    }
    return read_fail(r, place_of(t, "key"),
        "write \"env:NAME\", \"file:PATH\" or \"command:WORDS\"",
        "a secret can't stand in the project file");
}

static int
check_money(const struct reader *r, const struct draft *d, const struct toml *t)
{
    const double price[] = {d->price_in, d->price_out, d->price_cached};
    static const char *const names[] = {
        "price_in", "price_out", "price_cached"};
    for (size_t i = 0; i < 3; i++) {
        if (price[i] < 0 || price[i] > 1e5)
            return read_fail(r, place_of(t, names[i]),
                "write usd for a million tokens", "%s = %g", names[i],
                price[i]);
    }
    if (toml_get(t, "budget_tokens") != NULL &&
        (d->budget_tokens < 1 || d->budget_tokens > 1000000000000))
        return read_fail(r, place_of(t, "budget_tokens"),
            "write a number from 1 to 1e12", "budget_tokens out of bounds");
    if (toml_get(t, "budget_usd") == NULL)
        return 0;
    if (!(d->budget_usd > 0) || d->budget_usd > 1e6)
        return read_fail(r, place_of(t, "budget_usd"),
            "write an amount above 0, at most 1000000",
            "budget_usd out of bounds");
    if (isnan(d->price_in) || isnan(d->price_out))
        return read_fail(r, place_of(t, "budget_usd"),
            "add price_in and price_out, or limit budget_tokens instead",
            "money can't be held without the model's prices");
    return 0;
}

/* What may be left out, and what may not. */
static int
check_rest(const struct reader *r, const struct draft *d, const struct toml *t)
{
    bool local = d->provider >= PROVIDER_VLLM || d->base_url != NULL;
    bool messages = d->provider == PROVIDER_ANTHROPIC;
    if (!local && (d->model == NULL || *d->model == '\0'))
        return read_fail(r, place_key(t), "add model = \"NAME\"",
            "[model] does not say which model is asked");
    if (d->dialect != DIALECT_NONE &&
        messages != (d->dialect == DIALECT_MESSAGES))
        return read_fail(r, place_of(t, "dialect"),
            messages ? "leave it out" : "write \"chat\" or \"responses\"",
            "this provider does not speak that dialect");
    if (d->max_tokens < 16 || d->max_tokens > 1000000)
        return read_fail(r, place_of(t, "max_tokens"),
            "write a number from 16 to 1000000", "max_tokens out of bounds");
    if (toml_get(t, "timeout") != NULL &&
        (d->model_timeout_ms < 1000 || d->model_timeout_ms > 86400000))
        return read_fail(r, place_of(t, "timeout"), "write 1s to 1d",
            "timeout out of bounds");
    if (d->model_idle_ms < 1000 || d->model_idle_ms > 3600000)
        return read_fail(
            r, place_of(t, "idle"), "write 1s to 1h", "idle out of bounds");
    return d->base_url == NULL || *d->base_url == '\0'
               ? 0
               : check_address(
                     r, place_of(t, "base_url"), "base_url", d->base_url);
}

int
parse_model(struct reader *r, const struct draft *d)
{
    struct project_model *m = &r->p->model;
    const struct toml *t = toml_get(r->root, "model");
    if (t == NULL)
        return 0;
    int rc = check_rest(r, d, t);
    if (rc == 0)
        rc = check_key(r, t, d->model_key);
    if (rc == 0)
        rc = check_money(r, d, t);
    if (rc != 0)
        return rc;
    *m = (struct project_model){
        .on = true,
        .provider = d->provider,
        .dialect = d->dialect,
        .base_url = d->base_url && *d->base_url ? d->base_url : NULL,
        .model = d->model && *d->model ? d->model : "default",
        .key = d->model_key,
        .max_tokens = d->max_tokens,
        .timeout_ms = d->model_timeout_ms,
        .idle_ms = d->model_idle_ms,
        .stream = d->stream,
        .budget_usd = d->budget_usd,
        .budget_tokens =
            d->budget_tokens > 0 ? d->budget_tokens : DEFAULT_TOKENS,
        .price_in = d->price_in,
        .price_out = d->price_out,
        .price_cached = isnan(d->price_cached) ? d->price_in : d->price_cached,
    };
    return parse_allow(r, d->allow);
}
