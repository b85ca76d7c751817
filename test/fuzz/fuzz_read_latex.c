/* LaTeX papers: mark-up goes, nothing is expanded. */
#include "fuzz_read.h"

const char *const fuzz_seeds[] = {
    "\\documentclass{article}\\title{A \\emph{gated} net}\\date{May 2023}\n"
    "\\begin{document}\\begin{abstract}AUC rises by 0.3\\% over "
    "DeepFM~\\cite{x}.\\end{abstract}\\section{One}$a_{ij}$ \\'{e}\n"
    "\\begin{thebibliography}{9}\\bibitem{x}\\end{document}\n",
    "\\section[s]{Part \\\"o} % note\n\\item ``quoted'' --- text \\\\ & x",
    NULL,
};
const char *const fuzz_words[] = {"\\title{", "}", "{", "[", "]", "\\", "%",
    "\n", "\\begin{document}", "\\end{document}", "\\input{/etc/passwd}",
    "\\def\\a{\\a\\a}", "\\c{c}", "\\*", "$", "~", "``", "--", "\xc3\xa9",
    "\\begin{thebibliography}", NULL};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reader_check(read_latex, data, size);
    return 0;
}
