/* Instantiates the inner loops for each instruction set and picks one when the
 * program starts. model.c and train.c call through the table. Invariant: the
 * choice depends on the machine alone, so a run repeats bit for bit on it. */
#include "kern.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

typedef float v8 __attribute__((vector_size(32)));
typedef float v8_any __attribute__((vector_size(32), aligned(4), may_alias));
typedef int32_t v8i __attribute__((vector_size(32)));
typedef uint32_t v8u __attribute__((vector_size(32)));
typedef float v4 __attribute__((vector_size(16)));
typedef float v4_any __attribute__((vector_size(16), aligned(4), may_alias));

#define LOAD(p) ((v8) * (const v8_any *)(const void *)(p))
#define STORE(p, x) (*(v8_any *)(void *)(p) = (x))
#define LOAD4(p) ((v4) * (const v4_any *)(const void *)(p))
#define STORE4(p, x) (*(v4_any *)(void *)(p) = (x))

#define KERN(x) base_##x
#define TARGET
#define KERN_LABEL "base"
#include "kern_impl.h"
#undef KERN
#undef TARGET
#undef KERN_LABEL

#if defined(__x86_64__)
#define KERN(x) avx2_##x
#define TARGET __attribute__((target("avx2,fma")))
#define KERN_LABEL "avx2"
#define KERN_AVX2
#include "kern_impl.h"
#undef KERN_AVX2
#undef KERN
#undef TARGET
#undef KERN_LABEL
#endif

const struct kern *const *
kern_all(void)
{
    static const struct kern *const base[] = {&base_table, NULL};
#if defined(__x86_64__)
    static const struct kern *const both[] = {&avx2_table, &base_table, NULL};
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return both;
#endif
    return base;
}

const struct kern *
kern_get(void)
{
    return kern_all()[0];
}
