// Train, prune, fine-tune (training/stages.h), and the checkpoints of training.checkpoint.
#include <algorithm>
#include <cmath>
#include <functional>

#include "helpers.h"
#include "network/rules.h"
#include "training/stages.h"

using namespace dalea;
using namespace dalea::testing;

namespace {

const std::string learning = R"("epochs":3,"batch":13,"optimizer":{"lr":0.01},)"
                             R"("schedule":{"type":"cosine","t_max":2})";
const std::string table = R"("connectivity":{"probability":[[0.3,0.6],[0.5,0]]})";
std::string staged(const std::string& stages = "", const std::string& connectivity = table) {
  return "," + connectivity + R"(,"stages":{"prune":true,"fine_tune":4)" + stages + "}";
}
std::string keeping(const std::string& rule) {
  return learning + R"(,"checkpoint":")" + rule + "\"";
}

// Until it has pruned.
void to_pruning(Trainer& t) {
  while (t.stage() == Stage::dense && !t.finished()) t.step();
  REQUIRE(t.failure() == "");
}

std::unique_ptr<Trainer> resumed(const Trainer& t) {
  const std::vector<std::byte> file = write_session(t, "test");
  Result<Session> session = read_session(file, "s.npz");
  REQUIRE_MESSAGE(session.ok(), (session.ok() ? "" : session.error().text()));
  auto again = trainer_of(session->spec);
  const Status ok = again->restore(std::move(session->state));
  REQUIRE_MESSAGE(ok.ok(), (ok.ok() ? "" : ok.error().text()));
  CHECK(write_session(*again, "test") == file);
  return again;
}

bool same_bits(double a, double b) {
  return a == b || (std::isnan(a) && std::isnan(b));
}

}  // namespace

TEST_CASE("stages: dense without a mask, then nothing grows off the mask and every sign holds, to the end") {
  for (const char* constraint : {"dale", "conventional", "rectified", "rectified-forward"}) {
    auto t = trainer_of(spec_of(tiny_json(learning + R"(,"constraint":")" + constraint + "\"", staged())));
    CHECK(t->mask() == nullptr);
    CHECK(t->checkpoint("dense") == nullptr);
    CHECK(t->checkpoint("sparse") == nullptr);
    const bool signs = std::string(constraint) != "conventional";
    int64_t updates = 0, prunings = 0;
    while (!t->finished()) {
      const Trainer::Event e = t->step();
      updates += e == Trainer::Event::update;
      prunings += e == Trainer::Event::pruned;
      REQUIRE(t->audit().mask == 0);
      if (signs) REQUIRE(t->audit().sign == 0);
    }
    CHECK(t->failure() == "");
    CHECK(updates == 7 * t->batches_per_epoch());
    CHECK(prunings == 2);  // done, and its losses known
    CHECK(t->updates() == updates);
    CHECK(t->progress() == 1);
    REQUIRE(t->mask() != nullptr);
    CHECK_FALSE(t->own_mask());
    for (int64_t i = 16; i < 20; ++i)
      for (int64_t j = 16; j < 20; ++j) CHECK(t->model().parameters.W_rec.at(i, j) == 0);  // probability 0
    REQUIRE(t->checkpoint("dense") != nullptr);
    CHECK(t->checkpoint("initial")->W_rec.values == trainer_of(t->spec())->initial().W_rec.values);
    CHECK(hash_of(*t->checkpoint("sparse")) == t->hash());
    CHECK(t->dense_epoch() == 3);
    CHECK(t->kept_epoch() == 7);
    // The schedule begins again.
    const auto& h = t->history();
    REQUIRE(h.size() == 7);
    for (size_t e = 0; e < 3; ++e) CHECK(h[3 + e].lr == h[e].lr);
    CHECK(h[0].lr != h[1].lr);
  }
}

