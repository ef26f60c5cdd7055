"""Everything as four tables, in CSV or Parquet, in a folder or a ZIP archive; and back, with nothing lost."""

from attunement.exchange.tables.layout import TABLES, Kind
from attunement.exchange.tables.reading import read_tables
from attunement.exchange.tables.writing import write_tables

__all__ = ["TABLES", "Kind", "read_tables", "write_tables"]
