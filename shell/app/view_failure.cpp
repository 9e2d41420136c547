// A training that stopped on numbers that are not finite: what happened, why it is likely to have, what to do.
#include "app/remedies.h"
#include "app/views.h"
#include "app/widgets.h"

namespace dalea::app {

float draw_failure(App& app, ImVec2 at, float width) {
  const Snapshot& s = *app.now;
  if (s.phase != Phase::failed || !s.setup) return 0;
  const Palette& p = palette(app.theme);
  const float u = app.scale, pad = 10 * u, wrap = width - 2 * pad;
  const std::string text = "Training stopped. " + s.failure + ".\n" + likely_cause(s.setup->spec);
  const float tall = ImGui::CalcTextSize(text.c_str(), nullptr, false, wrap).y;
  const float height = tall + ImGui::GetFrameHeight() + 3 * pad;
  ImGui::GetWindowDrawList()->AddRectFilled(at, {at.x + width, at.y + height}, color32(p.bad_back), 8 * u);
  ImGui::SetCursorScreenPos({at.x + pad, at.y + pad});
  ImGui::PushTextWrapPos(ImGui::GetCursorPosX() + wrap);
  ImGui::TextUnformatted(text.c_str());
  ImGui::PopTextWrapPos();
  ImGui::SetCursorScreenPos({at.x + pad, at.y + tall + 2 * pad});
  int k = 0;
  for (const Remedy& r : remedies(s.setup->spec)) {
    if (k > 0) ImGui::SameLine(0, 8 * u);
    if (ImGui::Button(r.label.c_str())) app.live.train(r.spec, nullptr, true);
    app.track("remedy:" + std::to_string(k++));
    hint(r.help.c_str());
  }
  return height + 8 * u;
}

}  // namespace dalea::app
