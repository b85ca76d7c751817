/* What the model client writes, reads and decides: requests in three dialects,
 * the documented replies, when to try again, where to ask, what it costs. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "model/part.h"

static const char schema[] =
    "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}},"
    "\"required\":[\"a\"],\"additionalProperties\":false}";
static const struct model_call asked = {"c1", "look", "{\"at\":\"x\"}"};
static const struct model_message talk[] = {
    {ROLE_SYSTEM, "You help.", NULL, 0, NULL},
    {ROLE_USER, "Look.", NULL, 0, NULL},
    {ROLE_ASSISTANT, NULL, NULL, 1, &asked},
    {ROLE_TOOL, "seen", "c1", 0, NULL},
};
static const struct model_tool tool = {"look", "Looks.",
    "{\"type\":"
    "\"object\"}"};

static struct project_model
settings(uint8_t provider, const char *base)
{
    return (struct project_model){.on = true,
        .provider = provider,
        .base_url = base,
        .model = "m",
        .max_tokens = 100,
        .key = "",
        .idle_ms = 60000,
        .stream = false,
        .budget_tokens = 1000,
        .price_in = 3,
        .price_out = 15,
        .price_cached = 0.3};
}

/* ---- requests ---- */

static struct json *
encoded(const struct project_model *c, const struct turn_want *w,
    struct endpoint *e)
{
    struct arena a = {0};
    struct buf b = {0};
    struct err err = {0};
    endpoint_make(&a, c, "/", e);
    assert_null(e->bad);
    encode_request(e, w, &b);
    struct json *j = json_parse(buf_str(&b), b.len, &err);
    if (j == NULL)
        fail_msg("%s: %s", err.text, buf_str(&b));
    buf_fini(&b);
    arena_fini(&a);
    return j;
}

/* The value at a path such as "messages.0.content". */
static const struct json *
at(const struct json *j, const char *path)
{
    while (j != NULL && *path != '\0') {
        char word[40];
        size_t n = strcspn(path, ".");
        snprintf(word, sizeof word, "%.*s", (int)n, path);
        j = json_kind(j) == J_ARR ? json_at(j, strtoul(word, NULL, 10))
                                  : json_get(j, word);
        path += n + (path[n] == '.');
    }
    return j;
}

static void
says(const struct json *j, const char *path, const char *want)
{
    const char *have = json_str(at(j, path));
    if (have == NULL || strcmp(have, want) != 0)
        fail_msg("%s is %s, not %s", path, have ? have : "nothing", want);
}

static void
test_encode_chat(void **state)
{
    (void)state;
    struct project_model c = settings(PROVIDER_LLAMA, "http://h/v1");
    struct endpoint e;
    struct model_request q = {
        "p", 4, talk, 1, &tool, "idea", schema, 100, 0, 7};
    struct turn_want w = {.q = &q, .max_tokens = 100};
    struct json *j = encoded(&c, &w, &e);
    says(j, "model", "m");
    says(j, "messages.0.role", "system");
    says(j, "messages.1.content", "Look.");
    assert_int_equal(json_kind(at(j, "messages.2.content")), J_NULL);
    says(j, "messages.2.tool_calls.0.function.arguments", "{\"at\":\"x\"}");
    says(j, "messages.3.tool_call_id", "c1");
    says(j, "tools.0.function.name", "look");
    says(j, "response_format.type", "json_schema");
    says(j, "response_format.json_schema.name", "idea");
    assert_true(json_bool(at(j, "response_format.json_schema.strict"), false));
    assert_int_equal(json_i64(at(j, "max_tokens"), 0), 100);
    assert_int_equal(json_i64(at(j, "seed"), 0), 7);
    assert_null(at(j, "prompt_cache_key"));
    json_free(j);
    w.rung = RUNG_OBJECT;
    j = encoded(&c, &w, &e);
    says(j, "response_format.type", "json_object");
    assert_non_null(at(j, "response_format.schema.properties"));
    json_free(j);
    w = (struct turn_want){.q = &q,
        .rung = RUNG_TOOL,
        .max_tokens = 5,
        .bad = "{}",
        .why = "wrong",
        .lacks = LACK_MAX_TOKENS | LACK_SEED};
    j = encoded(&c, &w, &e);
    assert_null(at(j, "response_format"));
    assert_null(at(j, "seed"));
    says(j, "tools.1.function.name", "answer");
    says(j, "tool_choice", "required");
    says(j, "messages.5.content", "wrong");
    assert_int_equal(json_i64(at(j, "max_completion_tokens"), 0), 5);
    json_free(j);
}

