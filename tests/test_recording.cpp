#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>

#include "common/files.h"
#include "doctest/doctest.h"
#include "recording/arrays.h"
#include "recording/hdf5.h"
#include "recording/recording.h"
#include "session/export.h"
#include "session/npz.h"

using namespace dalea;

namespace {

std::vector<std::byte> bytes_of(const std::string& s) {
  const auto* p = reinterpret_cast<const std::byte*>(s.data());
  return {p, p + s.size()};
}

std::vector<std::byte> file_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return bytes_of(std::string(std::istreambuf_iterator<char>(file), {}));
}

std::string csv_error(const std::string& text) {
  const Result<Table> t = read_csv(text, "cells.csv");
  return t.ok() ? "accepted" : t.error().text();
}

Recording recording_of(const std::string& csv, const RecordingSpec& spec = {}) {
  const Result<Recording> r = read_recording(bytes_of(csv), "cells.csv", spec);
  REQUIRE_MESSAGE(r.ok(), (r.ok() ? "" : r.error().text()));
  return *r;
}

bool has(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

#define SAYS(text, part) CHECK_MESSAGE(has(text, part), text)

// The folder of real data beside the repository, or nothing.
std::filesystem::path real_data(const char* file) {
  const char* set = std::getenv("DALEA_DATA");
  const std::filesystem::path path = std::filesystem::path(set ? set : DALEA_SOURCE_DIR "/../shared/data") / file;
  std::error_code error;
  if (std::filesystem::exists(path, error)) return path;
  MESSAGE("skipped: the real recording ", file, " is not on this machine");
  return {};
}

}  // namespace

TEST_CASE("CSV: separators, decimals, line ends, marks and headers") {
  for (const char* text : {"1.5,2\n3,-4e-1\n",
                           "\xEF\xBB\xBF"
                           "1.5,2\r\n3,-4e-1\r\n",
                           "1,5;2\n3;-4e-1", "1.5\t2\n3\t-0.4\n\n", "\"1.5\",\"2\"\n3,-.4\n", " 1.5 , 2 \n 3 , -0.4 \n",
                           "1,5\t2\n3\t-0,4\n", "1.5 2\n3 -0.4\n"}) {
    const Result<Table> t = read_csv(text, "x");
    REQUIRE_MESSAGE(t.ok(), (t.ok() ? "" : t.error().text()));
    CHECK(t->rows == 2);
    CHECK(t->cols == 2);
    CHECK(t->values == std::vector<double>{1.5, 2, 3, -0.4});
  }
  const Result<Table> named = read_csv("cell,a,b\nx,1,\ny,NaN,2\n", "x");
  REQUIRE(named.ok());
  CHECK(named->column_names == std::vector<std::string>{"a", "b"});
  CHECK(named->row_names == std::vector<std::string>{"x", "y"});
  CHECK(std::isnan(named->values[1]));
  CHECK(std::isnan(named->values[2]));
  CHECK(named->values[3] == 2);
  CHECK(read_csv("a,b\n1,2\n", "x")->rows == 1);
  CHECK(read_csv("1\n2\n3\n", "x")->cols == 1);
  CHECK(has(read_csv("1,5;2\n", "x")->format, "decimal comma"));
}

TEST_CASE("CSV: numbers are correctly rounded") {
  for (const char* number :
       {"0.1", "123456789012345678", "1e22", "1e23", "1.7976931348623157e308", "4.9e-324", "2.2250738585072011e-308",
        "0.000000000000000000000000000001", "9007199254740993", "-3.14159265358979323846", "1e-400"}) {
    const Result<Table> t = read_csv(std::string(number) + ",1\n", "x");
    REQUIRE(t.ok());
    CHECK(t->values[0] == std::strtod(number, nullptr));
  }
}

TEST_CASE("CSV: what is not a table says where and what would work") {
  SAYS(csv_error(""), "is empty");
  SAYS(csv_error("\n\n"), "is empty");
  SAYS(csv_error("a,b\n"), "no rows");
  SAYS(csv_error("1,2\n3\n"), "line 2 has 1 fields where the first line has 2");
  SAYS(csv_error("1,2\n3,x\n"), "line 2, column 2: 'x' is not a number");
  SAYS(csv_error("1,2\n3,Inf\n"), "infinite");
  SAYS(csv_error("1,2\n3,1e999\n"), "beyond");
  SAYS(csv_error("1,2\n3,1e\n"), "not a number");
  SAYS(csv_error(std::string("1,2\0,3\n", 8)), "zero bytes");
  SAYS(csv_error("1,2\n3,4,5\n"), "3 fields");
}

