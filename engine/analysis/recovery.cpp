#include "analysis/recovery.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "analysis/statistics.h"
#include "recording/areas.h"

namespace dalea {
namespace {

const Error stopped = {"", "was cancelled"};

using GoOn = std::function<bool(double)>;  // of the part done, 0 .. 1: whether to go on

bool goes_on(const GoOn& progress, int64_t done, int64_t of) {
  return !progress || progress(static_cast<double>(done) / static_cast<double>(std::max<int64_t>(1, of)));
}

// Of a part of the whole.
GoOn between(const GoOn& whole, double from, double to) {
  if (!whole) return nullptr;
  return [&whole, from, to](double part) { return whole(from + (to - from) * part); };
}

// Rows of doubles; only what is not 0 is kept where that is less.
struct Rows {
  std::vector<int64_t> start{0};
  std::vector<int32_t> col;
  std::vector<double> value;

  explicit Rows(const Weights& w) {
    std::vector<std::vector<std::pair<int32_t, double>>> list(static_cast<size_t>(w.rows));
    for (int64_t j = 0; j < w.cols; ++j) {
      const int64_t from = w.sparse() ? w.pattern->col_start[j] : j * w.rows;
      const int64_t to = w.sparse() ? w.pattern->col_start[j + 1] : from + w.rows;
      for (int64_t e = from; e < to; ++e) {
        const auto i = w.sparse() ? static_cast<int64_t>(w.pattern->row[e]) : e - from;
        if (w.values[e] != 0) list[i].emplace_back(static_cast<int32_t>(j), static_cast<double>(w.values[e]));
      }
    }
    for (const auto& row : list) {
      for (const auto& [j, v] : row) {
        col.push_back(j);
        value.push_back(v);
      }
      start.push_back(static_cast<int64_t>(col.size()));
    }
  }

  int64_t rows() const { return static_cast<int64_t>(start.size()) - 1; }
  int64_t count() const { return start.back(); }
  // y += W x
  void add_product(const double* x, double* y) const {
    for (int64_t i = 0; i < rows(); ++i)
      for (int64_t e = start[i]; e < start[i + 1]; ++e) y[i] += value[e] * x[col[e]];
  }
  // y += W' x
  void add_transposed(const double* x, double* y) const {
    for (int64_t i = 0; i < rows(); ++i)
      for (int64_t e = start[i]; e < start[i + 1]; ++e) y[col[e]] += value[e] * x[i];
  }
};

double activated(Activation f, double x) {
  switch (f) {
    case Activation::tanh:
      return std::tanh(x);
    case Activation::relu:
      return std::max(x, 0.0);
    case Activation::softplus:
      return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x)));
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-x));
    default:
      return x;
  }
}

// By what it gave.
double slope_of(Activation f, double z) {
  switch (f) {
    case Activation::tanh:
      return 1 - z * z;
    case Activation::relu:
      return z > 0 ? 1 : 0;
    case Activation::softplus:
      return 1 - std::exp(-z);
    case Activation::sigmoid:
      return z * (1 - z);
    default:
      return 1;
  }
}

// One trial through the network, step by step, with the slopes that its derivatives need.
class SlopeTrial {
 public:
  explicit SlopeTrial(const Model& m) : m_(m), in_(m.parameters.W_in), rec_(m.parameters.W_rec) {
    for (size_t r = 0; r < m.readouts.size(); ++r) out_.emplace_back(m.parameters.W_out[r]);
    bias_.assign(static_cast<size_t>(m.units), 0);
    const Parameters& p = m.parameters;
    for (size_t i = 0; i < p.b_in.values.size(); ++i)
      bias_[i] = static_cast<double>(p.b_in.values[i]) + static_cast<double>(p.b_rec.values[i]);
    for (int64_t i = 0; i < m.units; ++i) alpha_.push_back(m.alpha.empty() ? 1 : static_cast<double>(m.alpha[i]));
  }

