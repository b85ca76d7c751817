/* Where a model is asked and as whom: project file, environment, provider's
 * defaults, in this order (part.h). Called once by model_open. Invariant: an
 * endpoint without `bad` is inside the allow-list, and its key goes nowhere
 * but into one header. */
#include "model/key.h"
#include "model/part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct provider {
    const char *name, *base_env, *base, *key_env, *key_env_2, *headers_env;
};
/* In the order of enum model_provider. A local server gets no key unless one
 * is named: a provider's key must not reach it by chance. */
static const struct provider providers[] = {
    {"none", NULL, "", NULL, NULL, NULL},
    {"openai", "OPENAI_BASE_URL", "https://api.openai.com/v1", "OPENAI_API_KEY",
        NULL, "OPENAI_CUSTOM_HEADERS"},
    {"anthropic", "ANTHROPIC_BASE_URL", "https://api.anthropic.com",
        "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_CUSTOM_HEADERS"},
    {"openrouter", NULL, "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY",
        NULL, NULL},
    {"ollama", "OLLAMA_HOST", "http://127.0.0.1:11434/v1", NULL, NULL, NULL},
    {"vllm", NULL, "http://127.0.0.1:8000/v1", NULL, NULL, NULL},
    {"llama.cpp", NULL, "http://127.0.0.1:8080/v1", NULL, NULL, NULL},
};

const char *
provider_name(uint32_t provider)
{
    bool known = provider < sizeof providers / sizeof *providers;
    return known ? providers[provider].name : "none";
}

const char *
dialect_name(uint32_t dialect)
{
    static const char *const names[] = {
        "none", "chat", "responses", "messages"};
    return dialect < 4 ? names[dialect] : "none";
}

static const char *
env(const char *name)
{
    const char *v = name != NULL ? getenv(name) : NULL;
    return v != NULL && *v != '\0' ? v : NULL;
}

static char *
trimmed(struct arena *a, const char *url)
{
    size_t n = strlen(url);
    while (n > 0 && (url[n - 1] == '/' || url[n - 1] == ' '))
        n--;
    return arena_strndup(a, url, n);
}

/* OLLAMA_HOST is host:port, often 0.0.0.0 since the server reads it too. */
static char *
ollama_base(struct arena *a, const char *host)
{
    bool whole = strstr(host, "://") != NULL;
    const char *port = strchr(host, ':');
    char *h = trimmed(a, host);
    if (whole)
        return arena_printf(a, "%s/v1", h);
    if (host[0] == ':')
        return arena_printf(a, "http://127.0.0.1%s/v1", h);
    if (strncmp(host, "0.0.0.0", 7) == 0)
        return arena_printf(
            a, "http://127.0.0.1%s/v1", port != NULL ? port : ":11434");
    return arena_printf(a, "http://%s%s/v1", h, port != NULL ? "" : ":11434");
}

static bool
is_allowed(struct arena *a, const struct project_model *c, const char *base)
{
    for (uint32_t i = 0; i < c->n_allow; i++)
        if (strcmp(trimmed(a, c->allow[i]), base) == 0)
            return true;
    return c->n_allow == 0;
}

static void
choose_base(struct arena *a, const struct project_model *c,
    const struct provider *p, bool *from_env, struct endpoint *e)
{
    const char *other = c->base_url == NULL ? env(p->base_env) : NULL;
    *from_env = other != NULL;
    if (other != NULL)
        e->base = c->provider == PROVIDER_OLLAMA ? ollama_base(a, other)
                                                 : trimmed(a, other);
    else
        e->base = trimmed(a, c->base_url ? c->base_url : p->base);
    e->own = strcmp(e->base, p->base) == 0;
    if (other != NULL && !e->own && !is_allowed(a, c, e->base))
        e->bad = arena_printf(a,
            "%s points at %.200s, which [model] allow does not list",
            p->base_env, e->base);
    if (strncmp(e->base, "https://", 8) != 0 &&
        strncmp(e->base, "http://", 7) != 0)
        e->bad = arena_printf(a, "%.200s is no http address", e->base);
}

