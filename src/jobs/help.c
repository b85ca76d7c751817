/* Reads the options of a program out of its --help text: what argparse, click
 * and getopt programs print, and tables of "name type default doc". Called by
 * `rea init`. The text is the user's; whatever can't be read is left out. */
#include "jobs/probe.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/spec.h"

enum { LINE_MAX_LEN = 1024, DOC_MAX = 180, SPEC_INDENT_MAX = 12 };

struct help {
    struct arena *a;
    struct help_option *out;
    size_t n, max;
    size_t indent;  /* of the option that is open */
    struct buf doc; /* of the open option, raw */
    bool open;
};

static bool
is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '.';
}

static const char *
skip_blank(const char *p)
{
    while (*p == ' ' || *p == '\t')
        p++;
    return p;
}

/* ---- values and kinds ---- */

static bool
is_number(const char *text, bool *whole, double *value)
{
    char *end;
    double v = strtod(text, &end);
    if (end == text || *end != '\0')
        return false;
    *whole = strspn(text, "+-0123456789") == strlen(text);
    *value = v;
    return true;
}

static bool
is_bool_word(const char *text)
{
    return strcasecmp(text, "true") == 0 || strcasecmp(text, "false") == 0;
}

static const struct {
    const char *word;
    uint8_t kind;
} type_words[] = {{"float", KNOB_FLOAT}, {"double", KNOB_FLOAT},
    {"real", KNOB_FLOAT}, {"number", KNOB_FLOAT}, {"rate", KNOB_FLOAT},
    {"int", KNOB_INT}, {"integer", KNOB_INT}, {"long", KNOB_INT},
    {"uint", KNOB_INT}, {"n", KNOB_INT}, {"num", KNOB_INT}, {"count", KNOB_INT},
    {"bool", KNOB_BOOL}, {"boolean", KNOB_BOOL}, {"flag", KNOB_BOOL},
    {"string", KNOB_NONE}, {"str", KNOB_NONE}, {"text", KNOB_NONE},
    {"path", KNOB_NONE}, {"file", KNOB_NONE}, {"dir", KNOB_NONE},
    {"list", KNOB_NONE}, {"choice", KNOB_CHOICE}, {"enum", KNOB_CHOICE}};

/* Index into type_words, -1: no word for a type. */
static int
type_find(const char *word, size_t len)
{
    for (size_t i = 0; i < sizeof type_words / sizeof type_words[0]; i++) {
        if (strlen(type_words[i].word) == len &&
            strncasecmp(type_words[i].word, word, len) == 0)
            return (int)i;
    }
    return -1;
}

/* Programs that tell no type mostly have names that do. */
static uint8_t
kind_by_name(const char *name)
{
    static const struct {
        const char *word;
        uint8_t kind;
    } hints[] = {{"lr", KNOB_FLOAT}, {"rate", KNOB_FLOAT},
        {"dropout", KNOB_FLOAT}, {"decay", KNOB_FLOAT}, {"eta", KNOB_FLOAT},
        {"alpha", KNOB_FLOAT}, {"beta", KNOB_FLOAT}, {"gamma", KNOB_FLOAT},
        {"lambda", KNOB_FLOAT}, {"l1", KNOB_FLOAT}, {"l2", KNOB_FLOAT},
        {"momentum", KNOB_FLOAT}, {"smoothing", KNOB_FLOAT},
        {"ratio", KNOB_FLOAT}, {"temperature", KNOB_FLOAT},
        {"subsample", KNOB_FLOAT}, {"epochs", KNOB_INT}, {"dim", KNOB_INT},
        {"size", KNOB_INT}, {"layers", KNOB_INT}, {"depth", KNOB_INT},
        {"steps", KNOB_INT}, {"units", KNOB_INT}, {"leaves", KNOB_INT},
        {"trees", KNOB_INT}, {"heads", KNOB_INT}, {"factors", KNOB_INT},
        {"seed", KNOB_INT}, {"rank", KNOB_INT}, {"bits", KNOB_INT},
        {"k", KNOB_INT}, {"batch", KNOB_INT}, {"rounds", KNOB_INT},
        {"patience", KNOB_INT}, {"min_count", KNOB_INT}};
    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++) {
        size_t n = strlen(hints[i].word);
        for (const char *p = name; (p = strcasestr(p, hints[i].word)) != NULL;
             p++) {
            bool from = p == name || !isalnum((unsigned char)p[-1]);
            bool to = !isalnum((unsigned char)p[n]);
            if (from && to)
                return hints[i].kind;
        }
    }
    return KNOB_NONE;
}

/* "a|b|c" or "a, b, c" to "a,b,c"; NULL when there is one word or a blank in
 * one of them. */
