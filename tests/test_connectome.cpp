// Connectomes: reading, scaling (SEEDS 6.2), null models and initial ranks.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>

#include "common/connectome_files.h"
#include "common/files.h"
#include "connectome/connectome.h"
#include "connectome/null_models.h"
#include "helpers.h"

using namespace dalea;

namespace {

std::string data_file(const std::string& name) {
  const char* set = std::getenv("DALEA_DATA");
  const std::filesystem::path path = std::filesystem::path(set ? set : DALEA_SOURCE_DIR "/../shared/data") / name;
  if (std::filesystem::exists(path)) return path.string();
  MESSAGE(name << " is not here; not tested");
  return {};
}

Result<Connectome> read_text(const std::string& text, const ConnectomeSpec& spec = {}, const std::string& names = "",
                             const std::string& signs = "", const std::string& densities = "") {
  const auto m = to_bytes(text), n = to_bytes(names), s = to_bytes(signs), d = to_bytes(densities);
  return read_connectome({m, n, s, d, "c.csv"}, spec);
}

Connectome good(Result<Connectome> c) {
  REQUIRE_MESSAGE(c.ok(), (c.ok() ? "" : c.error().text()));
  return std::move(*c);
}

std::string why(const Result<Connectome>& c) {
  REQUIRE_FALSE(c.ok());
  return c.error().text();
}

bool says(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

Connectome of_weights(std::vector<double> w) {
  Connectome c;
  c.nodes = static_cast<int64_t>(std::llround(std::sqrt(static_cast<double>(w.size()))));
  c.weight = std::move(w);
  for (int64_t i = 0; i < c.nodes; ++i) c.names.push_back("r" + std::to_string(i));
  c.kind = "matrix";
  return c;
}

Spec attached(Connectome c, const ConnectomeSpec& k) {
  Spec spec = testing::spec_of(R"({"dalea":1})");
  spec.connectome = k;
  const Status ok = attach_connectome(spec, std::move(c));
  REQUIRE_MESSAGE(ok.ok(), ok.error().text());
  return spec;
}

ScaledConnectome scaled(const Spec& spec, int64_t run = 0) {
  Result<ScaledConnectome> s = scale_connectome(spec, run);
  REQUIRE_MESSAGE(s.ok(), (s.ok() ? "" : s.error().text()));
  return std::move(*s);
}

// Sums of the weights between regions.
std::vector<double> block_sums(const ScaledConnectome& s, int64_t regions) {
  std::vector<double> sum(static_cast<size_t>(regions * regions), 0.0);
  for (int64_t i = 0; i < s.units; ++i)
    for (int64_t e = s.start[i]; e < s.start[i + 1]; ++e)
      sum[s.region[i] * regions + s.region[s.target[e]]] += s.weight[e];
  return sum;
}

// 6 regions, one way round each pair, weights 1 .. 15.
Connectome six() {
  std::vector<double> w(36, 0.0);
  double v = 1;
  for (int i = 0; i < 6; ++i)
    for (int j = 0; j < i; ++j) w[(i + j) % 2 ? i * 6 + j : j * 6 + i] = v++;
  return of_weights(std::move(w));
}

std::pair<std::vector<int>, std::vector<int>> degrees(const ScaledConnectome& s) {
  std::vector<int> out(static_cast<size_t>(s.units)), in(static_cast<size_t>(s.units));
  for (int64_t i = 0; i < s.units; ++i)
    for (int64_t e = s.start[i]; e < s.start[i + 1]; ++e) {
      ++out[i];
      ++in[s.target[e]];
    }
  return {out, in};
}

std::vector<double> sorted(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v;
}

}  // namespace

TEST_CASE("connectome: matrices and lists of links are read") {
  SUBCASE("names in a header, in a column, and in another order") {
    const Connectome c = good(read_text("name,A,C,B\nA,0,2,1\nB,3,5,0\nC,4,0,6\n"));
    CHECK(c.names == std::vector<std::string>{"A", "B", "C"});
    CHECK(c.weight == std::vector<double>{0, 1, 2, 3, 0, 5, 4, 6, 0});
    CHECK(c.links() == 6);
    CHECK_FALSE(c.symmetric);
  }
  SUBCASE("numbered names, spaces, orientation") {
    CHECK(good(read_text(",0,1,2\n0,0,1,2\n1,3,0,4\n2,5,6,0\n")).names == std::vector<std::string>{"0", "1", "2"});
    ConnectomeSpec turned;
    turned.orientation = "column-to-row";
    const Connectome c = good(read_text("0 1 2\n3 0  4\n5 6 0 \n", turned));
    CHECK(c.weight == std::vector<double>{0, 3, 5, 1, 0, 6, 2, 4, 0});
    CHECK(c.names[2] == "R3");
  }
  SUBCASE("NPY in both orders") {
    const std::vector<float> w{0, 1, 2, 0};
    for (bool fortran : {false, true}) {
      const auto bytes = write_npy_f32(w, {2, 2}, fortran);
      const Connectome c = good(read_connectome({bytes, {}, {}, {}, "c.npy"}, {}));
      CHECK(c.at(0, 1) == (fortran ? 2 : 1));
    }
  }
  SUBCASE("links: kinds, both ways, summed") {
    const std::string list =
        "pre,post,type,synapses,nt\na,b,chemical,2,Glu\na,b,chemical,3,Glu\nb,c,electrical,4,x\nc,b,electrical,4,x\n"
        "c,a,electrical,1,x\n";
    const Connectome c = good(read_text(list));
    CHECK(c.weight == std::vector<double>{0, 5, 1, 0, 0, 4, 1, 4, 0});
    CHECK(std::any_of(c.notes.begin(), c.notes.end(), [](const auto& n) { return says(n, "summed"); }));
    ConnectomeSpec chemical;
    chemical.kinds = "chemical";
    CHECK(good(read_text(list, chemical)).links() == 1);
    chemical.kinds = "neurochemical";
    CHECK(says(why(read_text(list, chemical)), "chemical (2)"));
  }
  SUBCASE("links without a header") {
    CHECK(good(read_text("V1 V2 0.5\nV2 V1 0.25\nV2 V4 1\n")).at(1, 0) == 0.25);
    CHECK(good(read_text("0,1\n1,2\n2,0\n0,2\n")).links() == 4);
  }
  SUBCASE("signs of weights say the orientation") {
    const Connectome c = good(read_text("0,1,2\n-3,0,-4\n5,6,0\n"));
    CHECK(c.sign == std::vector<Sign>{Sign::excitatory, Sign::inhibitory, Sign::excitatory});
    CHECK(c.at(1, 2) == 4);
    CHECK(c.single_signed == "rows");
    CHECK(says(why(read_text("0,-3,5\n1,0,6\n2,-4,0\n")), "suggests column-to-row"));
    CHECK(says(why(read_text("0,-3,5\n1,0,-6\n2,4,0\n")), "breaks Dale's law either way"));
  }
  SUBCASE("names, signs and densities apart") {
    const Connectome c = good(
        read_text("0,1\n2,0\n", {}, "V1\r\nV2\n", "neuron,dominant_NT\nV2,GABA\nV9,ACh\n", "name,density\nV2,30\n"));
    CHECK(c.sign == std::vector<Sign>{Sign::free, Sign::inhibitory});
    CHECK(std::isnan(c.density[0]));
    CHECK(c.density[1] == 30);
    CHECK(good(read_text("0,1\n2,0\n", {}, "", "", "4\n5\n")).density == std::vector<double>{4, 5});
  }
  SUBCASE("names with positions") {
    const Connectome c =
        good(read_text("from,to\nV1,V2\nMT,V1\n", {}, "Region,y_mm,x_mm,note\nMT,3,-1.5,a\nV1,0,2e1,\nV2,1,0,\n"));
    CHECK(c.names == std::vector<std::string>{"MT", "V1", "V2"});
    CHECK(c.x == std::vector<double>{-1.5, 20, 0});
    CHECK(c.y == std::vector<double>{3, 0, 1});
    CHECK(c.at(0, 1) == 1);
    CHECK(says(why(read_text("0,1\n2,0\n", {}, "name,x,y\nV1,1,2\n")), "lists 1 names"));
    CHECK(says(why(read_text("0,1\n2,0\n", {}, "name,x,y\nV1,1,2\nV2,1,\n")), "line 3 has '' for a position"));
    CHECK(says(why(read_text("0,1\n2,0\n", {}, "name,x,y\nV1,nan,2\nV2,1,4\n")), "line 2"));
    CHECK(says(why(read_text("0,1\n2,0\n", {}, "name,x,y\nV1,1\nV2,1,4\n")), "2 fields"));
    CHECK(good(read_text("0,1\n2,0\n", {}, "name\nx\n")).names == std::vector<std::string>{"name", "x"});
    CHECK(good(read_text("0,1\n2,0\n", {}, "V1, left\nV1, right\n")).x.empty());
  }
  SUBCASE("what cannot be used says why") {
    CHECK(says(why(read_text("0,1,2\n3,4,5\n")), "2 x 3"));
    CHECK(says(why(read_text("0,1\nNaN,0\n")), "row 2, column 1"));
    CHECK(says(why(read_text("0,1\n2,0\n", {}, "V1\n")), "lists 1 names"));
    CHECK(says(why(read_text("0,1\n2,0\n", {}, "V1\nV1\n")), "two nodes 'V1'"));
    CHECK(says(why(read_text("name,A,B\nA,0,1\nC,1,0\n")), "no column is called C"));
    CHECK(says(why(read_text("from,to,weight\na,b,-1\n")), "negative"));
    CHECK(says(why(read_text("from,to,weight\na,b,x\n")), "line 2"));
    CHECK(says(why(read_text("from,to\na,b\nb,z\n", {}, "a\nb\n")), "does not list: z"));
    CHECK(says(why(read_text("0,1\n2,0\n", {}, "", "name,sign\nx,+\n")), "none of the nodes"));
    CHECK(says(why(read_text("0,1\n2,0\n", {}, "", "", "1\n2\n3\n")), "3 numbers for 2"));
    ConnectomeSpec other;
    other.sha256 = "00";
    CHECK(says(why(read_text("0,1\n2,0\n", other)), "sha256"));
    CHECK(says(why(read_text("")), "empty"));
    std::string many = "from,to\n";
    for (int k = 0; k < 5000; ++k) many += "a" + std::to_string(k) + ",b" + std::to_string(k) + "\n";
    CHECK(says(why(read_text(many)), "at most 4000"));
    std::string header = "\x93NUMPY\x01";
    header += std::string("\0\x76\0", 3) + "{'descr': '<f8', 'fortran_order': False, 'shape': (20000, 20000), }";
    header.resize(128, ' ');
    CHECK_FALSE(read_text(header).ok());
    for (size_t cut = 1; cut < 100; cut += 7) (void)read_text(std::string("from,to,weight\na,b,1\n").substr(0, cut));
  }
  SUBCASE("told from recordings") {
    const auto is = [](const std::string& text) { return is_connectome(to_bytes(text), "x.csv"); };
    CHECK(is("from,to\na,b\n"));
    CHECK(is("0,1,2\n1,0,2\n2,1,0\n"));
    CHECK(is("n,A,B\nA,0,1\nB,1,0\n"));
    CHECK_FALSE(is("time_s,u1,u2\n0,1,2\n1,2,3\n2,3,4\n3,4,5\n"));
    CHECK_FALSE(is("0,1\n1,2\n2,3\n"));
  }
}

TEST_CASE("connectome: scaled to neurons") {
  ConnectomeSpec k;
  k.neurons = 4;
  SUBCASE("half to even, at least one, block sums") {
    for (bool random : {false, true})
      for (bool published : {false, true}) {
        k.target_sparsity = 0.625;  // 2.5 of 4: 2
        k.random_partition = random;
        k.as_published = published;
        const Spec spec = attached(six(), k);
        const ScaledConnectome s = scaled(spec);
        CHECK(s.units == 24);
        CHECK(s.connections() == 15 * 4 * 2 + 6 * 4 * 4);
        CHECK(*std::min_element(s.weight.begin(), s.weight.end()) > 0);
        const std::vector<double> sum = block_sums(s, 6);
        const Connectome c = six();
        for (int64_t i = 0; i < 6; ++i) {
          double row = 0, column = 0;
          for (int64_t j = 0; j < 6; ++j) {
            row += c.at(i, j);
            column += c.at(j, i);
            if (i != j) CHECK(sum[i * 6 + j] == doctest::Approx(c.at(i, j)).epsilon(1e-9));
          }
          CHECK(sum[i * 6 + i] == doctest::Approx(4 * (published ? column : row)).epsilon(1e-9));
        }
      }
    k = {};
    k.target_sparsity = 0;
    k.intrinsic = false;
    CHECK(scaled(attached(six(), k)).connections() == 15 * 4);
  }
  SUBCASE("no diagonal, one neuron") {
    k.keep_diagonal = false;
    const ScaledConnectome s = scaled(attached(six(), k));
    for (int64_t i = 0; i < s.units; ++i)
      for (int64_t e = s.start[i]; e < s.start[i + 1]; ++e) CHECK(s.target[e] != i);
    CHECK(s.connections() == 15 * 4 + 6 * 4 * 3);
    k.neurons = 1;
    CHECK(scaled(attached(six(), k)).connections() == 15);
    k.keep_diagonal = true;
    CHECK(scaled(attached(six(), k)).connections() == 15 + 6);
  }
  SUBCASE("a run and a seed make another, the same ones the same") {
    Spec spec = attached(six(), k);
    CHECK(scaled(spec).target == scaled(spec).target);
    CHECK(scaled(spec).target != scaled(spec, 1).target);
    ++spec.seed;
    CHECK(scaled(spec).target != scaled(attached(six(), k)).target);
  }
  SUBCASE("orientation: a column of the mask is a sending neuron, transposed as published") {
    k.level = "units";
    Spec spec = testing::spec_of(R"({"dalea":1,"populations":[{"name":"x","size":6,"sign":"free"}]})");
    spec.connectome = k;
    REQUIRE(attach_connectome(spec, six()).ok());
    for (bool published : {false, true}) {
      spec.connectome.as_published = published;
      std::vector<double> weight;
      const auto mask = connectome_pattern(spec, 0, &weight);
      REQUIRE(mask.ok());
      REQUIRE((*mask)->count() == 15);
      for (int64_t j = 0; j < 6; ++j)
        for (int64_t e = (*mask)->col_start[j]; e < (*mask)->col_start[j + 1]; ++e)
          CHECK(weight[e] == (published ? six().at((*mask)->row[e], j) : six().at(j, (*mask)->row[e])));
    }
    spec.populations[0].size = 5;
    CHECK_FALSE(attach_connectome(spec, six()).ok());
  }
  SUBCASE("densities") {
    Connectome c = six();
    c.density = {30, 10, 30, 15, 25, 10};
    k.neurons = 2;
    k.density_scaling = "rank";
    Spec spec = attached(c, k);
    std::vector<int64_t> size;
    for (const Population& p : spec.populations) size.push_back(p.size);
    CHECK(size == std::vector<int64_t>{10, 2, 12, 6, 8, 4});  // ties in order
    k.density_scaling = "ratio";
    spec = attached(c, k);
    size.clear();
    for (const Population& p : spec.populations) size.push_back(p.size);
    CHECK(size == std::vector<int64_t>{6, 2, 6, 3, 5, 2});
    k.density_scaling = "none";
    CHECK(attached(c, k).units() == 120);
    c.density[3] = std::nan("");
    Spec bad = testing::spec_of(R"({"dalea":1})");
    bad.connectome = k;
    const Status refused = attach_connectome(bad, c);
    REQUIRE_FALSE(refused.ok());
    CHECK(says(refused.error().text(), "r3"));
    CHECK(says(refused.error().text(), "connectome.neurons"));
    CHECK(bad.populations.size() == 2);  // as it was
  }
  SUBCASE("excitatory and inhibitory, and the full weight of a region refused") {
    k.neurons = 10;
    k.inhibitory = 0.25;
    const Spec spec = attached(six(), k);
    REQUIRE(spec.populations.size() == 12);
    CHECK(spec.populations[0].name == "r0 E");
    CHECK(spec.populations[0].size == 8);
    CHECK(spec.populations[1].size == 2);
    CHECK(spec.populations[1].sign == Sign::inhibitory);
    Spec whole = spec;
    whole.connectome.intrinsic_weight = 1;
    const Status refused = check_scaling(whole);
    REQUIRE_FALSE(refused.ok());
    CHECK(says(refused.error().text(), "intrinsic_weight"));
    Spec crowd = testing::spec_of(R"({"dalea":1,"connectome":{"neurons":100000,"target_sparsity":1}})");
    CHECK_FALSE(attach_connectome(crowd, six()).ok());
  }
}

TEST_CASE("connectome: the published counts") {
  const std::string macaque = data_file("connectomes/Macaque_Normalized.npy");
  const std::string marmoset = data_file("connectomes/Marmoset_Normalized.npy");
  if (macaque.empty() || marmoset.empty()) return;
  const std::vector<std::byte> bytes = *read_file(macaque);
  Connectome c = good(read_connectome({bytes, {}, {}, {}, "m.npy"}, {}));
  CHECK(c.nodes == 29);
  CHECK(c.links() == 536);
  c.density.assign(29, 10);
  c.density[4] = 40;
  ConnectomeSpec k;
  k.target_sparsity = 0.1;
  k.intrinsic = false;
  ScaledConnectome s = scaled(attached(c, k));
  CHECK(s.connections() == 6770);
  const std::vector<double> sum = block_sums(s, 29);
  for (size_t e = 0; e < sum.size(); ++e) CHECK(std::fabs(sum[e] - c.weight[e]) < 1e-6);
  k.target_sparsity = 0.8;
  k.intrinsic = true;
  for (bool random : {false, true}) {
    k.random_partition = random;
    s = scaled(attached(c, k));
    CHECK(s.connections() == 58560);
    double total = 0, of_matrix = 0;
    for (double w : s.weight) total += w;
    for (double w : c.weight) of_matrix += w;
    CHECK(total == doctest::Approx(5 * of_matrix).epsilon(1e-9));
    CHECK(of_matrix == doctest::Approx(14.682).epsilon(1e-4));
  }

  Spec spec = testing::spec_of(R"({"dalea":1,"connectome":{"source":"file","target_sparsity":0.8,
    "random_partition":true,"keep_diagonal":false}})");
  spec.connectome.file = marmoset;
  REQUIRE(attach_connectome_files(spec).ok());
  s = scaled(spec);
  CHECK(s.units == 220);
  CHECK(std::fabs(static_cast<double>(s.connections()) / (220 * 220) - 0.4753) < 5e-5);
  spec.connectome.densities = data_file("connectomes/Marmoset_neuron_density.npy");
  spec.connectome.names = data_file("connectomes/Marmoset_Normalized.names.txt");
  spec.connectome.neurons = 2;
  spec.connectome.density_scaling = "rank";
  REQUIRE(attach_connectome_files(spec).ok());
  CHECK(spec.units() == 3080);
  CHECK(spec.populations[4].name == "V1");
  spec.connectome.density_scaling = "ratio";
  REQUIRE(attach_connectome_files(spec).ok());
  CHECK(spec.units() == 149);
  spec.connectome.file = macaque;
  spec.connectome.sha256.clear();
  spec.connectome.names.clear();
  spec.connectome.densities = data_file("connectomes/Macaque_neuron_density.npy");
  const Status missing = attach_connectome_files(spec);
  REQUIRE_FALSE(missing.ok());
  CHECK(says(missing.error().text(), "no number above 0 for"));
}

