// Three predictions that need no network; all in float64, every sum in a fixed order.
#include <algorithm>
#include <cmath>

#include "recording/recording.h"

namespace dalea {
namespace {

struct View {
  const Recording& r;
  const std::vector<float>& scaled;
  double at(int64_t frame, int64_t unit) const { return static_cast<double>(scaled[frame * r.units + unit]); }
  bool present(int64_t frame, int64_t unit) const { return !std::isnan(r.values[frame * r.units + unit]); }
};

// Mean squared error over the target frames; `predict` fills one frame's predictions for all units.
template <class Predict>
double score(const View& v, const std::vector<int64_t>& targets, Predict predict) {
  std::vector<double> y(static_cast<size_t>(v.r.units));
  double sum = 0;
  int64_t n = 0;
  for (int64_t frame : targets) {
    predict(frame, y);
    for (int64_t u = 0; u < v.r.units; ++u) {
      if (!v.present(frame, u)) continue;
      const double e = y[u] - v.at(frame, u);
      sum += e * e;
      ++n;
    }
  }
  return n > 0 ? sum / static_cast<double>(n) : 0.0;
}

struct Line {
  double slope = 1, offset = 0;
};

// The least-squares line through (x, y); the sums are taken in the order in which they come.
class LineFit {
 public:
  void add(double x, double y) {
    n_ += 1;
    sx_ += x;
    sy_ += y;
    sxx_ += x * x;
    sxy_ += x * y;
  }
  Line line() const {
    if (n_ < 2) return {};
    Line l;
    const double spread = sxx_ - sx_ * sx_ / n_;
    l.slope = spread > 0 ? (sxy_ - sx_ * sy_ / n_) / spread : 0;
    l.offset = (sy_ - l.slope * sx_) / n_;
    return l;
  }

 private:
  double n_ = 0, sx_ = 0, sy_ = 0, sxx_ = 0, sxy_ = 0;
};

std::vector<Line> fit_ar1(const View& v, int64_t train_end) {
  std::vector<Line> lines(static_cast<size_t>(v.r.units));
  for (int64_t u = 0; u < v.r.units; ++u) {
    LineFit fit;
    for (int64_t f = 1; f < train_end; ++f)
      if (v.present(f, u)) fit.add(v.at(f - 1, u), v.at(f, u));
    lines[u] = fit.line();
  }
  return lines;
}

// x' S x + penalty: S = L L' in place (lower triangle), rows in order.
void cholesky(std::vector<double>& a, int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j <= i; ++j) {
      double sum = a[i * n + j];
      const double *ri = a.data() + i * n, *rj = a.data() + j * n;
      for (int64_t k = 0; k < j; ++k) sum -= ri[k] * rj[k];
      a[i * n + j] = i == j ? std::sqrt(std::max(sum, 1e-300)) : sum / rj[j];
    }
}

// Solves L L' X = B for all columns of B (n, m), row-major.
void solve(const std::vector<double>& l, int64_t n, std::vector<double>& b, int64_t m) {
  for (int64_t i = 0; i < n; ++i) {
    double* bi = b.data() + i * m;
    for (int64_t k = 0; k < i; ++k) {
      const double f = l[i * n + k];
      const double* bk = b.data() + k * m;
      for (int64_t c = 0; c < m; ++c) bi[c] -= f * bk[c];
    }
    for (int64_t c = 0; c < m; ++c) bi[c] /= l[i * n + i];
  }
  for (int64_t i = n - 1; i >= 0; --i) {
    double* bi = b.data() + i * m;
    for (int64_t k = i + 1; k < n; ++k) {
      const double f = l[k * n + i];
      const double* bk = b.data() + k * m;
      for (int64_t c = 0; c < m; ++c) bi[c] -= f * bk[c];
    }
    for (int64_t c = 0; c < m; ++c) bi[c] /= l[i * n + i];
  }
}

struct Linear {
  std::vector<double> weights;  // (input, output)
  std::vector<double> mean;     // of the training part's inputs
  std::vector<double> offset;
};

// All but the weights, which are those of the best penalty.
void keep_fit(BaselineSet& set, const std::vector<Line>& lines, Linear& linear) {
  for (const Line& line : lines) {
    set.fit.slope.push_back(line.slope);
    set.fit.intercept.push_back(line.offset);
  }
  set.fit.mean = std::move(linear.mean);
  set.fit.offset = std::move(linear.offset);
}

}  // namespace

