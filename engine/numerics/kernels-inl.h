// The inner loops over vectors of `lanes_per_vector` floats. A file defines DALEA_VECTOR_BYTES (16, 32, 64), the tile
// sizes and DALEA_TABLE, then includes this once. Everything is in an unnamed namespace and nothing of std is called:
// see math-inl.h. docs/KERNELS.md draws what is summed in which order.

#include <cfloat>
#include <cstdint>

#include "numerics/kernel_table.h"

// Loops over a tile's registers must vanish: clang leaves some of them, and their accumulators in memory, otherwise.
#ifdef __clang__
#define DALEA_UNROLL _Pragma("clang loop unroll(full)")
#else
#define DALEA_UNROLL _Pragma("GCC unroll 32")
#endif

#ifdef __FAST_MATH__
#error "Dalea's bits need IEEE arithmetic: build without -ffast-math"
#endif
static_assert(FLT_EVAL_METHOD == 0, "floats must be computed as floats");

namespace dalea {
namespace {

typedef float Vec __attribute__((vector_size(DALEA_VECTOR_BYTES)));
typedef int32_t IntVec __attribute__((vector_size(DALEA_VECTOR_BYTES)));

#include "numerics/math-inl.h"

template <>
struct Lanes<Vec> {
  using I = IntVec;
};

constexpr int64_t width = DALEA_VECTOR_BYTES / 4;    // trials in a vector
constexpr int per16 = static_cast<int>(16 / width);  // vectors that hold the 16 lanes of a gradient
constexpr int panel_rows = DALEA_PANEL_ROWS;
constexpr int trial_vectors = DALEA_TRIAL_VECTORS;  // vectors of trials in a tile of the product
constexpr int tile_i = DALEA_GRADIENT_ROWS, tile_j = DALEA_GRADIENT_COLS;
constexpr int sparse_entries = DALEA_GRADIENT_ENTRIES, sparse_vectors = DALEA_GRADIENT_VECTORS;

inline Vec load(const float* p) {
  Vec v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

inline void store(float* p, Vec v) {
  __builtin_memcpy(p, &v, sizeof v);
}

inline Vec broadcast(float c) {
  return Vec{} + c;
}

// One load instruction. Written out: g++ builds a vector from a loop lane by lane.
inline Vec broadcast_from(const float* p) {
  const float c = *p;
#if DALEA_VECTOR_BYTES == 16
  return Vec{c, c, c, c};
#elif DALEA_VECTOR_BYTES == 32
  return Vec{c, c, c, c, c, c, c, c};
#else
  return Vec{c, c, c, c, c, c, c, c, c, c, c, c, c, c, c, c};
#endif
}

inline Vec rectified(Vec x) {  // the instruction that returns its second operand when in doubt: NaN stays
#ifdef __wasm_simd128__
  return __builtin_wasm_pmax_f32x4(x, Vec{});
#else
  return Vec{} > x ? Vec{} : x;
#endif
}

constexpr int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

// ---- state x weights

enum class Start { zero, memory };
enum class Finish { store, add };

// One tile: VB vectors of trials x `tile_rows` outputs; k ascending, nothing ever summed over k in a vector.
template <int VB, int tile_rows = panel_rows>
inline void tile(const float* panel, const float* x, int64_t x_stride, int64_t k_count, float* y, int64_t y_stride,
                 int64_t rows, Start start, Finish finish) {
  Vec acc[tile_rows][VB];
  DALEA_UNROLL
  for (int u = 0; u < tile_rows; ++u) DALEA_UNROLL
  for (int v = 0; v < VB; ++v)
    acc[u][v] = start == Start::memory && u < rows ? load(y + u * y_stride + v * width) : Vec{};
  for (int64_t k = 0; k < k_count; ++k) {
    Vec xs[VB];
    DALEA_UNROLL
    for (int v = 0; v < VB; ++v) xs[v] = load(x + v * width);
    DALEA_UNROLL
    for (int u = 0; u < tile_rows; ++u) {
      const Vec w = broadcast_from(panel + u);
      DALEA_UNROLL
      for (int v = 0; v < VB; ++v) acc[u][v] = acc[u][v] + w * xs[v];
    }
    x += x_stride;
    panel += panel_rows;
  }
  DALEA_UNROLL
  for (int u = 0; u < tile_rows; ++u) {
    if (u >= rows) break;
    DALEA_UNROLL
    for (int v = 0; v < VB; ++v) {
      float* to = y + u * y_stride + v * width;
      store(to, finish == Finish::add ? load(to) + acc[u][v] : acc[u][v]);
    }
  }
}

inline void tile_of(int64_t vectors, const float* panel, const float* x, int64_t x_stride, int64_t k_count, float* y,
                    int64_t y_stride, int64_t rows, Start start, Finish finish) {
  if constexpr (trial_vectors >= 3)
    if (vectors == 3) return tile<3>(panel, x, x_stride, k_count, y, y_stride, rows, start, finish);
  if constexpr (trial_vectors >= 2)
    if (vectors == 2) return tile<2>(panel, x, x_stride, k_count, y, y_stride, rows, start, finish);
  tile<1>(panel, x, x_stride, k_count, y, y_stride, rows, start, finish);
}

// `count` rows of VB vectors, `stride` apart, laid one after the other.
template <int VB, bool rectify>
inline void copy_rows_as(const float* from, int64_t stride, int64_t count, float* to) {
  for (int64_t q = 0; q < count; ++q) {
    DALEA_UNROLL
    for (int v = 0; v < VB; ++v) {
      const Vec x = load(from + v * width);
      store(to + v * width, rectify ? rectified(x) : x);
    }
    from += stride;
    to += VB * width;
  }
}

template <int VB>
inline void copy_rows(const PackedView& w, const float* from, int64_t stride, int64_t count, float* to) {
  if (w.rectified)
    copy_rows_as<VB, true>(from, stride, count, to);
  else
    copy_rows_as<VB, false>(from, stride, count, to);
}

// One or two outputs (a readout): tiles of many trials instead of outputs that do not exist.
template <int R>
inline void narrow_product(const PackedView& w, const float* x, float* y, int64_t stride, int64_t b0, int64_t b1,
                           Finish finish) {
  constexpr int wide = 8 / R;
  int64_t b = b0;
  for (; b + wide * width <= b1; b += wide * width)
    tile<wide, R>(w.values, x + b, stride, w.in, y + b, stride, R, Start::zero, finish);
  for (; b < b1; b += width) tile<1, R>(w.values, x + b, stride, w.in, y + b, stride, R, Start::zero, finish);
}

// Memory: a block of X (k_block inputs, trial_block trials) is packed into the second cache in tiles of trials; one
// such tile stays in the first cache while panels_at_once panels of W pass from the second. Partial sums wait in Y,
// which changes no bit.
constexpr int64_t k_block = DALEA_VECTOR_BYTES == 64 ? 360 : 240, trial_block = 208, panels_at_once = 16;
static_assert(k_block * trial_block <= kernel_scratch_floats);

template <int VB>
inline void pack_trials(const PackedView& w, const float* x, int64_t stride, int64_t count, int64_t trials, float* to) {
  constexpr int64_t step = VB * width;
  for (; trials >= step; trials -= step, x += step, to += step * count) copy_rows<VB>(w, x, stride, count, to);
  if constexpr (VB > 1) pack_trials<VB - 1>(w, x, stride, count, trials, to);
}

void dense_product(const PackedView& w, const float* x, float* y, int64_t stride, int64_t b0, int64_t b1, bool add) {
  const int64_t panels = (w.out + panel_rows - 1) / panel_rows;
  constexpr int64_t step = trial_vectors * width;
  const Finish finish = add ? Finish::add : Finish::store;
  if (w.out == 1 && !w.rectified) return narrow_product<1>(w, x, y, stride, b0, b1, finish);
  if (w.out == 2 && !w.rectified) return narrow_product<2>(w, x, y, stride, b0, b1, finish);
  if (add || (panels <= 2 && !w.rectified)) {
    for (int64_t b = b0; b < b1; b += step)
      for (int64_t p = 0; p < panels; ++p)
        tile_of(least(step, b1 - b) / width, w.values + p * panel_rows * w.in, x + b, stride, w.in,
                y + p * panel_rows * stride + b, stride, w.out - p * panel_rows, Start::zero, finish);
    return;
  }
  float* block = w.scratch;
  for (int64_t b = b0; b < b1; b += trial_block) {
    const int64_t trials = least(trial_block, b1 - b);
    for (int64_t k = 0; k < w.in; k += k_block) {
      const int64_t count = least(k_block, w.in - k);
      pack_trials<trial_vectors>(w, x + k * stride + b, stride, count, trials, block);
      for (int64_t p0 = 0; p0 < panels; p0 += panels_at_once)
        for (int64_t s = 0; s < trials; s += step) {
          const int64_t tile_width = least(step, trials - s);
          for (int64_t p = p0; p < least(p0 + panels_at_once, panels); ++p)
            tile_of(tile_width / width, w.values + p * panel_rows * w.in + k * panel_rows, block + s * count,
                    tile_width, count, y + p * panel_rows * stride + b + s, stride, w.out - p * panel_rows,
                    k == 0 ? Start::zero : Start::memory, Finish::store);
        }
    }
  }
}

template <int VB>
inline void sparse_rows(const PackedView& w, const float* x, float* y, int64_t stride, bool add) {
  for (int64_t i = 0; i < w.out; ++i) {
    Vec acc[VB] = {};
    for (int64_t e = w.start[i]; e < w.start[i + 1]; ++e) {
      const Vec value = broadcast_from(w.values + e);
      const float* from = x + w.index[e] * (VB * width);
      DALEA_UNROLL
      for (int v = 0; v < VB; ++v) acc[v] = acc[v] + value * load(from + v * width);
    }
    DALEA_UNROLL
    for (int v = 0; v < VB; ++v) store(y + v * width, add ? load(y + v * width) + acc[v] : acc[v]);
    y += stride;
  }
}

template <int VB>
inline void sparse_chunk(int64_t vectors, const PackedView& w, const float* x, float* y, int64_t stride, bool add) {
  if (vectors == VB) {
    copy_rows<VB>(w, x, stride, w.in, w.scratch);
    return sparse_rows<VB>(w, w.scratch, y, stride, add);
  }
  if constexpr (VB > 1) sparse_chunk<VB - 1>(vectors, w, x, y, stride, add);
}

// Chunks of trials, as equal as can be. The inputs of a chunk are laid side by side first, so that the second cache and
// its prefetcher hold nothing else; a chunk is at least two lines wide, and wider while it fits.
void sparse_product(const PackedView& w, const float* x, float* y, int64_t stride, int64_t b0, int64_t b1, bool add) {
  constexpr int most = DALEA_VECTOR_BYTES == 16 ? 4 : 8;
  constexpr int64_t narrowest = 128 / DALEA_VECTOR_BYTES > most ? most : 128 / DALEA_VECTOR_BYTES;
  constexpr int64_t widest = least(most, kernel_scratch_trials / width);
  const int64_t fits = 196608 / (w.in * DALEA_VECTOR_BYTES + 1);
  const int64_t wide = fits < narrowest ? narrowest : least(fits, widest);
  const int64_t vectors = (b1 - b0) / width, chunks = (vectors + wide - 1) / wide;
  for (int64_t c = 0; c < chunks; ++c) {
    const int64_t from = vectors * c / chunks, b = b0 + from * width;
    sparse_chunk<most>(vectors * (c + 1) / chunks - from, w, x + b, y + b, stride, add);
  }
}

// ---- the element-wise part of a time step

template <Activation A>
inline Vec activate(Vec x) {
  if constexpr (A == Activation::tanh) return tanh_of(x);
  if constexpr (A == Activation::relu) return x > 0.0f ? x : Vec{};
  if constexpr (A == Activation::softplus) return softplus_of(x);
  if constexpr (A == Activation::sigmoid) return sigmoid_of(x);
  return x;
}

template <Activation A>
inline Vec slope(Vec z) {
  if constexpr (A == Activation::tanh) return 1.0f - z * z;
  if constexpr (A == Activation::relu) return z > 0.0f ? broadcast(1.0f) : Vec{};
  if constexpr (A == Activation::softplus) return 1.0f - exp_of(-z);
  if constexpr (A == Activation::sigmoid) return z * (1.0f - z);
  return broadcast(1.0f);
}

template <Activation A>
void forward_cells(const CellForward& c, int64_t b0, int64_t b1) {
  for (int64_t i = 0; i < c.units; ++i) {
    const float alpha = c.alpha != nullptr ? c.alpha[i] : 1.0f;
    const Vec bias = c.bias != nullptr ? broadcast_from(c.bias + i) : Vec{};  // -0 stays -0
    const int64_t row = i * c.stride;
    for (int64_t b = row + b0; b < row + b1; b += width) {
      Vec drive = load(c.in_drive + b);
      if (c.bias != nullptr) drive = drive + bias;
      if (c.sum != nullptr) drive = load(c.sum + b) + drive;
      if (c.x != nullptr) {
        if (alpha < 1.0f) drive = (1.0f - alpha) * load(c.x + b) + alpha * drive;
        if (c.noise != nullptr) drive = drive + load(c.noise + b);
        store(c.x + b, drive);
      } else if (c.noise != nullptr) {
        drive = drive + load(c.noise + b);
      }
      store(c.z + b, activate<A>(drive));
    }
  }
}

inline Vec settle(Vec v) {
  return magnitude(v) < 0x1p-50f ? Vec{} : v;
}

template <Activation A>
void backward_cells(const CellBackward& c, int64_t b0, int64_t b1) {
  for (int64_t i = 0; i < c.units; ++i) {
    const float alpha = c.alpha != nullptr ? c.alpha[i] : 1.0f;
    const int64_t row = i * c.stride;
    for (int64_t b = row + b0; b < row + b1; b += width) {
      const Vec z = load(c.z + b);
      Vec dz = load(c.dz + b);
      if (c.back != nullptr) {
        const Vec back = load(c.back + b);
        dz = dz + (c.rectified ? (z > 0.0f ? back : Vec{}) : back);
      }
      if (c.rate != 0.0f) dz = dz + c.rate * (c.rectified ? (z > 0.0f ? z : Vec{}) : z);
      Vec dx = dz * slope<A>(z);
      if (c.dx != nullptr) {
        if (alpha < 1.0f) dx = dx + (1.0f - alpha) * load(c.dx + b);
        store(c.dx + b, dx);
        dx = alpha * dx;
      }
      store(c.dz + b, settle(dx));
    }
  }
}

template <Activation A>
void bias_rows(const float* bias, float* y, int64_t rows, int64_t stride, int64_t b0, int64_t b1) {
  for (int64_t i = 0; i < rows; ++i) {
    const Vec add = bias != nullptr ? broadcast_from(bias + i) : Vec{};
    for (int64_t b = i * stride + b0; b < i * stride + b1; b += width) {
      const Vec v = load(y + b);
      store(y + b, activate<A>(bias != nullptr ? v + add : v));
    }
  }
}

void forward_step(const CellForward& c, int64_t b0, int64_t b1) {
  switch (c.activation) {
    case Activation::tanh:
      return forward_cells<Activation::tanh>(c, b0, b1);
    case Activation::relu:
      return forward_cells<Activation::relu>(c, b0, b1);
    case Activation::softplus:
      return forward_cells<Activation::softplus>(c, b0, b1);
    case Activation::sigmoid:
      return forward_cells<Activation::sigmoid>(c, b0, b1);
    case Activation::identity:
      return forward_cells<Activation::identity>(c, b0, b1);
  }
}

void backward_step(const CellBackward& c, int64_t b0, int64_t b1) {
  switch (c.activation) {
    case Activation::tanh:
      return backward_cells<Activation::tanh>(c, b0, b1);
    case Activation::relu:
      return backward_cells<Activation::relu>(c, b0, b1);
    case Activation::softplus:
      return backward_cells<Activation::softplus>(c, b0, b1);
    case Activation::sigmoid:
      return backward_cells<Activation::sigmoid>(c, b0, b1);
    case Activation::identity:
      return backward_cells<Activation::identity>(c, b0, b1);
  }
}

void bias_step(Activation f, const float* bias, float* y, int64_t rows, int64_t stride, int64_t b0, int64_t b1) {
  switch (f) {
    case Activation::tanh:
      return bias_rows<Activation::tanh>(bias, y, rows, stride, b0, b1);
    case Activation::relu:
      return bias_rows<Activation::relu>(bias, y, rows, stride, b0, b1);
    case Activation::softplus:
      return bias_rows<Activation::softplus>(bias, y, rows, stride, b0, b1);
    case Activation::sigmoid:
      return bias_rows<Activation::sigmoid>(bias, y, rows, stride, b0, b1);
    case Activation::identity:
      return bias_rows<Activation::identity>(bias, y, rows, stride, b0, b1);
  }
}

// ---- gradients: 16 lanes, each over t descending and then b ascending, folded 8-4-2-1

template <int half>
inline Vec fold_lanes(Vec v) {  // lane k + lane (k + half), for k < half; the other lanes are not read
  if constexpr (half == 0) return v;
#if DALEA_VECTOR_BYTES == 64
  if constexpr (half == 8) v = v + __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
  if constexpr (half == 4) v = v + __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 7);
  if constexpr (half == 2) v = v + __builtin_shufflevector(v, v, 2, 3, 0, 1, 0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 7);
  if constexpr (half == 1) v = v + __builtin_shufflevector(v, v, 1, 0, 0, 1, 0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 7);
#elif DALEA_VECTOR_BYTES == 32
  if constexpr (half == 4) v = v + __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3);
  if constexpr (half == 2) v = v + __builtin_shufflevector(v, v, 2, 3, 0, 1, 0, 1, 2, 3);
  if constexpr (half == 1) v = v + __builtin_shufflevector(v, v, 1, 0, 0, 1, 0, 1, 2, 3);
#else
  if constexpr (half == 2) v = v + __builtin_shufflevector(v, v, 2, 3, 0, 1);
  if constexpr (half == 1) v = v + __builtin_shufflevector(v, v, 1, 0, 0, 1);
#endif
  return fold_lanes<half / 2>(v);
}

inline float fold(const Vec* acc) {
  Vec v[per16];
  DALEA_UNROLL
  for (int k = 0; k < per16; ++k) v[k] = acc[k];
  DALEA_UNROLL
  for (int half = per16 / 2; half >= 1; half /= 2) DALEA_UNROLL
  for (int k = 0; k < half; ++k) v[k] = v[k] + v[k + half];
  const float sum = fold_lanes<static_cast<int>(width) / 2>(v[0])[0];
  return (sum < 0 ? -sum : sum) < 0x1p-50f ? 0.0f : sum;
}

// Memory: a block of block_rows x block_rows pairs waits in the second cache, tile by tile, while a piece of its rows,
// packed, is summed; part_cols columns of the piece and a tile's rows fit the first cache.
constexpr int64_t block_rows = 66, part_cols = 12, piece_floats = 416;
static_assert(block_rows * (block_rows * 16 + 2 * piece_floats) <= kernel_scratch_floats);

// A piece of the sum over time and trials for a tile of I rows and J columns: d and x hold `groups` packed groups of
// 16 trials, vector v of all groups after vector v - 1 of all groups. The 16 lanes of each pair wait in `wait` between
// pieces. One vector of the lanes after the other: the registers hold I x J sums of it, so that loads stay fewer than
// multiplications.
template <int I, int J>
void gradient_tile(const float* d, const float* x, int64_t groups, bool first, float* wait) {
  for (int v = 0; v < per16; ++v) {
    Vec acc[I][J];
    DALEA_UNROLL
    for (int i = 0; i < I; ++i) {
      DALEA_UNROLL
      for (int j = 0; j < J; ++j) acc[i][j] = first ? Vec{} : load(wait + (i * J + j) * width);
    }
    for (int64_t e = 0; e < groups; ++e) {
      Vec xs[J];
      DALEA_UNROLL
      for (int j = 0; j < J; ++j) xs[j] = load(x + j * width);
      DALEA_UNROLL
      for (int i = 0; i < I; ++i) {
        const Vec ds = load(d + i * width);
        DALEA_UNROLL
        for (int j = 0; j < J; ++j) acc[i][j] = acc[i][j] + ds * xs[j];
      }
      x += J * width;
      d += I * width;
    }
    DALEA_UNROLL
    for (int i = 0; i < I; ++i) {
      DALEA_UNROLL
      for (int j = 0; j < J; ++j) store(wait + (i * J + j) * width, acc[i][j]);
    }
    wait += I * J * width;
  }
}

// By number of rows and columns; null: never asked for (tile_size). Calls through a table keep each tile a function of
// its own: in one large function of all of them a browser's compiler is short of registers.
using GradientTile = void (*)(const float* d, const float* x, int64_t groups, bool first, float* wait);
template <int I, int J>
constexpr GradientTile gradient_tile_for() {
  if constexpr (I > 0 && J > 0 && (I == tile_i || (I <= 3 && I < tile_i)) && (J == tile_j || (J <= 3 && J < tile_j)))
    return gradient_tile<I, J>;
  else
    return nullptr;
}
template <int I>
struct GradientTiles {
  static constexpr GradientTile of[] = {nullptr,
                                        gradient_tile_for<I, 1>(),
                                        gradient_tile_for<I, 2>(),
                                        gradient_tile_for<I, 3>(),
                                        gradient_tile_for<I, 4>(),
                                        gradient_tile_for<I, 5>(),
                                        gradient_tile_for<I, 6>()};
};
static_assert(tile_i <= 4 && tile_j <= 6);
const GradientTile* const gradient_tiles[] = {nullptr, GradientTiles<1>::of, GradientTiles<2>::of, GradientTiles<3>::of,
                                              GradientTiles<4>::of};

inline int64_t tile_size(int64_t left, int64_t most) {  // sizes a template exists for: most, 3, 2, 1
  if (left >= most) return most;
  return left >= 3 && most >= 3 ? 3 : left >= 2 && most >= 2 ? 2 : 1;
}

// Piece `k` of the sum: time steps [t0, t1), trials [b0, b1); time descends and trials ascend from piece to piece.
struct Piece {
  int64_t t0, t1, b0, b1;
  int64_t floats() const { return (t1 - t0) * (b1 - b0); }
};

inline bool piece_of(const GradientView& g, int64_t k, int64_t most, Piece* piece) {
  if (g.stride > most) {  // a part of one time step
    const int64_t a_step = (g.stride + most - 1) / most;
    const int64_t t = g.steps - 1 - k / a_step, groups = g.stride / 16, part = k % a_step;
    if (t < 0) return false;
    *piece = {t, t + 1, groups * part / a_step * 16, groups * (part + 1) / a_step * 16};
    return true;
  }
  const int64_t steps = most / g.stride, t1 = g.steps - k * steps;
  if (t1 <= 0) return false;
  *piece = {t1 > steps ? t1 - steps : 0, t1, 0, g.stride};
  return true;
}

// One row of a piece into place r of a packed tile of `rows` rows, in the order of the sum: vector v of each group of
// 16 trials, row by row, then the next group. The groups of one v take `part` floats.
template <bool rectify>
inline void pack_row(const float* row, int64_t time, const Piece& piece, int64_t part, int64_t r, int64_t rows,
                     float* to) {
  to += r * width;
  for (int64_t t = piece.t1 - 1; t >= piece.t0; --t) {
    const float* from = row + t * time;
    for (int64_t b = piece.b0; b < piece.b1; b += 16, to += rows * width) DALEA_UNROLL
    for (int v = 0; v < per16; ++v) {
      const Vec x = load(from + b + v * width);
      store(to + v * part, rectify ? rectified(x) : x);
    }
  }
}

inline void pack_constant(float value, const Piece& piece, int64_t r, int64_t rows, float* to) {
  for (int64_t q = 0; q < piece.floats() / width; ++q) store(to + (q * rows + r) * width, broadcast(value));
}

inline void pack_column(const GradientView& g, const GradientColumns& c, int64_t j, const Piece& piece, int64_t r,
                        int64_t rows, float* to) {
  if (c.x == nullptr) return pack_constant(1.0f, piece, r, rows, to);
  Piece earlier{piece.t0 - c.lag, piece.t1 - c.lag, piece.b0, piece.b1};
  if (earlier.t0 < 0) {  // the first deltas, which come last, meet nothing
    pack_constant(0.0f, piece, r, rows, to);
    earlier.t0 = 0;
  }
  const int64_t part = piece.floats() / 16 * rows * width;
  (c.rectified ? pack_row<true> : pack_row<false>)(c.x + j * g.stride, c.x_time, earlier, part, r, rows, to);
}

// Columns are counted through the sets.
struct Column {
  const GradientColumns* set;
  int64_t j;
};

inline Column column_of(const GradientView& g, int64_t j) {
  const GradientColumns* set = g.columns;
  while (j >= set->count) j -= set++->count;
  return {set, j};
}

// Rows [i0, i1) and columns [j0, j1) of a piece, packed in tiles.
inline void pack_deltas(const GradientView& g, const Piece& piece, int64_t i0, int64_t i1, float* to) {
  for (int64_t i = i0, rows = 0; i < i1; i += rows, to += rows * piece.floats()) {
    rows = tile_size(i1 - i, tile_i);
    const int64_t part = piece.floats() / 16 * rows * width;
    for (int64_t r = 0; r < rows; ++r) pack_row<false>(g.d + (i + r) * g.stride, g.d_time, piece, part, r, rows, to);
  }
}

inline void pack_inputs(const GradientView& g, const Piece& piece, int64_t j0, int64_t j1, float* to) {
  for (int64_t j = j0, cols = 0; j < j1; j += cols, to += cols * piece.floats()) {
    cols = tile_size(j1 - j, tile_j);
    for (int64_t r = 0; r < cols; ++r) {
      const Column c = column_of(g, j + r);
      pack_column(g, *c.set, c.j, piece, r, cols, to);
    }
  }
}

// Asks the second cache for the rows of the next piece, some rows of one time step a call, while this one is summed.
struct Ahead {
  const GradientView& g;
  Piece piece;
  int64_t i0, rows, j0, cols, t, r = 0;

