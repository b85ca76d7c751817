/* Renders the command table: docs/commands.md, scdoc sources of the man pages,
 * completion for bash and zsh. Called by tools/docs.sh and by packagers:
 *   gen-docs commands | man PAGE | pages | bash | zsh
 * The table is the only source, so no face of it can be out of date. */
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"

static const struct cmd_opt global_opts[] = {
    {"json", 0, NULL, "machine-readable output"},
    {"quiet", 'q', NULL, "no output of verbs that act"},
    {"help", 'h', NULL, "help on the verb"}, {0}};

static const char *
args_of(const struct cmd *c)
{
    return c->args != NULL ? c->args : "";
}

static size_t
word_len(const char *name)
{
    return strcspn(name, " ");
}

/* Is this the first entry of its word ("insight list", "insight show")? */
static bool
is_first(uint32_t i)
{
    size_t n = word_len(cmd_table[i]->name);
    for (uint32_t j = 0; j < i; j++) {
        if (word_len(cmd_table[j]->name) == n &&
            strncmp(cmd_table[j]->name, cmd_table[i]->name, n) == 0)
            return false;
    }
    return true;
}

static void
opt_left(const struct cmd_opt *o, char *out, size_t cap)
{
    if (o->letter != 0)
        snprintf(out, cap, "-%c, --%s%s%s", o->letter, o->name,
            o->arg != NULL ? "=" : "", o->arg != NULL ? o->arg : "");
    else
        snprintf(out, cap, "--%s%s%s", o->name, o->arg != NULL ? "=" : "",
            o->arg != NULL ? o->arg : "");
}

/* ---- docs/commands.md ---- */

static void
md_verb(const struct cmd *c)
{
    char left[96];
    printf("\n## rea %s\n\n", c->name);
    printf("`rea %s%s%s`\n\n%s.\n", c->name, args_of(c)[0] ? " " : "",
        args_of(c), c->help);
    if (c->more != NULL)
        printf("\n%s\n", c->more);
    if (c->flags & CMD_HUMAN)
        printf("\nAn engineer's own act: never offered to a program.\n");
    if (c->opts != NULL && c->opts[0].name != NULL)
        printf("\n| option | |\n|---|---|\n");
    for (uint32_t i = 0; c->opts != NULL && c->opts[i].name != NULL; i++) {
        opt_left(&c->opts[i], left, sizeof(left));
        /* A bar would end the cell. */
        printf("| `");
        for (const char *p = left; *p != '\0'; p++)
            printf(*p == '|' ? "\\|" : "%c", *p);
        printf("` | %s |\n", c->opts[i].help);
    }
    if (c->example != NULL)
        printf("\n```\n%s\n```\n", c->example);
}

static void
md_all(void)
{
    printf("<!-- written by tools/gen-docs from the command table -->\n"
           "# Commands\n\n"
           "`rea [-C DIR] [--json] [-q] VERB ...` works on the workspace in "
           "DIR (the current folder by default; its state is found "
           "upwards). Output ends with the next useful command. With `--json` "
           "a verb prints one JSON document. `NO_COLOR` is honoured. Nothing "
           "is read from standard input.\n\n"
           "Exit codes: 0 ok, 1 failed, 2 usage or bad input, 3 needs an "
           "engineer's approval, 4 a check failed.\n\n"
           "| verb | |\n|---|---|\n");
    for (uint32_t i = 0; cmd_table[i] != NULL; i++)
        printf("| [rea %s](#rea-%.*s%s%s) | %s |\n", cmd_table[i]->name,
            (int)word_len(cmd_table[i]->name), cmd_table[i]->name,
            strchr(cmd_table[i]->name, ' ') ? "-" : "",
            strchr(cmd_table[i]->name, ' ')
                ? strchr(cmd_table[i]->name, ' ') + 1
                : "",
            cmd_table[i]->help);
    for (uint32_t i = 0; cmd_table[i] != NULL; i++)
        md_verb(cmd_table[i]);
}

/* ---- man pages, scdoc ---- */

