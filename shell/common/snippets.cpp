#include "common/snippets.h"

#include <cstdio>
#include <vector>

#include "spec/fields.h"

namespace dalea {
namespace {

std::string python_string(const std::string& text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return quoted + "\"";
}

std::string one_line(const std::string& text) {
  std::string line;
  for (char c : text.substr(0, 100)) line += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  while (!line.empty() && (static_cast<unsigned char>(line.back()) & 0xc0) == 0x80) line.pop_back();
  if (!line.empty() && static_cast<unsigned char>(line.back()) >= 0xc0) line.pop_back();
  return line;
}

// (first unit, end, first output) of each readout, in the order of W_out0, W_out1, ... (network/model.cpp).
std::string readouts_of(const Spec& spec) {
  std::string list;
  const auto add = [&](int64_t begin, int64_t end, int64_t output) {
    list += (list.empty() ? "(" : ", (") + std::to_string(begin) + ", " + std::to_string(end) + ", " +
            std::to_string(output) + ")";
  };
  if (spec.network.readout == "populations") {
    int64_t begin = 0, output = 0;
    for (const Population& p : spec.populations) {
      add(begin, begin + p.size, output++);
      begin += p.size;
    }
  } else if (spec.task.type == "wave") {
    int64_t output = 0;
    for (Sign sign : {Sign::excitatory, Sign::inhibitory}) {
      int64_t begin = 0, from = -1;
      for (const Population& p : spec.populations) {
        if (p.sign == sign && from < 0) from = begin;
        if (p.sign != sign && from >= 0) {
          add(from, begin, output);
          from = -1;
        }
        begin += p.size;
      }
      if (from >= 0) add(from, begin, output);
      ++output;
    }
  } else {
    add(0, spec.units(), 0);
  }
  return list;
}

const char* activation_code(Activation a) {
  switch (a) {
    case Activation::tanh:
      return "lib.tanh(x)";
    case Activation::relu:
      return "lib.clip(x, 0, None)";
    case Activation::softplus:
      return "lib.clip(x, 0, None) + lib.log1p(lib.exp(-abs(x)))";
    case Activation::sigmoid:
      return "0.5 * (1 + lib.tanh(0.5 * x))";
    case Activation::identity:
      break;
  }
  return "x";
}

}  // namespace

std::string file_stem(const std::string& name) {
  std::string stem;
  for (char c : name.substr(0, 60)) {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
      stem += c;
    else if (c >= 'A' && c <= 'Z')
      stem += static_cast<char>(c - 'A' + 'a');
    else if (!stem.empty() && stem.back() != '-')
      stem += '-';
  }
  while (!stem.empty() && stem.back() == '-') stem.pop_back();
  return stem.empty() ? "dalea" : stem;
}

std::string python_snippet(const Spec& spec, const std::string& file) {
  bool leaky = false;
  std::string sizes, alphas;
  for (const Population& p : spec.populations) {
    leaky = leaky || p.tau_s > 0;
    char alpha[32];
    std::snprintf(alpha, sizeof alpha, "%.9g",
                  p.tau_s > 0 ? static_cast<double>(static_cast<float>(spec.network.dt_s / p.tau_s)) : 1.0);
    sizes += (sizes.empty() ? "" : ", ") + std::to_string(p.size);
    alphas += (alphas.empty() ? "" : ", ") + std::string(alpha);
  }
  const bool rectified = spec.network.feedback == "rectified" ||
                         (spec.network.feedback == "published" && spec.training.constraint == "dale");
  const bool tanh_output = spec.task.type == "flip-flop" && spec.training.loss != "cross-entropy";

  std::string text;
  const auto line = [&](const std::string& one) { text += one + "\n"; };
  line("# " + (spec.name.empty() ? std::string("A network") : one_line(spec.name)) + ", trained with Dalea");
  line("import numpy as np");
  line("try:");
  line("    import torch");
  line("except ImportError:  # NumPy alone will do");
  line("    torch = None");
  line("");
  line("saved = np.load(" + python_string(file) + ")");
  line("units = " + std::to_string(spec.units()));
  line("lib = torch or np");
  line("tensor = torch.from_numpy if torch else np.asarray");
  line("");
  line("");
  line("def matrix(name):");
  line("    \"\"\"(to, from); where there is no synapse, 0.\"\"\"");
  line("    if name in saved:");
  line("        return np.ascontiguousarray(saved[name])");
  line("    values, row, start = (saved[f\"{name}.{part}\"] for part in (\"values\", \"row\", \"col_start\"))");
  line("    dense = np.zeros((units, len(start) - 1), np.float32)");
  line("    dense[row, np.repeat(np.arange(len(start) - 1), np.diff(start))] = values");
  line("    return dense");
  line("");
  line("");
  line("# Each readout: first unit, the one after its last, first output.");
  line("readouts = [" + readouts_of(spec) + "]");
  line("readouts = [r for k, r in enumerate(readouts) if f\"W_out{k}\" in saved]");
  line("outputs = max(first + len(saved[f\"W_out{k}\"]) for k, (_, _, first) in enumerate(readouts))");
  line("W_out, b_out = np.zeros((outputs, units), np.float32), np.zeros(outputs, np.float32)");
  line("for k, (begin, end, first) in enumerate(readouts):");
  line("    w = saved[f\"W_out{k}\"]");
  line("    W_out[first:first + len(w), begin:end] = w");
  line("    b_out[first:first + len(w)] += saved[f\"b_out{k}\"][:, 0]");
  line("bias = np.zeros(units, np.float32)");
  line("if saved[\"b_in\"].size:");
  line("    bias += saved[\"b_in\"][:, 0] + saved[\"b_rec\"][:, 0]");
  line("W_in, W_rec, W_out, bias, b_out = map(tensor, (matrix(\"W_in\"), matrix(\"W_rec\"), W_out, bias, b_out))");
  if (leaky) line("alpha = tensor(np.repeat(np.float32([" + alphas + "]), [" + sizes + "]))  # dt / tau of each unit");
  line("");
  line("");
  line("def start(batch):");
  line("    \"\"\"The state before the first step.\"\"\"");
  line("    return tensor(np.zeros((batch, units), np.float32)), tensor(np.zeros((batch, units), np.float32))");
  line("");
  line("");
  line("def step(u, state):");
  char dt[32];
  std::snprintf(dt, sizeof dt, "%g", spec.network.dt_s);
  line(std::string("    \"\"\"") + (spec.task.type == "recording" ? "One frame" : std::string(dt) + " s") +
       ". u: (batch, channels). Gives outputs (batch, outputs), activity (batch, units) and the new state.\"\"\"");
  line("    x, fed_back = state");
  line("    drive = fed_back @ W_rec.T + (u @ W_in.T + bias)");
  line(leaky ? "    x = (1 - alpha) * x + alpha * drive" : "    x = drive");
  line(std::string("    z = ") + activation_code(spec.network.activation));
  line("    y = z @ W_out.T + b_out");
  line(std::string("    return ") + (tanh_output ? "lib.tanh(y)" : "y") + ", z, (x, " +
       (rectified ? "lib.clip(z, 0, None)" : "z") + ")");
  line("");
  line("");
  line("def run(inputs):");
  line("    \"\"\"Outputs (batch, steps, outputs) of whole trials (batch, steps, channels).\"\"\"");
  line("    state, all_outputs = start(len(inputs)), []");
  line("    for t in range(inputs.shape[1]):");
  line("        y, _, state = step(inputs[:, t], state)");
  line("        all_outputs.append(y)");
  line("    return lib.stack(all_outputs, 1)");
  return text;
}

std::string native_snippet(const std::string& link) {
  return "./run cli run '#" + link + "' --out out";
}

}  // namespace dalea
