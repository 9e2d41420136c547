// Probabilities of the normal, Student's and noncentral t distributions from + - * / sqrt and our exp and log, so that
// a p-value has the same bits everywhere. Errors are the worst seen against 40-digit references
// (tests/test_statistics.cpp). Arguments are finite unless said otherwise; statistics.h checks them.
#pragma once

namespace dalea {

double normal_upper(double x);  // P(Z > x). Relative error 1e-13 for -37 <= x <= 37; 0 above 38.6
double log_gamma(double x);     // x > 0. Error 2e-14 (absolute below 10, then relative to the value)

// ln Gamma(a + 1/2) - ln Gamma(a), a > 0. Absolute error 2e-15 (relative to the value where that is above 1).
double log_gamma_half_step(double a);

// P(Gamma(a) > x), a > 0, x >= 0. Absolute error 2e-12 for a <= 5000.
double gamma_upper(double a, double x);

// P(|T| > |t|) of Student's t with df > 0 degrees of freedom; 0 for |t| > 1e150. Relative error 1e-12 for df <= 1e4
// (1e-10 up to 1e6).
double student_two_sided(double t, double df);

// The t > 0 with P(|T| > t) = p, 0 < p < 1. The error of that p is the one above.
double student_critical(double p, double df);

// P(T <= t) where T = (Z + delta) / sqrt(chi2(df) / df). Absolute error 1e-12 for 1 <= df <= 1e4.
double noncentral_t(double t, double df, double delta);

}  // namespace dalea
