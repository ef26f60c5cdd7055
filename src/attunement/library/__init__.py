"""What to read, linked to the findings that it bears on.

>>> [each.named() for each in to_read(About.RUPTURE)][:2]
['Safran and Muran 2000', 'Eubanks, Burckell and Goldfried 2018']
>>> source("heimann-1950").said("en")
'Four pages that turn our own feelings from a fault into a way to understand.'
"""

from attunement.library.bibtex import bibtex
from attunement.library.search import search
from attunement.library.shelf import source, sources, to_read
from attunement.library.source import About, Kind, Shelf, Source, Topic

__all__ = ["About", "Kind", "Shelf", "Source", "Topic", "bibtex", "search", "source", "sources", "to_read"]
