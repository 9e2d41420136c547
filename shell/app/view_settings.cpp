// Every key of the experiment, edited in place; what is wrong is said under the field it is about.
#include <cstring>

#include "app/circuit.h"
#include "app/editing.h"
#include "app/views.h"
#include "common/snippets.h"
#include "spec/fields.h"

namespace dalea::app {
namespace {

struct Words {
  const char *path, *label, *help;
};
// How the keys of the experiment file are called in the window. A key without an entry shows its own name.
constexpr Words words[] = {
    {"name", "Title", "Shown above and in file names."},
    {"note", "Note", "A sentence for the reader."},
    {"seed", "Seed", "The same seed gives the same weights, trials and hash on every machine."},
    {"runs", "Runs", "Independent networks. The window trains the first one; the command line trains all."},
    {"network.activation", "Activation", "Nonlinearity of every unit."},
    {"network.feedback", "Fed back",
     "published: rectified under Dale's law, plain otherwise, as in the paper's code. rectified or plain: the same in "
     "every condition."},
    {"network.biases", "Biases", "Trainable bias of every unit."},
    {"network.balanced", "Balanced start", "Scales inhibitory weights by n_E / n_I at initialisation."},
    {"network.dt_s", "Time step (s)", "One step of the simulation, in seconds."},
    {"network.noise", "State noise", "Standard deviation added to the state while training; 0: none."},
    {"network.readout", "Readout",
     "all: the task's own readout of every unit. populations: output c reads population c alone."},
    {"network.train_readout", "Train the readout",
     "Off: it keeps its initial weights, so the states must carry the signal."},
    {"network.input_mask", "Input mask",
     "On: channel c reaches population c alone, so what one population tells another must travel through the recurrent "
     "weights. Off, as published: every unit sees every channel, so those weights need not carry it."},
    {"network.init", "Initial weights",
     "Of the recurrent matrix: uniform up to 1 / sqrt N, lognormal of the same mean, or the bounds of Xavier and He, "
     "which hold for input and readout too."},
    {"network.init_sd", "Lognormal sd", "Standard deviation of the logarithm of the weights' magnitudes."},
    {"network.train_recurrent", "Train the recurrent weights",
     "Off: they keep their initial values; input and readout learn."},
    {"structure.areas", "Areas", "Separated by commas; empty: one without a name."},
    {"structure.layers", "Layers", "Separated by commas; empty: one without a name."},
    {"structure.types", "Types", "Cell types; populations are every area, layer and type."},
    {"structure.signs", "Signs", "One for each type: +, - or free."},
    {"structure.ratio", "Ratio", "Of the types' sizes, as 12:2:1; empty: equal."},
    {"structure.scale", "Scale", "A population has its part of the ratio times this many units."},
    {"connectivity.table", "Table",
     "cell-types: published probabilities inside each area, by layer and type. Rules add up with each other."},
    {"connectivity.motifs", "Motifs",
     "V1 L23 Pyr -> LM L4: 0.3, separated by commas; the Build tab has a line for each."},
    {"connectivity.distance", "Distance",
     "Inside an area the probability falls by 1/e over this distance, in widths of its sheet; 0: no distance."},
    {"connectome.source", "Connectome",
     "synthetic: areas wired by a distance rule. file: the matrix or list of links dropped on this window. It makes "
     "the "
     "populations."},
    {"connectome.orientation", "Orientation",
     "What an entry of the matrix is: row projects to column, or the reverse."},
    {"connectome.array", "Array", "Of a file with several; empty: the largest square one."},
    {"connectome.kinds", "Kinds of links", "Of a list with kinds: those to use, separated by commas; empty: all."},
    {"connectome.level", "Nodes are",
     "regions: each becomes a population of several neurons. units: nodes are the units of the populations."},
    {"connectome.density_scaling", "Density scaling",
     "How neuron densities become numbers of neurons: none, their rank, or their ratio to the least dense region."},
    {"connectome.neurons", "Neurons", "Of each region; with a scaling: of the least dense one."},
    {"connectome.inhibitory", "Inhibitory part", "Fraction of each region's neurons; 0: one population of its sign."},
    {"connectome.target_sparsity", "Targets", "Fraction of a target region's neurons that a neuron reaches."},
    {"connectome.intrinsic", "Within regions", "Connections within a region too."},
    {"connectome.intrinsic_sparsity", "Targets within", "Fraction of its own region's neurons that a neuron reaches."},
    {"connectome.intrinsic_weight", "Intrinsic weight", "Share of a region's weight that stays within it."},
    {"connectome.random_partition", "Random weights", "A block's weight is split at random, not evenly."},
    {"connectome.keep_diagonal", "Own targets", "Neurons may connect to themselves."},
    {"connectome.as_published", "As published",
     "With the published code's column sums and transposed network (SEEDS Q23, Q26)."},
    {"connectome.remap", "Initial ranks",
     "Strong links start with large weights. signed: as published, weak links become negative. magnitude: with the "
     "column's sign."},
    {"connectome.null_model", "Null model",
     "In place of the measured topology. permuted: as published. rewired: degrees kept. weights: shuffled on it. "
     "spatial: distances kept. density: links at random."},
    {"connectome.null_seed", "Null model's seed", ""},
    {"connectome.nodes", "Nodes", "recorded: only those that the recording has a unit for, by name."},
    {"connectome.nulls", "Nulls to test against",
     "Networks under the null model below that the measured wiring is compared with (the Wiring tab); 0: no test."},
    {"connectome.against", "Tested against", "The null model of those."},
    {"connectome.synthetic_regions", "Regions", "Of the synthetic connectome."},
    {"connectome.synthetic_distance", "Decay length", "Of a link's probability and weight, in widths of the sheet."},
    {"connectome.synthetic_density", "Density", "Links among all pairs of regions."},
    {"connectivity.self_connections", "Self-connections", "A unit may connect to itself."},
    {"connectivity.storage", "Storage", "How the mask is computed with. The bits are the same."},
    {"task.type", "Task",
     "flip-flop: remember the last pulse. wave: reconstruct two waves. digits: read a handwritten digit row by row. "
     "recording: predict its next frame. sequence-memory: give the values back in order. n-back: was the last item "
     "shown some items before? n-back-latent: the same with vectors from a file that you drop on this window."},
    {"task.steps", "Steps a trial", "Time steps of one trial, or of one window of a recording."},
    {"task.train", "Training trials", ""},
    {"task.validation", "Validation trials", ""},
    {"task.held_out", "Held-out trials", "Never trained on; every reported held-out loss comes from these."},
    {"task.event_probability", "Pulse probability", "Chance of a pulse at every step."},
    {"task.length", "Length",
     "Values to remember, or items shown. A trial needs as many steps as its length asks for."},
    {"task.back", "Items back", "The item to compare the last one with."},
    {"task.different_match", "Another image",
     "A match shows another image (or vector) of the same class, not the same one."},
    {"task.two_tone", "Both tones", "Off: the first sine alone, as the published code does."},
    {"recording.array", "Array", "Which one of a .mat or .npz file; empty: the one that Dalea suggests."},
    {"recording.orientation", "Orientation", "Which way round the file's matrix is."},
    {"recording.columns", "Only units", "Names or numbers separated by commas; empty: all."},
    {"recording.exclude", "Leave out", "Names or numbers separated by commas."},
    {"recording.rate_hz", "Rate (Hz)", "Frames per second; 0: from a time column, else unknown."},
    {"recording.bin_s", "Bin (s)", "Spike times (NWB units) are counted in bins of this width."},
    {"recording.condition", "Condition", "Of a long table (one value a row): rows of this condition."},
    {"recording.series", "Series", "Of a long table: rows of this series."},
    {"recording.suite2p.signal", "Signal",
     "dff: F minus the neuropil's share, against its rolling percentile. corrected: without the baseline. "
     "fluorescence: F. spikes: spks."},
    {"recording.suite2p.neuropil", "Neuropil share", "Part of Fneu taken off F."},
    {"recording.suite2p.accepted", "Accepted cells", "Only the cells that iscell accepts."},
    {"recording.suite2p.percentile", "Baseline percentile", "Of the rolling baseline."},
    {"recording.suite2p.window_s", "Baseline window (s)", "Width of the rolling baseline."},
    {"recording.average", "Average", "populations: units of one area, layer and type become one channel."},
    {"recording.smoothing", "Smoothing",
     "causal: from past frames only. centred: as published; it lets the next frame leak into the input."},
    {"recording.smoothing_sd", "Smoothing sd (frames)", "Of the Gaussian."},
    {"recording.events.label", "Events", "Only events of this kind; empty: all."},
    {"recording.events.before_s", "Before (s)", "Of each window, before its event."},
    {"recording.events.after_s", "After (s)", "Of each window, after its event."},
    {"recording.events.first_frame", "First frame", "Of each window, from 0."},
    {"recording.events.last_frame", "Last frame", "Of each window; 0: to its end."},
    {"recording.events.samples", "Averaged samples",
     "Bootstrap-averaged trials of each part; 0: the trials themselves."},
    {"recording.events.average_of", "Trials a sample", "Drawn with replacement and averaged."},
    {"recording.events.channels", "Drawn",
     "jointly: the same trials for every unit. independently: as published; what units share is lost."},
    {"recording.split", "Held out by",
     "time: the last frames. trial: whole events. unit: the last units, predicted from the others."},
    {"recording.scale", "Scaling", "z-score is fitted on the training part alone."},
    {"recording.train_fraction", "Training part", "Fraction of the frames, from the start."},
    {"recording.validation_fraction", "Validation part", "Fraction after the training part; the rest is held out."},
    {"recording.stride", "Window stride", "Frames between starts of training windows; 0: half a window."},
    {"recording.warmup", "Warm-up steps", "First steps of every window that are not scored."},
    {"recording.simulated", "Simulated data",
     "While no file is given: a Dale circuit, one of two areas whose feedback can be set (each run another session), "
     "or "
     "trials of cell types around image changes and omissions (recording.condition says which)."},
    {"recording.simulated_trials", "Simulated trials", ""},
    {"recording.simulated_correlation", "Shared noise", "Correlation of the populations' noise in a trial."},
    {"recording.simulated_units", "Simulated units", "Of the built-in Dale circuit, used while no file is given."},
    {"recording.simulated_frames", "Simulated frames", ""},
    {"recording.simulated_rate_hz", "Simulated rate (Hz)", "Frames per second."},
    {"recording.simulated_density", "Circuit's density", "Probability of a connection in the simulated circuit."},
    {"recording.simulated_noise", "Measurement noise", "Standard deviation."},
    {"recording.simulated_indicator_s", "Indicator decay (s)", "Of the calcium indicator."},
    {"recording.simulated_observed", "Observed units", "Fraction of the circuit's units that is recorded."},
    {"recording.simulated_feedback", "Feedback", "Factor on the weights from LM to V1 in the circuit of two areas."},
    {"training.constraint", "Constraint",
     "dale: signs are projected after every update. conventional: none. rectified: as the published code has it, which "
     "destroys inhibition. rectified-forward: Song et al. 2016."},
    {"training.optimizer.type", "Optimizer", ""},
    {"training.optimizer.lr", "Learning rate", ""},
    {"training.optimizer.beta1", "Beta 1", "Adam: decay of the first moment."},
    {"training.optimizer.beta2", "Beta 2", "Adam: decay of the second moment."},
    {"training.optimizer.epsilon", "Epsilon", ""},
    {"training.optimizer.momentum", "Momentum", ""},
    {"training.optimizer.decay", "Decay", "RMSprop: decay of the squared gradient."},
    {"training.schedule.type", "Schedule", "cosine: as published, it is not restarted and rises again."},
    {"training.schedule.t_max", "Half period", "Epochs from the largest to the smallest learning rate."},
    {"training.schedule.lr_min", "Smallest rate", ""},
    {"training.epochs", "Epochs", ""},
    {"training.batch", "Batch size", "Trials of one update."},
    {"training.shuffle", "Shuffle", "A new order of the trials every epoch; off: the first epoch's."},
    {"training.checkpoint", "Weights kept",
     "At the end of a stage: the last epoch's, or those of the epoch with the least validation or train loss."},
    {"stages.prune", "Train, prune, fine-tune",
     "Trains with every connection first, then prunes each block to its probability and trains on what is left."},
    {"stages.method", "Pruning", "How the connections of a block are chosen; top-prob: in proportion to their size."},
    {"stages.motifs", "Motifs' pruning", "Of blocks that only a motif makes; random: as published, a mask."},
    {"stages.as_published", "As published", "The published formulas and checkpoint threshold, with their faults."},
    {"stages.fine_tune", "Fine-tuning epochs", "After pruning, with a fresh optimizer and schedule."},
    {"training.loss", "Loss", ""},
    {"training.rate_l2", "Rate penalty", "Times the mean squared rate."},
    {"training.weight_l2", "Weight penalty", "Times the sum of squared recurrent weights."},
    {"training.clip", "Gradient clip", "Largest global norm; 0: off."},
};

const Words* words_of(const std::string& path) {
  for (const Words& w : words)
    if (path == w.path) return &w;
  return nullptr;
}

bool connectome_applies(const std::string& key, const ConnectomeSpec& k) {
  const auto is = [&](const char* name) { return key == name; };
  if (is("source")) return true;
  if (k.source == "none" || is("file") || is("sha256") || is("names") || is("signs") || is("densities")) return false;
  if (is("null_seed")) return k.null_model != "none";
  if (is("against")) return k.nulls > 0;
  if (is("orientation") || is("array") || is("kinds")) return k.source == "file";
  if (key.rfind("synthetic_", 0) == 0) return k.source == "synthetic";
  const bool of_regions = is("density_scaling") || is("neurons") || is("inhibitory") || is("target_sparsity") ||
                          key.rfind("intrinsic", 0) == 0 || is("random_partition");
  if (is("intrinsic_sparsity") || is("intrinsic_weight")) return k.level == "regions" && k.intrinsic;
  return !of_regions || k.level == "regions";
}

// Whether a key means anything for this experiment.
bool applies(const std::string& path, const Spec& s) {
  const std::string& task = s.task.type;
  const std::string& optimizer = s.training.optimizer.type;
  const auto is = [&](const char* p) { return path == p; };
  if (is("task.event_probability")) return task == "flip-flop";
  if (is("task.two_tone")) return task == "wave";
  if (is("task.length")) return task == "sequence-memory" || task.rfind("n-back", 0) == 0;
  if (is("task.back")) return task.rfind("n-back", 0) == 0;
  if (is("task.different_match")) return task == "n-back-digits" || task == "n-back-latent";
  if (is("task.file")) return false;
  if (is("task.train") || is("task.validation") || is("task.held_out")) return task != "recording";
  if (is("network.init_sd")) return s.network.init == "lognormal";
  if (is("training.loss")) return task == "flip-flop";
  if (is("stages.motifs")) return s.stages.prune && !s.connectivity.motifs.empty();
  if (path.rfind("stages.", 0) == 0 && !is("stages.prune")) return s.stages.prune;
  if (is("recording.file") || is("recording.sha256") || is("recording.cells") || is("recording.events.file") ||
      is("task.folder") || is("task.sha256"))
    return false;
  if (path.rfind("connectome.", 0) == 0) return connectome_applies(path.substr(11), s.connectome);
  if (path.rfind("recording.simulated", 0) == 0) {
    const bool trials = is("recording.simulated_trials") || is("recording.simulated_correlation");
    return s.recording.sha256.empty() &&
           (is("recording.simulated") ||
            (is("recording.simulated_feedback") ? s.recording.simulated == "areas"
                                                : trials == (s.recording.simulated == "conditions")));
  }
  if (is("recording.columns") || is("recording.exclude") || is("recording.orientation") || is("recording.array"))
    return !s.recording.sha256.empty();
  if (is("training.optimizer.beta1") || is("training.optimizer.beta2")) return optimizer == "adam";
  if (is("training.optimizer.epsilon")) return optimizer != "sgd";
  if (is("training.optimizer.momentum")) return optimizer == "sgd";
  if (is("training.optimizer.decay")) return optimizer == "rmsprop";
  if (is("training.schedule.t_max") || is("training.schedule.lr_min")) return s.training.schedule.type != "constant";
  return true;
}

// Walks the one table of keys (spec/fields.h); draws the groups it is told to.
class Editor {
 public:
  Editor(App& app, const char* only) : app_(app), only_(only) {}
  bool changed = false;

