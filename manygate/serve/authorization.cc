// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/authorization.h"

#include <openssl/crypto.h>

#include "manygate/base/text.h"

namespace manygate::serve {

bool IsAuthorized(std::string_view header, std::string_view token) {
  if (token.empty()) return true;
  constexpr std::string_view kScheme = "bearer ";
  if (header.size() < kScheme.size() || ToLower(header.substr(0, kScheme.size())) != kScheme) return false;
  const std::string_view given = Trim(header.substr(kScheme.size()));
  return given.size() == token.size() && CRYPTO_memcmp(given.data(), token.data(), token.size()) == 0;
}

}  // namespace manygate::serve
