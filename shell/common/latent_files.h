// The file of latent vectors that an experiment names.
#pragma once

#include "error.h"
#include "tasks/latent.h"

namespace dalea {

// `file` (task.file): a file, or "vectors.npy,labels.npy": two, where no file has that whole name.
Result<Latents> read_latent_files(const std::string& file);

}  // namespace dalea