static void
test_encode_responses(void **state)
{
    (void)state;
    struct project_model c = settings(PROVIDER_OPENAI, NULL);
    struct endpoint e;
    struct model_request q = {
        "p", 4, talk, 1, &tool, "idea", schema, 100, 0, 7};
    struct turn_want w = {.q = &q, .max_tokens = 100};
    unsetenv("OPENAI_BASE_URL");
    struct json *j = encoded(&c, &w, &e);
    assert_int_equal(e.dialect, DIALECT_RESPONSES);
    says(j, "instructions", "You help.");
    says(j, "input.0.content", "Look.");
    says(j, "input.1.type", "function_call");
    says(j, "input.2.call_id", "c1");
    says(j, "text.format.type", "json_schema");
    says(j, "prompt_cache_key", "rea-p");
    assert_false(json_bool(at(j, "store"), true));
    assert_int_equal(json_i64(at(j, "max_output_tokens"), 0), 100);
    json_free(j);
}

static void
test_encode_messages(void **state)
{
    (void)state;
    struct project_model c = settings(PROVIDER_ANTHROPIC, "https://h");
    struct endpoint e;
    struct model_request q = {
        "p", 4, talk, 1, &tool, "idea", schema, 100, 0, 7};
    struct turn_want w = {.q = &q, .max_tokens = 100};
    struct json *j = encoded(&c, &w, &e);
    says(j, "system.0.cache_control.type", "ephemeral");
    says(j, "messages.0.content.0.text", "Look.");
    says(j, "messages.1.content.0.type", "tool_use");
    says(j, "messages.1.content.0.input.at", "x");
    says(j, "messages.2.content.0.tool_use_id", "c1");
    says(j, "tools.0.name", "look");
    says(j, "output_config.format.type", "json_schema");
    json_free(j);
    q.n_tools = 0;
    w.rung = RUNG_TOOL;
    j = encoded(&c, &w, &e);
    says(j, "tool_choice.name", "answer");
    assert_null(at(j, "output_config"));
    json_free(j);
}

/* ---- replies ---- */

