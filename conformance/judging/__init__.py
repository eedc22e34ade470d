"""Judging: was each task of a system that ran done exactly once? From ledgers, histories, spans and worker logs."""
