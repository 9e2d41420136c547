#include "common/fit_report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "common/markup.h"

namespace dalea {
namespace {

constexpr Color fit_grey = plot::rgb(0x8a8a8a);

std::string fit_number(double v) {
  if (!std::isfinite(v)) return "";
  char text[40];
  std::snprintf(text, sizeof text, "%.9g", v);
  return text;
}

std::string fit_row(const char* kind, const UnitFit& f) {
  std::string row =
      std::string(kind) + "," + csv_field(f.name) + "," + std::to_string(f.units) + "," + std::to_string(f.values);
  const auto add = [&](const Estimate& e) {
    for (double v : {e.value, e.low, e.high}) row += "," + fit_number(v);
  };
  for (size_t k = 0; k < predictor_count; ++k) {
    add(f.r2[k]);
    add(f.correlation[k]);
  }
  row += "," + fit_number(f.shuffled_r2) + ",";
  if (std::isfinite(f.difference.value)) row += predictor_name(f.best);
  add(f.difference);
  return row + "," + fit_number(f.ceiling) + "," + std::to_string(f.wins) + "," + std::to_string(f.clear_wins) + "\n";
}

// Of the units that have an R2, from the best.
std::vector<const UnitFit*> ranked(const Fits& fits) {
  std::vector<const UnitFit*> units;
  for (const UnitFit& u : fits.units)
    if (u.units > 0) units.push_back(&u);
  std::stable_sort(units.begin(), units.end(), [](const UnitFit* a, const UnitFit* b) {
    return a->of(Predictor::network).value > b->of(Predictor::network).value;
  });
  return units;
}

plot::LineChart ranks_chart(const Fits& fits) {
  plot::LineChart chart;
  chart.x.label = "unit, from the best predicted";
  chart.y.label = "held-out R\xc2\xb2";
  chart.legend = plot::Legend::outside;
  plot::Series network, base, shuffled, ceiling;
  network.name = fits.draws > 0 ? "network, 95 % interval" : "network";
  network.style = plot::named_style("dale");
  network.style.dash = plot::Dash::solid;
  base.name = "best baseline";
  base.style = {plot::ink, plot::Dash::solid, plot::Marker::cross, 1};
  shuffled.name = "network, units shuffled";
  shuffled.style = {fit_grey, plot::Dash::solid, plot::Marker::triangle, 1};
  ceiling.name = "noise ceiling";
  ceiling.style = {plot::rgb(0x2166ac), plot::Dash::dotted, plot::Marker::diamond, 1};
  base.line = shuffled.line = ceiling.line = false;
  base.marks = shuffled.marks = ceiling.marks = true;
  double least = 0;
  size_t rank = 0;
  for (const UnitFit* u : ranked(fits)) {
    const double x = static_cast<double>(++rank);
    const Estimate& e = u->of(Predictor::network);
    for (plot::Series* s : {&network, &base, &shuffled, &ceiling}) s->x.push_back(x);
    network.y.push_back(e.value);
    network.low.push_back(std::isfinite(e.low) ? e.low : e.value);
    network.high.push_back(std::isfinite(e.high) ? e.high : e.value);
    base.y.push_back(u->of(u->best).value);
    shuffled.y.push_back(u->shuffled_r2);
    ceiling.y.push_back(u->ceiling);
    for (double v : {e.value, u->of(u->best).value, u->shuffled_r2})
      if (std::isfinite(v)) least = std::min(least, v);
  }
  // A few hopeless units must not flatten all the others.
  chart.y.max = 1;
  chart.y.min = std::max(least - 0.02, -1.0);
  network.marks = rank < 60;
  chart.guides.push_back({0, "held-out mean"});
  chart.series.push_back(std::move(network));
  chart.series.push_back(std::move(base));
  if (fits.permutations > 0) chart.series.push_back(std::move(shuffled));
  if (fits.no_ceiling.empty()) chart.series.push_back(std::move(ceiling));
  return chart;
}

plot::LineChart against_chart(const Fits& fits) {
  plot::LineChart chart;
  chart.x.label = "R\xc2\xb2 of the best baseline";
  chart.y.label = "R\xc2\xb2 of the network";
  chart.legend = plot::Legend::none;
  chart.equal = true;
  plot::Series points;
  points.name = "units";
  points.style = plot::named_style("dale");
  points.line = false;
  points.marks = true;
  double least = 0;
  for (const UnitFit* u : ranked(fits)) {
    points.x.push_back(u->of(u->best).value);
    points.y.push_back(u->of(Predictor::network).value);
    for (double v : {points.x.back(), points.y.back()})
      if (std::isfinite(v)) least = std::min(least, v);
  }
  least = std::max(least - 0.02, -1.0);
  chart.x.min = chart.y.min = least;
  chart.x.max = chart.y.max = 1;
  plot::Series equal;
  equal.name = "equal";
  equal.style = {fit_grey, plot::Dash::dashed, plot::Marker::none, 0.9};
  equal.x = equal.y = {least, 1};
  chart.series.push_back(std::move(equal));
  chart.series.push_back(std::move(points));
  return chart;
}

}  // namespace

std::string interval_text(const Estimate& e, int decimals) {
  if (!std::isfinite(e.value)) return "-";
  char text[80];
  if (std::isfinite(e.low))
    std::snprintf(text, sizeof text, "%.*f [%.*f, %.*f]", decimals, e.value, decimals, e.low, decimals, e.high);
  else
    std::snprintf(text, sizeof text, "%.*f", decimals, e.value);
  return text;
}

plot::Figure fit_figure(const FitReport& r) {
  plot::Figure figure;
  figure.title = r.name.empty() ? "Held-out fit" : r.name + ": held-out fit";
  figure.caption = fit_method(r.fits);
  figure.panels.push_back({"R\xc2\xb2 by unit", ranks_chart(r.fits)});
  figure.panels.push_back({"Network against baseline", against_chart(r.fits)});
  figure.columns = 2;
  figure.width_mm = plot::double_column_mm;
  return figure;
}

std::string fit_csv(const FitReport& r) {
  std::string csv = "kind,name,units,values";
  for (const char* who : {"network", "last_frame", "ar1", "linear"})
    for (const char* what : {"r2", "correlation"})
      for (const char* end : {"", "_low", "_high"}) csv += std::string(",") + who + "_" + what + end;
  csv += ",shuffled_r2,best_baseline,difference,difference_low,difference_high,ceiling,wins,clear_wins\n";
  for (const UnitFit& g : r.fits.groups) csv += fit_row("group", g);
  for (const UnitFit& u : r.fits.units) csv += fit_row("unit", u);
  return csv;
}

std::string fit_method(const Fits& f) {
  char text[400];
  std::snprintf(
      text, sizeof text,
      "R\xc2\xb2 = 1 - SSE / SST over %lld held-out frames, SST about the held-out mean of each unit; missing "
      "values left out. Of groups: sums over units; correlation: mean over units.",
      static_cast<long long>(f.frames));
  std::string all = text;
  if (f.draws > 0) {
    std::snprintf(text, sizeof text, " Intervals: 95 %%, %lld draws of moving blocks of %lld frames (%.1f of them).",
                  static_cast<long long>(f.draws), static_cast<long long>(f.block), f.blocks());
    all += text;
  }
  if (f.permutations > 0) {
    std::snprintf(text, sizeof text, " Shuffled: inputs exchanged among %s, mean of %lld permutations.",
                  f.shuffled_among.c_str(), static_cast<long long>(f.permutations));
    all += text;
  }
  return all;
}

std::string fit_verdict(const FitReport& r) {
  if (r.fits.groups.empty() || !std::isfinite(r.fits.groups[0].difference.value))
    return "No unit varies in the held-out part, so nothing can be compared.";
  const UnitFit& all = r.fits.groups[0];
  const Estimate& d = all.difference;
  const char* verdict = !std::isfinite(d.low) ? (d.value > 0 ? "is above" : "is not above")
                        : d.low > 0           ? "beats"
                        : d.high < 0          ? "is worse than"
                                              : "cannot be told from";
  char text[240];
  std::snprintf(
      text, sizeof text,
      "The network %s the best baseline (%s): difference in R\xc2\xb2 %s; better in %lld of %lld units, clearly "
      "in %lld.",
      verdict, predictor_name(all.best), interval_text(d, 4).c_str(), static_cast<long long>(all.wins),
      static_cast<long long>(all.units), static_cast<long long>(all.clear_wins));
  return text;
}

}  // namespace dalea
