#include "recording/suite2p.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <optional>

#include "recording/arrays.h"

namespace dalea {
namespace {

// One of the four matrices, a row at a time: whole recordings in double precision would fill a page's memory.
class RoiRows {
 public:
  static Result<RoiRows> open(const ByteVector& bytes, const std::string& path) {
    RoiRows m(bytes);
    Result<NpyHeader> header = read_npy_header(bytes, path);
    if (!header) return header.error();
    m.header_ = *header;
    if (header->shape.size() != 2)
      return Error{path, "has shape " + shape_text(header->shape) + "; suite2p writes ROI x frame"};
    if (header->fortran_order) {
      Result<std::vector<double>> all = read_npy_values(bytes, *header);
      if (!all) return all.error();
      m.all_ = std::move(*all);
    }
    return m;
  }
  int64_t rows() const { return header_.shape[0]; }
  int64_t cols() const { return header_.shape[1]; }
  Result<std::vector<double>> row(int64_t r) const {
    if (!all_.empty()) return std::vector<double>(all_.begin() + r * cols(), all_.begin() + (r + 1) * cols());
    NpyHeader one = header_;
    one.shape = {1, cols()};
    one.data_offset += static_cast<size_t>(r * cols() * header_.item_size);
    return read_npy_values(*bytes_, one);
  }

 private:
  explicit RoiRows(const ByteVector& bytes) : bytes_(&bytes) {}
  const ByteVector* bytes_;
  NpyHeader header_;
  std::vector<double> all_;
};

// How many of the ranks counted so far lie below which: a Fenwick tree.
class Ranks {
 public:
  explicit Ranks(size_t n) : tree_(n + 1, 0) {
    while ((top_ << 1) <= n) top_ <<= 1;
  }
  void add(size_t rank, int64_t by) {
    count_ += by;
    for (size_t k = rank + 1; k < tree_.size(); k += k & (~k + 1)) tree_[k] += by;
  }
  int64_t count() const { return count_; }
  size_t at(int64_t k) const {  // the k-th smallest, k from 0
    size_t place = 0;
    for (size_t step = top_; step > 0; step >>= 1)
      if (place + step < tree_.size() && tree_[place + step] <= k) {
        place += step;
        k -= tree_[place];
      }
    return place;
  }

 private:
  std::vector<int64_t> tree_;
  int64_t count_ = 0;
  size_t top_ = 1;
};

std::string brief(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", v);
  return text;
}

bool never_changes(const std::vector<double>& x) {
  return std::all_of(x.begin(), x.end(), [&](double v) { return v == x[0] || std::isnan(v); });
}

}  // namespace

bool is_suite2p_file(std::string_view name) {
  return name == "F.npy" || name == "Fneu.npy" || name == "spks.npy" || name == "iscell.npy";
}

std::vector<double> rolling_percentile(const std::vector<double>& x, double percentile, int64_t window) {
  const auto n = static_cast<int64_t>(x.size());
  std::vector<int64_t> order(x.size());
  std::iota(order.begin(), order.end(), 0);
  std::erase_if(order, [&](int64_t k) { return std::isnan(x[k]); });
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return x[a] < x[b]; });
  std::vector<int64_t> rank(x.size(), -1);
  for (size_t k = 0; k < order.size(); ++k) rank[order[k]] = static_cast<int64_t>(k);
  Ranks ranks(order.size());
  const auto count = [&](int64_t frame, int64_t by) {
    if (rank[frame] >= 0) ranks.add(static_cast<size_t>(rank[frame]), by);
  };
  const int64_t reach = std::clamp<int64_t>(window, 1, 2 * n + 1);
  const int64_t before = (reach - 1) / 2, after = reach / 2;
  std::vector<double> out(x.size(), std::nan(""));
  for (int64_t k = 0, begin = 0, end = 0; k < n; ++k) {
    for (; end < std::min(n, k + after + 1); ++end) count(end, 1);
    for (; begin < k - before; ++begin) count(begin, -1);
    if (ranks.count() == 0) continue;
    const double place = percentile / 100 * static_cast<double>(ranks.count() - 1);
    const auto low = static_cast<int64_t>(std::floor(place));
    const double a = x[order[ranks.at(low)]];
    const double b = low + 1 < ranks.count() ? x[order[ranks.at(low + 1)]] : a;
    out[k] = a + (place - static_cast<double>(low)) * (b - a);
  }
  return out;
}