static void
choose_url(struct arena *a, const struct project_model *c, struct endpoint *e)
{
    size_t n = strlen(e->base);
    bool v1 = n > 3 && strcmp(e->base + n - 3, "/v1") == 0;
    e->dialect = c->dialect;
    if (e->dialect == DIALECT_NONE)
        e->dialect = c->provider == PROVIDER_ANTHROPIC ? DIALECT_MESSAGES
                     : c->provider == PROVIDER_OPENAI && e->own
                         ? DIALECT_RESPONSES
                         : DIALECT_CHAT;
    if (e->dialect == DIALECT_MESSAGES)
        e->url = arena_printf(a, "%s%s/messages", e->base, v1 ? "" : "/v1");
    else
        e->url = arena_printf(a, "%s/%s", e->base,
            e->dialect == DIALECT_RESPONSES ? "responses" : "chat/completions");
}

static void
header_add(struct endpoint *e, const char *line)
{
    if (e->n_headers < HEADERS_MAX && strcspn(line, "\r\n") == strlen(line) &&
        strchr(line, ':') != NULL)
        e->header[e->n_headers++] = line;
}

/* "Name: value" lines, as the providers' own clients read them. */
static void
headers_of_env(struct arena *a, const char *text, struct endpoint *e)
{
    while (text != NULL && *text != '\0') {
        size_t n = strcspn(text, "\r\n");
        if (n > 0)
            header_add(e, arena_strndup(a, text, n));
        text += n + strspn(text + n, "\r\n");
    }
}

static void
choose_headers(struct arena *a, const struct project_model *c,
    const struct provider *p, bool from_env, struct endpoint *e)
{
    const char *org = env("OPENAI_ORG_ID"), *project = env("OPENAI_PROJECT_ID");
    header_add(e, "Content-Type: application/json");
    header_add(e, "User-Agent: rea/" REA_VERSION);
    if (e->dialect == DIALECT_MESSAGES)
        header_add(e, "anthropic-version: 2023-06-01");
    if (c->provider == PROVIDER_OPENAI && e->own && org != NULL)
        header_add(e, arena_printf(a, "OpenAI-Organization: %s", org));
    if (c->provider == PROVIDER_OPENAI && e->own && project != NULL)
        header_add(e, arena_printf(a, "OpenAI-Project: %s", project));
    if (e->own || from_env) /* they may hold a secret, as a key does */
        headers_of_env(a, env(p->headers_env), e);
}

static bool
is_loopback(const char *base)
{
    const char *host = strstr(base, "://");
    if (host == NULL)
        return false;
    host += 3;
    return strncmp(host, "127.", 4) == 0 || strncmp(host, "[::1]", 5) == 0 ||
           (strncasecmp(host, "localhost", 9) == 0 &&
               strchr(":/", host[9]) != NULL);
}

static void
choose_key(struct arena *a, const struct project_model *c,
    const struct provider *p, const char *root, bool from_env,
    struct endpoint *e)
{
    struct err err = {0};
    const char *name = env(p->key_env) ? p->key_env : p->key_env_2;
    bool bearer = e->dialect != DIALECT_MESSAGES;
    if (c->key != NULL && *c->key == '\0')
        return;
    if (c->key != NULL) {
        e->key_from = c->key;
        if (key_resolve(a, c->key, root, &e->key, &err) != 0)
            e->bad = arena_strdup(a, err.text);
    } else if (p->key_env != NULL && (e->own || from_env)) {
        /* an address of the file's own gets the key that the file names */
        e->key = env(name);
        e->key_from = arena_printf(a, "env:%s", name ? name : p->key_env);
        bearer = bearer || name == p->key_env_2;
        if (e->key == NULL && e->own)
            e->bad = arena_printf(a,
                "no key for %s: export %s=..., or write key = \"file:PATH\" "
                "into [model]",
                p->name, p->key_env);
    }
    if (e->key == NULL)
        return;
    if (strcspn(e->key, "\r\n") != strlen(e->key))
        e->bad = arena_printf(a, "the key of %s has a line break", e->key_from);
    if (from_env && strncmp(e->base, "http://", 7) == 0 &&
        !is_loopback(e->base))
        e->bad = arena_printf(a,
            "%.200s would get the key unencrypted; use https, or write "
            "base_url into [model]",
            e->base);
    e->key_header = arena_printf(
        a, "%s%s", bearer ? "Authorization: Bearer " : "x-api-key: ", e->key);
}

void
endpoint_make(struct arena *a, const struct project_model *c, const char *root,
    struct endpoint *e)
{
    const struct provider *p = &providers[c->provider];
    bool from_env = false;
    *e = (struct endpoint){.c = c};
    choose_base(a, c, p, &from_env, e);
    choose_url(a, c, e);
    choose_headers(a, c, p, from_env, e);
    if (e->bad == NULL)
        choose_key(a, c, p, root, from_env, e);
}
