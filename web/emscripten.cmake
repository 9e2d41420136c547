# Emscripten: every setting with its reason. Only what both 3.1.6 and newer versions know.
target_compile_options(dalea_flags INTERFACE
  -fexceptions           # exceptions of the standard library and CLI11; -fwasm-exceptions fails with threads on 3.1.6
  -fno-slp-vectorize)    # 3.1.6 miscompiles 64-bit integer mixing otherwise: wrong random numbers
target_link_options(dalea_flags INTERFACE
  -fexceptions
  -sALLOW_MEMORY_GROWTH=1  # a network's size is not known beforehand
  -sMAXIMUM_MEMORY=4GB
  -sINITIAL_MEMORY=64MB
  -sTOTAL_STACK=1MB        # the default of some versions is 64 KiB; 3.1.6 does not know STACK_SIZE
  -sEXIT_RUNTIME=1)        # exit codes reach the shell
if(DALEA_THREADS)
  target_compile_options(dalea_flags INTERFACE -pthread)
  target_link_options(dalea_flags INTERFACE -pthread -sDEFAULT_PTHREAD_STACK_SIZE=1MB)
endif()

# zlib from its source (scripts/fetch_sources.sh zlib).
set(zlib_dir ${PROJECT_SOURCE_DIR}/third_party/zlib)
if(NOT EXISTS ${zlib_dir}/zlib.h)
  message(FATAL_ERROR "zlib's source is missing: run scripts/fetch_sources.sh zlib")
endif()
enable_language(C)
add_library(zlib_wasm STATIC
  ${zlib_dir}/adler32.c ${zlib_dir}/compress.c ${zlib_dir}/crc32.c ${zlib_dir}/deflate.c ${zlib_dir}/infback.c
  ${zlib_dir}/inffast.c ${zlib_dir}/inflate.c ${zlib_dir}/inftrees.c ${zlib_dir}/trees.c ${zlib_dir}/uncompr.c
  ${zlib_dir}/zutil.c)
target_compile_options(zlib_wasm PRIVATE -O3 -w)
if(DALEA_THREADS)
  target_compile_options(zlib_wasm PRIVATE -pthread)
endif()
target_include_directories(zlib_wasm SYSTEM PUBLIC ${zlib_dir})
target_link_libraries(dalea_flags INTERFACE zlib_wasm)

# Header-only packages of the distribution, linked into a folder of their own: -I/usr/include breaks the sysroot.
set(headers ${CMAKE_BINARY_DIR}/headers)
file(MAKE_DIRECTORY ${headers})
foreach(package nlohmann CLI doctest Eigen)
  find_path(${package}_parent ${package} PATHS /usr/include /usr/local/include /opt/homebrew/include $ENV{DALEA_HEADERS}
            PATH_SUFFIXES eigen3 NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH)
  if(NOT ${package}_parent)
    message(FATAL_ERROR "the headers of ${package} are missing: install its package, or set DALEA_HEADERS to their folder")
  endif()
  if(NOT EXISTS ${headers}/${package})
    file(CREATE_LINK ${${package}_parent}/${package} ${headers}/${package} SYMBOLIC)
  endif()
endforeach()
target_include_directories(dalea_flags SYSTEM INTERFACE ${headers})

# A program that runs under node with the real file system.
function(dalea_node_program target)
  target_link_options(${target} PRIVATE -sNODERAWFS=1 -sENVIRONMENT=node,worker
    --pre-js ${PROJECT_SOURCE_DIR}/web/node_pre.js)
  if(DALEA_THREADS)
    # Workers exist before main runs; --threads 8 needs seven beside the main thread.
    target_link_options(${target} PRIVATE -sPTHREAD_POOL_SIZE=8)
  endif()
endfunction()
