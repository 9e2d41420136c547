// Measures of networks: against networkx, scipy and numpy (tests/py/make_graph_golden.py), closed forms of simple
// networks, and what null models keep.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "analysis/graph.h"
#include "analysis/spectrum.h"
#include "helpers.h"

using namespace dalea;
using namespace dalea::testing;

namespace {

struct Arrow {
  int64_t from, to;
  double weight = 1;
};

Graph network_of(int64_t units, std::vector<Arrow> arrows) {
  std::sort(arrows.begin(), arrows.end(),
            [](const Arrow& a, const Arrow& b) { return a.from != b.from ? a.from < b.from : a.to < b.to; });
  Graph g;
  g.units = units;
  g.start.assign(static_cast<size_t>(units) + 1, 0);
  g.region.resize(static_cast<size_t>(units));
  std::iota(g.region.begin(), g.region.end(), 0);
  for (const Arrow& a : arrows) {
    g.target.push_back(static_cast<int32_t>(a.to));
    g.weight.push_back(a.weight);
    ++g.start[static_cast<size_t>(a.from) + 1];
  }
  for (size_t i = 0; i < static_cast<size_t>(units); ++i) g.start[i + 1] += g.start[i];
  return g;
}

GraphMeasures measured(const Graph& g, std::vector<int64_t> parts = {}) {
  Result<GraphMeasures> m = measure_graph(g, {true, parts});
  REQUIRE_MESSAGE(m.ok(), (m.ok() ? "" : m.error().text()));
  return std::move(*m);
}

std::vector<Arrow> complete(int64_t first, int64_t last, double weight = 1) {
  std::vector<Arrow> a;
  for (int64_t i = first; i < last; ++i)
    for (int64_t j = first; j < last; ++j)
      if (i != j) a.push_back({i, j, weight});
  return a;
}

Graph random_network(int64_t n, double density, uint64_t seed, bool dale = true) {
  Rng rng(seed, Purpose::test);
  std::vector<Arrow> a;
  for (int64_t i = 0; i < n; ++i) {
    const double sign = rng.uniform() < 0.3f ? -1 : 1;
    for (int64_t j = 0; j < n; ++j)
      if (static_cast<double>(rng.uniform()) < density)
        a.push_back({i, j,
                     (dale                   ? sign
                      : rng.uniform() < 0.5f ? -1
                                             : 1) *
                         (0.01 + static_cast<double>(rng.uniform()))});
  }
  return network_of(n, a);
}

bool near(double a, double b, double tolerance = 1e-9) {
  return std::fabs(a - b) <= tolerance * std::max(1.0, std::fabs(b));
}

}  // namespace

TEST_CASE("graph: every measure is that of networkx, scipy and numpy") {
  std::ifstream file(DALEA_SOURCE_DIR "/tests/golden/graph.json");
  REQUIRE(file.good());
  const nlohmann::json golden = nlohmann::json::parse(file);
  REQUIRE(golden["cases"].size() == 4);
  for (const nlohmann::json& c : golden["cases"]) {
    std::vector<Arrow> arrows;
    for (size_t k = 0; k < c["weight"].size(); ++k) arrows.push_back({c["from"][k], c["to"][k], c["weight"][k]});
    const GraphMeasures m = measured(network_of(c["units"], arrows), c["parts"]);
    size_t compared = 0;
    for (size_t k = 0; k < measure_count; ++k) {
      const char* key = key_of(static_cast<Measure>(k));
      if (!c["measures"].contains(key)) continue;
      ++compared;
      const double expected = c["measures"][key];
      // Eigenvalues are of float32 weights.
      CHECK_MESSAGE(near(m.values[k], expected, 1e-6), c["name"], " ", key, " ", m.values[k], " ", expected);
      if (static_cast<Measure>(k) != Measure::spectral_radius) CHECK(near(m.values[k], expected));
    }
    CHECK(compared == 16);
    const nlohmann::json& least = c["measures"]["at_least"];
    CHECK(m.of(Measure::modularity) >= least["modularity"].get<double>() - 0.02);
    CHECK(m.of(Measure::weighted_modularity) >= least["weighted_modularity"].get<double>() - 0.02);
  }
}

