/* W&B's offline files: any bytes are refused or read within their limits. The
 * first byte chooses: the log as it is, or pieces between 0x1e as records with
 * their right sums, so that the messages inside are reached. */
#include "fuzz.h"

#include "research/insight_runs.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define RUN_A                                                                  \
    "\x8a\x01\x20\x0a\x01"                                                     \
    "a\x1a\x03"                                                                \
    "ctr\"\x0d\x0a\x0b\x0a\x02"                                                \
    "lr\x82\x01\x04"                                                           \
    "0.10\x8a\x01\x02\x08\x07"
#define AUC                                                                    \
    "\x1a\x0f\x0a\x0d\x0a\x03"                                                 \
    "auc\x82\x01\x03"                                                          \
    "0.7"

const char *const fuzz_seeds[] = {
    "r\xe1\xbe raw bytes",
    "p1" RUN_A "\x1e"
    "1" AUC "\x1e"
    "1\x92\x01\x02\x08\x01",
    "p2" RUN_A "\x1e"
    "3xxxx\x1e"
    "4" AUC,
    "p1\x2a\x12\x0a\x10\x12\x03net\x12\x01k\x82\x01\x05{\"a\":1}",
    NULL,
};
const char *const fuzz_words[] = {RUN_A, AUC, "\x1e",
    "\x1e"
    "1",
    "\x1e"
    "4",
    "\x82\x01", "\x0a", "\xff\xff\xff\xff\x0f", "\x8a\x01", "{\"a\":{\"b\":1}}",
    "NaN", "\x08\x01", NULL};

static uint32_t
crc(const unsigned char *p, size_t n)
{
    uint32_t c = ~0u;
    for (size_t i = 0; i < n; i++) {
        c ^= p[i];
        for (int k = 0; k < 8; k++)
            c = (c & 1) != 0 ? c >> 1 ^ 0xedb88320u : c >> 1;
    }
    return ~c;
}

/* p: a digit of its type, then its bytes. */
static void
piece(struct buf *log, const uint8_t *p, size_t n)
{
    struct buf body = {0};
    size_t left = 32768 - log->len % 32768;
    if (n == 0)
        return;
    if (left < 7)
        for (; left > 0; left--)
            buf_putc(log, '\0');
    left = 32768 - log->len % 32768;
    n = n - 1 < left - 7 ? n - 1 : left - 7;
    buf_putc(&body, (char)(p[0] & 7));
    buf_add(&body, p + 1, n);
    uint32_t c = crc((const unsigned char *)body.data, body.len);
    char head[7] = {(char)c, (char)(c >> 8), (char)(c >> 16), (char)(c >> 24),
        (char)n, (char)(n >> 8), (char)(p[0] & 7)};
    buf_add(log, head, 7);
    buf_add(log, p + 1, n);
    buf_fini(&body);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = {0};
    struct studies s = {.arena = &a};
    struct insight_source o = {.metric = "auc"};
    struct buf log = {0};
    if (size == 0)
        return 0;
    buf_add(&log, ":W&B\xe1\xbe\0", 7);
    if (data[0] == 'p') {
        for (size_t at = 1; at < size;) {
            const uint8_t *end = memchr(data + at, 0x1e, size - at);
            size_t n = end != NULL ? (size_t)(end - data) - at : size - at;
            piece(&log, data + at, n);
            at += n + 1;
        }
    } else {
        buf_add(&log, data + 1, size - 1);
    }
    /* twice: a second file of the same project joins its study */
    for (int turn = 0; turn < 2; turn++)
        assert(wandb_read(&s, "run-x.wandb", log.data, log.len, &o, NULL) == 0);
    assert(s.n <= 1);
    for (uint32_t i = 0; i < s.n; i++) {
        assert(s.study[i].n <= 2);
        for (uint32_t k = 0; k < s.study[i].n; k++) {
            const struct run *r = &s.study[i].run[k];
            assert(r->n <= RUN_PARAMS_MAX && r->id != NULL);
            for (uint32_t p = 0; p < r->n; p++)
                assert(strlen(r->param[p].value) <= RUN_TEXT_MAX);
        }
    }
    /* without its head it is none */
    struct studies none = {.arena = &a};
    assert(wandb_read(&none, "x", data, size, &o, NULL) != 0 || data[0] == ':');
    buf_fini(&log);
    arena_fini(&a);
    return 0;
}
