// Eigenvalues and weights by sign of the network that is learning, found beside it: on a thread of its own, or in
// pump() where there are none. No user interface here, so it can be tested by itself.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "analysis/sign_weights.h"
#include "analysis/spectrum.h"
#include "app/circuit.h"
#include "app/live.h"

namespace dalea::app {

// More units are for `dalea spectrum`: with a thread of its own, and inside pump().
constexpr int64_t most_watched_units = 2048, most_pumped_units = 300;

template <class T>
struct Analysed {
  std::shared_ptr<const Setup> setup;     // null: nothing yet
  std::shared_ptr<const MatrixView> of;   // the weights that `now` is of
  int64_t updates = 0;                    // of the network then
  std::shared_ptr<const T> now, initial;  // null: not found yet
  std::string failure;                    // why there is no `now`
  bool current(const Snapshot& s) const { return setup == s.setup && of == s.weights; }
};
// Of the W_rec that training a spec starts from.
struct DraftSpectrum {
  Spec of;
  std::shared_ptr<const Spectrum> found;  // null: failure says why
  std::string failure;
};
struct SpectraView {
  Analysed<Spectrum> spectrum;
  Analysed<WeightsBySign> signs;               // both over the same edges
  std::shared_ptr<const DraftSpectrum> draft;  // null: nothing yet
};

class Spectra {
 public:
  explicit Spectra(bool own_thread);
  Spectra();
  // A thread in the middle of a matrix finishes by itself: eigenvalues cannot be stopped half way.
  ~Spectra();
  Spectra(const Spectra&) = delete;
  Spectra& operator=(const Spectra&) = delete;

  // Of this snapshot's weights, unless they were or are being analysed. The last one asked for is the one that comes.
  // While it learns, all this takes at most a twentieth of a thread's time.
  void follow_spectrum(const Snapshot& s);
  void follow_signs(const Snapshot& s);
  // Of a spec without problems that is not being trained. Nothing happens for more units than are analysed here.
  void follow_draft(const Spec& draft);
  void pump();  // without a thread of its own: one matrix
  SpectraView view() const;
  bool changed();  // since the last call
  bool own_thread() const;

 private:
  enum Kind { signs, spectrum };
  struct State;

  void follow(Kind kind, const Snapshot& s);
  void wake();

  std::shared_ptr<State> state_;
};

// What the two tabs remember.
struct SpectrumState {
  bool all = true;                      // every eigenvalue in view; else the unit circle
  bool fit = true;                      // what is in view is chosen anew
  double left = 0, right = 0, top = 0;  // then: real parts, and imaginary parts from -top to top
  double width = 0, height = 0;         // of the plot, pixels
  bool log_count = false;
};

}  // namespace dalea::app
