"""A headless Chromium, and what a test asks of a page in it."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

PATIENCE = 120_000
"""Milliseconds after which an action has failed; all cores of a small machine may be busy."""


@dataclass(frozen=True)
class Opened:
    """A page that was opened.

    Attributes:
      page: The page, as the driver knows it.
      requests: Addresses that it asked for, without those inside itself.
      errors: What it logged and raised.
    """

    page: Any
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def close(self) -> None:
        self.page.context.close()
        assert not self.errors, self.errors
        assert all(each.startswith("file:") for each in self.requests), self.requests

    def text(self, selector: str) -> str:
        return self.page.locator(selector).inner_text()

    def texts(self, selector: str) -> list[str]:
        return self.page.locator(selector).all_inner_texts()

    def pixels(self, selector: str) -> np.ndarray:
        """What is seen of an element, ``[height, width, 3]``."""
        png = self.page.locator(selector).screenshot()
        return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)

    def columns(self, selector: str) -> list[list[str]]:
        """The cells of a table by column, all of one moment."""
        cells = self.page.locator(f"{selector} tbody tr").evaluate_all(
            "rows => rows.map(row => [...row.cells].map(cell => cell.innerText))"
        )
        return [list(column) for column in zip(*cells, strict=True)]

    def await_sort(self, heading: Any, direction: str) -> None:
        """Waits until a table is sorted by a heading, which it does in a task of its own."""
        heading.and_(self.page.locator(f"[aria-sort={direction}]")).wait_for()


@dataclass(frozen=True)
class Browser:
    """A running browser."""

    running: Any

    @classmethod
    @contextmanager
    def started(cls, program: str) -> Iterator["Browser"]:
        from playwright.sync_api import sync_playwright

        with sync_playwright() as driver:
            running = driver.chromium.launch(
                executable_path=program, args=["--no-sandbox"], timeout=PATIENCE
            )
            yield cls(running)
            running.close()

    def open(self, file: Path, width: int) -> Opened:
        size = {"width": width, "height": 844}
        page = self.running.new_context(viewport=size, offline=True).new_page()
        page.set_default_timeout(PATIENCE)
        opened = Opened(page)
        page.on("console", lambda message: opened.errors.append(message.text))
        page.on("pageerror", lambda error: opened.errors.append(str(error)))
        page.on(
            "request",
            lambda each: None if each.url.startswith("data:") else opened.requests.append(each.url),
        )
        page.goto(file.absolute().as_uri())
        return opened


def is_colour(pixel: np.ndarray, colour: tuple[int, int, int]) -> bool:
    """Whether a pixel has a colour, as far as JPEG and colour profiles keep it."""
    return bool(np.abs(pixel - np.array(colour)).max() < 12)
