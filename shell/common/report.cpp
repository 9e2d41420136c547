#include "common/report.h"

#include <algorithm>
#include <cmath>

#include "common/markup.h"

namespace dalea {
namespace {

// Colours as variables: one list for light, one for dark. Figures keep their white, which their colours are made for.
constexpr const char* style = R"(
:root{color-scheme:light dark;--back:#f2f4f8;--panel:#fff;--text:#1b2330;--muted:#566070;--line:#d5dae3;--accent:#5a33b5;
--good:#14633f;--good-back:#ddf3e7;--bad:#a11d16;--bad-back:#fde7e5;--mid:#7a4a00;--mid-back:#fcefd6;--none:#4a5463;--none-back:#e6e9ef}
@media (prefers-color-scheme:dark){:root{--back:#12151a;--panel:#1a1e25;--text:#e8ebf1;--muted:#a0aab9;--line:#333b47;
--accent:#b49bff;--good:#7fe0b0;--good-back:#15382a;--bad:#ff9d94;--bad-back:#46201f;--mid:#f3bd6c;--mid-back:#3f2e10;
--none:#c0c8d4;--none-back:#2a303a}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--text);font:16px/1.55 Roboto,system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif}
main{max-width:60rem;margin:0 auto;padding:1.5rem 1rem 4rem}
h1{font-size:1.75rem;line-height:1.25;margin:.5rem 0 .25rem}h2{font-size:1.3rem;margin:2.5rem 0 .75rem;padding-top:.25rem}
h1,h2,p,li,td,th,figcaption,dd{overflow-wrap:anywhere}
p{margin:.6rem 0;max-width:46rem}a{color:var(--accent)}
.subtitle{color:var(--muted);margin-top:0}
.summary{background:var(--panel);border:1px solid var(--line);border-left:4px solid var(--accent);border-radius:8px;padding:.5rem 1.1rem;margin:1.25rem 0}
nav ol{display:flex;flex-wrap:wrap;gap:.15rem 1.25rem;padding:0;margin:1rem 0;list-style:none}
nav a,.files a{display:inline-block;padding:.2rem 0}
.wide{overflow-x:auto;background:var(--panel);border:1px solid var(--line);border-radius:8px;margin:.75rem 0}
table{border-collapse:collapse;width:100%;font-size:.925rem}
caption{text-align:left;padding:.7rem .9rem;color:var(--muted);caption-side:top}
th,td{padding:.5rem .9rem;text-align:left;vertical-align:top;border-top:1px solid var(--line)}
thead th{font-weight:600;vertical-align:bottom;overflow-wrap:normal}.claims td{min-width:7.5rem}tbody th{font-weight:500}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap;overflow-wrap:normal}
.table th,.table td{overflow-wrap:normal}
.badge{display:inline-block;padding:.1rem .6rem;border-radius:1rem;font-size:.85rem;font-weight:600;white-space:nowrap}
.reproduced{color:var(--good);background:var(--good-back)}.not-reproduced{color:var(--bad);background:var(--bad-back)}
.outside{color:var(--mid);background:var(--mid-back)}.cannot-be-tested{color:var(--none);background:var(--none-back)}
.count{display:flex;flex-wrap:wrap;gap:.5rem;padding:0;margin:.75rem 0;list-style:none}
figure{margin:1.25rem 0}
.card{background:#fff;border:1px solid var(--line);border-radius:8px;padding:.75rem;overflow-x:auto}
.card svg{display:block;margin:0 auto;height:auto;max-width:100%}
figcaption{margin:.6rem 0 0;font-size:.925rem;max-width:46rem}.files{color:var(--muted);font-size:.875rem;margin:.2rem 0}
.files a{margin-right:.9rem}
code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.875em}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.35rem 1.25rem}dt{color:var(--muted)}dd{margin:0}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
@media (max-width:40rem){main{padding:1rem .75rem 3rem}h1{font-size:1.4rem}
.card svg.double{max-width:none;width:40rem}
.claims thead{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}
.claims tr{display:block;padding:.6rem .9rem;border-top:1px solid var(--line)}.claims tbody th{font-weight:600}
.claims th,.claims td{display:block;min-width:0;border:0;padding:.15rem 0}.claims td[data-name]::before{content:attr(data-name) ": ";color:var(--muted)}
dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.5rem}}
@media print{:root{--back:#fff;--panel:#fff;--text:#000;--muted:#444;--line:#bbb;--accent:#000;--good:#14633f;--good-back:#fff;
--bad:#a11d16;--bad-back:#fff;--mid:#7a4a00;--mid-back:#fff;--none:#333;--none-back:#fff}
body{font-size:10pt}main{max-width:none;padding:0}nav,.files{display:none}figure,tr,.summary{break-inside:avoid}h2{break-after:avoid}
.badge{border:1px solid}.wide,.card{overflow:visible}}
)";

const char* outcome_class(Outcome o) {
  switch (o) {
    case Outcome::reproduced:
      return "reproduced";
    case Outcome::not_reproduced:
      return "not-reproduced";
    case Outcome::outside:
      return "outside";
    default:
      return "cannot-be-tested";
  }
}

std::string badge(Outcome o, const std::string& before = "") {
  return std::string("<span class=\"badge ") + outcome_class(o) + "\">" + before + outcome_text(o) + "</span>";
}

std::string paragraphs(const std::string& text) {
  std::string out;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find("\n\n", at), text.size());
    if (end > at) out += "<p>" + escaped(text.substr(at, end - at)) + "</p>\n";
    at = end + 2;
  }
  return out;
}

