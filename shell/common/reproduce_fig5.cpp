// Figure 5: how the trained weights of the cell-type model differ between conditions.
#include <algorithm>
#include <cmath>

#include "analysis/compare.h"
#include "common/markup.h"
#include "common/reproduce_cell_types.h"

namespace dalea::reproduce {
namespace {

constexpr double shown_scale = 1e4;  // of differences of mean |w|

std::string short_condition(const std::string& name) {
  const std::string letter = name.rfind("novel", 0) == 0 ? "N" : "F";
  if (name.find("no_change") != std::string::npos) return letter + "N";
  return letter + (name.find("omission") != std::string::npos ? "O" : "C");
}

std::string group_name(const std::string& condition) {
  std::string s = condition + "-full";
  std::replace(s.begin(), s.end(), '_', '-');
  return s;
}

// One pair of conditions: second less first.
struct Pair {
  const PublishedPair* published = nullptr;
  std::string name;           // "FN to FC"
  LayerValues difference{};   // of mean |w|
  LayerValues density{};      // mean of both
  LayerValues p{};            // adjusted (analysis/compare.h); 1 where nothing can differ
  double least_p = no_value;  // that so many runs can reach
};

Result<std::vector<Pair>> pairs_of(const Options& options, const std::vector<Run>& runs) {
  std::vector<Pair> pairs;
  if (runs.empty()) return pairs;
  const Result<BlockGroups> groups = group_blocks(runs.front().job.spec.populations, BlockLevel::layer);
  if (!groups) return groups.error();
  const Result<std::vector<uint8_t>> allowed = possible_blocks(*groups, cell_type_probability());
  if (!allowed) return allowed.error();
  for (const PublishedPair& published : published_pairs) {
    Pair pair;
    pair.published = &published;
    pair.name = short_condition(published.first) + " to " + short_condition(published.second);
    std::vector<Condition> conditions;
    for (const char* name : {published.first, published.second}) {
      Condition condition{name, {}};
      for (const Run* run : cell_runs(runs, group_name(name), true)) {
        Result<BlockAverages> averages = average_blocks(run->parameters.W_rec, *groups);
        if (!averages) return averages.error();
        condition.runs.push_back(std::move(*averages));
      }
      conditions.push_back(std::move(condition));
    }
    if (conditions[0].runs.size() < 2 || conditions[1].runs.size() < 2) continue;
    CompareOptions how;
    how.seed = options.first_seed;
    const Result<Comparison> c = compare_conditions(*groups, *allowed, conditions, how);
    if (!c) return c.error();
    const std::vector<double> density = c->density_of_pair(c->pairs[0]);
    for (size_t post = 0; post < layer_count; ++post)
      for (size_t pre = 0; pre < layer_count; ++pre) {
        const size_t k = post * layer_count + pre,
                     block = groups->of_population[3 * post] * groups->count() + groups->of_population[3 * pre];
        pair.difference[k] = c->pairs[0].blocks[block].difference;
        pair.p[k] = c->pairs[0].blocks[block].p_adjusted;
        pair.density[k] = density[block];
      }
    pair.least_p = c->least_p;
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

double at(const LayerValues& values, const LayerPlace& place) {
  return values[place.post * layer_count + place.pre];
}

std::string places_text(const std::vector<double>& values) {
  constexpr const char* names[] = {"FF", "FB2/3", "FB5"};
  std::string text;
  for (size_t k = 0; k < 3; ++k) {
    char part[40];
    std::snprintf(part, sizeof part, "%s%s %+.2f", k > 0 ? ", " : "", names[k], values[k]);
    text += part;
  }
  return text;
}

std::vector<double> nine(const Pair& pair) {
  std::vector<double> values;
  for (const LayerPlace& place : published_places) values.push_back(shown_scale * at(pair.difference, place));
  return values;
}

int agreeing(const Pair& pair) {
  const std::vector<double> obtained = nine(pair);
  int n = 0;
  for (size_t k = 0; k < obtained.size(); ++k) n += obtained[k] * pair.published->difference[k] > 0;
  return n;
}

void find_pairs(Output& output, const Options& options, const std::vector<Pair>& pairs) {
  int agree = 0;
  for (const Pair& pair : pairs) {
    agree += agreeing(pair);
    int64_t clear = 0;
    double smallest = 1;
    for (double p : pair.p) {
      clear += p < alpha;
      smallest = std::min(smallest, p);
    }
    Finding f;
    f.claim = pair.name + ": difference of mean |w| between areas, times 1e4";
    const auto& d = pair.published->difference;
    f.published = places_text({d.begin(), d.end()}) + " (no test)";
    f.obtained = places_text(nine(pair)) + "; signs agree in " + std::to_string(agreeing(pair)) + " of 9 blocks; " +
                 std::to_string(clear) + " of 21 blocks differ (joint permutation, smallest " + p_text(smallest) +
                 ", least possible " + number(pair.least_p, 2) + ")";
    f.why = original_data(options);
    output.findings.push_back(std::move(f));
  }
  if (pairs.empty()) return;
  Finding f;
  f.claim = "Signs of the nine published differences of each pair";
  f.published = "no uncertainty is published";
  f.obtained = std::to_string(agree) + " of " + std::to_string(9 * pairs.size()) + " agree";
  f.why =
      "Described, not claimed: half agree by chance, blocks and pairs are not independent, and the data are "
      "others. " +
      original_data(options);
  output.findings.push_back(std::move(f));
}

// The paper's reading, as statements on these differences.
void find_reading(Output& output, const Options& options, const std::vector<Pair>& pairs) {
  struct Statement {
    const char* claim;
    size_t place;  // of published_places
    std::vector<const char*> pairs;
  };
  const Statement statements[] = {
      {"Changes raise the weights of feedforward connections (V1 L2/3 to LM L4)", 0, {"FN to FC", "NN to NC"}},
      {"Omissions raise feedback to V1 L5 against changes", 2, {"FC to FO", "NC to NO"}},
      {"Novelty raises the weights of feedforward connections", 0, {"FN to NN", "FC to NC", "FO to NO"}}};
  for (const Statement& s : statements) {
    Finding f;
    f.claim = s.claim;
    for (const Pair& pair : pairs) {
      if (std::find(s.pairs.begin(), s.pairs.end(), pair.name) == s.pairs.end()) continue;
      char text[80];
      std::snprintf(text, sizeof text, "%s%s %+.2f", f.published.empty() ? "" : ", ", pair.name.c_str(),
                    pair.published->difference[s.place]);
      f.published += text;
      std::snprintf(text, sizeof text, "%s%s %+.2f", f.obtained.empty() ? "" : ", ", pair.name.c_str(),
                    nine(pair)[s.place]);
      f.obtained += std::string(text) + ", adjusted " + p_text(at(pair.p, published_places[s.place]));
    }
    if (f.obtained.empty()) continue;
    f.why =
        "Differences of mean |w| times 1e4. Runs are repeated optimisations, not animals. " + original_data(options);
    output.findings.push_back(std::move(f));
  }
}

// Layers in the published order, L2/3, L4, L5.
double largest_difference(const std::vector<Pair>& pairs) {
  double most = 0;
  for (const Pair& pair : pairs)
    for (double d : pair.difference) most = std::max(most, std::fabs(d));
  return most;
}

plot::Figure difference_figure(const std::vector<Pair>& pairs) {
  constexpr size_t order[layer_count] = {1, 0, 2, 4, 3, 5};
  plot::Figure figure;
  figure.title = "Differences between conditions";
  figure.caption =
      "Mean |w| of the layers' blocks times 1e4, second condition less first, sparse networks. Marked: "
      "adjusted p below .05 (one joint permutation of runs over the 21 blocks that can differ). Runs are "
      "repeated optimisations, not animals.";
  figure.columns = 3;
  figure.width_mm = plot::double_column_mm;
  const double most = largest_difference(pairs);
  for (const Pair& pair : pairs) {
    plot::HeatMap map;
    map.rows = map.columns = static_cast<int64_t>(layer_count);
    map.value_label = "difference x 1e4";
    map.scale = most > 0 ? shown_scale * most : 1;
    map.marked_name = "p < .05";
    for (size_t r = 0; r < layer_count; ++r) {
      const auto place = static_cast<int64_t>(r);
      map.row_blocks.push_back({layer_names[order[r]], place, place + 1});
      map.column_blocks.push_back({layer_names[order[r]], place, place + 1});
      for (size_t c = 0; c < layer_count; ++c) {
        const size_t k = order[r] * layer_count + order[c];
        map.values.push_back(possible(order[r], order[c]) ? static_cast<float>(shown_scale * pair.difference[k])
                                                          : std::nanf(""));
        if (pair.p[k] < alpha) map.marked.push_back({place, static_cast<int64_t>(c)});
      }
    }
    figure.panels.push_back({pair.name, std::move(map), ""});
  }
  return figure;
}

plot::Figure circuit_figure(const std::vector<Pair>& pairs) {
  plot::Figure figure;
  figure.title = "Differences between conditions, as a circuit";
  figure.caption =
      "Width: connection density, mean of both conditions. Colour: difference of mean |w| times 1e4, second "
      "condition less first. Pale: adjusted p of .05 or more.";
  figure.columns = 3;
  figure.width_mm = plot::double_column_mm;
  const double most = largest_difference(pairs);
  for (const Pair& pair : pairs) {
    plot::CircuitChart chart;
    chart.columns = {"V1", "LM"};
    chart.rows = {"L2/3", "L4", "L5"};
    chart.value_label = "difference x 1e4";
    chart.strong_name = "p < .05";
    chart.pale_name = "not below .05";
    chart.scale = most > 0 ? shown_scale * most : 1;
    for (size_t k = 0; k < layer_count; ++k) {
      constexpr int rows[] = {1, 0, 2};
      plot::CircuitChart::Node node;
      node.name = layer_names[k];
      node.column = static_cast<int>(k / 3);
      node.row = rows[k % 3];
      chart.nodes.push_back(std::move(node));
    }
    for (size_t post = 0; post < layer_count; ++post)
      for (size_t pre = 0; pre < layer_count; ++pre) {
        const size_t k = post * layer_count + pre;
        if (possible(post, pre))
          chart.arrows.push_back({pre, post, shown_scale * pair.difference[k], pair.density[k], pair.p[k] < alpha});
      }
    figure.panels.push_back({pair.name, std::move(chart), ""});
  }
  return figure;
}

void add_differences(Output& output, Report& page, const std::vector<Pair>& pairs) {
  ReportTable table;
  table.caption = "Differences of mean |w| times 1e4: published and obtained, and the adjusted p of the obtained one.";
  table.columns = {{"pair"}, {"block"}, {"published", "", 3, 2}, {"obtained", "", 3, 2}, {"adjusted p", "", 3, 3}};
  std::string csv = "pair,post,pre,published,obtained,p_adjusted\n";
  for (const Pair& pair : pairs) {
    for (size_t k = 0; k < 9; ++k)
      table.rows.push_back({pair.name, std::string(published_places[k].name), pair.published->difference[k],
                            nine(pair)[k], at(pair.p, published_places[k])});
    for (size_t post = 0; post < layer_count; ++post)
      for (size_t pre = 0; pre < layer_count; ++pre) {
        if (!possible(post, pre)) continue;
        std::string published;
        for (size_t k = 0; k < 9; ++k)
          if (published_places[k].post == post && published_places[k].pre == pre)
            published = number(pair.published->difference[k], 6);
        char text[80];
        std::snprintf(text, sizeof text, "%s,%.9g,%.9g\n", published.c_str(),
                      shown_scale * pair.difference[post * layer_count + pre], pair.p[post * layer_count + pre]);
        csv += csv_field(pair.name) + "," + layer_names[post] + "," + layer_names[pre] + "," + text;
      }
  }
  page.table(table);
  add_text(output, "differences.csv", csv);
}

}  // namespace

Result<Output> report_fig5(const Options& options, const std::vector<Run>& runs, const ReportProvenance& where) {
  Output output;
  const Result<std::vector<Pair>> pairs = pairs_of(options, runs);
  if (!pairs) return pairs.error();
  find_pairs(output, options, *pairs);
  find_reading(output, options, *pairs);
  Report page("Figure 5: weights in different conditions",
              std::string(options.corrected ? "Corrected" : "As published") + (options.quick ? ", quick" : "") +
                  ". After Balwani, Wang, Najafi and Choi, Science Advances 2025.");
  std::vector<std::string> summary = summary_of(options, output.findings);
  summary.push_back(original_data(options));
  summary.push_back(
      "The published differences come without a test (Q16). Here the runs of two conditions are permuted together and "
      "the 21 blocks that can hold connections are corrected jointly (Westfall-Young step-down max-T). Runs are "
      "repeated optimisations on the same data, not animals: what differs, differs between these data sets.");
  page.summary(summary);
  add_findings(output, page);
  page.section("Differences");
  if (!pairs->empty()) add_figure(output, page, difference_figure(*pairs), "differences", false);
  if (!pairs->empty()) add_figure(output, page, circuit_figure(*pairs), "circuit");
  add_differences(output, page, *pairs);
  add_runs(output, page, options, runs);
  page.provenance(where);
  add_text(output, "report.html", page.html());
  return output;
}

}  // namespace dalea::reproduce