  void version() {}
  void text(const char* key, std::string& v) {
    row(key, [&] { return input_text("##v", v); });
  }
  void texts(const char* key, std::vector<std::string>& v) {
    row(key, [&] {
      std::string all;
      for (const std::string& s : v) all += (all.empty() ? "" : ", ") + s;
      if (!input_text("##v", all, 4000)) return false;
      v.clear();
      std::string one;
      for (char c : all + ",") {
        if (c != ',') {
          if (c != ' ' || !one.empty()) one += c;
        } else if (!one.empty()) {
          v.push_back(one);
          one.clear();
        }
      }
      return true;
    });
  }
  void flag(const char* key, bool& v) {
    row(key, [&] { return ImGui::Checkbox("##v", &v); });
  }
  void real(const char* key, double& v, double, double, const char*, const char*) {
    row(key, [&] { return ImGui::InputDouble("##v", &v, 0, 0, "%.6g"); });
  }
  void whole(const char* key, int64_t& v, int64_t, int64_t, const char*, const char*) {
    row(key, [&] { return ImGui::InputScalar("##v", ImGuiDataType_S64, &v); });
  }
  void seed(const char* key, uint64_t& v) {
    row(key, [&] { return ImGui::InputScalar("##v", ImGuiDataType_U64, &v); });
  }
  void choice(const char* key, std::string& v, Choices choices) {
    row(key, [&] {
      bool picked = false;
      if (ImGui::BeginCombo("##v", v.c_str())) {
        for (const char* c : choices)
          if (ImGui::Selectable(c, v == c) && v != c) {
            v = c;
            picked = true;
          }
        ImGui::EndCombo();
      }
      return picked;
    });
  }
  void activation(const char* key, Activation& v) {
    row(key, [&] {
      bool picked = false;
      if (ImGui::BeginCombo("##v", activation_text(v))) {
        for (Activation a : {Activation::tanh, Activation::relu, Activation::softplus, Activation::sigmoid})
          if (ImGui::Selectable(activation_text(a), v == a) && v != a) {
            v = a;
            picked = true;
          }
        ImGui::EndCombo();
      }
      return picked;
    });
  }
  void sign(const char*, Sign&) {}
  void probability(const char* key, std::vector<std::vector<double>>& p);
  void populations(const char*, std::vector<Population>& list);

