#include "recording/recording.h"
#include "session/npz.h"

namespace dalea {

Result<Table> read_npy(std::span<const std::byte> bytes, std::string_view file_name) {
  Result<NpyHeader> header = read_npy_header(bytes, file_name);
  if (!header) return header.error();
  std::string shape = "(";
  for (size_t k = 0; k < header->shape.size(); ++k) shape += (k > 0 ? ", " : "") + std::to_string(header->shape[k]);
  shape += ")";
  if (header->shape.size() != 2)
    return Error{std::string(file_name),
                 "holds an array of shape " + shape +
                     "; a recording is a matrix of two dimensions, time x units or units x time: reshape it"};
  Table table;
  table.rows = header->shape[0];
  table.cols = header->shape[1];
  if (table.rows == 0 || table.cols == 0)
    return Error{std::string(file_name), "holds an empty array of shape " + shape};
  Result<std::vector<double>> values = read_npy_values(bytes, *header);
  if (!values) return values.error();
  table.values = std::move(*values);
  for (size_t k = 0; k < table.values.size(); ++k)
    if (table.values[k] - table.values[k] != 0 && table.values[k] == table.values[k])
      return Error{std::string(file_name), "row " + std::to_string(k / static_cast<size_t>(table.cols)) + ", column " +
                                               std::to_string(k % static_cast<size_t>(table.cols)) +
                                               " is infinite; write NaN where a value is missing"};
  table.format = "NPY v" + std::to_string(header->major) + "." + std::to_string(header->minor) + " " +
                 header->byte_order + header->kind + std::to_string(header->item_size) + " " + shape +
                 (header->fortran_order ? " Fortran order" : " C order");
  return table;
}

Result<Table> read_table(std::span<const std::byte> bytes, std::string_view file_name) {
  if (bytes.size() >= 6 && static_cast<unsigned>(bytes[0]) == 0x93 && static_cast<char>(bytes[1]) == 'N')
    return read_npy(bytes, file_name);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::string file(file_name);
  if (text.substr(0, 2) == "PK")
    return Error{file, "is a zip or .npz archive; take one array out of it and save it with numpy.save"};
  if (text.substr(0, 4) == "\x89HDF")
    return Error{file, "is an HDF5 file; export the traces as CSV or NPY (time x units)"};
  if (text.substr(0, 6) == "MATLAB")
    return Error{file, "is a MATLAB file; export the traces as CSV or NPY (time x units)"};
  return read_csv(text, file_name);
}

}  // namespace dalea
