// MATLAB files and NPZ archives as recordings. tests/py/make_npy_fixtures.py writes them, byte by byte or by numpy.
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "helpers.h"
#include "recording/mat.h"
#include "session/npz.h"

using namespace dalea;
using namespace dalea::testing;

namespace {

using Content = std::vector<std::byte>;

#define SAYS(text, part) CHECK_MESSAGE((text).find(part) != std::string::npos, text)

Content content_of(const std::string& s) {
  const auto* p = reinterpret_cast<const std::byte*>(s.data());
  return {p, p + s.size()};
}

// Empty: the fixtures are not here.
Content fixture(const std::string& name) {
  const char* folder = std::getenv("DALEA_FIXTURES");
  std::ifstream file(std::filesystem::path(folder != nullptr ? folder : "") / "mat" / name, std::ios::binary);
  if (folder == nullptr || !file) {
    MESSAGE("skipped: DALEA_FIXTURES names no folder filled by tests/py/make_npy_fixtures.py");
    return {};
  }
  return content_of(std::string(std::istreambuf_iterator<char>(file), {}));
}

std::string failure_of(std::span<const std::byte> bytes, const std::string& array = {}) {
  const Result<Table> table = read_table(bytes, "f.mat", array);
  return table ? "read" : table.error().text();
}

// 10 i + j + `more`, row by row.
std::vector<double> counted(int rows, int cols, double more = 0) {
  std::vector<double> v;
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < cols; ++j) v.push_back(10 * i + j + more);
  return v;
}

// Everything a reader does with a file. The arrays that were read.
int use(std::span<const std::byte> bytes) {
  read_table(bytes, "f.mat");
  const Result<ArrayList> list = list_arrays(bytes, "f.mat");
  int read = 0;
  if (list)
    for (const ArrayInfo& a : list->arrays) read += read_table(bytes, "f.mat", a.name).ok();
  return read;
}

}  // namespace

TEST_CASE("MATLAB files: both byte orders, packed or not, hold the same arrays") {
  for (const char* name : {"little.mat", "big.mat", "little_packed.mat", "big_packed.mat"}) {
    CAPTURE(name);
    const Content file = fixture(name);
    if (file.empty()) return;
    const Result<ArrayList> list = list_arrays(file, "f.mat");
    REQUIRE_MESSAGE(list.ok(), (list.ok() ? "" : list.error().text()));
    CHECK(list->format == (name[0] == 'b' ? "MATLAB v5, big-endian" : "MATLAB v5, little-endian"));
    std::string text;
    for (const ArrayInfo& a : list->arrays)
      text += a.name + " " + a.type + " " + shape_text(a.shape) + (a.unusable.empty() ? "" : " - " + a.unusable) + "\n";
    CHECK(text ==
          "n_f4 single (3, 4)\nn_f8 double (3, 4)\nn_i1 int8 (3, 4)\nn_i2 int16 (3, 4)\nn_i4 int32 (3, 4)\n"
          "n_i8 int64 (3, 4)\nn_u1 uint8 (3, 4)\nn_u2 uint16 (3, 4)\nn_u4 uint32 (3, 4)\nn_u8 uint64 (3, 4)\n"
          "stored_small double (3, 4)\ntruth logical (3, 4)\nthin sparse double (3, 4)\n"
          "label char (1, 5) - holds text\nrow double (1, 4)\n"
          "wave complex double (3, 4) - is complex; save its real part or its magnitude\n"
          "cube double (2, 3, 4) - has 3 dimensions; a recording has two, time x units or units x time\n"
          "none double (0, 4) - is empty\n"
          "s.trace double (3, 4)\ns.name char (1, 3) - holds text\ns.in.x double (3, 4)\n"
          "t(1).v double (2, 4)\nt(2).v double (3, 4)\n"
          "c{1} double (3, 1)\nc{2} char (1, 2) - holds text\nc{3} double (0, 0) - is empty\nc{4} double (3, 4)\n"
          "thing object (1, 1) - is an object; save the numbers in it as a plain matrix\n"
          "deep{1}.a.a.a.a.a.a.a struct (1, 1) - is more than 8 structs and cells deep\n");
    REQUIRE(list->suggested >= 0);
    CHECK(list->arrays[static_cast<size_t>(list->suggested)].name == "n_f4");
    SAYS(list->reason, "the largest of");

    const auto values = [&](const std::string& array) {
      const Result<Table> t = read_table(file, "f.mat", array);
      REQUIRE_MESSAGE(t.ok(), (t.ok() ? "" : t.error().text()));
      CHECK(t->array == array);
      CHECK(t->array_reason == "stated");
      return t->values;
    };
    for (const ArrayInfo& a : list->arrays)
      if (a.name.substr(0, 2) == "n_") CHECK_MESSAGE(values(a.name) == counted(3, 4), a.name);
    CHECK(values("stored_small") == counted(3, 4));
    CHECK(values("truth") == std::vector<double>{0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1});
    CHECK(values("thin") == std::vector<double>{0, 1, 0, 3, 0, 11, 0, 13, 0, 21, 0, 23});
    CHECK(values("row") == counted(1, 4));
    CHECK(values("s.trace") == counted(3, 4, 100));
    CHECK(values("s.in.x") == counted(3, 4, 200));
    CHECK(values("t(1).v") == counted(2, 4));
    CHECK(values("t(2).v") == counted(3, 4, 300));
    CHECK(values("c{1}") == std::vector<double>{0, 10, 20});
    CHECK(values("c{4}") == counted(3, 4, 400));
    CHECK(read_table(file, "f.mat")->array == "n_f4");
    const Result<MatArray> cube = read_mat(file, "f.mat", "cube");
    REQUIRE(cube.ok());
    for (size_t k = 0; k < 24; ++k) CHECK(cube->values[k] == static_cast<double>(k));

    SAYS(failure_of(file, "label"), "recording.array: 'label' of f.mat holds text");
    SAYS(failure_of(file, "S.Trace"), "did you mean 's.trace'?");
    SAYS(failure_of(file, "trace"), "did you mean 's.trace'?");
    SAYS(failure_of(file, "n_f9"), "did you mean 'n_f4'?");
    SAYS(failure_of(file, "quite_another_thing"),
         "'quite_another_thing' is not in f.mat; it holds n_f4 single (3, 4), n_f8");
    SAYS(read_mat(file, "f.mat", "s").error().text(), "holds no variable 's'");
    SAYS(read_mat(file, "f.mat", "wave").error().text(), "f.mat: variable 'wave' is complex");
  }
}

