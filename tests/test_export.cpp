// What other programs are given. tests/py/check_exports.py reads the same files with numpy, scipy, h5py and PyTorch.
#include <cmath>

#include "helpers.h"
#include "recording/hdf5.h"
#include "recording/mat.h"
#include "recording/recording.h"
#include "session/export.h"
#include "session/hdf5_write.h"
#include "session/mat_write.h"
#include "session/npz.h"

using namespace dalea;
using namespace dalea::testing;

namespace {

const NamedArray& array_in(const NamedArrays& arrays, const std::string& name) {
  for (const NamedArray& a : arrays)
    if (a.name == name) return a;
  FAIL("no array " << name);
  return arrays.front();
}

template <class T>
const std::vector<T>& values_in(const NamedArrays& arrays, const std::string& name) {
  return std::get<std::vector<T>>(array_in(arrays, name).values);
}

// Of every type and rank, an empty one, and letters that ASCII lacks.
NamedArrays some_arrays() {
  NamedArrays a;
  a.push_back({"W_rec", "post, pre", {2, 3}, std::vector<float>{1.5f, -0.0f, 3e-39f, NAN, 0.1f, -7.0f}});
  a.push_back({"cube", "", {2, 1, 3}, std::vector<double>{1, 2, 3, 4, 5, 0.1}});
  a.push_back({"history/epoch", "epoch", {2}, std::vector<int64_t>{-1, int64_t{1} << 40}});
  a.push_back({"history/none", "epoch", {0}, std::vector<double>{}});
  a.push_back({"mask", "", {3, 1}, std::vector<uint8_t>{1, 0, 255}});
  a.push_back({"name.of", "", {3}, std::vector<std::string>{"L2/3", "", "\xce\xb1\xce\xb2"}});
  a.push_back({"text", "", {}, std::vector<std::string>{"{\"dalea\":1}"}});
  a.push_back({"one", "", {}, std::vector<double>{0.1}});
  return a;
}

// Whether the numbers that some reader gave are those of the array, bit for bit (NaN is NaN).
bool same_numbers(const NamedArray& a, const std::vector<double>& read) {
  bool same = false;
  std::visit(
      [&](const auto& values) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(values[0])>, std::string>) {
          same = values.size() == read.size();
          for (size_t k = 0; same && k < read.size(); ++k) {
            const auto want = static_cast<double>(values[k]);
            same =
                std::isnan(want) ? std::isnan(read[k]) : want == read[k] && std::signbit(want) == std::signbit(read[k]);
          }
        }
      },
      a.values);
  return same;
}

bool is_text(const NamedArray& a) {
  return a.type() == std::string("text");
}

const char* const interleaved =
    R"("populations":[{"name":"E1","size":6,"sign":"+","tau_s":0.1},{"name":"I","size":4,"sign":"-","area":"V1"},)"
    R"({"name":"E2","size":5,"sign":"+","tau_s":0.04}],)";

}  // namespace

TEST_CASE("NPZ and MATLAB: our readers give back what was written") {
  const NamedArrays arrays = some_arrays();
  const Result<Entries> npz = read_zip(write_npz(arrays), "a.npz");
  REQUIRE(npz.ok());
  REQUIRE(npz->size() == arrays.size());
  const Result<std::vector<std::byte>> mat = write_mat(arrays);
  REQUIRE(mat.ok());
  for (size_t k = 0; k < arrays.size(); ++k) {
    const NamedArray& a = arrays[k];
    CAPTURE(a.name);
    CHECK((*npz)[k].first == a.name + ".npy");
    if (is_text(a)) continue;
    const Result<NpyHeader> header = read_npy_header((*npz)[k].second, a.name);
    REQUIRE(header.ok());
    CHECK(header->shape == a.shape);
    CHECK(same_numbers(a, *read_npy_values((*npz)[k].second, *header)));
    const Result<MatArray> m = read_mat(*mat, "a.mat", mat_name(a.name));
    CHECK(m.ok() == (a.name != "history/none"));  // the reader takes no empty arrays
    if (m) CHECK(same_numbers(a, m->values));
  }
  CHECK(sha256_hex(*mat) ==
        "1595af7956b4e88d1d30093ccedc1ccc293d0f1f05cbc1ee1223c0f690f69657");  // the same bytes in every build
}

TEST_CASE("HDF5: our reader gives back what was written") {
  const NamedArrays arrays = some_arrays();
  const Result<std::vector<std::byte>> bytes = write_hdf5(arrays);
  REQUIRE(bytes.ok());
  CHECK(sha256_hex(*bytes) == "f8057b5d4f3bff7c7448ee4f0521f6134a1cfd294bd68a58e9c42fec3659c8cb");
  const Result<Hdf5> file = Hdf5::open(*bytes, "a.h5");
  REQUIRE_MESSAGE(file.ok(), (file.ok() ? "" : file.error().text()));
  for (const NamedArray& a : arrays) {
    CAPTURE(a.name);
    const Result<Hdf5Values> h = file->read("/" + a.name);
    REQUIRE_MESSAGE(h.ok(), (h.ok() ? "" : h.error().text()));
    CHECK(h->shape == a.shape);
    if (is_text(a))
      CHECK(h->texts == std::get<std::vector<std::string>>(a.values));
    else
      CHECK(same_numbers(a, h->numbers));
  }
  const Result<Hdf5::Attribute> axes = file->attribute("/W_rec", "axes");
  REQUIRE(axes.ok());
  CHECK((axes->found && axes->values.texts == std::vector<std::string>{"post, pre"}));
}

