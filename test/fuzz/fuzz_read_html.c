/* HTML pages through libxml2: any bytes, any nesting. */
#include "fuzz_read.h"

const char *const fuzz_seeds[] = {
    "<html><head><title>A gated net</title><meta name=\"citation_doi\" "
    "content=\"10.1145/1.2\"><meta name=\"citation_date\" "
    "content=\"2023/04/05\"><link rel=\"license\" href=\"cc\"></head><body>"
    "<nav>menu</nav><h1>Head</h1><p>AUC &amp; logloss <b>rise</b></p>"
    "<script>x</script><table><tr><td>1<td>2</table></body></html>",
    NULL,
};
const char *const fuzz_words[] = {"<", ">", "</", "<div>", "<p>", "&#0;",
    "&#x1F600;", "&amp;", "<script>", "<!--", "-->", "<![CDATA[", "<table>",
    "<svg>", "charset=utf-16", "<meta name=\"citation_title\" content=\"", "\"",
    "<title>", "</title>", NULL};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reader_check(read_html, data, size);
    return 0;
}
