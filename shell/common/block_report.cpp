#include "common/block_report.h"

#include <algorithm>
#include <cmath>

#include "common/markup.h"

namespace dalea {
namespace {

Result<BlockTable> table_of_blocks(const std::vector<NamedSession>& sessions, const SessionGroup& group,
                                   const std::vector<Weights>& weights, BlockGroups groups) {
  BlockTable t;
  t.group = group.name;
  t.groups = std::move(groups);
  t.runs = static_cast<int64_t>(weights.size());
  const size_t blocks = t.groups.count() * t.groups.count();
  t.possible.assign(blocks, 0);
  t.density.assign(blocks, 0);
  std::vector<std::vector<double>> mean(blocks), mean_abs(blocks);
  for (size_t k = 0; k < weights.size(); ++k) {
    const NamedSession& s = sessions[group.sessions[k]];
    Result<SessionBlocks> b = session_blocks(s.session, weights[k], t.groups, s.path);
    if (!b) return b.error();
    for (size_t at = 0; at < blocks; ++at) {
      t.possible[at] |= b->possible[at];
      t.density[at] += b->averages.density[at] / static_cast<double>(weights.size());
      mean[at].push_back(b->averages.mean[at]);
      mean_abs[at].push_back(b->averages.mean_abs[at]);
    }
  }
  for (size_t at = 0; at < blocks; ++at) {
    const Result<Dispersion> raw = dispersion_of(mean[at]), size = dispersion_of(mean_abs[at]);
    if (!raw || !size) return Error{group.name, "has averages that are not finite"};
    t.mean.push_back(*raw);
    t.mean_abs.push_back(*size);
  }
  return t;
}

}  // namespace

Result<std::vector<BlockTable>> block_tables(const std::vector<NamedSession>& sessions,
                                             const std::vector<SessionGroup>& groups) {
  std::vector<BlockTable> tables;
  for (const SessionGroup& g : groups) {
    const std::vector<Population>& populations = sessions[g.sessions[0]].session.spec.populations;
    const bool staged = sessions[g.sessions[0]].session.spec.stages.prune;
    for (const CompareCheckpoint checkpoint :
         {CompareCheckpoint::initial, CompareCheckpoint::dense, CompareCheckpoint::sparse, CompareCheckpoint::final}) {
      const bool of_stages = checkpoint == CompareCheckpoint::dense || checkpoint == CompareCheckpoint::sparse;
      if (checkpoint != CompareCheckpoint::initial && of_stages != staged) continue;
      const bool all = std::all_of(g.sessions.begin(), g.sessions.end(), [&](size_t k) {
        return check_checkpoint(sessions[k].session, checkpoint, sessions[k].path).ok();
      });
      if (!all) continue;
      std::vector<Weights> weights;
      for (size_t k : g.sessions) {
        Result<Weights> w = checkpoint_weights(sessions[k].session, checkpoint, sessions[k].path);
        if (!w) return w.error();
        weights.push_back(std::move(*w));
      }
      for (const BlockLevel level : {BlockLevel::population, BlockLevel::layer, BlockLevel::area}) {
        Result<BlockGroups> by = group_blocks(populations, level);
        if (!by || by->count() > most_block_groups) continue;
        Result<BlockTable> t = table_of_blocks(sessions, g, weights, std::move(*by));
        if (!t) return t.error();
        t->checkpoint = checkpoint;
        tables.push_back(std::move(*t));
      }
    }
  }
  return tables;
}

std::string block_tables_csv(const std::vector<BlockTable>& tables) {
  std::string csv =
      "group,checkpoint,level,post,pre,possible,runs,mean,mean_sd,mean_abs,mean_abs_sd,mean_abs_cv,mean_abs_range,"
      "mean_abs_iqr,density\n";
  const auto number = [](double v) { return std::isnan(v) ? std::string() : short_number(v, 10); };
  for (const BlockTable& t : tables) {
    const size_t n = t.groups.count();
    for (size_t at = 0; at < n * n; ++at) {
      csv += csv_field(t.group) + "," + name_of(t.checkpoint) + "," + name_of(t.groups.level) + "," +
             csv_field(t.groups.groups[at / n].name) + "," + csv_field(t.groups.groups[at % n].name) + "," +
             (t.possible[at] ? "1" : "0") + "," + std::to_string(t.runs);
      const Dispersion &raw = t.mean[at], &size = t.mean_abs[at];
      for (double v : {raw.mean, raw.sd, size.mean, size.sd, size.cv, size.range, size.iqr, t.density[at]})
        csv += "," + number(v);
      csv += "\n";
    }
  }
  return csv;
}

}  // namespace dalea