TEST_CASE("recordings: orientation is stated, named or inferred, and said") {
  CHECK(recording_of("1,2\n2,3\n3,5\n").orientation == "time-by-unit");
  CHECK(recording_of("1,2,3\n2,3,5\n").orientation == "unit-by-time");
  CHECK(recording_of("1,2,3\n2,3,5\n").frames == 3);
  CHECK(recording_of("a,b,c\n1,2,3\n2,3,5\n").orientation == "time-by-unit");
  CHECK(recording_of("x,1,2\ny,2,3\nz,4,4.5\n").orientation == "unit-by-time");
  RecordingSpec spec;
  spec.orientation = "unit-by-time";
  const Recording r = recording_of("1,2\n2,3\n3,5\n", spec);
  CHECK(r.frames == 2);
  CHECK(r.units == 3);
  CHECK(r.orientation_reason == "stated");
  CHECK(r.values == std::vector<float>{1, 2, 3, 2, 3, 5});
}

TEST_CASE("recordings: what is dropped is named with its reason") {
  const Recording r = recording_of("time,a,b,c,d\n0.5,1,,7,1\n1.0,2,,7,\n1.5,3,,7,5\n");
  CHECK(r.names == std::vector<std::string>{"a", "d"});
  CHECK(r.rate_hz == doctest::Approx(2));
  CHECK(r.missing == 1);
  REQUIRE(r.dropped.size() == 3);
  SAYS(r.dropped[0].reason, "time column");
  CHECK(r.dropped[1].unit == "b");
  SAYS(r.dropped[1].reason, "missing");
  SAYS(r.dropped[2].reason, "constant");

  RecordingSpec spec;
  spec.columns = {"a", "2"};
  spec.exclude = {"a"};
  const Recording chosen = recording_of("a,b,c\n1,2,3\n2,3,5\n", spec);
  CHECK(chosen.names == std::vector<std::string>{"c"});
  spec.columns = {"A"};
  const Result<Recording> bad = read_recording(bytes_of("a,b\n1,2\n2,3\n"), "x", spec);
  SAYS(bad.error().text(), "did you mean 'a'?");
  spec.columns = {"zz"};
  SAYS(read_recording(bytes_of("a,b\n1,2\n2,3\n"), "x", spec).error().text(), "its 2 units are a, b");
  SAYS(read_recording(bytes_of("a,b\n1,1\n1,1\n"), "x", {}).error().text(), "no unit left");
  spec = {};
  spec.sha256 = std::string(64, '0');
  SAYS(read_recording(bytes_of("1,2\n2,3\n"), "x", spec).error().text(), "another file");
}

