#include "recording/arrays.h"
#include "session/npz.h"

namespace dalea {

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text = "(";
  for (size_t k = 0; k < shape.size(); ++k) text += (k > 0 ? ", " : "") + std::to_string(shape[k]);
  return text + ")";
}

Result<Table> table_of(const std::vector<int64_t>& shape, std::vector<double> values, const std::string& path) {
  if (shape.size() != 2)
    return Error{path, "holds an array of shape " + shape_text(shape) +
                           "; a recording is a matrix of two dimensions, time x units or units x time: reshape it"};
  Table table;
  table.rows = shape[0];
  table.cols = shape[1];
  if (table.rows == 0 || table.cols == 0) return Error{path, "holds an empty array of shape " + shape_text(shape)};
  table.values = std::move(values);
  for (size_t k = 0; k < table.values.size(); ++k)
    if (table.values[k] - table.values[k] != 0 && table.values[k] == table.values[k])
      return Error{path, "row " + std::to_string(k / static_cast<size_t>(table.cols)) + ", column " +
                             std::to_string(k % static_cast<size_t>(table.cols)) +
                             " is infinite; write NaN where a value is missing"};
  return table;
}

Result<Table> read_npy(std::span<const std::byte> bytes, std::string_view file_name, const Progress& progress) {
  Result<NpyHeader> header = read_npy_header(bytes, file_name);
  if (!header) return header.error();
  std::vector<double> numbers;
  if (header->shape.size() == 2) {  // others are refused without their values
    Result<std::vector<double>> values = read_npy_values(bytes, *header, progress);
    if (!values) return values.error();
    numbers = std::move(*values);
  }
  Result<Table> table = table_of(header->shape, std::move(numbers), std::string(file_name));
  if (!table) return table;
  table->format = "NPY v" + std::to_string(header->major) + "." + std::to_string(header->minor) + " " +
                  header->byte_order + header->kind + std::to_string(header->item_size) + " " +
                  shape_text(header->shape) + (header->fortran_order ? " Fortran order" : " C order");
  return table;
}

}  // namespace dalea
