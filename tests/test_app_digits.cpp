// The digits and other tasks with classes in the window: files dropped one by one, answers, accuracy; no graphics.
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "helpers.h"
#include "window_helpers.h"

using namespace dalea;
using namespace dalea::app;
using namespace dalea::testing;

namespace {

using Bytes = std::vector<std::byte>;

// One of the four files: `count` digits of 4 x 3 pixels, numbered from `first`, so that files can be told apart.
NamedFile idx_file(const std::string& name, bool images, uint32_t count, uint32_t first = 0) {
  NamedFile file{name, {std::byte{0}, std::byte{0}, std::byte{8}, images ? std::byte{3} : std::byte{1}}};
  const auto word = [&](uint32_t n) {
    for (int shift : {24, 16, 8, 0}) file.bytes.push_back(static_cast<std::byte>(n >> shift & 255));
  };
  word(count);
  if (images) {
    word(4);
    word(3);
  }
  for (uint32_t n = first; n < first + count; ++n) {
    if (images)
      for (uint32_t e = 0; e < 12; ++e) file.bytes.push_back(static_cast<std::byte>((n * 37 + e * e * 11) & 255));
    else
      file.bytes.push_back(static_cast<std::byte>(n * n % 10));
  }
  return file;
}

NamedFile packed(const NamedFile& file) {
  NamedFile gz{file.name + ".gz", Bytes(file.bytes.size() + 4096)};
  z_stream s{};
  REQUIRE(deflateInit2(&s, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  s.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(file.bytes.data()));
  s.avail_in = static_cast<uInt>(file.bytes.size());
  s.next_out = reinterpret_cast<Bytef*>(gz.bytes.data());
  s.avail_out = static_cast<uInt>(gz.bytes.size());
  REQUIRE(deflate(&s, Z_FINISH) == Z_STREAM_END);
  gz.bytes.resize(gz.bytes.size() - s.avail_out);
  deflateEnd(&s);
  return gz;
}

// Training images and labels, test images and labels.
std::vector<NamedFile> four(uint32_t train, uint32_t test) {
  return {idx_file("train-images-idx3-ubyte", true, train), idx_file("train-labels-idx1-ubyte", false, train),
          idx_file("t10k-images-idx3-ubyte", true, test, 1000), idx_file("t10k-labels-idx1-ubyte", false, test, 1000)};
}

DigitsPtr digits_of(const std::vector<NamedFile>& f) {
  Result<DigitSet> train = read_digit_set(f[0].bytes, f[0].name, f[1].bytes, f[1].name);
  Result<DigitSet> test = read_digit_set(f[2].bytes, f[2].name, f[3].bytes, f[3].name);
  REQUIRE(train.ok());
  REQUIRE(test.ok());
  return std::make_shared<Digits>(Digits{std::move(*train), std::move(*test)});
}

Spec tiny_digits(const std::string& task = R"("train":40,"validation":10,"held_out":20)") {
  return spec_of(R"({"dalea":1,"name":"tiny digits","populations":[{"name":"E","size":16,"sign":"+"},)"
                 R"({"name":"I","size":4,"sign":"-"}],"task":{"type":"digits","steps":4,)" +
                 task + R"(},"training":{"batch":10,"epochs":3,"optimizer":{"lr":0.01}}})");
}

std::string hash_of_training(const Spec& spec, const Digits& digits) {
  Result<Dataset> data = make_dataset(spec, nullptr, 0, &digits);
  REQUIRE(data.ok());
  Result<std::unique_ptr<Trainer>> trainer = Trainer::create(spec, std::move(*data), 0, TrainerOptions());
  REQUIRE(trainer.ok());
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(train_to_end(**trainer)));
  return text;
}

LiveOptions alone() {
  LiveOptions o;
  o.own_thread = false;
  o.platform = "test";
  return o;
}

// A window whose surroundings can fetch digits, or not.
class Fetching : public NoScreen {
 public:
  bool fetch_digits() override {
    ++fetches;
    return can;
  }
  int fetches = 0;
  bool can = true;
};

std::shared_ptr<const Snapshot> to_the_end(App& app) {
  for (int k = 0; k < 2000; ++k) {
    app.live.pump(0.01);
    if (auto s = app.live.snapshot(); s->phase == Phase::finished) return s;
  }
  FAIL("the training did not end");
  return app.live.snapshot();
}

// One turn of the window's loop, and what it shows then.
nlohmann::json turn(NoScreen& screen, App& app) {
  app.live.pump(0);
  screen.frame(app);
  screen.frame(app);
  return nlohmann::json::parse(app.state_json(1));
}

bool said(const nlohmann::json& state, const std::string& text) {
  return std::any_of(state["notices"].begin(), state["notices"].end(), [&](const nlohmann::json& n) {
    return n["text"].get<std::string>().find(text) != std::string::npos;
  });
}

}  // namespace

