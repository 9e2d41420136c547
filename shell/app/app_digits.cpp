// The digits in the window: files dropped one by one, and the small set that the page brings along.
#include <algorithm>

#include "app/app.h"
#include "common/reproduce_bio.h"
#include "numerics/parallel.h"

namespace dalea::app {

// Only the newest message about the digits stays.
void App::say_digits(bool error, const std::string& text) {
  notices_.erase(
      std::remove_if(notices_.begin(), notices_.end(), [this](const Notice& n) { return n.text == digits_notice_; }),
      notices_.end());
  digits_notice_ = text;
  fresh_ = true;
  if (!text.empty()) say(error, text);
}

void App::give_digits(const FilePtr& file) {
  if (const Status ok = dropped_digits_.take(file); !ok) return say_digits(true, ok.error().text());
  if (!dropped_digits_.complete()) return say_digits(false, dropped_digits_.text());
  say_digits(false, "");
  live.give_digit_files(dropped_digits_.files(), false);
}

void App::give_bundled_digits(NamedFile file) {
  if (live.snapshot()->digits) return;  // somebody gave others meanwhile
  if (const Status ok = bundled_digits_.take(std::make_shared<NamedFile>(std::move(file))); !ok)
    return say_digits(true, ok.error().text());
  if (!bundled_digits_.complete()) return;
  live.give_digit_files(bundled_digits_.files(), true);
  bundled_digits_.clear();
}

void App::digits_missing(const std::string& why) {
  waiting_reproduction_.reset();
  say_digits(true,
             "This experiment needs the digits, and " + why +
                 ". Drop the four IDX files (train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, "
                 "t10k-labels-idx1-ubyte; .gz too) on this window: then it starts.");
}

void App::start_reproduction(const reproduce::Options& options) {
  live.pause();
  view.tab = tab_reproduce;
  view.reproduce_planted = false;
  view.reproduce_forward = true;
  const bool bio = options.figure == reproduce::Paper::bio;
  if (bio && options.wirings.empty() && now->setup && now->setup->spec.connectome.source == "file" &&
      now->setup->spec.measured) {
    reproduce::Options measured = options;
    measured.wirings.push_back(reproduce::wiring_of(now->setup->spec.connectome.file, now->setup->spec.measured));
    return start_reproduction(measured);
  }
  const bool needed = !bio && (options.tasks.empty() ||
                               std::find(options.tasks.begin(), options.tasks.end(), "digits") != options.tasks.end());
  DigitsPtr digits = now->digits;
  if (needed && digits == nullptr && find_digits_) {
    Result<Digits> found = find_digits_();
    if (!found) return say_digits(true, found.error().text());
    digits = std::make_shared<const Digits>(std::move(*found));
    live.give_digits(digits);
  }
  if (needed && digits == nullptr && host.fetch_digits()) {
    waiting_reproduction_ = options;
    return say_digits(false, "Fetching 10,000 handwritten digits (2 MB): the reproduction starts when they are here.");
  }
  const int threads = threads_available() ? std::min(4, hardware_threads()) : 1;
  reproducer.start(options, digits, threads, now->setup ? now->setup->isa : "");
}

void App::start_planted(const planted::Options& options) {
  live.pause();
  view.tab = tab_reproduce;
  view.reproduce_planted = true;
  view.planted = options;
  planted.start(options, std::min(4, hardware_threads()), now->setup ? now->setup->isa : "");
}

void App::follow_digits() {
  if (now->digits_asked != digits_asked_seen_) {
    digits_asked_seen_ = now->digits_asked;
    if (host.fetch_digits())
      say_digits(false, "Fetching 10,000 handwritten digits (2 MB): the experiment starts when they are here.");
  }
  if (waiting_reproduction_ && now->digits != nullptr) {
    const reproduce::Options options = *waiting_reproduction_;
    waiting_reproduction_.reset();
    start_reproduction(options);
  }
  if (now->digits != digits_seen_) {
    digits_seen_ = now->digits;
    dropped_digits_.clear();
    say_digits(false, "");
  }
}

}  // namespace dalea::app