  void begin() {
    x_.assign(static_cast<size_t>(m_.units), 0);
    fed_ = x_;
    slopes_.clear();
    gates_.clear();
  }

  // x = (1 - alpha) x + alpha (W_in u + W_rec g + b); z = f(x); g = z, or its positive part. False: not finite.
  bool step(const float* input) {
    std::vector<double> u(input, input + m_.inputs), drive = bias_;
    in_.add_product(u.data(), drive.data());
    rec_.add_product(fed_.data(), drive.data());
    std::vector<double> slope(x_.size()), gate(x_.size());
    bool finite = true;
    for (size_t i = 0; i < x_.size(); ++i) {
      x_[i] = (1 - alpha_[i]) * x_[i] + alpha_[i] * drive[i];
      const double z = activated(m_.activation, x_[i]);
      finite = finite && std::isfinite(z);
      slope[i] = slope_of(m_.activation, z);
      const bool passes = !m_.rectified || z > 0;
      gate[i] = passes ? slope[i] : 0;
      fed_[i] = passes ? z : 0;
    }
    slopes_.push_back(std::move(slope));
    gates_.push_back(std::move(gate));
    return finite;
  }

  // Adds the derivatives of the last step's outputs by the inputs of the last `lags` steps.
  void add_response(int64_t lags, std::vector<double>& sum) const {
    const size_t units = x_.size(), last = slopes_.size() - 1;
    for (int64_t o = 0; o < m_.outputs; ++o) {
      std::vector<double> back(units, 0);  // d output / d x of the step
      for (size_t r = 0; r < out_.size(); ++r) {
        const Readout& readout = m_.readouts[r];
        if (o < readout.outputs.begin || o >= readout.outputs.end) continue;
        const int64_t row = o - readout.outputs.begin;
        for (int64_t e = out_[r].start[row]; e < out_[r].start[row + 1]; ++e)
          back[readout.units.begin + out_[r].col[e]] += out_[r].value[e];
      }
      for (size_t i = 0; i < units; ++i) back[i] *= slopes_[last][i];
      for (int64_t lag = 0; lag < lags; ++lag) {
        std::vector<double> drive(units), before(units, 0);
        for (size_t i = 0; i < units; ++i) drive[i] = back[i] * alpha_[i];
        in_.add_transposed(drive.data(), sum.data() + o * m_.inputs);
        if (lag + 1 == lags) break;
        rec_.add_transposed(drive.data(), before.data());
        const std::vector<double>& gate = gates_[last - static_cast<size_t>(lag) - 1];
        for (size_t i = 0; i < units; ++i) back[i] = back[i] * (1 - alpha_[i]) + before[i] * gate[i];
      }
    }
  }

  int64_t cost_of_response(int64_t lags) const {
    return m_.outputs * (lags * in_.count() + (lags - 1) * rec_.count() + m_.units);
  }

 private:
  const Model& m_;
  Rows in_, rec_;
  std::vector<Rows> out_;
  std::vector<double> bias_, alpha_, x_, fed_;
  std::vector<std::vector<double>> slopes_, gates_;  // per step
};

// Symmetric positive systems A X = B in place, all columns of B (n, m), row-major. A is left as its factor.
void solve_positive(std::vector<double>& a, int64_t n, std::vector<double>& b, int64_t m) {
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j <= i; ++j) {
      double sum = a[i * n + j];
      for (int64_t k = 0; k < j; ++k) sum -= a[i * n + k] * a[j * n + k];
      a[i * n + j] = i == j ? std::sqrt(std::max(sum, 1e-300)) : sum / a[j * n + j];
    }
  for (int64_t i = 0; i < n; ++i)
    for (int64_t c = 0; c < m; ++c) {
      double sum = b[i * m + c];
      for (int64_t k = 0; k < i; ++k) sum -= a[i * n + k] * b[k * m + c];
      b[i * m + c] = sum / a[i * n + i];
    }
  for (int64_t i = n - 1; i >= 0; --i)
    for (int64_t c = 0; c < m; ++c) {
      double sum = b[i * m + c];
      for (int64_t k = i + 1; k < n; ++k) sum -= a[k * n + i] * b[k * m + c];
      b[i * m + c] = sum / a[i * n + i];
    }
}