TEST_CASE("digits: the four files are told apart by content, name and count, plain or gzipped, in any order") {
  const std::vector<NamedFile> files = four(40, 20);
  std::vector<size_t> order = {0, 1, 2, 3};
  do {
    DigitFiles all;
    CHECK(all.empty());
    for (size_t k = 0; k < 4; ++k) {
      CHECK(!all.complete());
      NamedFile file = k % 2 == 0 ? files[order[k]] : packed(files[order[k]]);
      std::transform(file.name.begin(), file.name.end(), file.name.begin(), [](char c) {
        return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));  // a name's case says nothing
      });
      CHECK(DigitFiles::is_one(file));
      CHECK(all.take(std::make_shared<NamedFile>(std::move(file))).ok());
    }
    CHECK(all.complete());
    for (size_t part = 0; part < 4; ++part) {
      const std::optional<IdxHead> head = peek_idx(all.files()[part]->bytes);
      REQUIRE(head.has_value());
      CHECK(head->images == (part % 2 == 0));
      CHECK(head->count == (part < 2 ? 40 : 20));
      CHECK(head->rows == (part % 2 == 0 ? 4 : 0));
      CHECK(head->cols == (part % 2 == 0 ? 3 : 0));
    }
  } while (std::next_permutation(order.begin(), order.end()));

  DigitFiles some;
  CHECK(some.take(std::make_shared<NamedFile>(files[3])).ok());
  CHECK(some.text() ==
        "Digits: the test labels (20) is here; still missing: training images (train-images-idx3-ubyte), training "
        "labels (train-labels-idx1-ubyte) and test images (t10k-images-idx3-ubyte). Drop them on the window.");
  CHECK(some.take(std::make_shared<NamedFile>(files[0])).ok());
  CHECK(some.take(std::make_shared<NamedFile>(files[0])).ok());  // again
  CHECK(some.take(std::make_shared<NamedFile>(files[1])).ok());
  CHECK(some.text().find("still missing: test images (t10k-images-idx3-ubyte). Drop it") != std::string::npos);

  // A name that says nothing: the published counts do. Only the head is looked at here.
  NamedFile head = idx_file("images", true, 1);
  head.bytes[6] = std::byte{60000 >> 8};
  head.bytes[7] = std::byte{60000 & 255};
  DigitFiles unnamed;
  CHECK(unnamed.take(std::make_shared<NamedFile>(head)).ok());
  CHECK(unnamed.files()[0] != nullptr);
  for (const char* name : {"images", "train-or-test-images"}) {
    const Status status = unnamed.take(std::make_shared<NamedFile>(idx_file(name, true, 7)));
    REQUIRE(!status.ok());
    CHECK(status.error().path == name);
    CHECK(status.error().message.find("name it train-images-idx3-ubyte or t10k-images-idx3-ubyte") !=
          std::string::npos);
  }
}

