// A recording and the connectome of its neurons, dropped together; the wiring test's button.
#include <algorithm>

#include "app/app.h"
#include "recording/bundle.h"

namespace dalea::app {

bool App::take_recorded(const std::vector<FilePtr>& files) {
  std::vector<FilePtr> connectome, recording;
  for (const FilePtr& f : files) (connectome_part(*f) == ConnectomePart::none ? recording : connectome).push_back(f);
  const std::optional<ConnectomeParts> parts = connectome_parts(connectome);
  if (!parts || !parts->matrix || recording.empty()) return false;
  FilePtr whole = recording.front();
  if (recording.size() > 1) {  // with its table of cells
    Entries entries;
    for (const FilePtr& f : recording) {
      const std::span<const std::byte> bytes = f->content();
      entries.emplace_back(f->name, ByteVector(bytes.begin(), bytes.end()));
    }
    Result<ByteVector> bundle = make_bundle(std::move(entries));
    if (!bundle) return say(true, bundle.error().text()), true;
    whole = std::make_shared<NamedFile>(NamedFile{recording.front()->name, std::move(*bundle)});
  }
  Spec spec = draft;
  if (spec.connectome.nodes != "recorded")
    for (const Preset& p : presets())
      if (p.id == "worm") spec = p.spec;
  spec.recording.sha256.clear();
  draft_recording_ = whole;
  link_view = {};
  live.give_connectome(*parts, spec, whole);
  view.tab = spec.connectome.nulls > 0 ? tab_wiring : tab_weights;
  return true;
}

void App::test_wiring() {
  view.tab = tab_wiring;
  if (!now->setup || !now->waiting_for.empty()) return say(true, "There is no experiment yet: open one first");
  if (Status ok = wiring.start(now->setup->spec, now->setup->source_recording, view.wiring_quick); !ok)
    return say(true, ok.error().text());
  live.pause();
}

}  // namespace dalea::app