static void
test_decode(void **state)
{
    (void)state;
    static const struct {
        uint8_t dialect;
        const char *body;
        uint32_t finish;
        const char *text;
        uint32_t n_calls;
        int64_t in, out, cached;
    } rows[] = {
        {DIALECT_CHAT,
            "{\"choices\":[{\"message\":{\"content\":\"hi\"},"
            "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":9,"
            "\"completion_tokens\":2,\"prompt_tokens_details\":{"
            "\"cached_tokens\":4}}}",
            FINISH_STOP, "hi", 0, 9, 2, 4},
        {DIALECT_CHAT,
            "{\"choices\":[{\"message\":{\"content\":null,\"tool_calls\":[{"
            "\"id\":\"\",\"function\":{\"name\":\"a\",\"arguments\":{\"x\":1}}"
            "},{\"function\":{\"name\":\"b\"}}]},\"finish_reason\":"
            "\"tool_calls\"}]}",
            FINISH_CALLS, "", 2, -1, -1, 0},
        {DIALECT_CHAT,
            "{\"choices\":[{\"message\":{\"content\":[{\"type\":\"text\","
            "\"text\":\"a\"},{\"text\":\"b\"}]},\"finish_reason\":\"length\"}]"
            "}",
            FINISH_LENGTH, "ab", 0, -1, -1, 0},
        {DIALECT_CHAT,
            "{\"choices\":[{\"message\":{\"refusal\":\"no\"},"
            "\"finish_reason\":\"stop\"}]}",
            FINISH_REFUSED, "", 0, -1, -1, 0},
        {DIALECT_CHAT,
            "{\"choices\":[{\"message\":{\"content\":\"x\"},"
            "\"finish_reason\":\"content_filter\"}]}",
            FINISH_REFUSED, "x", 0, -1, -1, 0},
        {DIALECT_CHAT, "{\"choices\":[]}", FINISH_NONE, "", 0, -1, -1, 0},
        {DIALECT_RESPONSES,
            "{\"status\":\"completed\",\"output\":[{\"type\":\"reasoning\"},{"
            "\"type\":\"message\",\"content\":[{\"type\":\"output_text\","
            "\"text\":\"hi\"}]}],\"usage\":{\"input_tokens\":5,"
            "\"output_tokens\":6,\"input_tokens_details\":{\"cached_tokens\":2"
            "}}}",
            FINISH_STOP, "hi", 0, 5, 6, 2},
        {DIALECT_RESPONSES,
            "{\"status\":\"incomplete\",\"incomplete_details\":{\"reason\":"
            "\"max_output_tokens\"},\"output\":[]}",
            FINISH_LENGTH, "", 0, -1, -1, 0},
        {DIALECT_RESPONSES,
            "{\"status\":\"incomplete\",\"incomplete_details\":{\"reason\":"
            "\"content_filter\"},\"output\":[]}",
            FINISH_REFUSED, "", 0, -1, -1, 0},
        {DIALECT_MESSAGES,
            "{\"content\":[{\"type\":\"text\",\"text\":\"hi\"},{\"type\":"
            "\"tool_use\",\"id\":\"t\",\"name\":\"a\",\"input\":{\"x\":1}}],"
            "\"stop_reason\":\"tool_use\",\"usage\":{\"input_tokens\":3,"
            "\"cache_creation_input_tokens\":10,\"cache_read_input_tokens\":"
            "20,\"output_tokens\":4}}",
            FINISH_CALLS, "hi", 1, 33, 4, 20},
        {DIALECT_MESSAGES, "{\"content\":[],\"stop_reason\":\"refusal\"}",
            FINISH_REFUSED, "", 0, -1, -1, 0},
        {DIALECT_MESSAGES,
            "{\"content\":[],\"stop_reason\":\"model_context_window_exceeded\""
            "}",
            FINISH_CONTEXT, "", 0, -1, -1, 0},
        {DIALECT_MESSAGES, "{\"content\":[],\"stop_reason\":\"end_turn\"}",
            FINISH_EMPTY, "", 0, -1, -1, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct decoder d;
        struct arena a = {0};
        struct turn t;
        struct err err = {0};
        decoder_init(&d, rows[i].dialect);
        int rc = decode_body(&d, rows[i].body, strlen(rows[i].body), &err);
        decode_end(&d, &a, &t);
        if (rc != 0 || t.finish != rows[i].finish ||
            strcmp(t.text, rows[i].text) != 0 || t.n_calls != rows[i].n_calls ||
            t.in != rows[i].in || t.out != rows[i].out ||
            t.cached != rows[i].cached)
            fail_msg("%s: %d %s finish %u, text %s, %u calls, %lld in",
                rows[i].body, rc, err.text, t.finish, t.text, t.n_calls,
                (long long)t.in);
        for (uint32_t k = 0; k < t.n_calls; k++)
            assert_true(t.call[k].id[0] != '\0');
        decoder_fini(&d);
        arena_fini(&a);
    }
}

/* What a stream counted before its end is not what it cost. */
static void
test_decode_start(void **state)
{
    (void)state;
    static const char start[] =
        "{\"type\":\"message_start\",\"message\":{\"content\":[],\"usage\":{"
        "\"input_tokens\":7,\"output_tokens\":1}}}";
    static const char end[] =
        "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
        "\"end_turn\"},\"usage\":{\"output_tokens\":40}}";
    struct decoder d;
    decoder_init(&d, DIALECT_MESSAGES);
    assert_int_equal(decode_event(&d, "", start, sizeof start - 1, NULL), 0);
    assert_int_equal(d.in, 7);
    assert_int_equal(d.out, -1);
    assert_int_equal(decode_event(&d, "", end, sizeof end - 1, NULL), 0);
    assert_int_equal(d.out, 40);
    decoder_fini(&d);
}

static void
test_decode_bad(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "[]", "{", "<html>", "{\"a\":NaN}",
        "{\"error\":{\"message\":\"x\"}}", "{\"error\":\"x\"}",
        "{\"type\":\"error\",\"message\":\"x\"}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct decoder d;
        struct err err = {0};
        decoder_init(&d, DIALECT_CHAT);
        assert_int_equal(
            decode_body(&d, bad[i], strlen(bad[i]), &err), -ERR_INPUT);
        decoder_fini(&d);
    }
}

