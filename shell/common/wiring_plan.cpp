#include "common/wiring_plan.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "common/json.h"
#include "connectome/connectome.h"
#include "numerics/hash.h"

namespace dalea {
namespace {

using nlohmann::json;

// The experiment without a connectome: its populations stay.
Spec without_connectome(const Spec& spec) {
  Spec s = spec;
  s.measured = nullptr;
  s.connectome = {};
  s.connectome.nodes = spec.connectome.nodes;
  return s;
}

json wiring_numbers(const std::vector<double>& values) {
  json list = json::array();
  for (double v : values) list.push_back(number_or_null(v));
  return list;
}

bool take_wiring_numbers(const json& o, const char* key, std::vector<double>& to) {
  if (!o.contains(key) || !o[key].is_array()) return false;
  for (const json& v : o[key]) {
    if (!v.is_number()) return false;
    to.push_back(v.get<double>());
  }
  return true;
}

}  // namespace

std::string WiringUnit::name() const {
  char text[60];
  const auto r = static_cast<long long>(run + 1);
  switch (wiring) {
    case WiringKind::measured:
      std::snprintf(text, sizeof text, "measured-run-%lld", r);
      break;
    case WiringKind::all:
      std::snprintf(text, sizeof text, "all-run-%lld", r);
      break;
    case WiringKind::none:
      std::snprintf(text, sizeof text, "none-run-%lld", r);
      break;
    case WiringKind::null:
      std::snprintf(text, sizeof text, "null-%03lld-run-%lld", static_cast<long long>(null), r);
      break;
  }
  return text;
}

Status check_wiring_test(const Spec& spec) {
  const ConnectomeSpec& k = spec.connectome;
  if (k.nulls == 0)
    return Error{"connectome.nulls", "is 0, so there is nothing to test the wiring against; give 99, or 19 at least"};
  if (k.nulls < 2) return Error{"connectome.nulls", "is 1, which makes no distribution; give 2 or more, 99 is usual"};
  if (!spec.measured)
    return Error{"connectome.nulls",
                 "are wirings drawn from a connectome, but the experiment has none; give "
                 "connectome.file"};
  if (spec.task.type != "recording")
    return Error{"connectome.nulls", "are compared by the prediction of a recording, but the task is " +
                                         spec.task.type + "; take the task recording, or nulls 0"};
  if (k.null_model != "none")
    return Error{"connectome.null_model", "is " + k.null_model +
                                              ", but the measured wiring is what is tested against nulls; set it to "
                                              "none (connectome.against says which nulls), or nulls to 0"};
  if (k.against == "weights")
    return Error{"connectome.against",
                 "weights keeps who connects to whom, and the test is of that alone; take "
                 "rewired, permuted or density"};
  if (k.remap != "none")
    return Error{"connectome.remap", "gives weights of the measured links, which nulls have not; set it to none"};
  if (spec.stages.prune)
    return Error{"stages.prune", "takes connections away, but the wirings are what is compared; switch it off"};
  Spec null = spec;
  null.connectome.null_model = k.against;
  if (Status ok = check_scaling(null); !ok) return ok;
  const Result<std::shared_ptr<const Pattern>> first = connectome_pattern(spec, 0),
                                               second = connectome_pattern(spec, 1);
  if (!first) return first.error();
  if (!second) return second.error();
  if ((*first)->row != (*second)->row || (*first)->col_start != (*second)->col_start)
    return Error{"connectome.nulls",
                 "need one wiring for all runs, but here each run draws which neurons of a region "
                 "are reached; set connectome.neurons to 1, or target_sparsity and "
                 "intrinsic_sparsity to 1"};
  return {};
}

std::vector<WiringUnit> wiring_units(const Spec& spec) {
  std::vector<WiringUnit> units;
  for (WiringKind w : {WiringKind::measured, WiringKind::all, WiringKind::none})
    for (int64_t r = 0; r < spec.runs; ++r) units.push_back({w, 0, r});
  for (int64_t k = 1; k <= spec.connectome.nulls; ++k)
    for (int64_t r = 0; r < spec.runs; ++r) units.push_back({WiringKind::null, k, r});
  return units;
}

void make_wiring_quick(Spec& spec) {
  spec.connectome.nulls = std::min<int64_t>(spec.connectome.nulls, 9);
  spec.runs = std::min<int64_t>(spec.runs, 2);
  spec.training.epochs = std::max<int64_t>(1, spec.training.epochs * 2 / 5);
  spec.training.schedule.t_max = std::max<int64_t>(1, spec.training.schedule.t_max * 2 / 5);
}

Result<std::shared_ptr<const Pattern>> wiring_mask(const Spec& spec, const WiringUnit& unit) {
  if (unit.wiring == WiringKind::measured) return connectome_pattern(spec, 0);
  if (unit.wiring == WiringKind::null) {
    Spec null = spec;
    null.connectome.null_model = spec.connectome.against;
    null.connectome.null_seed = unit.null;
    return connectome_pattern(null, 0);
  }
  const int64_t n = spec.units();
  std::vector<int64_t> start{0};
  std::vector<int32_t> row;
  for (int64_t j = 0; j < n; ++j) {
    for (int64_t i = 0; i < n && unit.wiring == WiringKind::all; ++i)
      if (i != j) row.push_back(static_cast<int32_t>(i));
    start.push_back(static_cast<int64_t>(row.size()));
  }
  return make_pattern(n, n, std::move(start), std::move(row));
}

Result<std::unique_ptr<Trainer>> wiring_trainer(const Spec& spec, const WiringUnit& unit, Dataset data,
                                                TrainerOptions options) {
  if (unit.wiring == WiringKind::measured) return Trainer::create(spec, std::move(data), unit.run, options);
  Result<std::shared_ptr<const Pattern>> mask = wiring_mask(spec, unit);
  if (!mask) return mask.error();
  options.mask = std::move(*mask);
  return Trainer::create(without_connectome(spec), std::move(data), unit.run, options);
}

WiringRow wiring_row(const Trainer& trainer) {
  WiringRow row;
  row.there = true;
  row.hash = hash_text(trainer.hash());
  row.failure = trainer.failure();
  if (!trainer.history().empty()) row.train = trainer.history().back().train;
  if (!row.failure.empty()) return row;
  const Dataset& data = trainer.data();
  Workers one(1);
  row.errors = errors_of(held_out_frames(data.held_out), data.held_out,
                         held_out_outputs(trainer.model(), data, trainer.spec().training.batch, trainer.isa(), one));
  return row;
}

std::string wiring_id(const Spec& spec) {
  Spec s = spec;
  s.runs = 1;  // more nulls or seeds keep what is there
  s.connectome.nulls = 0;
  const std::string text = print_spec(s, true) + "\n" + (spec.measured ? spec.measured->sha256 : "");
  return sha256_hex({reinterpret_cast<const std::byte*>(text.data()), text.size()});
}

std::string wiring_row_json(const WiringRow& row, const std::string& id) {
  const json o = {{"experiment", id},
                  {"hash", row.hash},
                  {"failure", row.failure},
                  {"train", number_or_null(row.train)},
                  {"squared", wiring_numbers(row.errors.squared)},
                  {"relative", wiring_numbers(row.errors.relative)}};
  return o.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<WiringRow> read_wiring_row(std::string_view text, const std::string& path, const std::string& id) {
  const json o = json::parse(text, nullptr, false);
  WiringRow row;
  const auto word = [&](const char* key) {
    return o.contains(key) && o[key].is_string() ? o[key].get<std::string>() : std::string();
  };
  if (!o.is_object() || word("hash").empty())
    return Error{path, "is not the result of a network; remove it, and the network is trained again"};
  if (word("experiment") != id)
    return Error{path, "was left by another experiment; choose another --out, or leave --resume out"};
  row.there = true;
  row.hash = word("hash");
  row.failure = word("failure");
  if (o.contains("train") && o["train"].is_number()) row.train = o["train"].get<double>();
  if (!take_wiring_numbers(o, "squared", row.errors.squared) ||
      !take_wiring_numbers(o, "relative", row.errors.relative))
    return Error{path, "has errors that are no numbers; remove it, and the network is trained again"};
  return row;
}

Result<WiringOutcome> wiring_outcome(const Spec& spec, const Dataset& data, const std::vector<WiringUnit>& units,
                                     const std::vector<WiringRow>& rows) {
  const HeldOutFrames frames = held_out_frames(data.held_out);
  WiringErrors errors;
  WiringOutcome outcome;
  Fnv1a together;
  const auto of = [&](WiringKind wiring, int64_t null) {
    std::vector<HeldOutErrors> list;
    bool whole = true;
    for (size_t k = 0; k < units.size() && k < rows.size(); ++k) {
      if (units[k].wiring != wiring || units[k].null != null) continue;
      whole = whole && rows[k].there && rows[k].failure.empty();
      if (rows[k].there && rows[k].failure.empty()) list.push_back(rows[k].errors);
    }
    return whole ? list : std::vector<HeldOutErrors>();
  };
  errors.measured = of(WiringKind::measured, 0);
  if (errors.measured.empty())
    return Error{"connectome.nulls",
                 "cannot be compared: a network of the measured wiring did not finish; try a "
                 "smaller training.optimizer.lr"};
  for (int64_t k = 1; k <= spec.connectome.nulls; ++k) {
    std::vector<HeldOutErrors> list = of(WiringKind::null, k);
    if (list.empty())
      ++outcome.nulls_left_out;
    else
      errors.nulls.push_back(std::move(list));
  }
  if (std::vector<HeldOutErrors> all = of(WiringKind::all, 0); !all.empty())
    errors.others.emplace_back("all connections", std::move(all));
  if (std::vector<HeldOutErrors> none = of(WiringKind::none, 0); !none.empty())
    errors.others.emplace_back("no connections", std::move(none));
  for (auto& baseline : baseline_errors(frames, data)) {
    std::vector<HeldOutErrors> one;
    one.push_back(std::move(baseline.second));
    errors.others.emplace_back(baseline.first, std::move(one));
  }
  Result<WiringStudy> study = study_wiring(frames, errors, spec.seed);
  if (!study) return study.error();
  outcome.study = std::move(*study);
  for (const WiringRow& row : rows) together.text(row.hash);
  outcome.hash = together.hex();
  return outcome;
}

}  // namespace dalea
