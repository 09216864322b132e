// SPDX-License-Identifier: Apache-2.0
// What a model does with its experts and its tasks with each other, as text (metrics/gate_health.h).
//
//   out << HealthTable(result.health);
//
//   Mean gate weight per expert, 4,096 rows
//
//   expert     gates.income  gates.marital  dead units
//   ---------  ------------  -------------  ----------
//   experts.0         0.113          0.214        12 %
//   experts.1         0.887          0.786         0 %
//   (entropy)         0.512          0.749
//
//   Cosine of the tasks' gradients
//
//   task    other    cosine
//   ------  -------  ------
//   income  marital  +0.120
//
//   alarm: gate gates.income is polarised towards expert experts.1: ...
#ifndef MANYGATE_REPORT_HEALTH_TABLE_H_
#define MANYGATE_REPORT_HEALTH_TABLE_H_

#include <string>

#include "manygate/metrics/gate_health.h"

namespace manygate {

// Parts that the report does not have are left out; an empty report gives "". At most six gates stand side by side, then
// another table follows. A cell is blank where a gate cannot choose the expert. Of more than ten pairs of tasks the five with
// the lowest and the five with the highest cosines are shown.
std::string HealthTable(const HealthReport& report);

}  // namespace manygate

#endif  // MANYGATE_REPORT_HEALTH_TABLE_H_
