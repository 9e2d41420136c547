// The circuit as the Build tab edits it, without ImGui: connection probabilities by block, the populations they are of,
// what they amount to, where each population is drawn, and one trial of the task.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "network/model.h"
#include "spec/spec.h"

namespace dalea::app {

// How connectivity.probability is given: empty, one number, or a matrix (post, pre) of populations.
enum class Wiring { all, one, blocks };
Wiring wiring_of(const Spec& spec);
bool wiring_fits(const Spec& spec);  // a matrix has a row and a column for every population
// 1 where every connection exists, 0 outside a matrix that does not fit, and for what is no probability.
double probability_at(const Spec& spec, size_t post, size_t pre);
void set_wiring(Spec& spec, Wiring wiring);  // keeps what the new form can hold: one number is the blocks' mean
// Of one block; what is not a matrix yet becomes one that says the same everywhere else. p is clamped to 0 .. 1.
void set_probability(Spec& spec, size_t post, size_t pre, double p);

// The same with connectivity.table, motifs and distance turned into a matrix of what they amount to.
Spec as_matrix(Spec spec);

// Populations and, in step with them, rows and columns of the matrix.
void add_population(Spec& spec);                           // connected to all, with a name of its own
void duplicate_population(Spec& spec, size_t k);           // goes behind the k-th, connected as that one
void move_population(Spec& spec, size_t from, size_t to);  // to: its place afterwards
void remove_population(Spec& spec, size_t k);

// Of all masks that the spec can draw, or that its pruning aims at: mean and standard deviation of the number of
// synapses. density: of units^2.
struct Expected {
  double synapses = 0, sd = 0, density = 0;
};
Expected expected_synapses(const Spec& spec);
double expected_in_block(const Spec& spec, size_t post, size_t pre);

// Eigenvalues of the initial W_rec as predicted for large networks, in modulus: the disc that holds the bulk, from the
// blocks' variances (Aljadeff, Stern and Sharpee 2015), and the largest one of the blocks' means, which stands outside
// the disc when it is larger (Rajan and Abbott 2006; there also why a balanced start can exceed the disc).
struct StartSpectrum {
  double bulk = 0, outlier = 0;
};
StartSpectrum predicted_spectrum(const Spec& spec);

// Whether two specs have the same mask, signs and seed; whether they show the same trials.
bool same_mask(const Spec& a, const Spec& b);
bool same_trials(const Spec& a, const Spec& b);
bool same_start(const Spec& a, const Spec& b);  // the same initial W_rec

// The mask as pixels, a row a postsynaptic unit from the top; synapses have the sign's colour. Larger networks show the
// density of each cell. mask null: every connection exists. Returns the side: at most `most`, 0 without units.
int paint_mask(const Spec& spec, const Pattern* mask, int most, std::vector<uint32_t>& pixels);

// Where populations are drawn, in [0, 1]: areas side by side and layers below each other where there are such labels,
// else on a circle, the first at the left.
struct Place {
  double x = 0, y = 0;
};
struct CircuitLayout {
  std::vector<Place> at;                   // by population
  std::vector<std::string> columns, rows;  // areas and layers, evenly spread; empty: no such labels
};
CircuitLayout place_populations(const std::vector<Population>& populations);

// One training trial, where making it is cheap: flip-flop, wave, sequence memory and n-back.
struct TaskPreview {
  struct Line {
    std::string name;
    bool input = false;  // else a target
    std::vector<double> y;
  };
  std::vector<double> time_s;
  std::vector<Line> lines;  // empty: nothing to show
};
TaskPreview preview_task(const Spec& spec);

// What was typed so far as a probability: digits and one point, at most 1.
std::optional<double> typed_probability(const std::string& typed);
std::string short_probability(double p);  // ".05", "1", "0"

}  // namespace dalea::app
