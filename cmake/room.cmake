# room(NAME [USES LIBRARY...] [EXCEPT FILE...]): one library for one folder of the source tree.
# All .cpp files in it and in its sub-rooms belong to it; which folder may include which is checked by
# tests/unit/include_rules.py.
function(room name)
    cmake_parse_arguments(ROOM "" "" "USES;EXCEPT" ${ARGN})
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${name}/*.cpp)
    foreach(except IN LISTS ROOM_EXCEPT)
        list(REMOVE_ITEM sources ${PROJECT_SOURCE_DIR}/${name}/${except})
    endforeach()
    add_library(${name} STATIC ${sources})
    target_link_libraries(${name} PUBLIC common ${ROOM_USES})
    if(name STREQUAL "base")
        target_precompile_headers(base PRIVATE ${PROJECT_SOURCE_DIR}/base/precompiled.hpp)
    else()
        target_precompile_headers(${name} REUSE_FROM base)
    endif()
endfunction()
