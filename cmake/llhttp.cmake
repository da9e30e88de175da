# llhttp, Node's HTTP/1 parser: the system's library, else the sources that httptools, Python's binding of it, ships.
set(llhttp_release 0.9.0)
set(llhttp_sha256 d484ebb7e3a3f3597b0f645fbd1b85633674ca808c1f5ba11c2caf7c66f5c8b6)
set(llhttp_url https://files.pythonhosted.org/packages/3a/ec/deed52912ab7ca6c0b12859330c571c60c61d7267b341b28951fcbf13694/httptools-${llhttp_release}.tar.gz)

find_path(llhttp_headers llhttp.h)
find_library(llhttp_library NAMES llhttp)
if(llhttp_headers AND llhttp_library)
  add_library(llhttp UNKNOWN IMPORTED)
  set_target_properties(llhttp PROPERTIES IMPORTED_LOCATION "${llhttp_library}"
                        INTERFACE_INCLUDE_DIRECTORIES "${llhttp_headers}")
  return()
endif()

fetched(llhttp_archive ${llhttp_url} ${llhttp_sha256}
        "llhttp, and httptools ${llhttp_release}, which ships it, could not be fetched from PyPI: apt-get install libllhttp-dev (Debian 13), or brew install llhttp")

file(ARCHIVE_EXTRACT INPUT "${llhttp_archive}" DESTINATION "${CMAKE_BINARY_DIR}")
set(llhttp_sources "${CMAKE_BINARY_DIR}/httptools-${llhttp_release}/vendor/llhttp")
enable_language(C)
add_library(llhttp STATIC ${llhttp_sources}/src/api.c ${llhttp_sources}/src/http.c ${llhttp_sources}/src/llhttp.c)
target_include_directories(llhttp SYSTEM PUBLIC ${llhttp_sources}/include)
target_compile_options(llhttp PRIVATE -w)
