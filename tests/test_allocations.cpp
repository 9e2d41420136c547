// A training step allocates nothing: every operator new of this program is counted.
#include <atomic>
#include <cstdlib>
#include <new>

#include "helpers.h"
#include "training/trainer.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(__EMSCRIPTEN__)
#define DALEA_COUNTS 0  // sanitizers bring their own
#else
#define DALEA_COUNTS 1
#endif

#if DALEA_COUNTS
namespace {
std::atomic<long> allocations{0};

void* allocate(std::size_t size, std::size_t alignment) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  const std::size_t whole = (size + alignment - 1) / alignment * alignment;
  void* p = std::aligned_alloc(alignment, whole > 0 ? whole : alignment);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}
}  // namespace

void* operator new(std::size_t size) {
  return allocate(size, alignof(std::max_align_t));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* p) noexcept {
  std::free(p);
}
void operator delete(void* p, std::size_t) noexcept {
  std::free(p);
}
void operator delete(void* p, std::align_val_t) noexcept {
  std::free(p);
}
void operator delete(void* p, std::size_t, std::align_val_t) noexcept {
  std::free(p);
}

using namespace dalea;
using namespace dalea::testing;

TEST_CASE("a training step allocates nothing") {
  const std::string sparse = R"(,"connectivity":{"probability":0.1})", noise = R"(,"network":{"noise":0.1})";
  const std::string base = R"("epochs":2,"batch":16)";
  struct Case {
    std::string training, more;
    bool classes;
  };
  for (const Case& c :
       {Case{base, "", false}, Case{base, sparse, false}, Case{base, noise, false},
        Case{base + R"(,"clip":0.001)", "", false}, Case{base + R"(,"constraint":"rectified-forward")", "", false},
        Case{base + R"(,"loss":"cross-entropy")", "", true}})
    for (int threads : {1, 2}) {
      CAPTURE(c.training);
      CAPTURE(c.more);
      CAPTURE(threads);
      const Spec spec = spec_of(tiny_json(c.training, c.more));
      Result<Dataset> data = make_dataset(spec, nullptr, 0);
      REQUIRE(data.ok());
      if (c.classes) {
        data->loss = Loss::cross_entropy;
        for (Trials* t : {&data->train, &data->validation, &data->held_out})
          t->label.assign(static_cast<size_t>(t->count * t->steps), 1);
      }
      TrainerOptions options;
      options.threads = threads;
      Result<std::unique_ptr<Trainer>> made = Trainer::create(spec, std::move(*data), 0, options);
      REQUIRE(made.ok());
      Trainer& trainer = **made;
      REQUIRE(trainer.step() == Trainer::Event::update);  // sizes the buffers, draws the epoch's order
      const long before = allocations.load();
      const Trainer::Event second = trainer.step(), third = trainer.step();
      const long after = allocations.load();
      CHECK(second == Trainer::Event::update);
      CHECK(third == Trainer::Event::update);
      CHECK(after == before);
    }
}
#endif
