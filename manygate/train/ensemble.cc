// SPDX-License-Identifier: Apache-2.0
#include "manygate/train/ensemble.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ostream>

#include "manygate/base/file.h"
#include "manygate/base/manifest.h"
#include "manygate/catalog/ensemble.h"
#include "manygate/train/checkpoint.h"
#include "manygate/train/dataset.h"
#include "manygate/train/evaluation.h"
#include "manygate/train/model_directory.h"

namespace manygate {
namespace {

void AddMember(const TrainResult& member, TrainResult* sum) {
  sum->steps += member.steps;
  sum->epochs += member.epochs;
  PhaseSeconds& a = sum->phases;
  const PhaseSeconds& b = member.phases;
  a.batch += b.batch;
  a.settle += b.settle;
  a.forward_backward += b.forward_backward;
  a.optimizer += b.optimizer;
  a.evaluate += b.evaluate;
  a.save += b.save;
  sum->rows_per_second = std::max(sum->rows_per_second, member.rows_per_second);
}

}  // namespace

StatusOr<TrainResult> TrainEnsemble(const config::LoadedPipeline& loaded, const TrainOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  const std::string& dir = options.model_dir;
  ThreadPool pool(std::max(1, options.num_threads));
  std::vector<std::string> notes;
  MG_ASSIGN_OR_RETURN(const Dataset data, PrepareTraining(loaded, pool, CacheDirectory(loaded.pipeline, dir), &notes));
  for (const std::string& note : notes) *options.log << note << std::endl;
  if (!options.resume) MG_RETURN_IF_ERROR(ClearModelDirectory(dir));
  const int count = NumMembers(loaded.pipeline);
  TrainResult result;
  for (int member = 0; member < count; ++member) {
    config::LoadedPipeline one = loaded;
    one.pipeline = MemberPipeline(loaded.pipeline, dir, member);
    TrainOptions member_options = options;
    member_options.model_dir = MemberDirectory(dir, member);
    member_options.draw_model = options.draw_model && member == 0;
    if (options.resume && VerifyManifest(member_options.model_dir, kModelFormatVersion).ok()) {
      *options.log << fmt::format("member {} of {} is complete", member + 1, count) << std::endl;
      continue;
    }
    member_options.resume = options.resume && !ListCheckpoints(member_options.model_dir).empty();
    *options.log << fmt::format("member {} of {}, seed {}", member + 1, count, one.pipeline.train_config().seed())
                 << std::endl;
    MG_ASSIGN_OR_RETURN(const TrainResult trained, TrainNetwork(std::move(one), member_options, &data));
    AddMember(trained, &result);
  }
  MG_RETURN_IF_ERROR(SaveEnsemble(loaded.pipeline, data.schema, dir));
  MG_ASSIGN_OR_RETURN(const auto members, LoadMembers(dir));
  Evaluator evaluator(Pointers(members), pool);
  if (!data.validation.rows.empty()) result.validation = evaluator.Evaluate(data.validation);
  if (!data.test.rows.empty()) result.test = evaluator.Evaluate(data.test);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace manygate