TEST_CASE("MATLAB files: what is not read says what would work") {
  SAYS(failure_of(content_of("MATLAB 5.0 MAT-file")), "cut off in its header");
  const Content v73 = fixture("bad_v73.mat"), bomb = fixture("bad_bomb.mat"), good = fixture("little_one.mat");
  if (v73.empty() || bomb.empty() || good.empty()) return;
  SAYS(failure_of(v73), "save(..., '-v7')");
  SAYS(failure_of(bomb), "impossible size");
  Content none(good.begin(), good.begin() + 128);
  SAYS(failure_of(none), "holds no matrix of real numbers; it holds nothing");
  SAYS(failure_of(Content(40, std::byte{0})), "formats 5 to 7");  // as a file of format 4 starts
  none[125] = std::byte{3};
  SAYS(failure_of(none), "number 3");
}

TEST_CASE("MATLAB files: cut anywhere, flipped anywhere, with impossible sizes anywhere") {
  for (const char* name : {"little_one.mat", "big_one.mat", "little_packed.mat"}) {
    CAPTURE(name);
    const Content good = fixture(name);
    if (good.empty()) return;
    const bool packed = std::string(name) == "little_packed.mat";
    const int whole = use(good);
    CHECK(whole == (packed ? 20 : 2));
    for (size_t cut = 0; cut < good.size(); ++cut) {
      const int read = use(std::span(good).first(cut));
      CHECK_MESSAGE((packed ? read <= whole : read == 0), cut);
    }
    Rng rng(7, Purpose::simulate, 0);
    for (int k = 0; k < (packed ? 500 : 2000); ++k) {
      Content bad = good;
      for (int flips = 0; flips < 1 + k % 3; ++flips) {
        const auto at = static_cast<size_t>(rng.uniform() * static_cast<float>(bad.size()));
        bad[std::min(at, bad.size() - 1)] ^= std::byte{static_cast<uint8_t>(1 + 254 * rng.uniform())};
      }
      use(bad);
    }
    if (packed) continue;
    for (size_t at = 128; at + 4 <= good.size(); at += 4)
      for (const uint32_t size : {0xffffffffu, 0xfffffff8u, 0x80000000u, 0x7ffffff8u, 0x00040001u, 0u}) {
        Content bad = good;
        for (size_t k = 0; k < 4; ++k) bad[at + k] = static_cast<std::byte>(size >> (8 * (name[0] == 'b' ? 3 - k : k)));
        use(bad);
      }
  }
  const Content good = fixture("little_one.mat");
  if (good.empty()) return;
  Content bad = good;
  const std::string text(reinterpret_cast<const char*>(good.data()), good.size());
  const size_t shape = text.find(std::string("\3\0\0\0\4\0\0\0", 8));  // of s.x
  REQUIRE(shape != std::string::npos);
  bad[shape] = std::byte{2};
  SAYS(failure_of(bad, "s.x"), "f.mat: variable 's.x' says its shape is (2, 4) but holds data for 12 values");
  bad[shape + 2] = std::byte{1};
  SAYS(failure_of(bad, "s.x"), "f.mat: variable 's.x' says its shape is (65538, 4) but has");
}

