#include "recording/hdf5_arrays.h"

#include <algorithm>
#include <cctype>

namespace dalea {
namespace {

std::string matlab_class(const Hdf5& file, const std::string& path) {
  const Result<Hdf5::Attribute> a = file.attribute(path, "MATLAB_class");
  return a && a->found && a->values.texts.size() == 1 ? a->values.texts[0] : "";
}

bool has_attribute(const Hdf5& file, const std::string& path, const char* name) {
  const Result<Hdf5::Attribute> a = file.attribute(path, name);
  return a && a->found;
}

// MATLAB's own notes, and what cells and objects hold.
bool matlab_keeps(const std::string& path) {
  return path.substr(0, 2) == "/#";
}

// By its beginning, or by the class of the first thing in it.
bool from_matlab(std::span<const std::byte> bytes, const Hdf5& file) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.substr(0, 6) == "MATLAB") return true;
  for (const Hdf5Object& o : file.objects())
    if (o.path != "/" && !matlab_keeps(o.path)) return !matlab_class(file, o.path).empty();
  return false;
}

std::string matlab_name(std::string path) {
  path.erase(0, 1);
  std::replace(path.begin(), path.end(), '/', '.');
  return path;
}
std::string matlab_path(std::string name) {
  std::replace(name.begin(), name.end(), '.', '/');
  return name.empty() || name[0] != '/' ? "/" + name : name;
}

void describe_matlab(const Hdf5& file, const std::string& path, ArrayInfo& to) {
  const std::string kind = matlab_class(file, path);
  if (kind.empty()) return;
  std::reverse(to.shape.begin(), to.shape.end());
  constexpr const char* real[] = {"double", "single", "int8",  "uint8",  "int16",  "uint16",
                                  "int32",  "uint32", "int64", "uint64", "logical"};
  const bool complex = to.type == "complex";
  to.type = (complex ? "complex " : "") + kind;
  if (has_attribute(file, path, "MATLAB_empty")) {
    to.shape = {0, 0};
    to.unusable = "is empty";
  } else if (kind == "char") {
    to.unusable = "holds text";
  } else if (kind == "cell") {
    to.unusable = "is a cell array; save the matrix in it as a variable of its own";
  } else if (std::find(std::begin(real), std::end(real), kind) == std::end(real)) {
    to.unusable = "is an object; save the numbers in it as a plain matrix";
  }
}

}  // namespace

ArrayList list_hdf5(const Hdf5& file, std::span<const std::byte> bytes) {
  ArrayList list;
  const bool matlab = from_matlab(bytes, file);
  list.format = matlab ? "MATLAB v7.3 (HDF5)" : "HDF5";
  list.more = file.more();
  std::string sparse = "/";  // the group whose parts are one sparse matrix
  for (const Hdf5Object& o : file.objects()) {
    if (matlab && (matlab_keeps(o.path) || o.path.compare(0, sparse.size() + 1, sparse + "/") == 0)) continue;
    const bool thin = matlab && o.group && has_attribute(file, o.path, "MATLAB_sparse");
    if (o.group && !thin) continue;
    if (list.arrays.size() == most_listed) {
      list.more = true;
      break;
    }
    ArrayInfo info{matlab ? matlab_name(o.path) : o.path, o.type, o.shape, o.unusable};
    if (thin) {
      sparse = o.path;
      info.type = "sparse " + matlab_class(file, o.path);
      info.unusable = "is sparse; save it with full()";
    } else if (matlab) {
      describe_matlab(file, o.path, info);
    }
    list.arrays.push_back(std::move(info));
  }
  return list;
}

std::string name_in_hdf5(const Hdf5& file, std::span<const std::byte> bytes, const std::string& wanted) {
  if (wanted.empty()) return wanted;
  if (from_matlab(bytes, file)) return matlab_name(matlab_path(wanted));
  const Hdf5Object* o = file.find(wanted);
  return o != nullptr ? o->path : wanted;
}

Result<Table> read_from_hdf5(const Hdf5& file, std::span<const std::byte> bytes, std::string_view file_name,
                             const std::string& array, const Progress& progress) {
  const bool matlab = from_matlab(bytes, file);
  const std::string path = matlab ? matlab_path(array) : array;
  const Hdf5Object* o = file.find(path);
  Result<Hdf5Values> read = file.read(path, progress);
  if (!read) return read.error();
  const std::string what = std::string(file_name) + ": " + (matlab ? "variable '" : "dataset '") + array + "'";
  if (!read->texts.empty()) return Error{what, "holds text; the traces are numbers"};
  std::string type = o != nullptr ? o->type : "";
  if (matlab && read->shape.size() == 2 && !matlab_class(file, path).empty()) {
    type = matlab_class(file, path);
    const size_t cols = static_cast<size_t>(read->shape[0]), rows = static_cast<size_t>(read->shape[1]);
    std::vector<double> turned(read->numbers.size());
    for (size_t c = 0; c < cols; ++c)
      for (size_t r = 0; r < rows; ++r) turned[r * cols + c] = read->numbers[c * rows + r];
    read->numbers = std::move(turned);
    std::swap(read->shape[0], read->shape[1]);
  }
  Result<Table> table = table_of(read->shape, std::move(read->numbers), what);
  if (table) table->format = (matlab ? "MATLAB v7.3 (HDF5): " : "HDF5: ") + type + " " + shape_text(read->shape);
  return table;
}

bool named_as_traces(const std::string& array) {
  std::string name = array.substr(array.find_last_of("/.") + 1);  // npos + 1 is 0
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const char* whole : {"f", "data", "activity", "calcium", "rates", "dfof", "spks"})
    if (name == whole) return true;
  for (const char* part : {"trace", "dff", "df_f", "dfoverf", "fluo"})
    if (name.find(part) != std::string::npos) return true;
  return false;
}

}  // namespace dalea
