// Elementary functions as templates over V = float or a vector of floats (GCC/Clang vector extensions).
// Included inside an unnamed namespace by each file that instantiates it, so no two files share code: the linker must
// not give an older processor another file's instructions. Only + - * /, comparisons, selects and bit operations: the
// same bits in every width.
//
// Worst errors against float64 over all floats (tests/tools/all_floats.cpp), in units in the last place:
//   exp 1.03   log 0.96   tanh 2.43   sigmoid 2.41   softplus 2.80

template <class V>
struct Lanes;  // Lanes<V>::I: the signed integers of the same shape

template <>
struct Lanes<float> {
  using I = int32_t;
};

template <class V>
inline typename Lanes<V>::I bits_of(V v) {
  typename Lanes<V>::I i;
  __builtin_memcpy(&i, &v, sizeof v);
  return i;
}

template <class V>
inline V from_bits(typename Lanes<V>::I i) {
  V v;
  __builtin_memcpy(&v, &i, sizeof v);
  return v;
}

template <class V>
inline V splat(float c) {
  return c - V{};  // exact for -0 too, so the compiler makes it one broadcast
}

template <class V>
inline V magnitude(V x) {
  return from_bits<V>(bits_of(x) & 0x7fffffff);
}

constexpr float round_magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer held in the low bits
constexpr float log2_e = 1.44269504f;
constexpr float ln2_high = 0.693359375f;  // 9 bits: n * ln2_high is exact
constexpr float ln2_low = -2.12194440e-4f;

// e^r - 1 for |r| <= ln2 / 2, its Taylor polynomial: the term left out is r^8 / 40320 < 6e-9.
template <class V>
inline V expm1_core(V r) {
  const V p = 0.5f + r * (1.0f / 6 + r * (1.0f / 24 + r * (1.0f / 120 + r * (1.0f / 720 + r * (1.0f / 5040)))));
  return r + (r * r) * p;
}

template <class V>
inline V exp_of(V x) {
  V y = x > 89.0f ? splat<V>(89.0f) : x;  // NaN compares false and stays
  y = y < -104.0f ? splat<V>(-104.0f) : y;
  const V sum = y * log2_e + round_magic;
  const V n = sum - round_magic;
  const V r = (y - n * ln2_high) - n * ln2_low;
  const V e = 1.0f + expm1_core(r);
  // 2^n in two factors, so that results below the normal range round once more instead of vanishing.
  const auto k = bits_of(sum) - 0x4b400000;
  const auto half = k >> 1;
  const V scaled = e * from_bits<V>((half + 127) << 23) * from_bits<V>((k - half + 127) << 23);
  return x == x ? scaled : x;
}

// tanh |x| = m / (m + 2), m = e^(2|x|) - 1. Exactly 1 from |x| = 10 on (from 9.02 on, by rounding).
template <class V>
inline V tanh_of(V x) {
  V a = magnitude(x);
  a = a > 10.0f ? splat<V>(10.0f) : a;
  const V y = a + a;
  const V sum = y * log2_e + round_magic;
  const V n = sum - round_magic;
  const V r = (y - n * ln2_high) - n * ln2_low;
  const V scale = from_bits<V>((bits_of(sum) - 0x4b400000 + 127) << 23);
  const V m = scale * expm1_core(r) + (scale - 1.0f);
  const V t = m / (m + 2.0f);
  const V with_sign = from_bits<V>(bits_of(t) | (bits_of(x) & static_cast<int32_t>(0x80000000u)));
  return x == x ? with_sign : x;
}

template <class V>
inline V sigmoid_of(V x) {
  const V e = exp_of(-magnitude(x));
  const V top = x < 0.0f ? e : splat<V>(1.0f);
  return x == x ? top / (1.0f + e) : x;
}

// max(x, 0) + log(1 + e), e = exp(-|x|); log(1 + e) = 2 atanh(e / (2 + e)), whose argument is at most 1/3.
template <class V>
inline V softplus_of(V x) {
  const V e = exp_of(-magnitude(x));
  const V s = e / (2.0f + e);
  const V q = s * s;
  const V series =
      1.0f / 3 +
      q * (1.0f / 5 +
           q * (1.0f / 7 + q * (1.0f / 9 + q * (1.0f / 11 + q * (1.0f / 13 + q * (1.0f / 15 + q * (1.0f / 17)))))));
  const V log1p = (s + s) + ((s + s) * q) * series;
  const V positive = x > 0.0f ? x : V{};
  return x == x ? positive + log1p : x;
}

// x = m 2^n, m in [sqrt 1/2, sqrt 2); log m = 2 atanh((m - 1) / (m + 1)).
template <class V>
inline V log_of(V x) {
  const auto tiny = x < 0x1p-126f;
  const V y = tiny ? x * 8388608.0f : x;
  auto bits = bits_of(y);
  const auto shifted = bits - 0x3f3504f3;  // sqrt 1/2
  const auto n = shifted >> 23;
  const V m = from_bits<V>(bits - n * 8388608);
  const V steps = from_bits<V>(n + 0x4b400000) - round_magic - (tiny ? splat<V>(23.0f) : V{});
  const V f = m - 1.0f;
  const V s = f / (2.0f + f);
  const V q = s * s;
  // log(1 + f) = f - s (f - R), with R what the series adds to s: more exact than 2 s (1 + ...) near 1.
  const V series = q * (2.0f / 3 + q * (2.0f / 5 + q * (2.0f / 7 + q * (2.0f / 9))));
  const V log_m = f - s * (f - series);
  V result = steps * ln2_high + (log_m + steps * ln2_low);
  const V infinity = from_bits<V>(bits_of(V{}) + 0x7f800000);
  result = x == 0.0f ? -infinity : result;
  result = x < 0.0f ? infinity - infinity : result;
  result = x == infinity ? infinity : result;
  return x == x ? result : x;
}