// A file beside the page, never a way out of its folder or a scheme.
std::string link_name(const std::string& name) {
  std::string out;
  for (char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || (c == '.' && !out.empty());
    out += plain ? c : '_';
  }
  return out;
}

std::string cell_text(const TableCell& cell, const ReportColumn& column) {
  if (const auto* text = std::get_if<std::string>(&cell)) return escaped(*text);
  const double v = std::get<double>(cell);
  if (column.decimals < 0 || !std::isfinite(v) || std::fabs(v) >= 1e15) return display_number(v, column.digits);
  const std::string number = fixed_number(v, column.decimals);
  return number[0] == '-' ? "\u2212" + number.substr(1) : number;
}

}  // namespace

const char* outcome_text(Outcome o) {
  switch (o) {
    case Outcome::reproduced:
      return "reproduced";
    case Outcome::not_reproduced:
      return "not reproduced";
    case Outcome::outside:
      return "outside";
    default:
      return "cannot be tested";
  }
}

Report::Report(std::string title, std::string subtitle) : title_(std::move(title)), subtitle_(std::move(subtitle)) {}

void Report::heading(const std::string& text) {
  const std::string id = "section-" + std::to_string(contents_.size() + 1);
  contents_.emplace_back(id, text);
  body_ += "<h2 id=\"" + id + "\">" + escaped(text) + "</h2>\n";
}

void Report::summary(const std::vector<std::string>& list) {
  body_ += "<section class=\"summary\" aria-label=\"Summary\">\n";
  for (const std::string& p : list) body_ += paragraphs(p);
  body_ += "</section>\n";
}

void Report::verdicts(const std::vector<Finding>& list, const std::string& title) {
  heading(title);
  if (list.empty()) {
    body_ += "<p>No claim was tested.</p>\n";
    return;
  }
  body_ += "<ul class=\"count\">\n";
  for (Outcome o : {Outcome::reproduced, Outcome::not_reproduced, Outcome::outside, Outcome::cannot_be_tested}) {
    int count = 0;
    for (const Finding& v : list) count += v.outcome == o;
    if (count > 0) body_ += "<li>" + badge(o, std::to_string(count) + " ") + "</li>\n";
  }
  body_ += "</ul>\n<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"" + escaped(title) +
           "\">\n<table class=\"claims\">\n<thead><tr><th scope=\"col\">Claim</th><th scope=\"col\">Published</th><th "
           "scope=\"col\">Obtained</th>"
           "<th scope=\"col\">Verdict</th><th scope=\"col\">Why</th></tr></thead>\n<tbody>\n";
  for (const Finding& v : list)
    body_ += "<tr><th scope=\"row\">" + escaped(v.claim) + "</th><td data-name=\"Published\">" +
             escaped(v.published.empty() ? "–" : v.published) + "</td><td data-name=\"Obtained\">" +
             escaped(v.obtained.empty() ? "–" : v.obtained) + "</td><td>" + badge(v.outcome) + "</td><td>" +
             escaped(v.why) + "</td></tr>\n";
  body_ += "</tbody>\n</table>\n</div>\n";
}

void Report::section(const std::string& title, const std::string& content) {
  heading(title);
  body_ += paragraphs(content);
}

void Report::text(const std::string& paragraph) {
  body_ += paragraphs(paragraph);
}