TEST_CASE("graph: a directed ring, closed forms") {
  constexpr int64_t n = 12;
  std::vector<Arrow> ring;
  for (int64_t i = 0; i < n; ++i) ring.push_back({i, (i + 1) % n, 0.5});
  const GraphMeasures m = measured(network_of(n, ring));
  CHECK(m.links == n);
  CHECK(near(m.of(Measure::density), 1.0 / (n - 1)));
  CHECK(m.of(Measure::reciprocity) == 0);
  CHECK(m.of(Measure::in_degree_sd) == 0);
  CHECK(m.of(Measure::clustering) == 0);
  CHECK(near(m.of(Measure::path_length), n / 2.0));
  CHECK(m.of(Measure::reachable) == 1);
  CHECK(near(m.of(Measure::weighted_path_length), n));  // each step is 1 / 0.5 long
  double harmonic = 0;
  for (int64_t d = 1; d < n; ++d) harmonic += 1.0 / static_cast<double>(d);
  CHECK(near(m.of(Measure::efficiency), harmonic / (n - 1)));
  CHECK(near(m.of(Measure::weighted_efficiency), harmonic / (n - 1) / 2));
  // exp(A) of a cyclic shift: from i to i + d, 1 / d! + 1 / (d + n)! + ...
  double walks = 0, term = 1;
  for (int64_t k = 1; k < 40; ++k) {
    term /= static_cast<double>(k);
    if (k % n != 0) walks += term;
  }
  CHECK(near(m.of(Measure::communicability), std::log(walks / (n - 1))));
  CHECK(near(m.of(Measure::weighted_communicability), walks / (n - 1)));  // of strength 0.5 everywhere: the same shift
  CHECK(near(m.of(Measure::spectral_radius), 0.5, 1e-6));
  CHECK(std::isnan(m.of(Measure::region_modularity)));
}

TEST_CASE("graph: a complete graph, a star, two cliques, and nothing at all") {
  constexpr int64_t n = 9;
  GraphMeasures m = measured(network_of(n, complete(0, n, -2)));
  for (Measure one : {Measure::density, Measure::reciprocity, Measure::clustering, Measure::weighted_clustering,
                      Measure::path_length, Measure::reachable, Measure::efficiency})
    CHECK(near(m.of(one), 1));
  CHECK(near(m.of(Measure::weighted_path_length), 0.5));
  CHECK(near(m.of(Measure::modularity), 0));
  CHECK(m.of(Measure::communities) == 1);
  CHECK(near(m.of(Measure::communicability), std::log((std::exp(n - 1) - std::exp(-1)) / n)));
  CHECK(near(m.of(Measure::weighted_communicability), (std::exp(1) - std::exp(-1.0 / (n - 1))) / n));
  CHECK(near(m.of(Measure::spectral_radius), 2.0 * (n - 1), 1e-6));

  std::vector<Arrow> star;  // the hub sends and hears
  for (int64_t i = 1; i < n; ++i) star.insert(star.end(), {{0, i}, {i, 0}});
  m = measured(network_of(n, star));
  CHECK(m.of(Measure::clustering) == 0);
  CHECK(near(m.of(Measure::path_length), (2.0 * (n - 1) + 2.0 * (n - 1) * (n - 2)) / (n * (n - 1))));
  CHECK(near(m.of(Measure::spectral_radius), std::sqrt(n - 1.0), 1e-6));
  CHECK(m.out_degree[0] == n - 1);
  CHECK(m.in_degree[3] == 1);

  std::vector<Arrow> two = complete(0, 5), second = complete(5, 10);
  two.insert(two.end(), second.begin(), second.end());
  two.push_back({4, 4, 7});  // to itself: counted apart
  m = measured(network_of(10, two), {0, 0, 0, 0, 0, 1, 1, 1, 1, 1});
  CHECK(m.self_links == 1);
  CHECK(m.links == 40);
  CHECK(near(m.of(Measure::modularity), 0.5));
  CHECK(near(m.of(Measure::region_modularity), 0.5));
  CHECK(m.of(Measure::communities) == 2);
  CHECK(m.community == std::vector<int64_t>{0, 0, 0, 0, 0, 1, 1, 1, 1, 1});
  CHECK(near(m.of(Measure::reachable), 40.0 / 90));
  CHECK(near(m.of(Measure::path_length), 1));
  CHECK(near(m.of(Measure::efficiency), 40.0 / 90));

  m = measured(network_of(4, {}));
  CHECK(m.of(Measure::density) == 0);
  CHECK(std::isnan(m.of(Measure::path_length)));
  CHECK(m.of(Measure::efficiency) == 0);
  CHECK(std::isnan(m.of(Measure::modularity)));
  m = measured(network_of(1, {{0, 0, -3}}));
  CHECK(std::isnan(m.of(Measure::density)));
  CHECK(near(m.of(Measure::spectral_radius), 3, 1e-6));
  CHECK_FALSE(measure_graph(network_of(0, {})).ok());
  CHECK_FALSE(measure_graph(network_of(2, {{0, 1, NAN}})).ok());
}