TEST_CASE("names that MATLAB takes") {
  CHECK(mat_name("W_rec.col_start") == "W_rec_col_start");
  CHECK(mat_name("history/held_out") == "history_held_out");
  CHECK(mat_name("2nd") == "x2nd");
  CHECK(mat_name("_a") == "x_a");
  CHECK(mat_name("") == "x");
  CHECK(mat_name(std::string(80, 'a')) == std::string(63, 'a'));
  CHECK(mat_name("1" + std::string(80, 'a')).size() == 63);
}

TEST_CASE("texts that are not UTF-8 stay readable") {
  CHECK(utf32_of("a\xc3\xa9\xe2\x82\xac\xf0\x9f\xa7\xa0") == U"a\u00e9\u20ac\U0001f9e0");
  CHECK(utf32_of("\xff"
                 "b\xc3") == U"\ufffdb\ufffd");
  CHECK(utf32_of("\xc0\x80") == U"\ufffd\ufffd");            // more bytes than it takes
  CHECK(utf32_of("\xed\xa0\x80") == U"\ufffd\ufffd\ufffd");  // half of a pair
  Recording r;
  r.frames = 2;
  r.units = 1;
  r.values = {1, 2};
  r.names = {"\xe9t\xc3\xa9 \xe2\x82\xac \xf0\x9f\xa7\xa0"};
  CHECK(values_in<std::string>(recording_arrays(r), "unit_name")[0] ==
        "\xef\xbf\xbdt\xc3\xa9 \xe2\x82\xac \xf0\x9f\xa7\xa0");
}

TEST_CASE("a network is exported whole, and its predictions are the engine's") {
  const std::string size = R"("steps":9,"train":20,"validation":10,"held_out":7)";
  const std::string tail = R"("training":{"epochs":2,"batch":5,"optimizer":{"lr":0.01})";
  const std::string specs[] = {
      R"({"dalea":1,)" + std::string(interleaved) + R"("task":{)" + size + "}," + tail + "}}",
      R"({"dalea":1,"network":{"biases":false},)" + std::string(interleaved) +
          R"("connectivity":{"probability":0.2,"storage":"sparse"},"task":{"type":"wave",)" + size + "}," + tail + "}}",
      R"({"dalea":1,)" + std::string(interleaved) + R"("connectivity":{"probability":0.9},"task":{)" + size + "}," +
          tail + R"(,"loss":"cross-entropy"}})",
      R"({"dalea":1,"network":{"input_mask":true,"readout":"populations"},"populations":[{"name":"E","size":9,)"
      R"("sign":"+"},{"name":"I","size":4,"sign":"-"}],"task":{"type":"wave",)" +
          size + "}," + tail + R"(,"constraint":"rectified-forward"}})"};
  for (const std::string& text : specs) {
    CAPTURE(text);
    const Spec spec = spec_of(text);
    auto trainer = trainer_of(spec);
    train_to_end(*trainer);
    const Result<Session> session = read_session(write_session(*trainer, "test"), "s.npz");
    REQUIRE_MESSAGE(session.ok(), (session.ok() ? "" : session.error().text()));
    const SavedNetwork saved = saved_network(*session);
    const NamedArrays arrays =
        network_arrays({session->spec, saved.model, saved.mask.get(), session->state.history, session->state.run});
    // A running training's export has the same bytes as that of its session.
    const NamedArrays running =
        network_arrays({trainer->spec(), trainer->model(), trainer->mask(), trainer->history(), 0});
    CHECK(sha256_hex(write_npz(running)) == sha256_hex(write_npz(arrays)));
    for (const NamedArray& a : arrays) {
      int64_t count = 1;
      for (int64_t n : a.shape) count *= n;
      CHECK_MESSAGE(std::visit([](const auto& v) { return static_cast<int64_t>(v.size()); }, a.values) == count,
                    a.name);
    }

    const Model& m = trainer->model();
    const int64_t n = m.units;
    const auto& W = values_in<float>(arrays, "W_rec");
    const auto& mask = values_in<uint8_t>(arrays, "mask");
    int64_t there = 0;
    bool same = true;
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j) {
        same = same && W[i * n + j] == m.parameters.W_rec.at(i, j) && (mask[i * n + j] == 1 || W[i * n + j] == 0);
        there += mask[i * n + j];
      }
    CHECK(same);
    CHECK(there == (trainer->mask() ? trainer->mask()->count() : n * n));
    CHECK(values_in<int64_t>(arrays, "sign")[static_cast<size_t>(spec.populations[0].size)] == -1);
    CHECK(values_in<std::string>(arrays, "hash")[0] == hash_text(trainer->hash()));
    CHECK(values_in<double>(arrays, "history/held_out")[1] == trainer->history()[1].held_out);
    CHECK(parse_spec(values_in<std::string>(arrays, "experiment")[0]).problems.empty());
    CHECK(array_in(arrays, "b_in").shape == std::vector<int64_t>{n, 1});

    Workers workers(1);
    const Result<NamedArrays> p = prediction_arrays(saved.model, trainer->data(), 3, best_isa(), workers);
    REQUIRE(p.ok());
    const auto& output = values_in<float>(*p, "predictions/output");
    const Trials& t = trainer->data().held_out;
    std::vector<float> expected;
    for (int64_t k = 0; k < t.count; ++k) {
      const std::vector<float> one = trainer->trace(t, k).output;
      expected.insert(expected.end(), one.begin(), one.end());
    }
    CHECK(output == expected);
    // The last readout, by hand.
    const std::vector<float> z = trainer->trace(t, 0).activity;
    const auto& W_out = values_in<float>(arrays, "W_out");
    double y = static_cast<double>(values_in<float>(arrays, "b_out").back());
    for (int64_t i = 0; i < n; ++i)
      y += static_cast<double>(W_out[(m.outputs - 1) * n + i]) * static_cast<double>(z[i]);
    if (m.output == Activation::tanh) y = std::tanh(y);
    CHECK(y == doctest::Approx(static_cast<double>(expected[m.outputs - 1])).epsilon(1e-5));
    std::atomic<bool> cancel{true};
    CHECK(!prediction_arrays(saved.model, trainer->data(), 3, best_isa(), workers, &cancel).ok());
  }
}

