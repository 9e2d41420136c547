// HDF5 files as h5py writes them (tests/py/make_hdf5_fixtures.py), in every layout, cut and flipped; and the worm's.
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "doctest/doctest.h"
#include "numerics/rng.h"
#include "recording/arrays.h"
#include "recording/hdf5.h"

using namespace dalea;

namespace {

using Content = std::vector<std::byte>;

#define SAYS(text, part) CHECK_MESSAGE((text).find(part) != std::string::npos, text)

Content file_content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string s(std::istreambuf_iterator<char>(file), {});
  const auto* p = reinterpret_cast<const std::byte*>(s.data());
  return {p, p + s.size()};
}

std::filesystem::path fixture_path(const std::string& name) {
  const char* folder = std::getenv("DALEA_FIXTURES");
  return std::filesystem::path(folder != nullptr ? folder : "") / "hdf5" / name;
}

// Empty: the fixtures are not here.
Content fixture(const std::string& name) {
  const Content file = file_content(fixture_path(name + ".h5"));
  if (file.empty()) MESSAGE("skipped: DALEA_FIXTURES names no folder filled by tests/py/make_hdf5_fixtures.py");
  return file;
}

Hdf5 opened(const Content& file) {
  Result<Hdf5> h = Hdf5::open(file, "f.h5");
  REQUIRE_MESSAGE(h.ok(), (h.ok() ? "" : h.error().text()));
  return std::move(*h);
}

std::vector<std::string> split(const std::string& line, char at) {
  std::vector<std::string> words;
  std::stringstream in(line);
  for (std::string word; std::getline(in, word, at);) words.push_back(word);
  if (!line.empty() && line.back() == at) words.emplace_back();
  return words;
}

std::string failure_of(const Content& file, const std::string& array = {}) {
  const Result<Table> table = read_table(file, "f.h5", array);
  return table ? "read" : table.error().text();
}

bool same(double a, double b) {
  return std::isnan(a) ? std::isnan(b) : a == b && std::signbit(a) == std::signbit(b);
}

// Everything a reader does with a file. The values that were read.
size_t use(std::span<const std::byte> bytes) {
  size_t values = 0;
  if (Result<Hdf5> h = Hdf5::open(bytes, "f.h5"); h) {
    for (const Hdf5Object& o : h->objects()) {
      for (const char* name : {"rate", "MATLAB_class"}) h->attribute(o.path, name);
      if (const Result<Hdf5Values> v = h->read(o.path); v) values += v->numbers.size() + v->texts.size();
    }
  }
  list_arrays(bytes, "f.h5");
  read_table(bytes, "f.h5");
  return values;
}

}  // namespace

TEST_CASE("HDF5: every type, layout, index and filter gives the values that h5py reads") {
  for (const char* name : {"types_earliest", "types_latest", "layouts_earliest", "layouts_latest",
                           "long_indices_earliest", "long_indices_latest", "groups_earliest", "groups_latest",
                           "small_earliest", "small_latest", "user_block", "matlab"}) {
    CAPTURE(name);
    const Content file = fixture(name);
    if (file.empty()) return;
    const Hdf5 h = opened(file);
    CHECK(!h.more());
    std::ifstream lines(fixture_path(std::string(name) + ".txt"));
    int datasets = 0;
    for (std::string line; std::getline(lines, line); ++datasets) {
      const std::vector<std::string> words = split(line, '\t');
      REQUIRE(words.size() >= 3);
      CAPTURE(words[0]);
      const Result<Hdf5Values> read = h.read(words[0]);
      REQUIRE_MESSAGE(read.ok(), (read.ok() ? "" : read.error().text()));
      std::string shape;
      for (int64_t n : read->shape) shape += (shape.empty() ? "" : " ") + std::to_string(n);
      CHECK(shape == words[2]);
      const std::vector<std::string> values(words.begin() + 3, words.end());
      if (words[1] == "text") {
        CHECK(read->texts == values);
        continue;
      }
      REQUIRE(read->numbers.size() == values.size());
      size_t wrong = 0;
      for (size_t k = 0; k < values.size(); ++k)
        wrong += !same(std::strtod(values[k].c_str(), nullptr), read->numbers[k]);
      CHECK(wrong == 0);
    }
    CHECK(datasets > 1);
  }
}

