// What a link says about the window, and the session that is kept for the next visit.
#include <algorithm>

#include "app/app.h"

namespace dalea::app {
namespace {

constexpr double keep_every_s = 10;
constexpr double most_kept_bytes = 64e6;

}  // namespace

void App::take_view(const DecodedView& decoded) {
  link_view = decoded.view;
  for (const std::string& text : decoded.notices) say(false, text);
  if (link_view.theme) theme = *link_view.theme;
  if (link_view.pace) set_pace(*link_view.pace);
  if (link_view.compare) offer_comparison(*link_view.compare);
  link_view.compare.reset();  // the tab's from here on
}

std::string App::fragment() const {
  if (!now->setup) return {};
  LinkView with = link_view;
  with.compare = view.compare.linked;
  const std::string part = encode_view(with);
  return now->setup->link + (part.empty() ? "" : "&" + part);
}

LinkView App::chosen_view() const {
  const ShareState& s = view.share;
  LinkView chosen;
  chosen.title = s.title;
  chosen.note = s.note;
  chosen.hide_build = s.hide_build;
  chosen.hide_tabs = s.hide_tabs;
  chosen.hide_share = s.hide_share;
  chosen.hide_loss = s.hide_loss;
  chosen.hide_trial = s.hide_trial;
  if (s.with_theme) chosen.theme = theme;
  if (s.with_pace) chosen.pace = pace;
  chosen.compare = view.compare.linked;
  // The first tab is what a link opens anyway.
  if (view.open_tab != tab_weights) chosen.tab = view.open_tab_name;
  return chosen;
}

std::string App::view_link() const {
  const std::string part = encode_view(chosen_view());
  return host.page_address() + "#" + (now->setup ? now->setup->link : "") + (part.empty() ? "" : "&" + part);
}

void App::copy_view_link() {
  if (!now->setup) return;
  host.copy_text(view_link());
  say(false, "Link copied, with your title and what is hidden. Who opens it can show everything again.");
}

void App::show_everything() {
  link_view = {};
  host.show_link(fragment());
}

void App::keep() {
  const Snapshot& s = *now;
  if (!keeping_ || !host.keeps() || !s.setup || s.updates == 0) return;
  if (s.setup->serial == offer_network_) return;  // it would take the place of what is offered, or being read back
  if (s.setup->serial == kept_network_ && s.updates == kept_updates_) return;
  // Weights and two numbers of the optimizer for each.
  if (12 * static_cast<double>(s.setup->initial->values.size()) > most_kept_bytes) return;
  kept_network_ = s.setup->serial;
  kept_updates_ = s.updates;
  kept_epoch_ = s.epoch;
  kept_s_ = clock_s_;
  live.save(Download::keep);
}

// At the ends of epochs, not too often (a large session costs more), and when the training has come to a stop.
void App::follow_keeping(double now_s) {
  clock_s_ = now_s;
  const Snapshot& s = *now;
  if (!s.setup) return;
  if (offer_ && offer_network_ == 0) offer_network_ = s.setup->serial;
  if (offer_ && s.setup->serial != offer_network_) offer_.reset();
  const double since = now_s - kept_s_;
  const bool still = s.phase == Phase::paused || s.phase == Phase::finished;
  const bool epoch = s.setup->serial != kept_network_ || s.epoch != kept_epoch_;
  const double every = std::max(keep_every_s, 2e-6 * static_cast<double>(kept_bytes_));
  if ((still && since > 1) || (epoch && s.epoch > 0 && since > every)) keep();
}

void App::offer_kept(const Kept& kept) {
  offer_ = kept;
  offer_network_ = now->setup ? now->setup->serial : 0;
  fresh_ = true;
}

void App::continue_kept() {
  offer_.reset();
  continuing_ = true;
  host.open_kept();
}

void App::forget_kept() {
  offer_.reset();
  keeping_ = false;
  host.forget_kept();
  say(false, "Forgotten. Nothing more is kept until you open Dalea anew.");
}

}  // namespace dalea::app
