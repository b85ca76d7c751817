/* Prints docs/events.md from src/core/flow.def. */
#include "core/event.h"

#include <stdio.h>

int
main(void)
{
    puts("# Events\n\nGenerated from `src/core/flow.def` by `make docs`: every "
         "event of a campaign, in path\norder. A *fact* comes from the world "
         "(engineer, backend, clock, files); a *decision*\nwas computed by "
         "the engine and is logged with its reason. `rea log C1 --json` "
         "prints\nan event's fields.\n\n"
         "| event | who | applied in | what it means |\n|---|---|---|---|");
    for (uint32_t k = 1; k < EVENT_COUNT; k++)
        printf("| `%s` | %s | `src/core/%s.c` | %s |\n", event_name(k),
            event_who(k) == FACT ? "fact" : "decision", event_file(k),
            event_meaning(k));
    puts("\n## How a job ends\n");
    for (uint32_t r = 1; r < REASON_COUNT; r++)
        printf("- `%s`\n", reason_name(r));
    puts("\n## Remedies\n");
    for (uint32_t r = 1; r < REMEDY_COUNT; r++)
        printf("- %s\n", remedy_name(r));
    return 0;
}
