/* The technique library: a constant table and the questions asked of it.
 * Called by draft, corpus and the verbs; it allocates nothing and knows no
 * project. Invariant (tests): ids are unique, every entry has a citation, a
 * date and at least one step. */
#include "papers/technique.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define S(concept, op, amount, words)                                          \
    {                                                                          \
        CONCEPT_##concept, TECHNIQUE_##op, amount, words, false                \
    }

static const struct technique library[] = {
#define TECHNIQUE(id, name, aliases, family, claim, needs, grade, date, ref,   \
    mean, sd, cost, ...)                                                       \
    {#id, name, aliases, family, claim, needs, grade, date, ref, false, mean,  \
        sd, cost, {__VA_ARGS__}},
#define TECHNIQUE_SEEN(id, name, aliases, family, claim, needs, grade, date,   \
    ref, mean, sd, cost, ...)                                                  \
    {#id, name, aliases, family, claim, needs, grade, date, ref, true, mean,   \
        sd, cost, {__VA_ARGS__}},
#include "papers/technique.def"
#include "papers/technique_general.def"
#include "papers/technique_recent.def"
#undef TECHNIQUE
#undef TECHNIQUE_SEEN
};

uint32_t
technique_count(void)
{
    return (uint32_t)(sizeof library / sizeof library[0]);
}

const struct technique *
technique_at(uint32_t i)
{
    assert(i < technique_count());
    return &library[i];
}

const struct technique *
technique_find(const char *id)
{
    for (uint32_t i = 0; i < technique_count(); i++)
        if (strcmp(library[i].id, id) == 0)
            return &library[i];
    return NULL;
}

uint32_t
technique_steps(const struct technique *t)
{
    uint32_t n = 0;
    while (n < TECHNIQUE_STEPS_MAX && t->step[n].op != TECHNIQUE_NONE)
        n++;
    return n;
}

bool
technique_known(const struct technique *t, const char *before)
{
    /* ISO dates compare as text; a prefix is earlier than what it begins, so
     * a paper of 2023-04 is not known "before 2023-04" but is on the 30th. */
    return before == NULL || before[0] == '\0' || strcmp(t->date, before) < 0;
}

static bool
has_capital(const char *word, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (isupper((unsigned char)word[i]))
            return true;
    return false;
}

/* A name with a capital is taken as it is written: LONGER is not "longer". */
static bool
text_has_word(const char *text, const char *word, size_t n)
{
    size_t len = strlen(text);
    bool exact = has_capital(word, n);
    for (size_t i = 0; i + n <= len; i++) {
        size_t k = 0;
        while (k < n && (exact ? text[i + k] == word[k]
                               : tolower((unsigned char)text[i + k]) ==
                                     tolower((unsigned char)word[k])))
            k++;
        if (k == n && (i == 0 || !isalnum((unsigned char)text[i - 1])) &&
            !isalnum((unsigned char)text[i + n]))
            return true;
    }
    return false;
}

bool
technique_mentioned(const struct technique *t, const char *text)
{
    for (const char *p = t->aliases; *p != '\0';) {
        size_t n = strcspn(p, "|");
        if (n > 0 && text_has_word(text, p, n))
            return true;
        p += n + (p[n] == '|');
    }
    return false;
}

const char *
technique_need_name(uint32_t bit)
{
    static const char *const name[] = {
#define X(id, text) text,
        TECHNIQUE_NEED_LIST(X)
#undef X
    };
    return bit < TECHNIQUE_BIT_COUNT ? name[bit] : "?";
}

const char *
technique_op_name(uint32_t op)
{
    static const char *const name[TECHNIQUE_OP_COUNT] = {
        "none", "scale", "add", "set", "choose", "on", "off", "hook", "with"};
    return op < TECHNIQUE_OP_COUNT ? name[op] : "?";
}

const char *
technique_grade_name(uint32_t grade)
{
    static const char *const name[] = {"none", "mention", "single claim",
        "industry, online", "public benchmark", "replicated"};
    return grade < sizeof name / sizeof name[0] ? name[grade] : "?";
}

int
technique_url(const struct technique *t, char *out, size_t cap)
{
    const char *id = strchr(t->ref, ':');
    assert(id != NULL);
    const char *base =
        t->ref[0] == 'a' ? "https://arxiv.org/abs/" : "https://doi.org/";
    return snprintf(out, cap, "%s%s", base, id + 1);
}
