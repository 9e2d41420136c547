#include "analysis/states.h"

#include <algorithm>
#include <cmath>
#include <map>

#define EIGEN_MPL2_ONLY
#define EIGEN_DONT_PARALLELIZE
#include <Eigen/Eigenvalues>

namespace dalea {
namespace {

const Error not_finite = {"activity", "is not finite: the training diverged; go back to an earlier state of it"};

// Sums over samples, about the first one, so that what never varies has a variance of exactly 0. Samples gather in a
// buffer; each block of rows is one part, so threads change nothing.
class Covariance {
 public:
  Covariance(int64_t units, Workers& workers)
      : units_(units), workers_(workers), origin_(units), sum_(units), product_(units, units), buffer_(units, room) {
    sum_.setZero();
    product_.setZero();
  }

  void add(const float* z, int64_t unit_stride, int64_t sample_stride, int64_t samples) {
    for (int64_t done = 0; done < samples;) {
      if (count_ == 0)
        for (int64_t i = 0; i < units_; ++i) origin_[i] = static_cast<double>(z[i * unit_stride]);
      const int64_t n = std::min(samples - done, room - held_);
      for (int64_t i = 0; i < units_; ++i) {
        const float* from = z + i * unit_stride + done * sample_stride;
        for (int64_t s = 0; s < n; ++s)
          buffer_(i, held_ + s) = static_cast<double>(from[s * sample_stride]) - origin_[i];
      }
      held_ += n;
      count_ += n;
      done += n;
      if (held_ == room) flush();
    }
  }

  Result<Components> components() {
    flush();
    if (count_ == 0) return Error{"samples", "are missing; give at least one"};
    const double n = static_cast<double>(count_);
    const Eigen::VectorXd mean = sum_ / n;
    for (int64_t j = 0; j < units_; ++j)
      for (int64_t i = j; i < units_; ++i) product_(i, j) = product_(i, j) / n - mean[i] * mean[j];
    Components c;
    c.units = units_;
    double squares = 0;
    for (int64_t j = 0; j < units_; ++j) {
      c.mean.push_back(origin_[j] + mean[j]);
      if (!std::isfinite(product_(j, j))) return not_finite;
      product_(j, j) = std::max(0.0, product_(j, j));
      c.total += product_(j, j);
      for (int64_t i = j; i < units_; ++i) squares += (i == j ? 1 : 2) * product_(i, j) * product_(i, j);
    }
    if (!std::isfinite(c.total) || !std::isfinite(squares)) return not_finite;
    c.participation = squares > 0 ? c.total * c.total / squares : 0;
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solved(product_);  // reads the lower triangle
    if (solved.info() != Eigen::Success) return Error{"components", "were not found; try fewer units"};
    c.count = std::min(most_components, units_);
    for (int64_t k = 0; k < c.count; ++k) {
      c.variance.push_back(std::max(0.0, solved.eigenvalues()[units_ - 1 - k]));
      const auto v = solved.eigenvectors().col(units_ - 1 - k);
      // Of equals the first, whatever their last digits say.
      int64_t largest = 0;
      for (int64_t i = 1; i < units_; ++i)
        if (std::fabs(v[i]) > std::fabs(v[largest]) * (1 + 1e-9)) largest = i;
      const double sign = v[largest] < 0 ? -1 : 1;
      for (int64_t i = 0; i < units_; ++i) c.loadings.push_back(sign * v[i]);
    }
    return c;
  }

 private:
  static constexpr int64_t room = 512, block = 32;

  void flush() {
    if (held_ == 0) return;
    workers_.run(static_cast<int>((units_ + block - 1) / block), [&](int part) {
      const int64_t from = part * block, rows = std::min(block, units_ - from);
      sum_.segment(from, rows) += buffer_.block(from, 0, rows, held_).rowwise().sum();
      product_.block(from, from, units_ - from, rows).noalias() +=
          buffer_.block(from, 0, units_ - from, held_) * buffer_.block(from, 0, rows, held_).transpose();
    });
    held_ = 0;
  }

