/* What a knob means, from its name, its tags and its doc string, by a table of
 * the names that trainers use. Called by parse_knob.c. Invariant: order in the
 * table is order of preference; nothing found is CONCEPT_NONE, never a guess
 * from a part of a word. */
#include "project/read.h"

#include <ctype.h>
#include <string.h>

enum { WORD_LEN = 64 };

/* Names are compared without case and without - _ . between words; a name
 * with dots (optim.lr) is looked up whole and by its last part. */
static const struct {
    uint8_t concept;
    const char *names; /* separated by one space */
} aliases[] = {
    {CONCEPT_EMB_LEARNING_RATE,
        "emblr lremb embeddinglr lrembedding embeddinglearningrate "
        "emblearningrate sparselr lrsparse sparselearningrate"},
    {CONCEPT_LEARNING_RATE,
        "lr learningrate eta alpha0 stepsize baselr initlr initiallr "
        "maxlr denselr lrdense learnrate rate"},
    {CONCEPT_BATCH_SIZE,
        "bs batch batchsize minibatch minibatchsize trainbatchsize "
        "batchsz perdevicebatchsize trainbatch"},
    {CONCEPT_GRAD_ACCUM,
        "gradientaccumulation gradientaccumulationsteps gradaccum "
        "gradaccumsteps accumulategradbatches accumulationsteps accumsteps "
        "accumulation accum updatefreq"},
    {CONCEPT_ATTENTION_DIM,
        "attentiondim attdim attndim attentionsize attentionfactor "
        "attentionunits attnsize headdim attentionheaddim"},
    {CONCEPT_ATTENTION_HEADS,
        "heads nheads numheads attentionheads attheads attnheads nhead"},
    {CONCEPT_EMBEDDING_DIM,
        "dim k embdim embeddingdim embeddingsize embsize embeddingdimension "
        "factors nfactors numfactors latentdim latentfactors edim embed "
        "embeddim embedsize embedding embdimension rankfm nfactor"},
    {CONCEPT_EMB_REG,
        "embl2 l2emb embeddingl2 l2embedding embreg embeddingreg regemb "
        "embeddingregularizer embregularizer embwd embeddingwd wdemb "
        "embeddingweightdecay embweightdecay embeddingregularization "
        "l2regembedding lambdaemb"},
    {CONCEPT_NET_REG,
        "wd l2 lambda weightdecay l2reg regl2 reg netreg netregularizer "
        "regularization regularisation l2regularization l2penalty netl2 "
        "netwd l2regdnn decay reglambda l2lambda lambdal2 penalty"},
    {CONCEPT_EMB_DROPOUT,
        "embdropout embeddingdropout dropoutemb dropembedding dropemb "
        "inputdropout"},
    {CONCEPT_DROPOUT,
        "dropout netdropout dropoutrate droprate dropoutprob dnndropout "
        "mlpdropout pdrop pdropout drop hiddendropout keepout"},
    {CONCEPT_HIDDEN_UNITS,
        "hidden hiddenunits hiddensize mlp mlpsize mlpunits dnnhiddenunits "
        "dnnunits layersizes hiddenlayers units width dnn mlpdims "
        "hiddendim hiddendims topmlp archmlptop toplayers hiddenlayersizes"},
    {CONCEPT_CROSS_RANK,
        "crossrank lowrank rank crosslowrank lowrankdim dcnrank"},
    {CONCEPT_CROSS_LAYERS,
        "crosslayers ncross numcross numcrosslayers crossnum crossdepth "
        "crosslayernum cross crossnetlayers ncrosslayers"},
    {CONCEPT_LAYERS,
        "layers nlayers numlayers depth numhiddenlayers layernum blocks "
        "nblocks numblocks mlplayers"},
    {CONCEPT_BATCH_NORM,
        "batchnorm bn batchnormalization usebn usebatchnorm netbn "
        "batchnormalisation"},
    {CONCEPT_LAYER_NORM,
        "layernorm ln layernormalization uselayernorm useln norm"},
    {CONCEPT_ACTIVATION,
        "activation act activationfn hiddenactivation hiddenactivations "
        "dnnactivation nonlinearity actfn"},
    {CONCEPT_OPTIMIZER, "optimizer optim opt optimiser solver algorithm"},
    {CONCEPT_MODEL, "model arch architecture modelname modeltype backbone net "
                    "booster boosting"},
    {CONCEPT_RESIDUAL, "residual skip skipconnection useresidual res "
                       "residuals shortcut"},
    {CONCEPT_GATING, "gate gating gated usegate gates gatedcross"},
    {CONCEPT_ATTENTION, "attention useattention attn selfattention att"},
    {CONCEPT_FEATURES, "features fields featureset columns featurecols "
                       "usefeatures inputs"},
    {CONCEPT_MIN_COUNT, "mincount mincategrcount minfreq minfrequency mincnt "
                        "minoccurrence categorythreshold featurethreshold "
                        "minfeaturecount freqthreshold minlimit"},
    {CONCEPT_HASH_BITS, "hashbits bits hashsize hashbuckets nbuckets "
                        "numbuckets hashspace buckets hash"},
    {CONCEPT_NUMERIC, "numeric numerictransform numtransform numericbins "
                      "numericencoding logtransform normalize numerical"},
    {CONCEPT_LOSS, "loss objective lossfn lossfunction criterion losstype"},
    {CONCEPT_LABEL_SMOOTHING, "labelsmoothing smoothing labelsmooth smooth"},
    {CONCEPT_NEG_SAMPLING, "negsampling negsample negatives nneg numneg "
                           "negativesampling negrate negratio negdownsampling "
                           "negsamplingrate downsample numnegatives negkeep "
                           "downsampling"},
    {CONCEPT_SCHEDULE, "schedule scheduler lrschedule lrscheduler lrdecay "
                       "decayschedule lrpolicy"},
    {CONCEPT_WARMUP, "warmup warmupsteps warmupepochs warmupratio nwarmup"},
    {CONCEPT_EPOCHS, "epochs nepochs numepochs epoch maxepochs iterations "
                     "niter nepoch maxepoch passes"},
    {CONCEPT_PATIENCE, "patience earlystop earlystopping earlystoppatience "
                       "earlystoppingrounds earlystoppingpatience"},
    {CONCEPT_INIT, "init initscale initstd initstddev initrange inittype "
                   "initsd embinit initvalue std initializer"},
    {CONCEPT_TREES, "trees ntrees numtrees nestimators numrounds nrounds "
                    "numboostround numround rounds numiterations"},
    {CONCEPT_TREE_DEPTH, "maxdepth treedepth numleaves maxleaves leaves"},
    {CONCEPT_SUBSAMPLE, "subsample baggingfraction colsample "
                        "colsamplebytree featurefraction rowsample "
                        "samplefraction bagging"},
    {CONCEPT_EXPERTS, "experts nexperts numexperts moe"},
    {CONCEPT_SEQUENCE_LEN, "seqlen maxlen sequencelength maxseqlen "
                           "sequencelen historylength maxseqlength histlen "
                           "maxhistory window"},
    {CONCEPT_MOMENTUM, "momentum beta1 mom"},
    {CONCEPT_GRAD_CLIP, "gradclip clip clipnorm gradientclip maxgradnorm "
                        "clipgrad clipgradnorm gradclipnorm gradnorm"},
    {CONCEPT_TEMPERATURE, "temperature tau temp"},
    {CONCEPT_LINEAR, "linear uselinear wide linearpart firstorder"},
    {CONCEPT_INTERACTION, "interaction interactions arity archinteraction "
                          "interactionop interactiontype crosstype"},
};

