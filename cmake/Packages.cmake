# Three Debian packages, made by `cmake --workflow --preset deb`: libtrunkline0, libtrunkline-dev
# and trunkline. What Debian alone wants (changelog, copyright, man pages, the unit in systemd's
# folder) belongs to components that `cmake --install` leaves out.
if(NOT TRUNKLINE_SHARED)
  return()
endif()

set(TRUNKLINE_DEB_REVISION 1 CACHE STRING "Debian's part of the packages' version")
set(TRUNKLINE_MAINTAINER "Trunkline maintainers <maintainers@trunkline.example>"
  CACHE STRING "Who is named as the maintainer of the packages")
set(trunkline_packages "${PROJECT_SOURCE_DIR}/cmake/packages")
set(trunkline_made "${PROJECT_BINARY_DIR}/packages")

# Puts TEXT, compressed as Debian wants it, into trunkline_made/NAME.gz.
function(trunkline_compress name text)
  file(WRITE "${trunkline_made}/${name}" "${text}")
  execute_process(COMMAND gzip -9nf "${trunkline_made}/${name}" COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(READ "${trunkline_packages}/changelog" trunkline_text)
string(CONFIGURE "${trunkline_text}" trunkline_text @ONLY)
trunkline_compress(changelog.Debian "${trunkline_text}")
file(READ "${PROJECT_SOURCE_DIR}/CHANGELOG.md" trunkline_text)
trunkline_compress(changelog "${trunkline_text}")
file(READ "${trunkline_packages}/trunkline.1" trunkline_text)
string(CONFIGURE "${trunkline_text}" trunkline_text @ONLY)
trunkline_compress(trunkline.1 "${trunkline_text}")

# trunkline.toml(5): the table of docs/configuration.md, setting by setting.
file(STRINGS "${PROJECT_SOURCE_DIR}/docs/configuration.md" trunkline_rows
  REGEX "^\\| `" ENCODING UTF-8)
set(trunkline_settings "")
foreach(row IN LISTS trunkline_rows)
  string(REPLACE "`" "" row "${row}")
  string(REGEX REPLACE "^\\| ([^|]*) \\| ([^|]*) \\| ([^|]*) \\| ([^|]*) \\|$"
    ".TP\n.B \\1\n\\2: \\3. Default: \\4.\n" row "${row}")
  string(APPEND trunkline_settings "${row}")
endforeach()
file(READ "${trunkline_packages}/trunkline.toml.5" trunkline_text)
string(CONFIGURE "${trunkline_text}" trunkline_text @ONLY)
trunkline_compress(trunkline.toml.5 "${trunkline_text}")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
  "${PROJECT_SOURCE_DIR}/CHANGELOG.md" "${PROJECT_SOURCE_DIR}/docs/configuration.md"
  "${trunkline_packages}/changelog" "${trunkline_packages}/trunkline.1"
  "${trunkline_packages}/trunkline.toml.5")

foreach(part "program;trunkline" "library;libtrunkline0" "development;libtrunkline-dev")
  list(GET part 0 component)
  list(GET part 1 package)
  install(FILES
    "${trunkline_packages}/copyright"
    "${trunkline_made}/changelog.Debian.gz"
    "${trunkline_made}/changelog.gz"
    DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/${package}"
    COMPONENT ${component}_debian EXCLUDE_FROM_ALL)
endforeach()
install(FILES "${trunkline_made}/trunkline.1.gz"
  DESTINATION "${CMAKE_INSTALL_MANDIR}/man1" COMPONENT program_debian EXCLUDE_FROM_ALL)
install(FILES "${trunkline_made}/trunkline.toml.5.gz"
  DESTINATION "${CMAKE_INSTALL_MANDIR}/man5" COMPONENT program_debian EXCLUDE_FROM_ALL)
install(FILES "${PROJECT_SOURCE_DIR}/cluster-config/trunkline.service"
  DESTINATION /lib/systemd/system COMPONENT program_debian EXCLUDE_FROM_ALL)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME trunkline)
set(CPACK_PACKAGE_VENDOR Trunkline)
set(CPACK_PACKAGE_CONTACT "${TRUNKLINE_MAINTAINER}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_COMPONENTS_ALL
  program program_debian library library_debian development development_debian)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_POST_BUILD_SCRIPTS "${trunkline_packages}/triggers.cmake")

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE "${TRUNKLINE_DEB_REVISION}")
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE gzip)
set(trunkline_exactly "(= ${PROJECT_VERSION}-${TRUNKLINE_DEB_REVISION})")

set(CPACK_DEBIAN_TRUNKLINE_PACKAGE_NAME trunkline)
set(CPACK_DEBIAN_TRUNKLINE_PACKAGE_SECTION net)
set(CPACK_DEBIAN_TRUNKLINE_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_TRUNKLINE_PACKAGE_RECOMMENDS "nginx | caddy | httpd")
set(CPACK_DEBIAN_TRUNKLINE_PACKAGE_SUGGESTS "postgresql")
set(CPACK_DEBIAN_TRUNKLINE_DESCRIPTION "federated microblogging server
Trunkline speaks the Mastodon API to clients and ActivityPub to other
servers. One machine needs nothing but this program and a folder; PostgreSQL
works as well. What was answered is on the disk, and a slow server elsewhere
cannot hold up anybody's timeline.")

set(CPACK_DEBIAN_LIBTRUNKLINE0_PACKAGE_NAME libtrunkline0)
set(CPACK_DEBIAN_LIBTRUNKLINE0_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBTRUNKLINE0_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
set(CPACK_DEBIAN_LIBTRUNKLINE0_DESCRIPTION "federated microblogging server, as a library
Trunkline is a server of the fediverse and an engine that runs inside other
programs, several in one process if need be.

This package contains the shared library.")

set(CPACK_DEBIAN_LIBTRUNKLINE_DEV_PACKAGE_NAME libtrunkline-dev)
set(CPACK_DEBIAN_LIBTRUNKLINE_DEV_PACKAGE_SECTION libdevel)
# All but the first are what the static library is linked with.
set(CPACK_DEBIAN_LIBTRUNKLINE_DEV_PACKAGE_DEPENDS "libtrunkline0 ${trunkline_exactly}, \
libargon2-dev, libboost-json1.81-dev, libboost-url1.81-dev, libboost1.81-dev, libc-ares-dev, \
libcaf-dev, libfmt-dev, libgumbo-dev, libidn2-dev, libpqxx-dev, libpsl-dev, libspdlog-dev, libsqlite3-dev, \
libssl-dev, libtomlplusplus-dev, libutf8proc-dev, prometheus-cpp-dev, zlib1g-dev")
set(CPACK_DEBIAN_LIBTRUNKLINE_DEV_PACKAGE_SUGGESTS "cmake, pkg-config")
set(CPACK_DEBIAN_LIBTRUNKLINE_DEV_DESCRIPTION "federated microblogging server, to build with
Trunkline is a server of the fediverse and an engine that runs inside other
programs, several in one process if need be.

This package contains the headers, the static library, and the files for CMake
and pkg-config.")

include(CPack)
foreach(part "program;trunkline" "library;libtrunkline0" "development;libtrunkline_dev")
  list(GET part 0 component)
  list(GET part 1 group)
  cpack_add_component_group(${group})
  cpack_add_component(${component} GROUP ${group})
  cpack_add_component(${component}_debian GROUP ${group})
endforeach()
