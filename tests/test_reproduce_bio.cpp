// Measured against random wiring: the plan, the tests, and what the report makes of results that are known; the
// species.
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>

#include "common/connectome_files.h"
#include "common/files.h"
#include "common/reproduce_bio.h"
#include "common/reproduce_study.h"
#include "connectome/connectome.h"
#include "helpers.h"
#include "reproduce_helpers.h"

using namespace dalea;
using namespace dalea::reproduce;
using dalea::testing::finding;
using dalea::testing::text_of_file;
namespace fs = std::filesystem;

namespace {

std::shared_ptr<const Connectome> ring(int64_t nodes) {
  Connectome c;
  c.nodes = nodes;
  c.weight.assign(static_cast<size_t>(nodes * nodes), 0.0);
  for (int64_t i = 0; i < nodes; ++i) {
    c.names.push_back("r" + std::to_string(i));
    c.weight[static_cast<size_t>(i * nodes + (i + 1) % nodes)] = 1 + static_cast<double>(i);
    c.weight[static_cast<size_t>(i * nodes + (i + 2) % nodes)] = 0.5;
  }
  c.kind = "matrix";
  c.sha256 = "0123456789abcdef";
  return std::make_shared<const Connectome>(std::move(c));
}

reproduce::Options bio(bool corrected = false, bool quick = false, bool full = false) {
  reproduce::Options options;
  options.figure = Paper::bio;
  options.corrected = corrected;
  options.quick = quick;
  options.full = full;
  options.wirings = {wiring_of("somewhere/ring.csv", ring(6))};
  Result<reproduce::Options> checked = check(options);
  REQUIRE_MESSAGE(checked.ok(), (checked.ok() ? "" : checked.error().text()));
  return *checked;
}

// A network that ended on this loss, after a first epoch that must not count.
Run ended(const Job& job, double loss) {
  Run run;
  run.job = job;
  run.hash = "0123456789abcdef";
  for (int64_t e = 1; e <= 4; ++e) {
    EpochRecord r;
    r.epoch = e;
    r.held_out = e == 1 ? 1e-9 : loss * static_cast<double>(5 - e);
    r.validation = r.held_out;
    run.history.push_back(r);
  }
  return run;
}

// A number in (0, 1) for each name.
double noise(const std::string& name) {
  uint32_t h = 2166136261u;
  for (char c : name) h = (h ^ static_cast<uint8_t>(c)) * 16777619u;
  h ^= h >> 15;
  return static_cast<double>((h * 2654435761u) >> 8) / (1 << 24);
}

// Losses below chance; the measured wiring's are `factor` times as large, with noise of each network.
std::vector<Run> made(const reproduce::Options& options, double factor, double spread, double level = 0.05) {
  std::vector<Run> runs;
  for (const Job& job : jobs_of(options)) {
    const double base = level * (job.task == "n-back" ? 8 : 1) * (1 + 0.3 * noise(job.setting));
    const double own = std::exp(spread * (noise(job.id) - 0.5));
    runs.push_back(ended(job, base * own * (job.condition == measured_arm ? factor : 1)));
  }
  return runs;
}

fs::path data_folder() {
  const char* set = std::getenv("DALEA_DATA");
  return fs::path(set ? set : DALEA_SOURCE_DIR "/../shared/data") / "connectomes";
}

struct Folder {
  fs::path path;
  Folder() : path(fs::temp_directory_path() / ("dalea-bio-" + std::to_string(std::rand()))) {
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
  void copy(const fs::path& from, const std::string& name) const { fs::copy_file(from, path / name); }
};

}  // namespace

TEST_CASE("bio: what is trained is the published design") {
  const reproduce::Options options = bio();
  const std::vector<Job> jobs = jobs_of(options);
  CHECK(jobs.size() == 5 * 2 * 4 * 2);  // iterations, tasks, settings, arms
  std::set<std::string> ids;
  std::map<std::pair<std::string, uint64_t>, std::vector<const Job*>> pairs;
  for (const Job& job : jobs) {
    ids.insert(job.id);
    pairs[{job.task, job.seed}].push_back(&job);
    const Spec& s = job.spec;
    CHECK(check_spec(s).empty());
    CHECK(s.units() == 24);
    CHECK(s.connectome.target_sparsity == 0.8);
    CHECK(s.connectome.intrinsic_sparsity == 1);
    CHECK(s.connectome.random_partition);
    CHECK_FALSE(s.connectome.keep_diagonal);
    CHECK(s.connectome.as_published);
    CHECK(s.training.constraint == "conventional");
    CHECK(s.training.epochs == 500);
    CHECK(s.training.batch == 128);
    CHECK_FALSE(s.training.shuffle);
    CHECK(s.training.optimizer.lr == 1e-4);
    CHECK(s.network.init == (s.network.activation == Activation::relu ? "he" : "xavier"));
    CHECK(s.task.train == (job.task == "n-back" ? 800 : 400));
    CHECK(s.task.held_out == (job.task == "n-back" ? 200 : 100));
    CHECK(s.connectome.file == "ring.csv");
  }
  CHECK(ids.size() == jobs.size());
  CHECK(pairs.size() == jobs.size() / 2);
  for (const auto& [key, pair] : pairs) {  // nothing differs but the wiring
    REQUIRE(pair.size() == 2);
    Spec a = pair[0]->spec, b = pair[1]->spec;
    CHECK(a.connectome.null_model == "none");
    CHECK(b.connectome.null_model == "permuted");
    CHECK(a.connectome.null_seed == b.connectome.null_seed);
    b.connectome.null_model = "none";
    CHECK(same_experiment(a, b));
  }

  const reproduce::Options all = bio(false, false, true);
  const std::vector<Job> full = jobs_of(all);
  CHECK(full.size() == 5 * 2 * 24 * 2 * 2);  // 24 combinations, remap or not
  int64_t found = 0;
  for (const Job& job : full)
    for (const Job& small : jobs)
      if (small.id == job.id) {
        CHECK(same_experiment(small.spec, job.spec));
        ++found;
      }
  CHECK(found == static_cast<int64_t>(jobs.size()));

  for (const Job& job : jobs_of(bio(true))) {
    CHECK(job.spec.training.constraint == "dale");
    CHECK_FALSE(job.spec.connectome.as_published);
    CHECK(job.spec.connectome.remap == "magnitude");
    CHECK(job.spec.task.validation == job.spec.task.held_out);
    CHECK(job.spec.populations.size() == 12);
    CHECK(job.spec.populations[0].size == 3);
    CHECK(job.spec.populations[1].sign == Sign::inhibitory);
  }
  CHECK(bio_arms(bio(true)) == std::vector<std::string>{"bio", "permuted", "rewired"});
  CHECK(command_of(bio(true, true)) == "dalea reproduce bio --runs 3 --corrected --quick");
}

TEST_CASE("bio: a synthetic network stands in, and what cannot be is said") {
  reproduce::Options options;
  options.figure = Paper::bio;
  options.quick = true;
  options.runs = 2;
  const Result<reproduce::Options> checked = check(options);
  REQUIRE(checked);
  REQUIRE(checked->wirings.size() == 1);
  CHECK(checked->wirings[0].name == "synthetic");
  for (const Job& job : jobs_of(*checked)) CHECK(job.spec.units() == 80);
  const auto refused = [](reproduce::Options o) {
    const Result<reproduce::Options> r = check(std::move(o));
    return r ? std::string() : r.error().text();
  };
  options.tasks = {"wave"};
  CHECK(refused(options).find("sequence-memory or n-back") != std::string::npos);
  options.tasks = {};
  options.full = true;
  CHECK(refused(options).find("--quick") != std::string::npos);
  options.full = false;
  options.runs = 1;
  CHECK(refused(options).find("runs") != std::string::npos);
  options.runs = 2;
  Connectome empty = *ring(4);
  empty.weight.assign(16, 0.0);
  options.wirings = {wiring_of("empty.csv", std::make_shared<const Connectome>(empty))};
  CHECK(refused(options).find("no links") != std::string::npos);
  options.wirings = {wiring_of("large.csv", ring(501))};
  CHECK(refused(options).find("at most 500 nodes") != std::string::npos);
  options.wirings = {wiring_of("a.csv", ring(9)), wiring_of("b.csv", ring(5)), wiring_of("c.csv", ring(7))};
  const Result<reproduce::Options> two = check(options);  // quick: the two smallest
  REQUIRE(two);
  REQUIRE(two->wirings.size() == 2);
  CHECK(two->wirings[0].connectome->nodes == 5);
  CHECK(two->wirings[1].connectome->nodes == 7);
}

TEST_CASE("bio: signs flipped") {
  const auto p = [](const std::vector<double>& d) { return sign_flip_p(d, Rng(1, Purpose::test)); };
  CHECK(p({1, 2, 3}) == 0.25);  // 6 or -6 of eight sums
  CHECK(p({1, 1}) == 0.5);
  CHECK(p({1, -1}) == 1);
  CHECK(p({0, 0, 0}) == 1);
  CHECK(p({3, 1, -1}) == 0.75);  // 3: of 5 3 3 1 and their negatives
  CHECK(p(std::vector<double>(10, 0.1)) == 2.0 / 1024);
  CHECK(p(std::vector<double>(16, -0.3)) == 2.0 / 65536);
  const double many = p(std::vector<double>(40, 0.2));  // drawn at random: none of the draws reaches it
  CHECK(many == doctest::Approx(1e-5));
  std::vector<double> even;
  for (int k = 0; k < 40; ++k) even.push_back(k % 2 == 0 ? 1 : -1);
  CHECK(p(even) == 1);
}

TEST_CASE("bio: the three quantities") {
  Run run;
  const std::vector<double> losses{0.1, 0.9, 0.5, 0.2, 0.204, 0.3};
  for (size_t e = 0; e < losses.size(); ++e) {
    EpochRecord r;
    r.epoch = static_cast<int64_t>(e) + 1;
    r.held_out = losses[e];
    r.validation = 1 - losses[e];
    run.history.push_back(r);
  }
  BioResult r = bio_result(bio(), run);
  CHECK(r.loss == 0.2);  // the first epoch is left out
  CHECK(r.epoch == 4);
  CHECK(r.epoch_99 == 4);
  r = bio_result(bio(true), run);  // chosen by the validation loss, which is least where the other is largest
  CHECK(r.epoch == 2);
  CHECK(r.loss == 0.9);
  run.failure = "not finite";
  CHECK(bio_result(bio(), run).epoch == 0);
}

TEST_CASE("bio: the report can say supported, contradicted and undecided") {
  const reproduce::Options options = bio();
  const auto said = [&](const std::vector<Run>& runs) {
    const Result<Output> output = report_bio(options, runs, {});
    REQUIRE(output);
    return *output;
  };
  using Says = BioComparison::Says;
  SUBCASE("equal") {
    const std::vector<Run> runs = made(options, 1, 0.05);
    for (const BioComparison& c : bio_comparisons(options, runs)) {
      CHECK(c.pairs == 20);
      CHECK(c.says == Says::supported);
      CHECK(c.equivalent);
      CHECK(c.interval.low < c.ratio);
      CHECK(c.ratio < c.interval.high);
      CHECK(c.narrow.low > c.interval.low);
      CHECK(c.p <= c.holm);
    }
    const Output output = said(runs);
    CHECK(finding(output, "learn no better").outcome == Outcome::reproduced);
    CHECK(finding(output, "without a loss").outcome == Outcome::reproduced);
    CHECK(text_of_file(output, "report.html").find("is supported by what was run here") != std::string::npos);
    CHECK(text_of_file(output, "results.json").find("\"verdict\": \"supported\"") != std::string::npos);
    CHECK(text_of_file(output, "results.json").find("nan") == std::string::npos);
    const std::string table = text_of_file(output, "runs.csv");
    CHECK(std::count(table.begin(), table.end(), '\n') == static_cast<int64_t>(runs.size()) + 1);
    for (const char* name : {"effects.csv", "effects-figure.svg", "boxes-matrix-01234567.png", "learning.csv"})
      CHECK_FALSE(text_of_file(output, name).empty());
  }
  SUBCASE("better by three tenths") {
    const std::vector<Run> runs = made(options, 0.7, 0.05);
    for (const BioComparison& c : bio_comparisons(options, runs)) {
      CHECK(c.says == Says::contradicted);
      CHECK(c.ratio == doctest::Approx(0.7).epsilon(0.02));
      CHECK(c.g < -1);
      CHECK(c.holm < 0.001);
    }
    const Output output = said(runs);
    CHECK(finding(output, "learn no better").outcome == Outcome::not_reproduced);
    CHECK(text_of_file(output, "report.html").find("is contradicted by what was run here") != std::string::npos);
  }
  SUBCASE("worse is no enhancement, but a loss") {
    const Output output = said(made(options, 1.5, 0.05));
    CHECK(finding(output, "learn no better").outcome == Outcome::reproduced);
    CHECK(finding(output, "without a loss").outcome == Outcome::not_reproduced);
  }
  SUBCASE("too noisy to say") {
    const Output output = said(made(options, 0.97, 2.5));
    CHECK(finding(output, "learn no better").outcome == Outcome::cannot_be_tested);
    CHECK(text_of_file(output, "report.html").find("is undecided by what was run here") != std::string::npos);
  }
  SUBCASE("what neither learned says nothing") {
    for (const BioComparison& c : bio_comparisons(options, made(options, 0.5, 0.01, 0.2))) {
      CHECK_FALSE(c.learned);
      CHECK(c.says == Says::undecided);
      CHECK(c.why.find("Neither learned") != std::string::npos);
    }
  }
  SUBCASE("failed networks and their partners are left out") {
    std::vector<Run> runs = made(options, 1, 0.05);
    int64_t failed = 0;
    for (Run& run : runs)
      if (run.job.task == "n-back" && run.job.condition == "permuted" && ++failed <= 3) run.failure = "not finite";
    for (const BioComparison& c : bio_comparisons(options, runs)) CHECK(c.pairs == (c.task == "n-back" ? 17 : 20));
    CHECK(text_of_file(said(runs), "report.html").find("3 networks did not stay finite") != std::string::npos);
    CHECK(said({}).findings.size() > 2);
  }
  SUBCASE("a quick run tests no claim") {
    const reproduce::Options quick = bio(false, true);
    const Result<Output> output = report_bio(quick, made(quick, 0.5, 0.01), {});
    REQUIRE(output);
    for (const Finding& f : output->findings) CHECK(f.outcome == Outcome::cannot_be_tested);
  }
}

TEST_CASE("bio: trained, stopped and found again") {
  reproduce::Options options;
  options.figure = Paper::bio;
  options.quick = true;
  options.runs = 2;
  options.corrected = true;
  options.tasks = {"sequence-memory"};
  options.wirings = {wiring_of("ring.csv", ring(5))};
  const Result<reproduce::Options> checked = check(options);
  REQUIRE(checked);
  class Memory : public Store {
   public:
    std::map<std::string, std::vector<std::byte>> files;
    Result<std::optional<std::vector<std::byte>>> load(const std::string& name) override {
      const auto it = files.find(name);
      if (it == files.end()) return std::optional<std::vector<std::byte>>{};
      return std::optional<std::vector<std::byte>>(it->second);
    }
    Status save(const std::string& name, const std::vector<std::byte>& bytes) override {
      files[name] = bytes;
      return {};
    }
  } memory;
  std::vector<std::string> hashes[2];
  for (auto& list : hashes) {
    Study study(*checked, {}, nullptr, memory);
    study.run(1);
    REQUIRE_FALSE(study.error().has_value());
    for (const Run& run : study.runs()) {
      CHECK(run.failure.empty());
      list.push_back(run.hash);
    }
    if (&list == &hashes[1]) CHECK(study.worked_part() == 0);
    const Result<Output> output = study.report({});
    REQUIRE(output);
  }
  CHECK(hashes[0].size() == 2 * 2 * 3);
  CHECK(hashes[0] == hashes[1]);
  CHECK(std::set<std::string>(hashes[0].begin(), hashes[0].end()).size() == hashes[0].size());
}

TEST_CASE("species: the published matrices are known for what they are") {
  CHECK(known_species().size() == 6);
  CHECK(find_species("no such folder").empty());
  CHECK(species_of_file("x/C_Drosophila.npy") == &known_species()[5]);
  CHECK(species_of_file("Macaque_Normalized.npy") == &known_species()[0]);
  CHECK(species_of_file("Macaque.npy") == nullptr);
  if (!fs::exists(data_folder() / "Macaque_Normalized.npy")) {
    MESSAGE("the connectomes are not here; not tested");
    return;
  }
  const std::vector<FoundSpecies> found = find_species(data_folder().string());
  CHECK(found.size() >= 3);
  for (const FoundSpecies& f : found) {
    const Result<Connectome> c = read_species(f);
    REQUIRE(c);
    CHECK(check_species(*f.species, *c).ok());
    CHECK_FALSE(c->names[0] == "R1");
    // SEEDS 6.1: zero diagonal, no empty row or column.
    for (int64_t i = 0; i < c->nodes; ++i) {
      double out = 0, in = 0;
      for (int64_t j = 0; j < c->nodes; ++j) {
        out += c->at(i, j);
        in += c->at(j, i);
      }
      CHECK(out > 0);
      CHECK(in > 0);
      CHECK(c->at(i, i) == 0);
    }
    ConnectomeSpec k;
    use_species(f, k);
    CHECK(k.densities.empty());
    k.density_scaling = "rank";
    use_species(f, k);
    CHECK(k.densities == f.densities);
  }

  // The names of the public repository; its pickled names are not looked at.
  const Folder folder;
  folder.copy(data_folder() / "Mouse_Gamanut_Normalized.npy", "C_Mouse_Gamanut_Normalized.npy");
  folder.copy(data_folder() / "Macaque_Normalized.npy", "C_Macaque_Normalized.npy");
  folder.copy(data_folder() / "Macaque_neuron_density.npy", "ND_Macaque_Normalized.npy");
  REQUIRE(
      write_file((folder.path / "Names_Macaque_Normalized.lst").string(), std::string_view("cos\nsystem\n(S'x'\ntR."))
          .ok());
  const std::vector<FoundSpecies> two = find_species(folder.path.string());
  REQUIRE(two.size() == 2);
  CHECK(std::string(two[0].species->name) == "macaque");
  CHECK(two[0].names.empty());
  CHECK_FALSE(two[0].densities.empty());
  CHECK(std::string(two[1].species->name) == "mouse");
  const Result<Connectome> numbered = read_species(two[0]);
  REQUIRE(numbered);
  CHECK(numbered->names[0] == "R1");
  CHECK(check_species(*two[0].species, *numbered).ok());

  // Another matrix under its name is found out, by what differs.
  folder.copy(data_folder() / "Macaque_Normalized.npy", "C_Marmoset_Normalized.npy");
  const std::vector<FoundSpecies> three = find_species(folder.path.string());
  REQUIRE(three.size() == 3);
  const Result<Connectome> wrong = read_species(three[1]);
  REQUIRE(wrong);
  const Status differs = check_species(*three[1].species, *wrong);
  REQUIRE_FALSE(differs.ok());
  CHECK(differs.error().message.find("regions 29 (published: 55)") != std::string::npos);
  CHECK(wiring_of(three[1].matrix, std::make_shared<const Connectome>(*wrong)).name.rfind("matrix-", 0) == 0);
  Connectome one = *numbered;
  for (double& w : one.weight)
    if (w > 0) {
      w *= 2;
      break;
    }
  CHECK_FALSE(check_species(*two[0].species, one).ok());
}

TEST_CASE("species: a region without links has no intrinsic weight, and is counted so") {
  Connectome c = *ring(5);
  for (size_t j = 0; j < 5; ++j) c.weight[j] = 0;  // nothing leaves the first, all others have both
  const auto shared = std::make_shared<const Connectome>(c);
  for (bool as_published : {false, true}) {  // as published its incoming weight counts
    Spec spec = testing::spec_of(R"({"dalea":1})");
    spec.connectome.as_published = as_published;
    spec.connectome.intrinsic_weight = 0.5;
    REQUIRE(attach_connectome(spec, shared).ok());
    const Result<ScaledConnectome> s = scale_connectome(spec, 0);
    REQUIRE(s);
    CHECK(s->connections() == *count_connections(spec));
    double own = 0;
    for (int64_t e = s->start[0]; e < s->start[4]; ++e) own += s->weight[e];
    CHECK(own == doctest::Approx(as_published ? 5.5 : 0));  // from the last but one 0.5, from the last 5
  }
}

TEST_CASE("species: the published counts of the macaque under every setting") {
  const fs::path file = data_folder() / "Macaque_Normalized.npy";
  if (!fs::exists(file)) {
    MESSAGE("the connectomes are not here; not tested");
    return;
  }
  Result<Connectome> c = read_species({nullptr, file.string(), "", ""});
  REQUIRE(c);
  c->density.assign(29, 10);
  c->density[4] = 40;
  const auto shared = std::make_shared<const Connectome>(*c);
  struct Case {
    double sparsity;
    bool intrinsic;
    double own;
    int64_t connections;
  };
  for (const Case& k : {Case{0.1, false, 1, 6770}, Case{0.8, false, 1, 54160}, Case{0.8, true, 1, 58560},
                        Case{0.8, true, 0.5, 56360}}) {
    Spec spec = testing::spec_of(R"({"dalea":1})");
    spec.connectome.target_sparsity = k.sparsity;
    spec.connectome.intrinsic = k.intrinsic;
    spec.connectome.intrinsic_sparsity = k.own;
    REQUIRE(attach_connectome(spec, shared).ok());
    const Result<ScaledConnectome> s = scale_connectome(spec, 0);
    REQUIRE(s);
    CHECK(s->units == 320);
    CHECK(s->connections() == k.connections);
    CHECK(*count_connections(spec) == k.connections);
  }
}
