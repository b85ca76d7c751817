/* The supervisor of one local job: a small static program that stays while the
 * job runs, so that nothing else has to. One process, one loop, no threads;
 * all of its state is struct shim. */
#ifndef JOBS_SHIM_SHIM_H
#define JOBS_SHIM_SHIM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "core/event.h"
#include "project/floor.h"
#include "project/harvest.h"
#include "project/pace.h"
#include "project/rungs.h"

enum {
    SHIM_ARGS_MAX = 4096,  /* words of the job's command */
    SHIM_ENV_MAX = 256,    /* variables added to the environment */
    SHIM_WAKE_MAX = 32,    /* words of the wake command */
    SHIM_TREE_MAX = 4096,  /* processes looked at in one scan */
    SHIM_BEATS = 16,       /* intervals between signs of life kept */
    SHIM_WATCHED_FILES = 4 /* stdout, stderr, metrics, checkpoint */
};

enum ending {
    ENDING_TERM, /* SIGTERM, grace, SIGKILL */
    ENDING_DUMP, /* SIGUSR1 first: a hung program may show where it stands */
    ENDING_KILL  /* at once: waiting would do harm */
};

/* What is to be run: the command file, parsed. Texts point into it. */
struct shim_command {
    const char *token, *claim, *run_dir, *cwd;
    const char *stdout_path, *stderr_path, *metrics_path, *checkpoint_path;
    int64_t boxed; /* 1: exit codes above 128 are signals */
    int64_t time_ms, budget_ms, grace_ms, hang_ms, memory_bytes, disk_floor;
    int64_t delay_ms; /* before the job is started */
    int64_t pace;     /* 1: rhythm and speed are watched */
    int64_t keep;     /* 1: a checkpoint known to be good is kept */
    struct floor_mark floor;
    bool has_watch;
    struct harvest_spec watch;
    uint32_t progress, n_rungs; /* below the top; progress as in rungs.h */
    double rung[RUNGS_MAX];
    const char *argv[SHIM_ARGS_MAX + 1];
    const char *env[SHIM_ENV_MAX + 1];
    const char *wake[SHIM_WAKE_MAX + 1];
    uint32_t argc, n_env, n_wake;
};

struct shim_tree {
    pid_t pid[SHIM_TREE_MAX];
    uint32_t n;
    int64_t rss_bytes;
    uint64_t cpu_ticks;
};

/* Signs of life: growth of the files that a job writes. */
struct shim_life {
    int64_t size[SHIM_WATCHED_FILES], mtime_ns[SHIM_WATCHED_FILES];
    int64_t beat_ms;            /* boot clock of the last sign */
    uint64_t beat_cpu_ticks;    /* processor time of the tree at it */
    int64_t gap_ms[SHIM_BEATS]; /* ring */
    uint32_t n_gaps;            /* ever seen */
};

/* Versions of the checkpoint: the one that waits for good reports, and the last
 * one that good reports came after. Masks have a bit for each metric. */
struct shim_keep {
    bool on;
    bool waits;          /* next_path is a version not yet known to be good */
    struct stat version; /* the one taken last; st_ino 0: none was */
    int64_t at[HARVEST_STREAMS]; /* bytes that the job had reported before it */
    uint32_t seen;               /* watched metrics that were ever reported */
    uint32_t good, bad;          /* in what was read since the last look */
    uint32_t passed;             /* reported well since the version was taken */
    char next_path[1024], good_path[1024];
};

struct shim {
    struct shim_command cmd;
    char boot_id[40], host[65];
    int lease_fd, ready_fd, exit_fd, signal_fd;
    pid_t job;
    int64_t start_ms, start_boot_ms;
    char oom_file[1024]; /* counter of our own control group; "": none */
    uint64_t oom_kills;  /* when the job began */

    enum reason reason; /* why the shim ends the job; NONE: it does not */
    char detail[240];
    int64_t kill_at_ms; /* boot clock: SIGKILL is due; 0: not ending */
    int64_t term_at_ms; /* boot clock: SIGTERM is due (after a dump); 0: no */
    bool killed;        /* SIGKILL was sent by us */

