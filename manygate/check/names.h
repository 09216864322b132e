// SPDX-License-Identifier: Apache-2.0
// What the names of columns say.
//
//   NameWords("userId");  // {"user", "id"}
#ifndef MANYGATE_CHECK_NAMES_H_
#define MANYGATE_CHECK_NAMES_H_

#include <string>
#include <vector>

namespace manygate::check {

// Lower case: "userId" and "user_id" -> {"user", "id"}.
std::vector<std::string> NameWords(const std::string& name);

// "user_id", "itemId", "zip_code"
bool NamesAnId(const std::string& name);

// "instance_weight", "fnlwgt"; "weight" alone too
bool NamesAWeight(const std::string& name);

// Where a label stands in a funnel: 1 for a view, 2 for a click, 3 for a cart, 4 for a purchase; 0: the name does not
// say.
int FunnelStep(const std::string& name);

}  // namespace manygate::check

#endif  // MANYGATE_CHECK_NAMES_H_
