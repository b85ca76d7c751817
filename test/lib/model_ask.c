/* Asks a model: one request a line on standard input, one reply a line on
 * standard output, both JSON.
 *   model_ask [--explain | --spent] ROOT SETTINGS
 * SETTINGS is a JSON object with the keys of [model] (times in ms), and for
 * tests `scope`, `connect_ms`, `haste` (waits are divided by it). A request:
 * {"purpose", "messages": [{"role", "text", "answers", "calls": [{"id", "name",
 * "args"}]}], "tools": [{"name", "doc", "schema"}], "schema", "schema_name",
 * "max_tokens", "temperature", "seed"}. Exit code: 1 when the record fails. */
#include "model/part.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *
text_in(struct arena *a, const struct json *j, const char *key)
{
    const char *s = json_get_str(j, key);
    return s != NULL ? arena_strdup(a, s) : NULL;
}

static const char *
dump_in(struct arena *a, const struct json *j)
{
    struct buf b = {0};
    if (j == NULL)
        return NULL;
    if (json_kind(j) == J_STR)
        return arena_strdup(a, json_str(j));
    json_dump(j, &b);
    const char *s = arena_strdup(a, buf_str(&b));
    buf_fini(&b);
    return s;
}

static uint8_t
word(const char *s, const char *(*name)(uint32_t), uint32_t n)
{
    for (uint32_t i = 1; s != NULL && i < n; i++)
        if (strcmp(name(i), s) == 0)
            return (uint8_t)i;
    return 0;
}

static void
settings_read(struct arena *a, const struct json *j, struct project_model *c)
{
    *c = (struct project_model){
        .on = json_get_bool(j, "on", true),
        .provider = word(text_in(a, j, "provider"), provider_name, 7),
        .dialect = word(text_in(a, j, "dialect"), dialect_name, 4),
        .base_url = text_in(a, j, "base_url"),
        .model = text_in(a, j, "model"),
        .key = text_in(a, j, "key"),
        .max_tokens = json_get_i64(j, "max_tokens", 256),
        .timeout_ms = json_get_i64(j, "timeout_ms", 0),
        .idle_ms = json_get_i64(j, "idle_ms", 60000),
        .stream = json_get_bool(j, "stream", true),
        .budget_usd = json_get_num(j, "budget_usd", 0),
        .budget_tokens = json_get_i64(j, "budget_tokens", 100000000),
        .price_in = json_get_num(j, "price_in", NAN),
        .price_out = json_get_num(j, "price_out", NAN),
        .price_cached =
            json_get_num(j, "price_cached", json_get_num(j, "price_in", NAN)),
    };
    if (c->provider == PROVIDER_NONE)
        c->provider = PROVIDER_OPENAI;
    if (c->model == NULL)
        c->model = "default";
    const struct json *allow = json_get(j, "allow");
    for (size_t i = 0; i < json_len(allow) && i < MODEL_ALLOW_MAX; i++)
        c->allow[c->n_allow++] = arena_strdup(a, json_str(json_at(allow, i)));
}

