/* What one can ask the literature of ranking models: topics as data, with the
 * words by which engineers speak of them and the words of their papers. */
#ifndef PAPERS_QUESTION_TOPICS_H
#define PAPERS_QUESTION_TOPICS_H

#include <stdint.h>

enum { TOPIC_CONCEPTS_MAX = 8, TOPIC_STYLES_MAX = 4 };

struct topic {
    uint8_t concept[TOPIC_CONCEPTS_MAX]; /* enum concept; ends at NONE */
    const char *text;                    /* the question */
    const char *cues;     /* plain words, singular, joined by '|' */
    const char *families; /* of the technique library, joined by '|' */
    const char *style[TOPIC_STYLES_MAX]; /* ways to ask; NULL ends them */
    /* asked when the model underfits or overfits; NULL: nothing special */
    const char *under, *over;
};

extern const struct topic question_topics[];
uint32_t question_topic_count(void);

#endif