TEST_CASE("stages: the pruned network is the checkpoint on its mask, its losses those of whole splits") {
  auto t = trainer_of(spec_of(tiny_json(learning, staged())));
  to_pruning(*t);
  const Weights& dense = t->checkpoint("dense")->W_rec;
  const Weights& w = t->model().parameters.W_rec;
  int64_t kept = 0;
  for (int64_t j = 0; j < 20; ++j)
    for (int64_t i = 0; i < 20; ++i) {
      const bool there =
          std::binary_search(t->mask()->row.begin() + t->mask()->col_start[j],
                             t->mask()->row.begin() + t->mask()->col_start[j + 1], static_cast<int32_t>(i));
      kept += there;
      CHECK(w.at(i, j) == (there ? dense.at(i, j) : 0.0f));
      if (there) CHECK(dense.at(i, j) != 0);  // a zero is never drawn
    }
  CHECK(kept == t->mask()->count());
  const Losses losses = t->evaluate();
  while (t->pruned_losses() == nullptr) t->step();
  CHECK(t->pruned_losses()->train == losses.train);
  CHECK(t->pruned_losses()->validation == losses.validation);
  CHECK(t->pruned_losses()->held_out == losses.held_out);
  CHECK(t->pruned_losses()->validation > t->history()[2].validation);
  // The last minibatch: what is left over of 60 trials after four of 13.
  CHECK(t->pruned_losses()->train_published > 0);
  CHECK(t->pruned_losses()->train_published != losses.train);
}

TEST_CASE("stages: the same bits by threads, instruction sets, storage, time steps, and resumed anywhere") {
  for (const std::string& rule : {std::string("last"), std::string("validation"), std::string("train")}) {
    const std::string more = staged(R"(,"method":"top-prob")");
    auto whole = trainer_of(spec_of(tiny_json(keeping(rule), more)));
    const uint64_t hash = train_to_end(*whole);
    for (const char* storage : {"dense", "sparse"}) {
      Spec spec = whole->spec();
      spec.connectivity.storage = storage;
      auto t = trainer_of(spec);
      CHECK(train_to_end(*t) == hash);
      CHECK(t->model().parameters.W_rec.sparse() == (std::string(storage) == "sparse"));
    }
    for (int threads : {2, 5}) {
      TrainerOptions options;
      options.threads = threads;
      options.isa = threads == 2 ? Isa::scalar : best_isa();
      options.poison = true;
      CHECK(train_to_end(*trainer_of(whole->spec(), options)) == hash);
    }
    auto slow = trainer_of(whole->spec());
    while (!slow->finished()) slow->advance();
    CHECK(slow->hash() == hash);

    auto t = trainer_of(whole->spec());
    int64_t k = 0;
    while (!t->finished()) {  // through a session file after every update, epoch and pruning, also a time step further
      if (t->step() == Trainer::Event::working) continue;  // an evaluation begins anew when it is resumed
      if (++k % 2 == 0) t->advance();
      t = resumed(*t);
    }
    CHECK(t->hash() == hash);
    REQUIRE(t->history().size() == whole->history().size());
    for (size_t e = 0; e < t->history().size(); ++e) {
      CHECK(t->history()[e].validation == whole->history()[e].validation);
      CHECK(t->history()[e].kept == whole->history()[e].kept);
    }
    CHECK(t->pruned_losses()->validation == whole->pruned_losses()->validation);
    CHECK(same_bits(t->pruned_losses()->train_published, whole->pruned_losses()->train_published));
    CHECK(hash_of(*t->checkpoint("dense")) == hash_of(*whole->checkpoint("dense")));
    CHECK(t->dense_epoch() == whole->dense_epoch());
    CHECK(t->kept_epoch() == whole->kept_epoch());
  }
}

TEST_CASE("stages: a rewound session of another stage is taken by a trainer that is further") {
  auto early = trainer_of(spec_of(tiny_json(learning, staged())));
  for (int k = 0; k < 4; ++k) early->step();
  auto late = trainer_of(early->spec());
  const uint64_t hash = train_to_end(*late);
  REQUIRE(late->restore(early->state()).ok());
  CHECK(late->stage() == Stage::dense);
  CHECK(late->mask() == nullptr);
  CHECK(train_to_end(*late) == hash);
}

