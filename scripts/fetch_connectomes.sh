#!/usr/bin/env bash
# The connectomes of five species (SEEDS 6.1) from the public repository AlGoulas/bio2art, at a pinned commit, into
# assets/connectomes; each is read by `dalea inspect` and kept only when its regions, links, largest and total weight
# are the published ones. The lists of region names there are Python pickles, which run code when they are opened: they
# are not fetched, and regions are numbered.
#   DALEA_CONNECTOMES_FROM  another address of the folder with the files, or file:///FOLDER
#   DALEA_CONNECTOMES       another folder to put them in
set -euo pipefail
here=${DALEA_HERE:-$PWD}
cd "$(dirname "$0")/.."
commit=e46de2b7cb9b4063cb7b3728ef9d1b709be78c79
from=${DALEA_CONNECTOMES_FROM:-https://raw.githubusercontent.com/AlGoulas/bio2art/$commit/bio2art/connectomes}
folder=${DALEA_CONNECTOMES:-assets/connectomes}
case "$folder" in
  /* | assets/connectomes) ;;
  *) folder=$here/$folder ;;
esac
dalea=${DALEA:-build/release/dalea}
matrices="C_Macaque_Normalized.npy C_Marmoset_Normalized.npy C_Mouse_Gamanut_Normalized.npy C_Mouse_Ypma_Oh.npy C_Human_Betzel_Normalized.npy C_Drosophila.npy"
densities="ND_Macaque_Normalized.npy ND_Marmoset_Normalized.npy"

say() { printf '%s\n' "$*" >&2; }
fail() {
  say "fetch: $*"
  say "By hand: download $matrices"
  say "  ($densities where densities are wanted) from https://github.com/AlGoulas/bio2art,"
  say "  folder bio2art/connectomes, into $folder, and run ./run fetch again: it checks what is there."
  exit 1
}
as_published() { # FILE
  "$dalea" inspect "$1" --json 2>/dev/null | grep -q '"as_published":true'
}

# Before anything is built for it: is what is missing there at all?
if [ "${1:-}" = --probe ]; then
  for name in $matrices; do
    [ -f "$folder/$name" ] && continue
    why=$(curl -fsSL --connect-timeout 5 --max-time 20 --max-filesize 1000000 -o /dev/null "$from/$name" 2>&1) ||
      fail "$name cannot be had from $from: ${why#curl: }"
    break
  done
  exit 0
fi

[ -x "$dalea" ] || fail "$dalea is not built, so nothing can be checked; ./run fetch builds it"
mkdir -p "$folder"
part=$(mktemp -d "$folder/.part.XXXXXX")
trap 'rm -rf "$part"' EXIT
fetched=0
for name in $matrices $densities; do
  if [ -f "$folder/$name" ]; then
    case "$name" in
      ND_*) continue ;;
    esac
    as_published "$folder/$name" && continue
    say "fetch: $folder/$name is not the published one; fetching it again"
  fi
  # A file is 3 to 26 kB: what takes longer than this is a network that does not answer.
  curl -fsSL --connect-timeout 5 --max-time 20 --max-filesize 1000000 -o "$part/$name" "$from/$name" 2>"$part/why" || {
    case "$name" in
      ND_*) say "fetch: $name could not be had; densities are optional"; continue ;;
    esac
    fail "$name cannot be had from $from: $(sed -n 's/^curl: //p' "$part/why" | head -n 1)"
  }
  case "$name" in
    ND_*) [ "$(head -c 6 "$part/$name" | tr -d '\223')" = NUMPY ] || { say "fetch: $name is no NPY file; left out"; continue; } ;;
    *)
      as_published "$part/$name" ||
        fail "$name is not the published matrix: $("$dalea" inspect "$part/$name" 2>&1 | sed -n 's/^species *//p; s/^dalea: //p' | head -n 1)"
      ;;
  esac
  mv "$part/$name" "$folder/$name"
  fetched=$((fetched + 1))
done
say "fetch: $fetched files fetched; six connectomes are in $folder, all as published (regions are numbered)"
