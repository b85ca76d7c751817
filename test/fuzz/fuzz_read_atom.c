/* Atom and OAI-PMH through libxml2: entities stay closed. */
#include "fuzz_read.h"

const char *const fuzz_seeds[] = {
    "<?xml version=\"1.0\"?><feed xmlns=\"http://www.w3.org/2005/Atom\">"
    "<entry><id>http://arxiv.org/abs/2306.00001v2</id><title>A gated\n net"
    "</title><summary>AUC &lt; 1</summary><published>2023-06-01T00:00:00Z"
    "</published><link href=\"http://x\"/></entry></feed>",
    "<OAI-PMH><record><metadata><arXiv><id>2306.00001</id><title>T</title>"
    "<abstract><![CDATA[text]]></abstract><created>2023-06-01</created>"
    "<license>cc</license></arXiv></metadata></record></OAI-PMH>",
    NULL,
};
const char *const fuzz_words[] = {"<!DOCTYPE x [<!ENTITY a \"b\">]>", "&a;",
    "<entry>", "</entry>", "<title>", "</title>", "<metadata>", "</metadata>",
    "<![CDATA[", "]]>", "&#xD;", "&lt;", "<?xml encoding=\"utf-16\"?>", "/>",
    "xmlns=\"\"", NULL};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reader_check(read_atom, data, size);
    return 0;
}