TEST_CASE("HDF5: what is in a file, through links of every kind, and attributes") {
  for (const char* name : {"groups_earliest", "groups_latest"}) {
    CAPTURE(name);
    const Content file = fixture(name);
    if (file.empty()) return;
    const Hdf5 h = opened(file);
    const auto unusable = [&](const char* path) { return h.find(path) ? h.find(path)->unusable : "not there"; };
    CHECK(h.objects()[0].path == "/");
    CHECK(h.find("g3/inner/x") == h.find("/g3/inner/x"));
    CHECK(h.find("/soft")->shape == std::vector<int64_t>{2, 3});
    CHECK(h.read("/soft")->numbers == std::vector<double>(6, 3));
    CHECK(h.read("g1/near")->numbers == std::vector<double>(6, 1));
    CHECK(h.read("/through")->numbers == std::vector<double>(6, 2));
    CHECK(h.read("/group_link/inner/x")->numbers == std::vector<double>(6, 2));
    CHECK(h.find("/group_link/inner/x")->path == "/g2/inner/x");
    CHECK(h.read("/g0/up/g0/inner/self/x")->numbers == std::vector<double>(6, 0));
    CHECK(h.read("/many/unit_149_with_a_long_name")->numbers == std::vector<double>{149, 150, 151});
    SAYS(unusable("/nothing"), "points to '/nowhere'");
    SAYS(unusable("/circle_a"), "points to '/circle_b'");
    SAYS(unusable("/outside"), "another file, 'other.h5'");
    SAYS(h.read("/outside").error().text(), "f.h5: dataset '/outside' stands in another file");
    SAYS(h.read("/g1").error().text(), "is a group");
    SAYS(h.read("/g1/y").error().text(), "holds no dataset '/g1/y'");
    CHECK(h.find("/g1/y") == nullptr);
    CHECK(h.find("/ordered/z") < h.find("/ordered/a"));

    const auto attribute = [&](const char* path, const char* key) {
      Result<Hdf5::Attribute> a = h.attribute(path, key);
      REQUIRE_MESSAGE(a.ok(), (a.ok() ? "" : a.error().text()));
      return *a;
    };
    const char* x = "/g5/inner/x";
    CHECK(attribute(x, "rate").values.numbers == std::vector<double>{12.5});
    CHECK(attribute(x, "unit").values.texts == std::vector<std::string>{"Hz"});
    CHECK(attribute(x, "fixed").values.texts == std::vector<std::string>{"abc"});
    CHECK(attribute(x, "list").values.numbers == std::vector<double>{0, 1, 2, 3, 4, 5});
    CHECK(attribute(x, "list").values.shape == std::vector<int64_t>{2, 3});
    CHECK(attribute(x, "texts").values.texts == std::vector<std::string>{"a", "bc"});
    CHECK(attribute(x, "yes").values.numbers == std::vector<double>{1});
    CHECK(attribute(x, "link").found);
    CHECK(attribute(x, "none").values.numbers.empty());
    CHECK(!attribute(x, "nothing").found);
    CHECK(attribute("/many", "about").values.texts == std::vector<std::string>{"150"});
    CHECK(attribute("g6/inner/x", "attribute_59").values.numbers == std::vector<double>{88.5});
    CHECK(attribute("g6/inner/x", "long").values.numbers.size() == 6000);
    CHECK(attribute("g6/inner/x", "long").values.numbers[5999] == 111);
    CHECK(!h.attribute("/g99", "rate").ok());
  }
}

