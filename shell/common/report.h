// A study's results as one page: a file that needs nothing else, opens without a server, and prints.
//
//   Report r("Study 1");
//   r.summary({"Three of four claims are reproduced."});
//   r.verdicts({{"Dale's law costs no accuracy", "0.02", "0.021", Outcome::reproduced, "The intervals overlap."}});
//   r.section("Figure 2", "Errors of 20 networks.");
//   r.figure(figure, "Errors by constraint.", "fig2a");
//   std::string page = r.html();
//
// What it is given is text, never markup. It reads no clock and no file: dates and versions come from the caller.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/figure.h"

namespace dalea {

enum class Outcome { reproduced, not_reproduced, outside, cannot_be_tested };
const char* outcome_text(Outcome outcome);  // "not reproduced"

struct Finding {
  std::string claim, published, obtained;
  Outcome outcome = Outcome::cannot_be_tested;
  std::string why;
};

// A number is written with the column's digits, a value that is none as a dash; text stays as it is.
using TableCell = std::variant<std::string, double>;
struct ReportColumn {
  std::string name;
  std::string unit = {};  // in the header: "loss (nats)"
  int digits = 4;         // significant
  int decimals = -1;      // >= 0: fixed decimals instead, so that the points line up
};
struct ReportTable {
  std::string caption;
  std::vector<ReportColumn> columns;
  std::vector<std::vector<TableCell>> rows;  // the first cell names its row
};

struct ReportProvenance {
  std::string program = {}, version = {}, date = {}, seed = {}, command = {};
  std::vector<std::pair<std::string, std::string>> more = {};    // anything else: machine, duration
  std::vector<std::pair<std::string, std::string>> hashes = {};  // of what, which
};

// Which files lie beside the page, NAME.svg and so on; links lead to them.
struct FigureFiles {
  bool svg = true, png = true, csv = true;
};

class Report {
 public:
  explicit Report(std::string title, std::string subtitle = "");

  void summary(const std::vector<std::string>& paragraphs);
  void verdicts(const std::vector<Finding>& verdicts, const std::string& heading = "Verdicts");
  void section(const std::string& heading, const std::string& text = "");
  void text(const std::string& paragraph);
  void table(const ReportTable& table);
  void figure(const plot::Figure& figure, const std::string& caption, const std::string& name, FigureFiles files = {});
  void provenance(const ReportProvenance& provenance);

  std::string html() const;

 private:
  void heading(const std::string& text);

  std::string title_, subtitle_, body_;
  std::vector<std::pair<std::string, std::string>> contents_;  // id, heading
  int figures_ = 0, tables_ = 0;
};

}  // namespace dalea
