// Reading a recording: how far it is and that it stops, in how much memory; files cut at every 64th byte or with bytes
// flipped, in every format; and links, which open nothing.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>

#include "connectome/connectome.h"
#include "doctest/doctest.h"
#include "recording/arrays.h"
#include "recording/bundle.h"
#include "recording/cell_table.h"
#include "recording/events.h"
#include "recording/hdf5.h"
#include "recording/long_table.h"
#include "recording/pieces.h"
#include "recording/recording.h"
#include "session/export.h"
#include "session/hdf5_write.h"
#include "session/mat_write.h"
#include "session/npz.h"

using namespace dalea;

namespace {

using Content = std::vector<std::byte>;
using Span = std::span<const std::byte>;

Content content_of(const std::string& s) {
  const auto* p = reinterpret_cast<const std::byte*>(s.data());
  return {p, p + s.size()};
}
Span span_of(const std::string& s) {
  return std::as_bytes(std::span(s.data(), s.size()));
}

double wave(int64_t frame, int64_t unit) {
  return std::sin(0.37 * static_cast<double>(frame * (unit + 1))) + 0.1 * static_cast<double>(unit);
}

// `frames` x 4, row-major.
std::vector<double> waves(int64_t frames) {
  std::vector<double> v;
  for (int64_t f = 0; f < frames; ++f)
    for (int64_t u = 0; u < 4; ++u) v.push_back(wave(f, u));
  return v;
}

std::string csv_of(int64_t frames) {
  std::string text = "time_s,a,b,c,d\n";
  char field[40];
  for (int64_t f = 0; f < frames; ++f) {
    text += std::to_string(f / 10) + "." + std::to_string(f % 10);
    for (int64_t u = 0; u < 4; ++u) {
      std::snprintf(field, sizeof field, ",%.5f", wave(f, u));
      text += field;
    }
    text += "\n";
  }
  return text;
}

std::string long_csv(int64_t frames) {
  std::string text = "time_s,unit,condition,value\n";
  for (int64_t f = 0; f < frames; ++f)
    for (int64_t u = 0; u < 4; ++u)
      text += std::to_string(f) + "," + "abcd"[u] + ",go," + std::to_string(wave(f, u)) + "\n";
  return text;
}

const std::string cells_csv = "unit,area,layer,type,sign\na,V1,2,exc,+\nb,V1,4,exc,+\nc,LM,2,inh,-\nd,LM,4,inh,-\n";
const std::string events_csv = "time_s,event\n1.0,go\n2.05,stop\n3.1,go\n4.2,go\n5.3,stop\n";

NamedArrays named_arrays(int64_t frames) {
  Recording r;
  r.frames = frames;
  r.units = 4;
  r.rate_hz = 10;
  r.names = {"a", "b", "c", "d"};
  for (double v : waves(frames)) r.values.push_back(static_cast<float>(v));
  return recording_arrays(r);
}

struct Seed {
  const char* name;
  Content bytes;
  bool whole;  // cut off, it is no file
};

// A small file of every format, or `frames` of one.
std::vector<Seed> seeds(int64_t frames) {
  const std::vector<double> v = waves(frames);
  std::vector<float> traces(v.begin(), v.end());
  std::vector<double> accepted;
  for (int64_t u = 0; u < frames; ++u) accepted.insert(accepted.end(), {1.0, 0.9});
  const NamedArrays arrays = named_arrays(frames);
  std::string decimal = "a;b\n";
  for (int64_t f = 0; f < frames; ++f) decimal += std::to_string(f) + "," + std::to_string(f * f % 7) + ";\"2,5\"\n";
  const Content suite2p_traces = write_npy_f32(traces, {4, frames});
  return {
      {"t.csv", content_of(csv_of(frames)), false},
      {"d.csv", content_of(decimal), false},
      {"long.csv", content_of(long_csv(frames)), false},
      {"t.npy", write_npy_f64(v, {frames, 4}), true},
      {"f.npy", write_npy_f32(traces, {frames, 4}, true), true},
      {"t.npz", write_zip({{"dff.npy", write_npy_f64(v, {frames, 4})}, {"x.npy", write_npy_i64({{1, 2}}, {2})}}), true},
      {"t.mat", *write_mat(arrays), false},
      {"t.h5", *write_hdf5(arrays), true},
      {"tables.zip",
       *make_bundle({{"t.csv", content_of(csv_of(frames))},
                     {"cells.csv", content_of(cells_csv)},
                     {"events.csv", content_of(events_csv)}}),
       true},
      {"suite2p",
       *make_bundle({{"F.npy", suite2p_traces},
                     {"Fneu.npy", write_npy_f32(std::vector<float>(traces.size(), 0.5f), {4, frames})},
                     {"spks.npy", suite2p_traces},
                     {"iscell.npy", write_npy_f64(std::span(accepted).first(8), {4, 2})}}),
       true},
  };
}

// All that a file can be read as; whether it was a recording.
bool use(Span bytes, const char* name) {
  RecordingSpec spec;
  bool read = false;
  for (const char* signal : {"dff", "spikes"}) {
    spec.suite2p.signal = signal;
    const FileContents contents = read_contents(bytes, name, spec);
    const Result<Recording>& r = contents.recording;
    CHECK((r.ok() || !r.error().message.empty()));
    if (!r) continue;
    read = true;
    const auto units = static_cast<size_t>(r->units);
    CHECK((r->frames > 0 && units > 0 && r->names.size() == units && r->places.size() == units));
    CHECK(r->values.size() == static_cast<size_t>(r->frames) * units);
    CHECK((r->cells.empty() || r->cells.size() == units));
  }
  const Result<ArrayList> list = list_arrays(bytes, name);
  for (size_t k = 0; list && k < std::min<size_t>(list->arrays.size(), 4); ++k)
    (void)read_table(bytes, name, list->arrays[k].name);
  return read;
}

// The same for a connectome's files and for tables that go with a recording.
const std::string three_nodes = "n,A,B,C\nA,0,1,2\nB,0,0,3\nC,4,0,0\n";

bool use_as_connectome(Span bytes) {
  ConnectomeSpec spec;
  spec.source = "file";
  is_connectome(bytes, "c.csv");
  int read = 0;
  const Span three = span_of(three_nodes);
  for (const ConnectomeFiles& files : {ConnectomeFiles{bytes, {}, {}, {}, "c.csv"},
                                       {three, bytes, {}, {}, "m.csv"},
                                       {three, {}, bytes, {}, "m.csv"},
                                       {three, {}, {}, bytes, "m.csv"}}) {
    const Result<Connectome> c = read_connectome(files, spec);
    if (!c) continue;
    ++read;
    const auto nodes = static_cast<size_t>(c->nodes);
    CHECK((c->names.size() == nodes && c->weight.size() == nodes * nodes));
    CHECK(std::all_of(c->weight.begin(), c->weight.end(), [](double w) { return std::isfinite(w) && w >= 0; }));
  }
  return read > 0;
}

bool use_as_table(Span bytes) {
  Recording r;
  r.frames = 60;
  r.units = 4;
  r.rate_hz = 10;
  r.names = {"a", "b", "c", "d"};
  r.places = {0, 1, 2, 3};
  for (double v : waves(60)) r.values.push_back(static_cast<float>(v));
  const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  bool read = false;
  if (Recording joined = r; join_cells(text, "cells.csv", joined)) {
    read = true;
    CHECK(joined.cells.size() == 4);
    if (average_populations(joined)) CHECK(joined.values.size() == static_cast<size_t>(joined.frames * joined.units));
  }
  r.events_csv = text;
  EventsSpec events;
  events.before_s = 0.2;
  events.after_s = 0.4;
  if (const Result<EventWindows> found = find_windows(r, events); found) {
    read = true;
    for (const EventWindow& w : found->windows) CHECK((w.start >= 0 && w.start + found->frames <= r.frames));
  }
  return read;
}

// Cut at every 64th byte, and some 300 times with one or two bytes changed, always the same ones.
template <class Use>
void damage(const Content& good, bool whole, Use use_it) {
  REQUIRE(use_it(Span(good)));
  for (size_t cut = 0; cut < good.size(); cut += 64) {
    const Content part(good.begin(), good.begin() + static_cast<int64_t>(cut));  // a sanitizer sees its end
    const bool read = use_it(Span(part));
    CHECK_FALSE_MESSAGE((whole && read), cut);
  }
  Content bad = good;
  const size_t step = std::max<size_t>(1, good.size() / 150);
  for (size_t at = 0, k = 0; at < good.size(); at += step, ++k)
    for (const uint8_t flip : {static_cast<uint8_t>(1u << (k % 8)), static_cast<uint8_t>(0xff)}) {
      const size_t other = (at * 7 + 13) % good.size();
      bad[at] ^= std::byte{flip};
      if (k % 3 == 0) bad[other] ^= std::byte{0x80};
      use_it(Span(bad));
      bad[at] = good[at];
      bad[other] = good[other];
    }
}

bool is_cancelled(const Error& e) {
  return e.message == cancelled("x").message;
}

}  // namespace

