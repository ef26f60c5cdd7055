"""The drop box: a small public place where clients answer, which can open nothing of what lies in it.

========  ==================================================================
box       what lies on the disk: slots, sealed drops, who owns it
owner     who may tell it something: a signature over a challenge, each time
pages     a client's page, in the words and the style of the practice's own
serving   ways, limits and refusals; starting it
========  ==================================================================

It knows public keys alone, asks nobody to sign in, and gives nothing back but to its owner. Answers are in its memory
for as long as it takes to seal them. It imports neither a practice nor what opens a vault; a contract checks that.
"""
