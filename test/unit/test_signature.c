/* The runbook's signatures: each rule knows its own text, none knows another's
 * (but for the listed neighbours), none answers to its own pattern, and clean
 * logs stay clean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "jobs/signature.h"

struct fixture {
    const char *id, *text;
    const char *also; /* rules that match too, and must not win */
};

static const struct fixture fixtures[] = {
    {"cuda-oom",
        "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate "
        "20.00 MiB (GPU 0; 15.78 GiB total capacity; 14.2 GiB already "
        "allocated)",
        "torch-oom-error"},
    {"torch-oom-error", "raise torch.OutOfMemoryError('gave up')", ""},
    {"cuda-oom-bare", "RuntimeError: CUDA error: out of memory", ""},
    {"cuda-oom-old",
        "cuda runtime error (2) : out of memory at /pytorch/THCStorage.cu:58",
        ""},
    {"cuda-other-tenant",
        "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total "
        "capacity of 79.1 GiB\nProcess 4242 has 71.20 GiB memory in use. "
        "Including non-PyTorch memory, this process has 512.00 MiB memory in "
        "use.",
        "cuda-oom"},
    {"cublas-alloc",
        "RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling "
        "`cublasCreate(handle)`",
        ""},
    {"tf-oom", "ResourceExhaustedError: OOM when allocating tensor", ""},
    {"xla-oom", "RESOURCE_EXHAUSTED: Out of memory while trying to allocate 8",
        ""},
    {"gpu-alloc-xgboost",
        "what(): parallel_for failed: cudaErrorMemoryAllocation", ""},
    {"bad-alloc",
        "terminate called after throwing an instance of 'std::bad_alloc'", ""},
    {"lightgbm-bad-alloc", "[LightGBM] [Warning] bad allocation", ""},
    {"python-memory-error", "Traceback:\nMemoryError", ""},
    {"slurm-oom-kill",
        "slurmstepd: error: Detected 1 oom-kill event(s) in StepId=12.batch.",
        ""},
    {"srun-task-oom", "srun: error: node3: task 0: Out Of Memory", ""},
    {"slurm-memory-limit",
        "slurmstepd: error: Job 12 exceeded memory limit (2100 > 2048), being "
        "killed",
        ""},
    {"kernel-oom", "Out of memory: Killed process 812 (python3) total-vm:9kB",
        ""},
    {"malloc-failed", "ctr: cannot allocate memory for the table", ""},
    {"shm-bus-error",
        "RuntimeError: DataLoader worker (pid 181) is killed by signal: Bus "
        "error. It is possible that",
        ""},
    {"shm-insufficient",
        "This might be caused by insufficient shared memory "
        "(shm).",
        ""},
    {"loader-worker-killed",
        "RuntimeError: DataLoader worker (pid 77) is killed by signal: Killed.",
        ""},
    {"loader-worker-exited",
        "RuntimeError: DataLoader worker (pid(s) 5, 6) exited unexpectedly",
        ""},
    {"slurm-time-limit",
        "slurmstepd: error: *** JOB 7 ON n1 CANCELLED AT 2024-01-02T03:04:05 "
        "DUE TO TIME LIMIT ***",
        ""},
    {"slurm-preempted",
        "*** JOB 7 ON n1 CANCELLED AT 2024-01-02T03:04:05 DUE TO PREEMPTION",
        ""},
    {"slurm-requeue", "*** JOB 7 ON n1 CANCELLED DUE TO JOB REQUEUE ***", ""},
    {"slurm-node-failure", "CANCELLED DUE TO NODE FAILURE, SEE SLURMCTLD LOG",
        ""},
    {"slurm-unkillable", "STEP 4.0 DUE TO JOB NOT ENDING WITH SIGNALS", ""},
    {"slurm-no-such-node",
        "sbatch: error: Requested node configuration is not available", ""},
    {"slurm-controller", "Unable to contact slurm controller (connect failure)",
        ""},
    {"slurm-unknown-job", "slurm_load_jobs error: Invalid job id specified",
        ""},
    {"slurm-launch-failed", "Task launch for StepId=9.0 failed on node n2", ""},
    {"elastic-death-signal",
        "WARNING: Received 15 death signal, shutting down workers", ""},
    {"rendezvous-closed", "raise RendezvousClosedError()", ""},
    {"rendezvous-timeout", "RendezvousTimeoutError", ""},
    {"elastic-child-failed",
        "ERROR failed (exitcode: 1) local_rank: 0 (pid: 12) of binary", ""},
    {"nccl-timeout",
        "[Rank 3] Watchdog caught collective operation timeout: "
        "WorkNCCL(SeqNum=3281, OpType=ALLREDUCE, Timeout(ms)=1800000)\n"
        "To avoid data inconsistency, we are taking the entire process down.",
        "nccl-process-down"},
    {"watchdog-stuck",
        "ProcessGroupNCCL's watchdog got stuck for 480 seconds without making "
        "progress",
        ""},
    {"nccl-process-down",
        "To avoid data inconsistency, we are taking the entire process down.",
        ""},
    {"nccl-watchdog-exception",
        "Process group watchdog thread terminated with exception: foo", ""},
    {"nccl-system-error", "ncclSystemError: System call (e.g. socket) failed",
        ""},
    {"nccl-unhandled",
        "NCCL error in: ../ProcessGroupNCCL.cpp:784, unhandled system error, "
        "NCCL version 2.7.8",
        ""},
    {"nccl-peer-died",
        "n1:12:34 [0] NCCL WARN Call to connect returned "
        "Connection refused",
        ""},
    {"gloo-connection",
        "[../third_party/gloo/gloo/transport/tcp/pair.cc:525] Read error: "
        "Connection closed by peer",
        ""},
    {"mpi-abort", "MPI_ABORT was invoked on rank 1 in communicator", ""},
    {"port-in-use", "OSError: [Errno 98] Address already in use", ""},
    {"gpu-off-bus",
        "NVRM: Xid (PCI:0000:3b:00): 79, pid=1, GPU has fallen off "
        "the bus.",
        ""},
    {"gpu-row-remap",
        "NVRM: Xid (PCI:0000:3b:00): 63, Row Remapper: New row marked", ""},
    {"gpu-ecc", "RuntimeError: CUDA error: uncorrectable ECC error encountered",
        ""},
    {"gpu-init-adapter", "NVRM: RmInitAdapter failed! (0x26:0xffff:1290)", ""},
    {"nvml-mismatch",
        "Failed to initialize NVML: Driver/library version mismatch", ""},
    {"gpu-busy",
        "RuntimeError: CUDA error: all CUDA-capable device(s) is/are busy or "
        "unavailable",
        ""},
    {"gpu-none", "RuntimeError: No CUDA GPUs are available", ""},
    {"cuda-driver-old",
        "The NVIDIA driver on your system is too old (found version 10010).",
        ""},
    {"cuda-no-kernel",
        "CUDA error: no kernel image is available for execution on the device",
        ""},
    {"cuda-illegal-access",
        "CUDA error: an illegal memory access was "
        "encountered",
        ""},
    {"cuda-launch-failure",
        "RuntimeError: CUDA error: unspecified launch "
        "failure",
        ""},
    {"device-assert", "RuntimeError: CUDA error: device-side assert triggered",
        ""},
    {"embedding-index",
        "Indexing.cu:699: indexSelectLargeIndex: Assertion `srcIndex < "
        "srcSelectDimSize` failed.",
        "assertion"},
    {"index-out-of-range", "IndexError: index out of range in self",
        "value-error"},
    {"shape-mismatch",
        "RuntimeError: mat1 and mat2 shapes cannot be multiplied (32x10 and "
        "20x1)",
        ""},
    {"state-dict-mismatch",
        "RuntimeError: Error(s) in loading state_dict for DeepFM:", ""},
    {"unknown-option", "train.py: error: unrecognized arguments: --droput=0.1",
        ""},
    {"hydra-override", "Could not override 'model.dropuot'.", ""},
    {"module-missing", "ModuleNotFoundError: No module named 'torch'", ""},
    {"syntax-error", "NameError: name 'np' is not defined", ""},
    {"shared-library",
        "./ctr: error while loading shared libraries: libopenblas.so.0: "
        "cannot open shared object file: No such file or directory",
        "file-not-found"},
    {"file-not-found",
        "FileNotFoundError: [Errno 2] No such file or directory: 'train.csv'",
        ""},
    {"permission-denied", "PermissionError: [Errno 13] Permission denied: '/x'",
        ""},
    {"command-not-found", "sh: 1: trian: not found", ""},
    {"pickle-broken", "_pickle.UnpicklingError: pickle data was truncated", ""},
    {"checkpoint-torn",
        "RuntimeError: PytorchStreamReader failed reading zip archive: failed "
        "finding central directory",
        ""},
    {"key-error", "KeyError: 'label'", ""},
    {"value-error", "[rank1]: ValueError: could not convert string to float",
        ""},
    {"xgboost-parameter",
        "xgboost.core.XGBoostError: value -1 for Parameter max_depth exceed "
        "bound [0,inf]",
        ""},
    {"loss-scale-floor",
        "FloatingPointError: Minimum loss scale reached (0.0001). Your loss is "
        "probably exploding.",
        ""},
    {"anomaly-nan",
        "RuntimeError: Function 'LogBackward0' returned nan values in its 0th "
        "output.",
        ""},
    {"nan-input", "WARNING: NaN or Inf found in input tensor.", ""},
    {"loss-nan", "epoch 2 step 400 train_loss=nan lr=0.1", ""},
    {"lightning-not-finite",
        "Monitored metric val_loss = nan is not finite. Previous best value "
        "was 0.4. Signaling Trainer to stop.",
        "loss-nan"},
    {"diverged-said", "fatal: training diverged at step 90", ""},
    {"disk-full", "OSError: [Errno 28] No space left on device", ""},
    {"checkpoint-write",
        "RuntimeError: [enforce fail] PytorchStreamWriter failed writing file "
        "data/3",
        ""},
    {"io-error", "OSError: [Errno 5] Input/output error", ""},
    {"stale-handle", "cat: /mnt/d: Stale file handle", ""},
    {"too-many-files", "OSError: [Errno 24] Too many open files: '/dev/x'", ""},
    {"network-down",
        "socket.gaierror: [Errno -3] Temporary failure in name resolution", ""},
    {"segfault", "Segmentation fault (core dumped)", ""},
    {"illegal-instruction", "Illegal instruction (core dumped)", ""},
    {"assertion", "ctr: ctr.c:12: main: Assertion `n > 0' failed.", ""},
    {"killed", "run.sh: line 3:  4711 Killed", ""},
};

