"""Verification: is the Verilog what the golden model says?"""

from .regression import Regression, run_regression
from .verdict import Mismatch, ProtocolTest, Verdict
from .verify import verify, verify_many

__all__ = ["Mismatch", "ProtocolTest", "Regression", "Verdict", "run_regression", "verify", "verify_many"]
