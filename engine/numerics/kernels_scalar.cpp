// The reference: the same sums in plain loops, as NUMERICS words them. Tests compare every other file with it bit for
// bit.
#include <cfloat>
#include <cstdint>

#include "numerics/kernel_table.h"

static_assert(FLT_EVAL_METHOD == 0, "floats must be computed as floats");

namespace dalea {
namespace {

#include "numerics/math-inl.h"

float read(float x, bool rectified) {
  return rectified && 0.0f > x ? 0.0f : x;
}

void dense(const PackedView& w, const float* x, float* y, int64_t stride, int64_t b0, int64_t b1, bool add) {
  for (int64_t i = 0; i < w.out; ++i)
    for (int64_t b = b0; b < b1; ++b) {
      float sum = 0.0f;
      for (int64_t k = 0; k < w.in; ++k) sum = sum + w.values[i * w.in + k] * read(x[k * stride + b], w.rectified);
      y[i * stride + b] = add ? y[i * stride + b] + sum : sum;
    }
}

void sparse(const PackedView& w, const float* x, float* y, int64_t stride, int64_t b0, int64_t b1, bool add) {
  for (int64_t i = 0; i < w.out; ++i)
    for (int64_t b = b0; b < b1; ++b) {
      float sum = 0.0f;
      for (int64_t e = w.start[i]; e < w.start[i + 1]; ++e)
        sum = sum + w.values[e] * read(x[w.index[e] * stride + b], w.rectified);
      y[i * stride + b] = add ? y[i * stride + b] + sum : sum;
    }
}

float activate(Activation f, float x) {
  switch (f) {
    case Activation::tanh:
      return tanh_of(x);
    case Activation::relu:
      return x > 0 ? x : 0.0f;
    case Activation::softplus:
      return softplus_of(x);
    case Activation::sigmoid:
      return sigmoid_of(x);
    case Activation::identity:
      break;
  }
  return x;
}

float slope(Activation f, float z) {
  switch (f) {
    case Activation::tanh:
      return 1.0f - z * z;
    case Activation::relu:
      return z > 0 ? 1.0f : 0.0f;
    case Activation::softplus:
      return 1.0f - exp_of(-z);
    case Activation::sigmoid:
      return z * (1.0f - z);
    case Activation::identity:
      break;
  }
  return 1.0f;
}

void forward(const CellForward& c, int64_t b0, int64_t b1) {
  for (int64_t i = 0; i < c.units; ++i)
    for (int64_t e = i * c.stride + b0; e < i * c.stride + b1; ++e) {
      float drive = c.bias ? c.in_drive[e] + c.bias[i] : c.in_drive[e];
      if (c.sum) drive = c.sum[e] + drive;
      if (c.x && c.alpha[i] < 1) drive = (1.0f - c.alpha[i]) * c.x[e] + c.alpha[i] * drive;
      if (c.noise) drive = drive + c.noise[e];
      if (c.x) c.x[e] = drive;
      c.z[e] = activate(c.activation, drive);
    }
}

void backward(const CellBackward& c, int64_t b0, int64_t b1) {
  for (int64_t i = 0; i < c.units; ++i)
    for (int64_t e = i * c.stride + b0; e < i * c.stride + b1; ++e) {
      const bool open = !c.rectified || c.z[e] > 0;
      float dz = c.dz[e];
      if (c.back) dz = dz + (open ? c.back[e] : 0.0f);
      if (c.rate != 0) dz = dz + c.rate * (open ? c.z[e] : 0.0f);
      float dx = dz * slope(c.activation, c.z[e]);
      if (c.dx) {
        if (c.alpha[i] < 1) dx = dx + (1.0f - c.alpha[i]) * c.dx[e];
        c.dx[e] = dx;
        dx = c.alpha[i] * dx;
      }
      c.dz[e] = magnitude(dx) < 0x1p-50f ? 0.0f : dx;
    }
}

void bias_activation(Activation f, const float* bias, float* y, int64_t rows, int64_t stride, int64_t b0, int64_t b1) {
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t e = i * stride + b0; e < i * stride + b1; ++e) y[e] = activate(f, bias ? y[e] + bias[i] : y[e]);
}

float fold(float* lane) {
  for (int half = 8; half >= 1; half /= 2)
    for (int k = 0; k < half; ++k) lane[k] = lane[k] + lane[k + half];
  return magnitude(lane[0]) < 0x1p-50f ? 0.0f : lane[0];
}

// Column j of a set of columns with row i of the deltas.
float entry(const GradientView& g, const GradientColumns& c, int64_t i, int64_t j) {
  float lane[16] = {};
  for (int64_t t = g.steps - 1; t >= c.lag; --t)
    for (int64_t b = 0; b < g.stride; ++b) {
      const float d = g.d[t * g.d_time + i * g.stride + b];
      const float x = c.x ? c.x[(t - c.lag) * c.x_time + j * g.stride + b] : 1.0f;
      lane[b % 16] = lane[b % 16] + d * read(x, c.rectified);
    }
  return fold(lane);
}

void gradient(const GradientView& g, int64_t i0, int64_t i1, int64_t j0, int64_t j1) {
  if (g.col_start) {
    for (int64_t j = j0; j < j1; ++j)
      for (int64_t e = g.col_start[j]; e < g.col_start[j + 1]; ++e)
        g.columns->grad[e] = entry(g, *g.columns, g.row[e], j);
    return;
  }
  int64_t before = 0;
  for (int k = 0; k < g.count; before += g.columns[k++].count) {
    const GradientColumns& c = g.columns[k];
    for (int64_t j = 0; j < c.count; ++j)
      if (before + j >= j0 && before + j < j1)
        for (int64_t i = i0; i < i1; ++i) c.grad[j * g.rows + i] = entry(g, c, i, j);
  }
}

void adam(const AdamScalars& s, const float* g, float* m, float* v, float* w, int64_t n) {
  for (int64_t e = 0; e < n; ++e) {
    m[e] = s.beta1 * m[e] + s.one_minus_beta1 * g[e];
    v[e] = s.beta2 * v[e] + s.one_minus_beta2 * (g[e] * g[e]);
    m[e] = magnitude(m[e]) < 0x1p-100f ? 0.0f : m[e];
    v[e] = v[e] < 0x1p-100f ? 0.0f : v[e];
    w[e] = w[e] - (s.rate * m[e]) / (__builtin_sqrtf(v[e]) / s.root_c2 + s.epsilon);
  }
}

}  // namespace

const KernelTable kernels_scalar = {1, dense, sparse, forward, backward, bias_activation, gradient, adam};

}  // namespace dalea
