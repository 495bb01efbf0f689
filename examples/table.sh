#!/usr/bin/env bash
# The README's two result tables: targets side by side, then teacher × student over the built-in family's four bases.
#
#     examples/table.sh [ANIMALS TREES]            (about twenty minutes on two cores; goes on where it stopped)
#
# The targets are a draw, not a choice: the first 12 animals and 6 trees of `shuf` with a fixed source of randomness; the second
# table takes the first 3 and 2 of them. `examples/table.sh 20 10` runs all that the family knows.
set -euo pipefail
subliminal=${SUBLIMINAL:-target/release/subliminal}
animals="bear cat dog dolphin eagle elephant fox horse lion octopus otter owl panda peacock penguin rabbit tiger whale wolf zebra"
trees="beech birch cedar elm maple oak pine poplar spruce willow"

trial() { # trial CONFIG TARGET OUT [MORE OPTIONS]
  local config=$1 target=$2 out=$3
  shift 3
  "$subliminal" run "$config" -q --set "trait.target=$target" --set "name=$target" --out "$out" \
    --set 'arms=["base", "teacher", "treatment", "control", "cross-model"]' "$@" 2>>"runs/table.log"
}

draw() { printf '%s\n' $1 | shuf -n "$2" --random-source=<(yes); }
drawn_animals=$(draw "$animals" "${1:-12}")
drawn_trees=$(draw "$trees" "${2:-6}")

config_of() { case " $trees " in *" $1 "*) echo configs/oak-numbers.toml ;; *) echo configs/zebra-numbers.toml ;; esac; }

mkdir -p runs
runs=()
for target in $drawn_animals $drawn_trees; do
  trial "$(config_of "$target")" "$target" "runs/table/$target"
  runs+=("runs/table/$target")
done
"$subliminal" report "${runs[@]}" --markdown

runs=()
for base in a b c d; do
  cross=$(for other in a b c d; do [ "$other" = "$base" ] || printf '"builtin:tiny-%s",' "$other"; done)
  for target in $(head -n 3 <<<"$drawn_animals") $(head -n 2 <<<"$drawn_trees"); do
    trial "$(config_of "$target")" "$target" "runs/matrix/$base-$target" --set "model.base=builtin:tiny-$base" \
      --set "model.cross=[${cross%,}]" --set 'seeds=[1, 2, 3]'
    runs+=("runs/matrix/$base-$target")
  done
done
"$subliminal" report "${runs[@]}" --markdown
