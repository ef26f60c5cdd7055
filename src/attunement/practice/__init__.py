"""The practice: opened vaults, a clock and the policies. `Practice` is the object that everyone talks to.

==============  =============================================================
policy          who may do what: one table, one function
desk            the one gate that every verb passes
house           the folder with `keys.json` and the vaults
practice        `Practice`: founding, opening, signing in
caseload        clients, sessions, contacts, consents, steps
checking_in     invitations and check-ins
reflecting      a therapist's own reflections
supervision     sharing one with a supervisor, until a day
accounts        who may come in
keeping         who a code is, holds, erasure, what leaves, journal, backup
release         what leaves, by an allow-list of columns
rotation        new keys for all vaults
restoring       from a backup to a practice
==============  =============================================================
"""

from attunement.practice.checking_in import Invited
from attunement.practice.policy import Role, Verb, Who, permits
from attunement.practice.practice import Practice

__all__ = ["Invited", "Practice", "Role", "Verb", "Who", "permits"]
