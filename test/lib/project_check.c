/* Loads project files the way `rea` does, for tests without the program.
 *   project-check FILE              ok + hash, or the error (exit as rea's)
 *   project-check --canon FILE      canonical text
 *   project-check --run FILE SEED [NAME=CODE ...]
 *                                   renders a job, writes its knobs file and
 *                                   becomes it (run folder: $RUN_DIR)
 *   project-check --harvest FILE METRICS STDOUT
 *                                   metrics of a finished run
 *   project-check --docs            the reference of all keys */
#include "base/fs.h"
#include "project/project.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
load(struct arena *a, const char *file, struct project **p)
{
    struct err err = {0};
    int rc = project_load(a, fs_dir_in(a, file), fs_base(file), p, &err);
    if (rc != 0)
        fprintf(stderr, "%s\n", err.text);
    return rc;
}

static int
run(struct arena *a, const struct project *p, int argc, char **argv)
{
    struct config c;
    struct job_command cmd;
    struct err err = {0};
    const char *dir = getenv("RUN_DIR");
    config_default(&p->spec, &c);
    for (int i = 1; i < argc; i++) {
        char *eq = strchr(argv[i], '=');
        if (eq == NULL)
            return 2;
        *eq = '\0';
        int k = spec_knob(&p->spec, argv[i]);
        if (k < 0)
            return 2;
        c.v[k] = strtod(eq + 1, NULL);
    }
    config_canon(&p->spec, &c);
    struct job_request req = {.config = &c,
        .seed = (int32_t)strtol(argv[0], NULL, 10),
        .run_dir = dir ? dir : "run",
        .campaign = "C1",
        .trial = "T1",
        .attempt = 1,
        .phase = "validation",
        .hypotheses = "H1,H2",
        .resume = getenv("RESUME") != NULL,
        .evaluate = getenv("EVALUATE") != NULL};
    if (command_render(a, p, &req, &cmd, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        return 2;
    }
    if (getenv("SHOW") != NULL) {
        puts(cmd.line);
        return 0;
    }
    for (size_t i = 0; i < cmd.n_env; i++)
        putenv((char *)(uintptr_t)cmd.env[i]);
    if (fs_mkdirs(req.run_dir, &err) != 0 ||
        fs_write_atomic(cmd.knobs_file, cmd.knobs_json, strlen(cmd.knobs_json),
            false, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    execvp(cmd.argv[0], (char *const *)(uintptr_t)cmd.argv);
    perror(cmd.argv[0]);
    return 127;
}

static int
harvest(const struct project *p, char **argv)
{
    struct harvest_value v[METRICS_MAX];
    struct err err = {0};
    if (harvest_files(
            &p->harvest, argv[0], argv[1], NULL, NULL, NULL, v, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    for (uint32_t i = 0; i < p->spec.n_metrics; i++)
        printf("%s %s %.10g step %g n %llu%s%s\n", p->spec.metric[i].name,
            v[i].has ? "=" : "none", v[i].value, v[i].step,
            (unsigned long long)v[i].n, v[i].nan ? " nan" : "",
            v[i].spike ? " spike" : "");
    return 0;
}

int
main(int argc, char **argv)
{
    struct arena a = {0};
    struct buf b = {0};
    struct project *p;
    const char *mode = argc > 2 ? argv[1] : "";
    int rc = 0;
    if (argc == 2 && strcmp(argv[1], "--docs") == 0) {
        project_document(&b);
        fputs(buf_str(&b), stdout);
    } else if (argc < 2 || load(&a, argv[argc > 2 ? 2 : 1], &p) != 0) {
        rc = 2;
    } else if (strcmp(mode, "--canon") == 0) {
        project_canon(p, &b);
        fputs(buf_str(&b), stdout);
    } else if (strcmp(mode, "--run") == 0 && argc > 3) {
        rc = run(&a, p, argc - 3, argv + 3);
    } else if (strcmp(mode, "--harvest") == 0 && argc > 4) {
        rc = harvest(p, argv + 3);
    } else {
        char hex[PROJECT_HASH_HEX];
        project_hash(p, hex);
        printf("ok %s\n", hex);
    }
    buf_fini(&b);
    arena_fini(&a);
    return rc;
}
