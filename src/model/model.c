/* Opening, closing and looking at a model (model.h). Called by rea-agent.
 * Invariant: without a [model] nothing is opened, read or sent. */
#include "model/part.h"

#include "base/fs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECT_MS = 10000 };

int
model_open(const struct project_model *c, const char *root, const char *scope,
    struct model **out, struct err *err)
{
    const char *mode = getenv("REA_MODEL");
    struct model *m = mem_calloc(1, sizeof *m);
    m->c = c;
    m->connect_ms = CONNECT_MS;
    m->haste = 1;
    m->scope = arena_strdup(&m->arena, scope != NULL ? scope : "workspace");
    m->off = !c->on || (mode != NULL && strcmp(mode, "off") == 0);
    m->replay = mode != NULL && strcmp(mode, "replay") == 0;
    int rc = 0;
    if (mode != NULL && *mode != '\0' && !m->replay && strcmp(mode, "off") != 0)
        rc = err_set(err, -ERR_INPUT,
            "REA_MODEL=%.40s: write replay or off, or unset it", mode);
    if (rc == 0 && !m->off) {
        endpoint_make(&m->arena, c, root, &m->e);
        rc = ledger_open(&m->ledger, root, err);
    }
    if (rc == 0)
        *out = m;
    else
        model_close(m);
    return rc;
}

void
model_close(struct model *m)
{
    if (m == NULL)
        return;
    for (size_t i = 0; i < m->n_trees; i++)
        json_free(m->tree[i]);
    free(m->tree);
    ledger_close(m->ledger);
    if (m->e.key != NULL && m->e.key_header != NULL)
        explicit_bzero((char *)(uintptr_t)(const void *)m->e.key_header,
            strlen(m->e.key_header));
    arena_fini(&m->arena);
    free(m);
}

const char *
model_status_name(uint32_t status)
{
    static const char *const names[] = {"ok", "refused", "invalid", "truncated",
        "no money", "unreachable", "forbidden", "off"};
    return status < MODEL_STATUS_COUNT ? names[status] : "unknown";
}

int
model_spent(struct model *m, struct model_spent *out, struct err *err)
{
    *out = (struct model_spent){0};
    if (m->off)
        return 0;
    int rc = ledger_spent(m->ledger, m->scope, out, err);
    out->budget_tokens = m->c->budget_tokens;
    out->budget_usd = m->c->budget_usd;
    if (!price_is_known(m->c))
        out->usd = out->reserved_usd = NAN;
    return rc;
}

int
model_explain(struct model *m, const struct model_request *q, struct buf *out,
    struct err *err)
{
    struct arena a = {0};
    struct buf body = {0};
    struct endpoint_row row = {0};
    uint32_t places = 0;
    if (m->off) {
        buf_puts(out, "nothing: no model is configured\n");
        return 0;
    }
    struct model_request *own = request_redact(&a, q, &places);
    if (own->max_tokens == 0)
        own->max_tokens = (uint32_t)m->c->max_tokens;
    if (own->schema != NULL && own->schema_name == NULL)
        own->schema_name = ANSWER_TOOL;
    int rc = endpoint_get(m->ledger, m->e.url, &row, err);
    struct turn_want w = {.q = own,
        .rung = row.rung,
        .lacks = row.lacks,
        .max_tokens = own->max_tokens};
    if (rc == 0) {
        encode_request(&m->e, &w, &body);
        buf_printf(out, "POST %s\n", m->e.url);
        for (uint32_t i = 0; i < m->e.n_headers; i++)
            buf_printf(out, "%.*s: ...\n", (int)strcspn(m->e.header[i], ":"),
                m->e.header[i]);
        buf_printf(
            out, "key: %s\n", m->e.key_from ? m->e.key_from : "none is sent");
        buf_printf(out,
            "%zu bytes, %u place%s taken out, at most %lld tokens%s%s\n",
            body.len, places, places == 1 ? "" : "s",
            (long long)body.len + own->max_tokens,
            m->replay          ? "; not sent: REA_MODEL=replay"
            : m->e.bad != NULL ? "; not sent: "
                               : "",
            m->replay || m->e.bad == NULL ? "" : m->e.bad);
        buf_printf(out, "\n%s\n", buf_str(&body));
    }
    buf_fini(&body);
    arena_fini(&a);
    return rc;
}
