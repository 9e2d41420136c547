// The files of `dalea measures` and of the window's Topology tab: network measures beside those of null models.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/graph.h"
#include "common/figure.h"
#include "session/session.h"
#include "spec/spec.h"

namespace dalea {

// What is measured: a network, and a partition of its units that means something.
struct MeasuredNetwork {
  std::string name;      // of the experiment, or the file
  std::string which;     // "weights now", "weights at the start", "mask", "connectome"
  bool weighted = true;  // false: sizes mean nothing
  Graph graph;
  std::vector<int64_t> parts;  // of each unit
  std::string parts_are;       // "areas", "populations"; empty: there is no partition
};
struct MeasurePlan {
  int64_t nulls = 0;
  std::string model = "rewired";
  uint64_t seed = 1;
  int64_t run = 0;
  bool dense = true;  // MeasureOptions::dense
};
constexpr int64_t most_measure_nulls = 9999, most_measured_units = most_dense_units * 10;
// Of networks in which every connection exists: all of them are listed.
constexpr int64_t most_whole_units = 4000;

enum class NetworkOf : uint8_t { now, start, mask, connectome };
// An error: larger than can be measured, or no connectome.
Result<MeasuredNetwork> network_of_session(const Session& session, NetworkOf which);
// Of an experiment's run 0; `now` is the start.
Result<MeasuredNetwork> network_of_spec(const Spec& spec, NetworkOf which);
MeasuredNetwork network_of_connectome(const Connectome& c);
// Of each unit: areas where there are several, else populations; empty: neither divides them. `are` (may be null):
// which.
std::vector<int64_t> parts_of(const std::vector<Population>& populations, std::string* are = nullptr);
// The network's parts; region and positions for the null model that keeps distances.
void label_units(const Spec& spec, MeasuredNetwork& network);

struct MeasureStudy {
  std::string name, which, parts_are;
  bool weighted = true;
  MeasurePlan plan;
  GraphMeasures measured;
  std::vector<std::array<double, measure_count>> nulls;  // as far as they were measured
  NullRow row(Measure m) const;                          // without null models all of it is not a number
  double small_world() const { return small_worldness(measured, nulls); }
};
MeasureStudy begin_study(const MeasuredNetwork& network, const MeasurePlan& plan);
// The network itself (0), or its null model k. `progress`: as measure_graph() has it.
Result<GraphMeasures> measure_number(const MeasuredNetwork& network, const MeasurePlan& plan, int64_t k,
                                     const std::function<bool(double)>& progress = nullptr);
// All of it, side by side. `progress` is called by one thread at a time.
Result<MeasureStudy> study_measures(const MeasuredNetwork& network, const MeasurePlan& plan, int threads,
                                    const std::function<bool(double)>& progress = nullptr);

// What a reader must know: what is left out, the sample, what p means.
std::vector<std::string> measure_remarks(const MeasureStudy& study);
std::string measures_csv(const MeasureStudy& study);  // measure, value, null_mean, null_sd, z, p, nulls
// degree, then how many units have so many incoming and outgoing connections
std::string degrees_csv(const MeasureStudy& study);
// z of every measure, where there are null models; how many units have how many connections.
plot::Figure measures_figure(const MeasureStudy& study);

// How many units have a degree in each of equally wide classes of whole numbers.
struct DegreeClasses {
  int64_t width = 1, first = 0;  // class k: [first + k * width, first + (k + 1) * width)
  std::vector<int64_t> in, out;
};
DegreeClasses degree_classes(const GraphMeasures& g, int64_t most);  // `most` classes

}  // namespace dalea
