/* Asks the corpus for every entry of the library that is newer than a cut.
 * Called by the plan. Invariant: a paper can only lift the cut for an entry
 * that the library holds; it never adds one. */
#include "research/brought.h"

#include <string.h>

enum { LOOKED_AT = 12, ALIAS_MAX = 80 };

/* Is it named in a passage that its words bring up? */
static int
alias_ask(struct corpus *c, const struct technique *t, const char *words,
    const char *before, bool *named, struct err *err)
{
    struct arena a = {0};
    struct passage *p = NULL;
    uint32_t n = 0;
    int rc = corpus_search(c, words, before, LOOKED_AT, &a, &p, &n, err);
    for (uint32_t i = 0; rc == 0 && i < n && !*named; i++)
        *named = technique_mentioned(t, p[i].title) ||
                 technique_mentioned(t, p[i].text);
    arena_fini(&a);
    return rc;
}

/* Its aliases one by one: together they would ask for papers with all. */
static int
technique_ask(struct corpus *c, const struct technique *t, const char *before,
    bool *named, struct err *err)
{
    char word[ALIAS_MAX];
    int rc = 0;
    *named = false;
    for (const char *p = t->aliases; *p != '\0' && rc == 0 && !*named;) {
        size_t n = strcspn(p, "|");
        if (n > 0 && n < sizeof word) {
            memcpy(word, p, n);
            word[n] = '\0';
            rc = alias_ask(c, t, word, before, named, err);
        }
        p += n + (p[n] == '|');
    }
    return rc;
}

int
techniques_hide(struct corpus *c, const char *cut, const char *before,
    bool *hidden, struct err *err)
{
    int rc = 0;
    for (uint32_t i = 0; i < technique_count() && rc == 0; i++) {
        const struct technique *t = technique_at(i);
        bool named = true;
        if (!technique_known(t, cut))
            rc = technique_ask(c, t, before, &named, err);
        hidden[i] = !named;
    }
    return rc;
}
