/* Distributions against scipy 1.17 (values printed with repr) and against
 * identities; Dunnett against nested adaptive quadrature with scipy. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "math/dist.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

/* Relative error; absolute below 1e-300. */
static void
near_at(double got, double want, double rel, const char *what, int row)
{
    if (fabs(got - want) <= rel * fabs(want) + 1e-300)
        return;
    if (got == want)
        return;
    fail_msg("%s row %d: got %.17g, want %.17g (relative error %.2g)", what,
        row, got, want, fabs(got / want - 1));
}

static void
test_normal(void **state)
{
    static const double rows[][3] = {
        {-37.5, 4.605353009581954e-308, -707.6689893175072},
        {-25.0, 3.056696706382561e-138, -316.63940800802027},
        {-19.9, 2.034643208782624e-88, -201.91716770733265},
        {-20.1, 3.689680863721302e-90, -205.92711840194826},
        {-8.0, 6.22096057427174e-16, -35.01343715991456},
        {-3.0, 0.0013498980316300933, -6.60772622151035},
        {-0.5, 0.3085375387259869, -1.1759117615936188},
        {0.0, 0.5, -0.6931471805599453},
        {0.7, 0.758036347776927, -0.2770239422771313},
        {2.5, 0.9937903346742238, -0.00622902548586},
        {6.0, 0.9999999990134123, -9.86587645524372e-10},
        {9.0, 1.0, -1.1285884059538324e-19},
    };
    (void)state;
    for (int i = 0; i < COUNT(rows); i++) {
        near_at(normal_cdf(rows[i][0]), rows[i][1], 1e-12, "cdf", i);
        near_at(normal_logcdf(rows[i][0]), rows[i][2], 1e-12, "logcdf", i);
    }
    near_at(normal_logcdf(-200), -20006.21728089819, 1e-14, "logcdf", 90);
    near_at(normal_logcdf(-1e4), -50000010.12927892, 1e-14, "logcdf", 91);
    near_at(normal_pdf(1.5), 0.12951759566589174, 1e-14, "pdf", 0);
}

static void
test_normal_quantile(void **state)
{
    static const double rows[][2] = {{1e-300, -37.0470962993612},
        {1e-20, -9.262340089798409}, {1e-06, -4.753424308822899},
        {0.02, -2.053748910631823}, {0.0243, -1.9720841590292884},
        {0.3, -0.5244005127080409}, {0.5, 0.0}, {0.9, 1.2815515655446004},
        {0.999, 3.090232306167813}, {0.999999999999, 7.0344869100478356}};
    (void)state;
    for (int i = 0; i < COUNT(rows); i++)
        if (rows[i][1] != 0)
            near_at(normal_quantile(rows[i][0]), rows[i][1], 1e-13, "q", i);
    assert_true(fabs(normal_quantile(0.5)) < 1e-15);
    assert_true(isinf(normal_quantile(0)) && isinf(normal_quantile(1)));
    for (double p = 0.001; p < 1; p += 0.001)
        near_at(normal_cdf(normal_quantile(p)), p, 1e-14, "round trip", 0);
}

static void
test_gamma(void **state)
{
    static const double rows[][4] = {
        {0.1, 0.001, 0.526768568392445, 0.473231431607555},
        {0.5, 0.2, 0.47291074313446196, 0.5270892568655381},
        {1.0, 3.0, 0.950212931632136, 0.04978706836786395},
        {2.5, 10.0, 0.9987502694369687, 0.0012497305630313773},
        {10.0, 3.0, 0.0011024881301154815, 0.9988975118698845},
        {50.0, 60.0, 0.9155933189063082, 0.08440668109369177},
        {200.0, 150.0, 5.709688574208249e-05, 0.9999429031142579},
        {5000.0, 5100.0, 0.9206711189223811, 0.07932888107761896},
    };
    (void)state;
    for (int i = 0; i < COUNT(rows); i++) {
        double a = rows[i][0];
        double x = rows[i][1];
        near_at(gamma_p(a, x), rows[i][2], 1e-11, "P", i);
        near_at(gamma_q(a, x), rows[i][3], 1e-11, "Q", i);
    }
    assert_true(gamma_p(2, 0) == 0 && gamma_q(2, INFINITY) == 0);
}

