// The inner loops, one instance per instruction set, chosen at run time; all give the same bits.
// Layout and order of sums: NUMERICS. Activity of unit u, trial b, time t is at (t*N + u)*Bp + b; Bp is a
// multiple of 16; b0 and b1 are multiples of 16 too. Pointers are 64-byte aligned (numerics/aligned.h).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "error.h"
#include "numerics/aligned.h"
#include "numerics/weights.h"

namespace dalea {

enum class Isa { scalar, sse2, avx2, avx512, simd128 };

std::vector<Isa> available_isas();  // on this machine, slowest first
Isa best_isa();
const char* isa_name(Isa isa);                 // "scalar", "sse2", ...
Result<Isa> parse_isa(std::string_view name);  // "auto" is the best; an absent one is an error that lists what there is

enum class Activation { tanh, relu, softplus, sigmoid, identity };

// Floats that a kernel may write while it runs, for networks of at most `units` units: its caller owns them, one piece
// a thread. No kernel needs much stack (threads of some systems have half a megabyte).
constexpr int64_t kernel_scratch_floats = 124608, kernel_scratch_trials = 64;
constexpr int64_t kernel_scratch(int64_t units) {
  return units * kernel_scratch_trials > kernel_scratch_floats ? units * kernel_scratch_trials : kernel_scratch_floats;
}

// W ready for products: packed panels (dense) or rows of connections (sparse).
class Product {
 public:
  enum class Side { forward, transposed };
  // forward: Y(i,b) = sum_k W(i,k) X(k,b); transposed: Y(k,b) = sum_i W(i,k) X(i,b). Re-packing the same
  // shape allocates nothing. Safe to share by threads once packed.
  void pack(const Weights& w, Side side, Isa isa);
  // What is multiplied: X, or max(0, X) (a NaN stays one).
  enum class Input { plain, rectified };
  // Y (out, Bp) from X (in, Bp) for trials [b0, b1): accumulator from +0, index ascending. scratch: kernel_scratch(in).
  void apply(const float* x, float* y, int64_t stride, int64_t b0, int64_t b1, float* scratch,
             Input input = Input::plain) const;
  // The same with Y += the sum (the sum itself still starts at +0 and is added once).
  void add(const float* x, float* y, int64_t stride, int64_t b0, int64_t b1, float* scratch) const;
  int64_t out() const { return out_; }
  int64_t in() const { return in_; }
  int64_t bytes() const { return static_cast<int64_t>(4 * packed_.capacity()); }

 private:
  void run(const float* x, float* y, int64_t stride, int64_t b0, int64_t b1, float* scratch, Input input,
           bool add) const;

  int64_t out_ = 0, in_ = 0;
  Isa isa_ = Isa::scalar;
  Side side_ = Side::forward;
  std::shared_ptr<const Pattern> pattern_;  // null: dense
  AlignedFloats packed_;
};

// One time step forward, for trials [b0, b1) of all N units (fused element-wise part):
//   drive = sum + (in_drive + bias)   (sum: W_rec g, in_drive: W_in x; both left as they are)
//   x     = alpha >= 1 ? drive : (1 - alpha) * x + alpha * drive      (x: running state, only used when leaky)
//   x    += noise                     (if noise is not null)
//   z     = activation(x)             (what is fed back, max(0, z) or z, is made where it is read)
struct CellForward {
  Activation activation = Activation::tanh;
  int64_t units = 0, stride = 0;
  const float* alpha = nullptr;  // (units), or null: all 1
  const float* sum = nullptr;    // null at t = 0 (the sum is +0)
  const float* in_drive = nullptr;
  const float* bias = nullptr;  // (units), or null
  const float* noise = nullptr;
  float* x = nullptr;  // (units, stride) or null when alpha is null
  float* z = nullptr;
};
void cell_forward(Isa isa, const CellForward& c, int64_t b0, int64_t b1);

// The same time step backward:
//   dz    = dz + (rectified ? (z > 0 ? back : +0) : back)   (back: W_rec' delta of t + 1; null at the last step)
//   dz   += rate * g      (g: z or, rectified, z > 0 ? z : +0; rate: gradient factor of the rate penalty; 0: skipped)
//   dx    = dz * f'(z) + (1 - alpha) * dx                   (dx: running, only used when leaky)
//   delta = alpha * dx, |delta| < 2^-50 becomes +0          (delta is written over dz)
// f'(z) from z: tanh 1 - z*z; relu z > 0; sigmoid z * (1 - z); softplus 1 - exp(-z); identity 1.
struct CellBackward {
  Activation activation = Activation::tanh;
  bool rectified = true;
  int64_t units = 0, stride = 0;
  const float* alpha = nullptr;
  const float* back = nullptr;
  const float* z = nullptr;
  float rate = 0;
  float* dx = nullptr;
  float* dz = nullptr;  // in: from the readout; out: delta
};
void cell_backward(Isa isa, const CellBackward& c, int64_t b0, int64_t b1);

// y(i, b) = activation(y(i, b) + bias[i]) for [b0, b1); bias may be null.
void bias_activation(Isa isa, Activation activation, const float* bias, float* y, int64_t rows, int64_t stride,
                     int64_t b0, int64_t b1);

// Rows of deltas: that of time t is at d + t * d_time.
struct Deltas {
  const float* d = nullptr;
  int64_t d_time = 0, steps = 0, stride = 0;
};
// What a gradient pairs with the deltas.
struct GradientInput {
  Weights* grad = nullptr;
  const float* x = nullptr;  // (time, columns of grad, stride); null: 1 everywhere (grad is a bias)
  int64_t x_time = 0;
  int64_t lag = 0;  // 0 or 1: deltas of t meet x of t - lag; none before the first
  Product::Input input = Product::Input::plain;
};
constexpr int most_gradient_inputs = 4;
// grad(i, j) = sum over t descending, b ascending of d(t, i, b) * x(t - lag, j, b), in 16 lanes (lane = b mod 16)
// folded 8-4-2-1; |.| < 2^-50 becomes +0. Only the entries that grad holds. Dense gradients of one call (at most
// most_gradient_inputs, all of as many rows) read the deltas together. Does part `part` of `parts` (rows or columns
// are split; any split gives the same bits). scratch: kernel_scratch_floats.
void weight_gradients(Isa isa, const Deltas& deltas, const GradientInput* inputs, int count, int part, int parts,
                      float* scratch);

// Adam on flat arrays (NUMERICS: Arithmetic): m = b1 m + (1-b1) g; v = b2 v + (1-b2) (g g);
// w -= (lr/c1) m / (sqrt(v)/sqrt(c2) + eps); moments below 2^-100 become +0. Scalars are rounded to float once.
struct AdamScalars {
  float beta1, one_minus_beta1, beta2, one_minus_beta2, rate /* lr/c1 */, root_c2 /* sqrt(c2) */, epsilon;
};
void adam(Isa isa, const AdamScalars& s, const float* g, float* m, float* v, float* w, int64_t n);

}  // namespace dalea