    bool job_over; /* the first process was reaped */
    int status;    /* its wait status */
    int launch_errno;
    int64_t end_ms, end_boot_ms;
    int64_t cpu_us, max_rss_bytes;

    struct shim_tree tree;
    struct shim_life life;
    int metrics_fd, output_fd[2]; /* read ends for the metric watch; -1 */
    struct harvest harvest;
    struct rung_reader rungs;
    struct floor_watch floor;
    struct pace pace;
    struct shim_keep keep;
    bool fresh;        /* this look found a metric, */
    double step;       /* of this highest step; NAN: none */
    uint32_t reported; /* rungs that a report was written for */
};

/* command.c: reads DIR/shim.cmd. 0 or -ERR_*. */
int command_load(struct shim_command *c, const char *run_dir, struct err *err);

/* record.c: what the shim leaves on disk. */
/* 0: the token is ours; 1: another has it; <0: -ERR_*. */
int claim_take(const struct shim *s, struct err *err);
int shim_json_write(const struct shim *s, struct err *err);
/* Leaves report.json by rename: so many rungs are crossed. */
int report_write(const struct shim *s, uint32_t crossed, struct err *err);
/* Leaves good.json by rename: which version of the checkpoint is good. */
int good_write(const struct shim *s, struct err *err);
/* Is this token's exit file there already? */
bool exit_is_there(const struct shim *s);
/* Takes the disk space of exit.json before the job can fill the disk. */
int exit_reserve(struct shim *s, struct err *err);
/* Writes, syncs, renames, syncs the folder. */
int exit_write(struct shim *s, struct err *err);

/* tree.c: processes below this one, whatever session they moved to. */
void tree_scan(struct shim_tree *t);
/* Sends a signal to each; returns how many there were. */
uint32_t tree_signal(struct shim_tree *t, int sig);
/* Shares counted once (PSS); costs more than the scan's sum. -1: unknown. */
int64_t tree_pss(const struct shim_tree *t);

/* launch.c */
int job_launch(struct shim *s, struct err *err);
/* Runs the wake command until it takes the news, a few tries. */
void wake_call(const struct shim *s);
/* Starts the wake command once and does not wait for it; the process belongs
 * to our own parent, so that neither it nor what it starts is part of the job.
 * Failing is harmless: the next wake looks at the same report. */
void wake_poke(const struct shim *s);

/* watch.c: each looks at one thing and may call shim_end. */
void watch_init(struct shim *s, int64_t now_ms);
void watch_memory(struct shim *s);
void watch_metrics(struct shim *s);
/* Reads what else was reported; false: there is more than one look reads. */
bool watch_drain(struct shim *s);
/* Is this metric one that can end the job? */
bool watch_is_on(const struct shim *s, uint32_t metric);
void watch_rungs(struct shim *s);
void watch_pace(struct shim *s, int64_t now_ms);
void watch_life(struct shim *s, int64_t now_ms);
void watch_disk(struct shim *s);

static inline int64_t
stat_mtime_ns(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000000000 +
           (int64_t)st->st_mtim.tv_nsec;
}

/* keep.c: the last checkpoint that good reports came after. */
void keep_init(struct shim *s);
/* A value of a metric was read. */
void keep_take(struct shim *s, uint32_t metric, double value, uint32_t flags);
/* After watch_metrics. */
void keep_look(struct shim *s);
/* The job is over: what is of no more use goes. */
void keep_end(struct shim *s);

/* patterns.c, in rea-shim-re, or no_patterns.c: "re:" patterns are read from
 * now on. */
void patterns_init(struct shim *s);

/* main.c */
int64_t boot_now_ms(void);
int64_t wall_now_ms(void);
/* Begins to end the job for this reason; the first reason stays. */
void shim_end(struct shim *s, enum reason reason, enum ending how,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* cgroup.c: before the job begins; then how many were killed for memory. */
void cgroup_find(struct shim *s);
uint64_t oom_kills_read(const struct shim *s);

#endif
