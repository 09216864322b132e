# Headers that most files include, compiled once per set of flags: without them they are half of a build from scratch.
#   common  the standard library and fmt
#   config  these and the code of config/pipeline.proto
# each for libraries and, with GoogleTest, for tests. MANYGATE_PRECOMPILED=OFF builds without, and without merged tests,
# and so finds files that do not include what they use.
option(MANYGATE_PRECOMPILED "compile common headers once" ON)
set(MANYGATE_COMMON_HEADERS <algorithm> <cmath> <cstdint> <functional> <limits> <map> <memory> <span> <string>
  <string_view> <utility> <vector> <fmt/format.h>)

# Tests spend their time in the libraries; less optimisation of their own code saves a third of a build from scratch.
function(manygate_test_flags target)
  target_compile_definitions(${target} PRIVATE MANYGATE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)
endfunction()

# Makes `target` (kind: library or test) use the headers `set`; the program or library that carries them is made on demand.
function(manygate_use_precompiled target kind set)
  if(NOT MANYGATE_PRECOMPILED OR set STREQUAL none)
    return()
  endif()
  set(carrier manygate_${set}_headers_for_${kind})
  if(NOT TARGET ${carrier})
    set(source ${CMAKE_CURRENT_BINARY_DIR}/${carrier}.cc)
    file(CONFIGURE OUTPUT ${source} CONTENT "int main() {}\n")
    set(headers ${MANYGATE_COMMON_HEADERS})
    if(kind STREQUAL test)
      # An executable, because its code is position independent in another way than that of a library.
      add_executable(${carrier} ${source})
      target_link_libraries(${carrier} PRIVATE GTest::gmock)
      manygate_test_flags(${carrier})
      list(APPEND headers <gmock/gmock.h> <gtest/gtest.h>)
    else()
      add_library(${carrier} STATIC ${source})
    endif()
    target_link_libraries(${carrier} PRIVATE fmt::fmt Threads::Threads)
    if(set STREQUAL config)
      target_link_libraries(${carrier} PRIVATE manygate_config_proto)
      list(APPEND headers <manygate/config/pipeline.pb.h>)
    endif()
    target_precompile_headers(${carrier} PRIVATE ${headers})
    target_compile_options(${carrier} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
  endif()
  target_precompile_headers(${target} REUSE_FROM ${carrier})
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)  # ccache needs it
endfunction()