TEST_CASE("connectome: the worm's wiring with its signs") {
  Spec spec = testing::spec_of(R"({"dalea":1,"connectome":{"neurons":1,"intrinsic":false}})");
  spec.connectome.file = data_file("celegans/connectome_witvliet2020_8.csv");
  spec.connectome.signs = data_file("celegans/neurotransmitter_fenyves2020.csv");
  if (spec.connectome.file.empty()) return;
  REQUIRE(attach_connectome_files(spec).ok());
  const Connectome& c = *spec.measured;
  CHECK(c.kind == "edge list");
  std::map<std::string, Sign> sign;
  std::set<std::string> names;
  for (int64_t i = 0; i < c.nodes; ++i) sign[c.names[i]] = c.sign[i];
  CHECK(sign.at("ADAL") == Sign::free);        // Glu
  CHECK(sign.at("ADFL") == Sign::excitatory);  // ACh
  CHECK(std::count(c.sign.begin(), c.sign.end(), Sign::inhibitory) > 10);
  // Electrical links alone are symmetric.
  spec.connectome.kinds = "electrical";
  spec.connectome.sha256.clear();
  REQUIRE(attach_connectome_files(spec).ok());
  CHECK(spec.measured->symmetric);
  CHECK(spec.connectome.source == "file");
}

