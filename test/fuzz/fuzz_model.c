/* What a model's server sends: any bytes in any dialect, whole or streamed,
 * are read or refused; repairs give text that is UTF-8; schemas hold or not;
 * redaction and errors never lose their footing. */
#include "fuzz.h"

#include "base/utf8.h"
#include "model/part.h"
#include "model/schema.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const char *const fuzz_seeds[] = {
    "0{\"id\":\"c\",\"choices\":[{\"index\":0,\"message\":{\"content\":\"{}\","
    "\"tool_calls\":[{\"id\":\"\",\"function\":{\"name\":\"look\","
    "\"arguments\":\"{}\"}}]},\"finish_reason\":\"stop\"}],\"usage\":{"
    "\"prompt_tokens\":3,\"completion_tokens\":4}}",
    "1data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: "
    "{\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}],\"usage\":{"
    "\"prompt_tokens\":1}}\r\n\r\ndata: [DONE]\n\n",
    "2{\"id\":\"r\",\"status\":\"incomplete\",\"incomplete_details\":{"
    "\"reason\":\"content_filter\"},\"output\":[{\"type\":\"message\","
    "\"content\":[{\"type\":\"output_text\",\"text\":\"x\"}]},{\"type\":"
    "\"function_call\",\"call_id\":\"a\",\"name\":\"b\",\"arguments\":\"{}\"}]"
    ",\"usage\":{\"input_tokens\":1,\"output_tokens\":2}}",
    "3event: response.completed\ndata: {\"type\":\"response.completed\","
    "\"response\":{\"status\":\"completed\",\"output\":[]}}\n\n",
    "4{\"content\":[{\"type\":\"text\",\"text\":\"x\"},{\"type\":\"tool_use\","
    "\"id\":\"t\",\"name\":\"n\",\"input\":{\"a\":1}}],\"stop_reason\":"
    "\"tool_use\",\"usage\":{\"input_tokens\":1,\"output_tokens\":2,"
    "\"cache_read_input_tokens\":5}}",
    "5event: message_start\ndata: {\"type\":\"message_start\",\"message\":{"
    "\"usage\":{\"input_tokens\":1}}}\n\ndata: {\"type\":"
    "\"content_block_delta\",\"index\":0,\"delta\":{\"partial_json\":\"{\"}}"
    "\n\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
    "\"end_turn\"},\"usage\":{\"output_tokens\":5}}\n\n",
    "6{\"type\":\"object\",\"properties\":{\"a\":{\"type\":[\"string\","
    "\"null\"],\"pattern\":\"^a+$\",\"maxLength\":5}},\"required\":[\"a\"],"
    "\"additionalProperties\":false}\n{\"a\":\"aaa\"}",
    "7```json\n{\"a\":\"\\ud800 \\u0000 \xc3\xa9\"}\n``` password = hunter2345"
    " bob@example.com -----BEGIN PRIVATE KEY-----",
    "8{\"error\":{\"type\":\"insufficient_quota\",\"message\":\"no "
    "temperature\"}}",
    NULL,
};
const char *const fuzz_words[] = {"\\ud83d", "\\u0000", "\xff", "\xc3", "NaN",
    "data: ", "event: ", "\n\n", "\r", "[DONE]", "null", "1e999", "-5", "{",
    "}", "[", "]", "\"", "\"anyOf\":", "\"enum\":", "\"items\":", "sk-", "@",
    "Fri, 31 Dec 1999 23:59:59 GMT", "99999999999999999999", NULL};

static int
on_event(void *ctx, const char *event, const char *data, size_t len)
{
    return decode_event(ctx, event, data, len, NULL);
}

static void
turn_check(struct decoder *d)
{
    struct arena a = {0};
    struct turn t;
    decode_end(d, &a, &t);
    assert(t.text != NULL && t.n_calls <= CALLS_MAX);
    for (uint32_t i = 0; i < t.n_calls; i++)
        assert(t.call[i].id[0] != '\0' && t.call[i].args != NULL);
    arena_fini(&a);
}

static void
reply_read_any(uint8_t which, const char *s, size_t n)
{
    struct decoder d;
    struct sse sse = {0};
    decoder_init(&d, (uint8_t)(1 + which / 2));
    if (which % 2 == 0)
        decode_body(&d, s, n, NULL);
    for (size_t i = 0, step = 1; which % 2 == 1 && i < n;
         step = step % 97 + 1) {
        size_t k = n - i < step ? n - i : step;
        if (sse_feed(&sse, s + i, k, on_event, &d) != 0)
            break;
        i += k;
    }
    turn_check(&d);
    decoder_fini(&d);
    sse_fini(&sse);
}

static void
schema_any(const char *s, size_t n)
{
    const char *line = memchr(s, '\n', n);
    struct err err = {0};
    if (line == NULL)
        return;
    struct json *schema = json_parse(s, (size_t)(line - s), NULL);
    struct json *v = json_parse(line, n - (size_t)(line - s), NULL);
    if (schema != NULL && v != NULL && schema_check(schema, &err) == 0) {
        struct buf why = {0};
        bool ok = schema_holds(schema, v, &why);
        assert(ok || why.len > 0);
        schema_is_strict(schema);
        buf_fini(&why);
    }
    json_free(schema);
    json_free(v);
}

static void
text_any(const char *s, size_t n)
{
    struct buf b = {0}, c = {0};
    size_t len = 0;
    mend_json(s, n, &b);
    for (size_t i = 0; i < b.len;) {
        size_t k = utf8_len(buf_str(&b) + i, b.len - i);
        assert(k > 0);
        i += k;
    }
    const char *at = first_object(buf_str(&b), b.len, &len);
    assert(at == NULL || (at[0] == '{' && at + len <= buf_str(&b) + b.len));
    model_redact(s, n, &c);
    buf_fini(&b);
    buf_fini(&c);
}

static void
error_any(const char *s, size_t n)
{
    struct answer a = {.http = 429};
    struct buf why = {0};
    bool lower = false;
    buf_add(&a.body, s, n);
    buf_add(&a.after, s, n < 60 ? n : 60);
    answer_judge(&a, "a-key", &why);
    answer_lacks(&a, 0, &lower);
    int64_t wait = retry_wait_ms(&a, 2, 0.5, 1700000000000);
    assert(wait > 0 && wait <= 60000);
    buf_fini(&why);
    buf_fini(&a.body);
    buf_fini(&a.after);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    /* the exact bytes, so that a read beyond them is seen */
    char *s = malloc(size);
    memcpy(s, data + 1, size - 1);
    s[size - 1] = '\0';
    uint8_t which = (uint8_t)((data[0] + 6) % 9);
    if (which < 6)
        reply_read_any(which, s, size - 1);
    else if (which == 6)
        schema_any(s, size - 1);
    else if (which == 7)
        text_any(s, size - 1);
    else
        error_any(s, size - 1);
    free(s);
    return 0;
}
