"""Build hook: compile the kernels into the wheel, and in place for an editable installation.

GAUSSMIX_BUILD_LEVELS is 'native' (default: this processor's level) or 'all', GAUSSMIX_BUILD_TARGET one of `TARGETS` of
`library_building` for a wheel of another system, and 'none' for a wheel without compiled code.
"""

import importlib
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_WHEEL_TAGS = {
    "linux-x86_64": "py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.musllinux_1_1_x86_64",
    "linux-aarch64": "py3-none-manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64",
    "macos-x86_64": "py3-none-macosx_10_15_x86_64",
    "macos-arm64": "py3-none-macosx_11_0_arm64",
    "windows-amd64": "py3-none-win_amd64",
}


class KernelBuildHook(BuildHookInterface):
    """Compiles the kernels before the files of a wheel are collected."""

    def dependencies(self) -> list[str]:
        """Return what compiling takes: Numba, and a linker where this machine has none, or for another system."""
        target = os.environ.get("GAUSSMIX_BUILD_TARGET")
        if target == "none":
            return []
        has_linker = target is None and any(map(shutil.which, ("cc", "gcc", "clang")))
        return ["numba>=0.61.2", *([] if has_linker else ["ziglang>=0.13"])]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile the kernels, and name the system that the wheel is for."""
        target = os.environ.get("GAUSSMIX_BUILD_TARGET")
        if target == "none":
            return
        sys.path.insert(0, str(Path(self.root) / "src"))
        building = importlib.import_module("gaussmix.kernels.codegen.library_building")
        target = target or building.host_target_name()
        selection = os.environ.get("GAUSSMIX_BUILD_LEVELS", "native")
        if not building.is_current(target, building.select_levels(target, selection)):
            building.main(["--target", target, "--level", selection])
        path = building.library.library_path(building.TARGETS[target].platform_name)
        for artifact in (path, building.library.checksum_path(path)):
            build_data["artifacts"].append(Path(artifact).relative_to(self.root).as_posix())
        build_data["pure_python"] = False
        build_data["tag"] = _WHEEL_TAGS[target]
