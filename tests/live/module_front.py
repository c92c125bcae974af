# SPDX-License-Identifier: MIT
"""Fronts whose responders have modules of the tests."""
import os
import shutil

from front import Front
from harness import BUILD, skip_all


class ModuleFront(Front):
    """A front with the modules of a test, and rate limits that no test meets."""

    MODULES = ()    # places below tests/ in the build

    def __init__(self, name, settings=None, **more):
        limits = {"RATE_LIMIT": "1000000/minute", "RATE_LIMIT_PRINCIPAL": "1000000/minute"}
        super().__init__(name, dict(limits, **(settings or {})), **more)

    @classmethod
    def need(cls):
        """Skip the test where the modules are not built."""
        for module in cls.MODULES:
            if not os.path.exists(os.path.join(BUILD, "tests", module)):
                skip_all("tests/%s is not built" % module)

    def configure(self):
        paths = []
        for module in self.MODULES:
            paths.append(os.path.join(self.dir, os.path.basename(module)))
            if not os.path.exists(paths[-1]):
                shutil.copy(os.path.join(BUILD, "tests", module), paths[-1])
                os.chmod(paths[-1], 0o755)
        self.settings["TOOL_MODULES"] = " ".join(paths)
        super().configure()

    def log(self):
        return self.logs()["responder.log"]
