// The processes that mpirun started together (a build with DALEA_MPI=ON); else one.
#pragma once

namespace dalea::cli {

class Ranks {
 public:
  Ranks();
  ~Ranks();
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;
  int rank() const { return rank_; }
  int size() const { return size_; }
  void wait_for_all() const;
  int most(int mine) const;  // the largest of all ranks' numbers; all must call it

 private:
  int rank_ = 0, size_ = 1;
};

}  // namespace dalea::cli