TEST_CASE("graph: communicability of a large dense network does not overflow") {
  constexpr int64_t n = 750;  // exp(749) is beyond a double
  const Result<GraphMeasures> m = measure_graph(network_of(n, complete(0, n)), {false});
  REQUIRE(m.ok());
  CHECK(std::isnan(m->of(Measure::weighted_communicability)));
  CHECK(near(m->of(Measure::communicability), n - 1 - std::log(static_cast<double>(n))));
}

TEST_CASE("graph: of a weight matrix, however it is stored, and of a connectome; partitions of no use") {
  const Graph g = random_network(25, 0.3, 4);
  std::vector<uint8_t> mask(25 * 25);
  std::vector<float> dense(25 * 25);
  for (int64_t i = 0; i < 25; ++i)
    for (int64_t e = g.start[i]; e < g.start[i + 1]; ++e) {
      mask[i * 25 + g.target[e]] = 1;
      dense[i * 25 + g.target[e]] = static_cast<float>(g.weight[e]);
    }
  const auto pattern = make_pattern(25, 25, mask);
  std::vector<float> sparse(g.weight.begin(), g.weight.end());
  const Synapses a{25, pattern.get(), true, sparse}, b{25, pattern.get(), false, dense}, c{25, nullptr, false, dense};
  for (const Synapses& w : {a, b, c}) {
    const Graph of = graph_of(w);
    CHECK(of.start == g.start);
    CHECK(of.target == g.target);
    CHECK(of.weight == std::vector<double>(sparse.begin(), sparse.end()));
  }
  CHECK(mask_of(b).connections() == g.connections());
  CHECK(mask_of(c).connections() == 25 * 25);
  sparse[3] = 0;  // exists, and is no link
  CHECK(graph_of(a).connections() == g.connections() - 1);
  CHECK(mask_of(a).connections() == g.connections());
  Connectome k;
  k.nodes = 2;
  k.names = {"a", "b"};
  k.weight = {0, 3, 0, 2};
  k.sign = {Sign::inhibitory, Sign::free};
  CHECK(graph_of(k).weight == std::vector<double>{-3, 2});
  CHECK(graph_of(k).target == std::vector<int32_t>{1, 1});
  std::vector<int64_t> alike(25, 0), own(25);
  std::iota(own.begin(), own.end(), 0);
  CHECK(std::isnan(modularity_of(g, alike, false)));
  CHECK(std::isnan(modularity_of(g, own, false)));
  CHECK(std::isnan(modularity_of(g, std::vector<int64_t>{0, 1}, false)));
  own[0] = -1;
  CHECK(std::isnan(modularity_of(g, own, false)));
}

TEST_CASE("graph: a large network is measured on a sample, says so, and can be cancelled") {
  const Graph g = random_network(2100, 0.004, 5);
  const GraphMeasures m = measured(g);
  CHECK(m.sampled == sampled_units);
  CHECK(std::isnan(m.of(Measure::communicability)));
  CHECK(std::isnan(m.of(Measure::spectral_radius)));
  // A random network: clustering is its density.
  CHECK(m.of(Measure::clustering) == doctest::Approx(m.of(Measure::density)).epsilon(0.25));
  CHECK(m.of(Measure::reachable) > 0.95);
  double last = -1;
  bool rising = true;
  int calls = 0;
  const Graph small = random_network(40, 0.2, 6);
  REQUIRE(measure_graph(small, {}, [&](double part) {
            rising = rising && part >= last && part <= 1;
            last = part;
            ++calls;
            return true;
          }).ok());
  CHECK(rising);
  CHECK(calls > 50);
  for (int stop = 0; stop < calls; stop += 7) {
    int heard = 0;
    const Result<GraphMeasures> r = measure_graph(small, {}, [&](double) { return heard++ < stop; });
    REQUIRE_FALSE(r.ok());
    CHECK(r.error().message == "cancelled");
    CHECK(heard == stop + 1);
  }
}

