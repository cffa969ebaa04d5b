"""The entries of a page: findings and images, each with the classes and codes to filter it by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from boxwright.report.html import NAME, enlargeable, items, place, shown
from boxwright.report.pictures import COLORS, Picture, Wanted
from boxwright.structures.dataset import Dataset, Split
from boxwright.structures.findings import Finding, counted

ROOM = {"finding": 2_500_000, "image": 1_200_000, "row": 900_000}  # bytes of a page
IN_KEY = 6  # classes named below a picture
MAX_TAGS = 40  # classes by which an entry is found
MAX_LISTED = 100  # names of a finding's images


class Entries:
    """Renders the entries of a page, as long as there is room for them.

    Attributes:
        images: indices of the images shown so far.
    """

    def __init__(self, dataset: Dataset, pictures: Mapping[Wanted, Picture]) -> None:
        self.images: set[int] = set()
        self._dataset = dataset
        self._pictures = pictures
        self._ids = {name: i for i, name in enumerate(dataset.classes)}
        self._index = {name: i for i, name in enumerate(dataset.names)}
        self._used: dict[int, None] = {}
        self._figures = 0
        self._left = dict(ROOM)

    def finding(self, finding: Finding, wanted: Sequence[Wanted]) -> str | None:
        """A figure with the pictures of a finding; None if it has none or there is no room."""
        drawn = [one for one in wanted if one in self._pictures]
        if not drawn:
            return None
        tags = self._tags("finding", [finding.code], self._classes_of(finding))
        said = f"{_said(finding)}{self._images_of(finding, len(drawn))}"
        if len(drawn) == 1:
            html = self._figure(drawn[0], said, finding.code, tags)
        else:
            strip = "".join(
                self._figure(one, f"<b>{self._name(one)}</b>", finding.code) for one in drawn
            )
            css = "pair" if len(drawn) == 2 else "several"
            html = (
                f'<figure class="{css}"{tags}><figcaption>{said}</figcaption>'
                f'<div class="strip">{strip}</div></figure>'
            )
        return self._fitting("finding", html, drawn)

    def image(self, image: int, codes: Sequence[str]) -> str | None:
        """A figure of a whole image, with links to its codes; None if there is no room."""
        wanted = Wanted(image)
        if wanted not in self._pictures:
            return None
        split = Split(int(self._dataset.splits[image])).name.lower()
        links = " ".join(f'<a href="#{code}">{code}</a>' for code in codes)
        said = f"<b>{self._name(wanted)}</b>{'' if split == 'unassigned' else ' ' + split} {links}"
        tags = self._tags("image", codes, self._pictures[wanted].counts)
        return self._fitting("image", self._figure(wanted, said, "images", tags), [wanted])

    def row(self, finding: Finding) -> str | None:
        """A finding as an item of a list; None if there is no room."""
        tags = self._tags("finding", [finding.code], self._classes_of(finding))
        return self._fitting("row", f"<li{tags}>{_said(finding)}{self._images_of(finding)}</li>")

    def options(self, max_options: int) -> Iterator[tuple[int, str]]:
        """Id and name of the classes of all entries so far, in alphabetical order."""
        names = {i: name for name, i in self._ids.items() if i in self._used}
        for i in sorted([*names][:max_options], key=lambda i: names[i].casefold()):
            yield i, shown(names[i], NAME)

    def _figure(self, wanted: Wanted, said: str, back: str, tags: str = "") -> str:
        self._figures += 1
        picture = self._pictures[wanted]
        return enlargeable(
            f"picture{self._figures}", picture.svg, said, back, below=self._key(picture), tags=tags
        )

    def _key(self, picture: Picture) -> str:
        """The classes in a picture, their colors and numbers of boxes."""
        names = self._dataset.classes
        parts = [
            f'<span class="key"><i class="k{label % COLORS}"></i>{shown(names[label], NAME)} '
            f"{number:,}</span>"
            for label, number in [*picture.counts.items()][:IN_KEY]
        ]
        more = len(picture.counts) - IN_KEY
        parts += [f"and {more:,} more classes"] if more > 0 else []
        parts += [counted(picture.ignored, "ignored region")] if picture.ignored else []
        parts += [f"({picture.hidden:,} boxes not drawn)"] if picture.hidden else []
        return f'<div class="keys">{" ".join(parts) or "no box"}</div>'

    def _name(self, wanted: Wanted) -> str:
        return place(self._dataset.names[wanted.image])

    def _classes_of(self, finding: Finding) -> list[int]:
        """Ids of a finding's classes; if it names none, of those in its images."""
        if finding.classes:
            return [
                self._ids.setdefault(name, len(self._ids)) for name in finding.classes[:MAX_TAGS]
            ]
        images = [self._index[name] for name in finding.images[:MAX_TAGS] if name in self._index]
        labels = [self._dataset.labels[self._dataset.rows(i)] for i in images]
        return np.unique(np.concatenate(labels)).tolist() if labels else []

    def _tags(self, kind: str, codes: Iterable[str], classes: Iterable[int]) -> str:
        """Attributes by which the script finds an entry."""
        ids = [*classes][:MAX_TAGS]
        self._used.update(dict.fromkeys(ids))
        words = " ".join(map(str, ids))
        return f' data-kind="{kind}" data-codes="{" ".join(codes)}" data-classes="{words}"'

    def _images_of(self, finding: Finding, drawn: int = 0) -> str:
        """The names of a finding's images, if it does not show all of several."""
        number = len(finding.images)
        if number < 2 or number == drawn:
            return ""
        head = f"{drawn:,} of {number:,} images shown" if drawn else f"{number:,} images"
        return f"<details><summary>{head}</summary>{items(finding.images, MAX_LISTED)}</details>"

    def _fitting(self, kind: str, html: str, drawn: Sequence[Wanted] = ()) -> str | None:
        size, room = len(html.encode("utf-8")), self._left[kind]
        if kind == "image":  # the last ones on the page may have what findings left
            room += self._left["finding"]
        if size > room:
            return None
        self._left[kind] -= size
        self.images.update(one.image for one in drawn)
        return html


def _said(finding: Finding) -> str:
    done = f' <span class="done">→ {shown(finding.repair)}</span>' if finding.repair else ""
    return f"<b>{place(finding.where)}</b> {shown(finding.message)}{done}"
