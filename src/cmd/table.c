/* The command table, in the order in which people meet the verbs. */
#include "cmd/verbs.h"

#include <stddef.h>

const struct cmd *const cmd_table[] = {
#define X(verb) &cmd_##verb,
    VERB_LIST(X)
#undef X
        NULL};
