"""The calibrated controls of an evaluation, which depend on the references of its dataset."""

from collections.abc import Sequence
from dataclasses import replace

from iqa_jax.engine.plan import Plan
from iqa_jax.programs.evaluate.columns import ScoreColumn
from iqa_jax.programs.loaded import Loaded
from iqa_jax.progress import inform
from iqa_jax.zoo.calibration import MOST_REFERENCES, calibrated_backbone
from iqa_jax.zoo.registry import CALIBRATED


def with_calibrated(
    columns: Sequence[ScoreColumn], plan: Plan, loaded: Loaded, *, precision: str
) -> Loaded:
    """Adds the calibrated controls that columns read out to the networks in memory.

    Args:
      columns: The columns.
      plan: The pairs, and how they are computed.
      loaded: Networks and metrics in memory.
      precision: Precision of the controls.

    Raises:
      ImageError: If a reference cannot be read.
    """
    models = dict.fromkeys(
        each.known_readout.model
        for each in columns
        if each.known_readout and each.name not in loaded.metrics
    )
    names = [name for name in models if name.endswith(CALIBRATED) and name not in loaded.backbones]
    if not names:
        return loaded
    files = sorted({pair.reference for pair in plan.table.pairs})
    spread = files[:: max(1, len(files) // MOST_REFERENCES)][:MOST_REFERENCES]
    references = [plan.pixels(file) for file in spread]
    inform(f"calibrated with {len(references)} references: {', '.join(names)}")
    made = {name: calibrated_backbone(name, references, precision=precision) for name in names}
    return replace(loaded, backbones={**loaded.backbones, **made})
