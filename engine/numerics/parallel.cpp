#include "numerics/parallel.h"

#include <algorithm>
#include <atomic>

#ifndef DALEA_THREADS
#define DALEA_THREADS 1
#endif

#if DALEA_THREADS
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>
#endif

#if defined(__SSE2__) && !defined(__wasm__)
#include <immintrin.h>
#endif

namespace dalea {

// MXCSR: rounding 13-14, flush to zero 15, denormals are zero 6. AArch64 FPCR: rounding 22-23, flush to zero 24.
FloatState::FloatState() {
#if defined(__SSE2__) && !defined(__wasm__)
  saved_ = _mm_getcsr();
  _mm_setcsr(static_cast<unsigned>(saved_) & ~0xE040u);
#elif defined(__aarch64__)
  unsigned long long fpcr;
  __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
  saved_ = fpcr;
  fpcr &= ~(7ull << 22);
  __asm__ volatile("msr fpcr, %0" : : "r"(fpcr));
#endif
}

FloatState::~FloatState() {
#if defined(__SSE2__) && !defined(__wasm__)
  _mm_setcsr(static_cast<unsigned>(saved_));
#elif defined(__aarch64__)
  __asm__ volatile("msr fpcr, %0" : : "r"(saved_));
#endif
}

#if DALEA_THREADS

namespace {

void relax() {
#if defined(__SSE2__) && !defined(__wasm__)
  _mm_pause();
#endif
}

}  // namespace

// A generation counter starts a job; workers take part numbers from a shared counter until none is left.
struct Workers::Pool {
  explicit Pool(int threads) {
    // Spinning helps only where every worker has a core of its own.
    spin = threads <= hardware_threads() ? 2000 : 0;
    for (int k = 1; k < threads; ++k) helpers.emplace_back([this] { work(); });
  }

  ~Pool() {
    {
      const std::lock_guard lock(mutex);
      stop = true;
      generation.fetch_add(1, std::memory_order_release);
    }
    wake.notify_all();
    for (std::thread& t : helpers) t.join();
  }

  void work() {
    uint64_t seen = 0;
    for (;;) {
      for (int k = 0; k < spin && generation.load(std::memory_order_acquire) == seen; ++k) relax();
      if (generation.load(std::memory_order_acquire) == seen) {
        std::unique_lock lock(mutex);
        wake.wait(lock, [&] { return generation.load(std::memory_order_acquire) != seen; });
      }
      seen = generation.load(std::memory_order_acquire);
      if (stop) return;
      take_parts();
      if (busy.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        const std::lock_guard lock(mutex);
        done.notify_one();
      }
    }
  }

  void take_parts() {
    const FloatState ieee;
    for (int p = next.fetch_add(1, std::memory_order_relaxed); p < parts;
         p = next.fetch_add(1, std::memory_order_relaxed))
      (*job)(p);
  }

  void run(int count, const std::function<void(int)>& part) {
    {
      const std::lock_guard lock(mutex);
      job = &part;
      parts = count;
      next.store(0, std::memory_order_relaxed);
      busy.store(static_cast<int>(helpers.size()), std::memory_order_relaxed);
      generation.fetch_add(1, std::memory_order_release);
    }
    wake.notify_all();
    take_parts();
    for (int k = 0; k < spin && busy.load(std::memory_order_acquire) != 0; ++k) relax();
    if (busy.load(std::memory_order_acquire) == 0) return;
    std::unique_lock lock(mutex);
    done.wait(lock, [this] { return busy.load(std::memory_order_acquire) == 0; });
  }

  int spin = 0;
  std::mutex mutex;
  std::condition_variable wake, done;
  std::atomic<uint64_t> generation{0};
  std::atomic<int> next{0}, busy{0};
  const std::function<void(int)>* job = nullptr;
  int parts = 0;
  bool stop = false;
  std::vector<std::thread> helpers;
};

Workers::Workers(int threads) {
  if (threads > 1) pool_ = std::make_unique<Pool>(std::min(threads, 256));
}

int Workers::threads() const {
  return pool_ ? static_cast<int>(pool_->helpers.size()) + 1 : 1;
}

bool threads_available() {
  return true;
}

int hardware_threads() {
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

#else

struct Workers::Pool {
  void run(int, const std::function<void(int)>&) {}
};

Workers::Workers(int) {}
int Workers::threads() const {
  return 1;
}
bool threads_available() {
  return false;
}
int hardware_threads() {
  return 1;
}

#endif

Workers::~Workers() = default;

void Workers::run_parts(int parts, const std::function<void(int)>& part) {
  if (pool_ && parts > 1) {
    pool_->run(parts, part);
    return;
  }
  const FloatState ieee;
  for (int p = 0; p < parts; ++p) part(p);
}

}  // namespace dalea
