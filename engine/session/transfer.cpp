#include "session/transfer.h"

#include "recording/recording.h"

namespace dalea {
namespace {

std::string sum_of(const Weights& w) {
  std::string sum = sha256_hex(std::as_bytes(std::span(w.values)));
  if (w.sparse())
    sum += sha256_hex(std::as_bytes(std::span(w.pattern->row))) +
           sha256_hex(std::as_bytes(std::span(w.pattern->col_start)));
  return sum;
}

Origin origin_of(const Parameters& p, const std::string& name, Keep keep) {
  std::string all;
  for (const Weights* w : p.all()) all += w->name + " " + sum_of(*w) + "\n";
  return {name, hash_text(hash_of(p)), sha256_hex(std::as_bytes(std::span(all.data(), all.size()))), name_of(keep)};
}

bool same_pattern(const Pattern* a, const Pattern* b) {
  if (a == nullptr || b == nullptr) return a == b;
  return a->rows == b->rows && a->col_start == b->col_start && a->row == b->row;
}

std::string sign_words(int8_t sign) {
  return sign > 0 ? "excitatory" : sign < 0 ? "inhibitory" : "free";
}

}  // namespace

Result<Keep> parse_keep(const std::string& text) {
  if (text == "recurrent") return Keep::recurrent;
  if (text == "recurrent+input") return Keep::recurrent_and_input;
  return Error{"keep", "'" + text + "' is not known; use recurrent or recurrent+input"};
}

const char* name_of(Keep keep) {
  return keep == Keep::recurrent ? "recurrent" : "recurrent+input";
}

Parent parent_of(const Session& session, const std::string& file_name, Keep keep) {
  Parent p;
  p.name = session.spec.name.empty() ? file_name : session.spec.name;
  p.spec = session.spec;
  p.run = session.state.run;
  p.parameters = session.state.parameters;
  p.mask = session.state.mask ? session.state.mask : sample_pattern(session.spec, session.state.run);
  p.origin = origin_of(p.parameters, session.spec.name, keep);  // a file's name may be no UTF-8
  return p;
}

Parent parent_of(const Trainer& trainer, Keep keep) {
  Parent p;
  p.name = trainer.spec().name;
  p.spec = trainer.spec();
  p.run = trainer.run();
  p.parameters = trainer.model().parameters;
  p.mask = trainer.shared_mask();
  p.origin = origin_of(p.parameters, p.name, keep);
  return p;
}

Result<Transfer> transfer_to(const Parent& parent, const Spec& spec, const Ends& ends, int64_t run,
                             std::shared_ptr<const Pattern> known) {
  const std::string who = parent.name.empty() ? "the network to start from" : "'" + parent.name + "'";
  const int64_t units = spec.units(), theirs = parent.spec.units();
  if (units != theirs)
    return Error{"populations", "make " + std::to_string(units) + " units, but " + who + " has " +
                                    std::to_string(theirs) + "; its recurrent weights fit as many only"};
  if (spec.network.biases != parent.spec.network.biases)
    return Error{"network.biases", std::string("are ") + (spec.network.biases ? "on" : "off") + ", but " + who +
                                       " has " + (spec.network.biases ? "none" : "some") + "; set them alike"};
  const std::shared_ptr<const Pattern> own = known ? std::move(known) : sample_pattern(spec, run);
  Transfer t;
  if (!same_pattern(own.get(), parent.mask.get())) {
    t.mask = parent.mask;
    if (!t.mask) t.mask = make_pattern(units, units, std::vector<uint8_t>(static_cast<size_t>(units * units), 1));
  }
  const Model model = build_model(spec, ends, run, t.mask, own);
  // Signs alone: of the parent's own experiment.
  std::vector<int8_t> signs;
  for (const Population& p : parent.spec.populations)
    signs.insert(signs.end(), static_cast<size_t>(p.size),
                 p.sign == Sign::excitatory   ? int8_t{1}
                 : p.sign == Sign::inhibitory ? int8_t{-1}
                                              : int8_t{0});
  for (size_t i = 0; i < signs.size(); ++i)
    if (signs[i] != model.sign[i])
      return Error{"populations", "make unit " + std::to_string(i + 1) + " " + sign_words(model.sign[i]) + ", but in " +
                                      who + " it is " + sign_words(signs[i]) +
                                      "; give the same signs in the same order"};
  t.start = model.parameters;
  const std::shared_ptr<const Pattern> mask = t.mask ? t.mask : own;
  const bool sparse = model.parameters.W_rec.sparse();
  const Weights& w = parent.parameters.W_rec;
  t.start.W_rec = mask ? on_mask(w, mask, sparse) : w;
  t.start.b_rec = parent.parameters.b_rec;
  t.origin = parent.origin;
  if (t.origin.keep == name_of(Keep::recurrent_and_input)) {
    const Weights& in = parent.parameters.W_in;
    if (in.cols != ends.inputs)
      return Error{"task.type", "has " + std::to_string(ends.inputs) + " input channels, but " + who +
                                    " was trained on " + std::to_string(in.cols) +
                                    "; keep the recurrent weights alone"};
    const Weights& own_in = model.parameters.W_in;
    if (in.sparse() != own_in.sparse() || !same_pattern(in.pattern.get(), own_in.pattern.get()))
      return Error{"network.input_mask", "gives other input connections than " + who + " has; set it alike"};
    t.start.W_in = in;
    t.start.b_in = parent.parameters.b_in;
  }
  Model started = model;
  started.parameters = t.start;
  const std::string& constraint = spec.training.constraint;
  if (const int64_t wrong = audit(started, mask.get()).sign;
      wrong > 0 && (constraint == "dale" || constraint == "rectified-forward"))
    return Error{"training.constraint", "is " + constraint + ", but " + std::to_string(wrong) +
                                            " recurrent weights of " + who +
                                            " have the wrong sign (it was trained under '" +
                                            parent.spec.training.constraint + "'); use that constraint here too"};
  return t;
}

void start_from(Transfer transfer, TrainerOptions& options) {
  options.mask = std::move(transfer.mask);
  options.start = std::move(transfer.start);
  options.origin = std::move(transfer.origin);
}

}  // namespace dalea
