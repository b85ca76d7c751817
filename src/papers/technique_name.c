/* What a paper calls what it brings: the name before the colon of its title,
 * and names in sentences that propose ("we present X, a ...", "a network
 * (X)", "called X") or report ("the effectiveness of X"). Called by evidence.c
 * and the bench. Invariant: a name is a run of bytes of the title or the text;
 * data sets, benchmarks and tasks that are brought are no techniques. */
#include "papers/technique_find.h"

#include <ctype.h>
#include <string.h>

#include "papers/claim_token.h"
#include "papers/metric_word.h"

enum {
    NAMES_MAX = 24,
    PROPOSAL_REACH = 34,
    APPOSED_REACH = 20,
    NAME_BYTES_MAX = 40,
    REPORTED_BONUS = 3
};

const char *
technique_part_name(uint32_t part)
{
    static const char *const name[] = {
#define X(id, text, family) text,
        TECHNIQUE_PART_LIST(X)
#undef X
    };
    return part < TECHNIQUE_PART_COUNT ? name[part] : "?";
}

const char *
technique_part_family(uint32_t part)
{
    static const char *const family[] = {
#define X(id, text, family) family,
        TECHNIQUE_PART_LIST(X)
#undef X
    };
    return part < TECHNIQUE_PART_COUNT ? family[part] : "";
}

/* ---- what it acts on ---- */

static const struct {
    uint8_t part;
    const char *words; /* stems; two words are joined by a space */
} topics[] = {
    {TECHNIQUE_PART_MULTITASK, "multi-task|multitask|multi-scenario|"
                               "multi-domain|multi-objective|cross-domain"},
    {TECHNIQUE_PART_OPTIMISER, "optimizer|optimiser|learning rate"},
    {TECHNIQUE_PART_SAMPLING, "negative sampl|data sampl|subsampl|"
                              "hard negative|dataset distill|denois"},
    {TECHNIQUE_PART_DEBIASING, "debias|unbiased|counterfactual|popularity bias|"
                               "position bias|fairness|causal"},
    {TECHNIQUE_PART_GENERATIVE, "generative|semantic id|tokeniz|large language|"
                                "llm"},
    {TECHNIQUE_PART_EMBEDDING, "embedding table|embedding compress|embedding "
                               "prun|embedding size|embedding dimension|"
                               "hash embedding|quantiz"},
    {TECHNIQUE_PART_GRAPH, "graph"},
    {TECHNIQUE_PART_SEQUENCE, "sequential|sequence|user behavior|interest|"
                              "session"},
    {TECHNIQUE_PART_INTERACTION, "feature interaction|cross network|feature "
                                 "cross|ctr prediction|click-through|mlp|"
                                 "factorization"},
    {TECHNIQUE_PART_FEATURES, "feature select|feature engineer|numerical "
                              "feature|feature represent"},
    {TECHNIQUE_PART_COLD_START, "cold-start|cold start|long-tail"},
    {TECHNIQUE_PART_LOSS, "loss|contrastive|objective function|calibrat"},
    {TECHNIQUE_PART_RETRIEVAL, "retrieval|two-tower|candidate generation|"
                               "matching"},
    {TECHNIQUE_PART_REGULARISATION, "regulariz|dropout|distill"},
};

/* Does text[begin, end) hold one of the stems, at the start of a word? */
static bool
span_has(const char *text, size_t begin, size_t end, const char *stems)
{
    while (*stems != '\0') {
        size_t n = strcspn(stems, "|");
        for (size_t i = begin; i + n <= end; i++)
            if (strncasecmp(text + i, stems, n) == 0 &&
                (i == begin || !isalnum((unsigned char)text[i - 1])))
                return true;
        stems += n + (stems[n] == '|');
    }
    return false;
}

static uint32_t
part_of(const char *title, const char *text, uint32_t begin, uint32_t end)
{
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
            if (pass == 0 ? span_has(title, 0, strlen(title), topics[i].words)
                          : span_has(text, begin, end, topics[i].words))
                return topics[i].part;
    return TECHNIQUE_PART_UNKNOWN;
}

/* ---- the shape of a name ---- */