/* ---- when to try again ---- */

static void
test_judge(void **state)
{
    (void)state;
    static const struct {
        int http;
        const char *told, *body;
        enum verdict want;
    } rows[] = {
        {0, "", "", VERDICT_RETRY},
        {408, "", "", VERDICT_RETRY},
        {409, "", "", VERDICT_RETRY},
        {429, "", "{}", VERDICT_RETRY},
        {500, "", "", VERDICT_RETRY},
        {529, "", "", VERDICT_RETRY},
        {500, "false", "", VERDICT_GONE},
        {429, "false", "", VERDICT_GONE},
        {418, "true", "", VERDICT_RETRY},
        {400, "true", "", VERDICT_BAD},
        {401, "true", "", VERDICT_FORBIDDEN},
        {402, "", "", VERDICT_NO_MONEY},
        {403, "", "", VERDICT_FORBIDDEN},
        {404, "", "", VERDICT_FORBIDDEN},
        {413, "", "", VERDICT_BAD},
        {422, "", "", VERDICT_BAD},
        {429, "", "{\"error\":{\"code\":\"insufficient_quota\"}}",
            VERDICT_NO_MONEY},
        {400, "",
            "{\"error\":{\"message\":\"Your credit balance is too low\"}}",
            VERDICT_NO_MONEY},
        {200, "", "", VERDICT_OK},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct answer a = {.http = rows[i].http};
        struct buf why = {0};
        buf_puts(&a.should_retry, rows[i].told);
        buf_puts(&a.body, rows[i].body);
        enum verdict v = answer_judge(&a, NULL, &why);
        if (v != rows[i].want)
            fail_msg("HTTP %d %s %s: %d", rows[i].http, rows[i].told,
                rows[i].body, (int)v);
        answer_fini(&a);
        buf_fini(&why);
    }
}

static void
test_wait(void **state)
{
    (void)state;
    static const int64_t now = 1700000000000; /* 14 Nov 2023 22:13:20 GMT */
    static const struct {
        const char *ms, *after;
        uint32_t n;
        double u;
        int64_t want;
    } rows[] = {
        {"", "", 1, 0, 500},
        {"", "", 2, 0, 1000},
        {"", "", 2, 0.999999999, 750},
        {"", "", 9, 0, 8000},
        {"120", "7", 1, 0, 120},
        {"", "7", 1, 0, 7000},
        {"", "0.25", 1, 0, 250},
        {"", "Tue, 14 Nov 2023 22:13:25 GMT", 1, 0, 5000},
        {"", "Tue, 14 Nov 2023 22:13:15 GMT", 1, 0, 500}, /* gone by */
        {"", "-3", 1, 0, 500},
        {"", "3600", 1, 0, 500}, /* huge */
        {"", "nan", 1, 0, 500},
        {"x", "soon", 1, 0, 500},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct answer a = {0};
        buf_puts(&a.after_ms, rows[i].ms);
        buf_puts(&a.after, rows[i].after);
        int64_t ms = retry_wait_ms(&a, rows[i].n, rows[i].u, now);
        if (llabs(ms - rows[i].want) > 1)
            fail_msg("%s/%s: %lld", rows[i].ms, rows[i].after, (long long)ms);
        answer_fini(&a);
    }
}

/* ---- where, and as whom ---- */

