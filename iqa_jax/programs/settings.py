"""Settings that several programs share; the documentation of a field is the help of its flag.

The first line of a class is the heading of its flags. The metadata of a field may hold
``at_least``, a lower bound; ``none``, the word for None on the command line; ``repeated``, True if
the flag may be given several times; and ``given_by``, the flags that turn on optional settings in a
class of their own.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from iqa_jax.datasets import PairTable
    from iqa_jax.engine.shares import Share
    from iqa_jax.images.decode import Header
    from iqa_jax.images.resize import Resize

Idle = Iterator[tuple[Sequence[str], str]]
"""Names of settings that have no effect, and the reason."""


@dataclass(frozen=True, kw_only=True)
class ProgramSettings:
    """The settings of a program.

    Attributes:
      former: Advice for each flag that is gone, by its name; ``{value}`` is replaced by the value
        given.
      is_recorded: Whether ``run.json`` has the settings, from which another run can take them.
    """

    former: ClassVar[Mapping[str, str]] = {}
    is_recorded: ClassVar[bool] = False

    def idle(self) -> Idle:
        """Settings that have no effect alongside the others; giving one is an error."""
        yield from ()


@dataclass(frozen=True, kw_only=True)
class CheckpointSettings(ProgramSettings):
    """Networks.

    Attributes:
      checkpoints_dir: Folder of the converted weights. Default: the environment variable
        IQA_JAX_CHECKPOINTS, else 'checkpoints' in the current folder if it holds a checkpoint, else
        iqa_jax/checkpoints in the user's cache folder (XDG_CACHE_HOME, else ~/.cache).
    """

    checkpoints_dir: str | None = None


@dataclass(frozen=True, kw_only=True)
class ModelSettings(CheckpointSettings):
    """Networks.

    Attributes:
      precision: Precision of float32 products: highest (for published scores), high or default
        (TF32 on GPU, bfloat16 passes on TPU); bf16 also keeps weights and activations in bfloat16.
      resize: Resize every image before it is scored: short:PIXELS, factor:NUMBER,
        exact:HEIGHTxWIDTH or multiple:PIXELS, the nearest size that a transformer of such patches
        takes (Pillow's antialiased bilinear filter). Default: native size. The scale of the images
        changes correlations more than most other choices do.
      versions: Number of distorted versions of a reference in a work unit; auto chooses the number
        with the fewest passes through the network.
    """

    precision: Literal["highest", "high", "default", "bf16"] = "highest"
    resize: str | None = None
    versions: int | None = field(default=None, metadata={"none": "auto"})

    @property
    def parsed_resize(self) -> "Resize | None":
        """The resizing applied to every image first.

        Raises:
          InputError: If ``resize`` is malformed.
        """
        from iqa_jax.images.resize import Resize  # noqa: PLC0415  loads JAX

        return Resize(self.resize) if self.resize else None


@dataclass(frozen=True, kw_only=True)
class NamedDataset(ProgramSettings):
    """The dataset.

    Attributes:
      dataset: Name of the dataset: bapps-2afc, bapps-2afc:lpips, bapps-2afc:train,
        bapps-2afc:train-lpips, bapps-jnd, bapps-jnd:lpips, csiq, csv, demo, kadid10k, live,
        live:original, live:with-pristine, livemd, pieapp, pipal, tid2008 or tid2013.
    """

    dataset: str


@dataclass(frozen=True, kw_only=True)
class DatasetSettings(NamedDataset):
    """The dataset.

    Attributes:
      data_dir: Folder of the dataset in its official layout. For csv: the file, with the columns
        reference,distorted,score and, if known, score_std,distortion,level,reference_id; image
        paths are relative to it.
      tfds_dir: Folder in which iqa build stored the dataset, instead of data_dir.
      score_direction: For csv: whether higher or lower human scores are better. Default: higher.
      exclude_references: References to leave out, by reference_id, such as I25.
      allow_partial: Use an incomplete copy: one with fewer pairs than were published. Pairs whose
        images are missing are left out.
      limit: Number of pairs to use, counted from the first. Default: all.
    """

    data_dir: str | None = None
    tfds_dir: str | None = None
    score_direction: Literal["higher", "lower"] | None = None
    exclude_references: tuple[str, ...] = ()
    allow_partial: bool = False
    limit: int | None = field(default=None, metadata={"at_least": 1})

    def inspect_dataset(
        self, table: "PairTable | None" = None, *, checksums: bool = True
    ) -> "tuple[PairTable, Mapping[str, Header]]":
        """Reads the table and the header of every image, and checks them.

        Args:
          table: The pairs, if they are known; None to read the dataset of the settings.
          checksums: Whether to take the checksums of all images now; see :func:`inspect`.

        Returns:
          The pairs that can be scored, and the header of each of their images by name.

        Raises:
          DatasetError: If there is no such dataset, or one of its rows cannot be scored.
        """
        from iqa_jax.datasets import inspect, load_dataset  # noqa: PLC0415  loads SciPy

        if table is None:
            table = load_dataset(
                self.dataset,
                data_dir=self.data_dir,
                tfds_dir=self.tfds_dir,
                allow_partial=self.allow_partial,
                score_direction=self.score_direction,
            )
        chosen = table.select(exclude_references=self.exclude_references, limit=self.limit)
        return inspect(chosen, leave_out_missing=self.allow_partial, checksums=checksums)


@dataclass(frozen=True, kw_only=True)
class IntervalSettings(ProgramSettings):
    """Intervals.

    Attributes:
      interval: Method for the 95 % intervals over references: jackknife (each reference left out
        once, Student's t), bootstrap (percentiles of resamples; too narrow with few references) or
        none. Default: jackknife if there are at least 5 references, else none; below 30 references
        intervals are rough.
      resamples: Number of bootstrap resamples. Default: 1000.
    """

    former: ClassVar[Mapping[str, str]] = {
        "bootstrap": "leave it out for jackknife intervals, or use --interval=bootstrap "
        "--resamples={value}"
    }

    interval: Literal["jackknife", "bootstrap", "none"] | None = None
    resamples: int | None = field(default=None, metadata={"at_least": 1})


@dataclass(frozen=True, kw_only=True)
class SharingSettings(ProgramSettings):
    """Several processes.

    Attributes:
      process_index: Number of this process, from 0, among those that share the work. Default: the
        number that Kubernetes (Indexed Jobs), SLURM (arrays and srun) or a TPU slice gives to it;
        else 0.
      process_count: Number of these processes. Default: as for process_index; else 1.
    """

    process_index: int | None = field(default=None, metadata={"at_least": 0})
    process_count: int | None = field(default=None, metadata={"at_least": 1})

    @property
    def share(self) -> "Share":
        """The share of this process.

        Raises:
          InputError: If the numbers contradict each other.
        """
        from iqa_jax.engine.shares import find_share  # noqa: PLC0415  not needed for the help

        return find_share(os.environ, index=self.process_index, count=self.process_count)


@dataclass(frozen=True, kw_only=True)
class EarlierSettings:
    """An earlier run.

    Attributes:
      like: Folder of an earlier run, or its run.json: all flags that are not given have the values
        that they had there, except --output_dir. Paths are relative to the current folder.
    """

    like: str | None = None


@dataclass(frozen=True, kw_only=True)
class ProcessSettings:
    """The process.

    No result depends on these settings.

    Attributes:
      independent_hosts: On a TPU slice of several hosts, let each host work with its own chips and
        without the others.
      compilation_cache_dir: Folder in which compiled programs are kept for the next run; empty for
        none. It can be deleted at any time. Default: the environment variable
        JAX_COMPILATION_CACHE_DIR, else iqa_jax/compiled in the user's cache folder (XDG_CACHE_HOME,
        else ~/.cache).
    """

    independent_hosts: bool = False
    compilation_cache_dir: str | None = None
