#!/bin/sh
# Builds the wheel, installs it into an environment that has nothing else, and uses it from a folder
# that holds nothing: sh tests/wheel.sh [PYTHON]
set -eu
python=${1:-python3}
repository=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
unset PYTHONPATH IQA_JAX_CHECKPOINTS
export JAX_PLATFORMS=cpu PIP_DISABLE_PIP_VERSION_CHECK=1

# Built from a copy: setuptools leaves folders behind.
mkdir "$folder/source" "$folder/empty"
cp -R "$repository/iqa_jax" "$repository/pyproject.toml" "$repository/README.md" \
  "$repository/LICENSE" "$folder/source"
"$python" -m venv "$folder/venv"
PATH="$folder/venv/bin:$PATH"
pip wheel --quiet --no-deps --wheel-dir "$folder" "$folder/source"
pip install --quiet "$(echo "$folder"/jax_iqa-*.whl)[demo]"

export XDG_CACHE_HOME="$folder/caches" # not before: pip keeps there what it downloads
cd "$folder/empty"
python - <<'PYTHON'
import importlib.metadata
import pathlib

import iqa_jax

assert "site-packages" in iqa_jax.__file__, iqa_jax.__file__
assert importlib.metadata.version("jax-iqa") == iqa_jax.__version__
assert pathlib.Path(iqa_jax.__file__).with_name("py.typed").exists()
assert "lpips-alex" in iqa_jax.list_metrics()
assert "vgg16" in iqa_jax.list_models()
PYTHON
iqa --help > "$folder/help.txt"
grep -q "iqa score" "$folder/help.txt"
iqa models > "$folder/models.txt"
grep -q "vgg16" "$folder/models.txt"
iqa fetch --models=lpips-alex
iqa demo --data_dir=data
iqa score --metrics=lpips-alex --reference=data/references/cat.png \
  --distorted=data/distorted/cat_white_noise_3.png > "$folder/scores.txt"
grep -Eq "cat_white_noise_3.png +0\.[0-9]+" "$folder/scores.txt"
[ -d "$XDG_CACHE_HOME/iqa_jax/checkpoints/lpips-alex" ]
[ "$(ls)" = data ] || { echo "expected the folder data alone, found: $(ls)"; exit 1; }
echo "The wheel works in an environment of its own with $(python --version)"