TEST_CASE("SHA-256: published vectors") {
  CHECK(sha256_hex({}) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex(bytes_of("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256_hex(bytes_of(std::string(1000000, 'a'))) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("other files are refused by what they are") {
  const auto error = [](const std::string& s) { return read_table(bytes_of(s), "f").error().text(); };
  SAYS(error("PK\x03\x04zzzz"), "zip");
  SAYS(error("\x89HDF\r\n"), "HDF5");
  SAYS(error("MATLAB 5.0 MAT-file"), "MATLAB");
}

TEST_CASE("NPY: headers that lie are refused before anything is allocated") {
  const std::vector<float> v{1, 2, 3, 4, 5, 6};
  const std::vector<std::byte> good = write_npy_f32(v, {2, 3});
  CHECK(read_npy(good, "x")->values == std::vector<double>{1, 2, 3, 4, 5, 6});
  CHECK(read_npy(write_npy_f32(v, {2, 3}, true), "x")->values == std::vector<double>{1, 3, 5, 2, 4, 6});
  for (size_t cut = 0; cut < good.size(); ++cut) CHECK_FALSE(read_npy(std::span(good).first(cut), "x").ok());
  std::string text(reinterpret_cast<const char*>(good.data()), good.size());
  const auto with_shape = [&](const std::string& shape) {
    std::string changed = text;
    changed.replace(changed.find("(2, 3), }"), 9 + shape.size() - 6, shape + ", }");
    return read_npy(bytes_of(changed), "x");
  };
  SAYS(with_shape("(1000000000, 3)").error().text(), "holds data for 6 values only");
  SAYS(with_shape("(1152921504606846976, 64)").error().text(), "only");
  SAYS(with_shape("(-2, 3)").error().text(), "not a list of sizes");
  SAYS(with_shape("(2, 1, 3)").error().text(), "two dimensions");
  SAYS(with_shape("(0, 3)").error().text(), "empty");
  std::vector<float> infinite = v;
  infinite[4] = std::numeric_limits<float>::infinity();
  SAYS(read_npy(write_npy_f32(infinite, {2, 3}), "x").error().text(), "row 1, column 1 is infinite");
}

TEST_CASE("NPY and NPZ files of numpy: every version, order, byte order and type") {
  const char* folder = std::getenv("DALEA_FIXTURES");
  if (folder == nullptr || !std::filesystem::exists(std::filesystem::path(folder) / "stored.npz")) {
    MESSAGE("skipped: DALEA_FIXTURES names no folder filled by tests/py/make_npy_fixtures.py");
    return;
  }
  int read = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;  // the MATLAB files, in test_mat.cpp
    const std::string name = entry.path().filename().string();
    const std::vector<std::byte> bytes = file_bytes(entry.path());
    if (name.substr(0, 3) == "bad") {
      CHECK_MESSAGE(!read_npy(bytes, name).ok(), name);
    } else if (entry.path().extension() == ".npz") {
      const Result<Entries> entries = read_zip(bytes, name);
      REQUIRE(entries.ok());
      REQUIRE(entries->size() == 2);
      CHECK((*entries)[0].first == "m.npy");
      CHECK(read_npy((*entries)[0].second, "m")->values[7] == 13);
    } else {
      const Result<Table> t = read_npy(bytes, name);
      REQUIRE_MESSAGE(t.ok(), (t.ok() ? "" : t.error().text()));
      for (int i = 0; i < 3; ++i)
        for (int j = 0; j < 4; ++j)
          CHECK_MESSAGE(t->values[i * 4 + j] == (has(name, "nb1") ? (10 * i + j) % 2 : 10 * i + j), name);
      ++read;
    }
  }
  CHECK(read == 120);
}

TEST_CASE("zip: round trip, damage, bombs") {
  Entries entries{{"a.txt", bytes_of("hello")}, {"zeros", std::vector<std::byte>(100000)}, {"empty", {}}};
  const std::vector<std::byte> zip = write_zip(entries);
  CHECK(zip.size() < 2000);
  CHECK(write_zip(entries) == zip);
  REQUIRE(read_zip(zip, "z").ok());
  CHECK(*read_zip(zip, "z") == entries);
  SAYS(read_zip(zip, "z", 1000).error().text(), "unpacks to more than");
  for (size_t cut = 0; cut < zip.size(); ++cut) CHECK_FALSE(read_zip(std::span(zip).first(cut), "z").ok());
  int refused = 0;
  for (size_t at = 0; at < zip.size(); ++at) {
    std::vector<std::byte> flipped = zip;
    flipped[at] ^= std::byte{0xff};
    refused += !read_zip(flipped, "z").ok();
  }
  CHECK(refused > static_cast<int>(zip.size()) / 2);
}

TEST_CASE("parts follow each other in time; scaling is fitted on the first alone") {
  Recording r;
  r.frames = 100;
  r.units = 2;
  for (int f = 0; f < 100; ++f) {
    r.values.push_back(f < 70 ? static_cast<float>(f % 2) * 4 : 1000.0f);
    r.values.push_back(f == 3 ? NAN : static_cast<float>(f));
  }
  const RecordingSpec spec;
  const Result<Parts> parts = split_in_time(r, spec, 10);
  REQUIRE(parts.ok());
  CHECK(parts->train_end == 70);
  CHECK(parts->validation_end == 85);
  const Scaling s = fit_scaling(r, *parts, spec);
  CHECK(s.mean[0] == 2);
  CHECK(s.sd[0] == 2);
  const std::vector<float> scaled = scaled_values(r, s);
  CHECK(scaled[0] == -1);
  CHECK(scaled[3 * 2 + 1] == scaled[2 * 2 + 1]);  // a missing value stands as the last seen one
  SAYS(split_in_time(r, spec, 20).error().text(), "at most 14 steps");
}

TEST_CASE("baselines: exact on a recording that follows a rule, scored on the given frames only") {
  // x[t] = 0.5 x[t-1] + 1 for one unit; the other swaps sign: last frame is wrong by 2, AR(1) and linear are exact.
  Recording r;
  r.frames = 60;
  r.units = 2;
  double x = 10;
  for (int f = 0; f < 60; ++f) {
    r.values.push_back(static_cast<float>(x));
    r.values.push_back(f % 2 == 0 ? 1.0f : -1.0f);
    x = 0.5 * x + 1;
    if (f % 7 == 6) x += 5;  // keeps it moving; targets below avoid those frames in the held-out part
  }
  RecordingSpec spec;
  spec.scale = "none";
  const Parts parts = *split_in_time(r, spec, 5);
  const std::vector<float> scaled = scaled_values(r, fit_scaling(r, parts, spec));
  const BaselineSet b = fit_baselines(r, scaled, parts, {10, 11}, {45, 46}, {52, 53});
  double expected = 0;  // by hand: last frame over frames 52 and 53, both units
  for (int f : {52, 53})
    for (int u : {0, 1}) {
      const double d = static_cast<double>(scaled[f * 2 + u]) - static_cast<double>(scaled[(f - 1) * 2 + u]);
      expected += d * d / 4;
    }
  CHECK(b.held_out.last_frame == doctest::Approx(expected));
  CHECK(b.held_out.last_frame > 2);  // the alternating unit alone costs 4 on half the elements
  CHECK(b.held_out.ar1 < b.held_out.last_frame);
  CHECK(b.held_out.linear < b.held_out.last_frame);
}

TEST_CASE("the simulated circuit obeys Dale's law and can be predicted") {
  const SimulatedCircuit s = simulate_circuit(1, 50, 1500);
  for (int64_t post = 0; post < 50; ++post)
    for (int64_t pre = 0; pre < 50; ++pre) {
      const float w = s.weights[post * 50 + pre];
      REQUIRE((pre < 40 ? w >= 0 : w <= 0));
    }
  CHECK(s.recording.names[0] == "E01");
  CHECK(s.recording.names[49] == "I10");
  CHECK(simulate_circuit(1, 50, 1500).recording.values == s.recording.values);
  CHECK(simulate_circuit(2, 50, 1500).recording.values != s.recording.values);
  const RecordingSpec spec;
  const Parts parts = *split_in_time(s.recording, spec, 20);
  const std::vector<float> scaled = scaled_values(s.recording, fit_scaling(s.recording, parts, spec));
  std::vector<int64_t> train, validation, held_out;
  for (int64_t f = 1; f < parts.train_end; ++f) train.push_back(f);
  for (int64_t f = parts.train_end + 1; f < parts.validation_end; ++f) validation.push_back(f);
  for (int64_t f = parts.validation_end + 1; f < 1500; ++f) held_out.push_back(f);
  const Baselines b = fit_baselines(s.recording, scaled, parts, train, validation, held_out).held_out;
  MESSAGE("last frame ", b.last_frame, ", AR(1) ", b.ar1, ", linear ", b.linear);
  CHECK(b.linear < 0.9 * b.ar1);  // the other units carry information: that is what a network can learn
  CHECK(b.ar1 < b.last_frame);
}

TEST_CASE("CSV: numbers are the nearest doubles, however they are written") {
  // Row by row, in the same columns: what a line of plain numbers takes, and what takes it field by field.
  uint64_t state = 7;
  const auto next = [&] { return state = state * 6364136223846793005u + 1442695040888963407u, state >> 11; };
  std::string text = "a,b,c\n1,2,3\n";
  std::vector<double> expected{1, 2, 3};
  char field[64];
  for (int row = 0; row < 4000; ++row) {
    for (int k = 0; k < 3; ++k) {
      const auto digits = static_cast<long long>(next() * 1000 + next() % 1000);
      const int exponent = static_cast<int>(next() % 70) - 45;
      const double v = static_cast<double>(static_cast<int64_t>(next())) * std::pow(10.0, exponent % 9 - 12);
      if (row % 4 == 0) std::snprintf(field, sizeof field, "%.17g", v);
      if (row % 4 == 1) std::snprintf(field, sizeof field, "-%lld.%03de%d", digits, row % 1000, exponent);
      if (row % 4 == 2) std::snprintf(field, sizeof field, " 0.000%lld ", digits % 1000000000000);
      if (row % 4 == 3) std::snprintf(field, sizeof field, k == 1 && row % 8 == 3 ? "\"%.9g\"" : "%.9g", v);
      expected.push_back(std::strtod(field + (field[0] == '"'), nullptr));
      text += std::string(k > 0 ? "," : "") + field;
    }
    text += row % 3 == 0 ? "\r\n" : "\n";
  }
  const Result<Table> t = read_csv(text, "f.csv");
  REQUIRE_MESSAGE(t.ok(), (t.ok() ? "" : t.error().text()));
  REQUIRE(t->values.size() == expected.size());
  for (size_t k = 0; k < expected.size(); ++k) CHECK(t->values[k] == expected[k]);
  // Between two doubles: to the even one.
  const Result<Table> ties = read_csv("1,2\n9007199254740993,9007199254740995\n,-0.0\n", "f.csv");
  REQUIRE(ties.ok());
  CHECK(ties->values[2] == 9007199254740992.0);
  CHECK(ties->values[3] == 9007199254740996.0);
  CHECK(std::isnan(ties->values[4]));
  CHECK(std::signbit(ties->values[5]));
  CHECK(ties->values.capacity() <= 8);
}

TEST_CASE("a file is mapped: of five gigabytes of HDF5 only what is looked at is read") {
  if (sizeof(void*) == 4) return;  // the page maps nothing
  std::vector<double> values;
  for (int k = 0; k < 120; ++k) values.push_back(1.25 * k + 0.0625);
  const NamedArrays arrays{{"traces", "", {20, 6}, values}};
  Result<std::vector<std::byte>> small = write_arrays(arrays, ArrayFormat::hdf5);
  REQUIRE(small.ok());
  // The values move to 5 GiB; the file between is a hole.
  const auto* as_bytes = reinterpret_cast<const std::byte*>(values.data());
  const auto found = std::search(small->begin(), small->end(), as_bytes, as_bytes + 960);
  REQUIRE(found != small->end());
  const auto at = static_cast<uint64_t>(found - small->begin()), far = uint64_t{5} << 30;
  const uint64_t end = small->size(), far_end = far + 960;
  for (const auto& [from, to] : {std::pair(at, far), {end, far_end}}) {
    const auto* p = reinterpret_cast<const std::byte*>(&from);
    const auto place = std::search(small->begin(), small->end(), p, p + 8);
    REQUIRE(place != small->end());
    std::memcpy(&*place, &to, 8);
  }
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("dalea_large_" + std::to_string(getpid()) + ".h5");
  {
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(small->data()), static_cast<std::streamsize>(small->size()));
    file.seekp(static_cast<std::streamoff>(far));
    file.write(reinterpret_cast<const char*>(values.data()), 960);
    if (!file.flush()) {
      MESSAGE("skipped: no sparse file of 5 GiB can be made here");
      std::filesystem::remove(path);
      return;
    }
  }
  rusage before = {}, after = {};
  getrusage(RUSAGE_SELF, &before);
  {
    const Result<FileBytes> file = open_file(path.string());
    std::filesystem::remove(path);  // its bytes stay as long as they are mapped
    REQUIRE(file.ok());
    CHECK(file->mapped());
    CHECK(file->bytes().size() == far_end);
    const Result<ArrayList> list = list_arrays(*file, "large.h5");
    REQUIRE_MESSAGE(list.ok(), (list.ok() ? "" : list.error().text()));
    CHECK(list->arrays.size() == 1);
    const Result<Table> table = read_table(*file, "large.h5");
    REQUIRE_MESSAGE(table.ok(), (table.ok() ? "" : table.error().text()));
    CHECK(table->values == values);
    CHECK(table->array == "/traces");
  }
  getrusage(RUSAGE_SELF, &after);
  CHECK(after.ru_maxrss - before.ru_maxrss < 32 << 10);  // KiB

  // What cannot be mapped is read.
  const Result<FileBytes> empty = open_file("/dev/null");
  REQUIRE(empty.ok());
  CHECK_FALSE(empty->mapped());
  CHECK(empty->bytes().empty());
  SAYS(open_file("no/such/file").error().text(), "no/such/file: cannot be read");
  const FileBytes given(bytes_of("abc"));
  const FileBytes copy = given;  // of the same bytes
  CHECK(copy.bytes().data() == given.bytes().data());
  CHECK(as_text(copy) == "abc");
}

TEST_CASE("real recordings") {
  if (const auto path = real_data("zebrafish/zf_20151104-f1_activity_matrix.csv"); !path.empty()) {
    const Result<Recording> r = read_recording(file_bytes(path), "zebrafish", {});
    REQUIRE(r.ok());
    CHECK(r->units == 114);
    CHECK(r->frames == 4245);
    CHECK(r->orientation == "unit-by-time");
  }
  if (const auto path = real_data("celegans/2022-07-26-31_F_F20.csv"); !path.empty()) {
    RecordingSpec spec;
    spec.exclude = {"velocity", "head_angle", "pumping"};
    const Result<Recording> r = read_recording(file_bytes(path), "worm", spec);
    REQUIRE(r.ok());
    CHECK(r->frames == 800);
    CHECK(r->rate_hz == doctest::Approx(1 / 0.6016).epsilon(0.02));
    CHECK(r->units + static_cast<int64_t>(r->dropped.size()) == 150);
  }
  if (const auto path = real_data("suite2p_fixture/F.npy"); !path.empty()) {
    const Result<Recording> r = read_recording(file_bytes(path), "F.npy", {});
    REQUIRE(r.ok());
    CHECK(r->frames == 2000);
    CHECK(r->units + static_cast<int64_t>(r->dropped.size()) == 219);
  }
}
