// SPDX-License-Identifier: Apache-2.0
// A configuration for data that nobody has described: manygate train --data F --label L, without CONFIG.
//
//   MG_ASSIGN_OR_RETURN(InferredPipeline made, InferPipeline({.paths = "f.csv", .labels = {"click"}}, pool));
//   Train(std::move(made.loaded), options);
//
// Features: every column that is neither label nor left out. Ids (texts, codes, whole numbers of few values) become
// embeddings of 8 (values seen once share the unknown bucket where there are many); of texts that hold several values,
// "comedy|drama", the mean of theirs. A number enters twice, standardised (after log1p where it reaches beyond 100,
// with an indicator where values are missing) and piecewise linear, with many rows a third time as fine bins. All of
// them also feed a linear part. Left out: empty and constant columns, dates, row numbers and other values that differ
// in every row, weights of rows by their names, and columns that give a binary label away (check::TellsOutcome).
// Labels: binary when the column has two values, multi-class for texts of few values, else a regression.
// Model: the networks of DefaultNetworks. Training: AdamW with warm-up and cosine, averaged weights; a tenth of the
// rows each for validation and test; the weights with the least loss on the validation rows are kept. Batch, epochs,
// bins and initial values follow from the number of rows.
#ifndef MANYGATE_CLI_INFER_CONFIG_H_
#define MANYGATE_CLI_INFER_CONFIG_H_

#include <string>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/base/thread_pool.h"
#include "manygate/cli/findings.h"
#include "manygate/config/load.h"
#include "manygate/config/model_defaults.h"

namespace manygate::cli {

struct InferRequest {
  std::string paths;                        // as train_input_path
  std::vector<std::string> labels;          // NAME or NAME:KIND
  std::vector<std::string> names = {};      // of the columns of a file without a header
  std::string model = "mmoe";               // a field of config::ModelConfig
  std::vector<std::string> overrides = {};  // path=value, applied to the result
};

struct InferredPipeline {
  config::LoadedPipeline loaded;   // its name is "<command line>"
  Findings findings;               // what it was made from
  std::vector<std::string> notes;  // what was chosen and why, for the user
};

// InvalidInput: as LookAtData; no such model; no column is left to learn from.
StatusOr<InferredPipeline> InferPipeline(const InferRequest& request, ThreadPool& pool);

// A configuration whose model is replaced by another of default networks; groups of features and towers stay.
// overrides: path=value, applied to the result. InvalidInput: no such model.
StatusOr<config::LoadedPipeline> ReplaceModel(const config::LoadedPipeline& loaded, const std::string& model,
                                              const std::vector<std::string>& overrides);

// The networks of a model that is chosen by name.
config::NetworkDefaults DefaultNetworks();

}  // namespace manygate::cli

#endif  // MANYGATE_CLI_INFER_CONFIG_H_
