"""Time a pass over image files, beside the decoding alone, which is the limit, and beside FiftyOne with a plain loop.

Usage: python benchmarks/media.py [--images N] [--width W --height H] [--workers N] [--peer-python PATH]
       python benchmarks/media.py --bucket, with a server of its own that answers after 20 ms
       python benchmarks/media.py --many 100000, the memory that a pass over so many small files takes
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from measuring import forget_peak, peak_megabytes
from PIL import Image

HERE = Path(__file__).parent
BUCKET = "photos"


def main() -> None:
    """Measure what is asked for, and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--width", type=int, default=1920)
    parser.add_argument("--height", type=int, default=1080)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--bucket", action="store_true")
    parser.add_argument("--many", type=int, metavar="N")
    parser.add_argument("--peer-python", type=Path, metavar="PATH")
    options = parser.parse_args()
    with TemporaryDirectory(prefix="benchmark-") as name, own_home(Path(name)):
        folder = Path(name) / "photos"
        folder.mkdir()
        if options.many:
            memory(folder, options.many, options.workers)
            return
        paths = write_photos(folder, options.images, options.width, options.height)
        size = sum(path.stat().st_size for path in paths) / len(paths)
        print(f"{len(paths)} JPEG files of {options.width} x {options.height}, {size / 1e3:.0f} kB each")
        if options.bucket:
            bucket(folder, paths, options)
        else:
            passes(paths, options)


@contextmanager
def own_home(folder: Path) -> Iterator[None]:
    """A database and a cache that are gone afterwards."""
    from saccade import settings
    from saccade.dataset.store import connection, service

    home = folder / "home"
    with settings.using(data_dir=home / "data", cache_dir=home / "cache", show_progress=False) as own:
        try:
            yield
        finally:
            connection.close()
            service.stop_server(own)


def write_photos(folder: Path, count: int, width: int, height: int) -> list[Path]:
    """Images with the detail, the noise and the size in bytes of photographs."""

    def write(number: int) -> Path:
        path = folder / f"{number:06d}.jpg"
        Image.fromarray(photo(number, width, height)).save(path, quality=88)
        return path

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(write, range(count)))