TEST_CASE("HDF5: what is not read says why") {
  const Content types = fixture("types_latest"), filters = fixture("filters"), huge = fixture("huge"),
                bomb = fixture("bomb"), small = fixture("small_latest");
  if (types.empty() || filters.empty() || huge.empty() || bomb.empty() || small.empty()) return;
  const Hdf5 t = opened(types), f = opened(filters), h = opened(huge);
  CHECK(t.find("/b_i4")->type == "int32, big-endian");
  CHECK(t.find("/truth")->type == "bool");
  CHECK(t.find("/scalar")->shape.empty());
  CHECK(t.find("/fixed")->unusable == "holds text");
  CHECK(t.find("/none")->unusable == "is empty");
  SAYS(t.read("/complex").error().text(), "f.h5: dataset '/complex' is complex; save its real part");
  for (const auto& [at, why] : {std::pair("/table", "several fields"),
                                {"/opaque", "opaque"},
                                {"/reference", "references"},
                                {"/lists", "differing lengths"}}) {
    const std::string path = at;  // clang takes no structured binding into a lambda
    SAYS(t.find(path)->unusable, why);
  }
  for (const auto& [at, why] : {std::pair("/scaleoffset", "scale-offset, which is not read; save it with gzip"),
                                {"/blosc", "Blosc"},
                                {"/virtual", "virtual"},
                                {"/elsewhere", "another file"}}) {
    const std::string path = at;
    SAYS(f.find(path)->unusable, why);
    SAYS(f.read(path).error().text(), why);
  }
  CHECK(h.find("/huge")->shape == std::vector<int64_t>{1 << 30, 1 << 30});
  SAYS(h.read("/huge").error().text(), "more values than a file of this size can hold");
  SAYS(h.read("/wide").error().text(), "more values than a file of this size can hold");
  CHECK(opened(bomb).read("/zeros")->numbers.size() == 1024 * 8192);
  SAYS(failure_of(Content(small.begin(), small.begin() + 3000)), "is cut off: it should have");
  SAYS(failure_of(Content(small.begin(), small.begin() + 20)), "damaged beginning");
  Content bad = small;
  bad[8] = std::byte{9};
  SAYS(failure_of(bad), "number 9");
  // The last byte of a chunk is in its checksum, which flips or is refused; nothing wrong is read as right.
  const std::vector<double> right = opened(small).read("/dff")->numbers;
  size_t silent = 0;
  for (size_t at = small.size() / 2; at < small.size(); ++at) {
    bad = small;
    bad[at] ^= std::byte{1};
    const Result<Hdf5> other = Hdf5::open(bad, "f.h5");
    if (!other || other->find("/dff") == nullptr || other->find("/dff")->type != "float32") continue;
    const Result<Hdf5Values> read = other->read("/dff");
    silent += read && read->numbers.size() == 12 && read->numbers != right;
  }
  CHECK(silent <= 60);  // metadata (addresses, filters) have checksums that are not looked at
}

TEST_CASE("HDF5: cut at every 64th byte, every byte flipped, sizes that lie") {
  for (const char* name : {"small_earliest", "small_latest", "user_block", "matlab", "groups_latest", "types_earliest",
                           "layouts_latest", "long_indices_latest"}) {
    CAPTURE(name);
    const Content good = fixture(name);
    if (good.empty()) return;
    const size_t whole = use(good);
    CHECK(whole > 0);
    const size_t step = good.size() > 100000 ? 6400 : 64;
    for (size_t cut = 0; cut < good.size(); cut += step) {
      const Content part(good.begin(), good.begin() + static_cast<int64_t>(cut));  // its end is the sanitizer's
      CHECK(use(part) == 0);
    }
    if (good.size() > 14000) continue;
    Content bad = good;
    for (size_t at = 0; at < good.size(); ++at)
      for (const uint8_t flip : {uint8_t{1}, uint8_t{0x80}, uint8_t{0xff}}) {
        if (flip != 0xff && (at * 7 + flip) % 5 != 0 && at > 1024) continue;
        bad[at] ^= std::byte{flip};
        use(bad);
        bad[at] = good[at];
      }
    for (size_t at = 0; at + 8 <= good.size(); at += 8)
      for (const uint64_t lie : {uint64_t{0}, UINT64_MAX, uint64_t{1} << 60, uint64_t{0x60}}) {
        std::memcpy(bad.data() + at, &lie, 8);
        use(bad);
        std::memcpy(bad.data() + at, good.data() + at, 8);
      }
  }
}

TEST_CASE("what once crashed a reader (tests/fuzz/corpus)") {
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(DALEA_SOURCE_DIR "/tests/fuzz/corpus", none))
    use(file_content(entry.path()));
}