enum { FIXTURES = sizeof fixtures / sizeof fixtures[0] };

/* Lines that healthy programs print and careless patterns take for trouble. */
static const char *const clean[] = {
    "epoch 1 step 512 loss: 0.6931 auc: 0.7431 lr: 0.001",
    "valid loss=0.4412 inference took 3.1 s",
    "train_loss: 0.51 infinite loop guard: off",
    "nan_loss_checks: 0, inf values: 0",
    "INFO handler for SIGTERM installed, grace 30 s",
    "retry_on_oom=True max_oom_retries=3 killed=0",
    "Detected 0 GPUs, using the CPU",
    "[LightGBM] [Info] Total Bins 255",
    "[LightGBM] [Warning] No further splits with positive gain",
    "watch = { nan = \"fail\", spike = 3.0 }",
    "UserWarning: Detected call of lr_scheduler.step() before optimizer.step()",
    "saved checkpoint to runs/last.ckpt, previous one removed",
    "NCCL version 2.18.3+cuda12.1",
    "NCCL INFO Connected all rings",
    "early stopping: no gain for 3 epochs, best 0.7441 at 4",
    "RuntimeWarning: overflow encountered in exp",
    "device: cpu, memory limit 2G, no swap",
    "Importing features: 39 columns, 0 errors",
    "logloss 0.3311 (previous 0.3320), divergence from target 0.002",
    "  0%|          | 0/100\r 50%|#####     | 50/100\r100%|##########| 100/100",
    "elapsed: 10s, killed none, all workers exited normally",
};

