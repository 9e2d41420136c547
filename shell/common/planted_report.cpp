// The report of `dalea reproduce planted`.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "common/markup.h"
#include "common/planted.h"
#include "common/reproduce_parts.h"

namespace dalea::planted {
namespace {

using reproduce::Output;

std::string rate_text(int64_t hits, int64_t of) {
  if (of == 0) return "–";
  const Interval i = rate_interval(hits, of);
  char text[80];
  std::snprintf(text, sizeof text, "%lld of %lld (%.0f–%.0f %%)", static_cast<long long>(hits),
                static_cast<long long>(of), 100 * i.low, 100 * i.high);
  return text;
}

std::string level_name(BlockLevel level) {
  return level == BlockLevel::area ? "area" : "area and type";
}

const SettingResult* result_of(const Study& study, Setting setting) {
  for (const SettingResult& r : study.results)
    if (r.setting == setting) return &r;
  return nullptr;
}

std::string factor_text(Setting setting) {
  char text[20];
  std::snprintf(text, sizeof text, "%g", factor_of(setting));
  return text;
}

plot::HeatMap map_of(const Rates& rates, const std::function<double(const BlockRate&)>& value) {
  plot::HeatMap map;
  const size_t n = rates.groups.size();
  map.rows = map.columns = static_cast<int64_t>(n);
  map.values.assign(n * n, std::nanf(""));
  map.absent_name = "cannot exist";
  map.marked_name = "feedback";
  for (size_t k = 0; k < n; ++k) {
    const auto at = static_cast<int64_t>(k);
    map.row_blocks.push_back({rates.groups[k], at, at + 1});
    map.column_blocks.push_back({rates.groups[k], at, at + 1});
  }
  for (const BlockRate& b : rates.blocks) {
    map.values[b.post * n + b.pre] = static_cast<float>(value(b));
    if (b.feedback) map.marked.push_back({static_cast<int64_t>(b.post), static_cast<int64_t>(b.pre)});
  }
  return map;
}

plot::Figure rates_figure(const Study& study) {
  plot::Figure figure;
  figure.title = "How often each block was significant";
  figure.caption =
      "Share of circuits in which the block's mean |w| differed significantly (max-T over all blocks that can exist, "
      "5 %). Planted: the feedback of the second condition was changed. Null: nothing was. Marked: feedback.";
  figure.columns = 2;
  figure.width_mm = plot::double_column_mm;
  for (Setting setting : {Setting::sessions, Setting::one_recording}) {
    const SettingResult* r = result_of(study, setting);
    if (r == nullptr) continue;
    for (bool planted : {true, false}) {
      const Rates& rates = rates_of(planted ? r->planted : r->null, Measure::weights, BlockLevel::population);
      plot::HeatMap map = map_of(rates, [&](const BlockRate& b) {
        return 100.0 * static_cast<double>(b.significant) / static_cast<double>(std::max<int64_t>(1, rates.circuits));
      });
      map.sequential = true;
      map.scale = 100;
      map.value_label = "circuits (%)";
      figure.panels.push_back({std::string(title_of(setting)) + (planted ? ": planted" : ": null"), std::move(map)});
    }
  }
  return figure;
}

plot::Figure effects_figure(const Study& study) {
  plot::Figure figure;
  figure.title = "Effect sizes";
  figure.caption =
      "Hedges' g of the block's mean |w| (without Dale's law: mean w), planted less unchanged, mean over circuits. "
      "Marked: feedback.";
  figure.columns = 2;
  figure.width_mm = plot::double_column_mm;
  for (const SettingResult& r : study.results) {
    plot::HeatMap map =
        map_of(rates_of(r.planted, Measure::weights, BlockLevel::population), [](const BlockRate& b) { return b.g; });
    map.value_label = "g";
    figure.panels.push_back({title_of(r.setting), std::move(map)});
  }
  return figure;
}

plot::Figure settings_figure(const Study& study) {
  plot::Figure figure;
  figure.title = "Hits and false alarms";
  figure.caption =
      "Share of circuits, with exact 95 % intervals; weights by area and type. Hit: a feedback block is significant. "
      "Another block: one that was not changed. Null: any block, where nothing was changed; dashed: 5 %.";
  figure.columns = 1;
  figure.panel_height_mm = 45;
  figure.width_mm = plot::double_column_mm;
  const char* titles[] = {"Planted: feedback found", "Planted: another block significant",
                          "Null: any block significant"};
  for (int which = 0; which < 3; ++which) {
    plot::GroupChart chart;
    chart.bars = true;
    chart.y.label = "circuits (%)";
    chart.y.min = 0;
    chart.y.max = 100;
    if (which > 0) chart.guides.push_back({5, "5 %"});
    for (const SettingResult& r : study.results) {
      const Rates& planted = rates_of(r.planted, Measure::weights, BlockLevel::population);
      const Rates& null = rates_of(r.null, Measure::weights, BlockLevel::population);
      const int64_t of = which < 2 ? planted.circuits : null.circuits;
      const int64_t hits = which == 0 ? planted.any : which == 1 ? planted.other : null_alarms(null);
      const Interval i = rate_interval(hits, of);
      plot::Group g;
      g.name = name_of(r.setting);
      g.center = 100.0 * static_cast<double>(hits) / static_cast<double>(std::max<int64_t>(1, of));
      g.low = 100 * i.low;
      g.high = 100 * i.high;
      chart.groups.push_back(std::move(g));
    }
    figure.panels.push_back({titles[which], std::move(chart)});
  }
  return figure;
}

ReportTable table_of(const Study& study) {
  ReportTable table;
  table.caption =
      "Circuits with a significant feedback block; with feedback and no other block; with another block; and, where "
      "nothing was planted, with any block. In brackets exact 95 % intervals.";
  table.columns = {{"setting"},       {"compared"},       {"by"}, {"feedback found"}, {"feedback alone"},
                   {"another block"}, {"null: any block"}};
  for (const SettingResult& r : study.results)
    for (size_t k = 0; k < r.planted.size(); ++k) {
      const Rates &p = r.planted[k], &n = r.null[k];
      if (p.circuits == 0) continue;
      table.rows.push_back({std::string(title_of(r.setting)), std::string(name_of(p.kind.measure)),
                            level_name(p.kind.level), rate_text(p.any, p.circuits), rate_text(p.alone, p.circuits),
                            rate_text(p.other, p.circuits), rate_text(null_alarms(n), n.circuits)});
    }
  return table;
}

std::string families_csv(const Study& study) {
  std::string csv =
      "setting,compared,level,comparison,circuits,feedback,all_feedback,feedback_alone,other,any,any_low,any_high\n";
  for (const SettingResult& r : study.results)
    for (bool planted : {true, false})
      for (const Rates& rates : planted ? r.planted : r.null) {
        if (rates.circuits == 0) continue;
        const int64_t any = null_alarms(rates);
        const Interval i = rate_interval(any, rates.circuits);
        char text[240];
        std::snprintf(text, sizeof text, "%s,%s,%s,%s,%lld,%lld,%lld,%lld,%lld,%lld,%.6g,%.6g\n", name_of(r.setting),
                      name_of(rates.kind.measure), level_name(rates.kind.level).c_str(), planted ? "planted" : "null",
                      static_cast<long long>(rates.circuits), static_cast<long long>(rates.any),
                      static_cast<long long>(rates.all), static_cast<long long>(rates.alone),
                      static_cast<long long>(rates.other), static_cast<long long>(any), i.low, i.high);
        csv += text;
      }
  return csv;
}

std::string blocks_csv(const Study& study) {
  std::string csv = "setting,compared,level,comparison,post,pre,feedback,circuits,significant,low,high,g,difference\n";
  for (const SettingResult& r : study.results)
    for (bool planted : {true, false})
      for (const Rates& rates : planted ? r.planted : r.null)
        for (const BlockRate& b : rates.blocks) {
          if (rates.circuits == 0) continue;
          const Interval i = rate_interval(b.significant, rates.circuits);
          char text[200];
          std::snprintf(text, sizeof text, ",%d,%lld,%lld,%.6g,%.6g,%.6g,%.6g\n", b.feedback,
                        static_cast<long long>(rates.circuits), static_cast<long long>(b.significant), i.low, i.high,
                        b.g, b.difference);
          csv += std::string(name_of(r.setting)) + "," + name_of(rates.kind.measure) + "," +
                 level_name(rates.kind.level) + "," + (planted ? "planted" : "null") + "," +
                 csv_field(rates.groups[b.post]) + "," + csv_field(rates.groups[b.pre]) + text;
        }
  return csv;
}

// The numbers in sentences.
std::vector<std::string> summary_of(const Study& study) {
  std::vector<std::string> text;
  const Options& o = study.options;
  if (o.quick)
    text.push_back("A quick run: few circuits and runs. It shows what the full report contains; its rates say little.");
  const auto sentence = [&](Setting setting) {
    const SettingResult* r = result_of(study, setting);
    if (r == nullptr) return std::string();
    const Rates& p = rates_of(r->planted, Measure::weights, BlockLevel::population);
    const Rates& n = rates_of(r->null, Measure::weights, BlockLevel::population);
    return "the feedback (times " + factor_text(setting) + ") was found in " + rate_text(p.any, p.circuits) +
           " circuits, in " + rate_text(p.alone, p.circuits) +
           " with no other block; another block was significant in " + rate_text(p.other, p.circuits) +
           ". Where nothing was planted, any block was significant in " + rate_text(null_alarms(n), n.circuits) + ".";
  };
  const std::string runs = std::to_string(o.runs) + " + " + std::to_string(o.runs) + " runs";
  if (std::string s = sentence(Setting::sessions); !s.empty())
    text.push_back("With " + runs + ", each trained on a session of its own: " + s);
  if (std::string s = sentence(Setting::one_recording); !s.empty())
    text.push_back("With the runs of a condition on one recording: " + s +
                   " Such runs repeat the optimisation, not the experiment: the test is right that the two recordings "
                   "differ, and wrong as a statement on the circuit. Only runs that have data of their own are the "
                   "replicates that the test takes them for.");
  if (const SettingResult* r = result_of(study, Setting::sessions)) {
    const Rates& ridge = rates_of(r->planted, Measure::ridge, BlockLevel::population);
    const Rates& weights = rates_of(r->planted, Measure::weights, BlockLevel::population);
    const Rates& currents = rates_of(r->planted, Measure::currents, BlockLevel::population);
    text.push_back("On the same sessions a ridge regression without any network finds the feedback in " +
                   rate_text(ridge.any, ridge.circuits) + " and another block in " +
                   rate_text(ridge.other, ridge.circuits) +
                   "; currents (weights times activity) find the feedback in " +
                   rate_text(currents.any, currents.circuits) + " and another block in " +
                   rate_text(currents.other, currents.circuits) + ", as currents change wherever activity does.");
    const Rates& null = rates_of(r->null, Measure::weights, BlockLevel::population);
    if (!o.quick && rate_interval(weights.other, weights.circuits).low > 0.05 &&
        rate_interval(null_alarms(null), null.circuits).low <= 0.05)
      text.push_back(
          "The other blocks are more than the 5 % that the test allows, and the null shows that the test keeps them: a "
          "changed feedback also changes how active V1 is, and with it what is fitted elsewhere. Under Dale's law a "
          "weight that is not there is fitted as noise with one side cut off, so that mean |w| also says how precisely "
          "weights are known. A block that is significant besides a far larger one is to be read with that in mind.");
  }
  if (const SettingResult* r = result_of(study, Setting::averages)) {
    const Rates& p = rates_of(r->planted, Measure::weights, BlockLevel::population);
    const Rates& ridge = rates_of(r->planted, Measure::ridge, BlockLevel::population);
    text.push_back(
        "Networks as in figure 5 as published (averages of populations, every unit sees every channel, random frozen "
        "readouts) found the feedback in " +
        rate_text(p.any, p.circuits) + ", a ridge regression on the same averages in " +
        rate_text(ridge.any, ridge.circuits) +
        ". Several things differ at once; one is that what is known of LM can reach V1's readout through the input "
        "weights, so that the recurrent ones need not carry it.");
  }
  return text;
}

}  // namespace

const Rates& rates_of(const std::vector<Rates>& all, Measure measure, BlockLevel level) {
  for (const Rates& r : all)
    if (r.kind.measure == measure && r.kind.level == level) return r;
  return all.front();
}

int64_t null_alarms(const Rates& r) {
  return r.other + r.alone;
}

Result<PlantedReport> report(const Study& study, const ReportProvenance& where) {
  PlantedReport r;
  r.summary = summary_of(study);
  Report page("A planted change, looked for by the comparison",
              "Two conditions differ in the feedback of a simulated circuit alone" +
                  std::string(study.options.quick ? ", quick" : "") + ".");
  page.summary(r.summary);
  page.section(
      "What was done",
      "A circuit: 20 leaky rate units in two areas, V1 and LM, 8 excitatory and 2 inhibitory in each, weights "
      "present with probability 0.3 and between areas only from excitatory units, noise of each unit's own and "
      "weak slow common inputs. A session: 400 s of it at 10 frames a second, all units seen, an indicator "
      "that decays within 20 ms (slow indicator: 0.8 s). Condition B has the weights from LM to V1 multiplied "
      "by " +
          factor_text(Setting::sessions) + " (doubled: 2, weakened: 0.3), the null is another A.");
  page.text(
      "A network: one unit for each cell with the cell's sign, all connections but inhibitory ones between areas, "
      "trained by Dale's backpropagation to predict the next frame. A cell's activity enters its own unit alone and is "
      "read from it with weight 1; input weights and biases start at an autoregression's, recurrent weights near zero, "
      "so that what is large was learnt. Random readouts, or input weights of random sign, turn some excitatory cells "
      "into units that act when the cell is silent, and then Dale's law says nothing about it.");
  page.text(
      "Compared: mean |w| of the blocks between areas and types, by one joint permutation of the runs' labels with "
      "Westfall-Young's max-T over the blocks that can exist (5 %). Every circuit is one experiment; rates are over "
      "circuits.");
  page.section("Rates");
  page.table(table_of(study));
  reproduce::add_figure(r.output, page, settings_figure(study), "settings");
  reproduce::add_figure(r.output, page, rates_figure(study), "rates");
  reproduce::add_figure(r.output, page, effects_figure(study), "effects");
  ReportTable fits;
  fits.caption = "Held-out error of one frame ahead, mean over networks, beside ridge regression's on the same frames.";
  fits.columns = {{"setting"}, {"networks", "", 6}, {"network", "", 4}, {"ridge", "", 4}};
  for (const SettingResult& s : study.results)
    fits.rows.push_back({std::string(title_of(s.setting)), static_cast<double>(s.networks), s.held_out, s.ridge});
  page.section("Fits");
  page.table(fits);
  page.provenance(where);
  reproduce::add_text(r.output, "families.csv", families_csv(study));
  reproduce::add_text(r.output, "blocks.csv", blocks_csv(study));
  reproduce::add_text(r.output, "report.html", page.html());
  return r;
}

}  // namespace dalea::planted
