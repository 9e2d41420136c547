// Shared by the tests of reproductions: what a report holds.
#pragma once

#include <string>

#include "common/files.h"
#include "common/reproduce.h"
#include "doctest/doctest.h"

namespace dalea::testing {

inline const Finding& finding(const reproduce::Output& output, const std::string& part) {
  for (const Finding& f : output.findings)
    if (f.claim.find(part) != std::string::npos) return f;
  FAIL("no claim with: " << part);
  return output.findings.front();
}

inline std::string text_of_file(const reproduce::Output& output, const std::string& name) {
  for (const auto& f : output.files)
    if (f.name == name) return std::string(as_text(f.bytes));
  FAIL("no file " << name);
  return "";
}

}  // namespace dalea::testing
