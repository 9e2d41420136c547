// Populations silenced and driven (engine/analysis/perturbation.h): against a plain simulation in double, against
// networks whose weights say the same, and in what must not change.
#include <cmath>

#include "analysis/perturbation.h"
#include "common/perturb_report.h"
#include "helpers.h"

using namespace dalea;
using namespace dalea::testing;

namespace {

Perturbation perturbed(const Trainer& trainer, const std::vector<Intervention>& interventions, Isa isa = best_isa(),
                       int threads = 1, int64_t batch = 13) {
  Workers workers(threads);
  Result<Perturbation> p = perturb(trainer.model(), trainer.data(), batch, interventions, isa, workers);
  REQUIRE_MESSAGE(p.ok(), (p.ok() ? "" : p.error().text()));
  return std::move(*p);
}

const Range excitatory = {0, 16}, inhibitory = {16, 20}, everyone = {0, 20};

}  // namespace

TEST_CASE("perturb: without an intervention nothing changes, and the loss is the trainer's") {
  auto trainer = trained_tiny();
  const uint64_t hash = trainer->hash();
  const Perturbation p = perturbed(*trainer, {});
  CHECK(p.trials == 20);
  CHECK(p.steps == 7);
  CHECK(p.loss == trainer->evaluate().held_out);
  CHECK(p.perturbed_loss == p.loss);
  CHECK(std::isnan(p.accuracy));
  for (double v : p.output_change) CHECK(v == 0);
  REQUIRE(p.populations.size() == 2);
  for (const PopulationResponse& r : p.populations) CHECK(r.intact == r.perturbed);
  const Perturbation nothing = perturbed(*trainer, {{excitatory, 2, 5, false, 0.0f}});
  CHECK(nothing.perturbed_loss == p.loss);
  CHECK(trainer->hash() == hash);
}

TEST_CASE("perturb: a window begins and ends where it says; before it every bit is that of the intact network") {
  auto trainer = trained_tiny();
  const Trials& split = trainer->data().held_out;
  const Trainer::Trace intact = trainer->trace(split, 3);
  for (const Intervention& v : {Intervention{inhibitory, 2, 4}, Intervention{inhibitory, 2, 4, false, 0.75f}}) {
    const Trainer::Trace changed = trainer->trace(split, 3, {v});
    bool later = false;
    for (int64_t t = 0; t < 7; ++t)
      for (int64_t i = 0; i < 20; ++i) {
        const float a = intact.activity[t * 20 + i], b = changed.activity[t * 20 + i];
        if (t < 2 || (t == 2 && i < 16)) CHECK(a == b);
        if (v.silence && i >= 16 && (t == 2 || t == 3)) CHECK(b == 0);
        if (!v.silence && i >= 16 && t == 2) CHECK(b > a);
        later = later || (t >= 4 && a != b);
        if (i >= 16 && t == 4) CHECK(b != 0);
      }
    CHECK(later);  // it remembers
    const Perturbation p = perturbed(*trainer, {v});
    for (size_t t = 0; t < 7; ++t) CHECK((p.output_change[t] > 0) == (t >= 2));
  }
}

TEST_CASE("perturb: silenced throughout is a network without that population's outgoing weights") {
  for (const char* more :
       {"", R"(,"connectivity":{"probability":0.6,"storage":"sparse"})", R"(,"network":{"activation":"relu"})"}) {
    auto trainer = trained_tiny(more);
    const Perturbation p = perturbed(*trainer, {{excitatory, 0, 7}});
    TrainerState state = trainer->state();
    Weights& w = state.parameters.W_rec;
    for (int64_t j = 0; j < 16; ++j)
      for (int64_t i = 0; i < 20; ++i) {
        if (!w.sparse()) w.values[j * 20 + i] = 0;
      }
    if (w.sparse())
      for (int64_t e = 0; e < w.pattern->col_start[16]; ++e) w.values[e] = 0;
    for (int64_t j = 0; j < 16; ++j) state.parameters.W_out[0].values[j] = 0;  // one output
    auto cut = trainer_of(trainer->spec());
    REQUIRE(cut->restore(std::move(state)).ok());
    CHECK(p.perturbed_loss == cut->evaluate().held_out);
    CHECK(p.perturbed_loss != p.loss);
    for (double v : p.populations[0].perturbed) CHECK(v == 0);
  }
}

