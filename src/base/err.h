/* Errors on their road out: a negative code and a text that grows at the
 * front as it is wrapped on the way to the user.
 * Success is 0, failure is -ERR_*; nothing else is ever returned as a code. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

/*  name       code  exit  meaning */
#define ERR_LIST(X)                                                            \
    X(INPUT, 1, 2, "bad input")                                                \
    X(APPROVAL, 2, 3, "needs an engineer's approval")                          \
    X(CHECK, 3, 4, "a check failed")                                           \
    X(SYS, 4, 1, "the system refused")                                         \
    X(FULL, 5, 1, "no space left")                                             \
    X(BUSY, 6, 1, "busy")                                                      \
    X(NOT_FOUND, 7, 2, "not found")                                            \
    X(CORRUPT, 8, 1, "corrupt state")                                          \
    X(VERSION, 9, 2, "state of another version")                               \
    X(LIMIT, 10, 2, "a limit was reached")                                     \
    X(REFUSED, 11, 1, "refused")                                               \
    X(AGAIN, 12, 1, "need more input")

enum err_code {
    ERR_NONE = 0,
#define X(name, code, exit, text) ERR_##name = code,
    ERR_LIST(X)
#undef X
};

struct err {
    int code; /* 0 or -ERR_* */
    char text[1200];
};

/* Sets code and text, returns the (negative) code. `code` is -ERR_*. e may be
 * NULL. */
int err_set(struct err *e, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "fmt: " before the text that is there, returns code. */
int err_wrap(struct err *e, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Like err_set with -ERR_SYS (or -ERR_FULL for ENOSPC/EDQUOT) and ": " +
 * strerror(errno) behind the text. */
int err_sys(struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Exit code of the program for a (negative) error code: 0..4. */
int err_exit(int code);

/* Short words for a code, e.g. "bad input". */
const char *err_name(int code);

#endif