  template <class F>
  void group(const char* key, F&& inner) {
    const std::string before = prefix_;
    const bool outer = prefix_.empty();
    if (outer && std::strcmp(key, only_) != 0) return;
    prefix_ += std::string(key) + ".";
    if (outer) {
      drawing_ = true;
      inner(*this);
      drawing_ = false;
    } else {
      inner(*this);
    }
    prefix_ = before;
  }

 private:
  template <class F>
  void row(const char* key, F&& widget) {
    const std::string path = prefix_ + key;
    const bool mine = prefix_.empty() ? std::strcmp(only_, "head") == 0 : drawing_;
    if (!mine || !applies(path, app_.draft)) return;
    const Words* w = words_of(path);
    const float label = 132 * app_.scale;
    ImGui::PushID(path.c_str());
    ImGui::AlignTextToFramePadding();
    ImGui::TextUnformatted(w ? w->label : key);
    if (w && *w->help && ImGui::IsItemHovered(ImGuiHoveredFlags_DelayShort)) help(w->help);
    ImGui::SameLine(label);
    ImGui::SetNextItemWidth(-1);
    const std::string problem = app_.problem_at(path);
    if (!problem.empty()) ImGui::PushStyleColor(ImGuiCol_Border, palette(app_.theme).bad);
    changed = widget() || changed;
    if (!problem.empty()) ImGui::PopStyleColor();
    app_.track("field:" + path);
    if (w && *w->help && ImGui::IsItemHovered(ImGuiHoveredFlags_DelayNormal)) help(w->help);
    say_problem(app_, problem);
    ImGui::PopID();
  }
  void help(const char* text) {
    ImGui::SetNextWindowSize({300 * app_.scale, 0});
    ImGui::BeginTooltip();
    ImGui::PushTextWrapPos(0);
    ImGui::TextUnformatted(text);
    ImGui::PopTextWrapPos();
    ImGui::EndTooltip();
  }

