"""The practice: opened vaults, a clock and the policies. `Practice` is the object that everyone talks to.

==============  =============================================================
policy          who may do what: one table, one function
desk            the one gate that every verb passes
handing_over    a client goes to another therapist, for good or for a while
hands           in which role of a clinic's database a verb is done
house           the folder with `keys.json` and the vaults
unlocked        somebody's reflections while they are unlocked
leftovers       what an interrupted change leaves, and that it goes
practice        `Practice`: founding, opening, signing in
agenda          how each of one's clients stands now
caseload        clients, sessions, contacts, consents
described       what was asked, beside its rows
sending         what goes to a client and comes back
shelf           the instruments that can be asked: ours, and what was loaded
checking_in     invitations and check-ins
dropping        the drop box: what it may show, and what lies in it
crossing        what comes from other systems and goes to them
taking          one transaction of taking in
placing         which session something from elsewhere is of
rated           what was rated, by check-ins and in tables taken in
safety          concerns, what was done, and the practice's protocol
whose           whose a client is now, and by which code
steps           what is tried next, what the client says of it, what came of it
reflecting      a therapist's own reflections
supervision     sharing one, or a report, with a supervisor, until a day
normed          norms of others that are loaded
signing         what therapists sign out to a norm of the practice's own
accounts        who may come in
factors         a second step at the door
tokens          by what a program comes in, and how far
keeping         who a code is, holds, erasure, what leaves, journal, backup
belonging       what belongs to a client: all rows, and their record
reminding       what is due, and reminders of it by mail
release         what leaves, by an allow-list of columns
rotation        new keys for all vaults
moving          from files into a database, and back
staging         a copy of all vaults as files, for a backup
restoring       from a backup to a practice
==============  =============================================================
"""

from attunement.practice.agenda import Agenda, Standing
from attunement.practice.desk import together
from attunement.practice.dropping import Fetched, Line
from attunement.practice.factors import Factor
from attunement.practice.handing_over import Handover
from attunement.practice.normed import InForce
from attunement.practice.policy import Role, Scope, Verb, Who, permits
from attunement.practice.practice import Practice
from attunement.practice.rated import Rated, TakenIn
from attunement.practice.reminding import Due, Sender, Sent
from attunement.practice.sending import Asked, Invited, Received, Tried
from attunement.practice.shelf import Loaded
from attunement.practice.signing import Pooled, SignedOut
from attunement.practice.supervision import Colleague, Shared
from attunement.practice.taking import Crossed
from attunement.practice.tokens import Given, Token

__all__ = [
    "Agenda", "Asked", "Colleague", "Crossed", "Due", "Factor", "Fetched", "Given", "Handover", "InForce", "Invited",
    "Line", "Loaded", "Pooled", "Practice", "Rated", "Received", "Role", "Scope", "Sender", "Sent", "Shared",
    "SignedOut", "Standing", "TakenIn", "Token", "Tried", "Verb", "Who", "permits", "together",
]  # fmt: skip