  int64_t units_, count_ = 0, held_ = 0;
  Workers& workers_;
  Eigen::VectorXd origin_, sum_;
  Eigen::MatrixXd product_;  // the lower triangle, and some of the upper one
  Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> buffer_;  // (unit, sample)
};

std::string sign_pattern(const float* target, int64_t outputs) {
  std::string name;
  for (int64_t o = 0; o < outputs; ++o)
    name += std::string(o > 0 ? " " : "") + (target[o] > 0 ? "+" : target[o] < 0 ? "\xe2\x88\x92" : "0");
  return name;
}

void find_conditions(const Dataset& data, StateStudy& study) {
  const Trials& split = data.held_out;
  study.condition.assign(static_cast<size_t>(split.count), 0);
  if (data.loss == Loss::cross_entropy) {
    study.condition_kind = "class";
    study.condition_names = data.output_names;
    bool unasked = false;
    for (int64_t n = 0; n < split.count; ++n) {
      int32_t label = -1;
      for (int64_t t = 0; t < split.steps; ++t)
        if (split.label[static_cast<size_t>(n * split.steps + t)] >= 0)
          label = split.label[static_cast<size_t>(n * split.steps + t)];
      unasked = unasked || label < 0;
      study.condition[static_cast<size_t>(n)] = label >= 0 ? label : static_cast<int32_t>(data.output_names.size());
    }
    if (unasked) study.condition_names.push_back("none");
    return;
  }
  const auto last = [&](int64_t n) { return split.target.data() + ((n + 1) * split.steps - 1) * split.outputs; };
  bool signs = split.outputs > 0 && split.outputs <= 3;
  for (int64_t n = 0; n < split.count && signs; ++n)
    for (int64_t o = 0; o < split.outputs; ++o) {
      const float v = last(n)[o];
      signs = signs && (v == 0 || v == 1 || v == -1);
    }
  if (!signs) {
    study.condition_names = {"all trials"};
    return;
  }
  study.condition_kind = "final target";
  std::map<std::vector<float>, int32_t> patterns;  // from minus to plus, as the values are
  const auto pattern_of = [&](int64_t n) {
    std::vector<float> pattern(last(n), last(n) + split.outputs);
    for (float& v : pattern) v += 0.0f;  // -0 is 0
    return pattern;
  };
  for (int64_t n = 0; n < split.count; ++n) patterns[pattern_of(n)] = 0;
  for (auto& [pattern, index] : patterns) {
    index = static_cast<int32_t>(study.condition_names.size());
    study.condition_names.push_back(sign_pattern(pattern.data(), split.outputs));
  }
  for (int64_t n = 0; n < split.count; ++n) study.condition[static_cast<size_t>(n)] = patterns[pattern_of(n)];
}

double mean_over(const std::vector<double>& values, const Range& units) {
  double sum = 0;
  for (int64_t i = units.begin; i < units.end; ++i) sum += values[static_cast<size_t>(i)];
  return units.size() > 0 ? sum / static_cast<double>(units.size()) : 0.0;
}

// Sums over trials and steps, by unit.
struct Sums {
  std::vector<double> z, received;  // received: fed back in all steps but the last
};

Currents currents_of(const Model& model, const Trials& split, const Sums& sums) {
  const Parameters& p = model.parameters;
  const size_t n = model.populations.size();
  const double samples = static_cast<double>(split.count * split.steps);
  Currents c;
  c.recurrent.assign(n * n, 0.0);
  c.connections.assign(n * n, 0);
  std::vector<size_t> population(static_cast<size_t>(model.units));
  for (size_t k = 0; k < n; ++k)
    for (int64_t i = model.populations[k].begin; i < model.populations[k].end; ++i)
      population[static_cast<size_t>(i)] = k;
  // The mean over units and samples of W f is, column by column, the sum of its weights times the mean of f.
  const Weights& w = p.W_rec;
  std::vector<double> weight(n);
  for (int64_t j = 0; j < model.units; ++j) {
    const size_t q = population[static_cast<size_t>(j)];
    std::fill(weight.begin(), weight.end(), 0.0);
    const auto take = [&](int64_t i, float v) {
      const size_t k = population[static_cast<size_t>(i)];
      weight[k] += static_cast<double>(v);
      c.connections[k * n + q] += v != 0;
    };
    if (w.sparse())
      for (int64_t e = w.pattern->col_start[static_cast<size_t>(j)];
           e < w.pattern->col_start[static_cast<size_t>(j) + 1]; ++e)
        take(w.pattern->row[static_cast<size_t>(e)], w.values[static_cast<size_t>(e)]);
    else
      for (int64_t i = 0; i < model.units; ++i) take(i, w.values[static_cast<size_t>(j * model.units + i)]);
    for (size_t k = 0; k < n; ++k)
      c.recurrent[k * n + q] += weight[k] * sums.received[static_cast<size_t>(j)] / samples;
  }
  std::vector<double> channel(static_cast<size_t>(split.inputs)), input(static_cast<size_t>(model.units)), bias(input);
  for (int64_t s = 0; s < split.count * split.steps; ++s)
    for (int64_t k = 0; k < split.inputs; ++k)
      channel[static_cast<size_t>(k)] += static_cast<double>(split.input[static_cast<size_t>(s * split.inputs + k)]);
  for (int64_t i = 0; i < model.units; ++i) {
    const auto at = static_cast<size_t>(i);
    for (int64_t k = 0; k < split.inputs; ++k)
      input[at] += static_cast<double>(p.W_in.at(i, k)) * channel[static_cast<size_t>(k)] / samples;
    if (!p.b_in.values.empty())
      bias[at] = static_cast<double>(p.b_in.values[at]) + static_cast<double>(p.b_rec.values[at]);
  }
  for (size_t k = 0; k < n; ++k) {
    const Range& units = model.populations[k];
    const auto size = static_cast<double>(std::max<int64_t>(1, units.size()));
    for (size_t q = 0; q < n; ++q) c.recurrent[k * n + q] /= size;
    c.input.push_back(mean_over(input, units));
    c.bias.push_back(mean_over(bias, units));
    c.activity.push_back(mean_over(sums.z, units) / samples);
  }
  return c;
}

void add_to(Sums& sums, const Model& model, const Activity& a) {
  for (int64_t t = 0; t < a.steps; ++t)
    for (int64_t i = 0; i < model.units; ++i) {
      const int64_t at = (t * model.units + i) * a.stride;
      double z = 0, g = 0;
      for (int64_t b = 0; b < a.batch; ++b) {
        const double v = static_cast<double>(a.z[static_cast<size_t>(at + b)]);
        z += v;
        g += model.rectified && v < 0 ? 0 : v;
      }
      sums.z[static_cast<size_t>(i)] += z;
      if (t + 1 < a.steps) sums.received[static_cast<size_t>(i)] += g;
    }
}

// Paths of the trials [from, from + a.batch).
void project(const Model& model, const Activity& a, int64_t from, StateStudy& study) {
  const Components& c = study.components;
  const int64_t components = std::min(c.count, path_components);
  std::vector<double> sum(static_cast<size_t>(a.batch));
  for (int64_t t = 0; t < a.steps; ++t)
    for (int64_t k = 0; k < components; ++k) {
      std::fill(sum.begin(), sum.end(), 0.0);
      for (int64_t i = 0; i < c.units; ++i) {
        const float* z = a.z.data() + (t * model.units + study.of.begin + i) * a.stride;
        const double loading = c.loadings[static_cast<size_t>(k * c.units + i)], mean = c.mean[static_cast<size_t>(i)];
        for (int64_t b = 0; b < a.batch; ++b)
          sum[static_cast<size_t>(b)] += loading * (static_cast<double>(z[b]) - mean);
      }
      for (int64_t b = 0; b < a.batch; ++b)
        study.path[static_cast<size_t>(((from + b) * a.steps + t) * path_components + k)] =
            static_cast<float>(sum[static_cast<size_t>(b)]);
    }
}

}  // namespace

double Components::share(int64_t k) const {
  return total > 0 ? variance[static_cast<size_t>(k)] / total : 0.0;
}

double Components::share_of_first(int64_t components) const {
  double sum = 0;
  for (int64_t k = 0; k < std::min(components, count); ++k) sum += share(k);
  return sum;
}

double Currents::total(size_t population) const {
  double sum = input[population] + bias[population];
  for (size_t q = 0; q < input.size(); ++q) sum += recurrent[population * input.size() + q];
  return sum;
}

Result<Components> components_of(const std::vector<float>& samples, int64_t units, Workers& workers) {
  if (units < 1 || units > most_component_units)
    return Error{"units",
                 "are " + std::to_string(units) + "; give 1 to " + std::to_string(most_component_units) + " of them"};
  const FloatState ieee;
  Covariance covariance(units, workers);
  covariance.add(samples.data(), 1, units, static_cast<int64_t>(samples.size()) / units);
  return covariance.components();
}

Result<StateStudy> study_states(const Model& model, const Dataset& data, int64_t batch, int64_t most_trials, Range of,
                                Isa isa, Workers& workers, const std::function<bool(double)>& progress) {
  const Trials& split = data.held_out;
  if (split.count == 0 || split.steps == 0)
    return Error{"held-out split", "has no trials, so there is nothing to measure; give task.held_out or more frames"};
  if (of.begin < 0 || of.end > model.units || of.size() <= 0)
    return Error{"units", "are outside the network; give some of its " + std::to_string(model.units)};
  const FloatState ieee;
  const Error cancelled = {"", "cancelled"};
  batch = std::max<int64_t>(1, batch);
  StateStudy study;
  study.trials = split.count;
  study.steps = split.steps;
  study.populations = model.populations;
  study.of = of;
  study.shown = std::clamp<int64_t>(most_trials, 0, split.count);
  find_conditions(data, study);
  const bool solvable = of.size() <= most_component_units;
  const int64_t all = split.count + (solvable ? study.shown : 0);
  const auto goes_on = [&](int64_t trials) {
    return !progress || progress(static_cast<double>(trials) / static_cast<double>(all));
  };
  if (!goes_on(0)) return cancelled;
  if (!solvable)
    study.no_components = "Components of more than " + std::to_string(most_component_units) +
                          " units take too long; choose a population that has fewer.";
  Pass pass(isa, workers);
  pass.pack(model, false);
  Sums sums{std::vector<double>(static_cast<size_t>(model.units)),
            std::vector<double>(static_cast<size_t>(model.units))};
  Covariance covariance(solvable ? of.size() : 0, workers);
  for (int64_t trial = 0; trial < split.count; trial += batch) {
    pass.begin_forward(model, split, trial, std::min(trial + batch, split.count), data.loss);
    pass.run();
    const Activity& a = pass.activity();
    add_to(sums, model, a);
    for (int64_t t = 0; t < a.steps && solvable; ++t)
      covariance.add(a.z.data() + (t * model.units + of.begin) * a.stride, a.stride, 1, a.batch);
    if (!goes_on(std::min(trial + batch, split.count))) return cancelled;
  }
  for (double v : sums.z)
    if (!std::isfinite(v)) return not_finite;
  study.currents = currents_of(model, split, sums);
  if (!solvable) {
    study.shown = 0;
    return study;
  }
  Result<Components> components = covariance.components();
  if (!components) return components.error();
  study.components = std::move(*components);
  // The paths need the components of all trials: their trials run once more.
  study.path.assign(static_cast<size_t>(study.shown * split.steps * path_components), 0.0f);
  for (int64_t trial = 0; trial < study.shown; trial += batch) {
    pass.begin_forward(model, split, trial, std::min(trial + batch, study.shown), data.loss);
    pass.run();
    project(model, pass.activity(), trial, study);
    if (!goes_on(split.count + std::min(trial + batch, study.shown))) return cancelled;
  }
  return study;
}

}  // namespace dalea
