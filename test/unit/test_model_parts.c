/* The pure parts of the model client: schemas, repairs, events, redaction. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/part.h"
#include "model/schema.h"

/* ---- schemas ---- */

static struct json *
parse(const char *text)
{
    struct err err = {0};
    struct json *j = json_parse(text, strlen(text), &err);
    if (j == NULL)
        fail_msg("%s: %s", text, err.text);
    return j;
}

static void
test_schema_holds(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *value, *why; /* NULL: it holds */
    } rows[] = {
        {"{}", "1", NULL},
        {"true", "[1]", NULL},
        {"false", "1", "nothing may stand here"},
        {"{'type':'integer'}", "3.0", NULL},
        {"{'type':'integer'}", "3.5", "integer is wanted"},
        {"{'type':'number'}", "3", NULL},
        {"{'type':'string'}", "3", "an integer where string"},
        {"{'type':['string','null']}", "null", NULL},
        {"{'type':['string','null']}", "false", "another type"},
        {"{'enum':['a',2]}", "2.0", NULL},
        {"{'enum':['a',2]}", "'b'", "must be one of [\"a\",2]"},
        {"{'const':{'x':1}}", "{'x':1}", NULL},
        {"{'const':{'x':1}}", "{'x':2}", "must be one of"},
        {"{'minimum':1,'maximum':2}", "2", NULL},
        {"{'minimum':1,'maximum':2}", "0.5", "below the minimum 1"},
        {"{'minimum':1,'maximum':2}", "3", "above the maximum 2"},
        {"{'exclusiveMinimum':1}", "1", "must be above 1"},
        {"{'exclusiveMaximum':1}", "1", "must be below 1"},
        {"{'minimum':1}", "'text'", NULL},
        {"{'minLength':2}", "'é'", "shorter than 2 characters"},
        {"{'maxLength':1}", "'é'", NULL},
        {"{'maxLength':1}", "'éa'", "2 characters, more than 1"},
        {"{'pattern':'^[a-z]+$'}", "'abc'", NULL},
        {"{'pattern':'^[a-z]+$'}", "'aBc'", "does not match"},
        {"{'pattern':'^(a+)+$'}", "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab'",
            "does not match"},
        {"{'items':{'type':'integer'}}", "[1,2]", NULL},
        {"{'items':{'type':'integer'}}", "[1,'x']", "/1: a string"},
        {"{'minItems':1}", "[]", "fewer than 1"},
        {"{'maxItems':1}", "[1,2]", "more than 1"},
        {"{'required':['a']}", "{'a':null}", NULL},
        {"{'required':['a']}", "{}", "\"a\" is missing"},
        {"{'properties':{'a':{'type':'integer'}}}", "{'a':'x'}", "/a: "},
        {"{'properties':{'a':{}},'additionalProperties':false}", "{'b':1}",
            "\"b\" is not foreseen"},
        {"{'additionalProperties':{'type':'integer'}}", "{'b':'x'}", "/b: "},
        {"{'anyOf':[{'type':'integer'},{'type':'null'}]}", "null", NULL},
        {"{'anyOf':[{'type':'integer'},{'type':'null'}]}", "'x'",
            "none of the alternatives"},
        {"{'items':{'properties':{'v':{'maximum':5}}}}", "[{'v':1},{'v':7}]",
            "/1/v: 7 is above"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char schema[200], value[200];
        struct buf why = {0};
        struct err err = {0};
        snprintf(schema, sizeof schema, "%s", rows[i].schema);
        snprintf(value, sizeof value, "%s", rows[i].value);
        for (char *s = schema; *s != '\0'; s++)
            *s = *s == '\'' ? '"' : *s;
        for (char *s = value; *s != '\0'; s++)
            *s = *s == '\'' ? '"' : *s;
        struct json *s = parse(schema), *v = parse(value);
        if (schema_check(s, &err) != 0)
            fail_msg("%s: %s", schema, err.text);
        bool ok = schema_holds(s, v, &why);
        if (ok != (rows[i].why == NULL) ||
            (!ok && strstr(buf_str(&why), rows[i].why) == NULL))
            fail_msg("%s, %s: %d %s", schema, value, ok, buf_str(&why));
        json_free(s);
        json_free(v);
        buf_fini(&why);
    }
}

/* A rule that is not checked must not look as if it were. */
static void
test_schema_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"[]", "{\"typ\":\"string\"}",
        "{\"type\":\"text\"}", "{\"$ref\":\"#\"}", "{\"format\":\"date\"}",
        "{\"minimum\":\"1\"}", "{\"minItems\":-1}", "{\"pattern\":\"(\"}",
        "{\"required\":[1]}", "{\"enum\":[]}", "{\"anyOf\":[]}",
        "{\"properties\":{\"a\":{\"oneOf\":[]}}}", "{\"items\":{\"x\":1}}",
        "{\"uniqueItems\":true}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err err = {0};
        struct json *s = parse(bad[i]);
        if (schema_check(s, &err) != -ERR_INPUT)
            fail_msg("taken: %s", bad[i]);
        assert_true(err.text[0] != '\0');
        json_free(s);
    }
}