static bool
is_common(const char *word)
{
    static const char known[] =
        "llm|llms|ctr|cvr|gnn|gnns|rl|mtl|cf|kg|kgs|id|ids|gmv|ai|nlp|plm|"
        "plms|rs|rss|crs|poi|pois|cdr|sr|gr|ltr|rag|sft|dpo|rlhf|dnn|dnns|mlp|"
        "mlps|cnn|cnns|rnn|vae|gan|gans|ssl|ood|kd|mf|ml|dl|nn|api|apis|gpu|"
        "gpus|cpu|dau|auc|ndcg|hr|mrr|ips|dr|ab|mlm|lm|lms|mllm|mllms|vlm|"
        "vlms|moe|ltv|ecpm|rtb|kpi|kpis|sota|qa|ir|it|moo|cot|fl|bpr|mtr|"
        "msr|cl|gcl|gcn|gcns|ann|sid|sids|grpo|ppo|mab|mabs|mnar|ope|opl|"
        "dlrm|dlrms|e-commerce|ulr|ultr|ips|svd|pca|sgd|bert|gpt|clip|roi|"
        "roas|cpa|cpc|o2o|b2b|kuaishou|taobao|linkedin|tiktok|youtube|"
        "pinterest|wechat|alibaba|tencent|meituan|airbnb|github|arxiv|u.s|"
        "covid|covid-19|cs|hci|sigir|kdd|www|recsys|msrec|pbm|ue|map|fm|din|"
        "im|ims|mtf|sbr|gbdt|gbdts|seo|sem|dsp|ssp|oo|mbr|mmr|cikm|wsdm|ndcg|"
        "pv|uv|ltr|lstm|gru|mdp|mdps|pomdp|dnn-based|llm-based|gnn-based|"
        "iid|xai|genai|aigc|llmrec|llmrecs|ui|ux|vr|ar|tv|nft|iot|aiot|ats";
    return word_is(word, known);
}

/* Capitals beyond the first letter, or a capital and a digit. */
static bool
is_name(const char *s, size_t n)
{
    size_t upper = 0, digits = 0, lower = 0;
    if (n < 2 || n > NAME_BYTES_MAX || !isalnum((unsigned char)s[0]) ||
        isdigit((unsigned char)s[0]))
        return false;
    char word[CLAIM_WORD_LEN];
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        upper += isupper((unsigned char)s[i]) != 0;
        digits += isdigit((unsigned char)s[i]) != 0;
        lower += islower((unsigned char)s[i]) != 0;
        if (k + 1 < sizeof word)
            word[k++] = (char)tolower((unsigned char)s[i]);
    }
    word[k] = '\0';
    if (is_common(word) || memchr(s, '@', n) != NULL ||
        memchr(s, '/', n) != NULL)
        return false;
    /* "Two-Tower", "User-Centric" are words */
    bool compound = memchr(s, '-', n) != NULL && digits == 0 && lower > 0;
    for (size_t i = 1; compound && i < n; i++)
        if (isupper((unsigned char)s[i]) && s[i - 1] != '-')
            compound = false;
    return !compound && (upper >= 2 || (upper == 1 && digits > 0) ||
                            (upper == 1 && !isupper((unsigned char)s[0])));
}

/* ---- collecting ---- */

struct names {
    const char *title, *text;
    size_t len;
    uint32_t n;
    struct technique_name name[NAMES_MAX];
    uint32_t count[NAMES_MAX]; /* times in the text */
    bool resource[NAMES_MAX];  /* a data set, a benchmark, a task */
};

static uint32_t
occurs(const struct names *x, const char *name, size_t n)
{
    uint32_t count = 0;
    for (size_t at = 0; at + n <= x->len;) {
        const char *hit = memmem(x->text + at, x->len - at, name, n);
        if (hit == NULL)
            break;
        size_t i = (size_t)(hit - x->text);
        count += (i == 0 || !isalnum((unsigned char)x->text[i - 1])) &&
                 (i + n >= x->len || !isalnum((unsigned char)x->text[i + n]));
        at = i + n;
    }
    return count;
}

/* "HGNNs": a class of models, not one. */
static bool
is_class(const char *s, size_t n)
{
    if (n < 3 || s[n - 1] != 's')
        return false;
    for (size_t i = 0; i + 1 < n; i++)
        if (!isupper((unsigned char)s[i]))
            return false;
    return true;
}