static void
test_endpoint(void **state)
{
    (void)state;
    struct arena a = {0};
    struct endpoint e;
    struct project_model c = settings(PROVIDER_OPENAI, NULL);
    c.key = NULL;
    unsetenv("OPENAI_API_KEY");
    endpoint_make(&a, &c, "/", &e);
    assert_non_null(strstr(e.bad, "OPENAI_API_KEY"));
    setenv("OPENAI_API_KEY", "k1", 1);
    setenv("OPENAI_BASE_URL", "https://proxy.example/v1/", 1);
    endpoint_make(&a, &c, "/", &e);
    assert_null(e.bad);
    assert_string_equal(e.url, "https://proxy.example/v1/chat/completions");
    assert_string_equal(e.key_header, "Authorization: Bearer k1");
    c.allow[c.n_allow++] = "https://other.example/v1";
    endpoint_make(&a, &c, "/", &e);
    assert_non_null(strstr(e.bad, "allow"));
    assert_null(e.key_header); /* not even read */
    c.allow[c.n_allow++] = "https://proxy.example/v1";
    endpoint_make(&a, &c, "/", &e);
    assert_null(e.bad);
    setenv("OPENAI_BASE_URL", "http://proxy.example/v1", 1);
    c.n_allow = 0;
    endpoint_make(&a, &c, "/", &e);
    assert_non_null(strstr(e.bad, "unencrypted"));
    unsetenv("OPENAI_BASE_URL");
    endpoint_make(&a, &c, "/", &e);
    assert_string_equal(e.url, "https://api.openai.com/v1/responses");
    /* an address of the file's own gets no provider's key by chance */
    setenv("OPENAI_CUSTOM_HEADERS", "X-One: 1\nnonsense\nX-Two: 2", 1);
    endpoint_make(&a, &c, "/", &e);
    uint32_t n = e.n_headers;
    assert_string_equal(e.header[n - 1], "X-Two: 2");
    c.base_url = "https://mine.example/v1";
    endpoint_make(&a, &c, "/", &e);
    assert_null(e.key_header);
    assert_int_equal(e.n_headers, n - 2);
    unsetenv("OPENAI_CUSTOM_HEADERS");
    unsetenv("OPENAI_API_KEY");
    c = settings(PROVIDER_ANTHROPIC, NULL);
    c.key = NULL;
    unsetenv("ANTHROPIC_BASE_URL");
    setenv("ANTHROPIC_API_KEY", "k2", 1);
    endpoint_make(&a, &c, "/", &e);
    assert_string_equal(e.url, "https://api.anthropic.com/v1/messages");
    assert_string_equal(e.key_header, "x-api-key: k2");
    unsetenv("ANTHROPIC_API_KEY");
    setenv("ANTHROPIC_AUTH_TOKEN", "k3", 1);
    endpoint_make(&a, &c, "/", &e);
    assert_string_equal(e.key_header, "Authorization: Bearer k3");
    unsetenv("ANTHROPIC_AUTH_TOKEN");
    c = settings(PROVIDER_OLLAMA, NULL);
    setenv("OLLAMA_HOST", "0.0.0.0:1234", 1);
    endpoint_make(&a, &c, "/", &e);
    assert_string_equal(e.url, "http://127.0.0.1:1234/v1/chat/completions");
    unsetenv("OLLAMA_HOST");
    arena_fini(&a);
}

static void
test_key(void **state)
{
    (void)state;
    struct arena a = {0};
    struct err err = {0};
    struct endpoint e;
    char dir[] = "/tmp/test_model_XXXXXX", path[64];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/key", dir);
    assert_int_equal(fs_write_atomic(path, "file-key \nx", 11, false, &err), 0);
    struct project_model c = settings(PROVIDER_OPENAI, "https://h/v1");
    c.key = "file:key";
    chmod(path, 0644);
    endpoint_make(&a, &c, dir, &e);
    assert_non_null(strstr(e.bad, "chmod 600"));
    chmod(path, 0600);
    endpoint_make(&a, &c, dir, &e);
    assert_null(e.bad);
    assert_string_equal(e.key, "file-key");
    c.key = "command:printf '%s\\n' command-key";
    endpoint_make(&a, &c, dir, &e);
    assert_null(e.bad);
    assert_string_equal(e.key, "command-key");
    c.key = "command:false";
    endpoint_make(&a, &c, dir, &e);
    assert_non_null(strstr(e.bad, "failed"));
    c.key = "env:NO_SUCH_VARIABLE";
    endpoint_make(&a, &c, dir, &e);
    assert_non_null(strstr(e.bad, "NO_SUCH_VARIABLE"));
    fs_remove_tree(dir, NULL);
    arena_fini(&a);
}

/* ---- money ---- */

