/* Matches the end of a job's output against the runbook's signatures. Called
 * by wake when a job failed, and by `rea runbook`. PCRE2 with match limits, so
 * a hostile log costs milliseconds; a rule that passes its limit counts as not
 * matching. */
#include "jobs/signature.h"

#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/arena.h"
#include "base/fs.h"
#include "base/redact.h"
#include "base/toml.h"

enum {
    MATCH_LIMIT = 200000, /* steps of one search over 64 KiB */
    HEAP_LIMIT_KIB = 1024,
    USER_BYTES_MAX = 1 << 20,
};

struct rule_code {
    const struct signature_rule *rule;
    pcre2_code *code;
};

struct signature_book {
    struct arena arena;
    struct rule_code *code;
    size_t n, cap;
    pcre2_compile_context *lines;
    pcre2_match_context *limits;
    pcre2_match_data *data;
};

static const struct signature_rule rules[] = {
#define SIGNATURE(id_, class_, rank_, pattern_, remedy_, source_)              \
    {.id = id_,                                                                \
        .class = class_,                                                       \
        .rank = RANK_##rank_,                                                  \
        .pattern = pattern_,                                                   \
        .remedy = remedy_,                                                     \
        .source = source_},
#include "jobs/runbook.def"
#undef SIGNATURE
};

enum { RULES = sizeof rules / sizeof rules[0] };

const struct signature_rule *
signature_rules(size_t *n)
{
    *n = RULES;
    return rules;
}

const char *
signature_class_text(char class)
{
    switch (class) {
    case 'A':
        return "wait, then retry the same job";
    case 'B':
        return "go on from the checkpoint, on another machine where there is "
               "one";
    case 'C':
        return "needs less device memory: half the batch";
    case 'D':
        return "training ran away: half the learning rate, from the last good "
               "checkpoint";
    case 'E':
        return "free a resource of the machine, then retry";
    case 'F':
        return "permanent: no retry";
    case 'G':
        return "go on from the checkpoint, no failure";
    case 'H':
        return "harmless";
    default:
        return "not clear: look, retry once";
    }
}

const char *
signature_rank_name(enum signature_rank rank)
{
    static const char *const names[] = {"benign", "secondary", "generic",
        "plain", "specific", "decisive", "own"};
    return (size_t)rank < sizeof names / sizeof names[0] ? names[rank] : "?";
}

static int
rule_add(
    struct signature_book *b, const struct signature_rule *r, struct err *err)
{
    int code;
    PCRE2_SIZE at;
    if (b->lines == NULL) {
        b->lines = pcre2_compile_context_create(NULL);
        if (b->lines == NULL)
            return err_set(err, -ERR_SYS, "no memory for the runbook");
        /* Progress bars end their lines with a carriage return. */
        pcre2_set_newline(b->lines, PCRE2_NEWLINE_ANYCRLF);
    }
    pcre2_code *re =
        pcre2_compile((PCRE2_SPTR)r->pattern, PCRE2_ZERO_TERMINATED,
            PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &code, &at, b->lines);
    if (re == NULL) {
        PCRE2_UCHAR text[120];
        pcre2_get_error_message(code, text, sizeof text);
        return err_set(err, -ERR_INPUT,
            "runbook rule %s: at character %zu of the pattern: %s", r->id,
            (size_t)at + 1, (const char *)text);
    }
    if (b->n == b->cap) {
        b->cap = b->cap == 0 ? RULES + 8 : 2 * b->cap;
        b->code = mem_realloc(b->code, b->cap * sizeof b->code[0]);
    }
    b->code[b->n++] = (struct rule_code){r, re};
    return 0;
}

