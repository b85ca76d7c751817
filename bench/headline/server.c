/* The pipe to peer.py. Everything that is asked of Optuna passes here, so that
 * no peer sees more than a space, values and steps. */
#include "server.h"

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int
answer_read(struct server *s, struct json **out, struct err *err)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n = getline(&line, &cap, s->from);
    *out = n > 0 ? json_parse(line, (size_t)n, err) : NULL;
    free(line);
    if (*out == NULL)
        return err_set(err, -ERR_SYS, "peer.py gave no answer");
    return 0;
}

static int
question_send(struct server *s, struct buf *b, struct err *err)
{
    buf_putc(b, '\n');
    bool sent = fputs(buf_str(b), s->to) >= 0 && fflush(s->to) == 0;
    buf_fini(b);
    return sent ? 0 : err_sys(err, "peer.py does not read");
}

static void
knob_put(struct jw *w, const struct knob *k)
{
    jw_obj_begin(w);
    jw_kstr(w, "name", k->name);
    jw_ki64(w, "kind", k->kind);
    jw_kbool(w, "log", k->log);
    jw_kf64(w, "lo", k->lo);
    jw_kf64(w, "hi", k->hi);
    jw_kf64(w, "default", k->deflt);
    jw_ki64(w, "n", k->n_values);
    jw_key(w, "when");
    jw_arr_begin(w);
    for (uint32_t i = 0; i < k->n_when; i++) {
        jw_arr_begin(w);
        jw_i64(w, k->when[i].op);
        jw_i64(w, k->when[i].knob);
        jw_f64(w, k->when[i].value);
        jw_arr_end(w);
    }
    jw_arr_end(w);
    jw_obj_end(w);
}

static int
space_send(struct server *s, const struct spec *spec, const char *arm,
    uint32_t seed, struct err *err)
{
    struct buf b = {0};
    struct jw w;
    jw_init(&w, &b, 0);
    jw_obj_begin(&w);
    jw_kstr(&w, "arm", arm);
    jw_ki64(&w, "seed", seed);
    jw_key(&w, "knobs");
    jw_arr_begin(&w);
    for (uint32_t k = 0; k < spec->n_knobs; k++)
        knob_put(&w, &spec->knob[k]);
    jw_arr_end(&w);
    jw_obj_end(&w);
    return question_send(s, &b, err);
}

int
server_start(struct server *s, const struct places *p, const struct spec *spec,
    const char *arm, uint32_t seed, struct err *err)
{
    int to[2], from[2];
    struct json *hello = NULL;
    if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0)
        return err_sys(err, "pipe");
    signal(SIGPIPE, SIG_IGN);
    s->pid = fork();
    if (s->pid == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        execlp(p->python, p->python, p->peer, (char *)NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    s->to = fdopen(to[1], "w");
    s->from = fdopen(from[0], "r");
    int rc = space_send(s, spec, arm, seed, err);
    if (rc == 0)
        rc = answer_read(s, &hello, err);
    json_free(hello);
    if (rc == 0)
        return 0;
    server_stop(s);
    return err_set(err, -ERR_NOT_FOUND, "no Optuna for %s", p->python);
}

int
server_ask(struct server *s, const struct spec *spec, struct config *out,
    struct err *err)
{
    struct buf b = {0};
    struct json *j = NULL;
    buf_puts(&b, "{\"op\":\"ask\"}");
    int rc = question_send(s, &b, err);
    if (rc == 0)
        rc = answer_read(s, &j, err);
    const struct json *codes = json_get(j, "codes");
    config_default(spec, out);
    for (uint32_t k = 0; rc == 0 && k < spec->n_knobs; k++)
        out->v[k] = json_num(json_at(codes, k), spec->knob[k].deflt);
    json_free(j);
    config_canon(spec, out);
    if (rc == 0 && !config_is_valid(spec, out))
        return err_set(err, -ERR_SYS, "peer.py left the space");
    return rc;
}

bool
server_report(struct server *s, uint32_t step, double value)
{
    struct buf b = {0};
    struct json *j = NULL;
    buf_printf(
        &b, "{\"op\":\"report\",\"step\":%u,\"value\":%.17g}", step, value);
    if (question_send(s, &b, NULL) != 0 || answer_read(s, &j, NULL) != 0)
        return false;
    bool prune = json_get_bool(j, "prune", false);
    json_free(j);
    return prune;
}

int
server_tell(struct server *s, double value, bool pruned, struct err *err)
{
    struct buf b = {0};
    struct json *j = NULL;
    const char *state = pruned ? "pruned" : isfinite(value) ? "ok" : "failed";
    buf_printf(&b, "{\"op\":\"tell\",\"state\":\"%s\",\"value\":%.17g}", state,
        isfinite(value) ? value : 0.0);
    int rc = question_send(s, &b, err);
    if (rc == 0)
        rc = answer_read(s, &j, err);
    json_free(j);
    return rc;
}

void
server_stop(struct server *s)
{
    if (s->to != NULL)
        fclose(s->to);
    if (s->from != NULL)
        fclose(s->from);
    if (s->pid > 0)
        waitpid(s->pid, NULL, 0);
    *s = (struct server){0};
}