static void
each_rule_has_its_text(void **state)
{
    (void)state;
    size_t n;
    const struct signature_rule *r = signature_rules(&n);
    assert_true(n >= 40);
    for (size_t i = 0; i < n; i++) {
        int count = 0;
        for (size_t k = 0; k < FIXTURES; k++)
            count += strcmp(fixtures[k].id, r[i].id) == 0;
        if (count != 1 && r[i].rank != RANK_BENIGN)
            fail_msg("rule %s has %d fixtures", r[i].id, count);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(r[i].id, r[k].id);
        assert_non_null(strchr("ABCDEFGHU", r[i].class));
        assert_true(r[i].remedy[0] != '\0' && r[i].source[0] != '\0');
    }
}

static bool
is_listed(const char *list, const char *id)
{
    size_t n = strlen(id);
    for (const char *p = list; (p = strstr(p, id)) != NULL; p += n) {
        if ((p == list || p[-1] == ' ') && (p[n] == '\0' || p[n] == ' '))
            return true;
    }
    return false;
}

static void
fixtures_match_alone(void **state)
{
    const struct signature_book *b = *state;
    struct signature_hit hits[8];
    for (size_t i = 0; i < FIXTURES; i++) {
        const struct fixture *f = &fixtures[i];
        size_t n = 0;
        assert_int_equal(
            signature_book_all(b, f->text, strlen(f->text), hits, 8, &n), 0);
        if (n == 0)
            fail_msg("%s: nothing matches its fixture", f->id);
        if (strcmp(hits[0].rule->id, f->id) != 0)
            fail_msg("%s: %s answers", f->id, hits[0].rule->id);
        for (size_t k = 1; k < n; k++) {
            if (!is_listed(f->also, hits[k].rule->id))
                fail_msg("%s: %s matches too", f->id, hits[k].rule->id);
        }
    }
}

