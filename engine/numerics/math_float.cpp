#include <cfloat>
#include <cstdint>

#include "numerics/math.h"

#ifdef __FAST_MATH__
#error "Dalea's bits need IEEE arithmetic: build without -ffast-math"
#endif
static_assert(FLT_EVAL_METHOD == 0, "floats must be computed as floats");

namespace dalea::portable {
namespace {
#include "numerics/math-inl.h"
}  // namespace

float exp(float x) {
  return exp_of(x);
}
float log(float x) {
  return log_of(x);
}
float tanh(float x) {
  return tanh_of(x);
}
float sigmoid(float x) {
  return sigmoid_of(x);
}
float softplus(float x) {
  return softplus_of(x);
}

}  // namespace dalea::portable
