"""What a compiled model depends on beside itself: the system and the tool that compiled it."""

import platform
import plistlib
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from xml.parsers.expat import ExpatError

from msgspec import Struct

from mmai.errors import CannotRun

ENGINE = "mmai.backends.coreml.apple.engine"

SYSTEM = Path("/System/Library/CoreServices/SystemVersion.plist")


class Machine(Struct, frozen=True, kw_only=True):
    """Where models are compiled and run."""

    os_build: str
    """Apple's name of exactly this system, such as `24F74`; a compiled model is made for one."""
    coremltools: str
    """Its version."""
    engine: str = ENGINE
    """The module that works in the worker."""

    @property
    def key(self) -> str:
        """As a folder is called for it."""
        return f"{self.os_build}-{self.coremltools}"


def this_machine() -> Machine:
    """The one this runs on.

    Raises:
        CannotRun: it is no Mac, or coremltools is not installed.
    """
    if sys.platform != "darwin":
        raise CannotRun("Core ML needs macOS", hint="mmai run --executor reference")
    try:
        return Machine(os_build=os_build(SYSTEM), coremltools=version("coremltools"))
    except PackageNotFoundError as exc:
        raise CannotRun("the package `coremltools` is not installed", hint="mmai run --executor reference") from exc


def os_build(system: Path) -> str:
    """From the file in which macOS keeps it, or else the kernel's version, which changes as often."""
    try:
        return str(plistlib.loads(system.read_bytes())["ProductBuildVersion"])
    except (OSError, ValueError, KeyError, ExpatError):
        return f"darwin{platform.release()}"