TEST_CASE("digits: what is no IDX file is not taken for one") {
  const NamedFile good = idx_file("x", true, 3), labels = idx_file("x", false, 3);
  for (size_t cut = 0; cut < 16; ++cut)
    CHECK(!DigitFiles::is_one({"x", Bytes(good.bytes.begin(), good.bytes.begin() + static_cast<std::ptrdiff_t>(cut))}));
  for (size_t cut = 0; cut < 8; ++cut)
    CHECK(!DigitFiles::is_one(
        {"x", Bytes(labels.bytes.begin(), labels.bytes.begin() + static_cast<std::ptrdiff_t>(cut))}));
  for (size_t at : {0u, 1u, 2u, 3u}) {
    NamedFile bad = good;
    bad.bytes[at] ^= std::byte{0x40};
    CHECK(!DigitFiles::is_one(bad));
  }
  NamedFile gz = packed(good);
  CHECK(DigitFiles::is_one(gz));
  CHECK(!DigitFiles::is_one(packed(gz)));  // gzip within gzip
  for (size_t at = 10; at < gz.bytes.size(); ++at) {
    NamedFile damaged = gz;
    damaged.bytes[at] ^= std::byte{0xff};
    DigitFiles::is_one(damaged);  // whatever it says, it returns
    damaged.bytes.resize(at);
    DigitFiles::is_one(damaged);
  }
  CHECK(!DigitFiles::is_one({"x.csv", Bytes(100, std::byte{'1'})}));
  CHECK(!DigitFiles::is_one({"x", Bytes(100, std::byte{0})}));
}

TEST_CASE("the window: an experiment waits for the digits and starts with the last of the four files") {
  const std::vector<NamedFile> files = four(60, 25);
  const Spec spec = tiny_digits();
  const std::string expected = hash_of_training(spec, *digits_of(files));
  for (const std::vector<size_t>& order : {std::vector<size_t>{0, 1, 2, 3}, {3, 1, 2, 0}, {2, 3, 0, 1}}) {
    Fetching screen;
    screen.can = false;
    App app(screen, alone());
    app.live.train(spec, nullptr, true);
    nlohmann::json state = turn(screen, app);
    CHECK(state["phase"] == "waiting for the digits");
    CHECK(state["wants_digits"] == true);
    CHECK(state["digits"].is_null());
    CHECK(screen.fetches == 1);
    for (size_t k = 0; k < 4; ++k) {
      app.give_file(files[order[k]]);
      state = turn(screen, app);
      CHECK(state["wants_digits"] == (k < 3));
      CHECK(said(state, "still missing") == (k < 3));
      CHECK(state["notices"].size() == (k < 3 ? 1 : 0));  // never a pile of them
    }
    CHECK(state["digits"]["train"] == 60);
    CHECK(state["digits"]["test"] == 25);
    CHECK(to_the_end(app)->hash == expected);
    turn(screen, app);
    CHECK(screen.fetches == 1);
  }
  // Without an experiment that waits they are kept, and that is said.
  NoScreen screen;
  App app(screen, alone());
  for (const NamedFile& file : files) app.give_file(packed(file));
  CHECK(said(turn(screen, app), "The digits are here: 60 for training and 25 for the test"));
  app.live.train(spec, nullptr, true);
  CHECK(to_the_end(app)->hash == expected);
}

TEST_CASE("the window: a damaged file of the four is named, and given again it alone is enough") {
  std::vector<NamedFile> files = four(60, 25);
  const Spec spec = tiny_digits();
  NoScreen screen;
  App app(screen, alone());
  app.live.train(spec, nullptr, true);
  NamedFile damaged = files[1];
  damaged.bytes.pop_back();
  app.give_file(files[0]);
  app.give_file(damaged);
  app.give_file(files[2]);
  app.give_file(files[3]);
  nlohmann::json state = turn(screen, app);
  CHECK(said(state, "train-labels-idx1-ubyte: is cut off"));
  CHECK(state["wants_digits"] == true);
  app.give_file(files[1]);
  CHECK(to_the_end(app)->hash == hash_of_training(spec, *digits_of(files)));
}

