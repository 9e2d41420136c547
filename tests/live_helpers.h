// The watched training in tests. Apart from window_helpers.h, which programs without doctest include, too.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <thread>

#include "app/live.h"
#include "helpers.h"

namespace dalea::testing {

// Waits for the trainer's thread, or does its work here.
inline std::shared_ptr<const app::Snapshot> until(app::Live& live,
                                                  const std::function<bool(const app::Snapshot&)>& good) {
  for (int k = 0; k < 20000; ++k) {
    live.pump(0.001);
    auto s = live.snapshot();
    if (good(*s)) return s;
    if (live.own_thread()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  FAIL("the snapshot waited for did not come");
  return live.snapshot();
}

}  // namespace dalea::testing
