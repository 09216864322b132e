#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# scripts/fetch_data.sh without a network: its refusals, and, where the data is at hand, a local archive of it.
# Exit code 0: all held; 1: one did not; 77: all that could be tried held, but Census-Income is not here.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
source=${MANYGATE_DATA:-$root/../shared/data}/census-income
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export MANYGATE_DATA="$work/data"
failures=0

# expect NAME CODE TEXT: runs fetch_data.sh with the arguments after these; TEXT must stand in what it says
expect() {
  name=$1 code=$2 text=$3
  shift 3
  rc=0
  "$root/scripts/fetch_data.sh" "$@" >"$work/out" 2>&1 || rc=$?
  if [ "$rc" != "$code" ] || ! grep -qF -- "$text" "$work/out"; then
    echo "FAILED $name: exit code $rc (expected $code), expected text: $text"
    cat "$work/out"
    failures=$((failures + 1))
  fi
}
expect_nothing_left() {
  if [ -e "$work/data/census-income" ]; then
    echo "FAILED $1: left behind:" && find "$work/data/census-income"
    failures=$((failures + 1))
  fi
}
archive() { (cd "$1" && python3 -m zipfile -c "$work/$2.zip" ./*); }

expect 'no data set' 2 'usage: scripts/fetch_data.sh census-income'
expect 'unknown data set' 2 'unknown data set "adult"' adult

# A proxy that nobody serves stands for a machine without a network.
https_proxy=http://127.0.0.1:9 expect offline 1 'Census-Income could not be fetched; nothing was changed. By hand' \
  census-income
expect_nothing_left offline

export MANYGATE_CENSUS_URL="file://$work/absent.zip"
expect 'no such archive' 1 'no such file' census-income
expect_nothing_left 'no such archive'

echo 'not an archive' >"$work/text.zip"
MANYGATE_CENSUS_URL="file://$work/text.zip" expect 'damaged archive' 1 'the archive is damaged' census-income
expect_nothing_left 'damaged archive'

mkdir "$work/short"
yes '73, Private, 0, - 50000.' | head -n 5 | gzip >"$work/short/census-income.data.gz"
archive "$work/short" lacking
MANYGATE_CENSUS_URL="file://$work/lacking.zip" expect 'file lacking' 1 'the archive holds no census-income.test' \
  census-income
cp "$work/short/census-income.data.gz" "$work/short/census-income.test.gz"
archive "$work/short" ragged
MANYGATE_CENSUS_URL="file://$work/ragged.zip" expect 'fields lacking' 1 'line 1 does not have 42 fields' census-income
head -c 20 "$work/short/census-income.test.gz" >"$work/short/census-income.data.gz"
archive "$work/short" cut
MANYGATE_CENSUS_URL="file://$work/cut.zip" expect 'file cut' 1 'is not a complete gzip file' census-income
expect_nothing_left 'wrong content'

[ "$failures" = 0 ] || exit 1
rows=$(find "$source" -name 'census-income.data*.gz' 2>/dev/null | head -n 1)
if [ -z "$rows" ] || [ ! -f "$source/census-income.test.gz" ]; then
  echo 'skipped: the archive of real data, which needs MANYGATE_DATA with census-income/'
  exit 77
fi
mkdir "$work/real"
cp "$rows" "$work/real/census-income.data.gz"
cp "$source/census-income.test.gz" "$work/real/"
archive "$work/real" real
MANYGATE_CENSUS_URL="file://$work/real.zip" expect 'real archive' 0 'complete: ' census-income
expect 'second call' 0 'checking what is already in' census-income
if [ "$(find "$work/data/census-income" -mindepth 1 | sed 's|.*/||' | sort | tr '\n' ' ')" != \
  'census-income.data.gz census-income.test.gz ' ]; then
  echo 'FAILED real archive: other files than the two:' && find "$work/data"
  failures=$((failures + 1))
fi
printf 'x' | gzip >"$work/data/census-income/census-income.test.gz"
expect 'other file in the way' 1 'holds other or damaged files under these names' census-income
[ "$failures" = 0 ]
