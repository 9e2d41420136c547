// dalea theory: the guarantees of Dale's backpropagation, measured on a quadratic (docs/THEORY.md, SEEDS 1.5).
#include <cmath>
#include <cstdio>

#include "analysis/cone.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "common/figure.h"
#include "common/files.h"
#include "numerics/rng.h"

namespace dalea::cli {
namespace {

using nlohmann::json;

struct NamedClaim {
  const char* key;
  const char* text;
  ConeClaim claim;
};

std::vector<NamedClaim> claims_of(const ConeDemo& demo) {
  return {{"nearest", "projection = nearest point", demo.nearest},
          {"signs", "no sign violated", demo.signs},
          {"descent", "descent at each step", demo.descent},
          {"rate", "gap by the factor or faster", demo.rate},
          {"closer", "distance too", demo.closer}};
}

Result<ConeDemo> demo_of(const TheoryCommand& command) {
  ConeOptions options;
  options.steps = command.steps;
  options.eta_l = command.eta_l;
  if (command.size == 2) {
    Result<ConeProblem> plane = plane_problem(command.condition, cone_plane_b[0], cone_plane_b[1]);
    if (!plane) return plane.error();
    options.start = {cone_plane_start[0], cone_plane_start[1]};
    return cone_demo(*plane, options);
  }
  if (command.seed > max_seed) return Error{"seed", "is above 2^53 - 1; give a smaller one"};
  Result<ConeProblem> random = random_cone_problem(command.size, command.condition, command.seed);
  if (!random) return random.error();
  Rng rng(command.seed, Purpose::test, 1);
  for (int64_t i = 0; i < command.size; ++i) options.start.push_back(2 * rng.normal());
  return cone_demo(*random, options);
}

std::string csv_of_demo(const ConeDemo& demo) {
  std::string text = "method,step,w1,w2,gap,distance,kkt_residual,step_length,sign_violations,promised_gap\n";
  for (const ConeRun& run : demo.runs) {
    const bool promised = run.method == ConeMethod::projected && demo.rate != ConeClaim::outside;
    double bound = run.steps.front().gap;
    for (size_t k = 0; k < run.steps.size(); ++k, bound *= demo.gap_factor) {
      const ConeStep& s = run.steps[k];
      char line[320];
      std::snprintf(line, sizeof line, "%s,%zu,%.17g,%.17g,%.17g,%.17g,%.17g,%.17g,%lld,", text_of(run.method), k, s.w1,
                    s.w2, s.gap, s.distance, s.kkt, s.moved, static_cast<long long>(s.violations));
      text += line;
      if (promised) {
        std::snprintf(line, sizeof line, "%.17g", bound);
        text += line;
      }
      text += '\n';
    }
  }
  return text;
}

// The line on which w2 or w1 is 0: where the cone ends.
plot::Series border(double x, double y) {
  plot::Series line;
  line.x = {0, x};
  line.y = {0, y};
  line.style = {plot::rgb(0x8a8a8a), plot::Dash::solid, plot::Marker::none, 2.2};
  return line;
}

plot::Figure figure_of(const ConeDemo& demo) {
  plot::LineChart gap, plane;
  gap.x.label = "step";
  gap.y.label = "f - f(minimum)";
  gap.y.log = true;
  plane.x.label = "w1 (excitatory, admissible: 0 and above)";
  plane.y.label = "w2 (inhibitory, admissible: 0 and below)";
  const double first = demo.run(ConeMethod::projected)->steps.front().gap;
  double far = 0.5;
  for (const ConeRun& run : demo.runs) {
    plot::Series g, path;
    const bool plain = run.method == ConeMethod::unconstrained, adam = run.method == ConeMethod::projected_adam;
    g.name = path.name = plain ? "without projection" : adam ? "Adam, projected" : "projected (Dale)";
    g.style = path.style = plot::named_style(plain ? "conventional" : adam ? "rectified-forward" : "dale");
    path.marks = true;
    for (size_t k = 0; k < run.steps.size(); ++k) {
      const ConeStep& s = run.steps[k];
      far = std::max({far, std::fabs(s.w1), std::fabs(s.w2)});
      path.x.push_back(s.w1);
      path.y.push_back(s.w2);
      if (s.gap < 1e-14 * first) continue;  // rounding
      g.x.push_back(static_cast<double>(k));
      g.y.push_back(s.gap);
    }
    if (!plain) gap.series.push_back(std::move(g));
    if (!run.diverged) plane.series.push_back(std::move(path));
  }
  if (demo.rate != ConeClaim::outside && demo.gap_factor > 0) {
    plot::Series bound;
    bound.name = "promised, (1 - eta mu)^k";
    bound.style = {plot::ink, plot::Dash::dashed, plot::Marker::none, 1};
    double value = first;
    for (size_t k = 0; k < demo.run(ConeMethod::projected)->steps.size() && value > 1e-14 * first;
         ++k, value *= demo.gap_factor) {
      bound.x.push_back(static_cast<double>(k));
      bound.y.push_back(value);
    }
    gap.series.push_back(std::move(bound));
  }
  plot::Figure figure;
  figure.title = "Projected gradient descent on a quadratic";
  figure.caption =
      "Projected gradient descent under sign constraints: the distance of the loss from its constrained "
      "minimum at each step.";
  figure.panels.push_back({"Loss above the constrained minimum", std::move(gap)});
  if (demo.problem.size() == 2) {
    // Below the paths, which run along it.
    plane.series.insert(plane.series.begin(), {border(far, 0), border(0, -far)});
    plane.series.front().name = "ends of the admissible quadrant";
    figure.panels.push_back({"Paths of the two weights", std::move(plane)});
  }
  figure.columns = static_cast<int>(figure.panels.size());
  figure.width_mm = figure.columns > 1 ? plot::double_column_mm : plot::single_column_mm;
  return figure;
}

std::string json_of(const TheoryCommand& command, const ConeDemo& demo) {
  json o = {
      {"size", demo.problem.size()},
      {"condition", command.condition},
      {"mu", demo.problem.mu},
      {"L", demo.problem.smoothness},
      {"eta", demo.eta},
      {"eta_L", command.eta_l},
      {"steps", command.steps},
      {"minimum", demo.minimum},
      {"promised_gap_factor", demo.rate == ConeClaim::outside ? json(nullptr) : json(demo.gap_factor)},
      {"promised_distance_factor", demo.closer == ConeClaim::outside ? json(nullptr) : json(demo.distance_factor)}};
  for (const NamedClaim& c : claims_of(demo)) o["claims"][c.key] = text_of(c.claim);
  for (const ConeRun& run : demo.runs) {
    const ConeStep& last = run.steps.back();
    o["runs"].push_back(
        {{"method", text_of(run.method)},
         {"diverged", run.diverged},
         {"gap", number_or_null(last.gap)},
         {"distance", number_or_null(last.distance)},
         {"kkt_residual", number_or_null(last.kkt)},
         {"sign_violations", last.violations},
         {"rated_steps", run.rated},
         {"mean_factor", run.method == ConeMethod::unconstrained ? json(nullptr) : json(run.mean_factor)},
         {"worst_factor", run.method == ConeMethod::unconstrained ? json(nullptr) : json(run.worst_factor)},
         {"worst_distance_factor", run.worst_closer}});
  }
  return o.dump();
}

void print(const TheoryCommand& command, const ConeDemo& demo) {
  const ConeRun& run = *demo.run(ConeMethod::projected);
  std::printf("problem            %lld weights, L / mu = %g, eta L = %g, %lld steps\n",
              static_cast<long long>(demo.problem.size()), command.condition, command.eta_l,
              static_cast<long long>(command.steps));
  if (demo.rate == ConeClaim::outside)
    std::printf("promised           nothing of the gap: eta L is above 1\n");
  else
    std::printf("promised           gap x %.6g a step or less (1 - eta mu)\n", demo.gap_factor);
  std::printf("measured           gap x %.6g a step on average, %.6g at worst (%lld steps until rounding)\n",
              run.mean_factor, run.worst_factor, static_cast<long long>(run.rated));
  std::printf("\n%-18s %10s %11s %11s %11s\n", "after the steps", "gap", "distance", "KKT", "violations");
  for (const ConeRun& r : demo.runs) {
    const ConeStep& s = r.steps.back();
    std::printf("%-18s %10.3g %11.3g %11.3g %11lld%s\n", text_of(r.method), s.gap, s.distance, s.kkt,
                static_cast<long long>(s.violations), r.diverged ? "  diverged" : "");
  }
  std::printf("\n");
  for (const NamedClaim& c : claims_of(demo))
    std::printf("%-28s proved, measured here: %s\n", c.text,
                c.claim == ConeClaim::outside ? "outside its assumptions (shorten --eta)" : text_of(c.claim));
  std::printf("%-28s not proved: Adam's momentum, noise of minibatches, losses that are not convex\n",
              "training a network");
}

}  // namespace

int theory(const TheoryCommand& command) {
  Result<ConeDemo> demo = demo_of(command);
  if (!demo) {
    complain({"--" + demo.error().path, demo.error().message});
    return bad_input;
  }
  if (!command.csv.empty())
    if (Status ok = write_file(command.csv, std::string_view(csv_of_demo(*demo))); !ok) {
      complain(ok.error());
      return bad_input;
    }
  if (!command.svg.empty())
    if (Status ok = write_file(command.svg, std::string_view(plot::to_svg(plot::drawing_of(figure_of(*demo))))); !ok) {
      complain(ok.error());
      return bad_input;
    }
  if (command.json)
    std::printf("%s\n", json_of(command, *demo).c_str());
  else
    print(command, *demo);
  for (const NamedClaim& c : claims_of(*demo))
    if (c.claim == ConeClaim::fails) return failed;  // of what is proved, this would be a fault of ours
  return done;
}

}  // namespace dalea::cli
