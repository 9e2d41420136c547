// Recordings that are more than a matrix: bundles, suite2p folders, NWB files, long tables and cell tables.
// tests/py/make_nwb_fixtures.py writes the NWB files.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "common/recording_files.h"
#include "doctest/doctest.h"
#include "recording/arrays.h"
#include "recording/bundle.h"
#include "recording/cell_table.h"
#include "recording/long_table.h"
#include "recording/suite2p.h"

using namespace dalea;

namespace {

namespace fs = std::filesystem;

#define SAYS(text, part) CHECK_MESSAGE(std::string(text).find(part) != std::string::npos, text)

ByteVector raw(const std::string& s) {
  const auto* p = reinterpret_cast<const std::byte*>(s.data());
  return {p, p + s.size()};
}

ByteVector on_disk(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return raw(std::string(std::istreambuf_iterator<char>(file), {}));
}

Recording read_well(const ByteVector& bytes, const RecordingSpec& spec = {}, const char* name = "file") {
  const Result<Recording> r = read_recording(bytes, name, spec);
  REQUIRE_MESSAGE(r.ok(), (r.ok() ? "" : r.error().text()));
  return *r;
}

std::string refusal(const ByteVector& bytes, const RecordingSpec& spec = {}) {
  const Result<Recording> r = read_recording(bytes, "file", spec);
  return r.ok() ? "read" : r.error().text();
}

std::string all_notes(const Recording& r) {
  std::string text;
  for (const std::string& n : r.notes) text += n + "\n";
  return text;
}

fs::path real_file(const std::string& name) {
  const char* set = std::getenv("DALEA_DATA");
  const fs::path path = fs::path(set ? set : DALEA_SOURCE_DIR "/../shared/data") / name;
  std::error_code error;
  if (fs::exists(path, error)) return path;
  MESSAGE("skipped: the real recording ", name, " is not on this machine");
  return {};
}

ByteVector nwb_fixture(const std::string& name) {
  const char* folder = std::getenv("DALEA_FIXTURES");
  const fs::path path = fs::path(folder ? folder : "") / "nwb" / name;
  std::error_code error;
  if (folder != nullptr && fs::exists(path, error)) return on_disk(path);
  MESSAGE("skipped: DALEA_FIXTURES names no folder filled by tests/py/make_nwb_fixtures.py");
  return {};
}

// numpy.percentile, by sorting.
double sorted_percentile(std::vector<double> v, double p) {
  std::sort(v.begin(), v.end());
  const double at = p / 100 * static_cast<double>(v.size() - 1);
  const auto low = static_cast<size_t>(at);
  return low + 1 < v.size() ? v[low] + (at - static_cast<double>(low)) * (v[low + 1] - v[low]) : v[low];
}

// A suite2p folder of 4 ROIs and 40 frames: ROI 1 is not accepted, ROI 2 never changes.
struct SmallSuite2p {
  std::vector<float> f, neuropil, spikes;
  std::vector<double> iscell{1, .9, 0, .2, 1, .8, 1, .7};
  Entries files;
  SmallSuite2p() {
    for (int roi = 0; roi < 4; ++roi)
      for (int t = 0; t < 40; ++t) {
        f.push_back(roi == 2 ? 5.0f
                             : 100.0f + 10.0f * static_cast<float>(roi) + static_cast<float>((t * 7 + roi) % 11));
        neuropil.push_back(20.0f + static_cast<float>((t * 5) % 7));
        spikes.push_back(static_cast<float>((t + roi) % 5));
      }
    files = {{"F.npy", write_npy_f32(f, {4, 40})},
             {"Fneu.npy", write_npy_f32(neuropil, {4, 40})},
             {"spks.npy", write_npy_f32(spikes, {4, 40})},
             {"iscell.npy", write_npy_f64(iscell, {4, 2})}};
  }
  double corrected(int roi, int t, double share = 0.7) const {
    return static_cast<double>(f[roi * 40 + t]) - share * static_cast<double>(neuropil[roi * 40 + t]);
  }
};

}  // namespace

