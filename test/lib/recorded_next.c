/* Moves the clock of the recorded backend to the next end of a job:
 *   REA_CLOCK=FILE recorded_next JOBS_DIR
 * sets the file to that time and prints "CAMPAIGN TOKEN" for each job that
 * ends then. Exit 1, and nothing printed: no job is left to end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "jobs/jobs.h"

struct claim_view {
    struct json *json;
    int64_t end_ms;
};

static bool
is_over(const struct json *c)
{
    struct exit_facts f;
    struct buf mark = {0};
    fs_join(&mark, json_get_str(c, "run_dir"), "cancel");
    bool over = fs_exists(buf_str(&mark)) ||
                exit_facts_read(json_get_str(c, "run_dir"), &f, NULL) == 0;
    buf_fini(&mark);
    return over;
}

int
main(int argc, char **argv)
{
    const char *clock = getenv("REA_CLOCK");
    if (argc != 2 || clock == NULL) {
        fprintf(stderr, "usage: REA_CLOCK=FILE recorded_next JOBS_DIR\n");
        return 2;
    }
    struct jobs_config config = {.kind = "recorded", .jobs_dir = argv[1]};
    struct jobs j = {0};
    struct err err = {0};
    struct arena a = {0};
    const char **tokens;
    size_t n = 0;
    int rc = jobs_open(&j, &config, &err);
    if (rc == 0)
        rc = jobs_list_in(&j, &a, "", &tokens, &n, &err);
    struct claim_view *v = mem_calloc(n + 1, sizeof *v);
    int64_t now = rc == 0 ? jobs_now_ms(&j) : 0, next = INT64_MAX;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        v[i].json = json_read(fs_join_in(&a, j.jobs_dir, tokens[i]), 0, &err);
        v[i].end_ms = json_get_i64(v[i].json, "end_ms", 0);
        if (v[i].json == NULL || v[i].end_ms <= now || is_over(v[i].json))
            v[i].end_ms = 0;
        else if (v[i].end_ms < next)
            next = v[i].end_ms;
    }
    if (rc == 0 && next < INT64_MAX) {
        char *text = arena_printf(&a, "%lld\n", (long long)next);
        rc = fs_write_atomic(clock, text, strlen(text), false, &err);
    }
    for (size_t i = 0; i < n; i++) {
        if (rc == 0 && v[i].end_ms == next)
            printf("%s %s\n", json_get_str(v[i].json, "campaign"), tokens[i]);
        json_free(v[i].json);
    }
    if (rc != 0)
        fprintf(stderr, "recorded_next: %s\n", err.text);
    free(v);
    arena_fini(&a);
    jobs_close(&j);
    return rc != 0 ? 2 : next == INT64_MAX;
}
