/* TOML: any bytes are read or refused; what is read has sane places. */
#include "fuzz.h"

#include "base/toml.h"

#include <assert.h>
#include <string.h>

const char *const fuzz_seeds[] = {
    "a = 1\n[b]\nc.d = [1, {x = 'y'}, 2.5e-3]\n[[e]]\n[[e]]\nf = true\n",
    "s = \"\"\"\na\\u00e9\\\n   b\"\"\"\nt = '''x'''\nd = "
    "2020-02-29T01:02:03Z\n",
    "[knob.\"a.b\"]\nrange = [1e-4, inf]\n\"q\" = 0xff\nw = { a.b = 1 } # "
    "c\r\n",
    NULL,
};
const char *const fuzz_words[] = {"\"\"\"", "'''", "\\u", "\\U0010FFFF", "[[",
    "]]", "{", "}", " = ", ".", "nan", "-inf", "1979-05-27", "07:32:00", "0x",
    "1_0", "\r\n", "#", "\xc3\xa9", "[a.b]\n", "a.b = 1\n", NULL};

static void
check(const struct toml *t, size_t size)
{
    for (; t != NULL; t = t->next) {
        assert(t->begin <= t->end && t->end <= size);
        assert(t->line >= 1 && t->col >= 1);
        assert(t->kind != TOML_STR || strlen(t->str) <= t->str_len);
        check(t->child, size);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = {0};
    struct toml *t = NULL;
    struct toml_fault f = {0};
    struct err err = {0};
    if (toml_parse(&a, (const char *)data, size, &t, &f, &err) == 0)
        check(t->child, size);
    else
        assert(f.line >= 1 && f.col >= 1 && f.why[0] != '\0');
    arena_fini(&a);
    return 0;
}
