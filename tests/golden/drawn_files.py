"""Files of drawn weights, in the format of each configuration."""

from pathlib import Path

from golden import draws, writers
from golden.configurations import CONFIGURATIONS, read_trunk
from golden.formats import FORMATS


def write(name: str, folder: Path) -> Path:
    """Draws the weights of a configuration and writes them as its original does.

    Args:
      name: Key of ``configurations.CONFIGURATIONS``.
      folder: Folder of the file.

    Returns:
      The file.
    """
    configuration = CONFIGURATIONS[name]
    form = FORMATS[configuration.format]
    state = draws.draw(read_trunk(configuration.trunk).parameters, configuration.seed)
    path = Path(folder) / f"weights{form.suffix}"
    writers.write(form.tree(configuration.trunk, form.stored(state)), form.kind, path)
    return path