TEST_CASE("a matrix too large to be dense is exported by its columns") {
  const Spec spec = spec_of(
      R"({"dalea":1,"populations":[{"name":"E","size":4200,"sign":"+"}],"connectivity":{"probability":0.001}})");
  const Model model = build_model(spec, Ends{}, 0);
  const Weights& w = model.parameters.W_rec;
  REQUIRE(w.sparse());
  const NamedArrays arrays = network_arrays({spec, model, w.pattern.get(), {}, 0});
  CHECK(values_in<float>(arrays, "W_rec.values") == w.values);
  CHECK(values_in<int64_t>(arrays, "W_rec.col_start") == w.pattern->col_start);
  CHECK(values_in<int64_t>(arrays, "W_rec.row").back() == w.pattern->row.back());
  for (const NamedArray& a : arrays) CHECK((a.name != "W_rec" && a.name != "mask"));
}

TEST_CASE("a recording survives CSV, NPZ, MATLAB and HDF5") {
  Recording r;
  r.frames = 40;
  r.units = 3;
  r.rate_hz = 29.97;
  r.names = {"a \"b\"; c", "2, of V1", "x"};
  for (int64_t k = 0; k < 120; ++k) r.values.push_back(k == 7 ? NAN : std::sin(static_cast<float>(k * k)));
  RecordingSpec spec;
  const std::string said = recording_csv(r);
  const Result<Recording> csv = read_recording(std::as_bytes(std::span(said.data(), said.size())), "r.csv", spec);
  REQUIRE_MESSAGE(csv.ok(), (csv.ok() ? "" : csv.error().text()));
  CHECK(csv->names == std::vector<std::string>{"a 'b', c", "2, of V1", "x"});
  CHECK(csv->rate_hz == doctest::Approx(29.97).epsilon(1e-6));
  const NamedArrays arrays = recording_arrays(r);
  const Result<Recording> npz = read_recording(write_npz(arrays), "r.npz", spec),
                          mat = read_recording(*write_mat(arrays), "r.mat", spec),
                          hdf5 = read_recording(*write_hdf5(arrays), "r.h5", spec);
  for (const Result<Recording>* read : {&csv, &npz, &mat, &hdf5}) {
    REQUIRE_MESSAGE(read->ok(), (read->ok() ? "" : read->error().text()));
    const Recording& back = **read;
    CHECK(back.missing == 1);
    REQUIRE(back.values.size() == r.values.size());
    for (size_t k = 0; k < r.values.size(); ++k) CHECK((k == 7 || back.values[k] == r.values[k]));
  }
  r.rate_hz = 0;
  r.names = {"0", "1", "2"};
  const std::string text = recording_csv(r);
  CHECK(text.substr(0, text.find('\n')) == R"(frame,"unit 0","unit 1","unit 2")");
  const Result<Recording> counted = read_recording(std::as_bytes(std::span(text.data(), text.size())), "r.csv", spec);
  REQUIRE(counted.ok());
  CHECK(counted->rate_hz == 0);
  CHECK(counted->units == 3);
}
