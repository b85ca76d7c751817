/* The command-line face: finds the verb, reads its options, runs it, prints
 * what it says and turns errors into exit codes. Called by main.c only. It
 * reads nothing from standard input. */
#include "cmd/cmd.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/near.h"

enum { WORDS_MAX = 96 };

static const char *const group_words[] = {
    "plan", "hypothesis", "insight", "research", "runbook", NULL};

const struct cmd *
cmd_find(const char *first, const char *second, uint32_t *words)
{
    const struct cmd *one = NULL;
    for (uint32_t i = 0; cmd_table[i] != NULL; i++) {
        const char *name = cmd_table[i]->name;
        size_t n = strlen(first);
        if (strcmp(name, first) == 0)
            one = cmd_table[i];
        if (second != NULL && strncmp(name, first, n) == 0 && name[n] == ' ' &&
            strcmp(name + n + 1, second) == 0) {
            *words = 2;
            return cmd_table[i];
        }
    }
    *words = one != NULL ? 1 : 0;
    return one;
}

static int
opt_index(const struct cmd *cmd, const char *name)
{
    if (cmd->opts == NULL)
        return -1;
    for (int i = 0; cmd->opts[i].name != NULL; i++) {
        if (strcmp(cmd->opts[i].name, name) == 0)
            return i;
    }
    return -1;
}

const char *
call_opt(const struct call *call, const char *name)
{
    int i = opt_index(call->cmd, name);
    return i < 0 ? NULL : call->opt[i];
}

bool
call_has(const struct call *call, const char *name)
{
    return call_opt(call, name) != NULL;
}

int
call_opt_bool(const struct call *call, const char *name, bool otherwise,
    bool *out, struct err *err)
{
    const char *v = call_opt(call, name);
    *out = otherwise;
    if (v == NULL)
        return 0;
    if (strcmp(v, "no") == 0 || strcmp(v, "false") == 0 || strcmp(v, "0") == 0)
        *out = false;
    else if (strcmp(v, "yes") == 0 || strcmp(v, "true") == 0 ||
             strcmp(v, "1") == 0)
        *out = true;
    else
        return err_set(err, -ERR_INPUT, "--%s=%s: yes or no is meant", name, v);
    return 0;
}

int
call_opt_num(
    const struct call *call, const char *name, double *out, struct err *err)
{
    const char *v = call_opt(call, name);
    char *end = NULL;
    if (v == NULL)
        return 0;
    double x = strtod(v, &end);
    if (end == v || *end != '\0' || !(x > 0) || x > 1e12)
        return err_set(
            err, -ERR_INPUT, "--%s=%s: a number above 0 is meant", name, v);
    *out = x;
    return 0;
}

void
call_next(struct call *call, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(call->next, sizeof(call->next), fmt, ap);
    va_end(ap);
}

void
say(struct call *call, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&call->out, fmt, ap);
    va_end(ap);
}

/* ---- options ---- */

static int
opt_unknown(const struct cmd *cmd, const char *word, struct err *err)
{
    const char *names[CMD_OPTS_MAX + 6];
    uint32_t n = 0;
    for (uint32_t i = 0; cmd->opts != NULL && cmd->opts[i].name != NULL; i++)
        names[n++] = cmd->opts[i].name;
    names[n++] = "json";
    names[n++] = "quiet";
    names[n++] = "help";
    const char *close = near_word(word, names, n);
    if (close != NULL)
        return err_set(err, -ERR_INPUT,
            "rea %s has no option --%s. Did you mean --%s?\n"
            "  remedy: rea help %s",
            cmd->name, word, close, cmd->name);
    return err_set(err, -ERR_INPUT,
        "rea %s has no option --%s\n  remedy: rea help %s", cmd->name, word,
        cmd->name);
}

struct words {
    int n, at;
    char **v;
};

static const char *
words_value(struct words *w, const char *attached)
{
    if (attached != NULL)
        return attached;
    return w->at + 1 < w->n ? w->v[++w->at] : NULL;
}

/* --name, --name=value, --name value. */
static int
opt_long(struct call *call, struct words *w, const char *word, struct err *err)
{
    char name[48];
    const char *eq = strchr(word, '=');
    size_t n = eq != NULL ? (size_t)(eq - word) : strlen(word);
    if (n >= sizeof(name))
        return err_set(err, -ERR_INPUT, "no option is called --%s", word);
    memcpy(name, word, n);
    name[n] = '\0';
    if (strcmp(name, "json") == 0) {
        call->json = true;
        return 0;
    }
    if (strcmp(name, "quiet") == 0) {
        call->quiet = true;
        return 0;
    }
    int i = opt_index(call->cmd, name);
    if (i < 0)
        return opt_unknown(call->cmd, name, err);
    if (call->cmd->opts[i].arg == NULL) {
        if (eq != NULL)
            return err_set(err, -ERR_INPUT, "--%s takes no value", name);
        call->opt[i] = "";
        return 0;
    }
    call->opt[i] = words_value(w, eq != NULL ? eq + 1 : NULL);
    if (call->opt[i] == NULL)
        return err_set(err, -ERR_INPUT, "--%s needs a value: --%s=%s", name,
            name, call->cmd->opts[i].arg);
    return 0;
}

