#include "app/remedies.h"

#include <cstdio>

namespace dalea::app {
namespace {

bool unbounded(const Spec& spec) {
  return spec.network.activation == Activation::relu || spec.network.activation == Activation::softplus;
}

// Steps of this size are more than the optimizer is usually given.
bool large_rate(const TrainingSpec& t) {
  return t.optimizer.lr > (t.optimizer.type == "sgd" ? 0.1 : 0.02);
}

std::string short_number(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", v);
  return text;
}

}  // namespace

std::string likely_cause(const Spec& spec) {
  const TrainingSpec& t = spec.training;
  if (large_rate(t))
    return "Likely cause: a learning rate of " + short_number(t.optimizer.lr) + " is large for " + t.optimizer.type +
           ", so that one update throws the weights too far.";
  const std::string steps = std::to_string(spec.task.steps) + " time steps";
  if (unbounded(spec))
    return std::string("Likely cause: activity without an upper bound (") +
           (spec.network.activation == Activation::relu ? "relu" : "softplus") +
           "): once the spectral radius is above 1 it can grow at every one of the " + steps +
           ", and the gradient with it.";
  if (t.clip <= 0)
    return "Likely cause: gradients that grow on their way back through " + steps + ", and are not clipped.";
  return "Likely cause: the learning rate is too large for this network.";
}

std::vector<Remedy> remedies(const Spec& spec) {
  std::vector<Remedy> list;
  const auto lower = [&] {
    Remedy r{"", "Train again from the start with a tenth of the learning rate", spec};
    double& lr = r.spec.training.optimizer.lr;
    lr /= 10;
    if (r.spec.training.schedule.lr_min > lr) r.spec.training.schedule.lr_min = lr / 10;
    r.label = "Learning rate " + short_number(lr);
    list.push_back(std::move(r));
  };
  const auto clip = [&] {
    if (spec.training.clip > 0 && spec.training.clip <= 1) return;
    Remedy r{"Clip gradients at 1", "Train again from the start; a gradient longer than 1 is shortened to 1", spec};
    r.spec.training.clip = 1;
    list.push_back(std::move(r));
  };
  if (large_rate(spec.training)) {
    lower();
    clip();
  } else {
    clip();
    lower();
  }
  if (unbounded(spec)) {
    Remedy r{"Use tanh", "Train again from the start with an activation that stays between -1 and 1", spec};
    r.spec.network.activation = Activation::tanh;
    list.push_back(std::move(r));
  }
  return list;
}

}  // namespace dalea::app
