"""Settings of a scoring."""

from dataclasses import KW_ONLY, dataclass, field
from pathlib import PurePath

from iqa_jax.programs.settings import Idle, ModelSettings, ProgramSettings, SharingSettings


@dataclass(frozen=True, kw_only=True)
class ReportSettings(ProgramSettings):
    """Reports about the scores.

    Attributes:
      html: HTML page to write, which lists the worst pairs and shows the images side by side; it
        refers to them by relative path.
      junit: JUnit file to write for continuous integration: a test for each pair and limit.
      fail_beyond: Limit of a metric: ssim:0.95 ends with status 3 if a pair scores worse, lower for
        a similarity and higher for a distance. Separate several by commas, or give the flag several
        times.
    """

    html: str | None = None
    junit: str | None = None
    fail_beyond: tuple[str, ...] = field(default=(), metadata={"repeated": True})


@dataclass(frozen=True)
class ScoreSettings(ModelSettings, ReportSettings, SharingSettings):
    """Pairs of images and the metrics that score them.

    Attributes:
      metrics: Metrics: psnr, ssim, ms-ssim, ssim:wang2004, ssim:matlab, ssim:rgb,
        ms-ssim:wang2003, ms-ssim:rgb, gmsd, ms-gmsd, haarpsi, mdsi, nlpd, vif, fsim, fsimc, vsi,
        iw-ssim, flip, flip:ppd=NUMBER, ssimulacra2, lpips-alex, lpips-vgg, lpips-squeeze, dists,
        dists:resize256, deepwsd, deepdc, perceptnet, any read-out
        MODEL/LAYER[+LAYER...]/READOUT[@RELEVANCE], and a learned relevance FILE.safetensors.
      reference: One reference image.
      distorted: One distorted image.
      reference_dir: Folder of reference images, matched by path and name without suffix.
      distorted_dir: Folder of distorted images.
      pairs: CSV files with the columns reference,distorted, all in one folder; paths are relative
        to it.
      dataset: Name of a dataset that iqa build stored in tfds_dir; all its pairs are scored.
      tfds_dir: Folder in which iqa build stored the dataset.
      output: CSV file to write; or a folder, named without a suffix or with a slash at its end,
        which any number of processes fill together, each with the same command line; the one that
        completes it also writes the reports, and the others ignore --html, --junit and
        --fail_beyond. Default: a table on the screen.
      resume: Continue an earlier output: existing scores are kept, and pairs are scored that are
        new, that a killed run did not reach, or whose images could not be read or were too large
        for the memory. Images that have changed since are refused. A folder is always continued;
        this also looks at the images of what is finished.
      maps_dir: Folder for pictures of where the images differ, a PNG for each pair and each metric
        that has maps: SSIM (bright at 1, dark where they differ), FLIP, LPIPS and the read-outs
        unit (dark at 0, bright where they differ most: each has its own scale, which the PNG
        records as Description).
    """

    metrics: tuple[str, ...]
    _: KW_ONLY
    reference: str | None = None
    distorted: str | None = None
    reference_dir: str | None = None
    distorted_dir: str | None = None
    pairs: tuple[str, ...] = ()
    dataset: str | None = None
    tfds_dir: str | None = None
    output: str | None = None
    resume: bool = False
    maps_dir: str | None = None

    @property
    def has_shared_output(self) -> bool:
        """Whether the output is a folder, which several processes may fill."""
        output = self.output or "no.folder"
        return output.endswith("/") or not PurePath(output).suffix

    def idle(self) -> Idle:
        """Settings of a table where none is written, and of networks where none is run."""
        from iqa_jax.metrics import parse_metrics  # noqa: PLC0415  loads JAX

        if not self.output:
            yield ("resume",), "on a table on the screen; add --output"
        elif self.has_shared_output:
            yield ("maps_dir",), "on a folder of scores; name a file as --output"
        if not self.has_shared_output:
            reason = "where a process works alone; name a folder as --output"
            yield ("process_index", "process_count"), reason
        if not any(metric.readout for metric in parse_metrics(self.metrics)):
            yield ("precision",), "where no network is run; add metrics that have one"
