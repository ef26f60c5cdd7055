"""What a finding looks like on paper and on a page: templates filled with findings, in the order of the page."""

from attunement.reports.look import look_page
from attunement.reports.meaning import Meaning, meaning
from attunement.reports.summary import Source, for_machines, summary

__all__ = ["Meaning", "Source", "for_machines", "look_page", "meaning", "summary"]