TEST_CASE("perturb: driven throughout is a network with another bias; activity and outputs follow a plain simulation") {
  auto trainer = trained_tiny();
  const float amount = 0.3f;
  const Perturbation p = perturbed(*trainer, {{inhibitory, 0, 7, false, amount}});
  TrainerState state = trainer->state();
  for (int64_t i = 16; i < 20; ++i) state.parameters.b_in.values[i] += amount;
  auto biased = trainer_of(trainer->spec());
  REQUIRE(biased->restore(std::move(state)).ok());
  CHECK(p.perturbed_loss == doctest::Approx(biased->evaluate().held_out).epsilon(1e-5));
  CHECK(p.perturbed_loss != p.loss);

  // z[t] = tanh(W_in u[t] + W_rec g[t-1] + b + drive), g = max(z, 0); E silenced in 3 and 4, I driven in 1 to 5.
  const std::vector<Intervention> both = {{excitatory, 3, 5}, {inhibitory, 1, 6, false, -0.4f}};
  const Perturbation q = perturbed(*trainer, both);
  const Model& m = trainer->model();
  const Trials& split = trainer->data().held_out;
  std::vector<double> mean(7, 0.0), change(7, 0.0);
  double loss = 0;
  for (int64_t k = 0; k < split.count; ++k) {
    std::vector<double> output[2];
    for (int side : {0, 1}) {
      std::vector<double> g(20, 0.0);
      for (int64_t t = 0; t < 7; ++t) {
        std::vector<double> z(20);
        for (int64_t i = 0; i < 20; ++i) {
          double sum = static_cast<double>(m.parameters.b_in.values[i]) + m.parameters.b_rec.values[i];
          for (int64_t c = 0; c < m.inputs; ++c)
            sum += static_cast<double>(m.parameters.W_in.values[c * 20 + i]) * split.input[(k * 7 + t) * m.inputs + c];
          for (int64_t j = 0; j < 20; ++j) sum += static_cast<double>(m.parameters.W_rec.values[j * 20 + i]) * g[j];
          if (side == 1 && i >= 16 && t >= 1 && t < 6) sum += static_cast<double>(-0.4f);
          z[i] = std::tanh(sum);
          if (side == 1 && i < 16 && t >= 3 && t < 5) z[i] = 0;
        }
        double y = static_cast<double>(m.parameters.b_out[0].values[0]);
        for (int64_t i = 0; i < 20; ++i) {
          y += static_cast<double>(m.parameters.W_out[0].values[i]) * z[i];
          g[i] = std::max(z[i], 0.0);
        }
        if (m.output == Activation::tanh) y = std::tanh(y);
        output[side].push_back(y);
        for (int64_t i = 16; side == 1 && i < 20; ++i) mean[t] += z[i] / (4.0 * 20);
        if (side == 1) {
          const double d = y - static_cast<double>(split.target[k * 7 + t]);
          loss += d * d / (20 * 7);
        }
      }
    }
    for (size_t t = 0; t < 7; ++t) change[t] += (output[1][t] - output[0][t]) * (output[1][t] - output[0][t]) / 20;
  }
  CHECK(q.perturbed_loss == doctest::Approx(loss).epsilon(1e-5));
  for (size_t t = 0; t < 7; ++t) {
    CHECK(q.populations[1].perturbed[t] == doctest::Approx(mean[t]).epsilon(1e-5));
    CHECK(q.output_change[t] == doctest::Approx(std::sqrt(change[t])).epsilon(1e-4));
  }
}

TEST_CASE("perturb: the state of leaky units goes on while they are silent") {
  Spec spec = spec_of(tiny_json(three_epochs));
  for (Population& p : spec.populations) p.tau_s = 0.1;
  auto trainer = trainer_of(spec);
  train_to_end(*trainer);
  const Trials& split = trainer->data().held_out;
  const Trainer::Trace all = trainer->trace(split, 1, {{everyone, 0, 4}});
  // Nothing came back in steps 0 to 3, yet step 4 holds what the inputs left in the state.
  const Model& m = trainer->model();
  for (int64_t i = 0; i < 20; ++i) {
    double x = 0;
    const double alpha = static_cast<double>(m.alpha[i]);
    for (int64_t t = 0; t <= 4; ++t) {
      double sum = static_cast<double>(m.parameters.b_in.values[i]) + m.parameters.b_rec.values[i];
      for (int64_t c = 0; c < m.inputs; ++c)
        sum += static_cast<double>(m.parameters.W_in.values[c * 20 + i]) * split.input[(7 + t) * m.inputs + c];
      x = (1 - alpha) * x + alpha * sum;
    }
    CHECK(static_cast<double>(all.activity[4 * 20 + i]) == doctest::Approx(std::tanh(x)).epsilon(1e-5));
  }
}

TEST_CASE("perturb: instruction sets, threads and storage give the same numbers") {
  auto dense = trained_tiny(R"(,"connectivity":{"probability":0.5,"storage":"dense"})");
  auto sparse = trained_tiny(R"(,"connectivity":{"probability":0.5,"storage":"sparse"})");
  const std::vector<Intervention> both = {{inhibitory, 3, 6}, {excitatory, 1, 7, false, 0.2f}};
  const Perturbation a = perturbed(*dense, both, Isa::scalar);
  for (const Perturbation& b : {perturbed(*dense, both, best_isa(), 3), perturbed(*sparse, both, best_isa(), 2)}) {
    CHECK(b.loss == a.loss);
    CHECK(b.perturbed_loss == a.perturbed_loss);
    CHECK(b.output_change == a.output_change);
    for (size_t p = 0; p < 2; ++p) CHECK(b.populations[p].perturbed == a.populations[p].perturbed);
  }
}

