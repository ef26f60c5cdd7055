"""The therapist's own feelings: where they come from, what they tell, and what comes after them."""
