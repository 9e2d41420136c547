// What the Prune tab's buttons and scripts do.
#include <algorithm>

#include "app/app.h"
#include "app/views.h"
#include "imgui.h"

namespace dalea::app {
namespace {

constexpr double copy_every_s = 1;   // while it trains
constexpr double lost_after_s = 10;  // a copy that did not come, for want of memory

}  // namespace

void App::prune_set(const std::string& json) {
  if (Status ok = change_settings(view.prune, json); !ok) return say(true, ok.error().text());
  view.tab = tab_prune;
  fresh_ = true;
}

void App::copy_for(PruneWish wish) {
  if (!now->setup) return say(true, "There is no network to prune yet; open an experiment first");
  if (now->setup->spec.units() > most_pruned_units)
    return say(true, "The window prunes at most " + std::to_string(most_pruned_units) +
                         " units; download the session and use dalea prune");
  view.tab = tab_prune;
  prune_wish_ = wish;
  live.pause();
  wish_copy_ = ++copies_asked_;
  live.copy_network(wish_copy_);
}

void App::prune_sweep() {
  if (pruning.view().sweeping) return;
  copy_for(PruneWish::sweep);
}

void App::prune_retrain(int64_t epochs) {
  retrain_epochs_ = epochs;
  copy_for(PruneWish::retrain);
}

void App::take_network(NetworkPtr network) {
  prune_network_ = network;
  copies_come_ = network->request;
  fresh_ = true;
  if (prune_wish_ == PruneWish::none || network->request != wish_copy_) return;
  const PruneWish wish = prune_wish_;
  prune_wish_ = PruneWish::none;
  if (wish == PruneWish::sweep) return pruning.sweep(std::move(network), view.prune);
  Result<PrunedPtr> start = pruned_start(view.prune, *network, retrain_epochs_);
  if (!start) return say(true, start.error().text());
  const std::string from =
      network->looked_back && now->setup
          ? " It starts from the network " + moment_text(*now->setup, network->updates) + ", which you looked back at."
          : "";
  say(false, "Training on under the mask: " + std::to_string((*start)->mask->count()) +
                 " connections are left, all others stay absent. Download the session to keep this network." + from);
  live.retrain(std::move(*start), true);
}

void App::prune_save(bool figure) {
  const std::shared_ptr<const SweepView> sweep = pruning.view().sweep;
  if (!sweep || sweep->sweep.points.empty()) return say(true, "There is no sweep to save yet; sweep first");
  const PruneStudy study = study_of(*sweep, isa_name(best_isa()), now->setup ? now->setup->threads : 1);
  if (!figure) return host.save_file(text_file("dalea-prune.csv", prune_csv(study)));
  if (!sweep->sweep.complete) return say(true, "The sweep was stopped before its end; sweep again for a figure");
  const std::optional<plot::Figure> drawn = prune_figure(study);
  if (!drawn) return say(true, "A figure against sparsity needs several; sweep the whole matrix, not per block");
  host.save_file(text_file("dalea-prune.svg", plot::to_svg(plot::drawing_of(*drawn))));
}

void App::follow_pruning() {
  if (!now->setup || now->setup->spec.units() > most_pruned_units) return;
  const double time = ImGui::GetTime();
  const bool current =
      prune_network_ && prune_network_->network == now->setup->serial && prune_network_->updates == shown_updates(*now);
  const bool waiting = copies_asked_ != copies_come_ && time - copy_asked_s_ < lost_after_s;
  const bool often = now->phase == Phase::running && time - copy_asked_s_ < copy_every_s && prune_network_;
  if (!current && !waiting && !often) {
    copy_asked_s_ = time;
    live.copy_network(++copies_asked_);
  }
  if (!prune_network_ || prune_network_->network != now->setup->serial) return;
  if (prune_asked_network_ == prune_network_ && prune_asked_ == view.prune) return;
  if (view.prune.blocks && !prunes_by_block(prune_network_->spec)) view.prune.blocks = false;
  prune_asked_network_ = prune_network_;
  prune_asked_ = view.prune;
  pruning.show(prune_network_, view.prune);
}

}  // namespace dalea::app
