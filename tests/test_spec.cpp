#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "doctest/doctest.h"
#include "spec/spec.h"

using namespace dalea;

namespace {

// All messages of a text that should not be accepted, one per line.
std::string problems_of(const std::string& json) {
  std::string all;
  for (const Error& e : parse_spec(json).problems) all += e.text() + "\n";
  return all;
}

#define REFUSED(json, part) CHECK_MESSAGE(problems_of(json).find(part) != std::string::npos, problems_of(json))

}  // namespace

TEST_CASE("text that is not an experiment is refused with a place or a remedy") {
  REFUSED("", "is empty");
  REFUSED("   \n", "is empty");
  REFUSED("[]", "not a JSON object");
  REFUSED("{", "line 1");
  REFUSED("{\"dalea\":1,\n \"seed\": nope}", "line 2");
  REFUSED("{\"dalea\":1,\"seed\":NaN}", "NaN");
  REFUSED("{\"dalea\":1} x", "not JSON");
  REFUSED("{}", "dalea: is missing");
  REFUSED(R"({"dalea":2})", "reads version 1");
  REFUSED(R"({"dalea":1,"seed":1,"seed":2})", "'seed' stands twice");
  REFUSED(R"({"dalea":1,"training":{"clip":1e999}})", "beyond what a number can hold");
  REFUSED(std::string(100000, '[') + std::string(100000, ']'), "nested more than");
  std::string deep = "{\"dalea\":1,\"a\":";
  for (int k = 0; k < 100000; ++k) deep += "{\"a\":";
  REFUSED(deep, "nested more than");
  REFUSED("{\"dalea\":1,\"note\":\"" + std::string(2 << 20, 'x') + "\"}", "1 MiB");
  CHECK(problems_of("\xEF\xBB\xBF{\"dalea\":1}") == "");
}

TEST_CASE("unknown keys are errors with a suggestion, at every level") {
  REFUSED(R"({"dalea":1,"trainning":{}})", "trainning: is not a known key; did you mean 'training'?");
  REFUSED(R"({"dalea":1,"training":{"optimizer":{"learnrate":1}}})", "training.optimizer.learnrate");
  REFUSED(R"({"dalea":1,"training":{"optimiser":{}}})", "did you mean 'optimizer'?");
  REFUSED(R"({"dalea":1,"populations":[{"name":"E","size":3,"sign":"+","taus":1}]})", "populations[0].taus");
  REFUSED(R"({"dalea":1,"zzz":1})", "known here: dalea, name");
}

