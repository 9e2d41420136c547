// Does the wiring help: recorded nodes, the rank test, blocks of time, and the networks of a test.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <set>

#include "common/connectome_files.h"
#include "common/files.h"
#include "common/wiring_files.h"
#include "common/wiring_report.h"
#include "connectome/recorded.h"
#include "helpers.h"
#include "session/session.h"

using namespace dalea;

namespace {

std::string worm_folder() {
  const char* set = std::getenv("DALEA_DATA");
  const std::filesystem::path path = std::filesystem::path(set ? set : DALEA_SOURCE_DIR "/../shared/data") / "celegans";
  if (std::filesystem::exists(path)) return path.string();
  MESSAGE("the worm's files are not here; not tested");
  return {};
}

Connectome links_of(const std::string& text, const std::string& signs = "") {
  const auto m = to_bytes(text), s = to_bytes(signs);
  Result<Connectome> c = read_connectome({m, {}, s, {}, "links.csv"}, {});
  REQUIRE_MESSAGE(c.ok(), (c.ok() ? "" : c.error().text()));
  return std::move(*c);
}

// Six neurons that drive each other in a ring of inhibition and excitation, and two that the connectome lacks.
std::string small_recording(int64_t frames = 160) {
  std::string csv = "time_s,A,x1,B,C,D,E,F,velocity\n";
  std::vector<double> v(6, 0.1);
  Rng rng(7, Purpose::test);
  for (int64_t t = 0; t < frames; ++t) {
    csv += std::to_string(0.5 * static_cast<double>(t));
    std::vector<double> next(6);
    for (int k = 0; k < 6; ++k)
      next[k] = 0.7 * v[k] + (k % 2 ? -0.4 : 0.4) * std::tanh(v[(k + 5) % 6]) + 0.3 * rng.normal();
    v = next;
    for (int k = 0; k < 6; ++k) csv += "," + std::to_string(v[k]) + (k == 0 ? "," + std::to_string(t % 7) : "");
    csv += "," + std::to_string(t % 5) + "\n";
  }
  return csv;
}

constexpr const char* small_links =
    "pre,post,type,synapses\nA,B,chemical,3\nB,C,chemical,1\nC,D,chemical,2\nD,E,chemical,5\nE,F,chemical,1\n"
    "F,A,chemical,2\nA,D,electrical,1\nA,A,chemical,4\nB,Z,chemical,2\nZ,A,chemical,1\nE,B,chemical,1\n";
constexpr const char* small_signs = "neuron,dominant_NT\nA,ACh\nB,GABA\nC,acetylcholine\nD,Glu\nE,gaba\nQ,ACh\n";

struct Small {
  Spec spec;
  Recording recording;
};
Small small_worm(int64_t nulls = 3, int64_t epochs = 6) {
  Small s;
  s.spec = testing::spec_of(
      R"({"dalea":1,"runs":2,"network":{"feedback":"plain","readout":"populations","input_mask":true},)"
      R"("connectome":{"source":"file","nodes":"recorded","neurons":1,"target_sparsity":1,"intrinsic":false},)"
      R"("task":{"type":"recording","steps":10},"recording":{"train_fraction":0.6,"validation_fraction":0.15,"warmup":2},)"
      R"("training":{"optimizer":{"lr":0.03},"batch":8}})");
  s.spec.connectome.nulls = nulls;
  s.spec.training.epochs = epochs;
  Result<Recording> r = read_recording(to_bytes(small_recording()), "small.csv", s.spec.recording);
  REQUIRE(r.ok());
  s.recording = std::move(*r);
  Result<Connectome> nodes = recorded_nodes(links_of(small_links, small_signs), s.recording.names);
  REQUIRE(nodes.ok());
  const Status ok = attach_connectome(s.spec, std::move(*nodes));
  REQUIRE_MESSAGE(ok.ok(), (ok.ok() ? "" : ok.error().text()));
  return s;
}

Dataset data_of(const Small& s) {
  Result<Dataset> data = make_dataset(s.spec, &s.recording, 0);
  REQUIRE_MESSAGE(data.ok(), (data.ok() ? "" : data.error().text()));
  return std::move(*data);
}

std::unique_ptr<Trainer> trained(const Small& s, const WiringUnit& unit, int threads = 1) {
  TrainerOptions options;
  options.threads = threads;
  Result<std::unique_ptr<Trainer>> t = wiring_trainer(s.spec, unit, data_of(s), options);
  REQUIRE_MESSAGE(t.ok(), (t.ok() ? "" : t.error().text()));
  const std::atomic<bool> never{false};
  train(**t, never, [](Trainer::Event) {});
  REQUIRE((*t)->finished());
  return std::move(*t);
}

bool names(const Status& s, const char* part) {
  return !s.ok() && s.error().text().find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("wiring: nodes that are recorded, in the recording's order, with their signs") {
  const Connectome c = links_of(small_links, small_signs);
  REQUIRE(c.nodes == 7);
  Result<Connectome> r = recorded_nodes(c, {"time_s", "C", "A", "u1", "Z", "A"});
  REQUIRE(r.ok());
  CHECK(r->names == std::vector<std::string>{"C", "A", "Z"});
  CHECK(r->sign == std::vector<Sign>{Sign::excitatory, Sign::excitatory, Sign::free});
  CHECK(r->weight == std::vector<double>{0, 0, 0, 0, 4, 0, 0, 1, 0});  // A to itself, Z to A
  CHECK(r->self_links == 1);
  CHECK(r->notes.back().find("3 of its 7 nodes") != std::string::npos);
  CHECK(r->notes.back().find("2 units are left out") != std::string::npos);

  const Result<Connectome> none = recorded_nodes(c, {"u1", "A", "u2"});
  REQUIRE_FALSE(none.ok());
  CHECK(none.error().text().find("u1, A, u2") != std::string::npos);
  const Result<Connectome> apart = recorded_nodes(c, {"A", "C"});  // no link between them
  REQUIRE_FALSE(apart.ok());
  CHECK(apart.error().text().find("no link") != std::string::npos);

  Small s = small_worm();
  CHECK(s.spec.measured->names == std::vector<std::string>{"A", "B", "C", "D", "E", "F"});
  REQUIRE(s.spec.populations.size() == 6);
  const Sign signs[] = {Sign::excitatory, Sign::inhibitory, Sign::excitatory, Sign::free, Sign::inhibitory, Sign::free};
  for (size_t k = 0; k < 6; ++k) {
    CHECK(s.spec.populations[k].size == 1);
    CHECK(s.spec.populations[k].sign == signs[k]);
  }
  const Dataset data = data_of(s);
  CHECK(data.channel_names == s.spec.measured->names);
  CHECK(data.recording->units == 6);
  const auto dropped = [&](const std::string& unit) {
    for (const Dropped& d : data.recording->dropped)
      if (d.unit == unit) return d.reason;
    return std::string();
  };
  CHECK(dropped("x1") == "not a node of the connectome");
  CHECK(dropped("velocity") == "not a node of the connectome");
  // A session keeps the nodes that it was trained with.
  const auto network = trained(s, {WiringKind::measured, 0, 0});
  const Result<Session> session = read_session(write_session(*network, "test"), "s.npz");
  REQUIRE(session.ok());
  CHECK(session->spec.measured->names == s.spec.measured->names);
  CHECK(print_spec(session->spec, true) == print_spec(network->spec(), true));
  // Another recording lacks a node.
  Recording less = *data.recording;
  less.names[2] = "other";
  const Result<Dataset> refused = make_dataset(s.spec, &less, 0);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().text().find("C") != std::string::npos);
}

TEST_CASE("wiring: transmitters and tables of them") {
  const std::pair<const char*, Sign> words[] = {{"GABA", Sign::inhibitory},
                                                {"gabaergic", Sign::inhibitory},
                                                {"glycine", Sign::inhibitory},
                                                {"ACh", Sign::excitatory},
                                                {"acetylcholine", Sign::excitatory},
                                                {"cholinergic", Sign::excitatory},
                                                {"ACh serotonin", Sign::excitatory},
                                                {"ACh/excitatory", Sign::excitatory},
                                                {"Glu", Sign::free},
                                                {"Glutamate", Sign::free},
                                                {"ACh-Glu", Sign::free},
                                                {"GABA & ACh", Sign::free},
                                                {"GABA + glutamate", Sign::free},
                                                {"dopamine", Sign::free},
                                                {"unknown", Sign::free},
                                                {"", Sign::free},
                                                {"+", Sign::excitatory},
                                                {"-", Sign::inhibitory},
                                                {"-1", Sign::inhibitory},
                                                {"e", Sign::excitatory}};
  std::string links = "from,to\n", signs = "name,transmitter\n";
  for (size_t k = 0; k < std::size(words); ++k) {
    links += "n" + std::to_string(k) + ",n" + std::to_string((k + 1) % std::size(words)) + "\n";
    signs += "n" + std::to_string(k) + "," + words[k].first + "\n";
  }
  const Connectome c = links_of(links, signs);
  for (size_t k = 0; k < std::size(words); ++k) {
    const std::string name = "n" + std::to_string(k);
    const auto at = std::find(c.names.begin(), c.names.end(), name) - c.names.begin();
    CHECK_MESSAGE(c.sign[static_cast<size_t>(at)] == words[k].second, words[k].first);
  }
  CHECK(is_sign_table(small_signs));
  CHECK(is_sign_table("name;sign\nA;+\n"));
  CHECK_FALSE(is_sign_table(small_links));
  CHECK_FALSE(is_sign_table("index,label,class,confidence\n0,A,,\n"));
  CHECK_FALSE(is_sign_table("unit,layer,sign\n0,L4,+\n"));  // a cell table
  CHECK_FALSE(is_sign_table(std::string("a\0b", 3)));
  CHECK_FALSE(is_sign_table(""));
}

TEST_CASE("wiring: ranks among nulls, exactly") {
  WiringTest t;
  t.measured = 5;
  rank_among_nulls(t, {1, 2, 3, 4}, false);  // more is better
  CHECK(t.as_good == 0);
  CHECK(t.p_better == doctest::Approx(0.2));
  CHECK(t.p_worse == 1);
  CHECK(t.p_two_sided == doctest::Approx(0.4));
  CHECK(t.percentile == 1);
  CHECK(t.null_mean == 2.5);
  CHECK(t.null_sd == doctest::Approx(std::sqrt(5.0 / 3)));
  CHECK(t.z == doctest::Approx(2.5 / std::sqrt(5.0 / 3)));
  rank_among_nulls(t, {1, 2, 3, 4}, true);  // less is better
  CHECK(t.p_better == 1);
  CHECK(t.p_worse == doctest::Approx(0.2));
  CHECK(t.z == doctest::Approx(-2.5 / std::sqrt(5.0 / 3)));
  CHECK(t.percentile == 0);
  rank_among_nulls(t, {5, 5, 6, 4}, false);  // ties count against both sides
  CHECK(t.as_good == 3);
  CHECK(t.as_bad == 3);
  CHECK(t.p_better == doctest::Approx(0.8));
  CHECK(t.p_two_sided == 1);
  CHECK(t.percentile == doctest::Approx(0.5));
  rank_among_nulls(t, std::vector<double>(99, 4.0), false);
  CHECK(t.p_better == doctest::Approx(0.01));
  CHECK(std::isnan(t.z));
  // Under the null hypothesis each rank is as likely: one of 20 exchangeable values is the first in a twentieth.
  int first = 0;
  Rng rng(3, Purpose::test);
  for (int k = 0; k < 4000; ++k) {
    std::vector<double> nulls(19);
    for (double& v : nulls) v = rng.normal();
    t.measured = rng.normal();
    rank_among_nulls(t, nulls, true);
    first += t.p_better <= 0.05 + 1e-12;
  }
  CHECK(first > 140);
  CHECK(first < 260);
}

TEST_CASE("wiring: blocks of time") {
  CHECK(block_length(200) == 12);
  CHECK(block_length(1000) == 20);
  CHECK(block_length(8) == 2);
  CHECK(block_length(1) == 1);
  std::set<std::vector<int32_t>> seen;
  std::vector<int64_t> sum(40, 0);
  for (int64_t d = 0; d < 400; ++d) {
    const std::vector<int32_t> times = block_sample(40, 7, 5, d);
    CHECK(std::accumulate(times.begin(), times.end(), 0) == 40);
    seen.insert(times);
    for (size_t f = 0; f < 40; ++f) sum[f] += times[f];
    CHECK(times == block_sample(40, 7, 5, d));
  }
  CHECK(seen.size() > 350);
  for (int64_t s : sum) {  // circular: no frame is rarer than another
    CHECK(s > 300);
    CHECK(s < 500);
  }
  // Whole blocks: a frame that counts takes neighbours with it.
  const std::vector<int32_t> times = block_sample(28, 7, 1, 0);
  int64_t edges = 0;
  for (size_t f = 0; f < 28; ++f) edges += times[f] != times[(f + 1) % 28];
  CHECK(edges <= 8);
}

TEST_CASE("wiring: errors by frame make the loss and R2 of the whole part") {
  Small s = small_worm();
  s.recording.values[130 * s.recording.units + 2] = NAN;  // held out
  ++s.recording.missing;
  const auto network = trained(s, {WiringKind::measured, 0, 1});
  const Dataset& data = network->data();
  const HeldOutFrames frames = held_out_frames(data.held_out);
  const WiringRow row = wiring_row(*network);
  int64_t scored = 0;
  for (uint8_t v : data.held_out.scored) scored += v;
  int64_t counted = 0;
  for (int64_t v : frames.scored) counted += v;
  CHECK(counted == scored);
  CHECK(frames.frames() == 160 - 120 - 3);  // all held-out frames but the first window's first
  const double sum = std::accumulate(row.errors.squared.begin(), row.errors.squared.end(), 0.0);
  CHECK(sum / static_cast<double>(scored) == doctest::Approx(network->evaluate().held_out).epsilon(1e-6));
  const auto lines = baseline_errors(frames, data);
  REQUIRE(lines.size() == 3);
  const double known[] = {data.baselines->held_out.last_frame, data.baselines->held_out.ar1,
                          data.baselines->held_out.linear};
  for (size_t k = 0; k < 3; ++k) {
    const auto& e = lines[k].second.squared;
    CHECK(std::accumulate(e.begin(), e.end(), 0.0) / static_cast<double>(scored) ==
          doctest::Approx(known[k]).epsilon(1e-9));
  }
  // R2 unit by unit, from scratch.
  double r2 = 0;
  const std::vector<float> out = [&] {
    Workers one(1);
    return held_out_outputs(network->model(), data, 3, best_isa(), one);
  }();
  for (int64_t u = 0; u < 6; ++u) {
    std::vector<double> y, e;
    for (size_t k = static_cast<size_t>(u); k < data.held_out.target.size(); k += 6)
      if (data.held_out.scored[k]) {
        y.push_back(data.held_out.target[k]);
        e.push_back(static_cast<double>(out[k]) - y.back());
      }
    const double mean = std::accumulate(y.begin(), y.end(), 0.0) / static_cast<double>(y.size());
    double total = 0, error = 0;
    for (size_t k = 0; k < y.size(); ++k) {
      total += (y[k] - mean) * (y[k] - mean);
      error += e[k] * e[k];
    }
    r2 += (1 - error / total) / 6;
  }
  const auto& relative = row.errors.relative;
  CHECK(1 - std::accumulate(relative.begin(), relative.end(), 0.0) / static_cast<double>(relative.size()) ==
        doctest::Approx(r2).epsilon(1e-9));
}

TEST_CASE("wiring: a study of made-up errors") {
  HeldOutFrames frames;
  const size_t n = 60;
  for (size_t f = 0; f < n; ++f) {
    frames.row.push_back(static_cast<int64_t>(f));
    frames.scored.push_back(2);
  }
  frames.total = {1, 1};
  frames.varying = 2;
  const auto flat = [&](double loss, double share) {
    HeldOutErrors e;
    for (size_t f = 0; f < n; ++f) {
      const double wave = f % 2 ? 1.2 : 0.8;
      e.squared.push_back(2 * loss * wave);
      e.relative.push_back(share * wave);
    }
    return e;
  };
  WiringErrors errors;
  errors.measured = {flat(1, 0.3), flat(1, 0.5)};
  for (int k = 0; k < 9; ++k) errors.nulls.push_back({flat(2 + k, 0.6), flat(2 + k, 0.8)});
  errors.others.emplace_back("AR(1)", std::vector<HeldOutErrors>{flat(0.5, 0.2)});
  Result<WiringStudy> s = study_wiring(frames, errors, 1, 300);
  REQUIRE(s.ok());
  CHECK(s->loss.measured == doctest::Approx(1));
  CHECK(s->r2.measured == doctest::Approx(0.6));
  CHECK(s->r2.seeds[0] == doctest::Approx(0.7));
  CHECK(s->loss.null_mean == doctest::Approx(6));
  CHECK(s->loss.difference == doctest::Approx(-5));
  CHECK(s->loss.p_better == doctest::Approx(0.1));
  CHECK(s->least_p() == doctest::Approx(0.1));
  CHECK(s->r2.difference == doctest::Approx(0.3));
  CHECK(s->r2.interval.low <= 0.6 + 1e-9);
  CHECK(s->r2.interval.high >= 0.6 - 1e-9);
  CHECK(s->r2.difference_interval.low > 0.25);  // paired: the wave is in both
  CHECK(s->r2.difference_interval.high < 0.35);
  REQUIRE(s->r2.others.size() == 1);
  CHECK(s->r2.others[0].difference == doctest::Approx(-0.2));
  CHECK(s->r2.others[0].difference_interval.high < 0);
  errors.nulls[4][0].squared.pop_back();
  CHECK_FALSE(study_wiring(frames, errors, 1, 300).ok());
  errors.nulls.resize(1);
  CHECK_FALSE(study_wiring(frames, errors, 1, 300).ok());
}

TEST_CASE("wiring: what a test needs is said") {
  Small s = small_worm();
  CHECK(check_wiring_test(s.spec).ok());
  const auto with = [&](auto change) {
    Spec spec = s.spec;
    change(spec);
    return check_wiring_test(spec);
  };
  CHECK(names(with([](Spec& p) { p.connectome.nulls = 0; }), "connectome.nulls"));
  CHECK(names(with([](Spec& p) { p.connectome.nulls = 1; }), "connectome.nulls"));
  CHECK(names(with([](Spec& p) { p.task.type = "wave"; }), "wave"));
  CHECK(names(with([](Spec& p) { p.connectome.null_model = "rewired"; }), "connectome.null_model"));
  CHECK(names(with([](Spec& p) { p.connectome.against = "weights"; }), "connectome.against"));
  CHECK(names(with([](Spec& p) { p.connectome.remap = "magnitude"; }), "connectome.remap"));
  CHECK(names(with([](Spec& p) { p.connectome.against = "spatial"; }), "positions"));
  CHECK(names(with([](Spec& p) { p.measured = nullptr; }), "has none"));
  Spec wide = s.spec;  // neurons drawn by run
  wide.connectome.neurons = 4;
  wide.connectome.target_sparsity = 0.5;
  wide.network.readout = "all";
  wide.network.input_mask = false;
  REQUIRE(attach_connectome(wide, wide.measured).ok());
  CHECK(names(check_wiring_test(wide), "one wiring for all runs"));
  Spec quick = s.spec;
  quick.connectome.nulls = 99;
  quick.runs = 5;
  quick.training.epochs = quick.training.schedule.t_max = 400;
  make_wiring_quick(quick);
  CHECK(quick.connectome.nulls == 9);
  CHECK(quick.runs == 2);
  CHECK(quick.training.epochs == 160);
  CHECK(quick.training.schedule.t_max == 160);  // the learning rate ends where it was to end
}

TEST_CASE("wiring: nulls keep degrees and signs, and are one wiring for every seed") {
  Small s = small_worm(20);
  const std::vector<WiringUnit> units = wiring_units(s.spec);
  REQUIRE(units.size() == 2 * (3 + 20));
  std::set<std::string> files;
  for (const WiringUnit& u : units) files.insert(u.name());
  CHECK(files.size() == units.size());
  const auto mask = [&](WiringKind kind, int64_t null = 0, int64_t run = 0) {
    Result<std::shared_ptr<const Pattern>> m = wiring_mask(s.spec, {kind, null, run});
    REQUIRE(m.ok());
    return *m;
  };
  const auto measured = mask(WiringKind::measured);
  CHECK(measured->count() == 9);  // without A to itself, and nothing of Z; A and D both ways
  CHECK(mask(WiringKind::all)->count() == 30);
  CHECK(mask(WiringKind::none)->count() == 0);
  const auto degrees = [](const Pattern& p) {
    std::vector<int64_t> in(static_cast<size_t>(p.rows), 0), out = in;
    for (int64_t j = 0; j < p.cols; ++j)
      for (int64_t e = p.col_start[j]; e < p.col_start[j + 1]; ++e) {
        ++out[j];
        ++in[p.row[e]];
        CHECK(p.row[e] != j);
      }
    return std::pair(in, out);
  };
  int other = 0;
  for (int64_t k = 1; k <= 20; ++k) {
    const auto null = mask(WiringKind::null, k);
    CHECK(degrees(*null) == degrees(*measured));
    CHECK(null->row == mask(WiringKind::null, k, 1)->row);
    other += null->row != measured->row;
  }
  CHECK(other > 10);
  for (const WiringUnit& u : {WiringUnit{WiringKind::null, 2, 0}, {WiringKind::all, 0, 1}, {WiringKind::none, 0, 0}}) {
    const auto network = trained(s, u);
    CHECK(network->audit().sign == 0);
    CHECK(network->audit().mask == 0);
    CHECK(network->mask()->count() == mask(u.wiring, u.null)->count());
  }
}

TEST_CASE("wiring: hashes do not depend on threads or interruptions, rows come back as they were") {
  Small s = small_worm();
  const WiringUnit unit{WiringKind::null, 2, 1};
  const auto whole = trained(s, unit), wide = trained(s, unit, 3);
  CHECK(whole->hash() == wide->hash());
  Result<std::unique_ptr<Trainer>> half = wiring_trainer(s.spec, unit, data_of(s), {});
  REQUIRE(half.ok());
  for (int k = 0; k < 9; ++k) (void)(*half)->step();
  Result<Session> session = read_session(write_session(**half, "test"), "half.npz");
  REQUIRE(session.ok());
  Result<std::unique_ptr<Trainer>> rest = wiring_trainer(s.spec, unit, data_of(s), {});
  REQUIRE(rest.ok());
  CHECK(print_spec(session->spec, true) == print_spec((*rest)->spec(), true));
  const Status ok = (*rest)->restore(std::move(session->state));
  REQUIRE_MESSAGE(ok.ok(), (ok.ok() ? "" : ok.error().text()));
  const std::atomic<bool> never{false};
  train(**rest, never, [](Trainer::Event) {});
  CHECK((*rest)->hash() == whole->hash());

  const std::string id = wiring_id(s.spec);
  const WiringRow row = wiring_row(*whole);
  const std::string text = wiring_row_json(row, id);
  const Result<WiringRow> back = read_wiring_row(text, "row.json", id);
  REQUIRE(back.ok());
  CHECK(back->hash == row.hash);
  CHECK(back->errors.squared == row.errors.squared);
  CHECK(back->errors.relative == row.errors.relative);
  Spec more = s.spec;
  more.connectome.nulls = 50;
  CHECK(wiring_id(more) == id);  // more nulls go on from these
  more.training.epochs = 7;
  CHECK(wiring_id(more) != id);
  CHECK(read_wiring_row(text, "row.json", wiring_id(more)).error().text().find("another experiment") !=
        std::string::npos);
  for (const char* bad : {"", "[]", "{}", "{\"hash\":3}", "nonsense"})
    CHECK_FALSE(read_wiring_row(bad, "row.json", id).ok());

  const std::vector<WiringUnit> units = wiring_units(s.spec);
  std::vector<WiringRow> rows;
  for (const WiringUnit& u : units) rows.push_back(wiring_row(*trained(s, u)));
  const Dataset data = data_of(s);
  const Result<WiringOutcome> outcome = wiring_outcome(s.spec, data, units, rows);
  REQUIRE_MESSAGE(outcome.ok(), (outcome.ok() ? "" : outcome.error().text()));
  CHECK(outcome->study.r2.nulls.size() == 3);
  CHECK(outcome->study.r2.others.size() == 5);
  const WiringReport report = wiring_report(s.spec, data, units, rows, *outcome);
  CHECK(wiring_sentences(report).front().find("the smallest p that can come out is 0.25") != std::string::npos);
  const std::string csv = wiring_csv(report);
  CHECK(std::count(csv.begin(), csv.end(), '\n') == static_cast<int64_t>(units.size()) + 1);
  CHECK(wiring_html(report, {}).find("circular block bootstraps") != std::string::npos);
  CHECK(wiring_figure(report).panels.size() == 3);
  // A null that failed is left out whole; without the measured wiring nothing can be said.
  rows.back().failure = "epoch 1: not finite";
  const Result<WiringOutcome> fewer = wiring_outcome(s.spec, data, units, rows);
  REQUIRE(fewer.ok());
  CHECK(fewer->nulls_left_out == 1);
  CHECK(fewer->study.r2.nulls.size() == 2);
  rows.front().there = false;
  CHECK_FALSE(wiring_outcome(s.spec, data, units, rows).ok());
}

TEST_CASE("wiring: answers in words") {
  WiringReport r;
  r.spec = small_worm(99).spec;
  r.outcome.study.frames = 200;
  const auto answer = [&](double measured) {
    WiringTest& t = r.outcome.study.r2;
    t.measured = measured;
    std::vector<double> nulls;
    for (int k = 0; k < 99; ++k) nulls.push_back(0.01 * k);
    rank_among_nulls(t, nulls, false);
    r.outcome.study.loss = t;
    return wiring_sentences(r).front();
  };
  CHECK(answer(2).rfind("The measured wiring helps", 0) == 0);
  CHECK(answer(-1).rfind("The measured wiring hurts", 0) == 0);
  CHECK(answer(0.5).rfind("The wiring does not help here", 0) == 0);
  CHECK(answer(0.975).find("p = 0.04") != std::string::npos);  // (1 + 1) / 100, twice
}

TEST_CASE("wiring: a folder of files is understood, and the real worm's") {
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / "dalea-wiring-test";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  const auto put = [&](const char* name, const std::string& text) {
    REQUIRE(write_file((folder / name).string(), text).ok());
  };
  CHECK(settings_of_folder(folder.string()).error().text().find("no connectome") != std::string::npos);
  put("links.csv", small_links);
  CHECK(settings_of_folder(folder.string()).error().text().find("no table") != std::string::npos);
  put("traces.csv", small_recording());
  put("who.csv", small_signs);
  put("other.csv", "a,b,c\n1,2,3\n4,5,6\n");
  const Result<std::vector<std::string>> set = settings_of_folder(folder.string());
  REQUIRE_MESSAGE(set.ok(), (set.ok() ? "" : set.error().text()));
  REQUIRE(set->size() == 3);
  CHECK((*set)[0].find("links.csv") != std::string::npos);
  CHECK((*set)[1].find("traces.csv") != std::string::npos);
  CHECK((*set)[2].find("who.csv") != std::string::npos);
  CHECK_FALSE(settings_of_folder((folder / "absent").string()).ok());
  std::filesystem::remove_all(folder);

  const std::string worm = worm_folder();
  if (worm.empty()) return;
  const auto spec_with = [](const std::vector<std::string>& changes) {
    Result<std::vector<std::byte>> bytes = read_file(DALEA_SOURCE_DIR "/assets/experiments/worm.json");
    REQUIRE(bytes.ok());
    std::string text(as_text(*bytes));
    for (const std::string& change : changes) {
      Result<std::string> changed = set_in_json(text, change);
      REQUIRE(changed.ok());
      text = *changed;
    }
    return parse_spec(text).spec;
  };
  const Result<std::vector<std::string>> real = settings_of_folder(worm);
  REQUIRE_MESSAGE(real.ok(), (real.ok() ? "" : real.error().text()));
  Spec spec = spec_with(*real);
  Status ok = attach_connectome_files(spec);
  REQUIRE_MESSAGE(ok.ok(), (ok.ok() ? "" : ok.error().text()));
  CHECK(spec.measured->nodes == 88);
  CHECK(spec.measured->links() == 762);
  const auto count = [&](Sign s) { return std::count(spec.measured->sign.begin(), spec.measured->sign.end(), s); };
  CHECK(count(Sign::excitatory) == 33);
  CHECK(count(Sign::inhibitory) == 11);
  CHECK(count(Sign::free) == 44);
  CHECK(check_wiring_test(spec).ok());
  // The same from HDF5, whose traces have no names but those of a cell table.
  spec = spec_with({"connectome.file=" + worm + "/connectome_witvliet2020_8.csv",
                    "connectome.signs=" + worm + "/neurotransmitter_fenyves2020.csv",
                    "recording.file=" + worm + "/2022-07-26-31-data.h5",
                    "recording.cells=" + worm + "/2022-07-26-31_neurons.csv",
                    "recording.array=/gcamp/traces_array_F_F20"});
  ok = attach_connectome_files(spec);
  REQUIRE_MESSAGE(ok.ok(), (ok.ok() ? "" : ok.error().text()));
  CHECK(spec.measured->nodes == 88);
  CHECK(spec.measured->links() == 762);
  spec = spec_with({});
  ok = attach_connectome_files(spec);
  REQUIRE_FALSE(ok.ok());
  CHECK(ok.error().text().find("--data") != std::string::npos);
}