TEST_CASE("rolling percentile: as sorting each window gives") {
  std::vector<double> x;
  for (int k = 0; k < 60; ++k) x.push_back((k * 37) % 23 + (k % 4 == 0 ? 0.5 : 0));
  x[10] = x[11] = NAN;
  for (int64_t window : {1, 2, 5, 8, 59, 500})
    for (double p : {0.0, 8.0, 50.0, 100.0}) {
      const std::vector<double> got = rolling_percentile(x, p, window);
      for (int64_t k = 0; k < 60; ++k) {
        std::vector<double> near;
        for (int64_t j = std::max<int64_t>(0, k - (window - 1) / 2); j <= std::min<int64_t>(59, k + window / 2); ++j)
          if (!std::isnan(x[j])) near.push_back(x[j]);
        if (near.empty())
          CHECK(std::isnan(got[k]));
        else
          CHECK(got[k] == doctest::Approx(sorted_percentile(near, p)).epsilon(1e-14));
      }
    }
  CHECK(rolling_percentile({}, 8, 5).empty());
}

TEST_CASE("suite2p: neuropil, accepted cells and the rolling baseline, each as the settings say") {
  const SmallSuite2p s;
  const Result<ByteVector> bundle = make_bundle(s.files);
  REQUIRE(bundle.ok());
  REQUIRE(is_suite2p_bundle(*bundle));
  RecordingSpec spec;
  spec.rate_hz = 2;
  spec.suite2p.window_s = 5;  // 10 frames
  spec.suite2p.percentile = 20;
  const Recording r = read_well(*bundle, spec);
  CHECK(r.kind == "suite2p");
  CHECK(r.names == std::vector<std::string>{"roi 0", "roi 3"});
  CHECK(r.places == std::vector<int64_t>{0, 3});
  CHECK(r.frames == 40);
  CHECK(r.orientation == "unit-by-time");
  REQUIRE(r.dropped.size() == 2);
  CHECK(r.dropped[0].unit == "roi 1");
  SAYS(r.dropped[0].reason, "not accepted");
  CHECK(r.dropped[1].unit == "roi 2");
  SAYS(r.dropped[1].reason, "constant");
  SAYS(r.format, "dF/F of F - 0.7 Fneu, baseline its percentile 20 over 5 s");
  for (int unit = 0; unit < 2; ++unit)
    for (int t = 0; t < 40; ++t) {
      std::vector<double> near;
      for (int j = std::max(0, t - 4); j <= std::min(39, t + 5); ++j) near.push_back(s.corrected(3 * unit, j));
      const double b = sorted_percentile(near, 20);
      CHECK(r.values[t * 2 + unit] == doctest::Approx((s.corrected(3 * unit, t) - b) / b).epsilon(1e-6));
    }

  spec.suite2p.signal = "corrected";
  spec.suite2p.accepted = false;
  spec.suite2p.neuropil = 0.5;
  const Recording all = read_well(*bundle, spec);
  CHECK(all.names == std::vector<std::string>{"roi 0", "roi 1", "roi 3"});
  CHECK(all.values[5 * 3 + 1] == static_cast<float>(s.corrected(1, 5, 0.5)));
  spec.suite2p.signal = "spikes";
  CHECK(read_well(*bundle, spec).values[5 * 4 + 2] == s.spikes[2 * 40 + 5]);
  spec.suite2p.signal = "fluorescence";
  CHECK(read_well(*bundle, spec).values[5 * 3 + 2] == s.f[3 * 40 + 5]);

  RecordingSpec one;  // one of the arrays alone
  one.array = "Fneu";
  SAYS(read_well(*bundle, one).dropped[0].reason, "the same values as unit 0");
  const Result<ArrayList> list = list_arrays(*bundle, "plane0");
  REQUIRE(list.ok());
  CHECK(list->format == "suite2p");
  CHECK(list->arrays[static_cast<size_t>(list->suggested)].name == "F");
  SAYS(all_notes(read_well(*bundle)), "ops.npy");
  SAYS(read_well(*bundle).format, "of the whole recording");

  RecordingSpec small;
  small.suite2p.signal = "dff";
  const auto without = [&](const char* name, RecordingSpec how = {}) {
    Entries files = s.files;
    std::erase_if(files, [&](const auto& f) { return f.first == name; });
    return refusal(*make_bundle(files), how);
  };
  SAYS(without("Fneu.npy"), "holds no Fneu.npy");
  SAYS(without("F.npy"), "holds no F.npy");
  CHECK(without("iscell.npy") == "read");
  CHECK(without("spks.npy") == "read");
  Entries odd = s.files;
  odd[1].second = write_npy_f32(std::vector<float>(120), {3, 40});
  SAYS(refusal(*make_bundle(odd)), "different shapes");
  odd = s.files;
  odd[3].second = write_npy_f64(std::vector<double>(6), {3, 2});
  SAYS(refusal(*make_bundle(odd)), "3 rows for 4 ROIs");
  odd[3].second = write_npy_f64(std::vector<double>(8), {4, 2});
  SAYS(refusal(*make_bundle(odd)), "4 are not accepted");
}

