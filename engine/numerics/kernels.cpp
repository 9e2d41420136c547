#include "numerics/kernels.h"

#include <algorithm>

#include "numerics/kernel_table.h"

namespace dalea {
namespace {

struct Entry {
  Isa isa;
  const char* name;
  const KernelTable* table;  // null: not in this build
};

const Entry entries[] = {
    {Isa::scalar, "scalar", &kernels_scalar},
#ifdef DALEA_KERNELS_X86
    {Isa::sse2, "sse2", &kernels_sse2},          {Isa::avx2, "avx2", &kernels_avx2},
    {Isa::avx512, "avx512", &kernels_avx512},
#else
    {Isa::sse2, "sse2", nullptr},
    {Isa::avx2, "avx2", nullptr},
    {Isa::avx512, "avx512", nullptr},
#endif
#ifdef DALEA_KERNELS_SIMD128
    {Isa::simd128, "simd128", &kernels_simd128},
#else
    {Isa::simd128, "simd128", nullptr},
#endif
};

bool runs_here(const Entry& e) {
  if (e.table == nullptr) return false;
#ifdef DALEA_KERNELS_X86
  if (e.isa == Isa::avx2) return __builtin_cpu_supports("avx2");
#ifndef DALEA_WIDE_ANYWHERE
  if (e.isa == Isa::avx512)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
#else  // a build of the tests (dalea_wide): vectors of 16 from pairs of eight
  if (e.isa == Isa::avx512) return __builtin_cpu_supports("avx2");
#endif
#endif
  return true;
}

const KernelTable& table_of(Isa isa) {
  return *entries[static_cast<int>(isa)].table;
}

}  // namespace

std::vector<Isa> available_isas() {
  std::vector<Isa> list;
  for (const Entry& e : entries)
    if (runs_here(e)) list.push_back(e.isa);
  return list;
}

Isa best_isa() {
  return available_isas().back();
}

const char* isa_name(Isa isa) {
  return entries[static_cast<int>(isa)].name;
}

Result<Isa> parse_isa(std::string_view name) {
  if (name == "auto") return best_isa();
  std::string here;
  for (Isa isa : available_isas()) {
    if (name == isa_name(isa)) return isa;
    here += (here.empty() ? "" : ", ") + std::string(isa_name(isa));
  }
  return Error{"isa", "'" + std::string(name) + "' is not available here; use auto or one of " + here};
}

void Product::pack(const Weights& w, Side side, Isa isa) {
  isa_ = isa;
  side_ = side;
  pattern_ = w.pattern;
  const bool forward = side == Side::forward;
  out_ = forward ? w.rows : w.cols;
  in_ = forward ? w.cols : w.rows;
  if (pattern_) {
    packed_.resize(w.values.size());
    if (forward)
      for (size_t e = 0; e < packed_.size(); ++e) packed_[e] = w.values[pattern_->at[e]];
    else
      std::copy(w.values.begin(), w.values.end(), packed_.begin());
    return;
  }
  const int64_t rows = table_of(isa).rows_per_panel;
  const int64_t panels = (out_ + rows - 1) / rows;
  packed_.resize(static_cast<size_t>(panels * rows * in_));
  const float* v = w.values.data();
  for (int64_t p = 0; p < panels; ++p) {
    float* panel = packed_.data() + p * rows * in_;
    const int64_t valid = std::min(rows, out_ - p * rows);
    for (int64_t u = 0; u < rows; ++u)
      for (int64_t k = 0; k < in_; ++k) {
        const int64_t o = p * rows + u;
        panel[k * rows + u] = u >= valid ? 0.0f : forward ? v[k * w.rows + o] : v[o * w.rows + k];
      }
  }
}

void Product::run(const float* x, float* y, int64_t stride, int64_t b0, int64_t b1, float* scratch, Input input,
                  bool add) const {
  PackedView view;
  view.out = out_;
  view.in = in_;
  view.values = packed_.data();
  view.scratch = scratch;
  view.rectified = input == Input::rectified;
  const KernelTable& k = table_of(isa_);
  if (!pattern_) return k.dense(view, x, y, stride, b0, b1, add);
  const bool forward = side_ == Side::forward;
  view.start = (forward ? pattern_->row_start : pattern_->col_start).data();
  view.index = (forward ? pattern_->col : pattern_->row).data();
  k.sparse(view, x, y, stride, b0, b1, add);
}

void Product::apply(const float* x, float* y, int64_t stride, int64_t b0, int64_t b1, float* scratch,
                    Input input) const {
  run(x, y, stride, b0, b1, scratch, input, false);
}

void Product::add(const float* x, float* y, int64_t stride, int64_t b0, int64_t b1, float* scratch) const {
  run(x, y, stride, b0, b1, scratch, Input::plain, true);
}

void cell_forward(Isa isa, const CellForward& c, int64_t b0, int64_t b1) {
  table_of(isa).forward(c, b0, b1);
}

void cell_backward(Isa isa, const CellBackward& c, int64_t b0, int64_t b1) {
  table_of(isa).backward(c, b0, b1);
}

void bias_activation(Isa isa, Activation activation, const float* bias, float* y, int64_t rows, int64_t stride,
                     int64_t b0, int64_t b1) {
  table_of(isa).bias_activation(activation, bias, y, rows, stride, b0, b1);
}

void weight_gradients(Isa isa, const Deltas& deltas, const GradientInput* inputs, int count, int part, int parts,
                      float* scratch) {
  GradientColumns dense[most_gradient_inputs];
  GradientView together{deltas.d, deltas.d_time, deltas.steps, deltas.stride, 0, dense, 0, nullptr, nullptr, scratch};
  int64_t cols = 0;
  for (int k = 0; k < count; ++k) {
    const GradientInput& in = inputs[k];
    Weights& grad = *in.grad;
    if (deltas.steps <= in.lag) {  // a sum of nothing
      if (part == 0) std::fill(grad.values.begin(), grad.values.end(), 0.0f);
      continue;
    }
    GradientColumns columns{in.x,      in.x_time,          in.lag,
                            grad.cols, grad.values.data(), in.input == Product::Input::rectified};
    if (!grad.sparse()) {
      together.rows = grad.rows;
      dense[together.count++] = columns;
      cols += grad.cols;
      continue;
    }
    columns.lag = 0;  // by leaving out the deltas that meet nothing
    const GradientView alone{deltas.d + in.lag * deltas.d_time,
                             deltas.d_time,
                             deltas.steps - in.lag,
                             deltas.stride,
                             grad.rows,
                             &columns,
                             1,
                             grad.pattern->col_start.data(),
                             grad.pattern->row.data(),
                             scratch};
    table_of(isa).gradient(alone, 0, grad.rows, grad.cols * part / parts, grad.cols * (part + 1) / parts);
  }
  if (together.count == 0) return;
  const int64_t rows = together.rows;
  if (cols > 2 * rows)
    table_of(isa).gradient(together, 0, rows, cols * part / parts, cols * (part + 1) / parts);
  else
    table_of(isa).gradient(together, rows * part / parts, rows * (part + 1) / parts, 0, cols);
}

void adam(Isa isa, const AdamScalars& s, const float* g, float* m, float* v, float* w, int64_t n) {
  table_of(isa).adam(s, g, m, v, w, n);
}

}  // namespace dalea
