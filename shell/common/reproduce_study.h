// The work of a reproduction, in pieces that several threads may take, or one thread step by step. Networks that were
// trained before are used again; one that was begun goes on from its last epoch.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/reproduce.h"
#include "tasks/digits.h"

namespace dalea::reproduce {

// Where networks and sweeps are kept, by name. Called from any thread, never for one name at once.
class Store {
 public:
  virtual ~Store() = default;
  virtual Result<std::optional<std::vector<std::byte>>> load(const std::string& name) = 0;  // none: not there
  virtual Status save(const std::string& name, const std::vector<std::byte>& bytes) = 0;
};

struct Machine {
  Isa isa = best_isa();
  int threads = 1;       // of one network
  std::string platform;  // for the provenance of sessions
};

enum class State : uint8_t { waiting, working, done, failed };
const char* text_of(State state);

struct JobView {
  State state = State::waiting;
  int64_t epoch = 0;
  std::shared_ptr<const std::vector<EpochRecord>> history;  // never null
  std::string hash;                                         // when done
  std::string failure;
  bool swept = false;
};

class Study {
 public:
  // `options` checked; `digits` may be null where no job needs them. The store must outlive the study.
  Study(Options options, Machine machine, std::shared_ptr<const Digits> digits, Store& store);
  Study(const Study&) = delete;
  Study& operator=(const Study&) = delete;

  class Work {
   public:
    virtual ~Work() = default;
    // Does a little: an update, a minibatch of an evaluation or a sweep (without threads: some time steps). False:
    // over, or stopped and saved.
    virtual bool step() = 0;
  };
  // A piece that is ready; null when none is (now: others may become ready, see over()).
  std::unique_ptr<Work> take();
  bool over() const;  // everything was done, or an error or stop() ended it
  // Works until it is over, on so many threads (one where there are none).
  void run(int threads);
  void stop() { stop_ = true; }
  bool stopped() const { return stop_; }

  const Options& options() const { return options_; }
  const std::vector<Job>& jobs() const { return jobs_; }
  std::vector<JobView> views() const;  // in the order of jobs()
  double done_part() const;            // 0 .. 1 of all work
  double worked_part() const;          // of it in this study, not found in the store
  std::optional<Error> error() const;  // what ended it
  // Says when a network or sweep is done; from any thread.
  std::function<void(const std::string&)> on_done;

  // When it is over: figures, tables and page.
  Result<Output> report(ReportProvenance where) const;
  std::vector<Run> runs() const;

 private:
  class Training;
  class Sweeping;
  struct Piece {
    size_t job = 0;
    bool sweep = false;
    State state = State::waiting;
  };
  double cost_of(const Piece& piece) const;
  bool ready(const Piece& piece) const;  // with mutex_
  void add(double cost, bool worked);
  void end(size_t piece, State state);
  void fail(const Error& error);
  void show(size_t job, const std::function<void(JobView&)>& change);

  Options options_;
  Machine machine_;
  std::shared_ptr<const Digits> digits_;
  Store& store_;
  std::vector<Job> jobs_;
  std::atomic<bool> stop_{false};

  mutable std::mutex mutex_;
  std::vector<Piece> pieces_;
  std::vector<Run> runs_;       // of each job, once done
  std::vector<Pruned> pruned_;  // of each job; only parents are pruned
  std::vector<JobView> views_;
  std::optional<Error> error_;
  double all_ = 0, done_ = 0, worked_ = 0;
};

}  // namespace dalea::reproduce
