// A built-in interareal network: distance rule, lognormal weights (Ercsey-Ravasz et al. 2013; Markov et al. 2014).
#include <algorithm>
#include <cmath>

#include "connectome/connectome.h"
#include "numerics/math.h"

namespace dalea {

Connectome make_synthetic_connectome(const Spec& spec) {
  constexpr double log_sd = 1;  // of the weights around their fall with distance
  const ConnectomeSpec& k = spec.connectome;
  Connectome c;
  const int64_t n = c.nodes = k.synthetic_regions;
  c.source = c.kind = "synthetic";
  const auto size = static_cast<size_t>(n * n);
  Rng place(spec.seed, Purpose::connectome, 0, 0);
  for (int64_t i = 0; i < n; ++i) {
    c.names.push_back("A" + std::to_string(i + 1));
    c.x.push_back(static_cast<double>(place.uniform()));
    c.y.push_back(static_cast<double>(place.uniform()));
  }
  std::vector<double> fall(size, 0.0);  // exp(-distance / length)
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) {
      const double dx = c.x[i] - c.x[j], dy = c.y[i] - c.y[j];
      if (i != j) fall[i * n + j] = portable::exp(-std::sqrt(dx * dx + dy * dy) / k.synthetic_distance);
    }
  // The factor that makes the expected density the one asked for.
  const double wanted = k.synthetic_density * static_cast<double>(n) * static_cast<double>(n - 1);
  double low = 0, high = 1;
  const auto links_at = [&](double factor) {
    double sum = 0;
    for (double f : fall) sum += std::min(1.0, factor * f);
    return sum;
  };
  for (int step = 0; step < 200 && links_at(high) < wanted * (1 - 1e-12); ++step) high *= 2;
  for (int step = 0; step < 60; ++step) {
    const double middle = (low + high) / 2;
    (links_at(middle) < wanted ? low : high) = middle;
  }
  c.weight.assign(size, 0.0);
  Rng exists(spec.seed, Purpose::connectome, 0, 1), draws(spec.seed, Purpose::connectome, 0, 2);
  std::vector<double> strength(size);
  for (size_t e = 0; e < size; ++e) strength[e] = fall[e] * portable::exp(log_sd * draws.normal());
  for (size_t e = 0; e < size; ++e)
    if (static_cast<double>(exists.uniform()) < std::min(1.0, high * fall[e])) c.weight[e] = strength[e];
  // No region without a way in or out: its nearest one is linked to it.
  for (int64_t i = 0; i < n; ++i) {
    int64_t near = i == 0 ? 1 : 0;
    bool in = false, out = false;
    for (int64_t j = 0; j < n; ++j) {
      if (j != i && fall[i * n + j] > fall[i * n + near]) near = j;
      out = out || c.weight[i * n + j] > 0;
      in = in || c.weight[j * n + i] > 0;
    }
    if (!out) c.weight[i * n + near] = strength[i * n + near];
    if (!in) c.weight[near * n + i] = strength[near * n + i];
  }
  // As tracers are counted: the weights into a region are fractions of all that reaches it.
  for (int64_t j = 0; j < n; ++j) {
    double sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += c.weight[i * n + j];
    for (int64_t i = 0; i < n; ++i) c.weight[i * n + j] = sum > 0 ? c.weight[i * n + j] / sum : 0;
  }
  c.notes.push_back("synthetic: " + std::to_string(n) + " regions, " + std::to_string(c.links()) +
                    " links; the weights into each region sum to 1");
  return c;
}

int64_t Connectome::links() const {
  return std::count_if(weight.begin(), weight.end(), [](double w) { return w != 0; });
}

}  // namespace dalea
