"""Freezes scores of the programs of the metrics' authors: ``gmsd.json`` and nine others.

Run it where Octave and its package ``image`` are, in an environment with piq (which needs torch and
torchvision), on a folder with the authors' scripts, which :data:`SCRIPTS` names:

    PYTHONPATH=tests IQA_JAX_TEST_DATA=... python -m golden.make_authors_metrics FOLDER [METRIC ...]

The pairs are those of ``pixel_pairs``, and three of TID2013. Scripts for gray images get the
unrounded luma, or the rounded gray levels that their authors' examples have. Octave's ``imresize``
does not scale the weights of a position to a sum of 1 as MATLAB's does: :data:`IMRESIZE` stands in
for it. MS-GMSD has no script of its authors; its scores are piq's, in float64. Scores of other
metrics by piq are recorded, too, as their largest difference from the authors' programs. A pair for
which a script has no number, such as a flat image, is left out.
"""

import json
import math
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
import piq
import torch
from golden import pixel_pairs
from PIL import Image

GOLDEN = Path(__file__).parent

SCRIPTS = {
    "gmsd": ("GMSD.m", "https://www4.comp.polyu.edu.hk/~cslzhang/IQA/GMSD/GMSD.htm", "luma"),
    "haarpsi": ("HaarPSI.m", "https://github.com/rgcda/haarpsi", "rgb"),
    "mdsi": ("MDSI.m", "https://www.mathworks.com/matlabcentral/fileexchange/59809", "rgb"),
    "nlpd": ("NLP_dist.m", "https://www.cns.nyu.edu/~lcv/NLPyr/NLP_dist.m", "luma / 255"),
    "vif": ("vifp_mscale.m", "https://live.ece.utexas.edu/research/Quality/VIF.htm", "luma"),
    "fsim": ("FeatureSIM.m", "https://www4.comp.polyu.edu.hk/~cslzhang/IQA/FSIM/FSIM.htm", "rgb"),
    "fsimc": ("FeatureSIM.m", "https://www4.comp.polyu.edu.hk/~cslzhang/IQA/FSIM/FSIM.htm", "rgb"),
    "vsi": ("VSI.m", "https://sse.tongji.edu.cn/linzhang/IQA/VSI/VSI.htm", "rgb"),
    "iw-ssim": ("iwssim.m", "https://ece.uwaterloo.ca/~z70wang/research/iwssim/", "gray"),
}
"""Authors' script by metric, its origin, and what it is given. The last needs matlabPyrTools
(https://github.com/LabForComputationalVision/matlabPyrTools) in the folder, too."""

OUTPUTS = {"fsimc": 2}
"""Number of the output that is the metric, if it is not the first."""

LEAST_SIZES = {"vif": 41, "ms-gmsd": 17, "iw-ssim": 176}
"""Smaller images have no score, or one of fewer scales."""

IMRESIZE = """
function out = imresize (in, sizes, method)
  out = triangles (rows (in), sizes(1)) * in * triangles (columns (in), sizes(2))';
endfunction

function table = triangles (old, new)
  step = old / new;
  reach = max (step, 1);
  table = zeros (new, old);
  for i = 1:new
    centre = (i - 0.5) * step + 0.5;
    places = floor (centre - reach) : ceil (centre + reach);
    weights = max (0, 1 - abs (places - centre) / reach);
    mirrored = mod (places - 1, 2 * old);
    mirrored = min (mirrored, 2 * old - 1 - mirrored) + 1;
    table(i, :) = accumarray (mirrored', weights' / sum (weights), [old 1])';
  endfor
endfunction
"""
"""MATLAB's ``imresize(in, sizes, 'bilinear')`` of a plane, in Octave."""

Pair = tuple[np.ndarray, np.ndarray]