static void
name_add(struct names *x, const char *s, size_t n, uint32_t begin, uint32_t end,
    bool resource)
{
    while (n > 0 && strchr(".,;:-'", s[n - 1]) != NULL)
        n--;
    if (n > 2 && s[n - 1] == 's' && s[n - 2] == '\'')
        n -= 2;
    if (n == 0 || n >= TECHNIQUE_NAME_LEN || is_class(s, n))
        return;
    for (uint32_t i = 0; i < x->n; i++)
        if (strlen(x->name[i].name) == n &&
            strncasecmp(x->name[i].name, s, n) == 0) {
            x->resource[i] |= resource;
            if (x->name[i].end == 0) {
                x->name[i].begin = begin;
                x->name[i].end = end;
            }
            return;
        }
    if (x->n == NAMES_MAX)
        return;
    struct technique_name *t = &x->name[x->n];
    memset(t, 0, sizeof *t);
    memcpy(t->name, s, n);
    t->begin = begin;
    t->end = end;
    x->resource[x->n] = resource;
    x->count[x->n++] = occurs(x, s, n);
}

/* ---- the title ---- */

static const char resources[] =
    "dataset|benchmark|survey|workshop|challenge|library|toolkit|corpus|"
    "testbed|tutorial|reproducib|replicab|simulator|measure|metric|evaluation";

static void
title_name(struct names *x)
{
    const char *colon = strchr(x->title, ':');
    if (colon == NULL || colon == x->title)
        return;
    const char *s = x->title;
    while (*s == ' ')
        s++;
    size_t n = (size_t)(colon - s);
    while (n > 0 && s[n - 1] == ' ')
        n--;
    const char *space = memchr(s, ' ', n);
    size_t last = space != NULL ? (size_t)(s + n - space) - 1 : n;
    if (n == 0 || n > NAME_BYTES_MAX)
        return;
    /* two words are a name where the second looks like one */
    if (space != NULL &&
        (!isupper((unsigned char)s[0]) || !is_name(space + 1, last) ||
            memchr(space + 1, ' ', last) != NULL))
        return;
    /* one plain word is a name where the text uses it as one */
    bool plain = isupper((unsigned char)s[0]) && n >= 3 && occurs(x, s, n) >= 2;
    if (is_name(s, n) || plain || space != NULL)
        name_add(x, s, n, 0, 0, span_has(colon, 0, strlen(colon), resources));
}

/* ---- sentences ---- */

struct line {
    uint32_t begin, end, n;
    struct claim_token t[CLAIM_TOKENS_MAX];
};

static bool
is_word(const struct line *l, uint32_t i, const char *words)
{
    return i < l->n && l->t[i].kind == TOKEN_WORD &&
           word_is(l->t[i].word, words);
}

static bool
is_mark(const struct line *l, uint32_t i, char c)
{
    return i < l->n && l->t[i].kind == TOKEN_MARK && l->t[i].mark == c;
}

static bool
token_names(const struct names *x, const struct line *l, uint32_t i)
{
    return i < l->n && l->t[i].kind == TOKEN_WORD &&
           is_name(x->text + l->t[i].begin, l->t[i].end - l->t[i].begin);
}

static void
token_add(struct names *x, const struct line *l, uint32_t i, bool resource)
{
    name_add(x, x->text + l->t[i].begin, l->t[i].end - l->t[i].begin, l->begin,
        l->end, resource);
}

static bool
is_resource_word(const struct line *l, uint32_t i)
{
    return is_word(l, i,
        "dataset|datasets|benchmark|benchmarks|library|toolkit|corpus|task|"
        "problem|setting|issue|scenario|scenarios|metric|metrics|measure|"
        "measures|simulator|testbed|platform|challenge|tasks|problems");
}

static bool
proposes(const struct line *l, uint32_t i)
{
    return is_word(l, i,
        "propose|proposes|proposed|present|presents|introduce|introduces|"
        "develop|develops|developed|design|designs|designed|devise|devises|"
        "build|describe|describes|formulate|put|unveil|presented|introduced");
}

