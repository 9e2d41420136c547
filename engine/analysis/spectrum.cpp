#define EIGEN_MPL2_ONLY
#define EIGEN_DONT_PARALLELIZE
#include "analysis/spectrum.h"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

namespace dalea {
namespace {

using Eigen::MatrixXd;

Result<std::vector<std::complex<double>>> eigenvalues_of(const MatrixXd& m) {
  const Eigen::EigenSolver<MatrixXd> solver(m, false);
  if (solver.info() != Eigen::Success)
    return Error{"eigenvalues", "do not converge for this matrix; take the network a few updates earlier or later"};
  const auto& v = solver.eigenvalues();
  return std::vector<std::complex<double>>(v.data(), v.data() + v.size());
}

Status check_size(int64_t units) {
  if (units <= most_spectrum_units) return {};
  return Error{"units", "are " + std::to_string(units) + ", and eigenvalues are found of at most " +
                            std::to_string(most_spectrum_units) +
                            " (time grows with the cube); take a smaller network, or W_rec of the weights file to a "
                            "program for large matrices"};
}

Status check_populations(std::span<const Range> populations, int64_t units) {
  int64_t end = 0;
  bool follow = true;
  for (const Range& p : populations) {
    follow = follow && p.begin == end && p.end >= p.begin;
    end = p.end;
  }
  if (follow && end == units) return {};
  return Error{"populations", "do not follow one another from unit 0 to " + std::to_string(units - 1) +
                                  "; give each unit to one population, in order"};
}

}  // namespace

Result<Spectrum> spectrum_of(const Synapses& w, std::span<const Range> populations) {
  if (Status ok = check_size(w.units); !ok) return ok.error();
  if (Status ok = check_synapses(w, "W_rec"); !ok) return ok.error();
  Spectrum s;
  if (!populations.empty()) {
    const Result<double> bulk = bulk_radius(w, populations);
    if (!bulk) return bulk.error();
    s.bulk = *bulk;
  }
  MatrixXd m = MatrixXd::Zero(w.units, w.units);
  each_synapse(w, [&](int64_t i, int64_t j, float v) { m(i, j) = static_cast<double>(v); });
  Result<std::vector<std::complex<double>>> values = eigenvalues_of(m);
  if (!values) return values.error();
  s.values = std::move(*values);
  std::sort(s.values.begin(), s.values.end(), [](const std::complex<double>& a, const std::complex<double>& b) {
    const double p = std::abs(a), q = std::abs(b);
    if (p != q) return p > q;
    return a.real() != b.real() ? a.real() > b.real() : a.imag() > b.imag();
  });
  s.radius = std::abs(s.values.front());
  s.abscissa = s.values.front().real();
  for (const std::complex<double>& v : s.values) {
    s.abscissa = std::max(s.abscissa, v.real());
    s.outside += std::abs(v) > 1;
  }
  return s;
}

Result<double> bulk_radius(const Synapses& w, std::span<const Range> populations) {
  if (Status ok = check_size(w.units); !ok) return ok.error();
  if (Status ok = check_synapses(w, "W_rec"); !ok) return ok.error();
  if (Status ok = check_populations(populations, w.units); !ok) return ok.error();
  const auto count = static_cast<int64_t>(populations.size());
  std::vector<int64_t> of(static_cast<size_t>(w.units));
  for (int64_t p = 0; p < count; ++p)
    for (int64_t i = populations[static_cast<size_t>(p)].begin; i < populations[static_cast<size_t>(p)].end; ++i)
      of[static_cast<size_t>(i)] = p;
  MatrixXd sum = MatrixXd::Zero(count, count), existing = sum, squares = sum;
  const auto block = [&](MatrixXd& m, int64_t i, int64_t j) -> double& {
    return m(of[static_cast<size_t>(i)], of[static_cast<size_t>(j)]);
  };
  each_synapse(w, [&](int64_t i, int64_t j, float v) {
    block(sum, i, j) += static_cast<double>(v);
    block(existing, i, j) += 1;
  });
  const auto size = [&](int64_t p) { return static_cast<double>(populations[static_cast<size_t>(p)].size()); };
  MatrixXd mean = MatrixXd::Zero(count, count), spread = mean;
  for (int64_t q = 0; q < count; ++q)
    for (int64_t p = 0; p < count; ++p)
      if (size(p) * size(q) > 0) mean(p, q) = sum(p, q) / (size(p) * size(q));
  each_synapse(w, [&](int64_t i, int64_t j, float v) {
    const double d = static_cast<double>(v) - block(mean, i, j);
    block(squares, i, j) += d * d;
  });
  for (int64_t q = 0; q < count; ++q)
    for (int64_t p = 0; p < count; ++p) {
      const double all = size(p) * size(q), absent = all - existing(p, q);
      if (all > 0) spread(p, q) = size(q) * (squares(p, q) + absent * mean(p, q) * mean(p, q)) / all;
    }
  const Result<std::vector<std::complex<double>>> values = eigenvalues_of(spread);
  if (!values) return values.error();
  double largest = 0;
  for (const std::complex<double>& v : *values) largest = std::max(largest, std::abs(v));
  return std::sqrt(largest);
}

}  // namespace dalea