TEST_CASE("stages: what does not go together is refused") {
  const auto refusal = [](const std::string& json, const TrainerOptions& options = {}) {
    const ParsedSpec parsed = parse_spec(json);
    if (!parsed.problems.empty()) return parsed.problems.front().path;
    Result<Dataset> data = make_dataset(parsed.spec, nullptr, 0);
    REQUIRE(data.ok());
    Result<std::unique_ptr<Trainer>> t = Trainer::create(parsed.spec, std::move(*data), 0, options);
    return t ? std::string() : t.error().path;
  };
  CHECK(refusal(tiny_json(learning, R"(,"stages":{"prune":true})")) == "stages.prune");
  CHECK(refusal(tiny_json(learning, staged(R"(,"as_published":true)",
                                           R"("connectivity":{"probability":0.3,"self_connections":false})"))) ==
        "stages.as_published");
  TrainerOptions masked;
  masked.mask = make_pattern(20, 20, std::vector<uint8_t>(400, 1));
  CHECK(refusal(tiny_json(learning, staged()), masked) == "stages.prune");

  auto t = trainer_of(spec_of(tiny_json(keeping("train"), staged())));
  train_to_end(*t);
  const auto rejects = [&](const std::function<void(TrainerState&)>& spoil) {
    TrainerState s = t->state();
    spoil(s);
    return !trainer_of(t->spec())->restore(std::move(s)).ok();
  };
  CHECK_FALSE(rejects([](TrainerState&) {}));
  CHECK(rejects([](TrainerState& s) { s.pruned = false; }));
  CHECK(rejects([](TrainerState& s) { s.mask = nullptr; }));
  CHECK(rejects([](TrainerState& s) { s.dense = nullptr; }));
  CHECK(rejects([](TrainerState& s) { s.dense_epoch = 4; }));
  CHECK(rejects([](TrainerState& s) { s.best_epoch = 2; }));
  CHECK(rejects([](TrainerState& s) { s.best_epoch = 8; }));
  CHECK(rejects([](TrainerState& s) { s.best = nullptr; }));
  CHECK(rejects([](TrainerState& s) { s.pruned_losses = std::nullopt; }));
}

TEST_CASE("stages: the density of every block lies within its 99.9 % limits over twenty seeds") {
  // V1 and LM, two layers, two types: a table inside areas, a motif between them.
  const std::string json =
      R"({"dalea":1,"structure":{"areas":["V1","LM"],"layers":["L23","L4"],"types":["Pyr","SST"],"signs":["+","-"],)"
      R"("ratio":"12:2","scale":4},"connectivity":{"table":"cell-types",)"
      R"("motifs":["V1 L23 Pyr -> LM L4: 0.3","LM L4 Pyr -> V1 L23: 0.25"]},)"
      R"("task":{"steps":5,"train":40,"validation":10,"held_out":10},"training":{"epochs":1,"batch":20},)"
      R"("stages":{"prune":true,"fine_tune":1}})";
  const Spec spec = spec_of(json);
  const BlockMatrix p = block_probability(spec);
  const auto motif = from_motif(spec);
  const size_t count = spec.populations.size();
  REQUIRE(count == 8);
  std::vector<int64_t> begin{0};
  for (const Population& pop : spec.populations) begin.push_back(begin.back() + pop.size);
  int64_t blocks = 0, outside = 0, from_motifs = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Spec s = spec;
    s.seed = seed;
    const Weights w = build_model(s, Ends{}, 0).parameters.W_rec;
    Result<StagePruning> pruned = prune_stage(s, w, 0);
    REQUIRE(pruned.ok());
    double expected = 0;
    for (size_t post = 0; post < count; ++post)
      for (size_t pre = 0; pre < count; ++pre) {
        int64_t kept = 0;
        for (int64_t j = begin[pre]; j < begin[pre + 1]; ++j)
          for (int64_t e = pruned->mask->col_start[j]; e < pruned->mask->col_start[j + 1]; ++e)
            kept += pruned->mask->row[e] >= begin[post] && pruned->mask->row[e] < begin[post + 1];
        const double n = static_cast<double>((begin[post + 1] - begin[post]) * (begin[pre + 1] - begin[pre]));
        expected += n * p[post][pre];
        if (p[post][pre] == 0) {
          CHECK(kept == 0);
          continue;
        }
        // A Poisson binomial's variance is at most the binomial's of the same mean; a normal's 99.9 % limits, and one
        // for the step.
        ++blocks;
        from_motifs += motif[post][pre];
        outside += std::fabs(static_cast<double>(kept) - n * p[post][pre]) >
                   1 + 3.29 * std::sqrt(n * p[post][pre] * (1 - p[post][pre]));
      }
    CHECK(pruned->expected == doctest::Approx(expected).epsilon(1e-9));
    CHECK(pruned->kept == pruned->mask->count());
  }
  CHECK(from_motifs == 20 * 4);
  CHECK(blocks > 300);
  CHECK(outside <= blocks / 200);
}

