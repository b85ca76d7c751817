/* JSON and JSON lines to papers: the names that arXiv, Semantic Scholar,
 * OpenAlex, ACL and hand-made dumps use (doc.h). */
#include "papers/read/doc.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"

/* The first of some members that is text or a whole number. */
static void
take(struct buf *out, const struct json *j, const char *const *key)
{
    for (; *key != NULL && out->len == 0; key++) {
        const struct json *v = json_get(j, *key);
        if (json_kind(v) == J_ARR)
            v = json_at(v, 0);
        if (json_str(v) != NULL)
            buf_add(out, json_str(v), json_str_len(v));
        else if (json_kind(v) == J_INT)
            buf_printf(out, "%lld", (long long)json_i64(v, 0));
    }
}

/* OpenAlex gives an abstract as {"word": [places]}. */
static void
inverted_take(struct buf *out, const struct json *j)
{
    enum { WORDS = 4000 };
    const char *at[WORDS] = {0};
    for (size_t i = 0; i < json_len(j); i++) {
        const char *word;
        const struct json *places = json_member(j, i, &word);
        for (size_t k = 0; k < json_len(places); k++) {
            int64_t place = json_i64(json_at(places, k), -1);
            if (place >= 0 && place < WORDS)
                at[place] = word;
        }
    }
    for (int i = 0; i < WORDS; i++)
        if (at[i] != NULL)
            buf_printf(out, "%s%s", out->len > 0 ? " " : "", at[i]);
}

static void
paper_take(struct doc *d, const struct json *j)
{
    static const char *const id[] = {"doi", "DOI", "id", "arxiv_id", "arxivId",
        "paper_id", "paperId", "url", NULL};
    static const char *const own[] = {"id", "arxiv_id", "doi", NULL};
    static const char *const outer[] = {"DOI", "ArXiv", NULL};
    static const char *const title[] = {"title", "name", "display_name", NULL};
    static const char *const date[] = {"date", "published", "publicationDate",
        "publication_date", "year", "publication_year", "update_date",
        "created", "updated", NULL};
    static const char *const text[] = {"abstract", "text", "summary",
        "full_text", "body", "description", NULL};
    static const char *const licence[] = {"license", "licence", "rights", NULL};
    static const char *const source[] = {
        "source", "url", "link", "venue", NULL};
    take(&d->id, j, own);
    if (d->id.len == 0)
        take(&d->id, json_get(j, "externalIds"), outer);
    if (d->id.len == 0)
        take(&d->id, j, id);
    take(&d->title, j, title);
    take(&d->date, j, date);
    take(&d->text, j, text);
    if (d->text.len == 0)
        inverted_take(&d->text, json_get(j, "abstract_inverted_index"));
    take(&d->licence, j, licence);
    take(&d->source, j, source);
}

static void
paper_out(const struct json *j, unsigned long place, const struct outlet *o)
{
    struct doc d = {0};
    if (json_kind(j) != J_OBJ) {
        doc_bad(o, place, "not an object with id, title, abstract, date");
        return;
    }
    paper_take(&d, j);
    if (d.title.len == 0 && d.text.len == 0)
        doc_bad(o, place, "an object without title and abstract");
    else
        doc_out(o, &d, place);
    doc_fini(&d);
}

void
read_json_line(
    const char *s, size_t n, unsigned long line, const struct outlet *o)
{
    struct err why = {0};
    size_t i = 0;
    while (i < n && strchr(" \t\r", s[i]) != NULL && s[i] != '\0')
        i++;
    if (i == n)
        return;
    struct json *j = json_parse(s, n, &why);
    if (j == NULL)
        doc_bad(o, line, why.text);
    else
        paper_out(j, line, o);
    json_free(j);
}

void
read_json(const char *s, size_t n, const struct outlet *o)
{
    static const char *const list[] = {
        "papers", "results", "data", "entries", "works", NULL};
    struct err why = {0};
    struct json *j = json_parse(s, n, &why);
    const struct json *rows = j;
    if (j == NULL)
        doc_bad(o, 0, why.text);
    for (int i = 0; list[i] != NULL && json_kind(rows) == J_OBJ; i++)
        if (json_kind(json_get(j, list[i])) == J_ARR)
            rows = json_get(j, list[i]);
    if (json_kind(rows) == J_ARR)
        for (size_t i = 0; i < json_len(rows); i++)
            paper_out(json_at(rows, i), i + 1, o);
    else if (j != NULL)
        paper_out(j, 0, o);
    json_free(j);
}
