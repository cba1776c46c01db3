# cmake -DCMAKE_TOOLCHAIN_FILE=DIR/linnet.cmake
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR wasm32)
set(CMAKE_SYSROOT ${CMAKE_CURRENT_LIST_DIR}/../sysroot)

# Flags are parts of a command line: a path in them is quoted.
set(CMAKE_C_COMPILER clang-19)
set(CMAKE_C_FLAGS_INIT "--config=\"${CMAKE_CURRENT_LIST_DIR}/linnet.cfg\"")
set(CMAKE_CXX_COMPILER clang++-19)
# linnet sdk has no C++ library, linnet sdk --c++ has
if(EXISTS ${CMAKE_CURRENT_LIST_DIR}/linnet++.cfg)
	set(CMAKE_CXX_FLAGS_INIT "--config=\"${CMAKE_CURRENT_LIST_DIR}/linnet++.cfg\"")
else()
	set(CMAKE_CXX_FLAGS_INIT ${CMAKE_C_FLAGS_INIT})
endif()
set(CMAKE_ASM_COMPILER ${CMAKE_C_COMPILER})
set(CMAKE_ASM_FLAGS_INIT ${CMAKE_C_FLAGS_INIT})
foreach(tool AR RANLIB NM STRIP)
	string(TOLOWER ${tool} name)
	find_program(CMAKE_${tool} llvm-${name}-19 REQUIRED)
endforeach()

# What the build runs, such as tests and checks of the machine, runs in one.
if(DEFINED ENV{LINNET})
	set(CMAKE_CROSSCOMPILING_EMULATOR $ENV{LINNET} run)
else()
	find_program(LINNET_PROGRAM linnet)
	if(LINNET_PROGRAM)
		set(CMAKE_CROSSCOMPILING_EMULATOR ${LINNET_PROGRAM} run)
	endif()
endif()

set(BUILD_SHARED_LIBS OFF)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
# Those of packages, beside the C library
set(ENV{PKG_CONFIG_LIBDIR} ${CMAKE_SYSROOT}/lib/pkgconfig)
