/* Limits and call filters of the readers (guard.h). Called by main.c and
 * pdf.c. Invariant: a filter answers EPERM and never lets a call through that
 * it does not know. Source: seccomp(2), BPF of the kernel's headers. */
#include "papers/read/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    MEMORY = 1536, /* MiB of address space */
    HARD_SECONDS = 7200,
    PROGRAM_MAX = 160,
};

#if defined(__x86_64__)
#define GUARD_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define GUARD_ARCH AUDIT_ARCH_AARCH64
#else
#define GUARD_ARCH 0
#endif

static bool limits_on, filter_on, namespace_on;

static bool
limit(int what, rlim_t soft, rlim_t hard)
{
    struct rlimit r = {soft, hard};
    return setrlimit((__rlimit_resource_t)what, &r) == 0;
}

void
guard_limits(void)
{
    rlim_t memory = (rlim_t)MEMORY << 20;
    limits_on = limit(RLIMIT_AS, memory, memory);
    limits_on = limit(RLIMIT_NOFILE, 16, 16) && limits_on;
    limits_on = limit(RLIMIT_FSIZE, 0, 0) && limits_on;
    limits_on = limit(RLIMIT_CORE, 0, 0) && limits_on;
}

void
guard_time(uint32_t seconds)
{
    struct rusage u;
    rlim_t used = 0;
    if (getrusage(RUSAGE_SELF, &u) == 0)
        used = (rlim_t)u.ru_utime.tv_sec + (rlim_t)u.ru_stime.tv_sec;
    limits_on = limit(RLIMIT_CPU, used + seconds, HARD_SECONDS) && limits_on;
}

/* ---- filters ---- */

struct program {
    unsigned short n;
    struct sock_filter f[PROGRAM_MAX];
};

static void
put(struct program *p, struct sock_filter f)
{
    if (p->n < PROGRAM_MAX)
        p->f[p->n++] = f;
}

static void
put_answer(struct program *p, uint32_t answer)
{
    put(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, answer));
}

static void
put_load(struct program *p, size_t offset)
{
    put(p, (struct sock_filter)BPF_STMT(
               BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

/* A call by number: answer. */
static void
put_call(struct program *p, long nr, uint32_t answer)
{
    put(p, (struct sock_filter)BPF_JUMP(
               BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 1));
    put_answer(p, answer);
}

/* A call whose argument has (want) or has not one of some bits: answer, else
 * refused. */
static void
put_bits(struct program *p, long nr, unsigned arg, uint32_t bits, bool want,
    uint32_t otherwise)
{
    uint32_t yes = want ? SECCOMP_RET_ALLOW : otherwise;
    uint32_t no = want ? otherwise : SECCOMP_RET_ALLOW;
    put(p, (struct sock_filter)BPF_JUMP(
               BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 4));
    /* The low half: both machines are little endian. */
    put_load(p, offsetof(struct seccomp_data, args) + 8 * (size_t)arg);
    put(p,
        (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1));
    put_answer(p, yes);
    put_answer(p, no);
}

static void
program_begin(struct program *p)
{
    put_load(p, offsetof(struct seccomp_data, arch));
    put(p, (struct sock_filter)BPF_JUMP(
               BPF_JMP | BPF_JEQ | BPF_K, GUARD_ARCH, 1, 0));
    put_answer(p, SECCOMP_RET_KILL_PROCESS);
    put_load(p, offsetof(struct seccomp_data, nr));
}

static void
program_install(struct program *p)
{
    struct sock_fprog prog = {p->n, p->f};
    filter_on = GUARD_ARCH != 0 &&
                prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) == 0;
    if (!filter_on)
        namespace_on = unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
}

#define REFUSED (SECCOMP_RET_ERRNO | EPERM)
#define WRITES (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND)

bool
guard_self(void)
{
    static const long allowed[] = {SYS_read, SYS_readv, SYS_pread64, SYS_write,
        SYS_writev, SYS_close, SYS_fstat, SYS_newfstatat, SYS_lseek, SYS_mmap,
        SYS_munmap, SYS_mremap, SYS_mprotect, SYS_madvise, SYS_brk, SYS_futex,
        SYS_getrandom, SYS_clock_gettime, SYS_gettimeofday, SYS_getrusage,
        SYS_getpid, SYS_gettid, SYS_rt_sigreturn, SYS_rt_sigaction,
        SYS_rt_sigprocmask, SYS_tgkill, SYS_prlimit64, SYS_fcntl, SYS_wait4,
        SYS_exit, SYS_exit_group, SYS_sysinfo};
    struct program p = {0};
    program_begin(&p);
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        put_call(&p, allowed[i], SECCOMP_RET_ALLOW);
    put_bits(&p, SYS_openat, 2, WRITES, false, REFUSED);
    put_answer(&p, REFUSED);
    program_install(&p);
    return filter_on;
}

void
guard_program(void)
{
    static const long refused[] = {
        SYS_socket,
        SYS_socketpair,
        SYS_connect,
        SYS_bind,
        SYS_listen,
        SYS_sendto,
        SYS_sendmsg,
        SYS_ptrace,
        SYS_process_vm_readv,
        SYS_process_vm_writev,
        SYS_kill,
        SYS_unlinkat,
        SYS_renameat2,
        SYS_mkdirat,
        SYS_linkat,
        SYS_symlinkat,
        SYS_mknodat,
        SYS_fchmod,
        SYS_fchmodat,
        SYS_fchown,
        SYS_fchownat,
        SYS_truncate,
        SYS_ftruncate,
        SYS_utimensat,
        SYS_setxattr,
        SYS_fsetxattr,
        SYS_mount,
        SYS_umount2,
        SYS_unshare,
        SYS_setns,
        SYS_bpf,
        SYS_keyctl,
        SYS_add_key,
        SYS_io_uring_setup,
        SYS_perf_event_open,
        SYS_openat2,
#ifdef SYS_unlink
        SYS_unlink,
        SYS_rename,
        SYS_renameat,
        SYS_mkdir,
        SYS_rmdir,
        SYS_link,
        SYS_symlink,
        SYS_mknod,
        SYS_chmod,
        SYS_chown,
        SYS_lchown,
        SYS_creat,
        SYS_fork,
        SYS_vfork,
        SYS_utimes,
#endif
    };
    struct program p = {0};
    program_begin(&p);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        put_call(&p, refused[i], REFUSED);
    put_call(&p, SYS_clone3, SECCOMP_RET_ERRNO | ENOSYS);
    put_bits(&p, SYS_clone, 0, CLONE_THREAD, true, REFUSED);
    put_bits(&p, SYS_openat, 2, WRITES, false, REFUSED);
#ifdef SYS_open
    put_bits(&p, SYS_open, 1, WRITES, false, REFUSED);
#endif
    put_answer(&p, SECCOMP_RET_ALLOW);
    program_install(&p);
}

const char *
guard_words(void)
{
    if (limits_on && filter_on)
        return "limits of time and memory, a call filter, no network";
    if (limits_on && namespace_on)
        return "limits of time and memory, no network; this machine has no "
               "call filter";
    if (limits_on)
        return "limits of time and memory only: this machine allows no filter";
    return "a process of its own only: this machine allows no limits";
}
