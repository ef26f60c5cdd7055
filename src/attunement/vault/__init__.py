"""The vaults: encrypted files, the keys that open them, and the journal of each.

===========  =======================================================================
sealing      bytes that only the right key opens, for the right row
locks        a root key under a passphrase and a recovery code
recovery     the recovery code
account      the locks of one account
keyfile      `keys.json`: who can open what; where a change of keys takes effect
envelope     a reflection, sealed to its owner under the file's encryption
sharing      a reflection, sealed to a supervisor too, signed, until a day
slots        what a drop box may show and take
drops        a client's answers, sealed on their way; nothing here opens one
drop_keys    what opens them, and by what the box knows its owner
cipher       SQLCipher connections, and their errors in sentences
tables       what each vault holds
migrations   how a vault gets its tables, and from one version to the next
rows         what one piece of work reads and writes
writer       one writer, group commit, acknowledged after COMMIT
journal      entries, MACs, tips
verifying    the journal and every row, read and compared
vault        an opened vault
clock        a time that nobody can turn back
backup       an archive sealed to an offline key, read back before it counts
places       files that are the old or the new one, never half of either
process      no core dumps
===========  =======================================================================

Nothing here knows what a client or a session is allowed to be, or who may do what: that is `attunement.practice`.
"""
