/* Campaigns asleep: what many of them take while their jobs run, how long one
 * takes to wake cold, and how a database grows over hibernations.
 *   bench-sleep [--campaigns 10000] [--wakes 1000] [--cycles 1000]
 *               [--lives 0] [--jobs 2] [--keep]
 * jobs: in flight in each campaign, and ended at a wake with news, which starts
 * as many; keep: the workspace stays.
 * Campaigns on the recorded backend, drafted, started and woken by the real
 * engine; what is measured are processes of build/rea, synchronous = FULL,
 * from spawn to exit, each beside a raw fsync made just before it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/rng.h"
#include "sleep/clocked.h"
#include "sleep/sleepers.h"

enum { WORKERS = 2, LOOKS = 10 };

struct bench {
    char build[256], rea[300], root[300];
    uint32_t campaigns, lives, jobs;
    int wakes, cycles;
    bool keep;
};

static void
fail(const char *what)
{
    fprintf(stderr, "bench-sleep: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* Processes that execute a program of this build other than this bench. */
static int
processes(const char *build)
{
    DIR *proc = opendir("/proc");
    struct dirent *d;
    int n = 0;
    if (proc == NULL)
        fail("/proc");
    while ((d = readdir(proc)) != NULL) {
        char link[300], exe[512] = "";
        size_t prefix = strlen(build);
        snprintf(link, sizeof link, "/proc/%s/exe", d->d_name);
        if (readlink(link, exe, sizeof exe - 1) > 0 &&
            strncmp(exe, build, prefix) == 0 &&
            strncmp(exe + prefix, "/rea", 4) == 0)
            n++;
    }
    closedir(proc);
    return n;
}

/* A look that would not see rea if it ran proves nothing: the control. */
static void
asleep_show(const struct bench *b)
{
    const struct timespec nap = {.tv_nsec = 200000000};
    struct stat before, after;
    char path[400];
    int most = 0, status;
    snprintf(path, sizeof path, "%s/.rea/rea.db-wal", b->root);
    if (stat(path, &before) != 0)
        fail(path);
    for (int i = 0; i < LOOKS; i++) {
        int n = processes(b->build);
        most = n > most ? n : most;
        nanosleep(&nap, NULL);
    }
    if (stat(path, &after) != 0)
        fail(path);
    bool touched = before.st_mtim.tv_sec != after.st_mtim.tv_sec ||
                   before.st_mtim.tv_nsec != after.st_mtim.tv_nsec;
    int pid = run_start(b->rea, b->root, "sweep", NULL), control = 0;
    for (int i = 0; control == 0 && i < 1000; i++)
        control = processes(b->build);
    waitpid(pid, &status, 0);
    printf("asleep             processes of this build: %d (so memory 0, CPU "
           "0), over %d looks in %.0f s; the log %s; the control sees %d\n",
        most, LOOKS, LOOKS * .2, touched ? "CHANGED" : "is not touched",
        control);
    if (most != 0 || touched || control == 0) {
        fprintf(stderr, "bench-sleep: something runs while all sleep, or the "
                        "look is blind\n");
        exit(1);
    }
}

static int64_t tree_files, tree_bytes;

static int
tree_count(const char *path, const struct stat *sb, int type, struct FTW *f)
{
    (void)f;
    (void)type;
    const char *base = strrchr(path, '/');
    if (base != NULL && strncmp(base, "/rea.db", 7) == 0)
        return 0;
    if (S_ISREG(sb->st_mode) || S_ISDIR(sb->st_mode)) {
        tree_files++;
        tree_bytes += (int64_t)sb->st_blocks * 512;
    }
    return 0;
}

static void
disk_show(const struct bench *b)
{
    struct disk d;
    char path[400];
    double n = b->campaigns;
    disk_read(b->root, &d);
    printf("disk a sleeper     %.0f bytes beside its events: snapshot %.0f "
           "(state %.0f), project text %.0f, row %.0f, jobs %.0f, others %.0f "
           "(target 8192)\n",
        (double)(d.total - d.event) / n, (double)d.snapshot / n,
        (double)d.snapshot_bytes / n, (double)d.kv / n, (double)d.campaign / n,
        (double)d.attempt / n, (double)d.other / n);
    printf("its events         %.1f, %.0f bytes of pages, %.0f a record\n",
        (double)d.n_events / n, (double)d.event / n,
        (double)d.event_bytes / (double)d.n_events);
    static const char *const part[] = {"lease", "jobs", "runs"};
    for (size_t i = 0; i < 3; i++) {
        tree_files = tree_bytes = 0;
        snprintf(path, sizeof path, "%s/.rea/%s", b->root, part[i]);
        nftw(path, tree_count, 32, FTW_PHYS);
        printf("beside it, %-7s %.1f files and folders, %.0f bytes in blocks\n",
            part[i], (double)tree_files / n, (double)tree_bytes / n);
    }
}

