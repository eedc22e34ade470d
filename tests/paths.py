"""Where things of the checkout are."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SPECS = ROOT / "specs"
MODELS = ROOT / "tests" / "models"
HELPERS = ROOT / "tests" / "helpers"