static bool
is_ours(const struct line *l, uint32_t v)
{
    uint32_t from = v > 8 ? v - 8 : 0;
    for (uint32_t i = from; i < v; i++)
        if (is_word(l, i, "we|our|paper|work|article|study|this|is|thus"))
            return true;
    return false;
}

/* A plain capitalised word in brackets is a name where it comes again. */
static bool
word_is_used(const struct names *x, const struct line *l, uint32_t i)
{
    if (i >= l->n || l->t[i].kind != TOKEN_WORD)
        return false;
    const char *s = x->text + l->t[i].begin;
    size_t n = l->t[i].end - l->t[i].begin;
    return n >= 4 && n <= NAME_BYTES_MAX && isupper((unsigned char)s[0]) &&
           occurs(x, s, n) >= 2;
}

/* "(NAME)", "(called NAME)", "(NAME for short)" at token i, a "(". */
static bool
bracket_name(
    const struct names *x, const struct line *l, uint32_t i, uint32_t *at)
{
    uint32_t j = i + 1;
    if (!is_mark(l, i, '('))
        return false;
    while (is_word(l, j,
        "short|for|called|named|namely|i.e|abbreviated|as|"
        "termed|dubbed|denoted|abbr"))
        j++;
    if (!token_names(x, l, j) && !word_is_used(x, l, j))
        return false;
    *at = j;
    return is_mark(l, j + 1, ')') || is_word(l, j + 1, "for|in");
}

/* What a name is called by when it is the whole. */
static bool
is_whole_word(const struct line *l, uint32_t i)
{
    return is_word(
        l, i, "framework|model|method|network|approach|algorithm|architecture");
}

/* "a novel benchmark of ...": up to where it says what for. */
static bool
says_resource(const struct line *l, uint32_t i)
{
    for (uint32_t n = 0; n < 8 && i < l->n; i++, n++) {
        if (is_word(l, i, "that|which|for|to|of|with|by|using"))
            return false;
        if (is_resource_word(l, i))
            return true;
    }
    return false;
}

/* What results are told of is rather the whole than a part of it. */
static void
reported_add(struct names *x, const struct line *l, uint32_t i)
{
    const char *s = x->text + l->t[i].begin;
    size_t n = l->t[i].end - l->t[i].begin;
    token_add(x, l, i, false);
    for (uint32_t k = 0; k < x->n; k++)
        if (strlen(x->name[k].name) == n &&
            strncasecmp(x->name[k].name, s, n) == 0)
            x->count[k] += REPORTED_BONUS;
}

static void
bracket_add(struct names *x, const struct line *l, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to && i < l->n; i++) {
        uint32_t at;
        if (!bracket_name(x, l, i, &at))
            continue;
        bool resource = is_resource_word(l, at + 2) ||
                        (is_mark(l, at + 2, ',') && says_resource(l, at + 3));
        for (uint32_t j = i > 3 ? i - 3 : 0; j < i; j++)
            resource |= is_resource_word(l, j);
        if (is_whole_word(l, at + 2) || (i > 0 && is_whole_word(l, i - 1)))
            reported_add(x, l, at);
        token_add(x, l, at, resource);
    }
}

/* "we propose NAME, a ...": NAME right behind the verb. */
static void
direct_add(struct names *x, const struct line *l, uint32_t v)
{
    uint32_t j = v + 1;
    while (is_word(l, j, "a|an|the|novel|new|our|such|simple|unified|named"))
        j++;
    if (j > v + 5 || !token_names(x, l, j))
        return;
    bool apposed = is_mark(l, j + 1, ',') || is_mark(l, j + 1, '(') ||
                   is_mark(l, j + 1, '.') || is_mark(l, j + 1, ':') ||
                   is_mark(l, j + 1, '-') || j + 1 == l->n ||
                   is_word(l, j + 1, "a|an|which|that|to|as|for|and");
    uint32_t after =
        is_mark(l, j + 1, ',') || is_mark(l, j + 1, ':') ? j + 2 : j + 1;
    if (apposed)
        token_add(x, l, j, says_resource(l, after));
}

