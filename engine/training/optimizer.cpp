#include "training/optimizer.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "numerics/math.h"

namespace dalea {
namespace {

constexpr float tiny_moment = 0x1p-100f;  // below it a moment is +0 (NUMERICS: denormals cost nothing)

bool finite(const std::vector<float>& values) {
  uint32_t bad = 0;
  for (float v : values) {
    uint32_t bits;
    std::memcpy(&bits, &v, sizeof bits);
    bad |= static_cast<uint32_t>((bits & 0x7f800000u) == 0x7f800000u);
  }
  return bad == 0;
}

float settle(float moment) {
  return std::fabs(moment) < tiny_moment ? 0.0f : moment;
}

// buffer = momentum * buffer + g; w -= lr * buffer
void sgd(float lr, float momentum, const float* g, float* buffer, float* w, int64_t n) {
  for (int64_t e = 0; e < n; ++e) {
    buffer[e] = settle(momentum * buffer[e] + g[e]);
    w[e] = w[e] - lr * buffer[e];
  }
}

// s = decay s + (1 - decay) (g g); w -= lr g / (sqrt(s) + epsilon)
void rmsprop(float lr, float decay, float one_minus_decay, float epsilon, const float* g, float* s, float* w,
             int64_t n) {
  for (int64_t e = 0; e < n; ++e) {
    s[e] = settle(decay * s[e] + one_minus_decay * (g[e] * g[e]));
    w[e] = w[e] - (lr * g[e]) / (std::sqrt(s[e]) + epsilon);
  }
}

}  // namespace

double learning_rate(const TrainingSpec& training, int64_t epoch) {
  const double lr = training.optimizer.lr;
  const ScheduleSpec& s = training.schedule;
  if (s.type == "constant") return lr;
  const double at = static_cast<double>(s.type == "cosine-restarts" ? epoch % s.t_max : epoch % (2 * s.t_max));
  return s.lr_min + (lr - s.lr_min) * (1 + portable::cos(pi * at / static_cast<double>(s.t_max))) / 2;
}

std::string first_not_finite(const Parameters& p) {
  for (size_t k = 0; k < p.size(); ++k)
    if (!finite(p[k].values)) return p[k].name;
  return {};
}

Optimizer::Optimizer(const Spec& spec, const Model& model, Isa isa) : training_(spec.training), isa_(isa) {
  state.first = zeros_like(model.parameters);
  state.second = zeros_like(model.parameters);
  const Weights& w = model.parameters.W_rec;
  if (training_.constraint == "rectified-forward") state.latent = w;
  if (training_.constraint == "rectified")
    for (float v : w.values) published_sign_.push_back(v < 0 ? -1.0f : 1.0f);
}

std::string Optimizer::update(Model& model, Parameters& gradient, int64_t epoch, Workers& workers) {
  const bool forward_rectified = training_.constraint == "rectified-forward";
  Weights& g_rec = gradient.W_rec;
  if (training_.weight_l2 > 0) {
    const float factor = static_cast<float>(2 * training_.weight_l2);
    const std::vector<float>& w = model.parameters.W_rec.values;
    for (size_t e = 0; e < w.size(); ++e) g_rec.values[e] += factor * w[e];
  }
  if (forward_rectified) {  // W = rectified(latent): the gradient passes where the rectifier is open
    const std::vector<float>& image = model.parameters.W_rec.values;
    for (size_t e = 0; e < image.size(); ++e) g_rec.values[e] = image[e] != 0 ? g_rec.values[e] : 0.0f;
  }
  if (std::string name = first_not_finite(gradient); !name.empty()) return name;

  Parameters& parameters = model.parameters;
  if (training_.clip > 0) {
    double square = 0;
    for (size_t k = 0; k < gradient.size(); ++k)
      if (!parameters[k].frozen)
        for (float v : gradient[k].values) square += static_cast<double>(v) * static_cast<double>(v);
    const double norm = std::sqrt(square);
    if (norm > training_.clip) {
      const float scale = static_cast<float>(training_.clip / norm);
      for (size_t k = 0; k < gradient.size(); ++k)
        for (float& v : gradient[k].values) v *= scale;
    }
  }
  const auto trained = [&](size_t k) -> Weights& {
    return forward_rectified && &parameters[k] == &parameters.W_rec ? state.latent : parameters[k];
  };

  const OptimizerSpec& o = training_.optimizer;
  const double lr = learning_rate(training_, epoch);
  ++state.steps;
  state.beta1_power *= o.beta1;
  state.beta2_power *= o.beta2;
  AdamScalars adam_scalars;
  adam_scalars.beta1 = static_cast<float>(o.beta1);
  adam_scalars.one_minus_beta1 = static_cast<float>(1 - o.beta1);
  adam_scalars.beta2 = static_cast<float>(o.beta2);
  adam_scalars.one_minus_beta2 = static_cast<float>(1 - o.beta2);
  adam_scalars.rate = static_cast<float>(lr / (1 - state.beta1_power));
  adam_scalars.root_c2 = static_cast<float>(std::sqrt(1 - state.beta2_power));
  adam_scalars.epsilon = static_cast<float>(o.epsilon);

  for (size_t k = 0; k < parameters.size(); ++k) {
    Weights& weights = trained(k);
    if (parameters[k].frozen) continue;
    const int64_t n = static_cast<int64_t>(weights.values.size());
    const auto piece = [&](int64_t begin, int64_t end) {
      const float* g = gradient[k].values.data() + begin;
      float *m = state.first[k].values.data() + begin, *v = state.second[k].values.data() + begin;
      float* w = weights.values.data() + begin;
      if (o.type == "adam")
        adam(isa_, adam_scalars, g, m, v, w, end - begin);
      else if (o.type == "sgd")
        sgd(static_cast<float>(lr), static_cast<float>(o.momentum), g, m, w, end - begin);
      else
        rmsprop(static_cast<float>(lr), static_cast<float>(o.decay), static_cast<float>(1 - o.decay),
                static_cast<float>(o.epsilon), g, v, w, end - begin);
    };
    constexpr int64_t worth_sharing = 1 << 16;
    const int parts = n >= worth_sharing ? workers.threads() : 1;
    if (parts == 1)
      piece(0, n);
    else
      workers.run(parts, [&](int p) { piece(n * p / parts, n * (p + 1) / parts); });
  }
  for (size_t k = 0; k < parameters.size(); ++k)
    if (!finite(trained(k).values)) return trained(k).name;
  constrain(model);
  return {};
}

void Optimizer::constrain(Model& model) {
  Weights& w = model.parameters.W_rec;
  if (w.frozen) return;  // it keeps its initial weights
  if (training_.constraint == "dale") {
    project_signs(w, model.sign);
  } else if (training_.constraint == "rectified") {  // SEEDS 1.4: (a) negative stored entries to 0, (b) times the sign
    for (size_t e = 0; e < w.values.size(); ++e)
      w.values[e] = w.values[e] > 0 ? w.values[e] * published_sign_[e] : 0.0f;
  } else if (training_.constraint == "rectified-forward") {
    w.values = state.latent.values;
    project_signs(w, model.sign);
  }
}

}  // namespace dalea