static int
opt_short(struct call *call, struct words *w, const char *word, struct err *err)
{
    if (strcmp(word, "q") == 0) {
        call->quiet = true;
        return 0;
    }
    if (word[0] == 'C') {
        call->dir = words_value(w, word[1] != '\0' ? word + 1 : NULL);
        if (call->dir == NULL)
            return err_set(err, -ERR_INPUT, "-C needs a folder: -C DIR");
        return 0;
    }
    const struct cmd_opt *opts = call->cmd->opts;
    for (uint32_t i = 0; opts != NULL && opts[i].name != NULL; i++) {
        if (opts[i].letter == 0 || opts[i].letter != word[0])
            continue;
        if (opts[i].arg == NULL && word[1] == '\0') {
            call->opt[i] = "";
            return 0;
        }
        call->opt[i] = words_value(w, word[1] != '\0' ? word + 1 : NULL);
        if (call->opt[i] == NULL)
            return err_set(err, -ERR_INPUT, "-%c needs a value: -%c %s",
                word[0], word[0], opts[i].arg);
        return 0;
    }
    return err_set(err, -ERR_INPUT,
        "rea %s has no option -%s\n  remedy: rea help %s", call->cmd->name,
        word, call->cmd->name);
}

static int
args_check(struct call *call, struct err *err)
{
    const struct cmd *cmd = call->cmd;
    if (call->n_args < cmd->min_args)
        return err_set(err, -ERR_INPUT,
            "rea %s needs: %s\n  remedy: rea help %s", cmd->name, cmd->args,
            cmd->name);
    if (call->n_args > cmd->max_args)
        return err_set(err, -ERR_INPUT,
            "rea %s: too many arguments, from \"%s\" on\n"
            "  remedy: rea help %s",
            cmd->name, call->args[cmd->max_args], cmd->name);
    return 0;
}

static int
call_parse(struct call *call, struct words *w, struct err *err)
{
    bool plain = false; /* after "--" */
    int rc = 0;
    for (; w->at < w->n; w->at++) {
        const char *word = w->v[w->at];
        if (!plain && strcmp(word, "--") == 0)
            plain = true;
        else if (!plain && word[0] == '-' && word[1] == '-')
            rc = opt_long(call, w, word + 2, err);
        else if (!plain && word[0] == '-' && word[1] != '\0' &&
                 strchr("0123456789.", word[1]) == NULL)
            rc = opt_short(call, w, word + 1, err);
        else if (call->n_args == CMD_ARGS_MAX)
            rc = err_set(
                err, -ERR_INPUT, "more than %d arguments", CMD_ARGS_MAX);
        else
            call->args[call->n_args++] = word;
        if (rc != 0)
            return rc;
    }
    return args_check(call, err);
}

/* ---- the verb ---- */

static int
verb_unknown(const char *word, const char *second, struct err *err)
{
    const char *names[WORDS_MAX];
    uint32_t n = 0;
    bool group = false;
    for (uint32_t i = 0; group_words[i] != NULL; i++)
        group = group || strcmp(group_words[i], word) == 0;
    for (uint32_t i = 0; cmd_table[i] != NULL && n < WORDS_MAX; i++) {
        const char *name = cmd_table[i]->name;
        size_t len = strlen(word);
        if (group && strncmp(name, word, len) == 0 && name[len] == ' ')
            names[n++] = name + len + 1;
        else if (!group)
            names[n++] = name;
    }
    const char *what = group ? (second != NULL ? second : "") : word;
    const char *close = near_word(what, names, n);
    if (close != NULL)
        return err_set(err, -ERR_INPUT,
            "there is no verb \"%s%s%s\". Did you mean \"%s%s%s\"?\n"
            "  remedy: rea help",
            word, group ? " " : "", group ? what : "", group ? word : "",
            group ? " " : "", close);
    return err_set(err, -ERR_INPUT,
        "there is no verb \"%s%s%s\"\n  remedy: rea help%s%s", word,
        group && *what ? " " : "", group ? what : "", group ? " " : "",
        group ? word : "");
}

