"""All SQL of the product: typed functions over one open transaction; rows stay in here."""
