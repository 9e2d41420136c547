#include "network/model.h"

#include <algorithm>
#include <cmath>

#include "connectome/connectome.h"
#include "network/rules.h"
#include "numerics/hash.h"
#include "numerics/math.h"

namespace dalea {

Weights& Parameters::operator[](size_t k) {
  Weights* const first[] = {&W_in, &b_in, &W_rec, &b_rec};
  if (k < 4) return *first[k];
  return k < 4 + W_out.size() ? W_out[k - 4] : b_out[k - 4 - W_out.size()];
}

std::vector<Weights*> Parameters::all() {
  std::vector<Weights*> list;
  for (size_t k = 0; k < size(); ++k) list.push_back(&(*this)[k]);
  return list;
}

std::vector<const Weights*> Parameters::all() const {
  std::vector<const Weights*> list;
  for (size_t k = 0; k < size(); ++k) list.push_back(&(*this)[k]);
  return list;
}

Parameters zeros_like(const Parameters& p) {
  Parameters z;
  z.W_in = zeros_like(p.W_in);
  z.b_in = zeros_like(p.b_in);
  z.W_rec = zeros_like(p.W_rec);
  z.b_rec = zeros_like(p.b_rec);
  for (const auto& w : p.W_out) z.W_out.push_back(zeros_like(w));
  for (const auto& b : p.b_out) z.b_out.push_back(zeros_like(b));
  return z;
}

uint64_t hash_of(const Parameters& p) {
  Fnv1a hash;
  for (const Weights* w : p.all()) add_to_hash(hash, *w);
  return hash.value();
}

namespace {

// Streams of Purpose::weights: the `epoch` coordinate says which parameter, the `trial` coordinate which row or column.
enum Stream : uint32_t { stream_in = 0, stream_rec = 1, stream_b_in = 2, stream_b_rec = 3, stream_out = 16 };

float bound_of(int64_t fan_in) {
  return static_cast<float>(1.0 / std::sqrt(static_cast<double>(fan_in)));
}

// Bound of the uniform draws of a whole (fan_out, fan_in) matrix; `usual`: where init says nothing else.
float bound_of(const NetworkSpec& network, int64_t fan_out, int64_t fan_in, float usual) {
  if (network.init == "xavier") return static_cast<float>(std::sqrt(6.0 / static_cast<double>(fan_in + fan_out)));
  if (network.init == "he") return static_cast<float>(std::sqrt(6.0 / static_cast<double>(fan_out)));
  return usual;
}

std::vector<float> uniform_column(uint64_t seed, int64_t run, uint32_t stream, int64_t column, int64_t rows, float lo,
                                  float hi) {
  Rng rng(seed, Purpose::weights, static_cast<uint32_t>(run), stream, static_cast<uint32_t>(column));
  std::vector<float> values(static_cast<size_t>(rows));
  for (float& v : values) v = rng.uniform(lo, hi);
  return values;
}

// Magnitudes exp(mu + sd z) of the mean that uniform ones between lo and hi have, with the signs that those can have.
std::vector<float> lognormal_column(uint64_t seed, int64_t run, uint32_t stream, int64_t column, int64_t rows, float lo,
                                    float hi, double sd) {
  Rng rng(seed, Purpose::weights, static_cast<uint32_t>(run), stream, static_cast<uint32_t>(column));
  const double mean = static_cast<double>(std::max(-lo, hi)) / 2, mu = portable::log(mean) - sd * sd / 2;
  std::vector<float> values(static_cast<size_t>(rows));
  for (float& v : values) {
    const float size = static_cast<float>(portable::exp(mu + sd * rng.normal()));
    const bool negative = hi <= 0 || (lo < 0 && rng.uniform() < 0.5f);
    v = negative ? -size : size;
  }
  return values;
}

// column_of(j): all rows of column j.
template <class Columns>
void fill_columns(Weights& w, Columns column_of) {
  for (int64_t j = 0; j < w.cols; ++j) {
    const std::vector<float> column = column_of(j);
    if (w.sparse()) {
      for (int64_t e = w.pattern->col_start[j]; e < w.pattern->col_start[j + 1]; ++e)
        w.values[e] = column[w.pattern->row[e]];
    } else {
      for (int64_t i = 0; i < w.rows; ++i) w.values[j * w.rows + i] = column[i];
    }
  }
}

// Fills every column of w; lo and hi may depend on the column.
template <class Bounds>
void fill_uniform(Weights& w, uint64_t seed, int64_t run, uint32_t stream, Bounds bounds) {
  fill_columns(w, [&](int64_t j) {
    const std::pair<float, float> limits = bounds(j);
    return uniform_column(seed, run, stream, j, w.rows, limits.first, limits.second);
  });
}

Weights make_weights(std::string name, int64_t rows, int64_t cols, std::shared_ptr<const Pattern> pattern = nullptr) {
  Weights w;
  w.name = std::move(name);
  w.rows = rows;
  w.cols = cols;
  w.values.assign(static_cast<size_t>(pattern ? pattern->count() : rows * cols), 0.0f);
  w.pattern = std::move(pattern);
  return w;
}

// Channel c reaches population c alone (SEEDS Q1, as intended).
std::shared_ptr<const Pattern> input_pattern(int64_t units, int64_t inputs, const std::vector<Range>& populations) {
  std::vector<int64_t> start{0};
  std::vector<int32_t> row;
  for (int64_t c = 0; c < inputs; ++c) {
    if (c < static_cast<int64_t>(populations.size()))
      for (int64_t i = populations[c].begin; i < populations[c].end; ++i) row.push_back(static_cast<int32_t>(i));
    start.push_back(static_cast<int64_t>(row.size()));
  }
  return make_pattern(units, inputs, std::move(start), std::move(row));
}

int8_t sign_value(Sign s) {
  return s == Sign::excitatory ? int8_t{1} : s == Sign::inhibitory ? int8_t{-1} : int8_t{0};
}

void lay_out_populations(const Spec& spec, Model& m) {
  for (const Population& p : spec.populations) {
    m.populations.push_back({m.units, m.units + p.size});
    m.sign.insert(m.sign.end(), static_cast<size_t>(p.size), sign_value(p.sign));
    m.units += p.size;
  }
  bool leaky = false;
  for (const Population& p : spec.populations) leaky = leaky || p.tau_s > 0;
  if (!leaky) return;
  for (const Population& p : spec.populations) {
    const float alpha = p.tau_s > 0 ? static_cast<float>(spec.network.dt_s / p.tau_s) : 1.0f;
    m.alpha.insert(m.alpha.end(), static_cast<size_t>(p.size), alpha);
  }
}

// Index ranges of units with a sign, in order. A readout covers one range, so where populations of one sign are not
// neighbours an output has several readouts, which add up (as one matrix over all those units would).
std::vector<Range> stretches(const Model& m, int8_t sign) {
  std::vector<Range> list;
  for (int64_t i = 0; i < m.units; ++i) {
    if (m.sign[i] != sign) continue;
    if (!list.empty() && list.back().end == i)
      ++list.back().end;
    else
      list.push_back({i, i + 1});
  }
  return list;
}

void lay_out_readouts(const Spec& spec, const Ends& ends, int64_t run, Model& m) {
  if (spec.network.readout == "populations") {
    for (size_t r = 0; r < m.populations.size() && static_cast<int64_t>(r) < ends.outputs; ++r)
      m.readouts.push_back({m.populations[r], {static_cast<int64_t>(r), static_cast<int64_t>(r) + 1}});
  } else if (ends.readout_signs.empty()) {
    m.readouts.push_back({{0, m.units}, {0, ends.outputs}});
  } else {
    for (size_t o = 0; o < ends.readout_signs.size(); ++o)
      for (const Range& units : stretches(m, sign_value(ends.readout_signs[o])))
        m.readouts.push_back({units, {static_cast<int64_t>(o), static_cast<int64_t>(o) + 1}});
  }
  for (size_t r = 0; r < m.readouts.size(); ++r) {
    const Readout& readout = m.readouts[r];
    int64_t fan_in = 0;  // all stretches of an output together
    for (const Readout& other : m.readouts)
      if (other.outputs.begin == readout.outputs.begin) fan_in += other.units.size();
    const float bias_bound = bound_of(fan_in);
    const float bound = bound_of(spec.network, readout.outputs.size(), fan_in, bias_bound);
    const auto bounds = [bound](int64_t) { return std::pair{-bound, bound}; };
    const auto bias_bounds = [bias_bound](int64_t) { return std::pair{-bias_bound, bias_bound}; };
    const uint32_t stream = stream_out + 2 * static_cast<uint32_t>(r);
    Weights w = make_weights("W_out" + std::to_string(r), readout.outputs.size(), readout.units.size());
    Weights b = make_weights("b_out" + std::to_string(r), readout.outputs.size(), 1);
    fill_uniform(w, spec.seed, run, stream, bounds);
    const bool first = r == 0 || m.readouts[r - 1].outputs.begin != readout.outputs.begin;
    if (first) fill_uniform(b, spec.seed, run, stream + 1, bias_bounds);
    w.frozen = !spec.network.train_readout;
    b.frozen = !first || !spec.network.train_readout;  // one bias an output
    m.parameters.W_out.push_back(std::move(w));
    m.parameters.b_out.push_back(std::move(b));
  }
}

}  // namespace

Model build_model(const Spec& spec, const Ends& ends, int64_t run, std::shared_ptr<const Pattern> mask,
                  std::shared_ptr<const Pattern> known) {
  Model m;
  m.inputs = ends.inputs;
  m.outputs = ends.outputs;
  m.output = ends.output;
  m.activation = spec.network.activation;
  m.noise = spec.network.noise;
  m.rectified = spec.network.feedback == "rectified" ||
                (spec.network.feedback == "published" && spec.training.constraint == "dale");
  lay_out_populations(spec, m);

  const int64_t n = m.units;
  const float usual = bound_of(n), bound = bound_of(spec.network, n, n, usual),
              bound_in = bound_of(spec.network, n, ends.inputs, usual);
  const auto symmetric = [](float limit) { return [limit](int64_t) { return std::pair{-limit, limit}; }; };
  int64_t excitatory = 0, inhibitory = 0;
  for (int8_t s : m.sign) {
    excitatory += s > 0;
    inhibitory += s < 0;
  }
  const float balance =
      spec.network.balanced && inhibitory > 0 ? static_cast<float>(static_cast<double>(excitatory) / inhibitory) : 1.0f;
  const auto signed_bounds = [&](int64_t j) {
    if (m.sign[j] > 0) return std::pair{0.0f, bound};
    if (m.sign[j] < 0) return std::pair{-bound * balance, 0.0f};
    return std::pair{-bound, bound};
  };

  Parameters& p = m.parameters;
  p.W_in = make_weights("W_in", n, ends.inputs,
                        spec.network.input_mask ? input_pattern(n, ends.inputs, m.populations) : nullptr);
  fill_uniform(p.W_in, spec.seed, run, stream_in, symmetric(bound_in));
  const int64_t bias_rows = spec.network.biases ? n : 0;
  p.b_in = make_weights("b_in", bias_rows, 1);
  p.b_rec = make_weights("b_rec", bias_rows, 1);
  fill_uniform(p.b_in, spec.seed, run, stream_b_in, symmetric(usual));
  fill_uniform(p.b_rec, spec.seed, run, stream_b_rec, symmetric(usual));

  const bool own_mask = mask != nullptr;
  if (!own_mask) mask = known ? std::move(known) : sample_pattern(spec, run);
  const bool sparse = stored_sparse(spec, mask.get());
  p.W_rec = make_weights("W_rec", n, n, sparse ? mask : nullptr);
  if (spec.network.init == "lognormal")
    fill_columns(p.W_rec, [&](int64_t j) {
      const std::pair<float, float> limits = signed_bounds(j);
      return lognormal_column(spec.seed, run, stream_rec, j, n, limits.first, limits.second, spec.network.init_sd);
    });
  else
    fill_uniform(p.W_rec, spec.seed, run, stream_rec, signed_bounds);
  if (mask && !sparse) p.W_rec = on_mask(p.W_rec, mask, false);
  if (!own_mask) connectome_initial(spec, run, m.sign, p.W_rec);
  p.W_rec.frozen = !spec.network.train_recurrent;
  lay_out_readouts(spec, ends, run, m);
  return m;
}

std::shared_ptr<const Pattern> sample_pattern(const Spec& spec, int64_t run) {
  const int64_t n = spec.units();
  if (spec.measured) {
    Result<std::shared_ptr<const Pattern>> measured = connectome_pattern(spec, run);
    if (measured) return std::move(*measured);
    return make_pattern(n, n, std::vector<int64_t>(static_cast<size_t>(n) + 1, 0), {});
  }
  const ConnectivitySpec& c = spec.connectivity;
  const bool all = spec.stages.prune || (c.probability.empty() && !has_rules(spec) && c.distance == 0);
  if (all && c.self_connections) return nullptr;
  // One number needs no matrix of blocks; with a distance the blocks are as they are at distance 0.
  Spec near = spec;
  near.connectivity.distance = 0;
  const bool one = all || (!has_rules(spec) && (c.probability.empty() || c.probability.size() == 1));
  const double same = all || c.probability.empty() ? 1.0 : c.probability[0][0];
  const BlockMatrix blocks = one ? BlockMatrix() : block_probability(near);
  const Positions at = all ? Positions() : sheet_positions(spec, run);
  const size_t count = spec.populations.size();
  std::vector<int64_t> start{0};
  std::vector<int32_t> row;
  int64_t j = 0;
  for (size_t pre = 0; pre < count; ++pre) {
    for (int64_t k = 0; k < spec.populations[pre].size; ++k, ++j) {
      Rng rng(spec.seed, Purpose::mask, static_cast<uint32_t>(run), 0, static_cast<uint32_t>(j));
      int64_t i = 0;
      for (size_t post = 0; post < count; ++post) {
        const double p = one ? same : blocks[post][pre];
        const bool falls = !at.x.empty() && spec.populations[post].area == spec.populations[pre].area;
        for (int64_t q = 0; q < spec.populations[post].size; ++q, ++i) {
          const float u = rng.uniform();  // drawn for every pair, so that one block's p leaves the others as they were
          double here = p;
          if (falls) {
            const double dx = at.x[i] - at.x[j], dy = at.y[i] - at.y[j];
            here *= portable::exp(-std::sqrt(dx * dx + dy * dy) / c.distance);
          }
          if (static_cast<double>(u) < here && (i != j || c.self_connections)) row.push_back(static_cast<int32_t>(i));
        }
      }
      start.push_back(static_cast<int64_t>(row.size()));
    }
  }
  return make_pattern(n, n, std::move(start), std::move(row));
}

bool stored_sparse(const Spec& spec, const Pattern* mask) {
  const std::string& storage = spec.connectivity.storage;
  return mask && (storage == "sparse" || (storage == "auto" && 3 * mask->count() < mask->rows * mask->cols));
}

Weights on_mask(const Weights& w, std::shared_ptr<const Pattern> mask, bool sparse) {
  Weights m = make_weights(w.name, w.rows, w.cols, sparse ? mask : nullptr);
  m.frozen = w.frozen;
  for (int64_t j = 0; j < w.cols; ++j)
    for (int64_t e = mask->col_start[j]; e < mask->col_start[j + 1]; ++e)
      m.values[sparse ? e : j * w.rows + mask->row[e]] = w.at(mask->row[e], j);
  return m;
}

Audit audit(const Model& model, const Pattern* mask) {
  Audit a;
  const Weights& w = model.parameters.W_rec;
  const auto wrong = [&](float v, int64_t j) {
    return model.sign[j] != 0 && v * static_cast<float>(model.sign[j]) < 0;
  };
  if (w.sparse()) {
    for (int64_t j = 0; j < w.cols; ++j)
      for (int64_t e = w.pattern->col_start[j]; e < w.pattern->col_start[j + 1]; ++e) a.sign += wrong(w.values[e], j);
    return a;
  }
  for (int64_t j = 0; j < w.cols; ++j) {
    int64_t e = mask ? mask->col_start[j] : 0;
    const int64_t end = mask ? mask->col_start[j + 1] : 0;
    for (int64_t i = 0; i < w.rows; ++i) {
      const float v = w.values[j * w.rows + i];
      a.sign += wrong(v, j);
      if (!mask) continue;
      while (e < end && mask->row[e] < i) ++e;
      const bool exists = e < end && mask->row[e] == i;
      a.mask += !exists && v != 0;
    }
  }
  return a;
}

void project_signs(Weights& w, const std::vector<int8_t>& sign) {
  for (int64_t j = 0; j < w.cols; ++j) {
    const int8_t s = sign[j];
    if (s == 0) continue;
    const int64_t begin = w.sparse() ? w.pattern->col_start[j] : j * w.rows;
    const int64_t end = w.sparse() ? w.pattern->col_start[j + 1] : (j + 1) * w.rows;
    float* v = w.values.data();
    if (s > 0)
      for (int64_t e = begin; e < end; ++e) v[e] = v[e] > 0 ? v[e] : 0.0f;
    else
      for (int64_t e = begin; e < end; ++e) v[e] = v[e] < 0 ? v[e] : 0.0f;
  }
}

}  // namespace dalea
