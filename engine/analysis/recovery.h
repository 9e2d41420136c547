// How much of a known circuit a network finds from its recording alone. The circuit is the simulated one
// (recording/recording.h); the network may have any units: what is compared is the response of its prediction of one
// recorded unit to another recorded unit, with the weights between the two in the circuit. For reading and drawing.
#pragma once

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "network/model.h"
#include "tasks/trials.h"

namespace dalea {

constexpr int64_t most_response_units = 4096;
// Behind an exponential indicator the last two frames tell what a circuit without memory does next.
constexpr int64_t usual_lags = 2;

// (output, input) row-major: the derivative of an output of step t by an input of the steps t - lags + 1 .. t together,
// exact, through the recurrent weights, the mean over steps of the split's trials (the first ones left out: at least
// `first_step` and lags - 1; at most some hundred steps, evenly chosen). Float64, without noise. An error: a network
// that is too large, no such steps, activity that is not finite, or it was cancelled: `progress` hears the part done, 0
// .. 1, and answers whether to go on.
Result<std::vector<double>> mean_response(const Model& model, const Trials& split, int64_t first_step, int64_t lags,
                                          const std::function<bool(double)>& progress = nullptr);

// The same of a linear prediction: ridge regression of the target on the input of the same step over the steps of the
// training trials that are scored; its penalty is the best on the validation trials.
Result<std::vector<double>> linear_response(const Dataset& data, const std::function<bool(double)>& progress = nullptr);

// Two matrices (post, pre) without their diagonals: what is, and what was found. 0 in `truth`: no connection.
struct RecoveryScore {
  int64_t excitatory = 0, inhibitory = 0, absent = 0;  // pairs with a positive, negative or no connection
  // Share of the connections whose sign was found. `sign` is the mean of the two: 0.5 by chance, however many
  // connections of each sign there are. No connection of a sign: no_score, and it is left out of the mean.
  double sign_excitatory = 0, sign_inhibitory = 0, sign = 0;
  double rank = 0;       // Spearman's of the signed weights of all pairs
  double strength = 0;   // Spearman's of the sizes of the connections that are
  double detection = 0;  // that the size of a connection is above that of an absent one (area under the curve)
  // Over random exchanges of the found units (rows and columns together: Mantel 1967): the mean, and the share that
  // reaches what was found, (reached + 1) / (exchanges + 1).
  double sign_shuffled = 0, sign_p = 1, rank_shuffled = 0, rank_p = 1;
};
constexpr int64_t recovery_exchanges = 999;
// An error: matrices of other sizes, fewer than three units, values that are not finite. A score that does not exist
// (all sizes alike) is no_score.
constexpr double no_score = std::numeric_limits<double>::quiet_NaN();
Result<RecoveryScore> score_recovery(const std::vector<double>& truth, const std::vector<double>& found, int64_t units,
                                     uint64_t seed);

// Mean weight between excitatory and inhibitory units: (E<-E, E<-I, I<-E, I<-I); a block without pairs is no_score.
std::vector<double> block_means(const std::vector<double>& matrix, int64_t units, int64_t excitatory);

struct RecoveryStudy {
  std::vector<std::string> names;              // of the recorded units
  int64_t excitatory = 0;                      // the first so many of them
  int64_t circuit_units = 0;                   // recorded or not
  int64_t lags = 0;                            // frames
  std::vector<double> truth, network, linear;  // (post, pre); found ones in the unit of the recording
  RecoveryScore network_score, linear_score;   // `linear`: ridge, for comparison
  std::vector<double> truth_blocks, network_blocks, linear_blocks;
  double network_block_rank = 0, linear_block_rank = 0;  // Spearman's of the blocks, no_score: fewer than three
};

// Of a network trained on spec's simulated recording, on the held-out trials. An error: the recording is not simulated,
// its channels are not the circuit's units, or as above.
Result<RecoveryStudy> study_recovery(const Model& model, const Dataset& data, const Spec& spec,
                                     int64_t lags = usual_lags, const std::function<bool(double)>& progress = nullptr);

}  // namespace dalea
