"""Which labels were verified, where the format cannot say it."""

from __future__ import annotations

from boxwright.studio.journal import Journal
from boxwright.studio.labels import etag_of


class Checked:
    """The verified labels: image -> their etag. The journal has them too."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._etags = journal.checked()

    def __contains__(self, image: str) -> bool:
        return image in self._etags

    def has(self, image: str, etag: str) -> bool:
        """True if these labels of an image were verified."""
        return self._etags.get(image) == etag

    def etag(self, image: str, content: bytes | None) -> str:
        """The etag of labels, which is another one if they were verified: else a page that does
        not know it would take it back."""
        etag = etag_of(content)
        return f"{etag}-verified" if self.has(image, etag) else etag

    def keep(self, image: str, etag: str) -> None:
        """Another program has changed the labels of an image: were these verified?"""
        if self._etags.get(image) != etag:
            self._etags.pop(image, None)

    def note(self, image: str, etag: str | None) -> None:
        """Note that these labels were verified; None that no labels were."""
        if self._etags.get(image) != etag:
            self._journal.check(image, etag)
            self._etags.pop(image, None)
            if etag is not None:
                self._etags[image] = etag
