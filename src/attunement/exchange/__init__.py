"""How tables come in and go out: one small module a format, all of one shape.

`read_ratings` takes a CSV or Parquet file as people have it, with a mapping of columns, and says what it understood,
assumed and left out. `write_files` writes all of them or none.
"""

from attunement.exchange.columns import KEYS, parse_mapping
from attunement.exchange.files import name_of
from attunement.exchange.ratings import Reading, read_ratings
from attunement.exchange.write import refuse_places, write_files

__all__ = ["KEYS", "Reading", "name_of", "parse_mapping", "read_ratings", "refuse_places", "write_files"]