/* One table [rule.ID] of the user's file. */
static int
user_rule_add(struct signature_book *b, const char *file, const struct toml *t,
    struct err *err)
{
    const struct toml *class = toml_get(t, "class");
    const struct toml *pattern = toml_get(t, "pattern");
    const struct toml *remedy = toml_get(t, "remedy");
    for (const struct toml *c = t->child; c != NULL; c = c->next) {
        if (c != class && c != pattern && c != remedy)
            return err_set(err, -ERR_INPUT,
                "%s:%u: unknown key '%s' in [rule.%s]: a rule has class, "
                "pattern and remedy",
                file, c->key_line, c->key, t->key);
    }
    if (class == NULL || class->kind != TOML_STR || class->str_len != 1 ||
        strchr("ABCDEFGHU", class->str[0]) == NULL)
        return err_set(err, -ERR_INPUT,
            "%s:%u: rule.%s needs class = \"A\" to \"H\" or \"U\" "
            "(docs/runbook.md)",
            file, t->line, t->key);
    if (pattern == NULL || pattern->kind != TOML_STR || pattern->str_len == 0)
        return err_set(err, -ERR_INPUT,
            "%s:%u: rule.%s needs pattern = 'regular expression'", file,
            t->line, t->key);
    struct signature_rule *r = arena_alloc(&b->arena, sizeof *r);
    *r = (struct signature_rule){.id = t->key,
        .class = class->str[0],
        .rank = class->str[0] == 'H' ? RANK_BENIGN : RANK_USER,
        .pattern = pattern->str,
        .remedy = remedy != NULL && remedy->kind == TOML_STR ? remedy->str : "",
        .source = file};
    int rc = rule_add(b, r, err);
    return rc == 0 ? 0 : err_wrap(err, rc, "%s:%u", file, t->line);
}

