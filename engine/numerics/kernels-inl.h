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

inline int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

// ---- state x weights

enum class Start { zero, memory };
enum class Finish { store, add };

// One tile: VB vectors of trials x panel_rows outputs; k ascending, nothing ever summed over k in a vector.
template <int VB>
inline void tile(const float* panel, const float* x, int64_t x_stride, int64_t k_count, float* y, int64_t y_stride,
                 int64_t rows, Start start, Finish finish) {
  Vec acc[panel_rows][VB];
  DALEA_UNROLL
  for (int u = 0; u < panel_rows; ++u) DALEA_UNROLL
  for (int v = 0; v < VB; ++v)
    acc[u][v] = start == Start::memory && u < rows ? load(y + u * y_stride + v * width) : Vec{};
  for (int64_t k = 0; k < k_count; ++k) {
    Vec xs[VB];
    DALEA_UNROLL
    for (int v = 0; v < VB; ++v) xs[v] = load(x + v * width);
    DALEA_UNROLL
    for (int u = 0; u < panel_rows; ++u) {
      const Vec w = broadcast_from(panel + u);
      DALEA_UNROLL
      for (int v = 0; v < VB; ++v) acc[u][v] = acc[u][v] + w * xs[v];
    }
    x += x_stride;
    panel += panel_rows;
  }
  DALEA_UNROLL
  for (int u = 0; u < panel_rows; ++u) {
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
template <int VB>
inline void copy_rows(const float* from, int64_t stride, int64_t count, float* to) {
  for (int64_t q = 0; q < count; ++q) {
    DALEA_UNROLL
    for (int v = 0; v < VB; ++v) store(to + v * width, load(from + v * width));
    from += stride;
    to += VB * width;
  }
}

// Blocks of k keep a block of X in the first cache; partial sums wait in Y, which changes no bit.
constexpr int64_t k_block = 256, trial_block = 64;

void dense_product(const PackedView& w, const float* x, float* y, int64_t stride, int64_t b0, int64_t b1, bool add) {
  const int64_t panels = (w.out + panel_rows - 1) / panel_rows;
  constexpr int64_t step = trial_vectors * width;
  if (add || panels <= 2) {
    for (int64_t b = b0; b < b1; b += step)
      for (int64_t p = 0; p < panels; ++p)
        tile_of(least(step, b1 - b) / width, w.values + p * panel_rows * w.in, x + b, stride, w.in,
                y + p * panel_rows * stride + b, stride, w.out - p * panel_rows, Start::zero,
                add ? Finish::add : Finish::store);
    return;
  }
  alignas(64) float block[k_block * trial_block];
  for (int64_t b = b0; b < b1; b += trial_block) {
    const int64_t trials = least(trial_block, b1 - b);
    for (int64_t k = 0; k < w.in; k += k_block) {
      const int64_t count = least(k_block, w.in - k);
      // block: tiles of `step` trials, each contiguous over k
      for (int64_t s = 0; s < trials; s += step) {
        const int64_t tile_width = least(step, trials - s);
        float* to = block + s * count;
        const float* from = x + k * stride + b + s;
        if (tile_width == step)
          copy_rows<trial_vectors>(from, stride, count, to);
        else if (tile_width == 2 * width)
          copy_rows<2>(from, stride, count, to);
        else
          copy_rows<1>(from, stride, count, to);
      }
      for (int64_t p = 0; p < panels; ++p)
        for (int64_t s = 0; s < trials; s += step) {
          const int64_t tile_width = least(step, trials - s);
          tile_of(tile_width / width, w.values + p * panel_rows * w.in + k * panel_rows, block + s * count, tile_width,
                  count, y + p * panel_rows * stride + b + s, stride, w.out - p * panel_rows,
                  k == 0 ? Start::zero : Start::memory, Finish::store);
        }
    }
  }
}

template <int VB>
inline void sparse_rows(const PackedView& w, const float* x, float* y, int64_t stride, int64_t b, bool add) {
  for (int64_t i = 0; i < w.out; ++i) {
    Vec acc[VB] = {};
    for (int64_t e = w.start[i]; e < w.start[i + 1]; ++e) {
      const Vec value = broadcast_from(w.values + e);
      const float* from = x + w.index[e] * stride + b;
      DALEA_UNROLL
      for (int v = 0; v < VB; ++v) acc[v] = acc[v] + value * load(from + v * width);
    }
    float* to = y + i * stride + b;
    DALEA_UNROLL
    for (int v = 0; v < VB; ++v) store(to + v * width, add ? load(to + v * width) + acc[v] : acc[v]);
  }
}

void sparse_product(const PackedView& w, const float* x, float* y, int64_t stride, int64_t b0, int64_t b1, bool add) {
  constexpr int wide = DALEA_SPARSE_VECTORS;
  int64_t b = b0;
  for (; b + wide * width <= b1; b += wide * width) sparse_rows<wide>(w, x, y, stride, b, add);
  for (; b < b1; b += width) sparse_rows<1>(w, x, y, stride, b, add);
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
    const int64_t row = i * c.stride;
    for (int64_t b = row + b0; b < row + b1; b += width) {
      Vec drive = load(c.in_drive + b);
      if (c.sum != nullptr) drive = load(c.sum + b) + drive;
      if (c.x != nullptr) {
        if (alpha < 1.0f) drive = (1.0f - alpha) * load(c.x + b) + alpha * drive;
        if (c.noise != nullptr) drive = drive + load(c.noise + b);
        store(c.x + b, drive);
      } else if (c.noise != nullptr) {
        drive = drive + load(c.noise + b);
      }
      const Vec z = activate<A>(drive);
      store(c.z + b, z);
      if (c.rectified) store(c.g + b, z > 0.0f ? z : Vec{});
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
    const Vec add = broadcast(bias != nullptr ? bias[i] : 0.0f);
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

inline float fold(const Vec (&acc)[per16]) {
  float lane[16];
  DALEA_UNROLL
  for (int v = 0; v < per16; ++v) store(lane + v * width, acc[v]);
  for (int half = 8; half >= 1; half /= 2)
    for (int k = 0; k < half; ++k) lane[k] = lane[k] + lane[k + half];
  const float sum = lane[0];
  return (sum < 0 ? -sum : sum) < 0x1p-50f ? 0.0f : sum;
}

// Memory: a block of block_rows x block_rows pairs waits in the second cache while a piece of its rows, packed, is
// summed part by part; a part's rows fit the first cache. The pitch is odd in vectors, so that rows do not meet in one
// bank.
constexpr int64_t block_rows = 48, part_rows = 12, piece_floats = 208;
constexpr int64_t pitch = piece_floats + width, wait_row = block_rows * 16;

// A piece of the sum over time and trials for a tile of I rows and J columns: d and x hold `length` packed values a
// row. The 16 lanes of each pair wait in `wait` between pieces. One vector of the lanes after the other: the registers
// hold I x J sums of it, so that loads stay fewer than multiplications.
template <int I, int J>
inline void gradient_tile(const float* d, const float* x, int64_t length, bool first, float* wait) {
  for (int v = 0; v < per16; ++v) {
    Vec acc[I][J];
    DALEA_UNROLL
    for (int i = 0; i < I; ++i) {
      DALEA_UNROLL
      for (int j = 0; j < J; ++j) acc[i][j] = first ? Vec{} : load(wait + i * wait_row + j * 16 + v * width);
    }
    for (int64_t e = v * width; e < length; e += 16) {
      Vec xs[J];
      DALEA_UNROLL
      for (int j = 0; j < J; ++j) xs[j] = load(x + j * pitch + e);
      DALEA_UNROLL
      for (int i = 0; i < I; ++i) {
        const Vec ds = load(d + i * pitch + e);
        DALEA_UNROLL
        for (int j = 0; j < J; ++j) acc[i][j] = acc[i][j] + ds * xs[j];
      }
    }
    DALEA_UNROLL
    for (int i = 0; i < I; ++i) {
      DALEA_UNROLL
      for (int j = 0; j < J; ++j) store(wait + i * wait_row + j * 16 + v * width, acc[i][j]);
    }
  }
}

constexpr int tile_i = DALEA_GRADIENT_ROWS, tile_j = DALEA_GRADIENT_COLS;

template <int I>
inline void gradient_tile_j(int64_t cols, const float* d, const float* x, int64_t length, bool first, float* wait) {
  if constexpr (tile_j >= 6)
    if (cols == 6) return gradient_tile<I, 6>(d, x, length, first, wait);
  if constexpr (tile_j >= 3)
    if (cols == 3) return gradient_tile<I, 3>(d, x, length, first, wait);
  if constexpr (tile_j >= 2)
    if (cols == 2) return gradient_tile<I, 2>(d, x, length, first, wait);
  gradient_tile<I, 1>(d, x, length, first, wait);
}

inline void gradient_tile_of(int64_t rows, int64_t cols, const float* d, const float* x, int64_t length, bool first,
                             float* wait) {
  if constexpr (tile_i >= 4)
    if (rows == 4) return gradient_tile_j<4>(cols, d, x, length, first, wait);
  if constexpr (tile_i >= 3)
    if (rows == 3) return gradient_tile_j<3>(cols, d, x, length, first, wait);
  if constexpr (tile_i >= 2)
    if (rows == 2) return gradient_tile_j<2>(cols, d, x, length, first, wait);
  gradient_tile_j<1>(cols, d, x, length, first, wait);
}

inline int64_t tile_size(int64_t left, int64_t most) {  // sizes a template exists for: most, 3, 2, 1
  if (left >= most) return most;
  return left >= 3 && most >= 3 ? 3 : left >= 2 && most >= 2 ? 2 : 1;
}

// Piece `k` of the sum: time steps [t0, t1), trials [b0, b1); time descends and trials ascend from piece to piece.
struct Piece {
  int64_t t0, t1, b0, b1;
};

inline bool piece_of(const GradientView& g, int64_t k, Piece* piece) {
  if (g.stride > piece_floats) {  // a part of one time step
    const int64_t a_step = (g.stride + piece_floats - 1) / piece_floats;
    const int64_t t = g.steps - 1 - k / a_step, groups = g.stride / 16, part = k % a_step;
    if (t < 0) return false;
    *piece = {t, t + 1, groups * part / a_step * 16, groups * (part + 1) / a_step * 16};
    return true;
  }
  const int64_t steps = piece_floats / g.stride, t1 = g.steps - k * steps;
  if (t1 <= 0) return false;
  *piece = {t1 > steps ? t1 - steps : 0, t1, 0, g.stride};
  return true;
}

// Rows [r0, r1) of a piece, each in the order of the sum, `pitch` apart.
inline void pack_rows(const float* from, int64_t row_stride, int64_t time, const Piece& piece, int64_t r0, int64_t r1,
                      float* to) {
  for (int64_t t = piece.t1 - 1; t >= piece.t0; --t) {
    const float* row = from + t * time + r0 * row_stride;
    float* out = to;
    for (int64_t r = r0; r < r1; ++r) {
      for (int64_t b = piece.b0; b < piece.b1; b += width) store(out + b - piece.b0, load(row + b));
      row += row_stride;
      out += pitch;
    }
    to += piece.b1 - piece.b0;
  }
}

void dense_gradient(const GradientView& g, int64_t i0, int64_t i1, int64_t j0, int64_t j1) {
  alignas(64) float wait[block_rows * wait_row], ds[block_rows * pitch], xs[block_rows * pitch];
  for (int64_t ib = i0; ib < i1; ib += block_rows) {
    const int64_t ie = least(ib + block_rows, i1);
    for (int64_t jb = j0; jb < j1; jb += block_rows) {
      const int64_t je = least(jb + block_rows, j1);
      Piece piece;
      for (int64_t k = 0; piece_of(g, k, &piece); ++k) {
        const int64_t length = (piece.t1 - piece.t0) * (piece.b1 - piece.b0);
        pack_rows(g.d, g.stride, g.d_time, piece, ib, ie, ds);
        pack_rows(g.x, g.stride, g.x_time, piece, jb, je, xs);
        for (int64_t ip = 0; ip < ie - ib; ip += part_rows) {
          const int64_t ipe = least(ip + part_rows, ie - ib);
          for (int64_t jp = 0; jp < je - jb; jp += part_rows) {
            const int64_t jpe = least(jp + part_rows, je - jb);
            int64_t rows = 0, cols = 0;
            for (int64_t i = ip; i < ipe; i += rows) {
              rows = tile_size(ipe - i, tile_i);
              for (int64_t j = jp; j < jpe; j += cols) {
                cols = tile_size(jpe - j, tile_j);
                gradient_tile_of(rows, cols, ds + i * pitch, xs + j * pitch, length, k == 0,
                                 wait + i * wait_row + j * 16);
              }
            }
          }
        }
      }
      for (int64_t i = ib; i < ie; ++i)
        for (int64_t j = jb; j < je; ++j) {
          Vec acc[per16];
          for (int v = 0; v < per16; ++v) acc[v] = load(wait + (i - ib) * wait_row + (j - jb) * 16 + v * width);
          g.grad[j * g.rows + i] = fold(acc);
        }
    }
  }
}

// E entries of one column over a piece: their rows of d times the column's row of x.
template <int E>
inline void sparse_tile(const GradientView& g, const Piece& piece, const int32_t* row, const float* x, bool first,
                        float* wait) {
  Vec acc[E][per16];
  const float* d[E];
  DALEA_UNROLL
  for (int e = 0; e < E; ++e) {
    d[e] = g.d + row[e] * g.stride;
    DALEA_UNROLL
    for (int v = 0; v < per16; ++v) acc[e][v] = first ? Vec{} : load(wait + e * 16 + v * width);
  }
  for (int64_t t = piece.t1 - 1; t >= piece.t0; --t)
    for (int64_t b = piece.b0; b < piece.b1; b += 16) {
      DALEA_UNROLL
      for (int v = 0; v < per16; ++v) {
        const Vec xs = load(x + t * g.x_time + b + v * width);
        DALEA_UNROLL
        for (int e = 0; e < E; ++e) acc[e][v] = acc[e][v] + load(d[e] + t * g.d_time + b + v * width) * xs;
      }
    }
  DALEA_UNROLL
  for (int e = 0; e < E; ++e) {
    DALEA_UNROLL
    for (int v = 0; v < per16; ++v) store(wait + e * 16 + v * width, acc[e][v]);
  }
}

// First entry of [begin, end) whose row is at least `from`.
inline int64_t entry_of_row(const int32_t* row, int64_t begin, int64_t end, int64_t from) {
  while (begin < end) {
    const int64_t middle = begin + (end - begin) / 2;
    if (row[middle] < from)
      begin = middle + 1;
    else
      end = middle;
  }
  return begin;
}

// Memory: entries of a block of rows and some columns wait in the second cache, beside the block's rows of d.
constexpr int64_t most_waiting = 2048, most_columns = 512;

void sparse_gradient(const GradientView& g, int64_t j0, int64_t j1) {
  alignas(64) float wait[most_waiting * 16];
  int64_t begin[most_columns], count[most_columns];
  const int64_t entries = g.col_start[j1] - g.col_start[j0];
  if (entries == 0) return;
  // About four entries of each column in a block of rows.
  const int64_t wanted = 4 * g.rows * (j1 - j0) / entries;
  const int64_t rows_at_once = wanted < 128 ? 128 : wanted > 384 ? 384 : wanted;
  for (int64_t r0 = 0; r0 < g.rows; r0 += rows_at_once) {
    for (int64_t j = j0; j < j1;) {
      int64_t columns = 0, total = 0;
      for (; j + columns < j1 && columns < most_columns; ++columns) {
        const int64_t end = g.col_start[j + columns + 1];
        begin[columns] = entry_of_row(g.row, g.col_start[j + columns], end, r0);
        count[columns] = entry_of_row(g.row, begin[columns], end, r0 + rows_at_once) - begin[columns];
        if (total + count[columns] > most_waiting) break;
        total += count[columns];
      }
      Piece piece;
      for (int64_t k = 0; piece_of(g, k, &piece); ++k) {
        float* at = wait;
        for (int64_t q = 0; q < columns; ++q) {
          const float* x = g.x + (j + q) * g.stride;
          const int32_t* row = g.row + begin[q];
          constexpr int many = DALEA_GRADIENT_ENTRIES;
          int64_t e = 0;
          for (; e + many <= count[q]; e += many, at += many * 16) sparse_tile<many>(g, piece, row + e, x, k == 0, at);
          if constexpr (many >= 4)
            for (; e + 2 <= count[q]; e += 2, at += 32) sparse_tile<2>(g, piece, row + e, x, k == 0, at);
          for (; e < count[q]; ++e, at += 16) sparse_tile<1>(g, piece, row + e, x, k == 0, at);
        }
      }
      const float* at = wait;
      for (int64_t q = 0; q < columns; ++q)
        for (int64_t e = 0; e < count[q]; ++e, at += 16) {
          Vec acc[per16];
          for (int v = 0; v < per16; ++v) acc[v] = load(at + v * width);
          g.grad[begin[q] + e] = fold(acc);
        }
      j += columns;
    }
  }
}

void gradient(const GradientView& g, int64_t i0, int64_t i1, int64_t j0, int64_t j1) {
  if (g.col_start == nullptr)
    dense_gradient(g, i0, i1, j0, j1);
  else
    sparse_gradient(g, j0, j1);
}

void bias_sums(const GradientView& g, int64_t i0, int64_t i1) {
  for (int64_t i = i0; i < i1; ++i) {
    Vec acc[per16] = {};
    for (int64_t t = g.steps - 1; t >= 0; --t) {
      const float* d = g.d + i * g.stride + t * g.d_time;
      for (int64_t b = 0; b < g.stride; b += 16) DALEA_UNROLL
      for (int v = 0; v < per16; ++v) acc[v] = acc[v] + load(d + b + v * width);
    }
    g.grad[i] = fold(acc);
  }
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

const KernelTable DALEA_TABLE = {panel_rows, dense_product, sparse_product, forward_step, backward_step,
                                 bias_step,  gradient,      bias_sums,      adam_all};

}  // namespace dalea
