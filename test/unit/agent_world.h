/* A small project with insights and papers, and a scripted model, for the
 * tests of the agent. */
#ifndef TEST_AGENT_WORLD_H
#define TEST_AGENT_WORLD_H

#include "agent/agent.h"
#include "project/project.h"

struct script_call {
    const char *name, *args;
};
/* One reply; served in order, by purpose. */
struct script_turn {
    const char *purpose; /* NULL ends the script */
    const char *text;    /* also the JSON of a reply by schema */
    struct script_call call[6];
    uint32_t status; /* enum model_status */
    int64_t later_ms;
};

enum { WORLD_REPLIES = 4096 };

struct agent_world {
    char dir[64];
    struct arena arena;
    struct project *project;
    struct insights *insights;
    struct corpus *corpus;
    struct json *brief;
    const char *brief_text;
    struct talk_db *db;
    const struct script_turn *script;
    uint32_t marks, die_at; /* 0: never */
    int64_t sent_bytes;     /* of all requests that were served */
    int64_t largest_bytes;  /* of one */
    uint32_t n_replies;     /* trees behind replies; they live as long as it */
    struct json *replies[WORLD_REPLIES];
    struct agent agent;
};

void world_open(struct agent_world *w, const char *dir);
void world_close(struct agent_world *w);
/* A conversation of this key with this script; runs it. */
void world_run(struct agent_world *w, const char *key, uint32_t kind,
    const struct script_turn *script);
/* Replies served and not taken from the record. */
uint32_t world_served(const struct agent_world *w);

#endif
