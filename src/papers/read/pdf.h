/* PDF by the program pdftotext. */
#ifndef PAPERS_READ_PDF_H
#define PAPERS_READ_PDF_H

#include <sys/types.h>

#include "papers/read/doc.h"

/* Starts it under limits; a descriptor of its output, or -1. */
int pdf_start(const char *path, pid_t *pid);
/* Takes the output and waits for it. */
void pdf_read(int fd, pid_t pid, const struct outlet *o);

#endif
