/* BibTeX entries to papers (doc.h). Invariant: @string names are looked up
 * once, never expanded again; work is linear in the bytes. */
#include "papers/read/doc.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { NAME_BYTES = 64, STRINGS_MAX = 256 };

struct macro {
    char name[NAME_BYTES];
    const char *text;
    size_t n;
};

struct bib {
    const char *s;
    size_t n, at;
    unsigned long line;
    uint32_t n_macros;
    struct macro macro[STRINGS_MAX];
};

static void
blanks_skip(struct bib *b)
{
    while (b->at < b->n && isspace((unsigned char)b->s[b->at]))
        b->line += b->s[b->at++] == '\n';
}

/* A name up to white space or a mark. */
static void
name_read(struct bib *b, char out[NAME_BYTES])
{
    size_t len = 0;
    while (b->at < b->n && !isspace((unsigned char)b->s[b->at]) &&
           strchr("{}(),=#\"@", b->s[b->at]) == NULL) {
        if (len < NAME_BYTES - 1)
            out[len++] = b->s[b->at];
        b->at++;
    }
    out[len] = '\0';
}

/* "..." or {...}: what is inside; the place moves behind it. */
static void
quoted_read(struct bib *b, const char **text, size_t *len)
{
    bool braced = b->s[b->at] == '{';
    size_t depth = 0, from = ++b->at;
    for (; b->at < b->n; b->at++) {
        char c = b->s[b->at];
        b->line += c == '\n';
        if (c == '\\' && b->at + 1 < b->n)
            b->at++;
        else if (depth == 0 && c == (braced ? '}' : '"'))
            break;
        else if (c == '{')
            depth++;
        else if (c == '}' && depth > 0)
            depth--;
    }
    *text = b->s + from;
    *len = (b->at < b->n ? b->at : b->n) - from;
    b->at += b->at < b->n;
}

static const struct macro *
macro_find(const struct bib *b, const char *name)
{
    for (uint32_t i = 0; i < b->n_macros; i++)
        if (strcasecmp(b->macro[i].name, name) == 0)
            return &b->macro[i];
    return NULL;
}

/* value # value # ... */
static void
value_read(struct bib *b, struct buf *out)
{
    for (;;) {
        const char *text = NULL;
        size_t len = 0;
        char name[NAME_BYTES];
        blanks_skip(b);
        if (b->at < b->n && (b->s[b->at] == '{' || b->s[b->at] == '"')) {
            quoted_read(b, &text, &len);
        } else {
            name_read(b, name);
            const struct macro *m = macro_find(b, name);
            text = m != NULL ? m->text : name;
            len = m != NULL ? m->n : strlen(name);
        }
        latex_plain(out, text, len);
        blanks_skip(b);
        if (b->at >= b->n || b->s[b->at] != '#')
            return;
        b->at++;
    }
}

static void
field_keep(struct doc *d, const char *name, const struct buf *value)
{
    static const char *const key[] = {"title", "abstract", "doi", "eprint",
        "year", "date", "url", "copyright", "license", "note"};
    struct buf *to[] = {&d->title, &d->text, &d->id, &d->id, &d->date, &d->date,
        &d->source, &d->licence, &d->licence, &d->text};
    for (size_t i = 0; i < sizeof key / sizeof *key; i++)
        if (strcasecmp(key[i], name) == 0 &&
            (to[i]->len == 0 || strcmp(key[i], "doi") == 0)) {
            buf_clear(to[i]);
            buf_add(to[i], value->data, value->len);
        }
}

static void
string_keep(struct bib *b)
{
    char name[NAME_BYTES];
    blanks_skip(b);
    name_read(b, name);
    blanks_skip(b);
    if (b->at >= b->n || b->s[b->at] != '=')
        return;
    b->at++;
    blanks_skip(b);
    if (b->at >= b->n || (b->s[b->at] != '{' && b->s[b->at] != '"'))
        return;
    struct macro m;
    memcpy(m.name, name, sizeof name);
    quoted_read(b, &m.text, &m.n);
    if (b->n_macros < STRINGS_MAX)
        b->macro[b->n_macros++] = m;
}

/* The fields up to the closing brace. false: the end came first. */
static bool
entry_read(struct bib *b, struct doc *d)
{
    char name[NAME_BYTES];
    struct buf value = {0};
    name_read(b, name); /* the citation key names nothing outside its file */
    for (;;) {
        while (b->at < b->n &&
               (isspace((unsigned char)b->s[b->at]) || b->s[b->at] == ','))
            b->line += b->s[b->at++] == '\n';
        if (b->at >= b->n || b->s[b->at] == '@')
            break;
        if (b->s[b->at] == '}' || b->s[b->at] == ')') {
            b->at++;
            buf_fini(&value);
            return true;
        }
        size_t before = b->at;
        name_read(b, name);
        blanks_skip(b);
        if (b->at < b->n && b->s[b->at] == '=') {
            b->at++;
            buf_clear(&value);
            value_read(b, &value);
            field_keep(d, name, &value);
        } else if (b->at == before) {
            b->at++; /* a stray mark */
        }
    }
    buf_fini(&value);
    return false;
}

static void
entry_out(
    struct bib *b, struct doc *d, unsigned long line, const struct outlet *o)
{
    if (!entry_read(b, d))
        doc_bad(o, line, "an entry that does not end");
    else if (d->title.len == 0)
        doc_bad(o, line, "an entry without a title");
    else
        doc_out(o, d, line);
    doc_clear(d);
}

void
read_bibtex(const char *s, size_t n, const struct outlet *o)
{
    struct bib b = {.s = s, .n = n, .line = 1};
    struct doc d = {0};
    bool any = false;
    if (text_is_binary(s, n)) {
        doc_bad(o, 0, "not UTF-8 text");
        return;
    }
    while (b.at < n) {
        char kind[NAME_BYTES];
        unsigned long line = b.line;
        b.line += s[b.at] == '\n';
        if (s[b.at++] != '@')
            continue;
        name_read(&b, kind);
        blanks_skip(&b);
        if (b.at >= n || (s[b.at] != '{' && s[b.at] != '('))
            continue;
        b.at++;
        if (strcasecmp(kind, "string") == 0)
            string_keep(&b);
        if (strcasecmp(kind, "string") == 0 ||
            strcasecmp(kind, "comment") == 0 ||
            strcasecmp(kind, "preamble") == 0)
            continue;
        entry_out(&b, &d, line, o);
        any = true;
    }
    if (!any)
        doc_bad(o, 0, "no BibTeX entry in it");
    doc_fini(&d);
}
