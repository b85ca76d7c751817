/* [backend] kind = "command": the user's own commands for a scheduler. Their
 * templates are checked when the file is read and filled for each call. */
#ifndef PROJECT_BACKEND_H
#define PROJECT_BACKEND_H

#include "project/project.h"

enum backend_verb {
    BACKEND_SUBMIT,
    BACKEND_STATE,
    BACKEND_CANCEL,
    BACKEND_LOGS,
    BACKEND_VERBS
};

/* "submit" */
const char *backend_verb_name(enum backend_verb verb);
/* NULL-terminated names of the placeholders of a template. */
const char *const *backend_names(enum backend_verb verb);
/* The words to run, in the arena, NULL-terminated: the template split by
 * shell-word rules, each {name} replaced by its value; with shell a single
 * /bin/sh -c, the values quoted. "{{" and "}}" are braces. -ERR_INPUT: a
 * placeholder without a value, an open quote, no word at all. */
int backend_command_in(struct arena *a, const char *text, bool shell,
    const struct var *vars, size_t n_vars, const char ***argv, struct err *err);

#endif