static void
test_beta(void **state)
{
    static const double rows[][4] = {
        {0.5, 0.5, 0.1, 0.20483276469913345},
        {2.0, 3.0, 0.4, 0.5247999999999999},
        {10.0, 0.5, 0.99, 0.6579281751567845},
        {1.0, 200.0, 0.01, 0.8660203251420381},
        {300.0, 200.0, 0.55, 0.011853654379737162},
        {5000.0, 4000.0, 0.56, 0.8018651249503451},
        {3.0, 7.0, 1e-08, 8.399999622000002e-23},
    };
    static const double inverse[][4] = {
        {0.05, 0.5, 0.5, 0.0061558297024311365},
        {0.5, 2.0, 3.0, 0.3857275681323895},
        {0.95, 10.0, 0.5, 0.9997984383666453},
        {1e-06, 3.0, 40.0, 0.0004452159998612149},
        {0.975, 300.0, 200.0, 0.6424995075462367},
        {0.2, 0.05, 2.0, 3.951972663930402e-15},
    };
    (void)state;
    for (int i = 0; i < COUNT(rows); i++) {
        const double *r = rows[i];
        near_at(beta_inc(r[0], r[1], r[2]), r[3], 1e-11, "I", i);
        near_at(exp(beta_inc_log(r[0], r[1], r[2])), r[3], 1e-11, "log I", i);
        near_at(1 - beta_inc(r[1], r[0], 1 - r[2]), r[3], 1e-11 + 3e-16 / r[3],
            "mirror", i);
    }
    for (int i = 0; i < COUNT(inverse); i++) {
        const double *r = inverse[i];
        near_at(beta_quantile(r[0], r[1], r[2]), r[3], 1e-10, "inverse", i);
    }
}

static void
test_student(void **state)
{
    static const double rows[][5] = {
        {-3.0, 1.0, 0.03183098861837907, 0.10241638234956672,
            -2.278708595290299},
        {-40.0, 2.5, 4.430752414491526e-06, 7.09781714524669e-05,
            -9.553138172525108},
        {-8.0, 30.0, 8.113146755217964e-09, 3.1329112378503795e-09,
            -19.581303156737295},
        {0.0, 4.0, 0.375, 0.5, -0.6931471805599453},
        {0.4, 3.0, 0.33127437234925816, 0.6420324230128149,
            -0.4431164734321905},
        {2.2, 7.0, 0.04703665572626927, 0.9681344923486817,
            -0.03238426297986518},
        {5.0, 200.0, 2.880969721998045e-06, 0.9999993749009362,
            -6.250992592602716e-07},
        {-2.0, 1000000.0, 0.053991060997102214, 0.02275026692565962,
            -3.7831784006579814},
        {-60.0, 400.0, 1.2607780292659281e-201, 2.100716404404221e-202,
            -464.37991035329014},
    };
    static const double inverse[][3] = {{0.975, 1.0, 12.706204736174694},
        {0.975, 4.0, 2.7764451051977934}, {0.95, 30.0, 1.697260886593957},
        {1e-10, 3.0, -2225.769284683093}, {0.6, 2.5, 0.2814595127485477},
        {0.005, 1000.0, -2.580754698065951},
        {0.975, 10000000.0, 1.959964221767205}};
    (void)state;
    for (int i = 0; i < COUNT(rows); i++) {
        const double *r = rows[i];
        near_at(student_pdf(r[0], r[1]), r[2], 1e-11, "pdf", i);
        near_at(student_cdf(r[0], r[1]), r[3], 1e-10, "cdf", i);
        near_at(student_logcdf(r[0], r[1]), r[4], 1e-10, "logcdf", i);
    }
    for (int i = 0; i < COUNT(inverse); i++) {
        const double *r = inverse[i];
        near_at(student_quantile(r[0], r[1]), r[2], 1e-10, "inverse", i);
    }
    near_at(student_quantile(0.975, INFINITY), 1.959963984540054, 1e-13,
        "normal limit", 0);
    assert_true(student_quantile(0.5, 3) == 0);
    /* Far below what a double can hold the logarithm still falls. */
    assert_true(student_logcdf(-1e6, 300) < -2000);
}