BaselineSet fit_baselines(const Recording& recording, const std::vector<float>& scaled, const Parts& parts,
                          const std::vector<int64_t>& train_targets, const std::vector<int64_t>& validation_targets,
                          const std::vector<int64_t>& held_out_targets) {
  const View v{recording, scaled};
  const int64_t units = recording.units;
  BaselineSet set;
  const std::vector<Line> lines = fit_ar1(v, parts.train_end);
  const std::vector<int64_t>* targets[] = {&train_targets, &validation_targets, &held_out_targets};
  Baselines* results[] = {&set.train, &set.validation, &set.held_out};
  for (int k = 0; k < 3; ++k) {
    results[k]->last_frame = score(v, *targets[k], [&](int64_t f, std::vector<double>& y) {
      for (int64_t u = 0; u < units; ++u) y[u] = v.at(f - 1, u);
    });
    results[k]->ar1 = score(v, *targets[k], [&](int64_t f, std::vector<double>& y) {
      for (int64_t u = 0; u < units; ++u) y[u] = lines[u].slope * v.at(f - 1, u) + lines[u].offset;
    });
  }

  // Ridge: centred normal equations of the training part; a missing target stands as its last seen value.
  Linear linear;
  linear.mean.assign(static_cast<size_t>(units), 0);
  linear.offset.assign(static_cast<size_t>(units), 0);
  const int64_t pairs = parts.train_end - 1;
  for (int64_t f = 0; f < pairs; ++f)
    for (int64_t u = 0; u < units; ++u) {
      linear.mean[u] += v.at(f, u);
      linear.offset[u] += v.at(f + 1, u);
    }
  for (int64_t u = 0; u < units; ++u) {
    linear.mean[u] /= static_cast<double>(pairs);
    linear.offset[u] /= static_cast<double>(pairs);
  }
  std::vector<double> gram(static_cast<size_t>(units * units), 0), cross = gram, x(static_cast<size_t>(units)), y = x;
  for (int64_t f = 0; f < pairs; ++f) {
    for (int64_t u = 0; u < units; ++u) {
      x[u] = v.at(f, u) - linear.mean[u];
      y[u] = v.at(f + 1, u) - linear.offset[u];
    }
    for (int64_t i = 0; i < units; ++i) {
      double *g = gram.data() + i * units, *c = cross.data() + i * units;
      for (int64_t j = 0; j <= i; ++j) g[j] += x[i] * x[j];
      for (int64_t j = 0; j < units; ++j) c[j] += x[i] * y[j];
    }
  }
  double best = -1;
  for (double penalty : {1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2, 1e3, 1e4}) {
    std::vector<double> factor = gram;
    for (int64_t i = 0; i < units; ++i) factor[i * units + i] += penalty;
    cholesky(factor, units);
    linear.weights = cross;
    solve(factor, units, linear.weights, units);
    const auto predict = [&](int64_t f, std::vector<double>& out) {
      for (int64_t u = 0; u < units; ++u) out[u] = linear.offset[u];
      for (int64_t i = 0; i < units; ++i) {
        const double input = v.at(f - 1, i) - linear.mean[i];
        const double* w = linear.weights.data() + i * units;
        for (int64_t u = 0; u < units; ++u) out[u] += input * w[u];
      }
    };
    const double validation = score(v, validation_targets, predict);
    if (best >= 0 && validation >= best) continue;
    best = validation;
    set.fit.weights = linear.weights;
    for (int k = 0; k < 3; ++k) {
      results[k]->linear = score(v, *targets[k], predict);
      results[k]->ridge_penalty = penalty;
    }
  }
  keep_fit(set, lines, linear);
  return set;
}

namespace {

// A part's mean squared error over what is scored; `predict` fills one row's predictions.
template <class Predict>
double score_rows(const TrialRows& part, int64_t outputs, Predict predict) {
  std::vector<double> y(static_cast<size_t>(outputs));
  double sum = 0;
  int64_t n = 0;
  for (int64_t r = 0; r < part.rows; ++r) {
    predict(r, y);
    for (int64_t o = 0; o < outputs; ++o) {
      if (part.scored[r * outputs + o] == 0) continue;
      const double e = y[o] - static_cast<double>(part.target[r * outputs + o]);
      sum += e * e;
      ++n;
    }
  }
  return n > 0 ? sum / static_cast<double>(n) : std::nan("");
}

std::vector<Line> fit_ar1_rows(const TrialRows& t, int64_t inputs, int64_t outputs) {
  std::vector<Line> lines(static_cast<size_t>(inputs));
  for (int64_t u = 0; u < inputs; ++u) {
    LineFit fit;
    for (int64_t r = 0; r < t.rows; ++r)
      if (t.scored[r * outputs + u] != 0)
        fit.add(static_cast<double>(t.input[r * inputs + u]), static_cast<double>(t.target[r * outputs + u]));
    lines[u] = fit.line();
  }
  return lines;
}

}  // namespace