/* "we propose a framework, NAME, to ..." */
static void
apposed_add(struct names *x, const struct line *l, uint32_t v)
{
    for (uint32_t i = v + 2; i < v + APPOSED_REACH && i + 1 < l->n; i++) {
        if (!is_mark(l, i, ',') || !token_names(x, l, i + 1))
            continue;
        bool ends = i + 2 == l->n || is_mark(l, i + 2, ',') ||
                    is_mark(l, i + 2, '.') || is_mark(l, i + 2, '(') ||
                    is_word(l, i + 2, "to|which|that|based|for|a|whose|by");
        bool resource = is_word(l, i - 1, "and|as|including");
        for (uint32_t j = i > 3 ? i - 3 : 0; j < i; j++)
            resource |= is_resource_word(l, j);
        if (ends)
            token_add(x, l, i + 1, resource);
        return;
    }
}

static void
called_add(struct names *x, const struct line *l)
{
    for (uint32_t i = 1; i + 1 < l->n; i++) {
        uint32_t j = i + 1;
        if (!is_word(l, i, "named|called|termed|dubbed|namely|coined|i.e"))
            continue;
        while (is_mark(l, j, ',') || is_mark(l, j, '"') || is_mark(l, j, '`') ||
               is_word(l, j, "as|the|a"))
            j++;
        bool resource = false;
        for (uint32_t k = i > 6 ? i - 6 : 0; k < i; k++)
            resource |= is_resource_word(l, k);
        if (token_names(x, l, j))
            token_add(x, l, j, resource);
    }
}

/* "the effectiveness of NAME", "NAME outperforms". */
static void
report_add(struct names *x, const struct line *l)
{
    for (uint32_t i = 0; i < l->n; i++) {
        if (!token_names(x, l, i))
            continue;
        bool praised =
            i >= 2 && is_word(l, i - 1, "of|proposed|our") &&
            is_word(l, i - (is_word(l, i - 1, "of") ? 2 : 1),
                "effectiveness|superiority|efficacy|efficiency|advantages|"
                "performance|proposed|our|robustness|validity");
        uint32_t j = i + 1;
        while (is_word(l, j,
            "consistently|significantly|also|not|only|further|"
            "has|been|can|successfully|substantially"))
            j++;
        bool acts = (i == 0 || !is_word(l, i - 1,
                                   "over|than|of|to|with|and|in|on|like|as")) &&
                    is_word(l, j,
                        "outperforms|outperform|achieves|improves|surpasses|"
                        "yields|deployed|delivers|produces|reduces|exceeds");
        if (praised || acts)
            reported_add(x, l, i);
    }
}

static void
line_read(struct names *x, const struct line *l)
{
    for (uint32_t v = 0; v < l->n; v++) {
        if (!proposes(l, v) || !is_ours(l, v))
            continue;
        direct_add(x, l, v);
        apposed_add(x, l, v);
        bracket_add(x, l, v, v + PROPOSAL_REACH);
        if (is_word(l, v, "proposed|introduced|presented|developed|designed"))
            bracket_add(x, l, 0, v);
    }
    called_add(x, l);
    report_add(x, l);
}

/* The name in the title leads; else the one that the text speaks of most. */
static uint32_t
main_name(const struct names *x, bool titled)
{
    uint32_t best = x->n;
    if (titled)
        return x->resource[0] ? x->n : 0;
    for (uint32_t i = 0; i < x->n; i++)
        if (!x->resource[i] && (best == x->n || x->count[i] > x->count[best]))
            best = i;
    return best;
}

uint32_t
technique_names(const char *title, const char *text, struct technique_name *out,
    uint32_t max)
{
    struct names x = {.title = title, .text = text, .len = strlen(text)};
    struct line l;
    size_t at = 0;
    title_name(&x);
    bool titled = x.n > 0;
    while (sentence_next(text, x.len, &at, &l.begin, &l.end)) {
        l.n = sentence_tokens(text, l.begin, l.end, l.t);
        line_read(&x, &l);
    }
    uint32_t lead = main_name(&x, titled), n = 0;
    for (uint32_t pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < x.n && n < max; i++) {
            if (x.resource[i] || (i == lead) != (pass == 0))
                continue;
            out[n] = x.name[i];
            out[n].part = i != lead;
            out[n].acts_on = part_of(title, text, out[n].begin, out[n].end);
            n++;
        }
    return n;
}
