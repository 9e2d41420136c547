// The recurrent weights of sessions, put into the conditions that they were trained under.
#pragma once

#include <string>
#include <vector>

#include "common/weight_report.h"
#include "session/session.h"

namespace dalea {

// A session's file read; an error where it is none.
Result<Session> read_session_file(const std::string& path);

// W_rec before and after training, on the connections that exist: sparse where the network has a mask, else dense. What
// it began with is computed anew from the experiment; of a pruned network that is what its connections had before the
// first training, not before the pruning.
struct TrainedWeights {
  Weights initial, final;
};
TrainedWeights trained_weights(const Session& session);

struct NamedSession {
  std::string path;
  std::string group;  // given by hand; empty: condition_of
  Session session;
};
// "conventional", "dale", "dale, plain feedback", "rectified, pruned": the constraint, and what is unlike the published
// condition of that name.
std::string condition_of(const Session& session);

struct SessionGroup {
  std::string name;
  std::vector<size_t> sessions;  // which of them, in their order
};
// Groups in the order in which they first appear. Sessions of a group must be different runs of one experiment. Of
// groups found by condition everything else must be the same; groups given by hand may differ in network, connectivity
// and training, but not in populations, task and recording.
Result<std::vector<SessionGroup>> group_sessions(const std::vector<NamedSession>& sessions);

}  // namespace dalea
