#include "app/connectome_state.h"

#include <algorithm>
#include <cmath>
#include <new>

#include "analysis/special.h"
#include "analysis/statistics.h"
#include "app/circuit.h"
#include "app/comparison.h"
#include "app/runs.h"
#include "common/markup.h"
#include "numerics/parallel.h"

namespace dalea::app {
namespace {

constexpr int most_side = 512;                        // cells of a picture of neurons
constexpr int64_t most_read = 2'000'000;              // connections that are kept to be read
constexpr int64_t most_unasked_threaded = 5'000'000;  // connections
constexpr int64_t most_unasked_pumped = 200'000;
constexpr int64_t most_counted_nodes = 1000;  // in a frame

std::string small_letters(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

std::string_view beginning(const NamedFile& file) {
  const std::span<const std::byte> bytes = file.content();
  return {reinterpret_cast<const char*>(bytes.data()), std::min<size_t>(bytes.size(), 4096)};
}

// Columns of the first line; 0: no text.
size_t columns_of(std::string_view text) {
  if (text.empty() || text.find('\0') != std::string_view::npos) return 0;
  const std::string_view line = text.substr(0, text.find('\n'));
  return 1 + static_cast<size_t>(
                 std::count_if(line.begin(), line.end(), [](char c) { return c == ',' || c == ';' || c == '\t'; }));
}

// Of npy, npz and other files of arrays.
bool holds_numbers(std::string_view text) {
  return text.substr(0, 6) == "\x93NUMPY" || text.substr(0, 2) == "PK" || text.find('\0') != std::string_view::npos;
}

struct Mean {
  double mean = no_value, low = no_value, high = no_value;
};

// With Student's interval of this confidence.
Mean mean_with_interval(const std::vector<double>& x, double alpha) {
  Mean m;
  if (x.empty()) return m;
  double sum = 0;
  for (double v : x) sum += v;
  m.mean = sum / static_cast<double>(x.size());
  if (x.size() < 2) return m;
  double square = 0;
  for (double v : x) square += (v - m.mean) * (v - m.mean);
  const auto n = static_cast<double>(x.size());
  const double half = student_critical(alpha, n - 1) * std::sqrt(square / (n - 1) / n);
  m.low = m.mean - half;
  m.high = m.mean + half;
  return m;
}

double final_loss(const JobView& j) {
  return j.state == JobState::finished && !j.history->empty() ? j.history->back().held_out : no_value;
}

std::string signed_number(double v) {
  return (v > 0 ? "+" : "") + short_number(v, 3);
}

}  // namespace

ConnectomePart connectome_part(const NamedFile& file) {
  const std::string name = small_letters(file.name.substr(file.name.find_last_of("/\\") + 1));
  const auto has = [&](const char* word) { return name.find(word) != std::string::npos; };
  const std::string_view text = beginning(file);
  const size_t columns = columns_of(text);
  const bool numbers = holds_numbers(text);
  if (name.rfind("cells", 0) == 0 || name.rfind("events", 0) == 0) return ConnectomePart::none;  // of recordings
  if ((has("densit") || name.rfind("nd_", 0) == 0) && (numbers || columns == 1 || columns == 2))
    return ConnectomePart::densities;
  if (!numbers && columns == 1 && (has("names") || has("labels"))) return ConnectomePart::names;
  if (!numbers && (has("names") || has("labels") || has("regions") || has("positions") || has("nodes")) &&
      is_node_table(file.content()))
    return ConnectomePart::names;
  if (!numbers && columns >= 2 && (has("sign") || has("transmitter"))) return ConnectomePart::signs;
  if (!numbers && columns == 2) {
    const std::string head = small_letters(std::string(text.substr(0, text.find_first_of("\r\n"))));
    for (const char* word : {"transmitter", ",sign", "\tsign", ";sign", "dominant_nt"})
      if (head.find(word) != std::string::npos) return ConnectomePart::signs;
  }
  return is_connectome(file.content(), file.name) ? ConnectomePart::matrix : ConnectomePart::none;
}

std::optional<ConnectomeParts> connectome_parts(const std::vector<FilePtr>& files) {
  ConnectomeParts parts;
  for (const FilePtr& f : files) {
    const ConnectomePart part = connectome_part(*f);
    FilePtr* to = part == ConnectomePart::matrix      ? &parts.matrix
                  : part == ConnectomePart::names     ? &parts.names
                  : part == ConnectomePart::signs     ? &parts.signs
                  : part == ConnectomePart::densities ? &parts.densities
                                                      : nullptr;
    if (to == nullptr || *to) return std::nullopt;
    *to = f;
  }
  return parts;
}

bool uses_densities(const ConnectomeSpec& k, const std::vector<double>& densities) {
  if (k.density_scaling != "none") return true;
  constexpr double most_neurons = 1e5;  // more of them are neurons per volume
  double sum = 0;
  for (double v : densities) {
    if (!(v >= 1) || v != std::floor(v)) return false;
    sum += v;
  }
  return sum <= most_neurons;
}

Connectome turned(Connectome c) {
  for (int64_t i = 0; i < c.nodes; ++i)
    for (int64_t j = 0; j < i; ++j)
      std::swap(c.weight[static_cast<size_t>(i * c.nodes + j)], c.weight[static_cast<size_t>(j * c.nodes + i)]);
  return c;
}

std::shared_ptr<const Connectome> FittedConnectome::get(const Setup& setup, const ConnectomeSpec& wanted) {
  const std::shared_ptr<const Connectome>& from = setup.spec.measured;
  if (!from) return nullptr;
  const bool turn = wanted.orientation != setup.spec.connectome.orientation;
  const bool dense = uses_densities(wanted, setup.densities);
  if (!turn && dense == !from->density.empty()) return from;
  if (!turn && setup.densities.empty()) return from;
  if (from_ == from && turned_ == turn && dense_ == dense) return found_;
  Connectome c = turn ? app::turned(*from) : *from;
  c.density = dense ? setup.densities : std::vector<double>();
  from_ = from;
  turned_ = turn;
  dense_ = dense;
  return found_ = std::make_shared<const Connectome>(std::move(c));
}

Result<std::vector<Job>> null_jobs(const Spec& experiment, const std::vector<std::string>& nulls, int64_t runs) {
  if (!experiment.measured) return Error{"connectome", "is not there; choose one first"};
  if (nulls.empty()) return Error{"connectome.null_model", "is not chosen; choose at least one null model"};
  ComparisonPlan plan;
  plan.key = "connectome.null_model";
  plan.values = {"none"};
  plan.values.insert(plan.values.end(), nulls.begin(), nulls.end());
  plan.runs = runs;
  Result<std::vector<Job>> jobs = comparison_jobs(experiment, plan);
  if (!jobs) return jobs;
  for (Job& j : *jobs) {
    if (j.group == "none") j.group = "measured";
    j.name = j.group + ", run " + std::to_string(j.run + 1);
    j.show_weights = j.run == 0;
  }
  return jobs;
}

bool are_null_jobs(const SideView& side) {
  return std::any_of(side.jobs.begin(), side.jobs.end(), [](const JobView& j) { return j.job.group == "measured"; });
}

std::vector<NullResult> null_results(const SideView& side) {
  std::vector<NullResult> list;
  for (const JobView& j : side.jobs)
    if (std::none_of(list.begin(), list.end(), [&](const NullResult& r) { return r.name == j.job.group; })) {
      list.emplace_back();
      list.back().name = j.job.group;
    }
  const double alpha = 0.05 / static_cast<double>(std::max<size_t>(1, list.size() - (list.empty() ? 0 : 1)));
  const auto loss_of = [&](const std::string& group, int64_t run) {
    for (const JobView& j : side.jobs)
      if (j.job.group == group && j.job.run == run) return final_loss(j);
    return no_value;
  };
  for (NullResult& r : list) {
    std::vector<double> differences;
    for (const JobView& j : side.jobs) {
      if (j.job.group != r.name) continue;
      const double loss = final_loss(j), measured = loss_of("measured", j.job.run);
      if (!std::isfinite(loss)) continue;
      r.losses.push_back(loss);
      if (r.name != "measured" && std::isfinite(measured)) differences.push_back(loss - measured);
    }
    const Mean all = mean_with_interval(r.losses, 0.05), apart = mean_with_interval(differences, alpha);
    r.mean = all.mean;
    r.low = all.low;
    r.high = all.high;
    r.difference = apart.mean;
    r.difference_low = apart.low;
    r.difference_high = apart.high;
  }
  return list;
}

std::string null_verdict(const std::vector<NullResult>& results) {
  std::string better, worse, open;
  size_t tested = 0, runs = 0;
  const auto add = [](std::string& list, const std::string& name) { list += (list.empty() ? "" : ", ") + name; };
  for (const NullResult& r : results) {
    if (r.name == "measured") continue;
    if (!std::isfinite(r.difference_low)) continue;
    ++tested;
    runs = std::max(runs, r.losses.size());
    add(r.difference_low > 0 ? better : r.difference_high < 0 ? worse : open, r.name);
  }
  if (tested == 0)
    return "Differences are judged when two runs of the measured wiring and of a null model have finished.";
  std::string text;
  if (!better.empty()) text += "The measured wiring learns better than " + better + ". ";
  if (!worse.empty()) text += "The measured wiring learns worse than " + worse + ". ";
  if (!open.empty())
    text += "No difference is shown to " + open + " with " + std::to_string(runs) +
            (runs < 5 ? " runs: so few show only large ones. " : " runs. ");
  text.pop_back();
  return text;
}

NamedFile null_results_file(const SideView& side) {
  std::string text = "null_model,run,held_out\n";
  for (const JobView& j : side.jobs)
    if (const double loss = final_loss(j); std::isfinite(loss))
      text += csv_field(j.job.group) + "," + std::to_string(j.job.run + 1) + "," + short_number(loss, 17) + "\n";
  for (const NullResult& r : null_results(side))
    if (std::isfinite(r.difference_low))
      text += "# " + r.name + " minus measured: " + signed_number(r.difference) + " [" +
              signed_number(r.difference_low) + ", " + signed_number(r.difference_high) + "]\n";
  return text_file("dalea-nulls.csv", text);
}

ConnectomeScaler::ConnectomeScaler(bool own_thread) : own_thread_(own_thread && threads_available()) {
  if (!own_thread_) return;
  thread_ = std::thread([this] {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return quit_ || wish_; });
      if (quit_) return;
      const std::shared_ptr<const Spec> spec = std::exchange(wish_, nullptr);
      const uint64_t number = number_;
      lock.unlock();
      work(spec, number);
      lock.lock();
    }
  });
}

