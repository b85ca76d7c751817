/* Reads the file of results. Invariant: a line is a whole result or none. */
#include "results.h"

#include <string.h>

#include "base/fs.h"

static void
result_add(struct results *r, const char *line, size_t n)
{
    struct json *j = json_parse(line, n, NULL);
    const char *task = json_get_str(j, "task"), *arm = json_get_str(j, "arm");
    if (task == NULL || arm == NULL) {
        json_free(j);
        return;
    }
    if (r->n == r->cap) {
        r->cap = r->cap == 0 ? 256 : 2 * r->cap;
        r->item = mem_realloc(r->item, r->cap * sizeof *r->item);
    }
    r->item[r->n++] =
        (struct result){task, arm, (uint32_t)json_get_i64(j, "seed", 0), j};
}

int
results_read(struct results *r, const char *path, struct err *err)
{
    struct buf text = {0};
    if (!fs_exists(path))
        return 0;
    int rc = fs_read(path, SIZE_MAX, &text, err);
    const char *end;
    while (rc == 0 && r->seen < text.len &&
           (end = strchr(text.data + r->seen, '\n')) != NULL) {
        const char *at = text.data + r->seen;
        result_add(r, at, (size_t)(end - at));
        r->seen += (size_t)(end - at) + 1;
    }
    buf_fini(&text);
    return rc;
}

const struct result *
results_find(
    const struct results *r, const char *task, const char *arm, uint32_t seed)
{
    for (uint32_t i = 0; i < r->n; i++)
        if (r->item[i].seed == seed && strcmp(r->item[i].task, task) == 0 &&
            strcmp(r->item[i].arm, arm) == 0)
            return &r->item[i];
    return NULL;
}

uint32_t
results_numbers(
    const struct result *x, const char *key, double *out, uint32_t cap)
{
    const struct json *list = json_get(x->json, key);
    uint32_t n = 0;
    for (size_t i = 0; i < json_len(list) && n < cap; i++)
        if (json_is_num(json_at(list, i)))
            out[n++] = json_num(json_at(list, i), 0);
    return n;
}
