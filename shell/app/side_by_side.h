// Networks that learn side by side: a list of jobs, trained in turns by a few threads, or in pump() where there are
// none. The least advanced is trained next, so that those which began together stay together. No user interface here.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "app/live.h"

namespace dalea::app {

struct Job {
  std::string name;   // "dale, run 1"
  std::string group;  // "dale": what is averaged together
  std::shared_ptr<const Spec> spec;
  int64_t run = 0;
  bool show_weights = false;  // while it learns; they cost a copy now and then
};

enum class JobState { waiting, learning, finished, failed, stopped };
const char* job_text(JobState state);  // "learning", ...

struct JobView {
  Job job;
  JobState state = JobState::waiting;
  double progress = 0;                                      // 0 .. 1
  int64_t epoch = 0;                                        // finished ones
  std::shared_ptr<const std::vector<EpochRecord>> history;  // never null
  std::string hash;                                         // when it is over: 16 hexadecimal digits
  Audit audit;
  Confusion confusion;                        // held out, at the end of the last epoch; a task without classes has none
  std::string unit;                           // of the loss; empty before it began
  std::string failure;                        // failed: why
  std::shared_ptr<const MatrixView> weights;  // with show_weights; null before it began
  std::shared_ptr<const std::vector<std::byte>> session;  // when it is over: a session file
  bool over() const { return state != JobState::waiting && state != JobState::learning; }
};

struct SideView {
  bool running = false;  // something is left to do, paused or not
  bool paused = false;
  uint64_t version = 0;  // rises when anything changes
  double progress = 0;   // of all jobs
  double seconds = 0;    // of training, without pauses
  std::vector<JobView> jobs;
};

struct SideOptions {
  int threads = 0;          // 0: the machine's, at most eight
  bool own_threads = true;  // false: call pump()
  int together = 4;         // as many jobs as this learn at the same time, or one for each thread
  std::string platform;     // for the session files' provenance
};

// The trials of a job. Called from any thread, also from several at once.
using MakeData = std::function<Result<Dataset>(const Job&)>;
// Those of the open experiment's own sources: its recording, digits or vectors, as they were read.
MakeData data_of(std::shared_ptr<const Setup> setup);

class SideBySide {
 public:
  explicit SideBySide(const SideOptions& options);
  ~SideBySide();
  SideBySide(const SideBySide&) = delete;
  SideBySide& operator=(const SideBySide&) = delete;

  // Replaces the jobs; they begin in this order. An error: there are none, or the ones before are not stopped yet.
  Status start(std::vector<Job> jobs, MakeData make_data);
  void pause();
  void go_on();
  void stop();  // what has begun keeps what it has learnt, as a session; it ends after the step at hand
  SideView view() const;
  bool running() const;
  uint64_t version() const { return version_; }  // of what view() gives

  void pump(double seconds);  // without threads of its own: trains for about this long

 private:
  using Clock = std::chrono::steady_clock;
  struct Slot {
    JobView view;
    std::unique_ptr<Trainer> trainer;  // of whoever has set `taken`
    bool taken = false;
    Clock::time_point published{};
    double publish_cost = 0;
  };

  void work();
  Slot* take();  // the next to be trained, or null; with the mutex held
  void put_back(Slot& slot);
  void learn(Slot& slot, double seconds);  // one turn
  bool begin(Slot& slot);
  void publish(Slot& slot, JobState state, std::string failure);
  void settle();  // whether all is done; with the mutex held
  int at_once() const;

  SideOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::unique_ptr<Slot>> slots_;
  MakeData make_data_;
  bool running_ = false, paused_ = false, quit_ = false;
  std::atomic<bool> stop_{false}, hold_{false};
  std::atomic<uint64_t> version_{0};
  Clock::time_point since_{};  // training goes on since then
  double seconds_ = 0;         // before that
  std::vector<std::thread> threads_;
};

}  // namespace dalea::app
