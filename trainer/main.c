/* rea-ctr: the bundled trainer of click-through-rate models. Reads the flags
 * and starts one of its three jobs: generate, evaluate, train. Invariant:
 * everything that stops it is said in one line on stderr. */
#include <cblas.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "train.h"

static int
help_print(void)
{
    struct buf text = {0};
    config_help(&text);
    fputs(buf_str(&text), stdout);
    buf_fini(&text);
    return 0;
}

/* Leaves without OpenBLAS's destructor: it waits for threads that are never
 * used, and waits for ever where they could not get their memory. */
static _Noreturn void
leave(int code)
{
    fflush(NULL);
    _exit(code);
}

int
main(int argc, char **argv)
{
    struct config c;
    struct err err = {0};
    int exit_code = 0;
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return help_print();
    /* One thread, so that sums are always taken in the same order. */
    openblas_set_num_threads(1);
    config_init(&c);
    int rc = config_parse(&c, argc, argv, &err);
    if (rc == 0) {
        if (c.generate[0] != '\0')
            rc = generate_run(&c, &err);
        else if (c.evaluate != EVAL_NONE)
            rc = evaluate_run(argc, argv, &err);
        else
            rc = train_run(&c, &exit_code, &err);
    }
    if (rc != 0) {
        fprintf(stderr, "rea-ctr: %s\n", err.text);
        leave(err_exit(rc));
    }
    leave(exit_code);
}
