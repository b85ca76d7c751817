/* Project files: any text is refused with a place, or gives a project that can
 * be hashed and whose jobs can be rendered. */
#include "fuzz.h"

#include "project/project.h"

#include <assert.h>
#include <string.h>

const char *const fuzz_seeds[] = {
    "schema = 1\n[project]\nname = \"m\"\n[train]\n"
    "command = \"./t --o={run_dir} {knobs} {resume}\"\n"
    "resume = \"--r={checkpoint}\"\nseed = \"seed\"\nstyle = \"argparse\"\n"
    "exit_codes = { 85 = \"preempted\" }\nfingerprint = [\"d\"]\n"
    "[train.vars]\nd = \"x\"\n[metric.auc]\nprimary = true\ngoal = \"max\"\n"
    "min_gain = 1e-3\nfrom = \"stdout\"\npattern = \"auc {value}\"\n"
    "watch = { nan = \"fail\", spike = 3.0 }\n"
    "[guardrail.l]\nmax_increase = \"1%\"\n"
    "[knob.m]\ntype = \"choice\"\nvalues = [\"fm\", \"dcn\"]\n"
    "default = \"fm\"\n[knob.n]\ntype = \"int\"\nrange = [1, 4]\n"
    "default = 2\nwhen = 'm == \"dcn\" or not (b and m in [\"fm\"])'\n"
    "[knob.b]\ntype = \"bool\"\ndefault = false\n"
    "[knob.s]\ntype = \"set\"\nvalues = [\"u\", \"i\"]\ndefault = [\"u\"]\n"
    "[knob.h]\ntype = \"list\"\nvalues = [[8], [16, 8]]\ndefault = [8]\n"
    "[fidelity]\nknob = \"n\"\nrungs = [1, 2]\n"
    "[budget]\ntotal = 9\nper_trial = 0.5\nwall_clock = \"2h\"\n"
    "[resources.exploitation]\ncpus = 4\nmemory = \"2G\"\ntime = \"3m\"\n",
    NULL,
};
const char *const fuzz_words[] = {"[knob.x]\n", "[resources.validation]\n",
    "gpus = 1\n", "price_per_hour = 2\n", "type = \"float\"\n",
    "range = [1e-4, 1.0]\n", "scale = \"log\"\n", "default = 0.5\n",
    "when = 'b'\n", "{knob.n}", "{seed}", "{", "}", "{{", "style = \"hydra\"\n",
    "style = \"env\"\n", "style = \"json\"\n", "shell = true\n",
    "flag = \"-x\"\n", "unit = \"trials\"\n", "unit = \"usd\"\n",
    "reduce = \"mean_last:3\"\n", "\"re:a(?<value>.)\"", " and ", " not in ",
    "'", "\"", "1e400", NULL};

static void
render(struct arena *a, const struct project *p, bool shell)
{
    struct config c;
    struct job_command cmd;
    struct err err = {0};
    config_default(&p->spec, &c);
    for (uint32_t i = 0; i < p->spec.n_knobs; i++) {
        const struct knob *k = &p->spec.knob[i];
        if (k->kind == KNOB_CHOICE || k->kind == KNOB_LIST)
            c.v[i] = k->n_values - 1;
    }
    config_canon(&p->spec, &c);
    struct job_request req = {.config = &c,
        .seed = 1,
        .run_dir = "r",
        .resume = shell,
        .evaluate = shell && p->evaluate.command != NULL,
        .attempt = 1};
    if (command_render(a, p, &req, &cmd, &err) == 0)
        assert(cmd.argc > 0 && cmd.argv[cmd.argc] == NULL);
    else
        assert(err.text[0] != '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = {0};
    struct project *p = NULL;
    struct err err = {0};
    char hex[PROJECT_HASH_HEX];
    if (project_parse(
            &a, "/nowhere", "f", (const char *)data, size, &p, &err) == 0) {
        project_hash(p, hex);
        assert(strlen(hex) == PROJECT_HASH_HEX - 1);
        assert(p->spec.reserve_train_u > 0 &&
               p->spec.reserve_train_u <= p->spec.total_u);
        render(&a, p, false);
        render(&a, p, true);
    } else {
        assert(strncmp(err.text, "f:", 2) == 0);
    }
    arena_fini(&a);
    return 0;
}
