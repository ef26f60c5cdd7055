"""The vaults: encrypted files or schemas of a database, the keys that open them, and the journal of each.

===========  =======================================================================
sealing      bytes that only the right key opens, for the right row
locks        a root key under a passphrase and a recovery code
recovery     the recovery code
account      the locks of one account
naming       what `keys.json` calls a vault, and how that tells where it is
keyfile      `keys.json`: who can open what; where a change of keys takes effect
envelope     a reflection, sealed to its owner under the file's encryption
sharing      a reflection, sealed to a supervisor too, signed, until a day
slots        what a drop box may show and take
drops        a client's answers, sealed on their way; nothing here opens one
drop_keys    what opens them, and by what the box knows its owner
store        what a vault needs of the place that it is in
file         that place as a file of our own
cipher       SQLCipher connections, and their errors in sentences
schema       that place as a schema of a PostgreSQL
database     a clinic's PostgreSQL: reached, and held by one program
doors        what is looked at before anything is kept in it
policies     whose rows are whose, in the server
whom         on whose behalf a piece of work is done
preparing    what a database's administrator does once
sealed       columns that are sealed where the file is not
seals        what seals them
instants     points in time, as they are kept
tables       what each vault holds
migrations   how a vault gets its tables, and from one version to the next
rows         what one piece of work reads and writes
lines        how that reaches the rows: a file at once, a server in few messages
writer       one writer, group commit, acknowledged after COMMIT
journal      entries, MACs, tips
verifying    the journal and every row, read and compared
vault        an opened vault
carrying     a vault's copy in another place, verified
clock        a time that nobody can turn back
backup       an archive sealed to an offline key, read back before it counts
places       files that are the old or the new one, never half of either
process      no core dumps
===========  =======================================================================

Nothing here knows what a client or a session is allowed to be, or who may do what: that is `attunement.practice`.
"""
