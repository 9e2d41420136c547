#include "tasks/latent.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "recording/recording.h"
#include "recording/text_rows.h"
#include "session/npz.h"

namespace dalea {
namespace {

using ConstBytes = std::span<const std::byte>;

constexpr uint64_t npy_start = 8192;  // bytes that hold a plain array's header
constexpr uint64_t most_in_npz = uint64_t{sizeof(void*) == 4 ? 256 : 1024} << 20;  // bytes of an array in an NPZ
constexpr int64_t most_values = int64_t{sizeof(void*) == 4 ? 32 : 128} << 20;      // of a matrix

std::string_view beginning(ConstBytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
bool is_archive(ConstBytes bytes) {
  return beginning(bytes).substr(0, 2) == "PK";
}
bool is_array(ConstBytes bytes) {
  return beginning(bytes).substr(0, 6) == "\x93NUMPY";
}

std::string number_text(double v) {
  char text[40];
  std::snprintf(text, sizeof text, "%.15g", v);
  return text;
}

// Labels as they come, told apart by their text; classes are ordered afterwards.
class Labels {
 public:
  bool add(std::string_view text) {  // false: too many kinds of them
    auto at = known_.find(text);
    if (at == known_.end()) {
      if (known_.size() == static_cast<size_t>(most_latent_classes)) return false;
      at = known_.emplace(std::string(text), static_cast<int32_t>(known_.size())).first;
    }
    index_.push_back(at->second);
    return true;
  }
  int64_t count() const { return static_cast<int64_t>(index_.size()); }

  void give_to(Latents& l) const {
    struct Class {
      std::string name;
      double value;
      int32_t index;
    };
    std::vector<Class> classes;
    const TextRows reader("");
    bool numbers = true;
    for (const auto& [name, index] : known_) {
      Class c{name, 0, index};
      numbers = reader.number(name, c.value) && numbers;
      classes.push_back(std::move(c));
    }
    if (numbers)
      std::stable_sort(classes.begin(), classes.end(),
                       [](const Class& a, const Class& b) { return a.value < b.value; });
    std::vector<int32_t> place(classes.size());
    l.classes.clear();
    for (size_t k = 0; k < classes.size(); ++k) {
      place[static_cast<size_t>(classes[k].index)] = static_cast<int32_t>(k);
      l.classes.push_back(classes[k].name);
    }
    l.label.clear();
    l.label.reserve(index_.size());
    for (int32_t k : index_) l.label.push_back(place[static_cast<size_t>(k)]);
  }

 private:
  std::map<std::string, int32_t, std::less<>> known_;
  std::vector<int32_t> index_;
};

Error too_many_classes(const std::string& where) {
  return {where, "has more than " + std::to_string(most_latent_classes) +
                     " different labels, so it does not hold classes; give one of a few labels for each vector"};
}

// The vector scaled to 0 .. 1 and appended.
void append_scaled(Latents& l, const double* x) {
  const auto [least, most] = std::minmax_element(x, x + l.dimension);
  const double low = *least, span = *most - low;
  // Halves: the difference of two finite numbers may be infinite.
  const double half = *most / 2 - low / 2;
  l.constant += half > 0 ? 0 : 1;
  for (int64_t d = 0; d < l.dimension; ++d) {
    const double v = !(half > 0) ? 0 : std::isfinite(span) ? (x[d] - low) / span : (x[d] / 2 - low / 2) / half;
    l.values.push_back(static_cast<float>(v));
  }
  ++l.count;
}

Status check_dimension(const std::string& where, int64_t dimension) {
  if (dimension >= 1 && dimension <= most_latent_dimension) return {};
  return Error{where, "has vectors of " + std::to_string(dimension) + " numbers; 1 to " +
                          std::to_string(most_latent_dimension) + " are possible"};
}

struct Matrix {
  int64_t rows = 0, cols = 0;
  std::vector<double> values;
};

Status take_vectors(Latents& l, const std::string& where, const Matrix& m, int64_t used_cols) {
  l.dimension = used_cols;
  if (Status ok = check_dimension(where, l.dimension); !ok) return ok;
  l.values.reserve(static_cast<size_t>(m.rows * used_cols));
  for (int64_t r = 0; r < m.rows; ++r) {
    const double* x = m.values.data() + r * m.cols;
    for (int64_t d = 0; d < used_cols; ++d)
      if (!std::isfinite(x[d]))
        return Error{where, "row " + std::to_string(r) + ", column " + std::to_string(d) +
                                " (from 0) is not finite; leave that vector out"};
    append_scaled(l, x);
  }
  return {};
}

// Labels of an array of numbers, every `stride`-th one.
Status take_numbers(Labels& labels, const std::string& where, const std::string& what, const double* from,
                    int64_t count, int64_t stride) {
  for (int64_t k = 0; k < count; ++k) {
    const double v = from[k * stride];
    if (!(std::fabs(v) <= 9e15) || v != std::floor(v))
      return Error{where, what + " holds " + number_text(v) + " for vector " + std::to_string(k) +
                              ", which is no label: labels are whole numbers, one for each vector"};
    if (!labels.add(number_text(v))) return too_many_classes(where);
  }
  return {};
}

Result<Matrix> read_matrix(ConstBytes npy, const std::string& where) {
  Result<NpyHeader> header = read_npy_header(npy, where);
  if (!header) return header.error();
  if (header->shape.empty() || header->shape.size() > 2) {
    return Error{where, "is an array of " + std::to_string(header->shape.size()) +
                            " dimensions; give a matrix (vectors, numbers) or a row of labels"};
  }
  const int64_t rows = header->shape[0], cols = header->shape.size() == 2 ? header->shape[1] : 1;
  if (rows > 0 && cols > most_values / rows)
    return Error{where, "holds more than " + std::to_string(most_values) + " numbers; save fewer vectors"};
  Result<std::vector<double>> values = read_npy_values(npy, *header);
  if (!values) return values.error();
  Matrix m;
  m.rows = rows;
  m.cols = cols;
  m.values = std::move(*values);
  if (m.rows == 0 || m.cols == 0) return Error{where, "is an empty array; give one vector or label a row"};
  return m;
}

// A file of labels alone.
Status read_labels(ConstBytes bytes, std::string_view file_name, Labels& labels) {
  const std::string where(file_name);
  if (is_array(bytes)) {
    Result<Matrix> m = read_matrix(bytes, where);
    if (!m) return m.error();
    if (m->rows != 1 && m->cols != 1)
      return Error{where, "is a matrix of " + std::to_string(m->rows) + " x " + std::to_string(m->cols) +
                              "; a file of labels holds one for each vector"};
    return take_numbers(labels, where, "it", m->values.data(), m->rows * m->cols, 1);
  }
  if (is_archive(bytes) || beginning(bytes).find('\0') != std::string_view::npos)
    return Error{where, "is neither an NPY nor a CSV file; give the labels as one of these"};
  TextRows rows(beginning(bytes));
  std::vector<std::string_view> fields;
  while (rows.next(fields)) {
    if (labels.count() == 0 && rows.line() == 1 && column_named(fields, {"label", "labels", "class", "digit"}) == 0)
      continue;  // a header
    if (fields.size() != 1 || fields[0].empty())
      return Error{where, "line " + std::to_string(rows.line()) + " does not hold one label; give one a line"};
    if (!labels.add(fields[0])) return too_many_classes(where);
  }
  return {};
}

Status read_npz(ConstBytes bytes, const std::string& file, Latents& l, Labels& labels) {
  Result<std::vector<ZipEntry>> entries = list_zip(bytes, file, UINT64_MAX);
  if (!entries) return entries.error();
  struct Found {
    const ZipEntry* entry;
    std::string name;
    std::vector<int64_t> shape;
  };
  std::vector<Found> matrices, rows;
  std::string there;
  for (const ZipEntry& entry : *entries) {
    const bool npy = entry.name.size() > 4 && entry.name.substr(entry.name.size() - 4) == ".npy";
    if (!npy) continue;
    Result<ByteVector> start = read_zip_entry(bytes, entry, file, npy_start);
    if (!start) return start.error();
    Found found{&entry, entry.name.substr(0, entry.name.size() - 4), {}};
    Result<NpyHeader> header = read_npy_header(*start, "", entry.size);
    if (there.size() < 400)
      there +=
          (there.empty() ? "" : ", ") + found.name.substr(0, 60) + (header ? "" : " (" + header.error().message + ")");
    if (!header || header->shape.empty() || header->shape.size() > 2) continue;
    found.shape = header->shape;
    const bool row = found.shape.size() == 1 || found.shape[0] == 1 || found.shape[1] == 1;
    (row ? rows : matrices).push_back(std::move(found));
  }
  if (there.empty()) there = "no arrays";
  const auto pick = [](std::vector<Found>& from, const std::vector<std::string_view>& names) -> const Found* {
    for (std::string_view name : names)
      for (const Found& f : from)
        if (lower_case(f.name) == name) return &f;
    return from.size() == 1 ? &from[0] : nullptr;
  };
  const Found* label = pick(rows, {"labels", "label", "y", "targets", "target", "classes", "class", "digits", "digit"});
  if (label == nullptr)
    return Error{file, std::string("holds no array of labels (whole numbers, one for each vector)") +
                           (rows.size() > 1 ? " that is called labels or y" : "") + "; it holds " + there};
  // Vectors of one number are a row, too.
  std::vector<Found> others;
  for (const Found& f : rows)
    if (f.name != label->name && f.shape.size() == 2) others.push_back(f);
  if (matrices.empty()) matrices = std::move(others);
  const Found* vectors = pick(matrices, {"vectors", "latents", "latent", "z", "x", "codes", "features", "data"});
  if (vectors == nullptr)
    return Error{file, std::string("holds ") + (matrices.empty() ? "no matrix" : "several matrices") +
                           " (vectors, numbers)" + (matrices.empty() ? "" : " and none is called vectors or z") +
                           "; it holds " + there};
  for (const Found* f : {vectors, label})
    if (f->entry->size > most_in_npz)
      return Error{file + "/" + f->name, "unpacks to more than " + std::to_string(most_in_npz >> 20) +
                                             " MiB; save fewer vectors, or as float32"};
  Result<ByteVector> label_npy = read_zip_entry(bytes, *label->entry, file);
  if (!label_npy) return label_npy.error();
  Result<Matrix> numbers = read_matrix(*label_npy, file + "/" + label->name);
  if (!numbers) return numbers.error();
  if (Status ok = take_numbers(labels, file + "/" + label->name, "it", numbers->values.data(),
                               numbers->rows * numbers->cols, 1);
      !ok)
    return ok;
  Result<ByteVector> vector_npy = read_zip_entry(bytes, *vectors->entry, file);
  if (!vector_npy) return vector_npy.error();
  Result<Matrix> m = read_matrix(*vector_npy, file + "/" + vectors->name);
  if (!m) return m.error();
  return take_vectors(l, file + "/" + vectors->name, *m, m->cols);
}

Status read_npy_vectors(ConstBytes bytes, const std::string& file, bool own_labels, Latents& l, Labels& labels) {
  Result<Matrix> m = read_matrix(bytes, file);
  if (!m) return m.error();
  if (!own_labels) return take_vectors(l, file, *m, m->cols);
  if (m->cols < 2)
    return Error{file,
                 "has one column, so there are no labels beside the vectors; give them in the last column, or in a "
                 "second file"};
  const int64_t last = m->cols - 1;
  if (Status ok = take_numbers(labels, file, "its last column", m->values.data() + last, m->rows, m->cols); !ok) {
    Error error = ok.error();
    error.message += " (or give a second file of labels: vectors.npy,labels.npy)";
    return error;
  }
  return take_vectors(l, file, *m, last);
}

Status read_csv_vectors(ConstBytes bytes, const std::string& file, bool own_labels, Latents& l, Labels& labels) {
  TextRows rows(beginning(bytes));
  std::vector<std::string_view> fields;
  std::vector<double> x;
  size_t width = 0;
  int64_t label_column = -1;
  while (rows.next(fields)) {
    const std::string line = "line " + std::to_string(rows.line());
    if (width == 0) {
      width = fields.size();
      if (own_labels && width < 2)
        return Error{file,
                     "has one column, so there are no labels beside the vectors; give them in a column called "
                     "label, or in the last one"};
      const int64_t named = column_named(fields, {"label", "labels", "class", "digit", "target", "y"});
      bool words = named >= 0;
      double v;
      for (size_t k = 0; k + (own_labels ? 1 : 0) < width; ++k) words = words || !rows.number(fields[k], v);
      if (own_labels) label_column = words ? named : static_cast<int64_t>(width) - 1;
      if (own_labels && label_column < 0)
        return Error{file,
                     "has a header without a column called label (or class, digit, target, y); name the column of "
                     "the labels so"};
      l.dimension = static_cast<int64_t>(width) - (own_labels ? 1 : 0);
      if (Status ok = check_dimension(file, l.dimension); !ok) return ok;
      if (words) continue;
    }
    if (fields.size() != width)
      return Error{file, line + " has " + std::to_string(fields.size()) + " fields, but the first has " +
                             std::to_string(width) + "; give a vector and its label in every row"};
    x.clear();
    for (size_t k = 0; k < width; ++k) {
      if (static_cast<int64_t>(k) == label_column) continue;
      double v;
      if (!rows.number(fields[k], v))
        return Error{file, line + ", field " + std::to_string(k + 1) + ": '" + std::string(fields[k].substr(0, 40)) +
                               "' is no finite number; leave that vector out"};
      x.push_back(v);
    }
    if (label_column >= 0) {
      const std::string_view label = fields[static_cast<size_t>(label_column)];
      if (label.empty()) return Error{file, line + " has no label; give every vector one"};
      if (!labels.add(label)) return too_many_classes(file);
    }
    append_scaled(l, x.data());
  }
  if (l.count == 0) return Error{file, "holds no vectors; give one a row, with its label"};
  return {};
}

}  // namespace

Result<Latents> read_latents(ConstBytes bytes, std::string_view file_name, ConstBytes label_bytes,
                             std::string_view labels_name) {
  const std::string file(file_name);
  Latents l;
  l.source = file;
  l.sha256 = sha256_hex(bytes);
  Labels labels;
  const bool own_labels = label_bytes.empty();
  if (!own_labels) {
    const std::string both = l.sha256 + sha256_hex(label_bytes);
    l.sha256 = sha256_hex(std::as_bytes(std::span(both.data(), both.size())));
    if (Status ok = read_labels(label_bytes, labels_name, labels); !ok) return ok.error();
  }
  Status read;
  if (is_archive(bytes)) {
    if (!own_labels) return Error{file, "is an NPZ archive, which holds its own labels; give it alone"};
    read = read_npz(bytes, file, l, labels);
  } else if (is_array(bytes)) {
    read = read_npy_vectors(bytes, file, own_labels, l, labels);
  } else if (beginning(bytes).find('\0') != std::string_view::npos) {
    return Error{file, "is neither an NPZ, NPY nor CSV file; save the vectors and their labels as one of these"};
  } else {
    read = read_csv_vectors(bytes, file, own_labels, l, labels);
  }
  if (!read) return read.error();
  if (labels.count() != l.count)
    return Error{file, "holds " + std::to_string(l.count) + " vectors, but there are " +
                           std::to_string(labels.count()) + " labels; give one for each" +
                           (labels.count() == l.dimension ? " (the vectors are the rows: transpose the matrix)" : "")};
  labels.give_to(l);
  if (l.classes.size() < 2)
    return Error{file, "holds vectors of " + std::to_string(l.classes.size()) +
                           " class, but what is no match must be of another; give vectors of several classes"};
  return l;
}

LatentParts parts_of(const Latents& l, bool different_match) {
  const int64_t needed = different_match ? 2 : 1;
  std::vector<int64_t> size(l.classes.size()), seen(l.classes.size());
  for (int32_t c : l.label) ++size[static_cast<size_t>(c)];
  const auto held = [&](size_t c) { return std::max(needed, size[c] / 5); };
  LatentParts parts;
  for (size_t c = 0; c < size.size(); ++c) parts.shared = parts.shared || size[c] - held(c) < needed;
  for (int64_t n = 0; n < l.count; ++n) {
    const auto c = static_cast<size_t>(l.label[static_cast<size_t>(n)]);
    const bool last = seen[c]++ >= size[c] - held(c);
    if (parts.shared || !last) parts.shown.push_back(static_cast<uint32_t>(n));
    if (parts.shared || last) parts.held_out.push_back(static_cast<uint32_t>(n));
  }
  return parts;
}

}  // namespace dalea
