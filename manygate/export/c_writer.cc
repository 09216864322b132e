// SPDX-License-Identifier: Apache-2.0
#include "manygate/export/c_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "manygate/base/version.h"
#include "manygate/data/source_options.h"
#include "manygate/export/c_function.h"
#include "manygate/export/c_text.h"

namespace manygate {
namespace {

constexpr size_t kMostBytes = 64'000'000;

constexpr char kNextField[] = R"(static char *next_field(char **line) {
  char *field = *line;
  size_t size = strcspn(field, "\t");
  *line = field + size + (field[size] != 0);
  field[size] = 0;
  return field;
}

)";

constexpr char kReadNumbers[] = R"(/* Numbers with commas between them; NAN where none is written. */
static void read_numbers(char *text, float *numbers, int count) {
  int i;
  for (i = 0; i < count; ++i) {
    char *end;
    numbers[i] = strtof(text, &end);
    if (end == text) numbers[i] = NAN;
    text = end + (*end == ',');
  }
}

)";

std::string UpperCase(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

class CWriter {
 public:
  CWriter(const TensorProgram& program, const CChoice& choice) : program_(program), choice_(choice) {
    std::set<std::string> taken;
    for (const ProgramInput& input : program.inputs()) names_.fields.push_back(NewCIdentifier(input.name, &taken));
    taken.clear();
    for (const TensorProgram::Output& output : program.outputs())
      names_.results.push_back(NewCIdentifier(output.name, &taken));
  }

  StatusOr<std::string> Write() const {
    if (LeastBytes() > kMostBytes) return TooLarge();
    MG_ASSIGN_OR_RETURN(const CFunction function, WriteCFunction(program_, names_, choice_.trim_blanks));
    if (function.constants.size() + function.body.size() > kMostBytes) return TooLarge();
    const std::string signature = fmt::format("int {0}_predict(const {0}_row *row, {0}_result *result)", choice_.name);
    return TopComment() +
           "#include <math.h>\n#include <stdlib.h>\n#include <string.h>\n\n"
           "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n" +
           Structs() + signature + ";\n\n" + fmt::format("#ifndef {}_DECLARATIONS\n\n", UpperCase(choice_.name)) +
           UsedFunctions(function.body) + function.constants + "\n" + signature + " {\n" + function.declarations +
           function.body + "  return 0;\n}\n\n#endif\n\n#ifdef __cplusplus\n}\n#endif\n\n" + Main();
  }

 private:
  static Status TooLarge() {
    return InvalidInput(
        "the model's C source would be larger than 64 MB: give its largest embedding tables fewer rows "
        "(max_vocabulary, "
        "num_buckets) or a smaller embedding_dim and train again, or export it --to onnx");
  }
  // The shortest that the constants can be: "0.0f, ". To refuse large models before their numbers are written.
  size_t LeastBytes() const {
    size_t bytes = 0;
    for (const TensorProgram::Operation& operation : program_.operations()) bytes += 6 * operation.numbers.size();
    return bytes;
  }
  std::string TopComment() const;
  std::string Structs() const;
  std::string Main() const;
  // Of the program's loop: statements that fill the row.
  std::string ReadFields() const;
  // Those of kCFunctions that the code calls, and that these call: a compiler would warn about the others.
  static std::string UsedFunctions(const std::string& code);

  const TensorProgram& program_;
  const CChoice& choice_;
  CNames names_;
};

std::string CWriter::TopComment() const {
  return fmt::format(
      "/* Model {0} ({1}), exported by manygate {2}. C99; needs the C library and its mathematics alone:\n"
      " *\n"
      " *   cc -std=c99 -O2 -c {3}.c              then link with -lm\n"
      " *   cc -std=c99 -O2 -D{4}_MAIN {3}.c -o {3} -lm\n"
      " *\n"
      " * The second makes a program: a row per line of its input, the fields of {3}_row in their order with tabs "
      "between\n"
      " * them, an empty one where a value is missing; a line of predictions for each.\n"
      " *\n"
      " * Other files get the declarations alone by this; compile the file by itself, then:\n"
      " *\n"
      " *   #define {4}_DECLARATIONS\n"
      " *   #include \"{3}.c\"\n"
      " *\n"
      " *   {3}_row row = {{0}};              all texts missing; set every number, NAN where it is missing\n"
      " *   {3}_result result;\n"
      " *   if ({3}_predict(&row, &result) != 0) ...\n"
      " *\n"
      " * Returns 0, or n where field n of the row, counted from 1, is wrong: an infinite number, or a text where a "
      "number is\n"
      " * needed. Nothing is allocated or kept; any number of threads may call it. */\n",
      CComment(choice_.name), CComment(choice_.model), kProgramVersion, choice_.name, UpperCase(choice_.name));
}

std::string CWriter::Structs() const {
  std::string text = "typedef struct {\n";
  for (size_t i = 0; i < names_.fields.size(); ++i) {
    const ProgramInput& input = program_.inputs()[i];
    const std::string name = CComment(input.name);
    if (input.type == TensorType::kText) {
      const bool visible = input.list && input.separator[0] > ' ' && input.separator[0] < 127;
      const std::string separator =
          visible ? CComment(input.separator)
                  : fmt::format("byte {}",
                                input.list ? static_cast<int>(static_cast<unsigned char>(input.separator[0])) : 0);
      text += fmt::format("  const char *{};  /* {}{}; NULL or \"\" = missing */\n", names_.fields[i], name,
                          input.list ? fmt::format(": up to {} values, {} between them", input.values, separator) : "");
    } else if (input.list) {
      text += fmt::format("  float {}[{}];  /* {}: {} x {} numbers{} */\n", names_.fields[i],
                          input.positions * input.values, name, input.positions, input.values,
                          input.sequence ? "; positions behind the last are NAN" : "; NAN = missing");
    } else {
      text += fmt::format("  float {};  /* {}; NAN = missing */\n", names_.fields[i], name);
    }
  }
  text += fmt::format("}} {}_row;\n\ntypedef struct {{\n", choice_.name);
  for (size_t i = 0; i < names_.results.size(); ++i)
    text += fmt::format("  float {}[{}];\n", names_.results[i], program_.shape(program_.outputs()[i].tensor).size());
  return text + fmt::format("}} {}_result;\n\n", choice_.name);
}

std::string CWriter::UsedFunctions(const std::string& code) {
  std::vector<std::string> chunks;
  const std::string all = kCFunctions;
  for (size_t begin = 0; begin < all.size();) {
    const size_t end = std::min(all.find("\n\n", begin), all.size());
    chunks.push_back(all.substr(begin, end - begin));
    begin = end + 2;
  }
  std::string used;
  for (size_t i = chunks.size(); i-- > 0;) {
    const size_t start = chunks[i].find("static "), open = chunks[i].find('(', start);
    const bool is_type = start == std::string::npos;
    const size_t name = is_type ? 0 : chunks[i].rfind(' ', open) + 1;
    const std::string call = is_type ? "" : chunks[i].substr(name, open + 1 - name);
    if (is_type || code.find(call) != std::string::npos || used.find(call) != std::string::npos)
      used = chunks[i] + "\n\n" + used;
  }
  return used;
}

std::string CWriter::ReadFields() const {
  std::string text;
  for (size_t i = 0; i < names_.fields.size(); ++i) {
    const ProgramInput& input = program_.inputs()[i];
    if (input.type == TensorType::kText) {
      text += fmt::format("    row.{} = next_field(&rest);\n", names_.fields[i]);
    } else {
      text += fmt::format("    read_numbers(next_field(&rest), {}row.{}, {});\n", input.list ? "" : "&",
                          names_.fields[i], input.positions * input.values);
    }
  }
  return text;
}

std::string CWriter::Main() const {
  std::string results, header;
  for (size_t i = 0; i < names_.results.size(); ++i) {
    const int64_t width = program_.shape(program_.outputs()[i].tensor).size();
    for (int64_t k = 0; k < width; ++k) {
      const char* comma = header.empty() ? "" : ",";
      header += comma + names_.results[i] + (width == 1 ? "" : fmt::format("_{}", k));
      results += fmt::format("    printf(\"{}%.9g\", (double)result.{}[{}]);\n", comma, names_.results[i], k);
    }
  }
  const std::string fields = ReadFields();
  const bool has_numbers = fields.find("read_numbers(") != std::string::npos;
  std::string text = fmt::format("#ifdef {}_MAIN\n#include <stdio.h>\n\n{}", UpperCase(choice_.name), kNextField);
  if (has_numbers) text += kReadNumbers;
  return text + fmt::format(
                    "int main(void) {{\n"
                    "  static char line[1 << 20];\n"
                    "  puts(\"{1}\");\n"
                    "  while (fgets(line, sizeof line, stdin) != NULL) {{\n"
                    "    {0}_row row;\n"
                    "    {0}_result result;\n"
                    "    char *rest = line;\n"
                    "    int wrong;\n"
                    "    line[strcspn(line, \"\\n\")] = 0;\n"
                    "{2}"
                    "    wrong = {0}_predict(&row, &result);\n"
                    "    if (wrong != 0) {{\n"
                    "      fprintf(stderr, \"field %d is wrong\\n\", wrong);\n"
                    "      return 2;\n"
                    "    }}\n"
                    "{3}"
                    "    puts(\"\");\n"
                    "  }}\n"
                    "  return 0;\n"
                    "}}\n"
                    "#endif\n",
                    choice_.name, header, fields, results);
}

}  // namespace

StatusOr<bool> TrimsBlanks(const config::Pipeline& pipeline) {
  MG_ASSIGN_OR_RETURN(const SourceOptions options, SourceOptionsFromConfig(pipeline.data_config()));
  const bool texts = options.dataset_type == config::CsvDataset || options.dataset_type == config::FieldListDataset;
  return texts && options.trim_blanks;
}

StatusOr<std::string> WriteC(const TensorProgram& program, const CChoice& choice) {
  if (!IsCIdentifier(choice.name))
    return InvalidInput(
        fmt::format("--name {}: not a name in C, which has letters, digits and _, a letter first, such as {}",
                    choice.name, CIdentifier(choice.name)));
  return CWriter(program, choice).Write();
}

}  // namespace manygate
