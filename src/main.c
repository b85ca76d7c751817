/* Picks a face of the command table. There is one so far: the command line. */
#include "cmd/cmd.h"

int
main(int argc, char **argv)
{
    return cmd_cli(argc, argv);
}
