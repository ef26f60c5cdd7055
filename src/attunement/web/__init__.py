"""The rooms: pages for a client's minute and a therapist's day, over `Practice` and nothing else.

==============  =====================================================================
ways            the table of ways: every page, who may go there, who answers
rooms           what outlives a request, and how a request finds its way
shield          names, origins, lengths, headers, one sentence where something fails
door            whether there is a practice, and whether it is open
visits          who has signed in, in which browser
factors         the second step at the door
limits          how often somebody may be wrong
forms           what a form sent, read strictly
asking          a client's page: what is asked, what came back
statics         what every page loads
place           where a server listens
page            how an answer is drawn
attention       what wants attention, and why
working         what takes a second is worked out beside the pages
pulling         fetching from the drop box while the rooms are open
reading         a table from outside, read in a process of its own
words           what a client reads, in both languages
pages           one module a room
api             the same rooms for programs, by tokens
==============  =====================================================================
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attunement.web.rooms import Rooms, app
    from attunement.web.serving import serve
    from attunement.web.ways import WAYS

__all__ = ["WAYS", "Rooms", "app", "serve"]
_WHERE = {"WAYS": "ways", "Rooms": "rooms", "app": "rooms", "serve": "serving"}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever is asked for
    """Load the rooms when they are asked for: the drop box has the words and style of these pages, and no practice."""
    if name in _WHERE:
        from importlib import import_module  # noqa: PLC0415 - see above

        return getattr(import_module(f"attunement.web.{_WHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
