"""Running means of metrics over the batches of a training or evaluation loop."""

from iqa_jax.streams.loading import stream
from iqa_jax.streams.metric_stream import Stream
from iqa_jax.streams.totals import Summary, Totals

__all__ = ["Stream", "Summary", "Totals", "stream"]