bool step_is_scored(const Trials& t, int64_t trial, int64_t step) {
  if (t.scored.empty()) return true;
  const auto from = t.scored.begin() + (trial * t.steps + step) * t.outputs;
  return std::any_of(from, from + t.outputs, [](uint8_t s) { return s != 0; });
}

double spearman_or_none(Values x, Values y) {
  const Result<Correlation> r = spearman(x, y);
  return r ? r->r : no_score;
}

// Of the found matrix with its units in another order.
double sign_share(const std::vector<double>& truth, const std::vector<double>& found, int64_t n,
                  const std::vector<uint32_t>& order, double* excitatory = nullptr, double* inhibitory = nullptr) {
  int64_t count[2] = {0, 0}, right[2] = {0, 0};
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) {
      const double w = truth[i * n + j], v = found[order[i] * n + order[j]];
      if (i == j || w == 0) continue;
      ++count[w < 0];
      right[w < 0] += w > 0 ? v > 0 : v < 0;
    }
  const auto share = [&](int k) {
    return count[k] > 0 ? static_cast<double>(right[k]) / static_cast<double>(count[k]) : no_score;
  };
  if (excitatory) *excitatory = share(0);
  if (inhibitory) *inhibitory = share(1);
  if (count[0] == 0 || count[1] == 0) return count[0] == 0 ? share(1) : share(0);
  return (share(0) + share(1)) / 2;
}

}  // namespace

Result<std::vector<double>> mean_response(const Model& model, const Trials& split, int64_t first_step, int64_t lags,
                                          const GoOn& progress) {
  constexpr double budget = 4e9;  // products: a few seconds
  constexpr int64_t most_states = 800;
  if (model.units > most_response_units)
    return Error{"populations", "have " + std::to_string(model.units) + " units, too many for this; " +
                                    std::to_string(most_response_units) + " can be measured"};
  if (model.output != Activation::identity || split.inputs != model.inputs)
    return Error{"task.type", "has no linear outputs of its own inputs; this is for recordings"};
  const int64_t first = std::max(first_step, lags - 1),
                states = split.count * std::max<int64_t>(0, split.steps - first);
  if (lags < 1 || states == 0)
    return Error{"lags", "of " + std::to_string(lags) + " frames leave no held-out steps; give 1 to " +
                             std::to_string(std::max<int64_t>(1, split.steps))};
  SlopeTrial trial(model);
  const double affordable = budget / static_cast<double>(std::max<int64_t>(1, trial.cost_of_response(lags)));
  const int64_t chosen = std::min({states, most_states, std::max<int64_t>(8, static_cast<int64_t>(affordable))});
  std::vector<double> sum(static_cast<size_t>(model.outputs * model.inputs), 0);
  int64_t state = 0, taken = 0;
  for (int64_t b = 0; b < split.count && taken < chosen; ++b) {
    trial.begin();
    for (int64_t t = 0; t < split.steps && taken < chosen; ++t) {
      if (!goes_on(progress, taken, chosen)) return stopped;
      if (!trial.step(split.input.data() + (b * split.steps + t) * split.inputs))
        return Error{"activity", "is not finite: the training diverged; go back to an earlier state of it"};
      if (t < first) continue;
      // The state in the middle of each of `chosen` equal stretches.
      if (state++ != (2 * taken + 1) * states / (2 * chosen)) continue;
      ++taken;
      trial.add_response(lags, sum);
    }
  }
  for (double& v : sum) v /= static_cast<double>(taken);
  if (std::any_of(sum.begin(), sum.end(), [](double v) { return !std::isfinite(v); }))
    return Error{"activity", "is not finite: the training diverged; go back to an earlier state of it"};
  return sum;
}

