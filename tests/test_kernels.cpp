// Every instruction set against the scalar reference, bit for bit, over awkward shapes and values.
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "doctest/doctest.h"
#include "numerics/kernels.h"
#include "numerics/math.h"
#include "numerics/rng.h"

using namespace dalea;

namespace {

float awkward(Rng& rng) {
  switch (rng.below(12)) {
    case 0:
      return -0.0f;
    case 1:
      return 1e-41f;  // denormal
    case 2:
      return 0.0f;
    case 3:
      return rng.uniform(-20, 20);
    default:
      return rng.uniform(-1, 1);
  }
}

AlignedFloats values(Rng& rng, int64_t n) {
  AlignedFloats v(static_cast<size_t>(n));
  for (float& x : v) x = awkward(rng);
  return v;
}

Weights matrix(Rng& rng, int64_t rows, int64_t cols, double density) {
  Weights w;
  w.name = "W";
  w.rows = rows;
  w.cols = cols;
  w.values.resize(static_cast<size_t>(rows * cols));
  for (float& x : w.values) x = static_cast<double>(rng.uniform()) < density ? awkward(rng) : 0.0f;
  return w;
}

Weights sparse_version(const Weights& dense) {
  std::vector<uint8_t> mask;
  for (float v : dense.values) mask.push_back(v != 0);
  Weights w = dense;
  w.pattern = make_pattern(dense.rows, dense.cols, mask);
  w.values.clear();
  for (float v : dense.values)
    if (v != 0) w.values.push_back(v);
  return w;
}

template <class A, class B>
bool same_bits(const A& a, const B& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace

TEST_CASE("products: every instruction set, dense and sparse, gives the reference's bits") {
  Rng rng(1, Purpose::test);
  const struct {
    int64_t rows, cols, stride, b0, b1;
    double density;
  } shapes[] = {{1, 1, 16, 0, 16, 1},         {5, 3, 32, 16, 32, 1},      {6, 6, 48, 0, 48, 1},
                {7, 300, 112, 0, 112, 1},     {13, 257, 80, 16, 80, 0.5}, {33, 31, 208, 96, 208, 0.1},
                {20, 600, 64, 0, 48, 0.02},   {128, 2, 208, 0, 208, 1},   {40, 17, 16, 0, 16, 0},
                {25, 530, 160, 0, 160, 1},    {150, 260, 448, 0, 448, 1}, {2, 300, 48, 0, 48, 0.3},
                {200, 900, 224, 0, 224, 0.06}};
  AlignedFloats scratch(static_cast<size_t>(kernel_scratch(900)));
  for (const auto& s : shapes) {
    const Weights dense = matrix(rng, s.rows, s.cols, s.density), sparse = sparse_version(dense);
    for (Product::Side side : {Product::Side::forward, Product::Side::transposed}) {
      const bool forward = side == Product::Side::forward;
      const int64_t in = forward ? s.cols : s.rows, out = forward ? s.rows : s.cols;
      const AlignedFloats x = values(rng, in * s.stride), before = values(rng, out * s.stride);
      Product reference;
      reference.pack(dense, side, Isa::scalar);
      AlignedFloats applied = before, added = before, rectified = before, positive = x, of_positive = before;
      reference.apply(x.data(), applied.data(), s.stride, s.b0, s.b1, scratch.data());
      reference.apply(x.data(), rectified.data(), s.stride, s.b0, s.b1, scratch.data(), Product::Input::rectified);
      for (float& v : positive) v = v > 0 ? v : 0.0f;
      reference.apply(positive.data(), of_positive.data(), s.stride, s.b0, s.b1, scratch.data());
      CHECK(same_bits(rectified, of_positive));
      reference.add(x.data(), added.data(), s.stride, s.b0, s.b1, scratch.data());
      for (int64_t i = 0; i < out; ++i) {  // and the reference is a matrix product
        double sum = 0, scale = 1e-30;
        for (int64_t k = 0; k < in; ++k) {
          const double term = static_cast<double>(forward ? dense.at(i, k) : dense.at(k, i)) *
                              static_cast<double>(x[k * s.stride + s.b0]);
          sum += term;
          scale += std::fabs(term);
        }
        CHECK(std::fabs(static_cast<double>(applied[i * s.stride + s.b0]) - sum) <= 1e-5 * scale);
      }
      for (Isa isa : available_isas()) {
        for (const Weights* w : {&dense, &sparse}) {
          Product p;
          p.pack(*w, side, isa);
          AlignedFloats y = before;
          p.apply(x.data(), y.data(), s.stride, s.b0, s.b1, scratch.data());
          CHECK_MESSAGE(same_bits(y, applied), isa_name(isa), " ", s.rows, "x", s.cols, " sparse ", w->sparse());
          y = before;
          p.add(x.data(), y.data(), s.stride, s.b0, s.b1, scratch.data());
          CHECK_MESSAGE(same_bits(y, added), isa_name(isa), " add");
          y = before;
          p.apply(x.data(), y.data(), s.stride, s.b0, s.b1, scratch.data(), Product::Input::rectified);
          CHECK_MESSAGE(same_bits(y, rectified), isa_name(isa), " rectified ", s.rows, "x", s.cols, " ", w->sparse());
        }
      }
    }
  }
}

TEST_CASE("gradients: instruction sets, storage and splits give the reference's bits") {
  Rng rng(2, Purpose::test);
  AlignedFloats scratch(kernel_scratch_floats);
  for (const std::array<int64_t, 4>& shape : {std::array<int64_t, 4>{1, 1, 1, 16},
                                              {7, 5, 3, 48},
                                              {25, 49, 9, 208},
                                              {30, 2, 90, 32},
                                              {1, 60, 4, 16},
                                              {50, 27, 2, 1216},
                                              {137, 140, 5, 112},
                                              {70, 67, 2, 432},
                                              {500, 30, 3, 64}}) {
    const int64_t rows = shape[0], cols = shape[1], steps = shape[2], stride = shape[3];
    const AlignedFloats d = values(rng, rows * steps * stride), x = values(rng, cols * steps * stride);
    const AlignedFloats u = values(rng, 5 * steps * stride);
    const Weights dense = matrix(rng, rows, cols, 0.4), other = matrix(rng, rows, 5, 1), one = matrix(rng, rows, 1, 1);
    const Weights sparse = sparse_version(dense);
    const Deltas deltas{d.data(), rows * stride, steps, stride};
    for (const Product::Input input : {Product::Input::plain, Product::Input::rectified}) {
      for (int64_t lag : {0, 1}) {
        // Alone, and beside another matrix and a bias, which share the deltas.
        const auto inputs_of = [&](Weights& g, Weights& o, Weights& bias) {
          return std::array<GradientInput, 3>{GradientInput{&g, x.data(), cols * stride, lag, input},
                                              GradientInput{&o, u.data(), 5 * stride}, GradientInput{&bias}};
        };
        Weights reference = dense, other_reference = other, bias_reference = one;
        const auto first = inputs_of(reference, other_reference, bias_reference);
        for (const GradientInput& in : first) weight_gradients(Isa::scalar, deltas, &in, 1, 0, 1, scratch.data());
        for (int64_t i = 0; i < rows; ++i) {  // and the reference is the sum
          double sum = 0, bias = 0, scale = 1e-30;
          for (int64_t t = 0; t < steps; ++t)
            for (int64_t b = 0; b < stride; ++b) {
              const double delta = static_cast<double>(d[(t * rows + i) * stride + b]);
              bias += delta;
              double at = t < lag ? 0 : static_cast<double>(x[((t - lag) * cols + cols - 1) * stride + b]);
              if (input == Product::Input::rectified) at = std::max(at, 0.0);
              sum += delta * at;
              scale += std::fabs(delta) * std::max(1.0, std::fabs(at));
            }
          CHECK(std::fabs(static_cast<double>(reference.at(i, cols - 1)) - sum) <= 1e-5 * scale);
          CHECK(std::fabs(static_cast<double>(bias_reference.at(i, 0)) - bias) <= 1e-5 * scale);
        }
        for (Isa isa : available_isas()) {
          for (int parts : {1, 2, 3, 8}) {
            Weights g = dense, s = sparse, o = other, bias = one, o_alone = other, bias_alone = one;
            const auto together = inputs_of(g, o, bias), apart = inputs_of(s, o_alone, bias_alone);
            for (int p = 0; p < parts; ++p) {
              weight_gradients(isa, deltas, together.data(), 3, p, parts, scratch.data());
              weight_gradients(isa, deltas, apart.data(), 3, p, parts, scratch.data());
            }
            CHECK_MESSAGE(same_bits(g.values, reference.values), isa_name(isa), " ", rows, "x", cols, " parts ", parts);
            CHECK(same_bits(o.values, other_reference.values));
            CHECK(same_bits(o_alone.values, other_reference.values));
            CHECK(same_bits(bias.values, bias_reference.values));
            CHECK(same_bits(bias_alone.values, bias_reference.values));
            for (int64_t j = 0; j < cols; ++j)
              for (int64_t e = sparse.pattern->col_start[j]; e < sparse.pattern->col_start[j + 1]; ++e)
                REQUIRE(s.values[e] == reference.at(sparse.pattern->row[e], j));
          }
        }
      }
    }
  }
}

TEST_CASE("a gradient of no steps is zero, dense and sparse") {
  Rng rng(4, Purpose::test);
  AlignedFloats scratch(kernel_scratch_floats);
  const AlignedFloats d = values(rng, 48), x = values(rng, 48);
  for (Isa isa : available_isas())
    for (int64_t steps : {0, 1}) {
      Weights dense = matrix(rng, 3, 3, 0.6), sparse = sparse_version(dense);
      const GradientInput inputs[] = {{&dense, x.data(), 48, 1}, {&sparse, x.data(), 48, 1}};
      for (int p = 0; p < 2; ++p) weight_gradients(isa, {d.data(), 48, steps, 16}, inputs, 2, p, 2, scratch.data());
      for (const Weights* w : {&dense, &sparse})
        for (float v : w->values) CHECK(v == 0);
    }
}

TEST_CASE("time steps and optimizer: instruction sets give the reference's bits") {
  Rng rng(3, Purpose::test);
  const int64_t units = 9, stride = 48, n = units * stride;
  for (Activation f :
       {Activation::tanh, Activation::relu, Activation::softplus, Activation::sigmoid, Activation::identity}) {
    for (int variant = 0; variant < 32; ++variant) {
      const bool leaky = variant & 1, noisy = variant & 2, rectified = variant & 4, later = variant & 8;
      const bool biased = variant & 16;
      AlignedFloats alpha(units);
      for (float& a : alpha) a = rng.below(3) == 0 ? 1.0f : rng.uniform(0.1f, 1);
      const AlignedFloats bias = values(rng, units), sum = values(rng, n), in = values(rng, n), noise = values(rng, n),
                          x0 = values(rng, n), back = values(rng, n), dz0 = values(rng, n), dx0 = values(rng, n);
      AlignedFloats z_reference, dz_reference;
      for (Isa isa : available_isas()) {
        AlignedFloats x = x0, z(n), dz = dz0, dx = dx0;
        CellForward c{f,
                      units,
                      stride,
                      leaky ? alpha.data() : nullptr,
                      later ? sum.data() : nullptr,
                      in.data(),
                      biased ? bias.data() : nullptr,
                      noisy ? noise.data() : nullptr,
                      leaky ? x.data() : nullptr,
                      z.data()};
        cell_forward(isa, c, 16, 48);
        CellBackward b{f,
                       rectified,
                       units,
                       stride,
                       leaky ? alpha.data() : nullptr,
                       later ? back.data() : nullptr,
                       z.data(),
                       noisy ? 0.25f : 0.0f,
                       leaky ? dx.data() : nullptr,
                       dz.data()};
        cell_backward(isa, b, 16, 48);
        z.insert(z.end(), x.begin(), x.end());
        dz.insert(dz.end(), dx.begin(), dx.end());
        if (isa == Isa::scalar) {
          z_reference = z;
          dz_reference = dz;
        }
        CHECK_MESSAGE(same_bits(z, z_reference), isa_name(isa), " activation ", static_cast<int>(f), " ", variant);
        CHECK_MESSAGE(same_bits(dz, dz_reference), isa_name(isa), " activation ", static_cast<int>(f), " ", variant);
      }
    }
  }
  const AlignedFloats g = values(rng, 1003), m0 = values(rng, 1003), w0 = values(rng, 1003);
  AlignedFloats v0 = values(rng, 1003), reference;
  for (float& v : v0) v = std::fabs(v);
  const AdamScalars s{0.9f, 0.1f, 0.999f, 0.001f, 0.01f, 0.5f, 1e-8f};
  for (Isa isa : available_isas()) {
    AlignedFloats m = m0, v = v0, w = w0;
    adam(isa, s, g.data(), m.data(), v.data(), w.data(), 1003);
    w.insert(w.end(), m.begin(), m.end());
    w.insert(w.end(), v.begin(), v.end());
    if (isa == Isa::scalar) reference = w;
    CHECK(same_bits(w, reference));
  }
}

TEST_CASE("a moment that would become denormal becomes zero, and so does a tiny gradient") {
  for (Isa isa : available_isas()) {
    AlignedFloats g(16, 0.0f), m(16, 1e-38f), v(16, 1e-38f), w(16, 1.0f);
    const AdamScalars s{0.9f, 0.1f, 0.999f, 0.001f, 0.01f, 1, 1e-8f};
    adam(isa, s, g.data(), m.data(), v.data(), w.data(), 16);
    CHECK(m[3] == 0);
    CHECK(v[3] == 0);
    const AlignedFloats d(16, 1e-9f), x(16, 1e-9f);
    AlignedFloats scratch(kernel_scratch_floats);
    Weights grad;
    grad.rows = grad.cols = 1;
    grad.values = {1};
    const GradientInput input{&grad, x.data(), 16};
    weight_gradients(isa, {d.data(), 16, 1, 16}, &input, 1, 0, 1, scratch.data());
    CHECK(grad.values[0] == 0);
  }
}

TEST_CASE("an instruction set that is not there is refused by name, with those that are") {
  CHECK(parse_isa("auto").ok());
  CHECK(parse_isa("scalar").ok());
  const Result<Isa> bad = parse_isa("mmx");
  REQUIRE_FALSE(bad.ok());
  CHECK(bad.error().text().find("scalar") != std::string::npos);
}
