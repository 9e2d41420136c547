// Our elementary functions against long double. tests/tools/all_floats.cpp does the same for every float.
#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "doctest/doctest.h"
#include "numerics/math.h"
#include "recording/recording.h"

using namespace dalea;

namespace {

// Distance in units in the last place of the exact result's binade (denormals: of the smallest normal).
double ulp(long double exact, long double got, int digits, int least_exponent) {
  int exponent;
  std::frexp(exact, &exponent);
  exponent = std::max(exponent, least_exponent);
  return static_cast<double>(std::fabs(got - exact) / std::ldexp(1.0L, exponent - digits));
}

double worst_float(const std::function<float(float)>& f, const std::function<long double(long double)>& exact,
                   bool positive) {
  double worst = 0;
  for (uint64_t bits = 0; bits < (uint64_t{1} << 32); bits += 4093) {
    float x;
    const uint32_t u = static_cast<uint32_t>(bits);
    std::memcpy(&x, &u, sizeof x);
    if (!std::isfinite(x) || (positive && x <= 0)) continue;
    const long double e = exact(static_cast<long double>(x));
    if (!std::isfinite(static_cast<float>(e)) || e == 0) continue;
    worst = std::max(worst, ulp(e, static_cast<long double>(f(x)), 24, -125));
  }
  return worst;
}

double worst_double(const std::function<double(double)>& f, const std::function<long double(long double)>& exact,
                    double lo, double hi) {
  double worst = 0;
  for (int k = 0; k <= 200000; ++k) {
    const double x = lo + (hi - lo) * k / 200000;
    const long double e = exact(static_cast<long double>(x));
    if (e != 0) worst = std::max(worst, ulp(e, static_cast<long double>(f(x)), 53, -1021));
  }
  return worst;
}

}  // namespace

TEST_CASE("float functions are within their stated errors") {
  CHECK(worst_float([](float x) { return portable::exp(x); }, [](long double x) { return std::exp(x); }, false) < 1.1);
  CHECK(worst_float([](float x) { return portable::log(x); }, [](long double x) { return std::log(x); }, true) < 1.1);
  CHECK(worst_float([](float x) { return portable::tanh(x); }, [](long double x) { return std::tanh(x); }, false) <
        2.6);
  CHECK(worst_float([](float x) { return portable::sigmoid(x); }, [](long double x) { return 1 / (1 + std::exp(-x)); },
                    false) < 2.6);
  CHECK(worst_float([](float x) { return portable::softplus(x); },
                    [](long double x) { return std::log1p(std::exp(-std::fabs(x))) + std::max(x, 0.0L); },
                    false) < 2.6);
}

TEST_CASE("double functions are within their stated errors") {
  if (LDBL_MANT_DIG != 64) {
    // WebAssembly's C library has a wide long double but computes its functions in double: no better than ours.
    MESSAGE("no long double functions better than double here: skipped (the bits are compared below)");
    return;
  }
  CHECK(worst_double([](double x) { return portable::exp(x); }, [](long double x) { return std::exp(x); }, -700, 700) <
        1.2);
  CHECK(worst_double([](double x) { return portable::log(x); }, [](long double x) { return std::log(x); }, 1e-5, 30) <
        1.2);
  CHECK(worst_double([](double x) { return portable::sin(x); }, [](long double x) { return std::sin(x); }, -1000,
                     1000) < 2);
  CHECK(worst_double([](double x) { return portable::cos(x); }, [](long double x) { return std::cos(x); }, -1000,
                     1000) < 2);
  CHECK(worst_double([](double x) { return portable::tanh(x); }, [](long double x) { return std::tanh(x); }, -30, 30) <
        2.6);
  CHECK(std::fabs(portable::sin(1e6) - static_cast<double>(std::sin(1e6L))) < 3e-16);
}

TEST_CASE("double functions have the same bits everywhere") {
  std::vector<double> values;
  for (int k = -20000; k <= 20000; ++k) {
    const double x = k * 0.00137;
    for (double y : {portable::exp(x), portable::log(std::fabs(x) + 1e-9), portable::sin(40 * x), portable::cos(40 * x),
                     portable::tanh(x)})
      values.push_back(y);
  }
  std::string bytes(values.size() * sizeof(double), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  CHECK(sha256_hex(std::as_bytes(std::span(bytes))) ==
        "1b1ee4c58f0e9230b096024a66fd174bcf64e88a41bc2140872ca1f559a743e8");
}

TEST_CASE("special values") {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(portable::tanh(9.1f) == 1.0f);
  CHECK(portable::tanh(-inf) == -1.0f);
  CHECK(std::signbit(portable::tanh(-0.0f)));
  CHECK(portable::tanh(0.0f) == 0.0f);
  for (float x : {1e-30f, 0.01f, 0.3f, 1.0f, 5.0f}) CHECK(portable::tanh(-x) == -portable::tanh(x));
  CHECK(portable::exp(200.0f) == inf);
  CHECK(portable::exp(-200.0f) == 0.0f);
  CHECK(portable::exp(0.0f) == 1.0f);
  CHECK(portable::log(1.0f) == 0.0f);
  CHECK(portable::log(0.0f) == -inf);
  CHECK(std::isnan(portable::log(-1.0f)));
  CHECK(portable::log(inf) == inf);
  using Function = float (*)(float);
  for (Function function : {Function(portable::exp), Function(portable::log), Function(portable::tanh),
                            Function(portable::sigmoid), Function(portable::softplus)})

    CHECK(std::isnan(function(nan)));
  CHECK(portable::sigmoid(-inf) == 0.0f);
  CHECK(portable::sigmoid(inf) == 1.0f);
  CHECK(portable::softplus(-inf) == 0.0f);
  CHECK(portable::softplus(100.0f) == 100.0f);
  CHECK(std::fabs(portable::exp(1.0) - 2.718281828459045) <= 4.5e-16);
  CHECK(portable::log(0.0) == -std::numeric_limits<double>::infinity());
  CHECK(portable::exp(-1000.0) == 0.0);
  CHECK(std::isnan(portable::log(-1.0)));
}
