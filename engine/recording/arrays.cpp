#include "recording/arrays.h"

#include <algorithm>

#include "recording/bundle.h"
#include "recording/hdf5.h"
#include "recording/hdf5_arrays.h"
#include "recording/long_table.h"
#include "recording/mat.h"
#include "recording/nwb.h"
#include "session/npz.h"

namespace dalea {
namespace {

constexpr uint64_t npy_head_bytes = 8192;  // hold a plain array's header
constexpr uint64_t most_array_bytes = uint64_t{sizeof(void*) == 4 ? 512 : 2048} << 20;

std::string_view start_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
bool is_zip(std::span<const std::byte> bytes) {
  const std::string_view mark = start_of(bytes).substr(0, 4);
  return mark == "PK\3\4" || mark == "PK\5\6";  // the second: without entries
}
bool is_npy(std::span<const std::byte> bytes) {
  return start_of(bytes).substr(0, 2) == "\x93N";
}

std::string npy_type(const NpyHeader& h) {
  if (h.kind == 'b') return "bool";
  return (h.kind == 'f' ? "float" : h.kind == 'i' ? "int" : "uint") + std::to_string(8 * h.item_size);
}

std::string without_npy(const std::string& name) {
  return name.size() > 4 && name.substr(name.size() - 4) == ".npy" ? name.substr(0, name.size() - 4) : name;
}

Result<std::vector<ZipEntry>> npz_entries(std::span<const std::byte> bytes, std::string_view file_name) {
  return list_zip(bytes, file_name, UINT64_MAX);  // what is not read may be large
}

Result<ArrayList> list_npz(std::span<const std::byte> bytes, std::string_view file_name) {
  Result<std::vector<ZipEntry>> entries = npz_entries(bytes, file_name);
  if (!entries) return entries.error();
  ArrayList list;
  list.format = "NPZ";
  for (const ZipEntry& entry : *entries) {
    list.more = list.arrays.size() == most_listed;
    if (list.more) break;
    ArrayInfo info{without_npy(entry.name), "", {}, ""};
    Result<ByteVector> start = read_zip_entry(bytes, entry, file_name, npy_head_bytes);
    if (!start) return start.error();
    Result<NpyHeader> header = read_npy_header(*start, "", entry.size);
    if (!header) {
      info.type = "unknown";
      info.unusable = header.error().message;
    } else {
      info.type = npy_type(*header);
      info.shape = header->shape;
      if (entry.size > most_array_bytes)
        info.unusable = "unpacks to more than " + std::to_string(most_array_bytes >> 20) + " MiB";
    }
    list.arrays.push_back(std::move(info));
  }
  return list;
}

Result<Table> read_from_npz(std::span<const std::byte> bytes, std::string_view file_name, const std::string& array,
                            const Progress& progress) {
  Result<std::vector<ZipEntry>> entries = npz_entries(bytes, file_name);
  if (!entries) return entries.error();
  const std::string file(file_name);
  for (const ZipEntry& entry : *entries) {
    if (without_npy(entry.name) != array) continue;
    if (entry.size > most_array_bytes)
      return Error{file, "array '" + array + "' unpacks to more than " + std::to_string(most_array_bytes >> 20) +
                             " MiB; save a part of it"};
    Result<ByteVector> npy = read_zip_entry(bytes, entry, file_name, UINT64_MAX, progress.part(0, 0.7));
    if (!npy) return npy.error();
    Result<Table> table = read_npy(*npy, file + "/" + entry.name, progress.part(0.7, 1));
    if (table) table->format = "NPZ, " + table->format;
    return table;
  }
  return Error{file, "holds no array '" + array + "'; dalea inspect lists what is there"};
}

Result<Table> read_from_mat(std::span<const std::byte> bytes, std::string_view file_name, const std::string& array,
                            const std::string& format, const Progress& progress) {
  Result<MatArray> read = read_mat(bytes, file_name, array, progress);
  if (!read) return read.error();
  Result<Table> table =
      table_of(read->shape, std::move(read->values), std::string(file_name) + ": variable '" + array + "'");
  if (table) table->format = format + ": " + read->type + " " + shape_text(read->shape);
  return table;
}

// What keeps numbers from being a recording.
void refuse_other_shapes(ArrayList& list) {
  for (ArrayInfo& a : list.arrays) {
    if (!a.unusable.empty()) continue;
    if (a.shape.size() != 2)
      a.unusable = "has " + std::to_string(a.shape.size()) + " dimension" + (a.shape.size() == 1 ? "" : "s") +
                   "; a recording has two, time x units or units x time";
    else if (a.shape[0] == 0 || a.shape[1] == 0)
      a.unusable = "is empty";
  }
}

// The only matrix of numbers with more than one row and column; else the largest matrix there is. `by_name`: of those
// that are named as traces are, if there are any.
void suggest(ArrayList& list, bool by_name) {
  for (const int pass : {0, 1, 2}) {
    const bool named = pass == 0, proper = pass < 2;
    if (named && !by_name) continue;
    int64_t count = 0;
    double largest = 0;
    for (size_t k = 0; k < list.arrays.size(); ++k) {
      const ArrayInfo& a = list.arrays[k];
      if (!a.unusable.empty()) continue;
      const bool truth = a.type == "bool" || a.type.find("logical") != std::string::npos;
      if (proper && (truth || a.shape[0] < 2 || a.shape[1] < 2)) continue;
      if (named && !named_as_traces(a.name)) continue;
      ++count;
      const double size = static_cast<double>(a.shape[0]) * static_cast<double>(a.shape[1]);
      if (size <= largest) continue;
      largest = size;
      list.suggested = static_cast<int64_t>(k);
    }
    if (count == 0) continue;
    list.reason = count > 1 || list.more ? "the largest of " + std::to_string(count) + " matrices" +
                                               (named ? " named as traces are" : "") + ": recording.array takes another"
                  : list.arrays.size() == 1 ? "the only array in the file"
                  : named                   ? "the only matrix named as traces are"
                  : proper                  ? "the only matrix of numbers in the file"
                                            : "the only one in the file that can be a recording";
    return;
  }
}

std::string lower_name(std::string s) {
  for (char& c : s) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return s;
}

// "dff double (2000, 50), label char (1, 5)", at most eight.
std::string what_is_there(const ArrayList& list) {
  std::string text;
  for (size_t k = 0; k < std::min<size_t>(8, list.arrays.size()); ++k) {
    const ArrayInfo& a = list.arrays[k];
    text += (k > 0 ? ", " : "") + a.name + " " + a.type + " " + shape_text(a.shape);
  }
  if (list.arrays.size() > 8)
    text += " and " + std::to_string(list.arrays.size() - 8) + (list.more ? " or more" : "") + " others";
  return text.empty() ? "nothing" : text;
}

std::string meant(const ArrayList& list, const std::string& wanted) {
  std::vector<std::string> names;
  for (const ArrayInfo& a : list.arrays) {
    const std::string end = "." + wanted;
    const bool field = a.name.size() > end.size() && a.name.substr(a.name.size() - end.size()) == end;
    if (field || lower_name(a.name) == lower_name(wanted)) return a.name;
    names.push_back(a.name);
  }
  return closest(wanted, names);
}

// Which array: by name, or the suggested one.
Status pick_array(const ArrayList& list, const std::string& wanted, const std::string& file, std::string& array,
                  std::string& reason) {
  if (wanted.empty()) {
    if (list.suggested < 0)
      return Error{file, "holds no matrix of real numbers; it holds " + what_is_there(list) +
                             ". Save the traces as one matrix, time x units or units x time"};
    array = list.arrays[static_cast<size_t>(list.suggested)].name;
    reason = list.reason;
    return {};
  }
  array = wanted;
  reason = "stated";
  for (const ArrayInfo& a : list.arrays) {
    if (a.name != wanted) continue;
    if (!a.unusable.empty()) return Error{"recording.array", "'" + wanted + "' of " + file + " " + a.unusable};
    return {};
  }
  if (list.more) return {};  // it may be among those that are not listed
  const std::string near = meant(list, wanted);
  return Error{"recording.array", "'" + wanted + "' is not in " + file +
                                      (near.empty() ? "; it holds " : "; did you mean '" + near + "'? It holds ") +
                                      what_is_there(list)};
}

}  // namespace

// MATLAB's version 7.3 and NWB, too.
ArrayList list_hdf5_file(const Hdf5& file, std::span<const std::byte> bytes) {
  ArrayList list = list_hdf5(file, bytes);
  refuse_other_shapes(list);
  suggest(list, true);
  if (is_nwb(file)) mark_nwb(file, list);
  return list;
}

bool holds_arrays(std::span<const std::byte> bytes) {
  return is_zip(bytes) || is_hdf5(bytes) || is_mat(bytes);
}

bool suggests_connectome(const ArrayList& list) {
  if (list.suggested < 0) return false;
  for (const ArrayInfo& a : list.arrays)
    if (a.name.find("W_rec") != std::string::npos) return false;
  const std::vector<int64_t>& shape = list.arrays[static_cast<size_t>(list.suggested)].shape;
  return shape.size() == 2 && shape[0] == shape[1] && shape[0] > 1;
}

bool is_plain_csv(std::span<const std::byte> bytes, std::string_view file_name) {
  const std::string_view text = start_of(bytes);
  if (holds_arrays(bytes) || is_npy(bytes) || text.substr(0, 4) == "\x89HDF") return false;
  const bool mat = file_name.size() > 4 && lower_name(std::string(file_name.substr(file_name.size() - 4))) == ".mat";
  return !mat || text.find('\0') == std::string_view::npos;
}

Result<ArrayList> list_arrays(std::span<const std::byte> bytes, std::string_view file_name, const Progress& progress) {
  Result<ArrayList> list = ArrayList();
  const bool of_suite2p = is_suite2p_bundle(bytes);
  if (!of_suite2p && is_bundle(bytes)) {
    Result<Bundle> bundle = open_bundle(bytes, file_name, progress.part(0, 0.3));
    if (!bundle) return bundle.error();
    if (is_bundle(bundle->data)) return Error{std::string(file_name), "holds a bundle in a bundle; give the inner one"};
    return list_arrays(bundle->data, std::string(file_name) + "/" + bundle->data_name, progress.part(0.3, 1));
  }
  if (is_zip(bytes)) {
    list = list_npz(bytes, file_name);
  } else if (is_hdf5(bytes)) {
    const Result<Hdf5> file = Hdf5::open(bytes, file_name);
    if (!file) return file.error();
    return list_hdf5_file(*file, bytes);
  } else if (is_mat(bytes)) {
    list = list_mat(bytes, file_name);
  } else if (is_npy(bytes)) {
    Result<NpyHeader> header = read_npy_header(bytes, file_name);
    if (!header) return header.error();
    list->format = "NPY";
    list->arrays.push_back({"", npy_type(*header), header->shape, ""});
  } else if (is_long_table(start_of(bytes))) {
    const std::string_view text = start_of(bytes);
    LongChoices choices = long_choices(text, progress);
    if (!progress.at(1)) return cancelled(file_name);
    list->format = "CSV, a value a row";
    list->conditions = std::move(choices.conditions);
    list->series = std::move(choices.series);
    const std::string_view header = text.substr(0, text.find('\n'));
    list->arrays.push_back(
        {"",
         "long table",
         {std::count(text.begin(), text.end(), '\n'),
          std::count_if(header.begin(), header.end(), [](char c) { return c == ',' || c == ';' || c == '\t'; }) + 1},
         ""});
  } else {
    Result<Table> table = read_table(bytes, file_name, {}, progress);
    if (!table) return table.error();
    list->format = "CSV";
    list->arrays.push_back({"", "table", {table->rows, table->cols}, ""});
  }
  if (!list) return list;
  refuse_other_shapes(*list);
  suggest(*list, false);
  if (of_suite2p) {
    list->format = "suite2p";
    list->reason = "read with the others as suite2p's, unless recording.array names one alone";
    for (size_t k = 0; k < list->arrays.size(); ++k)
      if (("/" + list->arrays[k].name).ends_with("/F")) list->suggested = static_cast<int64_t>(k);
  }
  return list;
}

Result<Table> read_hdf5_table(const Hdf5& file, std::span<const std::byte> bytes, const ArrayList& list,
                              std::string_view file_name, const std::string& array, const Progress& progress) {
  std::string name, reason;
  if (Status s = pick_array(list, name_in_hdf5(file, bytes, array), std::string(file_name), name, reason); !s)
    return s.error();
  Result<Table> table = read_from_hdf5(file, bytes, file_name, name, progress);
  if (!table) return table;
  table->array = name;
  table->array_reason = reason;
  return table;
}

Result<Table> read_table(std::span<const std::byte> bytes, std::string_view file_name, const std::string& array,
                         const Progress& progress) {
  const std::string file(file_name);
  const std::string_view text = start_of(bytes);
  if (!is_zip(bytes) && is_hdf5(bytes)) {
    const Result<Hdf5> opened = Hdf5::open(bytes, file_name);
    if (!opened) return opened.error();
    return read_hdf5_table(*opened, bytes, list_hdf5_file(*opened, bytes), file_name, array, progress);
  }
  if (holds_arrays(bytes)) {
    std::string name, reason;
    const Result<ArrayList> list = list_arrays(bytes, file_name);
    if (!list) return list.error();
    if (Status s = pick_array(*list, array, file, name, reason); !s) return s.error();
    Result<Table> table = is_zip(bytes) ? read_from_npz(bytes, file_name, name, progress)
                                        : read_from_mat(bytes, file_name, name, list->format, progress);
    if (!table) return table;
    table->array = name;
    table->array_reason = reason;
    return table;
  }
  if (text.substr(0, 4) == "\x89HDF")
    return Error{file, "is an HDF5 file that is cut off in its beginning; copy it again"};
  if (!array.empty())
    return Error{"recording.array",
                 "is '" + array + "', but " + file + " holds one table without a name; leave it empty"};
  if (is_npy(bytes)) return read_npy(bytes, file_name, progress);
  if (!is_plain_csv(bytes, file_name))
    return Error{file,
                 "is not a MATLAB file that is read here (formats 5 to 7, as save(..., '-v7') writes them); save "
                 "it again so, or export the traces as CSV or NPY"};
  return read_csv(text, file_name, progress);
}

}  // namespace dalea