/* Phrases of doc strings and tags; looked for as whole words, in order. */
static const struct {
    uint8_t concept;
    const char *phrase;
} phrases[] = {
    {CONCEPT_EMB_LEARNING_RATE, "embedding learning rate"},
    {CONCEPT_EMB_LEARNING_RATE, "learning rate of the embedding"},
    {CONCEPT_LEARNING_RATE, "learning rate"},
    {CONCEPT_LEARNING_RATE, "step size"},
    {CONCEPT_EMB_REG, "embedding l2"},
    {CONCEPT_EMB_REG, "l2 of the embedding"},
    {CONCEPT_EMB_REG, "embedding regular"},
    {CONCEPT_NET_REG, "weight decay"},
    {CONCEPT_NET_REG, "l2 penalty"},
    {CONCEPT_BATCH_SIZE, "batch size"},
    {CONCEPT_EMBEDDING_DIM, "embedding size"},
    {CONCEPT_EMBEDDING_DIM, "embedding dimension"},
    {CONCEPT_EMBEDDING_DIM, "latent factors"},
    {CONCEPT_EMB_DROPOUT, "embedding dropout"},
    {CONCEPT_CROSS_RANK, "rank of the cross"},
    {CONCEPT_CROSS_LAYERS, "cross layers"},
    {CONCEPT_ATTENTION_HEADS, "attention heads"},
    {CONCEPT_HIDDEN_UNITS, "hidden units"},
    {CONCEPT_HIDDEN_UNITS, "hidden layer sizes"},
    {CONCEPT_BATCH_NORM, "batch norm"},
    {CONCEPT_LAYER_NORM, "layer norm"},
    {CONCEPT_LABEL_SMOOTHING, "label smoothing"},
    {CONCEPT_NEG_SAMPLING, "negative sampling"},
    {CONCEPT_NEG_SAMPLING, "negative down-sampling"},
    {CONCEPT_NEG_SAMPLING, "down-sampling of negatives"},
    {CONCEPT_SCHEDULE, "learning-rate schedule"},
    {CONCEPT_GRAD_CLIP, "gradient clip"},
    {CONCEPT_DROPOUT, "dropout"},
    {CONCEPT_RESIDUAL, "residual"},
    {CONCEPT_ACTIVATION, "activation function"},
    {CONCEPT_OPTIMIZER, "optimizer to use"},
    {CONCEPT_MOMENTUM, "momentum"},
    {CONCEPT_SEQUENCE_LEN, "sequence length"},
};