static int
user_rules_load(struct signature_book *b, const char *path, struct err *err)
{
    struct buf text = {0};
    struct toml *root = NULL;
    int rc = fs_read(path, USER_BYTES_MAX, &text, err);
    const char *file = arena_strdup(&b->arena, path);
    if (rc == 0)
        rc = toml_parse(&b->arena, buf_str(&text), text.len, &root, NULL, err);
    if (rc != 0) {
        buf_fini(&text);
        return err_wrap(err, rc, "runbook file %s", path);
    }
    buf_fini(&text);
    const struct toml *list = toml_get(root, "rule");
    for (const struct toml *c = root->child; c != NULL; c = c->next) {
        if (c != list || c->kind != TOML_TABLE)
            return err_set(err, -ERR_INPUT,
                "%s:%u: '%s' is not known here: a runbook file has tables "
                "[rule.NAME]",
                file, c->key_line, c->key);
    }
    if (list != NULL && list->n > SIGNATURE_USER_MAX)
        return err_set(err, -ERR_LIMIT, "%s: more than %d rules", file,
            SIGNATURE_USER_MAX);
    for (const struct toml *c = list == NULL ? NULL : list->child; c != NULL;
         c = c->next) {
        if (c->kind != TOML_TABLE)
            return err_set(err, -ERR_INPUT, "%s:%u: rule.%s is no table", file,
                c->key_line, c->key);
        rc = user_rule_add(b, file, c, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

int
signature_book_new(
    const char *user_file, struct signature_book **out, struct err *err)
{
    struct signature_book *b = mem_calloc(1, sizeof *b);
    int rc = 0;
    *out = NULL;
    if (user_file != NULL)
        rc = user_rules_load(b, user_file, err);
    for (size_t i = 0; rc == 0 && i < RULES; i++)
        rc = rule_add(b, &rules[i], err);
    if (rc == 0) {
        b->limits = pcre2_match_context_create(NULL);
        b->data = pcre2_match_data_create(1, NULL);
        if (b->limits == NULL || b->data == NULL)
            rc = err_set(err, -ERR_SYS, "no memory for the runbook");
    }
    if (rc != 0) {
        signature_book_free(b);
        return rc;
    }
    pcre2_set_match_limit(b->limits, MATCH_LIMIT);
    pcre2_set_heap_limit(b->limits, HEAP_LIMIT_KIB);
    *out = b;
    return 0;
}

void
signature_book_free(struct signature_book *b)
{
    if (b == NULL)
        return;
    for (size_t i = 0; i < b->n; i++)
        pcre2_code_free(b->code[i].code);
    free(b->code);
    pcre2_match_data_free(b->data);
    pcre2_match_context_free(b->limits);
    pcre2_compile_context_free(b->lines);
    arena_fini(&b->arena);
    free(b);
}

static bool
is_line_end(char c)
{
    return c == '\n' || c == '\r';
}

enum { REDACT_MAX = 4096 };

static void
hit_fill(struct signature_hit *h, const struct signature_rule *r,
    const char *text, size_t len, size_t at)
{
    *h = (struct signature_hit){.rule = r, .line_no = 1};
    size_t from = at, to = at;
    while (from > 0 && !is_line_end(text[from - 1]))
        from--;
    while (to < len && !is_line_end(text[to]))
        to++;
    for (size_t i = 0; i < from; i++)
        h->line_no += text[i] == '\n';
    /* Of an overlong line, the part around the match. */
    bool cut = at - from > SIGNATURE_LINE_LEN / 2;
    if (cut)
        from = at - SIGNATURE_LINE_LEN / 2;
    /* half a word is not known for the secret that it may be */
    while (cut && from < at && text[from] != ' ')
        from++;
    if (to - from > REDACT_MAX)
        to = from + REDACT_MAX;
    struct buf line = {0};
    redact_put(text + from, to - from, &line);
    size_t n = 0;
    for (size_t i = 0; i < line.len && n < SIGNATURE_LINE_LEN - 1; i++) {
        unsigned char c = (unsigned char)line.data[i];
        h->line[n++] = c >= 0x20 && c < 0x7f ? (char)c : ' ';
    }
    h->line[n] = '\0';
    buf_fini(&line);
}

struct found {
    const struct signature_rule *rule;
    size_t at;
};

/* Higher rank first, then what was printed first, then the table's order. */
static int
found_order(const void *pa, const void *pb)
{
    const struct found *a = pa, *b = pb;
    if (a->rule->rank != b->rule->rank)
        return a->rule->rank > b->rule->rank ? -1 : 1;
    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    return a->rule < b->rule ? -1 : a->rule > b->rule;
}

int
signature_book_all(const struct signature_book *b, const char *text, size_t len,
    struct signature_hit *hits, size_t max, size_t *n)
{
    if (len > SIGNATURE_TEXT_MAX) {
        text += len - SIGNATURE_TEXT_MAX;
        len = SIGNATURE_TEXT_MAX;
    }
    struct found *f = mem_calloc(b->n + 1, sizeof *f);
    size_t n_found = 0;
    for (size_t i = 0; i < b->n && len > 0; i++) {
        int rc = pcre2_match(
            b->code[i].code, (PCRE2_SPTR)text, len, 0, 0, b->data, b->limits);
        if (rc >= 0)
            f[n_found++] = (struct found){
                b->code[i].rule, pcre2_get_ovector_pointer(b->data)[0]};
    }
    qsort(f, n_found, sizeof *f, found_order);
    *n = n_found < max ? n_found : max;
    for (size_t i = 0; i < *n; i++)
        hit_fill(&hits[i], f[i].rule, text, len, f[i].at);
    free(f);
    return 0;
}

int
signature_book_match(const struct signature_book *b, const char *text,
    size_t len, struct signature_hit *hit)
{
    size_t n = 0;
    *hit = (struct signature_hit){0};
    int rc = signature_book_all(b, text, len, hit, 1, &n);
    if (rc == 0 && n > 0 && hit->rule->rank == RANK_BENIGN)
        *hit = (struct signature_hit){0};
    return rc;
}

int
signature_match(const char *text, size_t len, struct signature_hit *hit)
{
    struct signature_book *b;
    *hit = (struct signature_hit){0};
    int rc = signature_book_new(NULL, &b, NULL);
    if (rc != 0)
        return rc;
    rc = signature_book_match(b, text, len, hit);
    signature_book_free(b);
    return rc;
}

size_t
signature_book_len(const struct signature_book *b)
{
    return b->n;
}

const struct signature_rule *
signature_book_rule(const struct signature_book *b, size_t i)
{
    return i < b->n ? b->code[i].rule : NULL;
}