static uint32_t
role_of(const char *name)
{
    static const char *const names[] = {"system", "user", "assistant", "tool"};
    for (uint32_t i = 0; name != NULL && i < 4; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return ROLE_USER;
}

static struct model_message *
messages_read(struct arena *a, const struct json *list)
{
    struct model_message *m = arena_alloc(a, (json_len(list) + 1) * sizeof *m);
    for (size_t i = 0; i < json_len(list); i++) {
        const struct json *j = json_at(list, i), *calls = json_get(j, "calls");
        struct model_call *c =
            arena_alloc(a, (json_len(calls) + 1) * sizeof *c);
        for (size_t k = 0; k < json_len(calls); k++)
            c[k] = (struct model_call){text_in(a, json_at(calls, k), "id"),
                text_in(a, json_at(calls, k), "name"),
                dump_in(a, json_get(json_at(calls, k), "args"))};
        m[i] = (struct model_message){role_of(json_get_str(j, "role")),
            text_in(a, j, "text"), text_in(a, j, "answers"),
            (uint32_t)json_len(calls), c};
    }
    return m;
}

static struct model_tool *
tools_read(struct arena *a, const struct json *list)
{
    struct model_tool *t = arena_alloc(a, (json_len(list) + 1) * sizeof *t);
    for (size_t i = 0; i < json_len(list); i++)
        t[i] = (struct model_tool){text_in(a, json_at(list, i), "name"),
            text_in(a, json_at(list, i), "doc"),
            dump_in(a, json_get(json_at(list, i), "schema"))};
    return t;
}

static struct model_request
request_read(struct arena *a, const struct json *j)
{
    const struct json *m = json_get(j, "messages"), *t = json_get(j, "tools");
    return (struct model_request){
        .purpose = text_in(a, j, "purpose"),
        .n_messages = (uint32_t)json_len(m),
        .message = messages_read(a, m),
        .n_tools = (uint32_t)json_len(t),
        .tool = tools_read(a, t),
        .schema_name = text_in(a, j, "schema_name"),
        .schema = dump_in(a, json_get(j, "schema")),
        .max_tokens = (uint32_t)json_get_i64(j, "max_tokens", 0),
        .temperature = json_get_num(j, "temperature", 0),
        .seed = (uint32_t)json_get_i64(j, "seed", 0),
    };
}

static void
reply_print(const struct model_reply *r)
{
    struct buf b = {0};
    struct jw j;
    jw_init(&j, &b, 0);
    jw_obj_begin(&j);
    jw_kstr(&j, "status", model_status_name(r->status));
    jw_kstr(&j, "why", r->why);
    jw_kstr(&j, "warning", r->warning);
    jw_kstr(&j, "text", r->text);
    jw_key(&j, "json");
    if (r->json != NULL) {
        struct buf tree = {0};
        json_dump(r->json, &tree);
        jw_raw(&j, buf_str(&tree));
        buf_fini(&tree);
    } else {
        jw_null(&j);
    }
    jw_key(&j, "calls");
    jw_arr_begin(&j);
    for (uint32_t i = 0; i < r->n_calls; i++) {
        jw_obj_begin(&j);
        jw_kstr(&j, "id", r->call[i].id);
        jw_kstr(&j, "name", r->call[i].name);
        jw_kstr(&j, "args", r->call[i].args);
        jw_obj_end(&j);
    }
    jw_arr_end(&j);
    jw_ki64(&j, "in", r->usage.in);
    jw_ki64(&j, "out", r->usage.out);
    jw_kf64(&j, "usd", r->usage.usd);
    jw_kbool(&j, "from_record", r->from_record);
    jw_kstr(&j, "hash", r->hash);
    jw_obj_end(&j);
    puts(buf_str(&b));
    fflush(stdout);
    buf_fini(&b);
}

static int
spent_print(struct model *m, struct err *err)
{
    struct model_spent s;
    int rc = model_spent(m, &s, err);
    if (rc == 0)
        printf("{\"tokens\":%lld,\"reserved_tokens\":%lld,\"usd\":%.12f,"
               "\"reserved_usd\":%.12f,\"attempts\":%lld,\"replies\":%lld}\n",
            (long long)s.tokens, (long long)s.reserved_tokens,
            isnan(s.usd) ? 0 : s.usd, isnan(s.usd) ? 0 : s.reserved_usd,
            (long long)s.attempts, (long long)s.replies);
    return rc;
}

static int
line_answer(
    struct model *m, const char *line, size_t n, bool explain, struct err *err)
{
    struct arena a = {0};
    struct model_reply r;
    struct json *j = json_parse(line, n, err);
    int rc = j == NULL ? -ERR_INPUT : 0;
    if (rc == 0) {
        struct model_request q = request_read(&a, j);
        struct buf text = {0};
        if (explain) {
            rc = model_explain(m, &q, &text, err);
            fputs(buf_str(&text), stdout);
        } else {
            rc = model_ask(m, &q, &a, &r, err);
            if (rc == 0)
                reply_print(&r);
        }
        buf_fini(&text);
    }
    json_free(j);
    arena_fini(&a);
    return rc;
}

int
main(int argc, char **argv)
{
    struct arena a = {0};
    struct project_model c;
    struct err err = {0};
    struct model *m = NULL;
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    bool flag = argc > 1 && strncmp(argv[1], "--", 2) == 0;
    if (argc != 3 + flag) {
        fputs("model_ask [--explain | --spent] ROOT SETTINGS\n", stderr);
        return 2;
    }
    const char *text = argv[2 + flag];
    struct json *j = json_parse(text, strlen(text), &err);
    settings_read(&a, j, &c);
    int rc = j == NULL ? -ERR_INPUT
                       : model_open(&c, argv[1 + flag], text_in(&a, j, "scope"),
                             &m, &err);
    if (rc == 0) {
        m->connect_ms = json_get_i64(j, "connect_ms", m->connect_ms);
        m->haste = json_get_num(j, "haste", 1);
        if (flag && strcmp(argv[1], "--spent") == 0)
            rc = spent_print(m, &err);
        else
            while (rc == 0 && (n = getline(&line, &cap, stdin)) > 0)
                rc = line_answer(m, line, (size_t)n, flag, &err);
    }
    if (rc != 0)
        fprintf(stderr, "model_ask: %s\n", err.text);
    free(line);
    json_free(j);
    model_close(m);
    arena_fini(&a);
    return rc == 0 ? 0 : 1;
}
