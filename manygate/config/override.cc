// SPDX-License-Identifier: Apache-2.0
#include "manygate/config/override.h"

#include <fmt/format.h>
#include <google/protobuf/text_format.h>

#include <charconv>
#include <optional>

#include "manygate/base/check.h"
#include "manygate/base/text.h"
#include "manygate/config/scan_text.h"

namespace manygate::config {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::TextFormat;

// One part of a path: "feature_configs[2]".
struct PathPart {
  const FieldDescriptor* field = nullptr;
  int index = -1;  // -1: none written
};

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (c == '\n') {
      quoted += "\\n";
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

bool StartsQuoted(std::string_view text) { return text.starts_with('"') || text.starts_with('\''); }

// A text needs no quotes on the command line, where the shell removes them.
std::string QuotedIfNeeded(const FieldDescriptor& field, std::string_view value) {
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_STRING || StartsQuoted(value)) return std::string(value);
  if (!field.is_repeated() || !value.starts_with('[') || !value.ends_with(']')) return Quoted(value);
  const std::string_view inside = Trim(value.substr(1, value.size() - 2));
  if (inside.empty() || StartsQuoted(inside)) return std::string(value);
  std::string list = "[";
  for (const std::string& piece : Split(inside, ',')) list += (list.size() > 1 ? ", " : "") + Quoted(Trim(piece));
  return list + "]";
}

class Override {
 public:
  Override(std::string_view text, LoadedPipeline* loaded) : loaded_(loaded), place_(fmt::format("--set {}", text)) {}

  Status Apply(std::string_view text) {
    const size_t equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0) return Problem("expected path=value");
    const bool append = text[equals - 1] == '+';
    const std::string_view path = Trim(text.substr(0, append ? equals - 1 : equals));
    MG_RETURN_IF_ERROR(ParsePath(path));
    const PathPart& last = parts_.back();
    if (append && (!last.field->is_repeated() || last.index >= 0)) {
      return Problem(fmt::format("+= needs a list, {} is none", path));
    }
    MG_RETURN_IF_ERROR(ParseValue(Trim(text.substr(equals + 1))));
    if (!last.field->is_repeated() || last.index >= 0 || !append) ForgetPlaces(path);
    const int size_before = Store(append);
    if (append) {
      const int size = last_parent_->GetReflection()->FieldSize(*last_parent_, last.field);
      for (int i = size_before; i < size; ++i) loaded_->places[fmt::format("{}[{}]", path, i)] = place_;
    } else {
      loaded_->places[std::string(path)] = place_;
    }
    return OkStatus();
  }

 private:
  Status Problem(std::string_view message) const { return InvalidInput(fmt::format("{}: {}", place_, message)); }

  // Fills parts_ and checks every index against what the pipeline holds, without changing it.
  Status ParsePath(std::string_view path) {
    const Descriptor* type = Pipeline::descriptor();
    const Message* message = &loaded_->pipeline;  // null: on the way is a message that does not exist yet
    const std::vector<std::string> names = Split(path, '.');
    for (size_t i = 0; i < names.size(); ++i) {
      PathPart part;
      MG_RETURN_IF_ERROR(ParsePart(names[i], *type, &part));
      const bool is_last = i + 1 == names.size();
      const bool is_message = part.field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
      if (!is_last && !is_message) {
        return Problem(fmt::format("{} is a value, it has no fields", part.field->name()));
      }
      MG_RETURN_IF_ERROR(CheckIndex(part, message, is_last));
      parts_.push_back(part);
      if (is_last) break;
      type = part.field->message_type();
      message = Below(message, part);
    }
    return OkStatus();
  }

  Status ParsePart(std::string_view text, const Descriptor& type, PathPart* part) const {
    const size_t bracket = text.find('[');
    const std::string name(Trim(text.substr(0, bracket)));
    part->field = type.FindFieldByName(name);
    if (part->field == nullptr) {
      std::vector<std::string> names;
      for (int i = 0; i < type.field_count(); ++i) names.push_back(type.field(i)->name());
      return Problem(
          fmt::format("unknown field \"{}\" in {}. {}", name, type.name(), Suggestion(name, names, "Fields")));
    }
    if (bracket == std::string_view::npos) return OkStatus();
    if (!part->field->is_repeated()) return Problem(fmt::format("{} is no list, it takes no [index]", name));
    const char* begin = text.data() + bracket + 1;
    const char* end = text.data() + text.size() - 1;
    const auto [stop, error] = std::from_chars(begin, end, part->index);
    if (!text.ends_with(']') || error != std::errc() || stop != end || part->index < 0) {
      return Problem(fmt::format("\"{}\": expected {}[index], counted from 0", text, name));
    }
    return OkStatus();
  }

