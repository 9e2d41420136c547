#include "app/pruning.h"

#include <algorithm>
#include <cmath>

#include "common/json.h"
#include "network/rules.h"

namespace dalea::app {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

json number_or_null(const std::optional<double>& v) {
  return dalea::number_or_null(v.value_or(no_value));
}

Status take_count(const json& value, const std::string& path, int64_t most, int64_t& to) {
  if (!value.is_number_integer() || value.get<int64_t>() < 1 || value.get<int64_t>() > most)
    return Error{path, "is " + value.dump() + "; give a whole number from 1 to " + std::to_string(most)};
  to = value.get<int64_t>();
  return {};
}

Status take_flag(const json& value, const std::string& path, bool& to) {
  if (!value.is_boolean()) return Error{path, "is " + value.dump() + "; give true or false"};
  to = value.get<bool>();
  return {};
}

// Every block keeps the part 1 - sparsity of its own density by the experiment's rules.
Result<std::vector<PruneBlock>> blocks_of(const PruneSettings& settings, const NetworkCopy& network) {
  if (!prunes_by_block(network.spec))
    return Error{"blocks",
                 "need connectivity.probability, table or motifs, which this experiment does not have; prune the whole "
                 "matrix"};
  BlockMatrix density = block_probability(network.spec);
  for (std::vector<double>& row : density)
    for (double& p : row) p *= 1 - settings.sparsity;
  return population_blocks(network.model.populations, density);
}

Status check_size(const NetworkCopy& network) {
  if (network.model.units <= most_pruned_units) return {};
  return Error{"populations", "have " + std::to_string(network.model.units) + " units together, more than the " +
                                  std::to_string(most_pruned_units) +
                                  " the window prunes; download the session and use dalea prune"};
}

WeightBins bins_of(const Weights& w, const std::vector<uint8_t>& kept) {
  constexpr int64_t count = 60;
  WeightBins bins;
  for (float v : w.values) bins.top = std::max(bins.top, std::fabs(static_cast<double>(v)));
  bins.all.assign(count, 0);
  bins.surviving.assign(count, 0);
  if (!(bins.top > 0) || !std::isfinite(bins.top)) return bins;
  const auto put = [&](float v, bool stays) {
    if (v == 0) return;
    const double place = (static_cast<double>(v) / bins.top + 1) / 2 * static_cast<double>(count);
    const auto k = static_cast<size_t>(std::clamp<int64_t>(static_cast<int64_t>(place), 0, count - 1));
    bins.all[k] += 1;
    bins.surviving[k] += stays ? 1 : 0;
  };
  if (!w.sparse()) {
    for (size_t e = 0; e < w.values.size(); ++e) put(w.values[e], kept[e] != 0);
    return bins;
  }
  for (int64_t j = 0; j < w.cols; ++j)
    for (int64_t e = w.pattern->col_start[j]; e < w.pattern->col_start[j + 1]; ++e)
      put(w.values[e], kept[j * w.rows + w.pattern->row[e]] != 0);
  return bins;
}

SweepOptions common_options(const PruneSettings& settings) {
  SweepOptions options;
  options.include_diagonal = settings.diagonal;
  options.draw = settings.exact_count ? PruneDraw::exact_count : PruneDraw::bernoulli;
  options.as_published = settings.as_published;
  return options;
}

json settings_json(const PruneSettings& s) {
  return {{"method", text_of(s.method)},
          {"sparsity", s.sparsity},
          {"mask", s.mask_draw},
          {"draws", s.sweep_draws},
          {"exact_count", s.exact_count},
          {"diagonal", s.diagonal},
          {"as_published", s.as_published},
          {"blocks", s.blocks}};
}

}  // namespace

