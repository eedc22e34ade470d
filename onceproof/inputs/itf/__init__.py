"""Traces as files in the Informal Trace Format (ITF, https://apalache-mc.org/docs/adr/015adr-trace.html), both ways.

Each state says, as Quint's traces do, which action led to it (``mbt::actionTaken``) and with which arguments
(``mbt::nondetPicks``). The ``#meta`` of the file holds what the format has no place for: the model, its configuration
and the property that the trace violates. A trace that is read is taken through the model again, step by step, so that a
file that is not a run of the model is refused.

A trace is data: reading one executes no code that it names. See ``reader``.
"""

from onceproof.inputs.itf.reader import TraceFile as TraceFile
from onceproof.inputs.itf.reader import read_trace as read_trace
from onceproof.inputs.itf.writer import model_option as model_option
from onceproof.inputs.itf.writer import trace_text as trace_text
from onceproof.inputs.itf.writer import write_trace as write_trace
