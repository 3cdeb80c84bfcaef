# What the cross toolchain files share. Debian names tools and folders after the target: aarch64-linux-gnu-gcc, and
# /usr/aarch64-linux-gnu for its libc. CO_CROSS_CLANG names a clang (clang-19) that takes the place of the cross gcc; it
# finds that gcc, its libc and its C++ library by itself (and would not with --sysroot). CO_CROSS_CPU is handed to qemu (-cpu).
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES CO_CROSS_CLANG CO_CROSS_CPU)
set(triple ${CMAKE_SYSTEM_PROCESSOR}-linux-gnu)
set(root /usr/${triple})

if(CO_CROSS_CLANG)
    string(REPLACE clang clang++ cxx ${CO_CROSS_CLANG})
    set(CMAKE_C_COMPILER ${CO_CROSS_CLANG})
    set(CMAKE_CXX_COMPILER ${cxx})
    set(CMAKE_C_COMPILER_TARGET ${triple})
    set(CMAKE_CXX_COMPILER_TARGET ${triple})
    set(CMAKE_ASM_COMPILER_TARGET ${triple})
    # Debian 12's riscv64-linux-gnu-ld crashes when it links clang 19's objects into a shared library.
    set(CMAKE_EXE_LINKER_FLAGS_INIT -fuse-ld=lld)
    set(CMAKE_SHARED_LINKER_FLAGS_INIT -fuse-ld=lld)
else()
    set(CMAKE_C_COMPILER ${triple}-gcc)
    set(CMAKE_CXX_COMPILER ${triple}-g++)
endif()

set(CMAKE_FIND_ROOT_PATH ${root})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

set(CMAKE_CROSSCOMPILING_EMULATOR qemu-${CMAKE_SYSTEM_PROCESSOR}-static)
if(CO_CROSS_CPU)
    list(APPEND CMAKE_CROSSCOMPILING_EMULATOR -cpu ${CO_CROSS_CPU})
endif()
list(APPEND CMAKE_CROSSCOMPILING_EMULATOR -L ${root})
