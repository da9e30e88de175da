# GMP, for Fibonacci numbers beyond 64 bits: the system's, or none. gmp_FOUND says which; LBSUITE_GMP=OFF does without.
option(LBSUITE_GMP "big Fibonacci numbers, where GMP is found" ON)
set(gmp_FOUND FALSE)
if(NOT LBSUITE_GMP)
  return()
endif()

find_path(GMP_INCLUDE_DIR gmp.h)
find_library(GMP_LIBRARY gmp)
mark_as_advanced(GMP_INCLUDE_DIR GMP_LIBRARY)
if(NOT GMP_INCLUDE_DIR OR NOT GMP_LIBRARY)
  message(STATUS "no GMP, hence no big Fibonacci numbers: apt-get install libgmp-dev, or brew install gmp")
  return()
endif()

set(gmp_FOUND TRUE)
add_library(gmp::gmp UNKNOWN IMPORTED)
set_target_properties(gmp::gmp PROPERTIES IMPORTED_LOCATION "${GMP_LIBRARY}"
                                          INTERFACE_INCLUDE_DIRECTORIES "${GMP_INCLUDE_DIR}"
                                          INTERFACE_COMPILE_DEFINITIONS LBSUITE_GMP)