static const char *
choices_in(struct arena *a, const char *text, size_t len)
{
    char *out = arena_alloc(a, len + 1);
    size_t n = 0, words = 1;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == '\'' || c == '"')
            continue;
        if (c == '|' || c == ',') {
            if (n == 0 || out[n - 1] == ',')
                return NULL;
            out[n++] = ',';
            words++;
        } else if (is_name_char(c) || c == '+') {
            if (i > 0 && text[i - 1] == ' ' && n > 0 && out[n - 1] != ',')
                return NULL;
            out[n++] = c;
        } else if (c != ' ') {
            return NULL;
        }
    }
    out[n] = '\0';
    return words > 1 && n > 0 && out[n - 1] != ',' ? out : NULL;
}

/* ---- what the doc tells ---- */

/* "default: X", "default=X", "defaults to X", "[default X]". */
static const char *
default_in(struct arena *a, const char *doc, const char *values)
{
    const char *p = strcasestr(doc, "default");
    if (p == NULL)
        return NULL;
    p += 7;
    p += *p == 's';
    p += strncasecmp(p, " value", 6) == 0 ? 6 : 0;
    p += strspn(p, " :=");
    if (strncasecmp(p, "to ", 3) == 0 || strncasecmp(p, "is ", 3) == 0)
        p += 3;
    p = skip_blank(p);
    char quote = *p == '\'' || *p == '"' || *p == '`' ? *p : '\0';
    size_t n;
    if (*p == '[' && strchr(p, ']') != NULL)
        n = (size_t)(strchr(p, ']') - p) + 1; /* a list's default */
    else if (quote != '\0')
        n = strcspn(++p, (char[]){quote, '\0'});
    else
        n = strcspn(p, " \t)];");
    /* "0.1, the usual" and "0.1." but not the list "128,64". */
    while (quote == '\0' && n > 0 && (p[n - 1] == ',' || p[n - 1] == '.'))
        n--;
    bool none = n == 4 && strncasecmp(p, "none", 4) == 0;
    if (n == 0 || (none && (values == NULL || !strstr(values, "none"))))
        return NULL;
    return arena_strndup(a, p, n);
}

/* strtod that leaves the second dot of "1..8" alone. */
static double
number_at(const char *p, char **end)
{
    double v = strtod(p, end);
    if (*end > p && (*end)[-1] == '.' && **end == '.')
        (*end)--;
    return v;
}

static bool
range_at(const char *p, double *lo, double *hi)
{
    char *end;
    *lo = number_at(p, &end);
    if (end == p)
        return false;
    const char *q = skip_blank(end);
    if (strncmp(q, "<=x<=", 5) == 0 || strncmp(q, "<=x<", 4) == 0)
        q += q[4] == '=' ? 5 : 4;
    else if (strncmp(q, "..", 2) == 0)
        q += 2;
    else if (*q == ',')
        q++;
    else if (strncmp(q, "to ", 3) == 0 || strncmp(q, "and", 3) == 0)
        q += 3;
    else
        return false;
    q = skip_blank(q);
    *hi = number_at(q, &end);
    return end != q && *hi > *lo;
}

/* "[1, 64]", "[1..64]", "1..64", "between 1 and 64", "[1<=x<=64]". */
static void
range_read(const char *doc, struct help_option *o)
{
    double lo, hi;
    for (const char *p = doc; *p != '\0'; p++) {
        bool from = p == doc || strchr(" [({", p[-1]) != NULL;
        if (!from || strchr("+-.0123456789", *p) == NULL)
            continue;
        char *dots;
        number_at(p, &dots);
        if (dots == p)
            continue;
        bool bracket = p > doc && (p[-1] == '[' || p[-1] == '(');
        bool click = strncmp(dots, "<=x<", 4) == 0;
        bool between = p - doc >= 8 && strncasecmp(p - 8, "between ", 8) == 0;
        /* Bare "1, 64" may be anything. */
        if (strncmp(dots, "..", 2) != 0 && !bracket && !between && !click)
            continue;
        if (range_at(p, &lo, &hi)) {
            o->lo = lo;
            o->hi = hi;
            return;
        }
    }
}

static void
kind_choose(struct help_option *o)
{
    bool whole = false;
    double v = 0;
    bool number = o->deflt != NULL && is_number(o->deflt, &whole, &v);
    int type = o->metavar == NULL
                   ? -1
                   : type_find(o->metavar, strcspn(o->metavar, " "));
    if (o->values != NULL)
        o->kind = KNOB_CHOICE;
    else if (!o->takes_value)
        o->kind = KNOB_BOOL;
    else if (type >= 0)
        o->kind = type_words[type].kind;
    else if (o->deflt != NULL && is_bool_word(o->deflt))
        o->kind = KNOB_BOOL;
    else if (number)
        o->kind = whole && kind_by_name(o->name) != KNOB_FLOAT ? KNOB_INT
                                                               : KNOB_FLOAT;
    else if (o->deflt == NULL)
        o->kind = kind_by_name(o->name);
    if (o->kind == KNOB_CHOICE && o->values == NULL)
        o->kind = KNOB_NONE;
    /* A word for N with a broken default is no whole number. */
    if (o->kind == KNOB_INT && number && !whole && v != (double)(int64_t)v)
        o->kind = KNOB_FLOAT;
}

