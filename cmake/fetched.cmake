# Downloads an archive into the build folder, once. Not by FetchContent, whose failure is a page of text that does not say
# what to install.

# fetched(<variable> <url> <sha256> <needs>): the archive's path; else stops with one line, "lbsuite needs <needs>".
function(fetched variable url sha256 needs)
  cmake_path(GET url FILENAME name)
  set(archive "${CMAKE_BINARY_DIR}/${name}")
  set(received "")
  if(NOT EXISTS "${archive}")
    file(DOWNLOAD ${url} "${archive}" INACTIVITY_TIMEOUT 20 STATUS status)
  endif()
  if(EXISTS "${archive}")
    file(SHA256 "${archive}" received)
  endif()
  if(NOT received STREQUAL sha256)
    file(REMOVE "${archive}")
    message(FATAL_ERROR " lbsuite needs ${needs}")
  endif()
  set(${variable} "${archive}" PARENT_SCOPE)
endfunction()
