// float64, scalar: task data, statistics, losses. Worst errors on dense subsets (tests/test_math.cpp), in ulp:
// exp 1.1, log 1.1, sin and cos 1.1 (absolute 2.3e-16 beyond), tanh 2.6.
#include <cfloat>
#include <cstdint>
#include <cstring>

#include "numerics/math.h"

static_assert(FLT_EVAL_METHOD == 0, "doubles must be computed as doubles");

namespace dalea::portable {
namespace {

constexpr double magic = 6755399441055744.0;  // 1.5 * 2^52
constexpr double ln2_high = 6.93147180369123816490e-01, ln2_low = 1.90821492927058770002e-10;

double power_of_two(int64_t n) {  // -1022 .. 1023
  const uint64_t bits = static_cast<uint64_t>(n + 1023) << 52;
  double v;
  std::memcpy(&v, &bits, sizeof v);
  return v;
}

// e^r - 1 for |r| <= ln2 / 2: Taylor to r^14, the next term is below 3e-19.
double expm1_core(double r) {
  double p = 1.0 / 87178291200.0;
  constexpr double inverse[] = {6227020800.0, 479001600.0, 39916800.0, 3628800.0, 362880.0, 40320.0,
                                5040.0,       720.0,       120.0,      24.0,      6.0,      2.0};
  for (double factorial : inverse) p = p * r + 1.0 / factorial;
  return r + (r * r) * p;
}

struct Reduced {
  double r;
  int64_t n;
};

Reduced reduce_exp(double x) {
  const double n = (x * 1.4426950408889634 + magic) - magic;
  return {(x - n * ln2_high) - n * ln2_low, static_cast<int64_t>(n)};
}

// x - n pi/2 with pi/2 in three parts of 33 bits and a tail; exact enough for |x| <= 1e6.
Reduced reduce_circle(double x) {
  const double n = (x * 0.6366197723675814 + magic) - magic;
  double r = x - n * 1.57079632673412561417e+00;
  r = r - n * 6.07710050630396597660e-11;
  r = r - n * 2.02226624879595063154e-21;
  return {r, static_cast<int64_t>(n) & 3};
}

double sin_core(double r) {
  const double q = r * r;
  double p = 1.0 / 355687428096000.0;
  constexpr double factorials[] = {1307674368000.0, 6227020800.0, 39916800.0, 362880.0, 5040.0, 120.0, 6.0};
  double sign = -1;
  for (double f : factorials) {
    p = p * q + sign / f;
    sign = -sign;
  }
  return r + (r * q) * p;
}

double cos_core(double r) {
  const double q = r * r;
  double p = 1.0 / 20922789888000.0;
  constexpr double factorials[] = {87178291200.0, 479001600.0, 3628800.0, 40320.0, 720.0, 24.0};
  double sign = -1;
  for (double f : factorials) {
    p = p * q + sign / f;
    sign = -sign;
  }
  return (1 - 0.5 * q) + (q * q) * p;
}

}  // namespace

double exp(double x) {
  if (x != x) return x;
  if (x > 709.782712893384) return DBL_MAX * 2;
  if (x < -745.2) return 0;
  const auto [r, n] = reduce_exp(x);
  const int64_t half = n / 2;
  return (1 + expm1_core(r)) * power_of_two(half) * power_of_two(n - half);
}

double log(double x) {
  if (x != x || x < 0) return x < 0 ? DBL_MAX * 2 - DBL_MAX * 2 : x;
  if (x == 0) return -DBL_MAX * 2;
  if (x > DBL_MAX) return x;
  int64_t n = 0;
  if (x < DBL_MIN) {
    x *= 18014398509481984.0;  // 2^54
    n = -54;
  }
  uint64_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  const int64_t exponent = (static_cast<int64_t>(bits) - 0x3fe6a09e667f3bcdLL) >> 52;  // m from sqrt 1/2 on
  bits -= static_cast<uint64_t>(exponent) << 52;
  n += exponent;
  double m;
  std::memcpy(&m, &bits, sizeof m);
  const double f = m - 1, s = f / (2 + f), q = s * s;
  double series = 2.0 / 23;
  for (int k = 21; k >= 3; k -= 2) series = series * q + 2.0 / k;
  const double steps = static_cast<double>(n);
  return steps * ln2_high + ((f - s * (f - q * series)) + steps * ln2_low);
}

double sin(double x) {
  const auto [r, n] = reduce_circle(x);
  const double v = (n & 1) != 0 ? cos_core(r) : sin_core(r);
  return (n & 2) != 0 ? -v : v;
}

double cos(double x) {
  const auto [r, n] = reduce_circle(x);
  const double v = (n & 1) != 0 ? sin_core(r) : cos_core(r);
  return n == 1 || n == 2 ? -v : v;
}

double tanh(double x) {
  if (x != x) return x;
  double a = x < 0 ? -x : x;
  if (a > 22) return x < 0 ? -1 : 1;
  const auto [r, n] = reduce_exp(a + a);
  const double scale = power_of_two(n);
  const double m = scale * expm1_core(r) + (scale - 1);
  const double t = m / (m + 2);
  return x < 0 ? -t : t;
}

}  // namespace dalea::portable