Result<Table> read_suite2p(const Entries& files, std::string_view file_name, const RecordingSpec& spec,
                           const Progress& progress) {
  const Suite2pSpec& s = spec.suite2p;
  const std::string file(file_name);
  const auto open = [&](const char* name, std::optional<RoiRows>& to) -> Status {
    for (const auto& [n, bytes] : files) {
      if (n != name) continue;
      Result<RoiRows> m = RoiRows::open(bytes, file + "/" + name);
      if (!m) return m.error();
      to = std::move(*m);
    }
    return {};
  };
  std::optional<RoiRows> f, neuropil, spikes, accepted;
  const bool of_spikes = s.signal == "spikes";
  const bool subtracts = (s.signal == "dff" || s.signal == "corrected") && s.neuropil > 0;
  if (Status ok = open("F.npy", f); !ok) return ok.error();
  if (Status ok = open("iscell.npy", accepted); !ok) return ok.error();
  if (of_spikes)
    if (Status ok = open("spks.npy", spikes); !ok) return ok.error();
  if (subtracts)
    if (Status ok = open("Fneu.npy", neuropil); !ok) return ok.error();
  if (!f && !of_spikes) return Error{file, "holds no F.npy; give it, or set recording.suite2p.signal to spikes"};
  if (of_spikes && !spikes) return Error{file, "holds no spks.npy; give it, or set recording.suite2p.signal to dff"};
  if (subtracts && !neuropil) return Error{file, "holds no Fneu.npy; give it, or set recording.suite2p.neuropil to 0"};
  const RoiRows& main = of_spikes ? *spikes : *f;
  const int64_t rois = main.rows(), frames = main.cols();
  if (rois == 0 || frames == 0) return Error{file, "holds empty arrays"};
  const auto same = [&](const std::optional<RoiRows>& m) { return !m || (m->rows() == rois && m->cols() == frames); };
  if (!same(f) || !same(neuropil))
    return Error{file, "holds arrays of different shapes: F.npy, Fneu.npy and spks.npy must be of one run of suite2p"};
  if (accepted && (accepted->rows() != rois || accepted->cols() < 1))
    return Error{file, "iscell.npy has " + std::to_string(accepted->rows()) + " rows for " + std::to_string(rois) +
                           " ROIs; it must be of the same run of suite2p"};

  const double width = std::round(s.window_s * spec.rate_hz);
  const bool rolling = spec.rate_hz > 0 && width < static_cast<double>(frames);
  const int64_t window = rolling ? std::max<int64_t>(1, static_cast<int64_t>(width)) : 2 * frames + 1;
  Table table;
  table.kind = "suite2p";
  table.cols = frames;
  int64_t refused = 0, floored = 0;
  for (int64_t roi = 0; roi < rois; ++roi) {
    if (!progress.at(static_cast<uint64_t>(roi), static_cast<uint64_t>(rois))) return cancelled(file);
    const std::string name = "roi " + std::to_string(roi);
    if (accepted && s.accepted) {
      Result<std::vector<double>> cell = accepted->row(roi);
      if (!cell) return cell.error();
      if (!((*cell)[0] > 0.5)) {
        ++refused;
        table.dropped.push_back({name, "not accepted by iscell.npy"});
        continue;
      }
    }
    Result<std::vector<double>> read = main.row(roi);
    if (!read) return read.error();
    std::vector<double> x = std::move(*read);
    for (double v : x)
      if (std::isinf(v)) return Error{file, name + " has an infinite value; write NaN where one is missing"};
    if (never_changes(x)) {
      table.dropped.push_back({name, of_spikes ? "spks is constant" : "F is constant"});
      continue;
    }
    double floor = 0;
    if (s.signal == "dff") {
      std::vector<double> size;
      for (double v : x)
        if (!std::isnan(v)) size.push_back(std::abs(v));
      std::nth_element(size.begin(), size.begin() + static_cast<std::ptrdiff_t>(size.size() / 2), size.end());
      floor = 0.01 * size[size.size() / 2];
    }
    if (subtracts) {
      Result<std::vector<double>> around = neuropil->row(roi);
      if (!around) return around.error();
      for (int64_t k = 0; k < frames; ++k) x[k] -= s.neuropil * (*around)[k];
    }
    if (s.signal == "dff") {
      const std::vector<double> base = rolling_percentile(x, s.percentile, window);
      bool low = false;
      for (int64_t k = 0; k < frames; ++k) {
        low = low || base[k] < floor;
        x[k] = (x[k] - base[k]) / std::max({base[k], floor, 1e-12});
      }
      floored += low;
    }
    table.values.insert(table.values.end(), x.begin(), x.end());
    table.row_names.push_back(name);
    table.places.push_back(roi);
  }
  table.rows = static_cast<int64_t>(table.row_names.size());
  if (table.rows == 0)
    return Error{file, "has no ROI left: of " + std::to_string(rois) + ", " + std::to_string(refused) +
                           " are not accepted by iscell.npy and the others never change; set "
                           "recording.suite2p.accepted to false to take them all"};

  table.orientation = "unit-by-time";
  table.orientation_reason = "suite2p writes ROI x frame";
  const std::string corrected = subtracts ? "F - " + brief(s.neuropil) + " Fneu" : "F";
  const std::string share = "percentile " + brief(s.percentile);
  table.format = "suite2p " + shape_text({rois, frames}) + ": " +
                 (of_spikes                    ? "spks"
                  : s.signal == "fluorescence" ? "F"
                  : s.signal == "corrected"    ? corrected
                                               : "dF/F of " + corrected) +
                 (s.signal == "dff" ? ", baseline its " + share +
                                          (rolling ? " over " + brief(s.window_s) + " s" : " of the whole recording")
                                    : "");
  if (accepted && s.accepted)
    table.notes.push_back(std::to_string(rois - refused) + " of " + std::to_string(rois) +
                          " ROIs are accepted by iscell.npy");
  if (!accepted) table.notes.push_back("there is no iscell.npy: all ROIs are taken");
  if (accepted && !s.accepted) table.notes.push_back("iscell.npy is passed over: all ROIs are taken");
  if (spec.rate_hz == 0)
    table.notes.push_back(std::string("the sampling rate is in ops.npy, a Python pickle, which is not read: give "
                                      "recording.rate_hz") +
                          (s.signal == "dff" ? " (the baseline is then taken over recording.suite2p.window_s)" : ""));
  if (floored > 0)
    table.notes.push_back("the baseline of " + std::to_string(floored) + (floored == 1 ? " ROI" : " ROIs") +
                          " falls below 1 % of the ROI's median F, which is divided by instead");
  return table;
}

}  // namespace dalea
