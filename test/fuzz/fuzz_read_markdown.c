/* Markdown papers: front matter, links, comments, fences. */
#include "fuzz_read.h"

const char *const fuzz_seeds[] = {
    "---\ntitle: \"A gated net\"\ndate: 2023-04-05\ndoi: 10.1145/1.2\n---\n"
    "# Head\n\nText with [a link](http://x) and ![image](y) **bold** `code`.\n"
    "<!-- hidden -->\n```c\nint x;\n```\n> quote\n",
    "# Title\r\n\r\nText\n",
    NULL,
};
const char *const fuzz_words[] = {"---\n", "title: ", "date: ", "[", "](", ")",
    "![", "<!--", "-->", "```", "**", "`", "# ", "> ", "\n\n", "\xc2\x85",
    "\xe2\x80\x8b", NULL};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reader_check(read_markdown, data, size);
    return 0;
}
