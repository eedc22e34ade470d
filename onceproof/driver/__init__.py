"""A kit for drivers in Python: one method for each action, one reader for each field; the kit does the rest.

It imports the standard library alone, so that it runs in the environment of the system that is driven. ``onceproof
driver new SPEC`` writes a file to start from; conformance/PROTOCOL.md describes what goes over the pipe.
"""

from onceproof.driver.data import error_of as error_of
from onceproof.driver.data import payload_of as payload_of
from onceproof.driver.data import result_of as result_of
from onceproof.driver.kit import OTHERS as OTHERS
from onceproof.driver.kit import Cells as Cells
from onceproof.driver.kit import Driver as Driver
from onceproof.driver.kit import Refused as Refused
from onceproof.driver.kit import Setting as Setting
from onceproof.driver.kit import StoreRefuses as StoreRefuses
from onceproof.driver.kit import Uncertain as Uncertain
from onceproof.driver.kit import todo as todo
from onceproof.driver.processes import Process as Process
from onceproof.driver.protocol import run as run

__all__ = [
    *("OTHERS", "Cells", "Driver", "Process", "Refused", "Setting", "StoreRefuses", "Uncertain", "run", "todo"),
    *("error_of", "payload_of", "result_of"),
]