static void
id_draw(const struct bench *b, struct rng *r, char id[16])
{
    snprintf(id, 16, "C%" PRIu64, rng_below(r, b->campaigns) + 1);
}

/* Cold wakes one after the other. next: 0 draws campaigns at random, else
 * every campaign once, from this one on. */
static void
wakes_show(const struct bench *b, const char *what, uint32_t next)
{
    static struct series wake, raw, beyond;
    double cpu = 0;
    struct rng r;
    struct raw file;
    char id[16];
    wake.n = raw.n = beyond.n = 0;
    rng_seed(&r, 7);
    raw_open(&file, b->root);
    for (int i = 0; i < b->wakes; i++) {
        if (next == 0)
            id_draw(b, &r, id);
        else
            snprintf(id, sizeof id, "C%" PRIu32, next++);
        double sync = raw_ms(&file);
        struct cost c = run_once(b->rea, b->root, "wake", id);
        series_add(&raw, sync);
        series_add(&wake, c.wall_ms);
        series_add(&beyond, c.wall_ms - sync);
        cpu += c.cpu_ms;
    }
    raw_close(&file);
    double r50 = series_at(&raw, .5), r99 = series_at(&raw, .99);
    double w50 = series_at(&wake, .5), w99 = series_at(&wake, .99);
    printf("%-18s p50 %.2f ms, p99 %.2f ms; raw fsync p50 %.2f, p99 %.2f; "
           "beyond it p50 %.2f, p99 %.2f (targets 5, 25); CPU %.2f ms\n",
        what, w50, w99, r50, r99, w50 - r50, w99 - r99, cpu / b->wakes);
}

/* Two at a time. Returns wakes a second. */
static void
throughput_show(const struct bench *b, const char *what, uint32_t next)
{
    struct rng r;
    char id[16];
    int running = 0, status = 0;
    struct raw file;
    double sync = 0;
    rng_seed(&r, 11);
    raw_open(&file, b->root);
    for (int i = 0; i < 50; i++)
        sync += raw_ms(&file) / 50;
    raw_close(&file);
    int64_t t = fs_mono_us();
    for (int i = 0; i < b->wakes + WORKERS; i++) {
        if (running == WORKERS || i >= b->wakes) {
            if (running > 0 && (wait(&status) < 0 || status != 0))
                fail("a wake among two");
            running--;
        }
        if (i >= b->wakes)
            continue;
        if (next == 0)
            id_draw(b, &r, id);
        else
            snprintf(id, sizeof id, "C%" PRIu32, next++);
        run_start(b->rea, b->root, "wake", id);
        running++;
    }
    double s = (double)(fs_mono_us() - t) / 1e6;
    printf("%-18s %.0f/s, two at a time (target 400); raw fsync mean %.2f ms, "
           "%.0f/s\n",
        what, b->wakes / s, sync, 1000 / sync);
}

static void
verbs_show(const struct bench *b)
{
    static struct series status, sweep;
    double cpu[2] = {0};
    status.n = sweep.n = 0;
    for (int i = 0; i < 5; i++) {
        struct cost c = run_once(b->rea, b->root, "status", NULL);
        series_add(&status, c.wall_ms);
        cpu[0] += c.cpu_ms / 5;
    }
    for (int i = 0; i < 2; i++) {
        struct cost c = run_once(b->rea, b->root, "sweep", NULL);
        series_add(&sweep, c.wall_ms);
        cpu[1] += c.cpu_ms / 2;
    }
    printf("rea status         p50 %.0f ms, CPU %.0f ms\n",
        series_at(&status, .5), cpu[0]);
    printf("rea sweep, no news p50 %.0f ms, CPU %.0f ms, of %" PRIu32
           " campaigns: %.3f ms each\n",
        series_at(&sweep, .5), cpu[1], b->campaigns,
        series_at(&sweep, .5) / b->campaigns);
}

