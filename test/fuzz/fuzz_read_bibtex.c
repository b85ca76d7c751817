/* BibTeX: entries, strings, braces that do not close. */
#include "fuzz_read.h"

const char *const fuzz_seeds[] = {
    "@string{kdd = \"KDD\"}\n@inproceedings{a, title = {A {Gated} net}, "
    "booktitle = kdd # \" 2023\", year = 2023, doi = {10.1145/1.2},\n"
    "abstract = \"AUC rises by 0.3\\%.\"}\n@comment{x}\n@book(b, title={T})",
    NULL,
};
const char *const fuzz_words[] = {"@", "{", "}", "(", ")", "\"", "#", ",", "=",
    "@string{s = \"x\"}", "@article{k,", "title = {", "year = 1e9", "\\\"",
    "abstract = s # s", "\n", "%", NULL};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reader_check(read_bibtex, data, size);
    return 0;
}
