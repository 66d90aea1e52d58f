"""Packaging of IncidentRelay: metadata, and the files in a wheel besides modules."""

import shutil
import sys
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

ROOT = Path(__file__).resolve().parent
# PEP 517 builds do not put the project folder on the path.
sys.path.insert(0, str(ROOT))

import build_assets  # noqa: E402

REQUIREMENTS = [
    "pyramid>=2.1,<3",
    # Pyramid imports pkg_resources, which newer releases drop (82) or warn about (80.9).
    "setuptools>=78.1.1,<80.9",
    "pyramid_jinja2>=2.10.1",
    "pyramid_tm>=2.6",
    "pyramid_retry>=2.1.1",
    "pyramid-sanity>=1.0.4",
    "waitress>=3.0.2",
    "SQLAlchemy>=2.1,<2.2",
    "zope.sqlalchemy>=4.1",
    "transaction>=5.1",
    "alembic>=1.20",
    "huey>=3.5.4,<4",
    "marshmallow>=4.4,<5",
    "apispec>=6.10,<7",
    "httpx2>=2.16,<3",
    "argon2-cffi>=25.1",
    "itsdangerous>=2.2",
    "cryptography>=50",
    "icalendar>=7.3,<8",
    "recurring-ical-events>=3.8.2,<4",
    "holidays>=0.109",
    "tzdata",
    "google-re2>=1.1",
    "orjson>=3.10",
    "structlog>=26.1",
    "prometheus-client>=0.26",
    "rich-click>=1.9",
    "PasteDeploy>=3.1",
    "plaster_pastedeploy>=1.0.1",
    "psycopg[binary]>=3.3",
    "redis>=6",
]

TEST_REQUIREMENTS = [
    "webtest",
    "pytest>=9",
    "pytest-xdist",
    "pytest-timeout",
    "pytest-cov",
    "hypothesis",
    "aiosmtpd",
    "playwright",
    "axe-playwright-python",
    "ruff",
    "mypy",
    "types-WebOb",
    "PyYAML",
    "types-PyYAML",
    "python-dateutil>=2.9,<5",
    "types-python-dateutil",
    "vobject",
]


class BuildPackage(build_py):
    """Adds the built browser files and the migrations.

    Editable installs find both in the checkout; the Makefile builds the former.
    """

    def run(self) -> None:
        if not self.editable_mode:
            build_assets.ensure(ROOT)
        super().run()
        if not self.editable_mode:
            target = Path(self.build_lib, "incidentrelay", "_alembic")
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(
                ROOT / "alembic", target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
            )


class SourceDistribution(sdist):
    """Includes the built browser files, so that installing it needs no Node."""

    def run(self) -> None:
        build_assets.ensure(ROOT)
        super().run()


def _long_description() -> str:
    readme = ROOT / "README.md"
    return readme.read_text(encoding="utf-8") if readme.is_file() else ""


setup(
    name="incidentrelay",
    version="0.1.0",
    description="Self-hosted on-call routing, alert delivery and escalation.",
    long_description=_long_description(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    classifiers=[
        "Framework :: Pyramid",
        "Intended Audience :: System Administrators",
        "Operating System :: POSIX",
        "Programming Language :: Python :: 3",
        "Topic :: System :: Monitoring",
    ],
    packages=find_packages(include=["incidentrelay", "incidentrelay.*"]),
    package_data={
        "incidentrelay": [
            "py.typed",
            "static/**",
            "templates/**",
            "channels/*/templates/**",
            "integrations/samples/**",
        ]
    },
    exclude_package_data={"incidentrelay": ["static/vendor/build.stamp"]},
    setup_requires=build_assets.build_requirements(ROOT),
    install_requires=REQUIREMENTS,
    extras_require={"test": TEST_REQUIREMENTS},
    entry_points={
        "console_scripts": ["incidentrelay=incidentrelay.cli.main:main"],
        "paste.app_factory": ["main=incidentrelay:main"],
    },
    cmdclass={"build_py": BuildPackage, "sdist": SourceDistribution},
    zip_safe=False,
)