  App& app_;
  const char* only_;
  std::string prefix_;
  bool drawing_ = false;
};

void Editor::populations(const char*, std::vector<Population>&) {
  if (std::strcmp(only_, "populations") == 0) changed = edit_populations(app_) || changed;
}

constexpr size_t most_columns = 6;  // of a table in the rail; the Build tab has room for more

void Editor::probability(const char* key, std::vector<std::vector<double>>& p) {
  if (!drawing_) return;
  const float u = app_.scale;
  const std::string path = prefix_ + key;
  const size_t n = app_.draft.populations.size();
  int kind = static_cast<int>(wiring_of(app_.draft));
  ImGui::AlignTextToFramePadding();
  ImGui::TextUnformatted("Connections");
  ImGui::SameLine(132 * u);
  ImGui::SetNextItemWidth(-1);
  if (ImGui::Combo("##kind", &kind, "all exist\0one probability\0one per block\0")) {
    set_wiring(app_.draft, static_cast<Wiring>(kind));
    changed = true;
  }
  app_.track("field:" + path);
  const Wiring wiring = wiring_of(app_.draft);
  if (wiring == Wiring::one) {
    ImGui::AlignTextToFramePadding();
    ImGui::TextUnformatted("Probability");
    ImGui::SameLine(132 * u);
    ImGui::SetNextItemWidth(-1);
    changed = ImGui::InputDouble("##p", &p[0][0], 0, 0, "%.4g") || changed;
  }
  if (wiring == Wiring::blocks && wiring_fits(app_.draft) && n <= most_columns &&
      ImGui::BeginTable("blocks", static_cast<int>(n) + 1, ImGuiTableFlags_SizingStretchSame)) {
    ImGui::PushFont(fonts.small);
    ImGui::TableNextColumn();
    ImGui::TextDisabled("to \\ from");
    for (size_t j = 0; j < n; ++j) {
      ImGui::TableNextColumn();
      ImGui::TextUnformatted(app_.draft.populations[j].name.c_str());
    }
    for (size_t i = 0; i < n; ++i) {
      ImGui::TableNextColumn();
      ImGui::AlignTextToFramePadding();
      ImGui::TextUnformatted(app_.draft.populations[i].name.c_str());
      for (size_t j = 0; j < n; ++j) {
        ImGui::TableNextColumn();
        ImGui::PushID(static_cast<int>(i * n + j));
        ImGui::SetNextItemWidth(-1);
        changed = ImGui::InputDouble("##p", &p[i][j], 0, 0, "%.3g") || changed;
        ImGui::PopID();
      }
    }
    ImGui::PopFont();
    ImGui::EndTable();
  }
  if (ImGui::Button("Edit as a matrix or a circuit", {-1, 0})) app_.view.tab = tab_build;
  app_.track("open-build");
  for (const Error& e : app_.problems)
    if (e.path.rfind(path, 0) == 0) say_problem(app_, e.message);
}

}  // namespace

void draw_settings(App& app) {
  const std::string task_before = app.draft.task.type;
  const int64_t length_before = app.draft.task.length;
  bool changed = false;
  const auto section = [&](const char* title, const char* group, bool open) {
    const bool wrong = [&] {
      for (const Error& e : app.problems)
        if (e.path.rfind(group, 0) == 0) return true;
      return false;
    }();
    if (wrong) ImGui::PushStyleColor(ImGuiCol_Text, palette(app.theme).bad);
    ImGui::PushFont(fonts.medium);
    const bool shown = ImGui::CollapsingHeader(title, open ? ImGuiTreeNodeFlags_DefaultOpen : ImGuiTreeNodeFlags_None);
    ImGui::PopFont();
    if (wrong) ImGui::PopStyleColor();
    app.track(std::string("section:") + group);
    if (!shown) return;
    ImGui::PushID(group);
    Editor editor(app, group);
    describe(editor, app.draft);
    changed = changed || editor.changed;
    ImGui::PopID();
    ImGui::Spacing();
  };
  section("Populations", "populations", true);
  if (!app.draft.structure.types.empty()) section("Structure", "structure", false);
  section("Training", "training", true);
  section("Stages", "stages", app.draft.stages.prune);
  section("Task", "task", false);
  if (app.draft.task.type == "recording") section("Recording", "recording", false);
  section("Connectome", "connectome", false);
  section("Connectivity", "connectivity", false);
  section("Network", "network", false);
  section("Title and seed", "head", false);
  if (changed) {
    if (app.draft.task.type != task_before) {  // the new task's own numbers
      TaskSpec& t = app.draft.task;
      t.steps = t.train = t.validation = t.held_out = 0;
      app.draft.training.epochs = app.draft.training.batch = 0;
      app.draft.training.loss.clear();
      t.sha256.clear();
      app.draft.recording.sha256.clear();
      app.draft.recording.array.clear();
      fill_defaults(app.draft);
    } else if (app.draft.task.length != length_before) {  // as many steps as it takes
      app.draft.task.steps = 0;
      fill_defaults(app.draft);
    }
    app.draft_edited();
  }
}

// The one thing to do next stays in sight at the rail's foot.
void draw_apply(App& app) {
  const float u = app.scale, height = 34 * u, width = ImGui::GetContentRegionAvail().x;
  const Palette& p = palette(app.theme);
  // Too large for this program alone: the one thing to do is to take it elsewhere.
  const bool large =
      app.problems.size() == 1 && app.problem_at("populations").find("MiB allowed here") != std::string::npos;
  ImGui::BeginDisabled(!app.problems.empty() && !large);
  ImGui::PushStyleColor(ImGuiCol_Button, p.accent);
  ImGui::PushStyleColor(ImGuiCol_ButtonHovered, p.accent);
  ImGui::PushStyleColor(ImGuiCol_Text, p.on_accent);
  if (ImGui::Button(large ? "Copy the native command" : "Train with these settings", {width - 90 * u, height})) {
    if (large) {
      app.host.copy_text(native_snippet(encode_link(app.draft)));
      app.say(false, "Copied: paste it into a terminal in Dalea's folder, on a machine with the memory.");
    } else {
      app.train_draft();
    }
  }
  ImGui::PopStyleColor(3);
  app.track("apply");
  ImGui::EndDisabled();
  ImGui::SameLine(0, 8 * u);
  if (ImGui::Button("Undo", {82 * u, height}) && app.now->setup) {
    app.draft = app.now->setup->spec;
    app.draft_edited();
  }
  app.track("undo");
}

}  // namespace dalea::app
