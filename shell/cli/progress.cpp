#include "cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace dalea::cli {

Progress::Progress(const Trainer& trainer, bool quiet, std::string prefix)
    : trainer_(trainer),
      quiet_(quiet),
      terminal_(isatty(STDERR_FILENO) != 0),
      prefix_(std::move(prefix)),
      start_(std::chrono::steady_clock::now()),
      drawn_(start_ - std::chrono::seconds(1)),
      first_update_(trainer.updates()) {}

void Progress::update() {
  if (quiet_) return;
  if (terminal_) {
    const auto now = std::chrono::steady_clock::now();
    if (now - drawn_ < std::chrono::milliseconds(100)) return;
    drawn_ = now;
    draw(false);
    return;
  }
  const int tenths = static_cast<int>(trainer_.progress() * 10);
  if (tenths == tenths_) return;
  tenths_ = tenths;
  draw(false);
}

void Progress::finish() {
  if (quiet_ || !terminal_) return;
  draw(true);
  std::fputc('\n', stderr);
}

void Progress::draw(bool last) {
  const double part = trainer_.progress();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  const int64_t updates = trainer_.updates() - first_update_;
  const double rate = seconds > 0 ? static_cast<double>(updates) / seconds : 0;
  const double left =
      rate > 0
          ? static_cast<double>(trainer_.spec().all_epochs() * trainer_.batches_per_epoch() - trainer_.updates()) / rate
          : 0;
  char bar[25];
  for (int k = 0; k < 24; ++k) bar[k] = static_cast<double>(k) < part * 24 ? '#' : '.';
  bar[24] = 0;
  char validation[40] = "", accuracy[40] = "";
  if (!trainer_.history().empty()) {
    const EpochRecord& last = trainer_.history().back();
    if (std::isfinite(last.validation))
      std::snprintf(validation, sizeof validation, "  validation %.4g", last.validation);
    if (std::isfinite(last.held_out_accuracy))
      std::snprintf(accuracy, sizeof accuracy, "  held-out accuracy %.1f %%", 100 * last.held_out_accuracy);
  }
  const char* stage = trainer_.stage() == Stage::dense         ? "dense "
                      : trainer_.stage() == Stage::fine_tuning ? "fine-tuning "
                                                               : "";
  std::fprintf(stderr, "%s%s[%s] %3.0f %%  %sepoch %lld/%lld  loss %.4g%s%s  %.0f updates/s  %.0f s left%s",
               terminal_ ? "\r" : "", prefix_.c_str(), bar, part * 100, stage,
               static_cast<long long>(trainer_.stage_epoch()), static_cast<long long>(trainer_.stage_epochs()),
               trainer_.last_loss(), validation, accuracy, rate, last ? 0.0 : left, terminal_ ? "\x1b[K" : "\n");
  std::fflush(stderr);
}

RunsProgress::RunsProgress(int64_t runs, bool quiet)
    : quiet_(quiet),
      terminal_(isatty(STDERR_FILENO) != 0),
      start_(std::chrono::steady_clock::now()),
      runs_(static_cast<size_t>(runs)),
      drawn_(start_ - std::chrono::seconds(1)) {}

void RunsProgress::begun(int64_t run, double part) {
  One& one = runs_[static_cast<size_t>(run)];
  one.part = part;
  one.state = running;
  double given = given_;
  while (!given_.compare_exchange_weak(given, given + part)) {
  }
}

void RunsProgress::update(int64_t run, double part, double loss) {
  One& one = runs_[static_cast<size_t>(run)];
  one.part.store(part, std::memory_order_relaxed);
  one.loss.store(loss, std::memory_order_relaxed);
  if (quiet_) return;
  const std::unique_lock lock(drawing_, std::try_to_lock);  // whoever draws draws for all
  if (lock) draw();
}

void RunsProgress::ended(int64_t run) {
  One& one = runs_[static_cast<size_t>(run)];
  one.part = 1;
  one.state = over;
}

void RunsProgress::say(const std::string& text) {
  const std::lock_guard lock(drawing_);
  std::fprintf(stderr, "%s%s\n", terminal_ && !quiet_ ? "\r\x1b[K" : "", text.c_str());
}

void RunsProgress::finish() {
  if (quiet_ || !terminal_) return;
  const std::lock_guard lock(drawing_);
  drawn_ -= std::chrono::seconds(1);
  draw();
  std::fputc('\n', stderr);
}

void RunsProgress::draw() {
  const auto now = std::chrono::steady_clock::now();
  double sum = 0, least = INFINITY, most = -INFINITY;
  int64_t done = 0, learning = 0;
  for (const One& one : runs_) {
    sum += one.part;
    done += one.state == over ? 1 : 0;
    learning += one.state == running ? 1 : 0;
    const double loss = one.loss;
    if (one.state != running || !std::isfinite(loss)) continue;
    least = std::min(least, loss);
    most = std::max(most, loss);
  }
  const double all = static_cast<double>(runs_.size()), part = sum / all;
  if (terminal_) {
    if (now - drawn_ < std::chrono::milliseconds(100)) return;
    drawn_ = now;
  } else {
    const int tenths = static_cast<int>(part * 10);
    if (tenths == tenths_) return;
    tenths_ = tenths;
  }
  const double seconds = std::chrono::duration<double>(now - start_).count(), worked = sum - given_;
  const double left = worked > 0 ? seconds * (all - sum) / worked : 0;
  char bar[25], loss[60] = "";
  for (int k = 0; k < 24; ++k) bar[k] = static_cast<double>(k) < part * 24 ? '#' : '.';
  bar[24] = 0;
  if (least < most)
    std::snprintf(loss, sizeof loss, "  loss %.3g to %.3g", least, most);
  else if (least == most)
    std::snprintf(loss, sizeof loss, "  loss %.3g", least);
  std::fprintf(stderr, "%s[%s] %3.0f %%  %lld of %zu runs done, %lld learning%s  %.0f s left%s", terminal_ ? "\r" : "",
               bar, std::floor(part * 100 + 1e-9), static_cast<long long>(done), runs_.size(),
               static_cast<long long>(learning), loss, left, terminal_ ? "\x1b[K" : "\n");
  std::fflush(stderr);
}

}  // namespace dalea::cli