def photo(seed: int, width: int, height: int) -> np.ndarray[Any, Any]:
    """Random fields from coarse to fine, and noise; (height, width, 3) uint8."""
    random = np.random.default_rng(seed)
    pixels = np.full((height, width, 3), 128, dtype=np.float32)
    for cells, strength in ((4, 60), (16, 40), (64, 20), (256, 10)):
        field = random.integers(0, 256, (max(cells * height // width, 1), cells, 3), dtype=np.uint8)
        grown = Image.fromarray(field).resize((width, height), Image.Resampling.BICUBIC)
        pixels += (np.asarray(grown, dtype=np.float32) - 128) * (strength / 64)
    pixels += random.standard_normal((height, width, 1), dtype=np.float32) * 7
    pixels += random.standard_normal((height, width, 3), dtype=np.float32) * 3
    return np.clip(pixels, 0, 255).astype(np.uint8)


def passes(paths: list[Path], options: argparse.Namespace) -> None:
    """Decode alone, our passes, and the peer's."""
    import saccade as sc
    import saccade.brain as scb

    dataset = sc.Dataset.from_images(paths, name="photos")

    def ours(**asked: Any) -> Callable[[], Any]:
        return lambda: scb.compute_media(dataset, num_workers=options.workers, overwrite=True, **asked)

    nothing = {"metadata": False, "quality": False, "check": False}
    limit = timed("decode alone (simplejpeg, strict)", lambda: decode_all(paths, options.workers), paths, options)
    timed("hash, check, descriptor", ours(**{**nothing, "check": True}, model="builtin"), paths, options, limit)
    timed(
        "all: metadata, figures, hash, check, thumbnail, descriptor", ours(thumbnails=True, model="builtin"), paths,
        options, limit,
    )  # fmt: skip
    timed("descriptor alone", ours(**nothing, model="builtin"), paths, options, limit)
    timed("figures alone", ours(**{**nothing, "quality": True}), paths, options, limit)
    timed("thumbnails alone", ours(**nothing, thumbnails=True), paths, options, limit)
    plain = timed("a plain loop: Pillow, bicubic to 224, torch stack", lambda: plain_loop(paths), paths, options, limit)
    if options.peer_python is not None:
        added = peer(options.peer_python, paths)
        print(f"{'FiftyOne compute_metadata':<62} {len(paths) / added:8.1f} images/s")
        print(f"{'FiftyOne compute_metadata and the plain loop':<62} {len(paths) / (added + plain):8.1f} images/s")


def timed(
    name: str, work: Callable[[], Any], paths: list[Path], options: argparse.Namespace, limit: float | None = None
) -> float:
    """The fastest of some runs in seconds, printed as images per second and as a share of the limit."""
    best = float("inf")
    for _ in range(options.runs):
        begin = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - begin)
    share = "" if limit is None else f" {limit / best:6.0%} of decode alone"
    print(f"{name:<62} {len(paths) / best:8.1f} images/s{share}", flush=True)
    return best


def decode_all(paths: list[Path], workers: int) -> None:
    """Read and decode all files, and do nothing with the pixels."""
    import simplejpeg

    def decode(path: Path) -> None:
        simplejpeg.decode_jpeg(path.read_bytes(), strict=True)

    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(decode, paths):
            pass


def plain_loop(paths: list[Path]) -> None:
    """What people write for want of better."""
    import torch

    batch = []
    for path in paths:
        with Image.open(path) as image:
            small = image.convert("RGB").resize((224, 224), Image.Resampling.BICUBIC)
        batch.append(torch.from_numpy(np.array(small)).permute(2, 0, 1).float() / 255)
        if len(batch) == 32:
            torch.stack(batch)
            batch = []


PEER = """
import json, sys, time
import fiftyone as fo
paths = json.load(sys.stdin)
dataset = fo.Dataset()
dataset.add_samples([fo.Sample(filepath=path) for path in paths])
times = []
for _ in range(3):
    begin = time.perf_counter()
    dataset.compute_metadata(overwrite=True, progress=False)
    times.append(time.perf_counter() - begin)
dataset.delete()
print("seconds", min(times))
"""


def peer(python: Path, paths: list[Path]) -> float:
    """The seconds that FiftyOne's compute_metadata takes, on the same database server."""
    from saccade.dataset.store import connection

    address = connection.database().client.address
    uri = (
        f"mongodb://{str(address[0]).replace('/', '%2F')}"
        if address[1] is None
        else f"mongodb://{address[0]}:{address[1]}"
    )
    command = ["/usr/bin/env", f"FIFTYONE_DATABASE_URI={uri}", "FIFTYONE_DO_NOT_TRACK=true", str(python), "-c", PEER]
    done = subprocess.run(
        command, input=json.dumps([str(path) for path in paths]), capture_output=True, text=True, check=True
    )
    return float(done.stdout.split("seconds")[-1])


def bucket(folder: Path, paths: list[Path], options: argparse.Namespace) -> None:
    """The same pass over files on disk and in a bucket whose server answers after 20 ms."""
    import saccade as sc
    import saccade.brain as scb
    from saccade.dataset.media.known_sources import register

    command = [sys.executable, str(HERE / "bucket_server.py"), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            endpoint = server.stdout.readline().strip()
            source = sc.Datasource(
                f"s3://{BUCKET}", name="slow", endpoint=endpoint, region="us-east-1", skip_signature=True
            )  # fmt: skip
            register(source)
            local = sc.Dataset.from_images(paths, name="local")
            remote = sc.Dataset.from_images([f"{source.url}/{path.name}" for path in paths], name="remote")
            found = {}
            for name, dataset in (("disk", local), ("bucket", remote)):
                for _ in range(options.runs):
                    wall, processor = time.perf_counter(), time.process_time()
                    scb.compute_media(
                        dataset, metadata=False, quality=False, model="builtin", overwrite=True,
                        num_workers=options.workers,
                    )  # fmt: skip
                    wall, processor = time.perf_counter() - wall, time.process_time() - processor
                    best = found.get(name, (float("inf"), float("inf")))
                    found[name] = (min(best[0], wall), min(best[1], processor))
                print(
                    f"{name:<8} {len(paths) / found[name][0]:8.1f} images/s; "
                    f"{len(paths) / found[name][1]:8.1f} images for each second of a processor in the client"
                )
            print(
                f"the bucket takes {found['disk'][1] / found['bucket'][1]:.0%} of the disk's rate by client processor"
            )
        finally:
            server.terminate()


def memory(folder: Path, count: int, workers: int) -> None:
    """The memory of a pass over many small files."""
    import saccade as sc
    import saccade.brain as scb

    Image.fromarray(photo(0, 64, 48)).save(folder / "0.jpg")
    data = (folder / "0.jpg").read_bytes()
    for size in (count // 10, count):
        inside = folder / str(size)
        inside.mkdir()
        for number in range(size):
            (inside / f"{number:07d}.jpg").write_bytes(data)
        dataset = sc.Dataset.from_images_dir(inside, name=f"many-{size}")
        forget_peak()
        before, begin = peak_megabytes(), time.perf_counter()
        scb.compute_media(dataset, model="builtin", num_workers=workers)
        seconds = time.perf_counter() - begin
        print(
            f"{size:>9,} files: {size / seconds:8.0f} images/s, {before:.0f} MB before, peak {peak_megabytes():.0f} MB"
        )


if __name__ == "__main__":
    main()
