# The engine as others link it: one static and one shared library, made of the objects that the
# folders' libraries are made of. Nothing is compiled a second time.
#
# A program of ours, and the tests, link the folders: they reach below the public interface.

set(trunkline_shared_default ON)
if(TRUNKLINE_SANITIZE)
  set(trunkline_shared_default OFF) # its consumers would need the sanitizers' libraries as well
endif()
option(TRUNKLINE_SHARED "Build the shared library too" ${trunkline_shared_default})

set(trunkline_objects "")
foreach(folder protocol storage net actors api engine)
  list(APPEND trunkline_objects "$<TARGET_OBJECTS:trunkline_${folder}>")
endforeach()
get_property(trunkline_needs GLOBAL PROPERTY TRUNKLINE_NEEDS)
list(REMOVE_DUPLICATES trunkline_needs)

function(trunkline_library name kind)
  add_library(${name} ${kind} ${trunkline_objects})
  set_target_properties(${name} PROPERTIES
    LINKER_LANGUAGE CXX OUTPUT_NAME trunkline EXPORT_NAME engine_${ARGV2})
  target_link_libraries(${name} PRIVATE ${trunkline_needs})
  target_compile_features(${name} INTERFACE cxx_std_20)
  target_include_directories(${name} INTERFACE
    "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
    "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
  add_library(Trunkline::engine_${ARGV2} ALIAS ${name})
endfunction()

trunkline_library(trunkline_static STATIC static)
if(TRUNKLINE_SHARED)
  trunkline_library(trunkline_shared SHARED shared)
  set(trunkline_map "${PROJECT_SOURCE_DIR}/cmake/libtrunkline.map")
  set_target_properties(trunkline_shared PROPERTIES
    VERSION "${PROJECT_VERSION}" SOVERSION 0 LINK_DEPENDS "${trunkline_map}")
  target_link_libraries(trunkline_shared PRIVATE $<BUILD_INTERFACE:trunkline_flags>)
  target_link_options(trunkline_shared PRIVATE
    "LINKER:--version-script=${trunkline_map}" LINKER:-z,defs LINKER:--as-needed)
  add_library(Trunkline::engine ALIAS trunkline_shared)
else()
  add_library(Trunkline::engine ALIAS trunkline_static)
endif()