TEST_CASE("bundles: the same bytes from any order and place; tables are known by their headers") {
  const SmallSuite2p s;
  Entries turned(s.files.rbegin(), s.files.rend());
  for (auto& f : turned) f.first = "mouse1/plane0/" + f.first;
  turned.emplace_back("mouse1/plane0/ops.npy", raw("\x80pickle"));
  turned.emplace_back("mouse1/plane0/.DS_Store", raw("x"));
  const ByteVector bundle = *make_bundle(s.files);
  CHECK(*make_bundle(turned) == bundle);
  CHECK(*make_bundle({{"again.zip", bundle}}) == bundle);
  CHECK(read_well(write_zip(turned)).names == read_well(bundle).names);  // a zipped folder

  const ByteVector traces = raw("a,b\n1,2\n2,3\n3,5\n4,1\n"), cells = raw("unit,type\nb,sst\na,pyr\n"),
                   events = raw("time_s,label\n1.5,change\n");
  const ByteVector three = *make_bundle({{"my cells.csv", cells}, {"traces.csv", traces}, {"stimuli.csv", events}});
  CHECK(three == *make_bundle({{"x/traces.csv", traces}, {"cells.csv", cells}, {"events.csv", events}}));
  REQUIRE(is_bundle(three));
  CHECK_FALSE(is_suite2p_bundle(three));
  const Recording r = read_well(three);
  CHECK(r.names == std::vector<std::string>{"a", "b"});
  CHECK(r.cells[0].type == "pyr");
  CHECK(r.cells[1].type == "sst");
  CHECK(r.events_csv == "time_s,label\n1.5,change\n");
  CHECK(r.sha256 == sha256_hex(three));
  CHECK(list_arrays(three, "x")->format == "CSV");

  SAYS(make_bundle({{"a.csv", traces}, {"b.csv", traces}}).error().text(), "not one recording");
  SAYS(make_bundle({{"a/F.npy", s.files[0].second}, {"b/F.npy", s.files[0].second}}).error().text(), "several times");
  SAYS(make_bundle({{"cells.csv", cells}, {"events.csv", events}}).error().text(), "hold no recording");
  SAYS(make_bundle({}).error().text(), "hold no recording");
  // An .npz of arrays and a session are none; a bundle in a bundle is refused.
  CHECK_FALSE(is_bundle(write_zip({{"dff.npy", s.files[0].second}, {"F.npy", s.files[0].second}})));
  CHECK_FALSE(is_bundle(write_zip({{"spec.json", raw("{}")}, {"F.npy", {}}, {"Fneu.npy", {}}})));
  CHECK_FALSE(is_bundle(raw("PK\x03\x04 not a zip")));
  const ByteVector nested = write_zip({{"in.zip", three}, {"cells.csv", cells}});
  CHECK_FALSE(list_arrays(nested, "x").ok());
  CHECK(refusal(nested) != "read");
  for (size_t cut = 0; cut < three.size(); cut += 7) CHECK(refusal({three.begin(), three.begin() + cut}) != "read");
}

