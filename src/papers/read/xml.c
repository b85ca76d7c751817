/* HTML pages, Atom feeds and OAI-PMH answers to papers, through libxml2, the
 * only file that knows it (doc.h). Invariant: no entity is expanded, no DTD
 * or other file is loaded, nothing is fetched; trees are walked in a loop. */
#include "papers/read/doc.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

#include <libxml/HTMLparser.h>
#include <libxml/parser.h>
#include <libxml/tree.h>

static bool
is(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE &&
           strcasecmp((const char *)node->name, name) == 0;
}

static bool
is_any(const xmlNode *node, const char *const *names)
{
    for (; *names != NULL; names++)
        if (is(node, *names))
            return true;
    return false;
}

/* The node after this one in reading order inside root; enter: may it be the
 * first child? */
static const xmlNode *
node_next(const xmlNode *node, const xmlNode *root, bool enter)
{
    if (enter && node->type == XML_ELEMENT_NODE && node->children != NULL)
        return node->children;
    while (node != root && node->next == NULL)
        node = node->parent;
    return node == root ? NULL : node->next;
}

static void
attribute_take(struct buf *out, const xmlNode *node, const char *name)
{
    xmlChar *v = xmlGetProp(node, (const xmlChar *)name);
    if (v != NULL && out->len == 0)
        buf_puts(out, (const char *)v);
    xmlFree(v);
}

/* All text below a node. Blocks are paragraphs of their own. */
static void
text_take(struct buf *out, const xmlNode *root)
{
    static const char *const silent[] = {"script", "style", "noscript",
        "template", "nav", "svg", "iframe", "object", "head", "form", "button",
        NULL};
    static const char *const block[] = {"p", "div", "section", "article", "h1",
        "h2", "h3", "h4", "h5", "h6", "li", "tr", "table", "blockquote", "pre",
        "figcaption", "dd", "dt", "ul", "ol", NULL};
    for (const xmlNode *node = root; node != NULL;) {
        bool enter = !(node != root && is_any(node, silent));
        if (is_any(node, block))
            buf_puts(out, "\n\n");
        else if (is(node, "br") || is(node, "td") || is(node, "th"))
            buf_putc(out, ' ');
        if ((node->type == XML_TEXT_NODE ||
                node->type == XML_CDATA_SECTION_NODE) &&
            node->content != NULL)
            buf_puts(out, (const char *)node->content);
        node = node_next(node, root, enter);
    }
}

/* ---- HTML ---- */

static void
meta_take(struct doc *d, const xmlNode *node)
{
    static const char *const key[] = {"citation_title", "citation_arxiv_id",
        "citation_doi", "citation_date", "citation_publication_date",
        "citation_online_date", "dc.title", "dc.identifier", "dc.date",
        "dc.rights", "citation_public_url", "og:url"};
    struct buf *to[] = {&d->title, &d->id, &d->id, &d->date, &d->date, &d->date,
        &d->title, &d->id, &d->date, &d->licence, &d->source, &d->source};
    struct buf name = {0};
    attribute_take(&name, node, "name");
    attribute_take(&name, node, "property");
    for (size_t i = 0; i < sizeof key / sizeof *key; i++)
        if (strcasecmp(buf_str(&name), key[i]) == 0)
            attribute_take(to[i], node, "content");
    buf_fini(&name);
}

static void
html_take(struct doc *d, const xmlNode *root)
{
    struct buf title = {0}, heading = {0};
    const xmlNode *body = root;
    for (const xmlNode *node = root; node != NULL;
         node = node_next(node, root, true)) {
        if (is(node, "meta"))
            meta_take(d, node);
        else if (is(node, "title") && title.len == 0)
            text_take(&title, node);
        else if (is(node, "h1") && heading.len == 0)
            text_take(&heading, node);
        else if (is(node, "link") || is(node, "a")) {
            struct buf rel = {0};
            attribute_take(&rel, node, "rel");
            if (strcasecmp(buf_str(&rel), "license") == 0)
                attribute_take(&d->licence, node, "href");
            buf_fini(&rel);
        } else if (is(node, "body") || is(node, "article") || is(node, "main"))
            body = node;
    }
    const struct buf *best = title.len > 0 ? &title : &heading;
    if (d->title.len == 0)
        buf_add(&d->title, buf_str(best), best->len);
    text_take(&d->text, body);
    buf_fini(&title);
    buf_fini(&heading);
}