TEST_CASE("damaged files of every format are refused or read, never worse") {
  for (const Seed& seed : seeds(60)) {
    CAPTURE(std::string(seed.name));
    damage(seed.bytes, seed.whole, [&](Span bytes) { return use(bytes, seed.name); });
  }
  for (const std::string& text : {cells_csv, events_csv}) damage(content_of(text), false, use_as_table);
  const std::string numbers = "0,1,2\n0,0,3\n4,0,0\n", names = "A\nB\nC\n";
  for (const std::string& text :
       {three_nodes, numbers, names, std::string("0;1,5;-2\n0;0;-3\n4;0;0\n"),
        std::string("from,to,weight\nA,B,1\nB,C,2.5\nC,A,3\n"),
        std::string("source\ttarget\tkind\tsynapses\nA\tB\tchemical\t3\nB\tA\tgap\t2\nC\tB\tchemical\t1\n"),
        std::string("name,sign\nA,+\nB,-\nC,free\n"), std::string("name,transmitter\nA,GABA\nB,glutamate\nC,GABA\n"),
        std::string("name,density\nA,10\nB,20\nC,30\n")})
    damage(content_of(text), false, use_as_connectome);
  const std::vector<double> square{0, 1, 2, 3, 0, 4, 5, 6, 0};
  damage(write_npy_f64(square, {3, 3}), false, use_as_connectome);
  damage(write_zip({{"W.npy", write_npy_f64(square, {3, 3})}}), false, use_as_connectome);
}

