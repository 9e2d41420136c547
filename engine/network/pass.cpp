#include "network/pass.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "numerics/math.h"

namespace dalea {
namespace {

constexpr int64_t lanes = 16;

int64_t round_up(int64_t n) {
  return (n + lanes - 1) / lanes * lanes;
}

void resize(AlignedFloats& buffer, int64_t n, bool poison) {
  // Growing only: a shorter last batch reuses what is there.
  if (static_cast<int64_t>(buffer.size()) < n) buffer.resize(static_cast<size_t>(n));
  if (poison) std::fill(buffer.begin(), buffer.end(), std::numeric_limits<float>::quiet_NaN());
}

// Trials [b0, b1) of part p of `parts`, in whole groups of 16.
std::pair<int64_t, int64_t> trial_part(int64_t stride, int p, int parts) {
  const int64_t groups = stride / lanes;
  return {groups * p / parts * lanes, groups * (p + 1) / parts * lanes};
}

}  // namespace

Pass::Pass(Isa isa, Workers& workers) : isa_(isa), workers_(workers) {}

void Pass::pack(const Model& model, bool backward) {
  const Parameters& p = model.parameters;
  in_.pack(p.W_in, Product::Side::forward, isa_);
  rec_.pack(p.W_rec, Product::Side::forward, isa_);
  if (backward) rec_back_.pack(p.W_rec, Product::Side::transposed, isa_);
  out_.resize(p.W_out.size());
  out_back_.resize(p.W_out.size());
  for (size_t r = 0; r < p.W_out.size(); ++r) {
    out_[r].pack(p.W_out[r], Product::Side::forward, isa_);
    if (backward) out_back_[r].pack(p.W_out[r], Product::Side::transposed, isa_);
  }
  bias_.assign(p.b_in.values.size(), 0.0f);
  for (size_t i = 0; i < bias_.size(); ++i) bias_[i] = p.b_in.values[i] + p.b_rec.values[i];
}

void Pass::begin(const Model& model, const Trials& trials, const uint32_t* index, int64_t batch, Loss loss,
                 bool backward, double rate_l2, const NoiseAt* noise, Parameters* gradient) {
  model_ = &model;
  trials_ = &trials;
  index_.assign(index, index + batch);
  loss_ = loss;
  backward_ = backward;
  rate_l2_ = rate_l2;
  gradient_ = gradient;
  noisy_ = noise != nullptr && model.noise > 0;
  a_.steps = trials.steps;
  a_.batch = batch;
  a_.stride = round_up(batch);
  size_buffers();
  if (noisy_) {
    noise_ = *noise;
    noise_streams_.assign(static_cast<size_t>(batch), Rng(0, Purpose::noise));
  }
  // Scored elements of the batch: a count, so its order does not matter.
  a_.scored = 0;
  a_.read_from = backward && loss == Loss::cross_entropy ? trials.steps : 0;
  for (uint32_t trial : index_) {
    const int64_t at = static_cast<int64_t>(trial) * trials.steps;
    if (loss == Loss::cross_entropy) {
      for (int64_t t = trials.steps - 1; t >= 0; --t) {
        if (trials.label[at + t] < 0) continue;
        ++a_.scored;
        a_.read_from = std::min(a_.read_from, t);
      }
    } else if (trials.scored.empty()) {
      a_.scored += trials.steps * trials.outputs;
    } else {
      const uint8_t* s = trials.scored.data() + at * trials.outputs;
      for (int64_t e = 0; e < trials.steps * trials.outputs; ++e) a_.scored += s[e];
    }
  }
  cursor_ = 0;
}

void Pass::begin_forward(const Model& model, const Trials& trials, int64_t from, int64_t to, Loss loss) {
  std::vector<uint32_t> index(static_cast<size_t>(to - from));
  std::iota(index.begin(), index.end(), static_cast<uint32_t>(from));
  begin(model, trials, index.data(), to - from, loss, false, 0, nullptr, nullptr);
}

void Pass::size_buffers() {
  const int64_t row = a_.stride, t = a_.steps, n = model_->units;
  resize(a_.input, t * model_->inputs * row, poison);
  resize(a_.drive, n * row, poison);
  resize(a_.z, t * n * row, poison);
  resize(a_.output, t * model_->outputs * row, poison);
  resize(a_.sum, n * row, poison);
  resize(scratch_, workers_.threads() * kernel_scratch(std::max(n, model_->inputs)), poison);
  if (backward_) {
    resize(a_.delta, t * n * row, poison);
    resize(a_.d_output, t * model_->outputs * row, poison);
  }
  if (!model_->alpha.empty()) {
    resize(a_.x, n * row, poison);
    if (backward_) resize(a_.dx, n * row, poison);
  }
  if (noisy_) resize(a_.noise, n * row, poison);
  a_.loss.assign(static_cast<size_t>(row), 0.0);
  if (loss_ == Loss::cross_entropy && !backward_) a_.answer.resize(static_cast<size_t>(t * row));
  rates_.assign(static_cast<size_t>(row), 0.0);
  odds_.resize(static_cast<size_t>(row / lanes * model_->outputs));
}

// Inputs of trials [b0, b1) into (t, channel, b); padding trials are 0. Everything that accumulates starts anew.
void Pass::load(int64_t b0, int64_t b1) {
  const int64_t channels = model_->inputs;
  for (int64_t b = b0; b < b1; ++b) {
    a_.loss[b] = rates_[b] = 0;
    if (noisy_ && b < a_.batch)
      noise_streams_[b] = Rng(noise_.seed, Purpose::noise, noise_.run, noise_.epoch, index_[b]);
    float* to = a_.input.data() + b;
    if (b >= a_.batch) {
      for (int64_t e = 0; e < a_.steps * channels; ++e) to[e * a_.stride] = 0.0f;
      continue;
    }
    const float* from = trials_->input.data() + static_cast<int64_t>(index_[b]) * a_.steps * channels;
    for (int64_t e = 0; e < a_.steps * channels; ++e) to[e * a_.stride] = from[e];
  }
  if (!model_->alpha.empty()) {
    for (int64_t i = 0; i < model_->units; ++i) {
      std::fill(a_.x.begin() + i * a_.stride + b0, a_.x.begin() + i * a_.stride + b1, 0.0f);
      if (backward_) std::fill(a_.dx.begin() + i * a_.stride + b0, a_.dx.begin() + i * a_.stride + b1, 0.0f);
    }
  }
}

float* Pass::scratch_of(int part) {
  return scratch_.data() + part * kernel_scratch(std::max(model_->units, model_->inputs));
}

// forward, step t: drive = W_in u; sum = W_rec g[t-1], g = z or max(0, z); z = cell(sum + (drive + (b_in + b_rec)));
// y = f(W_out z + b_out)
void Pass::forward_at(int64_t t, int64_t b0, int64_t b1, float* scratch) {
  const int64_t row = a_.stride, n = model_->units, at = t * n * row;
  float* drive = a_.drive.data();
  in_.apply(a_.input.data() + t * model_->inputs * row, drive, row, b0, b1, scratch);
  if (t > 0) rec_.apply(a_.z.data() + at - n * row, a_.sum.data(), row, b0, b1, scratch, fed_back());

  if (noisy_) {
    for (int64_t b = b0; b < b1; ++b) {
      for (int64_t i = 0; i < n; ++i) {
        const double alpha = model_->alpha.empty() ? 1.0 : static_cast<double>(model_->alpha[i]);
        a_.noise[i * row + b] =
            b < a_.batch ? static_cast<float>(std::sqrt(2 * alpha) * model_->noise * noise_streams_[b].normal()) : 0.0f;
      }
    }
  }
  for (const Intervention& v : interventions_)
    if (!v.silence && t >= v.from && t < v.to)
      for (int64_t i = v.units.begin; i < v.units.end; ++i)
        for (int64_t b = b0; b < b1; ++b) drive[i * row + b] += v.amount;
  CellForward cell;
  cell.activation = model_->activation;
  cell.units = n;
  cell.stride = row;
  cell.alpha = model_->alpha.empty() ? nullptr : model_->alpha.data();
  cell.sum = t > 0 ? a_.sum.data() : nullptr;
  cell.in_drive = drive;
  cell.bias = bias_.empty() ? nullptr : bias_.data();
  cell.noise = noisy_ ? a_.noise.data() : nullptr;
  cell.x = model_->alpha.empty() ? nullptr : a_.x.data();
  cell.z = a_.z.data() + at;
  cell_forward(isa_, cell, b0, b1);
  for (const Intervention& v : interventions_)
    if (v.silence && t >= v.from && t < v.to)
      for (int64_t i = v.units.begin; i < v.units.end; ++i)
        std::fill(cell.z + i * row + b0, cell.z + i * row + b1, 0.0f);

  const auto& readouts = model_->readouts;
  for (size_t r = 0; r < readouts.size() && t >= a_.read_from; ++r) {
    const float* z = a_.z.data() + at + readouts[r].units.begin * row;
    float* y = a_.output.data() + (t * model_->outputs + readouts[r].outputs.begin) * row;
    const bool first = r == 0 || readouts[r - 1].outputs.begin != readouts[r].outputs.begin;
    const bool last = r + 1 == readouts.size() || readouts[r + 1].outputs.begin != readouts[r].outputs.begin;
    if (first)
      out_[r].apply(z, y, row, b0, b1, scratch);
    else
      out_[r].add(z, y, row, b0, b1, scratch);
    if (!last) continue;
    size_t head = r;  // the bias belongs to the first readout of the output
    while (head > 0 && readouts[head - 1].outputs.begin == readouts[r].outputs.begin) --head;
    bias_activation(isa_, model_->output, model_->parameters.b_out[head].values.data(), y, readouts[r].outputs.size(),
                    row, b0, b1);
  }
  if (rate_l2_ > 0) {
    for (int64_t i = 0; i < n; ++i)
      for (int64_t b = b0; b < std::min(b1, a_.batch); ++b) {
        const double v = static_cast<double>(cell.z[i * row + b]);
        rates_[b] += model_->rectified && v < 0 ? 0 : v * v;
      }
  }
}

// Loss per trial (float64, t then output ascending) and dL/d(output before its activation); scaled by 1 / scored.
void Pass::losses(int64_t b0, int64_t b1) {
  const int64_t row = a_.stride, outputs = model_->outputs;
  const float scale = a_.scored > 0 ? static_cast<float>(1.0 / static_cast<double>(a_.scored)) : 0.0f;
  double* p = odds_.data() + b0 / lanes * outputs;
  for (int64_t t = a_.read_from; t < a_.steps; ++t) {
    for (int64_t b = b0; b < b1; ++b) {
      const float* y = a_.output.data() + t * outputs * row + b;
      float* dy = backward_ ? a_.d_output.data() + t * outputs * row + b : nullptr;
      const int64_t element = b < a_.batch ? static_cast<int64_t>(index_[b]) * a_.steps + t : 0;
      if (loss_ == Loss::cross_entropy) {
        const int32_t label = b < a_.batch ? trials_->label[element] : -1;
        if (label < 0) {
          for (int64_t o = 0; dy && o < outputs; ++o) dy[o * row] = 0.0f;
          continue;
        }
        double top = static_cast<double>(y[0]), total = 0;
        for (int64_t o = 1; o < outputs; ++o) top = std::max(top, static_cast<double>(y[o * row]));
        for (int64_t o = 0; o < outputs; ++o) total += p[o] = portable::exp(static_cast<double>(y[o * row]) - top);
        a_.loss[b] += portable::log(total) - (static_cast<double>(y[label * row]) - top);
        if (!backward_) {
          int32_t answer = 0;  // of equals the first
          for (int64_t o = 1; o < outputs; ++o)
            if (y[o * row] > y[answer * row]) answer = static_cast<int32_t>(o);
          a_.answer[t * row + b] = answer;
        }
        for (int64_t o = 0; dy && o < outputs; ++o)
          dy[o * row] = static_cast<float>((p[o] / total - (o == label ? 1.0 : 0.0)) * static_cast<double>(scale));
        continue;
      }
      for (int64_t o = 0; o < outputs; ++o) {
        const bool counts = b < a_.batch && (trials_->scored.empty() || trials_->scored[element * outputs + o] != 0);
        if (!counts) {
          if (dy) dy[o * row] = 0.0f;
          continue;
        }
        const float v = y[o * row];
        const float error = v - trials_->target[element * outputs + o];
        a_.loss[b] += static_cast<double>(error) * static_cast<double>(error);
        if (!dy) continue;
        float d = 2.0f * error * scale;
        if (model_->output == Activation::tanh) d *= 1.0f - v * v;
        dy[o * row] = d;
      }
    }
  }
}

// backward, step t: dz = W_out' dy (from y = W_out z + b_out); back = W_rec' delta[t+1] (from sum = W_rec g[t]);
// delta = dL/d drive through z, g = cell(sum + drive)
void Pass::backward_at(int64_t t, int64_t b0, int64_t b1, float* scratch) {
  const int64_t row = a_.stride, n = model_->units, at = t * n * row;
  float* dz = a_.delta.data() + at;
  const auto& readouts = model_->readouts;
  // Readouts cover each unit at most once; units without one start from 0, and so do steps that nothing scores.
  const bool read = t >= a_.read_from;
  int64_t covered = 0;
  for (const Readout& r : readouts) covered += r.units.size();
  if (covered < n || !read)
    for (int64_t i = 0; i < n; ++i) std::fill(dz + i * row + b0, dz + i * row + b1, 0.0f);
  for (size_t r = 0; r < readouts.size() && read; ++r)
    out_back_[r].apply(a_.d_output.data() + (t * model_->outputs + readouts[r].outputs.begin) * row,
                       dz + readouts[r].units.begin * row, row, b0, b1, scratch);
  const bool last = t + 1 == a_.steps;
  if (!last) rec_back_.apply(dz + n * row, a_.sum.data(), row, b0, b1, scratch);

  CellBackward cell;
  cell.activation = model_->activation;
  cell.rectified = model_->rectified;
  cell.units = n;
  cell.stride = row;
  cell.alpha = model_->alpha.empty() ? nullptr : model_->alpha.data();
  cell.back = last ? nullptr : a_.sum.data();
  cell.z = a_.z.data() + at;
  cell.rate = rate_l2_ > 0 ? static_cast<float>(2.0 * rate_l2_ / static_cast<double>(a_.batch * a_.steps * n)) : 0.0f;
  cell.dx = model_->alpha.empty() ? nullptr : a_.dx.data();
  cell.dz = dz;
  cell_backward(isa_, cell, b0, b1);
  // Padding trials must add nothing to gradients; with a rate penalty their activity would.
  if (rate_l2_ > 0 && b1 > a_.batch)
    for (int64_t i = 0; i < n; ++i) std::fill(dz + i * row + std::max(b0, a_.batch), dz + i * row + b1, 0.0f);
}

// dW = sum over t, b of delta x'; the recurrent one pairs delta[t] with g[t-1] and has no term at t = 0 (g[-1] = 0).
void Pass::gradients(int part, int parts, float* scratch) {
  const int64_t row = a_.stride, n = model_->units, t = a_.steps, unit_time = n * row;
  Parameters& g = *gradient_;
  GradientInput inputs[most_gradient_inputs];
  int count = 0;
  inputs[count++] = {&g.W_rec, a_.z.data(), unit_time, 1, fed_back()};
  inputs[count++] = {&g.W_in, a_.input.data(), model_->inputs * row};
  if (!bias_.empty()) inputs[count++] = {&g.b_in};
  weight_gradients(isa_, {a_.delta.data(), unit_time, t, row}, inputs, count, part, parts, scratch);
  const int64_t out_time = model_->outputs * row;
  for (size_t r = 0; r < model_->readouts.size(); ++r) {
    const Readout& readout = model_->readouts[r];
    const int64_t from = a_.read_from, read = t - from;
    const float* dy = a_.d_output.data() + from * out_time + readout.outputs.begin * row;
    const float* z = a_.z.data() + from * unit_time + readout.units.begin * row;
    count = 0;
    if (!g.W_out[r].frozen) inputs[count++] = {&g.W_out[r], z, unit_time};
    if (!g.b_out[r].frozen) inputs[count++] = {&g.b_out[r]};
    weight_gradients(isa_, {dy, out_time, read, row}, inputs, count, part, parts, scratch);
  }
}

// Only activations that can be negative need rectifying.
Product::Input Pass::fed_back() const {
  const bool signed_activity = model_->activation == Activation::tanh || model_->activation == Activation::identity;
  return model_->rectified && signed_activity ? Product::Input::rectified : Product::Input::plain;
}

void Pass::run() {
  const int parts = static_cast<int>(std::min<int64_t>(workers_.threads(), a_.stride / lanes));
  workers_.run(parts, [&](int p) {
    const auto [b0, b1] = trial_part(a_.stride, p, parts);
    float* scratch = scratch_of(p);
    load(b0, b1);
    for (int64_t t = 0; t < a_.steps; ++t) forward_at(t, b0, b1, scratch);
    losses(b0, b1);
    if (!backward_) return;
    for (int64_t t = a_.steps - 1; t >= 0; --t) backward_at(t, b0, b1, scratch);
  });
  if (backward_) {
    const int rows = workers_.threads();
    workers_.run(rows, [&](int p) { gradients(p, rows, scratch_of(p)); });
    if (!bias_.empty()) gradient_->b_rec.values = gradient_->b_in.values;
  }
}

bool Pass::advance() {
  constexpr int gradient_parts = 8;  // any split gives the same bits; eight keep a frame short
  const FloatState ieee;
  const int64_t c = cursor_++, t = a_.steps;
  if (c == 0) {
    load(0, a_.stride);
  } else if (c <= t) {
    forward_at(c - 1, 0, a_.stride, scratch_of(0));
  } else if (c == t + 1) {
    losses(0, a_.stride);
    return !backward_;
  } else if (c <= 2 * t + 1) {
    backward_at(2 * t + 1 - c, 0, a_.stride, scratch_of(0));
  } else {
    const int part = static_cast<int>(c - 2 * t - 2);
    gradients(part, gradient_parts, scratch_of(0));
    if (part + 1 < gradient_parts) return false;
    if (!bias_.empty()) gradient_->b_rec.values = gradient_->b_in.values;
    return true;
  }
  return false;
}

double Pass::loss_sum() const {
  double sum = 0;
  for (int64_t b = 0; b < a_.batch; ++b) sum += a_.loss[b];
  return sum;
}

int64_t Pass::bytes() const {
  int64_t floats = 0;
  for (const AlignedFloats* v :
       {&a_.input, &a_.drive, &a_.delta, &a_.z, &a_.output, &a_.d_output, &a_.sum, &a_.x, &a_.dx, &a_.noise, &scratch_})
    floats += static_cast<int64_t>(v->capacity());
  int64_t packed = in_.bytes() + rec_.bytes() + rec_back_.bytes();
  for (const auto* list : {&out_, &out_back_})
    for (const Product& p : *list) packed += p.bytes();
  return 4 * floats + packed;
}

void Pass::count_answers(std::vector<int64_t>& counts) const {
  for (int64_t b = 0; b < a_.batch; ++b)
    for (int64_t t = 0; t < a_.steps; ++t)
      if (const int64_t label = trials_->label[static_cast<int64_t>(index_[b]) * a_.steps + t]; label >= 0)
        ++counts[label * model_->outputs + a_.answer[t * a_.stride + b]];
}

double Pass::rate_penalty() const {
  double sum = 0;
  for (int64_t b = 0; b < a_.batch; ++b) sum += rates_[b];
  return sum / static_cast<double>(a_.batch * a_.steps * model_->units);
}

std::vector<float> outputs_of(const Activity& a, int64_t outputs) {
  std::vector<float> y(static_cast<size_t>(a.batch * a.steps * outputs));
  for (int64_t b = 0; b < a.batch; ++b)
    for (int64_t e = 0; e < a.steps * outputs; ++e) y[b * a.steps * outputs + e] = a.output[e * a.stride + b];
  return y;
}

}  // namespace dalea
