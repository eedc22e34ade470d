"""Small configurations of the protocol that lack a mechanism, and violate something: sizes, switches and budgets."""

BROKEN: list[tuple[dict[str, int], dict[str, bool], dict[str, int | None]]] = [
    ({"submissions": 2}, {"task_id_dedup": False}, {"response_loss": 1}),
    ({}, {"agent_dedup": False}, {"request_duplication": 1, "scheduler_crash": 1}),
    ({}, {"agent_dedup": False}, {"request_duplication": None}),
    ({"submissions": 2}, {"atomic_admission": False}, {"api_crash": 1}),
]
