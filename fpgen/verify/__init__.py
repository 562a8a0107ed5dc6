"""Verification: is the Verilog what the golden model says?"""

from .verdict import Mismatch, ProtocolTest, Verdict
from .verify import verify, verify_many

__all__ = ["Mismatch", "ProtocolTest", "Verdict", "verify", "verify_many"]

