/* The claim of a token, jobs_dir/TOKEN: who took it and where it runs. Shared
 * by the backends; not for others. */
#ifndef JOBS_CLAIM_H
#define JOBS_CLAIM_H

#include "jobs/jobs.h"

struct claim {
    int64_t pid;
    uint64_t start; /* /proc start time of pid */
    char boot_id[FS_BOOT_ID];
    char host[HOST_LEN]; /* "": an older supervisor did not say */
    int64_t deadline_ms; /* its supervisor ends it before; 0: no limit */
    char *run_dir;       /* owned: claim_fini */
    struct json *json;   /* the whole record, owned */
};

/* jobs_dir/TOKEN in out. */
void claim_path(const struct jobs *j, const char *token, struct buf *out);
/* -ERR_NOT_FOUND: nobody claimed it; -ERR_CORRUPT. claim_fini always. */
int claim_read(const struct jobs *j, const char *token, struct claim *out,
    struct err *err);
void claim_fini(struct claim *c);
/* "KIND:TOKEN" and back; -ERR_INPUT when the handle is of another kind. */
void handle_put(struct job_handle *h, const char *kind, const char *token);
int handle_token(const struct job_handle *h, const char *kind,
    const char **token, struct err *err);
/* The handle of a claimed token; -ERR_NOT_FOUND: nobody claimed it. */
int claim_find(struct jobs *j, const char *kind, const char *token,
    struct job_handle *out, struct err *err);
/* logs of a backend whose jobs are known by their claims: up to max bytes from
 * the end of what the job of the handle printed; -ERR_INPUT, -ERR_NOT_FOUND. */
int claim_logs(struct jobs *j, const struct job_handle *h, size_t max,
    struct buf *out, struct err *err);
enum created {
    CREATED_LOOSE,
    CREATED_WHOLE, /* synced; never seen half, not even after a power loss */
    CREATED_FIRST, /* synced, its name first: a power loss within the call may
                      leave it cut off, which its reader must know */
};
/* Makes a file with this content unless it is there: 0 made, 1 was there,
 * <0 failed. */
int file_create(const char *path, const struct buf *content, enum created how,
    struct err *err);

#endif