/* "{a,b}" or "one of a, b, c" in the doc of an option without choices. */
static const char *
doc_choices_in(struct arena *a, const char *doc)
{
    const char *p = strchr(doc, '{');
    const char *end = p == NULL ? NULL : strchr(p, '}');
    /* "split.{a,b}" are files. */
    if (end != NULL && (p == doc || p[-1] == ' ' || p[-1] == '('))
        return choices_in(a, p + 1, (size_t)(end - p - 1));
    p = strcasestr(doc, "one of ");
    if (p == NULL)
        p = strcasestr(doc, "choices: ");
    if (p == NULL)
        return NULL;
    p = skip_blank(strchr(p, p[3] == ' ' ? 'f' : ':') + 1);
    return choices_in(a, p, strcspn(p, ".;()[]"));
}

static void
option_close(struct help *h)
{
    if (!h->open)
        return;
    h->open = false;
    struct help_option *o = &h->out[h->n - 1];
    const char *doc = skip_blank(buf_str(&h->doc));
    if (o->deflt == NULL)
        o->deflt = default_in(h->a, doc, o->values);
    /* click tells the default of a switch by its name. */
    if (!o->takes_value && o->deflt != NULL && !is_bool_word(o->deflt))
        o->deflt = strcmp(o->deflt, o->name) == 0 ? "true" : "false";
    if (o->values == NULL && o->takes_value)
        o->values = doc_choices_in(h->a, doc);
    range_read(doc, o);
    kind_choose(o);
    o->doc = arena_strndup(h->a, doc, strnlen(doc, DOC_MAX));
}

/* ---- the option itself ---- */

static bool
is_meta(const char *name)
{
    static const char *const meta[] = {"help", "version", "h", "V", "usage",
        "help-all", "install-completion", "show-completion"};
    for (size_t i = 0; i < sizeof meta / sizeof meta[0]; i++) {
        if (strcmp(meta[i], name) == 0)
            return true;
    }
    return false;
}

static struct help_option *
option_open(struct help *h, const char *flag, size_t len, size_t indent)
{
    option_close(h);
    buf_clear(&h->doc);
    size_t dashes = strspn(flag, "-");
    char *name = arena_strndup(h->a, flag + dashes, len - dashes);
    for (size_t i = 0; i < h->n; i++) {
        if (strcmp(h->out[i].name, name) == 0)
            return NULL;
    }
    if (len <= dashes || is_meta(name) || h->n == h->max)
        return NULL;
    struct help_option *o = &h->out[h->n++];
    *o = (struct help_option){
        .name = name, .flag = arena_strndup(h->a, flag, len), .lo = 1, .hi = 0};
    h->indent = indent;
    h->open = true;
    return o;
}

/* The value's word behind a flag: "=RATE", " {a,b}", " [a|b]", " <int>",
 * " N [N ...]". Returns where it ends. */
static const char *
metavar_read(struct help *h, struct help_option *o, const char *p)
{
    bool attached = *p == '=' || strncmp(p, "[=", 2) == 0;
    p += *p == '[' && attached;
    p += attached;
    if (!attached) {
        const char *q = skip_blank(p);
        /* Two blanks begin the doc, a comma the next form of the flag. */
        if (q - p != 1 || *q == '-' || *q == ',' || *q == '/')
            return p;
        p = q;
    }
    const char *close = strchr("{[<(", *p) != NULL && *p != '\0'
                            ? strchr(p, *p == '{'   ? '}'
                                        : *p == '[' ? ']'
                                        : *p == '<' ? '>'
                                                    : ')')
                            : NULL;
    const char *from = close != NULL ? p + 1 : p;
    const char *to = close != NULL ? close : p + strcspn(p, " \t,]");
    const char *end = close != NULL ? close + 1 : to;
    end += *end == ']';
    if (close == NULL && attached && *to == ',')
        to = p + strcspn(p, " \t"), end = to; /* --x=a,b,c */
    /* A word of the doc after a single blank is no metavar. */
    if (!attached && close == NULL &&
        (islower((unsigned char)*from) || to == from) &&
        type_find(from, (size_t)(to - from)) < 0)
        return p;
    o->takes_value = true;
    o->metavar = arena_strndup(h->a, from, (size_t)(to - from));
    o->values = choices_in(h->a, from, (size_t)(to - from));
    if (strncmp(end, " [", 2) == 0 && strstr(end, " ...]") != NULL)
        end = strchr(end, ']') + 1; /* N [N ...] */
    if (strncmp(end, " RANGE", 6) == 0)
        end += 6;
    return end;
}

