#include "tasks/digits.h"

#include <zlib.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace dalea {
namespace {

using Bytes = std::span<const std::byte>;

constexpr uint64_t most_bytes = uint64_t{256} << 20;  // five times the published training images
constexpr uint64_t most_side = 1024;                  // pixels
constexpr uint64_t most_inflation = 1100;             // deflate cannot unpack a byte to more than 1,032

std::string count_of(int64_t n) {
  return std::to_string(n);
}

// A file's bytes in order, unpacked on the way when it is gzipped.
class Source {
 public:
  explicit Source(Bytes bytes) : left_(bytes) {
    packed_ = bytes.size() >= 2 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b};
    if (!packed_) return;
    good_ = inflateInit2(&stream_, 16 + MAX_WBITS) == Z_OK;  // 16: gzip, and nothing else
    open_ = good_;
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
  }
  ~Source() {
    if (open_) inflateEnd(&stream_);
  }
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  bool packed() const { return packed_; }
  bool good() const { return good_; }  // false: the gzip stream is damaged

  // How many of the next `size` bytes there are; fewer at the end.
  size_t take(uint8_t* to, size_t size) {
    if (!packed_) {
      const size_t n = std::min(size, left_.size());
      if (n > 0) std::memcpy(to, left_.data(), n);
      left_ = left_.subspan(n);
      return n;
    }
    stream_.next_out = to;
    stream_.avail_out = static_cast<uInt>(size);
    while (good_ && !ended_ && stream_.avail_out > 0) {
      const int status = inflate(&stream_, Z_NO_FLUSH);
      if (status == Z_STREAM_END)
        ended_ = true;
      else if (status == Z_BUF_ERROR)
        break;  // the input is used up
      else if (status != Z_OK)
        good_ = false;
    }
    return size - stream_.avail_out;
  }

  // Nothing follows; of a gzip stream also that its end, with the check sum, is there.
  bool at_end() {
    uint8_t more = 0;
    return take(&more, 1) == 0 && good_ && (!packed_ || (ended_ && stream_.avail_in == 0));
  }

 private:
  Bytes left_;
  z_stream stream_{};
  bool packed_ = false, good_ = true, open_ = false, ended_ = false;
};

struct Idx {
  std::vector<int64_t> sizes;
  std::vector<uint8_t> values;
};

// An IDX file of bytes: 0, 0, 8 (unsigned byte), the number of dimensions, their sizes (32 bits, big end first),
// values.
Result<Idx> read_idx(Bytes bytes, std::string_view name, uint8_t dimensions) {
  const auto bad = [&](const std::string& what) {
    return Error{std::string(name), what + "; fetch the file again (./run digits installs all four)"};
  };
  if (bytes.size() > most_bytes + 4096) return bad("is larger than 256 MiB, which no file of digits is");
  Source source(bytes);
  uint8_t head[16];
  const size_t head_size = 4 + 4 * size_t{dimensions}, got = source.take(head, head_size);
  if (!source.good()) return bad("is a damaged gzip file");
  if (got < 4 || head[0] != 0 || head[1] != 0 || head[2] != 8 || head[3] != dimensions) {
    char expected[32], found[32] = "nothing";
    std::snprintf(expected, sizeof expected, "00 00 08 %02x", dimensions);
    if (got >= 4) std::snprintf(found, sizeof found, "%02x %02x %02x %02x", head[0], head[1], head[2], head[3]);
    return bad("is not an IDX file of " + std::string(dimensions == 3 ? "images" : "labels") + ": it begins with " +
               found + " instead of " + expected);
  }
  if (got < head_size) return bad("is cut off within its header");
  Idx idx;
  uint64_t size = 1;
  for (size_t d = 0; d < dimensions; ++d) {
    const uint8_t* p = head + 4 + 4 * d;
    const uint64_t n = uint64_t{p[0]} << 24 | uint64_t{p[1]} << 16 | uint64_t{p[2]} << 8 | p[3];
    if (d > 0 && (n < 1 || n > most_side))
      return bad("says that a digit has " + std::to_string(n) + (d == 1 ? " rows" : " columns") +
                 "; 1 to 1024 are possible");
    size *= n;  // below 2^32 * 2^20
    idx.sizes.push_back(static_cast<int64_t>(n));
  }
  if (size > most_bytes)
    return bad("says that it holds " + std::to_string(size) + " values, more than the " + std::to_string(most_bytes) +
               " allowed here");
  if (source.packed() ? size > bytes.size() * most_inflation : head_size + size > bytes.size())
    return bad("is cut off: its header says " + std::to_string(size) + " values, and its " +
               std::to_string(bytes.size()) + " bytes are too few for them");
  idx.values.resize(static_cast<size_t>(size));
  if (source.take(idx.values.data(), idx.values.size()) < idx.values.size())
    return bad(source.good() ? "is cut off" : "is a damaged gzip file");
  if (!source.at_end())
    return bad(source.packed() ? "is damaged: its gzip stream does not end where its header says"
                               : "is longer than its header says");
  return idx;
}

