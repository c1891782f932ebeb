# What `cmake --install` puts where: the program, the engine for embedders, samples for operators.
# Each rule belongs to a component, and each component to one Debian package (Packages.cmake).
include(CMakePackageConfigHelpers)

set(trunkline_package "${CMAKE_INSTALL_LIBDIR}/cmake/Trunkline")

# The program
install(TARGETS trunkline_program RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT program)
install(FILES
  "${PROJECT_SOURCE_DIR}/cluster-config/single-node.toml"
  "${PROJECT_SOURCE_DIR}/cluster-config/nginx.conf"
  "${PROJECT_SOURCE_DIR}/cluster-config/alerts.yml"
  DESTINATION "${CMAKE_INSTALL_DATADIR}/trunkline" COMPONENT program)
install(PROGRAMS "${PROJECT_SOURCE_DIR}/cluster-config/make-certificates.sh"
  DESTINATION "${CMAKE_INSTALL_DATADIR}/trunkline" COMPONENT program)
install(FILES "${PROJECT_SOURCE_DIR}/README.md" "${PROJECT_SOURCE_DIR}/docs/configuration.md"
  "${PROJECT_SOURCE_DIR}/docs/postgresql.md"
  DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/trunkline" COMPONENT program)
# Debian's packages put these elsewhere.
install(FILES "${PROJECT_SOURCE_DIR}/cluster-config/trunkline.service"
  DESTINATION "${CMAKE_INSTALL_DATADIR}/trunkline" COMPONENT plain)
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE"
  DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/trunkline" COMPONENT plain)

# The library
if(TRUNKLINE_SHARED)
  install(TARGETS trunkline_shared EXPORT trunkline_shared LIBRARY
    DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT library NAMELINK_COMPONENT development)
  install(EXPORT trunkline_shared NAMESPACE Trunkline:: FILE TrunklineSharedTargets.cmake
    DESTINATION "${trunkline_package}" COMPONENT development)
endif()

# What compiling and linking with it takes
install(TARGETS trunkline_static EXPORT trunkline_static
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT development)
install(EXPORT trunkline_static NAMESPACE Trunkline:: FILE TrunklineStaticTargets.cmake
  DESTINATION "${trunkline_package}" COMPONENT development)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/trunkline"
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT development FILES_MATCHING PATTERN "*.hpp")

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/TrunklineConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/TrunklineConfig.cmake" INSTALL_DESTINATION "${trunkline_package}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/TrunklineConfigVersion.cmake"
  VERSION "${PROJECT_VERSION}" COMPATIBILITY SameMinorVersion)
install(FILES
  "${PROJECT_BINARY_DIR}/TrunklineConfig.cmake"
  "${PROJECT_BINARY_DIR}/TrunklineConfigVersion.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/FindCAF.cmake"
  DESTINATION "${trunkline_package}" COMPONENT development)

# pkg-config's file finds its folders from where it lies itself: the tree may be moved.
set(trunkline_pkgconfig "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
file(RELATIVE_PATH trunkline_includes_from_here
  "/${trunkline_pkgconfig}" "/${CMAKE_INSTALL_INCLUDEDIR}")
configure_file("${PROJECT_SOURCE_DIR}/cmake/trunkline.pc.in"
  "${PROJECT_BINARY_DIR}/trunkline.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/trunkline.pc"
  DESTINATION "${trunkline_pkgconfig}" COMPONENT development)