TEST_CASE("graph: null models keep what they say, signs too; the same number gives the same one") {
  for (bool dale : {true, false}) {
    const Graph g = random_network(60, 0.15, 7, dale);
    const GraphMeasures m = measured(g);
    const auto negative = [](const Graph& of) {
      return std::count_if(of.weight.begin(), of.weight.end(), [](double w) { return w < 0; });
    };
    for (const char* model : {"rewired", "permuted", "weights", "density"}) {
      const Result<Graph> null = null_of(g, model, 3, 1), again = null_of(g, model, 3, 1),
                          other = null_of(g, model, 3, 2);
      REQUIRE((null.ok() && again.ok() && other.ok()));
      CHECK(null->weight == again->weight);
      CHECK(null->target == again->target);
      CHECK((null->weight != other->weight || null->target != other->target));
      CHECK(null->connections() == g.connections());
      const GraphMeasures n = measured(*null);
      CHECK(n.of(Measure::density) == m.of(Measure::density));
      CHECK(n.self_links == m.self_links);
      if (!dale) CHECK(negative(*null) == negative(g));
      for (int64_t i = 0; dale && i < g.units; ++i)
        for (int64_t e = null->start[i]; e < null->start[i + 1]; ++e)
          REQUIRE((null->weight[e] < 0) == (g.weight[g.start[i]] < 0));
      if (model == std::string("rewired")) {
        CHECK(n.in_degree == m.in_degree);
        CHECK(n.out_degree == m.out_degree);
        CHECK(null->target != g.target);
      }
      if (model == std::string("weights")) CHECK(null->target == g.target);
    }
  }
  const Graph g = random_network(8, 0.5, 8);
  CHECK_FALSE(null_of(g, "spatial", 1, 1).ok());
  CHECK_FALSE(null_of(g, "other", 1, 1).ok());
  const Result<Graph> stopped = null_of(g, "rewired", 1, 1, 0, [](double) { return false; });
  REQUIRE_FALSE(stopped.ok());
  CHECK(stopped.error().message == "cancelled");
}

TEST_CASE("graph: null number k is the network that training with null_seed k has") {
  Spec spec = spec_of(R"({"dalea":1,"connectome":{"source":"synthetic","synthetic_regions":8,"null_model":"rewired",)"
                      R"("null_seed":3},"seed":5})");
  REQUIRE(attach_own_connectome(spec).ok());
  const Result<ScaledConnectome> null = scale_connectome(spec, 2);
  spec.connectome.null_model = "none";
  const Result<ScaledConnectome> whole = scale_connectome(spec, 2);
  REQUIRE((null.ok() && whole.ok()));
  const Result<Graph> found = null_of(*whole, "rewired", 5, 3, 2);
  REQUIRE(found.ok());
  CHECK(found->target == null->target);
  CHECK(found->weight == null->weight);
  CHECK(null_of(*whole, "spatial", 5, 1, 2).ok());
}

TEST_CASE("graph: p counts the null models as far out, and a measure that they keep has no z") {
  const std::vector<double> nulls = {1, 2, 3, 4};
  NullRow r = against_nulls(10, nulls);  // from the mean of all, 4: 6 away; the others 3, 2, 1, 0
  CHECK(r.reached == 0);
  CHECK(r.p == doctest::Approx(0.2));
  CHECK(r.mean == 2.5);
  CHECK(r.z == doctest::Approx(7.5 / std::sqrt(5.0 / 3)));
  r = against_nulls(2.5, nulls);
  CHECK(r.p == 1);
  CHECK(r.z == 0);
  r = against_nulls(4, nulls);  // mean of all 2.8: 1.2 away; 1 is 1.8 away, 4 as far
  CHECK(r.reached == 2);
  CHECK(r.p == doctest::Approx(0.6));
  r = against_nulls(7, std::vector<double>{7, 7, 7});
  CHECK(std::isnan(r.z));
  CHECK(r.p == 1);
  r = against_nulls(1, std::vector<double>{NAN, 2});
  CHECK(r.count == 1);
  CHECK(std::isnan(r.sd));
  CHECK(std::isnan(against_nulls(NAN, nulls).p));
  CHECK(std::isnan(against_nulls(1, {}).p));
  // Networks of the model itself: p is at or below 0.1 in at most about a tenth of them.
  int low = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Rng rng(seed, Purpose::test, 9);
    std::vector<double> v;
    for (int k = 0; k < 19; ++k) v.push_back(rng.normal());
    low += against_nulls(rng.normal(), v).p <= 0.1 + 1e-12;
  }
  CHECK(low >= 3);
  CHECK(low <= 20);
}

TEST_CASE("graph: a ring lattice is a small world once a few of its connections are moved") {
  constexpr int64_t n = 60;
  std::vector<Arrow> a;
  for (int64_t i = 0; i < n; ++i)
    for (int64_t d : {1, 2, 3}) a.insert(a.end(), {{i, (i + d) % n}, {(i + d) % n, i}});
  for (int64_t i = 0; i < n; i += 10) a.push_back({i, (i + 29) % n});
  const Graph g = network_of(n, a);
  std::vector<std::array<double, measure_count>> nulls;
  for (int64_t k = 1; k <= 5; ++k) nulls.push_back(measured(*null_of(g, "rewired", 1, k)).values);
  const GraphMeasures m = measured(g);
  CHECK(m.of(Measure::clustering) > 0.5);
  CHECK(small_worldness(m, nulls) > 2);
  CHECK(small_worldness(measured(*null_of(g, "rewired", 1, 9)), nulls) == doctest::Approx(1).epsilon(0.3));
  CHECK(std::isnan(small_worldness(m, {})));
}
