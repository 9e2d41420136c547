#include "analysis/special.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "numerics/math.h"

namespace dalea {
namespace {

constexpr double log_pi = 1.1447298858494001741;
constexpr double log_two_pi = 1.8378770664093454836;

// log(1 + y), y > -1: the rounding of 1 + y cancels in the quotient.
double log_one_plus(double y) {
  const double u = 1 + y;
  if (u > 1e17) return portable::log(u);
  return u == 1 ? y : portable::log(u) * (y / (u - 1));
}

double normal_density(double x) {
  return portable::exp(-0.5 * (x * x + log_two_pi));
}

// The continued fraction of the regularised incomplete beta function (DLMF 8.17.22), from the front by Lentz's method.
double beta_fraction(double a, double b, double x) {
  constexpr double tiny = 1e-300;
  double c = 1, d = 1 - (a + b) * x / (a + 1);
  d = 1 / (std::fabs(d) < tiny ? tiny : d);
  double value = d;
  for (int m = 1; m <= 200000; ++m) {
    for (int odd = 0; odd < 2; ++odd) {
      const double k = odd != 0 ? -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
                                : m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
      d = 1 + k * d;
      d = 1 / (std::fabs(d) < tiny ? tiny : d);
      c = 1 + k / c;
      if (std::fabs(c) < tiny) c = tiny;
      value *= d * c;
    }
    if (std::fabs(d * c - 1) < 1e-16) break;
  }
  return value;
}

// The logarithm of the density of ln S, S = sqrt(chi2(df) / df), relative to its peak at S = 1.
double log_chi(double u, double df) {
  return df * (u - 0.5 * (portable::exp(2 * u) - 1));
}

// P(T <= t) by the trapezoid rule over u = ln S, whose error falls exponentially with 1 / step for analytic integrands:
// the step resolves both the density of u and the normal distribution's rise at S = delta / t.
double mixture_over_chi(double t, double df, double delta) {
  const double step = std::min(0.7 / std::sqrt(2 * df + 2), 0.6 / (std::fabs(delta) + 10));
  double above = 0, all = 0;
  for (int side = -1; side <= 1; side += 2)
    for (int64_t k = side < 0 ? 1 : 0;; ++k) {
      const double u = side * static_cast<double>(k) * step, weight_log = log_chi(u, df);
      if (weight_log < -42) break;
      const double weight = portable::exp(weight_log);
      all += weight;
      above += weight * normal_upper(delta - t * portable::exp(u));
    }
  return above / all;
}

// The same over z: T <= t where S >= (z + delta) / t. For a large delta, t > 0.
double mixture_over_normal(double t, double df, double delta) {
  const double step = std::min(0.25, 0.4 * t / std::sqrt(2 * df));
  const int64_t half = static_cast<int64_t>(8.6 / step) + 1;
  double sum = 0;
  for (int64_t k = -half; k <= half; ++k) {
    const double z = static_cast<double>(k) * step, s = (z + delta) / t;
    sum += normal_density(z) * gamma_upper(0.5 * df, 0.5 * df * s * s);
  }
  return std::min(1.0, sum * step);
}

}  // namespace

double normal_upper(double x) {
  if (x < 0) return 1 - normal_upper(-x);
  if (x > 38.6) return 0;
  if (x < 2.5) {  // 1/2 - density * (x + x^3/3 + x^5/(3*5) + ...)
    double term = x, sum = x;
    for (int k = 3; term > sum * 1e-17; k += 2) {
      term *= x * x / k;
      sum += term;
    }
    return 0.5 - normal_density(x) * sum;
  }
  double tail = x;  // density / (x + 1/(x + 2/(x + ...))), Laplace
  for (int k = 10 + static_cast<int>(500 / (x * x)); k >= 1; --k) tail = x + k / tail;
  return normal_density(x) / tail;
}

double log_gamma(double x) {
  double product = 1;
  for (; x < 15; x += 1) product *= x;
  const double q = 1 / (x * x);
  constexpr double stirling[] = {1.0 / 156,  -691.0 / 360360, 1.0 / 1188, -1.0 / 1680,
                                 1.0 / 1260, -1.0 / 360,      1.0 / 12};  // DLMF 5.11.1
  double series = 0;
  for (double coefficient : stirling) series = series * q + coefficient;
  return (x - 0.5) * portable::log(x) - x + 0.5 * log_two_pi + series / x - portable::log(product);
}

double log_gamma_half_step(double a) {
  double product = 1;
  for (; a < 15; a += 1) product *= a / (a + 0.5);
  const double q = 1 / (a * a);
  constexpr double series[] = {691.0 / 180224, -31.0 / 18432, 17.0 / 14336, -1.0 / 640, 1.0 / 192, -1.0 / 8};
  double sum = 0;
  for (double coefficient : series) sum = sum * q + coefficient;
  return 0.5 * portable::log(a) + sum / a + portable::log(product);
}

double gamma_upper(double a, double x) {
  if (x <= 0) return 1;
  const double log_front = a * portable::log(x) - x - log_gamma(a);
  if (x < a + 1) {  // 1 - the series of the lower function (DLMF 8.11.4)
    double term = 1 / a, sum = term;
    for (double k = a + 1; term > sum * 1e-17; k += 1) {
      term *= x / k;
      sum += term;
    }
    return 1 - sum * portable::exp(log_front);
  }
  if (log_front < -745) return 0;
  double b = x + 1 - a, c = 1e300, d = 1 / b, value = d;  // DLMF 8.9.2, even part
  for (int k = 1; k <= 100000; ++k) {
    const double numerator = -k * (k - a);
    b += 2;
    d = 1 / (numerator * d + b);
    c = b + numerator / c;
    value *= d * c;
    if (std::fabs(d * c - 1) < 1e-16) break;
  }
  return value * portable::exp(log_front);
}

double student_two_sided(double t, double df) {
  if (std::fabs(t) > 1e150) return 0;
  // I_x(df/2, 1/2) with x = df / (df + t^2), y = 1 - x.
  const double a = 0.5 * df, r = t * t / df, x = 1 / (1 + r), y = r > 1 ? 1 / (1 + 1 / r) : r / (1 + r);
  if (y == 0) return 1;
  const double log_front = -a * log_one_plus(r) + 0.5 * (portable::log(y) - log_pi) + log_gamma_half_step(a);
  const double front = portable::exp(log_front);
  if (x < (a + 1) / (a + 2.5)) return std::min(1.0, front * beta_fraction(a, 0.5, x) / a);
  return std::max(0.0, 1 - front * beta_fraction(0.5, a, y) / 0.5);
}

double student_critical(double p, double df) {
  double low = 0, high = 1;
  while (student_two_sided(high, df) > p && high < 1e150) {
    low = high;
    high *= 2;
  }
  for (int k = 0; k < 200 && high - low > 1e-15 * high; ++k) {
    const double middle = low + 0.5 * (high - low);
    (student_two_sided(middle, df) > p ? low : high) = middle;
  }
  return low + 0.5 * (high - low);
}

double noncentral_t(double t, double df, double delta) {
  if (delta < 0) return 1 - noncentral_t(-t, df, -delta);
  if (delta <= 20) return mixture_over_chi(t, df, delta);
  return delta - 9 > 40 * t ? 0 : mixture_over_normal(t, df, delta);  // S is never 40
}

}  // namespace dalea
