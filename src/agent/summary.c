/* A paragraph about a finished campaign for its report. Called by the loop.
 * A model writes fluently and counts badly: every number and every id is
 * looked up in the report's JSON, and a sentence with one that is not there is
 * dropped.
 * Invariant: a paragraph that is kept holds only numbers of the report. */
#include "agent/agent.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agent/guard.h"

enum { NUMBERS_MAX = 20000, REPORT_SHOWN = 16000, PARAGRAPH_MAX = 1500 };

struct numbers {
    size_t n;
    double *x;
    struct buf ids; /* " H1 H2 T4 " */
};

static void
number_add(struct numbers *s, double x)
{
    if (s->n < NUMBERS_MAX)
        s->x[s->n++] = x;
}

static bool
is_word(char ch)
{
    return isalnum((unsigned char)ch) || ch == '_';
}

/* Numbers and ids that stand in a text of the report. */
static void
text_add(struct numbers *s, const char *text)
{
    for (const char *p = text; *p != '\0';) {
        if (p > text && is_word(p[-1])) {
            p++;
        } else if (isupper((unsigned char)*p) && isdigit((unsigned char)p[1])) {
            size_t n = 1 + strspn(p + 1, "0123456789");
            buf_putc(&s->ids, ' ');
            buf_add(&s->ids, p, n);
            buf_putc(&s->ids, ' ');
            p += n;
        } else if (isdigit((unsigned char)*p)) {
            char *end = NULL;
            number_add(s, strtod(p, &end));
            p = end;
        } else {
            p++;
        }
    }
}

static void
numbers_of(struct numbers *s, const struct json *j)
{
    const char *key;
    const struct json *v;
    if (json_is_num(j))
        number_add(s, json_num(j, 0));
    else if (json_str(j) != NULL)
        text_add(s, json_str(j));
    else if (json_kind(j) == J_ARR) {
        number_add(s, (double)json_len(j));
        for (size_t i = 0; i < json_len(j); i++)
            numbers_of(s, json_at(j, i));
    } else
        for (size_t i = 0; (v = json_member(j, i, &key)) != NULL; i++)
            numbers_of(s, v);
}

/* Is the number at p, as far as its digits go, one of the report? */
static bool
number_known(const struct numbers *s, const char *p, const char **end)
{
    char *stop = NULL;
    double x = strtod(p, &stop);
    size_t whole = strspn(p, "0123456789");
    size_t digits = p[whole] == '.' ? strspn(p + whole + 1, "0123456789") : 0;
    const char *e = memchr(p, 'e', (size_t)(stop - p));
    double unit = pow(10, -(double)digits);
    if (e == NULL)
        e = memchr(p, 'E', (size_t)(stop - p));
    if (e != NULL)
        unit *= pow(10, strtod(e + 1, NULL));
    *end = stop;
    bool percent = stop[strspn(stop, " ")] == '%';
    for (size_t i = 0; i < s->n; i++) {
        double y = fabs(s->x[i]);
        if (fabs(x - y) <= .500001 * unit ||
            (percent && fabs(x - 100 * y) <= .500001 * unit))
            return true;
    }
    return false;
}

static bool
id_known(const struct numbers *s, const char *p, size_t n)
{
    char id[24];
    if (n + 2 >= sizeof id)
        return false;
    id[0] = ' ';
    memcpy(id + 1, p, n);
    id[n + 1] = ' ';
    id[n + 2] = '\0';
    return strstr(buf_str(&s->ids), id) != NULL;
}

static bool
sentence_holds(const struct numbers *s, const char *text, size_t n)
{
    for (const char *p = text; p < text + n;) {
        bool starts = p == text || !is_word(p[-1]);
        if (starts && isupper((unsigned char)*p) &&
            isdigit((unsigned char)p[1])) {
            size_t len = 1 + strspn(p + 1, "0123456789");
            if (!id_known(s, p, len))
                return false;
            p += len;
        } else if (starts && isdigit((unsigned char)*p)) {
            if (!number_known(s, p, &p))
                return false;
        } else {
            p++;
        }
    }
    return true;
}

/* Bytes up to the end of the sentence that begins at p. */
static size_t
sentence_len(const char *p)
{
    size_t n = 0;
    while (p[n] != '\0') {
        bool stop = strchr(".!?", p[n]) != NULL;
        n++;
        if (stop && (p[n] == ' ' || p[n] == '\n' || p[n] == '\0'))
            break;
    }
    return n;
}

uint32_t
summary_check(const char *text, const struct json *report, struct buf *out)
{
    struct numbers s = {.x = mem_calloc(NUMBERS_MAX, sizeof(double))};
    uint32_t dropped = 0;
    numbers_of(&s, report);
    for (const char *p = text; *p != '\0';) {
        p += strspn(p, " \n");
        size_t n = sentence_len(p);
        if (n > 0 && sentence_holds(&s, p, n)) {
            buf_puts(out, out->len > 0 ? " " : "");
            buf_add(out, p, n);
        } else if (n > 0) {
            dropped++;
        }
        p += n;
    }
    free(s.x);
    buf_fini(&s.ids);
    return dropped;
}

static const char summary_schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,"
    "\"required\":[\"paragraph\"],\"properties\":{"
    "\"paragraph\":{\"type\":\"string\"}}}";

void
summary_text(const struct agent *g, struct buf *out)
{
    struct buf text = {0};
    json_dump(json_get(g->desk.brief, "report"), &text);
    buf_puts(out,
        "Sum up this finished campaign for its engineer in one paragraph of "
        "at most six sentences: what was tried, what held, what failed, what "
        "it cost. Use only numbers and ids that stand in the report, as they "
        "stand there; a sentence with any other is dropped.\n");
    text_quote("report", buf_str(&text), text.len, REPORT_SHOWN, true, out);
    buf_fini(&text);
}

static void
result_put(struct agent *g, const char *said)
{
    struct buf plain = {0}, safe = {0}, kept = {0}, json = {0};
    struct jw w;
    model_redact(said, strlen(said), &plain);
    text_clean(buf_str(&plain), plain.len, PARAGRAPH_MAX, false, &safe);
    uint32_t dropped =
        summary_check(buf_str(&safe), json_get(g->desk.brief, "report"), &kept);
    jw_init(&w, &json, 0);
    jw_obj_begin(&w);
    jw_kstr(&w, "paragraph", buf_str(&kept));
    jw_ki64(&w, "dropped", dropped);
    jw_obj_end(&w);
    g->talk->result = arena_strdup(g->talk->arena, buf_str(&json));
    buf_fini(&plain);
    buf_fini(&safe);
    buf_fini(&kept);
    buf_fini(&json);
}

int
round_summary(struct agent *g, struct err *err)
{
    struct talk *t = g->talk;
    struct buf text = {0};
    struct model_request q;
    struct agent_answer x;
    summary_text(g, &text);
    request_plain(g, "summary", buf_str(&text), "summary", summary_schema, &q);
    int rc = agent_ask(g, &q, &x, err);
    if (rc == 0)
        rc = talk_begin(t, err);
    if (rc == 0)
        rc = steps_keep(g, buf_str(&text), &x, err);
    if (rc == 0) {
        const char *said = json_get_str(x.reply.json, "paragraph");
        result_put(g, said != NULL ? said : "");
        t->round = ROUND_CLOSED;
        t->state = TALK_DONE;
        t->why = "";
        rc = talk_keep(t, err);
    }
    if (rc == 0)
        rc = talk_commit(t, err);
    buf_fini(&text);
    return rc;
}
