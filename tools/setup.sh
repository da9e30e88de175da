#!/bin/sh
# Makes .venv and installs lbsuite there, editable: tools/setup.sh run|schema|develop
#   run      what the commands and the demo need          schema   and protoc          develop   and the tests
# System packages that are missing are listed, then installed where that may be done (root, or sudo without a password);
# where not, or with LBSUITE_NO_SYSTEM_INSTALL=1, one line says what to run. PYTHON3 names another python3,
# LBSUITE_ABSEIL_SOURCE_DIR an abseil to build in place of the system's.
set -eu
cd "$(dirname "$0")/.."

say() { echo "lbsuite: $*" >&2; }
stop() { say "$*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }
any() { for path in "$@"; do [ ! -e "$path" ] || return 0; done; return 1; }
cmake_package() {
  any /usr/lib/*/cmake/"$1" /usr/lib*/cmake/"$1" /usr/local/lib*/cmake/"$1" /opt/homebrew/lib/cmake/"$1" "${CMAKE_PREFIX_PATH:-/nowhere}"/lib*/cmake/"$1"
}

# What is missing, by Debian's names.
missing() {
  have "${CXX:-c++}" || have g++ || have clang++ || echo g++
  "$python" -c 'import os, sysconfig as s; os.stat(s.get_path("include") + "/Python.h")' 2>/dev/null || echo python3-dev
  have uv || "$python" -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
  [ -n "${LBSUITE_ABSEIL_SOURCE_DIR:-}" ] || cmake_package absl || echo libabsl-dev
  cmake_package nlohmann_json || any /usr/share/cmake/nlohmann_json /opt/homebrew/share/cmake/nlohmann_json || echo nlohmann-json3-dev
  any /usr/include/gmp.h /usr/include/*/gmp.h /usr/local/include/gmp.h /opt/homebrew/include/gmp.h "${CMAKE_PREFIX_PATH:-/nowhere}"/include/gmp.h || echo libgmp-dev
  any /usr/include/openssl/ssl.h /usr/local/include/openssl/ssl.h /opt/homebrew/opt/openssl/include/openssl/ssl.h "${CMAKE_PREFIX_PATH:-/nowhere}"/include/openssl/ssl.h || echo libssl-dev
  [ "$purpose" != develop ] || cmake_package GTest || echo libgtest-dev
}

# Of what is missing, GMP and OpenSSL can be done without.
give_up() {
  for package in $1; do
    case $package in libgmp-dev | libssl-dev) ;; *) stop "$2" ;; esac
  done
  say "$2"
  say "going on without: tasks of the kind fib_big (GMP), or a proxy's TLS (OpenSSL), will be refused"
}

install_system_packages() {
  if have apt-get; then
    packages=$1
    as_root=$([ "$(id -u)" = 0 ] || echo "sudo ")
    command="${as_root}apt-get update -qq && ${as_root}apt-get install -y -qq --no-install-recommends $packages"
    may() { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }
  elif have brew; then
    packages=$(echo "$1" | sed 's/libabsl-dev/abseil/; s/libgtest-dev/googletest/; s/nlohmann-json3-dev/nlohmann-json/; s/libgmp-dev/gmp/; s/libssl-dev/openssl/; s/python3-[a-z]*/python/g; s/g++/gcc/')
    command="brew install $packages"
    may() { true; }
  else
    give_up "$1" "missing system packages, by Debian's names: $1"
    return
  fi
  say "missing system packages: $packages"
  if [ -n "${LBSUITE_NO_SYSTEM_INSTALL:-}" ] || ! may; then
    give_up "$1" "install them, then run this again: $command"
    return
  fi
  say "$command"
  mkdir -p build
  DEBIAN_FRONTEND=noninteractive sh -c "$command" >build/packages.log 2>&1 || {
    cat build/packages.log >&2
    give_up "$1" "failed: $command"
  }
}

make_venv() {
  if have uv; then
    [ -x .venv/bin/python ] || uv venv -q --python "$python" .venv
  else
    .venv/bin/python -m pip --version >/dev/null 2>&1 || "$python" -m venv .venv
  fi
}

install() {
  if have uv; then
    uv pip install -q --python .venv/bin/python --reinstall-package lbsuite "$@"
  else
    .venv/bin/python -m pip install -q --disable-pip-version-check "$@"
  fi
}

purpose=${1:-}
case $purpose in
  run) extras=etcd stamps=run ;;
  schema) extras=etcd,schema stamps="run schema" ;;
  develop) extras=dev stamps="run schema develop" ;;
  *) stop "usage: tools/setup.sh run|schema|develop" ;;
esac
python=${PYTHON3:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  stop "Python 3.11 or newer is needed; PYTHON3=/path/to/python3.12 names one (found: $("$python" --version 2>&1))"

gaps=$(missing | tr '\n' ' ' | sed 's/ $//')
[ -z "$gaps" ] || install_system_packages "$gaps"
make_venv
say "installing into .venv and building the C++ core ($purpose)"
build_requirements=$(.venv/bin/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"])')
# Word splitting is wanted: one word a requirement.
# shellcheck disable=SC2086
install cmake ninja $build_requirements
PATH="$PWD/.venv/bin:$PATH" install --no-build-isolation -e ".[$extras]"
for stamp in $stamps; do touch ".venv/$stamp"; done