TEST_CASE("long tables: a value a row becomes time x unit") {
  const std::string csv =
      "condition,population,series,t,value\n"
      "go,V1,target,0.5,1\ngo,LM,target,0.5,2\ngo,V1,target,1.0,3\ngo,LM,target,1.0,\ngo,V1,target,1.5,4\n"
      "go,LM,target,1.5,7\nstop,V1,target,0.5,9\nstop,V1,dense,0.5,8\n";
  REQUIRE(is_long_table(csv));
  RecordingSpec spec;
  SAYS(refusal(raw(csv)), "recording.condition: is not given, and column condition of file holds go, stop");
  spec.condition = "g0";
  SAYS(refusal(raw(csv), spec), "did you mean 'go'?");
  spec.condition = "go";
  SAYS(refusal(raw(csv), spec), "recording.series");
  spec.series = "target";
  const Recording r = read_well(raw(csv), spec);
  CHECK(r.kind == "long table");
  CHECK(r.names == std::vector<std::string>{"V1", "LM"});
  CHECK(r.frames == 3);
  CHECK(r.rate_hz == doctest::Approx(2));
  CHECK(r.missing == 1);
  CHECK(r.values[4] == 4);
  CHECK(r.values[1] == 2);
  CHECK(std::isnan(r.values[3]));
  CHECK(list_arrays(raw(csv), "x")->conditions == std::vector<std::string>{"go", "stop"});

  const auto unit_rows = [](const std::string& more) { return raw("unit;time_s;value\n" + more); };
  const Recording commas = read_well(unit_rows("b;0,5;1,5\na;1;2\nb;1;3\na;0,5;4\n"));
  CHECK(commas.names == std::vector<std::string>{"b", "a"});
  CHECK(commas.values == std::vector<float>{1.5f, 4, 3, 2});
  SAYS(refusal(unit_rows("b;1;1\nb;1;2\n")), "lines 2 and 3 both give a value for unit b");
  SAYS(refusal(unit_rows("b;x;1\n")), "line 2: the time 'x'");
  SAYS(refusal(unit_rows("b;1;no\n")), "line 2: the value 'no'");
  SAYS(refusal(unit_rows("b;1\n")), "2 fields");
  SAYS(refusal(unit_rows("")), "no rows");
  SAYS(refusal(raw("trial,unit,t,value\n1,a,0,1\n2,a,0,2\n")), "column 'trial' may tell them apart");
  std::string diagonal = "unit,t,value\n";
  for (int k = 0; k < 2000; ++k) diagonal += "u" + std::to_string(k) + "," + std::to_string(k) + ",1\n";
  SAYS(refusal(raw(diagonal)), "most places are empty");
  RecordingSpec wide;
  wide.condition = "go";
  SAYS(refusal(raw("a,b\n1,2\n2,3\n3,4\n"), wide), "is no long table");
  const Recording counted = read_well(raw("unit,t,value\na,0,1\na,1,2\na,2,5\n"));
  CHECK(counted.rate_hz == 0);
  SAYS(all_notes(counted), "counts frames");
}

