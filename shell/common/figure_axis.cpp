// Round ticks and the ranges around data.
#include <algorithm>
#include <cmath>

#include "common/figure_parts.h"
#include "common/markup.h"

namespace dalea::plot {
namespace {

constexpr double largest = 1e300;  // beyond it differences overflow

double power_of_ten(int k) {
  return k < 0 ? 1 / std::pow(10.0, -k) : std::pow(10.0, k);
}

int decade_of(double v) {
  return static_cast<int>(std::floor(std::log10(v) + 1e-9));
}

// The fewest decimals that show every value as it is.
int decimals_for(const std::vector<double>& values, double divide) {
  double smallest = 0;
  for (size_t k = 1; k < values.size(); ++k) {
    const double step = std::fabs(values[k] - values[k - 1]) / divide;
    if (step > 0 && (smallest == 0 || step < smallest)) smallest = step;
  }
  if (smallest == 0) smallest = values.empty() ? 1 : std::fabs(values[0]) / divide;
  int d = 0;
  const auto exact = [&] {
    const double p = power_of_ten(d);
    return std::all_of(values.begin(), values.end(), [&](double v) {
      const double scaled = v / divide * p;
      return std::fabs(scaled - std::round(scaled)) <= 1e-4 * smallest * p;
    });
  };
  while (d < 12 && !exact()) ++d;
  return d;
}

std::string with_power(const std::string& label, int exponent) {
  const std::string power = "×10" + superscript(exponent);
  if (label.empty()) return power;
  const size_t unit = label.rfind(" (");
  if (unit == std::string::npos || label.back() != ')') return label + " (" + power + ")";
  return label.substr(0, unit + 2) + power + " " + label.substr(unit + 2);
}

void label_linear(Scale& s, const std::vector<double>& values) {
  double biggest = 0;
  for (double v : values) biggest = std::max(biggest, std::fabs(v));
  const int exponent = biggest > 0 && (biggest >= 1e5 || biggest < 1e-3) ? decade_of(biggest) : 0;
  const double divide = power_of_ten(exponent);
  const int decimals = decimals_for(values, divide);
  s.ticks.clear();
  for (double v : values) {
    std::string text = fixed_number(v / divide, decimals);
    if (text[0] == '-') text = "\u2212" + text.substr(1);
    s.ticks.push_back({v, text});
  }
  if (exponent != 0) s.label = with_power(s.label, exponent);
}

void label_log(Scale& s, const std::vector<double>& values) {
  const bool plain = !values.empty() && *std::min_element(values.begin(), values.end()) > 0.999e-3 &&
                     *std::max_element(values.begin(), values.end()) < 1.001e4;
  s.ticks.clear();
  for (double v : values) {
    const int exponent = decade_of(v);
    const std::string mantissa = short_number(v / power_of_ten(exponent), 4), power = "10" + superscript(exponent);
    s.ticks.push_back({v, plain ? short_number(v, 6) : mantissa == "1" ? power : mantissa + "×" + power});
  }
}

bool crowded(const Scale& s, double length, bool across) {
  for (size_t k = 1; k < s.ticks.size(); ++k) {
    const double apart = std::fabs(s.at(s.ticks[k].value) - s.at(s.ticks[k - 1].value)) * length;
    const double need =
        across ? (text_width(s.ticks[k].label, tick_size) + text_width(s.ticks[k - 1].label, tick_size)) / 2 + 5
               : tick_size * leading;
    if (apart < need) return true;
  }
  return false;
}

void set_ends(Scale& s, const Axis& axis, const Range& range, bool across, bool touch_zero) {
  s.lo = range.any ? range.lo : s.log ? 1 : 0;
  s.hi = range.any ? range.hi : s.log ? 10 : 1;
  if (s.log) {
    const double decades = std::log10(s.hi) - std::log10(s.lo);
    const double pad = std::pow(10.0, decades > 1e-6 ? 0.03 * decades : 0.5);
    if (range.any) {
      s.lo /= pad;
      s.hi *= pad;
    }
  } else if (range.any) {
    const double span = s.hi - s.lo, size = std::max(std::fabs(s.lo), std::fabs(s.hi));
    const bool flat = !(span > 1e-9 * size);
    double pad = flat ? (size > 0 ? 0.1 * size : 1) : (across ? 0.02 : 0.05) * span;
    const bool low_zero = s.lo >= 0 && (touch_zero || s.lo == 0 || (!flat && s.lo < 0.3 * s.hi));
    const bool high_zero = s.hi <= 0 && (touch_zero || s.hi == 0 || (!flat && s.hi > 0.3 * s.lo));
    const bool both = low_zero && s.hi == 0;  // nothing but zeros
    s.lo = low_zero && !both ? 0 : s.lo - pad;
    s.hi = high_zero && !both ? 0 : s.hi + pad;
    if (both && touch_zero) s.lo = 0;
  }
  const auto usable = [&](const std::optional<double>& v) { return v && std::isfinite(*v) && (!s.log || *v > 0); };
  if (usable(axis.min)) s.lo = std::clamp(*axis.min, -largest, largest);
  if (usable(axis.max)) s.hi = std::clamp(*axis.max, -largest, largest);
  if (s.hi > s.lo && (s.log || s.hi - s.lo > 1e-13 * std::max(std::fabs(s.lo), std::fabs(s.hi)))) return;
  if (s.log)
    s.hi = s.lo * 10;
  else
    s.hi = s.lo + (s.lo == 0 ? 1 : 0.1 * std::fabs(s.lo));
}

}  // namespace

void Range::add(double v) {
  if (!std::isfinite(v)) return;
  if (log && v <= 0) {
    ++unshown;
    return;
  }
  v = log ? std::clamp(v, 1 / largest, largest) : std::clamp(v, -largest, largest);
  lo = any ? std::min(lo, v) : v;
  hi = any ? std::max(hi, v) : v;
  any = true;
}

double Scale::at(double v) const {
  if (!log) return (v - lo) / (hi - lo);
  return v > 0 ? (std::log10(v) - std::log10(lo)) / (std::log10(hi) - std::log10(lo)) : no_value;
}

std::vector<double> nice_ticks(double lo, double hi, int wanted) {
  if (!std::isfinite(lo) || !std::isfinite(hi)) return {};
  if (lo > hi) std::swap(lo, hi);
  lo = std::clamp(lo, -largest, largest);
  hi = std::clamp(hi, -largest, largest);
  wanted = std::clamp(wanted, 1, 50);
  const double raw = (hi - lo) / wanted;
  if (!(raw > 1e-290)) return {lo};
  const int k = decade_of(raw);
  const double rest = raw / power_of_ten(k);
  const double mantissa = rest < 1.4143 ? 1 : rest < 3.1623 ? 2 : rest < 7.0711 ? 5 : 10;
  const double step = mantissa * power_of_ten(k);
  const double first = std::ceil(lo / step - 1e-9), last = std::floor(hi / step + 1e-9);
  if (!(std::max(std::fabs(first), std::fabs(last)) < 1e15)) return {lo, hi};  // steps finer than a double
  std::vector<double> out;
  for (double i = first; i <= last; ++i)
    out.push_back(k < 0 ? i * mantissa / std::pow(10.0, -k) : i * mantissa * power_of_ten(k));
  return out;
}

std::vector<double> log_ticks(double lo, double hi, int wanted) {
  if (!std::isfinite(lo) || !std::isfinite(hi) || lo <= 0 || hi <= 0) return {};
  if (lo > hi) std::swap(lo, hi);
  wanted = std::clamp(wanted, 1, 50);
  const int first = static_cast<int>(std::ceil(std::log10(lo) - 1e-9));
  const int last = static_cast<int>(std::floor(std::log10(hi) + 1e-9));
  std::vector<double> out;
  if (last - first >= 2 || (last - first == 1 && wanted <= 3)) {
    const int stride = (last - first + wanted) / wanted;
    for (int k = first; k <= last; ++k)
      if (k % stride == 0) out.push_back(power_of_ten(k));
    if (out.size() < 2) out = {power_of_ten(first), power_of_ten(last)};
    return out;
  }
  for (int k = first - 1; k <= last; ++k)
    for (int m : {1, 2, 5}) {
      const double v = m * power_of_ten(k);
      if (v >= lo * (1 - 1e-9) && v <= hi * (1 + 1e-9)) out.push_back(v);
    }
  if (out.size() >= 2) return out;
  out = nice_ticks(lo, hi, wanted);
  out.erase(std::remove_if(out.begin(), out.end(), [](double v) { return v <= 0; }), out.end());
  return out;
}

Scale scale_of(const Axis& axis, const Range& range, double length, bool across, bool touch_zero) {
  Scale s;
  s.log = axis.log;
  set_ends(s, axis, range, across, touch_zero);
  if (!(length > 0)) length = 1;
  std::vector<double> given;
  for (double v : axis.ticks)
    if (const double at = s.at(v); at >= -1e-9 && at <= 1 + 1e-9 && given.size() < 200) given.push_back(v);
  int wanted = std::clamp(static_cast<int>(length / (across ? 40 : 24)), 2, 7);
  for (;; --wanted) {
    const std::vector<double> values = !given.empty() ? given
                                       : s.log        ? log_ticks(s.lo, s.hi, wanted)
                                                      : nice_ticks(s.lo, s.hi, wanted);
    s.label = axis.label;
    s.log ? label_log(s, values) : label_linear(s, values);
    if (!given.empty() || wanted <= 1 || !crowded(s, length, across)) break;
  }
  // Given ticks stay as marks; the labels that have no room go.
  for (size_t k = 1, kept = 0; k < s.ticks.size() && !given.empty(); ++k) {
    Scale pair = s;
    pair.ticks = {s.ticks[kept], s.ticks[k]};
    if (crowded(pair, length, across))
      s.ticks[k].label.clear();
    else
      kept = k;
  }
  if (s.log) {
    const int first = decade_of(s.lo), last = decade_of(s.hi);
    const bool fine = last - first <= 6;
    for (int k = first; k <= last && last - first <= 60; ++k)
      for (int m = 1; m <= (fine ? 9 : 1); ++m)
        if (const double v = m * power_of_ten(k); v >= s.lo && v <= s.hi) s.minor.push_back(v);
  }
  return s;
}

}  // namespace dalea::plot
