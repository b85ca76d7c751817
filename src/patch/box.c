/* The box of box.h. Called by the sandbox program alone. Kernel namespaces are
 * the wall (bubblewrap makes them); the filter of system calls closes what
 * namespaces leave open: sockets of virtual machines, keys, tracing, nested
 * namespaces. Invariant: nothing is bound that is not named here or in the
 * spec, and nothing but the job's folder, or the tree of a build, is
 * writable. */
#include "patch/box.h"

#include <errno.h>
#include <glob.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/child.h"
#include "base/fs.h"

enum { WORDS_MAX = 8192, PROBE_MS = 20000, PROCESSES_MAX = 8192 };
static const char INSIDE[] = "/.rea-sandbox";

/* The system as programs need it; nothing of home folders, no accounts. */
static const char *const system_paths[] = {"/usr", "/bin", "/sbin", "/lib",
    "/lib32", "/lib64", "/libx32", "/opt", "/etc/ld.so.cache",
    "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives",
    "/etc/localtime", "/etc/nsswitch.conf", "/etc/passwd", "/etc/group",
    "/etc/fonts", "/etc/mime.types", "/etc/OpenCL", "/sys/devices/system/cpu",
    "/sys/devices/system/node"};

struct words {
    struct arena *a;
    const char **v;
    size_t n;
};

static void
word(struct words *w, const char *text)
{
    if (w->n + 1 < WORDS_MAX)
        w->v[w->n++] = text;
}

static void
words3(struct words *w, const char *a, const char *b, const char *c)
{
    word(w, a);
    word(w, b);
    word(w, c);
}

static void
words_walls(struct words *w)
{
    static const char *const walls[] = {"bwrap", "--unshare-user",
        "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts",
        "--unshare-cgroup-try", "--disable-userns", "--die-with-parent",
        "--cap-drop", "ALL", "--hostname", "rea"};
    for (size_t i = 0; i < sizeof walls / sizeof *walls; i++)
        word(w, walls[i]);
}

static void
words_system(struct words *w, const struct sandbox_spec *s)
{
    for (size_t i = 0; i < sizeof system_paths / sizeof *system_paths; i++)
        words3(w, "--ro-bind-try", system_paths[i], system_paths[i]);
    words3(w, "--proc", "/proc", "--dev");
    words3(w, "/dev", "--tmpfs", "/tmp");
    words3(w, "--tmpfs", "/run", "--tmpfs");
    word(w, "/var/tmp");
    glob_t g = {0};
    if (s->gpus && glob("/dev/nvidia*", 0, NULL, &g) == 0)
        for (size_t i = 0; i < g.gl_pathc; i++) {
            const char *dev = arena_strdup(w->a, g.gl_pathv[i]);
            words3(w, "--dev-bind-try", dev, dev);
        }
    globfree(&g);
}

/* What the spec names is seen where it is, and under the name it has in the
 * workspace, unless the commit holds a link there that leads to it. */
static void
words_read(struct words *w, const struct sandbox_spec *s, const char *tree)
{
    struct stat sb;
    for (uint32_t i = 0; i < s->read.n; i++) {
        const char *named = fs_join_in(w->a, s->root, s->read.v[i]);
        const char *real = NULL;
        if (fs_real_in(w->a, named, &real, NULL) != 0)
            continue; /* not there: the job will say so */
        size_t top = strlen(s->top);
        bool inside = strncmp(named, s->top, top) == 0 && named[top] == '/';
        const char *in_tree =
            inside ? fs_join_in(w->a, tree, named + top + 1) : NULL;
        bool link = inside && lstat(in_tree, &sb) == 0 && S_ISLNK(sb.st_mode);
        words3(w, "--ro-bind", real, link ? real : named);
    }
}

const char *const *
box_argv_in(struct arena *a, const struct sandbox_spec *s, const char *tree,
    bool writable, const char *self, const char *const *argv)
{
    struct words w = {a, arena_alloc(a, WORDS_MAX * sizeof(char *)), 0};
    words_walls(&w);
    if (s->terminal)
        word(&w, "--new-session");
    words_system(&w, s);
    words3(&w, "--bind", tree, s->top);
    word(&w, "--tmpfs");
    word(&w, fs_join_in(a, s->root, ".rea"));
    if (!writable)
        words3(&w, "--bind", s->run_dir, s->run_dir);
    if (s->earlier != NULL && !writable)
        words3(&w, s->earlier_writable ? "--bind" : "--ro-bind", s->earlier,
            s->earlier);
    words_read(&w, s, tree);
    words3(&w, "--ro-bind", self, INSIDE);
    if (!writable) {
        word(&w, "--remount-ro");
        word(&w, s->top);
    }
    word(&w, "--remount-ro");
    word(&w, "/");
    words3(&w, "--chdir", s->root, "--");
    words3(&w, INSIDE, "--inner", "--");
    for (; *argv != NULL; argv++)
        word(&w, *argv);
    w.v[w.n] = NULL;
    return w.v;
}

