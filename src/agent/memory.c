/* Working memory: which steps a model sees, and what is left of the others.
 * Called by the loop before each request.
 * Invariant: the same conversation gives the same messages, byte for byte. */
#include "agent/memory.h"

#include <stdlib.h>
#include <string.h>

#include "agent/guard.h"

const char memory_schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,"
    "\"required\":[\"goals\",\"open\",\"facts\"],\"properties\":{"
    "\"goals\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},"
    "\"open\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},"
    "\"facts\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}}}";

static const char *const lists[] = {
    "goals", "decisions", "open", "errors", "facts"};
enum { GOALS, DECISIONS, OPEN, ERRORS, FACTS, LISTS };

/* ---- lists of short texts ---- */

struct entries {
    uint32_t n;
    const char *text[TALK_STEPS_MAX];
};
struct summary {
    struct arena a;
    struct entries list[LISTS];
};

static void
entry_add(struct summary *s, uint32_t list, const char *text, size_t n)
{
    struct entries *e = &s->list[list];
    struct buf b = {0};
    text_clean(text, n, SUMMARY_TEXT_MAX, false, &b);
    for (uint32_t i = 0; i < e->n; i++)
        if (strcmp(e->text[i], buf_str(&b)) == 0)
            goto out;
    if (b.len > 0 && e->n < TALK_STEPS_MAX)
        e->text[e->n++] = arena_strdup(&s->a, buf_str(&b));
out:
    buf_fini(&b);
}

/* Texts of a summary in JSON; list LISTS: all. */
static void
entries_read(
    struct summary *s, const struct json *j, uint32_t only, uint32_t most)
{
    for (uint32_t l = 0; l < LISTS; l++) {
        const struct json *arr = json_get(j, lists[l]);
        for (size_t i = 0; (only == LISTS || only == l) && i < json_len(arr);
             i++) {
            const char *text = json_str(json_at(arr, i));
            if (text != NULL && i < most)
                entry_add(s, l, text, strlen(text));
        }
    }
}

static void
summary_write(const struct summary *s, uint32_t most, struct buf *out)
{
    struct jw w;
    jw_init(&w, out, 0);
    jw_obj_begin(&w);
    for (uint32_t l = 0; l < LISTS; l++) {
        const struct entries *e = &s->list[l];
        jw_key(&w, lists[l]);
        jw_arr_begin(&w);
        for (uint32_t i = e->n > most ? e->n - most : 0; i < e->n; i++)
            jw_str(&w, e->text[i]);
        jw_arr_end(&w);
    }
    jw_obj_end(&w);
}

/* ---- one section ---- */

static size_t
line_len(const char *s)
{
    return strcspn(s, "\n");
}

/* Every ref like P12 or I3 of a text was shown by a tool. */
static bool
refs_known(const struct talk *t, const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        bool starts = p == text || !(p[-1] >= '0' && p[-1] <= 'z');
        size_t digits = strspn(p + 1, "0123456789");
        char ref[16];
        if (!starts || (*p != 'P' && *p != 'I') || digits == 0 || digits > 12)
            continue;
        memcpy(ref, p, digits + 1);
        ref[digits + 1] = '\0';
        if (talk_seen(t, ref) == NULL)
            return false;
    }
    return true;
}

static void
said_add(struct summary *s, const struct talk *t, const struct json *said)
{
    static const uint32_t taken[] = {GOALS, OPEN, FACTS};
    for (size_t k = 0; k < 3; k++) {
        const struct json *arr = json_get(said, lists[taken[k]]);
        for (size_t i = 0; i < json_len(arr) && i < SUMMARY_LIST_MAX; i++) {
            const char *text = json_str(json_at(arr, i));
            if (text != NULL && refs_known(t, text))
                entry_add(s, taken[k], text, strlen(text));
        }
    }
}

/* "search_papers(query) -> P1 P2" */
static void
lookup_add(struct summary *s, const struct talk *t, const struct step *tool)
{
    struct buf b = {0};
    buf_printf(&b, "%s ->", tool->name);
    for (const char *p = tool->text; (p = strstr(p, "\nref ")) != NULL; p++) {
        char ref[16] = "";
        size_t n = strcspn(p + 5, " \n");
        if (n < sizeof ref)
            memcpy(ref, p + 5, n);
        if (talk_seen(t, ref) != NULL && b.len < SUMMARY_TEXT_MAX - 16)
            buf_printf(&b, " %s", ref);
    }
    entry_add(s, FACTS, buf_str(&b), b.len);
    buf_fini(&b);
}

void
memory_summary(const struct talk *t, uint32_t section, const struct json *said,
    struct buf *out)
{
    struct summary *s = mem_calloc(1, sizeof *s);
    const struct step *last = NULL;
    for (uint32_t i = 0; i < t->n_steps; i++) {
        const struct step *x = &t->step[i];
        if (x->section != section)
            continue;
        if (x->role == ROLE_ASSISTANT && x->text[0] != '\0')
            last = x;
        if (x->role != ROLE_TOOL)
            continue;
        if (strncmp(x->text, "error: ", 7) == 0)
            entry_add(s, ERRORS, x->text + 7, line_len(x->text + 7));
        else if (strncmp(x->text, "refused: ", 9) == 0 ||
                 strncmp(x->text, "accepted ", 9) == 0)
            entry_add(s, DECISIONS, x->text, line_len(x->text));
        else
            lookup_add(s, t, x);
    }
    if (said != NULL)
        said_add(s, t, said);
    else if (last != NULL)
        entry_add(s, OPEN, last->text, strlen(last->text));
    summary_write(s, TALK_STEPS_MAX, out);
    arena_fini(&s->a);
    free(s);
}

