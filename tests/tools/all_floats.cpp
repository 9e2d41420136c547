// The worst error of every float function over all 2^32 floats, against the double function of the C library (whose own
// error is below 2^-29 of what is measured). About ten minutes; its figures stand in engine/numerics/math-inl.h.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "numerics/math.h"

using namespace dalea;

template <class F, class G>
void sweep(const char* name, F function, G exact, bool positive) {
  double worst = 0;
  float where = 0;
  for (uint64_t bits = 0; bits < (uint64_t{1} << 32); ++bits) {
    const uint32_t u = static_cast<uint32_t>(bits);
    float x;
    std::memcpy(&x, &u, sizeof x);
    if (!std::isfinite(x) || (positive && x <= 0)) continue;
    const double e = exact(static_cast<double>(x));
    if (!std::isfinite(static_cast<float>(e)) || e == 0) continue;
    const double ulp = std::ldexp(1.0, std::max(std::ilogb(e), -126) - 23);
    const double error = std::fabs(static_cast<double>(function(x)) - e) / ulp;
    if (error > worst) {
      worst = error;
      where = x;
    }
  }
  std::printf("%-9s %.3f ulp at %.9g\n", name, worst, static_cast<double>(where));
  std::fflush(stdout);
}

int main() {
  sweep(
      "tanh", [](float x) { return portable::tanh(x); }, [](double x) { return std::tanh(x); }, false);
  sweep(
      "exp", [](float x) { return portable::exp(x); }, [](double x) { return std::exp(x); }, false);
  sweep(
      "log", [](float x) { return portable::log(x); }, [](double x) { return std::log(x); }, true);
  sweep(
      "sigmoid", [](float x) { return portable::sigmoid(x); }, [](double x) { return 1 / (1 + std::exp(-x)); }, false);
  sweep(
      "softplus", [](float x) { return portable::softplus(x); },
      [](double x) { return std::log1p(std::exp(-std::fabs(x))) + std::max(x, 0.0); }, false);
}
