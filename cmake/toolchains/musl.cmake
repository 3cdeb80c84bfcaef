# musl on this machine's own architecture, by the gcc wrapper of Debian's musl-tools. There is no C++ library for it.
set(CMAKE_C_COMPILER musl-gcc)
