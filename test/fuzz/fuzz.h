/* A fuzz target is LLVMFuzzerTestOneInput. Under libFuzzer that is all; built
 * with -DFUZZ_MAIN it gets a main of its own that mutates its seeds by a
 * seeded generator, so any compiler can run it:  PROGRAM COUNT SEED. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Starting texts and words that mutations insert; both end in NULL. */
extern const char *const fuzz_seeds[];
extern const char *const fuzz_words[];

#endif
