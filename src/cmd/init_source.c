/* Fills in what --help leaves out of a Python trainer: argparse prints types
 * and defaults only when asked to, but they stand in the source, in
 * add_argument("--name", type=float, default=0.01). Called by init. The source
 * is read as text, never run. */
#include "cmd/init.h"

#include <ctype.h>
#include <string.h>

#include "base/fs.h"

enum { SOURCE_MAX = 2 << 20, CALL_MAX = 600 };

/* The text of one call up to its closing bracket; strings are respected. */
static size_t
call_length(const char *p, size_t n)
{
    int depth = 1;
    char quote = 0;
    for (size_t i = 0; i < n && i < CALL_MAX; i++) {
        if (quote != 0) {
            quote = p[i] == quote ? 0 : quote;
            continue;
        }
        if (p[i] == '"' || p[i] == '\'')
            quote = p[i];
        depth += p[i] == '(' || p[i] == '[';
        depth -= p[i] == ')' || p[i] == ']';
        if (depth == 0)
            return i;
    }
    return 0;
}

/* The value after "key=" in a call, without quotes; NULL: not there. */
static char *
argument_of(struct arena *a, const char *text, const char *key)
{
    const char *p = strstr(text, key);
    if (p == NULL ||
        (p > text && (isalnum((unsigned char)p[-1]) || p[-1] == '_')))
        return NULL;
    p += strlen(key);
    while (*p == ' ' || *p == '=')
        p++;
    if (*p == '"' || *p == '\'') {
        const char *end = strchr(p + 1, *p);
        return end != NULL ? arena_strndup(a, p + 1, (size_t)(end - p - 1))
                           : NULL;
    }
    if (*p == '[' || *p == '(') {
        const char *end = strpbrk(p + 1, "])");
        return end != NULL ? arena_strndup(a, p + 1, (size_t)(end - p - 1))
                           : NULL;
    }
    size_t n = strcspn(p, ",) \n");
    return arena_strndup(a, p, n);
}

/* "'a', 'b'" -> "a,b"; NULL when it is no list of words or numbers. */
static const char *
list_of(struct arena *a, const char *text)
{
    char *out = arena_strdup(a, text), *to = out;
    for (const char *p = text; *p != '\0'; p++) {
        if (isalnum((unsigned char)*p) || strchr("_.,-", *p) != NULL)
            *to++ = *p;
        else if (strchr("'\" \n", *p) == NULL)
            return NULL;
    }
    *to = '\0';
    return out;
}

static void
option_fill(struct arena *a, struct help_option *o, const char *text)
{
    const char *type = argument_of(a, text, "type");
    const char *action = argument_of(a, text, "action");
    const char *choices = argument_of(a, text, "choices");
    const char *deflt = argument_of(a, text, "default");
    if (o->deflt == NULL && deflt != NULL && strcmp(deflt, "None") != 0)
        o->deflt = deflt;
    if (o->doc == NULL || o->doc[0] == '\0')
        o->doc = argument_of(a, text, "help");
    if (o->values == NULL && choices != NULL)
        o->values = list_of(a, choices);
    if (o->kind != KNOB_NONE && o->kind != KNOB_INT)
        return;
    if (action != NULL && strcmp(action, "store_true") == 0) {
        o->kind = KNOB_BOOL;
        o->takes_value = false;
    } else if (o->values != NULL)
        o->kind = KNOB_CHOICE;
    else if (type != NULL && strcmp(type, "float") == 0)
        o->kind = KNOB_FLOAT;
    else if (type != NULL && strcmp(type, "int") == 0)
        o->kind = KNOB_INT;
}

static void
source_read(struct arena *a, const char *text, size_t n, struct help_option *o,
    size_t n_options)
{
    static const char word[] = "add_argument(";
    const char *p = text, *end = text + n;
    while ((p = memmem(p, (size_t)(end - p), word, sizeof(word) - 1)) != NULL) {
        p += sizeof(word) - 1;
        size_t len = call_length(p, (size_t)(end - p));
        char *call = arena_strndup(a, p, len);
        for (size_t i = 0; i < n_options; i++) {
            const char *double_q =
                arena_printf(a, "\"%s\"", o[i].flag != NULL ? o[i].flag : "");
            const char *single_q =
                arena_printf(a, "'%s'", o[i].flag != NULL ? o[i].flag : "");
            if (strstr(call, double_q) != NULL ||
                strstr(call, single_q) != NULL)
                option_fill(a, &o[i], call);
        }
    }
}

void
init_source(struct arena *a, const char *root, const char *const *words,
    size_t n_words, struct help_option *o, size_t n_options)
{
    for (size_t i = 0; i < n_words; i++) {
        size_t len = strlen(words[i]);
        struct buf text = {0};
        if (len < 4 || strcmp(words[i] + len - 3, ".py") != 0)
            continue;
        if (fs_read(fs_join_in(a, root, words[i]), SOURCE_MAX, &text, NULL) ==
            0)
            source_read(a, buf_str(&text), text.len, o, n_options);
        buf_fini(&text);
    }
}
