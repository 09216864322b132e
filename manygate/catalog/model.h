// SPDX-License-Identifier: Apache-2.0
// A model with everything that running it needs: resolved configuration, fitted schema, graph, parameters, losses.
//
//   std::unique_ptr<Model> model = MakeTrainingModel(pipeline, schema);   // parameters from their initializers
//   MG_RETURN_IF_ERROR(SaveModel(*model, dir));
//   MG_ASSIGN_OR_RETURN(std::unique_ptr<Model> model, LoadModel(dir));             // to predict
//
// A model directory holds
//   pipeline.config      the resolved configuration
//   schema.pbtxt         fitted features and labels (features/schema.proto)
//   weights.safetensors  every parameter by name
//   MANIFEST.json        format and program version, size and checksum of the files above; written last
// besides the logs and checkpoints of its training (train/trainer.h).
#ifndef MANYGATE_CATALOG_MODEL_H_
#define MANYGATE_CATALOG_MODEL_H_

#include <memory>
#include <string>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/catalog/catalog.h"
#include "manygate/catalog/task.h"
#include "manygate/graph/parameter_store.h"

namespace manygate {

inline constexpr char kConfigFileName[] = "pipeline.config";
inline constexpr char kWeightsFileName[] = "weights.safetensors";
inline constexpr int kModelFormatVersion = 1;

struct Model {
  config::Pipeline pipeline;  // resolved
  features::Schema schema;
  Graph graph;
  std::unique_ptr<ParameterStore> store;
  std::vector<Task> tasks;  // by tower; graph.outputs[t] are the logits of task t
};

// Parameters start from their initializers with train_config.seed. states: of the optimizers.
std::unique_ptr<Model> MakeModel(const config::Pipeline& pipeline, const features::Schema& schema, Purpose purpose,
                                 StateCounts states);
inline std::unique_ptr<Model> MakePredictionModel(const config::Pipeline& pipeline, const features::Schema& schema) {
  return MakeModel(pipeline, schema, Purpose::kPredict, {});
}
// With the states of the configuration's optimizers (training.cc: what only predicts is not linked with optimizers).
std::unique_ptr<Model> MakeTrainingModel(const config::Pipeline& pipeline, const features::Schema& schema);

// Writes the files of the model directory, the manifest last; the folder is made when it is missing.
Status SaveModel(const Model& model, const std::string& dir);

// InvalidInput, naming the file: not a model directory, a file that is missing, damaged or changed, a newer format,
// parameters that do not fit the configuration.
StatusOr<std::unique_ptr<Model>> LoadModel(const std::string& dir);

// The parameters alone, by name.
Status SaveWeights(const Model& model, const std::string& path);
// InvalidInput: a parameter is missing, unknown or of another shape (all problems, a line each), or not finite.
Status LoadWeights(const std::string& path, Model& model);

}  // namespace manygate

#endif  // MANYGATE_CATALOG_MODEL_H_