static void
patterns_do_not_match_themselves(void **state)
{
    const struct signature_book *b = *state;
    int wrong = 0;
    for (size_t i = 0; i < signature_book_len(b); i++) {
        const struct signature_rule *r = signature_book_rule(b, i);
        const char *form[][2] = {
            {"", ""}, {"pattern = '", "'"}, {"  \"", "\","}};
        for (size_t k = 0; k < 3; k++) {
            char line[2048];
            struct signature_hit hit;
            snprintf(line, sizeof line, "%s%s%s", form[k][0], r->pattern,
                form[k][1]);
            signature_book_match(b, line, strlen(line), &hit);
            if (hit.rule != NULL && wrong++ < 99)
                print_error(
                    "%s answers to the pattern of %s\n", hit.rule->id, r->id);
        }
    }
    assert_int_equal(wrong, 0);
}

static void
clean_logs_stay_clean(void **state)
{
    const struct signature_book *b = *state;
    struct signature_hit hit;
    for (size_t i = 0; i < sizeof clean / sizeof clean[0]; i++) {
        signature_book_match(b, clean[i], strlen(clean[i]), &hit);
        if (hit.rule != NULL)
            fail_msg("%s answers to: %s", hit.rule->id, clean[i]);
    }
    const char *benign =
        "fairseq | overflow detected, setting loss scale to: 64.0";
    signature_book_match(b, benign, strlen(benign), &hit);
    assert_null(hit.rule);
}

static void
primary_beats_secondary(void **state)
{
    const struct signature_book *b = *state;
    const char *log = "step 1\n"
                      "To avoid data inconsistency, we are taking the entire "
                      "process down.\n"
                      "Traceback (most recent call last):\n"
                      "ValueError: bad\n"
                      "OSError: [Errno 28] No space left on device\n";
    struct signature_hit hit;
    signature_book_match(b, log, strlen(log), &hit);
    assert_non_null(hit.rule);
    assert_string_equal(hit.rule->id, "disk-full");
    assert_int_equal(hit.line_no, 5);
    assert_string_equal(
        hit.line, "OSError: [Errno 28] No space left on device");
}

