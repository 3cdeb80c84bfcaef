# find_package(co) gives co::co_static, co::co_shared, and co::co: the static library, unless the project that asks has set
# BUILD_SHARED_LIBS.
include(${CMAKE_CURRENT_LIST_DIR}/co-targets.cmake)
if(NOT TARGET co::co)
    if(BUILD_SHARED_LIBS)
        add_library(co::co ALIAS co::co_shared)
    else()
        add_library(co::co ALIAS co::co_static)
    endif()
endif()
