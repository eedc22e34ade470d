"""Random models over every construct of the language, each written twice; one of them knows nothing of the language."""