Result<std::vector<double>> linear_response(const Dataset& data, const GoOn& progress) {
  const Trials& train = data.train;
  const int64_t n = train.inputs, m = train.outputs;
  if (data.loss != Loss::mse || train.count == 0)
    return Error{"task.type", "has no training trials with targets; this is for recordings"};
  if (n > 2 * most_response_units) return Error{"recording", "has too many units for this"};
  std::vector<double> x_mean(static_cast<size_t>(n), 0), y_mean(static_cast<size_t>(m), 0);
  // All of the training trials twice, then per penalty a solution, which costs about as much as one pass.
  constexpr double penalties[] = {1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2, 1e3, 1e4};
  constexpr int64_t passes = 2 + static_cast<int64_t>(std::size(penalties));
  int64_t pass = 0;
  bool running = true;
  const auto each = [&](const Trials& t, auto&& use) {
    for (int64_t b = 0; b < t.count; ++b) {
      running = running && goes_on(progress, pass * t.count + b, passes * t.count);
      if (!running) return;
      for (int64_t s = 0; s < t.steps; ++s)
        if (step_is_scored(t, b, s))
          use(t.input.data() + (b * t.steps + s) * n, t.target.data() + (b * t.steps + s) * m);
    }
    ++pass;
  };
  int64_t count = 0;
  each(train, [&](const float* x, const float* y) {
    for (int64_t i = 0; i < n; ++i) x_mean[i] += static_cast<double>(x[i]);
    for (int64_t i = 0; i < m; ++i) y_mean[i] += static_cast<double>(y[i]);
    ++count;
  });
  if (!running) return stopped;
  if (count == 0) return Error{"recording.warmup", "leaves no training step that is scored; give a smaller one"};
  for (double& v : x_mean) v /= static_cast<double>(count);
  for (double& v : y_mean) v /= static_cast<double>(count);
  std::vector<double> gram(static_cast<size_t>(n * n), 0), cross(static_cast<size_t>(n * m), 0);
  std::vector<double> dx(static_cast<size_t>(n)), dy(static_cast<size_t>(m));
  each(train, [&](const float* x, const float* y) {
    for (int64_t i = 0; i < n; ++i) dx[i] = static_cast<double>(x[i]) - x_mean[i];
    for (int64_t i = 0; i < m; ++i) dy[i] = static_cast<double>(y[i]) - y_mean[i];
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j <= i; ++j) gram[i * n + j] += dx[i] * dx[j];
      for (int64_t j = 0; j < m; ++j) cross[i * m + j] += dx[i] * dy[j];
    }
  });
  std::vector<double> best;
  double least = 0;
  for (const double penalty : penalties) {
    std::vector<double> factor = gram, weights = cross;
    for (int64_t i = 0; i < n; ++i) factor[i * n + i] += penalty;
    if (!running || !goes_on(progress, pass, passes)) return stopped;
    solve_positive(factor, n, weights, m);
    double error = 0;
    each(data.validation, [&](const float* x, const float* y) {
      for (int64_t j = 0; j < m; ++j) dy[j] = y_mean[j] - static_cast<double>(y[j]);
      for (int64_t i = 0; i < n; ++i) {
        const double v = static_cast<double>(x[i]) - x_mean[i];
        for (int64_t j = 0; j < m; ++j) dy[j] += v * weights[i * m + j];
      }
      for (double e : dy) error += e * e;
    });
    if (!best.empty() && !(error < least)) continue;
    least = error;
    best.assign(static_cast<size_t>(m * n), 0);
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < m; ++j) best[j * n + i] = weights[i * m + j];
  }
  if (!running) return stopped;
  return best;
}

