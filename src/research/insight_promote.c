/* Promotions: an engineer signs what a row says. Called by the verb, by imports
 * and whenever a promoted row is read. Invariant: a row that says anything else
 * than what was signed is no longer promoted. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "base/sign.h"
#include "research/insight_db.h"

enum { SIGNED_MAX = 512 };

void
insight_content_hash(const struct insight *row, char hex[65])
{
    struct buf b = {0};
    struct jw w;
    jw_init(&w, &b, 0);
    jw_obj_begin(&w);
    insight_write_content(&w, row);
    jw_obj_end(&w);
    fs_hash_bytes(buf_str(&b), b.len, hex);
    buf_fini(&b);
}

/* The bytes under the signature: the words of a promotion and its hash. */
static size_t
signed_text(
    char out[SIGNED_MAX], const char *by, int64_t at_ms, const char *hash)
{
    int n = snprintf(out, SIGNED_MAX,
        "rea insight promotion 1\n%.200s\n%" PRId64 "\n%.64s\n", by, at_ms,
        hash);
    return n > 0 && n < SIGNED_MAX ? (size_t)n : 0;
}

bool
insight_promotion_holds(const struct insight *row, const char *promotion)
{
    if (promotion == NULL || promotion[0] == '\0')
        return false;
    char hash[FS_HASH_HEX], text[SIGNED_MAX];
    struct json *j = json_parse(promotion, strlen(promotion), NULL);
    const char *by = json_get_str(j, "by"), *said = json_get_str(j, "hash");
    const char *key = json_get_str(j, "key");
    const char *sig = json_get_str(j, "signature");
    bool holds = false;
    if (by != NULL && said != NULL && strlen(by) <= 200) {
        insight_content_hash(row, hash);
        size_t n = signed_text(text, by, json_get_i64(j, "at_ms", 0), hash);
        holds = strcmp(said, hash) == 0;
        /* Of version 1, which knew no signatures. */
        if (!json_get_bool(j, "unsigned", false))
            holds = holds && key != NULL && sig != NULL &&
                    sign_check(key, sig, text, n);
    }
    json_free(j);
    return holds;
}

static const char *
promotion_make(const struct insight *row, const struct insight_signer *who,
    const struct sign_key *key, struct arena *a)
{
    char hash[FS_HASH_HEX], text[SIGNED_MAX], sig[SIGN_HEX];
    struct buf b = {0};
    struct jw w;
    const char *by = arena_strndup(a, who->by, strnlen(who->by, 200));
    insight_content_hash(row, hash);
    sign_make(key, text, signed_text(text, by, who->at_ms, hash), sig);
    jw_init(&w, &b, 0);
    jw_obj_begin(&w);
    jw_ki64(&w, "at_ms", who->at_ms);
    jw_kstr(&w, "by", by);
    jw_kstr(&w, "hash", hash);
    jw_kstr(&w, "key", key->public_hex);
    jw_kstr(&w, "signature", sig);
    jw_obj_end(&w);
    const char *made = arena_strndup(a, buf_str(&b), b.len);
    buf_fini(&b);
    return made;
}

static int
promotion_append(struct insights *db, const struct insight *row,
    const char *promotion, struct arena *a, struct err *err)
{
    struct json *j = json_parse(promotion, strlen(promotion), err);
    const char *by = json_get_str(j, "by");
    struct insight_event e = {.kind = INSIGHT_DECISION,
        .of = row->origin,
        .by = by != NULL ? arena_strdup(a, by) : "",
        .at_ms = json_get_i64(j, "at_ms", 0),
        .payload = arena_printf(
            a, "{\"what\":\"promoted\",\"promotion\":%s}", json_dump_in(a, j))};
    json_free(j);
    return insight_append(db, &e, NULL, err);
}

int
insight_promote(struct insights *db, int64_t id,
    const struct insight_signer *who, struct err *err)
{
    struct arena a = {0};
    struct insight r;
    struct sign_key key;
    int rc = insight_get(db, id, &a, &r, err);
    if (rc == 0)
        rc = sign_key_load(who->key_path, &key, err);
    if (rc == 0 && r.status != INSIGHT_PROMOTED)
        rc = promotion_append(
            db, &r, promotion_make(&r, who, &key, &a), &a, err);
    if (rc == 0)
        sign_key_forget(&key);
    arena_fini(&a);
    return rc;
}

int
insight_promotion_take(struct insights *db, const struct insight *row,
    const char *promotion, bool *taken, struct err *err)
{
    struct arena a = {0};
    struct json *j = promotion != NULL
                         ? json_parse(promotion, strlen(promotion), NULL)
                         : NULL;
    int rc = 0;
    *taken = j != NULL && !json_get_bool(j, "unsigned", false) &&
             insight_promotion_holds(row, promotion);
    json_free(j);
    if (*taken)
        rc = promotion_append(db, row, promotion, &a, err);
    arena_fini(&a);
    return rc;
}

int
insight_promotion_old(
    struct insights *db, const struct insight *row, struct err *err)
{
    struct arena a = {0};
    char hash[FS_HASH_HEX];
    insight_content_hash(row, hash);
    int rc = promotion_append(db, row,
        arena_printf(&a,
            "{\"at_ms\":%" PRId64 ",\"by\":\"an engineer, before there were "
            "signatures\",\"hash\":\"%s\",\"unsigned\":true}",
            row->created_ms, hash),
        &a, err);
    arena_fini(&a);
    return rc;
}