void Report::table(const ReportTable& table) {
  const std::string label = "Table " + std::to_string(++tables_);
  body_ += "<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"" + label +
           "\">\n<table class=\"table\">\n<caption><strong>" + label + ".</strong> " + escaped(table.caption) +
           "</caption>\n<thead><tr>";
  // A column of numbers is one whose cells hold no text.
  std::vector<bool> numbers;
  for (size_t c = 0; c < table.columns.size(); ++c) {
    bool number = false, word = false;
    for (const auto& row : table.rows)
      if (c < row.size()) (std::holds_alternative<double>(row[c]) ? number : word) = true;
    numbers.push_back(number && !word);
    const ReportColumn& column = table.columns[c];
    body_ += std::string("<th scope=\"col\"") + (numbers[c] ? " class=\"number\"" : "") + ">" + escaped(column.name) +
             (column.unit.empty() ? "" : " (" + escaped(column.unit) + ")") + "</th>";
  }
  body_ += "</tr></thead>\n<tbody>\n";
  for (const auto& row : table.rows) {
    body_ += "<tr>";
    for (size_t c = 0; c < table.columns.size(); ++c) {
      const std::string text = c < row.size() ? cell_text(row[c], table.columns[c]) : "";
      const std::string place = numbers[c] ? " class=\"number\"" : "";
      body_ += c == 0 ? "<th scope=\"row\"" + place + ">" + text + "</th>" : "<td" + place + ">" + text + "</td>";
    }
    body_ += "</tr>\n";
  }
  if (table.rows.empty() && !table.columns.empty())
    body_ +=
        "<tr><td colspan=\"" + std::to_string(table.columns.size()) + "\">No rows: nothing was measured.</td></tr>\n";
  body_ += "</tbody>\n</table>\n</div>\n";
}

void Report::figure(const plot::Figure& figure, const std::string& caption, const std::string& name,
                    FigureFiles files) {
  const std::string number = std::to_string(++figures_);
  plot::Figure shown = figure;
  shown.caption_inside = false;
  if (shown.caption.empty()) shown.caption = caption;
  const plot::Drawing drawing = plot::drawing_of(shown);
  std::string svg = plot::to_svg(drawing, "figure-" + number);
  // On a narrow screen a wide figure keeps its size and its card scrolls.
  if (drawing.width > 300) svg.insert(4, " class=\"double\"");
  body_ += "<figure>\n<div class=\"card\" role=\"region\" tabindex=\"0\" aria-label=\"Figure " + number + "\">\n" +
           svg + "</div>\n<figcaption><strong>Figure " + number + ".</strong> " + escaped(caption) + "</figcaption>\n";
  const std::string file = link_name(name);
  if (!file.empty() && (files.svg || files.png || files.csv)) {
    body_ += "<p class=\"files\">Download: ";
    const auto link = [&](bool there, const char* kind, const char* ending) {
      if (there)
        body_ +=
            "<a href=\"" + file + ending + "\" download>" + file + ending + "<span hidden> (" + kind + ")</span></a>";
    };
    link(files.svg, "drawing", ".svg");
    link(files.png, "picture", ".png");
    link(files.csv, "numbers", ".csv");
    body_ += "</p>\n";
  }
  body_ += "</figure>\n";
}

void Report::provenance(const ReportProvenance& p) {
  heading("How this was made");
  body_ += "<dl>\n";
  const auto row = [&](const std::string& name, const std::string& value, bool code = false) {
    if (!value.empty())
      body_ += "<dt>" + escaped(name) + "</dt><dd>" + (code ? "<code>" + escaped(value) + "</code>" : escaped(value)) +
               "</dd>\n";
  };
  row("Program", p.program);
  row("Version", p.version);
  row("Date", p.date);
  row("Seed", p.seed);
  row("Command", p.command, true);
  for (const auto& m : p.more) row(m.first, m.second);
  body_ += "</dl>\n";
  if (p.hashes.empty()) return;
  body_ +=
      "<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"Hashes\">\n<table>\n<caption>Hashes: the same "
      "program gives the same bits.</caption>\n<thead><tr><th "
      "scope=\"col\">Of</th><th scope=\"col\">Hash</th></tr></thead>\n<tbody>\n";
  for (const auto& h : p.hashes)
    body_ +=
        "<tr><th scope=\"row\">" + escaped(h.first) + "</th><td><code>" + escaped(h.second) + "</code></td></tr>\n";
  body_ += "</tbody>\n</table>\n</div>\n";
}

std::string Report::html() const {
  std::string out =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
      "content=\"width=device-width, initial-scale=1\">\n<title>" +
      escaped(title_) + "</title>\n<style>" + style + "</style>\n</head>\n<body>\n<main>\n<header>\n<h1>" +
      escaped(title_) + "</h1>\n";
  if (!subtitle_.empty()) out += "<p class=\"subtitle\">" + escaped(subtitle_) + "</p>\n";
  out += "</header>\n";
  if (contents_.size() > 2) {
    out += "<nav aria-label=\"Contents\"><ol>\n";
    for (const auto& c : contents_) out += "<li><a href=\"#" + c.first + "\">" + escaped(c.second) + "</a></li>\n";
    out += "</ol></nav>\n";
  }
  return out + body_ + "</main>\n</body>\n</html>\n";
}

}  // namespace dalea