TEST_CASE("the window: the small set is fetched once, never replaces others, and too few digits have a remedy") {
  Fetching screen;
  App app(screen, alone());
  app.live.train(tiny_digits(), nullptr, true);
  CHECK(said(turn(screen, app), "Fetching"));
  turn(screen, app);
  CHECK(screen.fetches == 1);
  app.digits_missing("they could not be fetched");
  CHECK(said(turn(screen, app), "Drop the four IDX files"));
  app.live.train(tiny_digits(), nullptr, true);  // asked again, it tries again
  CHECK(said(turn(screen, app), "Fetching"));
  CHECK(screen.fetches == 2);
  const std::vector<NamedFile> small = four(50, 20);
  for (const NamedFile& file : small) app.give_bundled_digits(packed(file));
  const std::string hash = hash_of_training(tiny_digits(), *digits_of(small));
  CHECK(to_the_end(app)->hash == hash);
  CHECK(turn(screen, app)["notices"].empty());

  // One more than there are, of each part.
  for (const char* task :
       {R"("train":41,"validation":10,"held_out":20)", R"("train":40,"validation":10,"held_out":21)"}) {
    app.live.train(tiny_digits(task), nullptr, true);
    const nlohmann::json state = turn(screen, app);
    CHECK(said(state, "but 50 + 20 are here: drop the four IDX files of the whole set"));
    CHECK(state["wants_digits"] == true);
    CHECK(state["hash"] == hash);  // what was there stays
  }
  CHECK(screen.fetches == 2);
  const std::vector<NamedFile> whole = four(70, 30);
  for (const NamedFile& file : whole) app.give_file(file);
  CHECK(turn(screen, app)["held_out"].is_number() == false);
  CHECK(to_the_end(app)->hash ==
        hash_of_training(tiny_digits(R"("train":40,"validation":10,"held_out":21)"), *digits_of(whole)));
  for (const NamedFile& file : small) app.give_bundled_digits(file);
  app.live.pump(0);
  CHECK(turn(screen, app)["digits"]["train"] == 70);
}

TEST_CASE("the window: a session with digits waits for them too") {
  const std::vector<NamedFile> files = four(60, 25);
  NoScreen screen;
  App app(screen, alone());
  app.live.give_digits(digits_of(files));
  app.live.train(tiny_digits(), nullptr, false);
  app.live.step_epoch();
  for (int k = 0; k < 200; ++k) app.live.pump(0.01);
  CHECK(app.live.snapshot()->epoch == 1);
  app.live.save(Download::session);
  app.live.pump(0);
  turn(screen, app);
  REQUIRE(screen.saved.size() == 1);

  NoScreen* other_screen = &screen;  // one ImGui context is enough
  App other(*other_screen, alone());
  other.give_file(screen.saved[0]);
  CHECK(turn(*other_screen, other)["wants_digits"] == true);
  for (const NamedFile& file : files) other.give_file(file);
  CHECK(turn(*other_screen, other)["epoch"] == 1);
  other.live.play();
  CHECK(to_the_end(other)->hash == hash_of_training(tiny_digits(), *digits_of(files)));
}

