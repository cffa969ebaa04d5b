"""The tutorials' CSV lists: `filename,width,height,class,xmin,ymin,xmax,ymax`, a row per box.

`train_labels.csv` and `test_labels.csv` repeat what the xml files say; what they add is which
photo is for training and which for testing, so that is what is read from them.
"""

from __future__ import annotations

import csv
from pathlib import Path

from boxwright.errors import DataError

COLUMN = "filename"


def listed_photos(path: Path) -> list[str]:
    """The photos that a CSV list names, each once, in order; none if it has no such column.

    Raises:
        DataError: BW120 the file is not CSV text.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            delimiter = ";" if ";" in lines.readline() else ","
            lines.seek(0)
            rows = csv.reader(lines, delimiter=delimiter)
            columns = [name.strip().lower() for name in next(rows, [])]
            if COLUMN not in columns:
                return []
            place = columns.index(COLUMN)
            return list(dict.fromkeys(row[place].strip() for row in rows if len(row) > place))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            "BW120",
            f"the CSV list cannot be read ({error}).",
            where=path,
            remedy="Save it as 'CSV UTF-8', or remove it if it is not a list of photos.",
        ) from error
