/* A library that was cut at a date: an entry of later date comes back with a
 * paper that names it, and with no other. */
#include "research/brought.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fs.h"

static char dir[] = "/tmp/test_brought_XXXXXX";

static int
folder_make(void **state)
{
    (void)state;
    return mkdtemp(dir) == NULL;
}

static int
folder_remove(void **state)
{
    (void)state;
    return fs_remove_tree(dir, NULL);
}

/* A corpus with one paper. */
static struct corpus *
corpus_of(const char *name, const char *line)
{
    char file[200], db[200];
    struct corpus *c = NULL;
    struct corpus_added got = {0};
    struct err err = {0};
    snprintf(file, sizeof file, "%s/%s.jsonl", dir, name);
    snprintf(db, sizeof db, "%s/%s.db", dir, name);
    assert_int_equal(fs_write_atomic(file, line, strlen(line), false, &err), 0);
    assert_int_equal(corpus_open(&c, db, true, &err), 0);
    assert_int_equal(corpus_add(c, file, &got, NULL, NULL, &err), 0);
    assert_int_equal(got.papers, 1);
    return c;
}

static bool
is_hidden(struct corpus *c, const char *id, const char *cut, const char *before)
{
    struct err err = {0};
    bool *hidden = calloc(technique_count(), sizeof *hidden);
    assert_int_equal(techniques_hide(c, cut, before, hidden, &err), 0);
    bool answer = true;
    for (uint32_t i = 0; i < technique_count(); i++)
        if (strcmp(technique_at(i)->id, id) == 0)
            answer = hidden[i];
    free(hidden);
    return answer;
}

static void
a_paper_lifts_the_cut(void **state)
{
    (void)state;
    struct corpus *c = corpus_of("gates",
        "{\"id\": \"2399.00001\", \"date\": \"2023-10-21\", \"title\": "
        "\"Gates\", \"abstract\": \"A gated cross network (GDCN) keeps the "
        "crosses that help a ranking model.\"}\n");
    assert_false(is_hidden(c, "gdcn", "2021-12-31", NULL));
    assert_true(is_hidden(c, "gdcn", "2021-12-31", "2023-06-01"));
    assert_true(is_hidden(c, "final", "2021-12-31", NULL));
    assert_false(is_hidden(c, "final", "2024-01-01", NULL));
    assert_false(is_hidden(c, "dcnv2", "2021-12-31", NULL));
    corpus_close(c);
}

static void
without_papers_it_holds(void **state)
{
    (void)state;
    char db[200];
    struct corpus *c = NULL;
    struct err err = {0};
    snprintf(db, sizeof db, "%s/none.db", dir);
    assert_int_equal(corpus_open(&c, db, false, &err), 0);
    assert_true(is_hidden(c, "gdcn", "2021-12-31", NULL));
    assert_false(is_hidden(c, "deepfm", "2021-12-31", NULL));
    corpus_close(c);
}

/* A word of everyday language is no name: "final" in a text is not FINAL. */
static void
common_words_are_no_names(void **state)
{
    (void)state;
    struct corpus *c = corpus_of("words",
        "{\"id\": \"2399.00002\", \"date\": \"2023-11-01\", \"title\": "
        "\"A final ranking stage\", \"abstract\": \"The final layer of the "
        "network is a cross of gates and factors.\"}\n");
    assert_true(is_hidden(c, "final", "2021-12-31", NULL));
    assert_true(is_hidden(c, "gdcn", "2021-12-31", NULL));
    corpus_close(c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_paper_lifts_the_cut),
        cmocka_unit_test(without_papers_it_holds),
        cmocka_unit_test(common_words_are_no_names),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
