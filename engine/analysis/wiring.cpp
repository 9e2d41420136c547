#include "analysis/wiring.h"

#include <algorithm>
#include <cmath>

namespace dalea {
namespace {

bool is_scored(const Trials& t, int64_t row, int64_t output) {
  return t.scored.empty() || t.scored[static_cast<size_t>(row * t.outputs + output)] != 0;
}

double target_at(const Trials& t, int64_t row, int64_t output) {
  return static_cast<double>(t.target[static_cast<size_t>(row * t.outputs + output)]);
}

// `predict` fills one row's predictions.
template <class Predict>
HeldOutErrors errors_by(const HeldOutFrames& frames, const Trials& t, Predict predict) {
  HeldOutErrors e;
  std::vector<double> y(static_cast<size_t>(t.outputs));
  const double scale =
      frames.varying > 0 ? static_cast<double>(frames.frames()) / static_cast<double>(frames.varying) : 0;
  for (int64_t row : frames.row) {
    predict(row, y);
    double squared = 0, relative = 0;
    for (int64_t o = 0; o < t.outputs; ++o) {
      if (!is_scored(t, row, o)) continue;
      const double d = y[o] - target_at(t, row, o);
      squared += d * d;
      if (frames.total[o] > 0) relative += d * d / frames.total[o];
    }
    e.squared.push_back(squared);
    e.relative.push_back(relative * scale);
  }
  return e;
}

// Means over networks, frame by frame.
HeldOutErrors mean_over(const std::vector<const HeldOutErrors*>& list) {
  HeldOutErrors m = *list.front();
  for (size_t k = 1; k < list.size(); ++k)
    for (size_t f = 0; f < m.squared.size(); ++f) {
      m.squared[f] += list[k]->squared[f];
      m.relative[f] += list[k]->relative[f];
    }
  for (std::vector<double>* v : {&m.squared, &m.relative})
    for (double& x : *v) x /= static_cast<double>(list.size());
  return m;
}

HeldOutErrors mean_over(const std::vector<HeldOutErrors>& list) {
  std::vector<const HeldOutErrors*> all;
  for (const HeldOutErrors& e : list) all.push_back(&e);
  return mean_over(all);
}

// Loss and R2 of errors when frame f counts `times[f]` times.
struct Measures {
  double loss = 0, r2 = 0;
};
Measures measures_of(const HeldOutFrames& frames, const HeldOutErrors& e, const std::vector<int32_t>& times) {
  double squared = 0, relative = 0, scored = 0, all = 0;
  for (size_t f = 0; f < times.size(); ++f) {
    const auto n = static_cast<double>(times[f]);
    squared += n * e.squared[f];
    relative += n * e.relative[f];
    scored += n * static_cast<double>(frames.scored[f]);
    all += n;
  }
  return {scored > 0 ? squared / scored : 0, all > 0 ? 1 - relative / all : 0};
}

Result<Interval> middle_95(std::vector<double> draws) {
  const Result<double> low = quantile(draws, 0.025), high = quantile(draws, 0.975);
  if (!low) return low.error();
  if (!high) return high.error();
  return Interval{*low, *high};
}

}  // namespace

HeldOutFrames held_out_frames(const Trials& t) {
  HeldOutFrames h;
  std::vector<double> sum(static_cast<size_t>(t.outputs), 0.0), count = sum;
  for (int64_t row = 0; row < t.count * t.steps; ++row) {
    int64_t scored = 0;
    for (int64_t o = 0; o < t.outputs; ++o)
      if (is_scored(t, row, o)) {
        ++scored;
        sum[o] += target_at(t, row, o);
        ++count[o];
      }
    if (scored == 0) continue;
    h.row.push_back(row);
    h.scored.push_back(scored);
  }
  h.total.assign(static_cast<size_t>(t.outputs), 0.0);
  for (int64_t row : h.row)
    for (int64_t o = 0; o < t.outputs; ++o)
      if (is_scored(t, row, o)) {
        const double d = target_at(t, row, o) - sum[o] / count[o];
        h.total[o] += d * d;
      }
  for (double& v : h.total) {
    if (!(v > 1e-12)) v = 0;
    h.varying += v > 0;
  }
  return h;
}

HeldOutErrors errors_of(const HeldOutFrames& frames, const Trials& t, const std::vector<float>& output) {
  return errors_by(frames, t, [&](int64_t row, std::vector<double>& y) {
    for (int64_t o = 0; o < t.outputs; ++o)
      y[o] = static_cast<double>(output[static_cast<size_t>(row * t.outputs + o)]);
  });
}

std::vector<float> held_out_outputs(const Model& model, const Dataset& data, int64_t batch, Isa isa, Workers& workers) {
  const FloatState ieee;
  const Trials& t = data.held_out;
  Pass pass(isa, workers);
  pass.pack(model, false);
  std::vector<float> all;
  for (int64_t from = 0; from < t.count; from += batch) {
    pass.begin_forward(model, t, from, std::min(from + batch, t.count), data.loss);
    pass.run();
    const std::vector<float> part = outputs_of(pass.activity(), t.outputs);
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

std::vector<std::pair<std::string, HeldOutErrors>> baseline_errors(const HeldOutFrames& frames, const Dataset& data) {
  std::vector<std::pair<std::string, HeldOutErrors>> list;
  if (!data.baselines) return list;
  const BaselineFit& fit = data.baselines->fit;
  const Trials& t = data.held_out;
  const auto in = static_cast<size_t>(t.inputs), out = static_cast<size_t>(t.outputs);
  const auto input = [&](int64_t row, size_t i) {
    return static_cast<double>(t.input[static_cast<size_t>(row) * in + i]);
  };
  if (in == out && fit.slope.size() == in) {
    list.emplace_back("last frame", errors_by(frames, t, [&](int64_t row, std::vector<double>& y) {
                        for (size_t o = 0; o < out; ++o) y[o] = input(row, o);
                      }));
    list.emplace_back("AR(1)", errors_by(frames, t, [&](int64_t row, std::vector<double>& y) {
                        for (size_t o = 0; o < out; ++o) y[o] = fit.slope[o] * input(row, o) + fit.intercept[o];
                      }));
  }
  if (fit.weights.size() == in * out && fit.mean.size() == in && fit.offset.size() == out)
    list.emplace_back("linear", errors_by(frames, t, [&](int64_t row, std::vector<double>& y) {
                        y = fit.offset;
                        for (size_t i = 0; i < in; ++i) {
                          const double v = input(row, i) - fit.mean[i];
                          for (size_t o = 0; o < out; ++o) y[o] += v * fit.weights[i * out + o];
                        }
                      }));
  return list;
}

int64_t block_length(int64_t frames) {
  int64_t block = 1;
  while (block * block * block < 8 * frames) ++block;
  return std::max<int64_t>(1, std::min(block, frames / 4));
}

std::vector<int32_t> block_sample(int64_t frames, int64_t block, uint64_t seed, int64_t draw) {
  std::vector<int32_t> times(static_cast<size_t>(frames), 0);
  Rng rng(seed, Purpose::bootstrap, 0, 0, static_cast<uint32_t>(draw));
  for (int64_t taken = 0; taken < frames;) {
    auto at = static_cast<int64_t>(rng.below(static_cast<uint32_t>(frames)));
    for (int64_t k = 0; k < block && taken < frames; ++k, ++taken) {
      ++times[static_cast<size_t>(at)];
      at = at + 1 == frames ? 0 : at + 1;
    }
  }
  return times;
}

void rank_among_nulls(WiringTest& test, std::vector<double> nulls, bool less_is_better) {
  test.nulls = std::move(nulls);
  const auto count = static_cast<double>(test.nulls.size());
  const double sign = less_is_better ? -1 : 1;
  int64_t worse = 0, tied = 0;
  test.as_good = test.as_bad = 0;
  double sum = 0;
  for (double v : test.nulls) {
    const double ahead = sign * (test.measured - v);  // above 0: the measured wiring predicts better
    test.as_good += ahead <= 0;
    test.as_bad += ahead >= 0;
    worse += ahead > 0;
    tied += ahead == 0;
    sum += v;
  }
  test.null_mean = sum / count;
  double square = 0;
  for (double v : test.nulls) square += (v - test.null_mean) * (v - test.null_mean);
  test.null_sd = test.nulls.size() > 1 ? std::sqrt(square / (count - 1)) : std::nan("");
  test.p_better = (1 + static_cast<double>(test.as_good)) / (1 + count);
  test.p_worse = (1 + static_cast<double>(test.as_bad)) / (1 + count);
  test.p_two_sided = std::min(1.0, 2 * std::min(test.p_better, test.p_worse));
  test.z = test.null_sd > 0 ? sign * (test.measured - test.null_mean) / test.null_sd : std::nan("");
  test.percentile = (static_cast<double>(worse) + 0.5 * static_cast<double>(tied)) / count;
}

Result<WiringStudy> study_wiring(const HeldOutFrames& frames, const WiringErrors& errors, uint64_t seed,
                                 int64_t draws) {
  if (Status ok = check_draws(draws); !ok) return ok.error();
  const int64_t n = frames.frames();
  if (n < 8)
    return Error{"held-out part", "has " + std::to_string(n) +
                                      " scored frames; give a longer recording or smaller fractions for training"};
  if (errors.measured.empty()) return Error{"measured", "has no trained network"};
  if (errors.nulls.size() < 2)
    return Error{"connectome.nulls",
                 "has " + std::to_string(errors.nulls.size()) + " trained null networks; the test needs at least 2"};
  const auto check = [&](const std::vector<HeldOutErrors>& list, const std::string& name) -> Status {
    if (list.empty()) return Error{name, "has no trained network"};
    for (const HeldOutErrors& e : list) {
      if (static_cast<int64_t>(e.squared.size()) != n || static_cast<int64_t>(e.relative.size()) != n)
        return Error{name, "was measured on other frames; train it again"};
      for (const std::vector<double>* v : {&e.squared, &e.relative})
        if (Status ok = check_values(*v, name, 1); !ok) return ok;
    }
    return {};
  };
  if (Status ok = check(errors.measured, "measured"); !ok) return ok.error();
  for (size_t k = 0; k < errors.nulls.size(); ++k)
    if (Status ok = check(errors.nulls[k], "null " + std::to_string(k + 1)); !ok) return ok.error();
  for (const auto& other : errors.others)
    if (Status ok = check(other.second, other.first); !ok) return ok.error();

  WiringStudy s;
  s.frames = n;
  s.units = frames.varying;
  s.block = block_length(n);
  for (int64_t v : frames.scored) s.scored += v;
  s.draws = draws;
  const std::vector<int32_t> once(static_cast<size_t>(n), 1);
  const auto now = [&](const HeldOutErrors& e) { return measures_of(frames, e, once); };
  for (const HeldOutErrors& e : errors.measured) {
    s.loss.seeds.push_back(now(e).loss);
    s.r2.seeds.push_back(now(e).r2);
  }
  std::vector<HeldOutErrors> means;  // the measured wiring, the mean of the nulls, the others
  means.push_back(mean_over(errors.measured));
  s.loss.measured = now(means[0]).loss;
  s.r2.measured = now(means[0]).r2;
  std::vector<HeldOutErrors> nulls;
  std::vector<double> null_loss, null_r2;
  for (const auto& list : errors.nulls) {
    nulls.push_back(mean_over(list));
    null_loss.push_back(now(nulls.back()).loss);
    null_r2.push_back(now(nulls.back()).r2);
  }
  rank_among_nulls(s.loss, std::move(null_loss), true);
  rank_among_nulls(s.r2, std::move(null_r2), false);
  means.push_back(mean_over(nulls));
  for (const auto& other : errors.others) means.push_back(mean_over(other.second));

  // (mean)(draw); differences are of the same sample of time.
  std::vector<std::vector<double>> loss(means.size()), r2(means.size()), loss_less(means.size()), r2_less(means.size());
  for (int64_t d = 0; d < draws; ++d) {
    const std::vector<int32_t> times = block_sample(n, s.block, seed, d);
    Measures first;
    for (size_t m = 0; m < means.size(); ++m) {
      const Measures v = measures_of(frames, means[m], times);
      if (m == 0) first = v;
      loss[m].push_back(v.loss);
      r2[m].push_back(v.r2);
      loss_less[m].push_back(first.loss - v.loss);
      r2_less[m].push_back(first.r2 - v.r2);
    }
  }
  for (const bool of_loss : {true, false}) {
    WiringTest& t = of_loss ? s.loss : s.r2;
    const auto& drawn = of_loss ? loss : r2;
    const auto& less = of_loss ? loss_less : r2_less;
    for (size_t m = 0; m < means.size(); ++m) {
      const Result<Interval> own = middle_95(drawn[m]), difference = middle_95(less[m]);
      if (!own) return own.error();
      if (!difference) return difference.error();
      const Measures v = now(means[m]);
      const double value = of_loss ? v.loss : v.r2;
      if (m == 0) {
        t.interval = *own;
      } else if (m == 1) {
        t.difference = t.measured - value;
        t.difference_interval = *difference;
      } else {
        t.others.push_back({errors.others[m - 2].first, value, t.measured - value, *own, *difference});
      }
    }
  }
  return s;
}

}  // namespace dalea
