/* JSON dumps of papers: every name a dump may use. */
#include "fuzz_read.h"

const char *const fuzz_seeds[] = {
    "{\"papers\": [{\"id\": \"a\", \"title\": \"T\", \"abstract\": "
    "\"x\\u00e9\", "
    "\"year\": 2023, \"license\": [\"cc\"], \"externalIds\": {\"DOI\": "
    "\"10.1/2\"}},"
    "{\"title\": \"U\", \"abstract_inverted_index\": {\"a\": [0, 2], \"b\": "
    "[1]}}]}",
    NULL,
};
const char *const fuzz_words[] = {"{", "}", "[", "]",
    "\"title\": ", "\"id\": ", "\"abstract_inverted_index\": ", "1e999", "-1",
    "null", "\"\\u0000\"", "\"\\ud800\"", "\"date\": \"2023-04\"", ",", NULL};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reader_check(read_json, data, size);
    return 0;
}
