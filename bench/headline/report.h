/* The page: what is compared, the figure, the tables, from a file of results.*/
#ifndef HEADLINE_REPORT_H
#define HEADLINE_REPORT_H

/* Prints Markdown; the exit code of the program. */
int headline_report(const char *path);

#endif
