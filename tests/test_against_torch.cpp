// Losses, gradients and training steps against PyTorch in float64 (tests/py/make_torch_golden.py).
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "helpers.h"
#include "training/optimizer.h"

using namespace dalea;
using nlohmann::json;

namespace {

const json& golden() {
  static const json g = [] {
    std::ifstream file(DALEA_SOURCE_DIR "/tests/golden/torch.json");
    REQUIRE(file.good());
    return json::parse(file);
  }();
  return g;
}

// A row-major golden array as Weights; `mask` (row-major 0/1) makes it sparse.
Weights weights_of(const std::string& name, const json& values, int64_t rows, int64_t cols,
                   const json& mask = json::array()) {
  Weights w;
  w.name = name;
  w.rows = rows;
  w.cols = cols;
  std::vector<uint8_t> exists;
  for (int64_t j = 0; j < cols; ++j)
    for (int64_t i = 0; i < rows; ++i) {
      const bool here = mask.empty() || mask[i * cols + j] == 1;
      exists.push_back(here);
      if (here) w.values.push_back(values[i * cols + j].get<float>());
    }
  if (!mask.empty()) w.pattern = make_pattern(rows, cols, exists);
  return w;
}

Activation activation_of(const std::string& name) {
  if (name == "relu") return Activation::relu;
  if (name == "softplus") return Activation::softplus;
  if (name == "sigmoid") return Activation::sigmoid;
  return name == "tanh" ? Activation::tanh : Activation::identity;
}

struct Case {
  Model model;
  Trials trials;
  Loss loss;
  std::vector<uint32_t> index;
};

Case case_of(const json& c) {
  Case k;
  Model& m = k.model;
  m.units = c["units"];
  m.inputs = c["inputs"];
  m.outputs = c["outputs"];
  const int64_t excitatory = c["excitatory"];
  m.populations = {{0, excitatory}, {excitatory, m.units}};
  for (int64_t i = 0; i < m.units; ++i) m.sign.push_back(i < excitatory ? 1 : -1);
  for (const json& a : c["alpha"]) m.alpha.push_back(a.get<float>());
  m.activation = activation_of(c["activation"]);
  m.rectified = c["rectified"];
  m.output = activation_of(c["output"]);
  const json& p = c["parameters"];
  m.parameters.W_in = weights_of("W_in", p["W_in"], m.units, m.inputs, c["in_mask"]);
  m.parameters.W_rec = weights_of("W_rec", p["W_rec"], m.units, m.units, c["mask"]);
  const int64_t bias_rows = c["biases"] ? m.units : 0;
  m.parameters.b_in = weights_of("b_in", p["b_in"], bias_rows, 1);
  m.parameters.b_rec = weights_of("b_rec", p["b_rec"], bias_rows, 1);
  int64_t output = 0;
  for (size_t r = 0; r < c["readouts"].size(); ++r) {
    const int64_t begin = c["readouts"][r][0], end = c["readouts"][r][1];
    const std::string number = std::to_string(r);
    const int64_t rows = static_cast<int64_t>(p["b_out" + number].size());
    m.readouts.push_back({{begin, end}, {output, output + rows}});
    m.parameters.W_out.push_back(weights_of("W_out" + number, p["W_out" + number], rows, end - begin));
    m.parameters.b_out.push_back(weights_of("b_out" + number, p["b_out" + number], rows, 1));
    output += rows;
  }
  Trials& t = k.trials;
  t.count = c["batch"];
  t.steps = c["steps"];
  t.inputs = m.inputs;
  t.outputs = m.outputs;
  for (const json& v : c["input"]) t.input.push_back(v.get<float>());
  for (const json& v : c["target"]) t.target.push_back(v.get<float>());
  for (const json& v : c["label"]) t.label.push_back(v.get<int32_t>());
  for (const json& v : c["scored"]) t.scored.push_back(v.get<uint8_t>());
  k.loss = c["loss"] == "mse" ? Loss::mse : Loss::cross_entropy;
  for (int64_t b = 0; b < t.count; ++b) k.index.push_back(static_cast<uint32_t>(b));
  return k;
}

// Largest difference from a row-major golden array, relative to the array's largest entry.
double distance(const Weights& w, const json& expected) {
  double worst = 0, largest = 1e-30;
  for (int64_t i = 0; i < w.rows; ++i)
    for (int64_t j = 0; j < w.cols; ++j) {
      const double e = expected[i * w.cols + j];
      largest = std::max(largest, std::fabs(e));
      worst = std::max(worst, std::fabs(static_cast<double>(w.at(i, j)) - e));
    }
  return worst / largest;
}

}  // namespace