TEST_CASE("reading says how far it is, from 0 to 1, and stops where it is told to") {
  for (const Seed& seed : seeds(30000)) {
    CAPTURE(std::string(seed.name));
    RecordingSpec spec;
    if (std::string_view(seed.name) == "suite2p") spec.rate_hz = 10;
    const Result<Recording> plain = read_recording(seed.bytes, seed.name, spec);
    REQUIRE_MESSAGE(plain.ok(), (plain.ok() ? "" : plain.error().text()));
    std::vector<double> parts;
    const Progress listens([&](double part) {
      parts.push_back(part);
      return true;
    });
    const Result<Recording> told = read_recording(seed.bytes, seed.name, spec, listens);
    REQUIRE(told.ok());
    CHECK(std::memcmp(told->values.data(), plain->values.data(), plain->values.size() * sizeof(float)) == 0);
    CHECK(std::is_sorted(parts.begin(), parts.end()));
    CHECK(parts.size() >= 4);
    CHECK(parts.front() == 0);
    CHECK(parts.back() > 0.9);
    CHECK(parts.back() <= 1);
    // Stopped at the first thing it says, at the last, and at some between.
    for (size_t stop = 0; stop < parts.size(); stop += std::max<size_t>(1, (parts.size() - 1) / 6)) {
      size_t said = 0, after = 0;
      const Progress stops([&](double) {
        after += said > stop;
        return said++ < stop;
      });
      const Result<Recording> r = read_recording(seed.bytes, seed.name, spec, stops);
      REQUIRE_FALSE(r.ok());
      CHECK_MESSAGE(is_cancelled(r.error()), r.error().text());
      CHECK(after <= 2);  // nothing more is done
    }
  }
}

