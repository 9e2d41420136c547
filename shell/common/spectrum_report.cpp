#include "common/spectrum_report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "common/markup.h"
#include "numerics/math.h"

namespace dalea {
namespace {

constexpr int64_t spectrum_bins = 60;
constexpr Color initial_grey = plot::rgb(0x8a8a8a);

plot::Series circle(double radius, const plot::Style& style) {
  plot::Series s;
  s.style = style;
  constexpr int steps = 180;
  for (int k = 0; k <= steps; ++k) {
    const double angle = 2 * pi * k / steps;
    s.x.push_back(radius * std::cos(angle));
    s.y.push_back(radius * std::sin(angle));
  }
  return s;
}

plot::Series points(const char* name, const Spectrum& spectrum, const plot::Style& style) {
  plot::Series s;
  s.name = name;
  s.style = style;
  s.line = false;
  s.marks = true;
  for (const std::complex<double>& v : spectrum.values) {
    s.x.push_back(v.real());
    s.y.push_back(v.imag());
  }
  return s;
}

plot::Panel plane_panel(const SpectrumStudy& study) {
  plot::LineChart chart;
  chart.equal = true;
  chart.x.label = "real part";
  chart.y.label = "imaginary part";
  chart.series.push_back(circle(1, {plot::rgb(0x777777), plot::Dash::solid, plot::Marker::none, 0.8}));
  if (study.now.spectrum.bulk > 0) {
    chart.series.push_back(
        circle(study.now.spectrum.bulk, {plot::rgb(0x777777), plot::Dash::dotted, plot::Marker::none, 1}));
    chart.series.back().name = "if drawn anew";
  }
  plot::Style before = plot::series_style(4), after = plot::series_style(0);
  before.color = initial_grey;
  before.marker = plot::Marker::cross;
  chart.series.push_back(points("initial", study.initial.spectrum, before));
  chart.series.push_back(points("now", study.now.spectrum, after));
  double left = -1, right = 1, top = 1;
  for (const SpectrumSide* side : {&study.initial, &study.now})
    for (const std::complex<double>& v : side->spectrum.values) {
      left = std::min(left, v.real());
      right = std::max(right, v.real());
      top = std::max(top, std::fabs(v.imag()));
    }
  const double pad = 0.05 * (right - left);
  chart.x.min = left - pad;
  chart.x.max = right + pad;
  chart.y.min = -top - pad;
  chart.y.max = top + pad;
  return {"Eigenvalues", std::move(chart)};
}

// The outline of the spectrum_bins, down to zero at both ends.
plot::Series steps(const Histogram& h) {
  plot::Series s;
  for (size_t k = 0; k < h.counts.size(); ++k)
    for (size_t edge : {k, k + 1}) {
      s.x.push_back(h.edges[edge]);
      s.y.push_back(static_cast<double>(h.counts[k]));
    }
  return s;
}

plot::Panel signs_panel(const SpectrumStudy& study) {
  plot::LineChart chart;
  chart.x.label = "recurrent weight";
  chart.y.label = "synapses";
  for (size_t k = 0; k < study.now.weights.size(); ++k) {
    const SignWeights &before = study.initial.weights[k], &after = study.now.weights[k];
    if (after.synapses == 0) continue;
    const char* sign = text_of(static_cast<Sign>(k));
    plot::Series now = steps(after.histogram), initial = steps(before.histogram);
    now.name = sign;
    now.style = k < 2 ? plot::named_style(sign) : plot::series_style(2);
    now.style.dash = plot::Dash::solid;
    now.style.marker = plot::Marker::none;
    now.style.width = 0.8;
    now.fill = true;
    initial.name = std::string(sign) + ", initial";
    initial.style = now.style;
    initial.style.dash = plot::Dash::dotted;
    initial.style.width = 1.1;
    chart.series.push_back(std::move(now));
    chart.series.push_back(std::move(initial));
  }
  return {"Weights that are not 0", std::move(chart)};
}

}  // namespace

Result<SpectrumStudy> study_spectrum(const std::string& name, const std::vector<Population>& populations,
                                     const Weights& initial, const Weights& now) {
  SpectrumStudy study;
  study.name = name;
  study.populations = populations;
  std::vector<Range> ranges;
  for (const Population& p : populations) {
    const int64_t begin = ranges.empty() ? 0 : ranges.back().end;
    ranges.push_back({begin, begin + p.size});
  }
  const std::vector<Sign> signs = signs_of(populations);
  const Synapses matrices[] = {synapses_of(initial), synapses_of(now)};
  Result<std::vector<double>> edges = edges_at_zero(matrices, spectrum_bins);
  if (!edges) return edges.error();
  SpectrumSide* sides[] = {&study.initial, &study.now};
  for (size_t k = 0; k < 2; ++k) {
    Result<Spectrum> spectrum = spectrum_of(matrices[k], ranges);
    if (!spectrum) return spectrum.error();
    Result<WeightsBySign> weights = weights_by_sign(matrices[k], signs, *edges);
    if (!weights) return weights.error();
    sides[k]->spectrum = std::move(*spectrum);
    sides[k]->weights = std::move(*weights);
  }
  return study;
}

plot::Figure spectrum_figure(const SpectrumStudy& study) {
  plot::Figure figure;
  figure.title = (study.name.empty() ? "Recurrent matrix" : study.name) + ", " +
                 std::to_string(study.now.spectrum.values.size()) + " units";
  figure.caption = "Eigenvalues of the recurrent matrix over the unit circle: largest modulus " +
                   display_number(study.initial.spectrum.radius) + " initially, " +
                   display_number(study.now.spectrum.radius) +
                   " now. Dotted circle: where the bulk would be if the weights of each pair of populations were drawn "
                   "anew with their mean and variance. Histograms: synapses that exist; exactly 0 now:";
  for (size_t k = 0; k < study.now.weights.size(); ++k)
    if (const SignWeights& s = study.now.weights[k]; s.synapses > 0)
      figure.caption += std::string(" ") + fixed_number(100 * s.share_zero(), 2) + " % of the " +
                        text_of(static_cast<Sign>(k)) + " ones,";
  figure.caption.back() = '.';
  figure.panels = {plane_panel(study), signs_panel(study)};
  figure.columns = 2;
  figure.width_mm = plot::double_column_mm;
  return figure;
}

std::string eigenvalues_csv(const SpectrumStudy& study) {
  std::string csv = "when,real,imaginary,modulus\n";
  char line[120];
  for (const SpectrumSide* side : {&study.initial, &study.now})
    for (const std::complex<double>& v : side->spectrum.values) {
      std::snprintf(line, sizeof line, "%s,%.17g,%.17g,%.17g\n", side == &study.initial ? "initial" : "now", v.real(),
                    v.imag(), std::abs(v));
      csv += line;
    }
  return csv;
}

}  // namespace dalea
