/* The topics (question_topics.h), what matters most first. Called by
 * question.c. The styles are usual words of the field, as a text book has
 * them: no title, no name of a method that is not in every comparison. */
#include "papers/question_topics.h"

#include <stddef.h>

#include "core/spec.h"

const struct topic question_topics[] = {
    {{CONCEPT_MODEL, CONCEPT_INTERACTION, CONCEPT_CROSS_LAYERS,
         CONCEPT_CROSS_RANK, CONCEPT_LINEAR},
        "Which backbone models feature interactions better?",
        "feature interaction|field interaction|interaction|interact|cross|"
        "feature combination|combinatorial feature|feature engineering|"
        "feature cross|crossing|cross network|cross "
        "layer|backbone|architecture|"
        "factorization machine|bilinear|inner product|high order|higher order|"
        "second order|deep ctr|ctr model|click model|multiplicative|mlp|dnn",
        "factorisation|backbone|interaction",
        {"feature interaction modeling for click-through rate prediction",
            "explicit and implicit high-order feature interactions in a cross "
            "network",
            "factorization machines and deep neural networks for CTR "
            "prediction with sparse categorical fields",
            "CTR prediction model outperforms DeepFM and DCN in AUC and "
            "logloss on Criteo and Avazu"},
        "more expressive feature interactions of higher order for CTR "
        "prediction",
        "lightweight feature interaction model with fewer parameters"},
    {{CONCEPT_SEQUENCE_LEN, CONCEPT_ATTENTION, CONCEPT_ATTENTION_DIM,
         CONCEPT_ATTENTION_HEADS},
        "How is behaviour history used best?",
        "behavior|behavior sequence|user behavior|history|sequence|seq len|"
        "long sequence|long term|lifelong|target attention|user interest|"
        "max history|clicks|recent click",
        "sequence",
        {"long-term user behavior sequence modeling for CTR prediction",
            "lifelong user interest modeling with search over behaviors",
            "target attention over user behavior sequences",
            "efficient long sequence recommendation at serving time"},
        "richer user interests from longer behavior sequences",
        "denoising user behavior sequences"},
    {{CONCEPT_EMBEDDING_DIM}, "How should embeddings be sized?",
        "embedding size|embedding dimension|embedding dim|emb dim|dimension|"
        "dimension search|per field embedding|size of every field",
        "embedding",
        {"embedding dimension search for recommender systems",
            "automatic embedding size selection per feature field",
            "embedding collapse and dimensional capacity of recommendation "
            "models"},
        "scaling embedding dimension without collapse",
        "smaller embedding dimensions for rare features"},
    {{CONCEPT_HASH_BITS, CONCEPT_MIN_COUNT},
        "How can embedding tables be smaller, or rare values served?",
        "embedding table|memory|compress|compression|hash|hash bits|quantize|"
        "quantization|prune|pruning|vocabulary|rare feature|share embedding",
        "embedding",
        {"embedding table compression for recommender systems",
            "memory-efficient embeddings by hashing and sharing",
            "pruning and quantization of embedding tables in CTR models",
            "automatic embedding size search under a memory budget"},
        NULL, "rare features embedding overfitting"},
    {{CONCEPT_EMB_REG, CONCEPT_EMB_DROPOUT, CONCEPT_EPOCHS, CONCEPT_PATIENCE},
        "How is overfitting of embeddings held?",
        "overfit|overfitting|regularization|regularize|one epoch|epoch|"
        "embedding regularization|early stopping",
        "regularisation",
        {"one-epoch overfitting phenomenon of CTR models",
            "embedding regularization against overfitting in recommendation",
            "training for multiple epochs click-through rate prediction"},
        NULL, "overfitting of deep CTR models with sparse features"},
    {{CONCEPT_EXPERTS}, "How should tasks share?",
        "multi task|task|expert|mixture of expert|conversion|cvr|negative "
        "transfer|seesaw|shared bottom|objective|gradient conflict|two label",
        "multitask",
        {"multi-task learning for recommendation",
            "mixture of experts with gates shared between tasks",
            "negative transfer and task conflict in multi-task recommendation",
            "balancing gradients and losses of several tasks"},
        NULL, NULL},
    {{CONCEPT_LEARNING_RATE, CONCEPT_EMB_LEARNING_RATE, CONCEPT_BATCH_SIZE,
         CONCEPT_OPTIMIZER, CONCEPT_SCHEDULE, CONCEPT_WARMUP,
         CONCEPT_GRAD_CLIP},
        "What helps optimisation here?",
        "optimizer|learning rate|batch size|large batch|warmup|schedule|"
        "gradient clipping|adam|adagrad|training stability|diverge",
        "optimisation",
        {"optimizer and learning rate for training recommendation models",
            "large batch training of CTR prediction models",
            "training stability of deep ranking models"},
        "faster convergence of CTR model training", NULL},
    {{CONCEPT_DROPOUT, CONCEPT_NET_REG, CONCEPT_LABEL_SMOOTHING},
        "What regularises the deep part?",
        "dropout|weight decay|l2|label smoothing|regularizer", "regularisation",
        {"dropout and regularization of deep CTR models",
            "generalization of deep recommendation models",
            "self-supervised or contrastive regularization for CTR "
            "prediction"},
        NULL, "regularization of deep recommendation models"},
    {{CONCEPT_NUMERIC}, "How should numeric fields enter?",
        "numeric|numerical|continuous feature|discretization|binning|bucketize",
        "numeric",
        {"numerical feature embedding for CTR prediction",
            "discretization of continuous features in deep models"},
        NULL, NULL},
    {{CONCEPT_LOSS, CONCEPT_TEMPERATURE},
        "Which loss ranks better and stays calibrated?",
        "loss|pairwise|listwise|calibration|calibrate|cross entropy|logloss|"
        "ranking loss|softmax",
        "loss|ranking",
        {"ranking loss and calibration in CTR prediction",
            "pairwise loss combined with binary cross entropy",
            "listwise softmax loss for ranking"},
        NULL, NULL},
    {{CONCEPT_FEATURES}, "Which features should stay?",
        "feature selection|feature importance|drop feature|which feature",
        "features",
        {"feature selection for deep recommender systems",
            "feature importance in CTR prediction"},
        "feature generation for CTR prediction",
        "feature selection removes noisy fields"},
    {{CONCEPT_GATING}, "Do gates help?", "gate|gating|gated", "gating",
        {"gating mechanism for features in CTR models",
            "personalized gate network recommendation",
            "feature refinement by instance-aware masks"},
        NULL, NULL},
    {{CONCEPT_NEG_SAMPLING}, "How should negatives be sampled?",
        "negative sampling|negative|downsampling|hard negative|sampling rate",
        "sampling",
        {"negative sampling for recommendation",
            "hard negatives and sampling bias in retrieval and ranking"},
        NULL, NULL},
    {{CONCEPT_HIDDEN_UNITS, CONCEPT_LAYERS, CONCEPT_ACTIVATION,
         CONCEPT_BATCH_NORM, CONCEPT_LAYER_NORM, CONCEPT_RESIDUAL,
         CONCEPT_INIT},
        "How should the deep part be built and scaled?",
        "hidden unit|layer size|width|depth|normalization|activation|residual|"
        "scaling law|scale up",
        "normalisation",
        {"scaling up recommendation models",
            "normalization and residual connections in deep CTR models",
            "simple MLP architectures for CTR prediction"},
        "larger model capacity and scaling laws for recommendation",
        "smaller networks and knowledge distillation for CTR prediction"},
    {{CONCEPT_TREES, CONCEPT_TREE_DEPTH, CONCEPT_SUBSAMPLE},
        "What helps tree ensembles in ranking?",
        "tree|gbdt|boosting|lambdamart|xgboost|lightgbm", "trees",
        {"gradient boosted decision trees for ranking",
            "learning to rank with tree ensembles and neural networks"},
        NULL, NULL},
};

uint32_t
question_topic_count(void)
{
    return sizeof question_topics / sizeof *question_topics;
}
