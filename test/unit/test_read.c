/* The readers of papers: what they find in each format, and what they refuse;
 * compared as one line a paper. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "papers/read/doc.h"
#include "papers/read/guard.h"

static struct buf got;

static void
paper_keep(void *ctx, const struct doc *d, const char *where)
{
    (void)ctx;
    buf_printf(&got, "%s|%s|%s|%s|%s|%s|%s\n", where, buf_str(&d->id),
        buf_str(&d->title), buf_str(&d->date), buf_str(&d->licence),
        buf_str(&d->source), buf_str(&d->text));
}

static void
bad_keep(void *ctx, const char *where, const char *why)
{
    (void)ctx;
    buf_printf(&got, "%s! %s\n", where, why);
}

static void
check(void (*read)(const char *, size_t, const struct outlet *),
    const char *text, const char *want)
{
    struct outlet o = {paper_keep, bad_keep, NULL, "f"};
    buf_clear(&got);
    read(text, strlen(text), &o);
    assert_string_equal(buf_str(&got), want);
}

static void
text_has_a_first_line(void **state)
{
    (void)state;
    check(read_text, "\n A gated net \nText  of\tit.\n\n\n\nEnd\n",
        "f||A gated net||||Text of it.\n\nEnd\n");
    check(read_text, "\xff\xfe\x01\x02", "f! not UTF-8 text\n");
}

static void
markdown_loses_its_marks(void **state)
{
    (void)state;
    check(read_markdown,
        "---\ntitle: \"A gated net\"\ndate: 2023-04-05T00:00\n"
        "doi: 10.1145/1.2\nlicense: CC-BY\nurl: http://x\n---\n"
        "See [the code](http://y) and ![a plot](p.png)**bold** `x`.\n"
        "<!-- not\nshown -->\n```c\nint a;\n```\n",
        "f|10.1145/1.2|A gated net|2023-04-05|CC-BY|http://x|"
        "See the code and bold x.\n\nint a;\n");
    check(read_markdown, "# Title\n\n## Part\ntext\n",
        "f||Title||||Part\ntext\n");
}

static void
latex_keeps_what_is_said(void **state)
{
    (void)state;
    check(read_latex,
        "\\documentclass{a}\n% \\title{No}\n\\title[S]{A \\emph{gated} "
        "n\\'et}\n"
        "\\date{May 2023}\\begin{document}\\maketitle\\begin{abstract}"
        "AUC rises by 0.3\\% over DeepFM~\\cite{x}.\\end{abstract}\n"
        "\\input{/etc/passwd}\\write18{rm}\\section{Why}$a_i$ % note\n"
        "\\begin{thebibliography}{9}refs\\end{document}tail",
        "f||A gated net|2023-05|||AUC rises by 0.3% over DeepFM .\n\nWhy$a_i$"
        "\n");
    check(read_latex, "words", "f! LaTeX without \\title and \\section\n");
}

static void
bibtex_joins_strings(void **state)
{
    (void)state;
    check(read_bibtex,
        "@string{k = \"KDD\"}\n@article{a, title = {A {Gated} n\\'et}, "
        "year = 2023, doi = {10.1145/1.2},\n abstract = \"On \" # k # {!},"
        " url = {http://x}}\n@comment{c}\n@misc{b, year=1}\n@misc{c, title={",
        "f:2|10.1145/1.2|A Gated net|2023||http://x|On KDD!\n"
        "f:5! an entry without a title\n"
        "f:6! an entry that does not end\n");
    check(read_bibtex, "nothing", "f! no BibTeX entry in it\n");
}

static void
html_gives_its_text(void **state)
{
    (void)state;
    check(read_html,
        "<html><head><title>Site</title>"
        "<meta name=citation_title content='A gated net'>"
        "<meta name=citation_arxiv_id content='2306.00001'>"
        "<meta name=citation_date content='2023/06/01'>"
        "<link rel=license href='http://cc'></head><body><nav>menu</nav>"
        "<h1>A gated net</h1><p>AUC &amp; <b>logloss</b></p>"
        "<script>evil()</script><ul><li>one<li>two</ul></body></html>",
        "f|2306.00001|A gated net|2023-06-01|http://cc||A gated net\n\n"
        "AUC & logloss\n\none\n\ntwo\n");
}

static void
atom_gives_its_entries(void **state)
{
    (void)state;
    check(read_atom,
        "<feed xmlns='http://www.w3.org/2005/Atom'><title>feed</title><entry>"
        "<id>http://arxiv.org/abs/1</id><title>A\n gated net</title>"
        "<summary> AUC &lt; 1 </summary><updated>2024-01-01</updated>"
        "<published>2023-06-01T00:00:00Z</published><rights>CC0</rights>"
        "<link href='http://x'/></entry><entry><id>2</id></entry></feed>",
        "f:1|http://arxiv.org/abs/1|A gated net|2023-06-01|CC0|http://x|"
        "AUC < 1\nf:2! an entry without title and summary\n");
    check(read_atom,
        "<OAI-PMH><record><metadata><arXiv><id>2306.1</id><title>T</title>"
        "<abstract>A</abstract><created>2023-06-01</created></arXiv>"
        "</metadata></record></OAI-PMH>",
        "f:1|2306.1|T|2023-06-01|||A\n");
    check(read_atom,
        "<!DOCTYPE f [<!ENTITY a 'b'>]><feed><entry><title>&a;"
        "</title></entry></feed>",
        "f! a document type of its own: refused\n");
    check(read_atom, "<feed>", "f! not well-formed XML\n");
}

static void
json_knows_many_names(void **state)
{
    (void)state;
    check(read_json,
        "{\"data\": [{\"paperId\": \"s1\", \"externalIds\": {\"DOI\": "
        "\"10.1/2\"}, \"title\": \"T\", \"year\": 2023, \"abstract\": \"A\"},"
        "{\"display_name\": \"O\", \"abstract_inverted_index\": {\"b\": [1], "
        "\"a\": [0, 2]}, \"license\": \"cc\"}, 5]}",
        "f:1|10.1/2|T|2023|||A\nf:2||O||cc||a b a\n"
        "f:3! not an object with id, title, abstract, date\n");
}

static void
dates_have_one_form(void **state)
{
    (void)state;
    static const char *const dates[][2] = {{"2023", "2023"},
        {"2023-04", "2023-04"}, {"2023-04-05T01:02:03Z", "2023-04-05"},
        {"2023/4/5", "2023"}, {"Mon, 2 Apr 2007 19:18:42 GMT", "2007-04"},
        {"2023-99-99", "2023"}, {"99999999999", ""}, {"-5", ""}, {"", ""},
        {"1e99", ""}, {"May 2023", "2023-05"}};
    for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
        struct buf b = {0};
        date_clean(&b, dates[i][0]);
        assert_string_equal(buf_str(&b), dates[i][1]);
        buf_fini(&b);
    }
}

static void
text_is_cleaned(void **state)
{
    (void)state;
    static const char dirty[] = "a\x1b[2J\0b\xff\xc2\x85\xc3\xa9\r\n";
    struct buf b = {0};
    assert_int_equal(text_clean(&b, dirty, sizeof dirty - 1), 2);
    assert_string_equal(buf_str(&b), "a [2J\xef\xbf\xbd"
                                     "b"
                                     "\xef\xbf\xbd"
                                     " \xc3\xa9 \n");
    buf_fini(&b);
}

/* Behind the filter files can be read, and nothing else can be reached. 0: all
 * is as it should be, else which look failed. */
