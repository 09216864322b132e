// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/http_routes.h"

#include <charconv>
#include <iterator>

namespace manygate::serve {
namespace {

constexpr std::string_view kGet = "GET, HEAD", kPost = "POST", kGetOrPost = "GET, HEAD, POST";

// "{model}" stands for a name, "[/versions/{version}]" may be left out.
struct Path {
  std::string_view before, after;  // around the model; "" after: the path has none
  bool versions;
  HttpPage page;
  std::string_view methods;
};

constexpr Path kPaths[] = {
    {"/v2/models/", "/infer", true, HttpPage::kInfer, kPost},
    {"/v1/models/", ":predict", true, HttpPage::kPredict, kPost},
    {"/v2/health/live", "", false, HttpPage::kLive, kGet},
    {"/v2/health/ready", "", false, HttpPage::kReady, kGet},
    {"/v2/models/", "/ready", true, HttpPage::kModelReady, kGet},
    {"/v2/models/", "", true, HttpPage::kModelMetadata, kGet},
    {"/v2", "", false, HttpPage::kServerMetadata, kGet},
    {"/v1/models/", "", true, HttpPage::kModelStatus, kGet},
    {"/metrics", "", false, HttpPage::kMetrics, kGet},
    {"/v2/repository/index", "", false, HttpPage::kIndex, kGetOrPost},
    {"/v2/repository/models/", "/load", false, HttpPage::kLoad, kPost},
    {"/v2/repository/models/", "/unload", false, HttpPage::kUnload, kPost},
};

bool HasModel(const Path& path) { return path.before.ends_with('/'); }

// False: a "%" without two hexadecimal digits, a slash in disguise, a NUL, or nothing at all.
bool DecodeName(std::string_view text, std::string* name) {
  name->clear();
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      unsigned value = 0;
      if (i + 2 >= text.size()) return false;
      const auto [end, error] = std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16);
      if (error != std::errc() || end != text.data() + i + 3) return false;
      c = static_cast<char>(value);
      i += 2;
    }
    if (c == '/' || c == '\0') return false;
    *name += c;
  }
  return !name->empty();
}

bool Matches(const Path& path, std::string_view target, HttpRoute* route) {
  if (!HasModel(path)) return target == path.before;
  if (!target.starts_with(path.before) || !target.ends_with(path.after)) return false;
  target.remove_prefix(path.before.size());
  if (target.size() < path.after.size()) return false;
  target.remove_suffix(path.after.size());
  const size_t slash = target.find('/');
  route->version.clear();
  if (slash != std::string_view::npos) {
    constexpr std::string_view kVersions = "/versions/";
    const std::string_view rest = target.substr(slash);
    if (!path.versions || !rest.starts_with(kVersions)) return false;
    if (!DecodeName(rest.substr(kVersions.size()), &route->version)) return false;
    target = target.substr(0, slash);
  }
  return DecodeName(target, &route->model);
}

}  // namespace

bool ParseTarget(std::string_view target, HttpRoute* route) {
  target = target.substr(0, target.find_first_of("?#"));
  while (target.size() > 1 && target.ends_with('/')) target.remove_suffix(1);
  for (const Path& path : kPaths) {
    if (!Matches(path, target, route)) continue;
    route->page = path.page;
    route->methods = path.methods;
    return true;
  }
  return false;
}

std::string PathList() {
  std::string list;
  for (const Path& path : kPaths) {
    if (!list.empty()) list += "\n";
    list.append(path.methods).append(" ").append(path.before);
    if (!HasModel(path)) continue;
    list.append("{model}").append(path.versions ? "[/versions/{version}]" : "").append(path.after);
  }
  return list;
}

bool Allows(const HttpRoute& route, std::string_view method) {
  for (std::string_view rest = route.methods; !rest.empty();) {
    const size_t comma = rest.find(", ");
    if (rest.substr(0, comma) == method) return true;
    rest = comma == std::string_view::npos ? "" : rest.substr(comma + 2);
  }
  return false;
}

}  // namespace manygate::serve