Result<RecoveryScore> score_recovery(const std::vector<double>& truth, const std::vector<double>& found, int64_t units,
                                     uint64_t seed) {
  const int64_t n = units;
  if (n < 3 || count_of(truth) != n * n || count_of(found) != n * n)
    return Error{"units", "are " + std::to_string(n) + " for matrices of " + std::to_string(truth.size()) + " and " +
                              std::to_string(found.size()) + " values; give at least 3, and their square"};
  if (Status s = check_values(truth, "truth", 1); !s) return s.error();
  if (Status s = check_values(found, "found", 1); !s) return s.error();
  RecoveryScore score;
  std::vector<double> w, v, sizes, found_sizes, absent;
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) {
      if (i == j) continue;
      w.push_back(truth[i * n + j]);
      v.push_back(found[i * n + j]);
      if (w.back() == 0) {
        absent.push_back(std::fabs(v.back()));
        continue;
      }
      ++(w.back() > 0 ? score.excitatory : score.inhibitory);
      sizes.push_back(std::fabs(w.back()));
      found_sizes.push_back(std::fabs(v.back()));
    }
  score.absent = count_of(absent);
  std::vector<uint32_t> order(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) order[i] = static_cast<uint32_t>(i);
  score.sign = sign_share(truth, found, n, order, &score.sign_excitatory, &score.sign_inhibitory);
  score.rank = spearman_or_none(w, v);
  score.strength = spearman_or_none(sizes, found_sizes);
  score.detection = no_score;
  if (!sizes.empty() && !absent.empty()) {
    std::vector<double> both = found_sizes;
    both.insert(both.end(), absent.begin(), absent.end());
    const std::vector<double> ranks = mid_ranks(both);
    double sum = 0;
    for (size_t k = 0; k < found_sizes.size(); ++k) sum += ranks[k];
    const auto a = static_cast<double>(found_sizes.size()), b = static_cast<double>(absent.size());
    score.detection = (sum - a * (a + 1) / 2) / (a * b);
  }

  // Pearson's of the ranks, which an exchange leaves as they are: only their product changes.
  const std::vector<double> w_rank = mid_ranks(w), v_rank = mid_ranks(v);
  std::vector<double> truth_rank(static_cast<size_t>(n * n), 0), found_rank = truth_rank;
  double spread_w = 0, spread_v = 0;
  const double middle = (static_cast<double>(w.size()) + 1) / 2;
  for (int64_t i = 0, k = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) {
      if (i == j) continue;
      truth_rank[i * n + j] = w_rank[k] - middle;
      found_rank[i * n + j] = v_rank[k++] - middle;
      spread_w += truth_rank[i * n + j] * truth_rank[i * n + j];
      spread_v += found_rank[i * n + j] * found_rank[i * n + j];
    }
  const double spread = std::sqrt(spread_w * spread_v);
  // Large circuits have fewer exchanges: some 1e9 products in all.
  const int64_t exchanges = std::clamp<int64_t>(1'000'000'000 / (n * n), 19, recovery_exchanges);
  Rng rng(seed, Purpose::simulate, 4);
  double sign_sum = 0, rank_sum = 0;
  int64_t sign_reached = 0, rank_reached = 0;
  for (int64_t k = 0; k < exchanges; ++k) {
    order = permutation(static_cast<uint32_t>(n), rng);
    const double sign = sign_share(truth, found, n, order);
    double product = 0;
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j) product += truth_rank[i * n + j] * found_rank[order[i] * n + order[j]];
    const double rank = spread > 0 ? product / spread : no_score;
    sign_sum += sign;
    rank_sum += rank;
    sign_reached += sign >= score.sign - 1e-12;
    rank_reached += rank >= score.rank - 1e-12;
  }
  const auto all = static_cast<double>(exchanges);
  score.sign_shuffled = sign_sum / all;
  score.rank_shuffled = rank_sum / all;
  score.sign_p = std::isfinite(score.sign) ? static_cast<double>(sign_reached + 1) / (all + 1) : no_score;
  score.rank_p = std::isfinite(score.rank) ? static_cast<double>(rank_reached + 1) / (all + 1) : no_score;
  return score;
}