static int
guarded_looks(void)
{
    char *argv[] = {"true", NULL};
    if (!guard_self())
        return 77;
    int fd = open("/dev/null", O_RDONLY);
    if (fd < 0)
        return 1;
    if (open("/dev/null", O_WRONLY) >= 0 || errno != EPERM)
        return 2;
    if (open("/tmp/rea-read-guard", O_RDONLY | O_CREAT, 0600) >= 0)
        return 3;
    if (socket(AF_INET, SOCK_STREAM, 0) >= 0 || errno != EPERM)
        return 4;
    if (socket(AF_UNIX, SOCK_STREAM, 0) >= 0)
        return 5;
    if (unlink("/tmp/rea-read-none") == 0 || errno != EPERM)
        return 6;
    if (fork() >= 0 || errno != EPERM)
        return 7;
    if (kill(getppid(), 0) == 0)
        return 8;
    execv("/bin/true", argv);
    return errno == EPERM ? 0 : 9;
}

static void
the_guard_holds(void **state)
{
    (void)state;
    int status = 0;
#ifdef __SANITIZE_ADDRESS__
    skip(); /* its own calls are not in the filter */
#endif
    pid_t pid = fork();
    if (pid == 0)
        _exit(guarded_looks());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_has_a_first_line),
        cmocka_unit_test(markdown_loses_its_marks),
        cmocka_unit_test(latex_keeps_what_is_said),
        cmocka_unit_test(bibtex_joins_strings),
        cmocka_unit_test(html_gives_its_text),
        cmocka_unit_test(atom_gives_its_entries),
        cmocka_unit_test(json_knows_many_names),
        cmocka_unit_test(dates_have_one_form),
        cmocka_unit_test(text_is_cleaned),
        cmocka_unit_test(the_guard_holds),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    buf_fini(&got);
    return rc;
}
