#include "cli/progress.h"

#include <unistd.h>

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
          ? static_cast<double>(trainer_.spec().training.epochs * trainer_.batches_per_epoch() - trainer_.updates()) /
                rate
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
  std::fprintf(stderr, "%s%s[%s] %3.0f %%  epoch %lld/%lld  loss %.4g%s%s  %.0f updates/s  %.0f s left%s",
               terminal_ ? "\r" : "", prefix_.c_str(), bar, part * 100, static_cast<long long>(trainer_.epoch()),
               static_cast<long long>(trainer_.spec().training.epochs), trainer_.last_loss(), validation, accuracy,
               rate, last ? 0.0 : left, terminal_ ? "\x1b[K" : "\n");
  std::fflush(stderr);
}

}  // namespace dalea::cli
