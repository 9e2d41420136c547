#include "session/export.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "session/hdf5_write.h"
#include "session/mat_write.h"
#include "session/npz.h"
#include "spec/fields.h"

namespace dalea {
namespace {

constexpr int64_t most_dense = int64_t{1} << 24;  // entries of a matrix that is not stored dense

std::string valid_utf8(const std::string& text) {
  std::string valid;
  for (char32_t c : utf32_of(text)) {
    const auto v = static_cast<uint32_t>(c);
    const int more = v < 0x80 ? 0 : v < 0x800 ? 1 : v < 0x10000 ? 2 : 3;
    valid += static_cast<char>(more == 0 ? v : (0xf00 >> (more + 1) & 0xff) | v >> (6 * more));
    for (int k = more - 1; k >= 0; --k) valid += static_cast<char>(0x80 | (v >> (6 * k) & 0x3f));
  }
  return valid;
}

template <class T>
NamedArray list_of(std::string name, std::string axes, std::vector<T> values) {
  const auto count = static_cast<int64_t>(values.size());
  return {std::move(name), std::move(axes), {count}, std::move(values)};
}

template <class T>
NamedArray one_value(std::string name, T value) {
  return {std::move(name), "", {}, std::vector<T>{std::move(value)}};
}

NamedArray pairs_of(std::string name, const std::vector<Range>& ranges) {
  std::vector<int64_t> values;
  for (const Range& r : ranges) {
    values.push_back(r.begin);
    values.push_back(r.end);
  }
  return {std::move(name), "readout, from and end", {static_cast<int64_t>(ranges.size()), 2}, std::move(values)};
}

bool fits_dense(const Weights& w) {
  return !w.sparse() || w.rows == 0 || w.cols <= most_dense / w.rows;
}

// (row, col), row-major, 0 where there is no connection.
std::vector<float> dense_of(const Weights& w) {
  std::vector<float> dense(static_cast<size_t>(w.rows * w.cols));
  for (int64_t j = 0; j < w.cols; ++j) {
    const int64_t begin = w.sparse() ? w.pattern->col_start[j] : j * w.rows;
    const int64_t end = w.sparse() ? w.pattern->col_start[j + 1] : begin + w.rows;
    for (int64_t e = begin; e < end; ++e) {
      const int64_t i = w.sparse() ? w.pattern->row[e] : e - begin;
      dense[i * w.cols + j] = w.values[e];
    }
  }
  return dense;
}

void add_matrix(NamedArrays& to, const Weights& w, const std::string& axes) {
  if (fits_dense(w)) {
    to.push_back({w.name, axes, {w.rows, w.cols}, dense_of(w)});
    return;
  }
  to.push_back(list_of(w.name + ".values", "entry", w.values));
  to.push_back(list_of(w.name + ".row", "entry", std::vector<int64_t>(w.pattern->row.begin(), w.pattern->row.end())));
  to.push_back(list_of(w.name + ".col_start", "column", w.pattern->col_start));
}

void add_bias(NamedArrays& to, const Weights& b, int64_t rows, const std::string& axes) {
  std::vector<float> values = b.values;
  values.resize(static_cast<size_t>(rows));
  to.push_back({b.name, axes, {rows, 1}, std::move(values)});
}

void add_parameters(NamedArrays& to, const Model& m) {
  const Parameters& p = m.parameters;
  add_matrix(to, p.W_in, "unit, channel");
  add_bias(to, p.b_in, m.units, "unit, 1");
  add_matrix(to, p.W_rec, "post, pre");
  add_bias(to, p.b_rec, m.units, "unit, 1");
  std::vector<float> W_out(static_cast<size_t>(m.outputs * m.units)), b_out(static_cast<size_t>(m.outputs));
  std::vector<Range> units, outputs;
  for (size_t r = 0; r < m.readouts.size(); ++r) {
    const Readout& readout = m.readouts[r];
    units.push_back(readout.units);
    outputs.push_back(readout.outputs);
    add_matrix(to, p.W_out[r], "output, unit of the readout");
    add_bias(to, p.b_out[r], readout.outputs.size(), "output, 1");
    for (int64_t o = 0; o < readout.outputs.size(); ++o) {
      const int64_t at = readout.outputs.begin + o;
      for (int64_t i = 0; i < readout.units.size(); ++i)
        W_out[at * m.units + readout.units.begin + i] = p.W_out[r].at(o, i);
      b_out[at] += p.b_out[r].values[o];  // 0 but for the first readout of an output
    }
  }
  to.push_back({"W_out", "output, unit", {m.outputs, m.units}, std::move(W_out)});
  to.push_back(list_of("b_out", "output", std::move(b_out)));
  to.push_back(pairs_of("readout_units", units));
  to.push_back(pairs_of("readout_outputs", outputs));
}

void add_mask(NamedArrays& to, const Model& m, const Pattern* mask) {
  if (!fits_dense(m.parameters.W_rec)) return;
  std::vector<uint8_t> exists(static_cast<size_t>(m.units * m.units), mask == nullptr ? 1 : 0);
  for (int64_t j = 0; mask != nullptr && j < m.units; ++j)
    for (int64_t e = mask->col_start[j]; e < mask->col_start[j + 1]; ++e) exists[mask->row[e] * m.units + j] = 1;
  to.push_back({"mask", "post, pre", {m.units, m.units}, std::move(exists)});
}

void add_units(NamedArrays& to, const Spec& spec, const Model& m) {
  to.push_back(list_of("sign", "unit", std::vector<int64_t>(m.sign.begin(), m.sign.end())));
  std::vector<float> alpha = m.alpha;
  alpha.resize(static_cast<size_t>(m.units), 1.0f);
  to.push_back(list_of("alpha", "unit", std::move(alpha)));
  std::vector<int64_t> population, size;
  std::vector<std::string> name, area, layer, type;
  for (const Population& p : spec.populations) {
    population.insert(population.end(), static_cast<size_t>(p.size), static_cast<int64_t>(size.size()));
    size.push_back(p.size);
    name.push_back(valid_utf8(p.name));
    area.push_back(valid_utf8(p.area));
    layer.push_back(valid_utf8(p.layer));
    type.push_back(valid_utf8(p.type));
  }
  to.push_back(list_of("population", "unit", std::move(population)));
  to.push_back(list_of("population_name", "population", std::move(name)));
  to.push_back(list_of("population_area", "population", std::move(area)));
  to.push_back(list_of("population_layer", "population", std::move(layer)));
  to.push_back(list_of("population_type", "population", std::move(type)));
  to.push_back(list_of("population_size", "population", std::move(size)));
}

std::string number_text(const char* format, double v) {
  char text[40];
  std::snprintf(text, sizeof text, format, v);
  return text;
}

bool reads_as_number(const std::string& name) {
  return name.empty() || (name.find_first_of("0123456789") != std::string::npos &&
                          name.find_first_not_of("0123456789+-.eE") == std::string::npos);
}

}  // namespace

const char* NamedArray::type() const {
  constexpr const char* names[] = {"float32", "float64", "int64", "uint8", "text"};
  return names[values.index()];
}

NamedArrays network_arrays(const NetworkToExport& network) {
  const Model& m = network.model;
  NamedArrays arrays;
  add_parameters(arrays, m);
  add_mask(arrays, m, network.mask);
  add_units(arrays, network.spec, m);
  arrays.push_back(one_value("activation", std::string(activation_text(m.activation))));
  arrays.push_back(one_value("output_activation", std::string(activation_text(m.output))));
  arrays.push_back(one_value("rectified", static_cast<uint8_t>(m.rectified)));
  arrays.push_back(one_value("dt_s", network.spec.network.dt_s));
  std::vector<int64_t> epochs;
  for (const EpochRecord& r : network.history) epochs.push_back(r.epoch);
  arrays.push_back(list_of("history/epoch", "epoch", std::move(epochs)));
  for (const HistoryColumn& c : history_columns(network.history)) {
    std::vector<double> values;
    for (const EpochRecord& r : network.history) values.push_back(r.*c.member);
    arrays.push_back(list_of(std::string("history/") + c.name, "epoch", std::move(values)));
  }
  arrays.push_back(one_value("experiment", valid_utf8(print_spec(network.spec, false))));
  arrays.push_back(one_value("hash", hash_text(hash_of(m.parameters))));
  arrays.push_back(one_value("run", network.run + 1));
  arrays.push_back(one_value("epochs", static_cast<int64_t>(network.history.size())));
  arrays.push_back(one_value("dalea_version", std::string(dalea_version)));
  return arrays;
}

SavedNetwork saved_network(const Session& session) {
  const TrainerState& s = session.state;
  SavedNetwork saved;
  saved.mask = s.mask ? s.mask : sample_pattern(session.spec, s.run);
  saved.model = build_model(session.spec, session.ends, s.run, saved.mask);
  saved.model.parameters = s.parameters;
  return saved;
}

Result<NamedArrays> prediction_arrays(const Model& model, const Dataset& data, int64_t batch, Isa isa, Workers& workers,
                                      const std::atomic<bool>* cancel) {
  const Trials& t = data.held_out;
  if (t.count == 0 || t.steps == 0)
    return Error{"held-out split", "has no trials, so nothing is predicted; give task.held_out or more frames"};
  const FloatState ieee;
  Pass pass(isa, workers);
  pass.pack(model, false);
  std::vector<float> output;
  output.reserve(static_cast<size_t>(t.count * t.steps * t.outputs));
  for (int64_t from = 0; from < t.count; from += std::max<int64_t>(1, batch)) {
    if (cancel != nullptr && cancel->load(std::memory_order_relaxed)) return Error{"", "cancelled"};
    pass.begin_forward(model, t, from, std::min(from + std::max<int64_t>(1, batch), t.count), data.loss);
    pass.run();
    const std::vector<float> some = outputs_of(pass.activity(), t.outputs);
    output.insert(output.end(), some.begin(), some.end());
  }
  NamedArrays arrays;
  const std::vector<int64_t> outputs = {t.count, t.steps, t.outputs};
  arrays.push_back({"predictions/input", "trial, step, channel", {t.count, t.steps, t.inputs}, t.input});
  arrays.push_back({"predictions/output", "trial, step, output", outputs, std::move(output)});
  if (data.loss == Loss::cross_entropy) {
    arrays.push_back(
        {"predictions/label", "trial, step", {t.count, t.steps}, std::vector<int64_t>(t.label.begin(), t.label.end())});
    std::vector<uint8_t> scored;
    for (int32_t label : t.label) scored.push_back(label >= 0);
    arrays.push_back({"predictions/scored", "trial, step", {t.count, t.steps}, std::move(scored)});
    return arrays;
  }
  std::vector<uint8_t> scored = t.scored;
  if (scored.empty()) scored.assign(t.target.size(), 1);
  arrays.push_back({"predictions/target", "trial, step, output", outputs, t.target});
  arrays.push_back({"predictions/scored", "trial, step, output", outputs, std::move(scored)});
  return arrays;
}

NamedArrays recording_arrays(const Recording& r) {
  std::vector<std::string> names;
  for (const std::string& n : r.names) names.push_back(valid_utf8(n));
  NamedArrays arrays;
  arrays.push_back({"traces", "frame, unit", {r.frames, r.units}, r.values});
  arrays.push_back(list_of("unit_name", "unit", std::move(names)));
  if (!r.cells.empty())
    for (const auto& [name, member] : {std::pair{"unit_area", &CellLabels::area},
                                       {"unit_layer", &CellLabels::layer},
                                       {"unit_type", &CellLabels::type},
                                       {"unit_sign", &CellLabels::sign}}) {
      std::vector<std::string> labels;
      for (const CellLabels& c : r.cells) labels.push_back(valid_utf8(c.*member));
      arrays.push_back(list_of(name, "unit", std::move(labels)));
    }
  arrays.push_back(one_value("rate_hz", r.rate_hz));
  arrays.push_back(one_value("source", valid_utf8(r.source)));
  arrays.push_back(one_value("sha256", r.sha256));
  arrays.push_back(one_value("format", valid_utf8(r.format)));
  return arrays;
}

std::string recording_csv(const Recording& r) {
  // A header of numbers alone would be read as values.
  const bool numbers = std::all_of(r.names.begin(), r.names.end(), reads_as_number);
  std::string csv = r.rate_hz > 0 ? "time_s" : "frame";
  for (const std::string& name : r.names) {
    std::string plain = numbers ? "unit " + name : name;
    for (char& c : plain) {
      if (c == '"') c = '\'';
      if (c == ';') c = ',';
      if (static_cast<unsigned char>(c) < 0x20) c = ' ';
    }
    csv += ",\"" + plain + "\"";
  }
  csv += "\n";
  for (int64_t f = 0; f < r.frames; ++f) {
    csv += r.rate_hz > 0 ? number_text("%.12g", static_cast<double>(f) / r.rate_hz) : std::to_string(f);
    for (int64_t u = 0; u < r.units; ++u) {
      const float v = r.values[f * r.units + u];
      csv += ",";
      if (!std::isnan(v)) csv += number_text("%.9g", static_cast<double>(v));
    }
    csv += "\n";
  }
  return csv;
}

std::optional<ArrayFormat> array_format_of(std::string_view file_name) {
  const size_t dot = file_name.rfind('.');
  std::string end;
  for (char c : file_name.substr(dot == std::string_view::npos ? file_name.size() : dot))
    end += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (end == ".npz") return ArrayFormat::npz;
  if (end == ".mat") return ArrayFormat::mat;
  if (end == ".h5" || end == ".hdf5") return ArrayFormat::hdf5;
  return std::nullopt;
}

std::vector<std::byte> write_npz(const NamedArrays& arrays) {
  Entries entries;
  for (const NamedArray& a : arrays) {
    ByteVector bytes;
    if (const auto* f = std::get_if<std::vector<float>>(&a.values))
      bytes = write_npy_f32(*f, a.shape);
    else if (const auto* d = std::get_if<std::vector<double>>(&a.values))
      bytes = write_npy_f64(*d, a.shape);
    else if (const auto* n = std::get_if<std::vector<int64_t>>(&a.values))
      bytes = write_npy_i64(*n, a.shape);
    else if (const auto* u = std::get_if<std::vector<uint8_t>>(&a.values))
      bytes = write_npy_u8(*u, a.shape);
    else
      bytes = write_npy_text(std::get<std::vector<std::string>>(a.values), a.shape);
    entries.emplace_back(a.name + ".npy", std::move(bytes));
  }
  return write_zip(entries);
}

Result<std::vector<std::byte>> write_arrays(const NamedArrays& arrays, ArrayFormat format) {
  if (format == ArrayFormat::mat) return write_mat(arrays);
  if (format == ArrayFormat::hdf5) return write_hdf5(arrays);
  return write_npz(arrays);
}

}  // namespace dalea
