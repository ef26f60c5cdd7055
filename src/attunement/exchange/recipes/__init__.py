"""Recipes: how the totals of ORS, SRS and OQ-45 are found in the exports of other programs; a file each, as data.

Only a total is taken, never the lines that it is the sum of. Where a name of a column is only a guess, the file says
so, and ``--map`` names another.
"""

from attunement.exchange.recipes.reading import read_by_recipe
from attunement.exchange.recipes.recipe import Recipe, parse_recipe_mapping, recipe, recipes

__all__ = ["Recipe", "parse_recipe_mapping", "read_by_recipe", "recipe", "recipes"]
