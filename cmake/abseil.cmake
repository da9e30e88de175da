# Abseil: the source tree that the user names, else the system's package, else this release, built statically.
set(abseil_release 20260526.0)
set(abseil_sha256 6e1aee535473414164bf83e4ebc40240dec71a4701f8a642d906e95bea1aea0c)
set(abseil_url https://github.com/abseil/abseil-cpp/releases/download/${abseil_release}/abseil-cpp-${abseil_release}.tar.gz)
set(LBSUITE_ABSEIL_SOURCE_DIR "$ENV{LBSUITE_ABSEIL_SOURCE_DIR}" CACHE PATH "an abseil source tree to build")

if(NOT LBSUITE_ABSEIL_SOURCE_DIR)
  find_package(absl CONFIG QUIET)
  if(absl_FOUND)
    return()
  endif()
endif()

include(FetchContent)
if(LBSUITE_ABSEIL_SOURCE_DIR)
  set(FETCHCONTENT_SOURCE_DIR_ABSEIL "${LBSUITE_ABSEIL_SOURCE_DIR}")
else()
  fetched(abseil_archive ${abseil_url} ${abseil_sha256}
          "abseil, and ${abseil_release} could not be fetched: apt-get install libabsl-dev, or brew install abseil")
endif()

set(ABSL_PROPAGATE_CXX_STD ON)
FetchContent_Declare(abseil SYSTEM URL "${abseil_archive}" URL_HASH SHA256=${abseil_sha256})
FetchContent_MakeAvailable(abseil)
set_property(DIRECTORY "${abseil_SOURCE_DIR}" PROPERTY EXCLUDE_FROM_ALL ON)