def by_octave(
    found: dict[str, Pair], scripts: Path, metrics: list[str]
) -> dict[str, dict[str, float]]:
    """Scores by metric and pair."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "imresize.m").write_text(IMRESIZE)
        lines = ["pkg load image", f"addpath('{scripts.resolve()}')", f"addpath('{folder}')"]
        missing = set()
        for number, (name, images) in enumerate(found.items()):
            for kind, image in zip("rd", images, strict=True):
                path = f"{folder}/{number}{kind}.png"
                Image.fromarray(image).save(path)
                lines.append(f"{kind}_rgb = double(imread('{path}'));")
                channels = "+".join(
                    f"{weight}*{kind}_rgb(:,:,{i})"
                    for i, weight in enumerate((0.299, 0.587, 0.114), start=1)
                )
                lines.append(f"{kind}_luma = {channels};")
                channels = "+".join(
                    f"{weight}*{kind}_rgb(:,:,{i})"
                    for i, weight in enumerate((589399, 1157447, 224810), start=1)
                )
                lines.append(f"{kind}_gray = floor(({channels}) / 1971656 + 0.5);")
            for metric in metrics:
                script, _, given = SCRIPTS[metric]
                if min(images[0].shape[:2]) >= LEAST_SIZES.get(metric, 1):
                    missing.add((metric, name))
                    call = f"@{Path(script).stem}, r_{given}, d_{given}"
                    call = f"nthargout({OUTPUTS.get(metric, 1)}, {call})"
                    lines.append(f"printf('%s|%s|%.17g\\n', '{metric}', '{name}', {call});")
        program = "\n".join(lines)
        ran = subprocess.run(
            ["octave-cli", "--norc"],
            input=program,
            capture_output=True,
            text=True,
            check=False,
        )
    scores: dict[str, dict[str, float]] = defaultdict(dict)
    for line in ran.stdout.splitlines():
        metric, pair, score = line.split("|")
        missing.remove((metric, pair))
        if math.isfinite(float(score)):
            scores[metric][pair] = float(score)
    if missing:
        raise RuntimeError(f"{missing}: {ran.stderr}")
    return scores


def by_piq(images: Pair) -> dict[str, float]:
    """Scores by metric."""
    r, d = (torch.from_numpy(x.astype(np.float64)).permute(2, 0, 1)[None] for x in images)
    least = min(images[0].shape[:2])
    scores = {"gmsd": piq.gmsd(d, r, data_range=255), "mdsi": piq.mdsi(d, r, data_range=255)}
    scores["vsi"] = piq.vsi(d, r, data_range=255)
    for metric, chromatic in (("fsim", False), ("fsimc", True)):
        if least >= 32:
            scores[metric] = piq.fsim(d, r, data_range=255, chromatic=chromatic)
    if least >= LEAST_SIZES["iw-ssim"]:
        scores["iw-ssim"] = piq.information_weighted_ssim(d, r, data_range=255)
    if least >= 17:
        scores["haarpsi"] = piq.haarpsi(d, r, data_range=255)
        scores["ms-gmsd"] = piq.multi_scale_gmsd(d, r, data_range=255)
    if least >= LEAST_SIZES["vif"]:
        scores["vif"] = piq.vif_p(d, r, data_range=255)
    return {metric: float(score) for metric, score in scores.items()}


def main() -> None:
    """Writes the files."""
    found = dict(pixel_pairs.everything(Path(os.environ["IQA_JAX_TEST_DATA"])))
    metrics = sys.argv[2:] or [*SCRIPTS, "ms-gmsd"]
    scores = by_octave(found, Path(sys.argv[1]), [name for name in metrics if name in SCRIPTS])
    differences: dict[str, dict[str, float]] = defaultdict(dict)
    for name, images in found.items():
        for metric, score in by_piq(images).items():
            if metric == "ms-gmsd" and metric in metrics:
                scores[metric][name] = score
            elif name in scores.get(metric, ()):
                differences[metric][name] = abs(score - scores[metric][name])
    octave = subprocess.run(
        ["octave-cli", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    for metric, values in scores.items():
        origin: dict[str, str | float] = {"script": "tests/golden/make_authors_metrics.py"}
        if metric in SCRIPTS:
            script, address, given = SCRIPTS[metric]
            origin |= {"program": script, "from": address, "given": given}
            origin |= {"version": octave.stdout.splitlines()[0]}
        else:
            origin |= {"program": "piq.multi_scale_gmsd", "version": f"piq {piq.__version__}"}
        if metric in differences:
            origin["largest_difference_of_piq"] = max(differences[metric].values())
        text = json.dumps({"origin": origin, "scores": values}, indent=2)
        (GOLDEN / f"{metric}.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