void
read_html(const char *s, size_t n, const struct outlet *o)
{
    struct doc d = {0};
    htmlDocPtr tree = NULL;
    if (text_is_binary(s, n) || n > INT_MAX) {
        doc_bad(o, 0, "not UTF-8 text");
        return;
    }
    tree = htmlReadMemory(s, (int)n, NULL, "UTF-8",
        HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING |
            HTML_PARSE_NONET);
    const xmlNode *root = tree != NULL ? xmlDocGetRootElement(tree) : NULL;
    if (root == NULL) {
        doc_bad(o, 0, "no HTML in it");
    } else {
        html_take(&d, root);
        doc_out(o, &d, 0);
    }
    xmlFreeDoc(tree);
    doc_fini(&d);
}

/* ---- Atom and OAI-PMH ---- */

static void
child_take(struct buf *out, const xmlNode *entry, const char *const *names)
{
    for (; *names != NULL; names++)
        for (const xmlNode *c = entry->children; c != NULL && out->len == 0;
             c = c->next)
            if (is(c, *names))
                text_take(out, c);
}

static void
entry_take(struct doc *d, const xmlNode *entry)
{
    static const char *const id[] = {"id", "identifier", NULL};
    static const char *const title[] = {"title", NULL};
    static const char *const text[] = {
        "summary", "abstract", "content", "description", NULL};
    static const char *const date[] = {
        "published", "created", "date", "updated", "datestamp", NULL};
    static const char *const licence[] = {"license", "rights", NULL};
    child_take(&d->id, entry, id);
    child_take(&d->title, entry, title);
    child_take(&d->text, entry, text);
    child_take(&d->date, entry, date);
    child_take(&d->licence, entry, licence);
    for (const xmlNode *c = entry->children; c != NULL; c = c->next)
        if (is(c, "link"))
            attribute_take(&d->source, c, "href");
}

/* Elements that are one paper: of a feed, or of an OAI answer's metadata. */
static bool
is_entry(const xmlNode *node)
{
    return is(node, "entry") ||
           (node->type == XML_ELEMENT_NODE && node->parent != NULL &&
               is(node->parent, "metadata"));
}

void
read_atom(const char *s, size_t n, const struct outlet *o)
{
    struct doc d = {0};
    unsigned long at = 0;
    xmlDocPtr tree = NULL;
    if (n <= INT_MAX)
        tree = xmlReadMemory(s, (int)n, NULL, NULL,
            XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NONET |
                XML_PARSE_NOCDATA);
    const xmlNode *root = tree != NULL ? xmlDocGetRootElement(tree) : NULL;
    if (root == NULL)
        doc_bad(o, 0, "not well-formed XML");
    else if (tree->intSubset != NULL)
        doc_bad(o, 0, "a document type of its own: refused");
    else
        for (const xmlNode *node = root; node != NULL;) {
            bool entry = is_entry(node);
            if (entry) {
                entry_take(&d, node);
                at++;
                if (d.title.len + d.text.len > 0)
                    doc_out(o, &d, at);
                else
                    doc_bad(o, at, "an entry without title and summary");
                doc_clear(&d);
            }
            node = node_next(node, root, !entry);
        }
    if (root != NULL && tree->intSubset == NULL && at == 0)
        doc_bad(o, 0, "no entry in it: not an Atom feed or OAI-PMH answer");
    xmlFreeDoc(tree);
    doc_fini(&d);
}