  Status CheckIndex(const PathPart& part, const Message* message, bool is_last) const {
    if (!part.field->is_repeated()) return OkStatus();
    const int size = message == nullptr ? 0 : message->GetReflection()->FieldSize(*message, part.field);
    const std::string& name = part.field->name();
    if (part.index < 0) {
      if (is_last) return OkStatus();
      return Problem(size == 0 ? fmt::format("{} is empty; add to it with {}+={{...}}", name, name)
                               : fmt::format("{0} is a list: write {0}[0] to {0}[{1}]", name, size - 1));
    }
    if (part.index < size) return OkStatus();
    return Problem(fmt::format("{}[{}] does not exist: the list has {} element{}; add to it with +=", name, part.index,
                               size, size == 1 ? "" : "s"));
  }

  static const Message* Below(const Message* message, const PathPart& part) {
    if (message == nullptr) return nullptr;
    const Reflection& reflection = *message->GetReflection();
    if (part.index >= 0) return &reflection.GetRepeatedMessage(*message, part.field, part.index);
    return reflection.HasField(*message, part.field) ? &reflection.GetMessage(*message, part.field) : nullptr;
  }

  // Reads the value as the text of the one field into an empty message of the parent's type.
  Status ParseValue(std::string_view value) {
    const FieldDescriptor& field = *parts_.back().field;
    const Descriptor* type = field.containing_type();
    const std::string text = fmt::format("{}: {}", field.name(), QuotedIfNeeded(field, value));
    const ScannedText scanned = ScanText(text, *type);
    std::string problems;
    for (const TextProblem& problem : scanned.problems) {
      problems += fmt::format("{}{}: {}", problems.empty() ? "" : "\n", place_, problem.message);
    }
    if (!problems.empty()) return InvalidInput(problems);
    value_.reset(google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
    std::vector<const FieldDescriptor*> fields;
    if (!TextFormat::ParseFromString(text, value_.get())) return Problem("the value cannot be read");
    value_->GetReflection()->ListFields(*value_, &fields);
    const int size = field.is_repeated() ? value_->GetReflection()->FieldSize(*value_, &field) : 1;
    if (fields.size() > 1 || (parts_.back().index >= 0 && size != 1)) {
      return Problem(fmt::format("expected one value for {}", field.name()));
    }
    return OkStatus();
  }

  // Moves the value to its place, making the messages on the way. Returns the size of a repeated field before.
  int Store(bool append) {
    last_parent_ = &loaded_->pipeline;
    for (size_t i = 0; i + 1 < parts_.size(); ++i) {
      const Reflection& reflection = *last_parent_->GetReflection();
      last_parent_ = parts_[i].index >= 0
                         ? reflection.MutableRepeatedMessage(last_parent_, parts_[i].field, parts_[i].index)
                         : reflection.MutableMessage(last_parent_, parts_[i].field);
    }
    const Reflection& reflection = *last_parent_->GetReflection();
    const PathPart& last = parts_.back();
    const int size = last.field->is_repeated() ? reflection.FieldSize(*last_parent_, last.field) : 0;
    if (last.index < 0 && !append) reflection.ClearField(last_parent_, last.field);
    last_parent_->MergeFrom(*value_);
    if (last.index >= 0) {
      reflection.SwapElements(last_parent_, last.field, last.index, size);
      reflection.RemoveLast(last_parent_, last.field);
    }
    return size;
  }

  // The places of what is about to be replaced.
  void ForgetPlaces(std::string_view path) {
    std::erase_if(loaded_->places, [&](const auto& entry) {
      const std::string& known = entry.first;
      return known.starts_with(path) &&
             (known.size() == path.size() || known[path.size()] == '.' || known[path.size()] == '[');
    });
  }

  LoadedPipeline* loaded_;
  const std::string place_;
  std::vector<PathPart> parts_;
  std::unique_ptr<Message> value_;
  Message* last_parent_ = nullptr;
};

}  // namespace

Status ApplyOverride(std::string_view override_text, LoadedPipeline* loaded) {
  return Override(override_text, loaded).Apply(override_text);
}

}  // namespace manygate::config
