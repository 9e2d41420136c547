#include <algorithm>
#include <cmath>

#include "analysis/special.h"
#include "analysis/statistics.h"
#include "numerics/math.h"

namespace dalea {
namespace {

// The delta under which P(T <= t) is `probability`, t >= 0. P falls as delta grows.
double noncentrality(double t, double df, double probability) {
  double low = t - 1, high = t + 1;
  for (double width = 1; noncentral_t(t, df, low) < probability && width < 1e300; width *= 2) low -= width;
  for (double width = 1; noncentral_t(t, df, high) > probability && width < 1e300; width *= 2) high += width;
  const double enough = 1e-12 * (1 + t);
  for (int k = 0; k < 200 && high - low > enough; ++k) {
    const double middle = low + 0.5 * (high - low);
    (noncentral_t(t, df, middle) > probability ? low : high) = middle;
  }
  return low + 0.5 * (high - low);
}

Result<std::vector<double>> logarithms(Values x, const char* name) {
  std::vector<double> y;
  for (size_t i = 0; i < x.size(); ++i) {
    if (!(x[i] > 0))
      return Error{std::string(name) + "[" + std::to_string(i) + "]",
                   "is not above 0; a ratio needs positive values, use a difference"};
    y.push_back(portable::log(x[i]));
  }
  return y;
}

}  // namespace

const char* name_of(Verdict verdict) {
  return verdict == Verdict::non_inferior ? "non-inferior" : verdict == Verdict::inferior ? "inferior" : "undecided";
}

Result<Welch> welch(Values a, Values b, double confidence) {
  if (Status s = check_groups(a, b, 2); !s) return s.error();
  if (Status s = check_confidence(confidence); !s) return s.error();
  const Summary sa = *summarise(a), sb = *summarise(b);
  Welch w;
  w.difference = sa.mean - sb.mean;
  const double larger = std::max(sa.standard_error, sb.standard_error);
  if (!(larger > 0))
    return Error{"a and b", "have no spread, so there is no interval; compare the two values, or use other seeds"};
  // Over the larger one, so that squares neither overflow nor vanish.
  const double va = (sa.standard_error / larger) * (sa.standard_error / larger);
  const double vb = (sb.standard_error / larger) * (sb.standard_error / larger);
  w.standard_error = larger * std::sqrt(va + vb);
  w.df = (va + vb) * (va + vb) /
         (va * va / static_cast<double>(sa.count - 1) + vb * vb / static_cast<double>(sb.count - 1));
  w.t = w.difference / w.standard_error;
  w.p = student_two_sided(w.t, w.df);
  const double reach = student_critical(1 - confidence, w.df) * w.standard_error;
  w.interval = {w.difference - reach, w.difference + reach};
  return w;
}

Result<HedgesG> hedges_g(Values a, Values b, double confidence) {
  if (Status s = check_groups(a, b, 2); !s) return s.error();
  if (Status s = check_confidence(confidence); !s) return s.error();
  const Summary sa = *summarise(a), sb = *summarise(b);
  const double n = static_cast<double>(sa.count), m = static_cast<double>(sb.count);
  HedgesG r;
  r.df = n + m - 2;
  if (r.df > 1e4) return Error{"a and b", "have more than 10002 values together; the unit is a run, or use welch"};
  const double larger = std::max(sa.sd, sb.sd);
  if (!(larger > 0)) return Error{"a and b", "have no spread to measure the difference in; give the difference itself"};
  const double ra = sa.sd / larger, rb = sb.sd / larger;
  r.d = (sa.mean - sb.mean) / (larger * std::sqrt(((n - 1) * ra * ra + (m - 1) * rb * rb) / r.df));
  if (!(std::fabs(r.d) < 1e100)) return Error{"a and b", "have next to no spread; give the difference itself"};
  // df = 2 needs Gamma(1/2): the half step from (df - 1) / 2 to df / 2.
  r.correction = portable::exp(log_gamma_half_step(0.5 * (r.df - 1))) / std::sqrt(0.5 * r.df);
  r.g = r.correction * r.d;
  const double root = std::sqrt(n * m / (n + m)), t = std::fabs(r.d) * root, outside = 0.5 * (1 - confidence);
  const double low = noncentrality(t, r.df, 1 - outside) / root, high = noncentrality(t, r.df, outside) / root;
  r.interval = r.d < 0 ? Interval{-high, -low} : Interval{low, high};
  return r;
}

Result<GeometricRatio> ratio_of_geometric_means(Values a, Values b, double confidence) {
  if (Status s = check_groups(a, b, 2); !s) return s.error();
  const Result<std::vector<double>> la = logarithms(a, "a"), lb = logarithms(b, "b");
  if (!la) return la.error();
  if (!lb) return lb.error();
  const Result<Welch> w = welch(*la, *lb, confidence);
  if (!w) return w.error();
  return GeometricRatio{
      portable::exp(w->difference), w->p, {portable::exp(w->interval.low), portable::exp(w->interval.high)}};
}

Result<NonInferiority> non_inferiority(Values a, Values b, double margin, Scale scale, Better better, double alpha) {
  if (!(alpha > 0 && alpha < 0.5)) return Error{"alpha", "is not between 0 and 0.5; 0.05 is usual"};
  const bool ratio = scale == Scale::ratio;
  if (!(margin > (ratio ? 1 : 0) && margin <= 1e150))
    return Error{"margin", ratio ? "is not above 1; give a factor, 2 allows twice the error"
                                 : "is not above 0; give how much worse is acceptable"};
  NonInferiority r;
  if (ratio) {
    const Result<GeometricRatio> q = ratio_of_geometric_means(a, b, 1 - 2 * alpha);
    if (!q) return q.error();
    r.estimate = q->ratio;
    r.interval = q->interval;
  } else {
    const Result<Welch> w = welch(a, b, 1 - 2 * alpha);
    if (!w) return w.error();
    r.estimate = w->difference;
    r.interval = w->interval;
  }
  if (better == Better::lower) {
    r.limit = margin;
    if (r.interval.high < r.limit) r.verdict = Verdict::non_inferior;
    if (r.interval.low > r.limit) r.verdict = Verdict::inferior;
  } else {
    r.limit = ratio ? 1 / margin : -margin;
    if (r.interval.low > r.limit) r.verdict = Verdict::non_inferior;
    if (r.interval.high < r.limit) r.verdict = Verdict::inferior;
  }
  return r;
}

}  // namespace dalea
