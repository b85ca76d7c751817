/* Evidence of a hypothesis: whatever the drafter or the engineer wrote becomes
 * a list of short texts, with a link where a DOI or an arXiv number is found.
 * Called by json, md and html. Only http(s) addresses are ever given out. */
#include "report/parts.h"

#include <ctype.h>
#include <string.h>

enum { EVIDENCE_MAX = 64, URL_MAX_LEN = 300 };

static bool
is_url_char(char ch)
{
    return isalnum((unsigned char)ch) || strchr("./-_~:%?=&+#;()", ch) != NULL;
}

/* Appends the run of address characters at p, without a closing period. */
static void
url_take(const char *p, struct buf *url)
{
    size_t n = 0;
    while (p[n] != '\0' && n < URL_MAX_LEN && is_url_char(p[n]))
        n++;
    while (n > 0 && strchr(".,;:)", p[n - 1]) != NULL)
        n--;
    buf_add(url, p, n);
}

/* "1703.04247" with 4 + 4..5 digits. */
static bool
is_arxiv(const char *p)
{
    size_t a = strspn(p, "0123456789");
    if (a != 4 || p[4] != '.')
        return false;
    size_t b = strspn(p + 5, "0123456789");
    return b == 4 || b == 5;
}

static void
url_find(const char *text, struct buf *url)
{
    const char *http = strstr(text, "https://");
    if (http == NULL)
        http = strstr(text, "http://");
    if (http != NULL) {
        url_take(http, url);
        return;
    }
    for (const char *p = text; *p != '\0'; p++) {
        if (p > text && (isalnum((unsigned char)p[-1]) || p[-1] == '.'))
            continue;
        if (strncmp(p, "10.", 3) == 0 && strspn(p + 3, "0123456789") >= 4 &&
            p[3 + strspn(p + 3, "0123456789")] == '/') {
            buf_puts(url, "https://doi.org/");
            url_take(p, url);
            return;
        }
        if (is_arxiv(p)) {
            buf_puts(url, "https://arxiv.org/abs/");
            buf_add(url, p, 5 + strspn(p + 5, "0123456789"));
            return;
        }
    }
}

struct sink {
    void (*f)(void *ctx, const char *text, const char *url);
    void *ctx;
};

/* address: where the item says so itself, NULL: look for one in the text. */
static void
item_emit(const struct sink *s, const char *text, const char *address)
{
    struct buf url = {0};
    url_find(address != NULL ? address : text, &url);
    s->f(s->ctx, text, url.len > 0 ? url.data : NULL);
    buf_fini(&url);
}

/* Texts that name the evidence, in reading order. */
static const char *const named[] = {"id", "title", "statement", "text",
    "citation", "source", "reference", "ref", "date"};
/* Members that are said in another way, or say nothing to a reader. */
static const char *const silent[] = {"kind", "technique", "metric", "url",
    "supports", "opposite_change", "effect", "sd", "n", "passage", "span",
    "claim", "quote", "relation", "similarity"};

static bool
is_in(const char *key, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(key, list[i]) == 0)
            return true;
    return false;
}

static void
object_effect(const struct json *o, struct buf *out)
{
    const char *supports = json_get_str(o, "supports");
    if (json_is_num(json_get(o, "effect"))) {
        buf_printf(out, ", effect %+.3g", json_get_num(o, "effect", 0));
        if (json_is_num(json_get(o, "sd")))
            buf_printf(out, " ± %.2g", json_get_num(o, "sd", 0));
    }
    if (json_is_num(json_get(o, "n")))
        buf_printf(out, ", n = %.0f", json_get_num(o, "n", 0));
    if (supports != NULL && supports[0] == '-')
        buf_puts(out, ", speaks against it");
}

/* A paper's own words, and how an idea stands to what is known. */
static void
object_said(const struct json *o, struct buf *out)
{
    const char *quote = json_get_str(o, "quote");
    const char *relation = json_get_str(o, "relation");
    if (quote != NULL)
        buf_printf(out, ": \"%s\"", quote);
    if (relation == NULL)
        return;
    if (strcmp(relation, "new") == 0)
        buf_puts(out, "new: no insight is like it");
    else
        buf_printf(out, ": the idea %s%s it (similarity %.2f)",
            strncmp(relation, "failed", 6) == 0 ? "is to try again, " : "",
            relation, json_get_num(o, "similarity", 0));
}

/* What an object says, as one line: its names, its effect, then members that
 * are not known here as "key value". */
static void
object_text(const struct json *o, struct buf *out)
{
    const size_t n_named = sizeof(named) / sizeof(named[0]);
    const char *key;
    const struct json *v;
    for (size_t i = 0; i < n_named; i++) {
        const char *text = json_get_str(o, named[i]);
        if (text != NULL && text[0] != '\0')
            buf_printf(out, "%s%s", out->len > 0 ? ", " : "", text);
    }
    object_effect(o, out);
    object_said(o, out);
    for (size_t i = 0; (v = json_member(o, i, &key)) != NULL; i++) {
        if (is_in(key, named, n_named) ||
            is_in(key, silent, sizeof(silent) / sizeof(silent[0])))
            continue;
        buf_printf(out, "%s%s ", out->len > 0 ? ", " : "", key);
        if (json_str(v) != NULL)
            buf_puts(out, json_str(v));
        else if (json_kind(v) == J_REAL)
            buf_printf(out, "%.4g", json_num(v, 0));
        else
            json_dump(v, out);
    }
}

static bool
evidence_json(const struct sink *s, const char *evidence)
{
    struct json *j = json_parse(evidence, strlen(evidence), NULL);
    if (json_kind(j) != J_ARR) {
        json_free(j);
        return false;
    }
    for (size_t i = 0; i < json_len(j) && i < EVIDENCE_MAX; i++) {
        const struct json *item = json_at(j, i);
        struct buf text = {0};
        if (json_str(item) != NULL)
            buf_puts(&text, json_str(item));
        else if (json_kind(item) == J_OBJ)
            object_text(item, &text);
        else
            json_dump(item, &text);
        item_emit(s, buf_str(&text), json_get_str(item, "url"));
        buf_fini(&text);
    }
    json_free(j);
    return true;
}

void
evidence_each(const char *evidence,
    void (*f)(void *ctx, const char *text, const char *url), void *ctx)
{
    struct sink s = {f, ctx};
    if (evidence == NULL)
        return;
    if (evidence[0] == '[' && evidence_json(&s, evidence))
        return;
    for (uint32_t i = 0; i < EVIDENCE_MAX && *evidence != '\0'; i++) {
        size_t n = strcspn(evidence, "\n");
        struct buf line = {0};
        buf_add(&line, evidence, n);
        if (n > 0)
            item_emit(&s, buf_str(&line), NULL);
        buf_fini(&line);
        evidence += n + (evidence[n] == '\n');
    }
}