TEST_CASE("a file's arrays and its recording by one look are those of two") {
  for (const Seed& seed : seeds(200)) {
    CAPTURE(std::string(seed.name));
    const FileContents both = read_contents(seed.bytes, seed.name, {});
    const Result<ArrayList> list = list_arrays(seed.bytes, seed.name);
    const Result<Recording> r = read_recording(seed.bytes, seed.name, {});
    REQUIRE((both.arrays.ok() && both.recording.ok() && list.ok() && r.ok()));
    CHECK(both.arrays->format == list->format);
    CHECK(both.arrays->suggested == list->suggested);
    CHECK(both.arrays->reason == list->reason);
    CHECK(both.arrays->conditions == list->conditions);
    REQUIRE(both.arrays->arrays.size() == list->arrays.size());
    for (size_t k = 0; k < list->arrays.size(); ++k) {
      CHECK(both.arrays->arrays[k].name == list->arrays[k].name);
      CHECK(both.arrays->arrays[k].type == list->arrays[k].type);
      CHECK(both.arrays->arrays[k].shape == list->arrays[k].shape);
      CHECK(both.arrays->arrays[k].unusable == list->arrays[k].unusable);
    }
    CHECK(both.recording->values == r->values);
    CHECK(both.recording->names == r->names);
    CHECK(both.recording->array_reason == r->array_reason);
  }
  // Where one of them fails the other is there.
  RecordingSpec spec;
  spec.array = "nothing";
  const FileContents unknown = read_contents(*write_hdf5(named_arrays(20)), "t.h5", spec);
  CHECK_FALSE(unknown.recording.ok());
  CHECK(unknown.arrays.ok());
  const FileContents broken = read_contents(content_of("1,2\n3,x\n"), "t.csv", {});
  CHECK(broken.recording.error().text() == broken.arrays.error().text());
}

TEST_CASE("numbers in pieces are those that were put in, across the pieces' ends") {
  for (const size_t expected : {size_t{0}, size_t{5}, Pieces::each - 1, Pieces::each + 3, 3 * Pieces::each}) {
    CAPTURE(expected);
    Pieces p(expected);
    const size_t n = Pieces::each + 10;
    for (size_t k = 0; k < n; ++k) p.push_back(static_cast<double>(k));
    CHECK(p.size() == n);
    p.shorten(Pieces::each - 4);  // back into the first one
    for (size_t k = Pieces::each - 4; k < n; ++k) p.push_back(-static_cast<double>(k));
    CHECK(p[0] == 0);
    CHECK(p[Pieces::each - 5] == static_cast<double>(Pieces::each - 5));
    CHECK(p[Pieces::each - 4] == -static_cast<double>(Pieces::each - 4));
    CHECK(p[n - 1] == -static_cast<double>(n - 1));
    p.shorten(0);
    p.push_back(7);
    CHECK((p.size() == 1 && p[0] == 7));
    CHECK(p.joined() == std::vector<double>{7});
    CHECK(p.size() == 0);
  }
}

TEST_CASE("a large CSV is the same recording either way round") {
  constexpr int64_t frames = 1200000, units = 4;  // more than one piece
  const auto digit = [](int64_t f, int64_t u) { return static_cast<char>('0' + (f * f + 3 * u + f * u) % 9); };
  std::string tall, wide;
  for (int64_t f = 0; f < frames; ++f)
    for (int64_t u = 0; u < units; ++u) (tall += digit(f, u)) += u + 1 < units ? ',' : '\n';
  for (int64_t u = 0; u < units; ++u)
    for (int64_t f = 0; f < frames; ++f) (wide += digit(f, u)) += f + 1 < frames ? ',' : '\n';
  for (const std::string* text : {&tall, &wide}) {
    const Result<Recording> r = read_recording(span_of(*text), "t.csv", {});
    REQUIRE_MESSAGE(r.ok(), (r.ok() ? "" : r.error().text()));
    CHECK(r->frames == frames);
    REQUIRE(r->units == units);
    CHECK(r->orientation == (text == &tall ? "time-by-unit" : "unit-by-time"));
    bool same = true;
    for (int64_t f = 0; f < frames; ++f)
      for (int64_t u = 0; u < units; ++u)
        same = same && r->values[f * units + u] == static_cast<float>(digit(f, u) - '0');
    CHECK(same);
  }
}

// Bytes of the program's own that are in memory now; 0: not known here.
int64_t own_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.rfind("RssAnon:", 0) == 0) return 1024 * std::stoll(line.substr(8));
  return 0;
}