static void
test_schema_deep(void **state)
{
    (void)state;
    struct buf b = {0};
    for (int i = 0; i < 200; i++)
        buf_puts(&b, "[");
    for (int i = 0; i < 200; i++)
        buf_puts(&b, "]");
    struct json *v = parse(buf_str(&b));
    struct json *s = parse("{\"items\":{\"items\":{}}}");
    assert_true(schema_holds(s, v, NULL)); /* only as deep as the schema */
    json_free(s);
    buf_clear(&b);
    for (int i = 0; i < 200; i++)
        buf_puts(&b, "{\"items\":");
    buf_puts(&b, "{}");
    for (int i = 0; i < 200; i++)
        buf_puts(&b, "}");
    struct json *deep = parse(buf_str(&b));
    struct err err = {0};
    assert_int_equal(schema_check(deep, &err), -ERR_INPUT);
    assert_false(schema_holds(deep, v, NULL));
    json_free(deep);
    json_free(v);
    buf_fini(&b);
}

static void
test_schema_strict(void **state)
{
    (void)state;
    struct json *open = parse("{\"type\":\"object\",\"properties\":{\"a\":{}},"
                              "\"required\":[\"a\"]}");
    struct json *part = parse("{\"type\":\"object\",\"properties\":{\"a\":{},"
                              "\"b\":{}},\"required\":[\"a\"],"
                              "\"additionalProperties\":false}");
    struct json *whole = parse("{\"type\":\"object\",\"properties\":{\"a\":{}},"
                               "\"required\":[\"a\"],"
                               "\"additionalProperties\":false}");
    assert_false(schema_is_strict(open));
    assert_false(schema_is_strict(part));
    assert_true(schema_is_strict(whole));
    json_free(open);
    json_free(part);
    json_free(whole);
}

/* ---- repairs ---- */

static void
test_mend(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"{\"a\":\"\xc3\xa9\"}", "{\"a\":\"\xc3\xa9\"}"},
        {"\"\xff\"", "\"\xef\xbf\xbd\""},
        {"\"\xc3\"", "\"\xef\xbf\xbd\""},
        {"\"\\ud83d\\ude00\"", "\"\\ud83d\\ude00\""},
        {"\"\\ud83d x\"", "\"\\ufffd x\""},
        {"\"\\ude00\"", "\"\\ufffd\""},
        {"\"\\ud83d\\ud83d\\ude00\"", "\"\\ufffd\\ud83d\\ude00\""},
        {"\"\\u0000\"", "\"\\ufffd\""},
        {"\"\\\\ud83d\"", "\"\\\\ud83d\""},
        {"\"\\u12\"", "\"\\u12\""},
        {"\\\xff", "\\\xef\xbf\xbd"},
        {"NaN", "NaN"},
        {"\\", "\\"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf b = {0};
        mend_json(rows[i].in, strlen(rows[i].in), &b);
        assert_string_equal(buf_str(&b), rows[i].out);
        buf_fini(&b);
    }
}

static void
test_first_object(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"```json\n{\"a\": {\"b\": [1]}}\n```", "{\"a\": {\"b\": [1]}}"},
        {"Sure: {\"a\":\"}{\"} and {\"b\":1}", "{\"a\":\"}{\"}"},
        {"{\"a\":\"\\\"}\"}", "{\"a\":\"\\\"}\"}"},
        {"{ {\"a\":1}", "{\"a\":1}"},
        {"no object", NULL},
        {"{\"a\":", NULL},
        {"{\"a\\", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t n = 0;
        const char *at = first_object(rows[i].in, strlen(rows[i].in), &n);
        if (rows[i].out == NULL) {
            assert_null(at);
        } else {
            assert_non_null(at);
            assert_int_equal(n, strlen(rows[i].out));
            assert_memory_equal(at, rows[i].out, n);
        }
    }
}

/* ---- events ---- */

static int
note(void *ctx, const char *event, const char *data, size_t len)
{
    struct buf *b = ctx;
    buf_printf(b, "<%s|", event);
    buf_add(b, data, len);
    buf_putc(b, '>');
    return 0;
}

static void
test_sse_any_cut(void **state)
{
    (void)state;
    static const char text[] =
        "\xef\xbb\xbf: hello\r\ndata: {\"a\":1}\r\n\r\nevent: x\rdata:one\r"
        "data: two\r\rid: 7\nretry: 10\ndata\n\n\n\ndata: \xc3\xa9\n\nevent: "
        "lost\n\ndata: no blank line";
    static const char want[] = "<|{\"a\":1}><x|one\ntwo><|><|\xc3\xa9>";
    for (size_t step = 1; step < sizeof text; step++) {
        struct sse s = {0};
        struct buf b = {0};
        for (size_t i = 0; i < sizeof text - 1; i += step) {
            size_t n = sizeof text - 1 - i < step ? sizeof text - 1 - i : step;
            assert_int_equal(sse_feed(&s, text + i, n, note, &b), 0);
        }
        assert_string_equal(buf_str(&b), want);
        buf_fini(&b);
        sse_fini(&s);
    }
}