Status change_settings(PruneSettings& settings, std::string_view text) {
  const json given = json::parse(text, nullptr, false);
  if (!given.is_object())
    return Error{"prune", "is not a JSON object; give for example {\"method\":\"top-prob\",\"sparsity\":0.5}"};
  PruneSettings s = settings;
  for (const auto& item : given.items()) {
    const std::string path = "prune." + item.key();
    const json& value = item.value();
    Status ok;
    if (item.key() == "method") {
      if (!value.is_string()) return Error{path, "is " + value.dump() + "; give random, magnitude or top-prob"};
      Result<PruneMethod> method = parse_prune_method(value.get<std::string>(), path);
      if (!method) return method.error();
      s.method = *method;
    } else if (item.key() == "sparsity") {
      if (!value.is_number() || !(value.get<double>() >= 0 && value.get<double>() <= 1))
        return Error{path, "is " + value.dump() + "; give the fraction of absent connections, from 0 to 1"};
      s.sparsity = value.get<double>();
    } else if (item.key() == "mask") {
      ok = take_count(value, path, most_mask_draw, s.mask_draw);
    } else if (item.key() == "draws") {
      ok = take_count(value, path, most_sweep_draws, s.sweep_draws);
    } else if (item.key() == "exact_count") {
      ok = take_flag(value, path, s.exact_count);
    } else if (item.key() == "diagonal") {
      ok = take_flag(value, path, s.diagonal);
    } else if (item.key() == "as_published") {
      ok = take_flag(value, path, s.as_published);
    } else if (item.key() == "blocks") {
      ok = take_flag(value, path, s.blocks);
    } else {
      return Error{path,
                   "is not known; give method, sparsity, mask, draws, exact_count, diagonal, as_published, blocks"};
    }
    if (!ok) return ok;
  }
  if (s.as_published && s.exact_count)
    return Error{"prune.exact_count",
                 "is not as published, where each connection is drawn by itself; leave one of the two out"};
  if (s.as_published && !s.diagonal)
    return Error{"prune.diagonal",
                 "is not left out as published, where it is pruned like the rest; leave one of the two out"};
  settings = s;
  return {};
}

bool prunes_by_block(const Spec& spec) {
  const ConnectivitySpec& c = spec.connectivity;
  return spec.connectome.source == "none" && (has_rules(spec) || !c.probability.empty() || c.distance > 0);
}

Result<SweepOptions> mask_options(const PruneSettings& settings, const NetworkCopy& network) {
  if (Status ok = check_size(network); !ok) return ok.error();
  SweepOptions options = common_options(settings);
  options.methods = {settings.method};
  if (!settings.blocks) {
    options.sparsities = {settings.sparsity};
    return options;
  }
  Result<std::vector<PruneBlock>> blocks = blocks_of(settings, network);
  if (!blocks) return blocks.error();
  options.blocks = std::move(*blocks);
  return options;
}

Result<SweepOptions> sweep_options(const PruneSettings& settings, const NetworkCopy& network) {
  if (Status ok = check_size(network); !ok) return ok.error();
  SweepOptions options = common_options(settings);
  options.draws = settings.sweep_draws;
  if (!settings.blocks) return options;
  Result<std::vector<PruneBlock>> blocks = blocks_of(settings, network);
  if (!blocks) return blocks.error();
  options.blocks = std::move(*blocks);
  return options;
}

Result<PrunedPtr> pruned_start(const PruneSettings& settings, const NetworkCopy& network, int64_t epochs) {
  if (epochs < 1 || epochs > 1'000'000)
    return Error{"retraining epochs", "are " + std::to_string(epochs) + "; give 1 to 1000000"};
  Result<SweepOptions> options = mask_options(settings, network);
  if (!options) return options.error();
  Result<PruneResult> pruned = prune_at(network.model.parameters.W_rec, *options, settings.method, 0,
                                        settings.mask_draw - 1, network.spec.seed, network.run);
  if (!pruned) return pruned.error();
  auto start = std::make_shared<PrunedStart>();
  start->network = network.network;
  start->run = network.run;
  start->spec = start->before = network.spec;
  start->spec.training.epochs = epochs;
  start->spec.stages.prune = false;
  start->mask = pruned->pattern();
  start->start = network.model.parameters;
  start->start.W_rec = pruned->weights;
  return PrunedPtr(std::move(start));
}

Pruning::~Pruning() {
  {
    const std::lock_guard lock(mutex_);
    quit_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Pruning::wake() {
  if (!threads_available()) return;
  wake_.notify_all();
  if (thread_.joinable()) return;
  thread_ = std::thread([this] {
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return quit_ || !idle(); });
        if (quit_) return;
      }
      advance(true);
    }
  });
}

void Pruning::show(NetworkPtr network, const PruneSettings& settings) {
  {
    const std::lock_guard lock(mutex_);
    wish_ = Wish{std::move(network), settings};
  }
  wake();
}

void Pruning::sweep(NetworkPtr network, const PruneSettings& settings) {
  {
    const std::lock_guard lock(mutex_);
    if (view_.sweeping) return;
    sweep_wish_ = Wish{std::move(network), settings};
    stop_sweep_ = false;
    view_.sweeping = true;
    view_.done = view_.all = 0;
    view_.sweep = nullptr;
    view_.failure.clear();
  }
  changed_ = true;
  wake();
}

void Pruning::stop() {
  stop_sweep_ = true;
  changed_ = true;
}

void Pruning::pump(double seconds) {
  if (threads_available()) return;
  const Clock::time_point start = Clock::now();
  while (advance(false) && std::chrono::duration<double>(Clock::now() - start).count() < seconds) {
  }
}

