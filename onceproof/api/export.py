"""``export_tla``: a model as plain TLA+, for an independent checker to count the same states."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from onceproof.api.sources import Budgets, Source, installed_first, spec_of
from onceproof.model.checker.tla.export import export


@dataclass(frozen=True)
class TlaModule:
    """A module of TLA+ and the configuration to check it with. remarks: what TLC is to be told beside these.

    instances: the modules, by name, of the abstract models that it is to refine; they belong beside it.
    """

    name: str
    text: str
    configuration: str
    remarks: tuple[str, ...] = ()
    instances: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.text

    def write(self, folder: Path | str) -> tuple[Path, Path]:
        """Write NAME.tla and NAME.cfg to a folder that exists, and the instances beside them; the paths of those two.

        OSError where that is impossible.
        """
        module, configuration = Path(folder) / f"{self.name}.tla", Path(folder) / f"{self.name}.cfg"
        module.write_text(self.text, encoding="utf-8")
        configuration.write_text(self.configuration, encoding="utf-8")
        for name, text in self.instances.items():
            (Path(folder) / f"{name}.tla").write_text(text, encoding="utf-8")
        return module, configuration


@installed_first
def export_tla(
    source: Source = None,
    *,
    sizes: Mapping[str, int] | None = None,
    mechanisms: Mapping[str, bool] | None = None,
    faults: Budgets | None = None,
    parameters: Mapping[str, int] | None = None,
    properties: Sequence[str] | None = None,
) -> TlaModule:
    """A model with these settings (see ``check``) as TLA+ that TLC reads: one operator for each action."""
    spec = spec_of(
        source, sizes=sizes, mechanisms=mechanisms, faults=faults, parameters=parameters, properties=properties
    )
    name = module_name(spec.name)
    exported = export(spec.system, name, spec.properties)
    return TlaModule(name, exported.module, exported.configuration, exported.remarks, exported.instances)


def module_name(name: str) -> str:
    """A spec's name as TLA+ allows it: letters, digits and underscores, and a letter somewhere."""
    plain = re.sub(r"\W", "_", name, flags=re.ASCII)
    return plain if re.search("[A-Za-z]", plain) else f"spec_{plain}"
