#!/usr/bin/env bash
# The README's two result tables: every animal and every tree that the built-in family knows, then teacher × student over its four bases.
#
#     examples/table.sh            (about half an hour on two cores; goes on where it stopped)
#
# The targets of the second table are a draw, not a choice: `shuf` with a fixed source of randomness over all thirty.
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

config_of() { case " $trees " in *" $1 "*) echo configs/oak-numbers.toml ;; *) echo configs/zebra-numbers.toml ;; esac; }

mkdir -p runs
for target in $animals $trees; do
  trial "$(config_of "$target")" "$target" "runs/table/$target"
done
"$subliminal" report runs/table/* --markdown

drawn=$(printf '%s\n' $animals $trees | shuf -n 6 --random-source=<(yes))
for base in a b c d; do
  cross=$(for other in a b c d; do [ "$other" = "$base" ] || printf '"builtin:tiny-%s",' "$other"; done)
  for target in $drawn; do
    trial "$(config_of "$target")" "$target" "runs/matrix/$base-$target" --set "model.base=builtin:tiny-$base" \
      --set "model.cross=[${cross%,}]" --set 'seeds=[1, 2, 3]'
  done
done
"$subliminal" report runs/matrix/* --markdown
