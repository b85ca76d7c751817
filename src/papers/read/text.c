/* Plain text and Markdown to papers (doc.h). Invariant: nothing that a text
 * refers to is opened. */
#include "papers/read/doc.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static size_t
line_len(const char *s, size_t n)
{
    const char *end = memchr(s, '\n', n);
    return end != NULL ? (size_t)(end - s) : n;
}

static size_t
blank_skip(const char *s, size_t n)
{
    size_t i = 0;
    while (i < n && isspace((unsigned char)s[i]))
        i++;
    return i;
}

/* A long first line is a paragraph: as much of it as makes a title. */
static void
title_take(struct doc *d, const char *s, size_t n)
{
    if (n > 300) {
        n = 300;
        while (n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80)
            n--;
    }
    buf_add(&d->title, s, n);
}

/* The first line that says something is the title. */
void
read_text(const char *s, size_t n, const struct outlet *o)
{
    struct doc d = {0};
    if (text_is_binary(s, n)) {
        doc_bad(o, 0, "not UTF-8 text");
        return;
    }
    size_t at = blank_skip(s, n), len = line_len(s + at, n - at);
    title_take(&d, s + at, len);
    if (len <= 300)
        at += len;
    buf_add(&d.text, s + at, n - at);
    doc_out(o, &d, 0);
    doc_fini(&d);
}

/* ---- Markdown ---- */

/* "key: value" of the front matter. */
static void
front_line(struct doc *d, const char *s, size_t n)
{
    static const char *const key[] = {"title", "date", "year", "doi", "arxiv",
        "id", "license", "licence", "url", "source"};
    struct buf *to[] = {&d->title, &d->date, &d->date, &d->id, &d->id, &d->id,
        &d->licence, &d->licence, &d->source, &d->source};
    const char *colon = memchr(s, ':', n);
    if (colon == NULL)
        return;
    size_t k = (size_t)(colon - s);
    const char *v = colon + 1;
    size_t m = n - k - 1;
    while (m > 0 && (isspace((unsigned char)*v) || *v == '"' || *v == '\''))
        v++, m--;
    while (m > 0 && (isspace((unsigned char)v[m - 1]) || v[m - 1] == '"' ||
                        v[m - 1] == '\''))
        m--;
    for (size_t i = 0; i < sizeof key / sizeof *key; i++)
        if (strlen(key[i]) == k && strncasecmp(key[i], s, k) == 0 &&
            to[i]->len == 0 && m > 0)
            buf_add(to[i], v, m);
}

/* The block between two lines of three dashes at the beginning; its length. */
static size_t
front_matter(struct doc *d, const char *s, size_t n)
{
    size_t at = line_len(s, n) + 1;
    if (n < 4 || strncmp(s, "---", 3) != 0 || at > n)
        return 0;
    for (size_t from = at; from < n;) {
        size_t len = line_len(s + from, n - from);
        if (len >= 3 && strncmp(s + from, "---", 3) == 0) {
            for (size_t i = at; i < from;) {
                size_t m = line_len(s + i, from - i);
                front_line(d, s + i, m);
                i += m + 1;
            }
            return from + len;
        }
        from += len + 1;
    }
    return 0;
}

/* [text](target) and ![text](target): the length of all; *text, *m: what is
 * shown. 0: no link here. */
static size_t
link_at(const char *s, size_t n, const char **text, size_t *m)
{
    size_t close = 1;
    while (close < n && close < 400 && s[close] != ']' && s[close] != '\n')
        close++;
    if (close + 1 >= n || s[close] != ']' || s[close + 1] != '(')
        return 0;
    size_t end = close + 2;
    while (end < n && end < close + 2000 && s[end] != ')' && s[end] != '\n')
        end++;
    if (end >= n || s[end] != ')')
        return 0;
    *text = s + 1;
    *m = close - 1;
    return end + 1;
}

/* One line without its marks. */
static void
markdown_line(struct buf *out, const char *s, size_t n)
{
    size_t at = 0;
    while (at < n && (s[at] == '#' || s[at] == '>' || s[at] == ' '))
        at++;
    while (at < n) {
        const char *text;
        size_t m, len = 0;
        bool image = s[at] == '!' && at + 1 < n && s[at + 1] == '[';
        if (s[at] == '[' || image)
            len = link_at(s + at + image, n - at - image, &text, &m);
        if (len > 0) {
            if (!image)
                buf_add(out, text, m);
            at += len + image;
        } else if (s[at] == '`' ||
                   (s[at] == '*' && at + 1 < n && s[at + 1] == '*')) {
            at += s[at] == '`' ? 1 : 2;
        } else {
            buf_putc(out, s[at++]);
        }
    }
    buf_putc(out, '\n');
}

static size_t
comment_skip(const char *s, size_t n)
{
    if (n < 4 || strncmp(s, "<!--", 4) != 0)
        return 0;
    for (size_t i = 4; i + 3 <= n; i++)
        if (strncmp(s + i, "-->", 3) == 0)
            return i + 3;
    return n;
}

void
read_markdown(const char *s, size_t n, const struct outlet *o)
{
    struct doc d = {0};
    if (text_is_binary(s, n)) {
        doc_bad(o, 0, "not UTF-8 text");
        return;
    }
    size_t at = front_matter(&d, s, n);
    bool titled = d.title.len > 0;
    while (at < n) {
        size_t skip = comment_skip(s + at, n - at);
        if (skip > 0) {
            at += skip;
            continue;
        }
        size_t len = line_len(s + at, n - at);
        const char *line = s + at;
        at += len + 1;
        if (strncmp(line, "```", len < 3 ? len : 3) == 0 && len >= 3)
            continue; /* the fence; what it holds is text */
        if (!titled && blank_skip(line, len) < len) {
            markdown_line(&d.title, line, len < 300 ? len : 300);
            titled = true;
            if (len > 300)
                markdown_line(&d.text, line, len);
            continue;
        }
        markdown_line(&d.text, line, len);
    }
    doc_out(o, &d, 0);
    doc_fini(&d);
}