/* One campaign sleeps and wakes again and again: with news, then without. */
static void
growth_show(const struct bench *b)
{
    char root[320];
    struct disk first, idle, last;
    static struct series wake;
    wake.n = 0;
    snprintf(root, sizeof root, "%s/one", b->root);
    if (mkdir(root, 0755) != 0)
        fail(root);
    const struct sleepers s = {.program = b->rea,
        .root = root,
        .campaigns = 1,
        .trials = (uint32_t)b->cycles + 100,
        .parallel = 1};
    sleepers_make(&s);
    disk_read(root, &first);
    for (int i = 0; i < b->cycles; i++)
        run_once(b->rea, root, "wake", "C1");
    disk_read(root, &idle);
    int cycles = 0;
    int64_t before = idle.n_events;
    for (last = idle; cycles < b->cycles; cycles++) {
        clock_step(root);
        ended_leave(root, 1);
        series_add(&wake, run_once(b->rea, root, "wake", "C1").wall_ms);
        if (cycles % 50 != 49)
            continue;
        disk_read(root, &last);
        if (last.n_events == before)
            break;
        before = last.n_events;
    }
    disk_read(root, &last);
    char path[400];
    snprintf(path, sizeof path, "%s/.rea/rea.db-wal", root);
    int64_t events = last.n_events - idle.n_events;
    printf("growth, no news    %" PRId64 " bytes over %d hibernations\n",
        idle.total - first.total, b->cycles);
    printf("growth, with news  %" PRId64
           " bytes over %d hibernations and %" PRId64
           " events: %.0f bytes an event (target 400), of it the log %.0f; "
           "%" PRId64 " snapshot of %" PRId64 " bytes; rea.db-wal %" PRId64
           " bytes\n",
        last.total - idle.total, cycles, events,
        (double)(last.total - idle.total) / (double)events,
        (double)(last.event - idle.event) / (double)events, last.n_snapshots,
        last.snapshot_bytes, fs_size(path));
    printf("growth, its wakes  p50 %.2f ms, p99 %.2f ms\n",
        series_at(&wake, .5), series_at(&wake, .99));
}

static int
number(int argc, char **argv, int *i, int min, int max)
{
    long n = *i + 1 < argc ? strtol(argv[++*i], NULL, 10) : -1;
    if (n < min || n > max) {
        fprintf(stderr, "bench-sleep: %s takes a number from %d to %d\n",
            argv[*i > 1 ? *i - 1 : *i], min, max);
        exit(2);
    }
    return (int)n;
}

static void
bench_read(struct bench *b, int argc, char **argv)
{
    *b = (struct bench){
        .campaigns = 10000, .jobs = 2, .wakes = 1000, .cycles = 1000};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--campaigns") == 0)
            b->campaigns = (uint32_t)number(argc, argv, &i, 1, 50000);
        else if (strcmp(argv[i], "--wakes") == 0)
            b->wakes = number(argc, argv, &i, 1, SAMPLES_MAX);
        else if (strcmp(argv[i], "--cycles") == 0)
            b->cycles = number(argc, argv, &i, 1, 10000);
        else if (strcmp(argv[i], "--lives") == 0)
            b->lives = (uint32_t)number(argc, argv, &i, 0, 20);
        else if (strcmp(argv[i], "--jobs") == 0)
            b->jobs = (uint32_t)number(argc, argv, &i, 1, 2);
        else if (strcmp(argv[i], "--keep") == 0)
            b->keep = true;
        else {
            fprintf(stderr,
                "usage: bench-sleep [--campaigns 10000] [--wakes 1000] "
                "[--cycles 1000] [--lives 0] [--jobs 2] [--keep]\n");
            exit(2);
        }
    }
    /* each campaign has news for one wake of each measurement */
    if ((uint32_t)b->wakes * 2 > b->campaigns)
        b->wakes = (int)(b->campaigns / 2 > 0 ? b->campaigns / 2 : 1);
    ssize_t n = readlink("/proc/self/exe", b->build, sizeof b->build - 1);
    if (n <= 0)
        fail("/proc/self/exe");
    *strrchr(b->build, '/') = '\0';
    snprintf(b->rea, sizeof b->rea, "%s/rea", b->build);
    snprintf(b->root, sizeof b->root, "%s/sleep-XXXXXX", b->build);
}

int
main(int argc, char **argv)
{
    struct bench b;
    bench_read(&b, argc, argv);
    if (mkdtemp(b.root) == NULL)
        fail(b.root);
    setvbuf(stdout, NULL, _IOLBF, 0);
    const struct sleepers s = {.program = b.rea,
        .root = b.root,
        .campaigns = b.campaigns,
        .lives = b.lives,
        .trials = 70,
        .parallel = b.jobs};
    int64_t t = fs_mono_us();
    sleepers_make(&s);
    printf("workspace          %" PRIu32 " campaigns, each with %" PRIu32
           " jobs in flight and %" PRIu32 " wakes behind it, made in %.0f s\n",
        b.campaigns, b.jobs, b.lives, (double)(fs_mono_us() - t) / 1e6);
    asleep_show(&b);
    disk_show(&b);
    wakes_show(&b, "wake, no news", 0);
    throughput_show(&b, "wakes, no news", 0);
    verbs_show(&b);
    clock_step(b.root);
    ended_leave(b.root, 2 * (uint32_t)b.wakes);
    bool two = b.jobs == 2;
    wakes_show(&b, two ? "wake, two ended" : "wake, one ended", 1);
    throughput_show(&b, two ? "wakes, two ended" : "wakes, one ended",
        (uint32_t)b.wakes + 1);
    growth_show(&b);
    if (!b.keep)
        fs_remove_tree(b.root, NULL);
    else
        printf("kept: %s\n", b.root);
    return 0;
}
