/* A callback as anybody may send it, its header in the first line: nothing that
 * was not signed is good, and a body names a campaign or none. */
#include "fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "wake/callback.h"

static const char KEY[] =
    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

const char *const fuzz_seeds[] = {
    "t=1000,n=0123456789abcdef0123456789abcdef,v1="
    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
    "{\"wake\": \"C7\"}",
    "t=-1,n=00,v1=ff\n{\"wake\": \"C999999999\", \"x\": [1, 2]}", "\n{}", NULL};
const char *const fuzz_words[] = {"t=", ",n=", ",v1=", "{\"wake\": ", "\"C1\"",
    "C0", "9999999999999999999", "-", "\xff", "\n", NULL};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char nonce[CALLBACK_NONCE_HEX] = "", good[CALLBACK_HEADER_MAX];
    char *text = mem_calloc(size + 1, 1);
    memcpy(text, data, size);
    char *body = strchr(text, '\n');
    if (body != NULL)
        *body++ = '\0';
    else
        body = text + strlen(text);
    assert(callback_check(KEY, text, body, 1000, nonce) != CALLBACK_GOOD);
    callback_nonce(nonce);
    callback_sign(KEY, body, 1000, nonce, good);
    assert(callback_check(KEY, good, body, 1000, nonce) == CALLBACK_GOOD);
    assert(callback_campaign(body) < 1000000000);
    free(text);
    return 0;
}
