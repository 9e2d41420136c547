// Networks with a measured connectome against randomly wired ones (SEEDS 6.4, 6.6; Goulas, Damicelli and Hilgetag,
// Neural Networks 2021): what is trained, and what the results say to the claim of no enhancement.
#pragma once

#include <string>
#include <vector>

#include "common/reproduce_parts.h"

namespace dalea::reproduce {

constexpr const char* measured_arm = "bio";  // of Job::condition; the other ones are null models

// How much less loss would be an enhancement worth the name, fixed beforehand: a tenth.
constexpr double bio_margin = 1.1;

// Of a matrix from a file: a species where it is the published one, else named by the file and its content.
Wiring wiring_of(const std::string& file, std::shared_ptr<const Connectome> connectome);
Result<Options> check_bio(Options options);
std::vector<Job> bio_jobs(const Options& options);
std::vector<std::string> bio_arms(const Options& options);  // "bio", "permuted", and corrected "rewired"

// The second paper's three quantities of one network (SEEDS 6.6): least loss on trials that were not trained on,
// without the first epoch; its epoch; the first epoch within 1 % of the curve's range of it. Corrected: the epoch is
// chosen by the validation trials, and the loss is that of others. Epochs 0: it did not stay finite.
struct BioResult {
  double loss = plot::no_value, accuracy = plot::no_value;
  int64_t epoch = 0, epoch_99 = 0;
};
BioResult bio_result(const Options& options, const Run& run);

// Exact for up to 16 pairs, else from 99,999 draws: how often signs at random give a mean of the differences as far
// from 0 (two-sided; what is there counts). 1 where there are none.
double sign_flip_p(const std::vector<double>& difference, Rng rng);

// A species and task under one null model. Pairs share trials, seed and settings; only the wiring differs.
struct BioComparison {
  std::string species, task, null;
  int64_t pairs = 0;
  double ratio = plot::no_value;  // geometric mean of loss(bio) / loss(null)
  Interval interval, narrow;      // of it, 95 and 90 %, from Student's t of the pairs' logarithms
  double g = plot::no_value;      // Hedges', of log losses less their setting's mean
  Interval g_interval;
  double p = plot::no_value, holm = plot::no_value;            // over all species and tasks
  double least_p = 1;                                          // that so many pairs can reach, after Holm
  double epochs = plot::no_value, epochs_99 = plot::no_value;  // mean difference, bio less null
  double chance = 0;     // the loss of an answer that does not depend on the trial
  bool learned = false;  // the better of both is below 95 % of it in the median
  enum class Says { supported, contradicted, undecided } says = Says::undecided;
  bool equivalent = false;  // the 90 % interval lies within the margin on both sides
  std::string why;
};
std::vector<BioComparison> bio_comparisons(const Options& options, const std::vector<Run>& runs);

Result<Output> report_bio(const Options& options, const std::vector<Run>& runs, const ReportProvenance& where);

}  // namespace dalea::reproduce
