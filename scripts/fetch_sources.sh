#!/usr/bin/env bash
# Source that WebAssembly and the window need and no -dev package holds, pinned by SHA-256 and kept in third_party/.
# GitHub first (10 s, once), then the distribution's source packages through apt's own configuration.
#   scripts/fetch_sources.sh zlib|imgui|implot ...
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p third_party
github=yes
apt_ready=

die() { echo "fetch_sources: $*" >&2; exit 1; }

check() { # FILE SHA256
  [ -f "$1" ] && [ "$(sha256sum "$1" | cut -d' ' -f1)" = "$2" ]
}

from_github() { # NAME OWNER/REPO REF
  [ "$github" = yes ] || return 1
  local archive="third_party/$1.tar.gz"
  if ! curl -fsSL --connect-timeout 5 --max-time 10 -o "$archive" "https://github.com/$2/archive/$3.tar.gz" 2>/dev/null; then
    github=no
    rm -f "$archive"
    return 1
  fi
  mkdir -p "third_party/$1" && tar -xzf "$archive" -C "third_party/$1" --strip-components=1 && rm -f "$archive"
}

# A source package of a Debian suite, unpacked below third_party/.apt/NAME.
from_apt() { # PACKAGE SUITE
  command -v apt-get >/dev/null || return 1
  local root="$PWD/third_party/.apt"
  mkdir -p "$root/lists/partial" "$root/cache/archives/partial"
  local options=(-o "Dir::Etc::SourceList=$root/sources.list" -o Dir::Etc::SourceParts=/dev/null
                 -o "Dir::State::Lists=$root/lists" -o "Dir::Cache=$root/cache" -o APT::Sandbox::User=root)
  if [ "$apt_ready" != "$2" ]; then
    local uri
    uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep '/debian/$' | head -n 1)
    [ -n "$uri" ] || return 1
    echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $2 main" > "$root/sources.list"
    apt-get "${options[@]}" -qq update >/dev/null || return 1
    apt_ready=$2
  fi
  (cd "$root" && apt-get "${options[@]}" -qq source --download-only --tar-only "$1" >/dev/null) || return 1
  local tar
  tar=$(ls -t "$root/$1"_*.orig.tar.* 2>/dev/null | grep -v '\.asc$' | head -n 1)
  [ -n "$tar" ] || return 1
  rm -rf "$root/$1" && mkdir -p "$root/$1" && tar -xf "$tar" -C "$root/$1" --strip-components=1
}

zlib() {
  local pin=f1679575fef1717d908dd09d7bfe8fff89c21941cadd7c255a2ccccfba3a287e
  check third_party/zlib/inflate.c "$pin" && return
  rm -rf third_party/zlib
  from_github zlib madler/zlib v1.2.13 || { from_apt zlib bookworm && mv third_party/.apt/zlib third_party/zlib; } ||
    die "zlib's source cannot be had: neither GitHub nor the distribution's source packages answer"
  check third_party/zlib/inflate.c "$pin" || die "zlib's inflate.c is not the pinned version 1.2.13"
}

imgui() {
  local pin=d71b34cc92c9202a6bc26af61a87a16ea551b0b00788acf99fa26300ef116f72
  check third_party/imgui/imgui.cpp "$pin" && return
  rm -rf third_party/imgui
  from_github imgui ocornut/imgui v1.90.1 || { from_apt imgui trixie && mv third_party/.apt/imgui third_party/imgui; } ||
    die "Dear ImGui's source cannot be had: neither GitHub nor the distribution's source packages answer"
  check third_party/imgui/imgui.cpp "$pin" || die "imgui.cpp is not the pinned version 1.90.1"
}

implot() {
  local pin=4acd6bd2d9adf71cf8f7a785266656e8e5575a6b9471e1d199046c07ca229602
  check third_party/implot/implot.cpp "$pin" && return
  rm -rf third_party/implot
  from_github implot epezent/implot 065acc3 ||
    { from_apt satdump trixie && cp -r third_party/.apt/satdump/src-core/imgui/implot third_party/implot; } ||
    die "ImPlot's source cannot be had: neither GitHub nor the distribution's source packages answer"
  check third_party/implot/implot.cpp "$pin" || die "implot.cpp is not the pinned commit 065acc3"
  # The distribution's copy says #include "imgui/imgui.h".
  ln -sfn ../imgui third_party/implot/imgui
}

for name in "$@"; do
  case "$name" in
    zlib|imgui|implot) "$name" ;;
    *) die "unknown source '$name'" ;;
  esac
done
rm -rf third_party/.apt
