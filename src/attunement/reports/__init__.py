"""What a finding looks like on paper and on a page: templates filled with findings, nothing worked out here."""

from attunement.reports.look import look_page
from attunement.reports.summary import Source, for_machines, summary

__all__ = ["Source", "for_machines", "look_page", "summary"]