/* One line "-b N, --batch N   doc". True: it was an option line. */
static bool
option_line(struct help *h, const char *line, size_t indent)
{
    const char *p = line + indent, *best = NULL;
    if (*p != '-' || (p[1] != '-' && !isalpha((unsigned char)p[1])))
        return false;
    size_t best_len = 0;
    struct help_option value = {0};
    while (*p == '-') {
        size_t dashes = strspn(p, "-"), n = dashes;
        while (is_name_char(p[n]))
            n++;
        bool negation = strncmp(p, "--no-", 5) == 0 && best != NULL;
        if (!negation && (best == NULL || dashes > strspn(best, "-"))) {
            best = p;
            best_len = n;
        }
        p = metavar_read(h, &value, p + n);
        const char *q = skip_blank(p);
        if ((*q == ',' || *q == '/') && skip_blank(q + 1)[0] == '-')
            p = skip_blank(q + 1);
    }
    struct help_option *o = option_open(h, best, best_len, indent);
    if (o == NULL)
        return true;
    o->takes_value = value.takes_value;
    o->metavar = value.metavar;
    o->values = value.values;
    buf_puts(&h->doc, skip_blank(p));
    return true;
}

/* "lr  float  0.01  learning rate", with or without dashes. */
static bool
table_line(struct help *h, const char *line, size_t indent)
{
    const char *name = line + indent, *p = name;
    p += strspn(p, "-");
    while (is_name_char(*p))
        p++;
    size_t name_len = (size_t)(p - name);
    const char *type = skip_blank(p);
    size_t type_len = strcspn(type, " \t");
    const char *values = choices_in(h->a, type, type_len);
    int known = type_find(type, type_len);
    bool lower = islower((unsigned char)*type);
    const char *deflt = skip_blank(type + type_len);
    size_t deflt_len = strcspn(deflt, " \t");
    if (name_len == 0 || type == p || (known < 0 && values == NULL) || !lower ||
        deflt_len == 0)
        return false;
    /* In prose the word behind "float" is no value. */
    bool whole;
    double v;
    char *text = arena_strndup(h->a, deflt, deflt_len);
    bool number = is_number(text, &whole, &v);
    uint8_t kind = known < 0 ? KNOB_CHOICE : type_words[known].kind;
    if ((kind == KNOB_FLOAT || kind == KNOB_INT) != number ||
        (kind == KNOB_BOOL && !is_bool_word(text) && !number))
        return false;
    struct help_option *o = option_open(h, name, name_len, indent);
    if (o == NULL)
        return true;
    o->takes_value = true;
    o->metavar = arena_strndup(h->a, type, type_len);
    o->values = values;
    o->deflt = strcmp(text, "-") == 0 ? NULL : text;
    buf_puts(&h->doc, skip_blank(deflt + deflt_len));
    return true;
}

static void
line_read(struct help *h, const char *line)
{
    size_t indent = strspn(line, " \t");
    if (line[indent] == '\0') {
        option_close(h);
        return;
    }
    bool inside = h->open && indent > h->indent;
    if (inside && indent > SPEC_INDENT_MAX) {
        buf_putc(&h->doc, ' ');
        buf_puts(&h->doc, line + indent);
        return;
    }
    if (table_line(h, line, indent))
        return;
    if (indent > 0 && indent <= SPEC_INDENT_MAX && option_line(h, line, indent))
        return;
    if (inside) {
        buf_putc(&h->doc, ' ');
        buf_puts(&h->doc, line + indent);
    } else {
        option_close(h);
    }
}

size_t
help_parse_in(struct arena *a, const char *text, size_t len,
    struct help_option *out, size_t max)
{
    struct help h = {.a = a, .out = out, .max = max};
    const char *end = text + len;
    for (const char *p = text; p < end;) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        size_t n = (size_t)((nl == NULL ? end : nl) - p);
        char line[LINE_MAX_LEN];
        size_t kept = n < sizeof line - 1 ? n : sizeof line - 1;
        memcpy(line, p, kept);
        line[kept] = '\0';
        if (kept > 0 && line[kept - 1] == '\r')
            line[kept - 1] = '\0';
        line_read(&h, line);
        p += n + 1;
    }
    option_close(&h);
    buf_fini(&h.doc);
    return h.n;
}