BaselineSet fit_baselines(int64_t inputs, int64_t outputs, const TrialRows& train, const TrialRows& validation,
                          const TrialRows& held_out) {
  BaselineSet set;
  const TrialRows* parts[] = {&train, &validation, &held_out};
  Baselines* results[] = {&set.train, &set.validation, &set.held_out};
  const std::vector<Line> lines = fit_ar1_rows(train, inputs, outputs);
  const auto own_past = [&](const TrialRows& part, bool fitted) {
    return score_rows(part, outputs, [&](int64_t r, std::vector<double>& y) {
      for (int64_t u = 0; u < outputs; ++u) {
        const double x = u < inputs ? static_cast<double>(part.input[r * inputs + u]) : std::nan("");
        y[u] = u >= inputs ? x : fitted ? lines[u].slope * x + lines[u].offset : x;
      }
    });
  };
  for (int k = 0; k < 3; ++k) {
    results[k]->last_frame = own_past(*parts[k], false);
    results[k]->ar1 = own_past(*parts[k], true);
  }

  // Ridge on the rows of training where something is scored; a missing target stands as its last seen value.
  std::vector<int64_t> rows;
  for (int64_t r = 0; r < train.rows; ++r) {
    const uint8_t* s = train.scored.data() + r * outputs;
    if (std::any_of(s, s + outputs, [](uint8_t v) { return v != 0; })) rows.push_back(r);
  }
  Linear linear;
  linear.mean.assign(static_cast<size_t>(inputs), 0);
  linear.offset.assign(static_cast<size_t>(outputs), 0);
  for (int64_t r : rows) {
    for (int64_t i = 0; i < inputs; ++i) linear.mean[i] += static_cast<double>(train.input[r * inputs + i]);
    for (int64_t o = 0; o < outputs; ++o) linear.offset[o] += static_cast<double>(train.target[r * outputs + o]);
  }
  const double count = std::max<double>(1, static_cast<double>(rows.size()));
  for (double& v : linear.mean) v /= count;
  for (double& v : linear.offset) v /= count;
  std::vector<double> gram(static_cast<size_t>(inputs * inputs), 0), cross(static_cast<size_t>(inputs * outputs), 0);
  std::vector<double> x(static_cast<size_t>(inputs)), y(static_cast<size_t>(outputs));
  for (int64_t r : rows) {
    for (int64_t i = 0; i < inputs; ++i) x[i] = static_cast<double>(train.input[r * inputs + i]) - linear.mean[i];
    for (int64_t o = 0; o < outputs; ++o) y[o] = static_cast<double>(train.target[r * outputs + o]) - linear.offset[o];
    for (int64_t i = 0; i < inputs; ++i) {
      double *g = gram.data() + i * inputs, *c = cross.data() + i * outputs;
      for (int64_t j = 0; j <= i; ++j) g[j] += x[i] * x[j];
      for (int64_t o = 0; o < outputs; ++o) c[o] += x[i] * y[o];
    }
  }
  const bool choose = std::any_of(validation.scored.begin(), validation.scored.end(), [](uint8_t v) { return v != 0; });
  double best = -1;
  for (double penalty : {1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2, 1e3, 1e4}) {
    if (!choose && penalty != 1) continue;
    std::vector<double> factor = gram;
    for (int64_t i = 0; i < inputs; ++i) factor[i * inputs + i] += penalty;
    cholesky(factor, inputs);
    linear.weights = cross;
    solve(factor, inputs, linear.weights, outputs);
    const auto error = [&](const TrialRows& part) {
      return score_rows(part, outputs, [&](int64_t r, std::vector<double>& out) {
        std::copy(linear.offset.begin(), linear.offset.end(), out.begin());
        for (int64_t i = 0; i < inputs; ++i) {
          const double input = static_cast<double>(part.input[r * inputs + i]) - linear.mean[i];
          const double* w = linear.weights.data() + i * outputs;
          for (int64_t o = 0; o < outputs; ++o) out[o] += input * w[o];
        }
      });
    };
    const double at = choose ? error(validation) : 0;
    if (best >= 0 && at >= best) continue;
    best = at;
    set.fit.weights = linear.weights;
    for (int k = 0; k < 3; ++k) {
      results[k]->linear = error(*parts[k]);
      results[k]->ridge_penalty = penalty;
    }
  }
  keep_fit(set, lines, linear);
  return set;
}

}  // namespace dalea