ConnectomeScaler::~ConnectomeScaler() {
  {
    const std::lock_guard lock(mutex_);
    quit_ = true;
    ++number_;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void ConnectomeScaler::follow(const Spec& draft, bool asked) {
  const std::lock_guard lock(mutex_);
  if (!draft.measured || (!asked && last_ && same_mask(*last_, draft))) return;
  const bool large = draft.measured->nodes > most_counted_nodes;  // counted with its scaling
  const Result<int64_t> count = large ? Result<int64_t>(int64_t{-1}) : count_connections(draft);
  const auto spec = std::make_shared<const Spec>(draft);
  ++number_;  // what is at work stops
  last_ = spec;
  wish_ = nullptr;
  auto counted = std::make_shared<ScaledDraft>();
  counted->of = spec;
  if (count) counted->connections = *count;
  if (!count) counted->failure = count.error().text();
  waits_ = count && !asked && (large || *count > (own_thread_ ? most_unasked_threaded : most_unasked_pumped));
  // Until the new one is here, the old picture stays.
  if (!view_ || !count || waits_) view_ = counted;
  if (count && !waits_) wish_ = spec;
  changed_ = true;
  wake_.notify_all();
}

void ConnectomeScaler::cancel() {
  const std::lock_guard lock(mutex_);
  ++number_;
  wish_ = nullptr;
  waits_ = last_ != nullptr;
}

void ConnectomeScaler::pump() {
  if (own_thread_) return;
  std::shared_ptr<const Spec> spec;
  {
    const std::lock_guard lock(mutex_);
    spec = std::exchange(wish_, nullptr);
  }
  if (spec) work(spec, number_);
}

std::shared_ptr<const ScaledDraft> ConnectomeScaler::view() const {
  const std::lock_guard lock(mutex_);
  return view_;
}

std::optional<double> ConnectomeScaler::part() const {
  const double part = part_;
  return part >= 0 ? std::optional<double>(part) : std::nullopt;
}

bool ConnectomeScaler::waits() const {
  const std::lock_guard lock(mutex_);
  return waits_;
}

void ConnectomeScaler::work(std::shared_ptr<const Spec> spec, uint64_t number) {
  auto found = std::make_shared<ScaledDraft>();
  found->of = spec;
  part_ = 0;
  try {
    const auto goes_on = [&](double part) {
      if (std::floor(20 * part) != std::floor(20 * part_)) changed_ = true;
      part_ = part;
      return number == number_;
    };
    Result<ScaledConnectome> scaled = scale_connectome(*spec, 0, goes_on);
    if (!scaled) {
      found->failure = scaled.error().text();
    } else {
      const ScaledConnectome& s = *scaled;
      const int64_t n = s.units, shrink = std::max<int64_t>(1, (n + most_side - 1) / most_side);
      found->connections = s.connections();
      found->density =
          n > 0 ? static_cast<double>(s.connections()) / (static_cast<double>(n) * static_cast<double>(n)) : 0;
      found->side = static_cast<int>((n + shrink - 1) / shrink);
      found->cells.assign(static_cast<size_t>(found->side) * static_cast<size_t>(found->side), 0);
      found->scale = log_scale(s.weight);
      found->region_end.assign(static_cast<size_t>(spec->measured->nodes), 0);
      for (int64_t i = 0; i < n; ++i) {
        found->region_end[static_cast<size_t>(s.region[static_cast<size_t>(i)])] = i + 1;
        for (int64_t e = s.start[static_cast<size_t>(i)]; e < s.start[static_cast<size_t>(i) + 1]; ++e) {
          const int64_t to = s.target[static_cast<size_t>(e)];
          uint8_t& cell = found->cells[static_cast<size_t>(to / shrink * found->side + i / shrink)];
          const auto level =
              static_cast<uint8_t>(1 + std::lround(254 * found->scale.at(s.weight[static_cast<size_t>(e)])));
          cell = std::max(cell, level);
        }
      }
      for (size_t r = 1; r < found->region_end.size(); ++r)
        found->region_end[r] = std::max(found->region_end[r], found->region_end[r - 1]);
      if (spec->connectome.null_model != "none") {
        Connectome c = *spec->measured;
        std::fill(c.weight.begin(), c.weight.end(), 0.0);
        for (int64_t i = 0; i < n; ++i)
          for (int64_t e = s.start[static_cast<size_t>(i)]; e < s.start[static_cast<size_t>(i) + 1]; ++e) {
            const int64_t from = s.region[static_cast<size_t>(i)],
                          to = s.region[static_cast<size_t>(s.target[static_cast<size_t>(e)])];
            c.weight[static_cast<size_t>(from * c.nodes + to)] += s.weight[static_cast<size_t>(e)];
          }
        found->regions = std::make_shared<const Connectome>(std::move(c));
      }
      if (s.connections() <= most_read) found->whole = std::make_shared<const ScaledConnectome>(std::move(*scaled));
    }
  } catch (const std::bad_alloc&) {
    found->failure = "There is not enough memory to draw this many connections; take fewer neurons or targets";
  }
  const std::lock_guard lock(mutex_);
  part_ = -1;
  changed_ = true;
  if (number == number_) view_ = std::move(found);
}

}  // namespace dalea::app
