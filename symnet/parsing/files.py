"""The text of a user's file: a plain file of at most 1 MB in UTF-8, or one line that says what it is instead."""

from __future__ import annotations

import os
import stat

from symnet.errors import WorksheetError

# Files that people hand in and that are not read, each with how to make one that is.
OTHERS = {".pdf": ("a PDF", "its lines in a .md file"), ".docx": ("a Word document", "its lines in a .md file")}
LIMIT = 1_000_000  # bytes; a worksheet is a page, not a data set


def text_of_file(path: str, expected: str, hint: str = "") -> str:
    """The text in a file. Raises WorksheetError for a folder, a device, a pipe, a file that is too large or no text; never waits.

    ``expected`` says what it should be and ``hint`` what to try where there is no file.
    """
    what, way = OTHERS.get(os.path.splitext(path)[1].lower(), ("", ""))
    if what:
        raise WorksheetError(path, what, expected, way)
    try:
        kind = os.stat(path).st_mode
        if not stat.S_ISREG(kind):
            raise WorksheetError(path, "a folder" if stat.S_ISDIR(kind) else "no plain file", expected)
        with open(path, "rb") as file:
            content = file.read(LIMIT + 1)  # what /proc holds has no size
        if len(content) > LIMIT:
            raise WorksheetError(path, "a file of more than 1 MB", expected)
        return content.decode("utf-8-sig")
    except FileNotFoundError:
        raise WorksheetError(path, "no such file", expected, hint) from None
    except WorksheetError:
        raise
    except (OSError, ValueError) as error:  # ValueError: no UTF-8, or a name with a zero byte
        raise WorksheetError(path, getattr(error, "strerror", None) or "not a text file", f"{expected} in UTF-8") from None