PruneView Pruning::view() const {
  const std::lock_guard lock(mutex_);
  return view_;
}

bool Pruning::changed() {
  return changed_.exchange(false);
}

void Pruning::fail(const Error& error) {
  const std::lock_guard lock(mutex_);
  view_.failure = error.text();
}

bool Pruning::advance(bool whole) {
  std::optional<Wish> wish, sweep_wish;
  {
    const std::lock_guard lock(mutex_);
    if (idle()) return false;
    if (wish_)
      std::swap(wish, wish_);
    else
      std::swap(sweep_wish, sweep_wish_);
  }
  if (!workers_) workers_ = std::make_unique<Workers>(threads_available() ? std::max(1, threads_) : 1);
  try {
    // What the user just asked to see comes before the long work.
    if (wish)
      make_mask(*wish);
    else if (sweep_wish)
      begin_sweep(*sweep_wish);
    else if (error_)
      advance_loss(error_, whole);
    else if (dense_)
      advance_loss(dense_, whole);
    else
      advance_sweep(whole);
  } catch (const std::bad_alloc&) {
    dense_ = nullptr;
    error_ = nullptr;
    dense_of_ = nullptr;
    steps_ = nullptr;
    fail({"", "There is not enough memory to prune this network here; use dalea prune"});
    const std::lock_guard lock(mutex_);
    view_.sweeping = false;
  }
  changed_ = true;
  return true;
}

std::unique_ptr<Pruning::Measurement> Pruning::measure(NetworkPtr network, const Model& model, bool last_only) {
  if (network->data->held_out.count == 0) return nullptr;
  auto m = std::make_unique<Measurement>();
  m->model = model;
  m->loss =
      std::make_unique<HeldOutLoss>(*network->data, network->spec.training.batch, last_only, best_isa(), *workers_);
  m->network = std::move(network);
  m->loss->begin(m->model);
  return m;
}

void Pruning::make_mask(const Wish& wish) {
  const NetworkCopy& network = *wish.network;
  const Weights& w = network.model.parameters.W_rec;
  error_ = nullptr;
  {
    const std::lock_guard lock(mutex_);
    view_.failure.clear();
  }
  Result<SweepOptions> options = mask_options(wish.settings, network);
  if (!options) return fail(options.error());
  if (tree_of_ != wish.network) {
    Result<SpanningTree> tree = maximum_spanning_tree(w);
    if (!tree) return fail(tree.error());
    tree_ = std::make_shared<SpanningTree>(std::move(*tree));
    tree_of_ = wish.network;
  }
  const PruneSettings& settings = wish.settings;
  Result<PruneResult> pruned =
      prune_at(w, *options, settings.method, 0, settings.mask_draw - 1, network.spec.seed, network.run);
  if (!pruned) return fail(pruned.error());
  Result<TreeOverlap> overlap = tree_overlap(*tree_, pruned->kept);
  if (!overlap) return fail(overlap.error());

  auto mask = std::make_shared<MaskView>();
  mask->settings = settings;
  mask->network = wish.network;
  mask->density = pruned->density;
  mask->tree = tree_;
  mask->survived = overlap->survived;
  mask->by_chance = expected_overlap(*tree_, w, pruned->kept, *options, settings.method);
  if (settings.method == PruneMethod::top_prob && !settings.blocks) {
    PruneOptions o;
    o.sparsity = settings.sparsity;
    o.include_diagonal = settings.diagonal;
    o.draw = options->draw;
    o.as_published = settings.as_published;
    Result<KeepProbabilities> p = keep_probabilities(w, o);
    if (!p) return fail(p.error());
    Result<OverlapBound> bound = top_prob_bound(std::move(p->keep), w.rows, w.cols, settings.sparsity);
    if (!bound) return fail(bound.error());
    mask->at_least = *bound;
  }
  mask->bins = bins_of(w, pruned->kept);
  Model model = network.model;
  const std::shared_ptr<const Pattern> pattern = pruned->pattern();
  model.parameters.W_rec = on_mask(pruned->weights, pattern, w.sparse() || stored_sparse(network.spec, pattern.get()));
  error_ = measure(wish.network, model, settings.as_published);
  const bool dense_known = dense_of_ == wish.network && dense_last_only_ == settings.as_published;
  if (!dense_known) {
    dense_ = measure(wish.network, network.model, settings.as_published);
    if (dense_) dense_->dense = true;
    dense_of_ = wish.network;
    dense_last_only_ = settings.as_published;
  }
  mask->kept = std::move(pruned->kept);
  const std::lock_guard lock(mutex_);
  view_.mask = std::move(mask);
  view_.held_out.reset();
  if (!dense_known) view_.dense.reset();
}

