/* LaTeX to text: title, date, abstract, sections; mark-up goes, formulas and
 * what commands enclose stay. Called by main.c, and by bibtex.c for fields.
 * Invariant: nothing is expanded or included (\input, \write18, macros stay
 * words), so work is linear in the bytes. */
#include "papers/read/doc.h"

#include <ctype.h>
#include <string.h>

enum { COMMAND_MAX = 32 };

/* The command name behind a backslash; its length. */
static size_t
command_name(const char *s, size_t n, char out[COMMAND_MAX])
{
    size_t len = 0;
    while (len < n && isalpha((unsigned char)s[len]))
        len++;
    size_t keep = len < COMMAND_MAX ? len : COMMAND_MAX - 1;
    memcpy(out, s, keep);
    out[keep] = '\0';
    return len;
}

static bool
is_one_of(const char *word, const char *const *list)
{
    for (; *list != NULL; list++)
        if (strcmp(word, *list) == 0)
            return true;
    return false;
}

/* {...} or [...] that opens at s: the length with both ends, or n. */
static size_t
group_len(const char *s, size_t n, char open, char close)
{
    size_t depth = 0;
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '\\') {
            i++;
            continue;
        }
        depth += s[i] == open;
        if (s[i] == close && --depth == 0)
            return i + 1;
    }
    return n;
}

static size_t
blanks(const char *s, size_t n)
{
    size_t i = 0;
    while (i < n && isspace((unsigned char)s[i]))
        i++;
    return i;
}

/* Arguments that follow a command and say nothing to a reader. */
static size_t
arguments_skip(const char *s, size_t n)
{
    size_t at = 0;
    for (;;) {
        size_t gap = blanks(s + at, n - at);
        if (at + gap >= n)
            return at;
        char c = s[at + gap];
        if (c == '{')
            at += gap + group_len(s + at + gap, n - at - gap, '{', '}');
        else if (c == '[' && gap == 0)
            at += group_len(s + at, n - at, '[', ']');
        else
            return at;
    }
}

/* An accent over a letter: \'e, \"{o}, \c{c}. Its plain letter is enough for
 * search; returns the length behind the backslash, 0: no accent. */
static size_t
accent_at(struct buf *out, const char *s, size_t n)
{
    if (n < 2 || strchr("'`^\"~=.", s[0]) == NULL || s[0] == '\0')
        return 0;
    size_t at = 1;
    bool braced = s[at] == '{';
    at += braced;
    if (at < n && s[at] == '\\') /* \'{\i} */
        at++;
    if (at >= n || !isalpha((unsigned char)s[at]))
        return 0;
    buf_putc(out, s[at++]);
    return at + (braced && at < n && s[at] == '}');
}

static size_t
command_plain(struct buf *out, const char *s, size_t n)
{
    /* skipped with what they enclose */
    static const char *const silent[] = {"label", "ref", "eqref", "cite",
        "citep", "citet", "citealp", "bibliography", "bibliographystyle",
        "includegraphics", "usepackage", "documentclass", "input", "include",
        "vspace", "hspace", "newcommand", "renewcommand", "def", "setlength",
        "thanks", "footnotemark", "begin", "end", "author", "affiliation",
        "email", "ccsdesc", "pagestyle", "write", "openout", "openin", "read",
        "immediate", "catcode", "autoref", "cref", "Cref", NULL};
    char name[COMMAND_MAX];
    if (n == 0)
        return 0;
    size_t len = accent_at(out, s, n);
    if (len > 0)
        return len;
    len = command_name(s, n, name);
    if (len == 0) { /* \%, \&, \\ */
        buf_putc(out, strchr("\\,;:! \n", s[0]) != NULL ? ' ' : s[0]);
        return 1;
    }
    if (n > len && s[len] == '*')
        len++;
    if (is_one_of(name, silent)) {
        while (len < n && isdigit((unsigned char)s[len])) /* \write18 */
            len++;
        return len + arguments_skip(s + len, n - len);
    }
    if (strcmp(name, "item") == 0 || strcmp(name, "par") == 0)
        buf_putc(out, '\n');
    if (strstr(name, "section") != NULL || strcmp(name, "paragraph") == 0)
        buf_puts(out, "\n\n");
    if (n > len && s[len] == '[')
        len += group_len(s + len, n - len, '[', ']');
    return len;
}

void
latex_plain(struct buf *out, const char *s, size_t n)
{
    for (size_t i = 0; i < n;) {
        if (s[i] == '\\') {
            i++;
            i += command_plain(out, s + i, n - i);
        } else if (s[i] == '%') {
            const char *end = memchr(s + i, '\n', n - i);
            i = end != NULL ? (size_t)(end - s) + 1 : n;
        } else if (s[i] == '{' || s[i] == '}') {
            i++;
        } else if (s[i] == '~' || s[i] == '&') {
            buf_putc(out, ' ');
            i++;
        } else if (n - i >= 2 && (s[i] == '`' || s[i] == '\'') &&
                   s[i + 1] == s[i]) {
            buf_putc(out, '"');
            i += 2;
        } else if (n - i >= 2 && s[i] == '-' && s[i + 1] == '-') {
            i++;
        } else {
            buf_putc(out, s[i++]);
        }
    }
}

/* The place behind a word of the source that is not in a comment; n: none. */
static size_t
find(const char *s, size_t n, const char *word)
{
    size_t m = strlen(word);
    for (size_t i = 0; i + m <= n; i++) {
        if (s[i] == '%' && (i == 0 || s[i - 1] != '\\')) {
            const char *end = memchr(s + i, '\n', n - i);
            if (end == NULL)
                return n;
            i = (size_t)(end - s);
            continue;
        }
        if (s[i] == word[0] && memcmp(s + i, word, m) == 0 &&
            (i + m == n || !isalpha((unsigned char)s[i + m])))
            return i + m;
    }
    return n;
}

/* What \word{...} encloses, as plain text. */
static void
argument_take(struct buf *out, const char *s, size_t n, const char *word)
{
    size_t at = find(s, n, word);
    at += blanks(s + at, n - at);
    if (at < n && s[at] == '[')
        at += group_len(s + at, n - at, '[', ']');
    if (at >= n || s[at] != '{')
        return;
    size_t len = group_len(s + at, n - at, '{', '}');
    latex_plain(out, s + at, len);
}

void
read_latex(const char *s, size_t n, const struct outlet *o)
{
    struct doc d = {0};
    if (text_is_binary(s, n)) {
        doc_bad(o, 0, "not UTF-8 text");
        return;
    }
    argument_take(&d.title, s, n, "\\title");
    argument_take(&d.date, s, n, "\\date");
    size_t from = find(s, n, "\\begin{document}");
    if (from == n) /* a part of a paper */
        from = 0;
    size_t to = find(s + from, n - from, "\\end{document}");
    size_t refs = find(s + from, n - from, "\\begin{thebibliography}");
    latex_plain(&d.text, s + from, refs < to ? refs : to);
    if (d.title.len == 0)
        argument_take(&d.title, s, n, "\\section");
    if (d.title.len == 0)
        doc_bad(o, 0, "LaTeX without \\title and \\section");
    else
        doc_out(o, &d, 0);
    doc_fini(&d);
}