void
memory_transcript(const struct talk *t, uint32_t section, struct buf *out)
{
    for (uint32_t i = 0; i < t->n_steps; i++) {
        const struct step *x = &t->step[i];
        if (x->section != section)
            continue;
        if (x->role == ROLE_TOOL)
            buf_printf(out, "answer of %s: %s\n", x->name, x->text);
        else if (x->text[0] != '\0')
            buf_printf(out, "%s: %s\n", x->role == ROLE_USER ? "user" : "you",
                x->text);
        for (uint32_t k = 0; k < x->n_calls; k++)
            buf_printf(
                out, "you call %s %s\n", x->call[k].name, x->call[k].args);
    }
}

/* ---- the whole ---- */

/* What stands at the head of a request for the folded sections. */
static void
folded_write(const struct talk *t, struct buf *out)
{
    uint32_t folded = 0;
    while (folded < t->n_sections && t->section[folded].summary != NULL)
        folded++;
    if (folded == 0)
        return;
    uint32_t apart = folded > SECTIONS_APART ? folded - SECTIONS_APART : 0;
    buf_puts(out, "\nEarlier steps of this conversation, summed up:\n");
    if (apart > 0) {
        struct summary *s = mem_calloc(1, sizeof *s);
        for (uint32_t i = 0; i < apart; i++) {
            const char *text = t->section[i].summary;
            struct json *j = json_parse(text, strlen(text), NULL);
            entries_read(s, j, LISTS, TALK_STEPS_MAX);
            json_free(j);
        }
        buf_printf(out, "steps 1-%u: ", apart);
        summary_write(s, MERGED_LIST_MAX, out);
        buf_putc(out, '\n');
        arena_fini(&s->a);
        free(s);
    }
    for (uint32_t i = apart; i < folded; i++)
        buf_printf(out, "step %u: %s\n", i + 1, t->section[i].summary);
    buf_puts(out, "Your proposals that stand:");
    for (uint32_t i = 0; i < t->n_proposals; i++)
        if (t->proposal[i].state == PROPOSAL_KEPT)
            buf_printf(out, " Q%u(%s)", i + 1, t->proposal[i].key);
    buf_puts(out, talk_kept(t) == 0 ? " none\n" : "\n");
}

static bool
step_whole(const struct talk *t, const struct step *s)
{
    return s->section >= t->n_sections ||
           t->section[s->section].summary == NULL;
}

uint32_t
memory_tokens(const struct talk *t, const struct frame *f)
{
    struct buf b = {0};
    folded_write(t, &b);
    size_t bytes = b.len + strlen(f->system) + strlen(f->pinned);
    buf_fini(&b);
    for (uint32_t i = 0; i < t->n_steps; i++) {
        const struct step *s = &t->step[i];
        if (!step_whole(t, s))
            continue;
        bytes += strlen(s->text) + 16;
        for (uint32_t k = 0; k < s->n_calls; k++)
            bytes += strlen(s->call[k].name) + strlen(s->call[k].args) + 24;
    }
    return text_tokens(bytes) + f->tool_tokens;
}

uint32_t
memory_section(const struct talk *t)
{
    if (t->n_steps == 0)
        return 0;
    const struct step *last = &t->step[t->n_steps - 1];
    uint32_t turns = 0;
    for (uint32_t i = 0; i < t->n_steps; i++)
        turns += t->step[i].section == last->section &&
                 t->step[i].role == ROLE_ASSISTANT;
    bool full = turns >= SECTION_TURNS || last->round != t->round;
    uint32_t next = last->section + (full ? 1 : 0);
    return next < TALK_SECTIONS_MAX ? next : TALK_SECTIONS_MAX - 1;
}

int
memory_due(const struct talk *t, const struct frame *f, uint32_t limit)
{
    if (t->n_steps == 0 || memory_tokens(t, f) <= limit)
        return -1;
    uint32_t latest = t->step[t->n_steps - 1].section;
    for (uint32_t i = 0; i + SECTIONS_WHOLE <= latest; i++)
        if (i >= t->n_sections || t->section[i].summary == NULL)
            return (int)i;
    return -1;
}

void
memory_messages(const struct talk *t, const struct frame *f, struct arena *a,
    struct model_message **out, uint32_t *n)
{
    struct buf head = {0};
    struct model_message *m = arena_alloc(a, sizeof *m * (t->n_steps + 2));
    buf_puts(&head, f->pinned);
    folded_write(t, &head);
    m[0] = (struct model_message){.role = ROLE_SYSTEM, .text = f->system};
    m[1] = (struct model_message){
        .role = ROLE_USER, .text = arena_strdup(a, buf_str(&head))};
    *n = 2;
    for (uint32_t i = 0; i < t->n_steps; i++) {
        const struct step *s = &t->step[i];
        if (step_whole(t, s))
            m[(*n)++] = (struct model_message){.role = s->role,
                .text = s->text,
                .answers = s->role == ROLE_TOOL ? s->answers : NULL,
                .n_calls = s->n_calls,
                .call = s->call};
    }
    *out = m;
    buf_fini(&head);
}