static int
stop(void *ctx, const char *event, const char *data, size_t len)
{
    (void)event;
    (void)data;
    (void)len;
    ++*(int *)ctx;
    return 7;
}

static void
test_sse_limits(void **state)
{
    (void)state;
    struct sse s = {0};
    int n = 0;
    assert_int_equal(sse_feed(&s, "data: a\n\ndata: b\n\n", 18, stop, &n), 7);
    assert_int_equal(n, 1);
    sse_fini(&s);
    struct sse t = {0};
    char *block = mem_calloc(1, 1 << 20);
    memset(block, 'x', 1 << 20);
    int rc = 0;
    for (int i = 0; i < 8 && rc == 0; i++)
        rc = sse_feed(&t, block, 1 << 20, stop, &n);
    assert_int_equal(rc, -1);
    assert_true(t.too_long);
    free(block);
    sse_fini(&t);
}

/* ---- redaction ---- */

static void
test_redact(void **state)
{
    (void)state;
    setenv("MY_SERVICE_TOKEN", "plain-looking-words", 1);
    setenv("MY_SHORT_KEY", "abc", 1);
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"nothing to see: lr=1e-3, auc 0.8123", NULL},
        {"sk-abcdefghijklmnopqrstuv", "[key]"},
        {"key sk-ant-api03-AbCdEf_GhIjKlMnOp-12 end", "key [key] end"},
        {"ghp_abcdefghijklmnopqrstuvwxyz0123456789", "[token]"},
        {"AKIAIOSFODNN7EXAMPLE", "[key]"},
        {"Authorization: Bearer abcdef0123456789", "Authorization: Bearer "
                                                   "[token]"},
        {"password = hunter2hunter2 x", "password = [secret] x"},
        {"\"api_key\": \"0123456789abcdef\",", "\"api_key\": \"[secret]\","},
        {"export AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG",
            "export "
            "AWS_SECRET_ACCESS_KEY="
            "[secret]"},
        {"postgres://bob:s3cr3tpw@db/x", "postgres://bob:[password]@db/x"},
        {"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmN",
            "[token]"},
        {"-----BEGIN RSA PRIVATE KEY-----\nMIIE\nx\n-----END RSA PRIVATE "
         "KEY-----.",
            "[private key]."},
        {"-----BEGIN PRIVATE KEY-----\nMIIE never ends", "[private key]"},
        {"mail ann.lee@example.co.uk!", "mail [email]!"},
        {"call +49 170 1234567 now", "call [phone] now"},
        {"card 4111 1111 1111 1111", "card [card]"},
        {"steps 4111 1111 1111 1112", NULL},
        {"id 078-05-1120", "id [id number]"},
        {"x plain-looking-words y", "x [secret] y"},
        {"abc is too short to be a secret", NULL},
        {"loss 0.4567891234567 at step 1234567890", NULL},
        {"arXiv 2206.01234, doi 10.1145/3219819.3219823", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf b = {0};
        const char *want = rows[i].out ? rows[i].out : rows[i].in;
        uint32_t n = model_redact(rows[i].in, strlen(rows[i].in), &b);
        assert_string_equal(buf_str(&b), want);
        assert_int_equal(n, rows[i].out != NULL);
        buf_fini(&b);
    }
    unsetenv("MY_SERVICE_TOKEN");
    unsetenv("MY_SHORT_KEY");
}

/* A log of a megabyte stays quick and whole. */
static void
test_redact_long(void **state)
{
    (void)state;
    struct buf in = {0}, out = {0};
    for (int i = 0; i < 20000; i++)
        buf_printf(&in, "step=%d loss=0.%06d lr=0.001 tokens_per_second: %d\n",
            i, i * 37 % 1000000, i * 11);
    buf_puts(&in, "the end is bob@example.com");
    assert_int_equal(model_redact(buf_str(&in), in.len, &out), 1);
    assert_non_null(strstr(buf_str(&out), "the end is [email]"));
    assert_null(strstr(buf_str(&out), "could not be checked"));
    buf_fini(&in);
    buf_fini(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schema_holds),
        cmocka_unit_test(test_schema_refused),
        cmocka_unit_test(test_schema_deep),
        cmocka_unit_test(test_schema_strict),
        cmocka_unit_test(test_mend),
        cmocka_unit_test(test_first_object),
        cmocka_unit_test(test_sse_any_cut),
        cmocka_unit_test(test_sse_limits),
        cmocka_unit_test(test_redact),
        cmocka_unit_test(test_redact_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
