"""What the simulation is asked to do: the JSON file that `fpgen.verify` wrote, named by FPGEN_JOB."""

import json
import os
from pathlib import Path

JOB = json.loads(Path(os.environ["FPGEN_JOB"]).read_text())

#: The value of its `start` pin that starts a stream.
START = JOB["start"]

#: Streams to run: a list of {"index", "unit"}.
STREAMS = JOB["streams"]

#: Units to drive one vector a clock; see `fpgen.simulate.clocked_job` for the fields.
PROTOCOLS = JOB["protocols"]