/* Text with what scdoc reads as markup escaped. */
static void
scd_text(const char *s)
{
    for (; *s != '\0'; s++) {
        if (strchr("_*\\#[|~`", *s) != NULL)
            putchar('\\');
        putchar(*s);
    }
}

static void
scd_opts(const struct cmd_opt *o)
{
    char left[96];
    for (; o != NULL && o->name != NULL; o++) {
        opt_left(o, left, sizeof(left));
        printf("*");
        scd_text(left);
        printf("*\n\t");
        scd_text(o->help);
        printf("\n\n");
    }
}

static void
scd_verb(const struct cmd *c)
{
    printf("## rea ");
    scd_text(c->name);
    putchar(' ');
    scd_text(args_of(c));
    printf("\n\n");
    scd_text(c->help);
    printf(".\n\n");
    if (c->more != NULL) {
        scd_text(c->more);
        printf("\n\n");
    }
    scd_opts(c->opts);
    if (c->example != NULL) {
        printf("Example:\n\n\t");
        scd_text(c->example);
        printf("\n\n");
    }
}

static void
scd_tail(void)
{
    printf("# EXIT STATUS\n\n"
           "0 ok, 1 failed, 2 usage or bad input, 3 needs an engineer's "
           "approval, 4 a check failed.\n\n");
}

static void
scd_main(void)
{
    printf("rea(1)\n\n# NAME\n\nrea - the ranking engineer agent\n\n"
           "# SYNOPSIS\n\n*rea* \\[-C DIR\\] \\[--json\\] \\[-q\\] VERB "
           "...\n\n# DESCRIPTION\n\n"
           "Plans, runs and reports campaigns that improve a ranking model: "
           "an engineer signs a plan, jobs run without the agent, each wakes "
           "it when it ends.\n\n# VERBS\n\n");
    for (uint32_t i = 0; cmd_table[i] != NULL; i++) {
        printf("*rea ");
        scd_text(cmd_table[i]->name);
        printf("*\n\t");
        scd_text(cmd_table[i]->help);
        printf("\n\n");
    }
    printf("# OPTIONS\n\n*-C DIR*\n\tthe workspace; its state is found "
           "upwards\n\n");
    scd_opts(global_opts);
    printf("# ENVIRONMENT\n\n"
           "*NO\\_COLOR*\n\tno colours\n\n"
           "*REA\\_SHIM*\n\tthe jobs' supervisor, when it is not beside rea\n\n"
           "*REA\\_DATA*\n\tfolder of data sets for the demo\n\n");
    scd_tail();
}

static int
scd_page(const char *page)
{
    size_t n = strlen(page);
    bool any = false;
    if (strcmp(page, "rea") == 0) {
        scd_main();
        return 0;
    }
    if (strncmp(page, "rea-", 4) != 0)
        return 1;
    page += 4;
    n -= 4;
    for (uint32_t i = 0; cmd_table[i] != NULL; i++) {
        const struct cmd *c = cmd_table[i];
        if (word_len(c->name) != n || strncmp(c->name, page, n) != 0)
            continue;
        if (!any)
            printf("rea-%s(1)\n\n# NAME\n\nrea-%s - %s\n\n# DESCRIPTION\n\n",
                page, page, c->help);
        any = true;
        scd_verb(c);
    }
    if (!any)
        return 1;
    scd_tail();
    printf("# SEE ALSO\n\n*rea*(1)\n");
    return 0;
}

static void
pages(void)
{
    printf("rea\n");
    for (uint32_t i = 0; cmd_table[i] != NULL; i++) {
        if (is_first(i))
            printf("rea-%.*s\n", (int)word_len(cmd_table[i]->name),
                cmd_table[i]->name);
    }
}

/* ---- completion ---- */

static void
words_of_opts(const struct cmd_opt *o)
{
    for (; o != NULL && o->name != NULL; o++)
        printf(" --%s%s", o->name, o->arg != NULL ? "=" : "");
}

