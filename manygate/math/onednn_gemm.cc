// SPDX-License-Identifier: Apache-2.0
#include "manygate/math/onednn_gemm.h"

#include <omp.h>

#include <array>
#include <map>
#include <oneapi/dnnl/dnnl.hpp>

namespace manygate {
namespace {

using Key = std::array<int64_t, 8>;

struct Prepared {
  dnnl::matmul primitive;
  dnnl::memory a, b, c;
};

dnnl::memory::desc Matrix(int64_t rows, int64_t columns, int64_t stride, bool transposed) {
  using dt = dnnl::memory::data_type;
  return transposed ? dnnl::memory::desc({rows, columns}, dt::f32, dnnl::memory::dims{1, stride})
                    : dnnl::memory::desc({rows, columns}, dt::f32, dnnl::memory::dims{stride, 1});
}

struct Backend {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  std::map<Key, Prepared> prepared;

  // Rows are spread over our own threads; oneDNN must not start a team of its own inside each of them.
  Backend() { omp_set_num_threads(1); }

  Prepared& Get(const OneDnnArguments& x) {
    const Key key{x.m, x.n, x.k, x.a_stride, x.b_stride, x.c_stride, x.transpose_a + 2 * x.transpose_b,
                  x.accumulate};
    auto it = prepared.find(key);
    if (it != prepared.end()) return it->second;
    const auto a = Matrix(x.m, x.k, x.a_stride, x.transpose_a);
    const auto b = Matrix(x.k, x.n, x.b_stride, x.transpose_b);
    const auto c = Matrix(x.m, x.n, x.c_stride, false);
    dnnl::primitive_attr attributes;
    if (x.accumulate) {
      dnnl::post_ops post;
      post.append_sum(1.f);
      attributes.set_post_ops(post);
    }
#if DNNL_VERSION_MAJOR >= 3
    const dnnl::matmul::primitive_desc description(engine, a, b, c, attributes);
#else
    const dnnl::matmul::primitive_desc description(dnnl::matmul::desc(a, b, c), attributes, engine);
#endif
    Prepared made{dnnl::matmul(description), dnnl::memory(a, engine, nullptr), dnnl::memory(b, engine, nullptr),
                  dnnl::memory(c, engine, nullptr)};
    return prepared.emplace(key, std::move(made)).first->second;
  }
};

}  // namespace

void OneDnnProduct(const OneDnnArguments& x) {
  thread_local Backend backend;
  Prepared& p = backend.Get(x);
  p.a.set_data_handle(const_cast<float*>(x.a));
  p.b.set_data_handle(const_cast<float*>(x.b));
  p.c.set_data_handle(x.c);
  p.primitive.execute(backend.stream, {{DNNL_ARG_SRC, p.a}, {DNNL_ARG_WEIGHTS, p.b}, {DNNL_ARG_DST, p.c}});
  backend.stream.wait();
}

}  // namespace manygate
