"""The pages: each a function from what is asked to an answer."""