TEST_CASE("values out of range or of another type name path, value and remedy") {
  REFUSED(R"({"dalea":1,"populations":[{"name":"E","size":5,"sign":"+"},{"name":"I","size":-4,"sign":"-"}]})",
          "populations[1].size: -4 is not a size; give a positive integer");
  REFUSED(R"({"dalea":1,"populations":[{"size":5,"sign":"+"}]})", "populations[0].name: is missing");
  REFUSED(R"({"dalea":1,"populations":[{"name":"E","size":5,"sign":"plus"}]})", "not one of +, -, free");
  REFUSED(R"({"dalea":1,"populations":[3]})", "populations[0]: 3 is not a population");
  REFUSED(R"({"dalea":1,"populations":[{"name":"E","size":5,"sign":"+"},{"name":"E","size":5,"sign":"-"}]})",
          "earlier population");
  REFUSED(R"({"dalea":1,"seed":1.5})", "not a seed");
  REFUSED(R"({"dalea":1,"seed":9007199254740993})", "not a seed");
  REFUSED(R"({"dalea":1,"seed":"1"})", "\"1\" is not a seed");
  REFUSED(R"({"dalea":1,"network":{"biases":1}})", "give true or false");
  REFUSED(R"({"dalea":1,"network":{"activation":"tahn"}})", "did you mean 'tanh'?");
  REFUSED(R"({"dalea":1,"network":3})", "network: 3 is not an object");
  REFUSED(R"({"dalea":1,"training":{"batch":100000}})", "1 to 65536");
  REFUSED(R"({"dalea":1,"training":{"batch":7000}})", "more than the 6000 training trials");
  REFUSED(R"({"dalea":1,"connectivity":{"probability":2}})", "not a probability");
  REFUSED(R"({"dalea":1,"connectivity":{"probability":[[1,1],[0.5]]}})", "2 x 2");
  REFUSED(R"({"dalea":1,"connectivity":{"probability":"all"}})", "neither a number nor a matrix");
  REFUSED(R"({"dalea":1,"populations":[{"name":"A","size":5,"sign":"+","tau_s":0.001}]})",
          "shorter than the time step");
  REFUSED(R"({"dalea":1,"populations":[{"name":"A","size":5,"sign":"+"}],"task":{"type":"wave"}})", "lack inhibitory");
  REFUSED(R"({"dalea":1,"network":{"input_mask":true}})", "one population per input channel");
  REFUSED(R"({"dalea":1,"task":{"type":"wave"},"training":{"loss":"cross-entropy"}})", "needs classes");
  REFUSED(
      R"({"dalea":1,"populations":[{"name":"A","size":5,"sign":"free"}],"training":{"constraint":"rectified-forward"}})",
      "needs a sign");
  REFUSED(R"({"dalea":1,"task":{"type":"recording"},"recording":{"train_fraction":0.9,"validation_fraction":0.5}})",
          "held out");
  REFUSED(R"({"dalea":1,"task":{"type":"recording","steps":5},"recording":{"warmup":5}})", "nothing to score");
  REFUSED(R"({"dalea":1,"populations":[{"name":"A","size":900000,"sign":"+"}]})", "MiB");
  const std::string two = problems_of(R"({"dalea":1,"seed":-1,"runs":0})");
  CHECK(two.find("seed") != std::string::npos);  // all problems, not only the first
  CHECK(two.find("runs") != std::string::npos);
}

TEST_CASE("what is printed parses to the same, whole and compact") {
  Rng rng(11, Purpose::test);
  for (int k = 0; k < 200; ++k) {
    Spec s;
    s.seed = rng.u32() * uint64_t{1000003} % max_seed;
    s.runs = 1 + rng.below(5);
    s.name = k % 3 == 0 ? "A \"name\" with \xC3\xA9" : "";
    if (k % 2 == 0)
      s.populations = {{"A", 1 + rng.below(50), Sign::excitatory, k % 4 == 0 ? 0.1 : 0.0, "V1", "L4", ""},
                       {"B", 1 + rng.below(50), Sign::inhibitory, 0, "", "", ""}};
    s.network.activation = static_cast<Activation>(rng.below(4));
    s.network.noise = rng.uniform() / 3;
    s.network.balanced = rng.below(2) != 0;
    if (k % 3 == 1) s.connectivity.probability = {{static_cast<double>(rng.uniform())}};
    if (k % 3 == 2) s.connectivity.probability = {{0.1, 0.2}, {1.0 / 3, 1}};
    s.task.type = k % 5 == 0 ? "wave" : k % 5 == 1 ? "recording" : "flip-flop";
    s.recording.exclude = {"a", "3"};
    s.training.optimizer.lr = rng.uniform();
    s.training.constraint = k % 2 != 0 ? "dale" : "rectified";
    fill_defaults(s);
    const std::string whole = print_spec(s, false), compact = print_spec(s, true);
    CHECK(compact.size() < whole.size());
    CHECK(problems_of(whole) == "");
    CHECK(print_spec(parse_spec(whole).spec, false) == whole);
    CHECK(print_spec(parse_spec(compact).spec, false) == whole);
  }
  CHECK(print_spec(parse_spec(R"({"dalea":1})").spec, true) == R"({"dalea":1})");
}

