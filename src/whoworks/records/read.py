"""Reading: from the plan's paths, or a frame in the spine's place, to records."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from pathlib import Path

import pandas as pd

from whoworks.errors import RecordsError, first_few, nearest
from whoworks.plan.plan import Plan
from whoworks.plan.records import RecordTable
from whoworks.records.delimited import read_delimited
from whoworks.records.demand import require_demands
from whoworks.records.frames import hash_reading, read_frame
from whoworks.records.identifiers import require_no_identifiers
from whoworks.records.parquet import read_parquet
from whoworks.records.recognition import EXPECTED, HEAD, require_kind
from whoworks.records.records import Provenance, Reading, Records, Table
from whoworks.records.statistical import read_dta, read_sav
from whoworks.records.workbook import read_workbook

PACKED = (".csv.gz", ".tsv.gz")


def read_records(plan: Plan, *, data: Path | None = None, frame: object | None = None) -> Records:
    """Read every table of the plan as text.

    Parameters
    ----------
    data : file read in place of the spine's path; relative to the working folder.
    frame : rows read in place of the spine's file: pandas, or any frame that Narwhals reads.

    Raises
    ------
    RecordsError
        A file is missing, empty, damaged or not what its name says, or lacks a column that the plan names.
    PrivacyError
        A column looks like a direct identifier, and the plan neither drops nor allows it.
    """
    drop = set(plan.privacy.drop)
    spine = plan.records[0]
    index: pd.Index | None = None
    if frame is not None:
        reading, index = read_frame(frame)
        first = build_table(spine.name, reading, file="", sha256=hash_reading(reading), drop=drop)
    else:
        first = read_table(spine, data or plan.locate(spine), drop)
    others = (read_table(table, plan.locate(table), drop) for table in plan.records[1:])
    records = Records(tables=(first, *others), index=index)
    require_no_identifiers(records.tables, plan.privacy)
    require_demands(plan, records)
    return records


def read_table(table: RecordTable, path: Path | None, drop: set[str]) -> Table:
    """Read one table from its file."""
    if path is None:
        raise RecordsError(
            f"The plan gives no path for the table '{table.name}', and no frame was handed in. "
            'Write under [records], for example: path = "pilot.csv"'
        )
    path = Path(path)
    data = read_bytes(path)
    reading = read_file(path, data)
    return build_table(table.name, reading, file=path.name, sha256=hashlib.sha256(data).hexdigest(), drop=drop)


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes, or say why there are none."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        beside = [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
        raise RecordsError(f"There is no file {path}.{nearest(path.name, beside)} Correct the path.") from None
    except IsADirectoryError:
        raise RecordsError(f"{path} is a folder. Name one file of records in it.") from None
    except OSError as error:
        raise RecordsError(f"{path} cannot be read: {error.strerror}.") from None
    if not data:
        raise RecordsError(f"'{path.name}' is empty. Export the records again.")
    return data


def read_file(path: Path, data: bytes) -> Reading:
    """Read one file by the kind that its name says, after looking whether it is of that kind."""
    file, name = path.name, path.name.lower()
    if name.endswith(PACKED):
        data, name = unpack(data, file), name.removesuffix(".gz")
    kind = name.rpartition(".")[2]
    if kind not in EXPECTED:
        raise RecordsError(
            f"'{file}' has an ending that is not read. Records may be csv or tsv (also .gz), parquet, xlsx, dta or sav."
        )
    require_kind(kind=kind, head=data[:HEAD], file=file)
    match kind:
        case "parquet":
            return read_parquet(path, file=file)
        case "xlsx":
            return read_workbook(data, file=file)
        case "dta":
            return read_dta(data, file=file)
        case "sav":
            return read_sav(data, file=file)
    return read_delimited(data, delimiter="," if kind == "csv" else "\t", file=file)


def unpack(data: bytes, file: str) -> bytes:
    """Unpack gzip, or say that it is damaged."""
    try:
        unpacked = gzip.decompress(data)
    except gzip.BadGzipFile:
        raise RecordsError(f"'{file}' is named .gz, and is not whole gzip-compressed data. Copy it again.") from None
    except (EOFError, zlib.error):
        raise RecordsError(f"'{file}' is cut short: its compressed data end too early. Copy it again.") from None
    if not unpacked:
        raise RecordsError(f"'{file}' is empty once unpacked. Export the records again.")
    return unpacked


def build_table(name: str, reading: Reading, *, file: str, sha256: str, drop: set[str]) -> Table:
    """Make a table of what was read: named columns only, without those that the plan drops."""
    where = f"'{file}'" if file else f"The frame for '{name}'"
    stripped = [column.strip() for column in reading.names]
    require_header(stripped, where)
    n_rows = len(reading.columns[0])
    if n_rows == 0:
        raise RecordsError(f"{where} has a header and no rows. Export the records again.")
    provenance = Provenance(
        table=name, file=file, sha256=sha256, n_rows=n_rows, n_columns=len(stripped), encoding=reading.encoding
    )
    kept = {
        column: texts
        for column, texts in zip(stripped, reading.columns, strict=True)
        if column and not {column, f"{name}.{column}"} & drop
    }
    return Table(name=name, frame=pd.DataFrame(kept, dtype=object), provenance=provenance)


def require_header(names: list[str], where: str) -> None:
    """Refuse a header without names, or with one name twice."""
    named = [name for name in names if name]
    if not named:
        raise RecordsError(f"{where} has no column names in its first row. The first row must name the columns.")
    repeated = sorted({name for name in named if named.count(name) > 1})
    if repeated:
        listed = first_few(f"'{name}'" for name in repeated)
        raise RecordsError(
            f"{where} names {len(repeated)} column(s) more than once: {listed}. Rename or remove the repeats."
        )
