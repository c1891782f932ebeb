# Test files compiled several at a time: what they include is read once, and the templates in it are
# made once. Each file stands in a namespace of its own there, so that equal names do not meet.

set(batch_size 6)

# batch_tests(LIST FOLDER): replaces the test files in the list by batches, which are written into the
# folder. One that opens a namespace that others know stays as it is.
function(batch_tests list folder)
  set(alone "")
  set(batched "")
  foreach(file IN LISTS ${list})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
    file(STRINGS "${file}" known REGEX "^(namespace [a-z]|CAF_|template <>|extern )" LIMIT_COUNT 1)
    if(file MATCHES "_test\\.cpp$" AND NOT known)
      list(APPEND batched "${file}")
    else()
      list(APPEND alone "${file}")
    endif()
  endforeach()

  set(number 0)
  set(batches "")
  while(batched)
    list(SUBLIST batched 0 ${batch_size} batch)
    list(REMOVE_ITEM batched ${batch})
    set(includes "")
    set(bodies "")
    foreach(file IN LISTS batch)
      file(STRINGS "${file}" lines REGEX "^#include ")
      list(APPEND includes ${lines})
      get_filename_component(name "${file}" NAME_WE)
      string(APPEND bodies
        "namespace ${name} {\n#include \"${CMAKE_CURRENT_SOURCE_DIR}/${file}\"\n}\n")
    endforeach()
    list(REMOVE_DUPLICATES includes)
    list(JOIN includes "\n" includes)
    set(source "${folder}/batch_${number}.cpp")
    file(CONFIGURE OUTPUT "${source}" CONTENT "${includes}\n${bodies}" @ONLY)
    list(APPEND batches "${source}")
    math(EXPR number "${number} + 1")
  endwhile()
  set(${list} ${alone} ${batches} PARENT_SCOPE)
endfunction()
