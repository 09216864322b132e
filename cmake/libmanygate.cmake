# libmanygate, what programs embed (predictor/manygate.h): the half of Manygate that loads a model and predicts, with the
# functions of that header as its only symbols. `cmake --install BUILD --component library` installs it with its headers,
# the package for find_package(manygate) and manygate.pc.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(_exported ${PROJECT_SOURCE_DIR}/cmake/libmanygate.map)
add_library(manygate_shared SHARED predictor/c_api.cc)
target_link_libraries(manygate_shared PRIVATE manygate_predictor)
target_link_options(manygate_shared PRIVATE -Wl,--version-script=${_exported} -Wl,--as-needed
  -Wl,-Map=${PROJECT_BINARY_DIR}/libmanygate.link)  # tests/embed looks there for what has been linked
set_target_properties(manygate_shared PROPERTIES OUTPUT_NAME manygate EXPORT_NAME manygate LINK_DEPENDS ${_exported}
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR} LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
target_include_directories(manygate_shared INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)

install(TARGETS manygate_shared EXPORT manygateTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library
  NAMELINK_COMPONENT library)
install(FILES predictor/manygate.h predictor/manygate.hpp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/manygate
  COMPONENT library)
set(_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/manygate)
install(EXPORT manygateTargets NAMESPACE manygate:: DESTINATION ${_package_dir} COMPONENT library)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/manygateConfig.cmake.in
  ${PROJECT_BINARY_DIR}/package/manygateConfig.cmake INSTALL_DESTINATION ${_package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/manygateConfigVersion.cmake
  COMPATIBILITY SameMajorVersion)
install(FILES ${PROJECT_BINARY_DIR}/package/manygateConfig.cmake
  ${PROJECT_BINARY_DIR}/package/manygateConfigVersion.cmake DESTINATION ${_package_dir} COMPONENT library)
# Relative to the file itself, so that the whole folder can be moved.
file(RELATIVE_PATH _prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(${PROJECT_SOURCE_DIR}/cmake/manygate.pc.in ${PROJECT_BINARY_DIR}/package/manygate.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/package/manygate.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT library)
