/* The page on the two sources, from a file of results. */
#ifndef SOURCES_PAGE_H
#define SOURCES_PAGE_H

/* Prints Markdown; the exit code of the program. */
int sources_page(const char *results);

#endif
