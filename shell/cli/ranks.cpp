#include "cli/ranks.h"

#if DALEA_MPI
#define OMPI_SKIP_MPICXX 1
#include <mpi.h>
#endif

namespace dalea::cli {

#if DALEA_MPI

Ranks::Ranks() {
  int given = 0;
  MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &given);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
  MPI_Comm_size(MPI_COMM_WORLD, &size_);
}

Ranks::~Ranks() {
  MPI_Finalize();
}

void Ranks::wait_for_all() const {
  MPI_Barrier(MPI_COMM_WORLD);
}

int Ranks::most(int mine) const {
  int all = mine;
  MPI_Allreduce(&mine, &all, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  return all;
}

#else

Ranks::Ranks() = default;
Ranks::~Ranks() = default;
void Ranks::wait_for_all() const {}
int Ranks::most(int mine) const {
  return mine;
}

#endif

}  // namespace dalea::cli
