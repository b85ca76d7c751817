/* Submissions on disk, and reading what a scheduler's commands print. Called
 * by command.c; jobs.c lists and forgets the files. Invariant: a submission is
 * on disk before the scheduler can have heard of its job. */
#include "jobs/submission.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"

#define SUFFIX ".sub"

void
submission_path(const struct jobs *j, const char *token, struct buf *out)
{
    claim_path(j, token, out);
    buf_puts(out, SUFFIX);
}

const char *
submission_token_in(struct arena *a, const char *name)
{
    size_t n = strlen(name), tail = sizeof SUFFIX - 1;
    if (n <= tail || strcmp(name + n - tail, SUFFIX) != 0)
        return name;
    return arena_strndup(a, name, n - tail);
}

static const char *
text_of(struct submission *s, const struct json *j, const char *key)
{
    const char *text = json_get_str(j, key);
    return text == NULL ? NULL : arena_strdup(&s->arena, text);
}

int
submission_read(const struct jobs *j, const char *token, struct submission *out,
    struct err *err)
{
    struct buf path = {0};
    struct err e = {0};
    *out = (struct submission){0};
    submission_path(j, token, &path);
    struct json *r = json_read(buf_str(&path), 0, &e);
    buf_fini(&path);
    if (r == NULL)
        return err_set(err, e.code == -ERR_INPUT ? -ERR_CORRUPT : e.code,
            "submission: %s", e.text);
    out->token = text_of(out, r, "token");
    out->run_dir = text_of(out, r, "run_dir");
    out->cwd = text_of(out, r, "cwd");
    out->name = text_of(out, r, "name");
    out->id = text_of(out, r, "id");
    out->kind = text_of(out, r, "kind");
    if (out->kind == NULL) /* written before there was another */
        out->kind = "command";
    out->tries = json_get_i64(r, "tries", 1);
    out->deadline_ms = json_get_i64(r, "deadline_ms", 0);
    out->shell = json_get_bool(r, "shell", false);
    for (enum backend_verb v = 0; v < BACKEND_VERBS; v++)
        out->text[v] = text_of(out, r, backend_verb_name(v));
    json_free(r);
    if (out->token == NULL || strcmp(out->token, token) != 0 ||
        out->run_dir == NULL || out->cwd == NULL || out->name == NULL ||
        out->id == NULL)
        return err_set(
            err, -ERR_CORRUPT, "submission of %s is not whole", token);
    return 0;
}

int
submission_write(
    const struct jobs *j, const struct submission *s, struct err *err)
{
    struct buf path = {0}, text = {0};
    struct jw w;
    jw_init(&w, &text, 0);
    jw_obj_begin(&w);
    jw_ki64(&w, "version", 1);
    jw_kstr(&w, "token", s->token);
    jw_kstr(&w, "run_dir", s->run_dir);
    jw_kstr(&w, "cwd", s->cwd);
    jw_kstr(&w, "name", s->name);
    jw_kstr(&w, "id", s->id);
    jw_kstr(&w, "kind", s->kind);
    jw_ki64(&w, "tries", s->tries);
    jw_ki64(&w, "deadline_ms", s->deadline_ms);
    jw_kbool(&w, "shell", s->shell);
    for (enum backend_verb v = 0; v < BACKEND_VERBS; v++) {
        if (s->text[v] != NULL)
            jw_kstr(&w, backend_verb_name(v), s->text[v]);
    }
    jw_obj_end(&w);
    buf_putc(&text, '\n');
    submission_path(j, s->token, &path);
    int rc =
        fs_write_atomic(buf_str(&path), buf_str(&text), text.len, true, err);
    buf_fini(&path);
    buf_fini(&text);
    return rc;
}

void
submission_fini(struct submission *s)
{
    arena_fini(&s->arena);
    *s = (struct submission){0};
}

/* Long forms, then the letters of Slurm, PBS and Grid Engine. "E" is ending
 * with all of them. */
static const struct {
    enum scheduler_word word;
    const char *texts;
} words[] = {
    {WORD_PENDING, " pending queued waiting held configuring suspended "
                   "requeued pd q h w hq hqw qw t cf s "},
    {WORD_RUNNING, " running active completing exiting stopped r cg e "},
    {WORD_DONE, " done completed complete finished ok succeeded cd c f "},
    {WORD_FAILED, " failed error exit eqw deadline boot_fail "},
    {WORD_CANCELLED, " cancelled canceled killed deleted ca dr "},
    {WORD_TIMEOUT, " timeout to "},
    {WORD_PREEMPTED, " preempted evicted pr "},
    {WORD_OOM, " out_of_memory oom "},
    {WORD_NODE_FAIL, " node_fail nf lost zombi "},
    {WORD_GONE, " gone notfound not_found none "},
};

enum scheduler_word
scheduler_word_of(const char *output)
{
    char word[40];
    const char *s = output + strspn(output, " \t\r\n");
    size_t n = strcspn(s, " \t\r\n+");
    if (n == 0 || n > sizeof word - 3)
        return WORD_UNKNOWN;
    snprintf(word, sizeof word, " %.*s ", (int)n, s);
    for (char *c = word; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strstr(words[i].texts, word) != NULL)
            return words[i].word;
    }
    return WORD_UNKNOWN;
}

bool
scheduler_id_of(const char *output, char id[SUBMISSION_ID_MAX])
{
    size_t end = strlen(output);
    while (end > 0 && isspace((unsigned char)output[end - 1]))
        end--;
    size_t at = end;
    while (at > 0 && isgraph((unsigned char)output[at - 1]))
        at--;
    /* A '-' in front would be read as an option by the next command. */
    if (at == end || end - at >= SUBMISSION_ID_MAX || output[at] == '-')
        return false;
    snprintf(id, SUBMISSION_ID_MAX, "%.*s", (int)(end - at), output + at);
    return true;
}
