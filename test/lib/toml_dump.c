/* Prints TOML documents as JSON for comparison with another parser. Standard
 * input holds frames, "LENGTH\n" and that many bytes; each gives one line:
 * the typed tree, or null and the error. Used by peers/toml_vs_tomllib.py. */
#include "base/buf.h"
#include "base/json.h"
#include "base/toml.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void
put_typed(struct jw *w, const char *type, const char *text, size_t n)
{
    jw_arr_begin(w);
    jw_str(w, type);
    jw_strn(w, text, n);
    jw_arr_end(w);
}

static void
put_value(struct jw *w, const struct toml *t)
{
    struct buf b = {0};
    switch (t->kind) {
    case TOML_TABLE:
        jw_obj_begin(w);
        for (const struct toml *c = t->child; c != NULL; c = c->next) {
            /* Keys may hold a NUL, which a C string would cut: mark it. */
            struct buf key = {0};
            for (size_t i = 0; i < c->key_len; i++)
                c->key[i] ? buf_putc(&key, c->key[i]) : buf_puts(&key, "<0>");
            jw_key(w, buf_str(&key));
            put_value(w, c);
            buf_fini(&key);
        }
        jw_obj_end(w);
        break;
    case TOML_ARRAY:
        jw_arr_begin(w);
        for (const struct toml *c = t->child; c != NULL; c = c->next)
            put_value(w, c);
        jw_arr_end(w);
        break;
    case TOML_STR:
        put_typed(w, "str", t->str, t->str_len);
        break;
    case TOML_INT:
        buf_printf(&b, "%lld", (long long)t->i64);
        put_typed(w, "int", buf_str(&b), b.len);
        break;
    case TOML_FLOAT:
        buf_put_f64(&b, t->f64);
        put_typed(w, "float", buf_str(&b), b.len);
        break;
    case TOML_BOOL:
        jw_bool(w, t->boolean);
        break;
    default:
        put_typed(w, "date", t->str, t->str_len);
    }
    buf_fini(&b);
}

static void
dump(const char *text, size_t n)
{
    struct arena a = {0};
    struct buf out = {0};
    struct jw w;
    struct toml *root;
    struct err err = {0};
    jw_init(&w, &out, 0);
    jw_arr_begin(&w);
    if (toml_parse(&a, text, n, &root, NULL, &err) == 0) {
        put_value(&w, root);
    } else {
        jw_null(&w);
        jw_str(&w, err.text);
    }
    jw_arr_end(&w);
    puts(buf_str(&out));
    buf_fini(&out);
    arena_fini(&a);
}

int
main(void)
{
    size_t n;
    while (scanf("%zu", &n) == 1 && getchar() == '\n') {
        char *text = malloc(n + 1);
        if (text == NULL || fread(text, 1, n, stdin) != n)
            return 1;
        dump(text, n);
        free(text);
    }
    return 0;
}
