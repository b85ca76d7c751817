/* A campaign of the engine alone, for unit tests of what it decides: started
 * from a spec, told how its jobs ended. Each call fails the test where the
 * engine refuses an event. */
#ifndef TEST_CORE_WORLD_H
#define TEST_CORE_WORLD_H

#include <stdint.h>

#include "core/core.h"

/* Brings one event with all decisions that follow. */
void world_tell(struct core *c, const struct event *e);
/* Drafted, planned with the spec's whole budget, approved and started; the
 * caller frees it. */
struct core *world_start(const struct spec *s, uint64_t seed);
/* The first job in flight is submitted and ends well, with this value of the
 * first metric. Returns the experiment that it ran. */
uint32_t world_end(struct core *c, double value, int64_t cost_u);

#endif
