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

void Product::run(const float* x, float* y, int64_t stride, int64_t b0, int64_t b1, float* scratch, bool add) const {
  PackedView view;
  view.out = out_;
  view.in = in_;
  view.values = packed_.data();
  view.scratch = scratch;
  const KernelTable& k = table_of(isa_);
  if (!pattern_) return k.dense(view, x, y, stride, b0, b1, add);
  const bool forward = side_ == Side::forward;
  view.start = (forward ? pattern_->row_start : pattern_->col_start).data();
  view.index = (forward ? pattern_->col : pattern_->row).data();
  k.sparse(view, x, y, stride, b0, b1, add);
}

void Product::apply(const float* x, float* y, int64_t stride, int64_t b0, int64_t b1, float* scratch) const {
  run(x, y, stride, b0, b1, scratch, false);
}

void Product::add(const float* x, float* y, int64_t stride, int64_t b0, int64_t b1, float* scratch) const {
  run(x, y, stride, b0, b1, scratch, true);
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

void weight_gradient(Isa isa, const float* d, int64_t d_time, const float* x, int64_t x_time, int64_t steps,
                     int64_t stride, Weights& grad, int part, int parts, float* scratch) {
  GradientView g{d,       x,       d_time, x_time, steps, stride, grad.rows, grad.cols, grad.values.data(),
                 nullptr, nullptr, scratch};
  if (grad.sparse()) {
    g.col_start = grad.pattern->col_start.data();
    g.row = grad.pattern->row.data();
  }
  int64_t i0 = 0, i1 = grad.rows, j0 = 0, j1 = grad.cols;
  if (grad.sparse() || grad.cols > grad.rows) {
    j0 = grad.cols * part / parts;
    j1 = grad.cols * (part + 1) / parts;
  } else {
    i0 = grad.rows * part / parts;
    i1 = grad.rows * (part + 1) / parts;
  }
  table_of(isa).gradient(g, i0, i1, j0, j1);
}

void bias_gradient(Isa isa, const float* d, int64_t d_time, int64_t steps, int64_t stride, Weights& grad, int part,
                   int parts) {
  const GradientView g{d,       nullptr, d_time, 0, steps, stride, grad.rows, 1, grad.values.data(),
                       nullptr, nullptr, nullptr};
  table_of(isa).bias_gradient(g, grad.rows * part / parts, grad.rows * (part + 1) / parts);
}

void adam(Isa isa, const AdamScalars& s, const float* g, float* m, float* v, float* w, int64_t n) {
  table_of(isa).adam(s, g, m, v, w, n);
}

}  // namespace dalea