static void
squeeze(const char *name, char out[WORD_LEN])
{
    size_t n = 0;
    for (; *name != '\0' && n + 1 < WORD_LEN; name++) {
        if (isalnum((unsigned char)*name))
            out[n++] = (char)tolower((unsigned char)*name);
    }
    out[n] = '\0';
}

static uint32_t
alias_find(const char *name)
{
    char word[WORD_LEN];
    squeeze(name, word);
    size_t n = strlen(word);
    for (size_t i = 0; n > 0 && i < sizeof aliases / sizeof aliases[0]; i++) {
        for (const char *s = aliases[i].names; *s != '\0';) {
            size_t len = strcspn(s, " ");
            if (len == n && memcmp(s, word, n) == 0)
            return aliases[i].concept;
            s += len + (s[len] == ' ');
        }
    }
    return CONCEPT_NONE;
}

static uint32_t
phrase_find(const char *text)
{
    for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++) {
        const char *at = strcasestr(text, phrases[i].phrase);
        if (at != NULL && (at == text || !isalnum((unsigned char)at[-1])))
        return phrases[i].concept;
    }
    return CONCEPT_NONE;
}

/* A tag that names a concept as the engine writes it, "batch_size". */
static uint32_t
tag_find(const char *tags)
{
    static const char *const names[] = {
#define X(name, text) text,
        CONCEPT_LIST(X)
#undef X
    };
    for (uint32_t i = 1; i < CONCEPT_COUNT; i++) {
        const char *at = strstr(tags, names[i]);
        size_t n = strlen(names[i]);
        if (at != NULL && (at == tags || at[-1] == ' ') &&
            (at[n] == ' ' || at[n] == '\0') && strchr(names[i], '_') != NULL)
            return i;
    }
    return CONCEPT_NONE;
}

uint32_t
concept_find(const char *name, const char *tags, const char *doc)
{
    uint32_t found = tag_find(tags);
    const char *dot = strrchr(name, '.');
    if (found == CONCEPT_NONE)
        found = alias_find(name);
    if (found == CONCEPT_NONE && dot != NULL)
        found = alias_find(dot + 1);
    if (found == CONCEPT_NONE)
        found = phrase_find(doc);
    return found;
}
