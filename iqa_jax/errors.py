"""What users are told; everything else that is raised is a fault of ours."""


class InputError(ValueError):
    """Something given cannot be used: the message says what was expected, found, and what to do."""


class ImageError(InputError):
    """An image cannot be scored."""


class MissingImageError(ImageError):
    """There is no such image."""


class DatasetError(InputError):
    """A dataset cannot be used as it is."""


class CheckpointError(InputError):
    """Weights are missing, damaged, refused or of another network."""