static void
bash_cases(void)
{
    for (uint32_t i = 0; cmd_table[i] != NULL; i++) {
        const char *name = cmd_table[i]->name;
        size_t n = word_len(name);
        if (!is_first(i))
            continue;
        printf("    %.*s) words=\"", (int)n, name);
        for (uint32_t j = i; cmd_table[j] != NULL; j++) {
            const char *other = cmd_table[j]->name;
            if (word_len(other) != n || strncmp(other, name, n) != 0)
                continue;
            if (other[n] == ' ')
                printf(" %s", other + n + 1);
            words_of_opts(cmd_table[j]->opts);
        }
        printf("\" ;;\n");
    }
}

static void
bash_all(void)
{
    printf("# bash completion for rea; written by tools/gen-docs\n"
           "_rea() {\n"
           "    local cur=${COMP_WORDS[COMP_CWORD]} verb= words= i\n"
           "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
           "        case ${COMP_WORDS[i]} in\n"
           "        -C) ((i++)) ;;\n"
           "        -*) ;;\n"
           "        *) verb=${COMP_WORDS[i]}; break ;;\n"
           "        esac\n"
           "    done\n"
           "    case $verb in\n"
           "    '') words=\"help");
    for (uint32_t i = 0; cmd_table[i] != NULL; i++) {
        if (is_first(i))
            printf(
                " %.*s", (int)word_len(cmd_table[i]->name), cmd_table[i]->name);
    }
    printf("\" ;;\n");
    bash_cases();
    printf("    esac\n"
           "    COMPREPLY=($(compgen -W \"$words --json --quiet --help\" -- "
           "\"$cur\"))\n"
           "    [[ ${COMPREPLY[0]} != *= ]] || compopt -o nospace\n"
           "    [[ -n ${COMPREPLY[*]} ]] || COMPREPLY=($(compgen -f -- "
           "\"$cur\"))\n"
           "}\n"
           "complete -F _rea rea\n");
}

static void
zsh_all(void)
{
    printf("#compdef rea\n# zsh completion for rea; written by "
           "tools/gen-docs\n_rea() {\n    local -a verbs\n    verbs=(\n");
    for (uint32_t i = 0; cmd_table[i] != NULL; i++) {
        const char *help = cmd_table[i]->help;
        if (!is_first(i))
            continue;
        printf("        '%.*s:", (int)word_len(cmd_table[i]->name),
            cmd_table[i]->name);
        for (; *help != '\0'; help++) {
            if (*help == '\'')
                printf("'\\''");
            else
                printf(*help == ':' ? "\\:" : "%c", *help);
        }
        printf("'\n");
    }
    printf("    )\n"
           "    if ((CURRENT == 2)); then\n"
           "        _describe verb verbs\n"
           "        return\n"
           "    fi\n"
           "    local words_of=\n"
           "    case $words[2] in\n");
    for (uint32_t i = 0; cmd_table[i] != NULL; i++) {
        const char *name = cmd_table[i]->name;
        size_t n = word_len(name);
        if (!is_first(i))
            continue;
        printf("    %.*s) words_of=\"", (int)n, name);
        for (uint32_t j = i; cmd_table[j] != NULL; j++) {
            const char *other = cmd_table[j]->name;
            if (word_len(other) != n || strncmp(other, name, n) != 0)
                continue;
            if (other[n] == ' ')
                printf(" %s", other + n + 1);
            words_of_opts(cmd_table[j]->opts);
        }
        printf("\" ;;\n");
    }
    printf("    esac\n"
           "    compadd -- ${=words_of} --json --quiet --help\n"
           "    _files\n"
           "}\n"
           "_rea \"$@\"\n");
}

int
main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "commands") == 0)
        md_all();
    else if (strcmp(what, "pages") == 0)
        pages();
    else if (strcmp(what, "man") == 0 && argc > 2)
        return scd_page(argv[2]);
    else if (strcmp(what, "bash") == 0)
        bash_all();
    else if (strcmp(what, "zsh") == 0)
        zsh_all();
    else {
        fprintf(stderr, "usage: gen-docs commands|pages|man PAGE|bash|zsh\n");
        return 2;
    }
    return fflush(stdout) == 0 ? 0 : 1;
}
