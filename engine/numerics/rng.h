// Counter-based randomness: Philox4x32-10 (Salmon et al., SC 2011). A draw depends on its coordinates
// (seed, purpose, run, epoch, trial, draw) and on nothing else, so the order of execution is irrelevant.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace dalea {

// What a stream is for; part of the key. Numbers are part of the file format: never renumber.
enum class Purpose : uint32_t {
  weights = 1,
  mask = 2,
  order = 3,  // minibatch order
  noise = 4,  // state noise
  train = 5,  // task data, one purpose per split
  validation = 6,
  held_out = 7,
  simulate = 8,     // the simulated recording
  prune = 9,        // which connections stay; epoch: the draw, trial: the place in the grid of sparsities
  average = 10,     // which trials an averaged one is made of; epoch: the part, trial: the sample
  fit = 11,         // measuring fits; epoch 0: blocks in time, 1: shuffled units, 2: halves of the trials
  conditions = 12,  // simulated conditions; epoch: what is drawn, trial: the trial
  position = 13,    // where units lie on their area's sheet
  connectome = 14,  // the synthetic connectome; epoch: what is drawn
  scaling = 15,     // a connectome's regions to neurons; trial: the source neuron; epoch: the target region
  null_model = 16,  // of a connectome; run: null_seed
  compare = 17,     // permutations and bootstraps when conditions are compared
  motif = 18,       // which connections of a motif stay when stages prune
  bootstrap = 19,   // blocks of held-out time, when wirings are compared
  test = 63,
};

constexpr uint64_t max_seed = (uint64_t{1} << 53) - 1;  // what a JSON number holds exactly

// One block: counter and key in, four words out.
std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

// A stream of draws 0, 1, 2, ... at fixed coordinates.
// key = (seed low, seed high | purpose << 21), counter = (draw / 4, trial, epoch, run).
class Rng {
 public:
  Rng(uint64_t seed, Purpose purpose, uint32_t run = 0, uint32_t epoch = 0, uint32_t trial = 0);

  uint32_t u32();
  float uniform();                    // [0, 1), (u32 >> 8) * 2^-24
  float uniform(float lo, float hi);  // lo + (hi - lo) * uniform()
  uint32_t below(uint32_t n);         // 0 .. n-1, unbiased (rejection); n > 0
  double normal();                    // standard normal, Box-Muller with our own log, sqrt, sin, cos

 private:
  std::array<uint32_t, 2> key_;
  std::array<uint32_t, 4> counter_;
  std::array<uint32_t, 4> block_{};
  uint32_t used_ = 4;
  double spare_ = 0;
  bool has_spare_ = false;
};

// 0 .. n-1 in random order: Fisher-Yates from the end.
std::vector<uint32_t> permutation(uint32_t n, Rng& rng);

}  // namespace dalea