static void
only_the_end_counts(void **state)
{
    const struct signature_book *b = *state;
    size_t n = 70000; /* whole lines of 100 bytes */
    char *log = malloc(n);
    assert_non_null(log);
    memset(log, '.', n);
    for (size_t i = 99; i < n; i += 100)
        log[i] = '\n';
    memcpy(log + 100, "MemoryError", 11);
    log[111] = '\n';
    struct signature_hit hit;
    signature_book_match(b, log, n, &hit);
    assert_null(hit.rule);
    memcpy(log + n - 100, "MemoryError", 11);
    log[n - 89] = '\n';
    signature_book_match(b, log, n, &hit);
    assert_non_null(hit.rule);
    free(log);
}

static double
seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Hostile logs: long lines without an end, the beginnings of patterns over and
 * over, bytes that are no text. */
static void
hostile_logs_cost_little(void **state)
{
    const struct signature_book *b = *state;
    static char log[SIGNATURE_TEXT_MAX];
    const char *seed[] = {"NCCL error in: ", "loss loss=", "ResourceExhausted",
        "Process 1 has 99.9 GiB memory in use\n", ": ", "a", "[LightGBM] [",
        "\xff\x00\x80\r", "Assertion `srcIndex ", "(", "(exitcode: 1"};
    for (size_t i = 0; i < sizeof seed / sizeof seed[0]; i++) {
        size_t len = strlen(seed[i]) + (seed[i][0] == '\xff' ? 3 : 0);
        for (size_t at = 0; at + len < sizeof log; at += len)
            memcpy(log + at, seed[i], len);
        struct signature_hit hit;
        double t = seconds_now();
        signature_book_match(b, log, sizeof log, &hit);
        t = seconds_now() - t;
        if (t > 10) /* without match limits: minutes */
            fail_msg("'%s' repeated took %.2f s", seed[i], t);
    }
}

static void
user_rules(void **state)
{
    (void)state;
    char path[] = "/tmp/test_signature_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    const char *text = "[rule.warehouse]\nclass = 'E'\n"
                       "pattern = 'warehouse (is )?closed'\n"
                       "remedy = 'Wait for the night load.'\n";
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    struct signature_book *b = NULL;
    struct err err = {0};
    assert_int_equal(signature_book_new(path, &b, &err), 0);
    const char *log = "OSError: [Errno 28] No space left on device\n"
                      "warehouse is closed\n";
    struct signature_hit hit;
    signature_book_match(b, log, strlen(log), &hit);
    assert_non_null(hit.rule);
    assert_string_equal(hit.rule->id, "warehouse");
    assert_int_equal(hit.rule->class, 'E');
    signature_book_free(b);
    static const char *const bad[][2] = {
        {"[rule.a]\nclass='Q'\npattern='x'\n", "class"},
        {"[rule.a]\nclass='A'\npattern='(x'\n", "pattern"},
        {"[rule.a]\nclass='A'\n", "needs pattern"},
        {"[rule.a]\nclass='A'\npattern='x'\nclas='B'\n", "unknown key"},
        {"[rules.a]\nclass='A'\n", "not known"},
        {"[rule.a\n", "1:"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, bad[i][0], strlen(bad[i][0]), 0),
            (ssize_t)strlen(bad[i][0]));
        assert_int_equal(signature_book_new(path, &b, &err), -ERR_INPUT);
        if (strstr(err.text, bad[i][1]) == NULL)
            fail_msg("'%s' lacks '%s'", err.text, bad[i][1]);
    }
    close(fd);
    unlink(path);
    assert_int_equal(
        signature_book_new("/no/such/file", &b, &err), -ERR_NOT_FOUND);
}

static int
book_open(void **state)
{
    struct err err = {0};
    struct signature_book *b = NULL;
    if (signature_book_new(NULL, &b, &err) != 0) {
        print_error("%s\n", err.text);
        return -1;
    }
    *state = b;
    return 0;
}

static int
book_close(void **state)
{
    signature_book_free(*state);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_has_its_text),
        cmocka_unit_test(fixtures_match_alone),
        cmocka_unit_test(patterns_do_not_match_themselves),
        cmocka_unit_test(clean_logs_stay_clean),
        cmocka_unit_test(primary_beats_secondary),
        cmocka_unit_test(only_the_end_counts),
        cmocka_unit_test(hostile_logs_cost_little),
        cmocka_unit_test(user_rules),
    };
    return cmocka_run_group_tests(tests, book_open, book_close);
}