TEST_CASE("connectome: null models keep what they say") {
  Spec spec = testing::spec_of(R"({"dalea":1,"connectome":{"source":"synthetic","synthetic_regions":8,"neurons":5,
    "target_sparsity":0.4,"random_partition":true}})");
  REQUIRE(attach_own_connectome(spec).ok());
  const ScaledConnectome s = scaled(spec);
  const auto null = [&](const char* name, int64_t seed = 1) {
    spec.connectome.null_model = name;
    spec.connectome.null_seed = seed;
    return scaled(spec);
  };
  const auto own = [](const ScaledConnectome& c) {
    std::map<int64_t, double> w;
    for (int64_t i = 0; i < c.units; ++i)
      for (int64_t e = c.start[i]; e < c.start[i + 1]; ++e)
        if (c.target[e] == i) w[i] = c.weight[e];
    return w;
  };
  for (const char* name : {"permuted", "rewired", "weights", "spatial", "density"}) {
    CAPTURE(name);
    const ScaledConnectome n = null(name);
    CHECK(n.connections() == s.connections());
    CHECK(own(n) == own(s));
    CHECK(n.target == null(name).target);
    CHECK((n.target != s.target) == (std::string(name) != "weights"));
    CHECK((n.weight != null(name, 2).weight || n.target != null(name, 2).target));
    if (std::string(name) != "density") CHECK(sorted(n.weight) == sorted(s.weight));
    for (int64_t i = 0; i < n.units; ++i)
      for (int64_t e = n.start[i] + 1; e < n.start[i + 1]; ++e) CHECK(n.target[e] > n.target[e - 1]);
  }
  CHECK(degrees(null("rewired")) == degrees(s));
  CHECK(degrees(null("permuted")) != degrees(s));
  const ScaledConnectome rewired = null("rewired");
  for (int64_t i = 0; i < s.units; ++i) {
    const auto out = [&](const ScaledConnectome& c) {
      return sorted({c.weight.begin() + c.start[i], c.weight.begin() + c.start[i + 1]});
    };
    CHECK(out(rewired) == out(s));
  }
  // Within regions and among the nearest, the number of connections stays.
  const auto inside = [](const ScaledConnectome& c) {
    int64_t count = 0;
    for (int64_t i = 0; i < c.units; ++i)
      for (int64_t e = c.start[i]; e < c.start[i + 1]; ++e) count += c.region[i] == c.region[c.target[e]];
    return count;
  };
  CHECK(inside(null("spatial")) == inside(s));
  CHECK(inside(null("permuted")) != inside(s));
  SUBCASE("a symmetric matrix stays symmetric") {
    std::vector<double> w(100, 0.0);
    for (int i = 0; i < 10; ++i)
      for (int j = 0; j < i; j += 2) w[i * 10 + j] = w[j * 10 + i] = 1 + i + 10 * j;
    Spec plain = testing::spec_of(
        R"({"dalea":1,"populations":[{"name":"x","size":10,"sign":"free"}],"connectome":{"level":"units"}})");
    REQUIRE(attach_connectome(plain, of_weights(w)).ok());
    plain.connectome.null_model = "permuted";
    const ScaledConnectome n = scaled(plain);
    std::map<std::pair<int64_t, int64_t>, double> at;
    for (int64_t i = 0; i < 10; ++i)
      for (int64_t e = n.start[i]; e < n.start[i + 1]; ++e) at[{i, n.target[e]}] = n.weight[e];
    for (const auto& [pair, weight] : at) CHECK(at.at({pair.second, pair.first}) == weight);
    w.erase(std::remove(w.begin(), w.end(), 0.0), w.end());
    CHECK(sorted(n.weight) == sorted(w));
    plain.connectome.null_model = "spatial";
    const Status refused = check_scaling(plain);
    REQUIRE_FALSE(refused.ok());
    CHECK(says(refused.error().text(), "positions"));
  }
}