TEST_CASE("stages: a motif's mask takes zeros too, unless as published; the published top-prob keeps too much") {
  Spec spec = spec_of(
      tiny_json(learning, staged("", R"("connectivity":{"motifs":["E -> I: 0.5","E -> E: 0.5","I -> E: 0.5"]})")));
  Weights w = build_model(spec, Ends{}, 0).parameters.W_rec;
  for (size_t e = 0; e < w.values.size(); e += 2) w.values[e] = 0;
  const auto zeros_kept = [&](const StagePruning& p) {
    int64_t zeros = 0;
    for (int64_t j = 0; j < 20; ++j)
      for (int64_t e = p.mask->col_start[j]; e < p.mask->col_start[j + 1]; ++e) zeros += w.at(p.mask->row[e], j) == 0;
    return zeros;
  };
  Result<StagePruning> intended = prune_stage(spec, w, 0);
  REQUIRE(intended.ok());
  CHECK(zeros_kept(*intended) > 60);
  CHECK(intended->kept > 140);
  spec.stages.as_published = true;
  Result<StagePruning> published = prune_stage(spec, w, 0);
  REQUIRE(published.ok());
  CHECK(zeros_kept(*published) == 0);
  CHECK(published->kept < intended->kept);
  spec.stages.as_published = false;
  spec.stages.motifs = "top-prob";
  Result<StagePruning> weighed = prune_stage(spec, w, 0);
  REQUIRE(weighed.ok());
  CHECK(zeros_kept(*weighed) == 0);

  // Q5: K is n / (n - z0) too large; nothing is above 1 at so low a density.
  spec = spec_of(tiny_json(learning, staged("", R"("connectivity":{"probability":0.1})")));
  w = build_model(spec, Ends{}, 0).parameters.W_rec;
  const double right = prune_stage(spec, w, 0)->expected;
  spec.stages.as_published = true;
  const double published_expected = prune_stage(spec, w, 0)->expected;
  CHECK(right == doctest::Approx(40));
  CHECK(published_expected == doctest::Approx(25.6 * 256 / 240 + 2 * 6.4 * 64 / 60 + 1.6 * 16 / 12));
}

TEST_CASE("stages: the published threshold keeps nothing, its correction keeps the best (SEEDS Q8)") {
  const std::string more = staged(R"(,"as_published":true)");
  auto published = trainer_of(spec_of(tiny_json(keeping("train"), more)));
  const uint64_t published_hash = train_to_end(*published);
  const double threshold = published->pruned_losses()->train_published;
  size_t least = 3;
  for (size_t e = 3; e < 7; ++e) {
    CHECK(published->history()[e].train_published > threshold);  // a sum of five means
    if (published->history()[e].train < published->history()[least].train) least = e;
  }
  CHECK(published->kept_epoch() == 7);
  CHECK(published->checkpoint_note().find("As published no epoch") == 0);
  auto corrected = trainer_of(spec_of(tiny_json(keeping("train"), staged())));
  train_to_end(*corrected);
  CHECK(corrected->checkpoint_note() == "");
  size_t best = 3;
  for (size_t e = 3; e < 7; ++e)
    if (corrected->history()[e].train < corrected->history()[best].train) best = e;
  CHECK(corrected->kept_epoch() == static_cast<int64_t>(best) + 1);
  // In one minibatch the units agree, and a checkpoint is kept as published too.
  auto one =
      trainer_of(spec_of(tiny_json(R"("epochs":3,"batch":60,"optimizer":{"lr":0.01},"checkpoint":"train")", more)));
  train_to_end(*one);
  CHECK(one->history()[6].train_published < one->pruned_losses()->train_published);
  CHECK(one->checkpoint_note() == "");
  CHECK(published_hash == train_to_end(*resumed(*published)));
}

