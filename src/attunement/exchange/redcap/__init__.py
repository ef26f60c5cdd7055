"""REDCap: instruments as a data dictionary, and clients, sessions, answers and totals as records; both ways."""

from attunement.exchange.redcap.dictionary import dictionary
from attunement.exchange.redcap.loading import read_dictionary
from attunement.exchange.redcap.reading import read_records
from attunement.exchange.redcap.writing import write_records

__all__ = ["dictionary", "read_dictionary", "read_records", "write_records"]
