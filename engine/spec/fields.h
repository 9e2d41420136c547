// The one table of the experiment file: every key, its kind, range and remedy. Parsing, printing, suggestions, checks
// and the window's editors all walk it, so no key can be forgotten in one of them.
#pragma once

#include <initializer_list>
#include <limits>

#include "spec/spec.h"

namespace dalea {

constexpr double no_limit = std::numeric_limits<double>::infinity();
constexpr int64_t most_units = 1000000;
constexpr int64_t most_count = 100000000;

using Choices = std::initializer_list<const char*>;

// V has: whole, real, flag, text, texts, choice, group, list, probability. `what` completes "X is not ...; give ...".
template <class V>
void describe_population(V& v, Population& p) {
  v.text("name", p.name);
  v.whole("size", p.size, 1, most_units, "a size", "a positive integer (at most 1,000,000)");
  v.sign("sign", p.sign);
  v.real("tau_s", p.tau_s, 0, 1e6, "a time constant",
         "seconds, at least network.dt_s, or 0 for units that do not leak");
  v.text("area", p.area);
  v.text("layer", p.layer);
  v.text("type", p.type);
}

template <class V>
void describe(V& v, Spec& s) {
  v.version();
  v.text("name", s.name);
  v.text("note", s.note);
  v.seed("seed", s.seed);
  v.whole("runs", s.runs, 1, 10000, "a number of runs", "1 to 10000");
  v.populations("populations", s.populations);
  v.group("structure", [&](V& u) {
    u.texts("areas", s.structure.areas);
    u.texts("layers", s.structure.layers);
    u.texts("types", s.structure.types);
    u.texts("signs", s.structure.signs);
    u.text("ratio", s.structure.ratio);
    u.whole("scale", s.structure.scale, 1, most_units, "a scale", "a positive integer");
  });
  v.group("network", [&](V& n) {
    n.choice("init", s.network.init, {"uniform", "lognormal", "xavier", "he"});
    n.real("init_sd", s.network.init_sd, 0.01, 5, "a standard deviation", "0.01 to 5");
    n.flag("train_recurrent", s.network.train_recurrent);
    n.activation("activation", s.network.activation);
    n.choice("feedback", s.network.feedback, {"published", "rectified", "plain"});
    n.flag("biases", s.network.biases);
    n.flag("balanced", s.network.balanced);
    n.real("dt_s", s.network.dt_s, 1e-9, 1e6, "a time step", "seconds, above 0");
    n.real("noise", s.network.noise, 0, 1e3, "a noise level", "0 (off) to 1000");
    n.flag("input_mask", s.network.input_mask);
    n.choice("readout", s.network.readout, {"all", "populations"});
    n.flag("train_readout", s.network.train_readout);
  });
  v.group("connectivity", [&](V& c) {
    c.probability("probability", s.connectivity.probability);
    c.choice("table", s.connectivity.table, {"none", "cell-types"});
    c.texts("motifs", s.connectivity.motifs);
    c.real("distance", s.connectivity.distance, 0, 1000, "a distance", "0 (off) or a width of the sheet, such as 0.2");
    c.flag("self_connections", s.connectivity.self_connections);
    c.choice("storage", s.connectivity.storage, {"auto", "dense", "sparse"});
  });
  v.group("connectome", [&](V& c) {
    ConnectomeSpec& k = s.connectome;
    c.choice("source", k.source, {"none", "file", "synthetic"});
    c.text("file", k.file);
    c.text("sha256", k.sha256);
    c.text("array", k.array);
    c.choice("orientation", k.orientation, {"row-to-column", "column-to-row"});
    c.text("kinds", k.kinds);
    c.text("names", k.names);
    c.text("signs", k.signs);
    c.choice("level", k.level, {"regions", "units"});
    c.text("densities", k.densities);
    c.choice("density_scaling", k.density_scaling, {"none", "rank", "ratio"});
    c.whole("neurons", k.neurons, 1, 100000, "a number of neurons", "1 or more");
    c.real("inhibitory", k.inhibitory, 0, 0.99, "a fraction", "0 to 0.99");
    c.real("target_sparsity", k.target_sparsity, 0, 1, "a fraction", "0 to 1");
    c.flag("intrinsic", k.intrinsic);
    c.real("intrinsic_sparsity", k.intrinsic_sparsity, 0, 1, "a fraction", "0 to 1");
    c.real("intrinsic_weight", k.intrinsic_weight, 0, 0.999999, "a share", "0 to below 1");
    c.flag("random_partition", k.random_partition);
    c.flag("keep_diagonal", k.keep_diagonal);
    c.flag("as_published", k.as_published);
    c.choice("remap", k.remap, {"none", "signed", "magnitude"});
    c.choice("null_model", k.null_model, {"none", "permuted", "rewired", "weights", "spatial", "density"});
    c.whole("null_seed", k.null_seed, 0, most_count, "a seed", "an integer from 0 up");
    c.choice("nodes", k.nodes, {"all", "recorded"});
    c.whole("nulls", k.nulls, 0, 9999, "a number of null networks", "0 to 9999");
    c.choice("against", k.against, {"permuted", "rewired", "weights", "spatial", "density"});
    c.whole("synthetic_regions", k.synthetic_regions, 2, 2000, "a number of regions", "2 to 2000");
    c.real("synthetic_distance", k.synthetic_distance, 0.001, 100, "a distance", "widths of the sheet, above 0");
    c.real("synthetic_density", k.synthetic_density, 0.001, 1, "a density", "0.001 to 1");
  });
  v.group("task", [&](V& t) {
    t.choice(
        "type", s.task.type,
        {"flip-flop", "wave", "digits", "recording", "sequence-memory", "n-back", "n-back-digits", "n-back-latent"});
    t.whole("steps", s.task.steps, 0, 100000, "a number of time steps", "1 to 100000 (0: the task's own)");
    t.whole("train", s.task.train, 0, most_count, "a number of trials", "a positive integer (0: the task's own)");
    t.whole("validation", s.task.validation, 0, most_count, "a number of trials",
            "a positive integer (0: the task's own)");
    t.whole("held_out", s.task.held_out, 0, most_count, "a number of trials", "a positive integer (0: the task's own)");
    t.real("event_probability", s.task.event_probability, 0, 1, "a probability", "0 to 1");
    t.flag("two_tone", s.task.two_tone);
    t.whole("length", s.task.length, 1, 10000, "a length", "1 or more");
    t.whole("back", s.task.back, 1, 10000, "a number of items", "1 or more, below task.length");
    t.flag("different_match", s.task.different_match);
    t.text("file", s.task.file);
    t.text("folder", s.task.folder);
    t.text("sha256", s.task.sha256);
  });
  v.group("recording", [&](V& r) {
    r.text("file", s.recording.file);
    r.text("sha256", s.recording.sha256);
    r.text("array", s.recording.array);
    r.choice("orientation", s.recording.orientation, {"auto", "time-by-unit", "unit-by-time"});
    r.texts("columns", s.recording.columns);
    r.texts("exclude", s.recording.exclude);
    r.real("rate_hz", s.recording.rate_hz, 0, 1e6, "a sampling rate", "frames per second (0: from a time column)");
    r.real("bin_s", s.recording.bin_s, 1e-6, 3600, "a bin", "seconds, above 0");
    r.text("condition", s.recording.condition);
    r.text("series", s.recording.series);
    r.group("suite2p", [&](V& f) {
      f.choice("signal", s.recording.suite2p.signal, {"dff", "corrected", "fluorescence", "spikes"});
      f.real("neuropil", s.recording.suite2p.neuropil, 0, 2, "a share", "0 to 2");
      f.flag("accepted", s.recording.suite2p.accepted);
      f.real("percentile", s.recording.suite2p.percentile, 0, 100, "a percentile", "0 to 100");
      f.real("window_s", s.recording.suite2p.window_s, 1e-3, 1e6, "a window", "seconds, above 0");
    });
    r.text("cells", s.recording.cells);
    r.choice("average", s.recording.average, {"none", "populations"});
    r.choice("smoothing", s.recording.smoothing, {"none", "causal", "centred"});
    r.real("smoothing_sd", s.recording.smoothing_sd, 1e-3, 1000, "a width", "frames, above 0");
    r.group("events", [&](V& e) {
      e.text("file", s.recording.events.file);
      e.text("label", s.recording.events.label);
      e.real("before_s", s.recording.events.before_s, 0, 1e6, "a time", "seconds, from 0 up");
      e.real("after_s", s.recording.events.after_s, 0, 1e6, "a time", "seconds, from 0 up");
      e.whole("first_frame", s.recording.events.first_frame, 0, 1000000, "a frame", "0-based, inside the window");
      e.whole("last_frame", s.recording.events.last_frame, 0, 1000000, "a frame", "0-based (0: the window's last)");
      e.whole("samples", s.recording.events.samples, 0, 10000000, "a number of samples", "0 (off) or more");
      e.whole("average_of", s.recording.events.average_of, 1, 1000000, "a number of trials", "1 or more");
      e.choice("channels", s.recording.events.channels, {"jointly", "independently"});
    });
    r.choice("split", s.recording.split, {"time", "trial", "unit"});
    r.choice("scale", s.recording.scale, {"z-score", "none"});
    r.real("train_fraction", s.recording.train_fraction, 0.01, 0.98, "a fraction", "0.01 to 0.98");
    r.real("validation_fraction", s.recording.validation_fraction, 0.01, 0.98, "a fraction", "0.01 to 0.98");
    r.whole("stride", s.recording.stride, 0, most_count, "a stride", "frames, at least 1 (0: chosen)");
    r.whole("warmup", s.recording.warmup, 0, 100000, "a warm-up", "steps, fewer than task.steps");
    r.choice("simulated", s.recording.simulated, {"circuit", "areas", "conditions"});
    r.whole("simulated_trials", s.recording.simulated_trials, 4, 100000, "a number of trials", "4 to 100000");
    r.real("simulated_correlation", s.recording.simulated_correlation, 0, 0.99, "a correlation", "0 to 0.99");
    r.whole("simulated_units", s.recording.simulated_units, 5, 2000, "a number of units", "5 to 2000");
    r.whole("simulated_frames", s.recording.simulated_frames, 100, 1000000, "a number of frames", "100 to 1000000");
    r.real("simulated_rate_hz", s.recording.simulated_rate_hz, 0.1, 1000, "a sampling rate", "0.1 to 1000 Hz");
    r.real("simulated_density", s.recording.simulated_density, 0.001, 1, "a density", "0.001 to 1");
    r.real("simulated_noise", s.recording.simulated_noise, 0, 10, "a noise level", "0 to 10");
    r.real("simulated_indicator_s", s.recording.simulated_indicator_s, 0.001, 100, "a decay", "seconds, 0.001 to 100");
    r.real("simulated_observed", s.recording.simulated_observed, 0.05, 1, "a fraction", "0.05 to 1");
    r.real("simulated_feedback", s.recording.simulated_feedback, 0, 10, "a factor", "0 to 10");
  });
  v.group("training", [&](V& t) {
    t.choice("constraint", s.training.constraint, {"dale", "conventional", "rectified", "rectified-forward"});
    t.group("optimizer", [&](V& o) {
      o.choice("type", s.training.optimizer.type, {"adam", "sgd", "rmsprop"});
      o.real("lr", s.training.optimizer.lr, 0, 1e30, "a learning rate", "a number from 0 up, such as 0.001");
      o.real("beta1", s.training.optimizer.beta1, 0, 0.999999, "a decay", "0 to below 1");
      o.real("beta2", s.training.optimizer.beta2, 0, 0.99999999, "a decay", "0 to below 1");
      o.real("epsilon", s.training.optimizer.epsilon, 1e-30, 1, "an epsilon", "1e-30 to 1");
      o.real("momentum", s.training.optimizer.momentum, 0, 0.999999, "a momentum", "0 to below 1");
      o.real("decay", s.training.optimizer.decay, 0, 0.999999, "a decay", "0 to below 1");
    });
    t.group("schedule", [&](V& c) {
      c.choice("type", s.training.schedule.type, {"constant", "cosine", "cosine-restarts"});
      c.whole("t_max", s.training.schedule.t_max, 1, 1000000, "a half period", "epochs, at least 1");
      c.real("lr_min", s.training.schedule.lr_min, 0, 1e30, "a learning rate", "a number from 0 up");
    });
    t.whole("epochs", s.training.epochs, 0, 1000000, "a number of epochs", "a positive integer (0: the task's own)");
    t.whole("batch", s.training.batch, 0, 65536, "a batch size", "1 to 65536 trials (0: the task's own)");
    t.flag("shuffle", s.training.shuffle);
    t.choice("checkpoint", s.training.checkpoint, {"last", "validation", "train"});
    t.choice("loss", s.training.loss, {"mse", "cross-entropy"});
    t.real("rate_l2", s.training.rate_l2, 0, 1e6, "a penalty", "a number from 0 up");
    t.real("weight_l2", s.training.weight_l2, 0, 1e6, "a penalty", "a number from 0 up");
    t.real("clip", s.training.clip, 0, 1e30, "a gradient norm", "a number above 0 (0: off)");
  });
  v.group("stages", [&](V& t) {
    t.flag("prune", s.stages.prune);
    t.choice("method", s.stages.method, {"top-prob", "random", "magnitude"});
    t.choice("motifs", s.stages.motifs, {"random", "top-prob", "magnitude"});
    t.flag("as_published", s.stages.as_published);
    t.whole("fine_tune", s.stages.fine_tune, 1, 1000000, "a number of epochs", "a positive integer");
  });
}

const char* sign_text(Sign s);
const char* activation_text(Activation a);

}  // namespace dalea