Trials cut(const DigitSet& set, int64_t begin, int64_t count) {
  Trials trials;
  trials.count = count;
  trials.steps = set.rows;
  trials.inputs = set.cols;
  trials.outputs = digit_classes;
  const int64_t size = set.rows * set.cols;
  trials.input.resize(static_cast<size_t>(count * size));
  const uint8_t* from = set.pixels.data() + begin * size;
  for (int64_t e = 0; e < count * size; ++e) trials.input[e] = static_cast<float>(from[e]) / 255.0f;
  trials.label.assign(static_cast<size_t>(count * set.rows), -1);
  for (int64_t n = 0; n < count; ++n) trials.label[(n + 1) * set.rows - 1] = set.labels[begin + n];
  return trials;
}

// Of the digits that are used, whether the files hold more of them or not.
std::string sha256_of(const DigitSet& set, int64_t count) {
  return sha256_hex(std::as_bytes(std::span(set.pixels).first(static_cast<size_t>(count * set.rows * set.cols)))) +
         sha256_hex(std::as_bytes(std::span(set.labels).first(static_cast<size_t>(count))));
}

}  // namespace

std::optional<IdxHead> peek_idx(Bytes bytes) {
  Source source(bytes);
  uint8_t head[16];
  const size_t got = source.take(head, sizeof head);
  if (got < 8 || head[0] != 0 || head[1] != 0 || head[2] != 8 || (head[3] != 1 && head[3] != 3)) return std::nullopt;
  const auto size_at = [&](size_t at) {
    return int64_t{head[at]} << 24 | int64_t{head[at + 1]} << 16 | int64_t{head[at + 2]} << 8 | head[at + 3];
  };
  IdxHead idx;
  idx.count = size_at(4);
  idx.images = head[3] == 3;
  if (!idx.images) return idx;
  if (got < sizeof head) return std::nullopt;
  idx.rows = size_at(8);
  idx.cols = size_at(12);
  return idx;
}

bool digits_too_few(const Spec& spec, const Digits& digits) {
  return spec.task.train + spec.task.validation > digits.train.count || spec.task.held_out > digits.test.count;
}

Result<DigitSet> read_digit_set(Bytes images, std::string_view images_name, Bytes labels,
                                std::string_view labels_name) {
  // The labels first: they are small, and a wrong count is found before the images are unpacked.
  Result<Idx> label = read_idx(labels, labels_name, 1);
  if (!label) return label.error();
  for (size_t n = 0; n < label->values.size(); ++n)
    if (label->values[n] >= digit_classes)
      return Error{std::string(labels_name), "has the label " + std::to_string(label->values[n]) + " at digit " +
                                                 std::to_string(n) +
                                                 "; digits have labels 0 to 9: give a set of ten classes"};
  Result<Idx> image = read_idx(images, images_name, 3);
  if (!image) return image.error();
  if (image->sizes[0] != label->sizes[0])
    return Error{std::string(images_name), "holds " + count_of(image->sizes[0]) + " digits, but " +
                                               std::string(labels_name) + " labels " + count_of(label->sizes[0]) +
                                               "; give two files that belong together"};
  DigitSet set;
  set.count = image->sizes[0];
  set.rows = image->sizes[1];
  set.cols = image->sizes[2];
  set.pixels = std::move(image->values);
  set.labels = std::move(label->values);
  return set;
}

Result<Dataset> make_digits_dataset(const Spec& spec, const Digits& digits) {
  const TaskSpec& task = spec.task;
  const DigitSet &train = digits.train, &test = digits.test;
  if (train.rows != test.rows || train.cols != test.cols)
    return Error{"task.folder", "holds training digits of " + count_of(train.rows) + " x " + count_of(train.cols) +
                                    " and test digits of " + count_of(test.rows) + " x " + count_of(test.cols) +
                                    " pixels; give files of one set"};
  if (task.steps != train.rows)
    return Error{"task.steps", "is " + count_of(task.steps) + ", but a digit has " + count_of(train.rows) +
                                   " rows, one a step; give " + count_of(train.rows)};
  if (task.train + task.validation > train.count)
    return Error{"task.train", "and task.validation ask for " + count_of(task.train) + " + " +
                                   count_of(task.validation) + " digits, but the training file holds " +
                                   count_of(train.count) + "; give fewer of them"};
  if (task.held_out > test.count)
    return Error{"task.held_out", "asks for " + count_of(task.held_out) + " digits, but the test file holds " +
                                      count_of(test.count) + "; give fewer"};
  Dataset data;
  const std::string parts = count_of(train.rows) + " x " + count_of(train.cols) + " " +
                            sha256_of(train, task.train + task.validation) + sha256_of(test, task.held_out);
  data.sha256 = sha256_hex(std::as_bytes(std::span(parts.data(), parts.size())));
  if (!task.sha256.empty() && task.sha256 != data.sha256)
    return Error{"task.sha256", "is " + task.sha256 + ", but the digits given have " + data.sha256 +
                                    "; give the digits that the experiment was made with, or leave it out"};
  data.train = cut(train, 0, task.train);
  data.validation = cut(train, task.train, task.validation);
  data.held_out = cut(test, 0, task.held_out);
  data.loss = Loss::cross_entropy;
  data.ends.inputs = train.cols;
  data.ends.outputs = digit_classes;
  data.unit = "nats";
  data.published_last = true;
  for (int64_t c = 0; c < train.cols; ++c) data.channel_names.push_back("column " + count_of(c + 1));
  for (int64_t c = 0; c < digit_classes; ++c) data.output_names.push_back(count_of(c));
  return data;
}

}  // namespace dalea