TEST_CASE("connectome: initial weights by rank") {
  for (const char* how : {"signed", "magnitude"}) {
    CAPTURE(how);
    Spec spec = testing::spec_of(R"({"dalea":1,"connectome":{"source":"synthetic","synthetic_regions":6,"neurons":6,
      "random_partition":true}})");
    const bool magnitude = std::string(how) == "magnitude";
    if (magnitude) spec.connectome.inhibitory = 0.34;
    REQUIRE(attach_own_connectome(spec).ok());
    const Model plain = build_model(spec, {}, 0);
    spec.connectome.remap = how;
    const Model m = build_model(spec, {}, 0);
    std::vector<double> link;
    const auto mask = connectome_pattern(spec, 0, &link);
    REQUIRE(mask.ok());
    std::vector<std::pair<double, float>> pairs;
    std::vector<double> before, after;
    for (int64_t j = 0; j < m.units; ++j)
      for (int64_t e = (*mask)->col_start[j]; e < (*mask)->col_start[j + 1]; ++e) {
        const float v = m.parameters.W_rec.at((*mask)->row[e], j), u = plain.parameters.W_rec.at((*mask)->row[e], j);
        pairs.emplace_back(link[e], magnitude ? std::fabs(v) : v);
        before.push_back(magnitude ? std::fabs(u) : u);
        after.push_back(pairs.back().second);
      }
    CHECK(sorted(before) == sorted(after));
    std::stable_sort(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (size_t e = 1; e < pairs.size(); ++e)
      if (pairs[e].first > pairs[e - 1].first) CHECK(pairs[e].second >= pairs[e - 1].second);
    CHECK(audit(m, mask->get()).sign == 0);
    CHECK(audit(m, mask->get()).mask == 0);
    if (!magnitude) CHECK(pairs.front().second < 0);  // weak links negative (Q27)
  }
}