void Pruning::advance_loss(std::unique_ptr<Measurement>& of, bool whole) {
  if (whole ? of->loss->step() : of->loss->advance()) return;
  {
    const std::lock_guard lock(mutex_);
    (of->dense ? view_.dense : view_.held_out) = of->loss->value();
    (of->dense ? view_.dense_accuracy : view_.accuracy) = of->loss->accuracy();
  }
  of = nullptr;
}

void Pruning::begin_sweep(const Wish& wish) {
  steps_ = nullptr;
  swept_ = wish.network;
  const auto give_up = [&](const Error& error) {
    fail(error);
    const std::lock_guard lock(mutex_);
    view_.sweeping = false;
  };
  Result<SweepOptions> options = sweep_options(wish.settings, *swept_);
  if (!options) return give_up(options.error());
  Result<std::unique_ptr<SweepSteps>> steps =
      SweepSteps::create(swept_->spec, swept_->model, *swept_->data, swept_->run, *options, best_isa(), *workers_);
  if (!steps) return give_up(steps.error());
  swept_options_ = std::move(*options);
  steps_ = std::move(*steps);
  told_ = 0;
  const std::lock_guard lock(mutex_);
  view_.all = steps_->all();
}

void Pruning::advance_sweep(bool whole) {
  bool more = !stop_sweep_;
  if (more) {
    Result<bool> went = whole ? steps_->step() : steps_->advance();
    if (!went) fail(went.error());
    more = went.ok() && *went;
  }
  if (more && steps_->done() == told_) return;
  told_ = steps_->done();
  auto sweep = std::make_shared<SweepView>(SweepView{swept_, swept_options_, steps_->result()});
  if (!more) steps_ = nullptr;
  const std::lock_guard lock(mutex_);
  view_.done = told_;
  view_.sweep = std::move(sweep);
  view_.sweeping = more;
}

PruneStudy study_of(const SweepView& sweep, const std::string& isa, int threads) {
  PruneStudy study;
  study.name = sweep.network->spec.name;
  study.unit = sweep.network->data->unit;
  study.isa = isa;
  study.threads = threads;
  study.options = sweep.options;
  PrunedNetwork network;
  network.run = sweep.network->run;
  network.seed = sweep.network->spec.seed;
  network.hash = sweep.network->hash;
  network.dense = sweep.sweep.dense;
  network.sweep = sweep.sweep;
  study.networks.push_back(std::move(network));
  return study;
}

std::string pruning_json(const PruneView& view, const PruneSettings& settings) {
  json o = {{"settings", settings_json(settings)},
            {"sweeping", view.sweeping},
            {"done", view.done},
            {"all", view.all},
            {"failure", view.failure}};
  o["mask"] = o["sweep"] = nullptr;
  if (view.mask) {
    const MaskView& m = *view.mask;
    o["mask"] = {{"settings", settings_json(m.settings)},
                 {"current", m.settings == settings},
                 {"hash", m.network->hash},
                 {"updates", m.network->updates},
                 {"kept", m.density.kept},
                 {"entries", m.density.entries},
                 {"nominal", m.density.nominal},
                 {"achieved", m.density.achieved},
                 {"effective", m.density.effective},
                 {"tree_edges", m.tree->edges()},
                 {"tree_survived", m.survived},
                 {"tree_by_chance", m.by_chance},
                 {"held_out", number_or_null(view.held_out)},
                 {"dense", number_or_null(view.dense)},
                 {"accuracy", view.held_out ? number_or_null(view.accuracy) : nullptr},
                 {"dense_accuracy", view.dense ? number_or_null(view.dense_accuracy) : nullptr}};
    if (m.at_least)
      o["mask"]["tree_at_least"] = {{"corrected", m.at_least->corrected}, {"published", m.at_least->published}};
  }
  if (view.sweep) {
    json points = json::array();
    for (const SweepPoint& p : view.sweep->sweep.points)
      points.push_back({{"method", text_of(p.method)},
                        {"sparsity", p.sparsity},
                        {"draws", p.draws.size()},
                        {"held_out", number_or_null(p.held_out)},
                        {"sd", number_or_null(p.held_out_sd)},
                        {"accuracy", number_or_null(p.accuracy)},
                        {"overlap", p.overlap},
                        {"overlap_random", p.random_overlap}});
    o["sweep"] = {{"complete", view.sweep->sweep.complete},
                  {"hash", view.sweep->network->hash},
                  {"updates", view.sweep->network->updates},
                  {"dense", number_or_null(view.sweep->sweep.dense)},
                  {"points", std::move(points)}};
  }
  return o.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace dalea::app