TEST_CASE("cell tables: joined by name, else by index; what does not match is said") {
  const std::string traces = "n1,n2,n3,n4\n1,2,3,4\n2,3,5,1\n3,5,4,2\n";
  const auto with = [&](const std::string& cells, const RecordingSpec& spec = {}, const std::string& of = {}) {
    return read_recording(*make_bundle({{"traces.csv", raw(of.empty() ? traces : of)}, {"cells.csv", raw(cells)}}), "t",
                          spec);
  };
  const Result<Recording> named =
      with("sign,type,unit,layer,area\nE,pyr,n2,2/3,V1\nGABA,sst,n1,2/3,V1\n+,pyr,n4,23,V1\nACh,vip,zz,4,LM\n");
  REQUIRE_MESSAGE(named.ok(), (named.ok() ? "" : named.error().text()));
  CHECK(named->cells[0].sign == "-");
  CHECK(named->cells[1].sign == "+");
  CHECK(named->cells[1].layer == "2/3");
  CHECK(named->cells[2].area.empty());
  SAYS(all_notes(*named), "3 of 4 units joined by name; without a row: n3");
  SAYS(all_notes(*named), "signs that are not understood: ACh");
  const Result<Recording> indexed = with("index\ttype\n3\tpyr\n0\tsst\n");
  REQUIRE(indexed.ok());
  CHECK(indexed->cells[3].type == "pyr");
  CHECK(indexed->cells[0].type == "sst");
  SAYS(all_notes(*indexed), "2 of 4 units joined by index");
  // The place in the file counts, whatever was dropped before it; a label names what has no name.
  const Result<Recording> labelled =
      with("index,label,class\n0,AVAL,AVA\n2,RIS,RIS\n", {}, "7,1,3\n7,2,5\n7,4,4\n7,5,9\n");
  REQUIRE(labelled.ok());
  CHECK(labelled->names == std::vector<std::string>{"unit 1", "RIS"});
  CHECK(labelled->cells[1].type == "RIS");
  const Result<Recording> in_rows = with("type\npyr\nsst\npyr\nvip\n");
  REQUIRE(in_rows.ok());
  CHECK(in_rows->cells[3].type == "vip");
  SAYS(all_notes(*in_rows), "joined by row");
  SAYS(with("unit,type\nx,pyr\n").error().text(), "matches none of the recording's units: they are n1, n2, n3, n4");
  SAYS(with("unit,depth\nn1,4\n").error().text(), "no column area, layer, type or sign");
  SAYS(with("unit,type\nn1\n").error().text(), "line 2 has 1 fields");

  RecordingSpec average;
  average.average = "populations";
  const Result<Recording> r = with("unit,area,layer,type,sign\nn1,V1,2/3,pyr,+\nn3,V1,L2/3,pyr,+\nn2,V1,4,sst,-\n",
                                   average, "n1,n2,n3,n4\n1,2,3,4\n2,3,,1\n3,5,4,2\n");
  REQUIRE_MESSAGE(r.ok(), (r.ok() ? "" : r.error().text()));
  CHECK(r->names == std::vector<std::string>{"V1 L2/3 pyr", "V1 L4 sst"});
  CHECK(r->values == std::vector<float>{2, 2, 2, 3, 3.5f, 5});
  CHECK(r->units == 2);
  CHECK(r->missing == 0);
  CHECK(r->cells[1].sign == "-");
  CHECK(r->dropped.back().unit == "n4");
  SAYS(all_notes(*r), "3 units averaged into 2 populations: V1 L2/3 pyr of 2");
  SAYS(refusal(raw(traces), average), "recording.average");
  for (const char* plus : {"+", "E", "exc", "Excitatory", "1", "glutamatergic", "Glu"}) CHECK(sign_of(plus) == "+");
  for (const char* minus : {"-", "I", "inhibitory", "-1", "GABA", "gabaergic", "\xe2\x88\x92"})
    CHECK(sign_of(minus) == "-");
  CHECK(sign_of("ACh").empty());
}

TEST_CASE("equal traces are dropped but one") {
  const Recording r = read_well(raw("a,b,c,d\n1,1,2,1\n2,2,2,2\n,,3,3\n4,4,9,4\n"));
  CHECK(r.names == std::vector<std::string>{"a", "c", "d"});
  REQUIRE(r.dropped.size() == 1);
  CHECK(r.dropped[0].unit == "b");
  CHECK(r.dropped[0].reason == "the same values as a");
  CHECK(read_well(raw("1,2\n-0,0\n0,-0\n3,4\n")).units == 2);
  CHECK(read_well(raw("a,b\n0,-0\n1,1\n2,2\n")).units == 1);
}

TEST_CASE("NWB: dF/F first, another series or the spikes by name") {
  const ByteVector file = nwb_fixture("both.nwb");
  if (file.empty()) return;
  const Recording r = read_well(file);
  CHECK(r.kind == "NWB");
  CHECK(r.array == "/processing/ophys/DfOverF/RoiResponseSeries/data");
  SAYS(r.array_reason, "dF/F, the first choice of 3");
  CHECK(r.rate_hz == 20);
  CHECK(r.names == std::vector<std::string>{"roi 70", "roi 90", "roi 80"});
  CHECK(r.frames == 12);
  CHECK(r.values[5 * 3 + 1] == 53);
  CHECK(r.orientation == "time-by-unit");
  SAYS(r.format, "NWB 2.6.0");
  const Result<ArrayList> list = list_arrays(file, "both.nwb");
  REQUIRE(list.ok());
  CHECK(list->format == "NWB 2.6.0 (HDF5)");
  REQUIRE(list->suggested >= 0);
  SAYS(list->arrays[static_cast<size_t>(list->suggested)].name, "DfOverF/RoiResponseSeries/data");
  CHECK(std::any_of(list->arrays.begin(), list->arrays.end(),
                    [](const ArrayInfo& a) { return a.name == "/units" && a.shape == std::vector<int64_t>{2}; }));

  RecordingSpec spec;
  for (const char* name : {"Fluorescence", "/processing/ophys/Fluorescence/RoiResponseSeries",
                           "processing/ophys/Fluorescence/RoiResponseSeries/data"}) {
    spec.array = name;
    const Recording f = read_well(file, spec);
    CHECK(f.values == r.values);  // the conversion
    CHECK(f.rate_hz == doctest::Approx(20));
    CHECK(f.array_reason == "stated");
    CHECK(f.names[2] == "roi 90");
    SAYS(f.format, "times 0.25");
  }
  spec.array = "/acquisition/lick";
  CHECK(read_well(file, spec).rate_hz == 50);
  spec.array = "units";
  spec.bin_s = 0.25;
  const Recording spikes = read_well(file, spec);
  CHECK(spikes.names == std::vector<std::string>{"unit 40", "unit 51"});
  CHECK(spikes.rate_hz == 4);
  CHECK(spikes.values == std::vector<float>{2, 1, 1, 3, 1, 0, 0, 1});  // bins from 1 s
  spec.array = "nothing";
  CHECK(refusal(file, spec) != "read");
}

