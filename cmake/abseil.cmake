# Finds abseil: the system's package first.
find_package(absl CONFIG QUIET)
if(NOT absl_FOUND)
  message(FATAL_ERROR "lbsuite needs abseil: apt-get install libabsl-dev, or brew install abseil")
endif()