TEST_CASE("perturb: a task with classes counts right answers") {
  auto trainer = trained_tiny("", R"(,"loss":"cross-entropy")");
  const Perturbation p = perturbed(*trainer, {{everyone, 0, 7}});
  CHECK(p.accuracy == trainer->evaluate().held_out_answers.accuracy());
  CHECK(p.perturbed_accuracy >= 0);
  CHECK(p.perturbed_accuracy <= 1);
}

TEST_CASE("perturb: what cannot be done is named") {
  const Spec spec = spec_of(tiny_json(three_epochs));
  const auto error_of = [&](const char* text, bool silence) {
    Result<Intervention> v = parse_intervention("--x", text, silence, spec, 7);
    REQUIRE_MESSAGE(!v.ok(), text);
    return v.error().text();
  };
  for (const char* text : {"", "F", "e", "E:", "E:3", "E:3-3", "E:4-2", "E:-1-3", "E:0-8", "E:0-99999999999999999999",
                           "E:1-2-3", "E=1", ":1-2"})
    CHECK(error_of(text, true).find("--x") != std::string::npos);
  for (const char* text : {"E", "E=", "E=a", "E=nan", "E=inf", "E=1e9", "=1", "E=1:3", "Q=1:1-2"})
    error_of(text, false);
  CHECK(error_of("F", true).find("E, I") != std::string::npos);
  Result<Intervention> v = parse_intervention("--x", "I=-0.5:2-7", false, spec, 7);
  REQUIRE(v.ok());
  CHECK(v->units.begin == 16);
  CHECK(v->units.end == 20);
  CHECK(v->from == 2);
  CHECK(v->to == 7);
  CHECK(v->amount == -0.5f);
  CHECK(text_of(*v, spec, 7) == "I driven by -0.5 in steps 2 to 6");
  v = parse_intervention("--x", "E", true, spec, 7);
  REQUIRE(v.ok());
  CHECK(text_of(*v, spec, 7) == "E silenced throughout");
  Spec odd = spec;
  odd.populations[0].name = "V1:E=2";
  v = parse_intervention("--x", "V1:E=2", true, odd, 7);
  REQUIRE(v.ok());
  CHECK(v->units.size() == 16);
  v = parse_intervention("--x", "V1:E=2=3:1-2", false, odd, 7);
  REQUIRE(v.ok());
  CHECK(v->amount == 3);
  CHECK(v->from == 1);

  auto trainer = trained_tiny();
  Workers workers(1);
  for (const Intervention& bad : {Intervention{{0, 21}, 0, 7}, Intervention{{3, 3}, 0, 7}, Intervention{{0, 2}, 0, 8},
                                  Intervention{{0, 2}, 3, 3}, Intervention{{0, 2}, 0, 7, false, NAN}})
    CHECK_FALSE(perturb(trainer->model(), trainer->data(), 13, {bad}, best_isa(), workers).ok());
  // Cancelled before, or after a minibatch; one that only listens changes nothing.
  for (double last : {0.0, 0.5})
    CHECK(perturb(trainer->model(), trainer->data(), 13, {}, best_isa(), workers,
                  [&](double part) { return part < last; })
              .error()
              .text() == "cancelled");
  std::vector<double> parts;
  const std::vector<Intervention> silent = {{inhibitory, 2, 4}};
  const Result<Perturbation> heard = perturb(trainer->model(), trainer->data(), 13, silent, best_isa(), workers,
                                             [&](double part) {
                                               parts.push_back(part);
                                               return true;
                                             }),
                             unheard = perturb(trainer->model(), trainer->data(), 13, silent, best_isa(), workers);
  CHECK(parts == std::vector<double>{0, 13.0 / 20});
  CHECK(heard->perturbed_loss == unheard->perturbed_loss);
  CHECK(heard->output_change == unheard->output_change);
  Dataset none = trainer->data();
  none.held_out.count = 0;
  CHECK_FALSE(perturb(trainer->model(), none, 13, {}, best_isa(), workers).ok());
}

TEST_CASE("perturb: the table has a row for each step, the figure says what was done") {
  auto trainer = trained_tiny();
  PerturbStudy study{
      "tiny", "MSE", trainer->spec(), 0.5, {{inhibitory, 2, 4}}, perturbed(*trainer, {{inhibitory, 2, 4}})};
  const std::string csv = perturb_csv(study);
  CHECK(csv.find("step,time,output_change,E,E perturbed,I,I perturbed\n") == 0);
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 8);
  CHECK(csv.find("\n3,1.5,") != std::string::npos);
  const plot::Figure figure = perturb_figure(study);
  CHECK(figure.title == "I silenced in steps 2 to 3");
  CHECK(plot::to_svg(plot::drawing_of(figure)).find("I, perturbed") != std::string::npos);
}
