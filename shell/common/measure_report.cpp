#include "common/measure_report.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <new>

#include "common/markup.h"
#include "common/session_weights.h"
#include "numerics/parallel.h"

namespace dalea {
namespace {

constexpr int64_t most_degree_classes = 40;

Status can_be_measured(int64_t units, bool whole) {
  if (units > most_measured_units)
    return Error{"network", "has " + std::to_string(units) + " units; at most " + std::to_string(most_measured_units) +
                                " are measured"};
  if (whole && units > most_whole_units)
    return Error{"network", "has every connection between " + std::to_string(units) + " units; at most " +
                                std::to_string(most_whole_units) +
                                " are measured so, more with a mask (connectivity.probability)"};
  return {};
}

Result<MeasuredNetwork> scaled_network(const Spec& spec, int64_t run) {
  if (spec.connectome.source == "none" || !spec.measured)
    return Error{"network", "has no connectome; choose now, start or mask"};
  Result<ScaledConnectome> scaled = scale_connectome(spec, run);
  if (!scaled) return scaled.error();
  MeasuredNetwork n;
  n.graph = std::move(*scaled);
  // Signs are the populations'.
  int64_t unit = 0;
  for (const Population& p : spec.populations)
    for (int64_t i = 0; i < p.size && unit < n.graph.units; ++i, ++unit)
      for (int64_t e = n.graph.start[unit]; e < n.graph.start[unit + 1]; ++e)
        if (p.sign == Sign::inhibitory) n.graph.weight[e] = -n.graph.weight[e];
  n.which = "connectome";
  return n;
}

Status fits_measures(const Spec& spec, const std::shared_ptr<const Pattern>& mask) {
  return can_be_measured(spec.units(), mask == nullptr);
}

MeasuredNetwork network_of_weights(const Spec& spec, const Weights& w, NetworkOf which) {
  MeasuredNetwork n;
  n.graph = which == NetworkOf::mask ? mask_of(synapses_of(w)) : graph_of(synapses_of(w));
  n.weighted = which != NetworkOf::mask;
  n.which = which == NetworkOf::mask ? "mask" : which == NetworkOf::now ? "weights now" : "weights at the start";
  n.name = spec.name;
  label_units(spec, n);
  return n;
}

std::string measure_cell(double v) {
  return std::isfinite(v) ? short_number(v, 17) : "";
}

plot::Panel z_panel(const MeasureStudy& study) {
  plot::ForestChart chart;
  chart.x.label = "distance from the mean of " + std::to_string(study.nulls.size()) + " null models (their sd)";
  chart.value_header = "z";
  chart.lines = {{.value = -1.96, .name = "95 % of a normal distribution"}, {.value = 1.96}};
  for (size_t k = 0; k < measure_count; ++k) {
    const auto m = static_cast<Measure>(k);
    const NullRow row = study.row(m);
    if (!std::isfinite(row.z)) continue;
    chart.effects.push_back({.name = words_of(m), .value = row.z});
  }
  return {"Measures", std::move(chart), "No measure of the null models varies."};
}

plot::Panel degree_panel(const GraphMeasures& g) {
  const DegreeClasses c = degree_classes(g, most_degree_classes);
  plot::LineChart chart;
  chart.x.label = "connections of a unit";
  chart.y.label = "units";
  chart.y.min = 0;
  for (const bool in : {true, false}) {
    plot::Series s;
    s.name = in ? "incoming" : "outgoing";
    s.style = plot::series_style(in ? 0 : 1);
    const std::vector<int64_t>& count = in ? c.in : c.out;
    s.x.push_back(static_cast<double>(c.first) - 0.5);
    s.y.push_back(0);
    for (size_t k = 0; k < count.size(); ++k)
      for (const int64_t end : {int64_t{0}, int64_t{1}}) {
        s.x.push_back(static_cast<double>(c.first + (static_cast<int64_t>(k) + end) * c.width) - 0.5);
        s.y.push_back(static_cast<double>(count[k]));
      }
    s.x.push_back(s.x.back());
    s.y.push_back(0);
    chart.series.push_back(std::move(s));
  }
  return {"Degrees", std::move(chart)};
}

}  // namespace

std::vector<int64_t> parts_of(const std::vector<Population>& populations, std::string* are) {
  for (const bool areas : {true, false}) {
    std::map<std::string, int64_t> known;
    std::vector<int64_t> parts;
    for (const Population& p : populations) {
      const auto at = known.emplace(areas ? p.area : p.name, static_cast<int64_t>(known.size())).first;
      parts.insert(parts.end(), static_cast<size_t>(p.size), at->second);
    }
    if (known.size() < 2 || known.size() == parts.size()) continue;
    if (are) *are = areas ? "areas" : "populations";
    return parts;
  }
  return {};
}

void label_units(const Spec& spec, MeasuredNetwork& network) {
  const int64_t units = network.graph.units;
  network.parts = parts_of(spec.populations, &network.parts_are);
  if (static_cast<int64_t>(network.parts.size()) != units) network.parts.clear();
  if (network.parts.empty()) network.parts_are.clear();
  if (!spec.measured || spec.measured->x.empty() || !network.graph.x.empty()) return;
  const Connectome& c = *spec.measured;
  std::vector<int64_t> region;
  for (const Population& p : spec.populations) {
    const auto at = std::find(c.names.begin(), c.names.end(), p.area) - c.names.begin();
    if (spec.connectome.level == "regions" && at < c.nodes)
      region.insert(region.end(), static_cast<size_t>(p.size), at);
  }
  if (spec.connectome.level == "units")
    for (int64_t i = 0; i < c.nodes; ++i) region.push_back(i);
  if (static_cast<int64_t>(region.size()) != units) return;
  network.graph.region = std::move(region);
  network.graph.x = c.x;
  network.graph.y = c.y;
}

Result<MeasuredNetwork> network_of_session(const Session& session, NetworkOf which) {
  if (which == NetworkOf::connectome) {
    Result<MeasuredNetwork> n = scaled_network(session.spec, session.state.run);
    if (!n) return n;
    n->name = session.spec.name;
    label_units(session.spec, *n);
    return n;
  }
  if (Status ok = can_be_measured(session.spec.units(), false); !ok) return ok.error();
  const std::shared_ptr<const Pattern> mask =
      session.state.mask ? session.state.mask : sample_pattern(session.spec, session.state.run);
  if (Status ok = fits_measures(session.spec, mask); !ok) return ok.error();
  const TrainedWeights w = trained_weights(session);
  return network_of_weights(session.spec, which == NetworkOf::start ? w.initial : w.final, which);
}

Result<MeasuredNetwork> network_of_spec(const Spec& spec, NetworkOf which) {
  if (which == NetworkOf::connectome) {
    Result<MeasuredNetwork> n = scaled_network(spec, 0);
    if (!n) return n;
    n->name = spec.name;
    label_units(spec, *n);
    return n;
  }
  if (Status ok = can_be_measured(spec.units(), false); !ok) return ok.error();
  const std::shared_ptr<const Pattern> mask = sample_pattern(spec, 0);
  if (Status ok = fits_measures(spec, mask); !ok) return ok.error();
  Weights w = build_model(spec, Ends{}, 0).parameters.W_rec;
  if (mask && !w.sparse()) w = on_mask(w, mask, true);
  return network_of_weights(spec, w, which == NetworkOf::now ? NetworkOf::start : which);
}

MeasuredNetwork network_of_connectome(const Connectome& c) {
  MeasuredNetwork n;
  n.name = c.source.substr(c.source.find_last_of("/\\") + 1);
  n.which = "connectome";
  n.graph = graph_of(c);
  return n;
}

NullRow MeasureStudy::row(Measure m) const {
  std::vector<double> v;
  for (const auto& null : nulls) v.push_back(null[static_cast<size_t>(m)]);
  return against_nulls(measured.of(m), v);
}

MeasureStudy begin_study(const MeasuredNetwork& network, const MeasurePlan& plan) {
  MeasureStudy s;
  s.name = network.name;
  s.which = network.which;
  s.parts_are = network.parts_are;
  s.weighted = network.weighted;
  s.plan = plan;
  return s;
}

Result<GraphMeasures> measure_number(const MeasuredNetwork& network, const MeasurePlan& plan, int64_t k,
                                     const std::function<bool(double)>& progress) {
  try {
    if (k == 0) return measure_graph(network.graph, {network.weighted, network.parts, plan.dense}, progress);
    constexpr double making = 0.1;  // its part of the time
    Result<Graph> null = null_of(network.graph, plan.model, plan.seed, k, plan.run,
                                 [&](double part) { return !progress || progress(making * part); });
    if (!null) return null.error();
    return measure_graph(*null, {network.weighted, network.parts, plan.dense},
                         [&](double part) { return !progress || progress(making + (1 - making) * part); });
  } catch (const std::bad_alloc&) {
    return Error{"network", "needs more memory to be measured than there is; measure a smaller one"};
  }
}

Result<MeasureStudy> study_measures(const MeasuredNetwork& network, const MeasurePlan& plan, int threads,
                                    const std::function<bool(double)>& progress) {
  const auto count = static_cast<size_t>(plan.nulls + 1);
  std::vector<GraphMeasures> found(count);
  std::vector<double> part(count, 0.0);
  std::mutex mutex;
  double done = 0;
  std::optional<Error> wrong;
  Workers workers(static_cast<int>(std::min<int64_t>(threads, plan.nulls + 1)));
  workers.run(static_cast<int>(count), [&](int k) {
    const auto at = static_cast<size_t>(k);
    const auto hear = [&](double now) {
      const std::lock_guard lock(mutex);
      done += now - part[at];
      part[at] = now;
      if (wrong) return false;
      if (!progress || progress(done / static_cast<double>(count))) return true;
      wrong = Error{"", "cancelled"};
      return false;
    };
    if (!hear(0)) return;
    Result<GraphMeasures> r = measure_number(network, plan, k, hear);
    if (r) {
      if (k > 0) r->in_degree = r->out_degree = r->community = {};
      found[at] = std::move(*r);
      hear(1);
      return;
    }
    const std::lock_guard lock(mutex);
    if (!wrong) wrong = r.error();
  });
  if (wrong) return *wrong;
  MeasureStudy s = begin_study(network, plan);
  s.measured = std::move(found[0]);
  for (size_t k = 1; k < count; ++k) s.nulls.push_back(found[k].values);
  return s;
}

std::vector<std::string> measure_remarks(const MeasureStudy& study) {
  std::vector<std::string> list;
  const GraphMeasures& g = study.measured;
  list.push_back("Connections of units to themselves (" + std::to_string(g.self_links) +
                 ") count in the spectral radius alone; a weight of exactly 0 is no connection.");
  if (g.sampled > 0)
    list.push_back("Clustering and paths are those of " + std::to_string(g.sampled) + " of the " +
                   std::to_string(g.units) +
                   " units, evenly spaced; communicability and spectral radius are not "
                   "measured above " +
                   std::to_string(most_dense_units) + " units.");
  if (!study.plan.dense && g.sampled == 0)
    list.push_back("Communicability and spectral radius take long and are left out here: dalea measures has them.");
  if (!study.weighted) list.push_back("A mask has no sizes: the weighted measures are left out.");
  if (!study.nulls.empty())
    list.push_back("p counts, among the network and its " + std::to_string(study.nulls.size()) + " " +
                   study.plan.model + " null models, those at least as far from the mean of all: two-sided, at least " +
                   short_number(1 / static_cast<double>(study.nulls.size() + 1), 3) +
                   ", of one measure at a time. What the null models keep has no z.");
  return list;
}

std::string measures_csv(const MeasureStudy& study) {
  std::string csv = "measure,value,null_mean,null_sd,z,p,nulls\n";
  const GraphMeasures& g = study.measured;
  for (const auto& [name, value] : std::initializer_list<std::pair<const char*, int64_t>>{
           {"units", g.units}, {"connections", g.links}, {"self_connections", g.self_links}, {"sampled", g.sampled}})
    csv += std::string(name) + "," + std::to_string(value) + ",,,,,\n";
  for (size_t k = 0; k < measure_count; ++k) {
    const auto m = static_cast<Measure>(k);
    const NullRow r = study.row(m);
    csv += key_of(m);
    for (double v : {g.of(m), r.mean, r.sd, r.z, r.p}) csv += "," + measure_cell(v);
    csv += "," + std::to_string(r.count) + "\n";
  }
  if (!study.nulls.empty()) csv += "small_worldness," + measure_cell(study.small_world()) + ",,,,,\n";
  return csv;
}

std::string degrees_csv(const MeasureStudy& study) {
  std::map<int64_t, std::pair<int64_t, int64_t>> count;
  for (int64_t d : study.measured.in_degree) ++count[d].first;
  for (int64_t d : study.measured.out_degree) ++count[d].second;
  std::string csv = "degree,units_in,units_out\n";
  for (const auto& [degree, units] : count)
    csv += std::to_string(degree) + "," + std::to_string(units.first) + "," + std::to_string(units.second) + "\n";
  return csv;
}

DegreeClasses degree_classes(const GraphMeasures& g, int64_t most) {
  DegreeClasses c;
  int64_t last = 0;
  c.first = g.in_degree.empty() ? 0 : g.in_degree.front();
  for (const std::vector<int64_t>* list : {&g.in_degree, &g.out_degree})
    for (int64_t d : *list) {
      c.first = std::min(c.first, d);
      last = std::max(last, d);
    }
  c.width = (last - c.first) / most + 1;
  c.in.assign(static_cast<size_t>((last - c.first) / c.width + 1), 0);
  c.out = c.in;
  for (int64_t d : g.in_degree) ++c.in[static_cast<size_t>((d - c.first) / c.width)];
  for (int64_t d : g.out_degree) ++c.out[static_cast<size_t>((d - c.first) / c.width)];
  return c;
}

plot::Figure measures_figure(const MeasureStudy& study) {
  plot::Figure figure;
  figure.title = (study.name.empty() ? "Network" : study.name) + ": " + study.which + ", " +
                 std::to_string(study.measured.units) + " units";
  if (!study.nulls.empty()) {
    figure.panels.push_back(z_panel(study));
    figure.caption = "Measures of the network as distances from those of its " + std::to_string(study.nulls.size()) +
                     " " + study.plan.model + " null models; measures that these keep are not shown. ";
    figure.columns = 2;
    figure.width_mm = plot::double_column_mm;
  }
  figure.panels.push_back(degree_panel(study.measured));
  figure.caption += "How many units have how many incoming and outgoing connections.";
  return figure;
}

}  // namespace dalea