static void
print_error(const struct call *call, const struct err *err, int code)
{
    if (call->json) {
        struct buf b = {0};
        struct jw w;
        jw_init(&w, &b, 0);
        jw_obj_begin(&w);
        jw_key(&w, "error");
        jw_obj_begin(&w);
        jw_kstr(&w, "kind", err_name(code));
        jw_ki64(&w, "exit", err_exit(code));
        jw_kstr(&w, "message", err->text);
        jw_obj_end(&w);
        jw_obj_end(&w);
        printf("%s\n", buf_str(&b));
        buf_fini(&b);
    }
    fprintf(stderr, "rea: %s\n", err->text);
}

static int
call_finish(struct call *call, const struct err *err, int rc)
{
    bool text = !call->json && !call->quiet;
    /* With -q a verb that acts is silent; one that was asked for facts still
     * gives them. */
    if (call->out.len > 0 &&
        (call->json || text || !(call->cmd->flags & CMD_WRITES)))
        fwrite(call->out.data, 1, call->out.len, stdout);
    if (text && call->next[0] != '\0' && rc == 0)
        printf("next: %s\n", call->next);
    if (rc != 0)
        print_error(call, err, rc);
    if (fflush(stdout) != 0 && rc == 0)
        return 1;
    if (rc != 0)
        return err_exit(rc);
    return call->check_failed > 0 ? err_exit(-ERR_CHECK) : 0;
}

static int
help_run_words(const char *first, const char *second, struct err *err)
{
    struct buf out = {0};
    uint32_t words = 0;
    const struct cmd *cmd = NULL;
    int rc = 0;
    if (first == NULL) {
        help_all(&out);
    } else if ((cmd = cmd_find(first, second, &words)) != NULL &&
               (words == 2 || second == NULL)) {
        help_verb(cmd, &out);
        if (words == 1)
            help_group(first, &out);
    } else {
        help_group(first, &out);
        if (out.len == 0)
            rc = verb_unknown(first, second, err);
    }
    fputs(buf_str(&out), stdout);
    buf_fini(&out);
    return rc;
}

/* Leading -C, --json, -q before the verb. */
static int
globals_parse(struct call *call, struct words *w, struct err *err)
{
    for (; w->at < w->n && w->v[w->at][0] == '-'; w->at++) {
        const char *word = w->v[w->at];
        if (strcmp(word, "--json") == 0)
            call->json = true;
        else if (strcmp(word, "-q") == 0 || strcmp(word, "--quiet") == 0)
            call->quiet = true;
        else if (strncmp(word, "-C", 2) == 0) {
            call->dir = words_value(w, word[2] != '\0' ? word + 2 : NULL);
            if (call->dir == NULL)
                return err_set(err, -ERR_INPUT, "-C needs a folder: -C DIR");
        } else
            return err_set(err, -ERR_INPUT,
                "there is no option \"%s\"\n  remedy: rea help", word);
    }
    return 0;
}

static bool
is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static int
cli_run(struct call *call, struct words *w, struct err *err)
{
    int rc = globals_parse(call, w, err);
    if (rc != 0)
        return rc;
    const char *first = w->at < w->n ? w->v[w->at] : "status";
    const char *second = w->at + 1 < w->n ? w->v[w->at + 1] : NULL;
    uint32_t words = 0;
    call->cmd = cmd_find(first, second, &words);
    if (call->cmd == NULL)
        return verb_unknown(first, second, err);
    w->at += (int)words;
    for (int i = w->at; i < w->n && strcmp(w->v[i], "--") != 0; i++) {
        if (is_help(w->v[i]))
            return help_run_words(first, words == 2 ? second : NULL, err);
    }
    rc = call_parse(call, w, err);
    return rc != 0 ? rc : call->cmd->run(call, err);
}

int
cmd_cli(int argc, char **argv)
{
    static const struct cmd none = {.name = "rea"};
    struct arena arena = {0};
    struct err err = {0};
    struct call call = {.cmd = &none,
        .self = argc > 0 ? argv[0] : "rea",
        .dir = ".",
        .arena = &arena};
    struct words w = {.n = argc, .at = 1, .v = argv};
    const char *no_color = getenv("NO_COLOR");
    call.color =
        isatty(STDOUT_FILENO) == 1 && (no_color == NULL || no_color[0] == '\0');
    int rc;
    if (argc > 1 && (strcmp(argv[1], "help") == 0 || is_help(argv[1])))
        rc = help_run_words(
            argc > 2 ? argv[2] : NULL, argc > 3 ? argv[3] : NULL, &err);
    else if (argc == 2 && strcmp(argv[1], "--version") == 0)
        rc = (buf_puts(&call.out, "rea " REA_VERSION "\n"), 0);
    else
        rc = cli_run(&call, &w, &err);
    int code = call_finish(&call, &err, rc);
    buf_fini(&call.out);
    arena_fini(&arena);
    return code;
}