static void
test_price(void **state)
{
    (void)state;
    struct project_model c = settings(PROVIDER_OPENAI, "https://h/v1");
    struct endpoint e = {.c = &c, .dialect = DIALECT_CHAT};
    struct turn t = {.in = 1000, .out = 100, .cached = 400};
    /* 600 x 3 + 400 x 0.3 + 100 x 15 = 3420 millionths of a dollar */
    assert_int_equal(price_of_p(&e, &t), 3420 * INT64_C(1000000));
    assert_int_equal(price_worst_p(&e, 1000, 100), 4500 * INT64_C(1000000));
    e.dialect = DIALECT_MESSAGES;
    t.written = 200; /* 400 x 3 + 200 x 3.75 + 120 + 1500 */
    assert_int_equal(price_of_p(&e, &t), 3570 * INT64_C(1000000));
    assert_true(price_worst_p(&e, 1000, 100) >= price_of_p(&e, &t));
    c.price_in = NAN;
    assert_int_equal(price_of_p(&e, &t), 0);
    c.price_in = 1e-7; /* rounded up: never for nothing */
    c.price_out = c.price_cached = 0;
    t = (struct turn){.in = 1};
    assert_int_equal(price_of_p(&e, &t), 1);
}

static void
test_budget(void **state)
{
    (void)state;
    struct ledger *l = NULL;
    struct err err = {0};
    char dir[] = "/tmp/test_model_XXXXXX";
    assert_non_null(mkdtemp(dir));
    assert_int_equal(ledger_open(&l, dir, &err), 0);
    struct project_model c = settings(PROVIDER_OPENAI, "https://h/v1");
    struct attempt t = {.ask = 1,
        .turn = "t",
        .purpose = "p",
        .n = 1,
        .worst_tokens = 600,
        .worst_p = 5};
    bool fits = false;
    uint32_t failed = 0;
    assert_int_equal(attempt_begin(l, &c, "C1", &t, &fits, &err), 0);
    assert_true(fits);
    struct attempt u = t;
    assert_int_equal(attempt_begin(l, &c, "C1", &u, &fits, &err), 0);
    assert_false(fits); /* 600 are reserved, 600 more are above 1000 */
    assert_int_equal(attempt_begin(l, &c, "C2", &u, &fits, &err), 0);
    assert_true(fits); /* another campaign's money */
    t.state = ATTEMPT_PAID;
    t.in = 300;
    t.out = 99;
    assert_int_equal(attempt_end(l, &t, "{}", &err), 0);
    assert_int_equal(attempt_begin(l, &c, "C1", &u, &fits, &err), 0);
    assert_true(fits); /* 399 + 600 */
    u.state = ATTEMPT_UNKNOWN;
    assert_int_equal(attempt_end(l, &u, NULL, &err), 0);
    u.worst_tokens = 1;
    assert_int_equal(attempt_begin(l, &c, "C1", &u, &fits, &err), 0);
    assert_true(fits); /* 999 + 1 */
    assert_int_equal(attempt_begin(l, &c, "C1", &u, &fits, &err), 0);
    assert_false(fits);
    assert_int_equal(attempts_failed(l, 1, "t", &failed, &err), 0);
    assert_int_equal(failed, 1);
    struct model_spent s;
    assert_int_equal(ledger_spent(l, "C1", &s, &err), 0);
    assert_int_equal(s.tokens, 399);
    assert_int_equal(s.reserved_tokens, 601);
    struct stat sb;
    char path[64];
    snprintf(path, sizeof path, "%s/.rea/model.db", dir);
    assert_int_equal(stat(path, &sb), 0);
    assert_int_equal(sb.st_mode & 077, 0); /* prompts are private */
    ledger_close(l);
    fs_remove_tree(dir, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encode_chat),
        cmocka_unit_test(test_encode_responses),
        cmocka_unit_test(test_encode_messages),
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_decode_start),
        cmocka_unit_test(test_decode_bad),
        cmocka_unit_test(test_judge),
        cmocka_unit_test(test_wait),
        cmocka_unit_test(test_endpoint),
        cmocka_unit_test(test_key),
        cmocka_unit_test(test_price),
        cmocka_unit_test(test_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
