/* The main of fuzz targets where libFuzzer is not at hand: seeds are cut,
 * joined, flipped and filled with words of the format. Prints what was run;
 * a crash is found by the sanitizers, with the input left in fuzz-last. */
#include "fuzz.h"

#include "base/arena.h"
#include "base/rng.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { INPUT_MAX = 1 << 16 };

static size_t
count(const char *const *list)
{
    size_t n = 0;
    while (list[n] != NULL)
        n++;
    return n;
}

/* Replaces `cut` bytes at a place by n bytes of s. */
static size_t
replace(uint8_t *b, size_t len, size_t at, size_t cut, const void *s, size_t n)
{
    if (cut > len - at)
        cut = len - at;
    if (len - cut + n > INPUT_MAX)
        return len;
    memmove(b + at + n, b + at + cut, len - at - cut);
    memcpy(b + at, s, n);
    return len - cut + n;
}

static size_t
mutate(struct rng *r, uint8_t *b, size_t len)
{
    size_t at = rng_below(r, len + 1), cut = rng_below(r, 9);
    const char *s;
    uint8_t byte = (uint8_t)rng_below(r, 256);
    switch (rng_below(r, 6)) {
    case 0:
        return replace(b, len, at, cut, "", 0);
    case 1:
        return replace(b, len, at, 1, &byte, 1);
    case 2:
        s = fuzz_words[rng_below(r, count(fuzz_words))];
        return replace(b, len, at, cut, s, strlen(s));
    case 3: /* a piece of itself */
        cut = rng_below(r, 40);
        if (at + cut > len)
            return len;
        uint8_t part[40];
        memcpy(part, b + at, cut);
        return replace(b, len, rng_below(r, len + 1), 0, part, cut);
    case 4:
        s = fuzz_seeds[rng_below(r, count(fuzz_seeds))];
        cut = rng_below(r, strlen(s) + 1);
        return replace(
            b, len, at, rng_below(r, len + 1), s + cut, strlen(s) - cut);
    default:
        return replace(b, len, at, 0, &byte, 1);
    }
}

int
main(int argc, char **argv)
{
    long n = argc > 1 ? strtol(argv[1], NULL, 10) : 10000;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    uint8_t *b = mem_calloc(1, INPUT_MAX);
    size_t longest = 0;
    struct rng r;
    /* One file, kept open: file systems sync one that is made anew. */
    int last = open("fuzz-last", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    rng_seed(&r, seed);
    for (long i = 0; i < n; i++) {
        const char *s = fuzz_seeds[rng_below(&r, count(fuzz_seeds))];
        size_t len = replace(b, 0, 0, 0, s, strlen(s));
        for (uint64_t k = i < 20 ? 0 : 1 + rng_below(&r, 12); k > 0; k--)
            len = mutate(&r, b, len);
        if (pwrite(last, b, len, 0) != (ssize_t)len ||
            ftruncate(last, (off_t)len) != 0)
            perror("fuzz-last");
        LLVMFuzzerTestOneInput(b, len);
        longest = len > longest ? len : longest;
    }
    printf("%ld inputs (seed %llu, up to %zu bytes)\n", n,
        (unsigned long long)seed, longest);
    remove("fuzz-last");
    close(last);
    free(b);
    return n > 0 ? 0 : 1;
}