  void some(int64_t many) {
    for (; many > 0 && t >= piece.t0; --many) {
      const float* p = g.d + (i0 + r) * g.stride + t * g.d_time;
      if (r >= rows) {
        const Column c = column_of(g, j0 + r - rows);
        const int64_t from = t - c.set->lag;
        p = c.set->x == nullptr || from < 0 ? nullptr : c.set->x + c.j * g.stride + from * c.set->x_time;
      }
      for (int64_t b = piece.b0; p != nullptr && b < piece.b1; b += 16) __builtin_prefetch(p + b, 0, 2);
      if (++r < rows + cols) continue;
      r = 0;
      --t;
    }
  }
};

void dense_gradient(const GradientView& g, int64_t i0, int64_t i1, int64_t j0, int64_t j1) {
  float *wait = g.scratch, *ds = wait + block_rows * block_rows * 16, *xs = ds + block_rows * piece_floats;
  for (int64_t ib = i0; ib < i1; ib += block_rows) {
    const int64_t ie = least(ib + block_rows, i1);
    for (int64_t jb = j0; jb < j1; jb += block_rows) {
      const int64_t je = least(jb + block_rows, j1);
      const int64_t tiles = (ie - ib + tile_i - 1) / tile_i * ((je - jb + tile_j - 1) / tile_j);
      Piece piece;
      for (int64_t k = 0; piece_of(g, k, piece_floats, &piece); ++k) {
        const int64_t length = piece.floats();
        pack_deltas(g, piece, ib, ie, ds);
        pack_inputs(g, piece, jb, je, xs);
        float* at = wait;
        int64_t rows = 0, cols = 0, rows_a_tile = 0;
        Ahead ahead{g, {0, 0, 0, 0}, ib, ie - ib, jb, je - jb, -1};
        if (piece_of(g, k + 1, piece_floats, &ahead.piece)) {
          ahead.t = ahead.piece.t1 - 1;
          rows_a_tile = (ahead.piece.t1 - ahead.piece.t0) * (ie - ib + je - jb) / tiles + 1;
        }
        for (int64_t jp = jb; jp < je; jp += part_cols) {
          const int64_t jpe = least(jp + part_cols, je);
          for (int64_t i = ib; i < ie; i += rows) {
            rows = tile_size(ie - i, tile_i);
            for (int64_t j = jp; j < jpe; j += cols) {
              cols = tile_size(jpe - j, tile_j);
              ahead.some(rows_a_tile);
              gradient_tiles[rows][cols](ds + (i - ib) * length, xs + (j - jb) * length, length / 16, k == 0, at);
              at += rows * cols * 16;
            }
          }
        }
      }
      const float* at = wait;
      int64_t rows = 0, cols = 0;
      for (int64_t jp = jb; jp < je; jp += part_cols) {
        const int64_t jpe = least(jp + part_cols, je);
        for (int64_t i = ib; i < ie; i += rows) {
          rows = tile_size(ie - i, tile_i);
          for (int64_t j = jp; j < jpe; j += cols) {
            cols = tile_size(jpe - j, tile_j);
            for (int64_t c = 0; c < cols; ++c) {
              const Column column = column_of(g, j + c);
              float* grad = column.set->grad + column.j * g.rows + i;
              for (int64_t r = 0; r < rows; ++r) {
                Vec acc[per16];
                for (int v = 0; v < per16; ++v) acc[v] = load(at + ((v * rows + r) * cols + c) * width);
                grad[r] = fold(acc);
              }
            }
            at += rows * cols * 16;
          }
        }
      }
    }
  }
}

// E entries of one column over a piece: their rows of d times the column's row of x; sparse_vectors of the 16 lanes
// after the other, as many as registers hold.
template <int E, bool rectify>
void sparse_tile(const GradientView& g, const Piece& piece, const int32_t* row, const float* x, bool first,
                 float* wait) {
  const float* d[E];
  DALEA_UNROLL
  for (int e = 0; e < E; ++e) d[e] = g.d + row[e] * g.stride;
  for (int part = 0; part < per16; part += sparse_vectors) {
    Vec acc[E][sparse_vectors];
    DALEA_UNROLL
    for (int e = 0; e < E; ++e) {
      DALEA_UNROLL
      for (int v = 0; v < sparse_vectors; ++v) acc[e][v] = first ? Vec{} : load(wait + e * 16 + v * width);
    }
    for (int64_t t = piece.t1 - 1; t >= piece.t0; --t) {
      const int64_t xt = t * g.columns->x_time + part * width, dt = t * g.d_time + part * width;
      for (int64_t b = piece.b0; b < piece.b1; b += 16) {
        Vec xs[sparse_vectors];
        DALEA_UNROLL
        for (int v = 0; v < sparse_vectors; ++v) {
          const Vec read = load(x + xt + b + v * width);
          xs[v] = rectify ? rectified(read) : read;
        }
        DALEA_UNROLL
        for (int e = 0; e < E; ++e) DALEA_UNROLL
        for (int v = 0; v < sparse_vectors; ++v) acc[e][v] = acc[e][v] + load(d[e] + dt + b + v * width) * xs[v];
      }
    }
    DALEA_UNROLL
    for (int e = 0; e < E; ++e) {
      DALEA_UNROLL
      for (int v = 0; v < sparse_vectors; ++v) store(wait + e * 16 + v * width, acc[e][v]);
    }
    wait += sparse_vectors * width;
  }
}

using SparseTile = void (*)(const GradientView& g, const Piece& piece, const int32_t* row, const float* x, bool first,
                            float* wait);
template <int E, bool rectify>
constexpr SparseTile sparse_tile_for() {
  if constexpr (E <= sparse_entries)
    return sparse_tile<E, rectify>;
  else
    return nullptr;
}
template <bool rectify>
struct SparseTiles {  // by number of entries
  static constexpr SparseTile of[] = {nullptr,
                                      sparse_tile_for<1, rectify>(),
                                      sparse_tile_for<2, rectify>(),
                                      sparse_tile_for<3, rectify>(),
                                      sparse_tile_for<4, rectify>(),
                                      sparse_tile_for<5, rectify>(),
                                      sparse_tile_for<6, rectify>(),
                                      sparse_tile_for<7, rectify>(),
                                      sparse_tile_for<8, rectify>()};
};
static_assert(sparse_entries <= 8);

// Memory: entries of a block of rows and some columns wait in the second cache, beside the block's rows of d. Cursors
// go down the columns: a search would miss the caches.
constexpr int64_t most_waiting = 6144, most_columns = 1200, sparse_piece = 208;
static_assert(most_waiting * 16 <= kernel_scratch_floats);

// Asks the second cache for a row of a piece.
inline void ask_for(const float* row, int64_t time, const Piece& piece) {
  for (int64_t t = piece.t1 - 1; t >= piece.t0; --t)
    for (int64_t b = piece.b0; b < piece.b1; b += 16) __builtin_prefetch(row + t * time + b, 0, 2);
}

// Entries of `columns` columns in the block of `rows` rows from r0 on: count[q] of them from begin[q] on. While a piece
// is summed the rows of the next one are asked for.
inline void sparse_block(const GradientView& g, int64_t j, int64_t columns, const int64_t* begin, const int32_t* count,
                         int64_t r0, int64_t rows) {
  const SparseTile* tiles = g.columns->rectified ? SparseTiles<true>::of : SparseTiles<false>::of;
  Piece piece;
  for (int64_t k = 0; piece_of(g, k, sparse_piece, &piece); ++k) {
    float* at = g.scratch;
    Piece later{0, 0, 0, 0};
    const bool more = piece_of(g, k + 1, sparse_piece, &later);
    for (int64_t q = 0; q < columns; ++q) {
      const float* x = g.columns->x + (j + q) * g.stride;
      const int32_t* row = g.row + begin[q];
      if (more) {
        ask_for(x, g.columns->x_time, later);
        for (int64_t r = r0 + q * rows / columns; r < r0 + (q + 1) * rows / columns; ++r)
          ask_for(g.d + r * g.stride, g.d_time, later);
      }
      for (int64_t left = count[q], now = 0; left > 0; left -= now, row += now, at += now * 16) {
        // As equal as can be: a tile of one entry costs nearly as much as one of three.
        now = left >= 2 * sparse_entries ? sparse_entries : left > sparse_entries ? (left + 1) / 2 : left;
        tiles[now](g, piece, row, x, k == 0, at);
      }
    }
  }
  const float* at = g.scratch;
  for (int64_t q = 0; q < columns; ++q)
    for (int64_t e = 0; e < count[q]; ++e, at += 16) {
      Vec acc[per16];
      for (int v = 0; v < per16; ++v) acc[v] = load(at + v * width);
      g.columns->grad[begin[q] + e] = fold(acc);
    }
}

void sparse_gradient(const GradientView& g, int64_t j0, int64_t j1) {
  int64_t begin[most_columns];
  int32_t count[most_columns];
  const int64_t entries = g.col_start[j1] - g.col_start[j0];
  if (entries == 0) return;
  // About four entries of each column in a block of rows.
  const int64_t wanted = 4 * g.rows * (j1 - j0) / entries;
  const int64_t rows_at_once = wanted < 192 ? 192 : wanted > 512 ? 512 : wanted;
  // Where few pairs exist, rows are met seldom while they are near: more pairs wait, so that rows come less often.
  const int64_t waiting = wanted > 256 ? most_waiting : most_waiting / 3;
  for (int64_t j = j0; j < j1; j += most_columns) {
    const int64_t columns = least(most_columns, j1 - j);
    for (int64_t q = 0; q < columns; ++q) begin[q] = g.col_start[j + q];
    for (int64_t r0 = 0; r0 < g.rows; r0 += rows_at_once) {
      for (int64_t q = 0; q < columns; ++q) {
        int64_t e = begin[q];
        const int64_t end = g.col_start[j + q + 1];
        while (e < end && g.row[e] < r0 + rows_at_once) ++e;
        count[q] = static_cast<int32_t>(e - begin[q]);
      }
      for (int64_t q = 0; q < columns;) {
        int64_t many = 0, total = 0;
        for (; q + many < columns && total + count[q + many] <= waiting; ++many) total += count[q + many];
        if (total > 0) sparse_block(g, j + q, many, begin + q, count + q, r0, least(rows_at_once, g.rows - r0));
        q += many;
      }
      for (int64_t q = 0; q < columns; ++q) begin[q] += count[q];
    }
  }
}

void gradient(const GradientView& g, int64_t i0, int64_t i1, int64_t j0, int64_t j1) {
  if (g.col_start == nullptr)
    dense_gradient(g, i0, i1, j0, j1);
  else
    sparse_gradient(g, j0, j1);
}

// ---- Adam

template <class V>
inline V root(V v) {  // IEEE square root, lane by lane: the compiler makes it one instruction
  float lane[sizeof(V) / 4];
  __builtin_memcpy(lane, &v, sizeof v);
  for (size_t k = 0; k < sizeof(V) / 4; ++k) lane[k] = __builtin_sqrtf(lane[k]);
  __builtin_memcpy(&v, lane, sizeof v);
  return v;
}

template <class V>
inline void adam_one(const AdamScalars& s, V g, V& m, V& v, V& w) {
  const V zero{};
  m = s.beta1 * m + s.one_minus_beta1 * g;
  v = s.beta2 * v + s.one_minus_beta2 * (g * g);
  m = magnitude(m) < 0x1p-100f ? zero : m;
  v = v < 0x1p-100f ? zero : v;
  w = w - (s.rate * m) / (root(v) / s.root_c2 + s.epsilon);
}

void adam_all(const AdamScalars& s, const float* g, float* m, float* v, float* w, int64_t n) {
  int64_t e = 0;
  for (; e + width <= n; e += width) {
    Vec mv = load(m + e), vv = load(v + e), wv = load(w + e);
    adam_one(s, load(g + e), mv, vv, wv);
    store(m + e, mv);
    store(v + e, vv);
    store(w + e, wv);
  }
  for (; e < n; ++e) adam_one(s, g[e], m[e], v[e], w[e]);
}

}  // namespace

const KernelTable DALEA_TABLE = {panel_rows,    dense_product, sparse_product, forward_step,
                                 backward_step, bias_step,     gradient,       adam_all};

}  // namespace dalea
