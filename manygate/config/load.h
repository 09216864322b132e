// SPDX-License-Identifier: Apache-2.0
// Reads a pipeline configuration (protobuf text) and keeps the place of every field, so that any later check, here or
// in another folder, can point at the line that is wrong.
//
//   MG_ASSIGN_OR_RETURN(LoadedPipeline loaded, LoadPipeline("mmoe.config", {{"train_config.num_epochs=3"}}));
//   MG_RETURN_IF_ERROR(ValidatePipeline(loaded));
//   ResolveDefaults(&loaded.pipeline);
//   ... return InvalidInput(fmt::format("{}: \"{}\" is not a column. {}",
//                                       loaded.Place(feature, "expression"), column, Suggestion(...)));
//   // mmoe.config:14:30: "ages" is not a column. Did you mean "age"? Columns: ...
#ifndef MANYGATE_CONFIG_LOAD_H_
#define MANYGATE_CONFIG_LOAD_H_

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/config/pipeline.pb.h"

namespace manygate::config {

struct LoadedPipeline {
  Pipeline pipeline;
  std::string name;  // the file as it was given, or "<command line>"
  // Path of a field ("feature_configs[2].id_feature.embedding_dim") -> "file:line:column" or "--set path=value".
  // Only fields that were written; a repeated field is there once per element.
  std::map<std::string, std::string, std::less<>> places;

  // Paths of written fields that are read over (foreign_fields.h), and what they are about.
  std::vector<std::pair<std::string, std::string>> ignored;
  // A line about them: `t.config: ignored: data_config.pin_memory (about GPUs ...), ...`; "" without any.
  std::string IgnoredNote() const;

  // Where `field` of `parent` was written; a field that was not written gives the place of the nearest message around
  // it that was, or at last the file's name. `parent` is pipeline or a message inside it; both may have been changed,
  // copied or moved since loading. For a repeated field `index` selects the element, -1 means the first.
  std::string Place(const google::protobuf::Message& parent, std::string_view field, int index = -1) const;
  // The same for a message itself.
  std::string Place(const google::protobuf::Message& message) const;
  // The path of a field as --set takes it; just `field` when parent is not inside pipeline.
  std::string Path(const google::protobuf::Message& parent, std::string_view field, int index = -1) const;

  std::string Path(const google::protobuf::Message& message) const;  // "" for the pipeline itself

  std::string PlaceOfPath(std::string_view path) const;
};

// Reads the file, applies the overrides ("path=value", see override.h) in order and replaces ${NAME} and
// ${NAME:-default} in train_input_path, eval_input_path, model_dir and data_config.cache_dir.
// InvalidInput: all problems found (at most 20), each on a line of its own with its place. Values are not checked
// against their ranges here: ValidatePipeline does that.
StatusOr<LoadedPipeline> LoadPipeline(const std::string& path, std::span<const std::string> overrides = {});

// The same for text that is at hand. `name` stands for the file in messages.
StatusOr<LoadedPipeline> LoadPipelineFromText(const std::string& name, std::string_view text,
                                              std::span<const std::string> overrides = {});

}  // namespace manygate::config

#endif  // MANYGATE_CONFIG_LOAD_H_
