#include "common/wiring_report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "common/json.h"
#include "common/markup.h"
#include "connectome/connectome.h"

namespace dalea {
namespace {

using nlohmann::json;

std::string with_interval(double v, const Interval& i) {
  return display_number(v) + " [" + display_number(i.low) + ", " + display_number(i.high) + "]";
}

std::string p_number(double p) {
  return short_number(p, 3);
}

json interval_json(const Interval& i) {
  return {number_or_null(i.low), number_or_null(i.high)};
}

json test_json(const WiringTest& t) {
  json o = {{"measured", number_or_null(t.measured)},
            {"interval", interval_json(t.interval)},
            {"seeds", t.seeds},
            {"nulls", t.nulls},
            {"null_mean", number_or_null(t.null_mean)},
            {"null_sd", number_or_null(t.null_sd)},
            {"difference", number_or_null(t.difference)},
            {"difference_interval", interval_json(t.difference_interval)},
            {"nulls_at_least_as_good", t.as_good},
            {"nulls_at_least_as_bad", t.as_bad},
            {"p_better", t.p_better},
            {"p_worse", t.p_worse},
            {"p_two_sided", t.p_two_sided},
            {"z", number_or_null(t.z)},
            {"percentile", t.percentile},
            {"others", json::array()}};
  for (const WiringOther& other : t.others)
    o["others"].push_back({{"name", other.name},
                           {"value", number_or_null(other.value)},
                           {"interval", interval_json(other.interval)},
                           {"difference", number_or_null(other.difference)},
                           {"difference_interval", interval_json(other.difference_interval)}});
  return o;
}

std::string wiring_word(const WiringUnit& u) {
  return u.wiring == WiringKind::measured ? "measured"
         : u.wiring == WiringKind::all    ? "all connections"
         : u.wiring == WiringKind::none   ? "no connections"
                                          : "null";
}

// Bars of equal width as one outline.
plot::Series histogram_of(std::vector<double> values) {
  plot::Series s;
  s.name = "nulls";
  s.style = {plot::rgb(0x8a8a8a), plot::Dash::solid, plot::Marker::none, 1};
  s.fill = true;
  std::sort(values.begin(), values.end());
  const double low = values.front(), high = values.back();
  const auto bars = static_cast<size_t>(std::clamp(std::sqrt(static_cast<double>(values.size())) * 1.6, 4.0, 40.0));
  const double width = high > low ? (high - low) / static_cast<double>(bars) : std::max(1e-6, std::fabs(high) * 1e-3);
  std::vector<double> count(bars, 0);
  for (double v : values) ++count[std::min(bars - 1, static_cast<size_t>((v - low) / width))];
  s.x.push_back(low);
  s.y.push_back(0);
  for (size_t k = 0; k < bars; ++k)
    for (int end = 0; end < 2; ++end) {
      s.x.push_back(low + width * static_cast<double>(k + static_cast<size_t>(end)));
      s.y.push_back(count[k]);
    }
  s.x.push_back(low + width * static_cast<double>(bars));
  s.y.push_back(0);
  return s;
}

plot::Panel nulls_panel(const WiringTest& t, const std::string& against, const std::string& axis,
                        const std::string& title) {
  plot::LineChart chart;
  chart.x.label = axis;
  chart.y.label = "number of wirings";
  chart.y.min = 0;
  plot::Series nulls = histogram_of(t.nulls);
  nulls.name = std::to_string(t.nulls.size()) + " " + against;
  chart.series.push_back(std::move(nulls));
  plot::Guide measured;
  measured.value = t.measured;
  measured.vertical = true;
  measured.name = "measured (p = " + p_number(t.p_better) + ")";
  measured.style = {plot::rgb(0x1b7837), plot::Dash::solid, plot::Marker::none, 2};
  chart.guides.push_back(measured);
  chart.legend = plot::Legend::outside;
  return {title, std::move(chart), {}};
}

plot::Panel differences_panel(const WiringTest& t, const std::string& against) {
  plot::ForestChart chart;
  chart.x.label = "R2 of the measured wiring minus that of ...";
  chart.value_header = "difference [95 % over time]";
  chart.effects.push_back({"mean of " + against, t.difference, t.difference_interval.low, t.difference_interval.high});
  for (const WiringOther& o : t.others)
    chart.effects.push_back({o.name, o.difference, o.difference_interval.low, o.difference_interval.high});
  return {"Beside everything else", std::move(chart), {}};
}

ReportTable test_table(const WiringTest& t, const std::string& caption, const std::string& name) {
  ReportTable table;
  table.caption = caption;
  table.columns = {{"prediction by"}, {name}, {"95 %, over time"}, {"measured minus it"}, {"95 %, paired"}};
  const auto text = [](const Interval& i) { return display_number(i.low) + " to " + display_number(i.high); };
  table.rows.push_back({std::string("measured wiring"), t.measured, text(t.interval), std::string("\xe2\x80\x93"),
                        std::string("\xe2\x80\x93")});
  table.rows.push_back({std::string("nulls, mean"), t.null_mean, std::string("\xe2\x80\x93"), t.difference,
                        text(t.difference_interval)});
  for (const WiringOther& o : t.others)
    table.rows.push_back({o.name, o.value, text(o.interval), o.difference, text(o.difference_interval)});
  return table;
}

std::string rank_sentence(const WiringReport& r, const WiringTest& t, const std::string& name) {
  const auto n = static_cast<int64_t>(t.nulls.size());
  std::string z = std::isfinite(t.z) ? ", z = " + fixed_number(t.z, 2) : "";
  return name + ": " + std::to_string(n - t.as_good) + " of " + std::to_string(n) + " " +
         null_words(r.spec.connectome.against) + " predict worse than the measured wiring (percentile " +
         fixed_number(100 * t.percentile, 1) + z + "). p = " + p_number(t.p_better) +
         " that a wiring from the nulls does as well or better (one-sided), " + p_number(t.p_worse) +
         " as badly or worse, " + p_number(t.p_two_sided) + " two-sided. Measured " + display_number(t.measured) +
         ", nulls " + display_number(t.null_mean) + " (sd " + display_number(t.null_sd) + " between wirings).";
}

}  // namespace

WiringReport wiring_report(const Spec& spec, const Dataset& data, std::vector<WiringUnit> units,
                           std::vector<WiringRow> rows, WiringOutcome outcome) {
  WiringReport r;
  r.spec = spec;
  r.outcome = std::move(outcome);
  r.unit = data.unit;
  r.dt_s = data.dt_s;
  if (data.recording) {
    const std::string& source = data.recording->source;  // a path belongs to somebody's disk
    r.recording = source.substr(source.find_last_of("/\\") + 1);
    r.frames = data.recording->frames;
    r.units_recorded = data.recording->units;
  }
  r.units = std::move(units);
  r.rows = std::move(rows);
  return r;
}

std::string null_words(const std::string& against) {
  if (against == "rewired") return "rewired wirings (every neuron's degrees kept)";
  if (against == "permuted") return "permuted wirings (the number of connections kept)";
  if (against == "spatial") return "wirings with the connections' distances kept";
  if (against == "density") return "random wirings of the same density";
  return against + " wirings";
}

std::vector<std::string> wiring_sentences(const WiringReport& r) {
  const WiringStudy& s = r.outcome.study;
  const WiringTest& t = s.r2;
  const std::string against = r.spec.connectome.against;
  std::vector<std::string> list;
  constexpr double alpha = 0.05;
  const double least_two_sided = std::min(1.0, 2 * s.least_p());
  if (least_two_sided > alpha)
    list.push_back("Undecided: with " + std::to_string(t.nulls.size()) + " nulls the smallest p that can come out is " +
                   p_number(s.least_p()) + " (one-sided; " + p_number(least_two_sided) +
                   " two-sided), so no result could be called significant. Take 99.");
  else if (t.p_two_sided <= alpha && t.p_better < t.p_worse)
    list.push_back("The measured wiring helps: it predicts held-out activity better than " +
                   std::to_string(static_cast<int64_t>(t.nulls.size()) - t.as_good) + " of " +
                   std::to_string(t.nulls.size()) + " " + null_words(against) + " (p = " + p_number(t.p_two_sided) +
                   ", two-sided).");
  else if (t.p_two_sided <= alpha)
    list.push_back("The measured wiring hurts: it predicts held-out activity worse than " +
                   std::to_string(static_cast<int64_t>(t.nulls.size()) - t.as_bad) + " of " +
                   std::to_string(t.nulls.size()) + " " + null_words(against) + " (p = " + p_number(t.p_two_sided) +
                   ", two-sided).");
  else
    list.push_back("The wiring does not help here: among " + std::to_string(t.nulls.size()) + " " +
                   null_words(against) +
                   " the measured one is not out of the ordinary (p = " + p_number(t.p_two_sided) +
                   ", two-sided). That is no proof of equality: a smaller effect than the nulls' spread stays unseen.");
  list.push_back(rank_sentence(r, t, "R2, the test's measure"));
  const bool excludes = t.difference_interval.low > 0 || t.difference_interval.high < 0;
  list.push_back("Measured minus the nulls' mean: R2 " + with_interval(t.difference, t.difference_interval) +
                 " (95 %, blocks of " + std::to_string(s.block) + " of " + std::to_string(s.frames) +
                 " held-out frames resampled" +
                 (r.dt_s > 0 ? ", " + short_number(static_cast<double>(s.block) * r.dt_s, 3) + " s each" : "") +
                 "), which " + (excludes ? "excludes" : "includes") +
                 " 0. The interval is over this recording's time, the p over wirings.");
  list.push_back(rank_sentence(r, s.loss, "Loss (mean squared error), beside it"));
  std::string best;
  double highest = -INFINITY;
  for (const WiringOther& o : t.others)
    if (o.name != "all connections" && o.name != "no connections" && o.value > highest) {
      highest = o.value;
      best = o.name;
    }
  for (const WiringOther& o : t.others) {
    if (o.name == "no connections" || o.name == "all connections" || o.name == best)
      list.push_back("Beside " + (o.name == best ? "the best baseline, " + o.name : o.name) + " (R2 " +
                     display_number(o.value) + ") the measured wiring's R2 of " + display_number(t.measured) + " is " +
                     (o.difference_interval.low > 0    ? "higher"
                      : o.difference_interval.high < 0 ? "lower"
                                                       : "not different") +
                     ": " + with_interval(o.difference, o.difference_interval) + ".");
  }
  if (r.outcome.nulls_left_out > 0)
    list.push_back(std::to_string(r.outcome.nulls_left_out) + " nulls are left out: a network of theirs failed.");
  if (r.quick)
    list.push_back("Quick: " + std::to_string(t.nulls.size()) + " nulls, " + std::to_string(r.spec.runs) +
                   " seeds, fewer epochs; the smallest p is " + p_number(s.least_p()) + ".");
  list.push_back("One recording: nothing here says how it is in other animals.");
  return list;
}

plot::Figure wiring_figure(const WiringReport& r) {
  const WiringStudy& s = r.outcome.study;
  const std::string& against = r.spec.connectome.against;
  plot::Figure figure;
  figure.title = r.spec.name.empty() ? "Does the wiring help?" : r.spec.name;
  figure.caption = wiring_sentences(r).front();
  figure.panels.push_back(
      nulls_panel(s.r2, against, "held-out R2, mean over neurons and seeds", "R2: higher is better"));
  figure.panels.push_back(nulls_panel(s.loss, against, "held-out loss (" + r.unit + ")", "Loss: lower is better"));
  figure.panels.push_back(differences_panel(s.r2, against));
  figure.columns = 1;
  figure.width_mm = 140;
  figure.panel_height_mm = 52;
  return figure;
}

std::string wiring_csv(const WiringReport& r) {
  std::string csv = "wiring,null,run,hash,train,held_out,r2,failure\n";
  const auto number = [](double v) { return std::isfinite(v) ? short_number(v, 17) : std::string(); };
  for (size_t k = 0; k < r.units.size() && k < r.rows.size(); ++k) {
    const WiringUnit& u = r.units[k];
    const WiringRow& row = r.rows[k];
    if (!row.there) continue;
    double r2 = no_value, loss = no_value;
    const WiringStudy& s = r.outcome.study;
    if (row.failure.empty() && !row.errors.relative.empty()) {
      double relative = 0, squared = 0;
      for (double v : row.errors.relative) relative += v;
      for (double v : row.errors.squared) squared += v;
      r2 = 1 - relative / static_cast<double>(row.errors.relative.size());
      loss = s.scored > 0 ? squared / static_cast<double>(s.scored) : no_value;
    }
    csv += wiring_word(u) + "," + (u.wiring == WiringKind::null ? std::to_string(u.null) : "") + "," +
           std::to_string(u.run + 1) + "," + row.hash + "," + number(row.train) + "," + number(loss) + "," +
           number(r2) + "," + csv_field(row.failure) + "\n";
  }
  return csv;
}

std::string wiring_json(const WiringReport& r) {
  const WiringStudy& s = r.outcome.study;
  const json o = {{"name", r.spec.name},
                  {"answer", wiring_sentences(r)},
                  {"against", r.spec.connectome.against},
                  {"nulls", s.r2.nulls.size()},
                  {"nulls_left_out", r.outcome.nulls_left_out},
                  {"seeds", r.spec.runs},
                  {"quick", r.quick},
                  {"least_p", s.least_p()},
                  {"frames", s.frames},
                  {"units", s.units},
                  {"block", s.block},
                  {"draws", s.draws},
                  {"unit", r.unit},
                  {"hash", r.outcome.hash},
                  {"r2", test_json(s.r2)},
                  {"loss", test_json(s.loss)}};
  return o.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string wiring_html(const WiringReport& r, const ReportProvenance& where) {
  const WiringStudy& s = r.outcome.study;
  Report report(r.spec.name.empty() ? "Does the wiring help?" : r.spec.name, "Does the wiring help?");
  report.summary(wiring_sentences(r));
  report.section("Result");
  report.figure(wiring_figure(r), wiring_sentences(r).front(), "wiring", {true, true, true});
  report.table(test_table(s.r2,
                          "R2: the mean over " + std::to_string(s.units) +
                              " neurons of 1 - error / variance, each neuron's own held-out variance.",
                          "R2"));
  report.table(test_table(s.loss,
                          "Loss: mean squared error (" + r.unit +
                              "). Neurons that leave their training range "
                              "weigh most in it.",
                          "loss"));
  report.section("What was done",
                 std::to_string(r.units_recorded) + " recorded neurons that the connectome has, " +
                     std::to_string(r.frames) + " frames of " + r.recording +
                     ". Each neuron is one unit; its own activity is its only input, its next frame "
                     "is what it must predict, and all it knows of the others comes through the connections.");
  if (r.spec.measured)
    for (const std::string& note : r.spec.measured->notes) report.text("Connectome: " + note + ".");
  report.text("Each wiring is trained with " + std::to_string(r.spec.runs) +
              " seeds; its value is the mean of their held-out errors. The test ranks the measured wiring among the "
              "nulls: p = (1 + nulls at least as good) / (1 + nulls). Nulls differ from it in who connects to whom "
              "alone: degrees, signs, seeds, data and training are the same.");
  report.text("Intervals: " + std::to_string(s.draws) + " circular block bootstraps of the " +
              std::to_string(s.frames) + " held-out frames, blocks of " + std::to_string(s.block) +
              "; each neuron's variance is held fixed. Differences are of the same resampled frames.");
  report.provenance(where);
  return report.html();
}

}  // namespace dalea
