# The Arrow C++ library inside an installed pyarrow: the wheel has headers and libraries, but no CMake package.
# Python is asked where its pyarrow lies; first MANYGATE_PYTHON, then the repository's .venv (./run deps test makes it),
# then Python3_EXECUTABLE, then python3. -DPyArrow_ROOT=.../site-packages/pyarrow answers that, too.
# Gives PyArrow::arrow and PyArrow::parquet, PyArrow_VERSION and PyArrow_LIBRARY_DIR.
if(NOT PyArrow_ROOT)
  foreach(_python "${MANYGATE_PYTHON}" "${PROJECT_SOURCE_DIR}/.venv/bin/python" "${Python3_EXECUTABLE}" python3)
    if(_python STREQUAL "" OR PyArrow_ROOT)
      continue()
    endif()
    # find_spec looks the package up without running it.
    execute_process(COMMAND ${_python} -c
      "import importlib.util as u; s = u.find_spec('pyarrow'); print(s.submodule_search_locations[0] if s else '', end='')"
      OUTPUT_VARIABLE PyArrow_ROOT ERROR_QUIET RESULT_VARIABLE _failed)
    if(_failed)
      set(PyArrow_ROOT "")
    endif()
  endforeach()
endif()
set(PyArrow_INCLUDE_DIR "")
set(PyArrow_LIBRARY_DIR "")
set(_config "${PyArrow_ROOT}/include/arrow/util/config.h")
if(PyArrow_ROOT AND EXISTS "${_config}")
  file(STRINGS "${_config}" _line REGEX "define ARROW_VERSION_STRING")
  string(REGEX REPLACE ".*\"(.*)\".*" "\\1" PyArrow_VERSION "${_line}")
  file(STRINGS "${_config}" _line REGEX "define ARROW_SO_VERSION")
  string(REGEX REPLACE ".*\"(.*)\".*" "\\1" PyArrow_SO_VERSION "${_line}")
  if(EXISTS "${PyArrow_ROOT}/libarrow.so.${PyArrow_SO_VERSION}" AND EXISTS
      "${PyArrow_ROOT}/libparquet.so.${PyArrow_SO_VERSION}")
    set(PyArrow_INCLUDE_DIR "${PyArrow_ROOT}/include")
    set(PyArrow_LIBRARY_DIR "${PyArrow_ROOT}")
  endif()
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(PyArrow REQUIRED_VARS PyArrow_LIBRARY_DIR PyArrow_INCLUDE_DIR VERSION_VAR PyArrow_VERSION)
if(PyArrow_FOUND)
  foreach(_name arrow parquet)
    if(NOT TARGET PyArrow::${_name})
      add_library(PyArrow::${_name} SHARED IMPORTED)
      set_target_properties(PyArrow::${_name} PROPERTIES
        IMPORTED_LOCATION "${PyArrow_LIBRARY_DIR}/lib${_name}.so.${PyArrow_SO_VERSION}"
        IMPORTED_SONAME "lib${_name}.so.${PyArrow_SO_VERSION}")
      target_include_directories(PyArrow::${_name} SYSTEM INTERFACE "${PyArrow_INCLUDE_DIR}")
    endif()
  endforeach()
  set_property(TARGET PyArrow::parquet PROPERTY INTERFACE_LINK_LIBRARIES PyArrow::arrow)
endif()
