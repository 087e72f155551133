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
iqa fetch --models=lpips-alex,lpips-vgg
iqa demo --data_dir=data
iqa score --metrics=lpips-alex --reference=data/references/cat.png \
  --distorted=data/distorted/cat_white_noise_3.png > "$folder/scores.txt"
grep -Eq "cat_white_noise_3.png +0\.[0-9]+" "$folder/scores.txt"
[ -d "$XDG_CACHE_HOME/iqa_jax/checkpoints/lpips-alex" ]

iqa evaluate --dataset=demo --data_dir=data --metrics=psnr --output_dir="$folder/results"
iqa report --results="$folder/results" --output="$folder/results/report.html"
grep -q "Chart.js v" "$folder/results/report.html"

# README's lines for the library and for a training loop, and the means of the latter.
XLA_FLAGS=--xla_force_host_platform_device_count=8 \
  python - "$repository/README.md" > "$folder/library.txt" <<'PYTHON'
import pathlib
import re
import sys

import jax
import numpy as np

import iqa_jax

readme = pathlib.Path(sys.argv[1]).read_text()


def run(section, **changed):
    """Names after the section's blocks of Python ran, with one text put in the place of another."""
    text = readme.split(f"\n## {section}\n")[1].split("\n## ")[0]
    for before, after in changed.get("replacing", {}).items():
        assert before in text, before
        text = text.replace(before, after)
    names = {}
    for block in re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S):
        exec(compile(block, "README.md", "exec"), names)
    return names


assert jax.device_count() == 8
assert (run("As a library")["distance"] == 0).all()
names = run("In a training loop", replacing={'"psnr", "ssim"': '"psnr", "ssim", "lpips-alex"'})
clean, noisy = names["clean"], names["noisy"]
denoised = np.asarray(names["denoise"](names["network"], noisy))
for found, images in ((names["quality"], denoised), (names["stream"], noisy)):
    assert set(found.compute()) == {"psnr", "ssim", "lpips-alex"}
    for name, summary in found.compute().items():
        expected = np.asarray(iqa_jax.load_metric(name)(clean, images)).mean(dtype=float)
        assert summary.count == 50
        assert abs(summary.mean / expected - 1) < 1e-5, (name, summary, expected)
PYTHON
grep -q "Summary(mean=" "$folder/library.txt"
[ "$(ls)" = data ] || { echo "expected the folder data alone, found: $(ls)"; exit 1; }
echo "The wheel works in an environment of its own with $(python --version)"
