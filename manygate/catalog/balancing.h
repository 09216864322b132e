// SPDX-License-Identifier: Apache-2.0
// train_config.balancing -> the object that balances the tasks.
//
//   std::unique_ptr<Balancer> balancer = MakeBalancer(pipeline, shared_parameters);  // null: the sum of the losses
#ifndef MANYGATE_CATALOG_BALANCING_H_
#define MANYGATE_CATALOG_BALANCING_H_

#include <memory>

#include "manygate/balancing/balancer.h"
#include "manygate/config/pipeline.pb.h"

namespace manygate {

// What a method must know of a resolved and validated configuration's towers.
BalancedTasks BalancedTasksOf(const config::Pipeline& pipeline, int shared_parameters);

// shared_parameters: how many parameters (matrices, tables) several tasks share, parameters() of the products to come.
// Null where train_config.balancing names no method.
std::unique_ptr<Balancer> MakeBalancer(const config::Pipeline& pipeline, int shared_parameters);

}  // namespace manygate

#endif  // MANYGATE_CATALOG_BALANCING_H_