TEST_CASE("reading a CSV takes little more memory than its numbers") {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return;  // keeps what was freed
#endif
  if (sizeof(void*) == 4 || own_memory() == 0) return;
  const int64_t frames = 2500000, units = 10;
  std::string text;
  text.reserve(static_cast<size_t>(frames * units * 2));
  for (int64_t k = 0; k < frames * units; ++k)
    (text += static_cast<char>('0' + (k * k / 7 + k) % 10)) += k % units + 1 < units ? ',' : '\n';
  const int64_t before = own_memory();
  int64_t most = 0;
  int64_t looked = 0;
  const Progress looks([&](double) {
    if (looked++ % 8 == 0) most = std::max(most, own_memory() - before);
    return true;
  });
  const Result<Recording> r = read_recording(span_of(text), "t.csv", {}, looks);
  REQUIRE_MESSAGE(r.ok(), (r.ok() ? "" : r.error().text()));
  CHECK(r->frames == frames);
  const int64_t numbers = frames * units * 8, piece = Pieces::each * 8;  // bytes
  CHECK(most > numbers / 2);
  CHECK(most < numbers + 2 * piece);
  CHECK(most < 1.4 * static_cast<double>(numbers));
}

TEST_CASE("links carry no path and open none, wherever an experiment can name one") {
  const auto said = [](const std::string& json) {
    const Result<std::string> r = decode_link("#v1=" + pack_text(json));
    return r.ok() ? "accepted" : r.error().text();
  };
  struct Place {
    const char *path, *json;
  };
  for (const Place& p : {Place{"recording.file", R"({"dalea":1,"recording":{"file":"/etc/passwd"}})"},
                         {"recording.cells", R"({"dalea":1,"recording":{"cells":"/etc/passwd"}})"},
                         {"recording.events.file", R"({"dalea":1,"recording":{"events":{"file":"/etc/passwd"}}})"},
                         {"task.file", R"({"dalea":1,"task":{"type":"n-back-latent","file":"/etc/passwd"}})"},
                         {"task.folder", R"({"dalea":1,"task":{"type":"digits","folder":"/etc"}})"},
                         {"connectome.file", R"({"dalea":1,"connectome":{"source":"file","file":"/etc/passwd"}})"},
                         {"connectome.names", R"({"dalea":1,"connectome":{"names":"/etc/passwd"}})"},
                         {"connectome.signs", R"({"dalea":1,"connectome":{"signs":"../../x"}})"},
                         {"connectome.densities", R"({"dalea":1,"connectome":{"densities":"/dev/zero"}})"}}) {
    CAPTURE(p.path);
    CHECK((said(p.json).find("folder") != std::string::npos) == (std::string(p.path) == "task.folder"));
    CHECK(said(p.json).find(std::string("link: ") + p.path) == 0);
    CHECK(said(p.json).find("never open local files") != std::string::npos);
  }
  // In other words, and in other types.
  CHECK(said(R"({"dalea":1,"recording":{"c\u0065lls":"/etc/passwd"}})").find("link: recording.cells") == 0);
  CHECK(said(R"({"dalea":1,"recording":{"cells":""}})").find("link: recording.cells") == 0);
  CHECK(said(R"({"dalea":1,"recording":{"cells":["/etc/passwd"]}})").find("link: recording.cells") == 0);
  CHECK(said(R"({"dalea":1,"recording":{"events":"file"}})") == "accepted");  // the parser refuses it
  CHECK_FALSE(parse_spec(R"({"dalea":1,"recording":{"events":"file"}})").problems.empty());
  CHECK(said(R"({"dalea":1,"recording":{"events":{"label":"go"}}})") == "accepted");
  CHECK(said(R"({"dalea":1,"task":{"type":"wave"},"task":{"file":"/etc/passwd"}})") != "accepted");
  // One made of such an experiment has none of them.
  Spec s;
  fill_defaults(s);
  s.recording.file = s.recording.cells = s.recording.events.file = s.task.file = s.task.folder = "/home/me/secret";
  s.connectome.file = s.connectome.names = s.connectome.signs = s.connectome.densities = "/home/me/secret";
  s.recording.events.label = "go";
  const Result<std::string> json = decode_link(encode_link(s));
  REQUIRE_MESSAGE(json.ok(), (json.ok() ? "" : json.error().text()));
  CHECK(json->find("secret") == std::string::npos);
  CHECK(json->find("go") != std::string::npos);
  CHECK(parse_spec(*json).problems.empty());
}