TEST_CASE("HDF5 as a recording: which array, and MATLAB's version 7.3") {
  const Content traces = fixture("traces"), matlab = fixture("matlab");
  if (traces.empty() || matlab.empty()) return;
  Result<ArrayList> list = list_arrays(traces, "f.h5");
  REQUIRE(list.ok());
  CHECK(list->format == "HDF5");
  CHECK(list->arrays.size() == 4);
  CHECK(list->arrays[static_cast<size_t>(list->suggested)].name == "/a/dff");
  CHECK(list->reason == "the largest of 2 matrices named as traces are: recording.array takes another");
  CHECK(read_table(traces, "f.h5")->array == "/a/dff");
  CHECK(read_table(traces, "f.h5", "a/F")->array == "/a/F");
  CHECK(read_table(traces, "f.h5", "/a/F")->rows == 20);
  CHECK(read_table(traces, "f.h5", "/a/F")->format == "HDF5: int64 (20, 5)");
  SAYS(failure_of(traces, "/b/vector"), "recording.array: '/b/vector' of f.h5 has 1 dimension;");
  SAYS(failure_of(traces, "/a/dfff"), "did you mean '/a/dff'?");

  list = list_arrays(matlab, "f.mat");
  REQUIRE(list.ok());
  CHECK(list->format == "MATLAB v7.3 (HDF5)");
  std::string text;
  for (const ArrayInfo& a : list->arrays)
    text += a.name + " " + a.type + " " + shape_text(a.shape) + (a.unusable.empty() ? "" : " - " + a.unusable) + "\n";
  CHECK(text ==
        "c cell (1, 1) - is a cell array; save the matrix in it as a variable of its own\ndff double (3, 4)\n"
        "empty double (0, 0) - is empty\nlabel char (1, 5) - holds text\ns.trace single (2, 4)\n"
        "thin sparse double () - is sparse; save it with full()\ntruth logical (3, 4)\n");
  const Result<Table> dff = read_table(matlab, "f.mat");
  REQUIRE(dff.ok());
  CHECK(dff->array == "dff");
  CHECK(dff->rows == 3);
  CHECK(dff->values == std::vector<double>{0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23});
  for (const char* name : {"s.trace", "s/trace", "/s/trace"})
    CHECK(read_table(matlab, "f.mat", name)->values == std::vector<double>{0, 1, 2, 3, 10, 11, 12, 13});
  SAYS(failure_of(matlab, "label"), "holds text");
}

TEST_CASE("the worm: its CSV is its HDF5 in five digits, bit for bit") {
  const char* set = std::getenv("DALEA_DATA");
  const std::filesystem::path folder =
      std::filesystem::path(set ? set : DALEA_SOURCE_DIR "/../shared/data") / "celegans";
  const Content h5 = file_content(folder / "2022-07-26-31-data.h5"),
                csv = file_content(folder / "2022-07-26-31_F_F20.csv");
  if (h5.empty() || csv.empty()) {
    MESSAGE("skipped: the worm's recording is not on this machine");
    return;
  }
  const Result<Table> a = read_table(h5, "worm.h5", "/gcamp/traces_array_F_F20"), b = read_table(csv, "worm.csv");
  REQUIRE_MESSAGE(a.ok(), (a.ok() ? "" : a.error().text()));
  REQUIRE_MESSAGE(b.ok(), (b.ok() ? "" : b.error().text()));
  CHECK(a->rows == 800);
  CHECK(a->cols == 146);
  REQUIRE(b->rows == 800);
  REQUIRE(b->cols == 150);  // time, velocity, head angle, pumping, then the neurons
  const auto rounded = [](double v) {
    char text[32];
    std::snprintf(text, sizeof text, "%.5g", v);
    return std::strtod(text, nullptr);
  };
  size_t different = 0;
  for (int64_t t = 0; t < 800; ++t)
    for (int64_t u = 0; u < 146; ++u)
      different +=
          !same(rounded(a->values[static_cast<size_t>(t * 146 + u)]), b->values[static_cast<size_t>(t * 150 + 4 + u)]);
  CHECK(different == 0);
  const Hdf5 file = opened(h5);
  for (const auto& [at, column] : {std::pair("/behavior/velocity", 1), {"/behavior/head_angle", 2}}) {
    const std::string path = at;
    const Result<Hdf5Values> v = file.read(path);
    REQUIRE(v.ok());
    different = 0;
    for (size_t t = 0; t < 800; ++t)
      different += !same(rounded(v->numbers[t]), b->values[t * 150 + static_cast<size_t>(column)]);
    CHECK_MESSAGE(different == 0, path);
  }
}
