#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# scripts/fetch_data.sh census-income
#
# Downloads UCI's Census-Income (KDD), data set 117 (CC BY 4.0, https://doi.org/10.24432/C5N30T), checks it, and puts
# census-income.data.gz and census-income.test.gz into ${MANYGATE_DATA:-data}/census-income. Nothing appears there
# before both files are complete and checked. Exit code 0: the files are there; 1: they are not; 2: wrong usage.
#
# MANYGATE_CENSUS_URL: another address of the archive, also file:///...; then only that one is tried.
set -eu

archive_url=https://archive.ics.uci.edu/static/public/117/census+income+kdd.zip
old_folder_url=https://archive.ics.uci.edu/ml/machine-learning-databases/census-income-mld
data_rows=199523
data_positives=12382  # "50000+." in the last column, as census-income.names counts them
test_rows=99762
test_sha256=98402b1ab879573d0a7f38a699a40258080e25e33d3401e7bf9c96d3fa0fab8c  # of the text, uncompressed
columns=42

say() { printf '%s\n' "$*" >&2; }
usage() { say 'usage: scripts/fetch_data.sh census-income'; exit 2; }

# download URL FILE
download() {
  say "fetching $1"
  case "$1" in
    file://*) cp "${1#file://}" "$2" 2>/dev/null || { say "  no such file: ${1#file://}"; return 1; } ;;
    *)
      if command -v curl >/dev/null 2>&1; then
        curl --fail --silent --show-error --location --connect-timeout 20 --max-time 900 --output "$2" "$1" </dev/null
      elif command -v wget >/dev/null 2>&1; then
        wget --quiet --timeout=20 --tries=2 --output-document="$2" "$1" </dev/null
      else
        say '  neither curl nor wget is installed: apt-get install curl'
        return 1
      fi
      ;;
  esac
}

# unpack ARCHIVE FOLDER: a .zip, then any .tar.gz that lies in it
unpack() {
  if command -v unzip >/dev/null 2>&1; then
    unzip -q -o "$1" -d "$2" >/dev/null 2>&1 || { say '  the archive is damaged'; return 1; }
  elif command -v python3 >/dev/null 2>&1; then
    python3 -m zipfile -e "$1" "$2" >/dev/null 2>&1 || { say '  the archive is damaged'; return 1; }
  else
    say '  neither unzip nor python3 is installed: apt-get install unzip'
    return 1
  fi
  find "$2" -name '*.tar.gz' | while read -r tar; do tar -xzf "$tar" -C "$2" || return 1; done
}

# pick NAME FOLDER OUTPUT: NAME.gz or NAME from an unpacked archive, as OUTPUT (gzip)
pick() {
  found=$(find "$2" -name "$1.gz" -type f | head -n 1)
  if [ -n "$found" ]; then mv "$found" "$3"; return; fi
  found=$(find "$2" -name "$1" -type f | head -n 1)
  if [ -n "$found" ]; then gzip -9 -n -c "$found" >"$3"; return; fi
  say "  the archive holds no $1"
  return 1
}

# check FILE ROWS: a whole gzip of ROWS lines of 42 fields each
check() {
  gzip -t "$1" 2>/dev/null || { say "  $(basename "$1") is not a complete gzip file"; return 1; }
  found=$(gzip -dc "$1" | awk -F, -v columns="$columns" 'NF != columns { bad++; if (!line) line = NR }
    END { if (bad) printf "line %d does not have %d fields", line, columns; else printf "%d rows", NR }')
  [ "$found" = "$2 rows" ] || { say "  $(basename "$1"): $found; expected $2 rows of $columns fields"; return 1; }
}

check_content() {
  check "$1/census-income.data.gz" "$data_rows" || return 1
  check "$1/census-income.test.gz" "$test_rows" || return 1
  positives=$(gzip -dc "$1/census-income.data.gz" | grep -c '50000+\.$' || :)
  [ "$positives" = "$data_positives" ] ||
    { say "  census-income.data.gz: $positives rows end in 50000+.; expected $data_positives"; return 1; }
  found=$(gzip -dc "$1/census-income.test.gz" | sha256sum | cut -d' ' -f1)
  [ "$found" = "$test_sha256" ] ||
    { say "  census-income.test.gz: sha256 of the text is $found; expected $test_sha256"; return 1; }
}

from_archive() {
  download "$1" "$work/archive.zip" || return 1
  mkdir -p "$work/unpacked"
  unpack "$work/archive.zip" "$work/unpacked" || return 1
  for name in census-income.data census-income.test; do
    pick "$name" "$work/unpacked" "$work/$name.gz" || return 1
  done
  check_content "$work"
}

from_files() {
  for name in census-income.data census-income.test; do
    download "$1/$name.gz" "$work/$name.gz" || return 1
  done
  check_content "$work"
}

[ $# = 1 ] || usage
[ "$1" = census-income ] || { say "unknown data set \"$1\"; there is census-income"; usage; }
[ -n "${MANYGATE_DATA:-}" ] || cd "$(dirname "$0")/.."
target=${MANYGATE_DATA:-data}/census-income
if [ -f "$target/census-income.data.gz" ] && [ -f "$target/census-income.test.gz" ]; then
  say "checking what is already in $target"
  if check_content "$target"; then say "complete: $target"; exit 0; fi
  say "$target holds other or damaged files under these names; move them away, then run this again"
  exit 1
fi

[ -d "$target" ] && made= || made=$target
mkdir -p "$target"
work=$(mktemp -d "$target/.fetch.XXXXXX")
clean_up() {
  rm -rf "$work"
  [ -z "$made" ] || rmdir "$made" 2>/dev/null || :
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

if from_archive "${MANYGATE_CENSUS_URL:-$archive_url}" ||
  { [ -z "${MANYGATE_CENSUS_URL:-}" ] && from_files "$old_folder_url"; }; then
  mv "$work/census-income.data.gz" "$work/census-income.test.gz" "$target/"
  say "complete: $target/census-income.data.gz, $target/census-income.test.gz"
else
  say "Census-Income could not be fetched; nothing was changed. By hand: download"
  say "  $archive_url"
  say "elsewhere, unpack it, and copy census-income.data.gz and census-income.test.gz into $target"
  exit 1
fi
