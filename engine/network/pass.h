// One minibatch through the network: forward and backward through time, side by side, for a range of trials.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "network/model.h"
#include "numerics/parallel.h"
#include "tasks/trials.h"

namespace dalea {

// Scratch of one minibatch. Signals are (step, row, Bp), one allocation for all steps; Bp = batch up to 16, padding 0.
struct Activity {
  int64_t steps = 0, batch = 0, stride = 0;  // stride = Bp
  AlignedFloats input;                       // (T, inputs, Bp)
  AlignedFloats drive;                       // (units, Bp): W_in x
  AlignedFloats delta;                       // (T, units, Bp): dL/d drive; backward only
  AlignedFloats z;                           // (T, units, Bp): activity, read out; fed back as it is or rectified
  AlignedFloats output;                      // (T, outputs, Bp)
  AlignedFloats d_output;                    // (T, outputs, Bp)
  AlignedFloats sum;                         // (units, Bp): W_rec g, and W_rec' delta
  AlignedFloats x, dx;                       // (units, Bp): running state and its gradient, leaky units only
  AlignedFloats noise;                       // (units, Bp)
  std::vector<double> loss;                  // per trial: sum over scored elements
  std::vector<int32_t> answer;               // (T, Bp): class with the largest output; forward with classes only
  int64_t scored = 0;                        // scored elements of the batch
  int64_t read_from = 0;                     // first step that is read out: training skips those that nothing scores
};

struct NoiseAt {
  uint64_t seed = 0;
  uint32_t run = 0, epoch = 0;
};

// What is done to a range of units in steps [from, to) of a forward pass: silenced, they give 0 to the others and to
// the readouts (the state of leaky ones goes on); driven, they receive `amount` beside their inputs.
struct Intervention {
  Range units;
  int64_t from = 0, to = 0;
  bool silence = true;
  float amount = 0;

  bool operator==(const Intervention&) const = default;
};

// The minibatch job. begin(); then either run() (threads split trials, then rows) or advance() until it says done,
// one time step of work a call.
class Pass {
 public:
  Pass(Isa isa, Workers& workers);

  // Weights of the model ready for products; call after every change of them.
  void pack(const Model& model, bool backward);
  // rate_l2: see TrainingSpec. `noise`: null: none. Trials are trials[index[0..batch)].
  void begin(const Model& model, const Trials& trials, const uint32_t* index, int64_t batch, Loss loss, bool backward,
             double rate_l2, const NoiseAt* noise, Parameters* gradient);
  // Trials [from, to) as they come, forward alone and without noise: to measure.
  void begin_forward(const Model& model, const Trials& trials, int64_t from, int64_t to, Loss loss);
  // From the next begin() on, without backward; none: the network as it is.
  void intervene(std::vector<Intervention> interventions) { interventions_ = std::move(interventions); }
  void run();
  bool advance();  // true when done

  double loss_sum() const;  // sum over trials, in order (float64)
  int64_t bytes() const;    // of its buffers and packed weights
  // Adds this batch to (asked, answered) counts of the classes; after a forward pass with cross-entropy.
  void count_answers(std::vector<int64_t>& counts) const;
  double rate_penalty() const;  // mean of g^2 over the batch, when rate_l2 > 0
  const Activity& activity() const { return a_; }
  // Fills every buffer with NaN before each batch: an unwritten read shows.
  bool poison = false;

 private:
  void load(int64_t b0, int64_t b1);
  void forward_at(int64_t t, int64_t b0, int64_t b1, float* scratch);
  void losses(int64_t b0, int64_t b1);
  void backward_at(int64_t t, int64_t b0, int64_t b1, float* scratch);
  float* scratch_of(int part);
  Product::Input fed_back() const;
  void gradients(int part, int parts, float* scratch);
  void size_buffers();

  Isa isa_;
  Workers& workers_;
  Activity a_;
  const Model* model_ = nullptr;
  const Trials* trials_ = nullptr;
  std::vector<uint32_t> index_;
  Loss loss_ = Loss::mse;
  bool backward_ = false;
  double rate_l2_ = 0;
  bool noisy_ = false;
  NoiseAt noise_;
  std::vector<Intervention> interventions_;
  std::vector<Rng> noise_streams_;  // per trial of the batch
  Parameters* gradient_ = nullptr;
  Product in_, rec_, rec_back_;
  std::vector<Product> out_, out_back_;
  std::vector<float> bias_;    // b_in + b_rec
  AlignedFloats scratch_;      // kernel_scratch a worker
  std::vector<double> rates_;  // per trial: sum of g^2
  std::vector<double> odds_;   // (stride / 16, outputs): exp of the outputs of a trial, for cross-entropy
  int64_t cursor_ = 0;         // advance(): next piece
};

// Outputs of the whole network for chosen trials: (trial, step, output); for pictures and predictions.
std::vector<float> outputs_of(const Activity& a, int64_t outputs);

}  // namespace dalea
