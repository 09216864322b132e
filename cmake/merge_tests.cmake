# cmake -P merge_tests.cmake OUT FILE...: writes the tests FILE... one behind the other into OUT. What a file has in its
# `namespace { ... }  // namespace` comes into a namespace named like the file as well, so that two files may use the same
# name. #line: the compiler and GoogleTest name the original file and line.
set(merged "// Written by cmake/merge_tests.cmake; edit the files that it names.\n")
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(index RANGE 4 ${last})
  set(file "${CMAKE_ARGV${index}}")
  get_filename_component(stem "${file}" NAME_WE)
  file(READ "${file}" text)
  string(REPLACE "\nnamespace {\n" "\nnamespace in_${stem} { namespace {\n" text "${text}")
  string(REPLACE "\n}  // namespace\n" "\n}}  // namespace\n" text "${text}")
  string(APPEND merged "#line 1 \"${file}\"\n${text}\n")
endforeach()
file(WRITE "${CMAKE_ARGV3}" "${merged}")
