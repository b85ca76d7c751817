/* Writes project files: new defaults into an old one, and a first one for
 * `rea init` (project.h). Invariant: an edit changes the bytes of the default
 * values and no other byte, and the result has been parsed before it is
 * written. */
#include "project/project.h"

#include "base/fs.h"
#include "base/json.h"
#include "base/toml.h"
#include "project/words.h"

#include <stdlib.h>
#include <string.h>

/* ---- values as TOML ---- */

static void
put_string(const char *s, size_t n, struct buf *out)
{
    struct jw w; /* JSON's escapes are TOML's too */
    jw_init(&w, out, 0);
    jw_strn(&w, s, n);
}

static void
put_one(const struct project *p, uint32_t k, uint32_t i, struct buf *out)
{
    const char *s = p->spec.knob[k].values[i];
    bool bare = ((p->knob[k].num_mask | p->knob[k].bool_mask) >> i & 1) != 0;
    if (bare)
        buf_puts(out, s);
    else
        put_string(s, strlen(s), out);
}

static void
put_float(double v, struct buf *out)
{
    struct buf b = {0};
    buf_put_f64(&b, v);
    buf_puts(out, buf_str(&b));
    /* TOML tells 1 from 1.0, and 1e-05 has no point but an exponent. */
    if (strpbrk(buf_str(&b), ".eni") == NULL)
        buf_puts(out, ".0");
    buf_fini(&b);
}

static void
put_value(const struct project *p, uint32_t k, double code, struct buf *out)
{
    const struct knob *knob = &p->spec.knob[k];
    switch (knob->kind) {
    case KNOB_FLOAT:
        put_float(code, out);
        break;
    case KNOB_INT:
    case KNOB_BOOL:
        knob_text(p, k, code, out);
        break;
    case KNOB_SET: {
        bool first = true;
        buf_putc(out, '[');
        for (uint32_t i = 0; i < knob->n_values; i++) {
            if (((uint32_t)code >> i & 1) == 0)
                continue;
            buf_puts(out, first ? "" : ", ");
            put_one(p, k, i, out);
            first = false;
        }
        buf_putc(out, ']');
        break;
    }
    default:
        put_one(p, k, (uint32_t)code, out);
    }
}

/* ---- new defaults ---- */

struct edit {
    size_t begin, end; /* bytes that are replaced */
    uint32_t knob;
    double code;
};

static int
edit_order(const void *a, const void *b)
{
    const struct edit *x = a, *y = b;
    return x->begin < y->begin ? -1 : x->begin > y->begin;
}

static int
find_edits(const struct project *p, const struct toml *root,
    const struct project_default *set, size_t n, struct edit *edits,
    struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        int k = spec_knob(&p->spec, set[i].knob);
        if (k < 0)
            return err_set(err, -ERR_NOT_FOUND, "%s: there is no knob \"%s\"",
                p->file, set[i].knob);
        if (!knob_accepts(&p->spec.knob[k], set[i].code))
            return err_set(err, -ERR_INPUT,
                "%s: the new default of knob %s is outside its domain", p->file,
                set[i].knob);
        const struct toml *t = toml_get(toml_get(root, "knob"), set[i].knob);
        const struct toml *v = toml_get(t, "default");
        edits[i] = (struct edit){v->begin, v->end, (uint32_t)k, set[i].code};
    }
    qsort(edits, n, sizeof *edits, edit_order);
    for (size_t i = 1; i < n; i++) {
        if (edits[i].begin == edits[i - 1].begin)
            return err_set(err, -ERR_INPUT, "%s: a knob is set twice", p->file);
    }
    return 0;
}

static int
write_edits(struct arena *a, const struct project *p, const struct edit *edits,
    size_t n, struct err *err)
{
    struct buf out = {0};
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        buf_add(&out, p->text + at, edits[i].begin - at);
        put_value(p, edits[i].knob, edits[i].code, &out);
        at = edits[i].end;
    }
    buf_add(&out, p->text + at, p->text_len - at);
    struct project *again;
    int rc =
        project_parse(a, p->root, p->file, buf_str(&out), out.len, &again, err);
    if (rc == 0)
        rc = fs_write_atomic(
            fs_join_in(a, p->root, p->file), buf_str(&out), out.len, true, err);
    buf_fini(&out);
    return rc;
}

int
project_set_defaults(const char *root, const char *file,
    const struct project_default *set, size_t n, struct err *err)
{
    struct arena a = {0};
    struct project *p;
    struct toml *tree;
    int rc = project_load(&a, root, file, &p, err);
    if (rc == 0)
        rc = toml_parse(&a, p->text, p->text_len, &tree, NULL, err);
    if (rc == 0 && n > 0) {
        struct edit *edits = arena_alloc(&a, n * sizeof *edits);
        rc = find_edits(p, tree, set, n, edits, err);
        if (rc == 0)
            rc = write_edits(&a, p, edits, n, err);
    }
    arena_fini(&a);
    return rc == 0 ? 0 : err_wrap(err, rc, "new defaults");
}