std::vector<double> block_means(const std::vector<double>& matrix, int64_t units, int64_t excitatory) {
  double sum[4] = {}, count[4] = {};
  for (int64_t i = 0; i < units; ++i)
    for (int64_t j = 0; j < units; ++j) {
      if (i == j) continue;
      const int block = 2 * (i >= excitatory) + (j >= excitatory);
      sum[block] += matrix[i * units + j];
      ++count[block];
    }
  std::vector<double> means;
  for (int k = 0; k < 4; ++k) means.push_back(count[k] > 0 ? sum[k] / count[k] : no_score);
  return means;
}

Result<RecoveryStudy> study_recovery(const Model& model, const Dataset& data, const Spec& spec, int64_t lags,
                                     const GoOn& progress) {
  if (!data.recording || data.recording->source != "simulated")
    return Error{"recording.file",
                 "is given, and of a real recording the circuit is not known; leave it out to train "
                 "on the simulated one"};
  const Recording& recording = *data.recording;
  if (data.ends.inputs != recording.units || data.ends.outputs != recording.units)
    return Error{"recording.split", "lets the network see or predict some units only; use \"time\" to compare all"};
  if (!data.scaling || count_of(data.scaling->sd) != recording.units)
    return Error{"recording.scale", "is not known for each unit; use \"z-score\" or \"none\""};
  Spec a_short_one = spec;
  a_short_one.recording.simulated_frames = 1;  // the circuit does not depend on them
  const SimulatedCircuit circuit = simulated_circuit(a_short_one, 0);
  RecoveryStudy study;
  study.lags = lags;
  study.circuit_units = circuit.units;
  study.names = recording.names;
  std::vector<int64_t> unit;
  for (const std::string& name : recording.names) {
    const auto at = std::find(circuit.recording.names.begin(), circuit.recording.names.end(), name);
    if (at == circuit.recording.names.end())
      return Error{"recording.average",
                   "made channels that are not units of the circuit ('" + name + "'); use \"none\" to compare units"};
    unit.push_back(circuit.observed[static_cast<size_t>(at - circuit.recording.names.begin())]);
    study.excitatory += unit.back() < circuit.excitatory;
  }
  if (!std::is_sorted(unit.begin(), unit.end()))
    return Error{"recording.columns", "are in another order than the circuit's units; give them in its order"};
  const int64_t n = recording.units;
  for (int64_t post : unit)
    for (int64_t pre : unit) study.truth.push_back(static_cast<double>(circuit.weights[post * circuit.units + pre]));

  Result<std::vector<double>> network =
      mean_response(model, data.held_out, spec.recording.warmup, lags, between(progress, 0, 0.5));
  if (!network) return network.error();
  Result<std::vector<double>> linear = linear_response(data, between(progress, 0.5, 0.9));
  if (!linear) return linear.error();
  const std::vector<double>& sd = data.scaling->sd;
  for (auto* matrix : {&*network, &*linear})
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j) (*matrix)[i * n + j] *= sd[j] > 0 ? sd[i] / sd[j] : 0;
  study.network = std::move(*network);
  study.linear = std::move(*linear);
  if (!goes_on(progress, 90, 100)) return stopped;
  Result<RecoveryScore> a = score_recovery(study.truth, study.network, n, spec.seed);
  if (!a) return a.error();
  if (!goes_on(progress, 95, 100)) return stopped;
  Result<RecoveryScore> b = score_recovery(study.truth, study.linear, n, spec.seed);
  if (!b) return b.error();
  study.network_score = *a;
  study.linear_score = *b;
  study.truth_blocks = block_means(study.truth, n, study.excitatory);
  study.network_blocks = block_means(study.network, n, study.excitatory);
  study.linear_blocks = block_means(study.linear, n, study.excitatory);
  study.network_block_rank = spearman_or_none(study.truth_blocks, study.network_blocks);
  study.linear_block_rank = spearman_or_none(study.truth_blocks, study.linear_blocks);
  return study;
}

}  // namespace dalea
