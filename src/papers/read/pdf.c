/* PDF through pdftotext, a program under limits whose output alone is taken
 * (Debian package poppler-utils). Called by main.c. Invariant: the program is
 * started before this process shuts itself in, and never again. */
#include "papers/read/pdf.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "papers/read/guard.h"

enum { PDF_SECONDS = 40, PDF_TEXT_MAX = 16 << 20, EXIT_ABSENT = 126 };

static void
program_exec(const char *path, int out)
{
    struct buf name = {0};
    buf_printf(&name, "%s%s", path[0] == '-' ? "./" : "", path);
    char *argv[] = {
        "pdftotext", "-q", "-enc", "UTF-8", "-nopgbrk", name.data, "-", NULL};
    dup2(out, STDOUT_FILENO);
    close_range(3, ~0U, 0);
    guard_limits();
    guard_time(PDF_SECONDS);
    guard_program();
    execvp(argv[0], argv);
    _exit(EXIT_ABSENT);
}

int
pdf_start(const char *path, pid_t *pid)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return -1;
    *pid = fork();
    if (*pid == 0)
        program_exec(path, fds[1]);
    close(fds[1]);
    if (*pid < 0) {
        close(fds[0]);
        return -1;
    }
    return fds[0];
}

/* "arXiv:2606.04944v1" on the first page, else a DOI near its top. */
static void
id_find(struct buf *id, const char *s, size_t n)
{
    for (size_t i = 0; i + 16 < n && i < 4000; i++) {
        if (strncmp(s + i, "arXiv:", 6) != 0)
            continue;
        size_t len = strspn(s + i + 6, "0123456789.v");
        if (len >= 9 && len <= 16) {
            buf_puts(id, "arxiv:");
            buf_add(id, s + i + 6, len);
            return;
        }
    }
    for (size_t i = 0; i + 16 < n && i < 4000; i++)
        if (strncmp(s + i, "doi.org/10.", 11) == 0) {
            size_t len = strcspn(s + i + 8, " \t\r\n,;)");
            if (len < 120) {
                buf_puts(id, "https://doi.org/");
                buf_add(id, s + i + 8, len);
            }
            return;
        }
}

static bool
is_title_line(const char *s, size_t n)
{
    size_t letters = 0;
    for (size_t i = 0; i < n; i++)
        letters += isalpha((unsigned char)s[i]) != 0;
    return letters >= 8 && letters * 2 > n && strncmp(s, "arXiv:", 6) != 0;
}

/* The first lines that read like one, up to two. */
static void
title_find(struct buf *title, const char *s, size_t n)
{
    unsigned taken = 0;
    for (size_t at = 0; at < n && at < 3000 && taken < 2;) {
        const char *end = memchr(s + at, '\n', n - at);
        size_t len = end != NULL ? (size_t)(end - s) - at : n - at;
        bool good = len <= 200 && is_title_line(s + at, len);
        if (taken > 0 && !good)
            return;
        if (good) {
            buf_puts(title, taken > 0 ? " " : "");
            buf_add(title, s + at, len);
            taken++;
        }
        at += len + 1;
    }
}

void
pdf_read(int fd, pid_t pid, const struct outlet *o)
{
    struct doc d = {0};
    char chunk[1 << 15];
    ssize_t n;
    int status = 0;
    while ((n = read(fd, chunk, sizeof chunk)) > 0 && d.text.len < PDF_TEXT_MAX)
        buf_add(&d.text, chunk, (size_t)n);
    close(fd);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_ABSENT)
        doc_bad(o, 0,
            "PDF needs pdftotext, which is not installed: apt-get "
            "install poppler-utils");
    else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        doc_bad(o, 0, "pdftotext could not read it within its limits");
    else {
        id_find(&d.id, buf_str(&d.text), d.text.len);
        title_find(&d.title, buf_str(&d.text), d.text.len);
        if (d.title.len == 0)
            doc_bad(o, 0, "no text in this PDF: scanned pages are not read");
        else
            doc_out(o, &d, 0);
    }
    doc_fini(&d);
}
