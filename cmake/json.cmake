# nlohmann/json: the system's package, else this release's headers.
set(json_release 3.12.0)
set(json_sha256 42f6e95cad6ec532fd372391373363b62a14af6d771056dbfc86160e6dfff7aa)
set(json_url https://github.com/nlohmann/json/releases/download/v${json_release}/json.tar.xz)

find_package(nlohmann_json 3.9 CONFIG QUIET)
if(nlohmann_json_FOUND)
  return()
endif()

fetched(json_archive ${json_url} ${json_sha256}
        "nlohmann/json, and ${json_release} could not be fetched: apt-get install nlohmann-json3-dev, or brew install nlohmann-json")

include(FetchContent)
FetchContent_Declare(json SYSTEM URL "${json_archive}" URL_HASH SHA256=${json_sha256})
FetchContent_MakeAvailable(json)