TEST_CASE("NPZ as a recording: which array, and what is not one") {
  std::vector<double> v(12), w(20);
  for (size_t k = 0; k < 12; ++k) v[k] = static_cast<double>(k * k);
  const Content one =
      write_zip({{"dff.npy", write_npy_f64(v, {6, 2})}, {"ids.npy", write_npy_i64(std::vector<int64_t>(6), {6})}});
  Result<Table> t = read_table(one, "f.npz");
  REQUIRE(t.ok());
  CHECK(t->array == "dff");
  CHECK(t->array_reason == "the only matrix of numbers in the file");
  CHECK(t->values == v);
  const Content two =
      write_zip({{"a.npy", write_npy_f64(v, {3, 4})}, {"b.npy", write_npy_f64(w, {4, 5})}, {"notes.txt", {}}});
  t = read_table(two, "f.npz");
  REQUIRE(t.ok());
  CHECK(t->array == "b");
  SAYS(t->array_reason, "the largest of 2 matrices");
  CHECK(read_table(two, "f.npz", "a")->values == v);
  SAYS(failure_of(two, "notes.txt"), "recording.array: 'notes.txt' of f.mat is not an NPY file");
  SAYS(failure_of(one, "ids"), "has 1 dimension;");
  SAYS(failure_of(one, "dfff"), "did you mean 'dff'? It holds dff float64 (6, 2), ids int64 (6)");
  SAYS(failure_of(write_zip({{"ids.npy", write_npy_f64(v, {12})}})), "holds no matrix of real numbers");
  SAYS(failure_of(content_of("1,2\n3,4\n"), "dff"), "leave it empty");
  for (size_t cut = 0; cut < two.size(); ++cut) CHECK(use(std::span(two).first(cut)) == 0);
  CHECK_FALSE(is_session(two));
  CHECK(is_session(write_zip({{"spec.json", {}}})));
  CHECK(is_session(content_of("PK\3\4zzzz")));
  // The entry's beginning is enough for its shape, however large it is.
  const Content large = write_zip({{"zeros.npy", write_npy_f64(std::vector<double>(100000), {1000, 100})}});
  const Result<ArrayList> list = list_arrays(large, "f.npz");
  REQUIRE(list.ok());
  CHECK(list->arrays[0].shape == std::vector<int64_t>{1000, 100});
  CHECK(list->reason == "the only array in the file");
}

TEST_CASE("the same numbers as CSV, NPY, NPZ and MATLAB train the same network") {
  Spec spec =
      spec_of(R"({"dalea":1,"populations":[{"name":"E","size":16,"sign":"+"},{"name":"I","size":4,"sign":"-"}],)"
              R"("task":{"type":"recording","steps":10},"training":{"epochs":2,"batch":8}})");
  std::vector<Recording> read;
  std::vector<uint64_t> hashes;
  for (const char* name : {"same.csv", "same.npy", "same.npz", "same.mat"}) {
    const Content file = fixture(name);
    if (file.empty()) return;
    const Result<Recording> r = read_recording(file, name, spec.recording);
    REQUIRE_MESSAGE(r.ok(), (r.ok() ? "" : r.error().text()));
    Result<Dataset> data = make_dataset(spec, &*r, 0);
    REQUIRE(data.ok());
    Result<std::unique_ptr<Trainer>> trainer = Trainer::create(spec, std::move(*data), 0, {});
    REQUIRE(trainer.ok());
    hashes.push_back(train_to_end(**trainer));
    read.push_back(*r);
  }
  CHECK(read[0].frames == 120);
  CHECK(read[0].units == 5);
  for (size_t k = 1; k < read.size(); ++k) {
    CHECK(read[k].values == read[0].values);
    CHECK(read[k].names == read[0].names);
    CHECK(read[k].orientation == read[0].orientation);
    CHECK(hashes[k] == hashes[0]);
  }
  CHECK(read[2].array == "dff");
  CHECK(read[3].array == "dff");
  spec.recording.array = "dff";
  CHECK(print_spec(spec, true).find(R"("array":"dff")") != std::string::npos);
  CHECK(print_spec(Spec(), true).find("array") == std::string::npos);  // so the links of before stay as they were
}