TEST_CASE("losses and gradients of 48 networks of every kind agree with PyTorch") {
  int number = 0;
  for (const json& c : golden()["gradients"]) {
    CAPTURE(number);
    ++number;
    const Case k = case_of(c);
    const double rate_l2 = c["rate_l2"];
    Parameters reference = zeros_like(k.model.parameters);
    bool first = true;
    for (Isa isa : available_isas()) {
      for (int way = 0; way < 3; ++way) {  // one thread, three threads, time step by time step
        Workers workers(way == 1 ? 3 : 1);
        Pass pass(isa, workers);
        pass.poison = true;
        Parameters gradient = zeros_like(k.model.parameters);
        pass.pack(k.model, true);
        pass.begin(k.model, k.trials, k.index.data(), k.trials.count, k.loss, true, rate_l2, nullptr, &gradient);
        if (way == 2)
          while (!pass.advance()) {
          }
        else
          pass.run();
        const double loss =
            pass.loss_sum() / static_cast<double>(pass.activity().scored) + rate_l2 * pass.rate_penalty();
        CHECK(std::fabs(loss - c["expected_loss"].get<double>()) <= 1e-5 * std::fabs(c["expected_loss"].get<double>()));
        for (const Weights* w : gradient.all())
          CHECK_MESSAGE(distance(*w, c["expected_gradient"][w->name]) <= 2e-5, w->name);
        if (first) reference = gradient;
        first = false;
        CHECK(hash_of(gradient) == hash_of(reference));
      }
    }
  }
  CHECK(number == 48);
}

TEST_CASE("20 steps of every optimizer under every constraint agree with PyTorch") {
  int number = 0;
  for (const json& c : golden()["steps"]) {
    CAPTURE(number);
    ++number;
    Case k = case_of(c);
    Spec spec;
    fill_defaults(spec);
    TrainingSpec& t = spec.training;
    t.constraint = c["constraint"];
    const std::string optimizer = c["optimizer"];
    t.optimizer.type = optimizer.substr(0, 3) == "sgd" ? "sgd" : optimizer;
    t.optimizer.lr = c["lr"];
    t.optimizer.epsilon = c["epsilon"];
    t.optimizer.momentum = c["momentum"];
    t.clip = c["clip"];
    t.weight_l2 = c["weight_l2"];
    Workers workers(1);
    Optimizer update(spec, k.model, best_isa());
    Pass pass(best_isa(), workers);
    Parameters gradient = zeros_like(k.model.parameters);
    for (int step = 0; step < 20; ++step) {
      pass.pack(k.model, true);
      pass.begin(k.model, k.trials, k.index.data(), k.trials.count, k.loss, true, 0, nullptr, &gradient);
      pass.run();
      CHECK(update.update(k.model, gradient, 0, workers) == "");
    }
    for (const Weights* w : k.model.parameters.all())
      CHECK_MESSAGE(distance(*w, c["expected_parameters"][w->name]) <= 2e-5, w->name, " ", optimizer, " ",
                    t.constraint);
  }
  CHECK(number == 16);
}

TEST_CASE("learning rates agree with PyTorch's schedules") {
  for (const char* type : {"cosine", "cosine-restarts"}) {
    TrainingSpec t;
    t.schedule = {type, 10, 1e-4};
    const json& expected = golden()["schedules"][type];
    for (size_t e = 0; e < expected.size(); ++e)
      CHECK(learning_rate(t, static_cast<int64_t>(e)) == doctest::Approx(expected[e].get<double>()).epsilon(1e-9));
  }
}
