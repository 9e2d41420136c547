// Fork and join over a fixed set of workers. Workers change speed, never results: callers split work so
// that no sum crosses a part.
#pragma once

#include <functional>
#include <memory>

namespace dalea {

class Workers {
 public:
  // threads >= 1; 1 (and any build without threads) runs everything on the calling thread.
  explicit Workers(int threads);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  int threads() const;
  // Calls part(0) .. part(parts - 1), each once, in any order, and waits. Part p runs on any thread.
  // Every worker runs with round-to-nearest and without flush-to-zero / denormals-are-zero,
  // and the caller's floating-point state is restored.
  template <class Part>
  void run(int parts, const Part& part) {
    run_parts(parts, std::cref(part));  // a reference: nothing is allocated
  }

 private:
  void run_parts(int parts, const std::function<void(int)>& part);

  struct Pool;
  std::unique_ptr<Pool> pool_;
};

bool threads_available();  // false in the wasm build without threads
int hardware_threads();    // at least 1

// IEEE defaults for the lifetime of the object (round to nearest, no FTZ, no DAZ); the old state comes back.
class FloatState {
 public:
  FloatState();
  ~FloatState();
  FloatState(const FloatState&) = delete;
  FloatState& operator=(const FloatState&) = delete;

 private:
  [[maybe_unused]] unsigned long long saved_ = 0;
};

}  // namespace dalea