TEST_CASE("NWB: what is odd is said or refused") {
  const ByteVector turned = nwb_fixture("turned.nwb");
  if (turned.empty()) return;
  const Recording r = read_well(turned);
  CHECK(r.orientation == "unit-by-time");
  SAYS(r.orientation_reason, "timestamps");
  CHECK(r.units == 3);
  CHECK(r.values[5 * 3 + 1] == 53);
  CHECK(r.rate_hz == doctest::Approx(10));
  SAYS(all_notes(r), "irregular: steps of 0.1 to 0.3 s");
  CHECK(read_well(nwb_fixture("units.nwb")).array == "/units");
  SAYS(refusal(nwb_fixture("bad_units.nwb")), "does not divide");
  SAYS(refusal(nwb_fixture("far_units.nwb")), "recording.bin_s: is 0.1 s");
  SAYS(refusal(nwb_fixture("empty.nwb")), "without ROI responses");
  const ByteVector whole = nwb_fixture("both.nwb");
  for (size_t cut = 0; cut < whole.size(); cut += 64) refusal({whole.begin(), whole.begin() + cut});
}

TEST_CASE("real files: suite2p's folder, Allen's averages, the worm's labels") {
  if (const fs::path folder = real_file("suite2p_fixture"); !folder.empty()) {
    const Result<ByteVector> bundle = read_recording_files(folder.string(), "", "");
    REQUIRE_MESSAGE(bundle.ok(), (bundle.ok() ? "" : bundle.error().text()));
    RecordingSpec spec;
    spec.rate_hz = 30;
    const Recording r = read_well(*bundle, spec);
    int64_t refused = 0;
    for (const Dropped& d : r.dropped) refused += d.reason == "not accepted by iscell.npy";
    CHECK(refused == 199);
    CHECK(r.units + static_cast<int64_t>(r.dropped.size()) == 219);
    CHECK(r.units > 10);
    CHECK(r.frames == 2000);
    CHECK(r.missing == 0);
  }
  if (const fs::path file = real_file("allen_vb/averaged_dff_by_population.csv"); !file.empty()) {
    SAYS(refusal(on_disk(file)), "familiar_no_change");
    RecordingSpec spec;
    spec.condition = "familiar_change";
    spec.series = "target";
    const Recording r = read_well(on_disk(file), spec);
    CHECK(r.frames == 15);
    CHECK(r.units == 18);
    CHECK(r.missing == 0);
    CHECK(r.names[0] == "V1_L4_pyr");
  }
  const fs::path worm = real_file("celegans/2022-07-26-31_F_F20.csv");
  if (!worm.empty()) {
    const Result<ByteVector> bundle =
        read_recording_files(worm.string(), (worm.parent_path() / "2022-07-26-31_neurons.csv").string(), "");
    REQUIRE(bundle.ok());
    const Recording r = read_well(*bundle);
    const auto at = std::find(r.names.begin(), r.names.end(), "RIAR") - r.names.begin();
    REQUIRE(at < r.units);
    CHECK(r.cells[static_cast<size_t>(at)].type == "RIA");
  }
}
