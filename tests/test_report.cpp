// The page of a study: sound markup, nothing from elsewhere, text as text.
#include <set>

#include "common/report.h"
#include "figure_helpers.h"

using namespace dalea;
using namespace dalea::testing;

namespace {

plot::Figure small_figure() {
  plot::LineChart chart{.x = {.label = "epoch"}, .y = {.label = "error"}};
  chart.series = {{.name = "dale", .x = {0, 1, 2}, .y = {3, 2, 1}, .style = plot::named_style("dale")}};
  return {.title = "Errors", .panels = {{"", chart}}};
}

Report whole_report() {
  Report r("Study 1: Dale's law", "Twenty networks");
  r.summary({"One claim is reproduced.", "Another is not."});
  r.verdicts({{"The error is 0.02", "0.02", "0.021", Outcome::reproduced, "It lies in the interval."},
              {"Rectified fails", "0.1", "0.03", Outcome::not_reproduced, "It does not."},
              {"Pruned", "0.9", "0.95", Outcome::outside, "Better."},
              {"Mice", "0.9", "", Outcome::cannot_be_tested, "The recording is not public."}});
  r.section("Figures", "One paragraph.\n\nAnother.");
  r.figure(small_figure(), "Errors of a run.", "fig2a");
  r.figure(small_figure(), "Again.", "fig2b", {.svg = true, .png = false, .csv = false});
  r.section("Numbers");
  r.table({"Errors.",
           {{"constraint"}, {.name = "error", .unit = "MSE", .decimals = 3}, {.name = "p", .digits = 2}},
           {{"dale", 0.02149, 1.234e-9}, {"conventional", -2.0, std::nan("")}}});
  r.provenance({.program = "Dalea",
                .version = "0.1.0",
                .date = "2026-01-02",
                .seed = "7",
                .command = "dalea study --seed 7",
                .hashes = {{"quick start", "0123abcd"}}});
  return r;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a report is one page with everything in it") {
  const std::string html = whole_report().html();
  check_balanced(html);
  CHECK(html == whole_report().html());  // no clock, no address, no hash order
  CHECK(html.rfind("<!doctype html>\n<html lang=\"en\">", 0) == 0);
  CHECK(count_of(html, "<h1>") == 1);
  CHECK(count_of(html, "<h2 ") == 4);
  CHECK(has(html, "<h1>Study 1: Dale&#39;s law</h1>"));
  CHECK(has(html, "prefers-color-scheme:dark"));
  CHECK(has(html, "@media print"));
  CHECK(count_of(html, "<th scope=\"col\"") == 5 + 3 + 2);
  CHECK(count_of(html, "<th scope=\"row\"") == 4 + 2 + 1);
  CHECK(count_of(html, "<th>") == 0);
  for (const char* words : {"reproduced", "not reproduced", "outside", "cannot be tested"})
    CHECK(has(html, std::string("\">") + words + "</span>"));
  CHECK(has(html, "<p>One paragraph.</p>\n<p>Another.</p>"));
  CHECK(has(html, "<dt>Seed</dt><dd>7</dd>"));
  CHECK(has(html, "<code>0123abcd</code>"));
  CHECK_FALSE(has(html, "<dt>Machine"));
}

TEST_CASE("a report loads nothing and runs nothing") {
  std::string html = whole_report().html();
  const std::string space = "xmlns=\"http://www.w3.org/2000/svg\"";
  for (size_t at = html.find(space); at != std::string::npos; at = html.find(space)) html.erase(at, space.size());
  for (const char* part : {"http:", "https:", "//", "<script", "<link", "@import", "url(", "src=", "onload"}) {
    CAPTURE(part);
    CHECK_FALSE(has(html, part));
  }
}

TEST_CASE("numbers in tables carry their column's digits and units") {
  const std::string html = whole_report().html();
  CHECK(has(html, "<th scope=\"col\" class=\"number\">error (MSE)</th>"));
  CHECK(has(html, "<td class=\"number\">0.021</td><td class=\"number\">1.2×10⁻⁹</td>"));
  CHECK(has(html, "<td class=\"number\">−2.000</td><td class=\"number\">–</td>"));
  Report odd("t");
  odd.table({"No rows.", {{"a"}, {"b"}}, {}});
  odd.table({"Short and long rows.", {{"a"}, {"b"}}, {{"x"}, {"y", 1.0, 2.0}}});
  odd.table({"No columns.", {}, {}});
  odd.verdicts({});
  check_balanced(odd.html());
  CHECK(has(odd.html(), "nothing was measured"));
  CHECK(has(odd.html(), "No claim was tested"));
}

TEST_CASE("figures are numbered, labelled with ids of their own, and link to the files that exist") {
  const std::string html = whole_report().html();
  CHECK(has(html, "<figcaption><strong>Figure 1.</strong> Errors of a run.</figcaption>"));
  CHECK(has(html, "<a href=\"fig2a.csv\" download>"));
  CHECK(has(html, "<a href=\"fig2b.svg\" download>"));
  CHECK_FALSE(has(html, "fig2b.png"));
  std::set<std::string> ids;
  for (size_t at = html.find(" id=\""); at != std::string::npos; at = html.find(" id=\"", at + 1)) {
    const std::string id = html.substr(at + 5, html.find('"', at + 5) - at - 5);
    CHECK_MESSAGE(ids.insert(id).second, id);
  }
  for (size_t at = html.find("href=\"#"); at != std::string::npos; at = html.find("href=\"#", at + 1))
    CHECK(ids.count(html.substr(at + 7, html.find('"', at + 7) - at - 7)) == 1);
}

TEST_CASE("hostile text stays text, hostile names stay in the folder") {
  const std::string bad = "\"><script>alert(1)</script>&amp;\x01\xff</title></style>";
  Report r(bad, bad);
  r.summary({bad});
  r.verdicts({{bad, bad, bad, Outcome::outside, bad}}, bad);
  r.section(bad, bad);
  r.text(bad);
  r.table({bad, {{bad, bad}}, {{bad}}});
  plot::Figure f = small_figure();
  f.title = bad;
  f.panels[0].title = bad;
  std::get<plot::LineChart>(f.panels[0].chart).y.label = bad;
  r.figure(f, bad, "../../etc/passwd");
  r.figure(f, bad, "javascript:alert(1)");
  r.figure(f, bad, "");
  r.provenance({bad, bad, bad, bad, bad, {{bad, bad}}, {{bad, bad}}});
  const std::string html = r.html();
  check_balanced(html);
  CHECK_FALSE(has(html, "<script"));
  CHECK(count_of(html, "</style>") == 1);
  CHECK(count_of(html, "\x01") == 0);
  CHECK_FALSE(has(html, "href=\".."));
  CHECK_FALSE(has(html, "javascript:"));
  CHECK(has(html, "href=\"_._.._etc_passwd.svg\""));
  CHECK(count_of(html, "Download:") == 2);
}
