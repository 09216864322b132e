// SPDX-License-Identifier: Apache-2.0
// The bearer token (RFC 6750) of HTTP's header and gRPC's metadata "authorization".
#ifndef MANYGATE_SERVE_AUTHORIZATION_H_
#define MANYGATE_SERVE_AUTHORIZATION_H_

#include <string_view>

namespace manygate::serve {

// Whether `header` is "Bearer <token>"; true for any header where token is "". How long it takes does not depend on where
// a wrong token differs.
bool IsAuthorized(std::string_view header, std::string_view token);

}  // namespace manygate::serve

#endif  // MANYGATE_SERVE_AUTHORIZATION_H_
