# What `cmake --install` puts where: the program, the engine for embedders, samples for operators.
include(CMakePackageConfigHelpers)

set(trunkline_package "${CMAKE_INSTALL_LIBDIR}/cmake/Trunkline")

install(TARGETS trunkline_program RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/trunkline"
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.hpp")
target_include_directories(trunkline_engine INTERFACE
  "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")

install(EXPORT trunkline NAMESPACE Trunkline:: FILE TrunklineTargets.cmake
  DESTINATION "${trunkline_package}")
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/TrunklineConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/TrunklineConfig.cmake" INSTALL_DESTINATION "${trunkline_package}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/TrunklineConfigVersion.cmake"
  VERSION "${PROJECT_VERSION}" COMPATIBILITY SameMinorVersion)
install(FILES
  "${PROJECT_BINARY_DIR}/TrunklineConfig.cmake"
  "${PROJECT_BINARY_DIR}/TrunklineConfigVersion.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/FindCAF.cmake"
  DESTINATION "${trunkline_package}")

install(FILES
  "${PROJECT_SOURCE_DIR}/cluster-config/single-node.toml"
  "${PROJECT_SOURCE_DIR}/cluster-config/nginx.conf"
  "${PROJECT_SOURCE_DIR}/cluster-config/trunkline.service"
  DESTINATION "${CMAKE_INSTALL_DATADIR}/trunkline")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/README.md"
  DESTINATION "${CMAKE_INSTALL_DOCDIR}")
