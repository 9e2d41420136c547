// Eigenvalues of the recurrent matrix. For looking at, not for golden bits: the order of sums is Eigen's, so the last
// digits may differ between builds. What the matrix alone says of a network: nonlinearity, rectification and leak are
// not in it.
#pragma once

#include <complex>
#include <cstdint>
#include <span>
#include <vector>

#include "analysis/synapses.h"
#include "error.h"
#include "network/model.h"

namespace dalea {

constexpr int64_t most_spectrum_units = 4000;  // time grows with the cube of the units, memory with the square

struct Spectrum {
  // Falling |lambda|, then falling real part, then falling imaginary part: conjugates stand side by side.
  std::vector<std::complex<double>> values;
  double radius = 0;    // largest |lambda|
  double abscissa = 0;  // largest real part
  int64_t outside = 0;  // |lambda| > 1
  double bulk = 0;      // bulk_radius() for the populations that were given; 0: none were
};

// In float64; absent synapses are 0. Errors: more units than most_spectrum_units, weights that are not finite.
Result<Spectrum> spectrum_of(const Synapses& w, std::span<const Range> populations = {});

// Radius of the disc that eigenvalues fill when the weights of each block (post, pre population) are drawn anew and
// independently with that block's mean and variance, for many units: the square root of the largest eigenvalue of
// units(q) * variance(p, q) (Aljadeff, Stern and Sharpee, PRL 2015). Means add a few eigenvalues outside of it, more
// where large means cancel (Rajan and Abbott, PRL 2006). Absent synapses count as 0. `populations` follow one another
// from unit 0 to the last.
Result<double> bulk_radius(const Synapses& w, std::span<const Range> populations);

}  // namespace dalea
