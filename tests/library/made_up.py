"""A network that needs no file."""

MODEL = "squeezenet1_1-random-none-seed0"
