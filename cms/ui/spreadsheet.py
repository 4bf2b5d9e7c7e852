"""Tables as files for spreadsheets."""

import csv
import io
from collections.abc import Iterable

from cms.schemas.redirects import FORMULA


def csv_line(cells: Iterable[str]) -> str:
    """One row; what a spreadsheet would take for a formula begins with an apostrophe.

    https://owasp.org/www-community/attacks/CSV_Injection
    """
    written = io.StringIO()
    csv.writer(written).writerow([f"'{cell}" if cell.startswith(FORMULA) else cell for cell in cells])
    return written.getvalue()
