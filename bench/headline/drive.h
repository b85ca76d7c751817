/* What the mains of the live benches give to their common driver. */
#ifndef HEADLINE_DRIVE_H
#define HEADLINE_DRIVE_H

#include <stdint.h>

struct drive {
    const char *name;       /* "headline": of folders, files and the page */
    const char *table;      /* of the tasks, from the root of the tree */
    const char *arms;       /* run unless told otherwise, joined by commas */
    const char *arms_known; /* for --help */
    uint32_t jobs;          /* arms at once */
    int (*report)(const char *results); /* prints the page; the exit code */
};

/* The exit code of the program. */
int drive_main(const struct drive *d, int argc, char **argv);

#endif