TEST_CASE("connectome: synthetic, and a session brings its connectome along") {
  Spec spec = testing::spec_of(R"({"dalea":1,"connectome":{"source":"synthetic","synthetic_regions":40}})");
  const Connectome c = make_synthetic_connectome(spec);
  CHECK(std::fabs(static_cast<double>(c.links()) / (40 * 39) - 0.5) < 0.04);
  double near = 0, far = 0, near_pairs = 0, far_pairs = 0;
  for (int64_t j = 0; j < 40; ++j) {
    double in = 0, out = 0;
    for (int64_t i = 0; i < 40; ++i) {
      in += c.at(i, j);
      out += c.at(j, i);
      const bool close = std::hypot(c.x[i] - c.x[j], c.y[i] - c.y[j]) < 0.3;
      (close ? near : far) += c.at(i, j);
      (close ? near_pairs : far_pairs) += i != j;
    }
    CHECK(in == doctest::Approx(1));
    CHECK(out > 0);
    CHECK(c.at(j, j) == 0);
  }
  CHECK(near / near_pairs > 2 * far / far_pairs);

  for (bool file : {false, true}) {
    CAPTURE(file);
    Spec tiny = testing::spec_of(testing::tiny_json(
        testing::three_epochs,
        R"(,"connectome":{"source":"synthetic","synthetic_regions":5,"neurons":4,"inhibitory":0.25,"remap":"magnitude"})"));
    if (file) {
      Connectome own = six();
      own.sign.assign(6, Sign::free);
      own.sha256 = "abc";
      own.x = {0, 1, 2, 3, 4, 5.5};
      own.y = {-1, 1, 0, 1, 0, 1};
      tiny.connectome.source = "file";
      REQUIRE(attach_connectome(tiny, own).ok());
    } else {
      REQUIRE(attach_own_connectome(tiny).ok());
    }
    auto trainer = testing::trainer_of(tiny);
    const uint64_t hash = testing::train_to_end(*trainer);
    CHECK(audit(trainer->model(), trainer->mask()).sign == 0);
    CHECK(audit(trainer->model(), trainer->mask()).mask == 0);
    const std::vector<std::byte> bytes = write_session(*trainer, "test");
    Result<Session> session = read_session(bytes, "s.npz");
    REQUIRE_MESSAGE(session.ok(), (session.ok() ? "" : session.error().text()));
    REQUIRE(session->spec.measured);
    CHECK(session->spec.measured->weight == trainer->spec().measured->weight);
    CHECK(session->spec.measured->sign == trainer->spec().measured->sign);
    CHECK(session->spec.measured->x == trainer->spec().measured->x);
    CHECK(session->spec.measured->y == trainer->spec().measured->y);
    CHECK(hash_of(session->state.parameters) == hash);
    if (!file) continue;
    Result<Entries> entries = read_zip(bytes, "s.npz");
    REQUIRE(entries.ok());
    for (const char* gone : {"connectome/weight.npy", "connectome/names.txt"}) {
      Entries less;
      for (const auto& e : *entries)
        if (e.first != gone) less.push_back(e);
      const Result<Session> damaged = read_session(write_zip(less), "s.npz");
      REQUIRE_FALSE(damaged.ok());
      CHECK(says(damaged.error().text(), gone));
    }
  }
}