TEST_CASE("checkpoints: the network ends as its best epoch, by the loss that was named") {
  // A learning rate at which the losses go up and down.
  const auto ended = [](const std::string& rule) {
    auto t =
        trainer_of(spec_of(tiny_json(R"("epochs":9,"batch":7,"optimizer":{"lr":0.08},"checkpoint":")" + rule + "\"")));
    train_to_end(*t);
    return t;
  };
  auto last = ended("last"), train = ended("train"), validation = ended("validation");
  CHECK(last->kept_epoch() == 9);
  for (const EpochRecord& e : last->history()) CHECK(std::isnan(e.kept));
  int64_t best_train = 1, best_validation = 1;
  for (int64_t e = 2; e <= 9; ++e) {
    const auto& h = last->history();
    if (h[e - 1].train < h[best_train - 1].train) best_train = e;
    if (h[e - 1].validation < h[best_validation - 1].validation) best_validation = e;
  }
  MESSAGE("least train loss after epoch ", best_train, ", validation ", best_validation);
  CHECK(best_train != best_validation);
  CHECK(train->kept_epoch() == best_train);
  CHECK(validation->kept_epoch() == best_validation);
  CHECK(train->hash() != validation->hash());
  CHECK(validation->evaluate().validation == validation->history()[best_validation - 1].validation);
  for (const EpochRecord& e : validation->history()) CHECK(e.kept == (e.epoch == best_validation ? 1 : 0));
  CHECK(history_csv(validation->history()).find(",lr,kept\n") != std::string::npos);
  CHECK(history_csv(last->history()).find("kept") == std::string::npos);
}

TEST_CASE("training.shuffle: off, every epoch takes the first one's order") {
  // In one minibatch a trial's place changes nothing but rounding; with several it does.
  const std::string twice = R"("epochs":2,"batch":13,"optimizer":{"type":"sgd","lr":0})";
  auto fixed = trainer_of(spec_of(tiny_json(twice + R"(,"shuffle":false)")));
  auto mixed = trainer_of(spec_of(tiny_json(twice)));
  const auto losses = [](Trainer& t) {
    std::vector<double> list;
    while (!t.finished())
      if (t.step() == Trainer::Event::update) list.push_back(t.last_loss());
    return list;
  };
  const std::vector<double> a = losses(*fixed), b = losses(*mixed);
  REQUIRE(a.size() == 10);
  for (size_t k = 0; k < 5; ++k) {
    CHECK(a[k] == a[k + 5]);
    CHECK(a[k] == b[k]);
  }
  CHECK(b[0] != b[5]);
}

TEST_CASE("sessions of damaged stages are refused, without a crash") {
  auto t = trainer_of(spec_of(tiny_json(keeping("validation"), staged())));
  train_to_end(*t);
  const std::vector<std::byte> whole = write_session(*t, "test");
  CHECK(read_session(whole, "s.npz").ok());
  const std::string text(reinterpret_cast<const char*>(whole.data()), whole.size());
  for (const char* name : {"stages/pruned.npy", "checkpoints/dense/W_rec.npy", "checkpoints/best/W_in.npy",
                           "history/kept.npy", "mask/row.npy"})
    CHECK(text.find(name) != std::string::npos);
  for (const char* name : {"checkpoints/dense/W_rec", "checkpoints/best/W_in.npy"}) {
    std::string other = text;  // renamed everywhere: missing
    for (size_t at = other.find(name); at != std::string::npos; at = other.find(name, at)) other[at] = 'X';
    std::vector<std::byte> bytes(other.size());
    std::transform(other.begin(), other.end(), bytes.begin(), [](char c) { return static_cast<std::byte>(c); });
    CHECK_FALSE(read_session(bytes, "s.npz").ok());
  }
}
