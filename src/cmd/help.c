/* Help texts as renderings of the command table: `rea help`, `rea help VERB`
 * and `rea VERB --help`. Called by cli.c. */
#include "cmd/cmd.h"

#include <string.h>

/* The order in which people meet the verbs. */
static const struct {
    const char *title;
    const char *verbs;
} help_groups[] = {
    {"begin", " demo init check "},
    {"plan and sign", " plan hypothesis approve "},
    {"run", " run status pause resume stop budget pin try "},
    {"understand", " why show log diff report "},
    {"use", " accept repro replay "},
    {"knowledge", " insight research runbook "},
    {"callbacks", " wake sweep "},
};

static bool
group_has(const char *verbs, const char *name)
{
    char word[40];
    size_t n = strcspn(name, " ");
    if (n + 3 > sizeof(word))
        return false;
    word[0] = ' ';
    memcpy(word + 1, name, n);
    word[n + 1] = ' ';
    word[n + 2] = '\0';
    return strstr(verbs, word) != NULL;
}

static void
help_line(const struct cmd *c, struct buf *out)
{
    char left[64];
    size_t n = strlen(c->name);
    bool args = c->args != NULL && c->args[0] != '\0';
    size_t m = args ? strlen(c->args) + 1 : 0;
    left[0] = '\0';
    if (n + m < sizeof(left)) {
        memcpy(left, c->name, n + 1);
        if (args && n + m <= 24) {
            left[n] = ' ';
            memcpy(left + n + 1, c->args, m);
        }
    }
    buf_printf(out, "  %-24s %s\n", left, c->help);
}

void
help_all(struct buf *out)
{
    buf_puts(out, "rea: the ranking engineer agent\n"
                  "usage: rea [-C DIR] [--json] [-q] VERB ...\n");
    for (size_t g = 0; g < sizeof(help_groups) / sizeof(help_groups[0]); g++) {
        buf_printf(out, "%s\n", help_groups[g].title);
        for (uint32_t i = 0; cmd_table[i] != NULL; i++) {
            const struct cmd *c = cmd_table[i];
            const char *space = strchr(c->name, ' ');
            if (space == NULL && group_has(help_groups[g].verbs, c->name))
                help_line(c, out);
            else if (space != NULL &&
                     group_has(help_groups[g].verbs, c->name) &&
                     (i == 0 || strncmp(cmd_table[i - 1]->name, c->name,
                                    (size_t)(space - c->name)) != 0))
                help_line(c, out);
        }
    }
    buf_puts(out, "exit codes: 0 ok, 1 failed, 2 usage or bad input, 3 needs "
                  "an engineer's approval,\n            4 a check failed\n"
                  "next: rea help VERB    rea demo\n");
}

void
help_verb(const struct cmd *cmd, struct buf *out)
{
    buf_printf(out, "rea %s%s%s%s\n  %s\n", cmd->name,
        cmd->args != NULL && cmd->args[0] != '\0' ? " " : "",
        cmd->args != NULL ? cmd->args : "",
        cmd->opts != NULL && cmd->opts[0].name != NULL ? " [OPTIONS]" : "",
        cmd->help);
    if (cmd->more != NULL)
        buf_printf(out, "\n%s\n", cmd->more);
    if (cmd->opts != NULL && cmd->opts[0].name != NULL)
        buf_puts(out, "\noptions\n");
    for (uint32_t i = 0; cmd->opts != NULL && cmd->opts[i].name != NULL; i++) {
        const struct cmd_opt *o = &cmd->opts[i];
        char left[64];
        struct buf b = {0};
        if (o->letter != 0)
            buf_printf(&b, "-%c, ", o->letter);
        buf_printf(&b, "--%s%s%s", o->name, o->arg != NULL ? "=" : "",
            o->arg != NULL ? o->arg : "");
        size_t n = b.len < sizeof(left) - 1 ? b.len : sizeof(left) - 1;
        memcpy(left, buf_str(&b), n);
        left[n] = '\0';
        buf_fini(&b);
        buf_printf(out, "  %-24s %s\n", left, o->help);
    }
    if (cmd->flags & CMD_HUMAN)
        buf_puts(out, "\nAn engineer's own act: never offered to a program.\n");
    if (cmd->example != NULL)
        buf_printf(out, "\nexample\n  %s\n", cmd->example);
}

void
help_group(const char *word, struct buf *out)
{
    size_t n = strlen(word);
    bool first = true;
    for (uint32_t i = 0; cmd_table[i] != NULL; i++) {
        const struct cmd *c = cmd_table[i];
        if (strncmp(c->name, word, n) != 0 || c->name[n] != ' ')
            continue;
        if (first)
            buf_puts(out, "\nverbs\n");
        first = false;
        help_line(c, out);
    }
}
