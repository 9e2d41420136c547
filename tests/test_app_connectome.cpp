// A matrix that is given to the window's trainer becomes the network.
#include "connectome/connectome.h"
#include "live_helpers.h"

using namespace dalea;
using namespace dalea::app;

TEST_CASE("connectome: a file that is given becomes the network, and is turned round by the settings") {
  LiveOptions options;
  options.own_thread = false;
  Live live(options);
  Spec spec = testing::spec_of(
      testing::tiny_json(R"("epochs":1,"batch":20)", R"(,"connectome":{"neurons":2,"target_sparsity":1})"));
  const auto file = std::make_shared<NamedFile>(text_file("m.csv", "n,A,B,C\nA,0,1,2\nB,0,0,3\nC,4,0,0\n"));
  live.give_connectome(file, spec);
  auto s = testing::until(live, [](const Snapshot& now) { return now.setup != nullptr; });
  REQUIRE(s->setup->spec.measured);
  REQUIRE(s->setup->populations.size() == 3);
  CHECK(s->setup->populations[0].name == "A");
  CHECK(s->setup->spec.connectome.source == "file");
  CHECK(s->setup->spec.connectome.file.empty());
  CHECK(s->setup->initial->exists(2, 0));        // from A to B
  CHECK_FALSE(s->setup->initial->exists(0, 2));  // not from B to A
  Notice notice;
  REQUIRE(live.take_notice(notice));
  CHECK_FALSE(notice.error);
  CHECK(notice.text.find("3 nodes, 4 links") != std::string::npos);

  const uint64_t before = s->setup->serial;
  Spec turned = s->setup->spec;
  turned.connectome.orientation = "column-to-row";
  live.train(turned, nullptr, false);
  s = testing::until(live, [&](const Snapshot& now) { return now.setup->serial != before; });
  CHECK(s->setup->initial->exists(0, 2));
  CHECK_FALSE(s->setup->initial->exists(2, 0));

  live.give_connectome(std::make_shared<NamedFile>(text_file("m.csv", "0,1\n2,NaN\n")), spec);
  testing::until(live, [&](const Snapshot&) { return live.take_notice(notice); });
  CHECK(notice.error);
  CHECK(live.snapshot()->setup->spec.measured->nodes == 3);  // as it was
}