const char *const *
box_env_in(struct arena *a, const struct sandbox_spec *s)
{
    const char **env = arena_alloc(a, (s->env.n + 3) * sizeof *env);
    size_t n = 0;
    for (uint32_t i = 0; i < s->env.n; i++) {
        const char *value = getenv(s->env.v[i]);
        bool home = strcmp(s->env.v[i], "HOME") == 0;
        if (value != NULL && !home)
            env[n++] = arena_printf(a, "%s=%s", s->env.v[i], value);
    }
    env[n++] = "HOME=/tmp";
    env[n++] = "REA_SANDBOX=bwrap";
    env[n] = NULL;
    return env;
}

bool
box_is_there(void)
{
    struct arena a = {0};
    const char *path = getenv("PATH");
    bool found = false;
    for (const char *p = path != NULL ? path : ""; *p != '\0' && !found;) {
        size_t n = strcspn(p, ":");
        const char *dir = arena_strndup(&a, p, n);
        found = access(fs_join_in(&a, dir, "bwrap"), X_OK) == 0;
        p += n + (p[n] == ':');
    }
    arena_fini(&a);
    return found;
}

int
box_probe(struct err *err)
{
    struct buf said = {0};
    struct arena a = {0};
    struct words w = {&a, arena_alloc(&a, 64 * sizeof(char *)), 0};
    int code = 0;
    words_walls(&w);
    words3(&w, "--ro-bind", "/", "/");
    words3(&w, "--proc", "/proc", "true");
    w.v[w.n] = NULL;
    int rc = child_run(w.v, NULL, NULL, PROBE_MS, &said, &code, err);
    if (rc == 0 && code == 127)
        rc = err_set(err, -ERR_INPUT,
            "bwrap is not installed, and nothing runs a patch without its "
            "sandbox\n  remedy: install the package bubblewrap");
    else if (rc == 0 && code != 0)
        rc = err_set(err, -ERR_INPUT,
            "this machine gives no sandbox: %.300s\n"
            "  remedy: allow user namespaces (sysctl user.max_user_namespaces, "
            "kernel.unprivileged_userns_clone, or the container's profile)",
            buf_str(&said));
    buf_fini(&said);
    arena_fini(&a);
    return rc;
}

/* ---- inside ---- */

#define DENY(e) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (e))
#define LOAD(member)                                                           \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
/* The system call is refused with EPERM. */
#define REFUSE(name)                                                           \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), DENY(EPERM)

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#error "the filter of system calls is written for x86-64 and arm64"
#endif

static int
calls_filter(struct err *err)
{
    struct sock_filter code[] = {
        LOAD(arch),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        LOAD(nr),
        /* x86-64: the calls of x32 have other numbers */
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),
        DENY(ENOSYS),
        REFUSE(keyctl),
        REFUSE(add_key),
        REFUSE(request_key),
        REFUSE(bpf),
        REFUSE(perf_event_open),
        REFUSE(userfaultfd),
        REFUSE(ptrace),
        REFUSE(process_vm_readv),
        REFUSE(process_vm_writev),
        REFUSE(mount),
        REFUSE(umount2),
        REFUSE(pivot_root),
        REFUSE(setns),
        REFUSE(unshare),
        REFUSE(io_uring_setup),
        REFUSE(open_by_handle_at),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 5),
        LOAD(args[0]),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 1, 0),
        DENY(EAFNOSUPPORT),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog p = {.len = sizeof code / sizeof code[0], .filter = code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p, 0, 0) != 0)
        return err_sys(err, "filter of system calls");
    return 0;
}

int
box_become(char *const *argv, struct err *err)
{
    const struct rlimit none = {0, 0};
    const struct rlimit processes = {PROCESSES_MAX, PROCESSES_MAX};
    /* bwrap was started deaf to signals that are meant for the program */
    for (int sig = 1; sig < 32; sig++)
        signal(sig, SIG_DFL);
    if (setrlimit(RLIMIT_CORE, &none) != 0 ||
        setrlimit(RLIMIT_NPROC, &processes) != 0)
        return err_sys(err, "limits");
    int rc = calls_filter(err);
    if (rc != 0)
        return rc;
    execvp(argv[0], argv);
    return err_sys(err, "%s", argv[0]);
}