TEST_CASE(
    "the window: accuracy, confusion and the commonest class are those of the held-out trials, counted one by one") {
  const std::vector<NamedFile> files = four(60, 25);
  NoScreen screen;
  App app(screen, alone());
  app.live.give_digits(digits_of(files));
  const std::pair<Spec, int64_t> cases[] = {{tiny_digits(), 10},
                                            {spec_of(tiny_json(R"("epochs":2,"batch":10,"loss":"cross-entropy")")), 3}};
  for (const auto& one : cases) {
    const int64_t classes = one.second;
    app.live.train(one.first, nullptr, false);
    app.live.pump(0);
    CHECK(app.live.snapshot()->answers == nullptr);
    CHECK(turn(screen, app)["accuracy"].is_null());
    app.live.play();
    const auto s = to_the_end(app);
    REQUIRE(s->answers != nullptr);
    CHECK(s->setup->classes == classes);
    // Every trial's trace: the largest logit at each step where a class is asked for.
    std::vector<int64_t> counted(static_cast<size_t>(classes * classes)), asked(static_cast<size_t>(classes));
    for (int64_t trial = 0; trial < s->setup->held_out_trials; ++trial) {
      app.live.show_trial(trial);
      app.live.pump(0);
      const auto view = app.live.snapshot()->trace;
      REQUIRE(view->trial == trial);
      REQUIRE(static_cast<int64_t>(view->label.size()) == view->steps);
      for (int64_t k = 0; k < view->steps; ++k) {
        const int32_t label = view->label[static_cast<size_t>(k)];
        if (label < 0) continue;
        const auto logit = view->output.begin() + k * classes;
        ++counted[static_cast<size_t>(label * classes + (std::max_element(logit, logit + classes) - logit))];
        ++asked[static_cast<size_t>(label)];
      }
    }
    CHECK(s->answers->count == counted);
    int64_t all = 0, right = 0;
    for (int64_t k = 0; k < classes; ++k) {
      all += asked[static_cast<size_t>(k)];
      right += counted[static_cast<size_t>(k * (classes + 1))];
    }
    const double accuracy = static_cast<double>(right) / static_cast<double>(all);
    const nlohmann::json state = turn(screen, app);
    CHECK(state["accuracy"] == accuracy);
    CHECK(state["confusion"] == counted);
    CHECK(state["classes"] == classes);
    CHECK(state["commonest"] ==
          static_cast<double>(*std::max_element(asked.begin(), asked.end())) / static_cast<double>(all));
  }
  app.live.train(spec_of(tiny_json(R"("epochs":1,"batch":10)")), nullptr, true);
  to_the_end(app);
  const nlohmann::json state = turn(screen, app);
  CHECK(state["classes"] == 0);
  CHECK(state["accuracy"].is_null());
  CHECK(state["confusion"].is_null());
}

TEST_CASE("the window: tasks with classes draw in every size, theme and view, before and after the first epoch") {
  NoScreen screen;
  App app(screen, alone());
  app.live.give_digits(digits_of(four(60, 25)));
  for (const Spec& spec : {tiny_digits(), spec_of(tiny_json(R"("epochs":2,"batch":10,"loss":"cross-entropy")"))}) {
    app.live.train(spec, nullptr, false);
    for (bool trained : {false, true}) {
      if (trained) {
        app.live.play();
        to_the_end(app);
      }
      for (Theme theme : {Theme::light, Theme::dark})
        for (const auto& size : {std::pair{1280.f, 720.f}, {1920.f, 1080.f}, {390.f, 844.f}, {200.f, 120.f}})
          for (bool accuracy : {true, false})
            for (int row : {-1, 0, 2, 999}) {
              app.theme = theme;
              app.view.accuracy = accuracy;
              app.view.digit_row = row;
              app.view.tab = tab_answers;
              app.live.pump(0);
              screen.frame(app, size.first, size.second);
              screen.frame(app, size.first, size.second);
              const nlohmann::json state = nlohmann::json::parse(app.state_json(1));
              const nlohmann::json& widgets = state["widgets"];
              if (size.first < 1000) continue;
              CHECK(widgets.contains("answers") == trained);
              CHECK(widgets.contains("accuracy") == accuracy);
              CHECK(widgets.contains("loss") == !accuracy);
              CHECK(widgets.contains("digit:bars") == (spec.task.type == "digits"));
              for (const auto& item : widgets.items()) {
                const std::string name = item.key();
                if (name.rfind("digit:", 0) != 0 && name != "answers") continue;
                const nlohmann::json& r = item.value();
                CHECK_MESSAGE(r["x"].get<float>() + r["w"].get<float>() <= size.first, name);
                CHECK_MESSAGE(r["y"].get<float>() + r["h"].get<float>() <= size.second, name);
                CHECK_MESSAGE(r["w"].get<float>() > 30, name);
                CHECK_MESSAGE(r["h"].get<float>() > 15, name);
              }
            }
    }
  }
  // The tab leaves with the classes.
  app.live.train(spec_of(tiny_json(R"("epochs":1,"batch":10)")), nullptr, false);
  app.view.tab = tab_answers;
  CHECK(!turn(screen, app)["widgets"].contains("answers"));
}