TEST_CASE("--set: paths, values, errors") {
  const std::string base = R"({"dalea":1,"populations":[{"name":"E","size":5,"sign":"+"}]})";
  const auto set = [&](const char* assignment) {
    const Result<std::string> r = set_in_json(base, assignment);
    return r.ok() ? *r : "error: " + r.error().text();
  };
  CHECK(set("populations[0].size=9").find("\"size\":9") != std::string::npos);
  CHECK(set("training.optimizer.lr=1e-2").find("\"lr\":0.01") != std::string::npos);
  CHECK(set("recording.file=a b.csv").find("\"file\":\"a b.csv\"") != std::string::npos);
  CHECK(set("connectivity.probability=[[1]]").find("[[1]]") != std::string::npos);
  CHECK(set("populations[1].name=I").find("\"I\"") != std::string::npos);
  CHECK(set("populations[3].size=9").find("beyond the list of 1") != std::string::npos);
  CHECK(set("populations[x].size=9").find("bad index") != std::string::npos);
  CHECK(set("dalea.a=1").find("not an object") != std::string::npos);
  CHECK(set("noequals").find("path=value") != std::string::npos);
  CHECK(set("a..b=1").find("empty name") != std::string::npos);
  CHECK(set("connectivity.probability=[[1]").find("error") != std::string::npos);
}

TEST_CASE("links: every bundled example under 2000 characters and back") {
  int examples = 0;
  for (const auto& entry : std::filesystem::directory_iterator(DALEA_SOURCE_DIR "/assets/experiments")) {
    std::ifstream file(entry.path());
    std::stringstream text;
    text << file.rdbuf();
    const ParsedSpec parsed = parse_spec(text.str());
    CHECK_MESSAGE(parsed.problems.empty(), entry.path().string());
    const std::string link = encode_link(parsed.spec);
    CHECK(link.size() < 2000);
    const Result<std::string> back = decode_link("http://127.0.0.1:8080/index.html#" + link);
    REQUIRE(back.ok());
    CHECK(print_spec(parse_spec(*back).spec, false) == print_spec(parsed.spec, false));
    for (size_t cut = 0; cut < link.size(); ++cut) CHECK_FALSE(decode_link(link.substr(0, cut)).ok());
    ++examples;
  }
  CHECK(examples >= 4);
}

TEST_CASE("links are untrusted") {
  const auto refused = [](const std::string& link) {
    const Result<std::string> r = decode_link(link);
    return r.ok() ? "accepted: " + *r : r.error().text();
  };
  CHECK(refused("").find("v1=") != std::string::npos);
  CHECK(refused("#v2=abc").find("reads v1") != std::string::npos);
  CHECK(refused("#v1=!!!").find("copy it again") != std::string::npos);
  CHECK(refused("#v1=" + std::string(300000, 'A')).find("longer") != std::string::npos);
  // Two megabytes of the letter 0 in a few kilobytes: unpacking stops at 1 MiB.
  std::string bomb(2100, '\0');
  uLongf size = static_cast<uLongf>(bomb.size());
  const std::string zeros(2 << 20, '0');
  REQUIRE(compress2(reinterpret_cast<Bytef*>(bomb.data()), &size, reinterpret_cast<const Bytef*>(zeros.data()),
                    static_cast<uLong>(zeros.size()), 9) == Z_OK);
  bomb.resize(size);
  std::string text;
  const char* letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (size_t k = 0; k + 2 < bomb.size(); k += 3) {
    const uint32_t three = static_cast<uint32_t>(static_cast<unsigned char>(bomb[k])) << 16 |
                           static_cast<uint32_t>(static_cast<unsigned char>(bomb[k + 1])) << 8 |
                           static_cast<unsigned char>(bomb[k + 2]);
    for (int shift = 18; shift >= 0; shift -= 6) text += letters[three >> shift & 63];
  }
  CHECK(refused("v1=" + text).find("1 MiB") != std::string::npos);
  Spec s;
  fill_defaults(s);
  s.recording.file = "/home/me/secret.csv";
  const Result<std::string> json = decode_link(encode_link(s));
  REQUIRE(json.ok());
  CHECK(json->find("secret") == std::string::npos);
  CHECK(refused("v1=eNqrVkpJzElNVLIy1FEqSk3OL0rJzEtXsqpWSsvMSVWyUtJPLUnWL0gsLi5PUaqtBQBi2A-M")
            .find("never open local files") != std::string::npos);
}
