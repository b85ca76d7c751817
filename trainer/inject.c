/* Injected faults. train.c asks before each step. Invariant: without the flag
 * or the variable nothing here has any effect. */
#include "inject.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
inject_parse(struct inject *i, const char *text, struct err *err)
{
    static const char *const names[] = {
        "", "nan", "oom", "exit", "hang", "kill", "segv", "term"};
    size_t len = strcspn(text, ":@");
    const char *p = text + len;
    for (int k = INJECT_NAN; k <= INJECT_TERM; k++) {
        if (strlen(names[k]) == len && memcmp(names[k], text, len) == 0)
            i->kind = (enum inject_kind)k;
    }
    char *end;
    if (i->kind == INJECT_EXIT && *p == ':') {
        i->code = (int)strtol(p + 1, &end, 10);
        p = end;
    }
    if (i->kind != INJECT_NONE && *p == '@') {
        i->step = strtoull(p + 1, &end, 10);
        if (end != p + 1 && *end == '\0' && i->step > 0)
            return 0;
    }
    return err_set(err, -ERR_INPUT,
        "inject \"%s\": write nan|oom|hang|kill|segv|term@STEP or "
        "exit:CODE@STEP",
        text);
}

int
inject_init(struct inject *i, const char *flag, struct err *err)
{
    memset(i, 0, sizeof *i);
    const char *text = flag[0] != '\0' ? flag : getenv("REA_INJECT");
    if (text == NULL || text[0] == '\0')
        return 0;
    i->once = getenv("REA_INJECT_ONCE");
    return inject_parse(i, text, err);
}

/* True for the one process that creates the file, or when there is none. */
static bool
inject_claim(const struct inject *i)
{
    if (i->once == NULL || i->once[0] == '\0')
        return true;
    int fd = open(i->once, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0) {
        close(fd);
        return true;
    }
    if (errno != EEXIST)
        fprintf(stderr, "rea-ctr: REA_INJECT_ONCE=%s: %s\n", i->once,
            strerror(errno));
    return false;
}

/* Takes memory until somebody kills the process, at most 4 GiB. */
static void
memory_exhaust(void)
{
    const size_t piece = (size_t)16 << 20;
    for (int i = 0; i < 256; i++) {
        char *p = malloc(piece);
        if (p == NULL)
            break;
        memset(p, i + 1, piece);
        *(volatile char *)p = 1; /* the pages are really taken */
    }
    fprintf(
        stderr, "rea-ctr: out of memory: cannot allocate %zu bytes\n", piece);
    exit(1);
}

bool
inject_step(const struct inject *i, uint64_t step)
{
    if (i->kind == INJECT_NONE || step != i->step || !inject_claim(i))
        return false;
    fprintf(stderr, "rea-ctr: injected fault at step %llu\n",
        (unsigned long long)step);
    switch (i->kind) {
    case INJECT_NAN:
        return true;
    case INJECT_OOM:
        memory_exhaust();
        break;
    case INJECT_EXIT:
        exit(i->code);
    case INJECT_HANG:
        for (;;)
            sleep(3600);
    case INJECT_KILL:
        raise(SIGKILL);
        break;
    case INJECT_SEGV:
        signal(SIGSEGV, SIG_DFL);
        raise(SIGSEGV);
        break;
    case INJECT_TERM:
        raise(SIGTERM);
        break;
    case INJECT_NONE:
        break;
    }
    return false;
}
