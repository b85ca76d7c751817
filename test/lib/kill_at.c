/* Runs a command and kills it with SIGKILL at its n-th system call:
 *   kill_at N COMMAND...
 * Exit code 0: it was killed there; 3: it ended before, its number of system
 * calls is printed on standard error. Only the first process is counted. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
    long at = argc > 2 ? strtol(argv[1], NULL, 10) : -1, n = 0;
    int status = 0;
    if (at < 0)
        return 2;
    pid_t pid = fork();
    if (pid == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return 2;
    ptrace(PTRACE_SETOPTIONS, pid, NULL,
        (void *)(long)(PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD));
    for (int sig = 0;;) {
        ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)sig);
        if (waitpid(pid, &status, 0) != pid)
            return 2;
        if (WIFEXITED(status) || WIFSIGNALED(status))
            break;
        sig = WSTOPSIG(status);
        if (sig == (SIGTRAP | 0x80) || sig == SIGTRAP)
            sig = 0;
        if (WSTOPSIG(status) == (SIGTRAP | 0x80) && ++n == 2 * at) {
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            return 0;
        }
    }
    fprintf(stderr, "%ld\n", n / 2);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 3 : 1;
}
