"""What of this machine bears on Core ML. What cannot be found out is None."""

import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

import numpy as np

from mmai import __version__
from mmai.backends.coreml.apple.machine import SYSTEM, os_build
from mmai.values.selftest import SelftestEnvironment

PATIENCE_S = 5.0


def environment() -> SelftestEnvironment:
    """Of the machine this runs on."""
    mac = sys.platform == "darwin"
    return SelftestEnvironment(
        system=f"macOS {platform.mac_ver()[0]}" if mac else f"{platform.system()} {platform.release()}",
        os_build=os_build(SYSTEM) if mac else None,
        machine=platform.machine(),
        chip=(_said("/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string") or None) if mac else None,
        virtual={"0": False, "1": True}.get(_said("/usr/sbin/sysctl", "-n", "kern.hv_vmm_present")) if mac else None,
        power=power_source(_said("/usr/bin/pmset", "-g", "batt")) if mac else None,
        low_power_mode=low_power_mode(_said("/usr/bin/pmset", "-g")) if mac else None,
        python=platform.python_version(),
        coremltools=_version("coremltools"),
        numpy=np.__version__,
        mmai=__version__,
    )


def power_source(said: str) -> Literal["ac", "battery"] | None:
    """From `pmset -g batt`, whose first line is `Now drawing from 'AC Power'`."""
    if "'AC Power'" in said:
        return "ac"
    return "battery" if "'Battery Power'" in said else None


def low_power_mode(said: str) -> bool | None:
    """From `pmset -g`, which has a line ` lowpowermode         0`."""
    words = next((line.split() for line in said.splitlines() if line.split()[:1] == ["lowpowermode"]), [])
    return {"0": False, "1": True}.get(words[-1]) if words else None


def _said(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, stdin=subprocess.DEVNULL)  # noqa: S603
    except (OSError, subprocess.SubprocessError, ValueError):
        return ""
    return done.stdout.strip()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