static void
test_chi2_and_f(void **state)
{
    static const double chi2[][3] = {{0.05, 1.0, 0.003932140000019522},
        {0.95, 4.0, 9.487729036781154}, {0.5, 0.3, 0.012469611517980431},
        {1e-08, 10.0, 0.13232794458438146}, {0.999, 100.0, 149.44925277903886},
        {0.999999999, 2.0, 41.446531730456684},
        {0.025, 3000.0, 2850.084936519793}};
    static const double f[][5] = {
        {1.0, 2.0, 3.0, 0.53524199845511, 0.46475800154489},
        {0.01, 5.0, 2.0, 9.290527179572048e-05, 0.9999070947282043},
        {9.0, 3.0, 40.0, 0.9998883325380129, 0.0001116674619871091},
        {30.0, 10.0, 100.0, 1.0, 8.104030017242466e-26}};
    static const double f_inverse[][4] = {{0.95, 2.0, 10.0, 4.1028210151304},
        {0.01, 7.0, 3.0, 0.11832520069069968},
        {0.999, 1.0, 1.0, 405284.0679028482},
        {1e-05, 20.0, 30.0, 0.13543850366115862}};
    (void)state;
    for (int i = 0; i < COUNT(chi2); i++) {
        double x = chi2_quantile(chi2[i][0], chi2[i][1]);
        near_at(x, chi2[i][2], 1e-10, "chi2", i);
        near_at(chi2_cdf(x, chi2[i][1]), chi2[i][0], 1e-9, "chi2 cdf", i);
        near_at(chi2_sf(x, chi2[i][1]), 1 - chi2[i][0], 1e-6, "chi2 sf", i);
    }
    for (int i = 0; i < COUNT(f); i++) {
        near_at(f_cdf(f[i][0], f[i][1], f[i][2]), f[i][3], 1e-11, "F", i);
        near_at(f_sf(f[i][0], f[i][1], f[i][2]), f[i][4], 1e-11, "F sf", i);
    }
    for (int i = 0; i < COUNT(f_inverse); i++) {
        const double *r = f_inverse[i];
        near_at(f_quantile(r[0], r[1], r[2]), r[3], 1e-10, "F inverse", i);
    }
}

static void
test_dunnett(void **state)
{
    static const double rows[][5] = {
        {0.95, 2, 5.0, 0.5, 3.030235946581537},
        {0.95, 3, 20.0, 0.5, 2.540349609943843},
        {0.95, 3, 12.0, 0.3333333333333333, 2.719740677156291},
        {0.9, 8, 60.0, 0.5, 2.4384316973403974},
        {0.99, 4, 10.0, 0.2, 3.9555584440122478},
        {0.95, 5, INFINITY, 0.5, 2.5114630534712603},
        {0.95, 2, 2.0, 0.5, 5.417852786292682},
        {0.95, 3, 1.0, 0.5, 20.034117253218344},
        {0.8, 6, 30.0, 0.9, 1.6891886799083289},
    };
    (void)state;
    for (int i = 0; i < COUNT(rows); i++) {
        const double *r = rows[i];
        int k = (int)r[1];
        double c = dunnett_quantile(r[0], k, r[2], r[3]);
        near_at(c, r[4], 1e-6, "critical value", i);
        near_at(dunnett_cdf(c, k, r[2], r[3]), r[0], 1e-8, "cdf", i);
        /* One comparison is the t interval. */
        near_at(dunnett_cdf(2, 1, r[2], r[3]), 1 - 2 * student_cdf(-2, r[2]),
            1e-7, "k = 1", i);
    }
    near_at(dunnett_quantile(0.95, 1, 7, 0.5), student_quantile(0.975, 7),
        1e-14, "k = 1 quantile", 0);
}

static void
test_binomial(void **state)
{
    static const double rows[][5] = {
        {0.0, 20.0, 0.95, 0.13910834066826516, 0.0},
        {1.0, 10.0, 0.975, 0.4450161170281954, 0.0025285785444617865},
        {50.0, 1000.0, 0.99, 0.06840489369563105, 0.03528149985474587},
        {20.0, 20.0, 0.95, 1.0, 0.8608916593317348},
        {19.0, 20.0, 0.95, 0.9974386212234697, 0.7838938357931526},
    };
    (void)state;
    for (int i = 0; i < COUNT(rows); i++) {
        const double *r = rows[i];
        near_at(binomial_upper(r[0], r[1], r[2]), r[3], 1e-10, "upper", i);
        near_at(binomial_lower(r[0], r[1], r[2]), r[4], 1e-10, "lower", i);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_normal),
        cmocka_unit_test(test_normal_quantile),
        cmocka_unit_test(test_gamma),
        cmocka_unit_test(test_beta),
        cmocka_unit_test(test_student),
        cmocka_unit_test(test_chi2_and_f),
        cmocka_unit_test(test_dunnett),
        cmocka_unit_test(test_binomial),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
