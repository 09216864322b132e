#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# examples/run_all.sh [--quick] [--program FILE] [--output FOLDER] [RECIPE|FOLDER]...
#
# Trains the recipes of this folder (paddlerec/mmoe, or paddlerec for all of them; default: all) and prints a table:
# what the original system printed, what came out here, and whether it is met. A recipe whose data are not below
# ${MANYGATE_DATA:-data} is skipped, and says so. Without --quick and names, the table is written to
# examples/RESULTS.md; about ten minutes on two cores.
#   --quick     a few steps of each, for tests: the table then says nothing about the recipes
#   --program   default: build/release/manygate
#   --output    models and generated rows; default: out/examples
# Exit code 0: all that has data was trained; 1: a training failed; 2: wrong usage.
set -eu
cd "$(dirname "$0")/.."

usage() { sed -n '3,13s/^# \{0,1\}//p' examples/run_all.sh; }
say() { printf '==> %s\n' "$*" >&2; }

quick=
program=build/release/manygate
output=
names=
while [ $# -gt 0 ]; do
  case "$1" in
    --quick) quick=--quick ;;
    --program | --output)
      [ $# -gt 1 ] || { say "$1 needs a value"; exit 2; }
      if [ "$1" = --program ]; then program=$2; else output=$2; fi
      shift
      ;;
    -h | --help) usage; exit 0 ;;
    -*) usage >&2; say "unknown option $1"; exit 2 ;;
    *) names="$names $1" ;;
  esac
  shift
done
[ -x "$program" ] || { say "no program at $program: ./run build makes it"; exit 2; }
[ -n "$output" ] || output=out/examples${quick:+_quick}
if [ -z "${MANYGATE_DATA:-}" ] && [ ! -d data ] && [ -d ../shared/data ]; then MANYGATE_DATA=../shared/data; fi
MANYGATE_DATA=${MANYGATE_DATA:-data}
export MANYGATE_DATA
mkdir -p "$output"

# shellcheck disable=SC2086  # a list of names
recipes=$(python3 examples/table.py names $names) || exit 2
total=$(echo "$recipes" | wc -l)
number=0
failed=
for recipe in $recipes; do
  number=$((number + 1))
  model=$output/$recipe
  rm -rf "$model"
  # shellcheck disable=SC2086
  if python3 examples/table.py prepare "$recipe" --output "$output" $quick >"$output/arguments" 2>"$output/reason"; then
    say "[$number/$total] $recipe"
  elif [ $? -eq 3 ]; then
    say "[$number/$total] $recipe: skipped, $(cat "$output/reason")"
    continue
  else
    cat "$output/reason" >&2
    exit 1
  fi
  set -- "examples/$recipe.config" --model_dir "$model" --set "data_config.cache_dir=$output/cache"
  while read -r argument; do set -- "$@" "$argument"; done <"$output/arguments"
  log=$output/$(echo "$recipe" | tr / _).log
  if "$program" train "$@" >"$log" 2>&1 </dev/null; then
    tail -n 2 "$log" | head -n 1 >&2
  else
    tail -n 5 "$log" >&2
    say "$recipe failed; all of its output: $log"
    failed="$failed $recipe"
  fi
done

results=
if [ -z "$quick$names$failed" ]; then results='--results examples/RESULTS.md'; fi
# shellcheck disable=SC2086
python3 examples/table.py show $recipes --output "$output" $quick $results
if [ -n "$failed" ]; then say "failed:$failed"; exit 1; fi
