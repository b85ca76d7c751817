/* Templates of a user's scheduler commands. Called when a project file is
 * read and by the backend for each job. Invariant: without shell = true a
 * value is never re-read by a shell; with it every value is quoted. */
#include "project/backend.h"

#include <string.h>

#include "project/words.h"

static const char *const submit_names[] = {"script", "run_dir", "token", "name",
    "cpus", "gpus", "memory", "memory_mb", "time", "time_min", "exclude", NULL};
static const char *const job_names[] = {"id", "token", "run_dir", "name", NULL};

const char *
backend_verb_name(enum backend_verb verb)
{
    static const char *const names[] = {"submit", "state", "cancel", "logs"};
    return verb < BACKEND_VERBS ? names[verb] : "?";
}

const char *const *
backend_names(enum backend_verb verb)
{
    return verb == BACKEND_SUBMIT ? submit_names : job_names;
}

static const char *
value_of(const struct var *vars, size_t n_vars, const char *name, size_t n)
{
    for (size_t i = 0; i < n_vars; i++) {
        if (strlen(vars[i].name) == n && memcmp(vars[i].name, name, n) == 0)
            return vars[i].value;
    }
    return NULL;
}

/* The {name} at s; its length with braces, negative when it means nothing. */
static int
placeholder_put(const char *s, bool shell, const struct var *vars, size_t n,
    struct buf *out, struct err *err)
{
    size_t len = strcspn(s + 1, "{} \t\n");
    const char *value =
        s[1 + len] == '}' ? value_of(vars, n, s + 1, len) : NULL;
    if (value == NULL)
        return err_set(err, -ERR_INPUT, "unknown placeholder {%.*s}",
            (int)(len > 60 ? 60 : len), s + 1);
    if (shell)
        command_quote(out, value);
    else
        buf_puts(out, value);
    return (int)len + 2;
}

static int
text_fill(const char *text, bool shell, const struct var *vars, size_t n,
    struct buf *out, struct err *err)
{
    for (const char *s = text; *s != '\0';) {
        bool twice = (*s == '{' || *s == '}') && s[1] == *s;
        if (shell && s[0] == '$' && s[1] == '{') {
            size_t len = 2 + strcspn(s + 2, "}");
            buf_add(out, s, len);
            s += len;
        } else if (twice || *s != '{') {
            buf_putc(out, *s);
            s += twice ? 2 : 1;
        } else {
            int len = placeholder_put(s, shell, vars, n, out, err);
            if (len < 0)
                return len;
            s += len;
        }
    }
    return 0;
}

int
backend_command_in(struct arena *a, const char *text, bool shell,
    const struct var *vars, size_t n_vars, const char ***argv, struct err *err)
{
    struct words w = {.a = a};
    struct buf b = {0};
    const char **word = &text;
    size_t n = 1;
    int rc = shell ? 0 : command_split(a, text, &word, &n, err);
    if (rc == 0 && (n == 0 || text[0] == '\0'))
        rc = err_set(err, -ERR_INPUT, "the command is empty");
    if (shell) {
        words_add(&w, "/bin/sh");
        words_add(&w, "-c");
    }
    for (size_t i = 0; rc == 0 && i < n; i++) {
        buf_clear(&b);
        rc = text_fill(word[i], shell, vars, n_vars, &b, err);
        words_add(&w, arena_strdup(a, buf_str(&b)));
    }
    buf_fini(&b);
    words_end(&w);
    *argv = w.list;
    return rc;
}
